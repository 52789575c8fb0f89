"""JSON with places: a reader that remembers where each value was written.

The standard library's parser forgets positions and lets a later duplicate key win silently;
in an access policy both matter. This reader follows RFC 8259 to the letter. What people paste
from documentation - comments and trailing commas - is read on, so that every occurrence is
found, and is a problem unless ``lenient`` was asked for.

Most documents have nothing wrong with them, and of their nodes hardly one is asked where it is.
Those the standard library reads, in C; where a node is, is found out when somebody asks. The others
are read here.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from json.decoder import (  # type: ignore[attr-defined]
    JSONDecodeError,
    JSONDecoder,
    scanstring,
)
from typing import Any, NoReturn

from tenantproof.errors import InputError, Place, Problem

MAX_DEPTH = 64
"""Deeper nesting than this is refused; the IAM grammar itself needs 7 levels."""

_BLANK = re.compile(r"[ \t\n\r]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_CONSTANTS = ("true", "false", "null")
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[{}\[\]:]|[^\s{}\[\]:",]++')
_OPENING = frozenset("{[")
_CLOSING = frozenset("}]")
_NO_INDEX = 2**64 - 1
_SURROGATE = re.compile("[\ud800-\udfff]")
_WORD = re.compile(r"[A-Za-z0-9_.+-]+")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LENIENT_HINT = (
    "lenient reading (--lenient) accepts comments, trailing commas and a byte order mark"
)


@dataclass(frozen=True, slots=True)
class JsonString:
    """A JSON string, its escapes resolved."""

    value: str
    place: Place


@dataclass(frozen=True, slots=True)
class JsonNumber:
    """A JSON number as it was written: 1.10 stays 1.10, never a float."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class JsonBool:
    """``true`` or ``false``."""

    value: bool
    place: Place


@dataclass(frozen=True, slots=True)
class JsonNull:
    """``null``."""

    place: Place


@dataclass(frozen=True, slots=True)
class JsonArray:
    """A JSON array."""

    items: tuple[JsonNode, ...]
    place: Place


@dataclass(frozen=True, slots=True)
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
    path: str | None = None,
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
        path: the JSON path of the document, where it is a part of another; without it the one of
            ``within``, or ``$``.
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
    del data  # large, and not needed twice
    where = _Text(text, file, first_line, path, within)
    plain = _read_plain(where)
    if plain is not None:
        return plain
    reader = _Reader(where, lenient, found)
    try:
        root = reader.document(where.path)
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


class _Text:
    """A document's text, which finds where its nodes are when somebody asks.

    Nodes are numbered as they begin in the text: objects, arrays, names of members, values.
    """

    def __init__(
        self, text: str, file: str, first_line: int, path: str | None, within: Place | None
    ) -> None:
        self.text = text
        self.file = file
        self._first_line = first_line
        self._path = path
        self._within = within

    @property
    def path(self) -> str:
        """The JSON path of the root."""
        if self._path is None:
            self._path = "$" if self._within is None else self._within.path
        return self._path

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(m.end() for m in re.finditer("\n", self.text))]

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column of a character in the file."""
        if self._within is not None:
            return self._within.line, self._within.column
        line = bisect_right(self._line_starts, offset)
        return line + self._first_line - 1, offset - self._line_starts[line - 1] + 1

    def locate(self, ordinal: int) -> tuple[str, int, int]:
        """The path, line and column of a node."""
        offsets, parents, indices = self._nodes
        steps: list[int] = []
        at = ordinal
        while at:
            steps.append(at)
            at = parents[at]
        path = self.path
        for step in reversed(steps):
            if indices[step] != _NO_INDEX:
                path = f"{path}[{indices[step]}]"
            elif self.text[offsets[parents[step]]] == "{":
                name, _ = scanstring(self.text, offsets[step] + 1, True)
                path = child_path(path, name)
        return (path, *self.position(offsets[ordinal]))

    @cached_property
    def _nodes(self) -> tuple[array[int], array[int], array[int]]:
        """Of each node its offset, its parent and its index in an array.

        The parent of a member's value is the member's name, and of a name the object. Names, and
        what is a name's value, have no index.
        """
        offsets, parents, indices = array("Q"), array("Q"), array("Q")
        opened: list[int] = []
        counts: list[int] = []
        name = None
        for token in _TOKEN.finditer(self.text):
            kind = token[0]
            if kind in _CLOSING:
                opened.pop()
                counts.pop()
            elif kind == ":":
                name = len(offsets) - 1
            else:
                in_array = name is None and bool(opened) and self._opens_array(offsets[opened[-1]])
                indices.append(counts[-1] if in_array else _NO_INDEX)
                if in_array:
                    counts[-1] += 1
                parents.append(name if name is not None else opened[-1] if opened else 0)
                name = None
                offsets.append(token.start())
                if kind in _OPENING:
                    opened.append(len(offsets) - 1)
                    counts.append(0)
        return offsets, parents, indices

    def _opens_array(self, offset: int) -> bool:
        return self.text[offset] == "["


class _OddError(Exception):
    """A document is not JSON, or needs a problem told: the slow reader says which and where."""


class _Number(str):
    """A number as it was written, told apart from a text."""

    __slots__ = ()


def _no_twice(members: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """An object's members, told apart from an array by their type; names must be unique."""
    if len({name for name, _ in members}) < len(members):
        raise _OddError
    return tuple(members)


def _odd(constant: str) -> NoReturn:
    raise _OddError(constant)


_DECODER = JSONDecoder(
    object_pairs_hook=_no_twice, parse_float=_Number, parse_int=_Number, parse_constant=_odd
)


def _read_plain(where: _Text) -> JsonNode | None:
    """Read a document with the standard library's parser, which is written in C.

    None where it finds anything to complain about, or would overlook what is to be reported.
    """
    try:
        return _Plain(where).node(_DECODER.decode(where.text), 0)
    except (_OddError, JSONDecodeError, RecursionError):
        return None


class _Plain:
    """Makes nodes of what the standard library read, numbered as :class:`_Text` numbers them."""

    def __init__(self, where: _Text) -> None:
        self._where = where
        self._ordinal = -1

    def _place(self) -> Place:
        self._ordinal += 1
        return Place.of(self._where, self._ordinal)

    def node(self, value: Any, depth: int) -> JsonNode:
        place = self._place()
        kind = type(value)
        if kind is str:
            _check_text(value)
            return JsonString(value, place)
        if kind is list:
            _check_depth(depth)
            return JsonArray(tuple([self.node(item, depth + 1) for item in value]), place)
        if kind is tuple:
            _check_depth(depth)
            return JsonObject(tuple([self._member(each, depth + 1) for each in value]), place)
        if kind is _Number:
            return JsonNumber(str(value), place)
        return JsonNull(place) if value is None else JsonBool(value, place)

    def _member(self, member: tuple[str, Any], depth: int) -> tuple[JsonString, JsonNode]:
        name, value = member
        _check_text(name)
        return JsonString(name, self._place()), self.node(value, depth)


def _check_text(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise _OddError


def _check_depth(depth: int) -> None:
    if depth >= MAX_DEPTH:
        raise _OddError


class _Reader:
    def __init__(self, where: _Text, lenient: bool, problems: list[Problem]) -> None:
        self._where = where
        self._text = where.text
        self._lenient = lenient
        self._problems = problems
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
        return Place(self._where.file, path, *self._where.position(offset))

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
