"""An attacker that tries requests one by one: no prover, nothing symbolic.

It holds what it is and what the accounts are as explicit states, makes every request from finite
lists, and asks the evaluator alone whether it is allowed. It finds less than there is; what it
finds is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice, product

from tenantproof.account import (
    Bucket,
    Container,
    Estate,
    HostedEndpoint,
    Identity,
    IdentityKind,
    Model,
    Organization,
    Variant,
    parse_s3,
)
from tenantproof.evaluate import decide
from tenantproof.policy import Access, PolicyDocument, PolicySet, parse_policy, statements
from tenantproof.request import ContextValue, Principal, PrincipalKind, Request

Context = Mapping[str, ContextValue]

COMPUTE = {
    "lambda.amazonaws.com": ("lambda:CreateFunction", "arn:aws:lambda:{where}:function:{name}"),
    "sagemaker.amazonaws.com": (
        "sagemaker:CreateTrainingJob",
        "arn:aws:sagemaker:{where}:training-job/{name}",
    ),
}
"""Services that run code as a role that is passed to them, and what asks them to."""

EVERYTHING = parse_policy(
    '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
)

MOST_CONTEXTS = 48
"""So many contexts of one request are tried."""

_DECIDED = re.compile(
    r"aws:(principal|request|resource)tag/|aws:tagkeys$|aws:principal(arn|account|type)$"
    r"|iam:(passedtoservice|policyarn|permissionsboundary|resourcetag/)|sagemaker:|s3:"
    r"|aws:(username|userid|resourceaccount|requestedregion)$",
    re.IGNORECASE,
)
"""Keys that a request has as it is made, whoever wishes what."""


@dataclass(frozen=True)
class Tenant:
    """A tenant: the ARNs of its principals, and S3 URL patterns of its artifacts."""

    name: str
    principals: tuple[str, ...]
    artifacts: tuple[str, ...]

    def has(self, url: str) -> bool:
        """Whether an S3 URL is an artifact of it."""
        return any(_like(pattern, url) for pattern in self.artifacts)

    @cached_property
    def samples(self) -> tuple[str, ...]:
        """S3 URLs of some of its artifacts."""
        return tuple(
            dict.fromkeys(
                pattern.replace("*", some).replace("?", "m")
                for pattern in self.artifacts
                for some in ("", "m", "model.tar.gz", "../m")
            )
        )


@dataclass(frozen=True)
class Step:
    """One request, made by a principal with these tags."""

    principal: str
    tags: Mapping[str, str]
    action: str
    resource: str
    context: Context

    def __str__(self) -> str:
        context = ", ".join(f"{key}={value}" for key, value in self.context.items())
        return f"{self.principal} {dict(self.tags)}: {self.action} {self.resource} {{{context}}}"


@dataclass(frozen=True)
class State:
    """Who the attacker is, in accounts as it has changed them, and how it got there."""

    estate: Estate
    identity: str
    arn: str
    session_tags: Mapping[str, str] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()

    @cached_property
    def itself(self) -> Identity:
        """The user or role behind it."""
        return next(each for each in self.estate.identities if each.arn == self.identity)

    @property
    def tags(self) -> dict[str, str]:
        """Its tags: the identity's, and over them the session's."""
        session = {name.lower() for name in self.session_tags}
        own = {k: v for k, v in self.itself.tags.items() if k.lower() not in session}
        return {**own, **self.session_tags}

    @cached_property
    def policies(self) -> PolicySet:
        """The policies of its side."""
        return _side(self.estate, self.itself)

    @cached_property
    def principal(self) -> Principal:
        """It as the caller of requests."""
        behind = {} if self.arn == self.identity else {"aws:PrincipalArn": self.identity}
        return Principal(self.arn, self.tags, behind)

    def attempt(
        self,
        action: str,
        resource: str,
        context: Context | None = None,
        *,
        policy: PolicyDocument | None = None,
        account: str | None = None,
    ) -> Step | None:
        """Make a request; the step, if some context of it is allowed.

        Args:
            action: what it asks for.
            resource: of what.
            context: the keys that the request has as it is made.
            policy: the resource's own policy.
            account: the resource's account; of its ARN without it.
        """
        owner = account or resource.split(":")[4] or self.itself.account
        rcps = _organization(self.estate, owner).resource_control_policies
        access = Access(self.policies, policy, rcps)
        fixed = {"aws:ResourceAccount": owner, **(context or {})}
        for free in _contexts(access, self.tags):
            whole = {**free, **fixed}
            if decide(access, Request(self.principal, action, resource, whole)).allowed:
                return Step(self.arn, self.tags, action, resource, whole)
        return None

    def after(self, *steps: Step, **changes: object) -> State:
        """The state after some steps, with what they change."""
        return replace(self, steps=(*self.steps, *steps), **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Attack:
    """A way to other tenants' artifacts."""

    route: str
    victims: frozenset[str]
    steps: tuple[Step, ...]


