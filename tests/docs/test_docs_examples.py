"""The examples that are suites of tests do what is said of them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from docs_pages import ROOT, run

EXAMPLES = ROOT / "examples"
EXPECTED = {
    "pytest": {"passed": 22},
    "vendor": {"passed": 2},
    "vendor/leaky": {"failed": 2},
}
"""How many tests of each suite pass and fail."""


def outcomes(printed: str) -> dict[str, int]:
    """What the last line of a run of pytest counts."""
    last = printed.rstrip().rpartition("\n")[2]
    return {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", last.split(" in ")[0])}


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A copy, so that runs leave nothing behind."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "examples"))


def test_every_suite_is_expected() -> None:
    modules = [path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("test_*.py")]
    folders = {path.parent for path in modules}
    found = {(path.parent if path.name == "tests" else path).as_posix() for path in folders}
    assert found == set(EXPECTED)


@pytest.mark.slow
@pytest.mark.parametrize(("suite", "expected"), EXPECTED.items())
def test_a_suite(suite: str, expected: dict[str, int], examples: Path) -> None:
    ignored = "--ignore=leaky" if suite == "vendor" else ""
    printed = run(f"pytest {ignored}", examples / suite)
    assert outcomes(printed) == expected, printed


@pytest.mark.slow
def test_under_xdist(examples: Path) -> None:
    printed = run("pytest -n 2", examples / "pytest")
    assert outcomes(printed) == EXPECTED["pytest"], printed
    assert "31 PROVED" in printed


@pytest.mark.slow
def test_a_slip_is_noticed_by_questions_sentences_and_properties(examples: Path) -> None:
    policy = examples / "pytest" / "policies" / "invoke.json"
    policy.write_text(policy.read_text("utf-8").replace("tenant}/*", "tenant}*"), "utf-8")
    printed = run("pytest", examples / "pytest")
    assert outcomes(printed) == {"failed": 6, "passed": 16}, printed
    for noticed in (
        "FAILED tests/test_access.py::test_tenants_are_kept_apart",
        "FAILED tests/test_property.py::test_customers_do_not_reach_those_of_others",
        "FAILED tests/test_property.py::test_what_is_allowed_is_their_own_or_common",
        "LEAK tenantproof.toml::isolated[acme-role/acme-app-models]",
    ):
        assert noticed in printed


@pytest.mark.slow
def test_a_vendor_without_a_slash_is_noticed(examples: Path) -> None:
    service = examples / "pytest" / "sessions.py"
    service.write_text(service.read_text("utf-8").replace('f"{tenant}/*"', 'f"{tenant}*"'), "utf-8")
    printed = run("pytest tests/test_sessions.py", examples / "pytest")
    assert outcomes(printed) == {"failed": 1}, printed
    assert "LEAK tests/test_sessions.py::session_policy" in printed
