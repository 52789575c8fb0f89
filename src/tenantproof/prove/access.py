"""Both sides of a request, as terms: the twin of :mod:`tenantproof.evaluate.access`.

Follows "Policy evaluation logic" of the IAM User Guide, its pages "... for requests within a single
account" and "Cross-account policy evaluation logic", and "RCP evaluation" of the AWS Organizations
User Guide.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from tenantproof.errors import TenantproofError
from tenantproof.policy.stack import (
    RESOURCE_CONTROL_SERVICES,
    RESOURCE_MUST_ALLOW,
    Access,
    Layer,
    LayerKind,
)
from tenantproof.prove.callers import PRINCIPAL_ARN
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    SESSION,
    Loop,
    Piece,
    Some,
    Step,
    Term,
    conj,
    disj,
    neg,
    pattern_of,
)
from tenantproof.prove.languages import ANY, NO_COLON, Language, literal
from tenantproof.prove.regular import CharSet, Choice, Concat, One, Regular, Repeat, text
from tenantproof.prove.space import RequestSpace
from tenantproof.reading import Reading
from tenantproof.request import Principal, PrincipalKind

Atoms = Callable[[Some], Term]
"""An atom of a subject, or its truth where that is known."""

_PRINCIPAL_ACCOUNT = "aws:principalaccount"
_RESOURCE_ACCOUNT = "aws:resourceaccount"


def _any_case(name: str) -> tuple[Piece, ...]:
    """A pattern of actions, whose letters may be of either case."""
    return tuple(
        Loop(ANY) if char == "*" else Step(frozenset((char.lower(), char.upper()))) for char in name
    )


_LISTED = Language([pattern_of(_any_case(f"{s}:*"), {}) for s in sorted(RESOURCE_CONTROL_SERVICES)])
_EXPLICIT = Language([pattern_of(_any_case(name), {}) for name in RESOURCE_MUST_ALLOW])

_ID: tuple[Piece, ...] = (Step(frozenset("0123456789")),) * 12
_ANY_ID = Language([pattern_of(_ID, {})])


@cache
def _is_id(account: str) -> bool:
    return _ANY_ID.accepts(account)


_COLON = CharSet.of(":")
_FIELD = Repeat(One(_COLON.complement()))
_ROLE = Concat((text("arn:"), _FIELD, text(":iam::"), _FIELD, text(":role/")))
_ANYTHING = Repeat(One(CharSet(()).complement()))
_NO_SLASH = Repeat(One(CharSet.of("/").complement()))
_SERVICE_LINKED = Regular(Concat((_ROLE, text("aws-service-role/"), _ANYTHING)), "by path")
_BY_NAME = Regular(
    Concat(
        (
            _ROLE,
            Choice((text(""), Concat((_ANYTHING, text("/"))))),
            text("AWSServiceRoleFor"),
            _NO_SLASH,
        )
    ),
    "by name",
)
"""The ARNs of service-linked roles: by their path, and by the names that AWS gives them."""


def fixed_caller(space: RequestSpace) -> Principal:
    """The caller of every request of a space.

    Raises:
        TenantproofError: the caller is free.
    """
    if space.principal is None:
        raise TenantproofError("found a free caller, expected one where both sides are asked about")
    return space.principal


def has_identity(space: RequestSpace) -> bool:
    """Whether the caller is one of IAM, with policies of its own."""
    return fixed_caller(space).kind is PrincipalKind.AWS


def layer_applies(layer: Layer, space: RequestSpace, some: Atoms, reading: Reading) -> Term:
    """Service-linked roles are not limited by an organization's policies."""
    match layer.kind:
        case LayerKind.RESOURCE_CONTROL:
            listed = not reading.rcp_listed_services or some(Some(ACTION, _LISTED))
            return conj((neg(_is_service_linked(space, some)), listed))
        case LayerKind.SERVICE_CONTROL:
            return neg(_is_service_linked(space, some))
        case _:
            return True


def may_be_unlisted(space: RequestSpace) -> bool:
    """Whether an action can be of a service not listed for resource control policies."""
    actions = space.choices(ACTION).values
    return actions is None or not all(map(_LISTED.accepts, actions))


def is_across_accounts(space: RequestSpace, some: Atoms) -> Term:
    """Whether caller and resource are of two accounts; one that is not known is the other's.

    Raises:
        TenantproofError: neither account is fixed.
    """
    caller, resource = space.known(_PRINCIPAL_ACCOUNT), space.known(_RESOURCE_ACCOUNT)
    if isinstance(caller, str) and isinstance(resource, str):
        return _is_id(caller) and _is_id(resource) and caller != resource
    if isinstance(caller, str):
        return _is_id(caller) and _is_of_another(space, some, caller)
    if isinstance(resource, str):
        return _is_id(resource) and _differs(_PRINCIPAL_ACCOUNT, some, resource)
    if isinstance(caller, tuple):
        return False
    raise TenantproofError(
        "found neither aws:PrincipalAccount nor aws:ResourceAccount fixed, expected one of them"
        " where both sides are asked about"
    )


def _is_of_another(space: RequestSpace, some: Atoms, account: str) -> Term:
    """Whether the resource is of another account: by the request's key, else by its ARN."""
    if isinstance(space.known(_RESOURCE_ACCOUNT), tuple):
        return False
    present = space.present(_RESOURCE_ACCOUNT)
    by_key = _differs(_RESOURCE_ACCOUNT, some, account)
    any_id, own = (Language([pattern_of(_arn_of(each), {})]) for each in (_ID, (account,)))
    by_arn = conj((some(Some(RESOURCE, any_id)), neg(some(Some(RESOURCE, own)))))
    return disj((conj((present, by_key)), conj((neg(present), by_arn))))


def _differs(key: str, some: Atoms, account: str) -> Term:
    """Whether a key holds the ID of another account."""
    own = Language([literal(account)])
    return conj((some(Some(key, _ANY_ID)), neg(some(Some(key, own)))))


def _arn_of(account: tuple[Piece, ...]) -> tuple[Piece, ...]:
    """The ARNs with an account as their fifth field."""
    return *(Loop(NO_COLON), ":") * 4, *account, ":", Loop(ANY)


def resource_must_allow(access: Access, some: Atoms) -> Term:
    """Whether a trust policy or a key policy has to allow, in one account, too."""
    return access.resource_policy is not None and some(Some(ACTION, _EXPLICIT))


def _is_service_linked(space: RequestSpace, some: Atoms) -> Term:
    """Whether the caller is a service-linked role or a session of one."""
    if not has_identity(space):
        return False
    by_path = some(Some(PRINCIPAL_ARN, _SERVICE_LINKED))
    by_name = some(Some(PRINCIPAL_ARN, _BY_NAME))
    return disj((by_path, conj((space.present(SESSION), by_name))))