class Attacker:
    """Everything that one principal of a tenant can try."""

    def __init__(
        self,
        estate: Estate,
        tenants: tuple[Tenant, ...],
        tenant: Tenant,
        *,
        shared: tuple[str, ...] = (),
        depth: int = 3,
    ) -> None:
        """Prepare to act for ``tenant``; ``depth`` counts roles assumed in a row."""
        self._estate = estate
        self._tenant = tenant
        self._others = tuple(t for t in tenants if t.name != tenant.name)
        self._shared = shared
        self._depth = depth
        self._tag_names = sorted(_tags_spoken_of(estate))
        values = {value for each in estate.identities for value in each.tags.values()}
        self._tag_values = sorted(values | {t.name for t in tenants})

    def attacks(self, principal: str) -> dict[str, Attack]:
        """The first attack found of each route, by its route."""
        found: dict[str, Attack] = {}
        itself = start(self._estate, principal)
        for attack in self._direct(itself):
            found.setdefault(attack.route, attack)
        for hops, state in self._reachable(itself, found):
            if hops and "assume" not in found:
                for attack in self._direct(state):
                    found.setdefault("assume", replace(attack, route="assume"))
            if "change" not in found:
                for attack in self._after_changes(state):
                    found.setdefault("change", replace(attack, route="change"))
                    break
        return found

    # -- becoming somebody else ---------------------------------------------------------------

    def _reachable(self, start: State, found: dict[str, Attack]) -> Iterator[tuple[int, State]]:
        seen = {(start.identity, frozenset(start.session_tags.items()))}
        level = [start]
        for hops in range(self._depth + 1):
            following: list[State] = []
            for state in level:
                yield hops, state
                if hops == self._depth:
                    continue
                for reached, whose in self._becoming(state):
                    if whose:
                        attack = Attack("assume", whose, reached.steps)
                        found.setdefault("assume", attack)
                    key = (reached.identity, frozenset(reached.session_tags.items()))
                    if key not in seen:
                        seen.add(key)
                        following.append(reached)
            level = following

    def _becoming(self, state: State) -> Iterator[tuple[State, frozenset[str]]]:
        """Every role that a state can become in one hop, and whose role it is."""
        for role in state.estate.identities:
            if role.kind is not IdentityKind.ROLE or role.arn == state.identity:
                continue
            for reached in (*self._assumed(state, role), *self._passed(state, role)):
                yield reached, self._owners(role)

    def _owners(self, role: Identity) -> frozenset[str]:
        """The other tenants of which a role is a principal, unless it is one of ours, too."""
        if _acts_for(self._tenant, role):
            return frozenset()
        return frozenset(t.name for t in self._others if _acts_for(t, role))

    def _assumed(self, state: State, role: Identity) -> Iterator[State]:
        if role.trust_policy is None:
            return
        session = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/session"
        for tags in self._session_tags():
            keys = _tag_keys(tags)
            asked = state.attempt("sts:AssumeRole", role.arn, keys, policy=role.trust_policy)
            if asked is None:
                continue
            steps = [asked]
            if tags:
                tagged = state.attempt("sts:TagSession", role.arn, keys, policy=role.trust_policy)
                if tagged is None:
                    continue
                steps.append(tagged)
            yield state.after(*steps, identity=role.arn, arn=session, session_tags=tags)

    def _session_tags(self) -> Iterator[dict[str, str]]:
        yield {}
        for name, value in product(self._tag_names, self._tag_values):
            yield {name: value}

    def _passed(self, state: State, role: Identity) -> Iterator[State]:
        """Code that runs as a role which is passed to a service."""
        for service, (create, arn) in COMPUTE.items():
            if not trusts_service(state.estate, role.arn, service):
                continue
            passed = state.attempt("iam:PassRole", role.arn, {"iam:PassedToService": service})
            where = f"us-east-1:{state.itself.account}"
            for name in _names_of(state, ("training-job", "function")) if passed else ():
                created = state.attempt(create, arn.format(where=where, name=name))
                if passed is None or created is None:
                    continue
                session = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/f"
                yield state.after(passed, created, identity=role.arn, arn=session, session_tags={})

    # -- the routes that need nobody else -----------------------------------------------------

    def _direct(self, state: State) -> Iterator[Attack]:
        yield from self._invocations(state)
        yield from self._objects(state)

    def _victims(self, url: str) -> frozenset[str]:
        """Whose artifact an S3 URL is, of those that the attacker has no business with."""
        if self._tenant.has(url) or any(_like(pattern, url) for pattern in self._shared):
            return frozenset()
        return frozenset(t.name for t in self._others if t.has(url))

    def _samples(self) -> Iterator[tuple[str, frozenset[str]]]:
        for tenant in self._others:
            for url in tenant.samples:
                victims = self._victims(url)
                if victims:
                    yield url, victims

    def _objects(self, state: State) -> Iterator[Attack]:
        for url, victims in self._samples():
            at = parse_s3(url)
            assert at is not None
            bucket = _bucket(state.estate, at.bucket)
            arn = f"arn:aws:s3:::{at.bucket}"
            owner = {"policy": bucket.policy, "account": bucket.account}
            tries = [
                state.attempt(f"s3:{name}", f"{arn}/{at.key}", **owner)  # type: ignore[arg-type]
                for name in ("GetObject", "GetObjectVersion", "PutObject")
            ]
            prefixes = [None, at.key, at.key[: at.key.rfind("/") + 1], at.key[:1]]
            tries += [
                state.attempt(
                    f"s3:{name}",
                    arn,
                    None if prefix is None else {"s3:prefix": prefix},
                    **owner,  # type: ignore[arg-type]
                )
                for name in ("ListBucket", "ListBucketVersions")
                for prefix in prefixes
                if prefix != ""
            ]
            for step in filter(None, tries):
                yield Attack("object", victims, (*state.steps, step))

    def _invocations(self, state: State) -> Iterator[Attack]:
        for endpoint in state.estate.endpoints:
            for variant in endpoint.variants:
                for container in variant.model.containers if variant.model else ():
                    assert variant.model is not None
                    yield from self._invoked(state, endpoint, variant.model, container)
            for component in endpoint.components:
                for container in component.model.containers:
                    for url, victims in self._served(state.estate, component.model, container):
                        steps = _invoke(state, endpoint, {}, component.arn)
                        if steps and not container.multi_model:
                            yield Attack("invoke", victims, (*state.steps, *steps))
                            assert url

    def _invoked(
        self, state: State, endpoint: HostedEndpoint, model: Model, container: Container
    ) -> Iterator[Attack]:
        host: dict[str, str] = {}
        if model.direct:
            if container.hostname is None:
                return
            host = {"sagemaker:TargetContainerHostname": container.hostname}
        for url, victims in self._served(state.estate, model, container):
            named = dict(host)
            if container.multi_model:
                named["sagemaker:TargetModel"] = url[len(_stem(container)) :]
                if not named["sagemaker:TargetModel"]:
                    continue
            steps = _invoke(state, endpoint, named)
            if steps:
                route = "target-model" if container.multi_model else "invoke"
                yield Attack(route, victims, (*state.steps, *steps))

    def _served(
        self, estate: Estate, model: Model, container: Container
    ) -> Iterator[tuple[str, frozenset[str]]]:
        """The victims' artifacts that a container serves, and its execution role may read."""
        if container.model_data is None:
            return
        urls = [container.model_data]
        if container.multi_model:
            stem = _stem(container)
            urls = [url for url, _ in self._samples() if url.startswith(stem)]
        for url in urls:
            victims = self._victims(url)
            if victims and may_read(estate, model.execution_role, url):
                yield url, victims

    # -- changing the wall ----------------------------------------------------------------------

    def _after_changes(self, state: State) -> Iterator[Attack]:
        before = {_last(attack) for attack in self._direct(state)}
        for changed in self._changes(state):
            for attack in self._direct(changed):
                if _last(attack) not in before:  # what was open already needs no change
                    yield attack
        for role in (i for i in state.estate.identities if ":role/" in i.arn):
            trusted = replace(role, trust_policy=trusting(state.arn))
            step = state.attempt("iam:UpdateAssumeRolePolicy", role.arn)
            if step is None or role.arn == state.identity:
                continue
            changed = state.after(step, estate=with_identity(state.estate, trusted))
            for reached in self._assumed(changed, trusted):
                if self._owners(trusted):
                    yield Attack("assume", self._owners(trusted), reached.steps)
                yield from self._direct(reached)

        for other in (i for i in state.estate.identities if ":role/" in i.arn):
            given = replace(other, policies=(*other.policies, EVERYTHING))
            for changed in _changed(state, given, "iam:PutRolePolicy", other.arn):
                for attack in self._direct(changed):
                    if _last(attack) not in before:
                        yield attack
                for reached in self._assumed(changed, given) if other.arn != state.identity else ():
                    yield from self._direct(reached)

    def _changes(self, state: State) -> Iterator[State]:
        yield from self._new_policies(state)
        yield from self._fewer_policies(state)
        yield from self._new_tags(state)
        yield from self._new_groups(state)
        yield from self._new_bucket_policies(state)
        yield from self._new_endpoints(state)

    def _new_policies(self, state: State) -> Iterator[State]:
        me = state.itself
        kind = "User" if me.kind is IdentityKind.USER else "Role"
        more = replace(me, policies=(*me.policies, EVERYTHING))
        yield from _changed(state, more, f"iam:Put{kind}Policy", me.arn)
        for arn, document in _attachable(state.estate):
            attached = replace(me, policies=(*me.policies, document))
            keys = {"iam:PolicyARN": arn}
            yield from _changed(state, attached, f"iam:Attach{kind}Policy", me.arn, keys)
        for group in me.groups:
            yield from _changed(state, more, "iam:PutGroupPolicy", group)
            keys = {"iam:PolicyARN": _ADMINISTRATOR}
            yield from _changed(state, more, "iam:AttachGroupPolicy", group, keys)
        versions = {p.arn: p.other_versions for p in state.estate.managed_policies}
        for arn in me.managed_policies:
            now = with_version(state.estate, me, arn)
            yield from _changed(state, now, "iam:CreatePolicyVersion", arn)
            for document in versions.get(arn, {}).values():
                now = with_version(state.estate, me, arn, document)
                yield from _changed(state, now, "iam:SetDefaultPolicyVersion", arn)

    def _fewer_policies(self, state: State) -> Iterator[State]:
        me = state.itself
        kind = "User" if me.kind is IdentityKind.USER else "Role"
        managed = {p.arn: p.document for p in state.estate.managed_policies}
        attached = [managed.get(arn) for arn in me.managed_policies]
        groups = [d for g in state.estate.groups if g.arn in me.groups for d in g.policies]
        for document in me.policies:
            if document in groups:  # what a group has is not the user's to take away
                continue
            kept = tuple(each for each in me.policies if each is not document)
            less = replace(me, policies=kept)
            if document in attached:
                arn = me.managed_policies[attached.index(document)]
                keys = {"iam:PolicyARN": arn}
                yield from _changed(state, less, f"iam:Detach{kind}Policy", me.arn, keys)
            else:
                yield from _changed(state, less, f"iam:Delete{kind}Policy", me.arn)
        if me.permissions_boundary is not None:
            free = replace(me, permissions_boundary=None)
            action = f"iam:Delete{kind}PermissionsBoundary"
            yield from _changed(state, free, action, me.arn)
            wide = replace(me, permissions_boundary=EVERYTHING)
            keys = {"iam:PermissionsBoundary": _ADMINISTRATOR}
            yield from _changed(state, wide, f"iam:Put{kind}PermissionsBoundary", me.arn, keys)

    def _new_tags(self, state: State) -> Iterator[State]:
        me = state.itself
        kind = "User" if me.kind is IdentityKind.USER else "Role"
        for name in self._tag_names:
            others = {k: v for k, v in me.tags.items() if k.lower() != name.lower()}
            untagged = replace(me, tags=others)
            keys: dict[str, ContextValue] = {"aws:TagKeys": (name,), **_own_tags(me)}
            yield from _changed(state, untagged, f"iam:Untag{kind}", me.arn, keys)
            for value in self._tag_values:
                tagged = replace(me, tags={**others, name: value})
                keys = {**_tag_keys({name: value}), **_own_tags(me)}
                yield from _changed(state, tagged, f"iam:Tag{kind}", me.arn, keys)

    def _new_groups(self, state: State) -> Iterator[State]:
        me = state.itself
        if me.kind is not IdentityKind.USER:
            return
        for group in state.estate.groups:
            member = replace(me, policies=(*me.policies, *group.policies))
            yield from _changed(state, member, "iam:AddUserToGroup", group.arn)

    def _new_bucket_policies(self, state: State) -> Iterator[State]:
        names = {at.bucket for url, _ in self._samples() if (at := parse_s3(url))}
        for name in sorted(names):
            bucket = _bucket(state.estate, name)
            step = state.attempt(
                "s3:PutBucketPolicy",
                f"arn:aws:s3:::{name}",
                policy=bucket.policy,
                account=bucket.account,
            )
            if step is not None:
                yield state.after(step, estate=open_bucket(state.estate, name, state))

    def _new_endpoints(self, state: State) -> Iterator[State]:
        """A multi-model endpoint on everything that a role may read."""
        where = f"arn:aws:sagemaker:us-east-1:{state.itself.account}"
        for name in _names_of(state, ("model", "endpoint-config", "endpoint")):
            arns = {k: f"{where}:{k}/{name}" for k in ("model", "endpoint-config", "endpoint")}
            created = [
                state.attempt("sagemaker:CreateModel", arns["model"]),
                state.attempt(
                    "sagemaker:CreateEndpointConfig",
                    arns["endpoint-config"],
                    {"sagemaker:ModelArn": arns["model"]},
                ),
                state.attempt("sagemaker:CreateEndpoint", arns["endpoint"]),
                state.attempt("sagemaker:CreateEndpoint", arns["endpoint-config"]),
            ]
            if any(step is None for step in created):
                continue
            for role in state.estate.identities:
                service = "sagemaker.amazonaws.com"
                if not trusts_service(state.estate, role.arn, service):
                    continue
                passed = state.attempt("iam:PassRole", role.arn, {"iam:PassedToService": service})
                if passed is None:
                    continue
                for bucket in sorted({p.bucket for u, _ in self._samples() if (p := parse_s3(u))}):
                    model = Model(name, (Container(f"s3://{bucket}/", True),), role.arn)
                    made = HostedEndpoint(arns["endpoint"], (Variant("v", model),))
                    endpoints = (*state.estate.endpoints, made)
                    estate = replace(state.estate, endpoints=endpoints)
                    yield state.after(passed, *filter(None, created), estate=estate)


