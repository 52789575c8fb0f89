"""Changing the wall: what somebody may do to the policies, tags and endpoints that confine it.

After a change everything else still stands: a boundary, organization policies, a session policy,
a deny in another policy. So each change is followed by the question what is reached then, with the
policies as they are by then.

Follows "Actions, resources, and condition keys for AWS Identity and Access Management" and "...
Amazon SageMaker" of the service authorization reference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial, reduce
from itertools import chain, combinations
from typing import TypeVar

from tenantproof.account import Group, Identity, IdentityKind, ManagedPolicy, Model
from tenantproof.errors import Place
from tenantproof.isolation.findings import Step
from tenantproof.isolation.route import Route
from tenantproof.isolation.routes.artifacts import Wall
from tenantproof.isolation.routes.become import (
    MOST_TAGS,
    NEVER_HERE,
    OTHER_TAGS,
    PASS_ROLE,
    Becoming,
    agree,
    choices_of,
    of_many,
    spellings,
    too_many,
)
from tenantproof.isolation.routes.filters import may_allow
from tenantproof.isolation.routes.query import (
    BOUNDARY,
    HOSTNAME,
    POLICY_ARN,
    REQUEST_TAG,
    S3_PREFIX,
    TAG_KEYS,
    TAG_VALUE,
    TARGET,
    Companion,
    Hop,
    Query,
    Steps,
    Who,
    steps_of,
)
from tenantproof.isolation.routes.reach import GET, Reach
from tenantproof.isolation.routes.ways import Doubt, Outcome, Way, asked
from tenantproof.isolation.routes.world import (
    Asking,
    documents_of,
    principal_tags_in,
    tags_asked,
    tags_of_resource,
    without_tag,
)
from tenantproof.isolation.sagemaker import TARGET_MODEL, invoke_actions, target_model_actions
from tenantproof.policy import Effect, PolicyDocument, PolicySet, Unknown, parse_policy
from tenantproof.policy.unknown import unknown_policy
from tenantproof.prove import RESOURCE, Some, Term, conj, language, neg
from tenantproof.prove.languages import ANY, Language, PatternBuilder, literal
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.request import ContextValue

T = TypeVar("T")

POLICY_CHANGES = (
    "iam:PutRolePolicy",
    "iam:PutUserPolicy",
    "iam:PutGroupPolicy",
    "iam:AttachRolePolicy",
    "iam:AttachUserPolicy",
    "iam:AttachGroupPolicy",
    "iam:CreatePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:DeleteRolePolicy",
    "iam:DeleteUserPolicy",
    "iam:DetachRolePolicy",
    "iam:DetachUserPolicy",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:AddUserToGroup",
    "iam:RemoveUserFromGroup",
)
"""The actions that change the policies of an identity."""

SAGEMAKER = "sagemaker.amazonaws.com"
MODEL_ARN = "sagemaker:modelarn"
_SERVING = ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint")
_MOST_ATTACHED = 64
_MOST_TOGETHER = 16
"""Of more changes not every three are tried together, but each alone, and all."""


@dataclass(frozen=True)
class Change:
    """A change that somebody may make to its own wall.

    Attributes:
        query: the request that makes it.
        formula: which of the query's requests does.
        after: the policies that apply afterwards.
        first: requests that are made before it.
    """

    query: Query
    formula: Term
    after: Callable[[PolicySet], PolicySet]
    first: tuple[Query, ...] = ()

    @property
    def parts(self) -> tuple[tuple[Query, Term], ...]:
        """All requests of the change."""
        return *((query, True) for query in self.first), (self.query, self.formula)


def _apply(policies: PolicySet, change: Change) -> PolicySet:
    return change.after(policies)


def _alone_and_all(changes: list[T]) -> Iterator[list[T]]:
    yield from ([change] for change in changes)
    if len(changes) > 1:
        yield changes


@dataclass
class Changing:
    """What somebody reaches once it has changed what confines it.

    Attributes:
        asking: what all queries have in common.
        reach: what is reached without a change.
        becoming: whom one can become.
        lands: what becoming somebody leads to, for a role that one could not assume before.
    """

    asking: Asking
    reach: Reach
    becoming: Becoming
    lands: Callable[[Who], Iterator[Outcome]]

    def of(self, who: Who) -> Iterator[Outcome]:
        """Every way, and every doubt that is not vain."""
        if self.asking.is_vain(who):
            return
        yield from self._own_policies(who)
        yield from self._own_tags(who)
        yield from self._trust_policies(who)
        yield from self._bucket_policies(who)
        yield from self._new_endpoint(who)
        yield from self._reused_models(who)
        yield from self._execution_roles(who)

    def of_each_other(self, everybody: Sequence[Who]) -> Iterator[Outcome]:
        """What those that one can be reach once one of them has changed another's policies."""
        for who in everybody:
            if not may_allow(who.policies, POLICY_CHANGES):
                continue
            for other in everybody:
                if other.identity is not who.identity:
                    for changed in self._changed_by(who, other):
                        yield from self.reach.of(changed)
                        yield from self._onwards(other, changed)

    def _changed_by(self, who: Who, other: Who) -> Iterator[Who]:
        """Another one whose policies somebody has changed."""
        for steps, after, doubts in self._possible(who, other.identity):
            yield replace(
                other,
                policies=after(other.policies),
                hops=(Hop(steps), *other.hops),
                doubts=tuple(dict.fromkeys((*other.doubts, *doubts))),
            )

    def _execution_roles(self, who: Who) -> Iterator[Outcome]:
        """Policies of the roles as which endpoints read, changed."""
        if not may_allow(who.policies, POLICY_CHANGES):
            return
        world = self.asking.world
        models = (model for endpoint in world.estate.endpoints for model in endpoint.models)
        for arn in dict.fromkeys(model.execution_role or "" for model in models):
            role = world.identities.get(arn)
            routes = tuple(route for route in self.reach.routes if route is not Route.OBJECT)
            for steps, after, doubts in self._possible(who, role):
                policies = {arn: after(world.who(world.identities[arn]).policies)}
                reach = Reach(self.asking, routes, {}, policies)
                yield from reach.of(replace(who, hops=(Hop(steps),), doubts=doubts))

    def _possible(
        self, who: Who, identity: Identity | None
    ) -> Iterator[tuple[Steps, Callable[[PolicySet], PolicySet], tuple[str, ...]]]:
        """The changes of an identity's policies, each alone, and all: steps, effect, and doubts."""
        possible: list[tuple[Change, list[Outcome]]] = []
        for change in self._changes(who, identity):
            made = _all_of(*change.parts)
            if made is not None:
                possible.append((change, made))
        for several in _alone_and_all(possible):
            outcomes = [outcome for _, made in several for outcome in made]
            doubts = (o.reason for o in outcomes if isinstance(o, Doubt))
            ways = [o.steps for o in outcomes if isinstance(o, Way)]
            steps = (*ways[0], *(way[-1] for way in ways[1:])) if ways else ()
            after = partial(reduce, _apply, [change for change, _ in several])
            yield partial(tuple, steps), after, tuple(dict.fromkeys((*who.doubts, *doubts)))

    def _onwards(self, before: Who, after: Who) -> Iterator[Outcome]:
        """Whom one can become after a change, and could not before."""
        if Route.ASSUME in self.asking.world.manifest.routes.off:
            return
        known = {other.arn for other in self.becoming.all_of(before) if isinstance(other, Who)}
        after = replace(after, arrival=partial(_so_far, after))
        for other in self.becoming.all_of(after):
            if isinstance(other, Doubt):
                yield other
            elif other.chosen or other.arn not in known:
                yield from self.lands(other)

    def _onwards_by_tags(self, before: Who, after: Who, names: Iterable[str]) -> Iterator[Outcome]:
        """The same after a change of tags, where whom one can become may hang on them."""
        layers = before.policies.layers()
        looked_at = principal_tags_in(document for layer in layers for document in layer.policies)
        relevant = {*self.asking.world.tags_of_becoming, *looked_at}
        if any(name.lower() in relevant for name in names):
            yield from self._onwards(before, after)

    # -- its own policies --------------------------------------------------------------------

    def _own_policies(self, who: Who) -> Iterator[Outcome]:
        """Policies given, boundaries lifted, denies taken away; one alone, or several together."""
        changes: list[Change] = []
        open_ones: list[Change] = []
        for change in self._changes(who, who.identity):
            found = [query.smallest(formula) for query, formula in change.parts]
            if any(isinstance(each, Blocked) for each in found) and all(found):
                open_ones.append(change)
            elif all(found):
                changes.append(change)
        alone = ((change,) for change in changes)
        few = chain.from_iterable(combinations(changes[:_MOST_TOGETHER], n) for n in (2, 3))
        for several in chain(alone, few):
            outcomes = self.reach.of(self._changed(who, several))
            way = next((outcome for outcome in outcomes if isinstance(outcome, Way)), None)
            if way is not None:
                yield way
                yield from outcomes
                return
        if changes:
            yield from self.reach.of(self._changed(who, changes))
        for made in _alone_and_all(changes):
            yield from self._onwards(who, self._changed(who, made))
        yield from self._if_they_were(who, changes, open_ones)

    def _if_they_were(
        self, who: Who, changes: list[Change], open_ones: list[Change]
    ) -> Iterator[Outcome]:
        """Changes that are not known to be allowed are a doubt where they would open a way."""
        for change in open_ones:
            outcomes = (asked(query, lambda _: (), formula) for query, formula in change.parts)
            doubt = next(outcome for outcome in outcomes if isinstance(outcome, Doubt))
            for several in ((change,), (*changes, change), (*changes, *open_ones)):
                policies = reduce(_apply, several, who.policies)
                changed = replace(who, policies=policies, doubts=(doubt.reason,))
                if any(True for _ in self.reach.of(changed)):
                    yield doubt
                    break

    def _changed(self, who: Who, changes: Sequence[Change]) -> Who:
        """Who one is after some changes."""
        changed = who
        for change in changes:
            for query, formula in change.parts:
                changed = self._once_made(who, changed, query, formula)
            changed = replace(changed, policies=change.after(changed.policies))
        return changed

    def _once_made(self, who: Who, changed: Who, query: Query, formula: Term) -> Who:
        """Who one is after one more request."""
        query = replace(query, who=replace(query.who, hops=changed.hops))
        if who.chosen:
            tied = replace(query, who=replace(query.who, past=changed.past))
            return tied.leading_to(changed, len(changed.hops), kept=who.chosen)
        found = query.smallest(formula)
        assert isinstance(found, Witness)
        hops = changed.hops if who.doubts else (Hop(steps_of(partial(query.steps, found))),)
        return replace(changed, hops=hops)

    def _changes(self, who: Who, identity: Identity | None) -> Iterator[Change]:
        """What somebody may change of the policies of an identity."""
        if identity is None:
            return
        if identity.kind is IdentityKind.ROLE:
            kind, boundary = "Role", "RolePermissionsBoundary"
        else:
            kind, boundary = "User", "UserPermissionsBoundary"
        yield from self._put(who, f"iam:Put{kind}Policy", identity.arn, identity)
        yield from self._attached(who, f"iam:Attach{kind}Policy", identity.arn, identity)
        for arn in identity.groups:
            yield from self._of_group(who, arn)
        yield from self._versions(who, identity)
        if identity.kind is IdentityKind.USER:
            yield from self._groups(who, identity)
        if identity.permissions_boundary is not None:
            yield from self._lifted(who, identity, boundary)
        yield from self._taken_away(who, identity, kind)

    def _lifted(self, who: Who, identity: Identity, boundary: str) -> Iterator[Change]:
        """Its boundary deleted, or another one put in its place."""
        deleting = self._about(
            who,
            (f"iam:Delete{boundary}",),
            identity.arn,
            identity,
            f"lifts the boundary of {_named(who, identity)}",
        )
        if deleting is not None:
            yield Change(deleting, True, _without_boundary)
        putting = self._about(who, (f"iam:Put{boundary}",), identity.arn, identity, "")
        if putting is None:
            return
        # Here the key says which boundary it is to be.
        fixed = {k: v for k, v in putting.fixed.items() if k != BOUNDARY}
        absent = putting.absent - {BOUNDARY}
        effect = f"puts another boundary on {_named(who, identity)}"
        putting = self.asking.noted(
            replace(
                putting, fixed=fixed, absent=absent, always={BOUNDARY: _admin(who)}, effect=effect
            )
        )
        own = self._boundary_of(identity)
        listed = {p.arn: p.document for p in self.asking.world.estate.managed_policies}
        free = Some(BOUNDARY, Language([literal(_admin(who))]))
        if putting.smallest(free) is not None:
            yield Change(putting, free, _without_boundary)
            return
        for arn, document in listed.items():
            exactly = Some(BOUNDARY, Language([literal(arn)]))
            if document is not None and arn != own and putting.smallest(exactly) is not None:
                yield Change(putting, exactly, _bounded_by(document))
        others = neg(Some(BOUNDARY, Language(map(literal, (*listed, *([own] if own else []))))))
        if putting.smallest(others) is not None:
            reason = (
                f"{who.name} may bound {_named(who, identity)} by policies that no source holds"
            )
            yield Change(putting, others, _bounded_by(_unknown_of(reason, who)))

    def _boundary_of(self, identity: Identity) -> str | None:
        """The ARN of its boundary, where that is known."""
        known = {p.arn: p.document for p in self.asking.world.estate.managed_policies}
        boundary = identity.permissions_boundary
        return next((a for a in identity.managed_policies if known.get(a) is boundary), None)

    def _taken_away(self, who: Who, identity: Identity, kind: str) -> Iterator[Change]:
        """Policies that deny something, deleted or detached: those of its groups stay."""
        known = {id(p.document): p.arn for p in self.asking.world.estate.managed_policies}
        of_groups = [id(p) for g in self._groups_of(identity) for p in g.policies]
        for policy in identity.policies:
            if not _denies(policy) or id(policy) in of_groups:
                continue
            arn = known.get(id(policy))
            action = f"iam:Delete{kind}Policy" if arn is None else f"iam:Detach{kind}Policy"
            effect = "takes a policy that denies away"
            query = self._about(who, (action,), identity.arn, identity, effect)
            if query is None:
                continue
            if arn is not None:
                query = self.asking.noted(replace(query, fixed={**query.fixed, POLICY_ARN: arn}))
            yield Change(query, True, _without(policy))

    def _groups_of(self, identity: Identity) -> Iterator[Group]:
        for group in self.asking.world.estate.groups:
            if group.arn in identity.groups:
                yield group

    def _put(self, who: Who, action: str, arn: str, identity: Identity | None) -> Iterator[Change]:
        effect = f"gives {_named(who, identity)} a policy that allows all"
        query = self._about(who, (action,), arn, identity, effect)
        if query is not None:
            yield Change(query, True, _granting(_allow_all(action)))

    def _attached(
        self, who: Who, action: str, arn: str, identity: Identity | None
    ) -> Iterator[Change]:
        """A managed policy attached: AdministratorAccess, or what the sources hold."""
        admin = _admin(who)
        effect = f"attaches a policy to {_named(who, identity)}"
        query = self._about(who, (action,), arn, identity, effect)
        if query is None:
            return
        query = self.asking.noted(replace(query, always={POLICY_ARN: admin}))
        is_admin = Some(POLICY_ARN, Language([literal(admin)]))
        if query.smallest(is_admin) is not None:
            yield Change(query, is_admin, _granting(_allow_all(admin)))
            return
        known = {p.arn: p for p in self.asking.world.estate.managed_policies if p.document}
        yield from self._attached_of(query, known)
        others = neg(Some(POLICY_ARN, Language(map(literal, known))))
        if query.smallest(others) is not None:
            reason = f"{who.name} may {action} policies that no source holds"
            yield Change(query, others, _unknown_grant(reason, who))

    def _attached_of(self, query: Query, known: dict[str, ManagedPolicy]) -> Iterator[Change]:
        left = dict(known)
        for _ in range(_MOST_ATTACHED):
            one_of = Some(POLICY_ARN, Language(map(literal, left)))
            found = query.smallest(one_of) if left else None
            if not isinstance(found, Witness):
                break
            arn = str(found.keys[POLICY_ARN])
            document = left.pop(arn).document
            assert document is not None
            exactly = Some(POLICY_ARN, Language([literal(arn)]))
            yield Change(query, exactly, _granting(document))
        rest = Some(POLICY_ARN, Language(map(literal, left)))
        if left and query.smallest(rest) is not None:
            reason = f"more than {_MOST_ATTACHED} policies can be attached to {query.who.name}"
            yield Change(query, rest, _unknown_grant(reason, query.who))

    def _versions(self, who: Who, identity: Identity) -> Iterator[Change]:
        """New versions of managed policies that apply to it, and old ones made the default."""
        estate = self.asking.world.estate
        known = {policy.arn: policy for policy in estate.managed_policies}
        for arn in identity.managed_policies:
            if ":iam::aws:" in arn:
                continue
            policy = known.get(arn)
            document = policy.document if policy else None
            bounds = document is not None and document is identity.permissions_boundary
            new = _allow_all(f"the new version of {arn}")
            query = self._about(
                who, ("iam:CreatePolicyVersion",), arn, None, "writes a version that allows all"
            )
            if query is not None:
                yield Change(query, True, _replacing(document, new, bounds=bounds))
            for version, other in (policy.other_versions if policy else {}).items():
                effect = f"makes version {version} the default"
                query = self._about(who, ("iam:SetDefaultPolicyVersion",), arn, None, effect)
                if query is not None:
                    yield Change(query, True, _replacing(document, other, bounds=bounds))

    def _groups(self, who: Who, identity: Identity) -> Iterator[Change]:
        """Groups that it joins, and those that it leaves because they deny something."""
        for group in self.asking.world.estate.groups:
            name, whom = group.arn.split(":", 5)[5], _named(who, identity)
            if group.arn not in identity.groups:
                action, effect = "iam:AddUserToGroup", f"adds {whom} to {name}"
                query = self._about(who, (action,), group.arn, None, effect)
                if query is not None and _grants(group):
                    yield Change(query, True, _granting(*group.policies))
                if query is not None:
                    for change in self._of_group(who, group.arn):
                        yield replace(change, first=(query,))
            elif any(map(_denies, group.policies)):
                action, effect = (
                    "iam:RemoveUserFromGroup",
                    f"takes {whom} out of {name}",
                )
                query = self._about(who, (action,), group.arn, None, effect)
                if query is not None:
                    yield Change(query, True, _without(*group.policies))

    def _of_group(self, who: Who, arn: str) -> Iterator[Change]:
        yield from self._put(who, "iam:PutGroupPolicy", arn, None)
        yield from self._attached(who, "iam:AttachGroupPolicy", arn, None)

    def _about(
        self,
        who: Who,
        actions: tuple[str, ...],
        arn: str,
        identity: Identity | None,
        effect: str,
    ) -> Query | None:
        """A request to IAM about something, unless it is ruled out whatever it says."""
        if not may_allow(who.policies, actions, (arn,)):
            return None
        access = self.asking.world.access(who, None, arn.split(":")[4])
        fixed, absent = (
            ({}, frozenset())
            if identity is None
            else tags_of_resource(identity, documents_of(access))
        )
        if identity is not None and identity.permissions_boundary is None:
            absent |= {BOUNDARY}
        elif identity is not None and (boundary := self._boundary_of(identity)) is not None:
            fixed = {**fixed, BOUNDARY: boundary}
        return self.asking.query(
            who, access, actions, (arn,), effect, fixed=fixed, absent={*NEVER_HERE, *absent}
        )

    # -- its own tags ------------------------------------------------------------------------

    def _own_tags(self, who: Who) -> Iterator[Outcome]:
        """Tags that policies look at, given another value or taken away."""
        identity = who.identity
        names = [name for name in self._tags_of(who) if name not in who.chosen]
        if identity is None or not names:
            return
        kind = "Role" if identity.kind is IdentityKind.ROLE else "User"
        actions = (f"iam:Tag{kind}", f"iam:Untag{kind}")
        query = self._about(who, actions, identity.arn, identity, "changes its tags")
        if query is None:
            return
        may_change = of_many(tuple(names), query, identity.policies)
        documents = tuple(documents_of(query.access))
        for passed in choices_of(may_change):
            for spelled in spellings(passed, documents):
                yield from self._tagged(who, identity, f"iam:Tag{kind}", spelled)
                yield from self._untagged(who, identity, f"iam:Untag{kind}", spelled)
        if len(may_change) > MOST_TAGS:
            principal = without_tag(who.principal, may_change)
            doubts = (*who.doubts, too_many(may_change, who.name))
            chosen, own = (*who.chosen, *may_change), (*who.own_tags, *may_change)
            tagged = replace(who, principal=principal, chosen=chosen, own_tags=own, doubts=doubts)
            yield from self.reach.of(tagged)
            yield from self._onwards_by_tags(who, tagged, may_change)

    def _tags_of(self, who: Who) -> Iterator[str]:
        """The tags that policies look at and that are the identity's, no session's own."""
        identity = who.identity
        for key, name in self.asking.world.principal_tags.items():
            of_identity = {k.lower(): v for k, v in identity.tags.items()} if identity else {}
            of_session = {k.lower(): v for k, v in who.principal.tags.items()}
            if of_session.get(key) == of_identity.get(key):
                yield next((n for n in who.principal.tags if n.lower() == key), name)

    def _tagged(
        self, who: Who, identity: Identity, action: str, passed: tuple[str, ...]
    ) -> Iterator[Outcome]:
        query = self._tagging(who, identity, action, passed, f"gives itself the tag {passed[0]}")
        if query is None:
            return
        keys = {REQUEST_TAG + name.lower() for name in passed}
        query = self.asking.noted(
            replace(
                query,
                absent=query.absent - keys,
                always=dict.fromkeys(keys, "x"),
                domains=dict.fromkeys(keys, TAG_VALUE),
            )
        )
        found = query.smallest()
        if found is None:
            return
        principal = without_tag(who.principal, passed)
        chosen, own = (*who.chosen, *passed), (*who.own_tags, *passed)
        tagged = replace(who, principal=principal, chosen=chosen, own_tags=own)
        if isinstance(found, Blocked) or who.doubts:
            doubt = asked(query, lambda _: ())
            reasons = (doubt.reason,) if isinstance(doubt, Doubt) else who.doubts
            tagged = replace(tagged, doubts=reasons)
        else:
            tagged = query.leading_to(tagged, len(who.hops), passed, kept=who.chosen)
        yield from self.reach.of(tagged)
        yield from self._onwards_by_tags(who, tagged, passed)

    def _untagged(
        self, who: Who, identity: Identity, action: str, names: tuple[str, ...]
    ) -> Iterator[Outcome]:
        query = self._tagging(who, identity, action, names, f"takes its tag {names[0]} away")
        own = {name.lower() for name in who.principal.tags}
        if query is None or not all(name.lower() in own for name in names):
            return
        untagged = replace(who, principal=without_tag(who.principal, names))

        def follow(after: Who) -> Iterator[Outcome]:
            yield from self.reach.of(after)
            yield from self._onwards_by_tags(who, after, names)

        yield from self._then(query, True, untagged, follow)

    def _tagging(
        self, who: Who, identity: Identity, action: str, names: tuple[str, ...], effect: str
    ) -> Query | None:
        query = self._about(who, (action,), identity.arn, identity, effect)
        if query is None:
            return None
        asked_tags = {REQUEST_TAG + key for key in tags_asked(documents_of(query.access))}
        fixed = {**query.fixed, TAG_KEYS: names}
        return self.asking.noted(replace(query, fixed=fixed, absent=query.absent | asked_tags))

    def _then(
        self,
        query: Query,
        formula: Term,
        after: Who,
        following: Callable[[Who], Iterable[Outcome]],
    ) -> Iterator[Outcome]:
        """What follows once a request was made, by which nothing of its values is shared."""
        outcome = asked(query, lambda _: (), formula)
        if isinstance(outcome, Way):
            if after.chosen:
                after = query.leading_to(after, len(after.hops), kept=after.chosen)
            else:
                after = replace(after, hops=(Hop(steps_of(partial(tuple, outcome.steps))),))
            yield from following(after)
        elif isinstance(outcome, Doubt):
            yield from following(replace(after, doubts=(outcome.reason,)))

    # -- whom roles trust --------------------------------------------------------------------

    def _trust_policies(self, who: Who) -> Iterator[Outcome]:
        """A role's trust policy rewritten, to be it."""
        action = "iam:UpdateAssumeRolePolicy"
        if not may_allow(who.policies, (action,)):
            return
        for role in self.asking.world.roles:
            effect = f"lets itself assume {role.arn.split(':', 5)[5]}"
            query = self._about(who, (action,), role.arn, role, effect)
            if query is not None:
                trust = _trusting(who.arn, action)
                yield from self._then(query, True, who, partial(self._assuming, role, trust))

    def _assuming(self, role: Identity, trust: PolicyDocument, who: Who) -> Iterator[Outcome]:
        for session in self.becoming.assumed(who, role, trust):
            if role is who.identity and not session.chosen:
                continue
            yield from self.lands(session)
            yield from self._onwards(who, session)

    # -- buckets -----------------------------------------------------------------------------

    def _bucket_policies(self, who: Who) -> Iterator[Outcome]:
        """The bucket opened to itself and to the endpoints' roles, or a policy that denies gone."""
        for wall in self.asking.world.artifacts.walls(self.asking.tenant):
            opened = _open_bucket(who.arn, wall.bucket, who.partition)
            effect = "rewrites the bucket's policy"
            yield from self._with_policy(who, wall.bucket, "s3:PutBucketPolicy", opened, effect)
            if self.asking.world.bucket(wall.bucket).policy is not None:
                effect = "takes the bucket's policy away"
                yield from self._with_policy(
                    who, wall.bucket, "s3:DeleteBucketPolicy", None, effect
                )

    def _with_policy(
        self, who: Who, name: str, action: str, policy: PolicyDocument | None, effect: str
    ) -> Iterator[Outcome]:
        if not self.reach.may_in(who, name, (action,)):
            return
        bucket = self.asking.world.bucket(name)
        query = self.asking.query(
            who,
            self.asking.world.access(who, bucket.policy, bucket.account),
            (action,),
            (f"arn:{who.partition}:s3:::{name}",),
            effect,
            absent=NEVER_HERE,
            account=bucket.account,
        )
        reach = Reach(self.asking, self.reach.routes, {name: policy})
        yield from self._then(query, True, who, reach.of)

    # -- endpoints ---------------------------------------------------------------------------

    def _new_endpoint(self, who: Who) -> Iterator[Outcome]:
        """A model of another tenant's artifact, served by an endpoint of its own making."""
        if not may_allow(who.policies, ("sagemaker:CreateModel",)):
            return
        if Route.INVOKE not in self.reach.routes:
            return
        passable = [
            role
            for role in self.becoming.trusting_service(SAGEMAKER)
            if may_allow(who.policies, (PASS_ROLE,), (role.arn,))
        ]
        made = self._made(who) if passable else None
        for role in passable if made is not None else ():
            passed = _all_of(
                (self.becoming.pass_query(who, role, SAGEMAKER), True),
                (self.becoming.service_query(role, SAGEMAKER), True),
            )
            if passed is not None and made is not None:
                for wall in self.asking.world.artifacts.walls(self.asking.tenant):
                    yield from self._read(who, [made[0], *passed, *made[1:]], wall, role)

    def _reused_models(self, who: Who) -> Iterator[Outcome]:
        """A model that is there already, served by an endpoint of its own making.

        The wall may be on the endpoints that are there. No role is passed: the model has its own.
        """
        if not may_allow(who.policies, _SERVING) or not may_allow(who.policies, invoke_actions()):
            return
        for change in ("Create", "Update"):
            invocation, where = self._invocation(who, change)
            if invocation.smallest(where) is None:
                continue
            for configured, models in self._configurations(who, change):
                for model in models:
                    for outcome in self._of_model(invocation, where, model):
                        yield _joined(who, configured, outcome)

    def _configurations(self, who: Who, change: str) -> Iterator[tuple[Outcome, tuple[Model, ...]]]:
        """Configurations that it may have an endpoint use, and the models that they name."""
        estate = self.asking.world.estate
        listed = (*estate.models, *(model for e in estate.endpoints for model in e.models))
        for model in {model.arn or model.name: model for model in listed}.values():
            named = {} if model.arn is None else {MODEL_ARN: model.arn}
            config, formula = self._config(who, change, named)
            outcome = asked(config, lambda _: (), formula)
            if outcome is not None:
                yield outcome, (model,)
        for endpoint in estate.endpoints:
            if endpoint.config_arn is not None:
                using, _ = self._make(
                    who, (f"sagemaker:{change}Endpoint",), "endpoint-config", "uses a configuration"
                )
                exactly = Some(RESOURCE, Language([literal(endpoint.config_arn)]))
                outcome = asked(using, lambda _: (), exactly)
                if outcome is not None:
                    yield outcome, tuple(endpoint.models)

    def _of_model(self, query: Query, where: Term, model: Model) -> Iterator[Outcome]:
        """What an endpoint reaches that serves a model."""
        by_target = self.asking.noted(replace(query, actions=target_model_actions()))
        plain = self.asking.noted(replace(query, absent=query.absent | {TARGET}))
        for container in model.containers:
            if container.unknown is not None:
                yield from self._of_unknown(query, where, container.unknown)
            elif container.multi_model:
                if Route.TARGET_MODEL in self.reach.routes:
                    yield from self.reach.of_multi_model(by_target, model, container, where)
            elif Route.INVOKE in self.reach.routes:
                yield from self.reach.of_single_model(plain, model, container, where)

    def _of_unknown(self, query: Query, where: Term, unknown: Unknown) -> Iterator[Outcome]:
        """A container of which nobody knows whose artifact an endpoint would serve by it."""
        anyhow = self.asking.noted(replace(query, absent=query.absent - {TARGET, HOSTNAME}))
        if anyhow.smallest(where) is not None:
            yield Doubt(f"not known: {unknown.reason} ({unknown.place})")

    def _made(self, who: Who) -> list[Outcome] | None:
        """A model made, and an endpoint that serves it; None where it cannot be."""
        model = self._make(who, ("sagemaker:CreateModel",), "model", "makes a model of it")
        for change in ("Create", "Update"):
            made = _all_of(model, self._config(who, change), self._invocation(who, change))
            if made is not None:
                return made
        return None

    def _read(self, who: Who, made: list[Outcome], wall: Wall, role: Identity) -> Iterator[Outcome]:
        """The artifacts that an endpoint of somebody's making can serve by a role.

        A TargetModel that its invocation must name is the end of the artifact's key: the model's
        prefix is for who makes it to choose.
        """
        as_role = self.asking.world.who(role)
        reading = self.reach.objects_query(as_role, wall, (GET,), "reads the artifact")
        doubts = tuple(o.reason for o in made if isinstance(o, Doubt))
        target = _target_of(made)
        ending = True if target is None else Some(RESOURCE, _ending_with(f"/{target}"))
        outcome = asked(reading, lambda _: (), conj((self.reach.unreached(reading, wall), ending)))
        if outcome is None and target is not None:
            outcome = asked(reading, lambda _: (), self.reach.unreached(reading, wall))
            doubts = (*doubts, "whether the artifact's key can end as a TargetModel has to")
        if outcome is None:
            return
        doubts = (*doubts, outcome.reason) if isinstance(outcome, Doubt) else doubts
        if doubts or not isinstance(outcome, Way):
            yield Doubt("; ".join(dict.fromkeys(doubts)))
            return
        way = self._way([*(o for o in made if isinstance(o, Way)), outcome], wall)
        if not agree(who, way.steps):
            yield Doubt(OTHER_TAGS)
            return
        yield way
        if not self.asking.reached.keys() >= set(way.victims):
            self.asking.reached.update(dict.fromkeys(way.victims))
            yield from self._read(who, made, wall, role)

    def _way(self, found: list[Way], wall: Wall) -> Way:
        steps: list[Step] = list(found[0].steps)
        steps += (step for way in found[1:] for step in way.steps[-_own_steps(way) :])
        key = steps[-1].request.resource.partition(f":::{wall.bucket}/")[2]
        owners = self.asking.world.artifacts.owners(wall.bucket, key, but=self.asking.tenant)
        return Way(tuple(steps), owners)

    def _make(
        self, who: Who, actions: tuple[str, ...], kind: str, effect: str
    ) -> tuple[Query, Term]:
        """A request of SageMaker about something of a name that is free to choose."""
        world = self.asking.world
        query = self.asking.query(
            who,
            world.access(who, None, who.account),
            actions,
            (),
            effect,
            absent=(S3_PREFIX,) if set(actions) <= set(invoke_actions()) else NEVER_HERE,
            account=who.account,
            region=world.region,
        )
        arn = f"arn:{who.partition}:sagemaker:{world.region}:{who.account}:{kind}/?*"
        return query, Some(RESOURCE, language(arn))

    def _config(
        self, who: Who, change: str, fixed: Mapping[str, ContextValue] | None = None
    ) -> tuple[Query, Term]:
        """A configuration made, and used by what makes or updates the endpoint."""
        config, formula = self._make(
            who,
            ("sagemaker:CreateEndpointConfig",),
            "endpoint-config",
            "configures an endpoint with it",
        )
        config = self.asking.noted(replace(config, fixed={**config.fixed, **(fixed or {})}))
        action = f"sagemaker:{change}Endpoint"
        using, _ = self._make(who, (action,), "endpoint-config", "uses the configuration")
        return self._tied(config, using, "uses the configuration", first=False), formula

    def _invocation(self, who: Who, change: str) -> tuple[Query, Term]:
        """An endpoint made or updated, and invoked."""
        invoke, formula = self._make(who, invoke_actions(), "endpoint", "invokes the model")
        effect = "makes the endpoint" if change == "Create" else "has the endpoint serve it"
        making, _ = self._make(who, (f"sagemaker:{change}Endpoint",), "endpoint", effect)
        if change == "Update":
            arns = [endpoint.arn for endpoint in self.asking.world.estate.endpoints]
            formula = Some(RESOURCE, Language(map(literal, arns)))
        return self._tied(invoke, making, effect, first=True), formula

    def _tied(self, query: Query, other: Query, effect: str, *, first: bool) -> Query:
        """Two requests about the same resource."""
        prefix = "<beside> "

        def rename(subject: str) -> str:
            return subject if subject == RESOURCE else prefix + subject

        companion = Companion.of(
            other, rename, prefix, lambda witness: witness.resource, effect, first=first
        )
        return self.asking.noted(replace(query, companions=(companion,)))


