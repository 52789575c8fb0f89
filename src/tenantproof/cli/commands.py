"""The commands that are a question and its answer: nothing but the library, asked."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

import click

from tenantproof.cli.options import (
    Account,
    Parameter,
    Seconds,
    format_,
    lenient_,
    manifest_,
    timeout_,
)
from tenantproof.cli.output import (
    Exit,
    as_json,
    escape_what_cannot_be_printed,
    finish,
    of_verdict,
    print_,
    print_report,
    progress,
    tell,
)
from tenantproof.errors import InputError

if TYPE_CHECKING:
    from tenantproof.compare import Comparison
    from tenantproof.mutate import MutationReport


@click.command()
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
    "--account", type=Account(), metavar="ID", help="The account that templates are deployed in."
)
@click.option("--region", metavar="NAME", help="The region that templates are deployed in.")
@click.option(
    "--parameter",
    "parameters",
    type=Parameter(),
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of CloudFormation templates; may be repeated.",
)
@lenient_
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

    escape_what_cannot_be_printed()
    deployment = Deployment(account, region or None, parameters=dict(parameters))
    try:
        guessed, estate = write_manifest(
            sources, output, force=force, lenient=lenient, deployment=deployment
        )
    except InputError as error:
        tell(error)
        sys.exit(Exit.BAD_INPUT)
    finish(summary(guessed, estate, output), Exit.PROVED)


QUESTIONS = ("no-new-access", "equivalent", "disjoint", "at-most")
"""The names of :class:`tenantproof.compare.Question`: ``--help`` must not pay for importing it."""


@click.command()
@click.argument("old", type=click.Path(path_type=Path, exists=True))
@click.argument("new", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--question",
    type=click.Choice(QUESTIONS),
    default=QUESTIONS[0],
    show_default=True,
    help="What to ask of OLD and NEW.",
)
@format_
@lenient_
@click.option(
    "--timeout",
    type=Seconds(),
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

    print_report(ask, diff_to_text, diff_to_json, form, of_verdict)


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


@click.command()
@manifest_
@format_
@lenient_
@timeout_
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

        with progress("mutants") as watch:
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

    print_report(ask, partial(mutation_to_text, show_all=show_all), mutation_to_json, form, code)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@format_
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="The folder that holds the manifest; without it, where check read it.",
)
@click.option("--detached", is_flag=True, help="Leave the manifest and the policy files alone.")
@click.option(
    "--timeout",
    type=Seconds(),
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

    escape_what_cannot_be_printed()
    try:
        certificate = read_certificate(file)
        found = verify_certificate(certificate, root=root, detached=detached, seconds=timeout)
    except InputError as error:
        tell(error)
        first = error.problems[0]
        answer = rejected_to_json(first.place.path, str(first))
        finish(as_json(answer) if form == "json" else "", Exit.BAD_INPUT)
    except RejectedError as error:
        rejected = f"REJECTED {file}: {error}"
        if form == "text":
            finish(f"{rejected}\n", Exit.LEAK)
        click.echo(rejected, err=True)
        finish(as_json(rejected_to_json(error.path, error.reason)), Exit.LEAK)
    text = (
        verified_to_text(found, certificate, str(file))
        if form == "text"
        else as_json(verified_to_json(found, certificate))
    )
    finish(text, Exit.PROVED if found.theorems and not found.without_proof else Exit.UNKNOWN)


@click.command()
@manifest_
@click.option("--as", "who", required=True, metavar="WHO", help="A principal's ARN, or a tenant.")
@click.option("--name", metavar="NAME", help="The tenant's name, where WHO is a rule.")
@click.option("--target-model", metavar="MODEL", help="The TargetModel; none without it.")
@click.option("--action", default="sagemaker:InvokeEndpoint", show_default=True)
@click.option("--endpoint", metavar="NAME", help="Its name or ARN, where there are several.")
@click.option("--context", metavar="JSON", help="An object of further condition keys.")
@format_
@lenient_
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

    escape_what_cannot_be_printed()
    try:
        keys = read_context(context) if context is not None else {}
        asked = Asked(who, name, target_model, action, endpoint, keys)
        explanation = explain(load_manifest(manifest, lenient=lenient), asked)
    except InputError as error:
        tell(error)
        sys.exit(Exit.BAD_INPUT)
    text = to_text(explanation) if form == "text" else as_json(to_json(explanation))
    finish(text, Exit.PROVED)


@click.command()
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
        print_(f"{answer}\n", Exit.PROVED)
