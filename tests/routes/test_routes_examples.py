"""The example of an account says what its manifest says."""

from __future__ import annotations

import json
import shutil
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


def test_an_artifact_at_an_unknown_url_is_a_doubt(tmp_path: Path) -> None:
    """A TargetModel behind a prefix that nobody knows may be anybody's artifact."""
    shutil.copytree(EXAMPLES / "cloudformation", tmp_path, dirs_exist_ok=True)
    template = tmp_path / "template.yaml"
    text = template.read_text("utf-8").replace('!Sub "s3://${Bucket}/models/"', "!Ref Where")
    template.write_text(
        text.replace("Parameters:", "Parameters:\n  Where: {Type: String}"), "utf-8"
    )
    found = artifacts(str(tmp_path))
    assert {f["verdict"] for (_, route), f in found.items() if route == "invoke"} == {"UNKNOWN"}
    assert "the parameter Where has no default" in found["acme", "invoke"]["reason"]


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
