"""What can go wrong, said with its place.

Every problem in a user's input is a :class:`Problem`; a reader collects all problems of a
file and raises them together as one :class:`InputError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class Positions(Protocol):
    """A text that knows where its nodes are, once somebody asks."""

    @property
    def file(self) -> str:
        """The name of the text's file."""
        ...

    def locate(self, ordinal: int) -> tuple[str, int, int]:
        """The path, line and column of a node by its number in the text."""
        ...


class Place:
    """Where a node of a document was written.

    ``file`` is the name the user gave, ``path`` the JSON path in it (``$.Statement[0].Action``),
    ``line`` and ``column`` count characters from 1; a ``line`` of 0 means that the format's
    reader keeps no positions (TOML). A ``path`` is empty where ``file`` says it all: an option of
    the command line, say.

    A value, compared by these four. Of millions of nodes hardly one is ever asked where it is, so
    that a reader may leave it to be found out (:meth:`of`).
    """

    __slots__ = ("_at", "_source")

    def __init__(self, file: str, path: str, line: int = 0, column: int = 0) -> None:
        self._source: Positions | str = file
        self._at: int | tuple[str, int, int] = (path, line, column)

    @classmethod
    def of(cls, source: Positions, ordinal: int) -> Place:
        """The place of a node that its text finds when it is asked for."""
        place = cls.__new__(cls)
        place._source, place._at = source, ordinal  # noqa: SLF001 (its own)
        return place

    def _located(self) -> tuple[str, int, int]:
        if isinstance(self._at, int):
            assert not isinstance(self._source, str)
            return self._source.locate(self._at)
        return self._at

    @property
    def file(self) -> str:
        """The file."""
        return self._source if isinstance(self._source, str) else self._source.file

    @property
    def path(self) -> str:
        """The JSON path in it."""
        return self._located()[0]

    @property
    def line(self) -> int:
        """The line."""
        return self._located()[1]

    @property
    def column(self) -> int:
        """The column."""
        return self._located()[2]

    def _values(self) -> tuple[str, str, int, int]:
        return (self.file, *self._located())

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Place) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def __reduce__(self) -> tuple[type[Place], tuple[str, str, int, int]]:
        return Place, self._values()

    def __repr__(self) -> str:
        file, path, line, column = self._values()
        return f"Place(file={file!r}, path={path!r}, line={line!r}, column={column!r})"

    def __str__(self) -> str:
        file, path, line, column = self._values()
        position = f":{line}:{column}" if line else ""
        return f"{file}{position}{f': {path}' if path else ''}"


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
