"""A policy's text with the span of each of its nodes: edits in place, formatting and all.

What is not edited stays as it was written, to the byte, so that the diff of a mutant is the slip
and nothing else. Comments and trailing commas of lenient files are passed over.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tenantproof.errors import Place
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonNode,
    JsonObject,
    JsonString,
    read_json,
)

CONTEXT = 3
"""How many unchanged lines a diff shows before and after the change."""

_TOKEN = re.compile(
    r'(?P<passed>[ \t\n\r\ufeff]+|//[^\n]*|/\*.*?\*/)|"(?:[^"\\]|\\.)*"|[{}\[\],:]'
    r'|[^\s{}\[\],:"/]+',
    re.DOTALL,
)
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class Edit:
    """A text in place of the characters from ``start`` to ``end``."""

    start: int
    end: int
    text: str

    def applied(self, text: str) -> str:
        """The text after the edit."""
        return text[: self.start] + self.text + text[self.end :]


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    text: str


class Source:
    """The text of a policy file, its nodes, and the edits that can be made of them.

    Args:
        text: the file's text.
        file: its name in places.
        lenient: read comments, trailing commas and a byte order mark.

    Raises:
        InputError: the text is not JSON.
    """

    def __init__(self, text: str, file: str, *, lenient: bool = False) -> None:
        self.text = text
        self.file = file
        self.lenient = lenient
        self.root = read_json(text, file, lenient=lenient)

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(match.end() for match in re.finditer("\n", self.text))]

    @cached_property
    def _tokens(self) -> list[_Token]:
        return [
            _Token(match.start(), match.end(), match.group())
            for match in _TOKEN.finditer(self.text)
            if match.lastgroup != "passed"
        ]

    @cached_property
    def _starts(self) -> list[int]:
        return [token.start for token in self._tokens]

    @cached_property
    def _closing(self) -> dict[int, int]:
        """For the token of each opening bracket that of the closing one."""
        closing: dict[int, int] = {}
        opened: list[int] = []
        for at, token in enumerate(self._tokens):
            if token.text in ("{", "["):
                opened.append(at)
            elif token.text in ("}", "]"):
                closing[opened.pop()] = at
        return closing

    def offset(self, place: Place) -> int:
        """Where in the text a place is."""
        return self._line_starts[place.line - 1] + place.column - 1

    def place(self, offset: int, path: str) -> Place:
        """The place of an offset, of the node with a JSON path."""
        line = bisect_right(self._line_starts, offset)
        return Place(self.file, path, line, offset - self._line_starts[line - 1] + 1)

    def span(self, node: JsonNode) -> tuple[int, int]:
        """From where to where a node is written."""
        first = self._token_at(node.place)
        last = self._closing.get(first, first)
        return self._tokens[first].start, self._tokens[last].end

    def _token_at(self, place: Place) -> int:
        return bisect_right(self._starts, self.offset(place)) - 1

    def read_edited(self, node: JsonNode, edit: Edit) -> JsonNode:
        """A node with an edit within it, read by itself, at the places that it has in the file.

        Raises:
            InputError: it is no JSON any more.
        """
        start, end = self.span(node)
        inner = Edit(edit.start - start, edit.end - start, edit.text)
        written = " " * (node.place.column - 1) + inner.applied(self.text[start:end])
        return read_json(
            written,
            self.file,
            lenient=self.lenient,
            first_line=node.place.line,
            path=node.place.path,
        )

    # -- edits -------------------------------------------------------------------------------

    def with_string(self, node: JsonString, value: str) -> Edit:
        """Another value of a string, or another name of a member."""
        return Edit(*self.span(node), json.dumps(value, ensure_ascii=False))

    def with_node(self, node: JsonNode, written: str) -> Edit:
        """Another text in place of a node."""
        return Edit(*self.span(node), written)

    def without_member(self, node: JsonObject, name: str) -> Edit:
        """An object without one of its members, of which it must have another."""
        at = next(i for i, (key, _) in enumerate(node.members) if key.value == name)
        return self._without([(key, value) for key, value in node.members], at)

    def without_item(self, node: JsonArray, at: int) -> Edit:
        """A list without one of its items, of which it must have another."""
        return self._without([(item, item) for item in node.items], at)

    def _without(self, elements: Sequence[tuple[JsonNode, JsonNode]], at: int) -> Edit:
        """The text without an element that begins with one node and ends with another.

        It goes with the comma after it, the last with the comma before it.
        """
        first, last = elements[at]
        if at + 1 < len(elements):
            return Edit(self.span(first)[0], self.span(elements[at + 1][0])[0], "")
        return Edit(self.span(elements[at - 1][1])[1], self.span(last)[1], "")


def member(node: JsonNode | None, name: str) -> JsonNode | None:
    """The value of an object's member; None where it has none, or is no object."""
    if not isinstance(node, JsonObject):
        return None
    return next((value for key, value in node.members if key.value == name), None)


def items(node: JsonNode | None) -> tuple[JsonNode, ...]:
    """The items of a list, or the one that stands for a list of one."""
    if node is None:
        return ()
    return node.items if isinstance(node, JsonArray) else (node,)


def unified_diff(file: str, text: str, edit: Edit) -> str:
    """The edit of a file as a unified diff, of one hunk.

    Where the change is need not be searched for, which takes :mod:`difflib` time that grows with
    the square of the file.
    """
    old, new = _LINE.findall(text), _LINE.findall(edit.applied(text))
    same = _same(zip(old, new, strict=False))
    most = min(len(old), len(new)) - same
    ends = (reversed(lines[len(lines) - most :]) for lines in (old, new))
    after = _same(zip(*ends, strict=True))
    first = max(0, same - CONTEXT)
    last = max(0, after - CONTEXT)
    hunk = [
        *(f" {line}" for line in old[first:same]),
        *(f"-{line}" for line in old[same : len(old) - after]),
        *(f"+{line}" for line in new[same : len(new) - after]),
        *(f" {line}" for line in old[len(old) - after : len(old) - last]),
    ]
    ranges = (_range(first, len(lines) - last - first) for lines in (old, new))
    header = "@@ -{} +{} @@\n".format(*ranges)
    return "".join([f"--- {file}\n+++ {file}\n", header, *map(_ended, hunk)])


def _same(pairs: Iterator[tuple[str, str]]) -> int:
    count = 0
    for one, other in pairs:
        if one != other:
            break
        count += 1
    return count


def _range(start: int, length: int) -> str:
    """As in the output of ``diff -u``: an empty range is named by the line before it."""
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _ended(line: str) -> str:
    return line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
