"""The simulator's part in a run: connected to early, asked within a number of calls and a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Self

from tenantproof.aws import Aws, Connection, Deadline, Failure, Limits, connect
from tenantproof.isolation import Report
from tenantproof.live.bounds import Bounds
from tenantproof.live.confirm import Settings, confirm
from tenantproof.live.simulation import Answer, NoAnswer, Simulation
from tenantproof.live.simulator import Simulator

MOST_BYTES = 4 << 20
"""Of a reply of the simulator's. Of what is asked at once most have some hundred kilobytes, and XML
takes fifty times its length in memory, and long to be read, in which no time limit counts."""

Watch = Callable[[int, int], None]
"""Is told how many are done, and of how many."""


class ThirdOpinion:
    """The simulator of an account, asked about one report after the other.

    Attributes:
        interrupted: whether Ctrl-C ended the asking.
    """

    def __init__(self, aws: Aws, settings: Settings, bounds: Bounds) -> None:
        self._settings = settings
        self._simulator = _Timed(aws, bounds)
        self.interrupted = False

    @classmethod
    def of(cls, connection: Connection, settings: Settings, bounds: Bounds) -> Self:
        """Find the credentials now: that there are none should not be told after hours of proofs.

        Raises:
            CallFailedError: there are no credentials; with what to do.
        """
        limits = Limits(reply_bytes=MOST_BYTES)
        aws = connect(connection, Deadline.after(bounds.seconds), limits)
        return cls(aws, settings, bounds)

    def on(self, report: Report, watch: Watch | None = None) -> Report:
        """The report with what the simulator says of its findings.

        Ctrl-C ends the asking and not this: what was answered until then is kept.

        Args:
            report: the findings, with the requests that they rest on.
            watch: told how many of the questions that are asked together have an answer.
        """
        self._simulator.watched_by(watch)
        asked = _Heard(self._simulator)
        try:
            confirmed = confirm(report, asked, self._settings)
        except KeyboardInterrupt:
            # Between two questions; asked in the same order again, what was answered is known.
            self.interrupted = True
            return confirm(report, _Again(asked.heard), self._settings)
        self.interrupted |= self._simulator.interrupted
        return confirmed


class _Timed(Simulator):
    """A simulator whose time passes only while it is asked."""

    def __init__(self, aws: Aws, bounds: Bounds) -> None:
        super().__init__(aws, max_calls=bounds.calls, deadline=Deadline.after(bounds.seconds))
        self._left = bounds.seconds

    def watched_by(self, watch: Watch | None) -> None:
        """Who is told from now on."""
        self._watch = watch

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        self._deadline = Deadline.after(self._left)
        try:
            return super().ask(simulations)
        finally:
            self._left = self._deadline.left


class _Heard:
    """Keeps what was answered."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.heard: list[list[Answer | NoAnswer]] = []

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        answers = self._simulator.ask(simulations)
        self.heard.append(answers)
        return answers


class _Again:
    """Says what was said, and of what comes after it that it was interrupted."""

    def __init__(self, heard: Sequence[list[Answer | NoAnswer]]) -> None:
        self._heard: Iterator[list[Answer | NoAnswer]] = iter(heard)

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        interrupted: list[Answer | NoAnswer] = [
            NoAnswer(Failure.INTERRUPTED, "interrupted before there was an answer")
        ]
        return next(self._heard, interrupted * len(simulations))
