"""What is found on a route: a way, or what keeps one from saying that there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenantproof.isolation.asking import not_modelled
from tenantproof.isolation.findings import Step
from tenantproof.isolation.routes.query import Query
from tenantproof.prove import Term
from tenantproof.prove.solver import Blocked, Witness


@dataclass(frozen=True)
class Way:
    """A way to another tenant's artifact, each step of it allowed.

    Attributes:
        steps: the steps.
        victims: the tenants whose artifacts can be reached at its end.
        shortest: whether a smaller last request was excluded.
    """

    steps: tuple[Step, ...]
    victims: tuple[str, ...]
    shortest: bool = True


@dataclass(frozen=True)
class Doubt:
    """Why it cannot be said whether there is a way."""

    reason: str


Outcome = Way | Doubt

Victims = Callable[[Witness], tuple[str, ...]]
"""The tenants that a request reaches, by its values."""


def asked(query: Query, victims: Victims, formula: Term = True) -> Outcome | None:
    """What a query says of a formula: a way, a doubt, or None where there is no way.

    Raises:
        BudgetExceededError: the budget ran out.
    """
    found = query.smallest(formula)
    match found:
        case None:
            return None
        case Blocked():
            return Doubt("; ".join((*query.who.doubts, not_modelled(found))))
        case Witness() if query.who.doubts:
            return Doubt("; ".join(query.who.doubts))
        case Witness():
            return Way(query.steps(found), victims(found), found.shortest)


def first_way(outcomes: Iterable[Outcome]) -> tuple[Way | None, tuple[Doubt, ...]]:
    """The first way among some outcomes, and the doubts met before it."""
    doubts: dict[Doubt, None] = {}
    for outcome in outcomes:
        if isinstance(outcome, Way):
            return outcome, tuple(doubts)
        doubts[outcome] = None
    return None, tuple(doubts)
