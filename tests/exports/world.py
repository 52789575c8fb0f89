"""Accounts of a few tenants around one bucket, with everything in them that should not matter."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .account import Account, Json, allow, document, multi_model, trust

STRANGER = "999988887777"
"""An account that holds nobody's principals."""


@dataclass(frozen=True)
class Names:
    """What things are called: no answer may hang on it."""

    attacker: str = "acme"
    victim: str = "beta"
    bystander: str = "gamma"
    bucket: str = "models-prod"
    endpoint: str = "models"
    tag: str = "tenant"
    platform: str = "platform"

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants, the attacker first."""
        return self.attacker, self.victim, self.bystander

    def keys(self, tenant: str) -> str:
        """The ARN pattern of a tenant's objects."""
        return f"arn:aws:s3:::{self.bucket}/{tenant}/*"

    @property
    def all_keys(self) -> str:
        """The ARN pattern of everybody's objects."""
        return f"arn:aws:s3:::{self.bucket}/*"

    @property
    def own_tag(self) -> str:
        """The policy variable of the caller's tenant."""
        return f"${{aws:PrincipalTag/{self.tag}}}"


@dataclass
class World:
    """Accounts, and the manifest that is asked of them.

    ``principals`` are the tables of each tenant's principals, ``files`` further files beside the
    manifest.
    """

    names: Names
    account: Account = field(default_factory=Account)
    other: Account = field(default_factory=lambda: Account("444455556666"))
    principals: dict[str, list[Json]] = field(default_factory=dict)
    artifacts: dict[str, list[str]] = field(default_factory=dict)
    shared: list[str] = field(default_factory=list)
    files: dict[str, Json] = field(default_factory=dict)
    depth: int | None = None

    def principal(self, tenant: str) -> str:
        """The ARN of a tenant's first principal."""
        return str(self.principals[tenant][0]["arn"])

    def act_for(self, tenant: str, arn: str, **fields: Any) -> World:
        """Let a principal act for a tenant, instead of those that did."""
        self.principals[tenant] = [{"arn": arn, **fields}]
        return self

    def policy(self, file: str, *statements: Json) -> str:
        """Keep a policy in a file beside the manifest; returns the file's name."""
        self.files[file] = document(statements)
        return file

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts that hold anything."""
        return (self.account, *([self.other] if self.other.roles or self.other.buckets else []))

    def manifest(self) -> str:
        """The text of ``tenantproof.toml``."""
        lines = [f"sources = {json.dumps([f'export-{a.number}' for a in self.accounts])}"]
        if self.depth is not None:
            lines += ["[routes]", f"depth = {self.depth}"]
        for tenant, principals in self.principals.items():
            lines += ["", "[[tenants]]", f'name = "{tenant}"']
            lines.append(f"artifacts = {json.dumps(self.artifacts[tenant])}")
            for table in principals:
                lines.append("[[tenants.principals]]")
                lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> Path:
        """Write exports, policies and manifest into a folder; returns the manifest's path."""
        folder.mkdir(parents=True, exist_ok=True)
        for account in self.accounts:
            account.write(folder / f"export-{account.number}")
        for name, policy in self.files.items():
            (folder / name).write_text(json.dumps(policy, indent=2) + "\n", "utf-8")
        path = folder / "tenantproof.toml"
        path.write_text(self.manifest(), "utf-8")
        return path


def invoke_own(names: Names) -> Json:
    """The usual statement: a tenant's tag tells its models apart on the shared endpoint."""
    condition = {"StringLike": {"sagemaker:TargetModel": f"{names.own_tag}/*"}}
    endpoint = Account().sagemaker("endpoint", names.endpoint)
    return allow("sagemaker:InvokeEndpoint", endpoint, Condition=condition)


def world(names: Names, *statements: Json, **attacker: Any) -> World:
    """Tenants with a role each that keeps to its own models on one multi-model endpoint.

    Around them are roles of the platform that may do everything, which no tenant can become.

    Args:
        names: what things are called.
        statements: what the attacker's role is allowed beside the usual.
        attacker: further arguments of the attacker's role.
    """
    made = World(names)
    account = made.account
    execution = f"{names.endpoint}-execution"
    reads = allow("s3:GetObject", names.all_keys)
    account.role(execution, reads, trust=trust("sagemaker.amazonaws.com"))
    account.bucket(names.bucket)
    account.model(names.endpoint, multi_model(f"s3://{names.bucket}/"), execution_role=execution)
    account.endpoint(names.endpoint, names.endpoint)
    for tenant in names.tenants:
        more = statements if tenant == names.attacker else ()
        add_tenant(made, tenant, *more, **(attacker if tenant == names.attacker else {}))
    _add_platform(account, names)
    return made


def add_tenant(made: World, tenant: str, *statements: Json, **role: Any) -> None:
    """Add a tenant with one role that may invoke its own models."""
    names, account = made.names, made.account
    broker = account.iam("role", f"{names.platform}-broker", "/platform/")
    given: dict[str, Any] = {"trust": trust(broker), "tags": {names.tag: tenant}, **role}
    account.role(tenant, invoke_own(names), *statements, **given)
    made.principals[tenant] = [{"arn": account.iam("role", tenant)}]
    made.artifacts[tenant] = [f"s3://{names.bucket}/{tenant}/*"]


def _add_platform(account: Account, names: Names) -> None:
    """Roles with every right, for services and strangers alone; a user, a group, a policy."""
    stranger = f"arn:aws:iam::{STRANGER}:role/break-glass"
    roles = [account.iam("role", tenant) for tenant in names.tenants]
    account.role(
        f"{names.platform}-broker",
        allow(["sts:AssumeRole", "sts:TagSession"], roles),
        trust=trust("ecs-tasks.amazonaws.com"),
        path="/platform/",
    )
    account.role(f"{names.platform}-administrator", allow("*"), trust=trust(stranger))
    account.role(
        f"{names.platform}-deployer",
        allow(["sagemaker:*", "iam:PassRole"]),
        allow("s3:*", [f"arn:aws:s3:::{names.bucket}", names.all_keys]),
        trust=trust("codebuild.amazonaws.com"),
    )
    account.role(
        f"{names.platform}-auditor",
        allow(["iam:TagRole", "iam:UntagRole", "iam:Get*", "iam:List*"]),
        trust=trust("config.amazonaws.com"),
    )
    account.managed_policy(f"{names.platform}-everything", allow("*"))
    account.group(f"{names.platform}-engineers", attached=[f"{names.platform}-everything"])
    account.user(f"{names.platform}-engineer", groups=[f"{names.platform}-engineers"])
