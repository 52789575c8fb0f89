"""Exports with a planted path, and the repaired twins of each.

A scenario plants one path by which one tenant reaches others' artifacts. What it expects is said
in the terms of ``tenantproof check``: the route, the victims, and the actions of the steps in
order. Of a twin everything is expected to be proved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from .account import Json, allow, deny, grant, multi_model, single_model, trust
from .world import STRANGER, Names, World, invoke_own, world

PLANTED = "planted"
"""The name of the variant that leaks."""

INVOKE = "sagemaker:InvokeEndpoint"
ASSUME = "(sts:TagSession )?sts:AssumeRole( sts:TagSession)?"
READ = "s3:GetObject(Version)?"
ANY_LEAK = r"(s3|sagemaker):\w+"

Build = Callable[[Names, str], World]


@dataclass(frozen=True)
class Scenario:
    """A planted path.

    Attributes:
        name: what it is called.
        route: the route by which it leaks.
        build: makes the world of a variant: planted, or one of the twins.
        twins: the names of the repaired variants.
        steps: a regular expression each of the actions of the attacker's steps, joined by spaces.
        victims: whom it reaches, of the names.
        verdict: what ``check`` answers.
        rename: makes the names that the scenario needs of any.
        routes: further routes that the planted variant leaks by.
    """

    name: str
    route: str
    build: Build
    twins: tuple[str, ...]
    steps: tuple[str, ...]
    victims: Callable[[Names], frozenset[str]]
    verdict: str = "LEAK"
    rename: Callable[[Names], Names] = lambda names: names
    routes: frozenset[str] = frozenset()


SCENARIOS: list[Scenario] = []


def everybody_else(names: Names) -> frozenset[str]:
    """All tenants but the attacker."""
    return frozenset({names.victim, names.bystander})


def the_victim(names: Names) -> frozenset[str]:
    """The one victim."""
    return frozenset({names.victim})


def _scenario(
    route: str,
    *steps: str,
    twins: tuple[str, ...] = ("repaired",),
    victims: Callable[[Names], frozenset[str]] = everybody_else,
    verdict: str = "LEAK",
    rename: Callable[[Names], Names] = lambda names: names,
    routes: frozenset[str] = frozenset(),
) -> Callable[[Build], Build]:
    def add(build: Build) -> Build:
        name = build.__name__.strip("_").replace("_", "-")
        found = Scenario(name, route, build, twins, steps, victims, verdict, rename, routes)
        SCENARIOS.append(found)
        return build

    return add


def _own_role(names: Names) -> str:
    return World(names).account.iam("role", names.attacker)


def _role(names: Names, name: str) -> str:
    return World(names).account.iam("role", name)


def _prefix_of_another(names: Names) -> Names:
    """Names of which the victim's begins with the attacker's."""
    return replace(names, victim=f"{names.attacker}-eu")


# The attacker changes what its requests carry.


@_scenario("change", "iam:TagRole", INVOKE, twins=("denied", "own-value", "not-allowed"))
def _retag(names: Names, variant: str) -> World:
    own = _own_role(names)
    tag = {f"aws:RequestTag/{names.tag}": names.attacker}
    statements = {
        PLANTED: [allow("iam:TagRole", own)],
        "denied": [allow("iam:TagRole", own), deny(["iam:TagRole", "iam:UntagRole"])],
        "own-value": [allow("iam:TagRole", own, Condition={"StringEquals": tag})],
        "not-allowed": [allow("iam:TagRole", f"{own}-batch")],
    }
    return world(names, *statements[variant])


@_scenario("change", "iam:TagUser", INVOKE)
def _retag_of_a_user(names: Names, variant: str) -> World:
    made = world(names)
    user = made.account.iam("user", f"{names.attacker}-ci")
    more = [allow("iam:Tag*", user)] if variant == PLANTED else []
    tags = {names.tag: names.attacker}
    made.account.user(f"{names.attacker}-ci", invoke_own(names), *more, tags=tags)
    return made.act_for(names.attacker, user)


@_scenario("assume", ASSUME, INVOKE, twins=("own-value", "no-tags"))
def _session_tags(names: Names, variant: str) -> World:
    """A role for all tenants, told apart by the session tag that each chooses for itself."""
    shared = f"{names.platform}-sessions"
    both = ["sts:AssumeRole", "sts:TagSession"]
    made = world(names, allow(both, _role(names, shared)))
    callers = [_role(names, tenant) for tenant in names.tenants]
    tag = {f"aws:RequestTag/{names.tag}": names.own_tag}
    trusted = {
        PLANTED: trust(_own_role(names), actions=both),
        "own-value": trust(*callers, actions=both, Condition={"StringEquals": tag}),
        "no-tags": trust(_own_role(names), actions="sts:AssumeRole"),
    }
    made.account.role(shared, invoke_own(names), trust=trusted[variant])
    return made


@_scenario("change", "iam:UntagRole", INVOKE, twins=("other-tag", "not-allowed"))
def _tag_taken_away(names: Names, variant: str) -> World:
    """A guard for those who carry a tag; the role may put it down."""
    own = _own_role(names)
    endpoint = World(names).account.sagemaker("endpoint", names.endpoint)
    guard = {
        "StringEquals": {"aws:PrincipalTag/audience": "customer"},
        "StringNotLike": {"sagemaker:TargetModel": f"{names.attacker}/*"},
    }
    keys = {"ForAllValues:StringEquals": {"aws:TagKeys": ["note"]}}
    more = {"Condition": keys} if variant == "other-tag" else {}
    target = f"{own}-batch" if variant == "not-allowed" else own
    return world(
        names,
        allow(INVOKE, endpoint),
        deny(INVOKE, "*", Condition=guard),
        allow("iam:UntagRole", target, **more),
        tags={names.tag: names.attacker, "audience": "customer"},
    )


# The attacker becomes somebody else.


def _chain(made: World, hops: list[str], *last: Json, closed_before: int | None = None) -> None:
    """Roles in a row, each of which trusts the one before and may assume the next.

    The first trusts the account, which leaves it to the caller's policies. ``closed_before``
    counts the hop that does not trust the one before it.
    """
    names, account = made.names, made.account
    arns = [f"arn:aws:iam::{account.number}:root", *(_role(names, hop) for hop in hops)]
    stranger = f"arn:aws:iam::{STRANGER}:root"
    for number, (before, hop) in enumerate(zip(arns, hops, strict=False)):
        after = arns[number + 2 : number + 3]
        mine = [allow("sts:AssumeRole", after)] if after else list(last)
        trusted = stranger if number == closed_before else before
        account.role(hop, *mine, trust=trust(trusted))


def _may_assume(names: Names, role: str) -> Json:
    return allow("sts:AssumeRole", _role(names, role))


@_scenario("assume", ASSUME, ASSUME, READ, twins=("first-hop", "second-hop", "not-allowed"))
def _two_hops_to_the_platform(names: Names, variant: str) -> World:
    first, second = f"{names.platform}-support", f"{names.platform}-reader"
    to = f"{first}-archive" if variant == "not-allowed" else first
    made = world(names, _may_assume(names, to))
    closed = {"first-hop": 0, "second-hop": 1}.get(variant)
    reads = allow("s3:GetObject", names.all_keys)
    _chain(made, [first, second], reads, closed_before=closed)
    return made


@_scenario("assume", ASSUME, ASSUME, victims=the_victim)
def _two_hops_to_the_neighbour(names: Names, variant: str) -> World:
    helper = f"{names.platform}-support"
    made = world(names, _may_assume(names, helper))
    neighbour = _role(names, names.victim)
    made.account.role(helper, allow("sts:AssumeRole", neighbour), trust=trust(_own_role(names)))
    trusted = [_role(names, helper)] if variant == PLANTED else [f"{_role(names, helper)}-eu"]
    made.account.role(
        names.victim,
        invoke_own(names),
        trust=trust(*trusted),
        tags={names.tag: names.victim},
    )
    return made


@_scenario("assume", ASSUME, ASSUME, ASSUME, READ, twins=("too-deep",))
def _three_hops(names: Names, variant: str) -> World:
    """As deep as it goes; one hop more is out of bounds, and said to be."""
    hops = [f"{names.platform}-{name}" for name in ("support", "triage", "escalation", "reader")]
    hops = hops if variant == "too-deep" else hops[:3]
    made = world(names, _may_assume(names, hops[0]))
    _chain(made, hops, allow("s3:GetObject", names.all_keys))
    made.depth = 3
    return made


@_scenario("assume", ASSUME, ASSUME, ASSUME, READ)
def _a_cycle(names: Names, variant: str) -> World:
    """Roles that may assume each other in a ring."""
    hops = [f"{names.platform}-{name}" for name in ("one", "two", "three")]
    made = world(names, _may_assume(names, hops[0]))
    ring = [_role(names, hop) for hop in hops]
    for before, after in pairwise([ring[-1], *ring, ring[0]]):
        hop = after.rpartition("/")[2]
        following = ring[(ring.index(after) + 1) % len(ring)]
        reads = [allow("s3:GetObject", names.all_keys)] if after == ring[-1] else []
        mine = reads if variant == PLANTED else []
        callers = [before, *([_own_role(names)] if after == ring[0] else [])]
        made.account.role(hop, allow("sts:AssumeRole", following), *mine, trust=trust(*callers))
    return made


@_scenario(
    "assume",
    rf"(?=.*iam:PassRole)(?=.*lambda:CreateFunction)((iam|lambda):\w+ )+{READ}",
    twins=("other-service", "not-passed", "not-trusted"),
)
def _code_as_a_role(names: Names, variant: str) -> World:
    runner = f"{names.platform}-batch"
    to = f"{_role(names, runner)}-eu" if variant == "not-passed" else _role(names, runner)
    service = "ec2" if variant == "other-service" else "lambda"
    passed = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    trusted = "glue" if variant == "not-trusted" else "lambda"
    made = world(
        names,
        allow("iam:PassRole", to, Condition=passed),
        allow(["lambda:CreateFunction", "lambda:InvokeFunction"]),
    )
    reads = allow("s3:GetObject", names.all_keys)
    made.account.role(runner, reads, trust=trust(f"{trusted}.amazonaws.com"))
    return made


@_scenario(
    "assume",
    rf"(?=.*iam:PassRole)(?=.*sagemaker:CreateTrainingJob)((iam|sagemaker):\w+ )+{READ}",
    twins=("narrow-role", "not-allowed"),
)
def _training_job_as_a_role(names: Names, variant: str) -> World:
    narrow = f"{names.attacker}-training"
    role = narrow if variant == "narrow-role" else f"{names.endpoint}-execution"
    jobs = World(names).account.sagemaker("training-job", f"{names.attacker}-*")
    create = "Describe" if variant == "not-allowed" else "Create"
    made = world(
        names,
        allow("iam:PassRole", _role(names, role)),
        allow(f"sagemaker:{create}TrainingJob", jobs),
    )
    reads = allow("s3:GetObject", names.keys(names.attacker))
    made.account.role(narrow, reads, trust=trust("sagemaker.amazonaws.com"))
    return made


@_scenario("assume", ASSUME, READ, twins=("not-trusted", "not-allowed"))
def _role_of_another_account(names: Names, variant: str) -> World:
    """Across accounts both sides must allow."""
    reader = f"{names.platform}-reader"
    elsewhere = World(names).other.iam("role", reader)
    to = f"{elsewhere}-eu" if variant == "not-allowed" else elsewhere
    made = world(names, allow("sts:AssumeRole", to))
    trusted = STRANGER if variant == "not-trusted" else _own_role(names)
    made.other.role(reader, allow("s3:GetObject", names.all_keys), trust=trust(trusted))
    # The objects are in the attacker's account, which lets that role read them.
    made.account.bucket(names.bucket, grant([elsewhere], "s3:GetObject", names.all_keys))
    return made


# The artifact itself.


@_scenario("object", "s3:PutObject")
def _poisoned_artifact(names: Names, variant: str) -> World:
    keys = names.all_keys if variant == PLANTED else names.keys(names.own_tag)
    return world(names, allow("s3:PutObject", keys))


@_scenario("object", READ, twins=("repaired", "denied"))
def _bucket_policy(names: Names, variant: str) -> World:
    made = world(names)
    own = _own_role(names)
    keys = names.keys(names.attacker) if variant == "repaired" else names.all_keys
    stop = {
        **deny("s3:GetObject", names.all_keys),
        "Principal": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": own}},
    }
    granted = [grant([own], "s3:GetObject", keys)]
    made.account.bucket(names.bucket, *granted, *([stop] if variant == "denied" else []))
    return made


@_scenario("object", READ)
def _resource_control(names: Names, variant: str) -> World:
    """The identity policy is wide; what the bucket's organization says is not."""
    made = world(names, allow("s3:GetObject", names.all_keys))
    execution = made.account.iam("role", f"{names.endpoint}-execution")
    stop = deny("s3:GetObject", [], NotResource=names.keys(names.own_tag))
    stop |= {"Condition": {"ArnNotEquals": {"aws:PrincipalArn": execution}}}
    del stop["Resource"]
    second = [allow("*")] if variant == PLANTED else [allow("*"), stop]
    made.account.resource_control_policies([allow("*")], second)
    return made


