"""What the IAM policy simulator makes of a report's findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tenantproof.isolation import Report
from tenantproof.live.simulation import Answer, NoAnswer, Simulation


class Asks(Protocol):
    """Whoever answers questions as the simulator does."""

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        """An answer, or why there is none, to each question, in their order."""
        ...


@dataclass(frozen=True)
class Settings:
    """How findings are confirmed.

    Attributes:
        principals: whether to ask about the policies of the principals as they are in the account.
        cases: the folder to which each refuted request is written; None for none.
    """

    principals: bool = False
    cases: Path | None = None


def confirm(report: Report, simulator: Asks, settings: Settings) -> Report:
    """The report with what the simulator says of each finding.

    Args:
        report: the findings, with the requests that they rest on.
        simulator: who is asked; the most important questions are put first.
        settings: how.

    Returns:
        The same findings in the same order, each with its evidence. Only a PROVED that is refuted
        changes its verdict, to UNKNOWN.
    """
    raise NotImplementedError(report, simulator, settings)
