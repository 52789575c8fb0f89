"""The logic between atoms, decided by Z3: which atoms can hold together as the formula asks.

The only module that imports Z3; a formula that unit propagation decides never gets here.
"""

from __future__ import annotations

from collections.abc import Mapping

import z3

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.formula import And, Atom, Not, Or, Term
from tenantproof.prove.search import Budget


class Logic:
    """Proposes truth values for the atoms of one formula, until none are left.

    Args:
        formula: what the proposals must fulfil.
        budget: what all proposals together may cost.
    """

    def __init__(self, formula: Term, budget: Budget) -> None:
        self._budget = budget
        self._names: dict[Atom, z3.BoolRef] = {}
        self._solver = z3.SimpleSolver()
        self._solver.add(self._encode(formula))

    def propose(self) -> dict[Atom, bool] | None:
        """Truth values that fulfil the formula and agree with nothing excluded; None: no more.

        Raises:
            BudgetExceededError: the budget ran out.
        """
        self._budget.spend()
        limit = self._budget.milliseconds
        if limit is not None:
            self._solver.set("timeout", limit)
        answer = self._solver.check()
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            raise BudgetExceededError(f"Z3 gave no answer ({self._solver.reason_unknown()})")
        model = self._solver.model()
        return {
            atom: bool(z3.is_true(model.eval(name, model_completion=True)))
            for atom, name in self._names.items()
        }

    def exclude(self, literals: Mapping[Atom, bool]) -> None:
        """Propose nothing more that agrees with all of the literals."""
        self._solver.add(
            z3.Or(
                [
                    z3.Not(self._name(atom)) if holds else self._name(atom)
                    for atom, holds in literals.items()
                ]
            )
        )

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
