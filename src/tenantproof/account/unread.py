"""What stands in for things of an account that could not be read.

They may not even be there; if they are, anything may be so of them.
"""

from __future__ import annotations

from tenantproof.account.model import Container, HostedEndpoint, Identity, Model, Variant
from tenantproof.policy import Unknown
from tenantproof.policy.unknown import unknown_policy


def unread_identity(arn: str, unread: Unknown) -> Identity:
    """A user or role with policies and tags that nobody knows.

    Args:
        arn: its ARN.
        unread: why its account's identities could not be read.
    """
    place = unread.place
    reason = f"{arn} could not be read: {unread.reason}"
    policy = unknown_policy(reason, place.file, place)
    return Identity(arn, (policy,), place=place, unknown_tags=Unknown(reason, place))


def unread_endpoint(arn: str, unread: Unknown) -> HostedEndpoint:
    """An endpoint that serves nobody knows what.

    Args:
        arn: its ARN.
        unread: why its account's endpoints could not be read.
    """
    name = arn.rpartition("/")[2]
    reason = f"the endpoint {name} could not be read: {unread.reason}"
    unknown = Unknown(reason, unread.place)
    container = Container(None, place=unread.place, unknown=unknown)
    model = Model("", (container,), place=unread.place)
    return HostedEndpoint(
        arn, (Variant("", model),), place=unread.place, unknown_tags=Unknown(reason, unread.place)
    )
