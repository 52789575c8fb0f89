"""Every operator of "Condition operators", with each prefix and suffix it takes."""

from __future__ import annotations

import pytest
from policy_texts import problems_of, read, with_condition

from tenantproof.policy import Operator
from tenantproof.policy.operators import COMPARISONS, parse_operator
from tenantproof.policy.syntax import Family, Relation, SetQualifier

# Name, family, relation, negated: the headings and tables of the reference.
REFERENCE = [
    ("StringEquals", Family.STRING, Relation.EQUALS, False),
    ("StringNotEquals", Family.STRING, Relation.EQUALS, True),
    ("StringEqualsIgnoreCase", Family.STRING, Relation.EQUALS_IGNORE_CASE, False),
    ("StringNotEqualsIgnoreCase", Family.STRING, Relation.EQUALS_IGNORE_CASE, True),
    ("StringLike", Family.STRING, Relation.LIKE, False),
    ("StringNotLike", Family.STRING, Relation.LIKE, True),
    ("NumericEquals", Family.NUMERIC, Relation.EQUALS, False),
    ("NumericNotEquals", Family.NUMERIC, Relation.EQUALS, True),
    ("NumericLessThan", Family.NUMERIC, Relation.LESS_THAN, False),
    ("NumericLessThanEquals", Family.NUMERIC, Relation.LESS_THAN_EQUALS, False),
    ("NumericGreaterThan", Family.NUMERIC, Relation.GREATER_THAN, False),
    ("NumericGreaterThanEquals", Family.NUMERIC, Relation.GREATER_THAN_EQUALS, False),
    ("DateEquals", Family.DATE, Relation.EQUALS, False),
    ("DateNotEquals", Family.DATE, Relation.EQUALS, True),
    ("DateLessThan", Family.DATE, Relation.LESS_THAN, False),
    ("DateLessThanEquals", Family.DATE, Relation.LESS_THAN_EQUALS, False),
    ("DateGreaterThan", Family.DATE, Relation.GREATER_THAN, False),
    ("DateGreaterThanEquals", Family.DATE, Relation.GREATER_THAN_EQUALS, False),
    ("Bool", Family.BOOL, Relation.EQUALS, False),
    ("BinaryEquals", Family.BINARY, Relation.EQUALS, False),
    ("IpAddress", Family.IP_ADDRESS, Relation.EQUALS, False),
    ("NotIpAddress", Family.IP_ADDRESS, Relation.EQUALS, True),
    ("ArnEquals", Family.ARN, Relation.LIKE, False),  # 'behave identically' to ArnLike
    ("ArnLike", Family.ARN, Relation.LIKE, False),
    ("ArnNotEquals", Family.ARN, Relation.LIKE, True),
    ("ArnNotLike", Family.ARN, Relation.LIKE, True),
    ("Null", Family.NULL, Relation.EQUALS, False),
]
NAMES = [row[0] for row in REFERENCE]
PREFIXES = {"": None, **{f"{qualifier.value}:": qualifier for qualifier in SetQualifier}}

VALUES = {
    Family.STRING: "a",
    Family.NUMERIC: "1",
    Family.DATE: "2026-01-31",
    Family.BOOL: "true",
    Family.BINARY: "QQ==",
    Family.IP_ADDRESS: "203.0.113.0/24",
    Family.ARN: "arn:aws:s3:::bucket",
    Family.NULL: "true",
}


def test_the_reference_has_these_operators_and_no_more() -> None:
    assert sorted(COMPARISONS) == sorted(NAMES)


@pytest.mark.parametrize(("name", "family", "relation", "negated"), REFERENCE, ids=NAMES)
def test_an_operator_alone(name: str, family: Family, relation: Relation, negated: bool) -> None:
    operator = parse_operator(name)
    assert isinstance(operator, Operator)
    comparison = operator.comparison
    assert (comparison.family, comparison.relation) == (family, relation)
    assert comparison.negated is negated
    assert (operator.qualifier, operator.if_exists) == (None, False)
    assert operator.name == name


@pytest.mark.parametrize("suffix", ["", "IfExists"])
@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("name", [name for name in NAMES if name != "Null"])
def test_set_prefixes_and_if_exists(prefix: str, name: str, suffix: str) -> None:
    """'You can add IfExists to the end of any condition operator name except the Null'."""
    written = f"{prefix}{name}{suffix}"
    operator = parse_operator(written)
    assert isinstance(operator, Operator)
    assert operator.comparison.name == name
    assert operator.qualifier is PREFIXES[prefix]
    assert operator.if_exists is bool(suffix)
    assert operator.name == written
    value = VALUES[operator.comparison.family]
    ((condition,),) = [s.conditions for s in read(with_condition(written, value)).statements]
    assert condition.operator == operator


@pytest.mark.parametrize(
    "name",
    ["NullIfExists", "ForAllValues:Null", "ForAnyValue:Null", "ForAnyValue:NullIfExists"],
)
def test_null_stands_alone(name: str) -> None:
    """Access Analyzer: 'The Null condition operator cannot be used with the IfExists suffix.'"""
    (problem,) = problems_of(with_condition(name, "true"))
    assert problem.message == (
        f'found the unknown operator "{name}",'
        " expected Null alone: it takes neither a set prefix nor IfExists"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("stringlike", "did you mean StringLike?"),
        ("Stringequals", "did you mean StringEquals?"),
        ("StringEqual", "did you mean StringEquals?"),
        ("StringLikes", "did you mean StringLike?"),
        ("ForAllValues:StringLiek", "did you mean StringLike?"),
        ("ArnNotlike", "did you mean ArnNotLike?"),
        ("IPAddress", "did you mean IpAddress?"),
        ("null", "did you mean Null?"),
        ("BinaryNotEquals", "did you mean BinaryEquals?"),  # the reference has none
        ("StringLikeifexists", "did you mean StringLikeIfExists?"),
        ("Foo", "expected a condition operator of the IAM reference"),
        ("", "expected a condition operator of the IAM reference"),
        ("IfExists", "expected a condition operator of the IAM reference"),
        ("ForAllValues:", "expected a condition operator of the IAM reference"),
        ("forallvalues:StringLike", 'expected "ForAllValues:" or "ForAnyValue:"'),
        ("ForAllValue:StringLike", 'expected "ForAllValues:" or "ForAnyValue:"'),
        ("ForAllValues:ForAnyValue:StringLike", 'expected "ForAllValues:" or "ForAnyValue:"'),
        (":StringLike", 'expected "ForAllValues:" or "ForAnyValue:"'),
    ],
)
def test_unknown_operators(name: str, expected: str) -> None:
    (problem,) = problems_of(with_condition(name, "a"))
    assert problem.message.startswith(f'found the unknown operator "{name}", expected')
    assert expected in problem.message
    assert problem.statement == "Statement[0]"
    assert problem.place.path.startswith("$.Statement[0].Condition")