# What is where.


def start(estate: Estate, principal: str) -> State:
    """A principal as it begins: a user, a role, or a session of one."""
    fields = principal.split(":", 5)
    if fields[5].startswith("assumed-role/"):
        name = fields[5].split("/")[1]
        roles = (i for i in estate.identities if i.kind is IdentityKind.ROLE)
        identity = next(r.arn for r in roles if (r.account, r.name) == (fields[4], name))
        return State(estate, identity, principal)
    return State(estate, principal, principal)


def _acts_for(tenant: Tenant, role: Identity) -> bool:
    sessions = f"arn:aws:sts::{role.account}:assumed-role/{role.name}/"
    return any(arn == role.arn or arn.startswith(sessions) for arn in tenant.principals)


def _organization(estate: Estate, account: str) -> Organization:
    return estate.organizations.get(account, Organization())


def _side(estate: Estate, identity: Identity) -> PolicySet:
    levels = _organization(estate, identity.account).service_control_policies
    return PolicySet(identity.policies, identity.permissions_boundary, levels)


def _bucket(estate: Estate, name: str) -> Bucket:
    return next((b for b in estate.buckets if b.name == name), Bucket(name))


def with_identity(estate: Estate, identity: Identity) -> Estate:
    """The estate with an identity as it is now."""
    others = tuple(i for i in estate.identities if i.arn != identity.arn)
    return replace(estate, identities=(*others, identity))


