"""The condition keys that a principal brings into every request."""

from __future__ import annotations

import pytest
from evaluate_helpers import ACTION, ENDPOINT, applies, statement

from tenantproof.request import Principal, Request

ACCOUNT = "111122223333"
# 'For IAM roles, the request context returns the ARN of the role'; and the table of principals
# and aws:username, aws:PrincipalType.
PRINCIPALS = [
    (
        f"arn:aws:iam::{ACCOUNT}:user/jane",
        {"aws:username": "jane", "aws:principaltype": "User"},
        None,
    ),
    (
        f"arn:aws:iam::{ACCOUNT}:user/team/a/jane",
        {"aws:username": "jane", "aws:principaltype": "User"},
        None,
    ),
    (f"arn:aws:iam::{ACCOUNT}:role/acme", {"aws:principaltype": "AssumedRole"}, None),
    (f"arn:aws:iam::{ACCOUNT}:role/team/acme", {"aws:principaltype": "AssumedRole"}, None),
    (
        f"arn:aws:sts::{ACCOUNT}:assumed-role/acme/session-1",
        {"aws:principaltype": "AssumedRole"},
        f"arn:aws:iam::{ACCOUNT}:role/acme",
    ),
    (
        f"arn:aws-cn:sts::{ACCOUNT}:assumed-role/acme/s",
        {"aws:principaltype": "AssumedRole"},
        f"arn:aws-cn:iam::{ACCOUNT}:role/acme",
    ),
    (f"arn:aws:sts::{ACCOUNT}:federated-user/jo", {"aws:principaltype": "FederatedUser"}, None),
    (f"arn:aws:iam::{ACCOUNT}:root", {"aws:principaltype": "Account"}, None),
]


@pytest.mark.parametrize(
    ("arn", "keys", "principal_arn"), PRINCIPALS, ids=[row[0] for row in PRINCIPALS]
)
def test_keys_from_the_arn(arn: str, keys: dict[str, str], principal_arn: str | None) -> None:
    assert Principal(arn).keys == {
        "aws:principalarn": principal_arn or arn,
        "aws:principalaccount": ACCOUNT,
        **keys,
    }


def test_a_role_session_has_no_user_name() -> None:
    assert "aws:username" not in Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/acme/jane").keys


def test_tags_and_further_keys() -> None:
    principal = Principal(
        f"arn:aws:iam::{ACCOUNT}:role/acme",
        {"Tenant": "acme"},
        {"aws:PrincipalArn": "arn:aws:iam::1:role/path/acme", "aws:PrincipalOrgPaths": ("a", "b")},
    )
    assert principal.keys["aws:principaltag/tenant"] == "acme"
    assert principal.keys["aws:principalarn"] == "arn:aws:iam::1:role/path/acme"
    assert principal.keys["aws:principalorgpaths"] == ("a", "b")


def test_a_key_of_the_request_goes_before_the_principals() -> None:
    principal = Principal(f"arn:aws:iam::{ACCOUNT}:role/acme", {"tenant": "acme"})
    keys = Request(principal, ACTION, ENDPOINT, {"AWS:PrincipalTag/Tenant": "beta"}).keys
    assert keys["aws:principaltag/tenant"] == "beta"
    assert keys["aws:principalaccount"] == ACCOUNT


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/acme"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/*"}}, False),
        ({"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}, True),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, True),
        ({"StringEquals": {"aws:PrincipalTag/tenant": "acme"}}, True),
        ({"Null": {"aws:username": "true", "aws:PrincipalTag/team": "true"}}, True),
    ],
)
def test_conditions_on_a_role_session(condition: dict[str, object], expected: bool) -> None:
    principal = Principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/acme/s", {"tenant": "acme"})
    to = Request(principal, ACTION, ENDPOINT)
    assert applies(statement(Condition=condition), to) is expected
