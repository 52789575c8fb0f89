"""Corners of the routes, each of which was got wrong once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from replaying import refused

from exports import Names, World
from exports.account import Json, allow, deny, document, grant, multi_model, single_model, trust
from exports.estates import estate
from exports.world import world
from tenantproof.cli import main
from tenantproof.isolation import load_manifest
from tenantproof.isolation.routes.filters import may_allow
from tenantproof.isolation.routes.world import Asking
from tenantproof.isolation.routes.world import World as Accounts
from tenantproof.policy import PolicySet, parse_policy
from tenantproof.prove import Budget
from tenantproof.prove.engines import Ledger
from tenantproof.reading import DOCUMENTED

NAMES = Names()
ACCOUNT = World(NAMES).account
ME = ACCOUNT.iam("role", NAMES.attacker)
VICTIMS = f"arn:aws:s3:::{NAMES.bucket}/{NAMES.victim}/*"


def findings(made: World, folder: Path) -> list[dict[str, Any]]:
    """What ``check`` finds of the attacker's principal, where it is not PROVED."""
    result = CliRunner().invoke(main, ["check", "--format", "json", str(made.write(folder))])
    answer = json.loads(result.stdout)
    assert answer.get("errors", []) == []
    me = made.principal(NAMES.attacker)
    return [
        f
        for f in answer["findings"]
        if f["question"] == "artifacts" and f["principal"] == me and f["verdict"] != "PROVED"
    ]


def leaks(made: World, folder: Path) -> list[list[dict[str, Any]]]:
    """The steps of what leaks."""
    return [f["steps"] for f in findings(made, folder) if f["verdict"] == "LEAK"]


def verdicts(made: World, folder: Path) -> dict[str, str]:
    """What ``check`` answers of the attacker's principal by route, where it is not PROVED."""
    return {f["route"]: f["verdict"] for f in findings(made, folder)}


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


def with_component(*statements: Json) -> World:
    """A neighbour's inference component on an endpoint of its own."""
    made = world(NAMES, *statements)
    model = single_model(f"s3://{NAMES.bucket}/{NAMES.victim}/model.tar.gz")
    made.account.model("large", model, execution_role=f"{NAMES.endpoint}-execution")
    made.account.component_endpoint("parts", f"{NAMES.endpoint}-execution", {"part": "large"})
    return made


ENDPOINT = ACCOUNT.sagemaker("endpoint", "parts")
COMPONENT = ACCOUNT.sagemaker("inference-component", "part")


def test_a_component_is_invoked_without_target_model(tmp_path: Path) -> None:
    condition = {"StringLike": {"sagemaker:TargetModel": "*.tar.gz"}}
    both = allow("sagemaker:InvokeEndpoint", [ENDPOINT, COMPONENT])
    made = with_component(
        allow("sagemaker:InvokeEndpoint", ENDPOINT),
        allow("sagemaker:InvokeEndpoint", COMPONENT, Condition=condition),
    )
    # Whether the component has to be allowed, too, the reference does not say.
    assert verdicts(made, tmp_path / "conditioned") == {"invoke": "UNKNOWN"}
    assert verdicts(with_component(both), tmp_path / "free") == {"invoke": "LEAK"}


def test_a_components_tags_are_not_the_endpoints(tmp_path: Path) -> None:
    condition = {"StringEquals": {"aws:ResourceTag/tenant": "acme"}}
    made = with_component(
        allow("sagemaker:InvokeEndpoint", ENDPOINT),
        allow("sagemaker:InvokeEndpoint", COMPONENT, Condition=condition),
    )
    assert verdicts(made, tmp_path) == {"invoke": "LEAK"}


# Changes to others' walls, and what follows from a change.

ROOT = f"arn:aws:iam::{ACCOUNT.number}:root"
READS_ALL = allow("s3:GetObject", f"arn:aws:s3:::{NAMES.bucket}/*")


def role(name: str) -> str:
    return ACCOUNT.iam("role", name)


