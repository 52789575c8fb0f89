"""A document written is the document read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_texts import document, read, statement, with_condition, without

from tenantproof.errors import Place
from tenantproof.policy import Access, PolicyDocument, Unknown, Version
from tenantproof.policy.unknown import unknown_policy
from tenantproof.policy.writer import UnwritableError, policy_to_json, statement_lines
from tenantproof.request import Principal
from tenantproof_strategies.grammar import accesses, policies

CALLER = Principal("arn:aws:iam::111122223333:user/ann")
TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)


def documents_of(access: Access) -> list[PolicyDocument]:
    return [policy for layer in access.layers() for policy in layer.policies]


@given(policies())
def test_a_policy_written_reads_as_it_was(policy: PolicyDocument) -> None:
    assert read(policy_to_json(policy)) == policy


@given(accesses(CALLER))
def test_policies_of_both_sides_read_as_they_were(access: Access) -> None:
    for policy in documents_of(access):
        assert read(policy_to_json(policy)) == policy


@given(accesses(CALLER))
def test_a_statement_stands_on_its_line(access: Access) -> None:
    for policy in documents_of(access):
        lines = policy_to_json(policy).split("\n")
        for line, one in statement_lines(policy).items():
            (alone,) = json.loads(f"[{lines[line - 1][1:]}]")
            assert alone["Effect"] == one.effect.value
        assert len(lines) == len(policy.statements) + 2


@given(TEXTS, TEXTS, TEXTS)
def test_any_text_is_written_in_ascii(sid: str, value: str, key: str) -> None:
    conditions = {"StringEquals": {key: value}}
    policy = read(
        json.dumps(document(statement(Sid=sid, Condition=conditions), Version="2008-10-17"))
    )
    written = policy_to_json(policy)
    assert written.isascii()
    assert read(written) == policy


def test_the_version_is_written_out() -> None:
    policy = read({"Statement": statement()})
    assert json.loads(policy_to_json(policy))["Version"] == Version.V2008.value


@pytest.mark.parametrize(
    ("operator", "value", "text"),
    [
        ("Null", True, "true"),
        ("Bool", False, "false"),
        ("NumericEquals", 10, "10"),
        ("StringEquals", ["a"], "a"),
        ("DateLessThan", "2026", "2026"),
        ("IpAddress", "203.0.113.7/24", "203.0.113.7/24"),
    ],
)
def test_a_value_keeps_its_text(operator: str, value: Any, text: str) -> None:
    policy = read(with_condition(operator, value))
    written = json.loads(policy_to_json(policy))
    assert written["Statement"][0]["Condition"] == {operator: {"aws:k": text}}
    assert read(policy_to_json(policy)) == policy


@pytest.mark.parametrize(
    "who",
    [
        "*",
        {"AWS": "*"},
        {"AWS": ["111122223333", "arn:aws:iam::444455556666:user/a"], "Service": "s.amazonaws.com"},
        {"CanonicalUser": "x", "Federated": ["y", "z"]},
    ],
)
@pytest.mark.parametrize("element", ["Principal", "NotPrincipal"])
def test_principals_are_kept_by_type(who: Any, element: str) -> None:
    policy = read(document({**without("Resource"), element: who}, Id="trust"))
    assert read(policy_to_json(policy)) == policy


def test_a_number_as_it_was_written() -> None:
    text = json.dumps(with_condition("NumericEquals", 0)).replace(": 0}", ": 1.10}")
    assert '"1.10"' in policy_to_json(read(text))


def test_what_is_not_known_cannot_be_written() -> None:
    place = Place("plan.json", "$")
    with pytest.raises(UnwritableError, match=r"Statement\[0\] of plan.json.* is not in the plan"):
        policy_to_json(unknown_policy("it is not in the plan", "plan.json", place))
    policy = read(document(statement(Sid="A")))
    unknown = replace(policy.statements[0], unknown=Unknown("applied later", place))
    with pytest.raises(UnwritableError, match=r'Statement\[0\] "A".*applied later'):
        policy_to_json(replace(policy, statements=(unknown,)))


def test_the_same_condition_twice_cannot_be_written() -> None:
    policy = read(with_condition("StringEquals", "a"))
    (one,) = policy.statements
    twice = replace(one, conditions=one.conditions * 2)
    with pytest.raises(UnwritableError, match="two conditions StringEquals on aws:k"):
        policy_to_json(replace(policy, statements=(twice,)))
