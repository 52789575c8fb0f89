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


@dataclass(frozen=True)
class Limits:
    """What one call may take, and looking for credentials.

    Attributes:
        credentials_seconds: of all that boto3's chain asks, a person at a terminal included.
        connect_seconds: until a connection stands.
        read_seconds: between two reads of a reply.
        call_seconds: of a call with all its attempts and what botocore sleeps in between.
        attempts: how often botocore sends a call at most.
        reply_bytes: of a reply's body.
    """

    credentials_seconds: float = 60.0
    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    call_seconds: float = 25.0
    attempts: int = 5
    reply_bytes: int = 32 << 20
