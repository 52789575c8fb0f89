"""Which values a key must have for given atoms to hold, or that there are none.

One subject at a time: subjects share no values, so that atoms of different subjects never
contradict each other here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.formula import Some
from tenantproof.prove.search import Budget, Domain, shortest_member
from tenantproof.request import ContextValue

Literals = Mapping[Some, bool]
"""Atoms of one subject, each with whether it must hold."""


@dataclass(frozen=True)
class _Demand:
    """What one text must fulfil: to be in languages or outside them, and perhaps not empty."""

    atom: Some
    inside: bool
    nonempty: bool

    def accepts(self, text: str) -> bool:
        if self.nonempty and not text:
            return False
        return self.atom.language.accepts(text) == self.inside


def single_value(literals: Literals, domain: Domain, budget: Budget) -> str | None:
    """The smallest value of a single-valued subject that fulfils the literals, if any.

    A value of at least one character is preferred to the empty text.

    Raises:
        BudgetExceededError: neither a value nor its absence was found within the budget.
    """
    wanted = [
        _Demand(atom, inside=atom.complemented != holds, nonempty=False)
        for atom, holds in literals.items()
    ]
    found = _shortest(wanted, _not_empty(domain), budget)
    if found is None and "" in domain:
        fits = all(atom.holds_for([""]) == holds for atom, holds in literals.items())
        return "" if fits else None
    return found


def value_set(literals: Literals, domain: Domain, budget: Budget) -> tuple[str, ...] | None:
    """A smallest set of values of a multivalued key that fulfils the literals, if any.

    An atom that must hold asks for one value, an atom that must not hold asks of every value.
    One value may serve several atoms: the cheapest way to share them out is found by dynamic
    programming over the sets of atoms still to be served.

    Raises:
        BudgetExceededError: neither a set nor its absence was found within the budget, or more
            than ``MOST_EXISTENTIALS`` atoms ask for a value.
    """
    every = [_every(atom) for atom, holds in literals.items() if not holds]
    ones = [
        _Demand(atom, inside=not atom.complemented, nonempty=atom.nonempty)
        for atom, holds in literals.items()
        if holds
    ]
    if len(ones) > MOST_EXISTENTIALS:
        raise BudgetExceededError(f"more than {MOST_EXISTENTIALS} conditions on one key's values")
    groups = range(1, 1 << len(ones))
    serving = {
        group: _one_of_set(
            [one for i, one in enumerate(ones) if group >> i & 1], every, domain, budget
        )
        for group in groups
    }
    best: dict[int, tuple[str, ...] | None] = {0: ()}
    for served in groups:
        shared_out = (
            (value, *rest)
            for group in _parts_with_first(served)
            if (value := serving[group]) is not None and (rest := best[served ^ group]) is not None
        )
        best[served] = min(shared_out, key=_total_length, default=None)
    return best[(1 << len(ones)) - 1]


MOST_EXISTENTIALS = 10
"""The most values that one key is asked for; sharing them out doubles in cost with each."""


def _parts_with_first(served: int) -> Iterator[int]:
    """The subsets of a set of atoms (as bits) that hold its first atom."""
    first = served & -served
    part = rest = served ^ first
    while part:
        yield part | first
        part = (part - 1) & rest
    yield first


def _total_length(values: Iterable[str]) -> int:
    return sum(1 + len(value) for value in values)


def _every(atom: Some) -> _Demand:
    """What an atom that must not hold asks of a value: where it is ``nonempty``, not of ``""``."""
    return _Demand(atom, inside=atom.complemented, nonempty=False)


def _one_of_set(
    group: Sequence[_Demand], every: Sequence[_Demand], domain: Domain, budget: Budget
) -> str | None:
    """The shortest value that serves a group of atoms at once."""
    found = _shortest([*group, *every], _not_empty(domain), budget)
    if found is not None:
        return found
    empty_allowed = all(demand.atom.nonempty or demand.accepts("") for demand in every)
    serves = all(one.accepts("") for one in group)
    return "" if "" in domain and serves and empty_allowed else None


def _not_empty(domain: Domain) -> Domain:
    return domain if domain.min_length else replace(domain, min_length=1)


def _shortest(wanted: Iterable[_Demand], domain: Domain, budget: Budget) -> str | None:
    listed = list(wanted)
    return shortest_member(
        [demand.atom.language for demand in listed if demand.inside],
        [demand.atom.language for demand in listed if not demand.inside],
        domain,
        budget,
    )


def witness_value(
    literals: Literals, domain: Domain, budget: Budget, *, multivalued: bool
) -> ContextValue | None:
    """The value of a subject that fulfils the literals, or None where no value does."""
    if multivalued:
        return value_set(literals, domain, budget)
    return single_value(literals, domain, budget)
