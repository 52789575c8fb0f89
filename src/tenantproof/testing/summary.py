"""The section at the end of a run: every verdict, and what the proofs rest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from tenantproof.isolation import Verdict
from tenantproof.report.evidence_text import standings_summary
from tenantproof.testing.properties import EVIDENCE, EVIDENCE_REASON, answers_in
from tenantproof.testing.state import State

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

_MOST_FAILED = 20


def write_summary(
    terminal: TerminalReporter, reports: Sequence[pytest.TestReport], state: State
) -> None:
    """Write what was answered: what is not proved a line each, how many answers, assumptions."""
    answers = [
        (verdict, said, report.nodeid)
        for report in reports
        if report.when == "call"
        for verdict, said in answers_in(report.user_properties)
    ]
    terminal.write_sep("=", "tenantproof")
    failed = [each for each in answers if each[0] != Verdict.PROVED.value]
    for _, said, nodeid in failed[:_MOST_FAILED]:
        terminal.write_line(f"{said}  ({nodeid})", red=True)
    if len(failed) > _MOST_FAILED:
        terminal.write_line(f"... and {len(failed) - _MOST_FAILED} more", red=True)
    # What is not reached where it should be is no leak: an answer begins with what it is called.
    counts = Counter(said.partition(" ")[0] for _, said, _ in answers)
    terminal.write_line(", ".join(f"{number} {label}" for label, number in sorted(counts.items())))
    if counts[Verdict.PROVED.value]:
        for file, assumptions in sorted(state.assumptions.items()):
            terminal.write_line(f"Assumed by each PROVED of {file}:")
            for each in assumptions:
                terminal.write_line(f"  - {each}")
    told = [each for report in reports if report.when == "call" for each in report.user_properties]
    standings = [str(value) for name, value in told if name == EVIDENCE]
    if standings:
        reasons = Counter(str(value) for name, value in told if name == EVIDENCE_REASON)
        for line in standings_summary(standings, reasons):
            terminal.write_line(line)
