"""What a manifest says of accounts, or takes from sources: each field, and its errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from account_exports import allow, execution_role, export, invoke, role, shared_endpoint, write

from conftest import ENDPOINT
from tenantproof.account import HostedEndpoint
from tenantproof.errors import InputError
from tenantproof.isolation import Finding, Manifest, Run, Verdict, load_manifest
from tenantproof.isolation.route import Route

ROLE = "arn:aws:iam::111122223333:role/"
TENANTS = """
[[tenants]]
name = "acme"
artifacts = ["s3://ml-artifacts/models/acme/*"]
principals = [{ arn = "arn:aws:iam::111122223333:role/acme" }]

[[tenants]]
name = "globex"
artifacts = ["s3://ml-artifacts/models/globex/*"]
principals = [{ arn = "arn:aws:iam::111122223333:role/globex" }]
"""
VICTIM = """
[[tenants]]
name = "acme"
owns = ["acme/*"]
principals = [{ arn = "arn:aws:iam::111122223333:role/acme", policies = ["acme.json"] }]

[[tenants]]
name = "globex"
artifacts = ["s3://models/globex/*"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An account with two tenants' roles, as it is exported."""
    roles = [role(name, invoke(f"{name}/*")) for name in ("acme", "globex")]
    write(tmp_path / "account", iam=export(*roles, execution_role()), sm=shared_endpoint())
    policy(tmp_path, "acme.json", invoke("acme/*"))
    return tmp_path


def policy(folder: Path, name: str, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (folder / name).write_text(json.dumps(document, indent=2), "utf-8")


def load(folder: Path, text: str) -> Manifest:
    path = folder / "tenantproof.toml"
    path.write_text(text, "utf-8")
    return load_manifest(path)


def problems(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as raised:
        load(folder, text)
    return str(raised.value)


def ways(manifest: Manifest) -> dict[tuple[str, Route], Finding]:
    found = Run(manifest).report().findings
    return {(each.tenant, each.route): each for each in found if each.route}


# -- sources, and principals that they describe --------------------------------------------------


def test_a_principal_is_what_the_sources_say(folder: Path) -> None:
    manifest = load(folder, f'sources = ["account"]\n{TENANTS}')
    (member,) = manifest.tenants[0].members
    assert [each.file for each in member.policies.identity_policies] == [
        str(folder / "account" / "iam.json")
    ]
    assert {each.verdict for each in ways(manifest).values()} == {Verdict.PROVED}


def test_a_session_of_a_role_has_the_roles_policies(folder: Path) -> None:
    arn = "arn:aws:sts::111122223333:assumed-role/acme/app"
    text = TENANTS.replace(f'arn = "{ROLE}acme"', f'arn = "{arn}", tags = {{ plan = "gold" }}')
    (member,) = load(folder, f'sources = ["account"]\n{text}').tenants[0].members
    assert member.policies.identity_policies
    assert member.principal.keys["aws:principaltag/plan"] == "gold"
    assert member.principal.keys["aws:principalarn"] == f"{ROLE}acme"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "role/acme",
            "role/nobody",
            f'policies: found nothing, and neither sources nor roles describe "{ROLE}nobody",'
            " expected policies, or an ARN that they do",
        ),
        (
            'role/acme"',
            'role/acme", permissions_boundary = "acme.json"',
            f'permissions_boundary: found it without policies, of "{ROLE}acme", which is described'
            " already, expected it there, or policies beside it",
        ),
        (
            'role/acme"',
            'role/acme", service_control_policies = [["acme.json"]]',
            "service_control_policies: found it without policies",
        ),
        ('"account"', '"nowhere"', "nowhere: $: found no readable file"),
        ("s3://ml-artifacts/models/acme/*", "models/acme/*", "expected an S3 URL with a key"),
        ("s3://ml-artifacts/models/acme/*", "s3://ml-artifacts", "expected an S3 URL with a key"),
        ("[[tenants]]", "shared_artifacts = ['s3://b/*']\n[[tenants]]", "found an unknown field"),
    ],
)
def test_what_is_wrong_with_principals_and_sources(
    folder: Path, old: str, new: str, message: str
) -> None:
    text = f'sources = ["account"]\n{TENANTS}'
    assert old in text
    assert message in problems(folder, text.replace(old, new, 1))