@_scenario("object", "s3:ListBucket")
def _listing_without_a_prefix(names: Names, variant: str) -> World:
    condition = {"Condition": {"StringLike": {"s3:prefix": f"{names.own_tag}/*"}}}
    limit = {} if variant == PLANTED else condition
    return world(names, allow("s3:ListBucket", f"arn:aws:s3:::{names.bucket}", **limit))


@_scenario("object", READ, twins=("not-granted", "not-allowed"))
def _bucket_of_another_account(names: Names, variant: str) -> World:
    """Across accounts the bucket's policy and the caller's both must allow."""
    archive = f"{names.bucket}-archive"
    objects = f"arn:aws:s3:::{archive}/*"
    mine = f"arn:aws:s3:::{archive}/{names.attacker}/*"
    made = world(names, allow("s3:GetObject", mine if variant == "not-allowed" else objects))
    granted = mine if variant == "not-granted" else objects
    made.other.bucket(archive, grant([_own_role(names)], "s3:GetObject", granted))
    for tenant in names.tenants:
        made.artifacts[tenant].append(f"s3://{archive}/{tenant}/*")
    return made


@_scenario("object", READ)
def _session_policy(names: Names, variant: str) -> World:
    """One role that reads everything, narrowed for each tenant by the policy of its session."""
    made = world(names)
    shared = f"{names.platform}-sessions"
    broker = made.account.iam("role", f"{names.platform}-broker", "/platform/")
    made.account.role(shared, allow("s3:GetObject", names.all_keys), trust=trust(broker))
    for tenant in names.tenants:
        arn = made.account.session(shared, tenant)
        keys = names.keys(tenant)
        if variant == PLANTED and tenant == names.attacker:
            keys = names.all_keys
        file = made.policy(f"{tenant}-session.json", allow("s3:GetObject", keys))
        made.act_for(tenant, arn, session_policy=file)
    return made


