"""Corners of the routes, each of which was got wrong once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from exports import Names, World
from exports.account import Json, allow, deny, trust
from exports.world import world
from tenantproof.cli import main

NAMES = Names()
ACCOUNT = World(NAMES).account
ME = ACCOUNT.iam("role", NAMES.attacker)
VICTIMS = f"arn:aws:s3:::{NAMES.bucket}/{NAMES.victim}/*"


def verdicts(made: World, folder: Path) -> dict[str, str]:
    """What ``check`` answers of the attacker's principal by route, where it is not PROVED."""
    result = CliRunner().invoke(main, ["check", "--format", "json", str(made.write(folder))])
    answer = json.loads(result.stdout)
    assert answer.get("errors", []) == []
    me = made.principal(NAMES.attacker)
    return {
        f["route"]: f["verdict"]
        for f in answer["findings"]
        if f["question"] == "artifacts" and f["principal"] == me and f["verdict"] != "PROVED"
    }


@pytest.mark.parametrize(
    "statement",
    [
        allow(
            "sagemaker:InvokeEndpoint",
            Condition={"StringNotEquals": {"aws:RequestedRegion": ACCOUNT.region}},
        ),
        allow("s3:GetObject", VICTIMS, Condition={"Null": {"aws:SecureTransport": "true"}}),
        allow("s3:GetObject", VICTIMS, Condition={"Null": {"aws:userid": "true"}}),
        allow(
            "sts:AssumeRole",
            Condition={"StringNotEquals": {"aws:ResourceTag/tenant": ["beta", "gamma"]}},
        ),
    ],
)
def test_a_proof_is_attacked_by_requests_that_can_be_made(statement: Json, tmp_path: Path) -> None:
    """What every request carries, an attack on a proof must not leave out."""
    made = world(NAMES, statement)
    for tenant in (NAMES.victim, NAMES.bystander):
        trusted = made.account.roles[tenant]["AssumeRolePolicyDocument"]["Statement"][0]
        trusted["Principal"]["AWS"] = f"arn:aws:iam::{ACCOUNT.number}:root"
    assert verdicts(made, tmp_path) == {}


def test_what_is_shared_is_nobodys_to_lose(tmp_path: Path) -> None:
    bucket = f"arn:aws:s3:::{NAMES.bucket}"
    common = f"{NAMES.victim}/common/"
    reads = allow("s3:*Object", f"{bucket}/{common}*")
    lists = allow("s3:ListBucket", bucket, Condition={"StringLike": {"s3:prefix": f"{common}*"}})
    made = world(NAMES, reads, lists)
    assert verdicts(made, tmp_path / "owned") == {"object": "LEAK"}
    made.shared = [f"s3://{NAMES.bucket}/{common}*"]
    assert verdicts(made, tmp_path / "shared") == {}
    everything = world(NAMES, allow("s3:GetObject", f"{bucket}/{NAMES.victim}/*"))
    everything.shared = made.shared
    assert verdicts(everything, tmp_path / "beside") == {"object": "LEAK"}


MANY_TAGS = allow(
    "sagemaker:ListEndpoints",
    Condition={"StringEquals": {f"aws:PrincipalTag/{name}": "x" for name in "abcde"}},
)
"""Policies look at more tags than are tried in every choice."""


def only(*names: str) -> Json:
    """A condition under which no other tags are passed."""
    return {"ForAllValues:StringEquals": {"aws:TagKeys": list(names)}}


def with_tagged_sessions(*statements: Json, condition: Json) -> World:
    """A role that reads what its sessions' tags say."""
    both = ["sts:AssumeRole", "sts:TagSession"]
    role = ACCOUNT.iam("role", "reader")
    made = world(NAMES, allow(both, role), *statements)
    reads = allow("s3:GetObject", f"arn:aws:s3:::{NAMES.bucket}/{NAMES.own_tag}/*")
    made.account.role("reader", reads, trust=trust(ME, actions=both, Condition=condition))
    return made


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (only("tenant"), {"assume": "LEAK"}),
        (only("tenant", "e"), {"assume": "LEAK"}),
        (only("a", "b", "e"), {}),
        ({**only("tenant"), "StringEquals": {"aws:RequestTag/tenant": "acme"}}, {}),
        ({"Null": {"aws:TagKeys": "true"}}, {}),
        ({"Null": {"aws:RequestTag/e": "true"}}, {"assume": "LEAK"}),
        # More tags could be passed than are tried in every choice, and just these must be.
        (
            {"Null": {"aws:RequestTag/a": "true", "aws:RequestTag/e": "false"}},
            {"assume": "UNKNOWN"},
        ),
    ],
)
def test_of_many_session_tags_a_few(
    condition: Json, expected: dict[str, str], tmp_path: Path
) -> None:
    made = with_tagged_sessions(MANY_TAGS, condition=condition)
    assert verdicts(made, tmp_path) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [(only("tenant"), {"change": "LEAK"}), (only("a", "e"), {})],
)
def test_of_many_tags_of_its_own_a_few(
    condition: Json, expected: dict[str, str], tmp_path: Path
) -> None:
    # The tenants' tag comes last of those that policies look at.
    made = world(NAMES, MANY_TAGS, allow("iam:TagRole", ME, Condition=condition))
    assert verdicts(made, tmp_path) == expected


