"""The command line: a command each for what the library does.

Modules that a command needs are imported by the command: ``--help`` must not pay for a solver.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, Protocol, TypeVar

import click

from tenantproof import __version__
from tenantproof.errors import DisagreementError, InputError, Place, Problem, TenantproofError

if TYPE_CHECKING:
    from tenantproof.compare import Comparison
    from tenantproof.isolation import Report, Verdict
    from tenantproof.mutate import MutationReport


class Exit(IntEnum):
    """The exit codes of ``check``, ``diff`` and ``mutate``."""

    PROVED = 0
    LEAK = 1
    BAD_INPUT = 2
    UNKNOWN = 3
    INTERNAL = 4
    INTERRUPTED = 130


class _Commands(click.Group):
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


class _Seconds(click.FloatRange):
    """A time; not a number (``nan``) is none."""

    def __init__(self) -> None:
        super().__init__(min=0, min_open=True, max=1e9)

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Read a number of seconds."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return seconds


class _Account(click.ParamType[str]):
    """An account's ID."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read twelve digits."""
        if not re.fullmatch("[0-9]{12}", value):
            self.fail(f"found {value!r:.80}, expected the twelve digits of an account", param, ctx)
        return str(value)


class _Parameter(click.ParamType[tuple[str, str]]):
    """A name and a value."""

    name = "parameter"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Read a name, ``=`` and a value."""
        name, equals, text = value.partition("=")
        if not name or not equals:
            self.fail(f"found {value!r:.80}, expected NAME=VALUE", param, ctx)
        return name, text


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tenantproof")
def main() -> None:
    """Prove that IAM policies keep the tenants of a multi-model endpoint apart."""


_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print."
)
_lenient = click.option(
    "--lenient", is_flag=True, help="Read policies with comments and trailing commas."
)
_manifest = click.argument(
    "manifest", type=click.Path(path_type=Path, exists=True), default=Path(), required=False
)
_timeout = click.option(
    "--timeout",
    type=_Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For one question about one principal; what takes longer is UNKNOWN.",
)


@main.command()
@_manifest
@_format
@_lenient
@_timeout
@click.option(
    "--engine",
    type=click.Choice(["automata", "z3", "cvc5", "all"]),
    default="automata",
    show_default=True,
    help="What decides; with all, every engine that is installed, and they must agree.",
)
@click.option(
    "--certificate",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write proofs that `tenantproof verify` can check.",
)
def check(
    manifest: Path,
    *,
    form: str,
    lenient: bool,
    timeout: float,
    engine: str,
    certificate: Path | None,
) -> NoReturn:
    """Ask every question of MANIFEST, a file or a folder that holds tenantproof.toml.

    Exit code 0: all proved. 1: a leak or a failed assertion. 2: bad input. 3: unknown. 4: an
    internal error, where the two readings of the policies or two engines disagree.
    """
    from tenantproof.report import to_json, to_text

    def ask() -> Report:
        return _run(manifest, lenient, timeout, engine, certificate)

    _report(ask, to_text, to_json, form, _of_verdict)


def _run(
    manifest: Path, lenient: bool, timeout: float, engine: str, certificate: Path | None
) -> Report:
    from tenantproof.isolation import Run, load_manifest
    from tenantproof.prove.engines import engines_named

    loaded = load_manifest(manifest, lenient=lenient)
    if certificate is not None:
        _check_certificate(certificate, loaded.files)
    report = Run(loaded, timeout, engines=engines_named(engine)).report()
    if certificate is None:
        return report
    from tenantproof.certificate import to_text
    from tenantproof.certify import certify

    written, report = certify(loaded, report, lenient=lenient, timeout=timeout)
    try:
        certificate.write_text(to_text(written), "utf-8")
    except OSError as error:
        message = f"the certificate could not be written: {error.strerror}"
        raise InputError([Problem(message, Place(str(certificate), "$"))]) from None
    return report


def _check_certificate(path: Path, read: Iterable[Path]) -> None:
    """Whether a certificate can be written is asked before hours of proofs, not behind them.

    Raises:
        InputError: it cannot, or would replace one of the files that it is about.
    """
    message = None
    try:
        if path.exists() and any(map(path.samefile, read)):
            message = "found a file that is read, expected another file for the certificate"
        elif not path.absolute().parent.is_dir():
            message = "the certificate could not be written: there is no such folder"
    except OSError as error:
        message = f"the certificate could not be written: {error.strerror}"
    if message is not None:
        raise InputError([Problem(message, Place(str(path), "$"))])


@main.command()
@click.option(
    "--from",
    "sources",
    type=click.Path(path_type=Path, exists=True),
    multiple=True,
    required=True,
    metavar="PATH",
    help="A file or folder to read: account exports, descriptions of SageMaker, templates, "
    "policies; may be repeated.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default="tenantproof.toml",
    show_default=True,
    metavar="FILE",
    help="The manifest to write.",
)
@click.option("--force", is_flag=True, help="Write over a manifest that is there.")
@click.option(
    "--account", type=_Account(), metavar="ID", help="The account that templates are deployed in."
)
@click.option("--region", metavar="NAME", help="The region that templates are deployed in.")
@click.option(
    "--parameter",
    "parameters",
    type=_Parameter(),
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of CloudFormation templates; may be repeated.",
)
@_lenient
def init(
    sources: tuple[Path, ...],
    output: Path,
    *,
    force: bool,
    lenient: bool,
    account: str | None,
    region: str | None,
    parameters: tuple[tuple[str, str], ...],
) -> NoReturn:
    """Write a manifest from sources, with tenants guessed from prefixes, tags and names.

    Each guess is marked with what it was guessed from. Exit code 0: written. 2: bad input, or
    nothing there tells tenants apart.
    """
    from tenantproof.init import summary, write_manifest
    from tenantproof.sources import Deployment

    _escape_what_cannot_be_printed()
    deployment = Deployment(account, region or None, parameters=dict(parameters))
    try:
        guessed, estate = write_manifest(
            sources, output, force=force, lenient=lenient, deployment=deployment
        )
    except InputError as error:
        _tell(error)
        sys.exit(Exit.BAD_INPUT)
    _finish(summary(guessed, estate, output), Exit.PROVED)


QUESTIONS = ("no-new-access", "equivalent", "disjoint", "at-most")
"""The names of :class:`tenantproof.compare.Question`: ``--help`` must not pay for importing it."""


@main.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True))
@click.argument("new", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--question",
    type=click.Choice(QUESTIONS),
    default=QUESTIONS[0],
    show_default=True,
    help="What to ask of OLD and NEW.",
)
@_format
@_lenient
@click.option(
    "--timeout",
    type=_Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For the question about one pair; what takes longer is UNKNOWN.",
)
def diff(  # noqa: PLR0917 (click passes them by name)
    old: Path, new: Path, question: str, form: str, lenient: bool, timeout: float
) -> NoReturn:
    """Compare OLD and NEW: two policy files, two folders of them, or two manifests.

    Exit code 0: proved (by default, that NEW allows nothing that OLD does not). 1: here is a
    request that says otherwise. 2: bad input. 3: unknown. 4: an internal error, where the two
    readings of the policies disagree.
    """
    from tenantproof.report import diff_to_json, diff_to_text

    def ask() -> Comparison:
        from tenantproof.compare import Question, Terms, compare

        asked = Question(question)
        removed = asked is Question.NO_NEW_ACCESS
        return compare(old, new, asked, Terms(timeout, tell_removed=removed), lenient=lenient)

    _report(ask, diff_to_text, diff_to_json, form, _of_verdict)


KINDS = (
    "slash-dropped",
    "wildcard-widened",
    "case-changed",
    "operator-loosened",
    "if-exists",
    "for-all-values",
    "negation-dropped",
    "boolean-flipped",
    "condition-removed",
    "value-removed",
    "deny-removed",
    "deny-narrowed",
    "effect-flipped",
    "action-widened",
    "resource-widened",
    "variable-replaced",
    "variable-default",
    "version-dropped",
)
"""The names of :class:`tenantproof.mutate.Kind`: ``--help`` must not pay for importing it."""


@main.command()
@_manifest
@_format
@_lenient
@_timeout
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Exit with 1 where the score is lower.",
)
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(KINDS),
    multiple=True,
    metavar="KIND",
    help="Make mutants of this kind alone; may be repeated.",
)
@click.option(
    "--file",
    "files",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    multiple=True,
    help="Make mutants of this policy file alone; may be repeated.",
)
@click.option(
    "--max-mutants",
    type=click.IntRange(min=1),
    default=1000,
    show_default=True,
    help="Of more, so many are made, evenly chosen.",
)
@click.option("--all", "show_all", is_flag=True, help="Show each that survived, however many.")
def mutate(
    manifest: Path,
    *,
    form: str,
    lenient: bool,
    timeout: float,
    fail_under: float | None,
    kinds: tuple[str, ...],
    files: tuple[Path, ...],
    max_mutants: int,
    show_all: bool,
) -> NoReturn:
    """Make every plausible slip in the policies of MANIFEST; show those that nothing notices.

    A mutant is noticed if one of the manifest's questions is no longer proved. Exit code 0: done,
    and the score is not below --fail-under. 1: it is, or the policies leak as they are. 2: bad
    input. 3: a question on the policies as they are is unknown, or --fail-under was given and there
    is no score. 4: an internal error, where the two readings of the policies disagree.
    """
    from functools import partial

    from tenantproof.report.mutate_json import mutation_to_json
    from tenantproof.report.mutate_text import mutation_to_text

    def ask() -> MutationReport:
        from tenantproof.mutate import Kind, survey

        with _progress() as watch:
            return survey(
                manifest,
                lenient=lenient,
                timeout=timeout,
                kinds=frozenset(map(Kind, kinds)) or frozenset(Kind),
                files=files,
                most=max_mutants,
                watch=watch,
            )

    def code(report: MutationReport) -> Exit:
        if not report.is_measured:
            return Exit[report.baseline.verdict.value]
        reached = True if fail_under is None else report.reaches(Fraction(str(fail_under)))
        return {True: Exit.PROVED, False: Exit.LEAK, None: Exit.UNKNOWN}[reached]

    _report(ask, partial(mutation_to_text, show_all=show_all), mutation_to_json, form, code)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on standard error, where that is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=1, label="mutants", file=sys.stderr) as bar:

        def watch(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield watch


class _Judged(Protocol):
    """What has a verdict."""

    @property
    def verdict(self) -> Verdict: ...


def _of_verdict(report: _Judged) -> Exit:
    return Exit[report.verdict.value]


T = TypeVar("T")


def _report(
    ask: Callable[[], T],
    to_text: Callable[[T], str],
    to_json: Callable[..., dict[str, Any]],
    form: str,
    code: Callable[[T], Exit],
) -> NoReturn:
    """Ask, print the report and exit with its code; errors are messages, too."""
    _escape_what_cannot_be_printed()
    try:
        report = ask()
    except InputError as error:
        _tell(error)
        _finish(_as_json(to_json(None, error.problems)) if form == "json" else "", Exit.BAD_INPUT)
    except DisagreementError as error:
        click.echo(f"internal error: the two readings disagree: {error}", err=True)
        click.echo("This is a bug in tenantproof; please report it with the policies.", err=True)
        _finish(
            _as_json(to_json(None, (_internal(error),))) if form == "json" else "", Exit.INTERNAL
        )
    except TenantproofError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(Exit.BAD_INPUT)
    text = to_text(report) if form == "text" else _as_json(to_json(report))
    _finish(text, code(report))


def _tell(error: InputError) -> None:
    """Every problem of an input, a message each."""
    for problem in error.problems:
        click.echo(f"error: {problem}", err=True)


def _as_json(answer: dict[str, Any]) -> str:
    return json.dumps(answer, indent=2) + "\n"


def _finish(text: str, code: Exit) -> NoReturn:
    """Print a text, and exit with the code, whether or not somebody reads on."""
    _print(text, code)
    sys.exit(code)


def _print(text: str, code: Exit) -> None:
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


def _escape_what_cannot_be_printed() -> None:
    """A name that the terminal's encoding lacks is shown escaped, not as a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@_format
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="The folder that holds the manifest; without it, where check read it.",
)
@click.option("--detached", is_flag=True, help="Leave the manifest and the policy files alone.")
@click.option(
    "--timeout",
    type=_Seconds(),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="For the whole certificate; one that takes longer is rejected.",
)
def verify(file: Path, form: str, root: Path | None, detached: bool, timeout: float) -> NoReturn:
    """Check the proofs of FILE, written by `check --certificate`.

    Exit code 0: all that the manifest asks of these kinds is proved. 1: rejected. 2: bad input.
    3: all proofs hold, but there is not one for each question.
    """
    from tenantproof.certificate import RejectedError, read_certificate
    from tenantproof.certificate import verify as verify_certificate
    from tenantproof.certificate.words import rejected_to_json, verified_to_json, verified_to_text

    _escape_what_cannot_be_printed()
    try:
        certificate = read_certificate(file)
        found = verify_certificate(certificate, root=root, detached=detached, seconds=timeout)
    except InputError as error:
        _tell(error)
        first = error.problems[0]
        answer = rejected_to_json(first.place.path, str(first))
        _finish(_as_json(answer) if form == "json" else "", Exit.BAD_INPUT)
    except RejectedError as error:
        rejected = f"REJECTED {file}: {error}"
        if form == "text":
            _finish(f"{rejected}\n", Exit.LEAK)
        click.echo(rejected, err=True)
        _finish(_as_json(rejected_to_json(error.path, error.reason)), Exit.LEAK)
    text = (
        verified_to_text(found, certificate, str(file))
        if form == "text"
        else _as_json(verified_to_json(found, certificate))
    )
    _finish(text, Exit.PROVED if found.theorems and not found.without_proof else Exit.UNKNOWN)


