"""``tenantproof simulate``: cases as JSON lines in, decisions as JSON lines out."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from tenantproof.errors import InputError, Problem
from tenantproof.evaluate import Decision, StatementResult, decide
from tenantproof.policy import (
    Access,
    Levels,
    PolicyDocument,
    PolicyKind,
    PolicySet,
    policy_from_json,
)
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNull,
    JsonNumber,
    JsonObject,
    JsonString,
    describe,
    quote,
    read_json,
)
from tenantproof.request import ContextValue, Principal, PrincipalKind, Request

CASE_FIELDS = (
    "id",
    "request",
    "identity_policies",
    "permissions_boundary",
    "session_policy",
    "service_control_policies",
    "resource_control_policies",
    "resource_policy",
)
REQUEST_FIELDS = ("principal", "action", "resource", "context")
PRINCIPAL_FIELDS = ("arn", "tags")

T = TypeVar("T")


def decide_lines(lines: Iterable[bytes], file: str, *, lenient: bool = False) -> Iterator[str]:
    """Decide cases, one a line; blank lines are passed over.

    Args:
        lines: the cases as JSON in UTF-8; a byte order mark before the first is passed over.
        file: the name of the file that they stand in, for messages.
        lenient: accept comments and trailing commas.

    Yields:
        For each case a line as :func:`decide_line` gives it.
    """
    for number, line in enumerate(lines, start=1):
        case = line.removeprefix(BOM_UTF8).strip() if number == 1 else line.strip()
        if case:
            yield decide_line(case, file, number, lenient=lenient)


def decide_line(line: bytes, file: str, number: int, *, lenient: bool = False) -> str:
    """Decide one case.

    Args:
        line: the case as JSON in UTF-8.
        file: the name of the file that it stands in, for messages.
        number: its line number there.
        lenient: accept comments and trailing commas.

    Returns:
        The JSON of ``{"id", "decision", "matched"}`` or of ``{"id", "error"}``; ``id`` is as the
        line has it, to the letter, and null where the line gives none.
    """
    case_id = "null"
    try:
        problems: list[Problem] = []
        root = read_json(line, file, lenient=lenient, problems=problems, first_line=number)
        reader = _CaseReader(file, problems)
        case_id = reader.case_id(root)
        policies, request = reader.case(root)
        answer = _answer(decide(policies, request))
    except InputError as error:
        answer = {"error": "; ".join(str(each).replace("\n    ", " ") for each in error.problems)}
    # The id goes through as text: a number of any size or precision comes out as it went in.
    return f'{{"id": {case_id}, {json.dumps(answer)[1:]}'


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

    def case_id(self, root: JsonNode) -> str:
        """The case's id as JSON, for the answer to any line that has one."""
        match dict(_named(root)).get("id"):
            case JsonString(value) | JsonBool(value):
                return json.dumps(value)
            case JsonNumber(text):
                return text
            case None | JsonNull():
                return "null"
            case other:
                self._unexpected(other, "a text or a number as id")
                return "null"

    def case(self, root: JsonNode) -> tuple[Access, Request]:
        """Both sides of a case's request, and the request.

        Raises:
            InputError: with every problem of the line.
        """
        fields = self._fields(root, CASE_FIELDS, "a case")
        fields = {name: node for name, node in fields.items() if not isinstance(node, JsonNull)}
        request = self._required(root, fields, "request", self._request)
        identity = self._required(root, fields, "identity_policies", self._policies)
        boundary = self._given(fields, "permissions_boundary", PolicyKind.IDENTITY)
        session = self._given(fields, "session_policy", PolicyKind.IDENTITY)
        of_callers = self._levels(fields, "service_control_policies", PolicyKind.IDENTITY)
        of_resources = self._levels(
            fields, "resource_control_policies", PolicyKind.RESOURCE_CONTROL
        )
        of_resource = self._given(fields, "resource_policy", PolicyKind.ANY)
        if self._problems or request is None or identity is None:
            raise InputError(self._problems)
        passed = () if session is None else (session,)
        caller = PolicySet(identity, boundary, of_callers, passed)
        return Access(caller, of_resource, of_resources), request

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

    def _levels(self, fields: dict[str, JsonNode], name: str, kind: PolicyKind) -> Levels:
        items = self._items(fields[name]) if name in fields else ()
        return tuple(map(partial(self._policies, kind=kind), items))

    def _policies(
        self, node: JsonNode, kind: PolicyKind = PolicyKind.IDENTITY
    ) -> tuple[PolicyDocument, ...]:
        read = (self._policy(item, kind) for item in self._items(node))
        return tuple(policy for policy in read if policy is not None)

    def _given(
        self, fields: dict[str, JsonNode], name: str, kind: PolicyKind
    ) -> PolicyDocument | None:
        return self._policy(fields[name], kind) if name in fields else None

    def _policy(self, node: JsonNode, kind: PolicyKind) -> PolicyDocument | None:
        try:
            return policy_from_json(node, file=self._file, kind=kind)
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
        tags = fields.get("tags")
        for _, tag in _named(tags) if tags else ():
            if isinstance(tag, JsonArray):
                self._unexpected(tag, "a text for a tag")
        values = {} if tags is None else self._context(tags)
        texts = {name: value for name, value in values.items() if isinstance(value, str)}
        return None if arn is None else Principal(arn, texts, kind=_kind_of(arn))

    def _context(self, node: JsonNode) -> dict[str, ContextValue]:
        """Keys with values; keys that differ in case alone are one key to IAM, so a problem."""
        if not isinstance(node, JsonObject):
            self._unexpected(node, "an object of keys and values")
            return {}
        context: dict[str, ContextValue] = {}
        seen: set[str] = set()
        for name, item in _named(node):
            if name.lower() in seen and name not in context:
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


def _kind_of(arn: str) -> PrincipalKind:
    """An AWS service goes by its name, as in a ``Principal`` element; others have an ARN."""
    is_service = ":" not in arn and arn.endswith((".amazonaws.com", ".amazonaws.com.cn"))
    return PrincipalKind.SERVICE if is_service else PrincipalKind.AWS


def _named(node: JsonNode) -> list[tuple[str, JsonNode]]:
    members = node.members if isinstance(node, JsonObject) else ()
    return [(key.value, value) for key, value in members]
