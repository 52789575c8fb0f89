"""Lazy solving: Z3 proposes which atoms hold, the theories find values or refute it.

The scheme is lazy SMT (Barrett, Sebastiani, Seshia, Tinelli, "Satisfiability Modulo Theories",
Handbook of Satisfiability, 2009, section 26.4) with a branch-and-bound for the smallest witness:
of each proposal only the literals that make the formula true are looked at; a refuted set of
literals is cut down and learned; of an accepted one it is learned that whatever fulfils it costs
at least as much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import z3

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    And,
    Atom,
    Not,
    Opaque,
    Or,
    Present,
    Some,
    Term,
)
from tenantproof.prove.search import Budget
from tenantproof.prove.space import RequestSpace
from tenantproof.prove.theories import witness_value
from tenantproof.request import ContextValue

Assignment = dict[Atom, bool]


@dataclass(frozen=True)
class Witness:
    """The smallest choice of action, resource and free keys that a formula leaves.

    ``keys`` holds the free keys that are present, names in lower case. ``shortest`` is False
    where the budget ran out before a smaller one was excluded.
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
    """

    space: RequestSpace
    multivalued: frozenset[str]
    budget: Budget
    _names: dict[Atom, z3.BoolRef] = field(default_factory=dict)
    _lemmas: list[z3.BoolRef] = field(default_factory=list)
    _values: dict[tuple[str, frozenset[tuple[Some, bool]]], ContextValue | None] = field(
        default_factory=dict
    )

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        """The smallest witness of ``formula``, if any.

        Returns:
            The witness; None where no request of the space fulfils the formula; Blocked where
            only requests do about which the model cannot tell.

        Raises:
            BudgetExceededError: the budget ran out before the first witness.
        """
        if formula is False:
            return None
        solver = z3.SimpleSolver()
        solver.add(self._encode(formula), *self._lemmas)
        best: Witness | None = None
        blocked: dict[Opaque, None] = {}
        try:
            while (chosen := self._propose(solver, formula)) is not None:
                opaque = _undecided(chosen)
                if opaque:
                    blocked.update(dict.fromkeys(opaque))
                    self._block(solver, chosen)
                    continue
                found = self._realise(chosen)
                if isinstance(found, Witness):
                    best = found if best is None or found.cost < best.cost else best
                    self._block(solver, self._costly(chosen, found))
                else:
                    self._lemmas.append(self._block(solver, found))
        except BudgetExceededError:
            if best is None:
                raise
            return Witness(best.action, best.resource, best.keys, best.cost, shortest=False)
        if best is None and blocked:
            return Blocked(tuple(blocked))
        return best

    # -- Z3 ----------------------------------------------------------------------------------

    def _encode(self, term: Term) -> z3.BoolRef:
        match term:
            case bool():
                return z3.BoolVal(term)
            case Not(inner):
                return z3.Not(self._encode(inner))
            case And(terms):
                return z3.And([self._encode(inner) for inner in terms])
            case Or(terms):
                return z3.Or([self._encode(inner) for inner in terms])
            case atom:
                return self._name(atom)

    def _name(self, atom: Atom) -> z3.BoolRef:
        name = self._names.get(atom)
        if name is None:
            name = self._names[atom] = z3.Bool(f"{type(atom).__name__}!{len(self._names)}")
        return name

    def _propose(self, solver: z3.Solver, formula: Term) -> Assignment | None:
        """A set of literals that makes the formula true and contradicts nothing learned."""
        self.budget.spend()
        limit = self.budget.milliseconds
        if limit is not None:
            solver.set("timeout", limit)
        result = solver.check()
        if result == z3.unsat:
            return None
        if result != z3.sat:
            raise BudgetExceededError(f"Z3 gave no answer ({solver.reason_unknown()})")
        model = solver.model()

        def holds(atom: Atom) -> bool:
            return bool(z3.is_true(model.eval(self._name(atom), model_completion=True)))

        truth = {atom: holds(atom) for atom in self._names}
        return _justify(formula, truth)

    def _block(self, solver: z3.Solver, chosen: Assignment) -> z3.BoolRef:
        """Exclude every assignment that agrees with the literals."""
        clause = z3.Or(
            [z3.Not(self._name(a)) if holds else self._name(a) for a, holds in chosen.items()]
        )
        solver.add(clause)
        return clause

    # -- the theories ------------------------------------------------------------------------

    def _realise(self, chosen: Assignment) -> Witness | Assignment:
        """A witness for the literals, or the literals that together have none."""
        values: dict[str, ContextValue] = {}
        for subject in self._valued_subjects(chosen):
            literals = _literals_of(chosen, subject)
            value = self._value(subject, literals)
            if value is None:
                refuted = self._refutation(subject, literals)
                conflict: Assignment = {atom: holds for atom, holds in refuted.items()}  # noqa: C416
                if subject in self._guarded(chosen):
                    conflict[Present(subject)] = True
                return conflict
            values[subject] = value
        action, resource = values.pop(ACTION), values.pop(RESOURCE)
        assert isinstance(action, str)
        assert isinstance(resource, str)
        return Witness(action, resource, values, sum(map(cost_of, values.values())))

    def _valued_subjects(self, chosen: Assignment) -> list[str]:
        """The subjects that need a value: those always there, and those said to be present."""
        always = {atom.subject for atom in chosen if atom.subject in self.space.always}
        return [ACTION, RESOURCE, *sorted(always | self._guarded(chosen))]

    def _guarded(self, chosen: Assignment) -> set[str]:
        return {
            atom.subject
            for atom, holds in chosen.items()
            if atom == Present(atom.subject) and holds
        }

    def _value(self, subject: str, literals: Mapping[Some, bool]) -> ContextValue | None:
        asked = (subject, frozenset(literals.items()))
        if asked not in self._values:
            self._values[asked] = witness_value(
                literals,
                self.space.choices(subject),
                self.budget,
                multivalued=subject in self.multivalued,
            )
        return self._values[asked]

    def _refutation(self, subject: str, literals: Mapping[Some, bool]) -> Mapping[Some, bool]:
        """A smallest part of literals without a value that has none itself."""
        core = dict(literals)
        for atom in literals:
            rest = {a: holds for a, holds in core.items() if a != atom}
            if self._value(subject, rest) is None:
                core = rest
        return core

    def _costly(self, chosen: Assignment, found: Witness) -> Assignment:
        """The literals that force the witness's cost: those of the keys that have a value."""
        present = {atom for atom in chosen if atom.subject in found.keys}
        return {atom: holds for atom, holds in chosen.items() if atom in present}


def cost_of(value: ContextValue) -> int:
    """What a key costs in a witness: one for the key, one for each value and character."""
    values = (value,) if isinstance(value, str) else value
    return 1 + sum(1 + len(each) for each in values)


def _literals_of(chosen: Assignment, subject: str) -> dict[Some, bool]:
    return {a: h for a, h in chosen.items() if isinstance(a, Some) and a.subject == subject}


def _undecided(chosen: Assignment) -> list[Opaque]:
    """The opaque atoms that the literals rest on."""
    return [atom for atom in chosen if isinstance(atom, Opaque)]


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
    prices = {Present: 100, Opaque: 1000, Some: 1}
    return sum(
        prices[type(atom)] if holds or isinstance(atom, Opaque) else 1
        for atom, holds in literals.items()
    )