# The endpoint.


@_scenario("target-model", INVOKE, victims=the_victim, rename=_prefix_of_another)
def _no_slash(names: Names, variant: str) -> World:
    pattern = f"{names.attacker}*" if variant == PLANTED else f"{names.attacker}/*"
    endpoint = World(names).account.sagemaker("endpoint", names.endpoint)
    condition = {"StringLike": {"sagemaker:TargetModel": pattern}}
    return world(names, allow(INVOKE, endpoint, Condition=condition))


@_scenario("target-model", INVOKE, twins=("narrow-role", "narrow-prefix"))
def _execution_role_that_reads_all(names: Names, variant: str) -> World:
    """An endpoint of the tenant's own, whose artifacts begin with anybody's."""
    own = f"{names.endpoint}-{names.attacker}"
    made = world(names, allow(INVOKE, World(names).account.sagemaker("endpoint", own)))
    keys = names.keys(names.attacker) if variant == "narrow-role" else names.all_keys
    # Keys are texts: "../beta/x" under the narrow prefix is an object of that name.
    narrow = f"{names.attacker}/" if variant == "narrow-prefix" else ""
    execution = f"{own}-execution"
    made.account.role(
        execution, allow("s3:GetObject", keys), trust=trust("sagemaker.amazonaws.com")
    )
    url = f"s3://{names.bucket}/{narrow}"
    made.account.model(own, multi_model(url), execution_role=execution)
    made.account.endpoint(own, own)
    return made


