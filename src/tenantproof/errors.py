"""What can go wrong, said with its place.

Every problem in a user's input is a :class:`Problem`; a reader collects all problems of a
file and raises them together as one :class:`InputError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a node of a document was written.

    ``file`` is the name the user gave, ``path`` the JSON path in it (``$.Statement[0].Action``),
    ``line`` and ``column`` count characters from 1; a ``line`` of 0 means that the format's
    reader keeps no positions (TOML). A ``path`` is empty where ``file`` says it all: an option of
    the command line, say.
    """

    file: str
    path: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        position = f":{self.line}:{self.column}" if self.line else ""
        path = f": {self.path}" if self.path else ""
        return f"{self.file}{position}{path}"


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: what was found, what was expected, and where."""

    message: str
    place: Place
    statement: str | None = None
    hint: str | None = None

    def __str__(self) -> str:
        statement = f" ({self.statement})" if self.statement else ""
        hint = f"\n    hint: {self.hint}" if self.hint else ""
        return f"{self.place}{statement}: {self.message}{hint}"


class TenantproofError(Exception):
    """The base of every error that tenantproof raises on purpose."""


class InputError(TenantproofError):
    """Input that cannot be used; ``problems`` holds every problem found in it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DisagreementError(TenantproofError):
    """The evaluator and the symbolic model gave different answers: a bug in tenantproof.

    Never reported as a verdict; the message carries both sides' reasons.
    """


class BudgetExceededError(TenantproofError):
    """A question ran out of its time or memory budget; its verdict is UNKNOWN."""


class BoundedError(BudgetExceededError):
    """No values were found, and that there are none is known only up to some length of them."""


class NotSupportedError(BudgetExceededError):
    """An engine has no exact encoding of a question, so that it gives no answer."""


class EngineMissingError(TenantproofError):
    """An engine that was asked for is not installed."""
