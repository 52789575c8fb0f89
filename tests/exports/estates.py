"""Accounts as an estate, without writing and reading their export.

What the sources make of an export is to be the same as this.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from tenantproof.account import (
    Bucket,
    Container,
    Estate,
    Group,
    HostedEndpoint,
    Identity,
    InferenceComponent,
    ManagedPolicy,
    Model,
    Organization,
    Variant,
)
from tenantproof.policy import Levels, PolicyDocument, parse_policy

from .account import Account, Json


def estate(accounts: Iterable[Account]) -> Estate:
    """The accounts together."""
    joined = Estate()
    for account in accounts:
        joined = joined.joined(_estate(account))
    return joined


def _estate(account: Account) -> Estate:
    managed = {told["Arn"]: _managed_policy(told) for told in account.policies.values()}
    records = (*account.users.values(), *account.roles.values())
    models = {name: _model(told) for name, told in account.models.items()}
    return Estate(
        identities=tuple(_identity(account, told, managed) for told in records),
        groups=tuple(_group(told, managed) for told in account.groups.values()),
        managed_policies=tuple(managed.values()),
        endpoints=tuple(_endpoint(account, name, models) for name in account.endpoints),
        models=tuple(models.values()),
        buckets=tuple(
            Bucket(name, account.number, None if told is None else _document(told))
            for name, told in account.buckets.items()
        ),
        organizations={account.number: _organization(account)} if account.organization else {},
    )


def _document(told: Json) -> PolicyDocument:
    return parse_policy(json.dumps(told))


def _managed_policy(told: Json) -> ManagedPolicy:
    versions = {v["VersionId"]: _document(v["Document"]) for v in told["PolicyVersionList"]}
    default = versions.pop(told["DefaultVersionId"])
    return ManagedPolicy(told["Arn"], default, other_versions=versions)


def _text(policy: ManagedPolicy) -> PolicyDocument:
    assert policy.document is not None
    return policy.document


def _policies(
    told: Json, managed: dict[str, ManagedPolicy]
) -> tuple[tuple[PolicyDocument, ...], tuple[str, ...]]:
    """The policies of a user, a role or a group, and the ARNs of the managed ones."""
    inline = next(
        told[f"{kind}PolicyList"]
        for kind in ("User", "Role", "Group")
        if f"{kind}PolicyList" in told
    )
    arns = tuple(attached["PolicyArn"] for attached in told["AttachedManagedPolicies"])
    documents = (
        *(_document(p["PolicyDocument"]) for p in inline),
        *(_text(managed[a]) for a in arns),
    )
    return documents, arns


def _group(told: Json, managed: dict[str, ManagedPolicy]) -> Group:
    return Group(told["Arn"], None, *_policies(told, managed))


def _identity(account: Account, told: Json, managed: dict[str, ManagedPolicy]) -> Identity:
    groups = [account.groups[name] for name in told.get("GroupList", ())]
    found = [_policies(record, managed) for record in (told, *groups)]
    boundary = told.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    trusted = told.get("AssumeRolePolicyDocument")
    arns = (*(arn for _, named in found for arn in named), *([boundary] if boundary else []))
    return Identity(
        told["Arn"],
        tuple(document for documents, _ in found for document in documents),
        {tag["Key"]: tag["Value"] for tag in told["Tags"]},
        _text(managed[boundary]) if boundary else None,
        _document(trusted) if trusted else None,
        tuple(dict.fromkeys(arns)),
        tuple(group["Arn"] for group in groups),
    )


def _model(told: Json) -> Model:
    described = told.get("Containers") or [told["PrimaryContainer"]]
    containers = tuple(
        Container(c.get("ModelDataUrl"), c["Mode"] == "MultiModel", c.get("ContainerHostname"))
        for c in described
    )
    direct = told.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    role, arn = told["ExecutionRoleArn"], told["ModelArn"]
    return Model(told["ModelName"], containers, role, direct, arn)


def _endpoint(account: Account, name: str, models: dict[str, Model]) -> HostedEndpoint:
    config = account.configs[name]
    return HostedEndpoint(
        account.endpoints[name]["EndpointArn"],
        tuple(
            Variant(v["VariantName"], models[v["ModelName"]] if "ModelName" in v else None)
            for v in config["ProductionVariants"]
        ),
        tuple(
            InferenceComponent(c["InferenceComponentArn"], models[c["Specification"]["ModelName"]])
            for c in account.components.values()
            if c["EndpointName"] == name
        ),
        "AsyncInferenceConfig" in config,
        config_arn=config["EndpointConfigArn"],
    )


def _organization(account: Account) -> Organization:
    def levels(name: str) -> Levels:
        told = account.organization.get(name, [])
        return tuple(tuple(_document(policy) for policy in level) for level in told)

    return Organization(levels("service_control_policies"), levels("resource_control_policies"))