@_scenario("target-model", INVOKE)
def _every_endpoint(names: Names, variant: str) -> World:
    """An endpoint for each tenant; the caller's policy tells them apart, or not."""
    made = world(names)
    account = made.account
    wide = account.sagemaker("endpoint", f"{names.endpoint}-*")
    for tenant in names.tenants:
        own = f"{names.endpoint}-{tenant}"
        account.role(
            f"{own}-execution",
            allow("s3:GetObject", names.keys(tenant)),
            trust=trust("sagemaker.amazonaws.com"),
        )
        url = f"s3://{names.bucket}/{tenant}"
        account.model(own, multi_model(url), execution_role=f"{own}-execution")
        account.endpoint(own, own)
        planted = variant == PLANTED and tenant == names.attacker
        resource = wide if planted else account.sagemaker("endpoint", own)
        trusted = trust("ecs-tasks.amazonaws.com")
        account.role(tenant, allow(INVOKE, resource), trust=trusted)
    return made


@_scenario("target-model", INVOKE)
def _execution_role_that_is_not_described(names: Names, variant: str) -> World:
    """Nobody says what it may read: it may."""
    own = f"{names.endpoint}-{names.attacker}"
    made = world(names, allow(INVOKE, World(names).account.sagemaker("endpoint", own)))
    narrow = "" if variant == PLANTED else f"{names.attacker}/"
    elsewhere = f"arn:aws:iam::{STRANGER}:role/execution"
    url = f"s3://{names.bucket}/{narrow}"
    made.account.model(own, multi_model(url), execution_role=elsewhere)
    made.account.endpoint(own, own)
    return made


