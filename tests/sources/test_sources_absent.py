"""An attached policy that the export lacks: UNKNOWN with the reason, however many have it."""

from __future__ import annotations

from pathlib import Path

import pytest
from account_exports import (
    ACCOUNT,
    allow,
    attached,
    execution_role,
    export,
    invoke,
    managed,
    role,
    shared_endpoint,
    write,
)
from click.testing import CliRunner, Result

from tenantproof.cli import main

ROLE = f"arn:aws:iam::{ACCOUNT}:role"
TENANTS = [f"tenant{number:02}" for number in range(12)]


def checked(folder: Path, *policies: dict[str, object]) -> Result:
    roles = [
        role(f"{name}-invoke", invoke(f"{name}/*"), AttachedManagedPolicies=attached("logs"))
        for name in TENANTS
    ]
    accounts = export(*roles, execution_role(), policies=list(policies))
    sources = write(folder / "account", iam=accounts, sm=shared_endpoint())
    output = str(folder / "tenantproof.toml")
    made = CliRunner().invoke(main, ["init", "--from", str(sources), "--output", output])
    assert made.exit_code == 0, made.output
    return CliRunner().invoke(main, ["check", output])


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return checked(tmp_path_factory.mktemp("without"))


def test_what_everybody_may_have_leaves_everybody_unknown(without: Result) -> None:
    assert without.exit_code == 3
    assert "budget" not in without.output
    for name in TENANTS:
        assert f"UNKNOWN  artifacts: {name}, by target-model" in without.output


def test_a_reason_is_given_once(without: Result) -> None:
    because = [line for line in without.output.splitlines() if "because" in line]
    assert because
    assert all(line.count("policy/logs") == 1 for line in because)


def test_routes_that_hang_on_the_same_are_told_together(without: Result) -> None:
    together = "by target-model, object, assume, change"
    assert without.output.count(together) == len(TENANTS)
    assert f"attached to {ROLE}/tenant00-invoke and 11 more, is not in" in without.output


def test_with_the_policy_all_is_proved(tmp_path: Path) -> None:
    done = checked(tmp_path, managed("logs", allow("logs:PutLogEvents")))
    assert done.exit_code == 0, done.output
