"""Each format is read into the same estate, and what it lacks is told."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from account_exports import (
    ACCOUNT,
    SAGEMAKER,
    Json,
    allow,
    attached,
    endpoint,
    export,
    group,
    invoke,
    load,
    managed,
    model,
    policy,
    role,
    shared_endpoint,
    single,
    trust,
    url_encoded,
    user,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.account import Estate, Gap, Identity
from tenantproof.errors import InputError
from tenantproof.policy import PolicyDocument, files_read, parse_policy, reading_instead
from tenantproof.policy.yaml_reader import read_yaml
from tenantproof.sources import load_sources
from tenantproof.sources.authorization_details import KNOWN
from tenantproof.sources.sagemaker import DESCRIBED, OF_ALL, OF_COMPONENT, OF_CONTAINER

WHOLE = export(
    role("acme", invoke("acme/*"), tag={"tenant": "acme"}, AttachedManagedPolicies=attached("p")),
    role("bounded", PermissionsBoundary={"PermissionsBoundaryArn": attached("q")[0]["PolicyArn"]}),
    users=[user("jo", allow("s3:*"), GroupList=["Ops"], AttachedManagedPolicies=attached("p"))],
    groups=[group("ops", allow("iam:*"), AttachedManagedPolicies=attached("p", "q"))],
    policies=[managed("p", allow("ec2:*")), managed("q", allow("ecs:*"))],
)


def identity(estate: Estate, name: str) -> Identity:
    (found,) = (each for each in estate.identities if each.name == name)
    return found


def actions(documents: Any) -> list[str]:
    return [s.action.patterns[0].text for d in documents for s in d.statements if not s.unknown]


def is_unknown(document: PolicyDocument | None) -> bool:
    assert document is not None
    return all(statement.unknown for statement in document.statements)


def mattering(estate: Estate) -> list[Gap]:
    return [gap for gap in estate.gaps if gap.matters]


def told(estate: Estate) -> str:
    return "\n".join(gap.message for gap in estate.gaps)


def problems(folder: Path, **files: Any) -> str:
    with pytest.raises(InputError) as refused:
        load(folder, **files)
    return str(refused.value)


# -- account exports ---------------------------------------------------------------------------


def test_an_export_is_linked(tmp_path: Path) -> None:
    estate = load(tmp_path, iam=WHOLE)
    assert not estate.gaps
    acme, jo = identity(estate, "acme"), identity(estate, "jo")
    assert actions(acme.policies) == ["sagemaker:InvokeEndpoint", "ec2:*"]
    assert acme.tags == {"tenant": "acme"}
    assert acme.managed_policies == (f"arn:aws:iam::{ACCOUNT}:policy/p",)
    assert acme.trust_policy is not None
    # A managed policy that its group has, too, counts once.
    assert actions(jo.policies) == ["s3:*", "iam:*", "ec2:*", "ecs:*"]
    assert jo.groups == (f"arn:aws:iam::{ACCOUNT}:group/ops",)
    assert jo.trust_policy is None
    bounded = identity(estate, "bounded")
    assert actions([bounded.permissions_boundary]) == ["ecs:*"]
    assert bounded.managed_policies == (f"arn:aws:iam::{ACCOUNT}:policy/q",)
    assert actions(estate.groups[0].policies) == ["iam:*", "ec2:*", "ecs:*"]
    assert [policy.arn.rpartition("/")[2] for policy in estate.managed_policies] == ["p", "q"]


def test_documents_may_be_url_encoded_or_texts(tmp_path: Path) -> None:
    plain = load(tmp_path / "plain", iam=WHOLE)
    encoded = load(tmp_path / "encoded", iam=url_encoded(WHOLE))
    assert encoded.identities == plain.identities
    assert encoded.managed_policies == plain.managed_policies
    as_text = json.loads(json.dumps(WHOLE))
    inline = as_text["RoleDetailList"][0]["RolePolicyList"][0]
    inline["PolicyDocument"] = json.dumps(inline["PolicyDocument"])
    assert load(tmp_path / "text", iam=as_text).identities == plain.identities


def test_a_document_in_a_text_has_places_in_the_file(tmp_path: Path) -> None:
    estate = load(tmp_path, iam=url_encoded(WHOLE))
    place = identity(estate, "acme").policies[0].statements[0].conditions[0].values[0].place
    text = (tmp_path / "iam.json").read_text("utf-8").splitlines()
    assert text[place.line - 1][place.column - 1 :].startswith('"%7B%22Version')
    assert place.path == (
        "$.RoleDetailList[0].RolePolicyList[0].PolicyDocument.Statement[0].Condition.StringLike"
        '["sagemaker:TargetModel"][0]'
    )


def pages(whole: Json, cuts: list[tuple[int, int, int, int]]) -> list[Json]:
    """An export cut into pages; all but the last say that there are more."""
    names = list(whole)
    bounds = [tuple(0 for _ in names), *sorted(cuts), tuple(len(whole[n]) for n in names)]
    bounds = [
        tuple(max(b[i] for b in bounds[: n + 1]) for i in range(4)) for n in range(len(bounds))
    ]
    made = []
    for number, (start, end) in enumerate(pairwise(bounds)):
        more = number < len(bounds) - 2
        lists = {n: whole[n][start[i] : end[i]] for i, n in enumerate(names)}
        paging = {"IsTruncated": True, "Marker": f"m{number}"} if more else {"IsTruncated": False}
        made.append({**lists, **paging})
    return made


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 4), max_size=3), st.booleans(), st.randoms())
@settings(max_examples=40, deadline=None)
def test_pages_cut_anywhere_are_one_export(
    tmp_path_factory: pytest.TempPathFactory,
    cuts: list[tuple[int, int, int, int]],
    in_one_list: bool,
    random: Any,
) -> None:
    cuts = [tuple(min(n, len(WHOLE[k])) for n, k in zip(c, WHOLE, strict=True)) for c in cuts]  # type: ignore[misc]
    made = pages(WHOLE, cuts)
    folder = tmp_path_factory.mktemp("pages")
    random.shuffle(made)
    files = {"all": made} if in_one_list else {f"page{n}": page for n, page in enumerate(made)}
    estate, whole = load(folder, **files), load(folder / "whole", iam=WHOLE)
    assert not mattering(estate)
    by_arn = {each.arn: each for each in estate.identities}
    assert by_arn == {each.arn: each for each in whole.identities}
    assert {g.arn: g for g in estate.groups} == {g.arn: g for g in whole.groups}
    assert {p.arn: p for p in estate.managed_policies} == {p.arn: p for p in whole.managed_policies}


@pytest.mark.parametrize("cut", [{"IsTruncated": True}, {"Marker": "m"}, {"NextToken": "t"}])
def test_an_export_that_is_cut_off_says_what_may_be_missing(tmp_path: Path, cut: Json) -> None:
    (gap,) = mattering(load(tmp_path, iam={**WHOLE, **cut}))
    assert "cut off" in gap.message
    assert not gap.has_stand_in


def test_an_export_without_roles_may_lack_some(tmp_path: Path) -> None:
    (gap,) = mattering(load(tmp_path, iam={"UserDetailList": [user("jo")]}))
    assert gap.message == "the export has no RoleDetailList"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (role("r", AttachedManagedPolicies=attached("p")), f"arn:aws:iam::{ACCOUNT}:policy/p"),
        (
            role(
                "r",
                AttachedManagedPolicies=[
                    {"PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
                ],
            ),
            "arn:aws:iam::aws:policy/AdministratorAccess",
        ),
        (role("r", NewPolicyList=[]), "the field NewPolicyList"),
    ],
)
def test_what_an_export_names_and_lacks_is_stood_in_for(
    tmp_path: Path, record: Json, reason: str
) -> None:
    estate = load(tmp_path, iam=export(record))
    (gap,) = mattering(estate)
    assert gap.has_stand_in
    assert reason in gap.message
    assert is_unknown(identity(estate, "r").policies[-1])


def test_a_boundary_or_a_trust_policy_or_a_group_that_is_absent(tmp_path: Path) -> None:
    bounded = role(
        "r", PermissionsBoundary={"PermissionsBoundaryArn": attached("p")[0]["PolicyArn"]}
    )
    del bounded["AssumeRolePolicyDocument"]
    estate = load(tmp_path, iam=export(bounded, users=[user("jo", GroupList=["ops"])]))
    assert is_unknown(identity(estate, "r").permissions_boundary)
    assert is_unknown(identity(estate, "r").trust_policy)
    assert is_unknown(identity(estate, "jo").policies[0])
    assert len(mattering(estate)) == 3


def test_a_default_version_that_is_absent(tmp_path: Path) -> None:
    holder = role("r", AttachedManagedPolicies=attached("p"))
    record = managed("p", allow("s3:*"), DefaultVersionId="v7")
    record["PolicyVersionList"][0]["IsDefaultVersion"] = False
    estate = load(tmp_path, iam=export(holder, policies=[record]))
    (gap,) = mattering(estate)
    assert gap.message == (
        f"the default version v7 of the policy arn:aws:iam::{ACCOUNT}:policy/p is not in the export"
    )
    assert is_unknown(identity(estate, "r").policies[0])


def test_other_versions_are_kept(tmp_path: Path) -> None:
    old = {"Document": policy(allow("*")), "VersionId": "v0", "IsDefaultVersion": False}
    record = managed("p", allow("s3:*"))
    record["PolicyVersionList"].insert(0, old)
    (found,) = load(tmp_path, iam=export(policies=[record])).managed_policies
    assert actions([found.document]) == ["s3:*"]
    assert actions(found.other_versions.values()) == ["*"]


def test_a_document_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bad = role("acme", {"Effect": "Permit", "Action": "s3:*", "Resource": "*"})
    found = problems(tmp_path, iam=export(bad, role("other", allow("s3")), role("third")))
    assert f"in the inline policy own of arn:aws:iam::{ACCOUNT}:role/acme: found" in found
    assert f"in the inline policy own of arn:aws:iam::{ACCOUNT}:role/other: found" in found
    assert "$.RoleDetailList[0].RolePolicyList[0].PolicyDocument.Statement[0].Effect" in found


def test_the_same_role_twice(tmp_path: Path) -> None:
    one, again = (
        role("acme", invoke("acme/*")),
        role("acme", invoke("acme/*"), RoleLastUsed={"x": 1}),
    )
    assert len(load(tmp_path / "same", a=export(one), b=export(again)).identities) == 1
    other = role("acme", invoke("*"))
    assert "a second time, and it differs" in problems(tmp_path, a=export(one), b=export(other))


def test_what_does_not_matter_is_counted(tmp_path: Path) -> None:
    records = [role(f"r{n}", InstanceProfileList=[{"Arn": "x"}], NewThing=1) for n in range(3)]
    estate = load(tmp_path, iam=export(*records))
    assert not mattering(estate)
    assert "instance profiles: 3 left out" in told(estate)
    assert "the field NewThing of a role, which is not known: 3 left out" in told(estate)


# -- SageMaker ---------------------------------------------------------------------------------


def test_descriptions_in_a_file_each(tmp_path: Path) -> None:
    found = endpoint()
    estate = load(
        tmp_path,
        one=found["endpoints"][0],
        two=found["endpoint_configs"][0],
        three=model(),
    )
    together = load(tmp_path / "together", sm=shared_endpoint())
    assert estate.endpoints == together.endpoints
    assert estate.models == together.models
    assert not estate.gaps
    (hosted,) = estate.endpoints
    (served,) = hosted.models
    assert served.containers[0].multi_model
    assert served.execution_role == f"arn:aws:iam::{ACCOUNT}:role/models-execution"


def test_containers(tmp_path: Path) -> None:
    s3 = {"S3DataSource": {"S3Uri": "s3://bucket/b/", "S3DataType": "S3Prefix"}}
    containers = [
        {"ContainerHostname": "first", "ModelDataUrl": "s3://bucket/a.tar.gz"},
        {"ContainerHostname": "second", "ModelDataSource": s3},
        {"ContainerHostname": "third", "ModelPackageName": "arn:package"},
        {"ContainerHostname": "fourth", "Image": "x"},
    ]
    several = model(
        Containers=containers, PrimaryContainer=None, InferenceExecutionConfig={"Mode": "Direct"}
    )
    estate = load(tmp_path, m=several)
    (read,) = estate.models
    assert read.direct
    first, second, third, fourth = read.containers
    assert (first.model_data, first.is_prefix, first.hostname) == (
        "s3://bucket/a.tar.gz",
        False,
        "first",
    )
    assert (second.model_data, second.is_prefix) == ("s3://bucket/b/", True)
    assert third.unknown is not None
    assert (fourth.model_data, fourth.unknown) == (None, None)
    (gap,) = mattering(estate)
    assert "model package arn:package" in gap.message
    assert gap.has_stand_in


def test_every_field_of_the_services_is_known() -> None:
    """An output without surprises leaves no gaps behind."""
    session = botocore.session.get_session()
    iam, sagemaker = (session.get_service_model(name) for name in ("iam", "sagemaker"))
    shapes = {"user": "UserDetail", "group": "GroupDetail", "role": "RoleDetail"}
    for kind, shape in (*shapes.items(), ("policy", "ManagedPolicyDetail")):
        assert iam.shape_for(shape).members.keys() <= KNOWN[kind]
    for described, names in DESCRIBED.items():
        fields = sagemaker.operation_model(f"Describe{described.value}").output_shape.members
        own = {f"{described.value}Name", f"{described.value}Arn"}
        assert fields.keys() <= names | OF_ALL | own
    container = sagemaker.shape_for("ContainerDefinition").members
    assert container.keys() <= OF_CONTAINER
    component = sagemaker.shape_for("InferenceComponentSpecificationSummary").members
    assert component.keys() <= OF_COMPONENT


def test_models_of_instance_pools_and_lists_of_artifacts(tmp_path: Path) -> None:
    found = endpoint()
    variant = found["endpoint_configs"][0]["ProductionVariants"][0]
    variant["InstancePools"] = [{"ModelNameOverride": "other"}]
    listed = {"S3DataSource": {"S3Uri": "s3://bucket/x/", "ManifestS3Uri": "s3://bucket/list"}}
    models = [model(), model("other", PrimaryContainer={"ModelDataSource": listed})]
    (hosted,) = load(tmp_path, sm=found, m=models).endpoints
    assert [each.name for each in hosted.models] == ["mme", "other"]
    containers = list(hosted.models)[1].containers
    assert [c.unknown is not None for c in containers] == [True, False]


def test_what_an_endpoint_names_and_nothing_describes(tmp_path: Path) -> None:
    found = endpoint()
    without_model = load(tmp_path / "a", sm=found)
    (container,) = next(iter(without_model.endpoints[0].models)).containers
    assert container.unknown is not None
    assert "the model mme is not in the sources" in told(without_model)
    without_config = load(tmp_path / "b", sm=found["endpoints"][0])
    (container,) = next(iter(without_config.endpoints[0].models)).containers
    assert container.unknown is not None
    assert "the configuration models-config of the endpoint models" in told(without_config)


def test_lists_hold_no_details(tmp_path: Path) -> None:
    listed = {
        "Endpoints": [{"EndpointName": "models", "EndpointArn": f"{SAGEMAKER}:endpoint/models"}]
    }
    estate = load(tmp_path / "a", listed=listed)
    assert "the endpoint models is listed without its configuration" in told(estate)
    assert len(estate.endpoints) == 1
    # Beside descriptions a list says nothing new.
    both = load(tmp_path / "b", listed=listed, sm=shared_endpoint())
    assert not both.gaps
    assert both.endpoints == load(tmp_path / "c", sm=shared_endpoint()).endpoints


def test_a_list_that_goes_on_is_cut_off(tmp_path: Path) -> None:
    estate = load(tmp_path, sm=shared_endpoint(), more={"Models": [model()], "NextToken": "x"})
    assert any(gap.matters for gap in estate.gaps if "NextToken" in gap.message)


def test_inference_components(tmp_path: Path) -> None:
    found = endpoint("ic", None)
    found["endpoint_configs"][0]["ExecutionRoleArn"] = f"arn:aws:iam::{ACCOUNT}:role/ic"

    def component(name: str, specification: Json) -> Json:
        return {
            "InferenceComponentName": name,
            "InferenceComponentArn": f"{SAGEMAKER}:inference-component/{name}",
            "EndpointName": "ic",
            "EndpointArn": f"{SAGEMAKER}:endpoint/ic",
            "VariantName": "all",
            "Specification": specification,
        }

    components = [
        component("a", {"ModelName": "m"}),
        component("b", {"Container": {"ArtifactUrl": "s3://bucket/b.tar.gz"}}),
        component("c", {"NewSource": {}}),
    ]
    models = [single("m", "s3://bucket/m.tar.gz")]
    (hosted,) = load(tmp_path / "a", sm=found, c=components, m=models).endpoints
    assert [variant.model for variant in hosted.variants] == [None]
    named, own, unknown = (component.model for component in hosted.components)
    assert named.containers[0].model_data == "s3://bucket/m.tar.gz"
    assert own.containers[0].model_data == "s3://bucket/b.tar.gz"
    assert own.execution_role == f"arn:aws:iam::{ACCOUNT}:role/ic"
    assert unknown.containers[0].unknown is not None
    without = load(tmp_path / "b", sm=found)
    assert "serves inference components, which are not in the sources" in told(without)
    (variant,) = without.endpoints[0].variants
    assert variant.model is not None


def test_asynchronous_endpoints(tmp_path: Path) -> None:
    found = {**endpoint(), "models": [model()]}
    found["endpoint_configs"][0]["AsyncInferenceConfig"] = {"OutputConfig": {}}
    assert load(tmp_path, sm=found).endpoints[0].asynchronous


# -- policies by themselves --------------------------------------------------------------------


BUCKET_POLICY = policy(
    {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::ml-data/*"}
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ml__data", {"Policy": json.dumps(BUCKET_POLICY)}),
        ("any", {"Bucket": "ml-data", "Policy": json.dumps(BUCKET_POLICY)}),
        ("any", {"Bucket": "ml-data", "Policy": BUCKET_POLICY}),
        ("any", {"buckets": {"ml-data": {"Policy": json.dumps(BUCKET_POLICY)}}}),
        ("any", {"BucketPolicies": {"ml-data": json.dumps(BUCKET_POLICY)}}),
        ("any", {"BucketPolicies": {"ml-data": BUCKET_POLICY, "empty": None}}),
        ("any", {"BucketPolicies": [{"BucketName": "ml-data", "PolicyDocument": BUCKET_POLICY}]}),
        ("any", {"BucketPolicies": [{"Name": "ml-data", "Policy": BUCKET_POLICY}]}),
        ("any", BUCKET_POLICY),
        ("any", json.dumps(BUCKET_POLICY)),
    ],
)
def test_bucket_policies(tmp_path: Path, name: str, content: Json) -> None:
    (bucket,) = load(tmp_path, **{name: content}).buckets
    assert bucket.name == "ml-data"
    assert bucket.policy == parse_policy(json.dumps(BUCKET_POLICY))


OF_ANY_BUCKET = [
    policy({**allow("s3:*", resource), "Principal": "*"})
    for resource in ("*", "arn:aws:s3:::*", ["arn:aws:s3:::a-bucket/*", "arn:aws:s3:::b-bucket"])
]


@pytest.mark.parametrize("document", OF_ANY_BUCKET)
def test_a_policy_of_several_buckets_is_that_of_the_one_it_is_named_for(
    tmp_path: Path, document: Json
) -> None:
    estate = load(tmp_path, all={"ml-data": document})
    assert [bucket.name for bucket in estate.buckets] == ["ml-data"]
    assert estate.gaps == ()


@pytest.mark.parametrize("document", OF_ANY_BUCKET)
def test_a_policy_of_who_knows_which_bucket_may_open_a_way(tmp_path: Path, document: Json) -> None:
    (gap,) = load(tmp_path, all={"TheBucket": document}).gaps
    assert gap.matters


def test_policies_of_other_resources_open_no_way(tmp_path: Path) -> None:
    key = policy({**allow("kms:*", f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*"), "Principal": "*"})
    locked = policy({**allow("s3:*"), "Effect": "Deny", "Principal": "*"})
    estate = load(tmp_path, key=key, TRUST=trust(Service="x.amazonaws.com"), LOCKED=locked)
    assert len(estate.gaps) == 3
    assert not any(gap.matters for gap in estate.gaps)


def test_descriptions_beside_the_lists_of_an_export(tmp_path: Path) -> None:
    """One object for all: what is no list of an export is read for itself, or told."""
    shared = shared_endpoint()
    beside = {"Endpoints": shared["endpoints"], "Notes": {"of": ["jo"]}, "BucketPolicies": {}}
    more = {"Configs": shared["endpoint_configs"], "Models": shared["models"]}
    estate = load(tmp_path, all={**WHOLE, **beside, **more})
    assert [endpoint.name for endpoint in estate.endpoints] == ["models"]
    assert len(estate.identities) == 3
    assert [gap.message for gap in estate.gaps] == ["the field Notes of an export is not known"]


def test_what_holds_nothing_leaves_nothing_out(tmp_path: Path) -> None:
    nothing = {"bucket_policies": {}, "policies": [], "models": None, "buckets": {"b": None}}
    assert load(tmp_path, all={"iam": WHOLE, **nothing}).gaps == ()


def test_a_policy_of_an_organization_that_nothing_attaches(tmp_path: Path) -> None:
    summary = {"Id": "p-1", "Name": "deny-all", "Type": "SERVICE_CONTROL_POLICY"}
    content = json.dumps(policy(allow("*")))
    estate = load(tmp_path, scp={"Policy": {"PolicySummary": summary, "Content": content}})
    (gap,) = estate.gaps
    assert "does not say in which accounts it holds" in gap.message
    assert not gap.matters


def test_a_bucket_policy_needs_a_bucket(tmp_path: Path) -> None:
    found = problems(tmp_path, BucketPolicy={"Policy": json.dumps(BUCKET_POLICY)})
    assert 'found "BucketPolicy", expected the name of the policy\'s bucket' in found


def test_policies_of_nobody_are_kept(tmp_path: Path) -> None:
    estate = load(tmp_path, mine=policy(allow("s3:*")), trust=trust(Service="x.amazonaws.com"))
    assert actions(estate.loose_policies) == ["s3:*"]
    assert "the policy trust is a resource's" in told(estate)


def test_organizations(tmp_path: Path) -> None:
    everything = policy(allow("*"))
    of_account = {
        "service_control_policies": [
            [everything],
            [{"Policy": {"Content": json.dumps(everything)}}],
        ],
        "resource_control_policies": [[policy({**allow("*"), "Principal": "*"})]],
    }
    management = {**of_account, "management_account": True}
    estate = load(
        tmp_path, organization={"organization": {ACCOUNT: of_account, "999999999999": management}}
    )
    found = estate.organizations[ACCOUNT]
    assert [len(level) for level in found.service_control_policies] == [1, 1]
    assert len(found.resource_control_policies) == 1
    assert estate.organizations["999999999999"].service_control_policies == ()


def test_organizations_that_are_wrong(tmp_path: Path) -> None:
    someone = policy({**allow("*"), "Principal": {"AWS": "*x"}})
    found = problems(
        tmp_path,
        organization={
            ACCOUNT: {"resource_control_policies": [[someone]], "scps": []},
            "acme": {"service_control_policies": []},
        },
    )
    assert 'expected Principal "*" in a resource control policy' in found
    assert 'found an unknown field "scps"' in found
    assert 'found "acme", expected the ID of an account' in found


# -- files -------------------------------------------------------------------------------------


def test_folders_are_walked_and_other_files_listed(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "er", acme=policy(allow("s3:*")))
    write(tmp_path / ".hidden", acme=policy(allow("ec2:*")))
    (tmp_path / "README.md").write_text("x", "utf-8")
    (tmp_path / "package.json").write_text('{"name": "x"}', "utf-8")
    estate = load_sources([tmp_path])
    assert actions(estate.loose_policies) == ["s3:*"]
    assert not mattering(estate)
    assert "2 not read, neither JSON nor YAML, or hidden: .hidden, README.md" in told(estate)
    assert 'of no kind that is known: package, an object with "name"' in told(estate)


def test_a_file_named_by_itself_must_be_known(tmp_path: Path) -> None:
    write(tmp_path, package={"name": "x"})
    with pytest.raises(InputError, match="expected a document of a kind that is read"):
        load_sources([tmp_path / "package.json"])


def test_a_file_is_read_once(tmp_path: Path) -> None:
    write(tmp_path, iam=WHOLE)
    estate = load_sources([tmp_path, tmp_path / "iam.json", tmp_path])
    assert len(estate.files) == 1


def test_all_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    found = problems(
        tmp_path, a='{"Statement": [', b=export(role("x", allow("s3"))), c={"Statement": []}
    )
    for name in ("a.json", "b.json", "c.json"):
        assert str(tmp_path / name) in found


def test_files_are_read_as_they_would_be_after_an_edit(tmp_path: Path) -> None:
    write(tmp_path, acme=policy(allow("s3:*")))
    edited = json.dumps(policy(allow("ec2:*"))).encode()
    with reading_instead({tmp_path / "acme.json": edited}), files_read() as read:
        estate = load_sources([tmp_path])
    assert actions(estate.loose_policies) == ["ec2:*"]
    assert read == {tmp_path / "acme.json"}


# -- YAML --------------------------------------------------------------------------------------

names = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)
texts = names | st.sampled_from(["yes", "on", "2012-10-17", "1.10", "true", "null", "~", "*", ""])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=10,
)


def plain(node: Any) -> object:
    match node:
        case _ if hasattr(node, "members"):
            return {key.value: plain(value) for key, value in node.members}
        case _ if hasattr(node, "items"):
            return [plain(item) for item in node.items]
        case _ if hasattr(node, "text"):
            return json.loads(node.text)
        case _:
            return getattr(node, "value", None)


@given(values, st.booleans())
@settings(max_examples=80, deadline=None)
def test_what_yaml_writes_is_read_as_json_would_be(value: object, flow: bool) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert plain(read_yaml(text, "x.yaml")) == value


@given(st.sampled_from(WHOLE["RoleDetailList"]), st.booleans())
@settings(max_examples=10, deadline=None)
def test_a_policy_in_yaml_is_the_policy(
    tmp_path_factory: pytest.TempPathFactory, record: Json, flow: bool
) -> None:
    folder = tmp_path_factory.mktemp("yaml")
    document = policy(invoke("acme/*"), allow("s3:GetObject", NumericLessThan={"s3:max-keys": 10}))
    folder.joinpath("p.yml").write_text(yaml.safe_dump(document, default_flow_style=flow), "utf-8")
    assert load_sources([folder]).loose_policies == (parse_policy(json.dumps(document)),)