def _so_far(who: Who) -> tuple[Step, ...]:
    return tuple(step for hop in who.hops for step in hop.steps())


def _named(who: Who, identity: Identity | None) -> str:
    """How steps of somebody name an identity; None stands for itself."""
    if identity is None or identity is who.identity:
        return "itself"
    return identity.arn.split(":", 5)[5]


def _joined(who: Who, before: Outcome, after: Outcome) -> Outcome:
    """One outcome after another of the same caller."""
    if isinstance(before, Doubt) or isinstance(after, Doubt):
        reasons = (each.reason for each in (before, after) if isinstance(each, Doubt))
        return Doubt("; ".join(dict.fromkeys(reasons)))
    steps = (*before.steps, *after.steps[-_own_steps_of(after, who) :])
    return replace(after, steps=steps) if agree(who, steps) else Doubt(OTHER_TAGS)


def _own_steps_of(way: Way, who: Who) -> int:
    """How many steps at the end of a way are made by somebody, and for it by execution roles."""
    first = next(
        (
            index
            for index, step in enumerate(way.steps)
            if step.request.principal.arn == who.arn
            and step.request.action.startswith("sagemaker:")
        ),
        0,
    )
    return len(way.steps) - first


def _all_of(*queries: tuple[Query, Term]) -> list[Outcome] | None:
    """What each of some queries says; None where one of them is not allowed."""
    found: list[Outcome] = []
    for query, formula in queries:
        outcome = asked(query, lambda _: (), formula)
        if outcome is None:
            return None
        found.append(outcome)
    return found


