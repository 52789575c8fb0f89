"""With whose credentials, where and how AWS is spoken with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tenantproof.aws.redaction import Secrets

_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")
_ROLE = re.compile(r"arn:[a-z-]+:iam::[0-9]{12}:role/[!-~]+")


def misread(name: str, value: str) -> str | None:
    """What is wrong with a value of a :class:`Connection`, before anybody is asked.

    An empty one is none: it is what a variable that is not set leaves, and without it somebody
    else would be asked, or with other credentials.

    Args:
        name: the attribute.
        value: what was given for it.

    Returns:
        What was found and what was expected, without what stands before a URL's host; None where
        nothing is wrong.
    """
    match name:
        case "region":
            is_one, expected = bool(_REGION.fullmatch(value)), "the name of a region"
        case "endpoint_url":
            is_one, expected = _is_url(value), "a URL that begins with http:// or https://"
        case "role":
            is_one, expected = bool(_ROLE.fullmatch(value)), "the ARN of a role"
        case _:
            is_one, expected = bool(value), f"the name of a {name}"
    if is_one:
        return None
    secrets = Secrets()
    secrets.add_url(value)
    return f"found {secrets.redacted(value)!r:.200}, expected {expected}"


def _is_url(value: str) -> bool:
    try:
        url = urlsplit(value)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        return False


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
