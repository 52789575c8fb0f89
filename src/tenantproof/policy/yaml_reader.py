"""YAML with places, read into the same tree as JSON.

A policy in YAML is JSON written in another way: what it means must not hang on the many things
that a text can become in YAML. So plain scalars are what JSON has (``true``, ``false``, ``null``,
numbers) or else texts: ``2012-10-17`` is no date, ``on`` and ``yes`` are no Booleans. Follows YAML
1.2.2, "JSON Schema", but for plain texts, which that schema does not have.

Nothing is ever constructed: the parser's events are read, not the objects that tags may ask for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy.json_reader import (
    MAX_DEPTH,
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNull,
    JsonNumber,
    JsonObject,
    JsonString,
    child_path,
    describe,
    quote,
)

MOST_EXPANDED = 100_000
"""Aliases may repeat so many nodes; a document of a few lines could ask for billions."""

SHORT_FORMS = frozenset(
    {
        "And", "Base64", "Cidr", "Condition", "Equals", "FindInMap", "GetAtt", "GetAZs", "If",
        "ImportValue", "Join", "Length", "Not", "Or", "Ref", "Select", "Split", "Sub",
        "ToJsonString", "Transform",
    }
)  # fmt: skip
"""The tags of CloudFormation, ``!Sub`` for ``Fn::Sub``."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD_TAGS = {
    f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map", "int", "float", "bool", "null")
}


def read_yaml(
    data: bytes | str,
    file: str,
    *,
    problems: list[Problem] | None = None,
    short_forms: bool = False,
) -> JsonNode:
    """Read one YAML document.

    Args:
        data: the document; bytes must be UTF-8.
        file: the name to put into places.
        problems: where to put problems after which reading could go on (keys a second time, tags,
            keys that are no texts). Without it they are raised.
        short_forms: read CloudFormation's tags, ``!Ref Name`` as the object ``{"Ref": "Name"}``.

    Returns:
        The document's root. What an alias stands for has the place of its anchor.

    Raises:
        InputError: the text is not YAML, holds several documents, or its aliases repeat too much.
    """
    found: list[Problem] = [] if problems is None else problems
    text = data if isinstance(data, str) else _decode(data, file)
    if _SURROGATE.search(text):
        message = "found half of a surrogate pair, expected Unicode text"
        raise InputError((*found, Problem(message, Place(file, "$"))))
    reader = _Reader(file, found, short_forms)
    try:
        root = reader.document(text)
    except yaml.MarkedYAMLError as error:
        raise InputError((*found, _problem_of(error, file))) from None
    except yaml.YAMLError as error:
        message = " ".join(str(error).split())
        raise InputError(
            (*found, Problem(f"found no valid YAML: {message}", Place(file, "$")))
        ) from None
    if problems is None and found:
        raise InputError(found)
    return root


