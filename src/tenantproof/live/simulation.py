"""What the IAM policy simulator is asked, and what it answers.

Follows "SimulateCustomPolicy" and "SimulatePrincipalPolicy" of the IAM API Reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tenantproof.aws import Failure


class Operation(Enum):
    """The two operations; the value is the API's name."""

    CUSTOM = "SimulateCustomPolicy"
    PRINCIPAL = "SimulatePrincipalPolicy"


@dataclass(frozen=True)
class Simulation:
    """One action on one resource, to be decided by the simulator.

    Attributes:
        operation: which of the two operations is asked.
        action: the action, ``service:Name``.
        resource: the ARN, or ``*``.
        parameters: all other parameters as the API takes them, those of paging left out.
        lacks: the condition keys that the policies mention and the request does not have, names in
            lower case: the simulator calls them missing, and they are meant to be.
        statements: where statements begin in the policies that are sent: the name of each by
            the policy's identifier as the simulator names it (``PolicyInputList.1``) and the line.
    """

    operation: Operation
    action: str
    resource: str
    parameters: Mapping[str, Any]
    lacks: frozenset[str] = frozenset()
    statements: Mapping[tuple[str, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the simulator says of one action on one resource.

    Attributes:
        decision: ``allowed``, ``explicitDeny`` or ``implicitDeny``.
        missing: the condition keys that it calls missing, as it names them.
        matched: the statements that its decision rests on: the policy's identifier, and the line
            and column where the statement begins, where it says so.
        details: what it says of organizations, boundary and types of policies, for people.
    """

    decision: str
    missing: tuple[str, ...] = ()
    matched: tuple[tuple[str, int | None, int | None], ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NoAnswer:
    """Why the simulator says nothing of a question."""

    failure: Failure
    message: str


@dataclass(frozen=True)
class NotSimulatable:
    """Why a request cannot be put to the simulator at all."""

    reason: str
