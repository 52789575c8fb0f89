"""cvc5 as an engine. The only module that imports cvc5, which is an optional extra."""

from __future__ import annotations

from fractions import Fraction

import cvc5

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.engines.script import Model, Script
from tenantproof.prove.search import Budget

_OPTIONS = {"strings-exp": "true", "produce-models": "true"}


class Cvc5Check:
    """One script, read by cvc5 and ready to be checked."""

    def __init__(self, script: Script) -> None:
        self._terms = cvc5.TermManager()
        self._solver = cvc5.Solver(self._terms)
        for option, value in _OPTIONS.items():
            self._solver.setOption(option, value)
        parser = cvc5.InputParser(self._solver)
        parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, script.text, "question")
        self._symbols = parser.getSymbolManager()
        while not (command := parser.nextCommand()).isNull():
            answer = command.invoke(self._solver, self._symbols)
            assert not answer, answer

    def model(self, budget: Budget) -> Model | None:
        """A model of the script; None: there is none.

        Raises:
            BudgetExceededError: cvc5 gave no answer.
        """
        limit = budget.milliseconds
        if limit is not None:
            self._solver.setOption("tlimit-per", str(limit))
        try:
            answer = self._solver.checkSat()
        except RuntimeError as error:
            raise BudgetExceededError(f"cvc5 gave no answer ({error})") from error
        if answer.isUnsat():
            return None
        if not answer.isSat():
            why = str(answer.getUnknownExplanation()).rpartition(".")[2].lower()
            raise BudgetExceededError(f"cvc5 gave no answer ({why})")
        return {
            str(term): _plain(self._solver.getValue(term).toPythonObj())
            for term in self._symbols.getDeclaredTerms()
        }


def _plain(found: object) -> str | bool | int | Fraction:
    assert isinstance(found, str | bool | int | Fraction)
    return found
