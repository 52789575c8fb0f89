"""Where the reference hedges: what we chose, and what the other choice would say."""

from __future__ import annotations

from typing import Any

import pytest
from evaluate_helpers import (
    ABSENT,
    ENDPOINT,
    TARGET_MODEL,
    Given,
    applies,
    decision,
    deny,
    holds,
    request,
    statement,
)

from tenantproof.evaluate import Outcome
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading

VARIABLE = Ambiguity.UNRESOLVED_VARIABLE
SEGMENT = Ambiguity.SEGMENT_WILDCARD
EMPTY = Ambiguity.EMPTY_IS_NULL
SHORT = Ambiguity.SHORT_ARN_PATTERN

PREFIX = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/"
TAG = "${aws:PrincipalTag/tenant}"


def other(ambiguity: Ambiguity) -> Reading:
    return DOCUMENTED.flipped([ambiguity])


# -- readings ----------------------------------------------------------------------------------


def test_each_ambiguity_is_one_choice() -> None:
    readings = [other(ambiguity) for ambiguity in Ambiguity]
    assert len({DOCUMENTED, *readings}) == len(Ambiguity) + 1
    for ambiguity, reading in zip(Ambiguity, readings, strict=True):
        assert reading.flipped([ambiguity]) == DOCUMENTED
        assert DOCUMENTED.flipped([]) == DOCUMENTED


@pytest.mark.parametrize("ambiguity", Ambiguity)
def test_each_ambiguity_asks_a_question(ambiguity: Ambiguity) -> None:
    assert ambiguity.question.startswith("whether ")


def test_alternatives_are_every_set_of_the_relevant_small_ones_first() -> None:
    assert list(DOCUMENTED.alternatives([])) == []
    assert list(DOCUMENTED.alternatives([SHORT, EMPTY, SHORT])) == [
        (EMPTY,),
        (SHORT,),
        (EMPTY, SHORT),
    ]
    every = list(DOCUMENTED.alternatives(Ambiguity))
    assert len(every) == len(set(every)) == 2 ** len(Ambiguity) - 1
    assert sorted(every, key=len) == every


# -- a variable without a value ----------------------------------------------------------------

# Elements with such a variable; whether the statement applies under the documented reading,
# 'the entire statement invalid', and under the other, 'There is no equal or like value'.
UNRESOLVED: list[Any] = [
    pytest.param({"Resource": f"{PREFIX}{TAG}"}, False, False, id="Resource"),
    pytest.param({"Resource": [f"{PREFIX}{TAG}", "*"]}, False, True, id="beside another Resource"),
    pytest.param(
        {"Resource": None, "NotResource": f"{PREFIX}{TAG}"}, False, True, id="NotResource"
    ),
    pytest.param({"Condition": {"StringEquals": {TARGET_MODEL: TAG}}}, False, False, id="Equals"),
    pytest.param(
        {"Condition": {"StringEquals": {TARGET_MODEL: [TAG, "m"]}}},
        False,
        True,
        id="beside a value that matches",
    ),
    pytest.param(
        {"Condition": {"StringNotEquals": {TARGET_MODEL: TAG}}},
        False,
        True,
        id="'Inverted condition operators ... do match against a null value'",
    ),
    pytest.param(
        {"Condition": {"StringNotLike": {TARGET_MODEL: [f"{TAG}/*", "m"]}}},
        False,
        False,
        id="inverted, beside a value that matches",
    ),
    pytest.param(
        {"Condition": {"ArnNotLike": {"aws:SourceArn": f"{PREFIX}{TAG}"}}},
        False,
        True,
        id="inverted ARN operator",
    ),
    pytest.param(
        {"Condition": {"StringEqualsIfExists": {"aws:no": TAG}}}, False, True, id="IfExists, absent"
    ),
    pytest.param(
        {"Condition": {"StringEquals": {TARGET_MODEL: "${aws:no, 'm'}"}}},
        True,
        True,
        id="a default resolves it in both",
    ),
]


@pytest.mark.parametrize(("changes", "documented", "alternative"), UNRESOLVED)
def test_unresolved_variable(changes: dict[str, Any], documented: bool, alternative: bool) -> None:
    to = request({TARGET_MODEL: "m", "aws:SourceArn": ENDPOINT})
    written = statement(**changes)
    assert applies(written, to) is documented
    assert applies(written, to, reading=other(VARIABLE)) is alternative


def test_the_example_that_supports_the_other_reading() -> None:
    """Deny + StringNotEquals s3:ExistingObjectTag/Team: '${aws:PrincipalTag/Team}'.

    'Access is explicitly denied when aws:principaltag/Team is not set.'
    """
    key, value = "s3:ExistingObjectTag/Team", "${aws:PrincipalTag/Team}"
    fence = [statement(), deny(Condition={"StringNotEquals": {key: value}})]
    to = request({key: "yellow"})
    assert decision(*fence, to=to).outcome is Outcome.ALLOWED
    alternative = decision(*fence, to=to, reading=other(VARIABLE))
    assert alternative.outcome is Outcome.EXPLICIT_DENY


# -- a * at the end of a segment ---------------------------------------------------------------

