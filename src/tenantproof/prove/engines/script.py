"""SMT-LIB 2.6 as text: what a question is written in, and what a model of it is read from.

Follows "The SMT-LIB Standard: Version 2.6" and its theory of Unicode strings (smt-lib.org): both
Z3 and cvc5 read it, so that one encoding serves all engines, and a user can keep it as a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from tenantproof.errors import NotSupportedError

LAST_CHARACTER = 0x2FFFF
"""The last character that the theory of strings knows."""

Model = Mapping[str, str | bool | int | Fraction]
"""The values of a script's constants, by name."""


@dataclass
class Script:
    """A question as SMT-LIB: is there a model of all assertions?

    Attributes:
        lines: declarations, definitions and assertions in order.
        constants: the declared constants, each with its sort.
    """

    lines: list[str] = field(default_factory=list)
    constants: dict[str, str] = field(default_factory=dict)

    def declare(self, name: str, sort: str) -> str:
        """Declare a constant; returns its name."""
        self.constants[name] = sort
        self.lines.append(f"(declare-const {name} {sort})")
        return name

    def define(self, name: str, expression: str) -> str:
        """Name a Boolean expression; returns the name."""
        self.lines.append(f"(define-fun {name} () Bool {expression})")
        return name

    def add(self, expression: str) -> None:
        """Assert an expression."""
        if expression != "true":
            self.lines.append(f"(assert {expression})")

    @property
    def text(self) -> str:
        """The whole script, without the command that checks it."""
        return "\n".join(["(set-logic ALL)", *self.lines, ""])


def both(*expressions: str) -> str:
    """All of some expressions; see :func:`every`."""
    return every(expressions)


def every(expressions: Iterable[str]) -> str:
    """All of some expressions."""
    return _joined("and", [e for e in expressions if e != "true"], "true")


def some(expressions: Iterable[str]) -> str:
    """Any of some expressions."""
    return _joined("or", [e for e in expressions if e != "false"], "false")


def negated(expression: str) -> str:
    """The opposite of an expression."""
    return {"true": "false", "false": "true"}.get(expression, f"(not {expression})")


def implied(premise: str, conclusion: str) -> str:
    """The conclusion wherever the premise holds."""
    if conclusion == "true":
        return conclusion
    return conclusion if premise == "true" else f"(=> {premise} {conclusion})"


def _joined(operator: str, expressions: list[str], of_none: str) -> str:
    if not expressions:
        return of_none
    return expressions[0] if len(expressions) == 1 else f"({operator} {' '.join(expressions)})"


def text_literal(text: str) -> str:
    """A text as a string literal, all but plain characters escaped.

    Raises:
        NotSupportedError: the theory of strings lacks one of the characters.
    """
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(char: str) -> str:
    if " " <= char <= "~" and char not in '"\\':
        return char
    return f"\\u{{{code_point(char):x}}}"


def code_point(char: str) -> int:
    """The code of a character.

    Raises:
        NotSupportedError: the theory of strings lacks it.
    """
    if ord(char) > LAST_CHARACTER:
        raise NotSupportedError(f"the theory of strings has no character U+{ord(char):X}")
    return ord(char)


def integer(number: int) -> str:
    """A whole number."""
    return str(number) if number >= 0 else f"(- {-number})"


def real(number: Fraction) -> str:
    """A rational number."""
    sign, size = number < 0, abs(number)
    shown = f"{size.numerator}.0"
    if size.denominator != 1:
        shown = f"(/ {shown} {size.denominator}.0)"
    return f"(- {shown})" if sign else shown
