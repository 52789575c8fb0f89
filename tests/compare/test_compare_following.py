"""Keys that follow from others do not contradict them in a witness, nor hide one."""

from __future__ import annotations

from typing import Any

import pytest
from compare_helpers import (
    LEAK,
    PROVED,
    TERMS,
    allowed,
    identity,
    resource,
    statement,
    when,
)

from tenantproof.compare import Side, equivalent, no_new_access
from tenantproof.request import Principal, PrincipalKind

USER = "arn:aws:iam::111122223333:user/team/ann"
FEDERATED = "arn:aws:sts::111122223333:federated-user/ann"
ROLE = "arn:aws:iam::111122223333:role/deploy"

CONTRADICTIONS: list[dict[str, Any]] = [
    {"aws:PrincipalArn": USER, "aws:PrincipalAccount": "444455556666"},
    {"aws:PrincipalArn": USER, "aws:username": "bob"},
    {"aws:PrincipalArn": USER, "aws:username": "team/ann"},
    {"aws:PrincipalArn": ROLE, "aws:username": "deploy"},
    {"aws:PrincipalArn": USER, "aws:PrincipalType": "AssumedRole"},
    {"aws:PrincipalArn": ROLE, "aws:PrincipalType": "User"},
    {"aws:PrincipalArn": USER, "aws:userid": "AROA:session"},
    {"aws:PrincipalArn": ROLE, "aws:userid": "AIDA"},
    {"aws:PrincipalArn": ROLE, "aws:TokenIssueTime": ""},
    {"aws:PrincipalArn": "arn:aws:sts::111122223333:assumed-role/deploy/s"},
    {"aws:PrincipalArn": "no ARN"},
    {"aws:PrincipalArn": FEDERATED, "aws:userid": "111122223333:bob"},
    {"aws:PrincipalArn": FEDERATED, "aws:userid": "444455556666:ann"},
]


@pytest.mark.parametrize("keys", CONTRADICTIONS, ids=str)
def test_what_contradicts_itself_is_no_witness(keys: dict[str, Any]) -> None:
    assert allowed(when(StringEquals=keys)) is None


CONSISTENT: list[dict[str, Any]] = [
    {"aws:PrincipalArn": USER, "aws:PrincipalAccount": "111122223333"},
    {"aws:PrincipalArn": USER, "aws:username": "ann", "aws:PrincipalType": "User"},
    {"aws:PrincipalArn": ROLE, "aws:PrincipalType": "AssumedRole"},
    {"aws:PrincipalArn": USER, "aws:userid": "AIDA"},
    {"aws:PrincipalArn": ROLE, "aws:userid": "AROA:session"},
    {"aws:username": "ann", "aws:PrincipalAccount": "444455556666"},
    {"aws:PrincipalType": "FederatedUser"},
    {"aws:PrincipalArn": FEDERATED, "aws:userid": "111122223333:ann"},
    {"aws:PrincipalAccount": "placeholder"},
]


@pytest.mark.parametrize("keys", CONSISTENT, ids=str)
def test_what_is_consistent_has_a_witness(keys: dict[str, Any]) -> None:
    found = allowed(when(StringEquals=keys))
    assert found is not None
    for key, value in keys.items():
        assert found.new.keys[key.lower()] == value


def test_an_account_is_told_from_the_arn_under_negation() -> None:
    conditions = {
        "StringNotEquals": {"aws:PrincipalAccount": "111122223333"},
        "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:*"},
    }
    assert allowed(when(**conditions)) is None


def test_a_name_condition_is_the_arn_condition() -> None:
    by_name = when(StringEquals={"aws:username": "ann"})
    by_arn = when(
        ArnLike={"aws:PrincipalArn": ["arn:*:iam::*:user/ann", "arn:*:iam::*:user/*/ann"]}
    )
    assert equivalent(by_name, by_arn, TERMS).verdict is PROVED


def test_no_name_is_no_user() -> None:
    without = when(Null={"aws:username": "true"})
    no_user = when(StringNotEquals={"aws:PrincipalType": "User"})
    assert equivalent(without, no_user, TERMS).verdict is PROVED


@pytest.mark.parametrize(
    ("key", "value", "arn", "consistent"),
    [
        ("aws:ResourceAccount", "444455556666", "arn:aws:sqs:us-east-1:111122223333:q", False),
        ("aws:ResourceAccount", "111122223333", "arn:aws:sqs:us-east-1:111122223333:q", True),
        ("aws:ResourceAccount", "444455556666", "arn:aws:s3:::bucket", True),
        ("aws:ResourceAccount", "444455556666", "arn:aws:iam::aws:policy/X", True),
        ("aws:RequestedRegion", "eu-west-1", "arn:aws:sqs:us-east-1:111122223333:q", False),
        ("aws:RequestedRegion", "us-east-1", "arn:aws:sqs:us-east-1:111122223333:q", True),
        ("aws:RequestedRegion", "eu-west-1", "arn:aws:s3:::bucket", True),
        ("aws:RequestedRegion", "eu-west-1", "arn:aws:iam::111122223333:user/x", True),
    ],
)
def test_the_resource_decides_its_account_and_region(
    key: str, value: str, arn: str, consistent: bool
) -> None:
    found = allowed(
        identity(statement(Action="*", Resource=arn, Condition={"StringEquals": {key: value}}))
    )
    assert (found is not None) == consistent
    if found is not None:
        assert found.new.keys[key.lower()] == value


