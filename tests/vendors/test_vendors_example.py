"""The example does what the documentation shows of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(folder: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(
        [*command, str(ROOT / "examples" / "vendor" / folder)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_the_example_passes() -> None:
    done = run("", "--ignore", str(ROOT / "examples/vendor/leaky"))
    assert "3 passed" in done.stdout
    assert done.returncode == 0


def test_the_leaky_one_fails_with_the_names() -> None:
    done = run("leaky", "--tb=short", "-k", "customers")
    assert done.returncode == 1
    assert "isolated: 'acme' reaches models of 'acme-corp'" in done.stdout
    assert "names=['acme', 'acme-corp']" in done.stdout


@pytest.mark.slow
def test_of_the_leaky_one_any_name_fails() -> None:
    done = run("leaky", "--tb=short", "-k", "any_text")
    assert done.returncode == 1
    assert "is no policy" in done.stdout
