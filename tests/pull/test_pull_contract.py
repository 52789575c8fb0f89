"""What each call is made with, against botocore's own model of the services, page by page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from tenantproof.aws import Aws, Connection, Deadline, connect
from tenantproof.pull import Operation, PullSettings, pull
from tenantproof.sources import load_sources

pytestmark = pytest.mark.usefixtures("aws_environment")

ACCOUNT = "111122223333"
SCOPE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
LISTING = {"MaxResults": 100, "SortBy": "Name", "SortOrder": "Ascending"}
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": ALLOW}
EVERYBODY = {"Version": "2012-10-17", "Statement": {**ALLOW, "Principal": "*"}}

Call = tuple[Operation, dict[str, Any], dict[str, Any]]
"""An operation, the parameters that it is to be called with, and the reply."""


def role(name: str) -> dict[str, Any]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
    allow = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": allow})
    return {"RoleName": name, "Arn": arn, "AssumeRolePolicyDocument": trust}


def exported(name: str, **more: Any) -> dict[str, Any]:
    return {"RoleDetailList": [role(name)], **more}


def listed(what: str, *names: str, **more: Any) -> dict[str, Any]:
    kind = {"Model": "model", "Endpoint": "endpoint", "InferenceComponent": "inference-component"}
    records = [
        {
            f"{what}Name": name,
            f"{what}Arn": f"{SCOPE}:{kind[what]}/{name}",
            "CreationTime": WHEN,
            **more,
        }
        for name in names
    ]
    return {f"{what}s": records}


IDENTITIES = {"Filter": ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]}
OF_ENDPOINT = {"LastModifiedTime": WHEN, "EndpointStatus": "InService"}
OF_COMPONENT = {"EndpointArn": f"{SCOPE}:endpoint/e", "EndpointName": "e", "VariantName": "v"}
BUCKET = {"Bucket": "ml-artifacts", "ExpectedBucketOwner": ACCOUNT}


def calls() -> Iterator[Call]:
    """All of them, in order; each kind of list has two pages."""
    yield Operation.ACCOUNT, {**IDENTITIES, "MaxItems": 500}, exported("a", **_more("Marker", "m"))
    yield Operation.ACCOUNT, {**IDENTITIES, "MaxItems": 500, "Marker": "m"}, exported("b")
    yield from _pages(Operation.LIST_ENDPOINTS, listed("Endpoint", "e", **OF_ENDPOINT))
    yield from _pages(Operation.LIST_MODELS, listed("Model", "spare"))
    components = listed("InferenceComponent", "c", **OF_COMPONENT, LastModifiedTime=WHEN)
    yield from _pages(Operation.LIST_COMPONENTS, components)
    endpoint = {"EndpointName": "e", "EndpointArn": f"{SCOPE}:endpoint/e", "CreationTime": WHEN}
    described = {**endpoint, **OF_ENDPOINT, "EndpointConfigName": "e-1"}
    yield Operation.DESCRIBE_ENDPOINT, {"EndpointName": "e"}, described
    tags = {"ResourceArn": f"{SCOPE}:endpoint/e"}
    yield Operation.LIST_TAGS, tags, {"Tags": [{"Key": "a", "Value": "1"}], "NextToken": "n"}
    yield Operation.LIST_TAGS, {**tags, "NextToken": "n"}, {"Tags": [{"Key": "b", "Value": "2"}]}
    config = {
        "EndpointConfigName": "e-1",
        "EndpointConfigArn": f"{SCOPE}:endpoint-config/e-1",
        "ProductionVariants": [{"VariantName": "v", "ModelName": "mme"}],
        "CreationTime": WHEN,
    }
    yield Operation.DESCRIBE_CONFIG, {"EndpointConfigName": "e-1"}, config
    component = {
        "InferenceComponentName": "c",
        "InferenceComponentArn": f"{SCOPE}:inference-component/c",
        **OF_COMPONENT,
        "Specification": {"ModelName": "inner"},
        "CreationTime": WHEN,
        "LastModifiedTime": WHEN,
    }
    yield Operation.DESCRIBE_COMPONENT, {"InferenceComponentName": "c"}, component
    for name in ("inner", "mme", "spare"):
        model = {
            "ModelName": name,
            "ModelArn": f"{SCOPE}:model/{name}",
            "PrimaryContainer": {"Mode": "MultiModel", "ModelDataUrl": "s3://ml-artifacts/m/"},
            "CreationTime": WHEN,
        }
        yield Operation.DESCRIBE_MODEL, {"ModelName": name}, model
    yield Operation.BUCKET_POLICY, BUCKET, {"Policy": json.dumps(EVERYBODY)}
    organization = {"MasterAccountId": "999988887777", "FeatureSet": "ALL"}
    yield Operation.DESCRIBE_ORGANIZATION, {}, {"Organization": organization}
    unit, root = "ou-ab12-cdefghij", "r-ab12"
    yield Operation.LIST_PARENTS, {"ChildId": ACCOUNT}, _parent(unit, "ORGANIZATIONAL_UNIT")
    yield Operation.LIST_PARENTS, {"ChildId": unit}, _parent(root, "ROOT")
    for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"):
        name = f"p-{kind[:8].lower()}"
        for target in (root, unit, ACCOUNT):
            asked = {"TargetId": target, "Filter": kind}
            yield Operation.LIST_POLICIES, asked, {"Policies": [{"Id": name}]}
            if target == root:
                text = json.dumps(EVERYBODY if kind.startswith("RESOURCE") else POLICY)
                yield Operation.DESCRIBE_POLICY, {"PolicyId": name}, {"Policy": {"Content": text}}


def _more(name: str, marker: str) -> dict[str, Any]:
    return {"IsTruncated": True, name: marker}


def _pages(operation: Operation, reply: dict[str, Any]) -> Iterator[Call]:
    (member,) = reply
    yield operation, LISTING, {**reply, "NextToken": "n"}
    yield operation, {**LISTING, "NextToken": "n"}, {member: []}


def _parent(name: str, kind: str) -> dict[str, Any]:
    return {"Parents": [{"Id": name, "Type": kind}]}


@contextmanager
def stubbed(aws: Aws, wanted: list[Call]) -> Iterator[None]:
    """The clients of ``aws``, each expecting its calls in their order and no others."""
    with ExitStack() as stack:
        services = sorted({operation.service for operation, _, _ in wanted} | {"sts"})
        stubs = {name: stack.enter_context(Stubber(aws.client(name))) for name in services}
        arn = f"arn:aws:iam::{ACCOUNT}:user/auditor"
        stubs["sts"].add_response("get_caller_identity", {"Arn": arn}, {})
        for operation, parameters, reply in wanted:
            name = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation.call)[1:]
            stubs[operation.service].add_response(name, reply, parameters)
        yield
        for stub in stubs.values():
            stub.assert_no_pending_responses()


def pulled(aws: Aws, output: Path, wanted: list[Call]) -> Any:
    with stubbed(aws, wanted):
        return pull(aws, output, PullSettings(), Deadline.after(60))


@pytest.fixture
def aws() -> Aws:
    return connect(Connection(region="us-east-1"), Deadline.after(60))


def test_every_call_is_one_of_the_api(aws: Aws, tmp_path: Path) -> None:
    wanted = list(calls())
    found = pulled(aws, tmp_path / "snapshot", wanted)
    assert found.missing == ()
    assert sum(found.calls.values()) == len(wanted)
    estate = load_sources([tmp_path / "snapshot"])
    assert {each.arn.rpartition("/")[2] for each in estate.identities} == {"a", "b"}
    (endpoint,) = estate.endpoints
    assert endpoint.tags == {"a": "1", "b": "2"}
    (bucket,) = estate.buckets
    assert bucket.policy is not None
    levels = estate.organizations[ACCOUNT]
    assert [len(level) for level in levels.service_control_policies] == [1, 1, 1]
    assert [len(level) for level in levels.resource_control_policies] == [1, 1, 1]


def test_every_operation_is_called_but_for_buckets_elsewhere() -> None:
    called = {operation for operation, _, _ in calls()}
    assert set(Operation) - called == {Operation.BUCKET_LOCATION}


def test_a_bucket_in_another_region_is_asked_there(aws: Aws, tmp_path: Path) -> None:
    wanted = [each for each in calls() if each[0] is not Operation.BUCKET_POLICY]
    elsewhere = aws.client("s3", region="eu-west-1")
    with stubbed(aws, wanted), Stubber(aws.client("s3")) as here, Stubber(elsewhere) as there:
        here.add_client_error("get_bucket_policy", "PermanentRedirect", "", 301, None, BUCKET)
        here.add_response("get_bucket_location", {"LocationConstraint": "EU"}, BUCKET)
        there.add_response("get_bucket_policy", {"Policy": json.dumps(EVERYBODY)}, BUCKET)
        found = pull(aws, tmp_path / "snapshot", PullSettings(), Deadline.after(60))
        there.assert_no_pending_responses()
    assert found.missing == ()
    assert found.calls[Operation.BUCKET_LOCATION.value] == 1