def _tool(*statements: Json) -> World:
    """A role that the attacker may become, and that reads nothing."""
    made = world(NAMES, *statements)
    made.account.role("tool", allow("s3:ListAllMyBuckets"), trust=trust(ME))
    return made


def _tool_that_may_change_who_became_it() -> World:
    made = world(NAMES)
    made.account.role("tool", allow("iam:PutRolePolicy", ME), trust=trust(ME))
    return made


def _two_tools() -> World:
    made = _tool()
    puts = allow("iam:PutRolePolicy", role("tool"))
    made.account.role("other-tool", puts, trust=trust(ME))
    return made


def _endpoint_with_a_narrow_role(*statements: Json, **attacker: str) -> World:
    """An endpoint over all artifacts, whose role reads the attacker's alone."""
    made = world(
        NAMES,
        allow("sagemaker:InvokeEndpoint", ACCOUNT.sagemaker("endpoint", "mine")),
        *statements,
        **attacker,
    )
    reads = allow("s3:GetObject", NAMES.keys(NAMES.attacker))
    made.account.role("narrow", reads, trust=trust("sagemaker.amazonaws.com"))
    made.account.model("mine", multi_model(f"s3://{NAMES.bucket}/"), execution_role="narrow")
    made.account.endpoint("mine", "mine")
    return made


def _bucket_opened_to_the_endpoints_role() -> World:
    made = _endpoint_with_a_narrow_role(allow("s3:PutBucketPolicy"), boundary="bound")
    made.account.managed_policy("bound", allow(["sagemaker:*", "s3:PutBucketPolicy"]))
    return made


def _bucket_that_denies(*statements: Json) -> World:
    made = world(NAMES, READS_ALL, *statements)
    stop = deny("s3:GetObject", NAMES.all_keys)
    made.account.bucket(NAMES.bucket, {**stop, "Principal": {"AWS": ME}})
    return made


def _chain_behind_a_trust_policy() -> World:
    made = world(
        NAMES,
        allow("iam:UpdateAssumeRolePolicy", role("middle")),
        allow("sts:AssumeRole", role("middle")),
    )
    hop = allow("sts:AssumeRole", role("reader"))
    made.account.role("middle", hop, trust=trust("ec2.amazonaws.com"))
    made.account.role("reader", READS_ALL, trust=trust(role("middle")))
    return made


def _retagged_to_assume() -> World:
    """The policies compare a tag that no artifact hangs on."""
    condition = {"StringEquals": {"aws:PrincipalTag/team": "platform"}}
    only_team = {"ForAllValues:StringEquals": {"aws:TagKeys": "team"}}
    made = world(
        NAMES,
        allow("iam:TagRole", ME, Condition=only_team),
        allow("sts:AssumeRole", role("reader"), Condition=condition),
    )
    made.account.role("reader", READS_ALL, trust=trust(ROOT))
    return made


def _untagged_to_become_a_neighbour() -> World:
    condition = {"Null": {"aws:PrincipalTag/team": "true"}}
    made = world(
        NAMES,
        allow("iam:UntagRole", ME),
        allow("sts:AssumeRole", role(NAMES.victim), Condition=condition),
        tags={"team": "guests"},
    )
    made.account.roles[NAMES.victim]["AssumeRolePolicyDocument"] = document([trust(ROOT)])
    return made


def _given_rights_to_assume() -> World:
    """The bucket lets nobody in but one role, which trusts the account."""
    made = world(NAMES, allow("iam:PutRolePolicy", ME), allow("sts:AssumeRole", ME))
    made.account.role("reader", READS_ALL, trust=trust(ROOT))
    condition = {"ArnNotEquals": {"aws:PrincipalArn": role("reader")}}
    stop = deny("s3:*", [f"arn:aws:s3:::{NAMES.bucket}", NAMES.all_keys], Condition=condition)
    made.account.bucket(NAMES.bucket, {**stop, "Principal": "*"})
    return made