# 'it can expand to match beyond the colon boundaries' against 'a wildcard ... can't span segments'
CROSSING = [
    ("arn:aws:sagemaker:*:endpoint/m:x:y", "arn:aws:sagemaker:r:1:z:endpoint/m:x:y", False, True),
    ("arn:aws:s*:1:endpoint/x:y:z", "arn:aws:sagemaker:r:1:endpoint/x:y:z", False, True),
    ("arn:aws:*:r:1:endpoint/m", "arn:aws:a:b:c:r:1:endpoint/m", False, True),
    ("arn:aws:*s:r:1:endpoint/m", "arn:aws:a:s:r:1:endpoint/m", False, False),
    ("arn:aws:*s:r:1:endpoint/m", "arn:aws:as:b:r:1:endpoint/m", False, False),
    ("arn:aws:?:r:1:endpoint/m", "arn:aws:a:b:r:1:endpoint/m", False, False),
    ("arn:aws:sagemaker:r:1:endpoint/m", "arn:aws:sagemaker:r:1:endpoint/m", True, True),
    ("arn:aws:sagemaker:*:*:endpoint/m", "arn:aws:sagemaker:r:1:endpoint/m", True, True),
    ("arn:aws:sagemaker:*:*:endpoint/m", "arn:aws:sagemaker:r:1:endpoint/n", False, False),
    ("arn:aws:sagemaker:r:1:*", "arn:aws:sagemaker:r:1:a:b", True, True),
    ("arn:aws:sagemaker", "arn:aws:sagemaker:r:1:a:b", True, True),
    ("*", "*", True, True),
]


@pytest.mark.parametrize(("pattern", "resource", "documented", "alternative"), CROSSING)
def test_segment_wildcard(pattern: str, resource: str, documented: bool, alternative: bool) -> None:
    to, written = request(resource=resource), statement(Resource=pattern)
    assert applies(written, to) is documented
    assert applies(written, to, reading=other(SEGMENT)) is alternative


def test_a_value_brings_no_wildcard_that_crosses() -> None:
    written = statement(Resource=f"arn:aws:sagemaker:r:{TAG}:m")
    to = request(resource="arn:aws:sagemaker:r:1:x:m", tags={"tenant": "*"})
    assert not applies(written, to, reading=other(SEGMENT))


# -- Null and the empty value ------------------------------------------------------------------

# 'an empty string. In this case, the value in the request context is null.'
NULL_ROWS: list[tuple[Given, bool, bool]] = [
    (ABSENT, True, True),
    ("", False, True),
    ((), False, True),
    (("",), False, True),
    (("", ""), False, True),
    (("", "a"), False, False),
    ("a", False, False),
    (("a",), False, False),
]


@pytest.mark.parametrize(("given", "documented", "alternative"), NULL_ROWS)
def test_empty_is_null(given: Given, documented: bool, alternative: bool) -> None:
    for reading, null in [(DOCUMENTED, documented), (other(EMPTY), alternative)]:
        assert holds("Null", "true", given, reading=reading) is null
        assert holds("Null", "false", given, reading=reading) is not null


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike"])
def test_an_empty_value_is_a_value_or_none(operator: str) -> None:
    """The reference lists "" among the values of StringLike s3:prefix."""
    assert holds(operator, ["", "home/"], "")
    assert not holds(operator, ["", "home/"], "", reading=other(EMPTY))
    for reading in (DOCUMENTED, other(EMPTY)):
        assert not holds(operator, "a", "", reading=reading)
        assert holds(f"{operator}IfExists", "a", "", reading=reading) is reading.empty_is_null


# -- ARN conditions of fewer than six segments -------------------------------------------------

SHORT_ARNS = [
    ("*", False, True),
    ("arn:aws:sagemaker", False, True),
    ("arn:aws:sagemaker:us-east-1:*", False, True),
    ("arn:aws:sqs", False, False),
    ("arn:aws:sagemaker:*:endpoint/models", False, False),
    ("arn:aws:sagemaker:*:*:*", True, True),
    (ENDPOINT, True, True),
    (ENDPOINT + "2", False, False),
]


@pytest.mark.parametrize(("pattern", "documented", "alternative"), SHORT_ARNS)
@pytest.mark.parametrize("family", ["Arn{}Equals", "Arn{}Like"])
def test_short_arn_pattern(family: str, pattern: str, documented: bool, alternative: bool) -> None:
    for reading, matches in [(DOCUMENTED, documented), (other(SHORT), alternative)]:
        assert holds(family.format(""), pattern, ENDPOINT, reading=reading) is matches
        assert holds(family.format("Not"), pattern, ENDPOINT, reading=reading) is not matches


@pytest.mark.parametrize("reading", [DOCUMENTED, other(SHORT)])
@pytest.mark.parametrize("given", ["arn:aws:sagemaker", "models", ""])
def test_a_short_value_is_no_arn_in_both(given: str, reading: Reading) -> None:
    assert not holds("ArnLike", ["*", "arn:*:*:*:*:*"], given, reading=reading)
    assert holds("ArnNotLike", ["*", "arn:*:*:*:*:*"], given, reading=reading)


# -- a choice touches nothing else -------------------------------------------------------------


@pytest.mark.parametrize("ambiguity", Ambiguity)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"Resource": ENDPOINT}, True),
        ({"Resource": "arn:aws:sagemaker:*:*:endpoint/*"}, True),
        ({"Resource": "arn:aws:sagemaker:us-west-2:*:endpoint/*"}, False),
        ({"Condition": {"StringLike": {TARGET_MODEL: "acme/*"}}}, True),
        ({"Condition": {"StringLike": {TARGET_MODEL: "${aws:PrincipalTag/t}/*"}}}, True),
        ({"Condition": {"Null": {TARGET_MODEL: "true"}}}, False),
        ({"Condition": {"Null": {"aws:no": "true"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sagemaker:*:*:*"}}}, True),
    ],
)
def test_unambiguous_policies_have_one_meaning(
    ambiguity: Ambiguity, changes: dict[str, Any], expected: bool
) -> None:
    to = request({TARGET_MODEL: "acme/m", "aws:SourceArn": ENDPOINT}, tags={"t": "acme"})
    assert applies(statement(**changes), to, reading=DOCUMENTED) is expected
    assert applies(statement(**changes), to, reading=other(ambiguity)) is expected
