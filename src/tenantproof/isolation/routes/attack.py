"""Attacks on the proof that there is no way: concrete requests, evaluated one by one.

The prover is not asked here. The requests are those that an attacker would try first: an object of
each neighbour, its TargetModel on each endpoint, its role.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from tenantproof.account import parse_s3
from tenantproof.errors import DisagreementError
from tenantproof.evaluate import decide
from tenantproof.isolation.route import Route
from tenantproof.isolation.routes.artifacts import prefix_of
from tenantproof.isolation.routes.query import Who
from tenantproof.isolation.sagemaker import TARGET_MODEL, target_model_domain
from tenantproof.policy import Access
from tenantproof.request import Request

if TYPE_CHECKING:
    from tenantproof.isolation.routes.exploration import Exploration

MOST_REQUESTS = 32
"""The most requests made of one proof."""

_Attempt = tuple[tuple[Access, Request], ...]
"""Requests that together would be a way."""


def attacked(exploration: Exploration) -> int:
    """Try to break a proof.

    Returns:
        How many attempts were made.

    Raises:
        DisagreementError: one succeeds, though the prover says that none can.
    """
    attempts = tuple(islice(_attempts(exploration), MOST_REQUESTS))
    for attempt in attempts:
        if all(decide(access, r, exploration.reading).allowed for access, r in attempt):
            requests = " then ".join(str(request) for _, request in attempt)
            raise DisagreementError(
                f"the prover says that there is no way, the evaluator allows {requests}"
            )
    return len(attempts)


def _attempts(exploration: Exploration) -> Iterator[_Attempt]:
    start = exploration.world.starts(exploration.member)
    match exploration.route:
        case Route.OBJECT:
            yield from _objects(exploration, start)
        case Route.TARGET_MODEL:
            yield from _models(exploration, start)
        case Route.ASSUME:
            yield from _roles(exploration, start)
        case Route.INVOKE | Route.CHANGE:
            return


def _objects(exploration: Exploration, start: Who) -> Iterator[_Attempt]:
    world = exploration.world
    for _, bucket, key in world.artifacts.samples(exploration.tenant):
        there = world.bucket(bucket)
        access = world.access(start, there.policy, there.account)
        context = {"aws:ResourceAccount": there.account} if there.account else {}
        arn = f"arn:{start.partition}:s3:::{bucket}"
        for action in ("s3:GetObject", "s3:PutObject"):
            yield ((access, Request(start.principal, action, f"{arn}/{key}", context)),)
        listing = {**context, "s3:prefix": key}
        yield ((access, Request(start.principal, "s3:ListBucket", arn, listing)),)


def _models(exploration: Exploration, start: Who) -> Iterator[_Attempt]:
    """A neighbour's TargetModel on each multi-model endpoint, and its execution role's reading."""
    world = exploration.world
    for endpoint in world.estate.endpoints:
        for model in endpoint.models:
            role = world.identities.get(model.execution_role or "")
            for container in model.containers:
                location = parse_s3(prefix_of(container.model_data or ""))
                if location is None or not container.multi_model:
                    continue
                for _, bucket, key in world.artifacts.samples(exploration.tenant):
                    target = key.removeprefix(location.key)
                    if bucket != location.bucket or not key.startswith(location.key):
                        continue
                    if target not in target_model_domain() or model.direct:
                        continue
                    invoking = Request(
                        start.principal,
                        "sagemaker:InvokeEndpoint",
                        endpoint.arn,
                        {TARGET_MODEL: target},
                    )
                    access = world.access(start, None, endpoint.arn.split(":")[4])
                    attempt: _Attempt = ((access, invoking),)
                    if role is not None:
                        reads = world.who(role)
                        there = world.bucket(bucket)
                        arn = f"arn:{reads.partition}:s3:::{bucket}/{key}"
                        context = {"aws:ResourceAccount": there.account} if there.account else {}
                        reading = Request(reads.principal, "s3:GetObject", arn, context)
                        own = world.access(reads, there.policy, there.account)
                        attempt = (*attempt, (own, reading))
                    yield attempt


def _roles(exploration: Exploration, start: Who) -> Iterator[_Attempt]:
    """A role that is a neighbour's alone."""
    world = exploration.world
    for arn, owners in world.tenants_of.items():
        role = world.identities[arn]
        if exploration.tenant.name not in owners and role.trust_policy is not None:
            access = world.access(start, role.trust_policy, role.account)
            yield ((access, Request(start.principal, "sts:AssumeRole", arn)),)