def _with_single_models(names: Names, made: World, *, asynchronous: bool = False) -> World:
    """Add an endpoint for each tenant that serves one artifact of it."""
    for tenant in names.tenants:
        name = f"{names.endpoint}-{tenant}"
        url = f"s3://{names.bucket}/{tenant}/model.tar.gz"
        made.account.model(name, single_model(url), execution_role=f"{names.endpoint}-execution")
        made.account.endpoint(name, name, asynchronous=asynchronous)
    return made


@_scenario("invoke", INVOKE)
def _single_model_endpoint(names: Names, variant: str) -> World:
    which = "*" if variant == PLANTED else names.attacker
    endpoint = World(names).account.sagemaker("endpoint", f"{names.endpoint}-{which}")
    return _with_single_models(names, world(names, allow(INVOKE, endpoint)))


@_scenario("invoke", "sagemaker:InvokeEndpointWithResponseStream", twins=("own", "condition"))
def _response_stream(names: Names, variant: str) -> World:
    """The action carries no TargetModel: the condition on it lets nothing through."""
    stream = "sagemaker:InvokeEndpointWithResponseStream"
    which = names.attacker if variant == "own" else "*"
    endpoint = World(names).account.sagemaker("endpoint", f"{names.endpoint}-{which}")
    like = {"StringLike": {"sagemaker:TargetModel": "*"}}
    more = {"Condition": like} if variant == "condition" else {}
    return _with_single_models(names, world(names, allow(stream, endpoint, **more)))


@_scenario("invoke", INVOKE, twins=("string-like", "own-endpoint"))
def _for_all_values(names: Names, variant: str) -> World:
    """``ForAllValues:`` is true where the request has no TargetModel."""
    qualifier = "" if variant == "string-like" else "ForAllValues:"
    condition = {f"{qualifier}StringLike": {"sagemaker:TargetModel": f"{names.attacker}/*"}}
    which = f"-{names.attacker}" if variant == "own-endpoint" else "*"
    endpoint = World(names).account.sagemaker("endpoint", f"{names.endpoint}{which}")
    statement = allow(INVOKE, endpoint, Condition=condition)
    return _with_single_models(names, world(names, statement))


@_scenario("invoke", "sagemaker:InvokeEndpointAsync", twins=("own", "other-action"))
def _asynchronous_endpoint(names: Names, variant: str) -> World:
    """An asynchronous endpoint takes no other action than the asynchronous one."""
    which = names.attacker if variant == "own" else "*"
    endpoint = World(names).account.sagemaker("endpoint", f"{names.endpoint}-{which}")
    action = INVOKE if variant == "other-action" else "sagemaker:InvokeEndpointAsync"
    return _with_single_models(names, world(names, allow(action, endpoint)), asynchronous=True)