def _target_of(made: list[Outcome]) -> str | None:
    """The TargetModel of an invocation that must name one."""
    last = made[-1]
    value = last.steps[-1].request.context.get(TARGET_MODEL) if isinstance(last, Way) else None
    return value if isinstance(value, str) else None


def _ending_with(text: str) -> Language:
    return Language([PatternBuilder().many(ANY).text(text).build()])


def _own_steps(way: Way) -> int:
    """How many steps at the end of a way are not the hops that lead to who makes them."""
    principal = way.steps[-1].request.principal
    count = 0
    for step in reversed(way.steps):
        if step.request.principal != principal:
            break
        count += 1
    return count


# -- policies as they are after a change ---------------------------------------------------------

_ALLOW_ALL = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
_TRUST = (
    '{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"{arn}"}},'
    '"Action":["sts:AssumeRole","sts:TagSession"]}}}}'
)
_OPEN = (
    '{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":["{arn}","*"]}},'
    '"Action":"s3:*","Resource":["{bucket}","{bucket}/*"]}}}}'
)


@cache
def _allow_all(after: str) -> PolicyDocument:
    return parse_policy(_ALLOW_ALL, file=f"<after {after}>")


def _trusting(arn: str, after: str) -> PolicyDocument:
    return parse_policy(_TRUST.format(arn=arn), file=f"<after {after}>")


