"""Policy variables: where they work, what they stand for, and what a missing value does."""

from __future__ import annotations

from typing import Any

import pytest
from evaluate_helpers import (
    ENDPOINT,
    TARGET_MODEL,
    applies,
    decision,
    deny,
    request,
    statement,
)

from tenantproof.evaluate import Outcome
from tenantproof.request import ContextValue

TAG = "${aws:PrincipalTag/tenant}"
PREFIX = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/"


def model(operator: str, *values: str) -> dict[str, Any]:
    """A statement under a condition on the target model."""
    return statement(Condition={operator: {TARGET_MODEL: list(values)}})


# -- a value -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operator", "value", "target", "expected"),
    [
        ("StringEquals", f"{TAG}/m", "acme/m", True),
        ("StringEquals", f"{TAG}/m", "beta/m", False),
        ("StringLike", f"{TAG}/*", "acme/m", True),
        ("StringLike", f"{TAG}/*", "acme-2/m", False),
        ("StringLike", f"{TAG}*", "acme-2/m", True),
        ("StringLike", f"*/{TAG}/{TAG}/*", "x/acme/acme/m", True),
        ("StringNotLike", f"{TAG}/*", "acme/m", False),
        ("StringNotLike", f"{TAG}/*", "beta/m", True),
        ("StringEqualsIgnoreCase", TAG, "ACME", True),
        ("StringEquals", "${AWS:principaltag/TENANT}", "acme", True),  # names have no case
        ("StringEquals", "${aws:PrincipalTag/tenant, 'other'}", "acme", True),
        ("StringEquals", "${aws:PrincipalTag/tenant, 'other'}", "other", False),
        ("ForAllValues:StringLike", f"{TAG}/*", "acme/m", True),
    ],
)
def test_a_tag_in_a_string_condition(
    operator: str, value: str, target: str, expected: bool
) -> None:
    to = request({TARGET_MODEL: target}, tags={"tenant": "acme"})
    assert applies(model(operator, value), to) is expected


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        (f"{PREFIX}{TAG}", "acme", True),
        (f"{PREFIX}{TAG}", "beta", False),
        (f"{PREFIX}{TAG}-*", "acme-1", True),
        (f"{PREFIX}{TAG}-*", "Acme-1", False),
        (f"{PREFIX}${{aws:PrincipalTag/other, 'acme'}}", "acme", True),
    ],
)
def test_a_tag_in_a_resource(pattern: str, name: str, expected: bool) -> None:
    to = request(resource=PREFIX + name, tags={"tenant": "acme"})
    assert applies(statement(Resource=pattern), to) is expected
    assert applies(statement(Resource=None, NotResource=pattern), to) is not expected


@pytest.mark.parametrize("operator", ["ArnEquals", "ArnLike"])
@pytest.mark.parametrize(("tag", "expected"), [("models", True), ("other", False)])
def test_a_tag_in_an_arn_condition(operator: str, tag: str, expected: bool) -> None:
    written = statement(Condition={operator: {"aws:SourceArn": PREFIX + TAG}})
    assert applies(written, request({"aws:SourceArn": ENDPOINT}, tags={"tenant": tag})) is expected


def test_the_default_stands_in_for_an_absent_key() -> None:
    """The reference's example: ``${aws:PrincipalTag/team, 'company-wide'}``."""
    written = model("StringLike", "${aws:PrincipalTag/team, 'company-wide'}/*")
    shared, own = request({TARGET_MODEL: "company-wide/m"}), request({TARGET_MODEL: "yellow/m"})
    assert applies(written, shared)
    assert not applies(written, own)
    assert not applies(written, request(shared.context, tags={"team": "yellow"}))
    assert applies(written, request(own.context, tags={"team": "yellow"}))


@pytest.mark.parametrize(
    ("tag", "target", "expected"),
    [
        ("*", "*/m", True),
        ("*", "beta/m", False),
        ("?", "?/m", True),
        ("?", "b/m", False),
        ("a*", "ab/m", False),
        ("${aws:username}", "${aws:username}/m", True),
        ("${*}", "*/m", False),
    ],
)
def test_a_value_is_literal_text(tag: str, target: str, expected: bool) -> None:
    """A tag named * opens nothing."""
    to = request({TARGET_MODEL: target, "aws:username": "u"}, tags={"tenant": tag})
    assert applies(model("StringLike", f"{TAG}/*"), to) is expected


def test_a_value_is_literal_text_in_arns_too() -> None:
    to = request({"aws:SourceArn": ENDPOINT}, tags={"tenant": "*"})
    assert not applies(statement(Resource=PREFIX + TAG), to)
    assert not applies(statement(Condition={"ArnLike": {"aws:SourceArn": PREFIX + TAG}}), to)


@pytest.mark.parametrize("target", ["*/m", "x/m"])
def test_a_default_is_literal_text(target: str) -> None:
    written = model("StringLike", "${aws:PrincipalTag/tenant, '*'}/m")
    assert applies(written, request({TARGET_MODEL: target})) is (target == "*/m")


@pytest.mark.parametrize(
    ("operator", "value", "target", "expected"),
    [
        # 'use where you need an * (asterisk) character', 'in any string'
        ("StringLike", "${*}/*", "*/m", True),
        ("StringLike", "${*}/*", "a/m", False),
        ("StringLike", "a${?}", "a?", True),
        ("StringLike", "a${?}", "ab", False),
        ("StringLike", "${$}{aws:username}", "${aws:username}", True),
        ("StringEquals", "${*}", "*", True),
        ("StringEquals", "${?}${$}", "?$", True),
        ("StringEquals", "*", "*", True),
        ("StringEqualsIgnoreCase", "A${*}", "a*", True),
        ("StringNotLike", "${*}", "a", True),
        ("StringNotLike", "${*}", "*", False),
    ],
)
def test_escapes(operator: str, value: str, target: str, expected: bool) -> None:
    assert applies(model(operator, value), request({TARGET_MODEL: target})) is expected


