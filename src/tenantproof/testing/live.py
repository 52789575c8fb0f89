"""``--tenantproof-live``: the IAM policy simulator is asked about each question of a manifest.

That AWS is asked is said on the command line alone; how it is asked may stand in the configuration.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest

from tenantproof.aws import CallFailedError, Connection, misread
from tenantproof.isolation import Report
from tenantproof.live.asking import ThirdOpinion
from tenantproof.live.bounds import (
    CASES,
    MAX_CALLS,
    MOST_SAMPLES,
    SAMPLES,
    SECONDS,
    Bounds,
)
from tenantproof.live.confirm import Settings
from tenantproof.testing.checks import Checks, Outcome


@dataclass(frozen=True)
class LiveSettings:
    """How the simulator is asked.

    Attributes:
        connection: with whose credentials, and where.
        settings: what is asked.
        bounds: how much may be asked, in this process.
        samples: how many requests near the boundary are asked about of each PROVED.
    """

    connection: Connection
    settings: Settings
    bounds: Bounds
    samples: int

    @classmethod
    def of(cls, config: pytest.Config) -> LiveSettings:
        """What options and the configuration say.

        Raises:
            pytest.UsageError: one has a value that it cannot have.
        """
        calls = _number(config, "live_max_calls", MAX_CALLS, 1, None)
        cases = _text(config, "live_cases")
        return cls(
            Connection(
                _of_connection(config, "profile"),
                _of_connection(config, "region"),
                _of_connection(config, "endpoint_url"),
                _of_connection(config, "role"),
            ),
            Settings(
                _chosen(config, "live_principals"),
                config.invocation_params.dir / (cases or CASES),
            ),
            Bounds(_share(config, calls), _seconds(config)),
            _number(config, "live_samples", SAMPLES, 0, MOST_SAMPLES),
        )

    def connected(self) -> Live:
        """The simulator, with credentials that were found.

        Raises:
            pytest.UsageError: there are none; with what to do.
        """
        try:
            opinion = ThirdOpinion.of(self.connection, self.settings, self.bounds)
        except CallFailedError as error:
            raise pytest.UsageError(f"--tenantproof-live: {error}") from None
        return Live(opinion)


@dataclass
class Live:
    """The simulator, asked about one question after the other."""

    opinion: ThirdOpinion

    def on(self, outcome: Outcome, checks: Checks) -> Outcome:
        """An answer with what the simulator says of it."""
        report = self.opinion.on(Report(checks.manifest.file, outcome.findings))
        return replace(outcome, findings=report.findings)

    @property
    def interrupted(self) -> bool:
        """Whether Ctrl-C ended the asking."""
        return self.opinion.interrupted


def _share(config: pytest.Config, calls: int) -> int:
    """The calls that this process may make: those of all workers are as many as were allowed.

    A worker that takes the place of one that died gets none: nobody knows what that one asked.
    """
    told = getattr(config, "workerinput", None)
    if told is None:
        return calls
    number, count = int(told["workerid"].removeprefix("gw")), int(told["workercount"])
    return calls // count + (number < calls % count) if number < count else 0


def _text(config: pytest.Config, name: str) -> str | None:
    """What the command line says, else the configuration, in which an empty text says nothing."""
    given: str | None = getattr(config.option, f"tenantproof_{name}")
    return config.getini(f"tenantproof_{name}") or None if given is None else given


def _of_connection(config: pytest.Config, name: str) -> str | None:
    text = _text(config, name)
    problem = misread(name, text) if text is not None else None
    if problem is not None:
        raise pytest.UsageError(f"tenantproof_{name}: {problem}")
    return text


def _chosen(config: pytest.Config, name: str) -> bool:
    given: bool | None = getattr(config.option, f"tenantproof_{name}")
    return bool(config.getini(f"tenantproof_{name}")) if given is None else given


def _number(config: pytest.Config, name: str, default: int, least: int, most: int | None) -> int:
    text = _text(config, name)
    if text is None:
        return default
    number = int(text) if text.isascii() and text.isdigit() else -1
    if number < least or (most is not None and number > most):
        upto = "or more" if most is None else f"to {most}"
        raise pytest.UsageError(
            f"tenantproof_{name}: found {text!r:.80}, expected a number, {least} {upto}"
        )
    return number


def _seconds(config: pytest.Config) -> float:
    text = _text(config, "live_timeout")
    if text is None:
        return SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 1e9:
        raise pytest.UsageError(
            f"tenantproof_live_timeout: found {text!r:.80}, expected seconds above 0"
        )
    return seconds