def test_names_of_tags_are_written_in_any_case(tmp_path: Path) -> None:
    """What a Deny of ``tenant`` says of ``TENANT`` is nothing, and it is the same tag."""
    stop = {"ForAnyValue:StringEquals": {"aws:TagKeys": ["tenant"]}}
    retag = world(NAMES, allow("iam:TagRole", ME), deny("iam:TagRole", ME, Condition=stop))
    assert verdicts(retag, tmp_path / "retag") == {"change": "LEAK"}
    stops = deny("sts:TagSession", Condition=stop)
    assume = with_tagged_sessions(stops, condition={})
    assert verdicts(assume, tmp_path / "assume") == {"assume": "LEAK"}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:SourceAccount": ACCOUNT.number}}, {"assume": "LEAK"}),
        ({"StringEquals": {"aws:SourceAccount": "999988887777"}}, {}),
        ({"StringEquals": {"aws:RequestTag/tenant": "beta"}}, {}),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "tenant"}}, {}),
    ],
)
def test_a_service_assumes_a_role_for_its_account_and_without_tags(
    condition: Json, expected: dict[str, str], tmp_path: Path
) -> None:
    made = world(NAMES, allow(["lambda:CreateFunction", "iam:PassRole"]))
    service = trust("lambda.amazonaws.com", Condition=condition)
    made.account.role("job", allow("s3:GetObject"), trust=service)
    assert verdicts(made, tmp_path) == expected


BOUND = ACCOUNT.iam("policy", "bound")


def bounded(*bound: Json, statement: Json) -> World:
    """A role that may read everything and change something of itself, within a boundary."""
    made = world(NAMES, allow("s3:*Object"), statement, boundary="bound")
    made.account.managed_policy("bound", *bound)
    return made


@pytest.mark.parametrize(
    ("boundaries", "expected"),
    [
        (BOUND, {}),
        (ACCOUNT.iam("policy", "platform-everything"), {"change": "LEAK"}),
        (ACCOUNT.iam("policy", "narrow"), {}),
        (ACCOUNT.iam("policy", "n*"), {"change": "UNKNOWN"}),
        ("arn:aws:iam::aws:policy/*", {"change": "LEAK"}),
        ("arn:aws:iam::aws:policy/Read*", {"change": "UNKNOWN"}),
    ],
)
def test_a_boundary_is_replaced_by_one_that_the_policies_name(
    boundaries: str, expected: dict[str, str], tmp_path: Path
) -> None:
    put = allow(
        "iam:PutRolePermissionsBoundary",
        ME,
        Condition={"ArnLike": {"iam:PermissionsBoundary": boundaries}},
    )
    made = bounded(allow(["iam:*", "sagemaker:*"]), statement=put)
    made.account.managed_policy("narrow", allow("sagemaker:*"))
    assert verdicts(made, tmp_path) == expected


@pytest.mark.parametrize(
    ("boundary", "expected"), [("bound", {"change": "LEAK"}), ("other", {}), (None, {})]
)
def test_a_change_is_made_of_who_has_the_boundary(
    boundary: str | None, expected: dict[str, str], tmp_path: Path
) -> None:
    """``iam:PermissionsBoundary`` is what the role has, not what the caller wishes."""
    condition = {"StringEquals": {"iam:PermissionsBoundary": BOUND}}
    put = allow("iam:PutRolePolicy", ME, Condition=condition)
    made = world(NAMES, put, boundary=boundary)
    made.account.managed_policy("bound", allow("*")).managed_policy("other", allow("*"))
    assert verdicts(made, tmp_path) == expected


def test_of_many_policies_to_attach_none_is_forgotten(tmp_path: Path) -> None:
    condition = {"ArnNotLike": {"iam:PolicyARN": ["arn:aws:iam::aws:*", "*everything"]}}
    made = world(NAMES, allow("iam:AttachRolePolicy", ME, Condition=condition))
    for number in range(70):
        made.account.managed_policy(
            f"p{number}", allow("s3:GetObject" if number > 68 else "s3:List")
        )
    assert verdicts(made, tmp_path)["change"] != "PROVED"


def test_changes_are_doubted_together(tmp_path: Path) -> None:
    """Of two changes that are needed one is allowed, and of one it is not known."""
    lift = allow("iam:DeleteRolePermissionsBoundary", ME)
    made = world(NAMES, lift, boundary="bound", attached=["gone"])
    made.account.managed_policy("bound", allow(["iam:*", "sagemaker:*"]))
    # What the missing policy allows of S3 the boundary forbids, and it may allow PutRolePolicy.
    made.account.managed_policy("gone", allow("s3:List*"))
    del made.account.policies["gone"]
    assert verdicts(made, tmp_path)["change"] == "UNKNOWN"
