"""Mutants: each a policy, none the same, the text edited and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from mutate_helpers import ENDPOINT, made, patched, statement, text, texts

from tenantproof.errors import InputError
from tenantproof.mutate import Kind, mutants
from tenantproof.policy import PolicyKind, parse_policy

some = settings(max_examples=60)


# -- laws ----------------------------------------------------------------------------------------


@some
@given(texts())
def test_every_mutant_is_a_policy_and_none_is_another(policy: str) -> None:
    original = parse_policy(policy)
    found = made(policy)
    read = [parse_policy(m.text, kind=PolicyKind.IDENTITY) for m in found]
    assert all(document != original for document in read)
    assert len(set(read)) == len(read)
    assert [m.document() for m in found] == read


@some
@given(texts())
def test_the_diff_makes_the_mutant(policy: str) -> None:
    for mutant in made(policy):
        assert patched(policy, mutant.diff()) == mutant.text


@some
@given(texts())
def test_the_place_and_the_statement_are_those_of_the_slip(policy: str) -> None:
    original = parse_policy(policy)
    for mutant in made(policy):
        start = sum(len(line) + 1 for line in policy.split("\n")[: mutant.place.line - 1])
        assert policy[start + mutant.place.column - 1] in '"{[tf0123456789-'
        if mutant.statement is not None:
            at = int(mutant.statement.split("[")[1].split("]")[0])
            changed = mutant.document().statements
            assert len(changed) < len(original.statements) or all(
                one == other or one.index == at
                for one, other in zip(original.statements, changed, strict=True)
            )


@some
@given(texts())
def test_kinds_chosen_are_those_of_all(policy: str) -> None:
    all_of_them = [m for m in made(policy) if m.kind is Kind.VALUE_REMOVED]
    assert [m.text for m in made(policy, Kind.VALUE_REMOVED)] == [m.text for m in all_of_them]


# -- one by one ----------------------------------------------------------------------------------


def condition(operator: str, value: Any, key: str = "sagemaker:TargetModel") -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


def deny(**changes: Any) -> dict[str, Any]:
    return statement(**{"Effect": "Deny", "Resource": "*", **changes})


def condition_after(policy: str, kind: Kind) -> list[Any]:
    return [m.document().statements[0].conditions[0] for m in made(policy, kind)]


def values_after(kind: Kind, given: dict[str, Any]) -> set[str]:
    conditions = condition_after(text(given), kind)
    return {",".join(value.text for value in c.values) for c in conditions}


def operators_after(kind: Kind, given: dict[str, Any]) -> set[str]:
    return {c.operator.name for c in condition_after(text(given), kind)}


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (Kind.SLASH_DROPPED, statement(**condition("StringLike", "acme/*")), {"acme*"}),
        (Kind.SLASH_DROPPED, statement(**condition("StringLike", "a/*/b/*")), {"a*/b/*", "a/*/b*"}),
        (
            Kind.SLASH_DROPPED,
            statement(**condition("StringLike", "${aws:PrincipalTag/tenant}/*")),
            {"${aws:PrincipalTag/tenant}*"},
        ),
        (Kind.SLASH_DROPPED, statement(**condition("StringEquals", "acme/*")), set()),
        (Kind.SLASH_DROPPED, deny(**condition("StringNotLike", "acme/*")), {"acme*"}),
        (Kind.SLASH_DROPPED, deny(**condition("StringLike", "acme/*")), set()),
        (
            Kind.WILDCARD_WIDENED,
            statement(**condition("StringLike", "acme/models/*")),
            {"acme/*", "*"},
        ),
        (
            Kind.WILDCARD_WIDENED,
            statement(**condition("StringLike", "acme/m.tar")),
            {"acme/*", "acme/m.tar*", "*"},
        ),
        (
            Kind.WILDCARD_WIDENED,
            statement(**condition("StringLike", "v?")),
            {"v*", "v?*", "*"},
        ),
        (
            Kind.WILDCARD_WIDENED,
            statement(**condition("IpAddress", "10.0.0.0/8", "aws:SourceIp")),
            {"0.0.0.0/0"},
        ),
        (
            Kind.WILDCARD_WIDENED,
            statement(**condition("ArnLike", "arn:aws:iam::111122223333:role/a", "aws:SourceArn")),
            {
                "arn:aws:iam::111122223333:role/*",
                "arn:aws:iam::111122223333:role/a*",
                "arn:aws:iam::*:role/a",
                "arn:*:*:*:*:*",
            },
        ),
        (Kind.CASE_CHANGED, deny(**condition("StringLike", "internal/*")), {"Internal/*"}),
        (Kind.CASE_CHANGED, deny(**condition("StringEqualsIgnoreCase", "internal")), set()),
        (Kind.CASE_CHANGED, statement(**condition("StringLike", "internal/*")), set()),
        (
            Kind.VALUE_REMOVED,
            deny(**condition("StringLike", ["a", "b", "c"])),
            {"b,c", "a,c", "a,b"},
        ),
        (Kind.VALUE_REMOVED, deny(**condition("StringLike", ["a"])), set()),
        (Kind.VALUE_REMOVED, statement(**condition("StringLike", ["a", "b"])), set()),
        (Kind.VALUE_REMOVED, statement(**condition("StringNotLike", ["a", "b"])), {"a", "b"}),
        (Kind.BOOLEAN_FLIPPED, deny(**condition("Bool", False, "aws:SecureTransport")), {"true"}),
        (Kind.BOOLEAN_FLIPPED, deny(**condition("Null", "True", "aws:SourceIp")), {"false"}),
        (
            Kind.VARIABLE_REPLACED,
            statement(**condition("StringLike", "${aws:PrincipalTag/t}/*")),
            {
                "*/*",
                "${aws:username}/*",
                "${aws:RequestTag/t}/*",
                "${aws:ResourceTag/t}/*",
            },
        ),
        (
            Kind.VARIABLE_REPLACED,
            statement(**condition("StringEquals", ["${aws:username}", "${aws:userid, 'x'}"])),
            {
                "${aws:userid},${aws:userid, 'x'}",
                "${aws:username},${aws:username, 'x'}",
            },
        ),
        (
            Kind.VARIABLE_DEFAULT,
            statement(**condition("StringLike", "x-${aws:username}")),
            {"x-${aws:username, '*'}"},
        ),
        (
            Kind.VARIABLE_DEFAULT,
            statement(**condition("StringLike", "${aws:username,  'a b'}${*}")),
            {"${aws:username}${*}"},
        ),
    ],
)
def test_values(kind: Kind, given: dict[str, Any], expected: set[str]) -> None:
    assert values_after(kind, given) == expected


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        (
            Kind.OPERATOR_LOOSENED,
            statement(**condition("StringEquals", "a/*")),
            {"StringLike", "StringEqualsIgnoreCase"},
        ),
        (
            Kind.OPERATOR_LOOSENED,
            statement(**condition("StringEquals", "a")),
            {"StringEqualsIgnoreCase"},
        ),
        (Kind.OPERATOR_LOOSENED, deny(**condition("StringLike", "a/*")), {"StringEquals"}),
        (
            Kind.OPERATOR_LOOSENED,
            deny(**condition("StringNotEquals", "a/*")),
            {"StringNotLike", "StringNotEqualsIgnoreCase"},
        ),
        (Kind.OPERATOR_LOOSENED, statement(**condition("StringLike", "a/*")), set()),
        (
            Kind.OPERATOR_LOOSENED,
            statement(**condition("NumericLessThan", "5", "s3:max-keys")),
            {"NumericLessThanEquals"},
        ),
        (
            Kind.OPERATOR_LOOSENED,
            deny(**condition("DateGreaterThanEquals", "2026-01-01", "aws:CurrentTime")),
            {"DateGreaterThan"},
        ),
        (Kind.IF_EXISTS, statement(**condition("StringLike", "a")), {"StringLikeIfExists"}),
        (Kind.IF_EXISTS, statement(**condition("StringNotLike", "a")), set()),
        (Kind.IF_EXISTS, statement(**condition("ForAllValues:StringLike", "a")), set()),
        (Kind.IF_EXISTS, statement(**condition("Null", "true")), set()),
        (Kind.IF_EXISTS, deny(**condition("StringLike", "a")), set()),
        (Kind.IF_EXISTS, deny(**condition("StringLikeIfExists", "a")), {"StringLike"}),
        (
            Kind.FOR_ALL_VALUES,
            statement(**condition("StringLike", "a")),
            {"ForAllValues:StringLike"},
        ),
        (
            Kind.FOR_ALL_VALUES,
            deny(**condition("ForAnyValue:StringLike", "a", "aws:TagKeys")),
            {"ForAllValues:StringLike"},
        ),
        (Kind.FOR_ALL_VALUES, deny(**condition("StringLike", "a")), set()),
        (
            Kind.NEGATION_DROPPED,
            deny(**condition("ForAnyValue:StringNotEqualsIgnoreCaseIfExists", "a", "aws:TagKeys")),
            {"ForAnyValue:StringEqualsIgnoreCaseIfExists"},
        ),
        (
            Kind.NEGATION_DROPPED,
            deny(**condition("NotIpAddress", "10.0.0.0/8", "aws:SourceIp")),
            {"IpAddress"},
        ),
    ],
)
def test_operators(kind: Kind, given: dict[str, Any], expected: set[str]) -> None:
    assert operators_after(kind, given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            statement(Action="sagemaker:InvokeEndpoint"),
            {"sagemaker:InvokeEndpoint*", "sagemaker:Invoke*", "sagemaker:*", "*"},
        ),
        (statement(Action="sagemaker:Invoke*"), {"sagemaker:*", "*"}),
        (statement(Action="*"), set()),
        (deny(Action="sagemaker:InvokeEndpoint"), set()),
        (deny(Action=None, NotAction="iam:*"), {"*"}),
    ],
)
def test_actions(given: dict[str, Any], expected: set[str]) -> None:
    found = made(text(given), Kind.ACTION_WIDENED)
    assert {m.document().statements[0].action.patterns[0].text for m in found} == expected


def resources_after(kind: Kind, given: str) -> set[str]:
    clauses = [m.document().statements[0].resource for m in made(given, kind)]
    return {clause.patterns[0].text for clause in clauses if clause}


def test_resources() -> None:
    assert resources_after(Kind.RESOURCE_WIDENED, text(statement(Resource=ENDPOINT))) == {
        "arn:aws:sagemaker:us-east-1:111122223333:endpoint/*",
        f"{ENDPOINT}*",
        "arn:aws:sagemaker:*:111122223333:endpoint/models",
        "arn:aws:sagemaker:us-east-1:*:endpoint/models",
        "*",
    }
    bucket = text(statement(Resource="arn:aws:s3:::models/${aws:PrincipalTag/a:b}/*"))
    assert resources_after(Kind.RESOURCE_WIDENED, bucket) == {"arn:aws:s3:::models/*", "*"}
    assert resources_after(Kind.SLASH_DROPPED, bucket) == {
        "arn:aws:s3:::models/${aws:PrincipalTag/a:b}*"
    }
    assert not resources_after(Kind.RESOURCE_WIDENED, text(statement(Resource="*")))


def test_a_deny() -> None:
    policy = text(statement(Resource=ENDPOINT), deny(Action="sagemaker:*", Resource="*"))
    narrowed = [m.document().statements[1] for m in made(policy, Kind.DENY_NARROWED)]
    assert [s.action.patterns[0].text for s in narrowed] == [
        "sagemaker:InvokeEndpoint",
        "sagemaker:*",
    ]
    assert [s.resource.patterns[0].text for s in narrowed if s.resource] == ["*", ENDPOINT]
    (removed,) = made(policy, Kind.DENY_REMOVED)
    assert len(removed.document().statements) == 1
    (flipped,) = made(policy, Kind.EFFECT_FLIPPED)
    assert flipped.document().statements[1].effect.value == "Allow"
    assert not made(text(deny()), Kind.DENY_REMOVED), "a policy without statements is none"


def test_equal_statements_are_removed_once() -> None:
    assert len(made(text(statement(), deny(), deny()), Kind.DENY_REMOVED)) == 1
    assert len(made(text(deny(), statement(), deny()), Kind.DENY_REMOVED)) == 2


def test_conditions_are_removed_one_by_one_and_together() -> None:
    blocks = {
        "StringLike": {"sagemaker:TargetModel": "a", "s3:prefix": "b"},
        "Bool": {"aws:SecureTransport": "true"},
    }
    found = made(text(statement(Condition=blocks)), Kind.CONDITION_REMOVED)
    left = [tuple(c.key for c in m.document().statements[0].conditions) for m in found]
    assert sorted(left) == [
        (),
        ("s3:prefix", "aws:SecureTransport"),
        ("sagemaker:TargetModel", "aws:SecureTransport"),
        ("sagemaker:TargetModel", "s3:prefix"),
    ]
    assert not made(text(deny(Condition=blocks)), Kind.CONDITION_REMOVED)


def test_an_operator_that_is_there_already_makes_no_mutant() -> None:
    key = {"sagemaker:TargetModel": "a"}
    blocks = {"StringLike": key, "StringLikeIfExists": key}
    assert not made(text(statement(Condition=blocks)), Kind.IF_EXISTS)


def test_version() -> None:
    (dropped,) = made(text(statement()), Kind.VERSION_DROPPED)
    assert "Version" not in dropped.text
    assert not made(text(statement(), version="2008-10-17"), Kind.VERSION_DROPPED)
    assert not made(text(statement(), version=None), Kind.VERSION_DROPPED)


# -- the text ------------------------------------------------------------------------------------


def test_the_diff_is_the_slip_and_nothing_else() -> None:
    policy = '{"Version": "2012-10-17",\n "Statement": {\r\n\t"Effect":"Allow" , "Action": "a:b",\n'
    policy += '  "Resource" :["*"],  "Condition":{"StringLike":{"k":["\\u0061/\\*", "b"]}}\n}\n}'
    policy = policy.replace("\\*", "*")
    (mutant, *_) = made(policy, Kind.SLASH_DROPPED)
    assert mutant.diff() == (
        "--- p.json\n+++ p.json\n@@ -1,6 +1,6 @@\n"
        ' {"Version": "2012-10-17",\n  "Statement": {\r\n \t"Effect":"Allow" , "Action": "a:b",\n'
        '-  "Resource" :["*"],  "Condition":{"StringLike":{"k":["\\u0061/*", "b"]}}\n'
        '+  "Resource" :["*"],  "Condition":{"StringLike":{"k":["a*", "b"]}}\n'
        " }\n }\n\\ No newline at end of file\n"
    )


def test_comments_and_trailing_commas_stay() -> None:
    policy = """// a policy, with "quotes" and [brackets
    {"Statement": [
      {"Effect": "Deny", "Action": ["a:b", /* } */ "a:c", // the last
      ], "Resource": "*",},
      {"Effect": "Deny", "Action": "a:d", "Resource": "*"}, // removed with what is before it
    ]}
    """
    with pytest.raises(InputError):
        made(policy)
    found = made(policy, Kind.VALUE_REMOVED, Kind.DENY_REMOVED, lenient=True)
    assert [len(m.document().statements) for m in found] == [1, 2, 2, 1]
    assert all("// a policy" in m.text for m in found)
    assert all(patched(policy, m.diff()) == m.text for m in found)
    assert "/* } */" in found[-1].text


def test_a_byte_order_mark_stays() -> None:
    policy = "\ufeff" + text(statement(Resource=ENDPOINT))
    found = made(policy, lenient=True)
    assert found
    assert all(m.text.startswith("\ufeff{") for m in found)


def test_characters_of_all_kinds() -> None:
    value = 'é"\\\u2028😀\x0b/*'
    policy = json.dumps(statement(**condition("StringLike", value)))
    for written in (
        f'{{"Statement": {policy}}}',
        f'{{"Statement":\n{policy.encode().decode()}\n}}',
    ):
        (mutant,) = made(written, Kind.SLASH_DROPPED)
        (got,) = mutant.document().statements[0].conditions[0].values
        assert got.text == value.replace("/*", "*")


def test_what_is_no_identity_policy_is_refused() -> None:
    for bad in ("", "[]", text(statement(Principal="*")), text(statement(Resource=None))):
        with pytest.raises(InputError):
            mutants(bad)


def test_many_slashes_make_few_mutants() -> None:
    policy = text(statement(**condition("StringLike", "a/" * 5000 + "*")))
    assert len(made(policy, Kind.WILDCARD_WIDENED)) <= 5


@pytest.mark.parametrize(("begins", "widened"), [("arn", True), ("?arn", False), ("*", False)])
def test_all_arns_are_more_than_what_is_an_arn(begins: str, widened: bool) -> None:
    value = f"{begins}:aws:iam::111122223333:role/acme"
    policy = text(statement(Condition={"ArnLike": {"aws:SourceArn": value}}))
    assert any(m.sentence.startswith("all ARNs") for m in made(policy)) is widened
