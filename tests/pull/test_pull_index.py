"""The index of a snapshot says what is missing, and is believed only where it is understood."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tenantproof.account import Part
from tenantproof.errors import InputError
from tenantproof.isolation import Question, Run, Verdict, load_manifest
from tenantproof.isolation.route import Route
from tenantproof.sources import load_sources
from tenantproof.sources.snapshots import Missing

ACCOUNT = "111122223333"
SCOPE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/acme"

NOBODY = {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": [], "Policies": []}


def missing(kind: Missing, **changes: Any) -> dict[str, Any]:
    entry = {
        "part": kind.value,
        "what": f"the {kind.value}",
        "operation": "service:Operation",
        "permission": "service:Operation",
        "why": "access denied",
    }
    return {**entry, **changes}


def index(*lacks: dict[str, Any], **changes: Any) -> dict[str, Any]:
    found = {
        "tenantproof_snapshot": 1,
        "tenantproof": "1.0",
        "account": ACCOUNT,
        "regions": ["us-east-1"],
        "pulled_at": "2026-01-01T00:00:00+00:00",
        "complete": not lacks,
        "calls": {},
        "files": [],
        "missing": list(lacks),
        "notes": [],
    }
    return {**found, **changes}


def write(folder: Path, content: Any, name: str = "snapshot.json") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return folder


def problem(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        load_sources([folder])
    return str(caught.value)


@pytest.mark.parametrize("part", Missing)
def test_what_is_missing_is_a_gap_that_matters(part: Missing, tmp_path: Path) -> None:
    estate = load_sources([write(tmp_path / "s", index(missing(part)))])
    (gap,) = (each for each in estate.gaps if each.matters)
    assert gap.has_stand_in is part.has_stand_in
    assert gap.message == (
        f"the {part.value} could not be collected, service:Operation: access denied;"
        " it needs service:Operation"
    )
    assert [each.part for each in estate.unread] == [part.unread] * (part.unread is not None)


def test_what_was_not_asked_for_is_said(tmp_path: Path) -> None:
    write(tmp_path / "s", index())
    write(tmp_path / "s", index(regions=["eu-west-1"]), "of_europe.json")
    (gap,) = load_sources([tmp_path / "s"]).gaps
    assert not gap.matters
    assert gap.message == (
        f"of {ACCOUNT} only eu-west-1, us-east-1 was collected: endpoints elsewhere are not known"
    )


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (index(tenantproof_snapshot=2), "found the version 2 of a snapshot, expected 1: it was"),
        (index(tenantproof_snapshot="1"), "as version of a snapshot, expected 1"),
        (index(tenantproof_snapshot=None), "expected 1"),
        (index(surprise=1), 'found an unknown field "surprise"'),
        (index(complete=False), "complete contradicts"),
        (
            index(missing(Missing.MODEL), complete=True),
            "found 1 entries in missing, which complete",
        ),
        (index(missing(Missing.MODEL, part="dreams")), 'found "dreams" as part, expected one of'),
        (index(missing(Missing.MODEL, why=None)), "found nothing as why"),
        (index(missing(Missing.MODEL, more=1)), 'found an unknown field "more"'),
        (index(missing=None), "found no missing, expected a list"),
        (index(files=None), "found no files, expected a list"),
        (index(account="me"), 'found "me" as account, expected twelve digits'),
        (index(files=["../../etc/passwd"]), "expected a path within the snapshot"),
        (index(files=["/etc/passwd"]), "expected a path within the snapshot"),
        (index(files=["iam/gone.json"]), 'found no file "iam/gone.json", which the snapshot lists'),
    ],
)
def test_an_index_that_is_not_understood_is_an_error(
    content: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert expected in problem(write(tmp_path / "s", content))


def test_an_index_by_itself_does_not_stand_for_its_files(tmp_path: Path) -> None:
    folder = write(tmp_path / "s", index(files=["organization.json"]))
    write(folder, {"organization": {ACCOUNT: {"management_account": True}}}, "organization.json")
    assert load_sources([folder]).organizations
    with pytest.raises(InputError, match="expected the whole folder"):
        load_sources([folder / "snapshot.json"])


@pytest.mark.parametrize("name", ["iam/a.json", "sagemaker/us-east-1/a.json", "a.json"])
def test_a_part_of_a_snapshot_does_not_stand_for_it(name: str, tmp_path: Path) -> None:
    write(tmp_path, index(missing(Missing.IDENTITIES), files=[name]))
    part = tmp_path / name
    part.parent.mkdir(parents=True, exist_ok=True)
    write(part.parent, NOBODY, part.name)
    load_sources([tmp_path])
    for given in {part, part.parent} - {tmp_path}:
        said = problem(given)
        assert f"{part}" in said
        assert "found a file of a snapshot without its snapshot.json, expected the whole" in said
    write(part.parent, NOBODY, "b.json")
    load_sources([part.parent / "b.json"])


def test_a_principal_that_may_be_there_is_unknown(tmp_path: Path) -> None:
    write(tmp_path / "s", index(missing(Missing.IDENTITIES)))
    manifest = tmp_path / "tenantproof.toml"
    manifest.write_text(f"""
