"""Account exports as the AWS CLI writes them, built from a few words.

The shapes are those of ``aws iam get-account-authorization-details``, ``aws sagemaker
describe-endpoint``, ``describe-endpoint-config``, ``describe-model`` and
``describe-inference-component``, and ``aws s3api get-bucket-policy`` with the bucket's name and
account beside it, which its output does not say; botocore's service models are what
``tests/routes/test_routes_exports.py`` holds them against.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

CREATED = "2026-01-15T09:30:00+00:00"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-inference:2.3.0-cpu-py311"
INSTANCE = "ml.m5.xlarge"


def allow(actions: str | list[str], resources: str | list[str] = "*", **elements: Any) -> Json:
    """A statement that allows; ``elements`` are further ones, such as ``Condition``."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **elements}


def deny(actions: str | list[str], resources: str | list[str] = "*", **elements: Any) -> Json:
    """A statement that denies."""
    return {"Effect": "Deny", "Action": actions, "Resource": resources, **elements}


def trust(*principals: str, actions: str | list[str] = "sts:AssumeRole", **elements: Any) -> Json:
    """A statement of a trust policy: accounts and ARNs, and services by their names."""
    services = [p for p in principals if p.endswith(".amazonaws.com")]
    callers = [p for p in principals if p not in services]
    named = {"Service": services} if services else {}
    named |= {"AWS": callers} if callers else {}
    return {"Effect": "Allow", "Principal": named, "Action": actions, **elements}


def grant(
    principals: str | list[str],
    actions: str | list[str],
    resources: str | list[str],
    **elements: Any,
) -> Json:
    """A statement of a bucket policy that allows."""
    named = "*" if principals == "*" else {"AWS": principals}
    return {**allow(actions, resources, **elements), "Principal": named}


