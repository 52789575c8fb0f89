"""Texts of others, without what is secret in them."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote, unquote

HIDDEN = "***"
LONGEST = 500
"""Characters of a text of others that a message holds."""
LONGEST_READ = 8192
"""Characters of a text of others that are looked at."""
SHORTEST = 4
"""Characters of what a URL holds that is hidden elsewhere, too."""
PIECE = 8
"""Characters of a secret that are enough to hide them: what echoes it may have cut it."""

_IN_WORDS = "[A-Za-z0-9]"
_USERINFO = re.compile(r"(?<=://)[^\s/?#]*@|(?<=://)[^\s\"'<>]*@")
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)")
_SIGNATURE = re.compile(r"(?<=Signature=)[0-9a-f]+|[0-9a-f]{64,}")


class Secrets:
    """The secrets of a session, and texts without them.

    Knows the secrets that it was told, each as it may be written in a header, a URL, a form,
    JSON or XML; and the pieces of them, because what echoes a secret may cut it. One that is
    shorter than a piece (``test``, as emulators of AWS have it) is hidden as a word alone: within
    others it would be everywhere, in the codes of errors, too.
    """

    def __init__(self) -> None:
        self._short: set[str] = set()
        self._pieces: set[str] = set()
        self._known: set[str] = set()

    def add(self, secret: str | None) -> None:
        """Make a text a secret."""
        if not secret or secret in self._known:
            return
        self._known.add(secret)
        for written in _spellings(secret):
            if len(written) < PIECE:
                self._short.add(written)
            self._pieces.update(_pieces(written))

    def add_url(self, url: str | None) -> None:
        """Make what stands before a URL's host a secret, even if the URL is malformed; its query.

        That is its password, or a token that stands there alone, and the values of what is behind
        the question mark. Those of few characters are hidden within URLs only: as words they would
        be everywhere.
        """
        _, _, query = (url or "").partition("?")
        before, _, _ = (url or "").rpartition("@")
        user, _, password = before.rpartition("//")[2].partition(":")
        values = (part.partition("=")[2] or part for part in re.split("[&;#]", query))
        for secret in (password or user, *values):
            if len(secret) >= SHORTEST:
                self.add(secret)
                self.add(unquote(secret))

    def add_headers(self, headers: Iterable[tuple[str, str | bytes]]) -> None:
        """Make what a signed request's headers hold secrets: the key ID and the token."""
        for name, value in headers:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if name.lower() == "x-amz-security-token":
                self.add(text)
            if name.lower() == "authorization":
                for found in _CREDENTIAL.findall(text):
                    self.add(found)

    def redacted(self, text: str) -> str:
        """A text without secrets, signatures, and what stands before the host in URLs."""
        hidden = [False] * len(text)
        for start in range(len(text) - PIECE + 1):
            if text[start : start + PIECE] in self._pieces:
                hidden[start : start + PIECE] = [True] * PIECE
        for short in list(self._short):  # a worker may add to them
            for found in re.finditer(rf"(?<!{_IN_WORDS}){re.escape(short)}(?!{_IN_WORDS})", text):
                hidden[found.start() : found.end()] = [True] * len(short)
        shown = _USERINFO.sub(f"{HIDDEN}@", "".join(_shown(text, hidden)))
        return _SIGNATURE.sub(HIDDEN, shown)

    def excerpt(self, text: str) -> str:
        """The first line of a text of others, redacted, short, control characters escaped."""
        lines = self.redacted(text[:LONGEST_READ]).strip().splitlines() or [""]
        line = "".join(each if each.isprintable() else _escaped(each) for each in lines[0])
        return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _spellings(secret: str) -> set[str]:
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote(secret, safe="").lower(),
        escape(secret),
        secret.replace("/", "\\/"),
        base64.b64encode(secret.encode()).decode().rstrip("="),
    }


def _pieces(text: str) -> Iterator[str]:
    for start in range(len(text) - PIECE + 1):
        yield text[start : start + PIECE]


def _shown(text: str, hidden: list[bool]) -> Iterator[str]:
    for at, character in enumerate(text):
        if not hidden[at]:
            yield character
        elif not at or not hidden[at - 1]:
            yield HIDDEN


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
