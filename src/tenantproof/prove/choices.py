"""The logic between the atoms of small formulas: which of them can hold together.

Most formulas that leave a choice have a dozen atoms, and Z3 takes longer to read one than to solve
it, and far longer to load. So a search by conflict-driven clause learning is made here first
(Marques Silva, Sakallah, "GRASP: a search algorithm for propositional satisfiability", IEEE
Transactions on Computers 48(5), 1999; two watched literals as in Moskewicz et al., "Chaff", DAC
2001); what it does not decide within some conflicts is given to Z3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tenantproof.prove.formula import And, Atom, Not, Or, Term
from tenantproof.prove.search import Budget

Proposal = dict[Atom, bool]

MOST_VARIABLES = 400
"""A formula with more atoms and connectives is given to Z3 at once."""

MOST_CONFLICTS = 500
"""What takes more conflicts, all proposals together, is given to Z3."""


class Choices:
    """Proposes truth values for the atoms of one formula, until none are left.

    Args:
        formula: what the proposals must fulfil.
        budget: what all proposals together may cost.

    Attributes:
        asked_z3: whether Z3 was asked.
    """

    def __init__(self, formula: Term, budget: Budget) -> None:
        self.asked_z3 = False
        self._budget = budget
        self._formula = formula
        self._excluded: list[Proposal] = []
        self._small = _Clauses()
        self._small.require(formula)

    def propose(self) -> Proposal | None:
        """Truth values that fulfil the formula and agree with nothing excluded; None: no more.

        Raises:
            BudgetExceededError: the budget ran out.
        """
        if not self.asked_z3:
            self._budget.spend()
            found = self._small.solve()
            if not isinstance(found, _TooHard):
                return found
            self._ask_z3()
        return self._logic.propose()

    def exclude(self, literals: Mapping[Atom, bool]) -> None:
        """Propose nothing more that agrees with all of the literals."""
        if self.asked_z3:
            self._logic.exclude(literals)
            return
        self._excluded.append(dict(literals))
        self._small.exclude(literals)

    def _ask_z3(self) -> None:
        # Z3 takes longer to load than most questions take: only a hard one pays for it.
        from tenantproof.prove.logic import Logic  # noqa: PLC0415

        self.asked_z3 = True
        self._logic = Logic(self._formula, self._budget)
        for literals in self._excluded:
            self._logic.exclude(literals)


class _TooHard:
    """The search was given up."""


_TOO_HARD = _TooHard()

Clause = list[int]
"""Literals: a variable's number, negative where it must be false."""


