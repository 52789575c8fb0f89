"""Bugs found by differential testing, each pinned."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest

from tenantproof.errors import InputError, Place
from tenantproof.policy import PolicyKind, parse_policy
from tenantproof.policy.literals import parse_date, parse_network
from tenantproof.policy.template import TemplateError, parse_template

STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
HERE = Place("p.json", "$")


def problems(*statements: dict[str, Any]) -> list[str]:
    text = json.dumps({"Version": "2012-10-17", "Statement": statements})
    with pytest.raises(InputError) as caught:
        parse_policy(text, kind=PolicyKind.IDENTITY)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("text", ["-100", "12.5", "1.70", "-1.5"])
def test_an_epoch_of_four_characters_is_no_year(text: str) -> None:
    assert parse_date(text) == Fraction(text)


@pytest.mark.parametrize("zone", ["+00:60", "-05:99", "+0100", "+24:00"])
def test_a_zone_has_hours_and_minutes(zone: str) -> None:
    assert parse_date(f"2026-01-31T12:00:00{zone}") is None


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/0.0.0.255",
        "10.0.0.0/08",
        "fe80::1%eth0/64",
        "::%1",
        "/8",
    ],
)
def test_only_the_standard_cidr_format(text: str) -> None:
    assert parse_network(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "${ }",
        "${**}",
        "${a${b}}",
        "${ aws:username }",
        "${*, 'x'}",
        "${k, x}",
        "${k",
        "${}",
        "${k, 'x}",
    ],
)
def test_a_malformed_variable_is_a_problem(text: str) -> None:
    with pytest.raises(TemplateError):
        parse_template(text, HERE, variables=True)


@pytest.mark.parametrize("text", ["${" + " " * 200_000, "${a" + " " * 200_000 + ", 'x'" * 3])
def test_a_long_malformed_variable_takes_no_long_time(text: str) -> None:
    """It took cubic time; a hang here is the failure."""
    with pytest.raises(TemplateError):
        parse_template(text, HERE, variables=True)


def test_a_repeated_sid_is_found_in_a_bad_statement_too() -> None:
    found = problems({**STATEMENT, "Sid": "A"}, {"Sid": "A", "Effect": "Allow", "Resource": "*"})
    assert any('found the Sid "A" a second time' in problem for problem in found)
    assert any("found neither Action nor NotAction" in problem for problem in found)


def test_both_of_a_pair_are_checked() -> None:
    found = problems({**STATEMENT, "NotAction": "bad", "NotResource": []})
    assert len(found) == 4


def test_condition_keys_differing_in_case_are_one_key() -> None:
    block = {"StringLike": {"sagemaker:TargetModel": "a", "SAGEMAKER:TargetModel": "b"}}
    (found,) = problems({**STATEMENT, "Condition": block})
    assert "expected each key once: their case is ignored" in found


@pytest.mark.parametrize("levels", [64, 65])
def test_64_levels_of_nesting(levels: int) -> None:
    text = "[" * levels + "]" * levels
    with pytest.raises(InputError) as caught:
        parse_policy(text)
    assert ("levels of nesting" in str(caught.value)) is (levels > 64)


@pytest.mark.parametrize("resource", ["foo:bar", "ARN:aws:s3:::b", " arn:aws:s3:::b"])
def test_a_resource_is_an_arn(resource: str) -> None:
    """Under NotResource a text that matches nothing would allow everything."""
    (found,) = problems({"Effect": "Allow", "Action": "*", "NotResource": resource})
    assert "expected an ARN or" in found


@pytest.mark.parametrize("action", ["s3:Get:Object", "s3: GetObject", "s3:${aws:username}", "s3"])
def test_an_action_is_a_service_and_a_name(action: str) -> None:
    (found,) = problems({**STATEMENT, "Action": action})
    assert "expected an action as" in found


def test_did_you_mean() -> None:
    found = problems({**STATEMENT, "Resources": "*", "efect": "Allow"})
    assert "did you mean Resource?" in found[0]
    assert "did you mean Effect?" in found[1]