def may_read(estate: Estate, role: str | None, url: str) -> bool:
    """Whether an execution role may read an object; one that nobody describes may."""
    identity = next((i for i in estate.identities if i.arn == role), None)
    at = parse_s3(url)
    if identity is None or at is None:
        return True
    session = f"arn:aws:sts::{identity.account}:assumed-role/{identity.name}/SageMaker"
    bucket = _bucket(estate, at.bucket)
    reader = State(estate, identity.arn, session)
    arn = f"arn:aws:s3:::{at.bucket}/{at.key}"
    step = reader.attempt("s3:GetObject", arn, policy=bucket.policy, account=bucket.account)
    return step is not None


def trusts_service(estate: Estate, arn: str, service: str) -> bool:
    """Whether a service may assume a role."""
    role = next(i for i in estate.identities if i.arn == arn)
    if role.trust_policy is None:
        return False
    rcps = _organization(estate, role.account).resource_control_policies
    access = Access(PolicySet(), role.trust_policy, rcps)
    caller = Principal(service, kind=PrincipalKind.SERVICE)
    return decide(access, Request(caller, "sts:AssumeRole", role.arn)).allowed


def _stem(container: Container) -> str:
    """What a TargetModel is put behind."""
    assert container.model_data is not None
    return (
        container.model_data if container.model_data.endswith("/") else (f"{container.model_data}/")
    )


