"""What every request carries, as far as the checker relies on it.

The checker has its own copy of these facts: it imports nothing of the prover. A test holds the two
against each other. Follows "AWS global condition context keys" of the IAM User Guide and the
service model of ``sagemaker-runtime``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tenantproof.request import PRINCIPAL_TAG_PREFIX

TARGET = "sagemaker:targetmodel"
"""The condition key that sees the ``TargetModel`` of a request, in lower case as all keys here."""

INVOKE_ACTIONS = (
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpointWithResponseStream",
    "sagemaker:InvokeEndpointWithBidirectionalStream",
)
"""Every action that invokes an endpoint; *isolated* speaks of all of them."""

TARGET_ACTIONS = ("sagemaker:InvokeEndpoint",)
"""The actions that carry a ``TargetModel``."""

HIGHEST = "\U0010ffff"


@dataclass(frozen=True)
class Texts:
    """The texts that a key can hold: the first character, the others, and the length.

    ``values`` lists all of them where they are few; the other fields then say nothing.
    """

    first: tuple[str, str] = ("\0", HIGHEST)
    rest: tuple[str, str] = ("\0", HIGHEST)
    shortest: int = 0
    longest: int | None = None
    values: tuple[str, ...] | None = None

    def __contains__(self, text: str) -> bool:
        if self.values is not None:
            return text in self.values
        if len(text) < self.shortest or (self.longest is not None and len(text) > self.longest):
            return False
        low, high = self.rest
        return not text or (
            self.first[0] <= text[0] <= self.first[1] and all(low <= c <= high for c in text[1:])
        )


ANY_TEXT = Texts()
_BOOLEAN = Texts(values=("true", "false"))
_NOT_EMPTY = Texts(shortest=1)

DOMAINS: Mapping[str, Texts] = {
    TARGET: Texts(("!", "~"), (" ", "~"), 1, 1024),
    "aws:currenttime": _NOT_EMPTY,
    "aws:epochtime": _NOT_EMPTY,
    "aws:multifactorauthpresent": _BOOLEAN,
    "aws:principalisawsservice": _BOOLEAN,
    "aws:securetransport": _BOOLEAN,
    "aws:userid": _NOT_EMPTY,
    "aws:viaawsservice": _BOOLEAN,
}
"""The keys that do not hold any text."""

ALWAYS_PRESENT = frozenset(
    {
        "aws:currenttime",
        "aws:epochtime",
        "aws:securetransport",
        "aws:useragent",
        "aws:userid",
        "aws:viaawsservice",
    }
)
"""Keys that every request carries, with any value of their domain."""

MULTIVALUED = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)
"""The keys that the reference calls multivalued."""

SINGLE_VALUED = frozenset(
    f"aws:{name}"
    for name in (
        "calledviafirst",
        "calledvialast",
        "currenttime",
        "epochtime",
        "federatedprovider",
        "multifactorauthage",
        "multifactorauthpresent",
        "principalaccount",
        "principalarn",
        "principalisawsservice",
        "principalorgid",
        "principalservicename",
        "principaltype",
        "referer",
        "requestedregion",
        "resourceaccount",
        "resourceorgid",
        "securetransport",
        "sourceaccount",
        "sourcearn",
        "sourceidentity",
        "sourceip",
        "sourceorgid",
        "sourcevpc",
        "sourcevpce",
        "tokenissuetime",
        "useragent",
        "userid",
        "username",
        "viaawsservice",
        "vpcsourceip",
    )
)
"""The keys that the reference calls single-valued, those with a tag's name in them aside."""

TAG_PREFIXES = (PRINCIPAL_TAG_PREFIX, "aws:requesttag/", "aws:resourcetag/")
"""Keys with a tag's name in them hold one value."""


def domain_of(key: str) -> Texts:
    """The texts that a key (in lower case) can hold."""
    return DOMAINS.get(key, ANY_TEXT)


def is_multivalued(key: str, *, qualified: bool) -> bool:
    """Whether a key can hold any number of values.

    Args:
        key: the key in lower case.
        qualified: whether a policy uses a set prefix on it, which tells of keys that the
            reference does not list.
    """
    if key == TARGET or key in SINGLE_VALUED or key.startswith(TAG_PREFIXES):
        return False
    return key in MULTIVALUED or qualified


def is_the_principals(key: str) -> bool:
    """Whether a key is absent where the principal does not decide it: its name and its tags."""
    return key == "aws:username" or key.startswith(PRINCIPAL_TAG_PREFIX)


def fixed_by(endpoint: str) -> dict[str, str]:
    """The keys that an endpoint's ARN decides, and those that are the same in every request."""
    fields = endpoint.split(":", 5)
    return {
        "aws:requestedregion": fields[3],
        "aws:resourceaccount": fields[4],
        "aws:principalisawsservice": "false",
    }
