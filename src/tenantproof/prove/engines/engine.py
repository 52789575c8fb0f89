"""The engines: each answers the same question by its own means.

``automata`` is the lazy solver of :mod:`tenantproof.prove.solver`; ``z3`` and ``cvc5`` are given
the whole question as strings, and share nothing with it but the formula.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import product
from typing import Protocol

from tenantproof.errors import DisagreementError, EngineMissingError, NotSupportedError
from tenantproof.prove.concrete import holds
from tenantproof.prove.engines.encode import Question, encode
from tenantproof.prove.engines.script import Model, Script
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    Atom,
    Opaque,
    Term,
    atoms,
    conj,
    substitute,
)
from tenantproof.prove.learned import Learned
from tenantproof.prove.search import Budget
from tenantproof.prove.solver import Blocked, Solver, Witness, cost_of
from tenantproof.prove.space import RequestSpace
from tenantproof.request import Request, values_of


class Prover(Protocol):
    """Answers questions over one space."""

    @property
    def engines(self) -> set[str]:
        """What decided the answers so far."""

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        """A request that fulfils the formula; see :meth:`Solver.smallest`."""


class Engine(Protocol):
    """A way to answer questions."""

    @property
    def name(self) -> str:
        """Its name on the command line and in reports."""

    def prover(self, space: RequestSpace, multivalued: frozenset[str], budget: Budget) -> Prover:
        """A prover of questions over a space within a budget."""


class Check(Protocol):
    """A script that a solver has read."""

    def model(self, budget: Budget) -> Model | None:
        """A model of it; None: there is none."""


@dataclass(frozen=True)
class Automata:
    """The lazy solver: wildcard automata, and Z3 for what is hard in the logic between atoms.

    ``learned`` is what its theories said, shared by all its provers; None for each its own.
    """

    name: str = "automata"
    is_installed: bool = True
    learned: Learned | None = field(default=None, compare=False)

    def prover(self, space: RequestSpace, multivalued: frozenset[str], budget: Budget) -> Solver:
        """The lazy solver."""
        return Solver(space, multivalued, budget, learned=self.learned or Learned())


@dataclass(frozen=True)
class Strings:
    """An SMT solver that decides the whole question, strings and all.

    Attributes:
        name: the solver's name.
        package: the Python package that it comes in.
        load: gives what reads a script; called once the engine is asked, as that loads the solver.
    """

    name: str
    package: str
    load: Callable[[], Callable[[Script], Check]]

    @property
    def is_installed(self) -> bool:
        """Whether the solver can be loaded."""
        return find_spec(self.package) is not None

    def prover(
        self, space: RequestSpace, multivalued: frozenset[str], budget: Budget
    ) -> StringProver:
        """A prover that gives each question to the solver."""
        return StringProver(self, space, multivalued, budget)


def _z3() -> Callable[[Script], Check]:
    from tenantproof.prove.engines.z3_strings import Z3Check  # noqa: PLC0415

    return Z3Check


def _cvc5() -> Callable[[Script], Check]:
    from tenantproof.prove.engines.cvc5_strings import Cvc5Check  # noqa: PLC0415

    return Cvc5Check


AUTOMATA = Automata()
Z3 = Strings("z3", "z3", _z3)
CVC5 = Strings("cvc5", "cvc5", _cvc5)

MOST_OPAQUE = 8
"""The most conditions without a theory whose every truth is tried."""


@dataclass
class StringProver:
    """Gives each question to an SMT solver as one script.

    Its witnesses are requests that fulfil the formula, by no means the smallest.

    Attributes:
        engine: the solver.
        space: the requests to choose from.
        multivalued: the keys that can hold any number of values.
        budget: what all questions together may cost.
    """

    engine: Strings
    space: RequestSpace
    multivalued: frozenset[str]
    budget: Budget
    engines: set[str] = field(default_factory=set)

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        """Some request that fulfils the formula.

        Returns:
            The witness; None where no request of the space fulfils the formula; Blocked where
            only requests do about which the model cannot tell.

        Raises:
            NotSupportedError: the formula has no exact encoding.
            BudgetExceededError: the solver gave no answer.
            DisagreementError: its witness does not fulfil the formula, as the automata see it.
        """
        self.engines.add(self.engine.name)
        found = self._witness(formula)
        if found is None:
            return None
        opaque = tuple(dict.fromkeys(a for a in atoms(formula) if isinstance(a, Opaque)))
        if holds(formula, self._request(found)) is True:
            return found
        return self._witness(_either_way(formula, opaque)) or Blocked(opaque)

    def _witness(self, formula: Term) -> Witness | None:
        question = encode(formula, self.space, self.multivalued)
        self.budget.spend(0)
        model = self.engine.load()(question.script).model(self.budget)
        return None if model is None else self._checked(formula, witness_of(question, model))

    def _request(self, witness: Witness) -> Request:
        if self.space.principal is None:
            raise NotSupportedError("a caller that is free")
        return Request(self.space.principal, witness.action, witness.resource, witness.keys)

    def _checked(self, formula: Term, witness: Witness) -> Witness:
        """The witness, once the automata have read its values."""
        if holds(formula, self._request(witness)) is False:
            raise DisagreementError(
                f"{self.engine.name} says that {witness} fulfils the formula, read with the"
                " automata it does not"
            )
        for subject, value in {
            ACTION: witness.action,
            RESOURCE: witness.resource,
            **witness.keys,
        }.items():
            if not all(each in self.space.choices(subject) for each in values_of(value)):
                raise DisagreementError(
                    f"{self.engine.name} gives {subject} the value {value!r}, which it cannot hold"
                )
        return witness


def witness_of(question: Question, model: Model) -> Witness:
    """The witness that a model of a question is."""
    values = question.read(model)
    action, resource = values.pop(ACTION), values.pop(RESOURCE)
    assert isinstance(action, str)
    assert isinstance(resource, str)
    return Witness(action, resource, values, sum(map(cost_of, values.values())), shortest=False)


def _either_way(formula: Term, opaque: tuple[Opaque, ...]) -> Term:
    """That the formula holds whatever the opaque atoms are."""
    if len(opaque) > MOST_OPAQUE:
        raise NotSupportedError(f"more than {MOST_OPAQUE} conditions without a theory")
    truths = product((True, False), repeat=len(opaque))
    return conj(_fixed(formula, dict(zip(opaque, truth, strict=True))) for truth in truths)


def _fixed(formula: Term, values: Mapping[Atom, bool]) -> Term:
    return substitute(formula, lambda atom: values.get(atom, atom))


ENGINES: Mapping[str, Automata | Strings] = {each.name: each for each in (AUTOMATA, Z3, CVC5)}
"""The engines by name."""

ALL = "all"
"""Every engine that is installed."""


def engines_named(choice: str) -> tuple[Engine, ...]:
    """The engines of a name: one, or for ``all`` every engine that is installed.

    Raises:
        EngineMissingError: the engine is not installed.
    """
    if choice == ALL:
        return tuple(engine for engine in ENGINES.values() if engine.is_installed)
    engine = ENGINES[choice]
    if not engine.is_installed:
        raise EngineMissingError(
            f'the engine {choice} is not installed; pip install "tenantproof[{choice}]"'
        )
    return (engine,)
