"""A disagreement is written so that both sides can be asked again."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import botocore
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from independent import IndependentSimulator
from live_probes import ACTION, ENDPOINT, ROLE, SESSION, allow, policy, probe, random_probe

from tenantproof import __version__
from tenantproof.cli import main
from tenantproof.evaluate import decide
from tenantproof.isolation import Finding, Probe, Question, Verdict
from tenantproof.live.cases import write_case
from tenantproof.live.parameters import simulations
from tenantproof.live.simulation import Answer, Operation
from tenantproof.policy import Access, PolicySet
from tenantproof.request import Principal, Request

FINDING = Finding(Question.ISOLATED, Verdict.LEAK, "acme", ROLE, "arn:endpoint")
STACK = PolicySet(
    (policy(allow(Action=ACTION, Sid="A"), allow(Effect="Deny", Action="s3:*")), policy(allow())),
    policy(allow(), Id="boundary"),
    ((policy(allow()),), (policy(allow()), policy(allow(Action=ACTION)))),
    (policy(allow(Sid="B")), policy(allow(Action="s3:*", Sid="B"))),
)
OF = probe(
    STACK,
    SESSION,
    tags={"team": "a"},
    context={"aws:TagKeys": ("x", "y"), "aws:PrincipalArn": "arn:aws:iam::111122223333:role/p/app"},
)


def written(folder: Path, of: Probe, *, principals: bool = False, answer: str = "allowed") -> Path:
    asked = simulations(of, principals=principals)
    assert isinstance(asked, tuple)
    answers = [Answer(answer, ("a:key",), (("PolicyInputList.1", 2, 1),), {"x": True})] * len(asked)
    return write_case(folder, FINDING, of, asked, answers)


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def simulated(case: Path) -> dict[str, Any]:
    """What ``tenantproof simulate`` answers of a case."""
    done = CliRunner().invoke(main, ["simulate", str(case / "case.jsonl")])
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_our_side_can_be_asked_again(tmp_path: Path) -> None:
    case = written(tmp_path, OF)
    answer = simulated(case)
    assert answer["id"] == case.name
    assert answer["decision"] == OF.decision.outcome.value


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_any_case_gives_our_decision_again(tmp_path: Path, random: Random) -> None:
    of = random_probe(random)
    if isinstance(simulations(of), tuple):
        assert simulated(written(tmp_path, of))["decision"] == of.decision.outcome.value


def test_what_the_principal_decides_is_in_the_case(tmp_path: Path) -> None:
    document = policy(allow(Resource="arn:aws:sagemaker:*:*:endpoint/${aws:SourceIdentity}"))
    stack = PolicySet((document,))
    principal = Principal(SESSION, {}, {"aws:SourceIdentity": "models", "aws:userid": "x"})
    request = Request(principal, ACTION, ENDPOINT, {"AWS:UserId": "y"})
    of = Probe(request, Access(stack), decide(stack, request))
    assert of.decision.allowed
    case = written(tmp_path, of)
    assert simulated(case)["decision"] == "Allowed"
    context = read(case / "case.jsonl")["request"]["context"]
    assert context == {"aws:SourceIdentity": "models", "AWS:UserId": "y"}


def test_their_side_can_be_asked_again(tmp_path: Path) -> None:
    case = written(tmp_path, OF)
    files = sorted(path.name for path in case.iterdir())
    assert files == [
        "case.jsonl",
        "disagreement.json",
        "simulate-custom-policy-1.json",
        "simulate-custom-policy-2.json",
    ]
    for name in files[2:]:
        (result,) = IndependentSimulator().custom(read(case / name))
        assert result["EvalDecision"] == "allowed"


def test_the_names_of_commands(tmp_path: Path) -> None:
    alone = probe(PolicySet((policy(allow()),)), ROLE)
    one, two = written(tmp_path, alone), written(tmp_path, alone, principals=True)
    assert read(one / "simulate-custom-policy.json")["ActionNames"] == [ACTION]
    assert read(two / "simulate-principal-policy.json")["PolicySourceArn"] == ROLE
    parts = written(tmp_path, OF, principals=True)
    assert (parts / "simulate-principal-policy-1.json").exists()
    assert (parts / "simulate-custom-policy-2.json").exists()


def test_both_sides_are_told(tmp_path: Path) -> None:
    told = read(written(tmp_path, OF) / "disagreement.json")
    assert told["finding"]["question"] == "isolated"
    assert told["finding"]["verdict"] == "LEAK"
    assert told["tenantproof"]["decision"] == "Allowed"
    assert {"layer", "file", "statement", "effect", "applies", "because"} == set(
        told["tenantproof"]["statements"][0]
    )
    first = told["simulator"][0]
    assert first["operation"] == Operation.CUSTOM.value
    assert first["decision"] == "allowed"
    assert first["matched"][0]["statement"] == 'policy.json: Statement[0] "A"'
    assert told["versions"] == {"tenantproof": __version__, "botocore": botocore.__version__}


def test_the_same_disagreement_is_written_to_the_same_place(tmp_path: Path) -> None:
    first = written(tmp_path, OF)
    before = {path.name: path.read_bytes() for path in first.iterdir()}
    again = written(tmp_path, OF)
    assert again == first
    assert {path.name: path.read_bytes() for path in again.iterdir()} == before
    assert written(tmp_path, OF, answer="explicitDeny") == first
    assert len(list(tmp_path.iterdir())) == 1
    assert written(tmp_path, OF, principals=True) != first


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        written(tmp_path / "file", OF)
