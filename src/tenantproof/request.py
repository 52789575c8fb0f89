"""Requests: who does what to what, in which context.

Follows "AWS global condition context keys" and "The request context" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

ContextValue = str | tuple[str, ...]
"""The value of a condition key: a text, or the texts of a multivalued key (none: empty set)."""

PRINCIPAL_TAG_PREFIX = "aws:principaltag/"


def values_of(value: ContextValue) -> tuple[str, ...]:
    """The texts that a key holds: its one value, or those of its set."""
    return (value,) if isinstance(value, str) else value


class PrincipalKind(Enum):
    """The kinds of callers, named as a ``Principal`` element's types where it has one for them."""

    AWS = "AWS"
    SERVICE = "Service"
    FEDERATED = "Federated"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Principal:
    """Who makes a request: mostly an IAM user, role or assumed-role session, with its tags.

    ``arn`` of an AWS service or an identity provider is the name that a ``Principal`` element has
    for it (``ec2.amazonaws.com``); of an anonymous caller it says nothing. ``context`` holds
    further condition keys that are fixed for the principal, such as ``aws:userid`` or
    ``aws:PrincipalOrgID``. ``canonical_user`` is the canonical user ID of its account, where it
    matters.
    """

    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    kind: PrincipalKind = PrincipalKind.AWS
    canonical_user: str | None = None

    @cached_property
    def keys(self) -> dict[str, ContextValue]:
        """The condition keys that the principal decides, names in lower case.

        ``aws:PrincipalArn`` of an assumed-role session is the role's ARN; a role's path is not
        part of a session's ARN, so that a role with a path needs the key in ``context``.
        """
        keys = self._keys_of_kind()
        for name, value in self.tags.items():
            keys[PRINCIPAL_TAG_PREFIX + name.lower()] = value
        for name, value_or_values in self.context.items():
            keys[name.lower()] = value_or_values
        return keys

    def _keys_of_kind(self) -> dict[str, ContextValue]:
        match self.kind:
            case PrincipalKind.AWS:
                return self._keys_of_arn()
            case PrincipalKind.SERVICE:
                return {"aws:principalisawsservice": "true", "aws:principalservicename": self.arn}
            case PrincipalKind.ANONYMOUS:
                return {"aws:principalaccount": "anonymous", "aws:principaltype": "Anonymous"}
            case PrincipalKind.FEDERATED:
                return {}

    def _keys_of_arn(self) -> dict[str, ContextValue]:
        fields = self.arn.split(":", 5)
        keys: dict[str, ContextValue] = {"aws:principalarn": self.arn}
        if len(fields) == 6:
            partition, account, resource = fields[1], fields[4], fields[5]
            keys["aws:principalaccount"] = account
            type_, _, name = resource.partition("/")
            if type_ == "assumed-role":
                role = name.partition("/")[0]
                keys["aws:principalarn"] = f"arn:{partition}:iam::{account}:role/{role}"
            if type_ == "user":
                keys["aws:username"] = name.rpartition("/")[2]
            if type_ in _PRINCIPAL_TYPES:
                keys["aws:principaltype"] = _PRINCIPAL_TYPES[type_]
        return keys


_PRINCIPAL_TYPES = {
    "user": "User",
    "role": "AssumedRole",
    "assumed-role": "AssumedRole",
    "federated-user": "FederatedUser",
    "root": "Account",
}


@dataclass(frozen=True)
class Request:
    """One request to AWS.

    ``action`` is ``service:Name``, ``resource`` an ARN (or ``*`` where the action has none).
    ``context`` maps condition keys to values; a key that is missing from it is absent, unless
    the principal decides it. A key given in ``context`` goes before the principal's own.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, ContextValue] = field(default_factory=dict)

    @cached_property
    def keys(self) -> dict[str, ContextValue]:
        """Every condition key present in the request, names in lower case."""
        given = {name.lower(): value for name, value in self.context.items()}
        return {**self.principal.keys, **given}
