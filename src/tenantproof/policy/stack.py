"""The policies that decide one principal's requests, layer by layer.

Follows "Policy evaluation logic" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tenantproof.errors import InputError, Problem
from tenantproof.policy.syntax import PolicyDocument, Statement


class LayerKind(Enum):
    """The kinds of policy layers; the value is how reports name them."""

    RESOURCE_CONTROL = "resource_control_policies"
    SERVICE_CONTROL = "service_control_policies"
    RESOURCE = "resource_policy"
    BOUNDARY = "permissions_boundary"
    SESSION = "session_policy"
    IDENTITY = "identity_policies"


BY_LEVEL = frozenset({LayerKind.RESOURCE_CONTROL, LayerKind.SERVICE_CONTROL})
"""The kinds that an organization has a layer of on each level, of which each must allow."""

RESOURCE_CONTROL_SERVICES = frozenset(
    {
        "aoss",
        "cognito-identity",
        "cognito-idp",
        "ecr",
        "kms",
        "logs",
        "s3",
        "secretsmanager",
        "sqs",
        "sts",
    }
)
"""The services that "Resource control policies (RCPs)" of the AWS Organizations User Guide lists,
by the prefix of their actions."""

RESOURCE_MUST_ALLOW = (
    "kms:*",
    "sts:AssumeRole*",
    "sts:SetSourceIdentity",
    "sts:TagSession",
)
"""The actions that a key's policy or a role's trust policy must allow, in one account, too."""


@dataclass(frozen=True)
class Layer:
    """Policies of which one must allow for the layer to allow.

    ``level`` counts the levels of an organization from the root down; 0 for other layers.
    """

    kind: LayerKind
    policies: tuple[PolicyDocument, ...]
    level: int = 0

    @property
    def name(self) -> str:
        """How reports name the layer."""
        if self.kind in BY_LEVEL:
            return f"{self.kind.value}[{self.level}]"
        return str(self.kind.value)


class Stack(Protocol):
    """Policies in layers, of which each must allow."""

    def layers(self) -> Iterator[Layer]:
        """The layers that apply, outermost first."""
        ...


@dataclass(frozen=True)
class ResourcePolicies:
    """The policies of a resource by themselves: who may do what to it, as far as they say.

    A bucket policy, say, or a role's trust policy, which has no Resource.
    """

    policies: tuple[PolicyDocument, ...] = ()

    def __post_init__(self) -> None:
        """Refuse statements without principals.

        Raises:
            InputError: a statement names none.
        """
        message = "found neither Principal nor NotPrincipal, expected one in a resource policy"
        _refuse(
            Problem(message, statement.place, statement.name)
            for policy in self.policies
            for statement in policy.statements
            if statement.principal is None
        )

    def layers(self) -> Iterator[Layer]:
        """The one layer."""
        yield Layer(LayerKind.RESOURCE, self.policies)


Levels = tuple[tuple[PolicyDocument, ...], ...]
"""Policies of an organization: one tuple a level, from its root down to the account.

A level allows if one of its policies does; no level at all means that the account is in no
organization.
"""


@dataclass(frozen=True)
class PolicySet:
    """The caller's side: every policy that applies to one principal, whatever it calls.

    Attributes:
        identity_policies: managed, inline, and those of a user's groups.
        permissions_boundary: the one of the user or the role.
        service_control_policies: those of the principal's account.
        session_policies: those passed when the session began; none where none was passed. Together
            they are one layer.
    """

    identity_policies: tuple[PolicyDocument, ...] = ()
    permissions_boundary: PolicyDocument | None = None
    service_control_policies: Levels = ()
    session_policies: tuple[PolicyDocument, ...] = ()

    def __post_init__(self) -> None:
        """Refuse statements that only a resource policy may have.

        Raises:
            InputError: a statement names principals or no resource.
        """
        _refuse(
            problem
            for layer in self.layers()
            for policy in layer.policies
            for statement in policy.statements
            for problem in _misplaced(statement)
        )

    def layers(self) -> Iterator[Layer]:
        """The layers that apply, outermost first; each must allow."""
        for level, policies in enumerate(self.service_control_policies):
            yield Layer(LayerKind.SERVICE_CONTROL, policies, level)
        if self.permissions_boundary is not None:
            yield Layer(LayerKind.BOUNDARY, (self.permissions_boundary,))
        if self.session_policies:
            yield Layer(LayerKind.SESSION, self.session_policies)
        yield Layer(LayerKind.IDENTITY, self.identity_policies)


@dataclass(frozen=True)
class Access:
    """Both sides of a request: the caller's policies, and those of the resource it is about.

    How the two combine ("Policy evaluation logic" of the IAM User Guide): an explicit deny
    anywhere wins, and each level of both organizations must allow. In one account the identity
    policies or the resource's policy allow, in two accounts both must. What the resource's policy
    allows to a user or a session itself, boundary and session policy do not limit; what it allows
    to a role they do.

    Attributes:
        caller: the caller's side.
        resource_policy: the resource's own policy (a bucket policy, a role's trust policy); None
            where it has none.
        resource_control_policies: those of the resource's account.
    """

    caller: PolicySet
    resource_policy: PolicyDocument | None = None
    resource_control_policies: Levels = ()

    def __post_init__(self) -> None:
        """Check the resource's side; the caller's is checked already.

        Raises:
            InputError: a statement of the resource's policy names no principals, or one of a
                resource control policy others than everyone.
        """
        ResourcePolicies(self.resource_policies)
        _refuse(
            problem
            for level in self.resource_control_policies
            for policy in level
            for statement in policy.statements
            for problem in _not_for_everyone(statement)
        )

    @property
    def resource_policies(self) -> tuple[PolicyDocument, ...]:
        """The resource's policy, if it has one."""
        return () if self.resource_policy is None else (self.resource_policy,)

    def layers(self) -> Iterator[Layer]:
        """The layers that apply, outermost first."""
        for level, policies in enumerate(self.resource_control_policies):
            yield Layer(LayerKind.RESOURCE_CONTROL, policies, level)
        if self.resource_policy is not None:
            yield Layer(LayerKind.RESOURCE, (self.resource_policy,))
        yield from self.caller.layers()


def statements(stack: Stack) -> Iterator[Statement]:
    """Every statement of a stack."""
    for layer in stack.layers():
        for policy in layer.policies:
            yield from policy.statements


def _refuse(found: Iterable[Problem]) -> None:
    problems = list(found)
    if problems:
        raise InputError(problems)


def _misplaced(statement: Statement) -> Iterator[Problem]:
    if statement.principal is not None:
        element = statement.principal.element
        message = f"found {element}, expected none in an identity policy"
        yield Problem(message, statement.principal.place, statement.name)
    if statement.resource is None:
        message = "found neither Resource nor NotResource, expected one of them"
        yield Problem(message, statement.place, statement.name)


def _not_for_everyone(statement: Statement) -> Iterator[Problem]:
    """The one Principal that a resource control policy may have is ``*``."""
    clause = statement.principal
    if clause is not None and (clause.negated or any(e.value != "*" for e in clause.entries)):
        message = f'found {clause.element}, expected Principal "*" in a resource control policy'
        yield Problem(message, clause.place, statement.name)
