"""Whom a Principal element names.

Follows "AWS JSON policy elements: Principal" and "... NotPrincipal" of the IAM User Guide.
"""

from __future__ import annotations

from enum import IntEnum

from tenantproof.policy.syntax import PrincipalClause, PrincipalEntry
from tenantproof.reading import Reading
from tenantproof.request import Principal, PrincipalKind, Request

EVERYONE = "*"


def principal_matches(clause: PrincipalClause, request: Request, reading: Reading) -> bool:
    """Principal matches if one entry names the caller; NotPrincipal if none does."""
    if clause.negated and reading.not_principal_by_level:
        return not _is_left_out(clause, request)
    return any(_names(entry, request) for entry in clause.entries) != clause.negated


class Grant(IntEnum):
    """How directly an Allow of a resource's policy is given to a caller of the same account.

    ``NONE`` is what is given to the account, which leaves it to the identity policies.
    """

    NONE = 0
    BY_ROLE = 1
    TO_ITSELF = 2


def grant_to_caller(clause: PrincipalClause, request: Request, reading: Reading) -> Grant:
    """What an Allow with this element, which names the caller, gives it."""
    everyone = Grant.TO_ITSELF if reading.everyone_as_itself else Grant.BY_ROLE
    if clause.negated:
        return everyone
    grants = [
        everyone if entry.value == EVERYONE else _grant_by_arn(entry.value)
        for entry in clause.entries
        if entry.type == PrincipalKind.AWS.value and _names(entry, request)
    ]
    return max(grants, default=Grant.NONE)


def _grant_by_arn(value: str) -> Grant:
    """A role's ARN stands for the role, a user's or a session's for the caller itself."""
    if _is_account(value):
        return Grant.NONE
    return Grant.BY_ROLE if value.split(":", 5)[-1].startswith("role/") else Grant.TO_ITSELF


def _names(entry: PrincipalEntry, request: Request) -> bool:
    caller = request.principal
    if entry.type == "CanonicalUser":
        return caller.canonical_user is not None and (
            entry.value in (EVERYONE, caller.canonical_user)
        )
    if entry.type == PrincipalKind.AWS.value:
        return entry.value == EVERYONE or _names_aws(entry.value, request)
    return entry.type == caller.kind.value and entry.value in (EVERYONE, caller.arn)


def _names_aws(value: str, request: Request) -> bool:
    """An account's ID or ARN names all its principals, another ARN the one that has it."""
    if request.principal.kind is not PrincipalKind.AWS:
        return False
    if _is_account(value):
        return _is_of_account(request.principal, value)
    return value in _own_arns(request)


def _own_arns(request: Request) -> tuple[object, ...]:
    """The caller's ARN; a role session has the role's, too."""
    return request.principal.arn, request.keys.get("aws:principalarn")


def _is_account(value: str) -> bool:
    """Whether an entry is an account: ``111122223333`` or ``arn:aws:iam::111122223333:root``."""
    return ":" not in value or value.split(":", 5)[5:] == ["root"]


def _is_of_account(caller: Principal, value: str) -> bool:
    _, partition, _, _, account, *_ = *caller.arn.split(":", 5), *[""] * 5
    return value in (account, f"arn:{partition}:iam::{account}:root")


def _is_left_out(clause: PrincipalClause, request: Request) -> bool:
    """Whether NotPrincipal lists the caller on each level: account, role, session."""
    caller = request.principal
    if any(_names(entry, request) for entry in clause.entries if not _is_aws_arn(entry)):
        return True
    listed = [entry.value for entry in clause.entries if _is_aws_arn(entry)]
    if caller.kind is not PrincipalKind.AWS or not any(
        _is_of_account(caller, value) for value in listed
    ):
        return False
    levels = {arn for arn in _own_arns(request) if not str(arn).endswith(":root")}
    return levels <= set(listed)


def _is_aws_arn(entry: PrincipalEntry) -> bool:
    return entry.type == PrincipalKind.AWS.value and entry.value != EVERYONE
