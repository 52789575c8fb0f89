"""Safe policy sets, each with one planted leak and what it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.policy import PolicyDocument, PolicySet
from tenantproof.request import ContextValue, Principal, Request
from tenantproof_strategies.arguments import shown, shown_as
from tenantproof_strategies.boundary import MODEL
from tenantproof_strategies.grammar import policy
from tenantproof_strategies.names import tenant_names

_INVOKE = "sagemaker:InvokeEndpoint"
_ENDPOINTS = "arn:aws:sagemaker:us-east-1:111122223333:endpoint"
_VARIABLE = "${aws:PrincipalTag/tenant}"
_SECURE = "aws:SecureTransport"
_SID = "InvokeOwn"


class SlipKind(Enum):
    """The slips that are planted."""

    SLASH_DROPPED = "slash dropped"
    WILDCARD_WIDENED = "wildcard widened"
    IF_EXISTS = "operator loosened by IfExists"
    FOR_ALL_VALUES = "operator loosened by ForAllValues:"
    CASE_IGNORED = "operator that ignores case"
    STRANGER = "another tenant's prefix"
    DENY_REMOVED = "Deny removed"
    ACTION_WIDENED = "Action widened"
    NOT_ACTION = "Action turned into NotAction"
    VARIABLE_WIDENED = "variable replaced by a wildcard"
    VERSION_DROPPED = "Version dropped"
    RESOURCE_WIDENED = "Resource widened"


_KINDS = tuple(SlipKind)


@dataclass(frozen=True)
class Slip:
    """What is wrong with a leaky policy set: its kind, the statement's Sid, and a sentence."""

    kind: SlipKind
    statement: str
    sentence: str


@dataclass(frozen=True)
class LeakySet:
    """A tenant's policies without a leak and with one.

    Attributes:
        safe: policies that keep the tenant to what it owns.
        leaky: the same with one slip.
        what: the slip.
        principal: whom the policies are attached to.
        endpoint: the endpoint that the tenant is on.
        owns: the patterns of its models, on this endpoint alone.
        others: the patterns of another tenant's models, on every endpoint.
        witness: a request out of what the tenant owns, allowed by ``leaky`` and not by ``safe``.
    """

    safe: PolicySet
    leaky: PolicySet
    what: Slip
    principal: Principal
    endpoint: str
    owns: tuple[str, ...]
    others: tuple[str, ...]
    witness: Request


def leaky_policy_sets(kinds: Iterable[SlipKind] = _KINDS) -> st.SearchStrategy[LeakySet]:
    """Safe policy sets, each with one planted leak and what it is.

    Args:
        kinds: the slips to plant.

    Raises:
        TypeError: ``kinds`` holds something else.
        InvalidArgument: ``kinds`` holds none.
    """
    chosen = tuple(kinds)
    for kind in chosen:
        if not isinstance(kind, SlipKind):
            raise TypeError(f"found {shown(kind)} in kinds, expected members of SlipKind")
    if not chosen:
        raise InvalidArgument("found no kinds, expected one at least")
    return _leaky_policy_sets(chosen)


@dataclass(frozen=True)
class _Case:
    """Two tenants, one's name the beginning of the other's, and what surrounds the slip."""

    own: str
    other: str
    areas: tuple[str, ...]
    endpoint: str
    secure: bool

    @property
    def owns(self) -> tuple[str, ...]:
        return (f"{self.own}/*", *(f"{area}/{self.own}/*" for area in self.areas))

    def invoke(
        self, models: Iterable[str], operator: str = "StringLike", **changes: Any
    ) -> dict[str, Any]:
        """The statement that lets the tenant invoke some models."""
        condition: dict[str, Any] = {operator: {TARGET_MODEL: list(models)}}
        if self.secure:
            condition["Bool"] = {_SECURE: "true"}
        statement: dict[str, Any] = {"Sid": _SID, "Effect": "Allow", "Action": _INVOKE}
        return {**statement, "Resource": self.endpoint, "Condition": condition, **changes}


