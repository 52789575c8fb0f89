"""Values of a template of which parts are not known.

JSON as :mod:`tenantproof.policy.json_reader` reads it, and two kinds of value more: one that is
not known at all, and a text of which some pieces are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tenantproof.errors import Place
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNull,
    JsonNumber,
    JsonObject,
    JsonString,
    read_json,
)


@dataclass(frozen=True)
class NotKnown:
    """A value of which nothing is known, and why not."""

    reason: str
    place: Place


@dataclass(frozen=True)
class PartlyKnown:
    """A text of which some pieces are not known, and why the first of them is not."""

    pieces: tuple[str | None, ...]
    reason: str
    place: Place


@dataclass(frozen=True)
class Listed:
    """A list of values."""

    items: tuple[Value, ...]
    place: Place


@dataclass(frozen=True)
class Table:
    """An object, its members in the order written."""

    members: tuple[tuple[JsonString, Value], ...]
    place: Place

    def get(self, name: str) -> Value | None:
        """The member of that name; None where there is none, or it is null."""
        value = self._by_name.get(name)
        return None if isinstance(value, JsonNull) else value

    @cached_property
    def _by_name(self) -> dict[str, Value]:
        return {key.value: value for key, value in self.members}


Value = JsonString | JsonNumber | JsonBool | JsonNull | Listed | Table | NotKnown | PartlyKnown
Unclear = NotKnown | PartlyKnown


def from_json(node: JsonNode) -> Value:
    """JSON as a value, all of it known."""
    match node:
        case JsonArray(items):
            return Listed(tuple(from_json(item) for item in items), node.place)
        case JsonObject(members):
            return Table(tuple((key, from_json(item)) for key, item in members), node.place)
        case _:
            return node


def text(value: Value | None) -> str | None:
    """A text that is known; numbers and Booleans as they are written. None of everything else."""
    match value:
        case JsonString(known):
            return known
        case JsonNumber(number):
            return number
        case JsonBool(truth):
            return "true" if truth else "false"
        case _:
            return None


def listed(value: Value | None) -> tuple[Value, ...]:
    """The items of a list; a value by itself is a list of one, and one that is absent of none."""
    match value:
        case None | JsonNull():
            return ()
        case Listed(items):
            return tuple(item for item in items if not isinstance(item, JsonNull))
        case _:
            return (value,)


def unclear_parts(value: Value) -> Iterator[Unclear]:
    """Everything in a value that is not known, in the order written."""
    match value:
        case NotKnown() | PartlyKnown():
            yield value
        case Listed(items):
            for item in items:
                yield from unclear_parts(item)
        case Table(members):
            for _, item in members:
                yield from unclear_parts(item)
        case _:
            return


def texts(value: Value) -> Iterator[JsonString]:
    """Every known text in a value, but for the names of members."""
    match value:
        case JsonString():
            yield value
        case Listed(items):
            for item in items:
                yield from texts(item)
        case Table(members):
            for _, item in members:
                yield from texts(item)
        case _:
            return


def json_in_text(written: JsonString) -> Value:
    """JSON that is written in a text of another document.

    Its paths continue that of the text. Its lines and columns are those of the text itself.

    Raises:
        InputError: the text is no JSON.
    """
    place = written.place
    return from_json(read_json(written.value, place.file, path=place.path, within=place))


def block(value: Value | None) -> Table:
    """An object, or the one object of a list, as Terraform writes a block; else an empty one."""
    match value:
        case Table():
            return value
        case Listed((Table() as only,)):
            return only
        case _:
            return Table((), Place("", "$") if value is None else value.place)