def test_sources_that_cannot_be_read_are_the_one_problem(folder: Path) -> None:
    (folder / "account" / "iam.json").write_text("{", "utf-8")
    with pytest.raises(InputError) as raised:
        load(folder, f'sources = ["account"]\n{TENANTS}')
    assert {problem.place.file for problem in raised.value.problems} == {
        str(folder / "account" / "iam.json")
    }


def test_without_any_source_policies_are_required(folder: Path) -> None:
    text = f'[[endpoints]]\narn = "{ENDPOINT}"\n{TENANTS}'
    assert "policies: found nothing, expected a list of one or more texts" in problems(folder, text)


# -- victims alone -------------------------------------------------------------------------------


def test_a_tenant_with_artifacts_needs_no_principals(folder: Path) -> None:
    policy(folder, "acme.json", allow("s3:GetObject", "arn:aws:s3:::models/*"))
    manifest = load(folder, f'[[endpoints]]\narn = "{ENDPOINT}"\n{VICTIM}')
    found = ways(manifest)
    assert {tenant for tenant, _ in found} == {"acme"}
    assert found["acme", Route.OBJECT].victims == ("globex",)


def test_a_tenant_that_owns_models_alone_needs_principals(folder: Path) -> None:
    text = VICTIM.replace('artifacts = ["s3://models/globex/*"]', 'owns = ["globex/*"]')
    found = problems(folder, f'[[endpoints]]\narn = "{ENDPOINT}"\n{text}')
    assert "tenants[1].principals: found nothing, expected tables" in found


# -- roles, buckets, what an endpoint serves -----------------------------------------------------

HOSTED = f"""
[[endpoints]]
arn = "{ENDPOINT}"
model_data = "s3://models/"
execution_role = "{ROLE}execution"

[[roles]]
arn = "{ROLE}execution"
policies = ["execution.json"]
trust_policy = "trust.json"
tags = {{ team = "platform" }}

[[buckets]]
name = "models"
account = "111122223333"
policy = "bucket.json"
"""


