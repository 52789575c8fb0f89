"""The policies that decide one principal's requests, layer by layer.

Follows "Policy evaluation logic" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from tenantproof.errors import InputError, Problem
from tenantproof.policy.syntax import PolicyDocument, Statement


class LayerKind(Enum):
    """The kinds of policy layers; the value is how reports name them."""

    IDENTITY = "identity_policies"
    BOUNDARY = "permissions_boundary"
    SERVICE_CONTROL = "service_control_policies"


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
        problems = [
            problem
            for layer in self.layers()
            for policy in layer.policies
            for statement in policy.statements
            for problem in _misplaced(statement)
        ]
        if problems:
            raise InputError(problems)

    def layers(self) -> Iterator[Layer]:
        """The layers that apply, outermost first; each must allow."""
        for level, policies in enumerate(self.service_control_policies):
            yield Layer(LayerKind.SERVICE_CONTROL, policies, level)
        if self.permissions_boundary is not None:
            yield Layer(LayerKind.BOUNDARY, (self.permissions_boundary,))
        yield Layer(LayerKind.IDENTITY, self.identity_policies)


def _misplaced(statement: Statement) -> Iterator[Problem]:
    if statement.principal is not None:
        element = statement.principal.element
        message = f"found {element}, expected none in an identity policy"
        yield Problem(message, statement.principal.place, statement.name)
    if statement.resource is None:
        message = "found neither Resource nor NotResource, expected one of them"
        yield Problem(message, statement.place, statement.name)
