"""Each condition operator: what it matches, and what absence, IfExists and set prefixes make of it.

A row holds an operator, the values in the policy, the value in the request, and the answer.
"""

from __future__ import annotations

from typing import Any

import pytest
from evaluate_helpers import ABSENT, Given, applies, holds, request, statement

Row = tuple[str, Any, Given, bool]

STRINGS: list[Row] = [
    # 'Exact matching, case sensitive'
    ("StringEquals", "acme", "acme", True),
    ("StringEquals", "acme", "Acme", False),
    ("StringEquals", "acme", "acme ", False),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", ["a", "b"], "c", False),
    ("StringEquals", "", "", True),
    ("StringEquals", "acme/*", "acme/m", False),  # no wildcards outside Like
    ("StringEquals", "acme/*", "acme/*", True),
    ("StringEquals", "a?", "ab", False),
    ("StringEquals", "a?", "a?", True),
    ("StringEquals", 1.10, "1.1", True),
    ("StringEquals", True, "true", True),
    # 'Negated matching': the values of a negated operator are a NOR.
    ("StringNotEquals", "acme", "acme", False),
    ("StringNotEquals", "acme", "Acme", True),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", "*", "acme", True),
    # 'Exact matching, ignoring case'
    ("StringEqualsIgnoreCase", "Acme", "aCME", True),
    ("StringEqualsIgnoreCase", "acme", "acm", False),
    ("StringEqualsIgnoreCase", "É", "é", True),
    ("StringEqualsIgnoreCase", "ß", "ss", False),  # one character for one
    ("StringEqualsIgnoreCase", "a*", "ab", False),
    ("StringEqualsIgnoreCase", ["x", "A*"], "a*", True),
    ("StringNotEqualsIgnoreCase", "Acme", "aCME", False),
    ("StringNotEqualsIgnoreCase", ["x", "acme"], "ACME", False),
    ("StringNotEqualsIgnoreCase", ["x", "acme"], "y", True),
    # 'multi-character match wildcards (*) and single-character match wildcards (?) anywhere'
    ("StringLike", "acme/*", "acme/m.tar.gz", True),
    ("StringLike", "acme/*", "acme/", True),
    ("StringLike", "acme/*", "acme", False),
    ("StringLike", "acme/*", "acme/a/b", True),
    ("StringLike", "acme/*", "Acme/m", False),
    ("StringLike", "acme/*", "x/acme/m", False),
    ("StringLike", "*", "", True),
    ("StringLike", "?", "", False),
    ("StringLike", "", "", True),
    ("StringLike", "", "a", False),
    ("StringLike", "a?c", "abc", True),
    ("StringLike", "a?c", "a/c", True),
    ("StringLike", "a?c", "ac", False),
    ("StringLike", "a?c", "abbc", False),
    ("StringLike", "*a*b*", "xxabyy", True),
    ("StringLike", "*a*b*", "xxbayy", False),
    ("StringLike", "*.tar.gz", "a.tar.gz.tar.gz", True),
    ("StringLike", "a**b", "ab", True),
    ("StringLike", "*?", "a\nb", True),
    ("StringLike", "a.c", "abc", False),
    ("StringLike", "[ab]", "a", False),
    ("StringLike", "\\*", "*", False),
    ("StringLike", ["acme/*", "common/*"], "common/m", True),
    ("StringLike", ["acme/*", "common/*"], "beta/m", False),
    ("StringNotLike", "acme/*", "acme/m", False),
    ("StringNotLike", "acme/*", "beta/m", True),
    ("StringNotLike", ["acme/*", "common/*"], "common/m", False),
    ("StringNotLike", ["acme/*", "common/*"], "beta/m", True),
    ("StringNotLike", "*", "", False),
]

NUMBERS: list[Row] = [
    # 'comparing a key to an integer or decimal value'
    ("NumericEquals", "10", "10", True),
    ("NumericEquals", 10, "10.0", True),
    ("NumericEquals", "1.50", "1.5", True),
    ("NumericEquals", "10", "9", False),
    ("NumericEquals", "0.1", "0.10000000000000001", False),  # decimals, not floats
    ("NumericEquals", "9007199254740992", "9007199254740993", False),
    ("NumericEquals", ["1", "2"], "2", True),
    ("NumericEquals", "10", "ten", False),
    ("NumericEquals", "10", "10abc", False),
    ("NumericEquals", "0", "", False),
    ("NumericNotEquals", "10", "10.0", False),
    ("NumericNotEquals", ["1", "2"], "2", False),
    ("NumericNotEquals", ["1", "2"], "3", True),
    ("NumericNotEquals", "10", "ten", True),  # what is no number equals none
    ("NumericLessThan", "10", "9", True),
    ("NumericLessThan", "10", "9.999999999999999999999", True),
    ("NumericLessThan", "10", "10", False),
    ("NumericLessThan", "9", "10", False),  # by value, not by text
    ("NumericLessThan", "10", "-11", True),
    ("NumericLessThan", ["1", "5"], "3", True),
    ("NumericLessThanEquals", "10", "10", True),
    ("NumericLessThanEquals", "10", "10.1", False),
    ("NumericGreaterThan", "10", "11", True),
    ("NumericGreaterThan", "10", "10", False),
    ("NumericGreaterThan", "10", "ten", False),
    ("NumericGreaterThanEquals", "10", "10", True),
    ("NumericGreaterThanEquals", "10", "9.5", False),
]

