"""``tenantproof simulate``: cases as JSON lines in, decisions as JSON lines out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tenantproof.errors import InputError, Problem
from tenantproof.evaluate import Decision, StatementResult, decide
from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, policy_from_json
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNumber,
    JsonObject,
    JsonString,
    describe,
    quote,
    read_json,
)
from tenantproof.request import ContextValue, Principal, Request

CASE_FIELDS = (
    "id",
    "request",
    "identity_policies",
    "permissions_boundary",
    "service_control_policies",
)
REQUEST_FIELDS = ("principal", "action", "resource", "context")
PRINCIPAL_FIELDS = ("arn", "tags")

T = TypeVar("T")


def decide_line(line: str, file: str, number: int, *, lenient: bool = False) -> dict[str, Any]:
    """Decide one case.

    Args:
        line: the case as JSON.
        file: the name of the file that it stands in, for messages.
        number: its line number there.
        lenient: accept comments and trailing commas.

    Returns:
        ``{"id", "decision", "matched"}``, or ``{"id", "error"}``; ``id`` is null where the line
        gives none.
    """
    case_id: object = None
    try:
        problems: list[Problem] = []
        root = read_json(line, file, lenient=lenient, problems=problems, first_line=number)
        reader = _CaseReader(file, problems)
        case_id = reader.case_id(root)
        policies, request = reader.case(root)
        return {"id": case_id, **_answer(decide(policies, request))}
    except InputError as error:
        return {"id": case_id, "error": "; ".join(map(str, error.problems))}


def _answer(decision: Decision) -> dict[str, Any]:
    matched = [_matched(result) for result in decision.results if result.applies]
    return {"decision": decision.outcome.value, "matched": matched}


def _matched(result: StatementResult) -> dict[str, Any]:
    return {
        "layer": result.layer.name,
        "policy": result.policy_index,
        "statement": result.statement.index,
        "sid": result.statement.sid,
        "effect": result.effect.value,
    }


class _CaseReader:
    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems

    def case_id(self, root: JsonNode) -> object:
        """The case's id, for the answer to any line that has one."""
        match dict(_named(root)).get("id"):
            case JsonString(value) | JsonBool(value):
                return value
            case JsonNumber(text):
                return int(text) if text.lstrip("-").isdigit() else float(text)
            case _:
                return None

    def case(self, root: JsonNode) -> tuple[PolicySet, Request]:
        """The policies and the request of a case.

        Raises:
            InputError: with every problem of the line.
        """
        fields = self._fields(root, CASE_FIELDS, "a case")
        request = self._required(root, fields, "request", self._request)
        identity = self._required(root, fields, "identity_policies", self._policies)
        boundary = fields.get("permissions_boundary")
        levels = fields.get("service_control_policies")
        bounding = None if boundary is None else self._policy(boundary)
        control = () if levels is None else tuple(map(self._policies, self._items(levels)))
        if self._problems or request is None or identity is None:
            raise InputError(self._problems)
        return PolicySet(identity, bounding, control), request

    def _report(self, node: JsonNode, message: str) -> None:
        self._problems.append(Problem(message, node.place))

    def _unexpected(self, node: JsonNode, expected: str) -> None:
        self._report(node, f"found {describe(node)}, expected {expected}")

    def _fields(self, node: JsonNode, known: tuple[str, ...], what: str) -> dict[str, JsonNode]:
        if not isinstance(node, JsonObject):
            self._unexpected(node, f"{what}, an object")
            return {}
        for name, value in _named(node):
            if name not in known:
                listed = ", ".join(known)
                self._report(
                    value, f"found the unknown field {quote(name)}, expected one of {listed}"
                )
        return dict(_named(node))

    def _required(
        self,
        node: JsonNode,
        fields: dict[str, JsonNode],
        name: str,
        read: Callable[[JsonNode], T],
    ) -> T | None:
        if name in fields:
            return read(fields[name])
        if isinstance(node, JsonObject):
            self._report(node, f"found no {name}, expected one")
        return None

    def _items(self, node: JsonNode) -> tuple[JsonNode, ...]:
        if isinstance(node, JsonArray):
            return node.items
        self._unexpected(node, "a list")
        return ()

    def _policies(self, node: JsonNode) -> tuple[PolicyDocument, ...]:
        read = (self._policy(item) for item in self._items(node))
        return tuple(policy for policy in read if policy is not None)

    def _policy(self, node: JsonNode) -> PolicyDocument | None:
        try:
            return policy_from_json(node, file=self._file, kind=PolicyKind.IDENTITY)
        except InputError as error:
            self._problems.extend(error.problems)
            return None

    def _request(self, node: JsonNode) -> Request | None:
        fields = self._fields(node, REQUEST_FIELDS, "a request")
        principal = self._required(node, fields, "principal", self._principal)
        action = self._required(node, fields, "action", self._text)
        resource = self._required(node, fields, "resource", self._text)
        context = fields.get("context")
        keys = {} if context is None else self._context(context)
        if principal is None or action is None or resource is None:
            return None
        return Request(principal, action, resource, keys)

    def _principal(self, node: JsonNode) -> Principal | None:
        fields = self._fields(node, PRINCIPAL_FIELDS, "a principal")
        arn = self._required(node, fields, "arn", self._text)
        tags = self._context(fields["tags"]) if "tags" in fields else {}
        for name, value in tags.items():
            if not isinstance(value, str):
                self._report(node, f"found a list for the tag {quote(name)}, expected a text")
        texts = {name: value for name, value in tags.items() if isinstance(value, str)}
        return None if arn is None else Principal(arn, texts)

    def _context(self, node: JsonNode) -> dict[str, ContextValue]:
        """Keys with values; keys that differ in case alone are one key to IAM, so a problem."""
        if not isinstance(node, JsonObject):
            self._unexpected(node, "an object of keys and values")
            return {}
        context: dict[str, ContextValue] = {}
        seen: set[str] = set()
        for name, item in _named(node):
            if name.lower() in seen:
                self._report(item, f"found the key {quote(name)} twice but for its case")
            seen.add(name.lower())
            value = self._context_value(item)
            if value is not None:
                context[name] = value
        return context

    def _context_value(self, node: JsonNode) -> ContextValue | None:
        if isinstance(node, JsonArray):
            texts = [self._scalar(item) for item in node.items]
            return tuple(text for text in texts if text is not None)
        return self._scalar(node)

    def _scalar(self, node: JsonNode) -> str | None:
        match node:
            case JsonString(value):
                return value
            case JsonNumber(text):
                return text
            case JsonBool(value):
                return "true" if value else "false"
            case _:
                self._unexpected(node, "a text, a number, a Boolean or a list of them")
                return None

    def _text(self, node: JsonNode) -> str | None:
        if isinstance(node, JsonString):
            return node.value
        self._unexpected(node, "a text")
        return None


def _named(node: JsonNode) -> list[tuple[str, JsonNode]]:
    members = node.members if isinstance(node, JsonObject) else ()
    return [(key.value, value) for key, value in members]