def document(statements: Iterable[Json]) -> Json:
    """A policy document of statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


@dataclass(frozen=True)
class Artifacts:
    """A container: what it serves, and how."""

    url: str | None
    multi_model: bool = False
    hostname: str | None = None


def multi_model(url: str, hostname: str | None = None) -> Artifacts:
    """A container that serves every artifact under a prefix."""
    return Artifacts(url, True, hostname)


def single_model(url: str, hostname: str | None = None) -> Artifacts:
    """A container that serves one artifact."""
    return Artifacts(url, False, hostname)


@dataclass
class Account:
    """One account, to which identities, policies, endpoints and buckets are added.

    Everything that adds something returns the account, so that the calls can be chained.
    """

    number: str = "111122223333"
    region: str = "us-east-1"
    users: dict[str, Json] = field(default_factory=dict)
    groups: dict[str, Json] = field(default_factory=dict)
    roles: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    models: dict[str, Json] = field(default_factory=dict)
    configs: dict[str, Json] = field(default_factory=dict)
    endpoints: dict[str, Json] = field(default_factory=dict)
    components: dict[str, Json] = field(default_factory=dict)
    buckets: dict[str, Json | None] = field(default_factory=dict)
    organization: Json = field(default_factory=dict)

    def iam(self, kind: str, name: str, path: str = "/") -> str:
        """The ARN of a role, a user, a group or a policy."""
        return f"arn:aws:iam::{self.number}:{kind}{path}{name}"

    def sagemaker(self, kind: str, name: str) -> str:
        """The ARN of an endpoint, a model, an endpoint-config or an inference-component."""
        return f"arn:aws:sagemaker:{self.region}:{self.number}:{kind}/{name}"

    def session(self, role: str, name: str) -> str:
        """The ARN of a session of a role."""
        return f"arn:aws:sts::{self.number}:assumed-role/{role}/{name}"

    def role(
        self,
        name: str,
        *statements: Json,
        trust: Json | list[Json] | None = None,
        tags: Mapping[str, str] | None = None,
        attached: Iterable[str] = (),
        boundary: str | None = None,
        path: str = "/",
    ) -> Account:
        """Add a role; without ``trust`` the EC2 service may assume it, which no tenant can use.

        ``attached`` and ``boundary`` are names of managed policies of the account, or ARNs.
        """
        trusted = trust if isinstance(trust, list) else [trust or _NOBODY]
        self.roles[name] = {
            "Path": path,
            "RoleName": name,
            "RoleId": _unique("AROA", name),
            "Arn": self.iam("role", name, path),
            "CreateDate": CREATED,
            "AssumeRolePolicyDocument": document(trusted),
            "InstanceProfileList": [],
            "RolePolicyList": _inline(statements),
            **self._attachments(attached, boundary),
            **_tags(tags),
            "RoleLastUsed": {},
        }
        return self

    def user(
        self,
        name: str,
        *statements: Json,
        groups: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
        attached: Iterable[str] = (),
        boundary: str | None = None,
        path: str = "/",
    ) -> Account:
        """Add a user, in groups of the account."""
        self.users[name] = {
            "Path": path,
            "UserName": name,
            "UserId": _unique("AIDA", name),
            "Arn": self.iam("user", name, path),
            "CreateDate": CREATED,
            "UserPolicyList": _inline(statements),
            "GroupList": list(groups),
            **self._attachments(attached, boundary),
            **_tags(tags),
        }
        return self

    def group(self, name: str, *statements: Json, attached: Iterable[str] = ()) -> Account:
        """Add a group."""
        self.groups[name] = {
            "Path": "/",
            "GroupName": name,
            "GroupId": _unique("AGPA", name),
            "Arn": self.iam("group", name),
            "CreateDate": CREATED,
            "GroupPolicyList": _inline(statements),
            **self._attachments(attached, None),
        }
        return self

    def managed_policy(
        self, name: str, *statements: Json, before: Iterable[Iterable[Json]] = ()
    ) -> Account:
        """Add a managed policy; ``before`` are its older versions, oldest first."""
        versions = [*before, statements]
        self.policies[name] = {
            "PolicyName": name,
            "PolicyId": _unique("ANPA", name),
            "Arn": self.iam("policy", name),
            "Path": "/",
            "DefaultVersionId": f"v{len(versions)}",
            "AttachmentCount": 1,
            "PermissionsBoundaryUsageCount": 0,
            "IsAttachable": True,
            "CreateDate": CREATED,
            "UpdateDate": CREATED,
            "PolicyVersionList": [
                {
                    "Document": document(version),
                    "VersionId": f"v{number}",
                    "IsDefaultVersion": number == len(versions),
                    "CreateDate": CREATED,
                }
                for number, version in reversed(list(enumerate(versions, 1)))
            ],
        }
        return self

    def bucket(self, name: str, *statements: Json) -> Account:
        """Add a bucket; without statements it has no policy."""
        self.buckets[name] = document(statements) if statements else None
        return self

    def service_control_policies(self, *levels: list[Json]) -> Account:
        """Set the organization's policies: the statements of one policy a level, root first."""
        self.organization["service_control_policies"] = [[document(level)] for level in levels]
        return self

    def resource_control_policies(self, *levels: list[Json]) -> Account:
        """Set those of the organization in the same way; their ``Principal`` is everyone."""
        everyone = [[{**each, "Principal": "*"} for each in level] for level in levels]
        self.organization["resource_control_policies"] = [[document(level)] for level in everyone]
        return self

    def model(
        self, name: str, *containers: Artifacts, execution_role: str, direct: bool = False
    ) -> Account:
        """Add a model; one container is its primary one, ``direct`` lets requests choose."""
        described = [_container(c) for c in containers]
        served = {"Containers": described}
        if len(described) == 1:
            served = {"PrimaryContainer": described[0]}
        mode = {"InferenceExecutionConfig": {"Mode": "Direct" if direct else "Serial"}}
        self.models[name] = {
            "ModelName": name,
            **served,
            **(mode if len(described) > 1 else {}),
            "ExecutionRoleArn": self._arn_of("role", execution_role),
            "CreationTime": CREATED,
            "ModelArn": self.sagemaker("model", name),
            "EnableNetworkIsolation": False,
        }
        return self

    def endpoint(self, name: str, *models: str, asynchronous: bool = False) -> Account:
        """Add an endpoint with a variant for each model, and its configuration."""
        variants = [f"variant-{number}" for number, _ in enumerate(models, 1)]
        output = {"OutputConfig": {"S3OutputPath": "s3://asynchronous-results/"}}
        invoked = {"AsyncInferenceConfig": output} if asynchronous else {}
        self.configs[name] = {
            "EndpointConfigName": f"{name}-config",
            "EndpointConfigArn": self.sagemaker("endpoint-config", f"{name}-config"),
            "ProductionVariants": [
                {
                    "VariantName": variant,
                    "ModelName": model,
                    "InitialInstanceCount": 1,
                    "InstanceType": INSTANCE,
                    "InitialVariantWeight": 1.0,
                }
                for variant, model in zip(variants, models, strict=True)
            ],
            "CreationTime": CREATED,
            **invoked,
        }
        self.endpoints[name] = self._endpoint(name, variants) | invoked
        return self

    def component_endpoint(
        self, name: str, execution_role: str, components: Mapping[str, str]
    ) -> Account:
        """Add an endpoint of inference components: names, and the models behind them."""
        self.configs[name] = {
            "EndpointConfigName": f"{name}-config",
            "EndpointConfigArn": self.sagemaker("endpoint-config", f"{name}-config"),
            "ProductionVariants": [
                {
                    "VariantName": "variant-1",
                    "InstanceType": INSTANCE,
                    "InitialInstanceCount": 1,
                    "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
                }
            ],
            "CreationTime": CREATED,
            "ExecutionRoleArn": self._arn_of("role", execution_role),
            "EnableNetworkIsolation": False,
        }
        self.endpoints[name] = self._endpoint(name, ["variant-1"])
        for component, model in components.items():
            self.components[component] = {
                "InferenceComponentName": component,
                "InferenceComponentArn": self.sagemaker("inference-component", component),
                "EndpointName": name,
                "EndpointArn": self.sagemaker("endpoint", name),
                "VariantName": "variant-1",
                "Specification": {
                    "ModelName": model,
                    "ComputeResourceRequirements": {
                        "NumberOfCpuCoresRequired": 1.0,
                        "MinMemoryRequiredInMb": 1024,
                    },
                },
                "RuntimeConfig": {"DesiredCopyCount": 1, "CurrentCopyCount": 1},
                "CreationTime": CREATED,
                "LastModifiedTime": CREATED,
                "InferenceComponentStatus": "InService",
            }
        return self

    def authorization_details(self) -> Json:
        """What ``aws iam get-account-authorization-details`` prints."""
        return {
            "UserDetailList": list(self.users.values()),
            "GroupDetailList": list(self.groups.values()),
            "RoleDetailList": list(self.roles.values()),
            "Policies": list(self.policies.values()),
        }

    def files(self) -> dict[str, Json]:
        """The export: what each command printed, by the name of the file that keeps it."""
        found = {"authorization-details.json": self.authorization_details()}
        found |= {f"endpoint-{name}.json": told for name, told in self.endpoints.items()}
        found |= {f"endpoint-config-{name}.json": told for name, told in self.configs.items()}
        found |= {f"model-{name}.json": told for name, told in self.models.items()}
        found |= {f"component-{name}.json": told for name, told in self.components.items()}
        for name, policy in self.buckets.items():
            told = {} if policy is None else {"Policy": json.dumps(policy)}
            found[f"bucket-policy-{name}.json"] = {"Bucket": name, "Account": self.number} | told
        if self.organization:
            found["organization.json"] = {"organization": {self.number: self.organization}}
        return found

    def write(self, folder: Path) -> None:
        """Write the export into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, told in self.files().items():
            (folder / name).write_text(json.dumps(told, indent=4) + "\n", "utf-8")

    def _endpoint(self, name: str, variants: list[str]) -> Json:
        return {
            "EndpointName": name,
            "EndpointArn": self.sagemaker("endpoint", name),
            "EndpointConfigName": f"{name}-config",
            "ProductionVariants": [
                {
                    "VariantName": variant,
                    "CurrentWeight": 1.0,
                    "DesiredWeight": 1.0,
                    "CurrentInstanceCount": 1,
                    "DesiredInstanceCount": 1,
                }
                for variant in variants
            ],
            "EndpointStatus": "InService",
            "CreationTime": CREATED,
            "LastModifiedTime": CREATED,
        }

    def _attachments(self, attached: Iterable[str], boundary: str | None) -> Json:
        arns = [self._arn_of("policy", name) for name in attached]
        told: Json = {
            "AttachedManagedPolicies": [
                {"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns
            ]
        }
        if boundary is not None:
            arn = self._arn_of("policy", boundary)
            limit = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn}
            told["PermissionsBoundary"] = limit
        return told

    def _arn_of(self, kind: str, name: str) -> str:
        return name if name.startswith("arn:") else self.iam(kind, name)


_NOBODY = trust("ec2.amazonaws.com")


def _container(artifacts: Artifacts) -> Json:
    told: Json = {} if artifacts.hostname is None else {"ContainerHostname": artifacts.hostname}
    told |= {"Image": IMAGE, "Mode": "MultiModel" if artifacts.multi_model else "SingleModel"}
    if artifacts.url is not None:
        told["ModelDataUrl"] = artifacts.url
    return told | {"Environment": {}}


def _inline(statements: tuple[Json, ...]) -> list[Json]:
    if not statements:
        return []
    return [{"PolicyName": "inline", "PolicyDocument": document(statements)}]


def _tags(tags: Mapping[str, str] | None) -> Json:
    return {"Tags": [{"Key": key, "Value": value} for key, value in (tags or {}).items()]}


def _unique(prefix: str, name: str) -> str:
    """A unique ID in IAM's form, the same for the same name."""
    return prefix + name.upper().encode().hex().upper()[-17:].rjust(17, "0")