sources = ["s"]
[[endpoints]]
arn = "{SCOPE}:endpoint/models"
[[tenants]]
name = "acme"
owns = ["acme/*"]
principals = [
  {{ arn = "{ROLE}" }},
  {{ arn = "arn:aws:sts::{ACCOUNT}:assumed-role/acme/session" }},
]
[[tenants]]
name = "beta"
owns = ["beta/*"]
principals = [{{ arn = "arn:aws:iam::{ACCOUNT}:user/beta" }}]
""")
    found = Run(load_manifest(manifest), 10).report().findings
    assert {each.verdict for each in found} == {Verdict.UNKNOWN}
    asked = {each.principal for each in found if each.question is Question.ISOLATED}
    assert len(asked) == 3
    reason = found[0].reason or ""
    assert "could not be read" in reason
    assert "access denied" in reason


@pytest.mark.parametrize(
    ("condition", "tags"),
    [
        ({"StringLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/team}/*"}}, ""),
        ({"StringEquals": {"aws:PrincipalTag/team": "acme"}}, ""),
        ({"StringEquals": {"aws:PrincipalTag/team": "acme"}}, 'tags = { tenant = "acme" }'),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/path/*"}}, ""),
    ],
)
@pytest.mark.parametrize("by", ["principal", "vendor", "rule"])
def test_tags_of_a_role_that_may_be_there_are_unknown(
    condition: dict[str, Any], tags: str, by: str, tmp_path: Path
) -> None:
    """A session policy that looks at them may allow anything that it could."""
    write(tmp_path / "s", index(missing(Missing.IDENTITIES)))
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/acme/session"
    vendor = f'[[vendors]]\nrole = "{ROLE}"\nsession_policy = "session.json"\n{tags}'
    owner = 'name = "acme"\nowns = ["acme/*"]'
    tenants = {
        "principal": f"""
[[tenants]]
{owner}
[[tenants.principals]]
arn = "{session}"
session_policy = "session.json"
{tags}
""",
        "vendor": f"{vendor}\n[[tenants]]\n{owner}",
        "rule": f"""
{vendor}
[[rules]]
name = "all"
names = "[a-z]{{1,8}}"
owns = ["{{tenant}}/*"]
""",
    }
    is_of_path = "ArnLike" in condition
    if is_of_path and by != "principal":
        pytest.skip("the manifest says which path the role of a vendor has")
    statement = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
    write(tmp_path, policy, "session.json")
    manifest = tmp_path / "tenantproof.toml"
    manifest.write_text(f"""
sources = ["s"]
[[endpoints]]
arn = "{SCOPE}:endpoint/models"
{tenants[by]}
""")
    found = Run(load_manifest(manifest), 10).report().findings
    assert {each.verdict for each in found} == {Verdict.UNKNOWN}


def test_tags_of_a_session_are_known_whatever_its_role_has(tmp_path: Path) -> None:
    write(tmp_path / "s", index(missing(Missing.IDENTITIES)))
    condition = {"StringLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/tenant}/*"}}
    statement = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Condition": condition}]}
    write(tmp_path, policy, "session.json")
    manifest = tmp_path / "tenantproof.toml"
    manifest.write_text(f"""
