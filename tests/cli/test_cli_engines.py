"""``tenantproof check --engine``: independent engines, their answers, and what if they differ."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conftest import Setup, allow
from tenantproof import cli
from tenantproof.cli import main
from tenantproof.errors import DisagreementError, NotSupportedError
from tenantproof.isolation import Report, Run, Verdict, load_manifest
from tenantproof.prove import Budget, RequestSpace, Term
from tenantproof.prove.engines import AUTOMATA, Engine, Prover
from tenantproof.prove.engines import engine as engine_module
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.report import report_schema

EXAMPLES = Path(__file__).parents[2] / "examples" / "company-a-b"
HAS_CVC5 = importlib.util.find_spec("cvc5") is not None
needs_cvc5 = pytest.mark.skipif(not HAS_CVC5, reason="cvc5, an optional extra, is not installed")
CHOICES = ["automata", "z3", pytest.param("cvc5", marks=needs_cvc5), "all"]


def check(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["check", *map(str, args)])


def as_json(*args: str | Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(check("--format", "json", *args).stdout)
    jsonschema.validate(answer, report_schema())
    return answer


@pytest.mark.parametrize("engine", CHOICES)
def test_the_example_is_proved_by_each_engine(engine: str) -> None:
    result = check(EXAMPLES, "--engine", engine)
    assert result.exit_code == 0
    assert result.stdout.rstrip().endswith("PROVED: 5 PROVED")


@pytest.mark.parametrize("engine", CHOICES)
def test_the_planted_leak_is_caught_by_each_engine(engine: str) -> None:
    result = check(EXAMPLES / "leaky", "--engine", engine)
    assert result.exit_code == 1
    assert "LEAK     isolated: company_a reaches models of company_b" in result.stdout


def test_without_a_choice_nothing_is_said_of_engines() -> None:
    assert all(each["engine_answers"] == [] for each in as_json(EXAMPLES)["findings"])


def test_each_finding_says_what_each_engine_answered() -> None:
    names = ["automata", "z3", *(["cvc5"] if HAS_CVC5 else [])]
    for finding in as_json(EXAMPLES / "leaky", "--engine", "all")["findings"]:
        assert [each["engine"] for each in finding["engine_answers"]] == names
        kinds = {
            (each["witnesses"], each["refuted"], each["unanswered"])
            for each in finding["engine_answers"]
        }
        assert len(kinds) == 1
        assert all(each["seconds"] > 0 for each in finding["engine_answers"])
        assert set(finding["engines"]) >= {"automata", "z3"}


def test_the_text_has_a_line_for_each_engine() -> None:
    text = check(EXAMPLES, "--engine", "all").stdout
    assert "         automata no request (3) in " in text
    assert "         z3       no request (3) in " in text


def test_a_witness_of_strings_need_not_be_the_smallest() -> None:
    findings = as_json(EXAMPLES / "leaky", "--engine", "z3")["findings"]
    leaks = [each for each in findings if each["verdict"] == "LEAK"]
    assert leaks
    assert all(each["shortest"] is False for each in leaks)


def test_an_engine_that_is_not_installed_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        engine_module, "find_spec", lambda name: None if name == "cvc5" else object()
    )
    result = check(EXAMPLES, "--engine", "cvc5")
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        'error: the engine cvc5 is not installed; pip install "tenantproof[cvc5]"'
    ]
    left_out = as_json(EXAMPLES, "--engine", "all")["left_out"]
    assert left_out == ["the engine cvc5 is not installed, so that it was not asked"]


# -- engines that are broken ---------------------------------------------------------------------


@dataclass
class Broken:
    """An engine that says the same of every question."""

    answer: Witness | Blocked | None
    name: str = "broken"
    is_installed: bool = True

    @property
    def engines(self) -> set[str]:
        return {self.name}

    def prover(self, space: RequestSpace, multivalued: frozenset[str], budget: Budget) -> Prover:
        return self

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        return self.answer


class Unable(Broken):
    """An engine that supports nothing."""

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        raise NotSupportedError("nothing is supported")


NOTHING = Broken(None)
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
INVENTED = Broken(
    Witness("sagemaker:InvokeEndpoint", ENDPOINT, {"sagemaker:targetmodel": "other/x"}, 0)
)


def run(manifest: Path, *engines: Engine) -> Report:
    return Run(load_manifest(manifest), engines=engines).report()


def test_an_engine_that_overlooks_a_leak_is_an_internal_error(setup: Setup) -> None:
    manifest = setup.tenant("acme", allow("*")).tenant("other").write()
    with pytest.raises(DisagreementError) as error:
        run(manifest, AUTOMATA, NOTHING)
    message = str(error.value)
    assert "broken finds no request where automata finds" in message
    assert "the evaluator says Allowed of" in message
    assert "Statement[0] applies" in message


def test_an_engine_that_invents_a_leak_is_an_internal_error(setup: Setup) -> None:
    manifest = setup.tenant("acme").tenant("other").write()
    with pytest.raises(DisagreementError, match="automata finds no request where broken finds"):
        run(manifest, AUTOMATA, INVENTED)
    with pytest.raises(DisagreementError, match="the evaluator says ImplicitDeny"):
        run(manifest, INVENTED)


def test_an_engine_alone_that_overlooks_a_leak_does_not_survive_the_attacks(setup: Setup) -> None:
    manifest = setup.tenant("acme", allow("*")).tenant("other").write()
    with pytest.raises(DisagreementError, match="the evaluator allows"):
        run(manifest, NOTHING)


def test_a_disagreement_ends_with_exit_code_4(
    setup: Setup, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = setup.tenant("acme", allow("*")).tenant("other").write()
    monkeypatch.setattr(
        "tenantproof.prove.engines.engines_named", lambda choice: (AUTOMATA, NOTHING)
    )
    result = check(manifest, "--engine", "all")
    assert result.exit_code == cli.Exit.INTERNAL
    assert "broken finds no request where automata finds" in result.stderr


def test_what_one_engine_cannot_answer_another_does(setup: Setup) -> None:
    manifest = setup.tenant("acme").tenant("other").write()
    report = run(manifest, Unable(None, "unable"), AUTOMATA)
    assert report.verdict is Verdict.PROVED
    unable, ours = report.findings[0].engine_answers
    assert (unable.unanswered, unable.reasons) == (3, ("nothing is supported",))
    assert ours.refuted == 3


def test_what_no_engine_answers_is_unknown(setup: Setup) -> None:
    manifest = setup.tenant("acme").tenant("other").write()
    report = run(manifest, Unable(None, "unable"))
    assert report.verdict is Verdict.UNKNOWN
    assert report.findings[0].reason == "no answer within the budget: nothing is supported"


VARIABLE = "${aws:RequestTag/tenant}/*"


@pytest.mark.parametrize("engine", ["z3", pytest.param("cvc5", marks=needs_cvc5)])
@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"sagemaker:TargetModel": VARIABLE}},
        {
            "StringLike": {"sagemaker:TargetModel": "acme/*"},
            "StringNotLike": {"sagemaker:TargetModel": VARIABLE},
        },
    ],
    ids=["like", "not like"],
)
def test_each_model_is_reached_with_a_tag_of_the_request(
    setup: Setup, engine: str, condition: dict[str, Any]
) -> None:
    """A context found for one model covers others with its own tag, not with any."""
    manifest = setup.tenant("acme", allow(Condition=condition)).tenant("other").write()
    findings = as_json(manifest, "--engine", engine)["findings"]
    (reaches,) = (f for f in findings if (f["question"], f["tenant"]) == ("reaches", "acme"))
    assert reaches["verdict"] == "PROVED", reaches["reason"]
    assert reaches["attacked"] > 0