NOON = "2026-01-31T12:00:00Z"
DATES: list[Row] = [
    # ISO 8601 or epoch, one comparable with the other
    ("DateEquals", NOON, "2026-01-31T13:00:00+01:00", True),
    ("DateEquals", NOON, "1769860800", True),
    ("DateEquals", "1769860800", NOON, True),
    ("DateEquals", "2026", "2026-01-01T00:00:00Z", True),
    ("DateEquals", "2026-01", "2026-01-01", True),
    ("DateEquals", NOON, "2026-01-31T12:00:00.001Z", False),
    ("DateEquals", NOON, "noon", False),
    ("DateEquals", ["2025", "2026"], "2026-01-01", True),
    ("DateNotEquals", NOON, "2026-01-31T12:00Z", False),
    ("DateNotEquals", ["2025", "2026"], "2026-01-01", False),
    ("DateNotEquals", NOON, "noon", True),
    ("DateLessThan", NOON, "2026-01-31T11:59:59.999Z", True),
    ("DateLessThan", NOON, NOON, False),
    ("DateLessThan", "2026-01-31T00:00:00Z", "2026-01-31T00:30:00+01:00", True),
    ("DateLessThanEquals", NOON, NOON, True),
    ("DateLessThanEquals", NOON, "2026-02", False),
    ("DateGreaterThan", NOON, "2026-02-01", True),
    ("DateGreaterThan", NOON, NOON, False),
    ("DateGreaterThan", NOON, "", False),
    ("DateGreaterThanEquals", NOON, NOON, True),
    ("DateGreaterThanEquals", NOON, "2025", False),
]

BOOLS_AND_BINARIES: list[Row] = [
    # The reference's table: "false" against false is a match, against true none.
    ("Bool", "false", "false", True),
    ("Bool", "false", "true", False),
    ("Bool", True, "true", True),
    ("Bool", "true", "True", True),
    ("Bool", "true", "1", False),
    ("Bool", "false", "", False),
    # 'byte for byte against a base-64 encoded representation'
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", True),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "ASIAIOSFODNN7EXAMPLE", False),
    ("BinaryEquals", "QmluYXJ5VmFsdWVJbkJhc2U2NA==", "BinaryValueInBase64", False),
    ("BinaryEquals", ["QQ==", "Qg=="], "Qg==", True),
    ("BinaryEquals", "QQ==", "not base64", False),
]

