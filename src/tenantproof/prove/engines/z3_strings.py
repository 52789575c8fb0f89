"""Z3's own theory of strings as an engine. Beside ``prove.logic`` the only module that imports Z3.

Each question has a context of its own, which frees its memory.
"""

from __future__ import annotations

import re
from fractions import Fraction

import z3

from tenantproof.errors import BudgetExceededError, NotSupportedError
from tenantproof.prove.engines.script import Model, Script
from tenantproof.prove.search import Budget

MEGABYTES = 4096
"""The memory that Z3 may take before it gives up."""

_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}")


class Z3Check:
    """One script, read by Z3 and ready to be checked."""

    def __init__(self, script: Script) -> None:
        if "str.to_lower" in script.text:
            raise NotSupportedError("Z3 has no str.to_lower, which a comparison without case needs")
        context = z3.Context()
        self._solver = z3.Solver(ctx=context)
        self._solver.set("max_memory", MEGABYTES)
        self._solver.add(z3.parse_smt2_string(script.text, ctx=context))
        self._constants = script.constants

    def model(self, budget: Budget) -> Model | None:
        """A model of the script; None: there is none.

        Raises:
            BudgetExceededError: Z3 gave no answer.
        """
        limit = budget.milliseconds
        if limit is not None:
            self._solver.set("timeout", limit)
        try:
            answer = self._solver.check()
        except z3.Z3Exception as error:
            raise BudgetExceededError(f"Z3 gave no answer ({error})") from error
        if answer == z3.unsat:
            return None
        if answer != z3.sat:
            raise BudgetExceededError(f"Z3 gave no answer ({self._solver.reason_unknown()})")
        model = self._solver.model()
        # What Z3 leaves open is as plain as its sort allows.
        found = {name: _OPEN[sort] for name, sort in self._constants.items()}
        for declaration in model.decls():
            if declaration.name() in found:
                found[declaration.name()] = _value(model[declaration])
        return found


_OPEN: dict[str, str | bool | int | Fraction] = {
    "String": "",
    "Bool": False,
    "Int": 0,
    "Real": Fraction(0),
}


def _value(found: z3.ExprRef) -> str | bool | int | Fraction:
    if z3.is_string_value(found):
        return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), found.as_string())
    if z3.is_int_value(found):
        return int(found.as_long())
    if z3.is_rational_value(found):
        return Fraction(found.numerator_as_long(), found.denominator_as_long())
    if z3.is_algebraic_value(found):
        raise NotSupportedError("Z3 chose a number that no decimal writes")
    return bool(z3.is_true(found))