def _invoke(
    state: State, endpoint: HostedEndpoint, named: Mapping[str, str], component: str | None = None
) -> list[Step]:
    """The requests of an invocation, if all of them are allowed; none else."""
    actions = ["sagemaker:InvokeEndpoint"]
    if "sagemaker:TargetModel" not in named and not named:
        actions.append("sagemaker:InvokeEndpointWithResponseStream")
    if endpoint.asynchronous:
        actions = ["sagemaker:InvokeEndpointAsync"]
    for action in actions:
        asked = [state.attempt(action, endpoint.arn, named)]
        if component is not None:
            asked.append(state.attempt(action, component, named))
        if all(asked):
            return [step for step in asked if step is not None]
    return []


def can_be_asked(state: State, step: Step) -> bool:
    """Whether a request is allowed just as a step says it."""
    service = step.action.partition(":")[0]
    account, policy = None, None
    if service == "s3":
        bucket = _bucket(state.estate, step.resource.rpartition(":")[2].partition("/")[0])
        account, policy = bucket.account, bucket.policy
    elif service == "sts":
        role = next(i for i in state.estate.identities if i.arn == step.resource)
        policy = role.trust_policy
    owner = account or step.resource.split(":")[4] or state.itself.account
    rcps = _organization(state.estate, owner).resource_control_policies
    access = Access(state.policies, policy, rcps)
    whole = {"aws:ResourceAccount": owner, **step.context}
    return decide(access, Request(state.principal, step.action, step.resource, whole)).allowed


