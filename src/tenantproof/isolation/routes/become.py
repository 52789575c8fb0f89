"""Becoming somebody else: roles assumed in a row, services that act as a role, new access keys.

Follows "Using IAM roles", "Passing session tags in AWS STS" (a request that passes tags needs
``sts:TagSession`` of both sides, too; transitive tags stay with the sessions that follow) and
"Granting a user permissions to pass a role to an AWS service" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, combinations

from tenantproof.account import Identity, IdentityKind
from tenantproof.isolation.findings import Step
from tenantproof.isolation.routes.filters import may_allow, may_name, relevant
from tenantproof.isolation.routes.query import (
    HOSTNAME,
    PASSED_TO,
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
    no_steps,
    steps_of,
)
from tenantproof.isolation.routes.ways import Doubt, asked
from tenantproof.isolation.routes.world import (
    EVERYBODY,
    Asking,
    documents_of,
    principal_tags_in,
    tags_asked,
    tags_of_resource,
    without_tag,
)
from tenantproof.policy import Access, PolicyDocument, PolicySet
from tenantproof.prove import RESOURCE, Domain, Some, Term, conj
from tenantproof.prove.formula import Present
from tenantproof.prove.languages import Language, language, literal
from tenantproof.prove.solver import Blocked
from tenantproof.request import Principal, PrincipalKind

ASSUME = "sts:AssumeRole"
TAG_SESSION = "sts:TagSession"
CREDENTIALS = ("iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile")
"""The actions that make a user's credentials known to who makes them."""

SOURCE_ACCOUNT = "aws:sourceaccount"
PASS_ROLE = "iam:PassRole"  # noqa: S105 (an action)

NEVER_HERE = (TARGET, HOSTNAME, S3_PREFIX)
"""Keys that requests to IAM and STS have not."""

MOST_TAGS = 4
"""Of more tags that policies look at not every choice is tried."""

MOST_STATES = 256
"""So many identities, each with its tags, are followed from one principal."""


@dataclass(frozen=True)
class Service:
    """A service that runs code of who starts it as a role that was passed to it."""

    name: str
    action: str
    resource: str


SERVICES = (
    Service("lambda.amazonaws.com", "lambda:CreateFunction", "arn:{}:lambda:{}:{}:function:*"),
    Service("ec2.amazonaws.com", "ec2:RunInstances", "arn:{}:ec2:{}:{}:instance/*"),
    Service(
        "sagemaker.amazonaws.com",
        "sagemaker:CreateNotebookInstance",
        "arn:{}:sagemaker:{}:{}:notebook-instance/*",
    ),
    Service(
        "sagemaker.amazonaws.com",
        "sagemaker:CreateProcessingJob",
        "arn:{}:sagemaker:{}:{}:processing-job/*",
    ),
    Service(
        "sagemaker.amazonaws.com",
        "sagemaker:CreateTrainingJob",
        "arn:{}:sagemaker:{}:{}:training-job/*",
    ),
)
"""The services whose compute is modelled."""


