"""What a manifest says itself of the accounts: roles, buckets, and what an endpoint serves.

The same model as the sources give (:mod:`tenantproof.account`); a manifest can have either, or
both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tenantproof.account import (
    Bucket,
    Container,
    Estate,
    HostedEndpoint,
    Identity,
    Model,
    Organization,
    Variant,
    parse_s3,
)
from tenantproof.errors import Place
from tenantproof.isolation.tables import Table
from tenantproof.policy import Levels, PolicyDocument, PolicyKind
from tenantproof.sources import Deployment

ReadPolicy = Callable[[str, PolicyKind], PolicyDocument | None]
"""Reads a policy file that a manifest names; None where it has problems, which are reported."""


def read_role(table: Table, arn: str, tags: dict[str, str], read: ReadPolicy) -> Identity:
    """A ``[[roles]]`` table: a role that is no tenant's, an execution role or one of a platform.

    Args:
        table: the table; its ``arn`` and ``tags`` have been read.
        arn: the role's ARN.
        tags: its tags.
        read: reads policy files.
    """
    boundary = table.text("permissions_boundary", required=False)
    trust = table.text("trust_policy", required=False)
    policies = (read(name, PolicyKind.IDENTITY) for name in table.texts("policies", required=False))
    if arn and ":role/" not in arn:
        table.report("arn", f'found "{arn}", expected the ARN of a role')
    role = Identity(
        arn,
        tuple(policy for policy in policies if policy is not None),
        tags,
        read(boundary, PolicyKind.IDENTITY) if boundary else None,
        read(trust, PolicyKind.ANY) if trust else None,
        place=Place(table.file, table.path),
    )
    table.finish()
    return role


def read_bucket(table: Table, read: ReadPolicy) -> Bucket:
    """A ``[[buckets]]`` table."""
    name = table.text("name")
    account = table.text("account", required=False)
    _check_account(table, "account", account)
    policy = table.text("policy", required=False)
    if name and parse_s3(f"s3://{name}/") is None:
        table.report("name", f'found "{name}", expected the name of a bucket')
    document = read(policy, PolicyKind.ANY) if policy else None
    table.finish()
    return Bucket(name, account or None, document, Place(table.file, table.path))


def read_account(table: Table, read: ReadPolicy) -> tuple[str, Organization]:
    """An ``[[accounts]]`` table: an account's ID, and what its organization says of it."""
    account = table.text("id")
    _check_account(table, "id", account)

    def levels(name: str, kind: PolicyKind) -> Levels:
        read_so_far = [[read(file, kind) for file in level] for level in table.levels(name)]
        return tuple(tuple(p for p in level if p is not None) for level in read_so_far)

    organization = Organization(
        levels("service_control_policies", PolicyKind.IDENTITY),
        levels("resource_control_policies", PolicyKind.RESOURCE_CONTROL),
    )
    table.finish()
    return account, organization


def read_deployment(table: Table) -> Deployment:
    """The ``[deployment]`` table: where the templates among the sources are deployed."""
    account = table.text("account", required=False)
    _check_account(table, "account", account)
    region, partition = (table.text(name, required=False) for name in ("region", "partition"))
    parameters = table.mapping("parameters")
    for name, value in parameters.items():
        if not isinstance(value, str):
            table.report(f"parameters.{name}", f"found {value!r:.80}, expected a text")
    table.finish()
    given = {name: str(value) for name, value in parameters.items()}
    return Deployment(account or None, region or None, partition or None, given)


def _check_account(table: Table, name: str, account: str) -> None:
    if account and not (len(account) == 12 and account.isascii() and account.isdigit()):
        table.report(name, f'found "{account}", expected the twelve digits of an account')


def hosted(table: Table, arn: str) -> HostedEndpoint | None:
    """What an ``[[endpoints]]`` table says of the models that the endpoint serves, if anything.

    Its ``model_data`` is the S3 prefix of a multi-model endpoint, its ``execution_role`` the ARN
    of the role that reads the models.
    """
    prefix = table.text("model_data", required=False)
    role = table.text("execution_role", required=False) or None
    if role is not None and not prefix:
        table.report("execution_role", "found it without model_data, expected both")
    if not prefix:
        return None
    if parse_s3(prefix) is None:
        table.report("model_data", f'found "{prefix}", expected an S3 URL as s3://bucket/prefix/')
        return None
    place = Place(table.file, table.path)
    model = Model("model", (Container(prefix, multi_model=True, place=place),), role, place=place)
    return HostedEndpoint(arn, (Variant("variant", model),), place=place)


def check_estate(table: Table, estate: Estate) -> None:
    """Report what two sources of an estate both describe."""
    for what, names in (
        ("the identity", [each.arn for each in estate.identities]),
        ("the endpoint", [each.arn for each in estate.endpoints]),
        ("the bucket", [each.name for each in estate.buckets]),
    ):
        for name in _twice(names):
            table.report("sources", f'found {what} "{name}" twice, expected each once')


def _twice(names: list[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)