@main.command()
@_manifest
@click.option("--as", "who", required=True, metavar="WHO", help="A principal's ARN, or a tenant.")
@click.option("--name", metavar="NAME", help="The tenant's name, where WHO is a rule.")
@click.option("--target-model", metavar="MODEL", help="The TargetModel; none without it.")
@click.option("--action", default="sagemaker:InvokeEndpoint", show_default=True)
@click.option("--endpoint", metavar="NAME", help="Its name or ARN, where there are several.")
@click.option("--context", metavar="JSON", help="An object of further condition keys.")
@_format
@_lenient
def explain(  # noqa: PLR0917 (click passes them by name)
    manifest: Path,
    who: str,
    name: str | None,
    target_model: str | None,
    action: str,
    endpoint: str | None,
    context: str | None,
    form: str,
    lenient: bool,
) -> None:
    """Decide one request of a principal of MANIFEST, and say why.

    Exit code 0 whatever the decision is; 2: bad input.
    """
    from tenantproof.explain import Asked, explain, read_context, to_json, to_text
    from tenantproof.isolation import load_manifest

    _escape_what_cannot_be_printed()
    try:
        keys = read_context(context) if context is not None else {}
        asked = Asked(who, name, target_model, action, endpoint, keys)
        explanation = explain(load_manifest(manifest, lenient=lenient), asked)
    except InputError as error:
        _tell(error)
        sys.exit(Exit.BAD_INPUT)
    text = to_text(explanation) if form == "text" else _as_json(to_json(explanation))
    _finish(text, Exit.PROVED)


@main.command()
@click.argument("cases", type=click.File("rb"), default="-")
@click.option("--lenient", is_flag=True, help="Read lines with comments and trailing commas.")
def simulate(cases: BinaryIO, lenient: bool) -> None:
    """Decide requests: JSON lines from CASES (standard input without it), JSON lines out.

    Each line holds an "id", a "request" and its "identity_policies"; "permissions_boundary",
    "session_policy", "service_control_policies", "resource_control_policies" and "resource_policy"
    may follow. A bad line gives an "error" on its line of the output, and the others go on.
    """
    from tenantproof.simulate import decide_lines

    name = getattr(cases, "name", "<stdin>")
    for answer in decide_lines(cases, name, lenient=lenient):
        _print(f"{answer}\n", Exit.PROVED)
