"""The command line: a command each for what the library does.

Modules that a command needs are imported by the command: ``--help`` must not pay for a solver.
"""

from __future__ import annotations

import click

from tenantproof import __version__
from tenantproof.cli.checking import check
from tenantproof.cli.commands import KINDS, QUESTIONS, diff, explain, init, mutate, simulate, verify
from tenantproof.cli.output import Commands, Exit
from tenantproof.cli.pulling import pull

__all__ = ["KINDS", "QUESTIONS", "Exit", "main"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tenantproof")
def main() -> None:
    """Prove that IAM policies keep the tenants of a multi-model endpoint apart."""


for _command in (check, diff, explain, init, mutate, pull, simulate, verify):
    main.add_command(_command)