# -- the version -------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["2008-10-17", None], ids=["2008-10-17", "no Version"])
@pytest.mark.parametrize(
    ("operator", "value", "target", "expected"),
    [
        ("StringEquals", TAG, "acme", False),
        ("StringEquals", TAG, TAG, True),
        ("StringLike", f"{TAG}/*", f"{TAG}/m", True),
        ("StringLike", f"{TAG}/*", "acme/m", False),
        ("StringNotLike", f"{TAG}/*", "acme/m", True),
        ("StringLike", "${*}", "${anything}", True),
        ("StringLike", "${*}", "*", False),
        ("StringLike", "${unknown", "${unknown", True),
    ],
)
def test_before_2012_a_variable_is_literal_text(
    version: str | None, operator: str, value: str, target: str, expected: bool
) -> None:
    """'variables like ${aws:username} are treated as literal strings in the policy'."""
    to = request({TARGET_MODEL: target}, tags={"tenant": "acme"})
    assert applies(model(operator, value), to, version=version) is expected


def test_before_2012_a_resource_has_no_variables() -> None:
    written = statement(Resource=PREFIX + TAG)
    to = request(resource=PREFIX + "acme", tags={"tenant": "acme"})
    assert applies(written, to)
    assert not applies(written, to, version="2008-10-17")
    assert applies(written, request(resource=PREFIX + TAG), version="2008-10-17")


# -- no value ----------------------------------------------------------------------------------

# 'any attempt to match it fails and causes the statement to be invalid'
VOID: list[Any] = [
    pytest.param({"Resource": f"{PREFIX}{TAG}"}, id="in Resource"),
    pytest.param({"Resource": [ENDPOINT, f"{PREFIX}{TAG}"]}, id="beside a Resource that matches"),
    pytest.param({"Resource": None, "NotResource": f"{PREFIX}{TAG}"}, id="in NotResource"),
    pytest.param({"Condition": {"StringLike": {TARGET_MODEL: f"{TAG}/*"}}}, id="positive"),
    pytest.param(
        {"Condition": {"StringLike": {TARGET_MODEL: ["*", f"{TAG}/*"]}}},
        id="beside a value that matches",
    ),
    pytest.param({"Condition": {"StringNotLike": {TARGET_MODEL: f"{TAG}/*"}}}, id="negated"),
    pytest.param({"Condition": {"StringLikeIfExists": {"aws:no": TAG}}}, id="IfExists, key absent"),
    pytest.param({"Condition": {"StringNotEquals": {"aws:no": TAG}}}, id="negated, key absent"),
    pytest.param(
        {"Condition": {"ForAllValues:StringEquals": {"aws:no": TAG}}}, id="ForAllValues, key absent"
    ),
    pytest.param({"Condition": {"ArnNotLike": {"aws:SourceArn": TAG}}}, id="ARN"),
]


@pytest.mark.parametrize("changes", VOID)
def test_a_variable_without_a_value_voids_the_statement(changes: dict[str, Any]) -> None:
    to = request({TARGET_MODEL: "acme/m"})
    assert not applies(statement(**changes), to)


@pytest.mark.parametrize("changes", VOID)
def test_a_void_deny_denies_nothing(changes: dict[str, Any]) -> None:
    to = request({TARGET_MODEL: "acme/m"})
    found = decision(statement(), deny(**changes), to=to)
    assert found.outcome is Outcome.ALLOWED


def test_the_other_statements_stand() -> None:
    """It is the statement that is void, not the policy."""
    to = request({TARGET_MODEL: "acme/m"})
    void = model("StringLike", f"{TAG}/*")
    assert decision(void, statement(), to=to).outcome is Outcome.ALLOWED
    assert decision(void, deny(), to=to).outcome is Outcome.EXPLICIT_DENY


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (TAG, "a", False),
        (TAG, "('a', 'b')", False),
        ("${aws:PrincipalTag/tenant, 'c'}", "c", True),
        ("${aws:PrincipalTag/tenant, 'c'}", "a", False),
    ],
)
@pytest.mark.parametrize("values", [("a", "b"), ()])
def test_a_multivalued_key_is_no_variable(
    values: tuple[str, ...], value: str, target: str, expected: bool
) -> None:
    """'You can't use a multivalued condition key as a variable.'"""
    context: dict[str, ContextValue] = {TARGET_MODEL: target, "aws:PrincipalTag/tenant": values}
    assert applies(model("StringEquals", value), request(context)) is expected


def test_a_set_of_one_is_a_variable() -> None:
    context: dict[str, ContextValue] = {TARGET_MODEL: "a", "aws:PrincipalTag/tenant": ("a",)}
    assert applies(model("StringEquals", TAG), request(context))


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        ({"NumericEquals": {"aws:k": "1"}}, "1"),
        ({"DateEquals": {"aws:k": "2026"}}, "2026"),
        ({"Null": {"aws:k": "false"}}, "x"),
    ],
)
def test_a_context_value_is_never_a_variable(condition: dict[str, Any], text: str) -> None:
    to = request({"aws:k": "${aws:username}", "aws:username": text})
    assert applies(statement(Condition=condition), to) is ("Null" in condition)