def _decode(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        message = f"found the byte 0x{data[error.start]:02x}, expected text in UTF-8"
        raise InputError([Problem(message, Place(file, "$", line, 1))]) from None


def _problem_of(error: yaml.MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(file, "$", mark.line + 1, mark.column + 1) if mark else Place(file, "$")
    context = f" {error.context}" if error.context else ""
    return Problem(f"found no valid YAML:{context} {error.problem}", place)


class _Reader:
    def __init__(self, file: str, problems: list[Problem], short_forms: bool) -> None:
        self._file = file
        self._problems = problems
        self._short_forms = short_forms
        self._events: Iterator[Event] = iter(())
        self._anchors: dict[str, tuple[JsonNode, int]] = {}
        self._expanded = 0
        self._read = 0

    def document(self, text: str) -> JsonNode:
        self._events = iter(yaml.parse(text, Loader=_LOADER))
        next(self._events)
        first = next(self._events)
        if isinstance(first, StreamEndEvent):
            self._stop(first, "$", "found the end of the text, expected a document")
        root = self._node(next(self._events), "$", 0)
        next(self._events)
        after = next(self._events)
        if isinstance(after, DocumentStartEvent):
            self._stop(after, "$", "found a second document, expected one in a file")
        return root

    def _node(self, event: Event, path: str, depth: int) -> JsonNode:
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        before = self._read
        self._read += 1
        node = self._content(event, path, depth)
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = node, self._read - before
        return node

    def _alias(self, event: AliasEvent, path: str) -> JsonNode:
        if event.anchor not in self._anchors:
            self._stop(
                event, path, f"found the alias *{event.anchor}, which no anchor above defines"
            )
        node, size = self._anchors[event.anchor]
        self._read += size
        self._expanded += size
        if self._expanded > MOST_EXPANDED:
            message = f"found aliases that repeat more than {MOST_EXPANDED} values, expected fewer"
            self._stop(event, path, message)
        return node

    def _content(self, event: Event, path: str, depth: int) -> JsonNode:
        place = self._place(event, path)
        name = self._function(event, path)
        if name is not None:
            inner = self._untagged(event, child_path(path, name), depth + 1)
            if name == "Fn::GetAtt" and isinstance(inner, JsonString):
                inner = _attribute(inner)
            return JsonObject(((JsonString(name, place), inner),), place)
        return self._untagged(event, path, depth)

    def _untagged(self, event: Event, path: str, depth: int) -> JsonNode:
        if isinstance(event, CollectionStartEvent) and depth >= MAX_DEPTH:
            self._stop(event, path, f"expected at most {MAX_DEPTH} levels of nesting")
        place = self._place(event, path)
        if isinstance(event, MappingStartEvent):
            return self._object(path, depth, place)
        if isinstance(event, SequenceStartEvent):
            return self._array(path, depth, place)
        assert isinstance(event, ScalarEvent)
        return self._scalar(event, place)

    def _object(self, path: str, depth: int, place: Place) -> JsonObject:
        members: list[tuple[JsonString, JsonNode]] = []
        seen: dict[str, int] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._key(event, path, depth)
            if key.value in seen:
                self._report(
                    key.place,
                    f"found the key {quote(key.value)} a second time, expected each key once"
                    f" (the first is on line {seen[key.value]})",
                )
            seen.setdefault(key.value, key.place.line)
            value = self._node(next(self._events), child_path(path, key.value), depth + 1)
            members.append((key, value))
        return JsonObject(tuple(members), place)

    def _key(self, event: Event, path: str, depth: int) -> JsonString:
        if isinstance(event, ScalarEvent):
            inner = child_path(path, event.value)
            place = self._place(event, inner)
            if event.value == "<<" and not event.style:
                self._report(place, "found a merge key (<<), expected the members themselves")
            self._refuse_tag(event, inner)
            return JsonString(event.value, place)
        node = self._node(event, path, depth + 1)
        if isinstance(node, JsonString):
            return node
        self._report(self._place(event, path), f"found {describe(node)} as a key, expected a text")
        return JsonString("", self._place(event, path))

    def _array(self, path: str, depth: int, place: Place) -> JsonArray:
        items: list[JsonNode] = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            items.append(self._node(event, f"{path}[{len(items)}]", depth + 1))
        return JsonArray(tuple(items), place)

    def _scalar(self, event: ScalarEvent, place: Place) -> JsonNode:
        text = event.value
        if event.style or event.tag == "tag:yaml.org,2002:str":
            return JsonString(text, place)
        if text in {"true", "false"}:
            return JsonBool(text == "true", place)
        if text in {"", "null"}:
            return JsonNull(place)
        return JsonNumber(text, place) if _NUMBER.fullmatch(text) else JsonString(text, place)

    # -- tags --------------------------------------------------------------------------------

    def _function(self, event: Event, path: str) -> str | None:
        """The intrinsic function that a tag is the short form of; other tags are refused."""
        tag = getattr(event, "tag", None)
        if self._short_forms and tag is not None and tag[1:] in SHORT_FORMS and tag[0] == "!":
            name: str = tag[1:]
            return name if name in {"Ref", "Condition"} else f"Fn::{name}"
        self._refuse_tag(event, path)
        return None

    def _refuse_tag(self, event: Event, path: str) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _STANDARD_TAGS and tag != "!":
            self._report(self._place(event, path), f"found the tag {quote(tag)}, expected none")

    # -- places ------------------------------------------------------------------------------

    def _place(self, event: Event, path: str) -> Place:
        mark = event.start_mark
        assert mark is not None
        return Place(self._file, path, mark.line + 1, mark.column + 1)

    def _report(self, place: Place, message: str) -> None:
        self._problems.append(Problem(message, place))

    def _stop(self, event: Event, path: str, message: str) -> NoReturn:
        raise InputError((*self._problems, Problem(message, self._place(event, path))))


def _attribute(text: JsonString) -> JsonNode:
    """``!GetAtt Name.Attribute`` as the list that ``Fn::GetAtt`` takes."""
    name, dot, attribute = text.value.partition(".")
    if not dot:
        return text
    parts = (JsonString(name, text.place), JsonString(attribute, text.place))
    return JsonArray(parts, text.place)
