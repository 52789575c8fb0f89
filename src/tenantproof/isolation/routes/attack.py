"""Attacks on the proof that there is no way: concrete requests, evaluated one by one.

The prover is not asked here. The requests are those that an attacker would try first: an object of
each neighbour, its TargetModel on each endpoint, its role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING

from tenantproof.account import parse_s3
from tenantproof.errors import DisagreementError
from tenantproof.evaluate import decide
from tenantproof.isolation.attack import Attacked, sampled
from tenantproof.isolation.findings import Probe
from tenantproof.isolation.route import Route
from tenantproof.isolation.routes.artifacts import prefix_of
from tenantproof.isolation.routes.query import Who
from tenantproof.isolation.sagemaker import TARGET_MODEL, target_model_domain
from tenantproof.policy import Access
from tenantproof.prove.principals import keys_of
from tenantproof.prove.space import ALWAYS_PRESENT
from tenantproof.request import ContextValue, Request

if TYPE_CHECKING:
    from tenantproof.isolation.routes.exploration import Exploration

MOST_REQUESTS = 32
"""The most requests made of one proof."""

Context = Mapping[str, ContextValue]

_Attempt = tuple[tuple[Access, Request], ...]
"""Requests that together would be a way."""


def attacked(exploration: Exploration, samples: int = 0) -> Attacked:
    """Try to break a proof.

    Args:
        exploration: what was proved.
        samples: how many of the requests are wanted.

    Raises:
        DisagreementError: one succeeds, though the prover says that none can.
    """
    tried: list[Probe] = []
    attempts = tuple(islice(_attempts(exploration), MOST_REQUESTS))
    for attempt in attempts:
        probes = [Probe(r, access, decide(access, r, exploration.reading)) for access, r in attempt]
        denied = next((probe for probe in probes if not probe.decision.allowed), None)
        if denied is None:
            requests = " then ".join(str(request) for _, request in attempt)
            raise DisagreementError(
                f"the prover says that there is no way, the evaluator allows {requests}"
            )
        tried.append(denied)
    return Attacked(len(attempts), tuple(sampled(tried, samples)))


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
        context = _of_account(there.account)
        arn = f"arn:{start.partition}:s3:::{bucket}"
        for action in ("s3:GetObject", "s3:PutObject"):
            yield ((access, _request(start, action, f"{arn}/{key}", context)),)
        listing = {**context, "s3:prefix": key}
        yield ((access, _request(start, "s3:ListBucket", arn, listing)),)


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
                    region, account = endpoint.arn.split(":")[3:5]
                    named = {
                        **_tagged(endpoint.tags, "aws", "sagemaker"),
                        **_of_account(account),
                        "aws:RequestedRegion": region,
                        TARGET_MODEL: target,
                    }
                    invoking = _request(start, "sagemaker:InvokeEndpoint", endpoint.arn, named)
                    access = world.access(start, None, account)
                    attempt: _Attempt = ((access, invoking),)
                    if role is not None:
                        reads = world.who(role)
                        there = world.bucket(bucket)
                        arn = f"arn:{reads.partition}:s3:::{bucket}/{key}"
                        context = _of_account(there.account)
                        reading = _request(reads, "s3:GetObject", arn, context)
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
            context = {**_tagged(role.tags, "aws", "iam"), **_of_account(role.account)}
            yield ((access, _request(start, "sts:AssumeRole", arn, context)),)


def _request(who: Who, action: str, resource: str, context: Context) -> Request:
    """A request with every key that none is without."""
    typical = {**ALWAYS_PRESENT, **keys_of(who.arn).always, "aws:PrincipalIsAWSService": "false"}
    always = {key: value for key, value in typical.items() if key.lower() not in who.principal.keys}
    return Request(who.principal, action, resource, {**always, **context})


def _of_account(account: str | None) -> Context:
    return {"aws:ResourceAccount": account} if account else {}


def _tagged(tags: Mapping[str, str], *services: str) -> Context:
    """What a request says of the tags of its resource."""
    return {f"{s}:ResourceTag/{name}": value for name, value in tags.items() for s in services}
