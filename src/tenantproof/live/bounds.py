"""How much may be asked of AWS, and what holds where nobody says otherwise.

Imports nothing: options show these before anybody is asked.
"""

from __future__ import annotations

from dataclasses import dataclass

MAX_CALLS = 100
SAMPLES = 4
MOST_SAMPLES = 64
SECONDS = 300.0
CASES = "tenantproof-cases"

MOST_OUTAGES = 2
"""Failures of AWS or of the way to it, in a row, after which nothing is asked anymore."""


@dataclass(frozen=True)
class Bounds:
    """How much may be asked.

    Attributes:
        calls: how many calls.
        seconds: for how long; what is done between two times of asking does not count.
    """

    calls: int = MAX_CALLS
    seconds: float = SECONDS
