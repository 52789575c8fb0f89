"""What a comparison answers: verdicts, and a request for each way in which the policies differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tenantproof.isolation import Blame, Verdict
from tenantproof.isolation.findings import overall
from tenantproof.request import Request


class Question(Enum):
    """What two sets of policies, OLD and NEW, are asked."""

    NO_NEW_ACCESS = "no-new-access"
    EQUIVALENT = "equivalent"
    DISJOINT = "disjoint"
    AT_MOST = "at-most"


class Way(Enum):
    """How a request tells two sets of policies apart, or shows what they share."""

    GAINED = "gained"
    LOST = "lost"
    SHARED = "shared"

    @property
    def by_old(self) -> bool:
        """Whether OLD allows such a request."""
        return self is not Way.GAINED

    @property
    def by_new(self) -> bool:
        """Whether NEW allows such a request."""
        return self is not Way.LOST


@dataclass(frozen=True)
class Change:
    """A request that shows one way, with the statements behind both decisions.

    ``by_old`` and ``by_new`` are the request as each side sees it: they differ only in a principal
    whose tags differ. ``reason`` names the reading that it rests on, where another one differs.
    """

    way: Way
    by_old: Request
    by_new: Request
    old_statements: tuple[Blame, ...]
    new_statements: tuple[Blame, ...]
    shortest: bool = True
    reason: str | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to one question about one pair of policy sets.

    ``changes`` holds a request for each way that refutes the question, ``removed`` one for what
    OLD allows and NEW does not, where that was asked for information. ``attacked`` counts the
    concrete requests that were tried against a proof.
    """

    question: Question
    verdict: Verdict
    changes: tuple[Change, ...] = ()
    removed: Change | None = None
    reason: str | None = None
    attacked: int = 0
    engines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compared:
    """One pair: what it is called, its answer, and what there is to know about the pair."""

    name: str
    answer: Answer
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """All pairs of OLD and NEW, and what every PROVED of them rests on."""

    old: str
    new: str
    question: Question
    pairs: tuple[Compared, ...]
    assumptions: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """LEAK if one pair's is, else UNKNOWN if one is, else PROVED."""
        return overall(pair.answer.verdict for pair in self.pairs)
