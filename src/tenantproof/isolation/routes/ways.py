"""What is found on a route: a way, or what keeps one from saying that there is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from tenantproof.isolation.asking import not_modelled
from tenantproof.isolation.findings import Step
from tenantproof.isolation.routes.query import Query
from tenantproof.prove import Term
from tenantproof.prove.solver import Blocked, Witness

MOST_ROUNDS = 8
"""How often more victims of one kind of request are looked for."""


@dataclass(frozen=True)
class Way:
    """A way to another tenant's artifact, each step of it allowed.

    Attributes:
        steps: the steps.
        victims: the tenants whose artifacts can be reached at its end.
        shortest: whether a smaller last request was excluded.
        more: why there may be more victims, where that is so.
    """

    steps: tuple[Step, ...]
    victims: tuple[str, ...]
    shortest: bool = True
    more: str | None = None


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


def each_victim(
    query: Query,
    victims: Victims,
    formula: Callable[[], Term],
    reached: dict[str, None],
    tries: Iterable[Witness] = (),
) -> Iterator[Outcome]:
    """What a query says, again and again until it reaches nobody more.

    Args:
        query: the query.
        victims: whom a request reaches.
        formula: what leads to somebody not reached yet.
        reached: who was reached; added to.
        tries: values as one would meet them, of which the evaluator may allow one at once.
    """
    for each in tries if query.can_be_tried else ():
        if query.is_allowed_as(each):
            way = Way(query.steps(each), victims(each), shortest=False)
            reached.update(dict.fromkeys(way.victims))
            yield way
            break
    for _ in range(MOST_ROUNDS):
        outcome = asked(query, victims, formula())
        if outcome is None:
            return
        is_last = isinstance(outcome, Doubt) or reached.keys() >= set(outcome.victims)
        if isinstance(outcome, Way):
            reached.update(dict.fromkeys(outcome.victims))
        yield outcome
        if is_last:
            return
    if isinstance(outcome, Way):
        yield replace(outcome, more="there may be more victims: not all were looked for")