ADDRESSES: list[Row] = [
    ("IpAddress", "203.0.113.0/24", "203.0.113.0", True),
    ("IpAddress", "203.0.113.0/24", "203.0.113.255", True),
    ("IpAddress", "203.0.113.0/24", "203.0.114.0", False),
    ("IpAddress", "203.0.113.7/24", "203.0.113.200", True),  # bits behind the mask are ignored
    ("IpAddress", "203.0.113.7", "203.0.113.7", True),  # without a prefix: /32
    ("IpAddress", "203.0.113.7", "203.0.113.8", False),
    ("IpAddress", "0.0.0.0/0", "203.0.113.7", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5678::1", True),
    ("IpAddress", "2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", False),
    ("IpAddress", "2001:db8::1", "2001:0db8:0:0::0001", True),
    ("IpAddress", "2001:db8::1", "2001:db8::2", False),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),  # one family is not in the other
    ("IpAddress", "::/0", "203.0.113.7", False),
    ("IpAddress", ["0.0.0.0/0", "::/0"], "2001:db8::1", True),
    ("IpAddress", ["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.7", True),
    ("IpAddress", "10.0.0.0/8", "vpc", False),
    ("NotIpAddress", "203.0.113.0/24", "203.0.113.7", False),
    ("NotIpAddress", "203.0.113.0/24", "198.51.100.1", True),
    ("NotIpAddress", ["10.0.0.0/8", "203.0.113.0/24"], "203.0.113.7", False),
    ("NotIpAddress", "0.0.0.0/0", "2001:db8::1", True),
    ("NotIpAddress", "10.0.0.0/8", "vpc", True),
]

QUEUE = "arn:aws:sqs:us-east-1:111122223333:queue"
# 'Each of the six colon-delimited components of the ARN is checked separately.'
ARN_ROWS: list[tuple[Any, str, bool]] = [
    (QUEUE, QUEUE, True),
    (QUEUE, QUEUE.replace("queue", "Queue"), False),
    ("arn:aws:sqs:*:*:*", QUEUE, True),
    ("arn:aws:sqs:us-east-?:111122223333:que*", QUEUE, True),
    ("arn:aws:sqs:us-*:queue", QUEUE, False),
    ("arn:*:*:*:*:*", QUEUE, True),
    ("*:*:*:*:*:*", QUEUE, True),
    ("arn:aws:s3:*:*:b", "arn:aws:s3:::b", True),
    ("arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:role/a/b", True),
    ("arn:aws:iam::111122223333:role/*", "arn:aws:iam::444455556666:role/a", False),
    ("arn:aws:sns:*:*:a*c", "arn:aws:sns:r:1:a:b:c", True),
    # The reference's example: StringLike matches here, ArnLike does not.
    (
        "arn:aws:someservice:*:111122223333:finance/*",
        "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt",
        False,
    ),
    ([QUEUE, "arn:aws:sqs:*:*:other"], QUEUE.replace("queue", "other"), True),
    (["arn:aws:s3:::b", "arn:aws:s3:::c"], QUEUE, False),
    ("arn:aws:sqs:*:*:*", "not an ARN", False),
    ("*", QUEUE, False),  # fewer than six components; see SHORT_ARN_PATTERN
    ("arn:aws:sqs", QUEUE, False),
]
ARNS: list[Row] = [
    (operator, pattern, arn, matches != negated)
    for pattern, arn, matches in ARN_ROWS
    for operator, negated in [
        ("ArnEquals", False),
        ("ArnLike", False),
        ("ArnNotEquals", True),
        ("ArnNotLike", True),
    ]
]

PRESENT = [*STRINGS, *NUMBERS, *DATES, *BOOLS_AND_BINARIES, *ADDRESSES, *ARNS]


def ids(rows: list[Any]) -> list[str]:
    return [" ".join(map(str, row[:-1])).encode("unicode_escape").decode() for row in rows]


@pytest.mark.parametrize(("operator", "wanted", "given", "expected"), PRESENT, ids=ids(PRESENT))
def test_a_value_in_the_request(operator: str, wanted: Any, given: Given, expected: bool) -> None:
    assert holds(operator, wanted, given) is expected


@pytest.mark.parametrize(("operator", "wanted", "given", "expected"), PRESENT, ids=ids(PRESENT))
def test_if_exists_changes_nothing_for_a_key_that_exists(
    operator: str, wanted: Any, given: Given, expected: bool
) -> None:
    """'If the key is present ..., process the key as specified in the policy.'"""
    assert holds(f"{operator}IfExists", wanted, given) is expected


@pytest.mark.parametrize(
    ("operator", "wanted", "given", "expected"),
    [row for row in PRESENT if row[2]],
    ids=ids([row for row in PRESENT if row[2]]),
)
@pytest.mark.parametrize("prefix", ["ForAllValues", "ForAnyValue"])
def test_one_value_is_a_set_of_one(
    prefix: str, operator: str, wanted: Any, given: Given, expected: bool
) -> None:
    assert isinstance(given, str)
    assert holds(f"{prefix}:{operator}", wanted, given) is expected
    assert holds(f"{prefix}:{operator}", wanted, (given,)) is expected
    assert holds(f"{prefix}:{operator}IfExists", wanted, given) is expected


def test_the_example_where_string_and_arn_operators_differ() -> None:
    pattern = "arn:aws:someservice:*:111122223333:finance/*"
    arn = "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt"
    assert holds("StringLike", pattern, arn)
    assert not holds("ArnLike", pattern, arn)


# -- absent keys -------------------------------------------------------------------------------

WANTED = {
    "StringEquals": "a",
    "StringEqualsIgnoreCase": "a",
    "StringLike": "*",
    "NumericEquals": "1",
    "NumericLessThan": "1",
    "NumericLessThanEquals": "1",
    "NumericGreaterThan": "1",
    "NumericGreaterThanEquals": "1",
    "DateEquals": "2026",
    "DateLessThan": "2026",
    "DateLessThanEquals": "2026",
    "DateGreaterThan": "2026",
    "DateGreaterThanEquals": "2026",
    "Bool": "false",
    "BinaryEquals": "QQ==",
    "IpAddress": "0.0.0.0/0",
    "ArnEquals": "arn:aws:s3:::*",
    "ArnLike": "arn:aws:s3:::*",
}
NEGATED_WANTED = {
    "StringNotEquals": "a",
    "StringNotEqualsIgnoreCase": "a",
    "StringNotLike": "*",
    "NumericNotEquals": "1",
    "DateNotEquals": "2026",
    "NotIpAddress": "0.0.0.0/0",
    "ArnNotEquals": "arn:aws:s3:::*",
    "ArnNotLike": "arn:aws:s3:::*",
}
EVERY_OPERATOR = [*WANTED.items(), *NEGATED_WANTED.items()]
NAMES = [name for name, _ in EVERY_OPERATOR]


@pytest.mark.parametrize(("operator", "wanted"), EVERY_OPERATOR, ids=NAMES)
def test_an_absent_key(operator: str, wanted: str) -> None:
    """'the values do not match and the condition is false'; for StringNotLike and its like true."""
    assert holds(operator, wanted, ABSENT) is (operator in NEGATED_WANTED)


@pytest.mark.parametrize(("operator", "wanted"), EVERY_OPERATOR, ids=NAMES)
def test_an_absent_key_with_if_exists(operator: str, wanted: str) -> None:
    """'If the key is not present, evaluate the condition element as true.'"""
    assert holds(f"{operator}IfExists", wanted, ABSENT)
    assert holds(f"ForAllValues:{operator}IfExists", wanted, ABSENT)


@pytest.mark.parametrize(("operator", "wanted"), EVERY_OPERATOR, ids=NAMES)
@pytest.mark.parametrize("given", [ABSENT, ()], ids=["absent", "empty set"])
def test_no_values_under_a_set_prefix(operator: str, wanted: str, given: Given) -> None:
    """ForAllValues 'also returns true if there are no context keys in the request'.

    ForAnyValue: 'For no matching context key or if the key does not exist, ... false'.
    """
    assert holds(f"ForAllValues:{operator}", wanted, given)
    assert not holds(f"ForAnyValue:{operator}", wanted, given)


@pytest.mark.parametrize(("operator", "wanted"), EVERY_OPERATOR, ids=NAMES)
def test_an_empty_value_is_a_null_dataset_for_for_all_values(operator: str, wanted: str) -> None:
    """True, too, 'if the context key value resolves to a null dataset, such as an empty string'."""
    assert holds(f"ForAllValues:{operator}", wanted, "")


# -- sets --------------------------------------------------------------------------------------

SETS: list[Row] = [
    # 'true if every context key value in the request matches a context key value in the policy'
    ("ForAllValues:StringEquals", ["a", "b"], ("a",), True),
    ("ForAllValues:StringEquals", ["a", "b"], ("b", "a", "b"), True),
    ("ForAllValues:StringEquals", ["a", "b"], ("a", "c"), False),
    ("ForAllValues:StringEquals", "a", ("A",), False),
    ("ForAllValues:StringEqualsIgnoreCase", "a", ("a", "A"), True),
    ("ForAllValues:StringLike", ["a*", "b*"], ("a1", "b2"), True),
    ("ForAllValues:StringLike", ["a*", "b*"], ("a1", "c"), False),
    ("ForAllValues:NumericLessThan", "10", ("1", "9.5"), True),
    ("ForAllValues:NumericLessThan", "10", ("1", "10"), False),
    ("ForAllValues:Bool", "true", ("true", "True"), True),
    ("ForAllValues:ArnLike", "arn:aws:s3:::*", ("arn:aws:s3:::a", QUEUE), False),
    ("ForAllValues:IpAddress", "10.0.0.0/8", ("10.0.0.1", "10.9.9.9"), True),
    # 'None of the values of the context key in the request can match any' of the policy
    ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "d"), True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ("c", "a"), False),
    ("ForAllValues:StringNotLike", "a*", ("b", "ab"), False),
    ("ForAllValues:NotIpAddress", "10.0.0.0/8", ("203.0.113.7", "10.0.0.1"), False),
    # 'at least one member of the set of request context key values matches at least one'
    ("ForAnyValue:StringEquals", ["a", "b"], ("c", "b"), True),
    ("ForAnyValue:StringEquals", ["a", "b"], ("c", "d"), False),
    ("ForAnyValue:StringLike", "a*", ("b", "ab"), True),
    ("ForAnyValue:NumericGreaterThan", "10", ("1", "11"), True),
    ("ForAnyValue:DateLessThan", "2026", ("2027", "2025"), True),
    ("ForAnyValue:BinaryEquals", "QQ==", ("Qg==", "QQ=="), True),
    ("ForAnyValue:ArnEquals", "arn:aws:s3:::*", ("arn:aws:s3:::a", QUEUE), True),
    # 'At least one context key value in the request must NOT match any of values'
    ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "c"), True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ("a", "b"), False),
    ("ForAnyValue:StringNotLike", "a*", ("ab", "ac"), False),
    ("ForAnyValue:ArnNotLike", "arn:aws:s3:::*", ("arn:aws:s3:::a", QUEUE), True),
]