def _with_components(names: Names, made: World) -> World:
    """Add an endpoint for each tenant, and one for all of them, that serve components."""
    execution = f"{names.endpoint}-execution"
    for tenant in names.tenants:
        name = f"{names.endpoint}-{tenant}"
        url = f"s3://{names.bucket}/{tenant}/model.tar.gz"
        made.account.model(name, single_model(url), execution_role=execution)
        made.account.component_endpoint(name, execution, {f"{tenant}-own": name})
    models = {tenant: f"{names.endpoint}-{tenant}" for tenant in names.tenants}
    made.account.component_endpoint(f"{names.endpoint}-components", execution, models)
    return made


@_scenario("invoke", f"{INVOKE}( {INVOKE})?")
def _inference_component(names: Names, variant: str) -> World:
    """The component is a resource of the request, beside the endpoint."""
    account = World(names).account
    which = "components" if variant == PLANTED else names.attacker
    resources = [
        account.sagemaker("endpoint", f"{names.endpoint}-{which}"),
        account.sagemaker("inference-component", "*"),
    ]
    return _with_components(names, world(names, allow(INVOKE, resources)))


@_scenario("invoke", verdict="UNKNOWN", victims=lambda _: frozenset())
def _component_alone(names: Names, variant: str) -> World:
    """The endpoint is everybody's, the component is not: the reference leaves open what decides."""
    account = World(names).account
    which = "components" if variant == PLANTED else names.attacker
    resources = [
        account.sagemaker("endpoint", f"{names.endpoint}-{which}"),
        account.sagemaker("inference-component", names.attacker),
    ]
    return _with_components(names, world(names, allow(INVOKE, resources)))


@_scenario("invoke", INVOKE)
def _multi_container_endpoint(names: Names, variant: str) -> World:
    """Which container answers, the request says."""
    account = World(names).account
    name = f"{names.endpoint}-containers"
    wall = {"StringEquals": {"sagemaker:TargetContainerHostname": names.attacker}}
    more = {} if variant == PLANTED else {"Condition": wall}
    made = world(names, allow(INVOKE, account.sagemaker("endpoint", name), **more))
    containers = [
        single_model(f"s3://{names.bucket}/{tenant}/model.tar.gz", tenant)
        for tenant in names.tenants
    ]
    execution = f"{names.endpoint}-execution"
    made.account.model(name, *containers, execution_role=execution, direct=True)
    made.account.endpoint(name, name)
    return made


# The wall.


def _usual_and(names: Names, *statements: Json) -> list[Json]:
    """What a boundary allows: the usual, and what the attacker changes its policies by."""
    return [invoke_own(names), *statements]


@_scenario(
    "change",
    "iam:CreatePolicyVersion",
    ANY_LEAK,
    twins=("denied", "other-policy", "boundary", "organization"),
)
def _own_policy_version(names: Names, variant: str) -> World:
    policy = f"{names.attacker}-own"
    arn = World(names).account.iam("policy", policy)
    may = allow("iam:CreatePolicyVersion", f"{arn}-eu" if variant == "other-policy" else arn)
    stop = deny("iam:*Policy*")
    more = [may, stop] if variant == "denied" else [may]
    boundary = f"{names.platform}-boundary" if variant == "boundary" else None
    made = world(names, *more, attached=[policy], boundary=boundary)
    made.account.managed_policy(
        policy, allow("sagemaker:DescribeEndpoint"), before=[[allow("sagemaker:ListEndpoints")]]
    )
    made.account.managed_policy(f"{names.platform}-boundary", *_usual_and(names, may))
    if variant == "organization":
        made.account.service_control_policies([allow("*")], [allow("*"), stop])
    return made


@_scenario("change", "iam:SetDefaultPolicyVersion", READ, twins=("not-allowed", "no-version"))
def _older_policy_version(names: Names, variant: str) -> World:
    """A version of long ago read everything."""
    policy = f"{names.attacker}-own"
    arn = World(names).account.iam("policy", policy)
    action = "Get" if variant == "not-allowed" else "SetDefault"
    made = world(names, allow(f"iam:{action}PolicyVersion", arn), attached=[policy])
    keys = names.keys(names.attacker) if variant == "no-version" else names.all_keys
    before = [[allow("s3:GetObject", keys)], [allow("sagemaker:ListModels")]]
    made.account.managed_policy(policy, allow("sagemaker:ListEndpoints"), before=before)
    return made


