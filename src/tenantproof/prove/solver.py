"""Lazy solving: a search proposes which atoms hold, the theories find values or refute it.

The scheme is lazy SMT (Barrett, Sebastiani, Seshia, Tinelli, "Satisfiability Modulo Theories",
Handbook of Satisfiability, 2009, section 26.4) with a branch-and-bound for the smallest witness:
of each proposal only the literals that make the formula true are looked at; a refuted set of
literals is cut down and learned; of an accepted one it is learned that whatever fulfils it costs
at least as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeGuard

from tenantproof.errors import BoundedError, BudgetExceededError
from tenantproof.prove.choices import Choices
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    And,
    Atom,
    Matches,
    Not,
    Opaque,
    Or,
    Present,
    Some,
    SomeMatches,
    Term,
    atoms,
    conj,
    substitute,
)
from tenantproof.prove.learned import Assignment, Found, Group, Learned, subjects_of
from tenantproof.prove.related import related_values
from tenantproof.prove.related_sets import related_sets
from tenantproof.prove.search import Budget
from tenantproof.prove.space import RequestSpace
from tenantproof.prove.theories import MOST_SHARED, witness_value
from tenantproof.request import ContextValue, values_of


@dataclass(frozen=True)
class Witness:
    """The smallest choice of action, resource and free keys that a formula leaves.

    ``keys`` holds the free keys that are present, names in lower case. ``shortest`` is False
    where a smaller one was not excluded: the budget ran out, or one that rests on an opaque
    condition might be.
    """

    action: str
    resource: str
    keys: Mapping[str, ContextValue]
    cost: int
    shortest: bool = True


@dataclass(frozen=True)
class Blocked:
    """No witness without these conditions, for which the model has no theory."""

    conditions: tuple[Opaque, ...]


@dataclass
class Solver:
    """Finds smallest witnesses of formulas over one space; what it learns serves them all.

    Attributes:
        space: the requests to choose from.
        multivalued: the keys that can hold any number of values.
        budget: what all questions together may cost.
        engines: what decided the answers so far: ``automata``; ``z3`` where a hard choice was; and
            ``tapes``, the synchronous automaton, where values depend on each other.
        learned: what the theories said; all solvers of a run can share it.
        patience: for how many seconds a smaller witness is looked for once there is one; None for
            as long as the budget lasts.
    """

    space: RequestSpace
    multivalued: frozenset[str]
    budget: Budget
    engines: set[str] = field(default_factory=lambda: {"automata"})
    learned: Learned = field(default_factory=Learned)
    patience: float | None = None
    _kinds: dict[str, int] = field(default_factory=dict, init=False)

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        """The smallest witness of ``formula``, if any.

        Returns:
            The witness; None where no request of the space fulfils the formula; Blocked where
            only requests do about which the model cannot tell.

        Raises:
            BudgetExceededError: the budget ran out before the first witness.
        """
        units, rest = propagate(formula)
        if rest is False:
            return None
        if rest is True:
            return self._only_choice(units)
        return self._smallest_of_all(conj((*map(_literal, units.items()), rest)))

    def _only_choice(self, chosen: Assignment) -> Witness | Blocked | None:
        found = self._realise(chosen)
        if not isinstance(found, Witness):
            return None
        return Blocked(opaque) if (opaque := _undecided(chosen)) else found

    def _smallest_of_all(self, formula: Term) -> Witness | Blocked | None:
        choices = Choices(formula, self.budget)
        listed = set(atoms(formula))
        kinds = {subject: self._kind(subject) for atom in listed for subject in subjects_of(atom)}
        for conflict in self.learned.conflicts(listed, kinds):
            choices.exclude(conflict)
        try:
            return self._smallest_among(choices, formula)
        finally:
            if choices.asked_z3:
                self.engines.add("z3")

    def _smallest_among(self, choices: Choices, formula: Term) -> Witness | Blocked | None:
        best: Witness | None = None
        blocked: dict[Opaque, None] = {}
        bounded: BoundedError | None = None
        shortest = True
        deadline = self.budget.deadline
        try:
            while (truth := choices.propose()) is not None:
                chosen = _justify(formula, truth)
                try:
                    found = self._realise(chosen)
                except BoundedError as error:
                    bounded = error
                    choices.exclude(chosen)
                    continue
                if not isinstance(found, Witness):
                    conflict = self._conflict(chosen, found)
                    self._keep(conflict)
                    choices.exclude(conflict)
                elif opaque := _undecided(chosen):
                    blocked.update(dict.fromkeys(opaque))
                    choices.exclude(chosen)
                else:
                    if best is None and self.patience is not None:
                        self.budget.shorten(self.patience)
                    best = found if best is None or found.cost < best.cost else best
                    shortest &= found.shortest
                    choices.exclude(_costly(chosen, found))
        except BudgetExceededError:
            if best is None:
                raise
            return replace(best, shortest=False)
        finally:
            self.budget.deadline = deadline
        if best is not None:
            return replace(best, shortest=shortest and not blocked and bounded is None)
        if bounded is not None:
            raise bounded
        return Blocked(tuple(blocked)) if blocked else None

    # -- the theories ------------------------------------------------------------------------

    def _realise(self, chosen: Assignment) -> Witness | Group:
        """A witness for the literals, or subjects of which no values fulfil them together."""
        values: dict[str, ContextValue] = {}
        smallest = True
        for group in self._groups(chosen):
            found = self._found(group, _literals_of(chosen, group))
            if found.values is None:
                return group
            values.update(found.values)
            smallest &= found.smallest
        action, resource = values.pop(ACTION), values.pop(RESOURCE)
        assert isinstance(action, str)
        assert isinstance(resource, str)
        cost = sum(map(cost_of, values.values()))
        return Witness(action, resource, values, cost, smallest)

    def _groups(self, chosen: Assignment) -> list[Group]:
        """The subjects that need a value, those together that a literal relates.

        Those always there need one, and those said to be present.
        """
        always = {subject for atom in chosen for subject in subjects_of(atom)}
        always = {subject for subject in always if subject in self.space.always}
        subjects = [ACTION, RESOURCE, *sorted(always | self._guarded(chosen))]
        ties: Assignment = {
            a: holds for a, holds in chosen.items() if isinstance(a, Matches | SomeMatches)
        }
        related = _connected(ties)
        alone = [s for s in subjects if not any(s in group for group in related)]
        return [*((subject,) for subject in alone), *related]

    def _guarded(self, chosen: Assignment) -> set[str]:
        return {a.subject for a, holds in chosen.items() if isinstance(a, Present) and holds}

    def _found(self, group: Group, literals: Assignment) -> Found:
        """The smallest values of a group of subjects that fulfil literals, if any."""
        kinds = tuple(map(self._kind, group))
        key = frozenset(literals.items()), kinds
        return self.learned.found(key) or self.learned.keep_values(
            key, self._smallest_values(group, literals)
        )

    def _kind(self, subject: str) -> int:
        if subject not in self._kinds:
            self._kinds[subject] = self.learned.kind(
                subject, self.space.choices(subject), multivalued=subject in self.multivalued
            )
        return self._kinds[subject]

    def _keep(self, conflict: Assignment) -> None:
        subjects = {subject for atom in conflict for subject in subjects_of(atom)}
        if conflict:
            self.learned.keep_conflict(conflict, {s: self._kind(s) for s in subjects})

    def _smallest_values(self, group: Group, literals: Assignment) -> Found:
        related = {a: holds for a, holds in literals.items() if isinstance(a, Matches)}
        some = {a: holds for a, holds in literals.items() if isinstance(a, Some)}
        domains = {subject: self.space.choices(subject) for subject in group}
        if any(isinstance(atom, SomeMatches) for atom in literals):
            self.engines.add("tapes")
            of_sets = {a: h for a, h in literals.items() if self._is_of_set(a)}
            of_texts = {a: h for a, h in (some | related).items() if a not in of_sets}
            return related_sets(domains, of_sets, of_texts, self.budget)
        if related:
            self.engines.add("tapes")
            found = related_values(domains, some, related, self.budget)
            return Found(None) if found is None else Found(found.values, found.smallest)
        (subject,) = group
        value = witness_value(
            some,
            self.space.choices(subject),
            self.budget,
            multivalued=subject in self.multivalued,
        )
        is_smallest = subject not in self.multivalued or sum(some.values()) <= MOST_SHARED
        return Found(None if value is None else {subject: value}, is_smallest)

    def _is_of_set(self, atom: Atom) -> TypeGuard[Some | SomeMatches]:
        return isinstance(atom, Some | SomeMatches) and atom.subject in self.multivalued

    def _conflict(self, chosen: Assignment, group: Group) -> Assignment:
        """A part of the literals of subjects without values that has none itself."""
        core = literals = _literals_of(chosen, group)
        for atom in literals:
            rest = {a: holds for a, holds in core.items() if a != atom}
            if self._has_none(rest):
                core = rest
        subjects = {subject for atom in core for subject in subjects_of(atom)} or set(group)
        guarded = self._guarded(chosen)
        return {**core, **{Present(s): True for s in sorted(subjects) if s in guarded}}

    def _has_none(self, literals: Assignment) -> bool:
        """Whether it is known that no values fulfil literals."""
        try:
            return any(
                self._found(group, _literals_of(literals, group)).values is None
                for group in _connected(literals)
            )
        except BoundedError:
            return False


def propagate(formula: Term) -> tuple[Assignment, Term]:
    """Take out of a formula what must hold (unit propagation).

    Returns:
        The literals that every solution has, and the formula that they leave of the rest.
    """
    units: Assignment = {}
    rest = formula
    while True:
        terms = rest.terms if isinstance(rest, And) else (rest,)
        found = dict(unit for term in terms if (unit := _unit(term)) is not None)
        if not found:
            return units, rest
        units.update(found)
        rest = _fixed(rest, found)


def _fixed(term: Term, values: Mapping[Atom, bool]) -> Term:
    def value(atom: Atom) -> Term:
        return values.get(atom, atom)

    return substitute(term, value)


def _unit(term: Term) -> tuple[Atom, bool] | None:
    match term:
        case Present() | Some() | Matches() | SomeMatches() | Opaque():
            return term, True
        case Not(Present() | Some() | Matches() | SomeMatches() | Opaque() as atom):
            return atom, False
        case _:
            return None


def _literal(unit: tuple[Atom, bool]) -> Term:
    atom, holds = unit
    return atom if holds else Not(atom)


def _costly(chosen: Assignment, found: Witness) -> Assignment:
    """The literals that force the witness's cost: those of the keys that have a value."""
    return {atom: holds for atom, holds in chosen.items() if atom.subject in found.keys}