@pytest.mark.parametrize(("operator", "wanted", "given", "expected"), SETS, ids=ids(SETS))
@pytest.mark.parametrize("suffix", ["", "IfExists"])
def test_sets(operator: str, suffix: str, wanted: Any, given: Given, expected: bool) -> None:
    assert holds(operator + suffix, wanted, given) is expected


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "b", "a"), ("b", "c", "a", "a")])
def test_a_set_has_no_order(order: tuple[str, ...]) -> None:
    assert not holds("ForAllValues:StringEquals", ["a", "b"], order)
    assert holds("ForAnyValue:StringEquals", ["b", "x"], order)


# -- Null --------------------------------------------------------------------------------------


@pytest.mark.parametrize("null", ["true", "True", True])
@pytest.mark.parametrize("exists", ["false", "FALSE", False])
@pytest.mark.parametrize(
    ("given", "absent"),
    [(ABSENT, True), ("a", False), ("true", False), ("false", False), (("a", "b"), False)],
)
def test_null(null: Any, exists: Any, given: Given, absent: bool) -> None:
    """'true (the key doesn't exist - it is null) or false (the key exists ...)'"""
    assert holds("Null", null, given) is absent
    assert holds("Null", exists, given) is not absent
    assert holds("Null", [null, exists], given)


