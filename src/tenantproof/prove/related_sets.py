"""Sets of values that depend on other values: ``ForAnyValue:`` with a variable that is free.

Each atom that must hold asks for a value of its own, a tape beside those of the other subjects;
what must not hold asks of every such value. "Every value is in one of these" leaves a choice for
each value: all choices are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from tenantproof.errors import BoundedError, BudgetExceededError
from tenantproof.prove.formula import Matches, Some, SomeMatches
from tenantproof.prove.languages import Language, literal, wildcard
from tenantproof.prove.learned import Found
from tenantproof.prove.related import related_values
from tenantproof.prove.search import Budget, Domain
from tenantproof.request import ContextValue

SetAtom = Some | SomeMatches
Literals = dict[Some | Matches, bool]
"""What one value, and those put into it, must fulfil."""

_MOST_WAYS = 256
"""The most choices that are tried."""

_NOT_EMPTY = Language([wildcard("?*")])


def related_sets(
    domains: Mapping[str, Domain],
    sets: Mapping[SetAtom, bool],
    others: Mapping[Some | Matches, bool],
    budget: Budget,
) -> Found:
    """Values for subjects that fulfil literals together, some of them sets.

    Args:
        domains: the subjects, each with the texts that it can hold.
        sets: what must hold, or not, of the subjects that hold sets.
        others: what must hold, or not, of the others.
        budget: what the search may cost.

    Returns:
        A value for each subject, a set for those of ``sets``; whether it is the smallest is known
        only where a single value is asked for in one way.

    Raises:
        BoundedError: none were found, but there may be longer ones.
        BudgetExceededError: the budget ran out, or there are too many ways to look.
    """
    asked = [(f"{atom.subject}#{i}", atom) for i, (atom, holds) in enumerate(sets.items()) if holds]
    texts = {subject: domain for subject, domain in domains.items() if not _holds(subject, sets)}
    texts |= {name: domains[atom.subject] for name, atom in asked}
    choices = [list(_inside(name, atom)) for name, atom in asked]
    choices += [
        list(_outside(name, other))
        for name, atom in asked
        for other, holds in sets.items()
        if not holds and other.subject == atom.subject
    ]
    ways = 1
    for choice in choices:
        ways *= len(choice)
    if ways > _MOST_WAYS:
        raise BudgetExceededError(f"more than {_MOST_WAYS} ways to fill sets of values")
    bounded: BoundedError | None = None
    for way in product(*choices):
        literals: Literals = dict(others)
        if any(literals.setdefault(a, h) is not h for part in way for a, h in part.items()):
            continue
        some = {atom: holds for atom, holds in literals.items() if isinstance(atom, Some)}
        related = {atom: holds for atom, holds in literals.items() if isinstance(atom, Matches)}
        try:
            found = related_values(texts, some, related, budget)
        except BoundedError as error:
            bounded = error
            continue
        if found is not None:
            alone = found.smallest and ways == 1 and len(asked) <= 1
            return Found(_gathered(found.values, dict(asked), domains, sets), alone)
    if bounded is not None:
        raise bounded
    return Found(None)


def _holds(subject: str, sets: Mapping[SetAtom, bool]) -> bool:
    return any(atom.subject == subject for atom in sets)


def _gathered(
    values: Mapping[str, str],
    asked: Mapping[str, SetAtom],
    domains: Mapping[str, Domain],
    sets: Mapping[SetAtom, bool],
) -> dict[str, ContextValue]:
    gathered: dict[str, ContextValue] = {s: v for s, v in values.items() if s not in asked}
    for subject in domains:
        if _holds(subject, sets):
            mine = (values[name] for name, atom in asked.items() if atom.subject == subject)
            gathered[subject] = tuple(dict.fromkeys(mine))
    return gathered


def _inside(name: str, atom: SetAtom) -> Iterator[Literals]:
    """The ways in which one value makes an atom hold."""
    match atom:
        case Some(language=language, complemented=complemented, nonempty=nonempty):
            found: Literals = {Some(name, language): not complemented}
            filled = found if not nonempty else found | {Some(name, _NOT_EMPTY): True}
            # A language of all texts but the empty one is both: then there is no such value.
            if found.items() <= filled.items():
                yield filled
        case SomeMatches(complemented=False):
            yield from _one_of(name, atom)
        case SomeMatches():
            yield _none_of(name, atom)


def _outside(name: str, atom: SetAtom) -> Iterator[Literals]:
    """The ways in which one value leaves an atom not to hold."""
    match atom:
        case Some(language=language, complemented=complemented, nonempty=nonempty):
            yield {Some(name, language): complemented}
            if nonempty:
                yield {Some(name, Language([literal("")])): True}
        case SomeMatches(complemented=False):
            yield _none_of(name, atom)
        case SomeMatches():
            yield from _one_of(name, atom)


def _one_of(name: str, atom: SomeMatches) -> Iterator[Literals]:
    if atom.language.patterns:
        yield {Some(name, atom.language): True}
    for pattern in atom.patterns:
        yield {Matches(name, pattern): True}


def _none_of(name: str, atom: SomeMatches) -> Literals:
    none: Literals = {Matches(name, pattern): False for pattern in atom.patterns}
    return {**none, Some(name, atom.language): False}
