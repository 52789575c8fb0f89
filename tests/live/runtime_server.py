"""A server on a socket that speaks the REST protocol of InvokeEndpoint, and STS's of who calls."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

IDENTITY = "arn:aws:iam::111122223333:user/acme"


@dataclass(frozen=True)
class Invoked:
    """What came in."""

    endpoint: str
    target_model: str | None
    body: bytes


@dataclass(frozen=True)
class Reply:
    """How it is answered: a status, the type of an error, what it says and in which type."""

    status: int = 200
    error: str | None = None
    message: str = "said by the server"
    kind: str = "application/json"


OK = Reply()
DENIED = Reply(403, "AccessDeniedException", "User is not authorized to perform it")

Decide = Callable[[Invoked], Reply]


class RuntimeServer:
    """The server; a context manager.

    Attributes:
        invoked: what came in, in order.
        identity: who calls, as GetCallerIdentity says.
    """

    def __init__(self, decide: Decide, identity: str = IDENTITY) -> None:
        self.decide = decide
        self.identity = identity
        self.invoked: list[Invoked] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> RuntimeServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()


def _handler(server: RuntimeServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if b"GetCallerIdentity" in body:
                self.say(200, "text/xml", _identity(server.identity))
                return
            _, endpoints, name, invocations = self.path.split("/")
            assert (endpoints, invocations) == ("endpoints", "invocations")
            target = self.headers.get("X-Amzn-SageMaker-Target-Model")
            invoked = Invoked(unquote(name), target, body)
            server.invoked.append(invoked)
            reply = server.decide(invoked)
            told = {"Message": reply.message}
            headers = {"X-Amzn-ErrorType": reply.error} if reply.error else {}
            self.say(reply.status, reply.kind, json.dumps(told).encode(), **headers)

        def say(self, status: int, kind: str, body: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _identity(arn: str) -> bytes:
    return (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>{arn}</Arn><UserId>A</UserId><Account>111122223333</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    ).encode()
