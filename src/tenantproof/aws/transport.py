"""How bytes come from AWS: no more of them than fit, and no longer than somebody waits.

botocore reads a whole reply before it looks at it, does not compare its length with what its
header says, and asks nobody in between. Its HTTP session is wrapped where an endpoint holds it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from tenantproof.aws.deadline import OverdueError, is_wanted
from tenantproof.aws.redaction import Secrets

if TYPE_CHECKING:
    from botocore.client import BaseClient

CHUNK = 1 << 16


class ReplyTooLongError(Exception):
    """A reply has more bytes than any that is meant."""


class _Session(Protocol):
    def send(self, request: Any) -> Any: ...

    def close(self) -> None: ...


class BoundedSession:
    """An HTTP session of botocore's that reads replies of bounded length.

    A call that nobody waits for anymore is not sent again, so that an abandoned worker's retries
    end; a reply shorter than its header says is a closed connection, which botocore tries again.
    """

    def __init__(self, session: _Session, most: int, secrets: Secrets) -> None:
        self._session = session
        self._most = most
        self._secrets = secrets

    def send(self, request: Any) -> Any:
        """Send a prepared request; its reply's body is in memory.

        Raises:
            OverdueError: nobody waits for it.
            ReplyTooLongError: the body is too long.
            botocore.exceptions.BotoCoreError: what botocore's own session raises.
        """
        if not is_wanted():
            raise OverdueError
        self._secrets.add_headers(request.headers.items())
        request.stream_output = True
        response = self._session.send(request)
        raw = response.raw
        try:
            body = self._body(request, raw)
        except BaseException:
            raw.close()
            raise
        expected = response.headers.get("content-length", "")
        if _is_cut(request, response, body, expected):
            raise _closed(request, f"{len(body)} of {expected} bytes came")
        response.raw = _Read(body)
        return response

    def close(self) -> None:
        """Close the session."""
        self._session.close()

    def _body(self, request: Any, raw: Any) -> bytes:
        from botocore.exceptions import HTTPClientError, ReadTimeoutError  # noqa: PLC0415
        from urllib3.exceptions import HTTPError, ProtocolError  # noqa: PLC0415
        from urllib3.exceptions import ReadTimeoutError as Slow  # noqa: PLC0415

        body = bytearray()
        try:
            for chunk in raw.stream(CHUNK, decode_content=False):
                body += chunk
                if len(body) > self._most:
                    raise ReplyTooLongError
                if not is_wanted():
                    raise OverdueError
        except Slow as error:
            raise ReadTimeoutError(endpoint_url=request.url, error=error) from error
        except ProtocolError as error:
            raise _closed(request, error) from error
        except (HTTPError, OSError, ValueError) as error:
            raise HTTPClientError(error=error) from error
        return bytes(body)


class _Read(io.BytesIO):
    """A body that was read, as botocore reads one."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        yield self.getvalue()


def _is_cut(request: Any, response: Any, body: bytes, expected: str) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in {204, 304}
        and expected.isdecimal()
        and len(body) < int(expected)
    )


def _closed(request: Any, error: object) -> Exception:
    from botocore.exceptions import ConnectionClosedError  # noqa: PLC0415

    return ConnectionClosedError(endpoint_url=request.url, request=request, error=error)


def bound(client: BaseClient, most: int, secrets: Secrets) -> None:
    """Make a client read replies of at most so many bytes."""
    endpoint: Any = client._endpoint  # type: ignore[attr-defined] # noqa: SLF001
    endpoint.http_session = BoundedSession(endpoint.http_session, most, secrets)
