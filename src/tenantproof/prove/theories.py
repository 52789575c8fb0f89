"""Which values a key must have for given atoms to hold, or that there are none.

One subject at a time: subjects share no values, so that atoms of different subjects never
contradict each other here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tenantproof.errors import BudgetExceededError
from tenantproof.policy.syntax import Family
from tenantproof.prove.automata import AUTOMATA, Automaton
from tenantproof.prove.formula import Some
from tenantproof.prove.languages import Language
from tenantproof.prove.search import Budget, Domain, shortest_member
from tenantproof.prove.typed import (
    Addresses,
    addresses_shape,
    epoch_shape,
    representatives,
    representatives_of_both,
    shape,
)
from tenantproof.request import ContextValue

Literals = Mapping[Some, bool]
"""Atoms of one subject, each with whether it must hold."""


@dataclass(frozen=True)
class Demand:
    """What one text must fulfil: to be in a set of texts or outside it, and perhaps not empty."""

    atom: Some
    inside: bool
    nonempty: bool

    def accepts(self, text: str) -> bool:
        """Whether a text fulfils it."""
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
        Demand(atom, inside=atom.complemented != holds, nonempty=False)
        for atom, holds in literals.items()
    ]
    found = shortest_text(wanted, _not_empty(domain), budget)
    if found is None and "" in domain:
        fits = all(atom.holds_for([""]) == holds for atom, holds in literals.items())
        return "" if fits else None
    return found


def value_set(literals: Literals, domain: Domain, budget: Budget) -> tuple[str, ...] | None:
    """A smallest set of values of a multivalued key that fulfils the literals, if any.

    With more than ``MOST_SHARED`` atoms that ask for a value, one that need not be the smallest.

    An atom that must hold asks for one value, an atom that must not hold asks of every value.
    One value may serve several atoms: the cheapest way to share them out is found by dynamic
    programming over the sets of atoms still to be served.

    Raises:
        BudgetExceededError: neither a set nor its absence was found within the budget.
    """
    every = [_every(atom) for atom, holds in literals.items() if not holds]
    ones = [
        Demand(atom, inside=not atom.complemented, nonempty=atom.nonempty)
        for atom, holds in literals.items()
        if holds
    ]
    if len(ones) > MOST_SHARED:
        return _each_its_own(ones, every, domain, budget)
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


MOST_SHARED = 10
"""Of more atoms that ask for a value each gets its own: sharing doubles in cost with each."""


def _each_its_own(
    ones: Sequence[Demand], every: Sequence[Demand], domain: Domain, budget: Budget
) -> tuple[str, ...] | None:
    values: dict[str, None] = {}
    for one in ones:
        value = _one_of_set([one], every, domain, budget)
        if value is None:
            return None
        values[value] = None
    return tuple(values)


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


def _every(atom: Some) -> Demand:
    """What an atom that must not hold asks of a value: where it is ``nonempty``, not of ``""``."""
    return Demand(atom, inside=atom.complemented, nonempty=False)


def _one_of_set(
    group: Sequence[Demand], every: Sequence[Demand], domain: Domain, budget: Budget
) -> str | None:
    """The shortest value that serves a group of atoms at once."""
    found = shortest_text([*group, *every], _not_empty(domain), budget)
    if found is not None:
        return found
    empty_allowed = all(demand.atom.nonempty or demand.accepts("") for demand in every)
    serves = all(one.accepts("") for one in group)
    return "" if "" in domain and serves and empty_allowed else None


def _not_empty(domain: Domain) -> Domain:
    return domain if domain.min_length else replace(domain, min_length=1)


def shortest_text(wanted: Iterable[Demand], domain: Domain, budget: Budget) -> str | None:
    """The smallest text of a domain without the empty text that fulfils every demand, if any.

    Languages alone are the automata's business. Sets of numbers, dates and addresses are decided
    by representatives of their regions; where a key is compared in both ways, the texts that write
    such values are one more language.

    Raises:
        BudgetExceededError: the budget ran out, or texts and typed values are compared in a way
            that neither representatives nor languages decide.
    """
    demands = [demand for demand in wanted if not _asks_nothing(demand)]
    typed = [d for d in demands if not isinstance(d.atom.language, AUTOMATA)]
    if not typed and domain.kind is None:
        return _search(demands, domain, budget)
    if domain.values is not None:
        return next((v for v in domain.values if all(d.accepts(v) for d in demands)), None)
    for text in _typical_texts(demands, domain):
        if text in domain and all(demand.accepts(text) for demand in demands):
            return text
    if len(typed) == len(demands) and domain.shape in (None, epoch_shape()):
        return None
    return _mixed(demands, domain, budget)


def _asks_nothing(demand: Demand) -> bool:
    """Whether every text but the empty one fulfils a demand: to be outside no pattern at all."""
    language = demand.atom.language
    return not demand.inside and isinstance(language, Language) and not language.patterns


def _typical_texts(demands: Sequence[Demand], domain: Domain) -> list[str]:
    """A text of every region that the typed demands tell apart, and one that writes no value."""
    sets = [d.atom.language for d in demands if not isinstance(d.atom.language, AUTOMATA)]
    kinds = {each.kind: None for each in sets}
    if domain.kind is not None:
        kinds[domain.kind] = None
    texts = [text for kind in kinds for text in representatives(kind, sets)]
    if Family.NUMERIC in kinds and Family.DATE in kinds:
        texts += representatives_of_both(sets)
        # With an exponent a number is no date.
        texts += [f"{n}e0" for n in representatives(Family.NUMERIC, sets) if "e" not in n]
    return [*sorted(texts, key=len), _NO_VALUE]


_NO_VALUE = "x"
"""A text that writes no number, date or address."""


def _mixed(demands: Sequence[Demand], domain: Domain, budget: Budget) -> str | None:
    """As :func:`shortest_text` where a key's text and the value that it writes are compared.

    Each typed demand is relaxed to a language that holds all texts that fulfil it (for networks of
    IPv4 exactly those): what this refutes is refuted, and what it finds is tried.
    """
    relaxed = [one for demand in demands for one in _as_languages(demand)]
    if domain.kind is not None:
        relaxed.append((shape(domain.kind), True))
    found = shortest_member(
        [language for language, inside in relaxed if inside],
        [language for language, inside in relaxed if not inside],
        domain,
        budget,
    )
    if found is None or (found in domain and all(d.accepts(found) for d in demands)):
        return found
    for text in _listed(demands):
        if text in domain and all(demand.accepts(text) for demand in demands):
            return text
    if any(_lists_all(demand) for demand in demands):
        return None
    subject = demands[0].atom.subject
    raise BudgetExceededError(f"{subject} is compared as a text and as a value at once")


def _as_languages(demand: Demand) -> Iterator[tuple[Automaton, bool]]:
    language = demand.atom.language
    if isinstance(language, AUTOMATA):
        yield language, demand.inside
        return
    exact = addresses_shape(language.networks) if isinstance(language, Addresses) else None
    if exact is not None:
        yield exact, demand.inside
    elif demand.inside:
        yield shape(language.kind), True


def _lists_all(demand: Demand) -> bool:
    """Whether every text that fulfils a demand is among those that :func:`_listed` gives."""
    language = demand.atom.language
    return demand.inside and isinstance(language, Language) and language.texts is not None


def _listed(demands: Iterable[Demand]) -> Iterator[str]:
    for demand in demands:
        if isinstance(demand.atom.language, Language):
            yield from demand.atom.language.texts or ()


def _search(demands: Iterable[Demand], domain: Domain, budget: Budget) -> str | None:
    listed = list(demands)
    languages = [
        (d.atom.language, d.inside) for d in listed if isinstance(d.atom.language, AUTOMATA)
    ]
    return shortest_member(
        [language for language, inside in languages if inside],
        [language for language, inside in languages if not inside],
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
