"""Whom a Principal element names, as terms: the twin of :mod:`tenantproof.evaluate.principals`.

Who calls is told by ``aws:principalarn`` and the subjects beside it (see
:mod:`tenantproof.prove.formula`). Follows "AWS JSON policy elements: Principal" and
"... NotPrincipal" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tenantproof.policy.syntax import PrincipalClause, PrincipalEntry
from tenantproof.prove.formula import (
    CANONICAL_USER,
    FEDERATED,
    SERVICE,
    SESSION,
    Loop,
    Piece,
    Some,
    Term,
    conj,
    disj,
    neg,
    pattern_of,
)
from tenantproof.prove.languages import ANY, NO_COLON, Language, literal
from tenantproof.request import Principal, PrincipalKind

PRINCIPAL_ARN: Final = "aws:principalarn"
EVERYONE: Final = "*"

_SUBJECTS = {"Service": SERVICE, "Federated": FEDERATED, "CanonicalUser": CANONICAL_USER}

CALLERS = frozenset({SESSION, *_SUBJECTS.values()})
"""The subjects that say who calls, ``aws:principalarn`` aside."""

ROOT = Language([pattern_of(("arn:", Loop(NO_COLON), ":iam::", Loop(NO_COLON), ":root"), {})])
"""The ARNs of root users."""


def callers_of(principal: Principal) -> Mapping[str, str]:
    """The subjects that a fixed principal has, with their values."""
    known: dict[str, str] = {}
    if principal.canonical_user is not None:
        known[CANONICAL_USER] = principal.canonical_user
    match principal.kind:
        case PrincipalKind.SERVICE:
            known[SERVICE] = principal.arn
        case PrincipalKind.FEDERATED:
            known[FEDERATED] = principal.arn
        case PrincipalKind.AWS if ":assumed-role/" in principal.arn:
            known[SESSION] = principal.arn.rpartition("/")[2]
        case _:
            pass
    return known


@dataclass(frozen=True)
class Callers:
    """Makes the terms of Principal elements.

    Attributes:
        present: whether a subject is there.
        some: an atom of a subject, or its truth where that is known.
    """

    present: Callable[[str], Term]
    some: Callable[[Some], Term]

    def named(self, clause: PrincipalClause) -> Term:
        """Whether one entry names the caller."""
        return disj([self._names(entry) for entry in clause.entries])

    def named_itself(self, clause: PrincipalClause) -> Term:
        """Whether an entry names the caller by an ARN of its own: a user's, or a session's."""
        return disj([self._names_aws(value) for value in _arns(clause) if not _is_role(value)])

    def named_by_role(self, clause: PrincipalClause) -> Term:
        """Whether an entry names the caller's role."""
        return disj([self._names_aws(value) for value in _arns(clause) if _is_role(value)])

    def left_out_by_level(self, clause: PrincipalClause) -> Term:
        """Whether the account, of a role session the role, and the principal itself are listed."""
        listed = [e.value for e in clause.entries if e.type == "AWS" and e.value != EVERYONE]
        others = [e for e in clause.entries if e.type != "AWS" or e.value == EVERYONE]
        accounts, roles, sessions, rest = _by_level(listed)
        by_itself = disj([self._names_aws(value) for value in rest])
        role = disj([self._names_aws(value) for value in roles])
        session = disj([self._names_aws(value) for value in sessions])
        without_session = neg(self.present(SESSION))
        below = (self._in(PRINCIPAL_ARN, ROOT), by_itself)
        by_role = conj((role, disj((without_session, session))))
        account = disj([self._names_aws(value) for value in accounts])
        by_levels = conj((account, disj((*below, by_role))))
        return disj((*(self._names(entry) for entry in others), by_levels))

    def _names(self, entry: PrincipalEntry) -> Term:
        if entry.type == "AWS":
            return entry.value == EVERYONE or self._names_aws(entry.value)
        subject = _SUBJECTS[entry.type]
        return self.present(subject) if entry.value == EVERYONE else self._is(subject, entry.value)

    def _names_aws(self, value: str) -> Term:
        """An account's ID or ARN names all its principals, another ARN the one that has it."""
        if ":" not in value:
            of_any_partition: tuple[Piece, ...] = ("arn:", Loop(NO_COLON))
            return self._in(PRINCIPAL_ARN, _of_account(of_any_partition, value))
        fields = value.split(":", 5)
        if len(fields) < 6:
            return self._is(PRINCIPAL_ARN, value)
        scheme, partition, service, region, account, resource = fields
        if resource == "root":
            if (scheme, service, region) != ("arn", "iam", ""):
                return False
            return self._in(PRINCIPAL_ARN, _of_account((f"arn:{partition}",), account))
        kind, _, name = resource.partition("/")
        if kind == "assumed-role":
            role, _, session = name.partition("/")
            if (scheme, service, region) != ("arn", "sts", "") or not session:
                return False
            iam = f"arn:{partition}:iam::{account}:role/"
            of_role = Language([literal(iam + role), pattern_of((iam, Loop(ANY), "/" + role), {})])
            return conj((self._is(SESSION, session), self._in(PRINCIPAL_ARN, of_role)))
        return self._is(PRINCIPAL_ARN, value)

    def _is(self, subject: str, value: str) -> Term:
        return self._in(subject, Language([literal(value)]))

    def _in(self, subject: str, values: Language) -> Term:
        return conj((self.present(subject), self.some(Some(subject, values))))


def names_everyone(clause: PrincipalClause) -> bool:
    """Whether an element stands for everyone, or for everyone but some."""
    return clause.negated or any(e.type == "AWS" and e.value == EVERYONE for e in clause.entries)


def _arns(clause: PrincipalClause) -> list[str]:
    """The ARNs of users, roles and sessions that an element lists."""
    listed = [] if clause.negated else [e.value for e in clause.entries if e.type == "AWS"]
    return [each for each in listed if ":" in each and each.split(":", 5)[5:] != ["root"]]


def _is_role(arn: str) -> bool:
    return arn.split(":", 5)[-1].startswith("role/")


def _of_account(partition: tuple[Piece, ...], account: str) -> Language:
    pieces = (*partition, ":", Loop(NO_COLON), "::", account, ":", Loop(ANY))
    return Language([pattern_of(pieces, {})])


def _by_level(listed: Iterable[str]) -> tuple[list[str], list[str], list[str], list[str]]:
    """ARNs of accounts, of roles, of role sessions, and the rest."""
    accounts: list[str] = []
    roles: list[str] = []
    sessions: list[str] = []
    rest: list[str] = []
    for value in listed:
        resource = value.split(":", 5)[5:]
        if ":" not in value or resource == ["root"]:
            accounts.append(value)
        elif resource and resource[0].startswith("role/"):
            roles.append(value)
        elif resource and resource[0].startswith("assumed-role/"):
            sessions.append(value)
        else:
            rest.append(value)
    return accounts, roles, sessions, rest