@dataclass
class Becoming:
    """Whom somebody can become.

    Attributes:
        asking: what all queries have in common.
        depth: how many hops are made in a row.
    """

    asking: Asking
    depth: int

    def all_of(self, start: Who) -> Iterator[Who | Doubt]:
        """Everybody that ``start`` can become, nearest first; not itself."""
        seen = {start.state}
        level = [start]
        for _ in range(self.depth):
            following: list[Who] = []
            for other in chain.from_iterable(map(self.next_of, level)):
                if len(seen) > MOST_STATES:
                    yield Doubt(
                        f"{start.name} can become more than {MOST_STATES} others, of whom not all"
                        " were followed"
                    )
                    return
                if other.state not in seen:
                    seen.add(other.state)
                    following.append(other)
                    yield other
            level = following

    def next_of(self, who: Who) -> Iterator[Who]:
        """Everybody that somebody can become in one hop.

        Of who has chosen nothing on the way it is the same however it came to be who it is.
        """
        if self.asking.is_vain(who):
            return
        if who.chosen or who.doubts:
            yield from self._next_of(who)
            return
        edges, reading = self.asking.world.edges, self.asking.reading
        kept = edges.find(who.state, reading)
        if kept is None:
            by_itself = replace(who, hops=(), arrival=no_steps)
            with self.asking.apart() as met:
                found = tuple(self._next_of(by_itself))
            kept = edges.keep(who.state, reading, found, met())
        found, hedges = kept
        self.asking.met |= hedges
        for other in found:
            arrival = steps_of(partial(_both, who.arrival, other.arrival))
            yield replace(other, hops=(*who.hops, *other.hops), arrival=arrival)

    def _next_of(self, who: Who) -> Iterator[Who]:
        for role in self._assumable(who):
            yield from self.assumed(who, role, self.asking.world.trust_of(role))
        yield from self._by_service(who)
        yield from self._by_access_key(who)

    # -- sts:AssumeRole ----------------------------------------------------------------------

    def _assumable(self, who: Who) -> Iterator[Identity]:
        """The roles that policies do not rule out, whatever the request."""
        for role in self._trusting(who):
            if self._is_named(who, role) or may_allow(who.policies, (ASSUME,), (role.arn,)):
                yield role

    def _trusting(self, who: Who) -> Iterable[Identity]:
        """The roles whose trust policy may name somebody, or his account."""
        return self._naming((*_names(who), who.account))

    def _is_named(self, who: Who, role: Identity) -> bool:
        """Whether a trust policy may name more than the account: then it is enough by itself."""
        return any(named is role for named in self._naming(_names(who)))

    def _naming(self, names: Iterable[str]) -> Iterable[Identity]:
        trusts = self.asking.world.trusts
        found = (role for name in dict.fromkeys(names) for role in trusts.get(name, ()))
        return {role.arn: role for role in found}.values()

    def assumed(self, who: Who, role: Identity, trust: PolicyDocument) -> Iterator[Who]:
        """The sessions of a role that somebody can open, by the tags that they are given."""
        access = self.asking.world.access(who, trust, role.account)
        names = self._to_pass(who, role, access)
        documents = tuple(documents_of(access))
        for passed in ((), *choices_of(names)):
            for spelled in spellings(passed, documents):
                yield from self._session(who, role, access, spelled)
        if len(names) > MOST_TAGS:
            yield from self._with_any_tags(who, role, access, names)

    def _to_pass(self, who: Who, role: Identity, access: Access) -> tuple[str, ...]:
        """The tags that some policy looks at, of those that may be passed."""
        by_trust = relevant(access.resource_policies, (TAG_SESSION,))
        if not any(may_name(statement.principal, who.names) for statement in by_trust):
            # A trust policy has to allow it, whatever the caller's policies do.
            return ()
        names = {**self.asking.world.principal_tags, **tags_asked(documents_of(access))}
        stay = {name.lower() for name in who.transitive}
        listed = tuple(names[key] for key in sorted(names) if key not in stay)
        return of_many(listed, self._any_tags_query(who, role, access, TAG_SESSION), role.policies)

    def _any_tags_query(self, who: Who, role: Identity, access: Access, action: str) -> Query:
        """A request about a role that passes tags of which nothing is said."""
        query = self.assume_query(who, role, access, ())
        asked_tags = {REQUEST_TAG + key for key in tags_asked(documents_of(access))}
        absent = query.absent - {TAG_KEYS, *asked_tags}
        return self.asking.noted(replace(query, actions=(action,), absent=absent))

    def _with_any_tags(
        self, who: Who, role: Identity, access: Access, names: tuple[str, ...]
    ) -> Iterator[Who]:
        """A session with any of more tags than are tried in every choice: a doubt."""
        for action in (ASSUME, TAG_SESSION):
            if self._any_tags_query(who, role, access, action).smallest() is None:
                return
        doubts = (*who.doubts, too_many(names, f"the sessions of {role.arn}"))
        fresh = replace(self.asking.world.who(role), transitive=who.transitive)
        for principal in self._principals(who, role, names):
            yield replace(fresh, principal=principal, chosen=names, doubts=doubts)

    def _session(
        self, who: Who, role: Identity, access: Access, passed: tuple[str, ...]
    ) -> Iterator[Who]:
        query = self.assume_query(who, role, access, passed)
        doubts = who.doubts
        steps = no_steps
        if not passed and not doubts and query.is_plainly_allowed():
            self.asking.decided(query)
            steps = steps_of(partial(query.arrival, query.plain, ()))
        else:
            found = query.smallest()
            if found is None:
                return
            if isinstance(found, Blocked):
                doubt = asked(query, lambda _: ())
                assert isinstance(doubt, Doubt)
                doubts = (doubt.reason,)
            elif not doubts:
                steps = steps_of(partial(query.arrival, found, passed))
        fresh = self.asking.world.who(role)
        for principal in self._principals(who, role, passed):
            session = replace(
                fresh,
                principal=principal,
                chosen=passed,
                doubts=doubts,
                transitive=who.transitive,
                arrival=steps,
            )
            if passed and not doubts:
                yield query.leading_to(session, len(who.hops), passed)
            else:
                yield session if doubts else replace(session, hops=(Hop(steps),))
            if who.chosen:
                yield from self._carried(query, session, who, passed)

    def _carried(
        self, query: Query, session: Who, who: Who, passed: tuple[str, ...]
    ) -> Iterator[Who]:
        """The tags that the caller was given, passed on to it as transitive ones, stay with it."""
        carried = tuple(name for name in who.chosen if name not in (*passed, *who.own_tags))
        if not carried:
            return
        kept = replace(
            session,
            principal=without_tag(session.principal, carried),
            chosen=(*passed, *carried),
        )
        if kept.doubts:
            yield kept
        else:
            yield query.leading_to(kept, len(who.hops), passed, kept=carried)

    def _principals(self, who: Who, role: Identity, passed: tuple[str, ...]) -> Iterator[Principal]:
        """The role, and the sessions of it that policies name, each with its tags."""
        stay = {n: tag for n, tag in who.principal.tags.items() if n in who.transitive}
        own = without_tag(Principal(role.arn, dict(role.tags)), (*passed, *stay))
        tags = {**own.tags, **stay}
        yield Principal(role.arn, tags)
        for session in self.asking.world.sessions.get(role.arn, ()):
            yield Principal(session, tags, {"aws:PrincipalArn": role.arn})

    def assume_query(
        self, who: Who, role: Identity, access: Access, passed: tuple[str, ...] = ()
    ) -> Query:
        """``sts:AssumeRole``, with tags of any value where some are passed."""
        fixed, no_tags = tags_of_resource(role, documents_of(access))
        asked_tags = {REQUEST_TAG + key for key in tags_asked(documents_of(access))}
        keys = {REQUEST_TAG + name.lower(): name for name in passed}
        absent = {*NEVER_HERE, *no_tags, *(asked_tags - keys.keys())}
        effect = f"becomes {role.arn.split(':', 5)[5]}"
        query = self.asking.query(
            who,
            access,
            (ASSUME,),
            (role.arn,),
            effect,
            fixed={**fixed, **({TAG_KEYS: tuple(passed)} if passed else {})},
            absent=absent if passed else {*absent, TAG_KEYS},
            always=dict.fromkeys(keys, "x"),
            domains=dict.fromkeys(keys, TAG_VALUE),
        )
        if not passed:
            return query
        tagging = self.asking.noted(replace(query, actions=(TAG_SESSION,)))
        same = Companion.of(
            tagging, lambda subject: subject, "", lambda _: role.arn, "passes the tags"
        )
        return self.asking.noted(replace(query, companions=(same,)))

    # -- services and access keys ------------------------------------------------------------

    def _by_service(self, who: Who) -> Iterator[Who]:
        """Roles that are passed to a service which runs the caller's code."""
        for service in SERVICES:
            if not may_allow(who.policies, (service.action,)) or not self._creates(who, service):
                continue
            for role in self.trusting_service(service.name):
                if may_allow(who.policies, (PASS_ROLE,), (role.arn,)):
                    yield from self._passed(who, role, service)

    def _creates(self, who: Who, service: Service) -> bool:
        query, formula = self._creation(who, service)
        return query.smallest(formula) is not None

    def _creation(self, who: Who, service: Service) -> tuple[Query, Term]:
        world = self.asking.world
        arn = service.resource.format(who.partition, world.region, who.account)
        query = self.asking.query(
            who,
            world.access(who, None, who.account),
            (service.action,),
            (),
            f"runs code as the role, in {service.name.partition('.')[0]}",
            absent=NEVER_HERE,
            account=who.account,
        )
        return query, Some(RESOURCE, language(arn))

    def _passed(self, who: Who, role: Identity, service: Service) -> Iterator[Who]:
        """The role, once it was passed to a service that it trusts and that code was given to."""
        creating, where = self._creation(who, service)
        asked_for: list[tuple[Query, Term]] = [
            (self.pass_query(who, role, service.name), True),
            (creating, where),
            (self.service_query(role, service.name), True),
        ]
        yield from self._by_all(who, role, asked_for)

    def _by_all(
        self, who: Who, identity: Identity, asked_for: list[tuple[Query, Term]]
    ) -> Iterator[Who]:
        """Who is become by several requests, each of them with values of its own."""
        other = self.asking.world.who(identity)
        steps: list[Step] = []
        doubts = list(who.doubts)
        for query, formula in asked_for:
            outcome = asked(query, lambda _: (), formula)
            if outcome is None:
                return
            if isinstance(outcome, Doubt):
                doubts.append(outcome.reason)
            else:
                steps += outcome.steps if not steps else outcome.steps[-1:]
        if not doubts and not agree(who, steps):
            doubts.append(OTHER_TAGS)
        if doubts:
            yield replace(other, doubts=tuple(dict.fromkeys(doubts)))
        else:
            made = steps_of(partial(tuple, steps))
            yield replace(other, hops=(Hop(made),), arrival=made)

    def service_query(self, role: Identity, service: str) -> Query:
        """``sts:AssumeRole`` by a service, which has no policies but the role's trust in it.

        It passes no tags, and acts for the account that the role was passed in, its own.
        """
        caller = Who(Principal(service, kind=PrincipalKind.SERVICE), PolicySet())
        trust = self.asking.world.trust_of(role)
        fixed, no_tags = tags_of_resource(role, (trust,))
        no_tags |= {TAG_KEYS, *(REQUEST_TAG + key for key in tags_asked((trust,)))}
        return self.asking.query(
            caller,
            Access(caller.policies, trust),
            (ASSUME,),
            (role.arn,),
            f"assumes {role.arn.split(':', 5)[5]}",
            fixed=fixed,
            absent={*NEVER_HERE, *no_tags},
            domains={SOURCE_ACCOUNT: Domain(values=(role.account,))},
            account=role.account,
        )

    def pass_query(self, who: Who, role: Identity, service: str) -> Query:
        """``iam:PassRole`` of a role to a service."""
        access = self.asking.world.access(who, None, role.account)
        fixed, no_tags = tags_of_resource(role, documents_of(access))
        return self.asking.query(
            who,
            access,
            (PASS_ROLE,),
            (role.arn,),
            f"passes {role.arn.split(':', 5)[5]} to {service}",
            fixed={**fixed, PASSED_TO: service},
            absent={*NEVER_HERE, *no_tags},
        )

    def trusting_service(self, service: str) -> Iterable[Identity]:
        """The roles whose trust policy may name a service."""
        return self._naming((service, EVERYBODY))

    def _by_access_key(self, who: Who) -> Iterator[Who]:
        """Users for whom an access key or a password can be made: who has it is that user."""
        if not may_allow(who.policies, CREDENTIALS):
            return
        for user in self.asking.world.identities.values():
            if user.kind is not IdentityKind.USER or user is who.identity:
                continue
            if not may_allow(who.policies, CREDENTIALS, (user.arn,)):
                continue
            access = self.asking.world.access(who, None, user.account)
            fixed, no_tags = tags_of_resource(user, documents_of(access))
            query = self.asking.query(
                who,
                access,
                CREDENTIALS,
                (user.arn,),
                f"becomes user/{user.name}, by new credentials",
                fixed=fixed,
                absent={*NEVER_HERE, *no_tags},
            )
            yield from self._by_all(who, user, [(query, True)])


