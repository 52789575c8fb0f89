"""A server on a socket that speaks the IAM Query protocol, with faults by call.

Independent of botocore: it parses the form and writes the XML itself. A decision function says
what the simulator decides; a script of faults says how each request of HTTP is answered.
"""

from __future__ import annotations

import itertools
import json
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

NEW, OLD, AGGREGATE = "new", "old", "aggregate"
"""Formats: a result for each action; a result for each resource with its own decision; a result
for each resource with the most restrictive decision of all, as the API once did."""
NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
SEVERITY = ("allowed", "implicitDeny", "explicitDeny")
TEMPLATES = {
    "s3:getobject": "arn:${Partition}:s3:::${BucketName}/${ObjectName}",
    "s3:listbucket": "arn:${Partition}:s3:::${BucketName}",
    "sagemaker:invokeendpoint": (
        "arn:${Partition}:sagemaker:${Region}:${Account}:endpoint/${EndpointName}"
    ),
}


@dataclass(frozen=True)
class Decided:
    """A decision of the simulator."""

    decision: str
    missing: tuple[str, ...] = ()
    matched: tuple[tuple[str, int, int], ...] = ()


Decisions = Mapping[tuple[str, str], Decided | str]
Decide = Callable[[dict[str, Any]], Decisions]
"""From the parameters, as boto3 takes them, the decision of each action on each resource."""


@dataclass(frozen=True)
class Entry:
    """One decision of a page."""

    action: str
    resource: str
    decided: Decided


@dataclass(frozen=True)
class Page:
    """A page before it is XML."""

    entries: tuple[Entry, ...]
    resources: int
    truncated: bool = False
    marker: str | None = None


@dataclass
class Request:
    """What came in."""

    action: str
    parameters: dict[str, Any]
    headers: dict[str, str]
    body: str


@dataclass
class Exchange:
    """A request, and the ways to answer it."""

    server: IamServer
    request: Request
    handler: BaseHTTPRequestHandler

    def good(self, change: Callable[[Page], Page] = lambda page: page) -> bytes:
        """The body of the right answer, or of one with another page."""
        return self.server.answer(self.request, change)

    def send(
        self,
        body: bytes,
        status: int = 200,
        kind: str = "text/xml",
        length: int | None = None,
        **headers: str,
    ) -> None:
        """Send a whole reply."""
        self.head(status, kind, len(body) if length is None else length, **headers)
        self.write(body)

    def head(
        self, status: int = 200, kind: str = "text/xml", length: int | None = None, **headers: str
    ) -> None:
        """Send what stands before the body."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        if length is not None:
            self.handler.send_header("Content-Length", str(length))
        else:
            self.handler.close_connection = True
        for name, value in headers.items():
            self.handler.send_header(name, value)
        self.handler.end_headers()

    def write(self, data: bytes) -> None:
        """Send bytes at once."""
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def sleep(self, seconds: float) -> bool:
        """Wait; whether the server still runs."""
        return not self.server.stopping.wait(seconds)

    def hang_up(self) -> None:
        """Close the connection after what was sent."""
        self.handler.close_connection = True


Fault = Callable[[Exchange], None]


def fine(exchange: Exchange) -> None:
    """The right answer."""
    exchange.send(exchange.good())


def failing(status: int, code: str, message: str = "no", *, kind: str = "Sender") -> Fault:
    """An error of the API's."""

    def fault(exchange: Exchange) -> None:
        exchange.send(error_body(code, message, kind), status)

    return fault


def error_body(code: str, message: str, kind: str = "Sender") -> bytes:
    return (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>{kind}</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        "<RequestId>0</RequestId></ErrorResponse>"
    ).encode()


throttled = failing(400, "Throttling", "Rate exceeded")
unavailable = failing(503, "ServiceUnavailable", kind="Receiver")
broken = failing(500, "InternalFailure", kind="Receiver")
expired = failing(403, "ExpiredToken", "The security token included in the request is expired")
unknown_key = failing(403, "InvalidClientTokenId", "The security token is invalid.")
denied = failing(403, "AccessDenied", "User: arn:aws:iam::1:user/x is not authorized to perform it")
invalid = failing(400, "InvalidInput", "Invalid input")
not_evaluated = failing(500, "PolicyEvaluation", "The policy cannot be evaluated")


def skewed(exchange: Exchange) -> None:
    """A clock that differs."""
    exchange.send(
        b"<ErrorResponse><Error><Type>Sender</Type><Code>RequestTimeTooSkewed</Code>"
        b"<Message>The difference is too large</Message><ServerTime>2001-01-01T00:00:00Z"
        b"</ServerTime></Error></ErrorResponse>",
        403,
        Date="Mon, 01 Jan 2001 00:00:00 GMT",
    )


