"""``tenantproof pull``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import NoReturn

import click

from tenantproof.cli.live import OfConnection, connection_options
from tenantproof.cli.options import Seconds
from tenantproof.cli.output import Exit, escape_what_cannot_be_printed, finish, progress, tell
from tenantproof.errors import InputError


@click.command()
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="tenantproof-snapshot",
    show_default=True,
    metavar="DIR",
    help="The folder to write.",
)
@click.option("--force", is_flag=True, help="Write over a snapshot that is there.")
@click.option(
    "--region",
    "regions",
    type=OfConnection("region"),
    multiple=True,
    metavar="NAME",
    help="A region to collect endpoints of; may be repeated. Without it that of the profile.",
)
@click.option(
    "--bucket",
    "buckets",
    multiple=True,
    metavar="NAME",
    help="A bucket to collect the policy of, beside those of models; may be repeated.",
)
@click.option(
    "--no-organization",
    is_flag=True,
    help="Do not ask the organization: its policies will be unknown.",
)
@connection_options
@click.option(
    "--timeout",
    type=Seconds(),
    default=900.0,
    show_default=True,
    metavar="SECONDS",
    help="For all of it; what was not collected by then is missing.",
)
def pull(
    output: Path,
    *,
    force: bool,
    regions: tuple[str, ...],
    buckets: tuple[str, ...],
    no_organization: bool,
    profile: str | None,
    endpoint_url: str | None,
    role: str | None,
    timeout: float,
) -> NoReturn:
    """Collect what decides access in an account into a snapshot, which is read offline.

    Exit code 0: the snapshot is complete. 3: it was written, and lacks what is listed: questions
    that rest on it will be unknown. 2: nothing was written.
    """
    from tenantproof.aws import CallFailedError, Connection, Deadline, connect
    from tenantproof.pull import PullSettings, summary
    from tenantproof.pull import pull as collect

    escape_what_cannot_be_printed()
    connection = Connection(profile, regions[0] if regions else None, endpoint_url, role)
    settings = PullSettings(regions, buckets, not no_organization, force)
    deadline = Deadline.after(timeout)
    try:
        aws = connect(connection, deadline)
        with progress("calls") as watch:
            pulled = collect(aws, output, settings, deadline, watch)
    except InputError as error:
        tell(error)
        sys.exit(Exit.BAD_INPUT)
    except CallFailedError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(Exit.BAD_INPUT)
    except KeyboardInterrupt:
        click.echo("interrupted: nothing was written", err=True)
        sys.exit(Exit.INTERRUPTED)
    following = f"tenantproof init --from {shlex.quote(str(output))}"
    code = Exit.UNKNOWN if pulled.missing else Exit.PROVED
    finish(f"{summary(pulled)}\nnext: {following}\n", code)
