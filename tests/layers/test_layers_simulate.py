"""``simulate`` takes every layer, decides as the reference says, and names the layer."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layers_cases import case
from layers_reference import Case

from tenantproof.simulate import decide_line

USER = "arn:aws:iam::111122223333:user/ann"
BUCKET = "arn:aws:s3:::models/acme/v1"


def answer(drawn: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decide_line(json.dumps(drawn).encode(), "cases.jsonl", 1))
    return found


@settings(max_examples=300)
@given(st.randoms(use_true_random=False))
def test_it_decides_as_the_reference_says(random: Random) -> None:
    drawn = case(random)
    assert answer(drawn)["decision"] == Case(drawn).decide()


def policy(**changes: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", **changes}
    written = {name: value for name, value in statement.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [written]}


def line(**fields: Any) -> dict[str, Any]:
    request = {"principal": {"arn": USER}, "action": "s3:GetObject", "resource": BUCKET}
    return {"id": 1, "request": request, "identity_policies": [], **fields}


def test_it_names_the_layers() -> None:
    everyone = policy(Principal="*")
    found = answer(
        line(
            identity_policies=[policy()],
            permissions_boundary=policy(),
            session_policy=policy(),
            service_control_policies=[[policy()]],
            resource_control_policies=[[everyone], [everyone]],
            resource_policy=everyone,
        )
    )
    assert [each["layer"] for each in found["matched"]] == [
        "resource_control_policies[0]",
        "resource_control_policies[1]",
        "resource_policy",
        "service_control_policies[0]",
        "permissions_boundary",
        "session_policy",
        "identity_policies",
    ]


def test_a_trust_policy_has_no_resource() -> None:
    trust = policy(Action="sts:AssumeRole", Resource=None, Principal={"AWS": USER})
    request = {
        "principal": {"arn": USER},
        "action": "sts:AssumeRole",
        "resource": "arn:aws:iam::111122223333:role/app",
    }
    assert answer(line(request=request, resource_policy=trust))["decision"] == "Allowed"


def test_null_is_no_policy() -> None:
    nothing = dict.fromkeys(
        (
            "permissions_boundary",
            "session_policy",
            "service_control_policies",
            "resource_control_policies",
            "resource_policy",
        )
    )
    assert answer(line(identity_policies=[policy()], **nothing))["decision"] == "Allowed"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"resource_policy": policy()},
            "cases.jsonl:1:{column}: $.resource_policy.Statement[0] (Statement[0]): found neither"
            " Principal nor NotPrincipal, expected one in a resource policy",
        ),
        (
            {"session_policy": policy(Principal="*")},
            "found Principal, expected none in an identity policy",
        ),
        (
            {"resource_control_policies": [[policy(Principal={"AWS": USER})]]},
            'found Principal, expected Principal "*" in a resource control policy',
        ),
        (
            {"resource_control_policies": [[policy(Principal="*", Resource=None)]]},
            "found neither Resource nor NotResource, expected one of them in a resource control",
        ),
        ({"resource_control_policies": [policy()]}, "expected a list"),
        ({"session_policy": [policy()]}, "expected a policy document"),
    ],
)
def test_what_is_wrong_has_its_place(fields: dict[str, Any], message: str) -> None:
    error = answer(line(**fields))["error"]
    first, _, rest = message.partition("{column}")
    assert error.startswith("cases.jsonl:1:")
    assert (rest or first) in error