@dataclass(frozen=True)
class _Planted:
    """The statements without and with the slip, and a request that shows it."""

    safe: list[dict[str, Any]]
    leaky: list[dict[str, Any]]
    sentence: str
    target: str | None
    statement: str = _SID
    endpoint: str | None = None
    version: str | None = "2012-10-17"


def _slash_dropped(case: _Case) -> _Planted:
    first, *rest = case.owns
    return _Planted(
        [case.invoke(case.owns)],
        [case.invoke([f"{case.own}*", *rest])],
        f"{case.own}* lacks the slash of {first}, and {case.other}/ begins so, too",
        f"{case.other}/{MODEL}",
    )


def _wildcard_widened(case: _Case) -> _Planted:
    first, *rest = case.owns
    wide = f"{case.own[0]}*"
    return _Planted(
        [case.invoke(case.owns)],
        [case.invoke([*rest, wide])],
        f"{wide} takes more than {first}",
        f"{case.other}/{MODEL}",
    )


def _loosened(case: _Case, operator: str) -> _Planted:
    return _Planted(
        [case.invoke(case.owns)],
        [case.invoke(case.owns, operator)],
        f"{operator} holds where there is no TargetModel",
        None,
    )


def _case_ignored(case: _Case) -> _Planted:
    model = f"{case.own}/{MODEL}"
    return _Planted(
        [case.invoke([model], "StringEquals")],
        [case.invoke([model], "StringEqualsIgnoreCase")],
        f"S3 tells {model.upper()} from {model}, StringEqualsIgnoreCase does not",
        model.upper(),
    )


def _stranger(case: _Case) -> _Planted:
    return _Planted(
        [case.invoke(case.owns)],
        [case.invoke([*case.owns, f"{case.other}/*"])],
        f"{case.other}/ is another tenant's",
        f"{case.other}/{MODEL}",
    )


def _deny_removed(case: _Case) -> _Planted:
    deny = case.invoke(case.owns, "StringNotLike", Sid="DenyOthers", Effect="Deny")
    if case.secure:
        deny["Condition"].pop("Bool")
    allow = case.invoke(["*"])
    return _Planted(
        [allow, deny],
        [allow],
        "without the Deny of all but the tenant's models * takes them all",
        f"{case.other}/{MODEL}",
        "DenyOthers",
    )


def _describe(case: _Case, **action: Any) -> dict[str, Any]:
    return {"Sid": "Describe", "Effect": "Allow", **action, "Resource": case.endpoint}


def _action_changed(case: _Case, sentence: str, **action: Any) -> _Planted:
    return _Planted(
        [case.invoke(case.owns), _describe(case, Action="sagemaker:DescribeEndpoint")],
        [case.invoke(case.owns), _describe(case, **action)],
        sentence,
        f"{case.other}/{MODEL}",
        "Describe",
    )


def _variable_widened(case: _Case) -> _Planted:
    return _Planted(
        [case.invoke([f"{_VARIABLE}/*"])],
        [case.invoke(["*/*"])],
        f"*/* takes every tenant's models, {_VARIABLE}/* its own",
        f"{case.other}/{MODEL}",
    )


def _version_dropped(case: _Case) -> _Planted:
    own = [case.invoke([f"{_VARIABLE}/*"])]
    return _Planted(
        own,
        own,
        f"without Version {_VARIABLE} is text, and a path that begins with it is no tenant's",
        f"{_VARIABLE}/{MODEL}",
        version=None,
    )


def _resource_widened(case: _Case) -> _Planted:
    return _Planted(
        [case.invoke(case.owns)],
        [case.invoke(case.owns, Resource=f"{_ENDPOINTS}/*")],
        f"{_ENDPOINTS}/* takes endpoints that the tenant is not on",
        f"{case.own}/{MODEL}",
        endpoint=f"{_ENDPOINTS}/others",
    )


