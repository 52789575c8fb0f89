"""What a page of the documentation shows, taken from its text: files, commands and their output.

A file is a fenced block below a paragraph that is its name alone: ```tenantproof.toml``:``. A
command is a block of ``sh`` with a block of ``text`` right below it, which is what it prints.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("*.md"))

_BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"`([^`]+)`:")
_TIME = re.compile(r"\d[\d.]* ?(?:ms|s)\b")
_ELSE = "..."
"""A line that stands for any lines."""


@dataclass(frozen=True)
class File:
    """A file that the reader is to make."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command, and what it prints; None where the page does not show it."""

    line: str
    output: str

    @property
    def asks_aws(self) -> bool:
        """Whether it does nothing without AWS; such are run by the tests that have a server."""
        return " --live" in self.line or "tenantproof pull" in self.line


@dataclass(frozen=True)
class Code:
    """Python code that is run by itself; its comments say what it prints."""

    text: str

    @property
    def output(self) -> list[str]:
        """What it prints."""
        return re.findall(r"^print\(.*\)  # (.*)$", self.text, re.MULTILINE)


Shown = File | Command | Code


def shown(page: str) -> Iterator[Shown]:
    """What a page shows, in its order; examples that are parts of something are left out."""
    blocks = list(_BLOCK.finditer(page))
    for block, after in zip_longest(blocks, blocks[1:]):
        text = block["text"]
        said = page[: block.start()].rstrip().rpartition("\n")[2]
        name = _NAME.fullmatch(said)
        if name is not None:
            yield File(name[1], text)
        elif block["language"] == "sh" and after is not None and _is_output(page, block, after):
            yield Command(text, after["text"])
        elif block["language"] == "python" and "# " in text:
            yield Code(text)


def _is_output(page: str, block: re.Match[str], after: re.Match[str]) -> bool:
    between = page[block.end() : after.start()]
    return after["language"] == "text" and not between.strip()


def run(command: str, folder: Path) -> str:
    """What a command prints in a folder, on a terminal of 80 columns."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {name: value for name, value in os.environ.items() if not _is_pytests(name)}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**environment, "PATH": path, "COLUMNS": "80"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        encoding="utf-8",
    )
    return done.stdout


def _is_pytests(name: str) -> bool:
    """Whether a variable tells pytest how it is run: this run, or one in a gate."""
    return name in {"CI", "BUILD_NUMBER"} or name.startswith(("PYTEST_", "HYPOTHESIS_"))


def is_printed(output: str, printed: str) -> bool:
    """Whether lines of a page are a part of what was printed, but for times."""
    expected = [_line(line) for line in output.splitlines()]
    pattern = "".join(
        r"(?:.*\n)*?" if line == _ELSE else f"{re.escape(line)}\n" for line in expected
    )
    found = "".join(f"{_line(line)}\n" for line in printed.splitlines())
    return re.search(f"^{pattern}", found, re.MULTILINE) is not None


def _line(line: str) -> str:
    """A line without what differs from run to run; rulers are as wide as their text leaves them."""
    return re.sub(r"={2,}", "==", _TIME.sub("TIME", line)).rstrip()