sources = ["s"]
[[endpoints]]
arn = "{SCOPE}:endpoint/models"
[[tenants]]
name = "acme"
owns = ["acme/*"]
[[tenants.principals]]
arn = "arn:aws:sts::{ACCOUNT}:assumed-role/acme/session"
session_policy = "session.json"
session_tags = {{ tenant = "acme" }}
""")
    found = Run(load_manifest(manifest), 10).report().findings
    isolated = [each for each in found if each.question is Question.ISOLATED]
    assert [each.verdict for each in isolated] == [Verdict.PROVED]


@pytest.mark.parametrize("off", ["", "[routes.off]\ninvoke = 'there is none'"])
def test_what_could_not_be_read_may_be_a_multi_model_endpoint(off: str, tmp_path: Path) -> None:
    allowed = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": "*"}
    inline = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}
    role = {
        "RoleName": "acme",
        "Arn": ROLE,
        "RolePolicyList": [inline],
        "AttachedManagedPolicies": [],
    }
    hidden = {
        "EndpointName": "e",
        "EndpointArn": f"{SCOPE}:endpoint/e",
        "NotDescribed": "access denied",
    }
    folder = write(tmp_path / "s", index(missing(Missing.ENDPOINT)))
    write(folder, {"RoleDetailList": [role]}, "iam.json")
    write(folder, hidden, "endpoint.json")
    manifest = tmp_path / "tenantproof.toml"
    manifest.write_text(f"""
sources = ["s"]
{off}
[[tenants]]
name = "acme"
artifacts = ["s3://models/acme/*"]
principals = [{{ arn = "{ROLE}" }}]
[[tenants]]
name = "beta"
artifacts = ["s3://models/beta/*"]
""")
    found = Run(load_manifest(manifest), 10).report().findings
    (by_model,) = [each for each in found if each.route is Route.TARGET_MODEL]
    assert by_model.verdict is Verdict.UNKNOWN
    assert "listed without its configuration" in (by_model.reason or "")


def test_a_principal_of_another_account_is_not_there(tmp_path: Path) -> None:
    write(tmp_path / "s", index(missing(Missing.IDENTITIES), account="444455556666"))
    manifest = tmp_path / "tenantproof.toml"
    manifest.write_text(f"""
