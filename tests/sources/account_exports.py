"""Account exports and descriptions of SageMaker, made for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tenantproof.account import Estate
from tenantproof.sources import load_sources

ACCOUNT = "111122223333"
SAGEMAKER = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
Json = dict[str, Any]


def policy(*statements: Json) -> Json:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **condition: Any) -> Json:
    found = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def invoke(*targets: str, endpoint: str = "models") -> Json:
    """An Allow to invoke an endpoint with some TargetModels; with any without them."""
    condition = {"StringLike": {"sagemaker:TargetModel": list(targets)}} if targets else {}
    return allow("sagemaker:InvokeEndpoint", f"{SAGEMAKER}:endpoint/{endpoint}", **condition)


def trust(**principal: Any) -> Json:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


def tags(given: dict[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in given.items()]


def role(name: str, *statements: Json, tag: dict[str, str] | None = None, **more: Any) -> Json:
    inline = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []
    return {
        "Path": "/",
        "RoleName": name,
        "RoleId": "AROAEXAMPLE",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/{name}",
        "CreateDate": "2025-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": trust(AWS=f"arn:aws:iam::{ACCOUNT}:root"),
        "InstanceProfileList": [],
        "RolePolicyList": inline,
        "AttachedManagedPolicies": [],
        "Tags": tags(tag or {}),
        "RoleLastUsed": {},
        **more,
    }


def user(name: str, *statements: Json, tag: dict[str, str] | None = None, **more: Any) -> Json:
    inline = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []
    return {
        "Path": "/",
        "UserName": name,
        "UserId": "AIDAEXAMPLE",
        "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
        "CreateDate": "2025-01-01T00:00:00+00:00",
        "UserPolicyList": inline,
        "GroupList": [],
        "AttachedManagedPolicies": [],
        "Tags": tags(tag or {}),
        **more,
    }


def group(name: str, *statements: Json, **more: Any) -> Json:
    inline = [{"PolicyName": "own", "PolicyDocument": policy(*statements)}] if statements else []
    return {
        "Path": "/",
        "GroupName": name,
        "GroupId": "AGPAEXAMPLE",
        "Arn": f"arn:aws:iam::{ACCOUNT}:group/{name}",
        "CreateDate": "2025-01-01T00:00:00+00:00",
        "GroupPolicyList": inline,
        "AttachedManagedPolicies": [],
        **more,
    }


def managed(name: str, *statements: Json, **more: Any) -> Json:
    version = {"Document": policy(*statements), "VersionId": "v1", "IsDefaultVersion": True}
    return {
        "PolicyName": name,
        "PolicyId": "ANPAEXAMPLE",
        "Arn": f"arn:aws:iam::{ACCOUNT}:policy/{name}",
        "Path": "/",
        "DefaultVersionId": "v1",
        "AttachmentCount": 1,
        "PolicyVersionList": [version],
        **more,
    }


def attached(*names: str) -> list[Json]:
    return [
        {"PolicyName": name, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/{name}"} for name in names
    ]


def export(
    *roles: Json, users: Any = (), groups: Any = (), policies: Any = (), **more: Any
) -> Json:
    return {
        "UserDetailList": list(users),
        "GroupDetailList": list(groups),
        "RoleDetailList": list(roles),
        "Policies": list(policies),
        **more,
    }


def execution_role(name: str = "models-execution") -> Json:
    read = allow("s3:GetObject", "arn:aws:s3:::ml-artifacts/*")
    return role(name, read, AssumeRolePolicyDocument=trust(Service="sagemaker.amazonaws.com"))


def endpoint(name: str = "models", model: str | None = "mme", **more: Any) -> Json:
    """What describes an endpoint and its configuration."""
    variant = {"VariantName": "all", **({"ModelName": model} if model else {})}
    return {
        "endpoints": [
            {
                "EndpointName": name,
                "EndpointArn": f"{SAGEMAKER}:endpoint/{name}",
                "EndpointConfigName": f"{name}-config",
                "ProductionVariants": [{"VariantName": "all"}],
                "EndpointStatus": "InService",
                **more,
            }
        ],
        "endpoint_configs": [
            {
                "EndpointConfigName": f"{name}-config",
                "EndpointConfigArn": f"{SAGEMAKER}:endpoint-config/{name}-config",
                "ProductionVariants": [variant],
            }
        ],
    }


def model(name: str = "mme", url: str = "s3://ml-artifacts/models/", **more: Any) -> Json:
    container = {"Image": "image", "Mode": "MultiModel", "ModelDataUrl": url}
    return {
        "ModelName": name,
        "ModelArn": f"{SAGEMAKER}:model/{name}",
        "PrimaryContainer": container,
        "ExecutionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/models-execution",
        **more,
    }


def single(name: str, url: str, **more: Any) -> Json:
    container = {"Image": "image", "Mode": "SingleModel", "ModelDataUrl": url}
    return model(name, PrimaryContainer=container, **more)


def shared_endpoint(url: str = "s3://ml-artifacts/models/") -> Json:
    """One multi-model endpoint that all tenants are on."""
    return {**endpoint(), "models": [model(url=url)]}


def write(folder: Path, **files: Any) -> Path:
    """Write files, of JSON or of text as given; ``bucket__x`` is ``bucket-x.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=2)
        folder.joinpath(f"{name.replace('__', '-')}.json").write_text(text, "utf-8")
    return folder


def load(folder: Path, **files: Any) -> Estate:
    return load_sources([write(folder, **files)])


def url_encoded(node: Any) -> Any:
    """An export as the API gives it: documents as URL-encoded texts."""
    match node:
        case dict():
            return {
                key: quote(json.dumps(value))
                if key in {"Document", "PolicyDocument", "AssumeRolePolicyDocument"}
                else url_encoded(value)
                for key, value in node.items()
            }
        case list():
            return [url_encoded(item) for item in node]
        case _:
            return node