def _user(*statements: Json, groups: tuple[str, ...] = ()) -> World:
    made = world(NAMES)
    made.account.user("person", *statements, groups=groups)
    return made.act_for(NAMES.attacker, ACCOUNT.iam("user", "person"))


def _group_that_is_changed_and_joined() -> World:
    group = ACCOUNT.iam("group", "staff")
    made = _user(allow(["iam:PutGroupPolicy", "iam:AddUserToGroup"], group))
    made.account.group("staff")
    return made


def _group_that_denies() -> World:
    made = _user(READS_ALL, allow("iam:RemoveUserFromGroup"), groups=("staff",))
    made.account.group("staff", deny("s3:*"))
    return made


def _own_trust_policy() -> World:
    both = ["sts:AssumeRole", "sts:TagSession"]
    return world(NAMES, allow("iam:UpdateAssumeRolePolicy", ME), allow(both, ME))


CHANGES = {
    "a role that it may become": lambda: _tool(allow("iam:PutRolePolicy", role("tool"))),
    "itself, by whom it became": _tool_that_may_change_who_became_it,
    "one it may become, by another": _two_tools,
    "an execution role": lambda: _endpoint_with_a_narrow_role(
        allow("iam:PutRolePolicy", role("narrow"))
    ),
    "the bucket's policy, for an endpoint": _bucket_opened_to_the_endpoints_role,
    "the bucket's policy, away": lambda: _bucket_that_denies(allow("s3:DeleteBucketPolicy")),
    "a trust policy, to go on": _chain_behind_a_trust_policy,
    "its own trust policy": _own_trust_policy,
    "its tag, to assume": _retagged_to_assume,
    "its tag, to be a neighbour": _untagged_to_become_a_neighbour,
    "its policies, to assume": _given_rights_to_assume,
    "a group, then joined": _group_that_is_changed_and_joined,
    "a group, left": _group_that_denies,
}