sources = ["s"]
[[endpoints]]
arn = "{SCOPE}:endpoint/models"
[[tenants]]
name = "acme"
owns = ["acme/*"]
principals = [{{ arn = "{ROLE}" }}]
""")
    with pytest.raises(InputError, match="policies"):
        load_manifest(manifest)


def test_an_execution_role_that_may_be_there_is_unknown(tmp_path: Path) -> None:
    """One that no source describes counts as one that may read everything."""
    model = {
        "ModelName": "m",
        "ModelArn": f"{SCOPE}:model/m",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"ModelDataUrl": "s3://models/m"},
    }
    folder = write(tmp_path / "s", index(missing(Missing.IDENTITIES), files=["model.json"]))
    write(folder, model, "model.json")
    (role,) = load_sources([folder]).identities
    assert role.arn == ROLE
    assert all(s.unknown for policy in role.policies for s in policy.statements)


@pytest.mark.parametrize("kind", ["service_control_policies", "resource_control_policies"])
def test_a_policy_that_could_not_be_read_is_unknown(kind: str, tmp_path: Path) -> None:
    said = {ACCOUNT: {kind: [[{"not_read": "no permission"}]]}}
    estate = load_sources([write(tmp_path / "s", {"organization": said}, "organization.json")])
    ((level,),) = getattr(estate.organizations[ACCOUNT], kind)
    assert all(statement.unknown for statement in level.statements)
    (gap,) = (each for each in estate.gaps if each.matters)
    assert gap.has_stand_in
    assert "no permission" in gap.message


def test_a_bucket_s_policy_that_could_not_be_read_is_unknown(tmp_path: Path) -> None:
    said = {"buckets": [{"Bucket": "models", "Policy": {"not_read": "no permission"}}]}
    estate = load_sources([write(tmp_path / "s", said, "buckets.json")])
    (bucket,) = estate.buckets
    assert bucket.policy is not None
    assert all(statement.unknown for statement in bucket.policy.statements)
    assert estate.gaps[0].has_stand_in


def test_tags_that_are_not_known_are_unknown(tmp_path: Path) -> None:
    said = {
        "EndpointName": "e",
        "EndpointArn": f"{SCOPE}:endpoint/e",
        "TagsNotKnown": "no permission",
        "NotDescribed": "no permission, too",
    }
    estate = load_sources([write(tmp_path / "s", said, "endpoint.json")])
    (endpoint,) = estate.endpoints
    assert endpoint.unknown_tags is not None
    assert "(no permission)" in endpoint.unknown_tags.reason
    assert any("no permission, too" in gap.message for gap in estate.gaps)


def test_parts_of_several_accounts_are_told_apart(tmp_path: Path) -> None:
    lacking = missing(Missing.ENDPOINTS, region="us-east-1")
    write(tmp_path / "a", index(lacking))
    write(tmp_path / "b", index(account="444455556666"))
    estate = load_sources([tmp_path])
    assert estate.unread_of(Part.ENDPOINTS, ACCOUNT, "us-east-1") is not None
    assert estate.unread_of(Part.ENDPOINTS, ACCOUNT, "eu-west-1") is None
    assert estate.unread_of(Part.ENDPOINTS, "444455556666", "us-east-1") is None


@pytest.mark.parametrize("names", [("a.json", "b.json"), ("b.json", "a.json")])
def test_what_a_snapshot_could_not_read_another_source_may_say(
    names: tuple[str, str], tmp_path: Path
) -> None:
    unread, read = names
    kind = "service_control_policies"
    levels = [[{"not_read": "no permission"}]]
    buckets = [{"Bucket": "models", "Policy": {"not_read": "no permission"}}]
    folder = tmp_path / "s"
    write(folder, [{"organization": {ACCOUNT: {kind: levels}}}, {"buckets": buckets}], unread)
    known = {"organization": {ACCOUNT: {kind: []}}}
    write(folder, [known, {"buckets": [{"Bucket": "models", "Account": "444455556666"}]}], read)
    estate = load_sources([folder])
    assert estate.organizations[ACCOUNT].service_control_policies == ()
    assert [(b.account, b.policy) for b in estate.buckets] == [("444455556666", None)]


def test_endpoints_that_are_not_listed_are_not_taken_for_none(tmp_path: Path) -> None:
    """What the manifest asks about is what the snapshot holds, and that is not all."""
    role = {
        "RoleName": "acme",
        "Arn": ROLE,
        "RolePolicyList": [],
        "AttachedManagedPolicies": [],
    }
    config = {
        "EndpointConfigName": "c",
        "EndpointConfigArn": f"{SCOPE}:endpoint-config/c",
        "ProductionVariants": [{"VariantName": "v", "ModelName": "m"}],
    }
    model = {
        "ModelName": "m",
        "ModelArn": f"{SCOPE}:model/m",
        "PrimaryContainer": {"ModelDataUrl": "s3://models/m"},
    }
    endpoint = {"EndpointName": "e", "EndpointArn": f"{SCOPE}:endpoint/e"}
    hosting = [{**endpoint, "EndpointConfigName": "c"}, config, model]
    folder = write(tmp_path / "s", index(missing(Missing.ENDPOINTS, region="eu-west-1")))
    write(folder, {"RoleDetailList": [role]}, "iam.json")
    write(folder, hosting, "hosting.json")
    manifest = tmp_path / "tenantproof.toml"
    text = f"""
[[tenants]]
name = "acme"
owns = ["acme/*"]
principals = [{{ arn = "{ROLE}" }}]
"""
    manifest.write_text('sources = ["s"]' + text)
    with pytest.raises(InputError, match=r"endpoints: found none, and .* could not be collected"):
        load_manifest(manifest)
    named = f'[[endpoints]]\narn = "{SCOPE}:endpoint/e"'
    manifest.write_text(f'sources = ["s"]\n{named}{text}')
    found = Run(load_manifest(manifest), 10).report().findings
    artifacts = [each for each in found if each.question is Question.ARTIFACTS]
    assert {each.verdict for each in artifacts} == {Verdict.UNKNOWN}
