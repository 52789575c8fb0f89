"""From JSON to the syntax tree, strictly: what the grammar does not have is a problem.

Follows "Grammar of the IAM JSON policy language" of the IAM User Guide. All problems of a
document are collected and raised together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from pathlib import Path
from typing import TypeVar

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy.files import read_file
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
from tenantproof.policy.literals import EXPECTED, parse_literal
from tenantproof.policy.operators import closest, parse_operator
from tenantproof.policy.syntax import (
    Clause,
    Condition,
    ConditionValue,
    Effect,
    Family,
    Operator,
    PolicyDocument,
    PrincipalClause,
    PrincipalEntry,
    Statement,
    Template,
    Version,
    statement_name,
)
from tenantproof.policy.template import TemplateError, parse_template

DOCUMENT_ELEMENTS = ("Version", "Id", "Statement")
STATEMENT_ELEMENTS = (
    "Sid",
    "Principal",
    "NotPrincipal",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
PRINCIPAL_TYPES = ("AWS", "Federated", "Service", "CanonicalUser")

MOST_BYTES = 64 * 1024 * 1024
"""A policy file larger than this is refused; IAM itself takes at most some kilobytes."""

YAML_SUFFIXES = frozenset({".yaml", ".yml"})
"""How the names of files end that are YAML."""

T = TypeVar("T")

_ACTION = re.compile(r"[\w*?.-]+:[\w*?.-]+", re.ASCII)
_VARIABLE_FAMILIES = (Family.STRING, Family.ARN)


class PolicyKind(Enum):
    """What a document is attached to; it decides which elements a statement must have."""

    ANY = "a policy"
    IDENTITY = "an identity policy"
    RESOURCE_CONTROL = "a resource control policy"

    @property
    def names_resources(self) -> bool:
        """Whether each statement has to say which resources it is about."""
        return self is not PolicyKind.ANY


def load_policy(
    path: Path, *, lenient: bool = False, kind: PolicyKind = PolicyKind.ANY, name: str | None = None
) -> PolicyDocument:
    """Read a policy file.

    Args:
        path: the file; one that ends in ``.yaml`` or ``.yml`` is YAML.
        lenient: accept comments, trailing commas and a byte order mark.
        kind: what the policy is attached to.
        name: the file's name in places; the path as given without it.

    Returns:
        The document.

    Raises:
        InputError: the file cannot be read or is no policy; carries every problem found.
    """
    file = name or str(path)
    try:
        data = read_file(path, MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        problem = Problem(f"found no readable file ({reason})", Place(file, "$"))
        raise InputError([problem]) from None
    return parse_policy(data, file=file, lenient=lenient, kind=kind)


def parse_policy(
    data: bytes | str,
    *,
    file: str = "<policy>",
    lenient: bool = False,
    kind: PolicyKind = PolicyKind.ANY,
) -> PolicyDocument:
    """Read a policy from its text; arguments, result and errors as :func:`load_policy`."""
    problems: list[Problem] = []
    if is_yaml(file):
        # Most policies are JSON, and reading those must not pay for a parser of YAML.
        from tenantproof.policy.yaml_reader import read_yaml  # noqa: PLC0415

        root = read_yaml(data, file, problems=problems)
    else:
        root = read_json(data, file, lenient=lenient, problems=problems)
    return policy_from_json(root, file=file, kind=kind, problems=problems)


def is_yaml(file: str) -> bool:
    """Whether a file is YAML, as its name says."""
    return Path(file).suffix.lower() in YAML_SUFFIXES


def policy_from_json(
    root: JsonNode,
    *,
    file: str = "<policy>",
    kind: PolicyKind = PolicyKind.ANY,
    problems: Iterable[Problem] = (),
) -> PolicyDocument:
    """Read a policy from JSON already parsed, where a policy is a part of a larger document.

    Args:
        root: the policy's object.
        file: the name of the document that the policy came from.
        kind: what the policy is attached to.
        problems: problems found before, raised together with those found here.

    Returns:
        The document.

    Raises:
        InputError: with every problem.
    """
    loader = _Loader(kind, list(problems))
    document = loader.document(root, file)
    if loader.problems or document is None:
        raise InputError(sorted(loader.problems, key=lambda p: (p.place.line, p.place.column)))
    return document


def statement_from_json(
    node: JsonNode, index: int, version: Version, kind: PolicyKind = PolicyKind.ANY
) -> Statement:
    """Read one statement of a policy by itself, but for whether its Sid is there a second time.

    Args:
        node: the statement's object.
        index: its index in the policy.
        version: the policy's language version.
        kind: what the policy is attached to.

    Raises:
        InputError: with every problem.
    """
    loader = _Loader(kind, [], version)
    statement = loader.statement(index, node)
    if loader.problems or statement is None:
        raise InputError(loader.problems)
    return statement


class _Loader:
    def __init__(
        self, kind: PolicyKind, problems: list[Problem], version: Version = Version.V2008
    ) -> None:
        self.problems = problems
        self._kind = kind
        self._version = version
        self._statement: str | None = None
        self._sids: dict[str, int] = {}

    def _report(self, node: JsonNode | Place, message: str, hint: str | None = None) -> None:
        place = node if isinstance(node, Place) else node.place
        self.problems.append(Problem(message, place, self._statement, hint))

    def _unexpected(self, node: JsonNode, expected: str) -> None:
        self._report(node, f"found {describe(node)}, expected {expected}")

    # -- the document ------------------------------------------------------------------------

    def document(self, root: JsonNode, file: str) -> PolicyDocument | None:
        if not isinstance(root, JsonObject):
            self._unexpected(root, "a policy document, an object with Version and Statement")
            return None
        members = self._members(root, DOCUMENT_ELEMENTS, "a policy document")
        self._version = self._read_version(members.get("Version"))
        policy_id = self._text(members.get("Id"), "a text")
        statement = members.get("Statement")
        if statement is None:
            self._report(root, "found no Statement, expected one")
            return None
        statements = self._statements(statement)
        return PolicyDocument(self._version, policy_id, statements, file, root.place)

    def _members(self, node: JsonObject, known: tuple[str, ...], where: str) -> dict[str, JsonNode]:
        """The object's members by name; the unknown are reported, of the duplicates the first."""
        members: dict[str, JsonNode] = {}
        for key, value in node.members:
            if key.value in known:
                members.setdefault(key.value, value)
                continue
            similar = closest(key.value, known)
            hint = f"did you mean {similar}?" if similar else None
            self._report(
                key.place,
                f"found the unknown element {quote(key.value)}, expected in {where}"
                f" only {', '.join(known)}",
                hint,
            )
        return members

    def _read_version(self, node: JsonNode | None) -> Version:
        if node is None:
            return Version.V2008
        for version in Version:
            if isinstance(node, JsonString) and node.value == version.value:
                return version
        self._unexpected(node, '"2012-10-17" or "2008-10-17"')
        return Version.V2012

    def _text(self, node: JsonNode | None, expected: str) -> str | None:
        if node is None:
            return None
        if isinstance(node, JsonString):
            return node.value
        self._unexpected(node, expected)
        return None

    # -- statements --------------------------------------------------------------------------

    def _statements(self, node: JsonNode) -> tuple[Statement, ...]:
        match node:
            case JsonObject():
                nodes: tuple[JsonNode, ...] = (node,)
            case JsonArray(items) if items:
                nodes = items
            case _:
                self._unexpected(node, "a statement or a list of statements")
                return ()
        statements = [self.statement(i, item) for i, item in enumerate(nodes)]
        self._statement = None
        return tuple(s for s in statements if s is not None)

    def _check_sid(self, sid: str | None, index: int, node: JsonNode) -> None:
        if not sid:
            return
        first = self._sids.setdefault(sid, index)
        if first != index:
            self._report(
                node,
                f"found the Sid {quote(sid)} a second time (first in Statement[{first}]),"
                " expected each Sid once in a document",
            )

    def statement(self, index: int, node: JsonNode) -> Statement | None:
        self._statement = statement_name(index, None)
        if not isinstance(node, JsonObject):
            self._unexpected(node, "a statement, an object")
            return None
        members = self._members(node, STATEMENT_ELEMENTS, "a statement")
        sid = self._text(members.get("Sid"), "a text")
        self._statement = statement_name(index, sid)
        self._check_sid(sid, index, node)
        effect = self._effect(node, members.get("Effect"))
        action = self._one_of(node, members, "Action", "NotAction", self._actions, required=True)
        resource = self._one_of(
            node,
            members,
            "Resource",
            "NotResource",
            self._resources,
            required=self._kind.names_resources,
        )
        principal = self._one_of(
            node, members, "Principal", "NotPrincipal", self._principals, required=False
        )
        if principal is not None and self._kind is PolicyKind.IDENTITY:
            self._report(
                principal.place,
                f"found {principal.element}, expected none in an identity policy",
            )
        if principal is not None and self._kind is PolicyKind.RESOURCE_CONTROL:
            self._check_everyone(principal)
        conditions = self._conditions(members.get("Condition"))
        if effect is None or action is None:
            return None
        return Statement(index, sid, effect, action, resource, principal, conditions, node.place)

    def _check_everyone(self, clause: PrincipalClause) -> None:
        if clause.negated or any(entry.value != "*" for entry in clause.entries):
            message = f'found {clause.element}, expected Principal "*" in a resource control policy'
            self._report(clause.place, message)

    def _effect(self, statement: JsonObject, node: JsonNode | None) -> Effect | None:
        if node is None:
            self._report(statement, 'found no Effect, expected "Allow" or "Deny"')
            return None
        for effect in Effect:
            if isinstance(node, JsonString) and node.value == effect.value:
                return effect
        self._unexpected(node, '"Allow" or "Deny", in this case')
        return None

    def _one_of(
        self,
        statement: JsonObject,
        members: dict[str, JsonNode],
        name: str,
        negated: str,
        read: Callable[[str, bool, JsonNode], T],
        *,
        required: bool,
    ) -> T | None:
        """Read the element or its negation; both together are a problem."""
        if name in members and negated in members:
            self._report(members[negated], f"found {negated} beside {name}, expected one of them")
        clauses = [
            read(element, is_negated, members[element])
            for element, is_negated in ((name, False), (negated, True))
            if element in members
        ]
        if clauses:
            return clauses[0]
        if required:
            where = "" if self._kind is PolicyKind.ANY else f" in {self._kind.value}"
            self._report(
                statement, f"found neither {name} nor {negated}, expected one of them{where}"
            )
        return None

    # -- elements ----------------------------------------------------------------------------

    def _strings(self, node: JsonNode, expected: str) -> list[JsonString]:
        """A string or a list of strings, none of them empty."""
        match node:
            case JsonString():
                items: tuple[JsonNode, ...] = (node,)
            case JsonArray(listed) if listed:
                items = listed
            case JsonArray():
                self._unexpected(node, f"at least one of {expected}")
                return []
            case _:
                self._unexpected(node, f"{expected} or a list of them")
                return []
        strings: list[JsonString] = []
        for item in items:
            if isinstance(item, JsonString) and item.value:
                strings.append(item)
            else:
                self._unexpected(item, expected)
        return strings

    def _template(self, node: JsonNode, text: str, *, variables: bool) -> Template:
        with_variables = variables and self._version is Version.V2012
        try:
            return parse_template(text, node.place, variables=with_variables)
        except TemplateError as error:
            self._report(node, f"found {quote(text)}, {error}")
            return parse_template(text, node.place, variables=False)

    def _actions(self, element: str, negated: bool, node: JsonNode) -> Clause:
        strings = self._strings(node, 'an action like "sagemaker:InvokeEndpoint" or "*"')
        for item in strings:
            if item.value.strip("*") and not _ACTION.fullmatch(item.value):
                self._unexpected(item, 'an action as "service:Name", or "*"')
        patterns = tuple(self._template(s, s.value, variables=False) for s in strings)
        return Clause(element, negated, patterns, node.place)

    def _resources(self, element: str, negated: bool, node: JsonNode) -> Clause:
        strings = self._strings(node, 'an ARN or "*"')
        for item in strings:
            prefix, colon, _ = item.value.partition(":")
            is_open = any(char in prefix for char in "*?$")
            if item.value.strip("*") and not (colon and (prefix == "arn" or is_open)):
                self._unexpected(item, 'an ARN or "*"')
        patterns = tuple(self._template(s, s.value, variables=True) for s in strings)
        return Clause(element, negated, patterns, node.place)

    def _principals(self, element: str, negated: bool, node: JsonNode) -> PrincipalClause:
        entries: list[PrincipalEntry] = []
        match node:
            case JsonString("*"):
                entries.append(PrincipalEntry("AWS", "*", node.place))
            case JsonObject(members) if members:
                known = self._members(node, PRINCIPAL_TYPES, element)
                for type_, value in known.items():
                    strings = self._strings(value, "a principal")
                    entries.extend(PrincipalEntry(type_, s.value, s.place) for s in strings)
            case _:
                types = ", ".join(PRINCIPAL_TYPES)
                self._unexpected(node, f'"*" or an object with one of {types}')
        return PrincipalClause(element, negated, tuple(entries), node.place)

    # -- conditions --------------------------------------------------------------------------

    def _conditions(self, node: JsonNode | None) -> tuple[Condition, ...]:
        if node is None:
            return ()
        if not isinstance(node, JsonObject):
            self._unexpected(node, "an object of condition operators")
            return ()
        conditions: list[Condition] = []
        for name, block in node.members:
            operator = parse_operator(name.value)
            if isinstance(operator, str):
                self._report(
                    name.place, f"found the unknown operator {quote(name.value)}, {operator}"
                )
                continue
            if not isinstance(block, JsonObject):
                self._unexpected(block, "an object of condition keys and values")
                continue
            self._check_keys([key for key, _ in block.members])
            conditions += [self._condition(operator, key, v) for key, v in block.members]
        return tuple(conditions)

    def _check_keys(self, keys: list[JsonString]) -> None:
        """Condition keys that differ in case alone are one key."""
        first: dict[str, str] = {}
        for key in keys:
            twin = first.setdefault(key.value.lower(), key.value)
            if twin != key.value:
                self._report(
                    key.place,
                    f"found the condition key {quote(key.value)} beside {quote(twin)},"
                    " expected each key once: their case is ignored",
                )

    def _condition(self, operator: Operator, key: JsonString, node: JsonNode) -> Condition:
        if not key.value:
            self._report(key.place, "found an empty condition key, expected its name")
        match node:
            case JsonArray(items) if items:
                nodes: tuple[JsonNode, ...] = items
            case JsonArray():
                self._unexpected(node, "at least one value")
                nodes = ()
            case _:
                nodes = (node,)
        values = [self._value(operator, item) for item in nodes]
        found = tuple(value for value in values if value is not None)
        return Condition(operator, key.value, found, key.place)

    def _value(self, operator: Operator, node: JsonNode) -> ConditionValue | None:
        match node:
            case JsonString(value):
                text = value
            case JsonNumber(number):
                text = number
            case JsonBool(truth):
                text = "true" if truth else "false"
            case _:
                self._unexpected(node, "a text, a number or a Boolean")
                return None
        family = operator.comparison.family
        template = self._template(node, text, variables=family in _VARIABLE_FAMILIES)
        if family in _VARIABLE_FAMILIES:
            return ConditionValue(template)
        literal = parse_literal(family, text)
        if literal is None:
            self._unexpected(node, f"{EXPECTED[family]} under {operator.name}")
            return None
        return ConditionValue(template, literal)
