"""A manifest that a test makes of policies in code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation import Manifest
from tenantproof.isolation.manifest import REQUEST_KEYS, Endpoint, Member, Tenant
from tenantproof.isolation.sagemaker import is_endpoint, is_void
from tenantproof.request import Principal

IN_CODE = "<policies>"
"""The manifest's name in places."""

TENANT = "tenant"
"""The name of the tenant that has the policies."""


def made_of(
    member: Member,
    endpoints: tuple[Endpoint, ...],
    owns: tuple[str, ...],
    shared: tuple[str, ...],
    others: Mapping[str, Sequence[str]],
) -> Manifest:
    """A manifest of one tenant with a principal, and of others that only own models.

    Args:
        member: the principal and its policies.
        endpoints: the endpoints that all of them are on.
        owns: what the tenant owns: TargetModel patterns.
        shared: what all may invoke.
        others: other tenants' names, and what they own.

    Raises:
        InputError: a pattern matches no TargetModel, there is none in ``owns``, or the principal
            has no ARN, or a tag or a key of its context that it cannot have.
    """
    problems = [
        *([] if owns else [Problem("found none, expected patterns", Place(IN_CODE, "owns"))]),
        *_unmatched("owns", owns),
        *_unmatched("shared", shared),
        *(each for name, owned in others.items() for each in _unmatched(f"others.{name}", owned)),
    ]
    arn = member.principal.arn
    if arn.count(":") < 5:
        message = f'found "{arn}", expected the ARN of a user, role or session'
        problems.append(Problem(message, Place(IN_CODE, "principal")))
    problems += _unfit(member.principal)
    if TENANT in others:
        message = f'found "{TENANT}", expected another name: it stands for who has the policies'
        problems.append(Problem(message, Place(IN_CODE, "others")))
    if problems:
        raise InputError(problems)
    tenants = (
        Tenant(TENANT, owns, (member,), endpoints),
        *(Tenant(name, tuple(owned), (), endpoints) for name, owned in others.items()),
    )
    return Manifest(IN_CODE, endpoints, tenants, shared)


def endpoint_of(arn: str) -> Endpoint:
    """The endpoint with an ARN.

    Raises:
        InputError: it is none.
    """
    if not is_endpoint(arn):
        message = f'found "{arn}", expected the ARN of a SageMaker endpoint'
        raise InputError([Problem(message, Place(IN_CODE, "endpoint"))])
    return Endpoint(arn)


def _unfit(principal: Principal) -> Iterator[Problem]:
    """Tags and keys that a principal cannot have: what is proved of them would be void."""
    tags: Mapping[str, object] = principal.tags
    context: Mapping[str, object] = principal.context
    for name, tag in tags.items():
        if not isinstance(tag, str):
            message = f"found {tag!r:.80}, expected a text"
            yield Problem(message, Place(IN_CODE, f"tags.{name}"))
    for name, value in context.items():
        place = Place(IN_CODE, f"context.{name}")
        if name.lower() in REQUEST_KEYS:
            yield Problem("found a key that the request decides", place)
        if not isinstance(value, str | tuple) or not all(isinstance(v, str) for v in value):
            yield Problem(f"found {value!r:.80}, expected a text or a tuple of texts", place)
    for what, given in (("tags", tags), ("context", context)):
        folded = Counter(name.lower() for name in given)
        for name in (name for name, times in folded.items() if times > 1):
            message = f'found "{name}" twice, expected each once'
            yield Problem(message, Place(IN_CODE, what))


def _unmatched(name: str, patterns: Sequence[str]) -> Iterator[Problem]:
    """Patterns that no TargetModel matches."""
    if isinstance(patterns, str):
        message = f"found the text {patterns!r:.80}, expected a list of patterns"
        yield Problem(message, Place(IN_CODE, name))
        return
    for pattern in patterns:
        if is_void(pattern):
            message = f"found {pattern!r:.80}, which no TargetModel can match"
            yield Problem(message, Place(IN_CODE, name))
