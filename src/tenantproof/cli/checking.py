"""``tenantproof check``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from tenantproof.cli.live import Connected, Live, live_options
from tenantproof.cli.options import format_, lenient_, manifest_, timeout_
from tenantproof.cli.output import Exit, of_verdict, print_report
from tenantproof.errors import InputError, Place, Problem

if TYPE_CHECKING:
    from tenantproof.isolation import Manifest, Report


@click.command()
@manifest_
@format_
@lenient_
@timeout_
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
@live_options
def check(
    manifest: Path,
    *,
    form: str,
    lenient: bool,
    timeout: float,
    engine: str,
    certificate: Path | None,
    live: Live,
) -> NoReturn:
    """Ask every question of MANIFEST, a file or a folder that holds tenantproof.toml.

    Exit code 0: all proved. 1: a leak or a failed assertion. 2: bad input. 3: unknown, or a proof
    that AWS contradicts. 4: an internal error, where the two readings of the policies or two
    engines disagree. AWS is asked with --live or --live-invoke alone.
    """
    from tenantproof.isolation import Run, load_manifest
    from tenantproof.prove.engines import engines_named
    from tenantproof.report import to_json, to_text

    asked = Connected(())

    def ask() -> Report:
        nonlocal asked
        loaded = load_manifest(manifest, lenient=lenient)
        if certificate is not None:
            _check_certificate(certificate, loaded.files)
        run = Run(loaded, timeout, engines=engines_named(engine), samples=live.samples)
        run.check_ownership()
        asked = live.connected()
        report = run.report()
        if certificate is not None:
            report = _certified(loaded, report, certificate, lenient=lenient, timeout=timeout)
        return asked.on(report)

    def code(report: Report) -> Exit:
        return Exit.INTERRUPTED if asked.interrupted else of_verdict(report)

    print_report(ask, to_text, to_json, form, code)


def _certified(
    loaded: Manifest, report: Report, certificate: Path, *, lenient: bool, timeout: float
) -> Report:
    """The report, its proofs written."""
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
