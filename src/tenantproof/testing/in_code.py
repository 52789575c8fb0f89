"""A manifest that a test makes of policies in code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation import Manifest
from tenantproof.isolation.manifest import Endpoint, Member, Tenant
from tenantproof.isolation.sagemaker import target_model_domain
from tenantproof.prove import language, shortest_member

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
        InputError: a pattern matches no TargetModel, or the principal has no ARN.
    """
    problems = [
        *_unmatched("owns", owns),
        *_unmatched("shared", shared),
        *(each for name, owned in others.items() for each in _unmatched(f"others.{name}", owned)),
    ]
    arn = member.principal.arn
    if arn.count(":") < 5:
        message = f'found "{arn}", expected the ARN of a user, role or session'
        problems.append(Problem(message, Place(IN_CODE, "principal")))
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
    fields = arn.split(":", 5)
    if len(fields) < 6 or fields[0] != "arn" or not fields[5].startswith("endpoint/"):
        message = f'found "{arn}", expected the ARN of a SageMaker endpoint'
        raise InputError([Problem(message, Place(IN_CODE, "endpoint"))])
    return Endpoint(arn)


def _unmatched(name: str, patterns: Sequence[str]) -> Iterator[Problem]:
    """A pattern that no TargetModel matches makes every question about it vacuous."""
    if isinstance(patterns, str):
        message = f"found the text {patterns!r:.80}, expected a list of patterns"
        yield Problem(message, Place(IN_CODE, name))
        return
    for pattern in patterns:
        if shortest_member([language(pattern)], [], target_model_domain()) is None:
            message = f"found {pattern!r:.80}, which no TargetModel can match"
            yield Problem(message, Place(IN_CODE, name))
