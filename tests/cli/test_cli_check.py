"""``tenantproof check`` as a user runs it: exit codes, text, JSON, errors without tracebacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conftest import Setup, allow
from tenantproof.cli import main
from tenantproof.report import report_schema

EXAMPLES = Path(__file__).parents[2] / "examples"


def check(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, args)])


def as_json(*args: str | Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(check("--format", "json", *args).stdout)
    jsonschema.validate(answer, report_schema())
    return answer


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(report_schema())


def test_the_example_is_proved() -> None:
    result = check(EXAMPLES / "company-a-b")
    assert result.exit_code == 0
    assert "PROVED   isolated: company_a" in result.stdout
    assert result.stdout.rstrip().endswith("PROVED: 5 PROVED")


def test_the_planted_leak_is_caught_with_its_request() -> None:
    result = check(EXAMPLES / "company-a-b" / "leaky")
    assert result.exit_code == 1
    assert "LEAK     isolated: company_a reaches models of company_b" in result.stdout
    assert 'sagemaker:TargetModel = "company_b/"' in result.stdout
    assert 'Allow Statement[0] "InvokeOwnAndCommonModels" with "company*"' in result.stdout


def test_json_of_a_leak_can_be_simulated() -> None:
    answer = as_json(EXAMPLES / "company-a-b" / "leaky" / "tenantproof.toml")
    assert answer["verdict"] == "LEAK"
    first = answer["findings"][0]
    assert first["victims"] == ["company_b"]
    policy = json.loads((EXAMPLES / "company-a-b" / "leaky" / "company_a.json").read_text())
    case = {"id": 1, "request": first["request"], "identity_policies": [policy]}
    result = CliRunner().invoke(main, ["simulate"], input=json.dumps(case))
    assert json.loads(result.stdout)["decision"] == "Allowed"


def test_json_of_a_proof_states_its_assumptions() -> None:
    answer = as_json(EXAMPLES / "company-a-b")
    assert answer["verdict"] == "PROVED"
    assert {f["question"] for f in answer["findings"]} == {"isolated", "reaches", "cannot"}
    assert answer["assumptions"]


def test_the_documented_policy_needs_lenient_reading() -> None:
    folder = EXAMPLES / "documented-policy"
    strict = check(folder)
    assert strict.exit_code == 2
    assert "found a comment" in strict.stderr
    assert "found a trailing comma" in strict.stderr
    assert "--lenient" in strict.stderr
    assert check(folder, "--lenient").exit_code == 0


def test_unknown_is_exit_code_3(setup: Setup) -> None:
    condition = {"StringLike": {"aws:SourceIdentity": "${aws:CalledVia}"}}
    path = setup.tenant("acme", allow(Condition=condition)).tenant("beta").write()
    assert check(path).exit_code == 3
    assert as_json(path)["verdict"] == "UNKNOWN"


def test_a_leak_goes_before_unknown(setup: Setup) -> None:
    condition = {"StringLike": {"aws:SourceIdentity": "${aws:CalledVia}"}}
    setup.tenant("acme", allow(Condition=condition)).tenant("beta", allow("*"))
    assert check(setup.write()).exit_code == 1


def test_bad_input_is_exit_code_2_with_every_problem(setup: Setup) -> None:
    setup.tenant("acme", allow("x", Effect="allow")).tenant("beta", allow("y", Action=[]))
    path = setup.write()
    result = check(path)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "$.Statement[0].Effect" in result.stderr
    assert "$.Statement[0].Action" in result.stderr
    answer = as_json(path)
    assert answer["verdict"] == "UNKNOWN"
    assert len(answer["errors"]) == 2


@pytest.mark.parametrize("args", [("nowhere",), ("--timeout", "0"), ("--format", "xml")])
def test_bad_usage_is_exit_code_2(args: tuple[str, ...]) -> None:
    assert check(*args).exit_code == 2


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    result = check(tmp_path)
    assert result.exit_code == 2
    assert "expected a manifest or a folder that holds tenantproof.toml" in result.stderr


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[" * 100_000,
        b'{"Statement": "' + b"x" * 1_000_000,
        b"\xff\xfe{}",
        b"null",
        b'{"Version": "2012-10-17"' + b"," * 5000,
        b'"' + b"\\" * 99_999,
        b'{"a":' * 5000,
    ],
)
def test_no_traceback_for_hostile_policies(setup: Setup, data: bytes) -> None:
    path = setup.tenant("acme").write()
    (setup.folder / "acme.json").write_bytes(data)
    result = check(path)
    assert result.exit_code == 2
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "error: " in result.stderr


def test_help_loads_no_solver_and_no_client() -> None:
    code = (
        "import sys\nfrom tenantproof.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "heavy = {'z3', 'hypothesis', 'boto3', 'botocore', 'pytest'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_check_loads_no_client_and_no_test_tools() -> None:
    code = (
        "import sys\nfrom tenantproof.cli import main\n"
        f"try: main(['check', {str(EXAMPLES / 'company-a-b')!r}])\n"
        "except SystemExit as e: assert e.code == 0\n"
        "heavy = {'hypothesis', 'boto3', 'botocore', 'pytest'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_summary_without_a_leak_does_not_say_leak(setup: Setup) -> None:
    """Whoever reads the last line alone must not look for a leak that there is not."""
    setup.tenant("acme", allow("acme/v1/*"))
    result = check(setup.write())
    assert result.exit_code == 1
    assert result.stdout.endswith("REFUSED: 1 PROVED, 1 REFUSED\n")


def test_reaches_is_not_told_of_one_principal_alone(tmp_path: Path) -> None:
    """The first of the two can invoke nothing: what is proved is that one of them can."""
    for name, action in (("none", "s3:GetObject"), ("all", "sagemaker:InvokeEndpoint")):
        statement = allow("acme/*", Action=action, Resource="*")
        document = {"Version": "2012-10-17", "Statement": statement}
        (tmp_path / f"{name}.json").write_text(json.dumps(document))
    (tmp_path / "tenantproof.toml").write_text(
        '[[endpoints]]\narn = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"\n'
        '[[tenants]]\nname = "acme"\nowns = ["acme/*"]\n'
        '[[tenants.principals]]\narn = "arn:aws:iam::111122223333:role/none"\n'
        'policies = ["none.json"]\n'
        '[[tenants.principals]]\narn = "arn:aws:iam::111122223333:role/all"\n'
        'policies = ["all.json"]\n'
    )
    result = check(tmp_path)
    assert result.exit_code == 0
    assert "arn:aws:iam::111122223333:role/none, or 1 more, on models" in result.stdout