@pytest.fixture
def hosted(folder: Path) -> Path:
    """Policies of an execution role and of a bucket."""
    policy(folder, "acme.json", invoke("*"))
    policy(folder, "execution.json", allow("s3:GetObject", "arn:aws:s3:::models/*"))
    principal = {"Principal": {"Service": "sagemaker.amazonaws.com"}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", **principal}
    policy(folder, "trust.json", trust)
    everything = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::models/*"}
    unless = {"StringNotLike": {"aws:PrincipalArn": f"{ROLE}execution"}}
    policy(folder, "bucket.json", {**everything, "Principal": "*", "Condition": unless})
    return folder


def test_what_a_manifest_says_itself_of_the_accounts(hosted: Path) -> None:
    manifest = load(hosted, f"{HOSTED}{VICTIM}")
    (endpoint,) = manifest.estate.endpoints
    assert isinstance(endpoint, HostedEndpoint)
    (model,) = endpoint.models
    assert model.execution_role == f"{ROLE}execution"
    leak = ways(manifest)["acme", Route.TARGET_MODEL]
    assert [step.request.action for step in leak.steps] == [
        "sagemaker:InvokeEndpoint",
        "s3:GetObject",
    ]
    assert leak.victims == ("globex",)


def test_a_bucket_policy_that_denies_closes_the_way(hosted: Path) -> None:
    text = (hosted / "bucket.json").read_text("utf-8")
    (hosted / "bucket.json").write_text(text.replace("role/execution", "role/other"), "utf-8")
    assert ways(load(hosted, f"{HOSTED}{VICTIM}"))["acme", Route.TARGET_MODEL].verdict is (
        Verdict.PROVED
    )


def test_an_execution_role_that_is_not_described_reads_everything(hosted: Path) -> None:
    role_table = HOSTED[HOSTED.index("[[roles]]") : HOSTED.index("[[buckets]]")]
    for text in (
        HOSTED.replace(role_table, ""),
        HOSTED.replace(f"{ROLE}execution", f"{ROLE}other", 1),
    ):
        leak = ways(load(hosted, f"{text}{VICTIM}"))["acme", Route.TARGET_MODEL]
        assert leak.verdict is Verdict.LEAK
        assert [step.request.action for step in leak.steps] == ["sagemaker:InvokeEndpoint"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('model_data = "s3://models/"\n', "", "execution_role: found it without model_data"),
        ("s3://models/", "models/", 'model_data: found "models/", expected an S3 URL'),
        ('name = "models"', 'name = "Models!"', 'found "Models!", expected the name of a bucket'),
        ('policy = "bucket.json"', 'policies = ["x"]', "policies: found an unknown field"),
        (
            '[[roles]]\narn = "' + ROLE,
            '[[roles]]\narn = "arn:aws:iam::1:user/',
            "expected the ARN of a role",
        ),
        ('account = "111122223333"', 'account = "1"', 'found "1", expected the twelve digits'),
        ("[[buckets]]", "[[buckets]]\nname = 'models'\n[[buckets]]", 'bucket "models" twice'),
    ],
)
def test_what_is_wrong_with_roles_buckets_and_endpoints(
    hosted: Path, old: str, new: str, message: str
) -> None:
    assert old in HOSTED
    assert message in problems(hosted, f"{HOSTED.replace(old, new, 1)}{VICTIM}")


# -- routes --------------------------------------------------------------------------------------


def test_a_route_is_switched_off_with_a_reason(hosted: Path) -> None:
    routes = '[routes]\ndepth = 1\n[routes.off]\ntarget-model = "walled by the gateway"\n'
    report = Run(load(hosted, f"{HOSTED}{routes}{VICTIM}")).report()
    assert {each.route for each in report.findings if each.route} == set(Route) - {
        Route.TARGET_MODEL
    }
    assert (
        "the route target-model (invoking a multi-model endpoint by TargetModel) is off: walled by"
        " the gateway" in report.left_out
    )
    assert any("of roles assumed in a row 1 are followed" in each for each in report.assumptions)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("depth = 0", "routes.depth: found 0, expected a whole number from 1 to 8"),
        ("depth = true", "routes.depth: found True, expected a whole number"),
        ("[routes.off]\nobjects = 'x'", "routes.off.objects: found an unknown field, expected one"),
        ("[routes.off]\nobject = ''", "routes.off.object: found '', expected a text that is not"),
        ("steps = 3", "routes.steps: found an unknown field"),
    ],
)
def test_what_is_wrong_with_routes(hosted: Path, text: str, message: str) -> None:
    assert message in problems(hosted, f"{HOSTED}[routes]\n{text}\n{VICTIM}")


# -- deployment ----------------------------------------------------------------------------------

TEMPLATE = """
Parameters:
  Bucket: {Type: String}
Resources:
  Acme:
    Type: AWS::IAM::Role
    Properties:
      RoleName: acme
      AssumeRolePolicyDocument:
        Version: 2012-10-17
        Statement: {Effect: Allow, Action: sts:AssumeRole, Principal: {Service: ec2.amazonaws.com}}
      Policies:
        - PolicyName: read
          PolicyDocument:
            Version: 2012-10-17
            Statement:
              Effect: Allow
              Action: s3:GetObject
              Resource: !Sub "arn:${AWS::Partition}:s3:::${Bucket}/*"
"""
DEPLOYED = """
sources = ["template.yaml"]

[[endpoints]]
arn = "arn:aws-cn:sagemaker:cn-north-1:444455556666:endpoint/models"

[[tenants]]
name = "acme"
artifacts = ["s3://models/acme/*"]
principals = [{ arn = "arn:aws-cn:iam::444455556666:role/acme" }]

[[tenants]]
name = "globex"
artifacts = ["s3://models/globex/*"]

[deployment]
account = "444455556666"
region = "cn-north-1"
partition = "aws-cn"
parameters = { Bucket = "models" }
"""


def test_where_templates_are_deployed(folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE, "utf-8")
    manifest = load(folder, DEPLOYED)
    assert [gap.message for gap in manifest.estate.gaps] == []
    leak = ways(manifest)["acme", Route.OBJECT]
    assert leak.verdict is Verdict.LEAK
    assert leak.steps[-1].request.resource.startswith("arn:aws-cn:s3:::models/globex/")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"444455556666"\nregion', '"4444"\nregion', 'found "4444", expected the twelve digits'),
        ('Bucket = "models"', "Bucket = 3", "deployment.parameters.Bucket: found 3, expected a"),
        ('region = "cn-north-1"', 'regions = "x"', "deployment.regions: found an unknown field"),
        ('sources = ["template.yaml"]\n', "", "deployment: found it without sources"),
    ],
)
def test_what_is_wrong_with_a_deployment(folder: Path, old: str, new: str, message: str) -> None:
    (folder / "template.yaml").write_text(TEMPLATE, "utf-8")
    assert old in DEPLOYED
    assert message in problems(folder, DEPLOYED.replace(old, new, 1))
