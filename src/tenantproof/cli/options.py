"""Arguments and options that several commands have, and the types of their values."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import click


class Seconds(click.FloatRange):
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


class Account(click.ParamType[str]):
    """An account's ID."""

    name = "account"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Read twelve digits."""
        if not re.fullmatch("[0-9]{12}", value):
            self.fail(f"found {value!r:.80}, expected the twelve digits of an account", param, ctx)
        return str(value)


class Parameter(click.ParamType[tuple[str, str]]):
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


format_ = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="What to print."
)
lenient_ = click.option(
    "--lenient", is_flag=True, help="Read policies with comments and trailing commas."
)
manifest_ = click.argument(
    "manifest", type=click.Path(path_type=Path, exists=True), default=Path(), required=False
)
timeout_ = click.option(
    "--timeout",
    type=Seconds(),
    default=30.0,
    show_default=True,
    metavar="SECONDS",
    help="For one question about one principal; what takes longer is UNKNOWN.",
)
