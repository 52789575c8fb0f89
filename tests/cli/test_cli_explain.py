"""``tenantproof explain``: one request, its decision and the statements behind it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conftest import ENDPOINT, Setup, allow
from tenantproof.cli import main
from tenantproof.explain import command_for
from tenantproof.isolation import Run, Verdict, load_manifest

EXAMPLES = Path(__file__).parents[2] / "examples"


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["explain", *arguments])


def test_an_allowed_request_with_its_statement_quoted() -> None:
    folder = EXAMPLES / "company-a-b" / "leaky"
    result = explain(str(folder), "--as", "company_a", "--target-model", "company_b/x")
    assert result.exit_code == 0
    lines = result.output.split("\n")
    assert lines[0] == "Allowed       arn:aws:iam::111122223333:role/company_a"
    marked = next(at for at, line in enumerate(lines) if line.strip().startswith("> 11 |"))
    assert lines[marked].index('"company*"') == lines[marked + 1].index("^" * len('"company*"'))


def test_a_denied_request_says_which_layer_and_why() -> None:
    folder = EXAMPLES / "company-a-b"
    result = explain(str(folder), "--as", "company_a", "--target-model", "company_b/x")
    assert result.exit_code == 0
    assert "ImplicitDeny  arn:aws:iam::111122223333:role/company_a" in result.output
    assert "because nothing in identity_policies allows it" in result.output
    assert "StringLike company_a/*, common/* does not hold" in result.output


def test_json_is_what_simulate_reads(setup: Setup) -> None:
    manifest = setup.tenant("acme").write()
    result = explain(str(manifest), "--as", "acme", "--target-model", "acme/x", "--format", "json")
    answer = json.loads(result.output)
    assert answer["decision"] == "Allowed"
    assert answer["request"]["resource"] == ENDPOINT
    assert answer["request"]["context"] == {"sagemaker:TargetModel": "acme/x"}


def test_keys_that_every_request_has_are_put_in(setup: Setup) -> None:
    region = {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    manifest = setup.tenant("acme", allow(Condition=region)).write()
    assert "Allowed" in explain(str(manifest), "--as", "acme").output
    elsewhere = json.dumps({"aws:RequestedRegion": "eu-west-1"})
    assert "ImplicitDeny" in explain(str(manifest), "--as", "acme", "--context", elsewhere).output


BAD = [
    (
        ["--as", "nobody"],
        '--as: found "nobody", expected a principal\'s ARN or one of acme, corp',
    ),
    (["--as", "acme", "--name", "x"], '--name: found "x", expected none: acme is no rule'),
    (["--as", "acme", "--endpoint", "x"], '--endpoint: found "x", expected one of models'),
    (["--as", "acme", "--action", "s3:GetObject"], '--action: found "s3:GetObject"'),
    (["--as", "acme", "--target-model", " x"], "--target-model: found ' x', expected 1 to 1024"),
    (["--as", "acme", "--context", "[]"], "--context: found '[]', expected a JSON object"),
    (
        ["--as", "acme", "--context", '{"a": "1", "A": "2"}'],
        "--context: found 'a' twice, expected each key once",
    ),
    (
        ["--as", "acme", "--context", '{"SageMaker:targetmodel": "acme/x"}'],
        "--context: found 'SageMaker:targetmodel', expected it as --target-model",
    ),
    (["--as", "acme", "--context", "{"], "--context: found '{' ("),
    (["--as", "acme", "--context", '{"a": 1}'], "--context: found 1 of 'a', expected"),
    (
        ["--as", "acme", "--target-model", "x", "--action", "sagemaker:InvokeEndpointAsync"],
        "--target-model: found one with sagemaker:InvokeEndpointAsync, which takes none",
    ),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_input(options: list[str], message: str, setup: Setup) -> None:
    manifest = setup.tenant("acme").tenant("corp").write()
    result = explain(str(manifest), *options)
    assert result.exit_code == 2
    assert f"error: {message}" in result.output


def test_a_tenant_of_a_rule_needs_a_name() -> None:
    folder = EXAMPLES / "all-tenants"
    options = ("--as", "customers", "--target-model", "acme/x")
    assert explain(str(folder), *options, "--name", "acme").output.startswith("Allowed")
    assert explain(str(folder), *options, "--name", "corp").output.startswith("ImplicitDeny")
    for name in ((), ("--name", "common"), ("--name", "A")):
        assert explain(str(folder), *options, *name).exit_code == 2


@pytest.mark.parametrize("folder", ["company-a-b/leaky", "all-tenants/leaky"])
def test_the_command_for_a_finding_decides_its_request(folder: str) -> None:
    manifest = load_manifest(EXAMPLES / folder)
    leaks = [f for f in Run(manifest, 10).findings() if f.verdict is Verdict.LEAK]
    assert leaks
    for leak in leaks:
        command = command_for(leak, manifest)
        assert command is not None
        program, name, *arguments = shlex.split(command)
        assert (program, name) == ("tenantproof", "explain")
        result = explain(*arguments)
        assert result.output.startswith("Allowed"), result.output


def test_the_command_names_what_is_needed(setup: Setup) -> None:
    """An endpoint where there are several, an action other than the usual, and the context."""
    keys = {"StringEquals": {"aws:CalledVia": "x"}}
    setup.endpoint(ENDPOINT.replace("models", "others"))
    setup.tenant("acme", allow(Action="sagemaker:InvokeEndpointAsync", Condition=keys))
    manifest = load_manifest(setup.write())
    leak = next(f for f in Run(manifest, 10).findings() if f.verdict is Verdict.LEAK)
    command = command_for(leak, manifest)
    assert command is not None
    _, _, *arguments = shlex.split(command)
    assert "--endpoint" in arguments
    assert "--action" in arguments
    assert "--context" in arguments
    assert explain(*arguments).output.startswith("Allowed")