@cache
def _open_bucket(arn: str, bucket: str, partition: str) -> PolicyDocument:
    text = _OPEN.format(arn=arn, bucket=f"arn:{partition}:s3:::{bucket}")
    return parse_policy(text, file="<after s3:PutBucketPolicy>")


def _granting(*documents: PolicyDocument) -> Callable[[PolicySet], PolicySet]:
    def after(policies: PolicySet) -> PolicySet:
        return replace(policies, identity_policies=(*policies.identity_policies, *documents))

    return after


def _replacing(
    old: PolicyDocument | None, new: PolicyDocument, *, bounds: bool
) -> Callable[[PolicySet], PolicySet]:
    """A managed policy's new version in place of the old one."""

    def after(policies: PolicySet) -> PolicySet:
        rest = tuple(p for p in policies.identity_policies if p is not old)
        is_attached = len(rest) < len(policies.identity_policies) or not bounds
        boundary = new if bounds else policies.permissions_boundary
        identity = (*rest, new) if is_attached else rest
        return replace(policies, identity_policies=identity, permissions_boundary=boundary)

    return after


def _unknown_grant(reason: str, who: Who) -> Callable[[PolicySet], PolicySet]:
    return _granting(_unknown_of(reason, who))


def _unknown_of(reason: str, who: Who) -> PolicyDocument:
    place = who.identity.place if who.identity else None
    return _unknown_at(reason, place or Place("<policies>", ""))


@cache
def _unknown_at(reason: str, place: Place) -> PolicyDocument:
    return unknown_policy(reason, place.file, place)


def _admin(who: Who) -> str:
    return f"arn:{who.partition}:iam::aws:policy/AdministratorAccess"


def _bounded_by(boundary: PolicyDocument) -> Callable[[PolicySet], PolicySet]:
    def after(policies: PolicySet) -> PolicySet:
        return replace(policies, permissions_boundary=boundary)

    return after


def _without_boundary(policies: PolicySet) -> PolicySet:
    return replace(policies, permissions_boundary=None)


def _without(*gone: PolicyDocument) -> Callable[[PolicySet], PolicySet]:
    def after(policies: PolicySet) -> PolicySet:
        listed = set(map(id, gone))
        kept = tuple(each for each in policies.identity_policies if id(each) not in listed)
        return replace(policies, identity_policies=kept)

    return after


def _denies(policy: PolicyDocument) -> bool:
    return any(statement.effect is Effect.DENY for statement in policy.statements)


def _grants(group: Group) -> bool:
    return any(
        statement.effect is Effect.ALLOW
        for policy in group.policies
        for statement in policy.statements
    )
