"""``tenantproof mutate``: exit codes, text, JSON by its schema, what bad input says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conftest import ENDPOINT, Setup, allow
from tenantproof.cli import KINDS, main
from tenantproof.errors import DisagreementError
from tenantproof.mutate import DEFAULT_MOST, Kind
from tenantproof.report.mutate_json import mutation_schema

EXAMPLES = Path(__file__).parents[2] / "examples"
EXAMPLE = EXAMPLES / "mutate"


def mutate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["mutate", *map(str, arguments)])


def as_json(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = mutate("--format", "json", *arguments)
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, mutation_schema())
    return result.exit_code, found


def test_the_schema_is_a_schema_and_knows_all_kinds() -> None:
    schema = mutation_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$defs"]["kind"]["enum"] == [kind.value for kind in Kind] == list(KINDS)


def test_help_says_the_defaults() -> None:
    text = mutate("--help").stdout
    assert f"[default: {DEFAULT_MOST};" in text.replace("\n", " ").replace("  ", "")
    assert not mutate("--help").stderr


def test_the_example_shows_what_nobody_asks() -> None:
    result = mutate(EXAMPLE)
    assert result.exit_code == 0
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[-1] == (
        "score 43.4 %: 10 of 23 mutants that are not proven equivalent are noticed by the"
        " questions of the manifest alone"
    )
    assert (
        "SURVIVED effect-flipped at"
        f' {EXAMPLE / "no-production.json"}:6:17 in Statement[0] "NoProduction"'
    ) in lines
    assert '           -      "Effect": "Deny",' in lines
    assert '           +      "Effect": "Allow",' in lines
    assert '                  sagemaker:TargetModel = "acme/production/"' in lines
    assert any(line.startswith("10 of the survivors open an endpoint") for line in lines)


def test_the_better_example_notices_all_that_can_leak() -> None:
    result = mutate(EXAMPLE / "better", "--fail-under", 91)
    assert result.exit_code == 0
    assert result.stdout.count("SURVIVED") == result.stdout.count("the account widened") == 2
    assert result.stdout.splitlines()[-1].startswith("score 91.3 %")


def test_json_holds_each_mutant() -> None:
    code, found = as_json(EXAMPLE)
    assert code == 0
    assert found["score"] == pytest.approx(10 / 23)
    assert found["total"] == {
        "made": 35,
        "equivalent": 12,
        "noticed": 10,
        "noticed_by_unknown": 0,
        "survived": 13,
        "undecided": 0,
    }
    assert len(found["mutants"]) == 35
    survived = [m for m in found["mutants"] if m["outcome"] == "survived"]
    assert all(m["change"]["new"]["allowed"] and m["diff"] for m in survived)
    noticed = [m for m in found["mutants"] if m["outcome"] == "noticed"]
    assert {m["finding"]["question"] for m in noticed} == {"isolated"}


def test_a_witness_can_be_simulated() -> None:
    _, found = as_json(EXAMPLE, "--kind", "effect-flipped")
    (mutant,) = found["mutants"]
    names = ("acme.json", "no-production.json")
    policies = [json.loads((EXAMPLE / name).read_text()) for name in names]
    request = mutant["change"]["request"]
    request["principal"] = {key: request["principal"][key] for key in ("arn", "tags")}
    case = {"id": 1, "request": request, "identity_policies": policies}
    result = CliRunner().invoke(main, ["simulate"], input=json.dumps(case))
    assert json.loads(result.stdout)["decision"] == "ExplicitDeny"
    policies[1]["Statement"][0]["Effect"] = "Allow"
    result = CliRunner().invoke(main, ["simulate"], input=json.dumps(case))
    assert json.loads(result.stdout)["decision"] == "Allowed"


@pytest.mark.parametrize(
    ("percent", "code"), [("43", 0), ("43.4", 0), ("43.48", 1), ("100", 1), ("0", 0)]
)
def test_a_score_below_the_bound_fails(percent: str, code: int) -> None:
    assert mutate(EXAMPLE, "--fail-under", percent).exit_code == code


def test_no_score_passes_no_bound(setup: Setup) -> None:
    path = setup.tenant("acme").write()
    arguments = (path, "--kind", "deny-removed")
    result = mutate(*arguments)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1].startswith("no score")
    assert mutate(*arguments, "--fail-under", 0).exit_code == 3


def test_a_leak_as_it_is_is_reported_like_check_does() -> None:
    result = mutate(EXAMPLES / "company-a-b" / "leaky")
    assert result.exit_code == 1
    assert "LEAK     isolated: company_a reaches models of company_b" in result.stdout
    assert "no mutants were made" in result.stdout.splitlines()[-1]
    code, found = as_json(EXAMPLES / "company-a-b" / "leaky")
    assert code == 1
    assert found["baseline"]["verdict"] == "LEAK"
    assert {f["question"] for f in found["baseline"]["failed"]} == {"isolated", "cannot"}
    assert found["score"] is None
    assert found["mutants"] == []


def test_an_unknown_as_it_is_has_its_own_code(setup: Setup) -> None:
    doubtful = {"StringNotLike": {"s3:prefix": "${aws:PrincipalTag/team}"}}
    path = setup.tenant("acme", allow("acme/*"), allow(Condition=doubtful)).write()
    assert mutate(path).exit_code == 3


def test_only_so_many_survivors_are_shown(setup: Setup) -> None:
    for name in ("a", "b", "c", "d", "e"):
        setup.tenant(name)
    path = setup.write()
    some, all_of_them = mutate(path).stdout, mutate(path, "--all").stdout
    assert some.count("SURVIVED") == 20
    assert "5 more are not shown here: --all shows them" in some
    assert all_of_them.count("SURVIVED") == 25


def test_what_was_left_out_is_said() -> None:
    text = mutate(EXAMPLE, "--max-mutants", 10).stdout
    assert "10 of 37 slips were tried, evenly chosen: --max-mutants tries more" in text
    _, found = as_json(EXAMPLE, "--max-mutants", 10)
    assert (found["slips"], found["tried"]) == (37, 10)


def test_files_can_be_chosen() -> None:
    file = EXAMPLE / "globex.json"
    _, found = as_json(EXAMPLE, "--file", file)
    assert {m["file"] for m in found["mutants"]} == {str(file)}
    result = mutate(EXAMPLE, "--file", EXAMPLES / "tags" / "invoke.json")
    assert result.exit_code == 2
    assert "expected one of" in result.stderr


def test_bad_input_is_told_with_its_place(setup: Setup) -> None:
    path = setup.tenant("acme").write()
    (path.parent / "acme.json").write_text('{"Statement": [1]}')
    result = mutate(path)
    assert result.exit_code == 2
    assert "acme.json:1:16: $.Statement[0]" in result.stderr
    code, found = as_json(path)
    assert code == 2
    assert found["errors"][0]["path"] == "$.Statement[0]"
    assert mutate(path, "--kind", "typo").exit_code == 2
    assert mutate(path, "--max-mutants", 0).exit_code == 2
    assert mutate(path, "--fail-under", 101).exit_code == 2
    assert mutate(path, "--fail-under", "nan").exit_code == 2


def test_a_disagreement_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def disagree(*_: object, **__: object) -> None:
        raise DisagreementError("here they differ")

    monkeypatch.setattr("tenantproof.mutate.survey", disagree)
    result = mutate(EXAMPLE)
    assert result.exit_code == 4
    assert "here they differ" in result.stderr


def test_the_same_is_printed_each_time_and_no_bar_where_nobody_looks() -> None:
    code = "import sys; from tenantproof.cli import main; sys.argv[0] = 'tenantproof'; main()"
    command = [sys.executable, "-c", code, "mutate", str(EXAMPLE)]
    one, other = (subprocess.run(command, capture_output=True, check=True) for _ in range(2))
    assert one.stdout == other.stdout
    assert one.stderr == b""


def test_a_name_that_markup_would_spoil_is_shown_as_it_is(setup: Setup) -> None:
    sid = "Ünï`code`"
    path = setup.tenant("acme", allow("acme/*", Sid=sid)).write()
    assert sid in mutate(path, "--kind", "resource-widened").stdout
    assert ENDPOINT in mutate(path, "--kind", "resource-widened").stdout


def test_the_documentation_names_each_kind() -> None:
    page = (EXAMPLES.parent / "docs" / "mutate.md").read_text("utf-8")
    assert all(f"| `{kind.value}` |" in page for kind in Kind)