def test_the_resource_account_can_be_absent() -> None:
    condition = {"Null": {"aws:ResourceAccount": "true"}}
    arn = "arn:aws:sqs:us-east-1:111122223333:q"
    assert allowed(identity(statement(Resource=arn, Condition=condition))) is not None


def test_both_clocks_show_one_time() -> None:
    before = {"DateLessThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}
    after = {"DateGreaterThan": {"aws:EpochTime": "2026-01-01T00:00:00Z"}}
    late = {"NumericGreaterThanEquals": {"aws:EpochTime": "1767225600"}}
    assert allowed(when(**before, **after)) is None
    assert allowed(when(**before, **late)) is None
    same = {"DateLessThanEquals": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}
    found = allowed(when(**same, **late))
    assert found is not None
    assert found.new.keys["aws:epochtime"] == "1767225600"


def test_one_account_for_two_keys() -> None:
    """A variable of a key that follows, compared with another that does."""
    own = when(StringEquals={"aws:ResourceAccount": "${aws:PrincipalAccount}"})
    found = allowed(own)
    assert found is not None
    assert found.new.keys["aws:resourceaccount"] == found.new.keys["aws:principalaccount"]
    fixed = identity(
        statement(
            Resource="arn:aws:sqs:us-east-1:111122223333:*",
            Condition={
                "StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"},
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:*"},
            },
        )
    )
    assert allowed(fixed) is None


@pytest.mark.slow
def test_a_name_put_into_a_resource() -> None:
    own_folder = identity(statement(Resource="arn:aws:s3:::home/${aws:username}/*"))
    all_folders = identity(statement(Resource="arn:aws:s3:::home/*/*"))
    assert no_new_access(all_folders, own_folder, TERMS).verdict is PROVED
    answer = no_new_access(own_folder, all_folders, TERMS)
    assert answer.verdict is LEAK
    for_ann = identity(
        statement(
            Resource="arn:aws:s3:::home/${aws:username}/*",
            Condition={"ArnEquals": {"aws:PrincipalArn": USER}},
        )
    )
    annes = identity(statement(Resource="arn:aws:s3:::home/ann/*"))
    assert no_new_access(annes, for_ann, TERMS).verdict is PROVED


def test_tags_are_free_and_of_principals_that_have_them() -> None:
    tagged = statement(
        Principal="*",
        Resource="arn:aws:s3:::bucket/*",
        Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}},
    )
    found = allowed(resource(tagged))
    assert found is not None
    assert found.new.principal.kind is PrincipalKind.AWS
    assert not found.new.principal.arn.endswith(":root")
    assert dict(found.new.principal.tags) == {"team": "red"}


def test_what_a_set_must_be_like_is_not_the_same_for_two_principals() -> None:
    """The tag stands beside a free value under a set prefix: what it says differs with it."""
    policies = when(**{"ForAnyValue:StringLike": {"custom:S": "${custom:Y}${aws:PrincipalTag/t}"}})
    old, new = (Side(policies, Principal(ROLE, {"t": tag})) for tag in "ab")
    assert no_new_access(old, new, TERMS).verdict is LEAK
    assert no_new_access(old, old, TERMS).verdict is PROVED


def test_the_unique_id_of_a_caller_of_a_resource_has_its_form() -> None:
    """The ids of users hold no colon, so that the condition always holds."""
    caller = {"AWS": "arn:aws:iam::111122223333:user/ann"}
    wide = resource(statement(Principal=caller))
    narrow = resource(
        statement(Principal=caller, Condition={"StringNotLike": {"aws:userid": "*:a"}})
    )
    assert no_new_access(narrow, wide, TERMS).verdict is PROVED


NOT_THERE: list[tuple[Any, dict[str, Any]]] = [
    (
        {"Federated": "cognito-identity.amazonaws.com"},
        {"StringEquals": {"aws:PrincipalTag/t": "a"}},
    ),
    ({"AWS": "arn:aws:iam::111122223333:root"}, {"StringEquals": {"aws:PrincipalTag/t": "a"}}),
    ({"AWS": "arn:aws:iam::111122223333:role/deploy"}, {"Null": {"aws:TokenIssueTime": "true"}}),
]


@pytest.mark.parametrize(("caller", "condition"), NOT_THERE, ids=str)
def test_a_proof_is_attacked_with_requests_that_can_be(
    caller: Any, condition: dict[str, Any]
) -> None:
    principal = {"StringEquals": {"aws:PrincipalArn": caller["AWS"]}} if "AWS" in caller else {}
    both = {**principal, **condition}
    if set(principal) & set(condition):
        both = {"StringEquals": {**principal["StringEquals"], **condition["StringEquals"]}}
    granted = resource(statement(Principal=caller, Condition=both))
    answer = no_new_access(resource(), granted, TERMS)
    assert answer.verdict is PROVED
    assert answer.attacked > 0
