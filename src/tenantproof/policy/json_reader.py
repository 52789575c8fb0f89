"""JSON with places: a reader that remembers where each value was written.

The standard library's parser forgets positions and lets a later duplicate key win silently;
in an access policy both matter. This reader follows RFC 8259 to the letter. What people paste
from documentation - comments and trailing commas - is read on, so that every occurrence is
found, and is a problem unless ``lenient`` was asked for.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import NoReturn

from tenantproof.errors import InputError, Place, Problem

MAX_DEPTH = 64
"""Deeper nesting than this is refused; the IAM grammar itself needs 7 levels."""

_BLANK = re.compile(r"[ \t\n\r]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONSTANTS = ("true", "false", "null")
_WORD = re.compile(r"[A-Za-z0-9_.+-]+")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LENIENT_HINT = (
    "lenient reading (--lenient) accepts comments, trailing commas and a byte order mark"
)


@dataclass(frozen=True)
class JsonString:
    """A JSON string, its escapes resolved."""

    value: str
    place: Place


@dataclass(frozen=True)
class JsonNumber:
    """A JSON number as it was written: 1.10 stays 1.10, never a float."""

    text: str
    place: Place


@dataclass(frozen=True)
class JsonBool:
    """``true`` or ``false``."""

    value: bool
    place: Place


@dataclass(frozen=True)
class JsonNull:
    """``null``."""

    place: Place


@dataclass(frozen=True)
class JsonArray:
    """A JSON array."""

    items: tuple[JsonNode, ...]
    place: Place


@dataclass(frozen=True)
class JsonObject:
    """A JSON object, its members in the order written; names are unique."""

    members: tuple[tuple[JsonString, JsonNode], ...]
    place: Place


JsonNode = JsonString | JsonNumber | JsonBool | JsonNull | JsonArray | JsonObject


def describe(node: JsonNode) -> str:
    """A short text that names what was found, for error messages."""
    match node:
        case JsonString(value):
            return f"the string {quote(value)}"
        case JsonNumber(text):
            return f"the number {text}"
        case JsonBool(value):
            return "true" if value else "false"
        case JsonNull():
            return "null"
        case JsonArray(items):
            return f"a list of {len(items)}" if items else "an empty list"
        case JsonObject(members):
            return "an object" if members else "an empty object"


def quote(text: str, limit: int = 80) -> str:
    """``text`` in double quotes with control characters escaped, cut to ``limit`` characters."""
    shown = text if len(text) <= limit else text[: limit - 3] + "..."
    escaped = "".join(map(_shown_char, shown))
    return f'"{escaped}"'


def _shown_char(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def child_path(path: str, name: str) -> str:
    """The JSON path of member ``name`` of the object at ``path``."""
    return f"{path}.{name}" if _PLAIN_NAME.fullmatch(name) else f"{path}[{quote(name)}]"


def read_json(
    data: bytes | str,
    file: str,
    *,
    lenient: bool = False,
    problems: list[Problem] | None = None,
    first_line: int = 1,
    path: str = "$",
    within: Place | None = None,
) -> JsonNode:
    """Read one JSON document.

    Args:
        data: the document; bytes must be UTF-8.
        file: the name to put into places.
        lenient: accept ``//`` and ``/* */`` comments, trailing commas and a byte order mark.
        problems: where to put problems after which reading could go on (duplicate names, and
            without ``lenient`` comments and trailing commas). Without it they are raised.
        first_line: the number of the document's first line within ``file``.
        path: the JSON path of the document, where it is a part of another.
        within: where the text is written that the document is, if it is a text of another
            document: all its places are there, whatever escapes that text needed.

    Returns:
        The document's root.

    Raises:
        InputError: the text is not JSON; carries the problems found before, too.

    Follows RFC 8259.
    """
    found: list[Problem] = [] if problems is None else problems
    text = data if isinstance(data, str) else _decode(data, file, first_line)
    reader = _Reader(text, file, lenient, found, first_line=first_line, within=within)
    try:
        root = reader.document(path)
    except _SyntaxStopError as stop:
        raise InputError((*found, stop.problem)) from None
    if problems is None and found:
        raise InputError(found)
    return root


def _decode(data: bytes, file: str, first_line: int) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        line = before.count("\n") + first_line
        column = len(before) - (before.rfind("\n") + 1) + 1
        place = Place(file, "$", line, column)
        message = f"found the byte 0x{data[error.start]:02x}, expected text in UTF-8"
        raise InputError([Problem(message, place)]) from None


class _SyntaxStopError(Exception):
    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


class _Reader:
    def __init__(
        self,
        text: str,
        file: str,
        lenient: bool,
        problems: list[Problem],
        *,
        first_line: int,
        within: Place | None,
    ) -> None:
        self._text = text
        self._file = file
        self._lenient = lenient
        self._problems = problems
        self._line_starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self._first_line = first_line
        self._within = within
        self._at = 0

    def document(self, path: str) -> JsonNode:
        if self._text.startswith("\ufeff"):
            if not self._lenient:
                self._report("found a byte order mark, expected none", path, 0, _LENIENT_HINT)
            self._at = 1
        self._skip(path)
        root = self._value(path, 0)
        self._skip(path)
        if self._at < len(self._text):
            self._stop("expected the end of the document", path)
        return root

    def _value(self, path: str, depth: int) -> JsonNode:
        if depth >= MAX_DEPTH and self._peek() in ("{", "["):
            self._stop(f"expected at most {MAX_DEPTH} levels of nesting", path, found=False)
        place = self._place(path, self._at)
        match self._peek():
            case "{":
                return self._object(path, depth, place)
            case "[":
                return self._array(path, depth, place)
            case '"':
                return JsonString(self._string(path), place)
            case _:
                return self._scalar(path, place)

    def _object(self, path: str, depth: int, place: Place) -> JsonObject:
        members: list[tuple[JsonString, JsonNode]] = []
        seen: dict[str, Place] = {}
        self._at += 1
        while self._more("}", path, bool(members)):
            if self._peek() != '"':
                self._stop('expected a member name in double quotes or "}"', path)
            start = self._at
            name = self._string(path)
            inner = child_path(path, name)
            key = JsonString(name, self._place(inner, start))
            if name in seen:
                first = seen[name]
                self._report(
                    f"found the key {quote(name)} a second time, expected each key once"
                    f" (the first is on line {first.line})",
                    inner,
                    start,
                )
            seen.setdefault(name, key.place)
            self._skip(inner)
            if self._peek() != ":":
                self._stop(f'expected ":" after the key {quote(name)}', inner)
            self._at += 1
            self._skip(inner)
            members.append((key, self._value(inner, depth + 1)))
        return JsonObject(tuple(members), place)

    def _array(self, path: str, depth: int, place: Place) -> JsonArray:
        items: list[JsonNode] = []
        self._at += 1
        while self._more("]", path, bool(items)):
            items.append(self._value(f"{path}[{len(items)}]", depth + 1))
        return JsonArray(tuple(items), place)

    def _more(self, closing: str, path: str, separator: bool) -> bool:
        """Go to the next element; False, and past the closing bracket, where there is none."""
        self._skip(path)
        if self._peek() == closing:
            self._at += 1
            return False
        if not separator:
            return True
        if self._peek() != ",":
            self._stop(f'expected "," or "{closing}"', path)
        comma = self._at
        self._at += 1
        self._skip(path)
        if self._peek() != closing:
            return True
        if not self._lenient:
            self._report(
                f'found a trailing comma before "{closing}", expected none',
                path,
                comma,
                _LENIENT_HINT,
            )
        self._at += 1
        return False

    def _string(self, path: str) -> str:
        try:
            value, end = scanstring(self._text, self._at + 1, True)
        except JSONDecodeError as error:
            place = self._place(path, error.pos)
            raise _SyntaxStopError(
                Problem(
                    f"found a bad string ({error.msg.removesuffix(' at')}), expected JSON", place
                )
            ) from None
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            self._stop("found half of a surrogate pair, expected Unicode text", path, found=False)
        self._at = end
        return str(value)

    def _scalar(self, path: str, place: Place) -> JsonNode:
        found = _WORD.match(self._text, self._at)
        word = found.group() if found else ""
        if word not in _CONSTANTS and not _NUMBER.fullmatch(word):
            self._stop("expected a JSON value", path)
        self._at += len(word)
        if word == "null":
            return JsonNull(place)
        return JsonBool(word == "true", place) if word in _CONSTANTS else JsonNumber(word, place)

    def _skip(self, path: str) -> None:
        """Past white space and comments."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._peek() != "/":
                return
            comment = _COMMENT.match(self._text, self._at)
            if comment is None:
                self._stop("expected JSON", path)
            if not self._lenient:
                self._report(
                    "found a comment, expected JSON, which has none", path, self._at, _LENIENT_HINT
                )
            self._at = comment.end()

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _place(self, path: str, offset: int) -> Place:
        if self._within is not None:
            return Place(self._file, path, self._within.line, self._within.column)
        line = bisect_right(self._line_starts, offset)
        column = offset - self._line_starts[line - 1] + 1
        return Place(self._file, path, line + self._first_line - 1, column)

    def _report(self, message: str, path: str, offset: int, hint: str | None = None) -> None:
        self._problems.append(Problem(message, self._place(path, offset), hint=hint))

    def _stop(self, expected: str, path: str, *, found: bool = True) -> NoReturn:
        message = expected
        if found:
            word = _WORD.match(self._text, self._at)
            if self._at >= len(self._text):
                message = f"found the end of the text, {expected}"
            else:
                message = f"found {quote(word.group() if word else self._peek())}, {expected}"
        raise _SyntaxStopError(Problem(message, self._place(path, self._at)))
