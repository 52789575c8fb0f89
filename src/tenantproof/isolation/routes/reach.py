"""What somebody reaches without becoming anybody else: by an endpoint, or in S3.

Follows "Host multiple models in one container behind one endpoint", "Invoke a multi-container
endpoint with direct invocation" and "Deploy models with inference components" of the SageMaker
guide, and the service authorization reference of SageMaker and S3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from tenantproof.account import Container, HostedEndpoint, Model, parse_s3
from tenantproof.isolation.route import Route
from tenantproof.isolation.routes.artifacts import Wall, agree, prefix_of
from tenantproof.isolation.routes.filters import (
    Same,
    beginnings,
    may_allow,
    may_allow_behind,
    may_name,
    relevant,
)
from tenantproof.isolation.routes.past import behind
from tenantproof.isolation.routes.query import (
    HOSTNAME,
    LIST_ACTIONS,
    S3_PREFIX,
    TARGET,
    Companion,
    Query,
    Who,
)
from tenantproof.isolation.routes.ways import Doubt, Outcome, Victims, asked, each_victim
from tenantproof.isolation.routes.world import Asking, looks_at
from tenantproof.isolation.sagemaker import (
    hostname_actions,
    invoke_actions,
    target_model_actions,
    target_model_domain,
)
from tenantproof.policy import PolicyDocument, PolicySet, Unknown
from tenantproof.prove import RESOURCE, Some, Term, conj, disj, neg
from tenantproof.prove.formula import Present
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.request import ContextValue

GET = "s3:GetObject"
READ_ACTIONS = (GET, "s3:GetObjectVersion")
WRITE_ACTIONS = ("s3:PutObject",)
ASYNC = "sagemaker:InvokeEndpointAsync"

RESOURCE_TAG = ":resourcetag/"
_COMPONENT = "<component> "
"""What the names of the subjects begin with that only the request about a component has."""

_MOST_TRIES = 2
"""How many objects are tried before the prover is asked."""

_ROLE = "<role> "
"""What the names of an execution role's subjects begin with, beside those of who invokes."""


@dataclass(frozen=True)
class Served:
    """A container on endpoints that are alike, as far as policies can tell.

    Attributes:
        endpoints: the endpoints' ARNs.
        model: the model that the container is of.
        container: the container.
        component: the ARN of the inference component that it is behind, if any.
    """

    endpoints: tuple[str, ...]
    model: Model
    container: Container
    component: str | None = None