@_scenario("change", "iam:CreatePolicyVersion", ANY_LEAK, twins=("other-group",))
def _policy_of_its_group(names: Names, variant: str) -> World:
    made = world(names)
    account = made.account
    policy = f"{names.attacker}-ci"
    group = "other" if variant == "other-group" else "ci"
    account.managed_policy(policy, allow("sagemaker:ListEndpoints"))
    account.group("ci", invoke_own(names), attached=[policy] if group == "ci" else [])
    account.group("other", attached=[policy])
    account.user(
        f"{names.attacker}-ci",
        allow("iam:CreatePolicyVersion", account.iam("policy", policy)),
        groups=["ci"],
        tags={names.tag: names.attacker},
    )
    return made.act_for(names.attacker, account.iam("user", f"{names.attacker}-ci"))


@_scenario("change", "iam:PutRolePolicy", ANY_LEAK, twins=("denied", "boundary", "other-role"))
def _own_inline_policy(names: Names, variant: str) -> World:
    own = _own_role(names)
    may = allow("iam:PutRolePolicy", f"{own}-batch" if variant == "other-role" else own)
    more = [may, deny("iam:Put*")] if variant == "denied" else [may]
    boundary = f"{names.platform}-boundary" if variant == "boundary" else None
    made = world(names, *more, boundary=boundary)
    made.account.managed_policy(f"{names.platform}-boundary", *_usual_and(names, may))
    return made


@_scenario("change", "iam:AttachUserPolicy", ANY_LEAK, twins=("not-allowed", "harmless-policy"))
def _attached_policy(names: Names, variant: str) -> World:
    made = world(names)
    account = made.account
    user = account.iam("user", f"{names.attacker}-ci")
    harmless = account.iam("policy", f"{names.platform}-listing")
    limit = {"Condition": {"ArnEquals": {"iam:PolicyARN": harmless}}}
    more = limit if variant == "harmless-policy" else {}
    target = f"{user}-eu" if variant == "not-allowed" else user
    account.managed_policy(f"{names.platform}-listing", allow("sagemaker:ListEndpoints"))
    account.user(
        f"{names.attacker}-ci",
        invoke_own(names),
        allow("iam:AttachUserPolicy", target, **more),
        tags={names.tag: names.attacker},
    )
    return made.act_for(names.attacker, user)


@_scenario("change", "iam:AddUserToGroup", READ)
def _another_group(names: Names, variant: str) -> World:
    made = world(names)
    account = made.account
    user = account.iam("user", f"{names.attacker}-ci")
    group = f"{names.platform}-readers" if variant == PLANTED else f"{names.attacker}-readers"
    account.group(f"{names.platform}-readers", allow("s3:GetObject", names.all_keys))
    account.group(f"{names.attacker}-readers", allow("s3:GetObject", names.keys(names.attacker)))
    account.user(
        f"{names.attacker}-ci",
        allow("iam:AddUserToGroup", account.iam("group", group)),
        tags={names.tag: names.attacker},
        groups=[f"{names.attacker}-readers"],
    )
    return made.act_for(names.attacker, user)


@_scenario(
    "change",
    "iam:UpdateAssumeRolePolicy",
    rf"{ASSUME}( {ANY_LEAK})?",
)
def _trust_of_the_neighbour(names: Names, variant: str) -> World:
    neighbour = _role(names, names.victim)
    target = neighbour if variant == PLANTED else f"{neighbour}-batch"
    return world(
        names,
        allow("iam:UpdateAssumeRolePolicy", target),
        allow("sts:AssumeRole", neighbour),
    )


@_scenario("change", "iam:DeleteRolePolicy", INVOKE)
def _guard_taken_away(names: Names, variant: str) -> World:
    """An inline policy denies what a managed one allows; the role may delete it."""
    made = world(names)
    account = made.account
    endpoint = account.sagemaker("endpoint", names.endpoint)
    other = {"StringNotLike": {"sagemaker:TargetModel": f"{names.attacker}/*"}}
    wide = f"{names.attacker}-invoke"
    may = [allow("iam:DeleteRolePolicy", _own_role(names))] if variant == PLANTED else []
    account.managed_policy(wide, allow(INVOKE, endpoint), *may)
    account.role(
        names.attacker,
        deny(INVOKE, "*", Condition=other),
        attached=[wide],
        trust=trust("ecs-tasks.amazonaws.com"),
        tags={names.tag: names.attacker},
    )
    return made


