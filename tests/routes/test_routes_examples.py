"""The example of an account says what its manifest says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tenantproof.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
ROLE = "arn:aws:iam::111122223333:role/"


def artifacts(name: str) -> dict[tuple[str, str], dict[str, Any]]:
    result = CliRunner().invoke(main, ["check", "--format", "json", str(EXAMPLES / name)])
    found = json.loads(result.stdout)["findings"]
    return {
        (f["principal"].removeprefix(ROLE), f["route"]): f
        for f in found
        if f["question"] == "artifacts"
    }


def test_the_account_leaks_by_two_roles_in_a_row_and_by_a_retag() -> None:
    found = artifacts("account")
    leaks = {key: f for key, f in found.items() if f["verdict"] == "LEAK"}
    assert set(leaks) == {("acme", "assume"), ("gamma", "change")}
    chain, retag = leaks["acme", "assume"], leaks["gamma", "change"]
    assert [s["action"] for s in chain["steps"]] == ["sts:AssumeRole"] * 2 + ["s3:GetObject"]
    assert retag["steps"][0]["action"] == "iam:TagRole"
    assert set(chain["victims"]) <= {"beta", "gamma"}
    assert set(retag["victims"]) <= {"acme", "beta"}


def test_the_repaired_account_is_proved() -> None:
    found = artifacts("account-repaired")
    assert {f["verdict"] for f in found.values()} == {"PROVED"}
    assert len(found) == 15


@pytest.mark.parametrize(
    ("name", "pattern"), [("terraform", "acme*"), ("cloudformation", "${aws:PrincipalTag/tenant}*")]
)
def test_a_template_leaks_where_a_slash_is_missing(name: str, pattern: str) -> None:
    found = artifacts(name)
    (leak,) = [f for f in found.values() if f["verdict"] == "LEAK"]
    assert (leak["tenant"], leak["route"]) == ("acme", "target-model")
    assert leak["victims"] == ["acme-corp"]
    (blamed,) = leak["steps"][0]["statements"]
    assert blamed["pattern"] == pattern
    assert Path(blamed["file"]).parent == EXAMPLES / name
    assert {f["verdict"] for f in found.values() if f is not leak} == {"PROVED"}
