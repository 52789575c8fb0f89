"""Timing two ways of the same work in turn, so that a machine's moods hit both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Seconds of several runs."""

    runs: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median in seconds."""
        return statistics.median(self.runs)

    def __str__(self) -> str:
        low, high = min(self.runs), max(self.runs)
        return f"{shown(self.median)} ({shown(low)} to {shown(high)})"


def shown(seconds: float) -> str:
    """Seconds or milliseconds with three digits that matter."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def seconds(work: Callable[[], object]) -> float:
    """How long one run takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turn(
    ours: Callable[[], object], theirs: Callable[[], object], runs: int
) -> tuple[Times, Times, float]:
    """Time both ``runs`` times in turn; the last value is the median ratio theirs / ours."""
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    return Times(tuple(o for o, _ in pairs)), Times(tuple(t for _, t in pairs)), ratio
