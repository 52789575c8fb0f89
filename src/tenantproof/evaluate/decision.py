"""What the evaluator answers: a decision, and for each statement why it did or did not match."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from tenantproof.errors import Place
from tenantproof.policy.stack import Layer
from tenantproof.policy.syntax import Effect, Statement


class Outcome(Enum):
    """The three decisions, named as the IAM policy simulator names them."""

    ALLOWED = "Allowed"
    EXPLICIT_DENY = "ExplicitDeny"
    IMPLICIT_DENY = "ImplicitDeny"


@dataclass(frozen=True)
class Check:
    """Whether one element of a statement matched the request, and why."""

    element: str
    matched: bool
    because: str
    place: Place


@dataclass(frozen=True)
class StatementResult:
    """One statement's part in a decision.

    ``checks`` end with the first element that did not match; where ``applies`` is true, every
    element of the statement is among them.
    """

    layer: Layer
    policy_index: int
    statement: Statement
    applies: bool
    checks: tuple[Check, ...]

    @property
    def effect(self) -> Effect:
        """The statement's effect."""
        return self.statement.effect


@dataclass(frozen=True)
class Decision:
    """A request's decision with its reasons.

    ``denied_by`` names the layers that did not allow and had to, or one of which had to (implicit
    deny); it is empty for the other outcomes.
    """

    outcome: Outcome
    results: tuple[StatementResult, ...]
    denied_by: tuple[Layer, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.outcome is Outcome.ALLOWED

    def applied(self, effect: Effect) -> tuple[StatementResult, ...]:
        """The statements of one effect that applied."""
        return tuple(r for r in self.results if r.applies and r.effect is effect)
