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

    IDENTITY = "identity_policies"
    BOUNDARY = "permissions_boundary"
    SERVICE_CONTROL = "service_control_policies"
    RESOURCE = "resource_policy"


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
        if self.kind is LayerKind.SERVICE_CONTROL:
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


@dataclass(frozen=True)
class PolicySet:
    """Every policy that applies to one principal.

    ``service_control_policies`` holds one tuple a level, from the organization's root down to
    the account; a level allows if one of its policies does, and no level at all means that the
    account is in no organization.
    """

    identity_policies: tuple[PolicyDocument, ...] = ()
    permissions_boundary: PolicyDocument | None = None
    service_control_policies: tuple[tuple[PolicyDocument, ...], ...] = ()

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
        yield Layer(LayerKind.IDENTITY, self.identity_policies)


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