# What is changed.

_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"


def _changed(
    state: State, identity: Identity, action: str, resource: str, keys: Context | None = None
) -> Iterator[State]:
    step = state.attempt(action, resource, keys)
    if step is not None:
        yield state.after(step, estate=with_identity(state.estate, identity))


def _attachable(estate: Estate) -> Iterator[tuple[str, PolicyDocument]]:
    yield _ADMINISTRATOR, EVERYTHING
    for policy in estate.managed_policies:
        if policy.document is not None:
            yield policy.arn, policy.document


def with_version(
    estate: Estate, me: Identity, arn: str, now: PolicyDocument = EVERYTHING
) -> Identity:
    """An identity of which one managed policy, or the boundary, has another default version."""
    was = next(p.document for p in estate.managed_policies if p.arn == arn)
    return replace(
        me,
        policies=tuple(now if each == was else each for each in me.policies),
        permissions_boundary=now if me.permissions_boundary == was else me.permissions_boundary,
    )


def _own_tags(me: Identity) -> dict[str, ContextValue]:
    found: dict[str, ContextValue] = {}
    for name, value in me.tags.items():
        found |= {f"aws:ResourceTag/{name}": value, f"iam:ResourceTag/{name}": value}
    return found


def _tag_keys(tags: Mapping[str, str]) -> dict[str, ContextValue]:
    found: dict[str, ContextValue] = {f"aws:RequestTag/{k}": v for k, v in tags.items()}
    return {**found, "aws:TagKeys": tuple(tags)} if tags else {}


