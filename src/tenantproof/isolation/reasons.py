"""Why there is no verdict, or a doubtful one, in words."""

from __future__ import annotations

from collections.abc import Iterable

from tenantproof.errors import BudgetExceededError
from tenantproof.prove import Opaque
from tenantproof.prove.solver import Blocked
from tenantproof.reading import Ambiguity


def not_modelled(found: Blocked) -> str:
    """Which conditions without a model an answer rests on."""
    return "; ".join(map(_condition, found.conditions))


def _condition(condition: Opaque) -> str:
    values = ", ".join(condition.values)
    what = f"{condition.operator} {values} on {condition.key}"
    return f"not modelled yet: {what} ({condition.place})"


def hangs_on(ambiguities: Iterable[Ambiguity]) -> str:
    """On which open questions an answer hangs."""
    return f"the answer hangs on what the IAM reference leaves open: {asked(ambiguities)}"


def asked(ambiguities: Iterable[Ambiguity]) -> str:
    """The open questions."""
    return " and ".join(ambiguity.question for ambiguity in ambiguities)


def out_of_budget(error: BudgetExceededError) -> str:
    """Which budget ran out."""
    return f"no answer within the budget: {error}"
