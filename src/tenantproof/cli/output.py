"""How commands end: a report or messages, and an exit code; and how long they take until then."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import click

from tenantproof.errors import DisagreementError, InputError, Place, Problem, TenantproofError

if TYPE_CHECKING:
    from tenantproof.isolation import Verdict


class Exit(IntEnum):
    """The exit codes of ``check``, ``diff`` and ``mutate``."""

    PROVED = 0
    LEAK = 1
    BAD_INPUT = 2
    UNKNOWN = 3
    INTERNAL = 4
    INTERRUPTED = 130


class Commands(click.Group):
    """Commands that end with an exit code of ours, however they are cut off."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; click's own code for an interrupt is the one for a leak."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted: no verdict", err=True)
            sys.exit(Exit.INTERRUPTED)
        except OSError as error:
            try:
                click.echo(f"error: {error}", err=True)
            except OSError:
                # Standard error is gone, too: there is nothing left to say it to.
                os._exit(Exit.BAD_INPUT)
            sys.exit(Exit.BAD_INPUT)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, where that is a terminal; it is told how many are done, of all."""
    # A stream that was closed before the start is None.
    if sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def watch(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield watch


class _Judged(Protocol):
    """What has a verdict."""

    @property
    def verdict(self) -> Verdict: ...


def of_verdict(report: _Judged) -> Exit:
    """The exit code that a verdict has."""
    return Exit[report.verdict.value]


T = TypeVar("T")


def print_report(
    ask: Callable[[], T],
    to_text: Callable[[T], str],
    to_json: Callable[..., dict[str, Any]],
    form: str,
    code: Callable[[T], Exit],
) -> NoReturn:
    """Ask, print the report and exit with its code; errors are messages, too."""
    escape_what_cannot_be_printed()
    try:
        report = ask()
    except InputError as error:
        tell(error)
        finish(as_json(to_json(None, error.problems)) if form == "json" else "", Exit.BAD_INPUT)
    except DisagreementError as error:
        click.echo(f"internal error: the two readings disagree: {error}", err=True)
        click.echo("This is a bug in tenantproof; please report it with the policies.", err=True)
        finish(as_json(to_json(None, (_internal(error),))) if form == "json" else "", Exit.INTERNAL)
    except TenantproofError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(Exit.BAD_INPUT)
    text = to_text(report) if form == "text" else as_json(to_json(report))
    finish(text, code(report))


def tell(error: InputError) -> None:
    """Every problem of an input, a message each."""
    for problem in error.problems:
        click.echo(f"error: {problem}", err=True)


def as_json(answer: dict[str, Any]) -> str:
    """A JSON report as it is printed."""
    return json.dumps(answer, indent=2) + "\n"


def finish(text: str, code: Exit) -> NoReturn:
    """Print a text, and exit with the code, whether or not somebody reads on."""
    print_(text, code)
    sys.exit(code)


def print_(text: str, code: Exit) -> None:
    """Print a text; where it cannot be printed, exit: with the code, if nobody reads on."""
    if sys.stdout is None:
        click.echo("error: the report could not be written: standard output is closed", err=True)
        sys.exit(Exit.BAD_INPUT)
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever reads has read enough; what is left in the buffer has nowhere to go.
        os._exit(code)
    except OSError as error:
        click.echo(f"error: the report could not be written: {error.strerror}", err=True)
        os._exit(Exit.BAD_INPUT)


def _internal(error: DisagreementError) -> Problem:
    return Problem(f"internal error: the two readings disagree: {error}", Place("", "$"))


def escape_what_cannot_be_printed() -> None:
    """A name that the terminal's encoding lacks is shown escaped, not as a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
