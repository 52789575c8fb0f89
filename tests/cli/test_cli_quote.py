"""Statements quoted from files: short ones whole, long ones cut, files that have changed not."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Setup, allow
from tenantproof.isolation import Blame, Run, Verdict, load_manifest
from tenantproof.report.quote import quote_statement


def blamed(setup: Setup, *, lenient: bool = False) -> Blame:
    """The statement behind the leak of acme's policy."""
    manifest = load_manifest(setup.write(), lenient=lenient)
    leak = next(f for f in Run(manifest, 10).findings() if f.verdict is Verdict.LEAK)
    return leak.statements[0]


def policy(setup: Setup) -> Path:
    return setup.folder / "acme.json"


def marks(lines: tuple[str, ...]) -> list[str]:
    """What stands above each mark."""
    found = []
    for line, below in itertools.pairwise(lines):
        if "^" in below:
            found.append(line[below.index("^") : below.rindex("^") + 1])
    return found


def test_the_value_to_blame_is_marked(setup: Setup) -> None:
    lines = quote_statement(blamed(setup.tenant("acme", allow("acme*", "acme/v/*")).tenant("corp")))
    assert marks(lines) == ['"acme*"']
    assert lines[0].endswith("{")
    assert lines[-1].endswith("}")


def test_a_policy_in_one_line_is_cut_around_the_mark(setup: Setup) -> None:
    setup.tenant("acme", *(allow(f"acme/{i}/*") for i in range(50)), allow("acme*")).tenant("corp")
    document = json.loads(policy(setup).read_text())
    policy(setup).write_text(json.dumps(document))
    lines = quote_statement(blamed(setup))
    assert marks(lines) == ['"acme*"']
    assert all(len(line) < 200 for line in lines)


def test_a_long_statement_is_cut_to_what_matters(setup: Setup) -> None:
    setup.tenant("acme", allow(*(f"acme/{i}/*" for i in range(100)), "acme*")).tenant("corp")
    lines = quote_statement(blamed(setup))
    assert marks(lines) == ['"acme*"']
    assert len(lines) < 20
    assert any(line.endswith("| ...") for line in lines)


def test_lenient_files_are_quoted_too(setup: Setup) -> None:
    setup.tenant("acme", allow("acme*")).tenant("corp")
    text = policy(setup).read_text().replace('"acme*"', '"acme*", // a slip')
    policy(setup).write_text(text)
    lines = quote_statement(blamed(setup, lenient=True))
    assert marks(lines) == ['"acme*"']


@pytest.mark.parametrize("text", ["", "{}", "\n" * 40, "\xff"])
def test_a_file_that_has_changed_breaks_nothing(setup: Setup, text: str) -> None:
    blame = blamed(setup.tenant("acme", allow("acme*")).tenant("corp"))
    policy(setup).write_bytes(text.encode("latin-1"))
    quote_statement(blame)
    policy(setup).unlink()
    assert quote_statement(blame) == ()


def test_a_text_that_stands_in_no_file(setup: Setup) -> None:
    blame = blamed(setup.tenant("acme", allow("acme*")).tenant("corp"))
    text = policy(setup).read_text()
    elsewhere = replace(blame, file="<policy 1>")
    assert marks(quote_statement(elsewhere, {"<policy 1>": text})) == ['"acme*"']
    assert quote_statement(elsewhere) == ()