def late(exchange: Exchange) -> None:
    """Nothing at all comes."""
    exchange.sleep(60)
    exchange.hang_up()


def late_body(exchange: Exchange) -> None:
    """A head and half of a body come."""
    body = exchange.good()
    exchange.head(length=len(body))
    exchange.write(body[: len(body) // 2])
    exchange.sleep(60)
    exchange.hang_up()


def dripping(exchange: Exchange) -> None:
    """A byte comes from time to time, faster than any timeout of a read."""
    body = exchange.good()
    exchange.head(length=len(body) * 1000)
    for byte in itertools.cycle(body):
        exchange.write(bytes([byte]))
        if not exchange.sleep(0.05):
            return


def dripping_head(exchange: Exchange) -> None:
    """The head's lines never end."""
    exchange.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while exchange.sleep(0.05):
        exchange.write(b"a")


def cut(exchange: Exchange) -> None:
    """The connection closes within the body."""
    body = exchange.good()
    exchange.head(length=len(body))
    exchange.write(body[: len(body) // 2])
    exchange.hang_up()


def cut_without_length(exchange: Exchange) -> None:
    """The same, and no header tells the length."""
    exchange.head()
    exchange.write(exchange.good()[:-30])
    exchange.hang_up()


def reset(exchange: Exchange) -> None:
    """The connection is reset."""
    exchange.handler.connection.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    exchange.handler.connection.close()
    exchange.hang_up()


def hung_up(exchange: Exchange) -> None:
    """The connection closes before anything was said."""
    exchange.hang_up()


def garbage(exchange: Exchange) -> None:
    """What comes is no HTTP."""
    exchange.write(b"\x00\xff\xfenonsense\r\n\r\n\x01")
    exchange.hang_up()


def saying(body: bytes, status: int = 200, kind: str = "text/xml") -> Fault:
    """A body of one's own."""
    return lambda exchange: exchange.send(body, status, kind)


html = saying(b"<html><body>Sign in to the network</body></html>", kind="text/html")
html_unclosed = saying(b"<!doctype html><p>Sign in<br>", kind="text/html")
html_forbidden = saying(b"<html><p>Blocked by the proxy<br></html>", 403, "text/html")
html_unavailable = saying(b"<html><body>Down</body></html>", 503, "text/html")
empty = saying(b"")
empty_error = saying(b"", 500)
other_xml = saying(b"<a><b/></a>")
not_wrapped = saying(b"<SimulateCustomPolicyResponse/>")
no_metadata = saying(
    b"<SimulateCustomPolicyResponse><SimulateCustomPolicyResult/></SimulateCustomPolicyResponse>"
)
not_utf8 = saying(b"<a>\xff\xfe</a>")
bomb = saying(
    b'<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>',
)


def as_json(exchange: Exchange) -> None:
    """JSON instead of XML."""
    body = json.dumps({"EvaluationResults": [], "IsTruncated": False}).encode()
    exchange.send(body, kind="application/json")


def longer(exchange: Exchange) -> None:
    """A Content-Length that is more than comes; then the connection closes."""
    body = exchange.good()
    exchange.send(body, length=len(body) + 100)
    exchange.hang_up()


def shorter(exchange: Exchange) -> None:
    """A Content-Length that is less than comes."""
    body = exchange.good()
    exchange.send(body, length=len(body) - 100)
    exchange.hang_up()


def endless(exchange: Exchange) -> None:
    """A body that never ends, as fast as it is read."""
    exchange.head()
    while exchange.sleep(0):
        exchange.write(b"<a>" * 20_000)


def redirected(status: int = 302, location: str = "http://127.0.0.1:9/elsewhere") -> Fault:
    """Somewhere else."""
    return lambda exchange: exchange.send(b"", status, Location=location)


def echoing(status: int, code: str) -> Fault:
    """An error whose message holds all headers and the body of the request."""

    def fault(exchange: Exchange) -> None:
        headers = " ".join(f"{name}:{value}" for name, value in exchange.request.headers.items())
        text = f"The canonical string is {headers} {exchange.request.body}"
        exchange.send(error_body(code, text), status)

    return fault


def paged(change: Callable[[Page], Page]) -> Fault:
    """The right answer with another page."""
    return lambda exchange: exchange.send(exchange.good(change))


def _entries(page: Page, change: Callable[[Entry], Entry]) -> Page:
    return replace(page, entries=tuple(map(change, page.entries)))


other_action = paged(lambda page: _entries(page, lambda e: replace(e, action="s3:PutObject")))
other_resource = paged(lambda page: _entries(page, lambda e: replace(e, resource=f"{e.resource}x")))
other_case = paged(lambda page: _entries(page, lambda e: replace(e, resource=e.resource.upper())))
lacking = paged(lambda page: replace(page, entries=page.entries[1:]))
nothing = paged(lambda page: replace(page, entries=()))
duplicated = paged(lambda page: replace(page, entries=page.entries * 2))
undecided = paged(lambda page: _entries(page, lambda e: replace(e, decided=Decided("perhaps"))))


def _flipped(entry: Entry) -> Entry:
    was = entry.decided.decision
    return replace(entry, decided=Decided("explicitDeny" if was == "allowed" else "allowed"))


contradictory = paged(
    lambda page: replace(page, entries=page.entries + tuple(map(_flipped, page.entries)))
)
unmarked = paged(lambda page: replace(page, entries=page.entries[:-1], truncated=True, marker=None))
same_marker = paged(
    lambda page: replace(page, entries=page.entries[:1], truncated=True, marker="same")
)
_NUMBERS = itertools.count()


def endless_markers(exchange: Exchange) -> None:
    """Pages that bring nothing and never end, each with a marker of its own."""
    marker = f"again-{next(_NUMBERS)}"
    exchange.send(
        exchange.good(lambda page: replace(page, entries=(), truncated=True, marker=marker))
    )


def endless_results(exchange: Exchange) -> None:
    """Pages of results that nobody asked for, which never end."""
    number = next(_NUMBERS)
    entry = Entry("s3:GetObject", f"arn:aws:s3:::other/{number}", Decided("allowed"))
    exchange.send(
        exchange.good(
            lambda page: replace(page, entries=(entry,), truncated=True, marker=f"more-{number}")
        )
    )


def forever(fault: Fault) -> Iterator[Fault]:
    """The same fault for every request."""
    return itertools.repeat(fault)


class IamServer:
    """The server; a context manager.

    Attributes:
        requests: what came in, in order, faults included.
        stopping: set when the server ends, so that slow faults end, too.
    """

    def __init__(
        self,
        decide: Decide,
        faults: Iterable[Fault] = (),
        *,
        form: str = NEW,
        page: int = 1000,
    ) -> None:
        self.decide = decide
        self.requests: list[Request] = []
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self.follow(faults, form=form, page=page)
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    def follow(self, faults: Iterable[Fault], *, form: str = NEW, page: int = 1000) -> None:
        """Begin a script; nothing came in yet."""
        with self._lock:
            self.form = form
            self.page = page
            self._faults = itertools.chain(faults, itertools.repeat(fine))
            self.requests.clear()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def simulations(self) -> list[Request]:
        """The requests of the simulator."""
        return [each for each in self.requests if each.action.startswith("Simulate")]

    def __enter__(self) -> IamServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._http.hang_up()

    def take(self, request: Request) -> Fault:
        """Note a request; how it is answered."""
        with self._lock:
            self.requests.append(request)
            return next(self._faults)

    def answer(self, request: Request, change: Callable[[Page], Page]) -> bytes:
        """The body of an answer."""
        match request.action:
            case "SimulateCustomPolicy" | "SimulatePrincipalPolicy":
                page = change(self._page(request.parameters))
                return wrapped(request.action, self._rendered(page))
            case "GetCallerIdentity":
                arn = "arn:aws:sts::111122223333:assumed-role/tester/session"
                return wrapped(request.action, f"<Arn>{arn}</Arn><UserId>A</UserId>")
            case "AssumeRole":
                return wrapped(
                    request.action,
                    "<Credentials><AccessKeyId>ASIAROLEROLEROLEROLE</AccessKeyId>"
                    "<SecretAccessKey>secretOfTheRole/0123456789</SecretAccessKey>"
                    "<SessionToken>tokenOfTheRole+/0123456789==</SessionToken>"
                    "<Expiration>2999-01-01T00:00:00Z</Expiration></Credentials>",
                )
        return wrapped(request.action, "")

    def _page(self, parameters: dict[str, Any]) -> Page:
        asked = [
            (action, resource)
            for action in parameters["ActionNames"]
            for resource in parameters.get("ResourceArns", ["*"])
        ]
        decisions = self.decide(parameters)
        start = int(parameters.get("Marker", "at-0").removeprefix("at-"))
        end = start + min(self.page, int(parameters.get("MaxItems", 100)))
        entries = tuple(
            Entry(action, resource, _decided(decisions[action, resource]))
            for action, resource in asked
        )
        if self.form == AGGREGATE:
            entries = tuple(
                replace(e, decided=_strictest([o for o in entries if o.action == e.action]))
                for e in entries
            )
        return Page(
            entries[start:end],
            len(parameters.get("ResourceArns", ["*"])),
            truncated=end < len(asked),
            marker=f"at-{end}" if end < len(asked) else None,
        )

    def _rendered(self, page: Page) -> str:
        if self.form == NEW:
            groups = itertools.groupby(page.entries, key=lambda entry: entry.action)
            results = [_of_action(action, list(entries)) for action, entries in groups]
        else:
            results = [_of_entry(entry) for entry in page.entries]
        marker = f"<Marker>{escape(page.marker)}</Marker>" if page.marker else ""
        return (
            f"<EvaluationResults>{''.join(results)}</EvaluationResults>"
            f"<IsTruncated>{str(page.truncated).lower()}</IsTruncated>{marker}"
        )


def wrapped(action: str, result: str) -> bytes:
    return (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{result}</{action}Result>'
        f"<ResponseMetadata><RequestId>0</RequestId></ResponseMetadata></{action}Response>"
    ).encode()


def _decided(decision: Decided | str) -> Decided:
    return Decided(decision) if isinstance(decision, str) else decision


def _strictest(entries: list[Entry]) -> Decided:
    def severity(entry: Entry) -> int:
        decision = entry.decided.decision
        return SEVERITY.index(decision) if decision in SEVERITY else len(SEVERITY)

    return max(entries, key=severity).decided


def _of_action(action: str, entries: list[Entry]) -> str:
    """A result of today's format."""
    everything = [each.resource for each in entries] == ["*"]
    name = "*" if everything else TEMPLATES.get(action.lower(), "*")
    specific = "".join(
        f"<member><EvalResourceName>{escape(e.resource)}</EvalResourceName>"
        f"<EvalResourceDecision>{escape(e.decided.decision)}</EvalResourceDecision>"
        f"{_lists(e.decided)}</member>"
        for e in entries
    )
    missing = tuple(dict.fromkeys(key for e in entries for key in e.decided.missing))
    summary = replace(_strictest(entries), missing=missing)
    return _result(
        action,
        name,
        summary,
        "" if everything else f"<ResourceSpecificResults>{specific}</ResourceSpecificResults>",
    )


def _of_entry(entry: Entry) -> str:
    return _result(entry.action, entry.resource, entry.decided, "")


def _result(action: str, name: str, decided: Decided, more: str) -> str:
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName>"
        f"<EvalResourceName>{escape(name)}</EvalResourceName>"
        f"<EvalDecision>{escape(decided.decision)}</EvalDecision>{_lists(decided)}{more}</member>"
    )


def _lists(decided: Decided) -> str:
    missing = "".join(f"<member>{escape(key)}</member>" for key in decided.missing)
    matched = "".join(
        f"<member><SourcePolicyId>{escape(policy)}</SourcePolicyId>"
        f"<SourcePolicyType>IAM Policy</SourcePolicyType><StartPosition><Line>{line}</Line>"
        f"<Column>{column}</Column></StartPosition></member>"
        for policy, line, column in decided.matched
    )
    return (
        f"<MatchedStatements>{matched}</MatchedStatements>"
        f"<MissingContextValues>{missing}</MissingContextValues>"
    )


def parsed(body: str) -> dict[str, Any]:
    """The parameters of a form, as boto3 takes them: ``X.member.2.Y`` is nested."""
    tree: dict[str, Any] = {}
    for name, value in parse_qsl(body, keep_blank_values=True, strict_parsing=True):
        *path, last = name.split(".")
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node[last] = value
    plain: dict[str, Any] = _plain(tree)
    if "MaxItems" in plain:
        plain["MaxItems"] = int(plain["MaxItems"])
    return plain


def _plain(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if set(node) == {"member"}:
        return [_plain(node["member"][n]) for n in sorted(node["member"], key=int)]
    return {name: _plain(value) for name, value in node.items()}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        self.connections: list[socket.socket] = []
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.connections.append(request)
        super().process_request(request, client_address)

    def handle_error(self, *_: Any) -> None:
        """A client that went away is no error."""

    def hang_up(self) -> None:
        for each in self.connections:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def _handler(server: IamServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = dict(self.headers.items())
            if "x-www-form-urlencoded" in headers.get("Content-Type", ""):
                parameters = parsed(body.decode())
                parameters.pop("Version")
                action = parameters.pop("Action")
            else:  # another protocol: scripts answer it
                parameters, action = {}, self.path
            request = Request(action, parameters, headers, body.decode("latin-1"))
            server.take(request)(Exchange(server, request, self))

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