def open_bucket(estate: Estate, name: str, caller: State) -> Estate:
    """The estate after a caller has given a bucket to itself, and to everybody."""
    everything = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    opened = replace(
        _bucket(estate, name), policy=_granting([caller.arn, "*"], "s3:*", Resource=everything)
    )
    others = tuple(bucket for bucket in estate.buckets if bucket.name != name)
    return replace(estate, buckets=(*others, opened))


def trusting(arn: str) -> PolicyDocument:
    """A trust policy that lets a caller in, with tags or without."""
    return _granting(arn, ["sts:AssumeRole", "sts:TagSession"])


def _granting(arn: str | list[str], actions: str | list[str], **elements: object) -> PolicyDocument:
    statement = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": actions, **elements}
    return parse_policy(json.dumps({"Version": "2012-10-17", "Statement": statement}))


def _last(attack: Attack) -> tuple[str, str]:
    step = attack.steps[-1]
    return step.action, step.resource


def _names_of(state: State, kinds: tuple[str, ...]) -> Iterator[str]:
    """Names that the caller's policies allow for new things, as far as they name any."""
    found = {"attackers"}
    for statement in statements(state.policies):
        for pattern in statement.resource.patterns if statement.resource else ():
            kind, _, name = pattern.text.rpartition(":")[2].partition("/")
            if kind in kinds:
                found.add(name.replace("*", "new"))
    yield from sorted(found)


# Contexts and tags.


def _contexts(access: Access, tags: Mapping[str, str]) -> Iterator[dict[str, ContextValue]]:
    """The empty context, and those with the values of the policies' conditions filled in."""
    values: dict[str, set[str]] = {}
    for statement in statements(access):
        for condition in statement.conditions:
            if not _DECIDED.match(condition.key):
                texts = (_filled(value.text, tags) for value in condition.values)
                values.setdefault(condition.key.lower(), set()).update(texts)
    choices = [[None, *sorted(found)] for found in values.values()]
    for chosen in islice(product(*choices), MOST_CONTEXTS):
        yield {key: v for key, v in zip(values, chosen, strict=True) if v is not None}


def _filled(text: str, tags: Mapping[str, str]) -> str:
    """A condition's value with the caller's tags for their variables, and no wildcards."""
    for name, value in tags.items():
        variable = rf"\$\{{aws:PrincipalTag/{re.escape(name)}\}}"
        text = re.sub(variable, lambda _, v=value: v, text, flags=re.IGNORECASE)
    return text.replace("*", "m").replace("?", "m")


_TAG = re.compile(r"aws:(?:principal|request)tag/([^}',\s]+)", re.IGNORECASE)


def _tags_spoken_of(estate: Estate) -> set[str]:
    """The names of tags that policies speak of."""
    found: set[str] = set()
    for identity in estate.identities:
        for document in (*identity.policies, identity.trust_policy):
            for statement in document.statements if document else ():
                keys = [condition.key for condition in statement.conditions]
                keys += [v.key for t in statement.templates for v in t.variables]
                found |= {m[1] for key in keys if (m := _TAG.fullmatch(key))}
    return found


def _like(pattern: str, text: str) -> bool:
    expression = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None
