"""A world of IAM and SageMaker, and how each notation writes it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

ACCOUNT = "111122223333"
REGION = "eu-west-1"
_IAM = f"arn:aws:iam::{ACCOUNT}"
_SAGEMAKER = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"

Json = dict[str, Any]


@dataclass(frozen=True)
class Owner:
    name: str
    path: str = "/"
    inline: dict[str, Json] = field(default_factory=dict)
    managed: tuple[str, ...] = ()
    boundary: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Served:
    """An endpoint with a configuration and a model of the same name."""

    name: str
    url: str
    multi: bool
    role: str
    asynchronous: bool
    tags: dict[str, str]


@dataclass(frozen=True)
class World:
    policies: dict[str, Json]
    roles: tuple[Owner, ...]
    users: tuple[Owner, ...]
    groups: tuple[Owner, ...]
    endpoints: tuple[Served, ...]


TRUST: Json = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "sagemaker.amazonaws.com"},
        }
    ],
}

names = st.sampled_from(["acme", "umbrella", "Initech-1", "tenant_v"])
_statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Action": st.sampled_from(["sagemaker:InvokeEndpoint", "s3:*", ["s3:GetObject", "iam:*"]]),
        "Resource": st.sampled_from(["*", f"{_SAGEMAKER}:endpoint/models", "arn:aws:s3:::b-1/*"]),
    },
    optional={
        "Sid": st.just("Only"),
        "Condition": st.sampled_from(
            [
                {"StringLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/tenant}/*"}},
                {"Bool": {"aws:SecureTransport": True}, "Null": {"aws:SourceIp": "false"}},
            ]
        ),
    },
)
documents: st.SearchStrategy[Json] = st.lists(_statements, min_size=1, max_size=2).map(
    lambda s: {
        "Version": "2012-10-17",
        "Statement": [
            {k: v for k, v in each.items() if k != "Sid" or i == 0} for i, each in enumerate(s)
        ],
    }
)
_tags = st.dictionaries(st.sampled_from(["tenant", "Team"]), st.sampled_from(["acme", "", "a b"]))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    policies = draw(st.dictionaries(names, documents, max_size=2))

    def owners(groups: tuple[str, ...] = (), *, plain: bool = False) -> tuple[Owner, ...]:
        known = (
            st.lists(st.sampled_from(sorted(policies)), unique=True) if policies else st.just([])
        )
        unique = st.lists(names, max_size=2, unique=True)
        return tuple(
            Owner(
                name,
                draw(st.sampled_from(["/", "/tenants/"])),
                draw(st.dictionaries(st.sampled_from(["one", "two"]), documents)),
                tuple(draw(known)),
                None if plain or not policies else draw(st.sampled_from([None, *policies])),
                {} if plain else draw(_tags),
                tuple(draw(st.lists(st.sampled_from(groups), unique=True))) if groups else (),
            )
            for name in draw(unique)
        )

    groups = owners(plain=True)
    roles = owners()
    served = tuple(
        Served(
            name,
            draw(st.sampled_from(["s3://models/", "s3://models/acme/model.tar.gz"])),
            draw(st.booleans()),
            draw(st.sampled_from([f"{_IAM}:role/elsewhere", *map(role_arn, roles)])),
            draw(st.booleans()),
            draw(_tags),
        )
        for name in draw(st.lists(st.sampled_from(["models", "other"]), unique=True))
    )
    return World(policies, roles, owners(tuple(g.name for g in groups)), groups, served)


def role_arn(role: Owner) -> str:
    return f"{_IAM}:role{role.path}{role.name}"


def policy_arn(name: str) -> str:
    return f"{_IAM}:policy/{name}"


def _pairs(tags: dict[str, str]) -> list[Json]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


# -- exports ---------------------------------------------------------------------------------


def as_exports(world: World) -> dict[str, Json]:
    """What the service itself says: by file name, the documents."""

    def common(owner: Owner, kind: str) -> Json:
        return {
            "Path": owner.path,
            f"{kind}Name": owner.name,
            f"{kind}Id": f"ID{owner.name}",
            "Arn": f"{_IAM}:{kind.lower()}{owner.path}{owner.name}",
            "CreateDate": "2024-01-01T00:00:00+00:00",
            f"{kind}PolicyList": [
                {"PolicyName": name, "PolicyDocument": document}
                for name, document in owner.inline.items()
            ],
            "AttachedManagedPolicies": [
                {"PolicyName": name, "PolicyArn": policy_arn(name)} for name in owner.managed
            ],
        }

    def bounded(owner: Owner, kind: str) -> Json:
        found = common(owner, kind) | {"Tags": _pairs(owner.tags)}
        if owner.boundary is not None:
            found["PermissionsBoundary"] = {
                "PermissionsBoundaryType": "Policy",
                "PermissionsBoundaryArn": policy_arn(owner.boundary),
            }
        return found

    details = {
        "UserDetailList": [
            bounded(user, "User") | {"GroupList": list(user.groups)} for user in world.users
        ],
        "GroupDetailList": [common(group, "Group") for group in world.groups],
        "RoleDetailList": [
            bounded(role, "Role") | {"AssumeRolePolicyDocument": TRUST, "InstanceProfileList": []}
            for role in world.roles
        ],
        "Policies": [
            {
                "PolicyName": name,
                "Arn": policy_arn(name),
                "Path": "/",
                "DefaultVersionId": "v1",
                "PolicyVersionList": [
                    {"Document": document, "VersionId": "v1", "IsDefaultVersion": True}
                ],
            }
            for name, document in world.policies.items()
        ],
        "IsTruncated": False,
    }
    found: dict[str, Json] = {"details.json": details}
    for each in world.endpoints:
        container = {"Image": "image", "Mode": _mode(each), "ModelDataUrl": each.url}
        found[f"{each.name}-model.json"] = {
            "ModelName": each.name,
            "ModelArn": f"{_SAGEMAKER}:model/{each.name}",
            "PrimaryContainer": container,
            "ExecutionRoleArn": each.role,
        }
        found[f"{each.name}-config.json"] = {
            "EndpointConfigName": each.name,
            "EndpointConfigArn": f"{_SAGEMAKER}:endpoint-config/{each.name}",
            "ProductionVariants": [{"VariantName": "all", "ModelName": each.name}],
        } | ({"AsyncInferenceConfig": {"OutputConfig": {}}} if each.asynchronous else {})
        found[f"{each.name}-endpoint.json"] = {
            "EndpointName": each.name,
            "EndpointArn": f"{_SAGEMAKER}:endpoint/{each.name}",
            "EndpointConfigName": each.name,
            "EndpointStatus": "InService",
            "Tags": _pairs(each.tags),
        }
    return found


def _mode(served: Served) -> str:
    return "MultiModel" if served.multi else "SingleModel"


# -- Terraform -------------------------------------------------------------------------------


def resource(type_: str, name: str, values: Json, index: str | int | None = None) -> Json:
    suffix = "" if index is None else f"[{json.dumps(index)}]"
    found = {
        "address": f"{type_}.{name}{suffix}",
        "mode": "managed",
        "type": type_,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": values,
    }
    return found if index is None else found | {"index": index}


def plan(
    resources: list[Json],
    unknown: dict[str, Json] | None = None,
    written: dict[str, Json] | None = None,
    *,
    changes: list[Json] | None = None,
    region: str | None = REGION,
    **more: Any,
) -> Json:
    """A plan that creates resources.

    ``unknown`` is by address what is known only after apply, ``written`` by address the
    expressions of the configuration.
    """
    made = [
        {
            **{key: value for key, value in each.items() if key != "values"},
            "change": {
                "actions": ["create"],
                "before": None,
                "after": each["values"],
                "after_unknown": (unknown or {}).get(each["address"], {}),
            },
        }
        for each in resources
    ]
    configured = [
        {
            "address": address,
            "mode": "data" if address.startswith("data.") else "managed",
            "provider_config_key": "aws",
            "expressions": expressions,
        }
        for address, expressions in (written or {}).items()
    ]
    aws = {"expressions": {"region": {"constant_value": region}}} if region else {}
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "planned_values": {"root_module": {"resources": resources}},
        "resource_changes": [*made, *(changes or [])],
        "configuration": {
            "provider_config": {"aws": aws},
            "root_module": {"resources": configured},
        },
        **more,
    }


def caller() -> Json:
    return {
        "values": {
            "root_module": {
                "resources": [
                    {
                        "address": "data.aws_caller_identity.current",
                        "mode": "data",
                        "type": "aws_caller_identity",
                        "name": "current",
                        "values": {"account_id": ACCOUNT},
                    }
                ]
            }
        }
    }


def as_plan(world: World) -> Json:
    resources: list[Json] = []
    unknown: dict[str, Json] = {}
    written: dict[str, Json] = {}

    def add(type_: str, name: str, values: Json, hidden: Json | None = None) -> str:
        found = resource(type_, name, values)
        resources.append(found)
        unknown[found["address"]] = hidden or {}
        return str(found["address"])

    for name, document in world.policies.items():
        add(
            "aws_iam_policy",
            name,
            {"name": name, "path": "/", "policy": json.dumps(document), "tags": None},
            {"arn": True, "id": True},
        )
    for kind, owners in (("role", world.roles), ("user", world.users), ("group", world.groups)):
        for owner in owners:
            values: Json = {"name": owner.name, "path": owner.path}
            hidden: Json = {"arn": True, "id": True}
            if kind != "group":
                values["tags"] = values["tags_all"] = owner.tags
                values["permissions_boundary"] = owner.boundary and policy_arn(owner.boundary)
            if kind == "role":
                values["assume_role_policy"] = json.dumps(TRUST)
                hidden |= {"managed_policy_arns": True, "inline_policy": True}
            add(f"aws_iam_{kind}", owner.name, values, hidden)
            for name, document in owner.inline.items():
                add(
                    f"aws_iam_{kind}_policy",
                    f"{owner.name}-{name}",
                    {"name": name, kind: owner.name, "policy": json.dumps(document)},
                )
            for name in owner.managed:
                address = add(
                    f"aws_iam_{kind}_policy_attachment",
                    f"{owner.name}-{name}",
                    {kind: owner.name},
                    {"policy_arn": True},
                )
                target = f"aws_iam_policy.{name}"
                written[address] = {"policy_arn": {"references": [f"{target}.arn", target]}}
            if owner.groups:
                values = {"user": owner.name, "groups": list(owner.groups)}
                add("aws_iam_user_group_membership", owner.name, values)
    for each in world.endpoints:
        add(
            "aws_sagemaker_model",
            each.name,
            {
                "name": each.name,
                "execution_role_arn": each.role,
                "primary_container": [
                    {"image": "image", "mode": _mode(each), "model_data_url": each.url}
                ],
                "container": [],
            },
            {"arn": True},
        )
        add(
            "aws_sagemaker_endpoint_configuration",
            each.name,
            {
                "name": each.name,
                "production_variants": [{"variant_name": "all", "model_name": each.name}],
                "async_inference_config": [{"output_config": []}] if each.asynchronous else [],
            },
            {"arn": True},
        )
        values = {
            "name": each.name,
            "endpoint_config_name": each.name,
            "tags": each.tags,
            "tags_all": each.tags,
        }
        add("aws_sagemaker_endpoint", each.name, values, {"arn": True})
    return plan(resources, unknown, written, prior_state=caller())


# -- CloudFormation --------------------------------------------------------------------------


def as_template(world: World) -> Json:
    resources: dict[str, Json] = {}

    def logical(kind: str, name: str) -> str:
        return kind + name.replace("-", "").replace("_", "").capitalize()

    for name, document in world.policies.items():
        resources[logical("Policy", name)] = {
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {"ManagedPolicyName": name, "PolicyDocument": document},
        }
    for kind, owners in (
        ("Role", world.roles),
        ("User", world.users),
        ("Group", world.groups),
    ):
        for owner in owners:
            properties: Json = {
                f"{kind}Name": owner.name,
                "Path": owner.path,
                "Policies": [
                    {"PolicyName": name, "PolicyDocument": document}
                    for name, document in owner.inline.items()
                ],
                "ManagedPolicyArns": [{"Ref": logical("Policy", name)} for name in owner.managed],
            }
            if kind != "Group":
                properties["Tags"] = _pairs(owner.tags)
            if kind == "Role":
                properties["AssumeRolePolicyDocument"] = TRUST
            if owner.boundary is not None:
                properties["PermissionsBoundary"] = {"Ref": logical("Policy", owner.boundary)}
            if owner.groups:
                properties["Groups"] = [{"Ref": logical("Group", name)} for name in owner.groups]
            type_ = f"AWS::IAM::{kind}"
            resources[logical(kind, owner.name)] = {"Type": type_, "Properties": properties}
    for each in world.endpoints:
        model, config = logical("Model", each.name), logical("Config", each.name)
        resources[model] = {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ModelName": each.name,
                "ExecutionRoleArn": each.role,
                "PrimaryContainer": {"Mode": _mode(each), "ModelDataUrl": each.url},
            },
        }
        resources[config] = {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "EndpointConfigName": each.name,
                "ProductionVariants": [
                    {"VariantName": "all", "ModelName": {"Fn::GetAtt": [model, "ModelName"]}}
                ],
            }
            | ({"AsyncInferenceConfig": {"OutputConfig": {}}} if each.asynchronous else {}),
        }
        resources[logical("Endpoint", each.name)] = {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": each.name,
                "EndpointConfigName": {"Fn::GetAtt": f"{config}.EndpointConfigName"},
                "Tags": _pairs(each.tags),
            },
        }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}
