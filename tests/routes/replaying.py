"""The steps of a report, made again one after the other by the evaluator alone.

Who makes a request is who the steps before it made of the caller; the accounts are as the steps
before it changed them. Where a step does not say all (which inline policy is deleted), every
choice is tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from attacker import (
    EVERYTHING,
    State,
    Step,
    can_be_asked,
    open_bucket,
    start,
    trusting,
    trusts_service,
    with_identity,
    with_version,
)

from tenantproof.account import Container, Estate, HostedEndpoint, Identity, Model, Variant

Told = Mapping[str, Any]


@dataclass(frozen=True)
class Scene:
    """The accounts by now, and who the caller can be: an identity with session tags."""

    estate: Estate
    callers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    passed: tuple[str, ...] = ()


def refused(estate: Estate, principal: str, steps: Sequence[Told]) -> str | None:
    """The first step that cannot be made; None where all can."""
    scenes = [Scene(estate, ((start(estate, principal).identity, ()),))]
    for step in steps:
        scenes = [after for scene in scenes for after in _made(scene, step)]
        if not scenes:
            return f"{step['principal']}: {step['action']} {step['resource']} {step['context']}"
    return None


def _made(scene: Scene, told: Told) -> Iterator[Scene]:
    """The scenes after a step: none, if nobody that the caller can be is allowed it."""
    if told["principal"].endswith(".amazonaws.com"):
        if trusts_service(scene.estate, told["resource"], told["principal"]):
            yield scene
        return
    identity = start(scene.estate, told["principal"]).identity
    if identity in _execution_roles(scene.estate):
        # The endpoint reads as its role, whoever invoked it.
        state = State(scene.estate, identity, told["principal"])
        if can_be_asked(state, _step(told)):
            yield scene
    for caller, tags in scene.callers:
        state = State(scene.estate, caller, told["principal"], dict(tags))
        if caller != identity or _folded(state.tags) != _folded(told["tags"]):
            continue
        if can_be_asked(state, _step(told)):
            yield from _effects(scene, state, told)


def _step(told: Told) -> Step:
    context = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in told["context"].items()
    }
    return Step(told["principal"], told["tags"], told["action"], told["resource"], context)


def _folded(tags: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in tags.items()}


def _execution_roles(estate: Estate) -> set[str | None]:
    served = [model for endpoint in estate.endpoints for model in endpoint.models]
    return {model.execution_role for model in served}


def _effects(scene: Scene, state: State, told: Told) -> Iterator[Scene]:
    service, _, name = told["action"].partition(":")
    if service == "sts":
        tags = _request_tags(told)
        # Tags that were passed on to the caller as transitive ones stay with who it becomes.
        sessions = (tags, {**state.session_tags, **tags})
        became = tuple((told["resource"], tuple(sorted(each.items()))) for each in sessions)
        yield replace(scene, callers=(*scene.callers, *became))
    elif name == "PassRole":
        # The service runs code as the role, once it has some to run.
        callers = (*scene.callers, (told["resource"], ()))
        passed = (*scene.passed, told["resource"])
        yield replace(scene, callers=callers, passed=passed)
    elif service == "iam":
        for estate in _changed(scene.estate, state.itself, state, name, told):
            yield replace(scene, estate=estate)
    elif name == "DeleteBucketPolicy":
        opened = tuple(
            replace(b, policy=None) if b.name == _bucket(told) else b for b in scene.estate.buckets
        )
        yield replace(scene, estate=replace(scene.estate, buckets=opened))
    elif name == "PutBucketPolicy":
        yield replace(scene, estate=open_bucket(scene.estate, _bucket(told), state))
    elif name == "CreateEndpoint" and ":endpoint/" in told["resource"]:
        for estate in _with_endpoint(scene, told["resource"]):
            yield replace(scene, estate=estate)
    else:
        yield scene


def _with_endpoint(scene: Scene, arn: str) -> Iterator[Estate]:
    roles = scene.passed or tuple(i.arn for i in scene.estate.identities)
    for role in roles:
        model = Model("new", (Container("s3://models/", True),), role)
        made = HostedEndpoint(arn, (Variant("variant", model),))
        yield replace(scene.estate, endpoints=(*scene.estate.endpoints, made))


def _bucket(told: Told) -> str:
    return str(told["resource"]).rpartition(":")[2].partition("/")[0]


def _request_tags(told: Told) -> dict[str, str]:
    prefix = "aws:requesttag/"
    return {
        key[len(prefix) :]: value
        for key, value in told["context"].items()
        if key.lower().startswith(prefix)
    }


def _context(told: Told, name: str) -> Any:
    return next((v for k, v in told["context"].items() if k.lower() == name.lower()), None)


def _changed(estate: Estate, me: Identity, state: State, name: str, told: Told) -> Iterator[Estate]:
    """The accounts after a change, for each choice that the request leaves open."""
    if name == "UpdateAssumeRolePolicy":
        role = next(i for i in estate.identities if i.arn == told["resource"])
        trust = trusting(state.arn)
        yield with_identity(estate, replace(role, trust_policy=trust))
        if role.trust_policy is not None:
            # Who writes the policy may leave in it what was there.
            both = (*role.trust_policy.statements, *trust.statements)
            kept = replace(trust, statements=both)
            yield with_identity(estate, replace(role, trust_policy=kept))
        return
    named = (i for i in estate.identities if i.arn == told["resource"])
    whom = (next(named, me),) if told["resource"].split(":")[5].startswith(_IDENTITIES) else None
    for other in whom or estate.identities:
        for now in _identity_after(estate, other, name, told):
            yield with_identity(estate, now)


_IDENTITIES = ("role/", "user/")


def _identity_after(estate: Estate, me: Identity, name: str, told: Told) -> Iterator[Identity]:
    if name in {"TagRole", "TagUser"}:
        tags = _request_tags(told)
        kept = {k: v for k, v in me.tags.items() if k.lower() not in _folded(tags)}
        yield replace(me, tags={**kept, **tags})
    elif name in {"UntagRole", "UntagUser"}:
        gone = {key.lower() for key in _context(told, "aws:TagKeys") or ()}
        yield replace(me, tags={k: v for k, v in me.tags.items() if k.lower() not in gone})
    elif name.startswith("Put") and name.endswith("PermissionsBoundary"):
        yield replace(me, permissions_boundary=EVERYTHING)
    elif name.endswith("PermissionsBoundary"):
        yield replace(me, permissions_boundary=None)
    elif name.startswith("Attach"):
        managed = {p.arn: p.document for p in estate.managed_policies}
        document = managed.get(_context(told, "iam:PolicyARN") or "") or EVERYTHING
        yield replace(me, policies=(*me.policies, document))
    elif name.startswith("Put"):
        yield replace(me, policies=(*me.policies, EVERYTHING))
    elif name == "CreatePolicyVersion":
        if told["resource"] in me.managed_policies:
            yield with_version(estate, me, told["resource"])
    elif name == "SetDefaultPolicyVersion":
        policy = next(p for p in estate.managed_policies if p.arn == told["resource"])
        for document in policy.other_versions.values():
            yield with_version(estate, me, told["resource"], document)
    elif name.startswith(("Delete", "Detach")):
        of_groups = [d for g in estate.groups if g.arn in me.groups for d in g.policies]
        for document in (d for d in me.policies if d not in of_groups):
            yield replace(me, policies=tuple(d for d in me.policies if d is not document))
    elif name == "AddUserToGroup":
        group = next(g for g in estate.groups if g.arn == told["resource"])
        groups = (*me.groups, group.arn)
        yield replace(me, policies=(*me.policies, *group.policies), groups=groups)
    elif name == "RemoveUserFromGroup":
        gone = next(g for g in estate.groups if g.arn == told["resource"]).policies
        yield replace(me, policies=tuple(d for d in me.policies if d not in gone))