def cost_of(value: ContextValue) -> int:
    """What a key costs in a witness: one for the key, one for each value and character."""
    return 1 + sum(1 + len(each) for each in values_of(value))


def _literals_of(chosen: Assignment, group: Group) -> Assignment:
    """What the literals say of the values of a group."""
    return {
        atom: holds
        for atom, holds in chosen.items()
        if isinstance(atom, Some | Matches | SomeMatches)
        and not subjects_of(atom).isdisjoint(group)
    }


def _connected(literals: Assignment) -> list[Group]:
    """The subjects of literals, those together that one relates."""
    group_of: dict[str, set[str]] = {}
    for atom in literals:
        subjects = subjects_of(atom)
        merged = set(subjects).union(*(group_of.get(s, set()) for s in subjects))
        group_of.update(dict.fromkeys(merged, merged))
    return [tuple(sorted(g)) for g in {frozenset(group): None for group in group_of.values()}]


def _undecided(chosen: Assignment) -> tuple[Opaque, ...]:
    """The opaque atoms that the literals rest on."""
    return tuple(atom for atom in chosen if isinstance(atom, Opaque))


def _justify(term: Term, truth: Mapping[Atom, bool], wanted: bool = True) -> Assignment:
    """The literals of ``truth`` that alone make ``term`` have its value, few and absent first."""
    match term:
        case bool():
            return {}
        case Not(inner):
            return _justify(inner, truth, not wanted)
        case And(terms) if wanted:
            return _all(terms, truth, wanted)
        case Or(terms) if not wanted:
            return _all(terms, truth, wanted)
        case And(terms) | Or(terms):
            deciding = (t for t in terms if _evaluate(t, truth) is wanted)
            return min((_justify(t, truth, wanted) for t in deciding), key=_weight)
        case atom:
            return {atom: wanted}


def _all(terms: Iterable[Term], truth: Mapping[Atom, bool], wanted: bool) -> Assignment:
    together: Assignment = {}
    for term in terms:
        together.update(_justify(term, truth, wanted))
    return together


def _evaluate(term: Term, truth: Mapping[Atom, bool]) -> bool:
    match term:
        case bool():
            return term
        case Not(inner):
            return not _evaluate(inner, truth)
        case And(terms):
            return all(_evaluate(inner, truth) for inner in terms)
        case Or(terms):
            return any(_evaluate(inner, truth) for inner in terms)
        case atom:
            return truth[atom]


def _weight(literals: Assignment) -> int:
    """What a justification asks for: a present key is dear, an opaque condition dearer."""
    prices = {Present: 100, Opaque: 1000, Some: 1, Matches: 2, SomeMatches: 2}
    return sum(
        prices[type(atom)] if holds or isinstance(atom, Opaque) else 1
        for atom, holds in literals.items()
    )