UNCHANGED = {
    "nothing of a role": _tool,
    "a role nobody becomes": lambda: _tool(allow("iam:PutRolePolicy", role("nobody"))),
    "nothing of an endpoint": _endpoint_with_a_narrow_role,
    "nothing of a bucket": _bucket_that_denies,
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_opens_a_way(name: str, tmp_path: Path) -> None:
    made = CHANGES[name]()
    assert verdicts(made, tmp_path) == {"change": "LEAK"}
    accounts = estate(made.accounts)
    me = made.principal(NAMES.attacker)
    (steps,) = leaks(made, tmp_path / "again")
    assert refused(accounts, me, steps) is None


@pytest.mark.parametrize("name", UNCHANGED)
def test_no_change_opens_no_way(name: str, tmp_path: Path) -> None:
    assert verdicts(UNCHANGED[name](), tmp_path) == {}


def test_a_bucket_may_name_a_session_of_a_tenants_role(tmp_path: Path) -> None:
    """A tenant's role may be assumed by whatever name of a session."""
    made = world(NAMES)
    named = ACCOUNT.session(NAMES.attacker, "special")
    made.account.bucket(NAMES.bucket, grant(named, "s3:GetObject", VICTIMS))
    assert verdicts(made, tmp_path) == {"object": "LEAK"}


@pytest.mark.parametrize("colons", range(1, 6))
def test_a_short_arn_goes_on_behind_a_variable(colons: int) -> None:
    fields = ["arn", "${aws:PrincipalTag/a}", "s3", "${aws:PrincipalTag/b}", "", "bucket"]
    resource = ":".join(fields[: colons + 1])
    text = json.dumps({"Version": "2012-10-17", "Statement": allow("s3:GetObject", resource)})
    policies = PolicySet((parse_policy(text),))
    assert may_allow(policies, ("s3:GetObject",), ("arn:aws:s3:::bucket",))


def test_who_was_reached_by_one_is_asked_of_the_next(tmp_path: Path) -> None:
    """Two roles read one tenant's artifacts; its principal becomes both, then another's one."""
    made = world(NAMES)
    mine = ACCOUNT.iam("role", NAMES.victim)
    reads = allow("s3:GetObject", NAMES.keys(NAMES.victim))
    made.account.role("a-reader", reads, trust=trust(mine))
    made.account.role("reader", reads, trust=trust(mine, ME))
    order = (NAMES.victim, NAMES.attacker, NAMES.bystander)
    made.principals = {tenant: made.principals[tenant] for tenant in order}
    assert verdicts(made, tmp_path) == {"assume": "LEAK"}


def test_a_roles_own_tag_is_not_passed_on(tmp_path: Path) -> None:
    made = world(
        NAMES,
        allow("iam:TagRole", ME, Condition=only("team")),
        allow("sts:AssumeRole", role("reader")),
    )
    reads = allow("s3:GetObject", f"arn:aws:s3:::{NAMES.bucket}/${{aws:PrincipalTag/team}}/*")
    made.account.role("reader", reads, trust=trust(ME))
    assert verdicts(made, tmp_path) == {}


@pytest.mark.parametrize("action", ["CreateAccessKey", "CreateLoginProfile", "UpdateLoginProfile"])
def test_new_credentials_of_a_user(action: str, tmp_path: Path) -> None:
    user = ACCOUNT.iam("user", "administrator")
    made = world(NAMES, allow(f"iam:{action}", user))
    made.account.user("administrator", allow("*"))
    assert verdicts(made, tmp_path)["assume"] == "LEAK"


def served_anew(*statements: Json) -> World:
    """Invoking is walled on the endpoints that are there, and not on those of the attacker."""
    own = [
        allow("sagemaker:InvokeEndpoint", ACCOUNT.sagemaker("endpoint", f"{NAMES.attacker}-*")),
        *statements,
    ]
    return world(NAMES, *own)


OWN_CONFIG = ACCOUNT.sagemaker("endpoint-config", f"{NAMES.attacker}-*")
ANY_CONFIG = ACCOUNT.sagemaker("endpoint-config", "*")
OWN_ENDPOINT = ACCOUNT.sagemaker("endpoint", f"{NAMES.attacker}-*")


@pytest.mark.parametrize(
    "statements",
    [
        [
            allow("sagemaker:CreateEndpointConfig", OWN_CONFIG),
            allow("sagemaker:CreateEndpoint", [OWN_ENDPOINT, OWN_CONFIG]),
        ],
        [
            allow(
                "sagemaker:CreateEndpoint",
                [OWN_ENDPOINT, ACCOUNT.sagemaker("endpoint-config", "*")],
            )
        ],
    ],
    ids=["a new configuration", "one that is there"],
)
def test_a_model_that_is_there_is_served_by_an_endpoint_of_ones_own(
    statements: list[Json], tmp_path: Path
) -> None:
    """No role is passed: the model has one."""
    (steps,) = leaks(served_anew(*statements), tmp_path)
    actions = [step["action"] for step in steps]
    assert actions[-3:] == ["sagemaker:CreateEndpoint", "sagemaker:InvokeEndpoint", "s3:GetObject"]
    assert "sagemaker:CreateModel" not in actions


def test_an_endpoint_that_cannot_be_invoked_serves_nobody(tmp_path: Path) -> None:
    made = world(
        NAMES,
        allow("sagemaker:CreateEndpointConfig", OWN_CONFIG),
        allow("sagemaker:CreateEndpoint", [OWN_ENDPOINT, OWN_CONFIG]),
    )
    assert verdicts(made, tmp_path) == {}


def test_a_doubt_of_one_question_is_no_dead_end_of_the_next() -> None:
    """What is kept for others is found out as if nothing had been doubted before."""
    manifest = load_manifest(Path(__file__).parents[2] / "examples" / "account")
    asking = Asking(Accounts(manifest), manifest.tenants[0], DOCUMENTED, Budget(), Ledger())
    asking.doubted = True
    with asking.apart():
        assert not asking.doubted
    assert asking.doubted