@dataclass
class Reach:
    """What somebody reaches, by each of the routes asked about.

    Attributes:
        asking: what all queries have in common.
        routes: the routes asked about.
        policies: policies of buckets that are other than the estate says, by then.
        roles: those of execution roles, by their ARN.
    """

    asking: Asking
    routes: tuple[Route, ...]
    policies: dict[str, PolicyDocument | None]
    roles: Mapping[str, PolicySet] = field(default_factory=dict)

    def of(self, who: Who) -> Iterator[Outcome]:
        """Every way, and every doubt that is not vain."""
        if self.asking.is_vain(who):
            return
        for route in self.routes:
            match route:
                case Route.TARGET_MODEL:
                    yield from self.by_target_model(who)
                case Route.INVOKE:
                    yield from self.by_invoking(who)
                case Route.OBJECT:
                    yield from self.in_s3(who)
                case Route.ASSUME | Route.CHANGE:
                    pass

    # -- by TargetModel ------------------------------------------------------------------------

    def by_target_model(self, who: Who) -> Iterator[Outcome]:
        """A TargetModel that names another tenant's artifact, and that the role can read."""
        for served in self._served(who, multi_model=True):
            if self._holds_others(served.container):
                query = self._invocation(who, served, target_model_actions())
                yield from self.of_multi_model(query, served.model, served.container)
        yield from self._unknowns(who)

    def _holds_others(self, container: Container) -> bool:
        location = parse_s3(prefix_of(container.model_data or ""))
        return location is not None and self._wall(location.bucket) is not None

    def of_multi_model(
        self, query: Query, model: Model, container: Container, formula: Term = True
    ) -> Iterator[Outcome]:
        """What an invocation of a multi-model container reaches."""
        location = parse_s3(prefix_of(container.model_data or ""))
        wall = self._wall(location.bucket) if location else None
        if location is None or wall is None:
            return
        found = self._readable(model, wall, location.key)
        if found is False:
            return
        if isinstance(found, Companion):
            query = self.asking.noted(replace(query, companions=(*query.companions, found)))
        yield from each_victim(
            query,
            partial(self._victims_of_model, query, wall, location.key),
            lambda: conj((formula, self._unreached_model(wall, location.key))),
            self.asking.reached,
            self._models_to_try(query, wall, location.key) if formula is True else (),
        )

    def _models_to_try(self, query: Query, wall: Wall, prefix: str) -> Iterator[Witness]:
        """TargetModels that one would try first."""
        for key in self._keys_to_try(wall):
            word = key.removeprefix(prefix)
            if key.startswith(prefix) and word in target_model_domain():
                yield Witness(query.actions[0], query.resources[0], {TARGET: word}, 0)

    def _keys_to_try(self, wall: Wall) -> Iterator[str]:
        samples = self.asking.world.artifacts.samples(self.asking.tenant)
        return islice((key for _, bucket, key in samples if bucket == wall.bucket), _MOST_TRIES)

    def _unreached_model(self, wall: Wall, prefix: str) -> Term:
        more = self.asking.more(TARGET, wall.bucket, f"-{prefix}")
        return conj((Present(TARGET), wall.beyond_behind(TARGET, prefix), more))

    def _victims_of_model(
        self, query: Query, wall: Wall, prefix: str, witness: Witness
    ) -> tuple[str, ...]:
        """Whose artifact a TargetModel names, and whose others of its kind do."""
        target = witness.keys[TARGET]
        assert isinstance(target, str)

        def reaches(key: str) -> bool:
            word = key.removeprefix(prefix)
            if not key.startswith(prefix) or word not in target_model_domain():
                return False
            return query.is_allowed_as(replace(witness, keys={**witness.keys, TARGET: word}))

        return self._with_alike(wall, prefix + target, reaches)

    def _with_alike(self, wall: Wall, key: str, reaches: Callable[[str], bool]) -> tuple[str, ...]:
        """The owners of an object, and of those like it that are reached in the same way."""
        artifacts, tenant = self.asking.world.artifacts, self.asking.tenant
        found = dict.fromkeys(self._owners(wall, key))
        if not tenant.name:
            # Nobody in particular: that somebody is reached is all there is to know.
            return tuple(found)
        for name, other in artifacts.alike(tenant, wall.bucket, key):
            if name not in found and name not in self.asking.reached and reaches(other):
                found |= dict.fromkeys(self._owners(wall, other))
        return tuple(found)

    def _readable(self, model: Model, wall: Wall, prefix: str) -> Companion | bool:
        """What the execution role asks of a TargetModel to read what it names.

        True where no source describes the role; False where it can read no other tenant's artifact.
        """
        role = self._execution_role(model)
        if role is None:
            return True
        if not self._reads_others(role, wall):
            return False
        policy = self._policy(wall.bucket)
        same = None if policy is None else Same(policy)
        key = (self.asking.reading, role.state, same, wall.bucket, prefix)
        known = self.asking.world.companions
        if key not in known:
            known[key] = self._as_companion(role, wall.bucket, prefix)
        self.asking.noted(known[key].query)
        return known[key]

    def _reads_others(self, role: Who, wall: Wall) -> bool:
        """Whether an execution role can read any artifact beyond a wall, as far as is known."""
        policy = self._policy(wall.bucket)
        key = (role.state, None if policy is None else Same(policy), wall)
        readers, reading = self.asking.world.readers, self.asking.reading
        kept = readers.find(key, reading)
        if kept is None:
            query = self._reading(role, wall.bucket)
            arn = _object_arn(role, wall.bucket, "")
            tries = (Witness(GET, arn + name, {}, 0) for name in self._keys_to_try(wall))
            if query.can_be_tried and any(map(query.is_allowed_as, tries)):
                kept = readers.keep(key, reading, True, frozenset())
            else:
                reads = query.smallest(beyond(query, wall)) is not None
                kept = readers.keep(key, reading, reads, query.ambiguities)
        reads, hedges = kept
        self.asking.met |= hedges
        return reads

    def _as_companion(self, role: Who, bucket: str, prefix: str) -> Companion:
        arn = _object_arn(role, bucket, prefix)

        def rename(subject: str) -> str:
            return subject if subject == TARGET else _ROLE + subject

        companion = Companion.of(
            self._reading(role, bucket),
            rename,
            _ROLE,
            lambda witness: arn + str(witness.keys[TARGET]),
            f"the execution role {role.name} reads the artifact",
        )
        return replace(companion, past=behind(companion.past, _ROLE + RESOURCE, TARGET, arn))

    def _reading(self, role: Who, bucket: str) -> Query:
        """An execution role's s3:GetObject in a bucket."""
        world = self.asking.world
        there = world.bucket(bucket)
        return self.asking.query(
            role,
            world.access(role, self._policy(bucket), there.account),
            (GET,),
            (),
            "reads the artifact",
            absent=(TARGET, HOSTNAME),
            account=there.account,
        )

    def _execution_role(self, model: Model) -> Who | None:
        world = self.asking.world
        identity = world.identities.get(model.execution_role or "")
        if identity is None:
            return None
        who = world.who(identity)
        return replace(who, policies=self.roles.get(identity.arn, who.policies))

    # -- by endpoints that need no TargetModel -----------------------------------------------

    def by_invoking(self, who: Who) -> Iterator[Outcome]:
        """An endpoint, container or inference component that serves another tenant's artifact."""
        artifacts, tenant = self.asking.world.artifacts, self.asking.tenant
        for served in self._served(who, multi_model=False):
            if artifacts.serves_others(tenant, served.container) is None:
                continue
            actions = _actions_of(self._endpoint(served.endpoints[0]), served)
            query = self._invocation(who, served, actions)
            query = self._with_component(query, served)
            yield from self.of_single_model(query, served.model, served.container)
            if served.component is not None and query.smallest() is None:
                yield from self._without_component(who, served, actions)
        yield from self._unknowns(who)

    def of_single_model(
        self, query: Query, model: Model, container: Container, formula: Term = True
    ) -> Iterator[Outcome]:
        """What an invocation of a container with one artifact reaches."""
        artifacts, tenant = self.asking.world.artifacts, self.asking.tenant
        theirs = artifacts.serves_others(tenant, container)
        if theirs is None:
            return
        bucket, key = theirs
        read = self._role_reads(model, bucket, key)
        if read is None:
            return
        if isinstance(read, Companion):
            query = self.asking.noted(replace(query, companions=(*query.companions, read)))
        victims = artifacts.owners(bucket, key, but=tenant)
        outcome = asked(query, _always(victims), formula)
        if outcome is not None:
            yield read if isinstance(read, Doubt) else outcome

    def _unknowns(self, who: Who) -> Iterator[Outcome]:
        """The containers of which nobody knows whose artifacts they serve, nor by which route."""
        for served in self._served(who, multi_model=False):
            if served.container.unknown is not None:
                yield from self._unknown(who, served, served.container.unknown)

    def _unknown(self, who: Who, served: Served, unknown: Unknown) -> Iterator[Outcome]:
        """A container of which nobody knows whose artifact it serves."""
        actions = _actions_of(self._endpoint(served.endpoints[0]), served)
        query = self._invocation(who, served, actions)
        # It may be a multi-model one, or one that requests choose by its name.
        query = self.asking.noted(replace(query, absent=query.absent - {TARGET, HOSTNAME}))
        if query.smallest() is not None:
            yield Doubt(f"not known: {unknown.reason} ({unknown.place})")

    def _with_component(self, query: Query, served: Served) -> Query:
        """An invocation of an inference component that is allowed on both: the endpoint, and it."""
        if served.component is None:
            return query
        component = served.component
        access = self.asking.world.access(query.who, None, component.split(":")[4])
        beside = self.asking.query(
            query.who,
            access,
            query.actions,
            (component,),
            "names the component",
            absent=query.absent,
            region=query.region,
        )

        def rename(subject: str) -> str:
            # The tags of the component are not those of the endpoint.
            is_its = RESOURCE_TAG in subject and not subject.startswith("<")
            return _COMPONENT + subject if is_its else subject

        companion = Companion.of(
            beside, rename, "", lambda _: component, "on the inference component"
        )
        companion = replace(companion, own=_COMPONENT)
        return self.asking.noted(replace(query, companions=(*query.companions, companion)))

    def _without_component(
        self, who: Who, served: Served, actions: tuple[str, ...]
    ) -> Iterator[Outcome]:
        """Whether the endpoint would do: the reference calls the component optional, no more."""
        if self._invocation(who, served, actions).smallest() is not None:
            yield Doubt(
                f"{who.name} may invoke {served.endpoints[0]}, and not {served.component} on it:"
                " the IAM reference leaves open whether a request that names an inference"
                " component needs both"
            )

    def _role_reads(self, model: Model, bucket: str, key: str) -> Companion | Doubt | bool | None:
        """Whether the execution role can read an object; None where it cannot."""
        role = self._execution_role(model)
        if role is None:
            return True
        arn = _object_arn(role, bucket, key)
        world = self.asking.world
        account = world.bucket(bucket).account
        access = world.access(role, self._policy(bucket), account)
        query = self.asking.query(
            role, access, (GET,), (arn,), "reads the artifact", account=account
        )
        found = query.smallest()
        if found is None:
            return None
        if isinstance(found, Blocked):
            outcome = asked(query, lambda _: ())
            assert isinstance(outcome, Doubt)
            return outcome
        return Companion.of(
            query,
            lambda subject: _ROLE + subject,
            _ROLE,
            lambda _: arn,
            f"the execution role {role.name} reads the artifact",
        )

    # -- endpoints ---------------------------------------------------------------------------

    def _served(self, who: Who, *, multi_model: bool) -> Iterator[Served]:
        """The containers on endpoints that somebody may be able to invoke, those alike together."""
        groups: dict[tuple[object, ...], list[str]] = {}
        samples: dict[tuple[object, ...], Served] = {}
        for endpoint in self._endpoints(who):
            for served in _containers(endpoint):
                if served.container.multi_model is multi_model:
                    kind = _kind(endpoint, served)
                    groups.setdefault(kind, []).append(endpoint.arn)
                    samples.setdefault(kind, served)
        for kind, served in samples.items():
            yield replace(served, endpoints=tuple(dict.fromkeys(groups[kind])))

    def _endpoints(self, who: Who) -> Iterator[HostedEndpoint]:
        """The endpoints that the caller's side does not rule out, whatever the request."""
        for endpoint in self.asking.world.estate.endpoints:
            if may_allow(who.policies, invoke_actions(), (endpoint.arn,)):
                yield endpoint

    def _endpoint(self, arn: str) -> HostedEndpoint:
        return next(e for e in self.asking.world.estate.endpoints if e.arn == arn)

    def _invocation(self, who: Who, served: Served, actions: tuple[str, ...]) -> Query:
        endpoint = self._endpoint(served.endpoints[0])
        account, region = endpoint.arn.split(":")[4], endpoint.arn.split(":")[3]
        fixed: dict[str, ContextValue] = {
            prefix + name.lower(): value
            for name, value in endpoint.tags.items()
            for prefix in ("aws:resourcetag/", "sagemaker:resourcetag/")
        }
        access = self.asking.world.access(who, None, account)
        if endpoint.unknown_tags is not None and looks_at(RESOURCE_TAG, access):
            who = replace(who, doubts=(*who.doubts, f"not known: {endpoint.unknown_tags.reason}"))
        by_name = served.model.direct and served.container.hostname is not None
        if by_name:
            fixed[HOSTNAME] = str(served.container.hostname)
            actions = tuple(action for action in actions if action in hostname_actions())
        absent = {S3_PREFIX} if served.container.multi_model else {S3_PREFIX, TARGET}
        return self.asking.query(
            who,
            access,
            actions,
            served.endpoints,
            "invokes the model",
            fixed=fixed,
            absent=absent if by_name else absent | {HOSTNAME},
            account=account,
            region=region,
        )

    # -- in S3 -------------------------------------------------------------------------------

    def in_s3(self, who: Who) -> Iterator[Outcome]:
        """Another tenant's objects read or overwritten, or listed by a prefix."""
        for wall in self.asking.world.artifacts.walls(self.asking.tenant):
            for actions, effect in (
                (READ_ACTIONS, "reads the artifact"),
                (WRITE_ACTIONS, "overwrites the artifact"),
            ):
                if self.may_in(who, wall.bucket, actions):
                    yield from self._objects(who, wall, actions, effect)
            if self.may_in(who, wall.bucket, LIST_ACTIONS):
                yield from self._listing(who, wall)

    def may_in(self, who: Who, bucket: str, actions: tuple[str, ...]) -> bool:
        """Whether some policy may allow somebody an action in a bucket."""
        policy = self._policy(bucket)
        arn = _bucket_arn(who, bucket)
        if may_allow_behind(who.policies.identity_policies, actions, arn):
            return True
        return policy is not None and any(
            may_name(statement.principal, who.names) for statement in relevant((policy,), actions)
        )

    def objects_query(self, who: Who, wall: Wall, actions: tuple[str, ...], effect: str) -> Query:
        """What somebody can do with the objects of a bucket."""
        world = self.asking.world
        account = world.bucket(wall.bucket).account
        return self.asking.query(
            who,
            world.access(who, self._policy(wall.bucket), account),
            actions,
            (),
            effect,
            absent=(TARGET, HOSTNAME, S3_PREFIX),
            account=account,
        )

    def _objects(
        self, who: Who, wall: Wall, actions: tuple[str, ...], effect: str
    ) -> Iterator[Outcome]:
        query = self.objects_query(who, wall, actions, effect)
        at = len(_object_arn(who, wall.bucket, ""))

        def victims(witness: Witness) -> tuple[str, ...]:
            def reaches(key: str) -> bool:
                return query.is_allowed_as(replace(witness, resource=witness.resource[:at] + key))

            return self._with_alike(wall, witness.resource[at:], reaches)

        arn = _object_arn(who, wall.bucket, "")
        tries = (
            Witness(action, arn + key, {}, 0)
            for key in self._keys_to_try(wall)
            if any(agree(begin, key) for begin in begins_of(query, arn))
            for action in actions
        )
        yield from each_victim(
            query, victims, partial(self.unreached, query, wall), self.asking.reached, tries
        )

    def unreached(self, query: Query, wall: Wall) -> Term:
        """The resource is an object of another tenant that was not reached yet."""
        arn = _object_arn(query.who, wall.bucket, "")
        return conj((beyond(query, wall), self.asking.more(RESOURCE, wall.bucket, arn)))

    def _listing(self, who: Who, wall: Wall) -> Iterator[Outcome]:
        world = self.asking.world
        account = world.bucket(wall.bucket).account
        query = self.asking.query(
            who,
            world.access(who, self._policy(wall.bucket), account),
            LIST_ACTIONS,
            (_bucket_arn(who, wall.bucket),),
            "lists the artifact",
            absent=(TARGET, HOSTNAME),
            account=account,
        )

        def victims(witness: Witness) -> tuple[str, ...]:
            prefix = witness.keys.get(S3_PREFIX, "")
            assert isinstance(prefix, str)
            return world.artifacts.owners_of_listed(wall.bucket, prefix, but=self.asking.tenant)

        def reveals() -> Term:
            tenant, reached = self.asking.tenant, self.asking.reached
            listed = world.artifacts.listed_by(tenant, wall.bucket, reached)
            if listed is None:
                return False
            return disj((neg(Present(S3_PREFIX)), Some(S3_PREFIX, listed)))

        yield from each_victim(query, victims, reveals, self.asking.reached)

    # -- buckets -----------------------------------------------------------------------------

    def _policy(self, bucket: str) -> PolicyDocument | None:
        if bucket in self.policies:
            return self.policies[bucket]
        return self.asking.world.bucket(bucket).policy

    def _wall(self, bucket: str) -> Wall | None:
        return self.asking.world.artifacts.wall(self.asking.tenant, bucket)

    def _owners(self, wall: Wall, key: str) -> tuple[str, ...]:
        return self.asking.world.artifacts.owners(wall.bucket, key, but=self.asking.tenant)


