"""The keys of a request as the simulator takes them: names, types, values.

Follows "ContextEntry" of the IAM API Reference and "AWS global condition context keys" of the IAM
User Guide, which gives the types of the global keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantproof.errors import TenantproofError
from tenantproof.policy import PolicyDocument, Statement
from tenantproof.policy.literals import (
    parse_address,
    parse_binary,
    parse_bool,
    parse_date,
    parse_number,
)
from tenantproof.policy.syntax import Family
from tenantproof.request import PRINCIPAL_TAG_PREFIX, ContextValue, Request, values_of

SHORTEST_KEY = 5
LONGEST_KEY = 256
"""The lengths of names that ``ContextKeyNameType`` takes."""

TYPES = {
    "aws:currenttime": "date",
    "aws:multifactorauthage": "numeric",
    "aws:multifactorauthpresent": "boolean",
    "aws:principalisawsservice": "boolean",
    "aws:securetransport": "boolean",
    "aws:sourceip": "ip",
    "aws:tokenissuetime": "date",
    "aws:viaawsservice": "boolean",
    "aws:vpcsourceip": "ip",
    "aws:principalaccount": "string",
    "aws:principalarn": "string",
    "aws:principaltype": "string",
    "aws:userid": "string",
    "aws:username": "string",
}
"""Types of keys, of which the reference says what they are; names in lower case."""

SETS = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
    }
)
"""The global keys of several values."""

_NAMES = {
    name.lower(): name
    for name in (
        "aws:PrincipalAccount",
        "aws:PrincipalArn",
        "aws:PrincipalType",
        "aws:username",
    )
}
"""The keys that follow from a caller's ARN, as the reference spells them."""

_TYPE_OF = {
    Family.NUMERIC: "numeric",
    Family.BOOL: "boolean",
    Family.IP_ADDRESS: "ip",
    Family.DATE: "date",
    Family.BINARY: "binary",
}
"""What an operator's family compares; the others compare texts."""

_READ: dict[str, Callable[[str], object]] = {
    "numeric": parse_number,
    "boolean": parse_bool,
    "ip": parse_address,
    "date": parse_date,
    "binary": parse_binary,
}


class UnsayableError(TenantproofError):
    """A key that the API has no way to say; the message says which and why."""


@dataclass(frozen=True)
class Mentions:
    """The condition keys that policies mention, in conditions and as variables.

    Attributes:
        names: how they spell each; by its name in lower case.
        types: with what kinds of values they compare each.
    """

    names: Mapping[str, str]
    types: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, policies: Iterable[PolicyDocument]) -> Mentions:
        """The keys that some policies mention."""
        names: dict[str, str] = {}
        types: dict[str, set[str]] = {}
        for policy in policies:
            for name, type_ in _mentioned(policy.statements):
                names.setdefault(name.lower(), name)
                types.setdefault(name.lower(), set()).add(type_)
        return cls(names, {key: frozenset(found) for key, found in types.items()})

    def missing_in(self, request: Request) -> frozenset[str]:
        """The keys mentioned that a request does not have, in lower case."""
        return frozenset(self.names) - frozenset(request.keys)


def _mentioned(statements: Iterable[Statement]) -> Iterator[tuple[str, str]]:
    for statement in statements:
        for condition in statement.conditions:
            family = condition.operator.comparison.family
            yield condition.key, _TYPE_OF.get(family, "string")
        for template in statement.templates:
            yield from ((variable.key, "string") for variable in template.variables)


def context_entries(request: Request, mentions: Mentions) -> list[dict[str, Any]]:
    """Every key of a request as ``ContextEntries`` has it, sorted by name.

    A key that the API cannot say is left out where no policy mentions it.

    Args:
        request: the request.
        mentions: the keys that the policies mention.

    Raises:
        UnsayableError: a policy mentions a key that the API cannot say.
    """
    names = {**_NAMES, **_as_written(request), **mentions.names}
    entries = [
        {
            "ContextKeyName": names.get(key, key),
            "ContextKeyValues": list(values_of(value)),
            "ContextKeyType": _type(key, value, mentions),
        }
        for key, value in request.keys.items()
        if _is_sayable(key, value, mentions)
    ]
    return sorted(entries, key=lambda entry: str(entry["ContextKeyName"]))


def _as_written(request: Request) -> dict[str, str]:
    """How the request spells its keys."""
    tags = (f"aws:PrincipalTag/{name}" for name in request.principal.tags)
    written = (*tags, *request.principal.context, *request.context)
    return {name.lower(): name for name in written}


def _is_sayable(key: str, value: ContextValue, mentions: Mentions) -> bool:
    if not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        problem = f"has {len(key)} characters, the API takes {SHORTEST_KEY} to {LONGEST_KEY}"
    elif not values_of(value):
        problem = "is an empty set, which the API cannot tell from an absent key"
    else:
        return True
    if key in mentions.names:
        raise UnsayableError(f"the key {mentions.names[key]} {problem}")
    return False


def _type(key: str, value: ContextValue, mentions: Mentions) -> str:
    """A key's type: the one known, else the one that all operators on it compare.

    What is no value of that type is a text.
    """
    compared = mentions.types.get(key, frozenset())
    known = "string" if key.startswith(PRINCIPAL_TAG_PREFIX) else TYPES.get(key)
    type_ = known or (next(iter(compared)) if len(compared) == 1 else "string")
    reads = _READ.get(type_)
    if reads is not None and any(reads(text) is None for text in values_of(value)):
        type_ = "string"
    return f"{type_}List" if isinstance(value, tuple) or key in SETS else type_