_PLANTING: dict[SlipKind, Callable[[_Case], _Planted]] = {
    SlipKind.SLASH_DROPPED: _slash_dropped,
    SlipKind.WILDCARD_WIDENED: _wildcard_widened,
    SlipKind.IF_EXISTS: lambda case: _loosened(case, "StringLikeIfExists"),
    SlipKind.FOR_ALL_VALUES: lambda case: _loosened(case, "ForAllValues:StringLike"),
    SlipKind.CASE_IGNORED: _case_ignored,
    SlipKind.STRANGER: _stranger,
    SlipKind.DENY_REMOVED: _deny_removed,
    SlipKind.ACTION_WIDENED: lambda case: _action_changed(
        case,
        "sagemaker:*Endpoint invokes, too, and the statement has no condition",
        Action="sagemaker:*Endpoint",
    ),
    SlipKind.NOT_ACTION: lambda case: _action_changed(
        case,
        "NotAction leaves invoking in, and the statement has no condition",
        NotAction="sagemaker:DeleteEndpoint",
    ),
    SlipKind.VARIABLE_WIDENED: _variable_widened,
    SlipKind.VERSION_DROPPED: _version_dropped,
    SlipKind.RESOURCE_WIDENED: _resource_widened,
}

_NAMES = tenant_names(names="[a-z][a-z0-9]{1,11}")
_CASES = st.builds(
    lambda own, suffix, areas, secure: _Case(
        own, own + suffix, areas, f"{_ENDPOINTS}/models", secure
    ),
    _NAMES,
    st.sampled_from(("-corp", "2", "x", "-eu")),
    st.lists(st.sampled_from(("eu", "us", "prod", "test")), unique=True, max_size=4).map(tuple),
    st.booleans(),
)
_BYSTANDERS = (
    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::public/*"},
    {"Effect": "Allow", "Action": "sagemaker:ListEndpoints", "Resource": "*"},
    {"Effect": "Deny", "Action": "iam:*", "Resource": "*"},
    {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {_SECURE: "false"}}},
)
_FULL = {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


def _drawn(document: dict[str, Any]) -> st.SearchStrategy[PolicyDocument]:
    """A policy drawn, though there is no choice: failing examples print it as it was made."""
    return st.builds(policy, st.just(document))


@st.composite
@shown_as("leaky_policy_sets")
def _leaky_policy_sets(draw: st.DrawFn, kinds: tuple[SlipKind, ...] = _KINDS) -> LeakySet:
    kind = draw(st.sampled_from(kinds))
    case = draw(_CASES)
    planted = _PLANTING[kind](case)
    bystanders = draw(st.lists(st.sampled_from(_BYSTANDERS), unique_by=str, max_size=2))
    boundary = draw(st.booleans())
    levels = draw(st.integers(0, 2))

    def policies(statements: list[dict[str, Any]], version: str | None) -> PolicySet:
        head = {"Version": version} if version else {}
        document = draw(_drawn({**head, "Statement": [*statements, *bystanders]}))
        full = draw(_drawn(_FULL))
        return PolicySet((document,), full if boundary else None, ((full,),) * levels)

    principal = Principal(f"arn:aws:iam::111122223333:role/{case.own}", {"tenant": case.own})
    context: dict[str, ContextValue] = {_SECURE: "true"}
    if planted.target is not None:
        context[TARGET_MODEL] = planted.target
    return LeakySet(
        safe=policies(planted.safe, "2012-10-17"),
        leaky=policies(planted.leaky, planted.version),
        what=Slip(kind, planted.statement, planted.sentence),
        principal=principal,
        endpoint=case.endpoint,
        owns=case.owns,
        others=(f"{case.other}/*",),
        witness=Request(principal, _INVOKE, planted.endpoint or case.endpoint, context),
    )
