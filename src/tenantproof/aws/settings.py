"""With whose credentials, where and how AWS is spoken with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Connection:
    """What the options say; what they leave open is found by boto3's own chain.

    Attributes:
        profile: the profile of the AWS configuration files.
        region: the region.
        endpoint_url: where to send everything, instead of to AWS.
        role: the ARN of a role to assume first.
    """

    profile: str | None = None
    region: str | None = None
    endpoint_url: str | None = None
    role: str | None = None
