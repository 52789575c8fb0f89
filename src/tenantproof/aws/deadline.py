"""Work that ends in time, whatever it waits for."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

Result = TypeVar("Result")

SLICE = 0.2
"""Seconds of one wait: there are platforms whose waits Ctrl-C does not end."""


@dataclass(frozen=True)
class Deadline:
    """The moment, on the monotonic clock, at which a run has to be over."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """The deadline that is so many seconds away."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """The seconds that are left, never negative."""
        return max(0.0, self.moment - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.left == 0.0

    def within(self, seconds: float) -> Deadline:
        """This deadline, or the one that is so many seconds away, whichever is earlier."""
        return min(self, Deadline.after(seconds), key=lambda each: each.moment)


class OverdueError(Exception):
    """Work was not done at its deadline; inside the work, that nobody waits for it anymore."""


class _Worker(threading.local):
    abandoned: threading.Event | None = None


_WORKER = _Worker()


def in_time(work: Callable[[], Result], deadline: Deadline) -> Result:
    """What work returns or raises, done by a daemon thread, which nobody waits for in the end.

    A thread cannot be stopped: what it waits for (a name server, a byte a second) goes on, but
    neither this call nor the exit of the process waits for it. Work asks
    :func:`is_wanted` before it starts something new.

    Raises:
        OverdueError: the work is not done at its deadline.
    """
    outcomes: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()
    abandoned = threading.Event()

    def run() -> None:
        _WORKER.abandoned = abandoned
        try:
            outcomes.put((work(), None))
        except BaseException as error:  # raised where it is waited for
            outcomes.put((None, error))

    threading.Thread(target=run, name="tenantproof-aws", daemon=True).start()
    try:
        result, error = _awaited(outcomes, deadline)
    finally:
        abandoned.set()
    if error is not None:
        raise error
    return cast("Result", result)


def _awaited(outcomes: queue.SimpleQueue[Result], deadline: Deadline) -> Result:
    while True:
        left = deadline.left
        try:
            return outcomes.get(timeout=min(left, SLICE)) if left else outcomes.get_nowait()
        except queue.Empty:
            if not left:
                raise OverdueError from None


def is_wanted() -> bool:
    """Whether somebody still waits for the work that this thread does."""
    return _WORKER.abandoned is None or not _WORKER.abandoned.is_set()
