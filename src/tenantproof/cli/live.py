"""Options that have AWS asked about what ``check`` finds, and how it is asked.

Nothing of boto3 is imported where nobody asks for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click
from click.core import ParameterSource

from tenantproof.cli.options import Seconds
from tenantproof.cli.output import progress
from tenantproof.errors import InputError, Place, Problem
from tenantproof.live.bounds import (
    CASES,
    MAX_CALLS,
    MOST_SAMPLES,
    SAMPLES,
    SECONDS,
    Bounds,
)

if TYPE_CHECKING:
    from tenantproof.aws import Connection
    from tenantproof.isolation import Report

Command = TypeVar("Command", bound=Callable[..., Any])


class OfConnection(click.ParamType[str]):
    """A value of a connection with AWS, which is looked at before anything is asked.

    Args:
        name: the attribute of :class:`tenantproof.aws.Connection`.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse what is none."""
        from tenantproof.aws import misread

        problem = misread(self.name, value)
        if problem is not None:
            self.fail(problem, param, ctx)
        return str(value)


_CONNECTION = (
    click.option(
        "--profile",
        type=OfConnection("profile"),
        metavar="NAME",
        help="The profile of the AWS configuration files.",
    ),
    click.option(
        "--endpoint-url",
        type=OfConnection("endpoint_url"),
        metavar="URL",
        help="Where to send it all, instead of to AWS.",
    ),
    click.option(
        "--role", type=OfConnection("role"), metavar="ARN", help="A role to assume first."
    ),
)
_REGION = click.option(
    "--region",
    type=OfConnection("region"),
    metavar="NAME",
    help="The region that AWS is asked in.",
)

_LIVE = (
    click.option("--live", is_flag=True, help="Ask the IAM policy simulator about each finding."),
    click.option(
        "--live-principals",
        is_flag=True,
        help="Ask about the policies that principals have in the account.",
    ),
    click.option(
        "--live-max-calls",
        type=click.IntRange(min=1),
        default=MAX_CALLS,
        show_default=True,
        metavar="N",
        help="How many calls are made.",
    ),
    click.option(
        "--live-samples",
        type=click.IntRange(0, MOST_SAMPLES),
        default=SAMPLES,
        show_default=True,
        metavar="N",
        help="About how many requests near the boundary to ask of each PROVED.",
    ),
    click.option(
        "--live-timeout",
        type=Seconds(),
        default=SECONDS,
        show_default=True,
        metavar="SECONDS",
        help="For all that is asked of AWS.",
    ),
    click.option(
        "--live-cases",
        type=click.Path(path_type=Path, file_okay=False),
        default=CASES,
        show_default=True,
        metavar="DIR",
        help="Where disagreements are written.",
    ),
    click.option(
        "--live-invoke",
        type=OfConnection("profile"),
        metavar="PROFILE",
        help="Invoke endpoints for real, as this profile: for sandboxes.",
    ),
)

_OF_SIMULATOR = {"live_principals", "profile", "role"}
_OF_BOTH = {
    "live_max_calls",
    "live_samples",
    "live_timeout",
    "live_cases",
    "region",
    "endpoint_url",
}
"""The options that change nothing where the simulator is not asked, or nobody is."""


def connection_options(command: Command) -> Command:
    """Options that say with whose credentials and where AWS is spoken with, but for the region."""
    return _with(_CONNECTION, command)


def live_options(command: Command) -> Command:
    """Options that have AWS asked; the command gets them as one :class:`Live`."""

    @wraps(command)
    def told(*args: Any, **given: Any) -> Any:
        names = {"live", "live_invoke", *_OF_SIMULATOR, *_OF_BOTH}
        return command(*args, live=Live.of({name: given.pop(name) for name in names}), **given)

    return _with((*_LIVE, _REGION, *_CONNECTION), told)  # type: ignore[return-value]


def _with(options: tuple[Callable[[Command], Command], ...], command: Command) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


@dataclass(frozen=True)
class Live:
    """What the options say.

    Attributes:
        asks_simulator: whether the simulator is asked.
        principals: whether about the policies that principals have in the account.
        profile_to_invoke: the profile that endpoints are invoked as, if they are.
        max_calls: how many calls each of the two makes at most.
        samples: how many requests near the boundary are kept of each PROVED.
        seconds: for how long each of the two asks at most.
        cases: the folder of disagreements.
        profile: with whose credentials the simulator is asked.
        region: where AWS is asked.
        endpoint_url: what is asked instead of AWS.
        role: the role with whose credentials the simulator is asked.
    """

    asks_simulator: bool
    principals: bool
    profile_to_invoke: str | None
    max_calls: int
    samples: int
    seconds: float
    cases: Path
    profile: str | None
    region: str | None
    endpoint_url: str | None
    role: str | None

    @classmethod
    def of(cls, given: dict[str, Any]) -> Live:
        """What options say.

        Raises:
            click.UsageError: an option says how something is asked that is not.
        """
        is_asked = given["live"] or given["live_invoke"] is not None
        _must_not_be_given(set() if is_asked else _OF_BOTH, "--live or --live-invoke")
        _must_not_be_given(set() if given["live"] else _OF_SIMULATOR, "--live")
        return cls(
            asks_simulator=given["live"],
            principals=given["live_principals"],
            profile_to_invoke=given["live_invoke"],
            max_calls=given["live_max_calls"],
            samples=given["live_samples"] if is_asked else 0,
            seconds=given["live_timeout"],
            cases=given["live_cases"],
            profile=given["profile"],
            region=given["region"],
            endpoint_url=given["endpoint_url"],
            role=given["role"],
        )

    def connected(self) -> Connected:
        """Whoever is asked, with credentials that were found.

        Raises:
            InputError: there are none; with what to do.
        """
        if not self.asks_simulator and self.profile_to_invoke is None:
            return Connected(())
        from tenantproof.aws import CallFailedError, Connection

        where = Connection(None, self.region, self.endpoint_url)
        bounds = Bounds(self.max_calls, self.seconds)
        option = "--live"
        asked: list[tuple[str, Asked]] = []
        try:
            if self.asks_simulator:
                asked.append(("simulated", self._simulator(where, bounds)))
            option = "--live-invoke"
            if self.profile_to_invoke is not None:
                asked.append(("invoked", self._invoker(where, bounds, self.profile_to_invoke)))
        except CallFailedError as error:
            raise InputError([Problem(str(error), Place(option, ""))]) from None
        return Connected(tuple(asked))

    def _simulator(self, where: Connection, bounds: Bounds) -> Asked:
        from tenantproof.live.asking import ThirdOpinion
        from tenantproof.live.confirm import Settings

        as_whom = replace(where, profile=self.profile, role=self.role)
        return ThirdOpinion.of(as_whom, Settings(self.principals, self.cases), bounds)

    def _invoker(self, where: Connection, bounds: Bounds, profile: str) -> Asked:
        from tenantproof.live.invoke import Invoker

        as_whom = replace(where, profile=profile)
        return Invoker.of(as_whom, bounds, _announce, cases=self.cases)


class Asked(Protocol):
    """Whoever says something of findings."""

    interrupted: bool

    def on(self, report: Report, watch: Callable[[int, int], None] | None) -> Report:
        """The report with what they say; ``watch`` is told how many of how many were asked."""
        ...


@dataclass
class Connected:
    """Those who are asked, one after the other, each with its label.

    Attributes:
        interrupted: whether Ctrl-C ended the asking: what came after it was not begun.
    """

    asked: tuple[tuple[str, Asked], ...]
    interrupted: bool = False

    def on(self, report: Report) -> Report:
        """The report with what they say."""
        for label, each in self.asked:
            if not self.interrupted:
                try:
                    with progress(label) as watch:
                        report = each.on(report, watch)
                    self.interrupted = each.interrupted
                except KeyboardInterrupt:
                    # What was said is lost, the report is not.
                    self.interrupted = True
        if self.interrupted:
            click.echo("interrupted: what was not asked is unconfirmed", err=True)
        return report


def _announce(what: str) -> None:
    click.echo(what, err=True)


def _must_not_be_given(names: set[str], without: str) -> None:
    """An option that changes nothing is a mistake of whoever gives it."""
    context = click.get_current_context()
    given = [
        f"--{name.replace('_', '-')}"
        for name in sorted(names)
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT
    ]
    if given:
        raise click.UsageError(f"{', '.join(given)}: AWS is asked with {without} alone")