class _Clauses:
    """Clauses over numbered variables, and the search for values that fulfil them.

    Connectives get variables of their own that imply what they stand for (Plaisted, Greenbaum, "A
    structure-preserving clause form translation", Journal of Symbolic Computation 2, 1986).
    """

    def __init__(self) -> None:
        self._atoms: dict[Atom, int] = {}
        self._named: dict[tuple[Term, bool], int] = {}
        self._value: list[int] = [0]
        self._phase: list[bool] = [False]
        self._reason: list[Clause | None] = [None]
        self._level: list[int] = [0]
        self._activity: list[float] = [0.0]
        self._watches: dict[int, list[Clause]] = {}
        self._trail: list[int] = []
        self._limits: list[int] = []
        self._order: list[int] = []
        self._next = 0
        self._read = 0
        self._bump = 1.0
        self._conflicts = 0
        self._impossible = False

    # -- clauses from formulas ---------------------------------------------------------------

    def require(self, term: Term, wanted: bool = True) -> None:
        """Add that a formula has a value."""
        self._undo(0)
        match term:
            case bool():
                self._impossible |= term is not wanted
            case Not(inner):
                self.require(inner, not wanted)
            case And(terms) if wanted:
                for inner in terms:
                    self.require(inner)
            case Or(terms) if not wanted:
                for inner in terms:
                    self.require(inner, False)
            case And(terms) | Or(terms):
                self._add([self._literal(inner, wanted) for inner in terms])
            case atom:
                self._add([self._literal(atom, wanted)])

    def exclude(self, literals: Mapping[Atom, bool]) -> None:
        """Add that not all of some atoms have the values given."""
        self._undo(0)
        self._add([self._literal(atom, not holds) for atom, holds in literals.items()])

    def _literal(self, term: Term, wanted: bool) -> int:
        """A literal that, where it holds, makes a formula have a value."""
        match term:
            case Not(inner):
                return self._literal(inner, not wanted)
            case And() | Or():
                return self._connective(term, wanted)
            case bool():
                raise AssertionError("constants are folded away in formulas")
            case atom:
                if atom not in self._atoms:
                    self._atoms[atom] = self._variable()
                return self._atoms[atom] if wanted else -self._atoms[atom]

    def _connective(self, term: And | Or, wanted: bool) -> int:
        name = self._named.get((term, wanted))
        if name is None:
            name = self._named[term, wanted] = self._variable()
            literals = [self._literal(inner, wanted) for inner in term.terms]
            if isinstance(term, And) is wanted:
                for literal in literals:
                    self._add([-name, literal])
            else:
                self._add([-name, *literals])
        return name

    def _variable(self) -> int:
        self._value.append(0)
        self._phase.append(False)
        self._reason.append(None)
        self._level.append(0)
        self._activity.append(0.0)
        return len(self._value) - 1

    def _add(self, literals: Iterable[int]) -> None:
        clause = list(dict.fromkeys(literals))
        if any(-literal in clause or self._holds(literal) > 0 for literal in clause):
            return
        clause = [literal for literal in clause if self._holds(literal) == 0]
        if not clause:
            self._impossible = True
        elif len(clause) == 1:
            self._assign(clause[0], None)
        else:
            self._watch(clause)

    def _watch(self, clause: Clause) -> None:
        for literal in clause[:2]:
            self._watches.setdefault(literal, []).append(clause)

    # -- the search --------------------------------------------------------------------------

    def solve(self) -> Proposal | _TooHard | None:
        """Values of the atoms that fulfil all clauses; None: there are none."""
        if len(self._value) > MOST_VARIABLES:
            return _TOO_HARD
        while not self._impossible:
            conflict = self._propagate()
            if conflict is not None:
                self._conflicts += 1
                if self._conflicts > MOST_CONFLICTS:
                    return _TOO_HARD
                self._impossible = not self._limits
                if self._limits:
                    self._learn(conflict)
            elif (variable := self._undecided()) is None:
                return {atom: self._value[v] > 0 for atom, v in self._atoms.items()}
            else:
                self._limits.append(len(self._trail))
                self._assign(variable if self._phase[variable] else -variable, None)
        return None

    def _holds(self, literal: int) -> int:
        """1 where a literal holds, -1 where it does not, 0 where that is open."""
        return self._value[literal] if literal > 0 else -self._value[-literal]

    def _undecided(self) -> int | None:
        """The variable without a value that conflicts were most about; of equals the first."""
        if len(self._order) < len(self._value) - 1:
            self._sort()
        while self._next < len(self._order):
            variable = self._order[self._next]
            if self._value[variable] == 0:
                return variable
            self._next += 1
        return None

    def _sort(self) -> None:
        self._order = sorted(range(1, len(self._value)), key=lambda each: -self._activity[each])
        self._next = 0

    def _assign(self, literal: int, reason: Clause | None) -> None:
        variable = abs(literal)
        self._value[variable] = 1 if literal > 0 else -1
        self._phase[variable] = literal > 0
        self._reason[variable] = reason
        self._level[variable] = len(self._limits)
        self._trail.append(literal)

    def _undo(self, level: int) -> None:
        if len(self._limits) > level:
            end = self._limits[level]
            for literal in self._trail[end:]:
                self._value[abs(literal)] = 0
            del self._trail[end:]
            del self._limits[level:]
            self._next = 0
            self._read = min(self._read, end)

    def _propagate(self) -> Clause | None:
        """Assign what follows; the clause that then fails, if one does."""
        while self._read < len(self._trail):
            false = -self._trail[self._read]
            self._read += 1
            watching = self._watches.get(false, [])
            kept: list[Clause] = []
            for at, clause in enumerate(watching):
                if self._moved(clause, false):
                    continue
                kept.append(clause)
                other = clause[0]
                if self._holds(other) < 0:
                    self._watches[false] = kept + watching[at + 1 :]
                    return clause
                if self._holds(other) == 0:
                    self._assign(other, clause)
            self._watches[false] = kept
        return None

    def _moved(self, clause: Clause, false: int) -> bool:
        """Let a clause watch another literal than a false one; not where it need or can not."""
        if clause[0] == false:
            clause[0], clause[1] = clause[1], clause[0]
        if self._holds(clause[0]) > 0:
            return False
        for at in range(2, len(clause)):
            if self._holds(clause[at]) >= 0:
                clause[1], clause[at] = clause[at], clause[1]
                self._watches.setdefault(clause[1], []).append(clause)
                return True
        return False

    def _learn(self, conflict: Clause) -> None:
        """Add the clause that the conflict is a case of (its first unique implication point)."""
        learned: list[int] = []
        seen: set[int] = set()
        open_here = 0
        clause, at = conflict, len(self._trail)
        while True:
            for literal in clause:
                variable = abs(literal)
                if variable not in seen and self._level[variable] > 0:
                    seen.add(variable)
                    self._activity[variable] += self._bump
                    if self._level[variable] == len(self._limits):
                        open_here += 1
                    else:
                        learned.append(literal)
            at = next(i for i in range(at - 1, -1, -1) if abs(self._trail[i]) in seen)
            literal = self._trail[at]
            open_here -= 1
            if not open_here:
                break
            reason = self._reason[abs(literal)]
            assert reason is not None
            clause = [each for each in reason if each != literal]
        self._bump *= 1.05
        self._sort()
        learned.sort(key=lambda each: -self._level[abs(each)])
        self._undo(self._level[abs(learned[0])] if learned else 0)
        whole = [-literal, *learned]
        if len(whole) > 1:
            self._watch(whole)
        self._assign(-literal, whole if len(whole) > 1 else None)
