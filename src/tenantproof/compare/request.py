"""Requests from the values that a comparison chose, each consistent in itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tenantproof.compare.space import (
    CURRENT_TIME,
    EPOCH_TIME,
    REQUESTED_REGION,
    RESOURCE_ACCOUNT,
    USER_ID,
)
from tenantproof.policy.literals import parse_date
from tenantproof.prove import RequestSpace
from tenantproof.prove.callers import CALLERS, PRINCIPAL_ARN
from tenantproof.prove.formula import CANONICAL_USER, FEDERATED, SERVICE, SESSION
from tenantproof.request import (
    PRINCIPAL_TAG_PREFIX,
    ContextValue,
    Principal,
    PrincipalKind,
    Request,
)

Values = Mapping[str, ContextValue]
"""Subjects with what was chosen for them; the others are absent or follow."""

_ROLE_ID: Final = "AROACKCEVSQ6C2EXAMPLE:example"


@dataclass(frozen=True)
class Builder:
    """Builds the requests of one space.

    Attributes:
        space: the space.
        names: the condition keys that the policies mention, lower case to as written.
    """

    space: RequestSpace
    names: Mapping[str, str]

    def request(self, action: str, resource: str, values: Values) -> Request:
        """The request with some values: what follows from them is put in."""
        principal = self._principal(values)
        context: dict[str, ContextValue] = {}
        for key, name in self.names.items():
            if key not in principal.keys:
                value = self._value(key, values, principal, resource)
                if value is not None:
                    context[name] = value
        return Request(principal, action, resource, dict(sorted(context.items())))

    def _principal(self, values: Values) -> Principal:
        if self.space.principal is not None:
            return self.space.principal
        arn = _text(values, PRINCIPAL_ARN) or self.space.always.get(PRINCIPAL_ARN)
        canonical = _text(values, CANONICAL_USER)
        for kind, subject in (
            (PrincipalKind.SERVICE, SERVICE),
            (PrincipalKind.FEDERATED, FEDERATED),
        ):
            if (name := _text(values, subject)) is not None:
                return Principal(name, kind=kind, canonical_user=canonical)
        if arn is None:
            kind = PrincipalKind.ANONYMOUS
            return Principal("anonymous", kind=kind, canonical_user=canonical)
        tags = {
            self.names[key][len(PRINCIPAL_TAG_PREFIX) :]: value
            for key, value in {**self.space.always, **values}.items()
            if key.startswith(PRINCIPAL_TAG_PREFIX) and isinstance(value, str)
            if key in self.names
            if not arn.endswith(":root")
        }
        session = _text(values, SESSION)
        if session is None:
            return Principal(arn, tags, canonical_user=canonical)
        return Principal(
            _session_arn(arn, session),
            tags,
            {"aws:PrincipalArn": arn} if arn.count("/") > 1 else {},
            canonical_user=canonical,
        )

    def _value(
        self, key: str, values: Values, principal: Principal, resource: str
    ) -> ContextValue | None:
        """A key's value in the request; None where it is absent."""
        if key in self.space.fixed:
            return self.space.fixed[key]
        chosen = values.get(key, self.space.always.get(key))
        fields = resource.split(":", 5)
        match key:
            case "aws:resourceaccount" if len(fields) == 6 and fields[4] not in ("", "aws"):
                return None if chosen is None else fields[4]
            case "aws:requestedregion" if len(fields) == 6 and fields[3]:
                return fields[3]
            case "aws:epochtime" if key in self.space.lifts:
                return _epoch(values.get(CURRENT_TIME, self.space.always[CURRENT_TIME]))
            case "aws:userid" if self.space.principal is None:
                return _user_id(principal, values.get(key))
            case "aws:tokenissuetime" if self.space.principal is None and _is_temporary(principal):
                return chosen or _ISSUED
            case _ if key.startswith(PRINCIPAL_TAG_PREFIX) and self.space.principal is None:
                return None
            case "aws:principalisawsservice" if principal.kind is PrincipalKind.AWS:
                return "false"
            case _ if key in _OF_PRINCIPAL and self.space.principal is None:
                # What the principal does not say here is what no rule gives.
                return chosen if principal.kind in _WITHOUT_ARN else None
            case _:
                return chosen


_OF_PRINCIPAL = frozenset(
    {PRINCIPAL_ARN, "aws:username", "aws:principalaccount", "aws:principaltype", *CALLERS}
)
_WITHOUT_ARN = (PrincipalKind.SERVICE, PrincipalKind.FEDERATED)

FOLLOWING: Final = _OF_PRINCIPAL | {
    EPOCH_TIME,
    REQUESTED_REGION,
    RESOURCE_ACCOUNT,
    USER_ID,
    "aws:principalisawsservice",
    "aws:principalservicename",
}
"""Keys that can follow from other parts of the request."""


_ISSUED: Final = "2026-01-01T00:00:00Z"


def _is_temporary(principal: Principal) -> bool:
    """Whether the caller's credentials are temporary, as those of roles and federated users."""
    kind = principal.arn.split(":", 5)[-1].partition("/")[0]
    is_aws = principal.kind is PrincipalKind.AWS
    return is_aws and kind in ("role", "assumed-role", "federated-user")


def _text(values: Values, subject: str) -> str | None:
    value = values.get(subject)
    return value if isinstance(value, str) else None


def _session_arn(role: str, session: str) -> str:
    fields = role.split(":", 5)
    name = fields[5].rpartition("/")[2]
    return f"arn:{fields[1]}:sts::{fields[4]}:assumed-role/{name}/{session}"


def _user_id(principal: Principal, chosen: ContextValue | None) -> ContextValue | None:
    """The principal identifier, as "Principal key values" of the reference lists it."""
    if principal.kind is not PrincipalKind.AWS:
        return chosen if principal.kind is PrincipalKind.SERVICE else None
    account, resource = principal.arn.split(":", 5)[4:]
    kind, _, name = resource.partition("/")
    match kind:
        case "root":
            return account
        case "federated-user":
            return f"{account}:{name}"
        case "user":
            return chosen or "AIDACKCEVSQ6C2EXAMPLE"
        case "assumed-role":
            return chosen or f"{_ROLE_ID.partition(':')[0]}:{name.rpartition('/')[2]}"
        case _:
            return chosen or _ROLE_ID


def _epoch(time: ContextValue) -> str | None:
    """The seconds since the epoch of a date."""
    instant = parse_date(time) if isinstance(time, str) else None
    if instant is None:
        return None
    whole, part = divmod(instant, 1)
    digits = f"{float(part):.9f}".rstrip("0")[1:] if part else ""
    return f"{whole}{digits}"