def _always(victims: tuple[str, ...]) -> Victims:
    return lambda _: victims


def _containers(endpoint: HostedEndpoint) -> Iterator[Served]:
    for variant in endpoint.variants:
        for container in variant.model.containers if variant.model else ():
            assert variant.model is not None
            yield Served((endpoint.arn,), variant.model, container)
    for component in endpoint.components:
        for container in component.model.containers:
            yield Served((endpoint.arn,), component.model, container, component.arn)


def _kind(endpoint: HostedEndpoint, served: Served) -> tuple[object, ...]:
    """What endpoints must have in common to be asked about together."""
    _, partition, _, region, account, _ = endpoint.arn.split(":", 5)
    container = served.container
    return (
        (partition, region, account),
        tuple(sorted(endpoint.tags.items())),
        endpoint.unknown_tags,
        endpoint.asynchronous,
        container.model_data,
        container.unknown,
        container.hostname if served.model.direct else None,
        served.model.execution_role,
        served.component,
    )


def _actions_of(endpoint: HostedEndpoint, served: Served) -> tuple[str, ...]:
    """The actions by which a container without TargetModels is invoked."""
    if endpoint.asynchronous:
        return (ASYNC,)
    others = tuple(action for action in invoke_actions() if action != ASYNC)
    if served.model.direct and served.container.hostname is not None:
        return tuple(action for action in others if action in hostname_actions())
    return others


def _object_arn(who: Who, bucket: str, key: str) -> str:
    return f"{_bucket_arn(who, bucket)}/{key}"


def _bucket_arn(who: Who, bucket: str) -> str:
    return f"arn:{who.partition}:s3:::{bucket}"


def beyond(query: Query, wall: Wall) -> Term:
    """The resource is another tenant's object."""
    arn = _object_arn(query.who, wall.bucket, "")
    return wall.beyond_at(RESOURCE, arn, begins_of(query, arn))


def begins_of(query: Query, arn: str) -> frozenset[str]:
    """What the keys begin with, behind an ARN, that policies may allow; see :func:`beginnings`."""
    access = query.access
    documents = (*access.caller.identity_policies, *access.resource_policies)
    return beginnings(documents, query.actions, arn)
