"""Objects of a document, read field by field: what is of the wrong type is a problem.

``null`` is read as a field that is not there, as SDKs print it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import unquote

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy import PolicyDocument, PolicyKind, ResourcePolicies, policy_from_json
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNull,
    JsonNumber,
    JsonObject,
    JsonString,
    describe,
    read_json,
)


class Record:
    """An object, and where to report what is wrong with it."""

    def __init__(self, node: JsonObject, file: str, problems: list[Problem]) -> None:
        """Take the object apart; of a key a second time its reader has told."""
        self._node = node
        self.place = node.place
        self.file = file
        self._problems = problems
        self._members = {
            key.value: value for key, value in node.members if not isinstance(value, JsonNull)
        }

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def same_as(self, other: Record) -> bool:
        """Whether both say the same, wherever they say it."""
        return _plain(self._node) == _plain(other._node)

    def get(self, name: str) -> JsonNode | None:
        """The member of a name, None where there is none."""
        return self._members.get(name)

    def others(self, known: Iterable[str]) -> Iterator[tuple[str, JsonNode]]:
        """The members that are none of the known."""
        for name in self._members.keys() - set(known):
            yield name, self._members[name]

    def text(self, name: str) -> str | None:
        """A text, None where there is none."""
        node = self.get(name)
        if node is None or isinstance(node, JsonString):
            return None if node is None else node.value
        self.report(node, f"found {describe(node)} as {name}, expected a text")
        return None

    def required(self, name: str) -> str | None:
        """A text that must be there; None where it is not, which is reported."""
        node = self.get(name)
        if isinstance(node, JsonString) and node.value:
            return node.value
        found = "nothing" if node is None else describe(node)
        self.report(node or self.place, f"found {found} as {name}, expected a text")
        return None

    def flag(self, name: str) -> bool:
        """A Boolean; false where there is none."""
        node = self.get(name)
        if isinstance(node, JsonBool):
            return node.value
        if node is not None:
            self.report(node, f"found {describe(node)} as {name}, expected true or false")
        return False

    def items(self, name: str) -> tuple[JsonNode, ...]:
        """A list's items; none where there is no list."""
        node = self.get(name)
        if node is None or isinstance(node, JsonArray):
            return () if node is None else node.items
        self.report(node, f"found {describe(node)} as {name}, expected a list")
        return ()

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        found: list[str] = []
        for item in self.items(name):
            if isinstance(item, JsonString):
                found.append(item.value)
            else:
                self.report(item, f"found {describe(item)} in {name}, expected a text")
        return found

    def record(self, name: str) -> Record | None:
        """An object; None where there is none."""
        node = self.get(name)
        return None if node is None else self._record(name, node)

    def records(self, name: str) -> list[Record]:
        """A list of objects."""
        found = [self._record(name, item) for item in self.items(name)]
        return [record for record in found if record is not None]

    def _record(self, name: str, node: JsonNode) -> Record | None:
        if isinstance(node, JsonObject):
            return Record(node, self.file, self._problems)
        self.report(node, f"found {describe(node)} in {name}, expected an object")
        return None

    def tags(self, name: str = "Tags") -> dict[str, str]:
        """A list of objects with Key and Value; a key is there once, whatever its case."""
        tags: dict[str, str] = {}
        seen: set[str] = set()
        for item in self.records(name):
            key, value = item.required("Key"), item.text("Value")
            if key is None:
                continue
            if value is None:
                item.report(item.place, f"found no Value of the tag {key}, expected a text")
            if key.lower() in seen:
                message = f"found the tag {key} a second time, expected each once"
                self.report(item.place, f"{message}: their case is ignored")
            seen.add(key.lower())
            tags[key] = value or ""
        return tags

    def policy(
        self, name: str, what: str, kind: PolicyKind = PolicyKind.IDENTITY
    ) -> PolicyDocument | None:
        """A policy document: an object, or the JSON text of one, URL-encoded or not.

        Args:
            name: the member that is the document.
            what: which policy it is, for what is wrong with it.
            kind: what it is attached to; ``ANY`` is a resource, whose policy names principals.

        Returns:
            The document; None where there is none or it cannot be read, which is reported.
        """
        node = self.get(name)
        if node is None:
            self.report(self.place, f"found no {name}, expected {what}")
            return None
        return policy_at(node, self.file, what, self._problems, kind)

    def report(self, where: JsonNode | Place, message: str) -> None:
        """Report a problem at a node."""
        place = where if isinstance(where, Place) else where.place
        self._problems.append(Problem(message, place))


def policy_at(
    node: JsonNode,
    file: str,
    what: str,
    problems: list[Problem],
    kind: PolicyKind = PolicyKind.IDENTITY,
) -> PolicyDocument | None:
    """A policy document at a node of a file; arguments and result as :meth:`Record.policy`."""
    try:
        document = policy_from_json(embedded(node, file), file=file, kind=kind)
        if kind is PolicyKind.ANY:
            ResourcePolicies((document,))
    except InputError as error:
        problems += [
            Problem(f"in {what}: {p.message}", p.place, p.statement, p.hint) for p in error.problems
        ]
        return None
    return document


def embedded(node: JsonNode, file: str) -> JsonNode:
    """The JSON that a text holds, plain or URL-encoded (RFC 3986); another node is itself.

    Raises:
        InputError: the text holds no JSON.
    """
    if not isinstance(node, JsonString):
        return node
    text = node.value
    if text.lstrip()[:1] not in {"{", "["}:
        with suppress(UnicodeDecodeError):
            text = unquote(text, errors="strict")
    return read_json(text, file, within=node.place)


def _plain(node: JsonNode) -> object:
    """A node without its places."""
    match node:
        case JsonObject(members):
            return {key.value: _plain(value) for key, value in members}
        case JsonArray(items):
            return [_plain(item) for item in items]
        case JsonNumber(text):
            return ("number", text)
        case JsonString(value) | JsonBool(value):
            return value
        case JsonNull():
            return None
