"""What was found out under one reading of the reference, and holds under others, too."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

from tenantproof.reading import Ambiguity, Reading

T = TypeVar("T")


class Kept(Generic[T]):
    """Answers, each with the hedges of the reference that were met in finding it.

    Under a reading that makes the same choices on those the answer is the same one.
    """

    def __init__(self) -> None:
        self._answers: dict[Hashable, list[tuple[Reading, frozenset[Ambiguity], T]]] = {}

    def find(self, key: Hashable, reading: Reading) -> tuple[T, frozenset[Ambiguity]] | None:
        """An answer that holds under a reading, and the hedges met; None where there is none."""
        for kept, hedges, answer in self._answers.get(key, ()):
            if kept == reading or not hedges & kept.differs(reading):
                return answer, hedges
        return None

    def keep(
        self, key: Hashable, reading: Reading, answer: T, hedges: frozenset[Ambiguity]
    ) -> tuple[T, frozenset[Ambiguity]]:
        """Keep an answer that was found under a reading.

        Returns:
            The answer and the hedges, as :meth:`find` does.
        """
        self._answers.setdefault(key, []).append((reading, hedges, answer))
        return answer, hedges