def choices_of(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every choice of some of a few names; of more those of the first ones, and all."""
    few = names[:MOST_TAGS]
    yield from chain.from_iterable(combinations(few, n) for n in range(1, len(few) + 1))
    if len(names) > MOST_TAGS:
        yield names


def of_many(
    names: tuple[str, ...], query: Query, policies: Iterable[PolicyDocument]
) -> tuple[str, ...]:
    """Of more names of tags than whose every choice is tried those that a request may pass.

    Args:
        names: the names.
        query: the request, with nothing said of the tags that it passes.
        policies: those whose tags come first.
    """
    if len(names) <= MOST_TAGS:
        return names
    looked_at = principal_tags_in(policies)
    names = tuple(sorted(names, key=lambda name: name.lower() not in looked_at))

    def is_passed(name: str) -> Term:
        spelled = Language(map(literal, {name, name.swapcase()}))
        return conj((Present(TAG_KEYS), Some(TAG_KEYS, spelled)))

    return tuple(name for name in names if query.smallest(is_passed(name)) is not None)


def spellings(
    names: tuple[str, ...], documents: Iterable[PolicyDocument]
) -> Iterator[tuple[str, ...]]:
    """Names of tags as policies write them, and in the other case where it can matter.

    Of the tags of IAM the case of names is no difference ("Tagging IAM resources"), of the values
    of ``aws:TagKeys`` it is one.
    """
    yield names
    if names and any(
        condition.key.lower() == TAG_KEYS
        for document in documents
        for statement in document.statements
        for condition in statement.conditions
    ):
        yield tuple(name.swapcase() for name in names)


def too_many(names: tuple[str, ...], where: str) -> str:
    """Why it is a doubt what tags of any choice lead to."""
    return f"not every choice of {len(names)} tags was tried for {where}: {', '.join(names)}"


OTHER_TAGS = "whether one choice of session tags allows all the requests"


def agree(who: Who, steps: Iterable[Step]) -> bool:
    """Whether who chose its tags has the same ones in all its requests, asked one by one."""
    own = [step.request.principal for step in steps if step.request.principal.arn == who.arn]
    return not who.chosen or all(each.tags == own[-1].tags for each in own)


def _both(before: Steps, after: Steps) -> tuple[Step, ...]:
    return (*before(), *after())


def _names(who: Who) -> tuple[str, ...]:
    """The names by which a policy names somebody, his account aside."""
    return (who.arn, EVERYBODY) if who.identity is None else (who.arn, who.identity.arn, EVERYBODY)
