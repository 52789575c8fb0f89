"""Where a template is deployed, which it seldom says itself.

What the user says goes first, then what the template knows, then the one account and the one
region that its ARNs name. Where nothing is known a stand-in is taken, and listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tenantproof.errors import Place
from tenantproof.sources.listing import Listing

STAND_IN_ACCOUNT = "123456789012"
"""The account of a template that names none."""

STAND_IN_REGION = "us-east-1"
"""The region of a template that names none."""

MADE_UP = "XXXXXXXXXXXX"
"""Stands for what a deployment adds to a name that it makes up."""

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):"
    r"(?P<account>[0-9]{12}):(?P<resource>[^\s\"\\]*)"
)


@dataclass(frozen=True)
class Home:
    """Where resources are made: what their ARNs begin with."""

    account: str
    region: str
    partition: str = "aws"

    def iam(self, kind: str, path: str, name: str) -> str:
        """The ARN of a role, user, group or policy."""
        return f"arn:{self.partition}:iam::{self.account}:{kind}{path}{name}"

    def sagemaker(self, kind: str, name: str) -> str:
        """The ARN of a model, an endpoint, its configuration or an inference component."""
        return f"arn:{self.partition}:sagemaker:{self.region}:{self.account}:{kind}/{name}"


@dataclass(frozen=True)
class Deployment:
    """What the user says of where templates are deployed.

    Attributes:
        account: the account's ID.
        region: the region.
        partition: the partition; by default that of the region.
        parameters: values of a CloudFormation template's parameters.
    """

    account: str | None = None
    region: str | None = None
    partition: str | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Named:
    """The accounts and regions that the ARNs of a template name."""

    accounts: frozenset[str]
    regions: frozenset[str]


def named_in(texts: Iterable[str]) -> Named:
    """What the ARNs in texts name; ``:root`` is a principal, of another account more often."""
    found = [match for text in texts for match in _arns(text)]
    accounts = {m["account"] for m in found if m["resource"] != "root"}
    regions = {m["region"] for m in found if m["service"] == "sagemaker" and m["region"]}
    return Named(frozenset(accounts), frozenset(regions))


def _arns(text: str) -> Iterator[re.Match[str]]:
    if "arn:" in text:
        yield from _ARN.finditer(text)


def find_home(
    listing: Listing,
    place: Place,
    deployment: Deployment,
    named: Named,
    *,
    account: str | None = None,
    region: str | None = None,
) -> Home:
    """Where a template is deployed, or what stands in for it.

    Args:
        listing: where stand-ins are listed.
        place: the template.
        deployment: what the user says.
        named: what the template's ARNs name.
        account: the account, where the template knows it.
        region: the region, where the template knows it.
    """
    account = deployment.account or account
    if account is None:
        account = _chosen(listing, place, "account", named.accounts, STAND_IN_ACCOUNT)
    region = deployment.region or region
    if region is None:
        region = _chosen(listing, place, "region", named.regions, STAND_IN_REGION)
    return Home(account, region, deployment.partition or partition_of(region))


def _chosen(listing: Listing, place: Place, what: str, named: frozenset[str], stand_in: str) -> str:
    if len(named) == 1:
        (only,) = named
        message = f"the {what} is not given, taken as {only}, the one that its ARNs name"
        listing.gap(message, place, matters=False)
        return only
    message = f"the {what} is not given, taken as {stand_in}"
    if named:
        message += f", though its ARNs name {', '.join(sorted(named))}: say which it is"
    listing.gap(message, place, matters=bool(named))
    return stand_in


def partition_of(region: str) -> str:
    """The partition that a region is in."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
