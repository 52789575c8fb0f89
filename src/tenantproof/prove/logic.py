"""The logic between atoms, decided by Z3: which atoms can hold together as the formula asks.

The only module that imports Z3; a formula that unit propagation decides never gets here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice

import z3

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.formula import And, Atom, Not, Or, Term, conj, neg
from tenantproof.prove.search import Budget

_VALUE = re.compile(r"\(define-fun (\S+) \(\) Bool\s+(true|false)\)")
"""What a model in SMT-LIB says of one atom."""

_FEW_STEPS = 50_000
"""Steps of Z3, as it counts them: some hundredths of a second."""

_NO_TIMEOUT = 2**32 - 1


class Logic:
    """Proposes truth values for the atoms of one formula, until none are left.

    Args:
        formula: what the proposals must fulfil.
        budget: what all proposals together may cost.
    """

    def __init__(self, formula: Term, budget: Budget) -> None:
        self._budget = budget
        self._names: dict[Atom, str] = {}
        # Z3's solver of finite domains is its SAT solver, which answers what is purely Boolean
        # several times sooner than the general one. It reads the formula as text: making each
        # node by a call from Python takes longer than solving it.
        self._solver = z3.SolverFor("QF_FD")
        self._add(formula)

    def propose(self) -> dict[Atom, bool] | None:
        """Truth values that fulfil the formula and agree with nothing excluded; None: no more.

        Raises:
            BudgetExceededError: the budget ran out.
        """
        self._budget.spend()
        answer = self._check()
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            raise BudgetExceededError(f"Z3 gave no answer ({self._solver.reason_unknown()})")
        # What Z3 leaves out may be either.
        model: dict[str, str] = dict(_VALUE.findall(self._solver.model().sexpr()))
        return {atom: model.get(name) == "true" for atom, name in self._names.items()}

    def _check(self) -> z3.CheckSatResult:
        """What Z3 says, within the time left.

        Z3 starts a thread to look at the clock, which takes longer than most answers: only what
        a few steps leave open gets one.
        """
        self._solver.set("rlimit", _FEW_STEPS)
        answer = self._solver.check()
        if answer != z3.unknown:
            return answer
        self._budget.spend(0)
        self._solver.set("rlimit", 0)
        limit = self._budget.milliseconds
        if limit is not None:
            self._solver.set("timeout", limit)
        answer = self._solver.check()
        self._solver.set("timeout", _NO_TIMEOUT)
        return answer

    def exclude(self, literals: Mapping[Atom, bool]) -> None:
        """Propose nothing more that agrees with all of the literals."""
        self._add(neg(conj(atom if holds else Not(atom) for atom, holds in literals.items())))

    def _add(self, term: Term) -> None:
        """Assert a term, its new atoms declared: Z3 remembers those of earlier texts."""
        known = len(self._names)
        text = self._text(term)
        new = islice(self._names.values(), known, None)
        declarations = "".join(f"(declare-const {name} Bool)" for name in new)
        self._solver.from_string(f"{declarations}(assert {text})")

    def _text(self, term: Term) -> str:
        match term:
            case bool():
                return "true" if term else "false"
            case Not(inner):
                return f"(not {self._text(inner)})"
            case And(terms):
                return f"(and {' '.join(map(self._text, terms))})"
            case Or(terms):
                return f"(or {' '.join(map(self._text, terms))})"
            case atom:
                return self._name(atom)

    def _name(self, atom: Atom) -> str:
        return self._names.setdefault(atom, f"a{len(self._names)}")
