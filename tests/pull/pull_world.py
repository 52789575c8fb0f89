"""An account in moto's server, and a server in front of it that AWS's faults come from."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3

REGION = "us-east-1"
ELSEWHERE = "eu-west-1"
Json = dict[str, Any]


def policy(*statements: Json) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **condition: Any) -> Json:
    found = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def deny(action: Any, resource: Any = "*", **condition: Any) -> Json:
    return {**allow(action, resource, **condition), "Effect": "Deny"}


def trust(**principal: Any) -> str:
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def tags(**given: str) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


@dataclass(frozen=True)
class Keys:
    """Credentials, of which moto looks at the access key alone."""

    access: str
    secret: str = "secret-of-nobody"
    token: str = "token-of-nobody"

    def client(self, service: str, url: str, region: str = REGION) -> Any:
        return boto3.client(
            service,  # type: ignore[call-overload]
            region_name=region,
            endpoint_url=url,
            aws_access_key_id=self.access,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
        )


MANAGEMENT = Keys("AKIAMANAGEMENT")


@dataclass(frozen=True)
class Account:
    """The account that is collected: a member of an organization."""

    id: str
    keys: Keys

    def arn(self, kind: str) -> str:
        return f"arn:aws:iam::{self.id}:{kind}"

    def manifest(self, sources: str, *regions: str) -> str:
        """Tenants each kept apart in another way: see :func:`make_account`."""
        principals = {
            "acme": "role/acme",
            "beta": "role/beta",
            "gamma": "role/apps/gamma",
            "delta": "user/dave",
            "eps": "role/eps",
            "zeta": "role/zeta",
        }
        lines = [f'sources = ["{sources}"]']
        for name in regions:
            arn = f"arn:aws:sagemaker:{name}:{self.id}:endpoint/models"
            lines += ["[[endpoints]]", f'arn = "{arn}"']
        for tenant, principal in principals.items():
            lines += [
                "[[tenants]]",
                f'name = "{tenant}"',
                f'owns = ["{tenant}/*"]',
                f'principals = [{{ arn = "{self.arn(principal)}" }}]',
            ]
        return "\n".join(lines)


def make_account(url: str) -> Account:
    """An account in which tenants are kept apart by what each operation tells.

    acme by the tag in an attached policy, beta by its permissions boundary, gamma by the policy
    of the bucket, delta (a user, by its group) by a service control policy, eps by a tag of the
    endpoint. zeta is not: it may serve models that are there by an endpoint of its own. A second
    region has the same.
    """
    organizations = MANAGEMENT.client("organizations", url)
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    made = organizations.create_account(AccountName="models", Email="models@example.com")
    account = made["CreateAccountStatus"]["AccountId"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="Prod")
    unit_id = unit["OrganizationalUnit"]["Id"]
    organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit_id)
    keys = _keys_of(account, url)
    found = Account(account, keys)
    _attach(organizations, account, unit_id, _only_delta(found))
    _make_identities(found, url)
    _make_hosting(found, url, REGION, "ml-artifacts")
    _make_hosting(found, url, ELSEWHERE, "ml-artifacts-eu")
    return found


def _keys_of(account: str, url: str) -> Keys:
    sts = MANAGEMENT.client("sts", url)
    role = f"arn:aws:iam::{account}:role/OrganizationAccountAccessRole"
    given = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _only_delta(account: Account) -> str:
    return policy(
        deny(
            ["sagemaker:InvokeEndpoint", "s3:*"],
            ArnEquals={"aws:PrincipalArn": account.arn("user/dave")},
            StringNotLike={"sagemaker:TargetModel": "delta/*"},
        )
    )


def _attach(organizations: Any, account: str, unit: str, text: str) -> None:
    made = organizations.create_policy(
        Content=text, Description="", Name="only-delta", Type="SERVICE_CONTROL_POLICY"
    )
    only_delta = made["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=only_delta, TargetId=unit)
    listed = organizations.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]
    listed += organizations.list_policies(Filter="RESOURCE_CONTROL_POLICY")["Policies"]
    for each in listed:
        if "FullAWSAccess" in each["Id"]:
            for target in (unit, account):
                there = organizations.list_policies_for_target(TargetId=target, Filter=each["Type"])
                if each["Id"] not in {p["Id"] for p in there["Policies"]}:
                    organizations.attach_policy(PolicyId=each["Id"], TargetId=target)


def _make_identities(account: Account, url: str) -> None:
    iam = account.keys.client("iam", url)
    invoke = "sagemaker:InvokeEndpoint"
    by_tag = policy(
        allow(invoke, StringLike={"sagemaker:TargetModel": "${aws:PrincipalTag/tenant}/*"})
    )
    beta_only = policy(allow(invoke, StringLike={"sagemaker:TargetModel": "beta/*"}))
    anything = policy(allow(invoke))
    attached = iam.create_policy(PolicyName="by-tag", PolicyDocument=by_tag)["Policy"]["Arn"]
    boundary = iam.create_policy(PolicyName="beta-only", PolicyDocument=beta_only)["Policy"]["Arn"]
    everything = iam.create_policy(PolicyName="any", PolicyDocument=anything)["Policy"]["Arn"]

    def role(name: str, **more: Any) -> None:
        service = trust(Service=more.pop("service", "ecs-tasks.amazonaws.com"))
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=service, **more)

    role("acme", Tags=tags(tenant="acme", team="blue"))
    iam.attach_role_policy(RoleName="acme", PolicyArn=attached)
    role("beta", PermissionsBoundary=boundary)
    iam.put_role_policy(RoleName="beta", PolicyName="all", PolicyDocument=anything)
    role("gamma", Path="/apps/")
    reads = policy(
        allow("s3:GetObject"), allow(invoke, StringLike={"sagemaker:TargetModel": "gamma/*"})
    )
    iam.put_role_policy(RoleName="gamma", PolicyName="reads", PolicyDocument=reads)
    role("eps")
    staged = policy(
        allow(invoke, StringLike={"sagemaker:TargetModel": "eps/*"}),
        allow(invoke, StringEquals={"aws:ResourceTag/stage": "dev"}),
    )
    iam.put_role_policy(RoleName="eps", PolicyName="staged", PolicyDocument=staged)
    role("zeta")
    serves = policy(
        allow(["sagemaker:CreateEndpoint*", "sagemaker:DescribeEndpoint"]),
        allow(invoke, "arn:aws:sagemaker:*:*:endpoint/zeta*"),
        allow(invoke, StringLike={"sagemaker:TargetModel": "zeta/*"}),
    )
    iam.put_role_policy(RoleName="zeta", PolicyName="serves", PolicyDocument=serves)
    role("models-execution", service="sagemaker.amazonaws.com")
    serving = policy(allow("s3:GetObject", "arn:aws:s3:::ml-artifacts*"))
    iam.put_role_policy(RoleName="models-execution", PolicyName="s", PolicyDocument=serving)
    iam.create_group(GroupName="devs")
    iam.attach_group_policy(GroupName="devs", PolicyArn=everything)
    iam.create_user(UserName="dave")
    iam.add_user_to_group(GroupName="devs", UserName="dave")


def _make_hosting(account: Account, url: str, region: str, bucket: str) -> None:
    execution = account.arn("role/models-execution")
    s3 = account.keys.client("s3", url, region)
    where = (
        {} if region == REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    )
    s3.create_bucket(Bucket=bucket, **where)
    only_execution = {
        **deny("s3:*", [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]),
        "Principal": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": execution}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(only_execution))
    s3.create_bucket(Bucket=f"{bucket}-open", **where)
    sagemaker = account.keys.client("sagemaker", url, region)

    def model(name: str, **container: Any) -> None:
        image = {"Image": "image", "Environment": {"API_KEY": "a-secret-of-the-container"}}
        sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=execution,
            PrimaryContainer={**image, **container},
        )

    model("mme", Mode="MultiModel", ModelDataUrl=f"s3://{bucket}/models/")
    model("spare", ModelDataUrl=f"s3://{bucket}-open/spare/model.tar.gz")
    variant = {"VariantName": "all", "ModelName": "mme", "InitialInstanceCount": 1}
    variant |= {"InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}
    sagemaker.create_endpoint_config(EndpointConfigName="Models-1", ProductionVariants=[variant])
    sagemaker.create_endpoint(
        EndpointName="models", EndpointConfigName="Models-1", Tags=tags(stage="prod")
    )


# -- the server in front ---------------------------------------------------------------------


@dataclass
class Rules:
    """What the server in front does with operations, by ``service:Name``.

    Attributes:
        denied: those that are refused, with 403.
        failing: those that are answered by a status and an error code.
        components: the inference components of each region, which moto does not know.
        gone: names whose descriptions are not found.
        calls: the operations that were called.
        dropped: whether every connection is closed without an answer.
        pages: in how many pages the export comes; each is the whole of it.
        before: called before each operation.
    """

    denied: set[str] = field(default_factory=set)
    failing: dict[str, tuple[int, str]] = field(default_factory=dict)
    components: dict[str, list[Json]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    calls: Counter[str] = field(default_factory=Counter)
    dropped: bool = False
    pages: int = 1
    before: Callable[[str], None] = lambda _: None


class Front(ThreadingHTTPServer):
    """A server between boto3 and moto."""

    daemon_threads = True

    def __init__(self, moto: str, management: Keys = MANAGEMENT) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.moto = urlsplit(moto)
        self.management = management
        self.rules = Rules()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


_TARGETS = {"SageMaker": "sagemaker", "AWSOrganizationsV20161128": "organizations"}
_EXPORT = "iam:GetAccountAuthorizationDetails"
_COMPONENT = "sagemaker:DescribeInferenceComponent"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body in one packet: the second would wait for an acknowledgement
    server: Front

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = self._operation(body)
        rules = self.server.rules
        rules.calls[operation] += 1
        rules.before(operation)
        if rules.dropped:
            self.close_connection = True
            return
        if operation in rules.denied:
            self._fail(operation, 403, "AccessDenied", f"not authorized to perform {operation}")
        elif operation in rules.failing:
            self._fail(operation, *rules.failing[operation])
        elif any(f'"{name}"'.encode() in body for name in rules.gone) and "Describe" in operation:
            self._fail(operation, 400, "ValidationException", "Could not find it")
        elif operation.startswith("sagemaker:") and "InferenceComponent" in operation:
            self._component(operation, json.loads(body))
        else:
            self._forward(operation, body)

    do_GET = do_POST = do_HEAD = do_any  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass

    def _operation(self, body: bytes) -> str:
        target = self.headers.get("X-Amz-Target")
        if target:
            service, _, name = target.partition(".")
            return f"{_TARGETS[service]}:{name}"
        if body and b"Action=" in body:
            (name,) = parse_qs(body.decode())["Action"]
            return f"{'sts' if name == 'GetCallerIdentity' else 'iam'}:{name}"
        query = urlsplit(self.path).query
        return "s3:GetBucketPolicy" if "policy" in query else f"s3:GetBucket{query.title()}"

    def _fail(self, operation: str, status: int, code: str, message: str = "no") -> None:
        if operation.startswith("s3:"):
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        elif operation.startswith("iam:"):
            text = (
                "<ErrorResponse><Error><Type>Sender</Type>"
                f"<Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
            )
        else:
            text = json.dumps({"__type": code, "message": message})
        self._answer(status, text.encode(), "text/xml" if text[0] == "<" else "application/json")

    def _answer(self, status: int, data: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def _component(self, operation: str, asked: Json) -> None:
        there = self.server.rules.components.get(self._region(), [])
        if operation != _COMPONENT:
            listed = ("InferenceComponentName", "InferenceComponentArn", "EndpointName",
                      "EndpointArn", "VariantName", "CreationTime", "LastModifiedTime")  # fmt: skip
            reply: Json = {
                "InferenceComponents": [{name: each[name] for name in listed} for each in there]
            }
        else:
            name = asked["InferenceComponentName"]
            reply = next(each for each in there if each["InferenceComponentName"] == name)
        self._answer(200, json.dumps(reply).encode(), "application/x-amz-json-1.1")

    def _region(self) -> str:
        found = re.search(r"Credential=[^/]*/[^/]*/([^/]*)/", self.headers["Authorization"])
        assert found is not None
        return found[1]

    def _forward(self, operation: str, body: bytes) -> None:
        moto = self.server.moto
        assert moto.hostname is not None
        connection = http.client.HTTPConnection(moto.hostname, moto.port, timeout=30)
        headers = dict(self.headers)
        if operation.startswith("organizations:") and "DescribeOrganization" not in operation:
            # As a delegated administrator: to moto only the management account is one.
            access = f"Credential={self.server.management.access}"
            headers["Authorization"] = re.sub("Credential=[^/]*", access, headers["Authorization"])
        connection.request(self.command, self.path, body, headers)
        reply = connection.getresponse()
        data = reply.read()
        connection.close()
        rules = self.server.rules
        if operation == _EXPORT and rules.calls[_EXPORT] < rules.pages:
            more = f"<IsTruncated>true</IsTruncated><Marker>{rules.calls[_EXPORT]}</Marker>"
            data = data.replace(b"<IsTruncated>false</IsTruncated>", more.encode())
        self._answer(reply.status, data, reply.headers.get("Content-Type", "text/plain"))


def component(account: str, region: str, name: str, endpoint: str, url: str) -> Json:
    """An inference component with an artifact of its own."""
    arn = f"arn:aws:sagemaker:{region}:{account}"
    return {
        "InferenceComponentName": name,
        "InferenceComponentArn": f"{arn}:inference-component/{name}",
        "EndpointName": endpoint,
        "EndpointArn": f"{arn}:endpoint/{endpoint}",
        "VariantName": "all",
        "CreationTime": 1700000000,
        "LastModifiedTime": 1700000001,
        "Specification": {"Container": {"ArtifactUrl": url, "Environment": {"TOKEN": "hush"}}},
    }