@_scenario("change", "iam:DetachRolePolicy", INVOKE, twins=("not-allowed", "other-policy"))
def _guard_detached(names: Names, variant: str) -> World:
    """A managed policy denies what an inline one allows; the role may detach it."""
    account = World(names).account
    guard, note = f"{names.platform}-guard", f"{names.attacker}-note"
    endpoint = account.sagemaker("endpoint", names.endpoint)
    other = {"StringNotLike": {"sagemaker:TargetModel": f"{names.attacker}/*"}}
    which = {"ArnEquals": {"iam:PolicyARN": account.iam("policy", note)}}
    more = {"Condition": which} if variant == "other-policy" else {}
    target = _own_role(names) + ("-batch" if variant == "not-allowed" else "")
    made = world(
        names,
        allow(INVOKE, endpoint),
        allow("iam:DetachRolePolicy", target, **more),
        attached=[guard, note],
    )
    made.account.managed_policy(guard, deny(INVOKE, "*", Condition=other))
    made.account.managed_policy(note, allow("sagemaker:ListEndpoints"))
    return made


@_scenario("change", "iam:DeleteRolePermissionsBoundary", READ)
def _boundary_taken_away(names: Names, variant: str) -> World:
    """The identity policies allow it; the boundary does not, unless it lets itself be deleted."""
    boundary = f"{names.platform}-boundary"
    delete = allow("iam:DeleteRolePermissionsBoundary", _own_role(names))
    reads = allow("s3:GetObject", names.all_keys)
    made = world(names, delete, reads, boundary=boundary)
    more = [delete] if variant == PLANTED else []
    made.account.managed_policy(boundary, *_usual_and(names, *more))
    return made


@_scenario("change", "s3:PutBucketPolicy", r"s3:\w+", twins=("denied", "other-bucket"))
def _own_bucket_policy(names: Names, variant: str) -> World:
    bucket = f"arn:aws:s3:::{names.bucket}"
    may = allow("s3:PutBucketPolicy", f"{bucket}-eu" if variant == "other-bucket" else bucket)
    more = [may, deny("s3:*BucketPolicy", bucket)] if variant == "denied" else [may]
    return world(names, *more)


@_scenario(
    "change",
    r"(?=.*iam:PassRole)(?=.*sagemaker:CreateModel)(?=.*sagemaker:CreateEndpointConfig)"
    r"(?=.*sagemaker:(Create|Update)Endpoint\b)((iam|sagemaker):\w+ ?)+",
    twins=("narrow-role", "not-passed"),
)
def _endpoint_of_its_own(names: Names, variant: str) -> World:
    """A new endpoint with an execution role that reads everybody's artifacts."""
    role = (
        f"{names.attacker}-execution"
        if variant == "narrow-role"
        else (f"{names.endpoint}-execution")
    )
    passed = f"{_role(names, role)}-eu" if variant == "not-passed" else _role(names, role)
    account = World(names).account
    mine = f"{names.attacker}-*"
    made = world(
        names,
        allow("iam:PassRole", passed),
        allow("sagemaker:CreateModel", account.sagemaker("model", mine)),
        allow(
            "sagemaker:CreateEndpointConfig",
            account.sagemaker("endpoint-config", mine),
            # Not of the models that are there, whose role reads everybody's artifacts.
            Condition={"ArnLike": {"sagemaker:ModelArn": account.sagemaker("model", mine)}},
        ),
        allow(
            "sagemaker:CreateEndpoint",
            [account.sagemaker("endpoint", mine), account.sagemaker("endpoint-config", mine)],
        ),
        allow(INVOKE, account.sagemaker("endpoint", mine)),
    )
    made.account.role(
        f"{names.attacker}-execution",
        allow("s3:GetObject", names.keys(names.attacker)),
        trust=trust("sagemaker.amazonaws.com"),
    )
    return made


# What is not there.


@_scenario("object", verdict="UNKNOWN", victims=lambda _: frozenset(), twins=("there",))
def _attached_policy_absent(names: Names, variant: str) -> World:
    """An attached policy that the export does not hold may allow anything."""
    policy = f"{names.attacker}-batch"
    made = world(names, attached=[policy])
    if variant == "there":
        made.account.managed_policy(policy, allow("sagemaker:ListEndpoints"))
    return made