# -- several operators and keys ----------------------------------------------------------------

BOTH_KEYS = {"StringEquals": {"aws:RequestTag/a": "1", "aws:RequestTag/b": "2"}}
BOTH_OPERATORS = {
    "StringLike": {"aws:RequestTag/a": "1*"},
    "StringNotLike": {"aws:RequestTag/a": "*3", "aws:RequestTag/b": "x"},
}


@pytest.mark.parametrize(
    ("condition", "a", "b", "expected"),
    [
        pytest.param(BOTH_KEYS, "1", "2", True, id="both keys match"),
        pytest.param(BOTH_KEYS, "1", "3", False, id="one key does not"),
        pytest.param(BOTH_KEYS, "1", ABSENT, False, id="one key is absent"),
        pytest.param(BOTH_OPERATORS, "12", "y", True, id="both operators hold"),
        pytest.param(BOTH_OPERATORS, "13", "y", False, id="the second does not"),
        pytest.param(BOTH_OPERATORS, "2", "y", False, id="the first does not"),
        pytest.param(BOTH_OPERATORS, "12", "x", False, id="the second key of the second does not"),
        pytest.param(BOTH_OPERATORS, "12", ABSENT, True, id="absent under a negated operator"),
        pytest.param({}, ABSENT, ABSENT, True, id="an empty block"),
        pytest.param({"StringLike": {}}, ABSENT, ABSENT, True, id="an operator without keys"),
    ],
)
def test_operators_and_keys_are_anded(
    condition: dict[str, Any], a: str | None, b: str | None, expected: bool
) -> None:
    given = {"aws:RequestTag/a": a, "aws:RequestTag/b": b}
    context = {key: value for key, value in given.items() if value is not None}
    assert applies(statement(Condition=condition), request(context)) is expected


@pytest.mark.parametrize(
    ("in_policy", "in_request"),
    [
        ("sagemaker:TargetModel", "SAGEMAKER:targetmodel"),
        ("SageMaker:targetMODEL", "sagemaker:TargetModel"),
        ("AWS:currenttime", "aws:CurrentTime"),
        ("aws:PrincipalTag/Tenant", "aws:principaltag/tenant"),
    ],
)
def test_key_names_have_no_case(in_policy: str, in_request: str) -> None:
    """'aws:CurrentTime is equivalent to AWS:currenttime'."""
    to = request({in_request: "v"})
    assert applies(statement(Condition={"StringEquals": {in_policy: "v"}}), to)
    assert applies(statement(Condition={"Null": {in_policy: "false"}}), to)
