"""Statements of which nobody can say whether they apply: no answer rests on one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from tenantproof.errors import Place
from tenantproof.evaluate import decide
from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, parse_policy
from tenantproof.policy.unknown import unknown_policy
from tenantproof.prove import Budget, RequestSpace, compile_policies
from tenantproof.prove.engines import ENGINES, Ledger
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.request import Principal, Request

ROLE = Principal("arn:aws:iam::111122223333:role/app")
ACTION, ENDPOINT = (
    "sagemaker:InvokeEndpoint",
    "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
)
SPACE = RequestSpace(ROLE, (ACTION,), (ENDPOINT,))
MISSING = unknown_policy("the policy app is not in the export", "e.json", Place("e.json", "$.a"))


def policy(effect: str, action: str = "*") -> PolicyDocument:
    statement = {"Effect": effect, "Action": action, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return parse_policy(text, kind=PolicyKind.IDENTITY)


@pytest.mark.parametrize("engine", ["automata", "z3"])
@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([MISSING], Blocked),
        ([MISSING, policy("Allow")], Blocked),
        ([MISSING, policy("Allow"), policy("Deny")], None),
        ([policy("Allow")], Witness),
    ],
)
def test_an_answer_that_hangs_on_what_is_unknown_is_none(
    engine: str, documents: list[PolicyDocument], expected: type | None
) -> None:
    compiled = compile_policies(PolicySet(tuple(documents)), SPACE)
    prover = Ledger((ENGINES[engine],), None).prover(SPACE, compiled.multivalued, Budget.of(None))
    found = prover.smallest(compiled.allowed)
    assert found is None if expected is None else isinstance(found, expected)


def test_it_says_why_and_where() -> None:
    compiled = compile_policies(PolicySet((MISSING,)), SPACE)
    said = {str(atom) for atom in compiled.unmodelled}
    assert said == {"not known: the policy app is not in the export (e.json: $.a)"}


def test_two_of_one_place_hold_each_by_itself() -> None:
    compiled = compile_policies(PolicySet((MISSING,)), SPACE)
    assert compiled.allowed is not False
    assert compile_policies(PolicySet((MISSING, policy("Deny"))), SPACE).allowed is False


def test_what_is_known_is_a_bound() -> None:
    elsewhere = policy("Deny", "s3:*")
    statement = replace(elsewhere.statements[0], unknown=MISSING.statements[1].unknown)
    document = replace(elsewhere, statements=(statement,))
    compiled = compile_policies(PolicySet((document, policy("Allow"))), SPACE)
    assert compiled.allowed is True


def test_the_evaluator_says_first_what_does_not_match() -> None:
    request = Request(ROLE, ACTION, ENDPOINT)
    results = decide(PolicySet((MISSING,)), request).results
    assert [result.checks[-1].element for result in results] == ["Unknown", "Unknown"]
    assert results[0].checks[-1].because == "the policy app is not in the export"
