"""What becomes of mutants: equivalent, noticed, survived or undecided; and the score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from tenantproof.compare import Change
from tenantproof.isolation import Finding, Report, Verdict
from tenantproof.mutate.kinds import Kind
from tenantproof.mutate.mutants import Mutant


@dataclass(frozen=True)
class Equivalent:
    """Proven to allow the same as the policy, to each principal that it applies to."""


@dataclass(frozen=True)
class Noticed:
    """Something fails that the policy passes.

    ``by`` names it; ``finding`` is the answer, where it is one of the manifest's questions.
    """

    by: str
    finding: Finding | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether it is an UNKNOWN that is noticed, and no leak."""
        return self.finding is not None and self.finding.verdict is Verdict.UNKNOWN


@dataclass(frozen=True)
class Survived:
    """Nothing notices it, and ``change`` is a request that it decides otherwise."""

    change: Change


@dataclass(frozen=True)
class Undecided:
    """Nothing notices it, and whether there is anything to notice is not known."""

    reason: str


Outcome = Equivalent | Noticed | Survived | Undecided


@dataclass(frozen=True)
class Checked:
    """A mutant and what became of it."""

    mutant: Mutant
    outcome: Outcome


@dataclass(frozen=True)
class Tally:
    """How many mutants there are of each outcome; ``unknown`` of the noticed are by an UNKNOWN."""

    equivalent: int = 0
    noticed: int = 0
    survived: int = 0
    undecided: int = 0
    unknown: int = 0

    @property
    def made(self) -> int:
        """All of them."""
        return self.equivalent + self.noticed + self.survived + self.undecided

    @property
    def score(self) -> Fraction | None:
        """Of the mutants that are not proven equivalent the part noticed; None without any."""
        counted = self.made - self.equivalent
        return Fraction(self.noticed, counted) if counted else None


def tally(checked: Iterable[Checked]) -> Tally:
    """How many mutants there are of each outcome."""
    outcomes = [each.outcome for each in checked]
    counts = Counter(map(type, outcomes))
    return Tally(
        counts[Equivalent],
        counts[Noticed],
        counts[Survived],
        counts[Undecided],
        sum(isinstance(each, Noticed) and each.is_unknown for each in outcomes),
    )


@dataclass(frozen=True)
class MutationReport:
    """All mutants of a manifest's policies.

    Attributes:
        manifest: the manifest.
        baseline: the answers to the manifest's own questions; unless all are PROVED there is
            nothing to measure, and no mutant was made.
        checked: the mutants, by file and place.
        slips: how many slips there are.
        tried: how many of them were made, evenly chosen.
        also: what notices beside the manifest's questions, in words; None for nothing.
        assumptions: what every "equivalent" rests on.
    """

    manifest: str
    baseline: Report
    checked: tuple[Checked, ...] = ()
    slips: int = 0
    tried: int = 0
    also: str | None = None
    assumptions: tuple[str, ...] = ()

    @property
    def is_measured(self) -> bool:
        """Whether the manifest's own questions are all PROVED, so that mutants were made."""
        return self.baseline.verdict is Verdict.PROVED

    @property
    def total(self) -> Tally:
        """All mutants by outcome."""
        return tally(self.checked)

    def by_kind(self) -> dict[Kind, Tally]:
        """The mutants of each kind by outcome; kinds without a mutant are left out."""
        kinds = {each.mutant.kind for each in self.checked}
        return {
            kind: tally(each for each in self.checked if each.mutant.kind is kind)
            for kind in Kind
            if kind in kinds
        }

    def reaches(self, percent: Fraction) -> bool | None:
        """Whether the score is at least so many percent; None where there is no score."""
        score = self.total.score
        return None if score is None else score * 100 >= percent
