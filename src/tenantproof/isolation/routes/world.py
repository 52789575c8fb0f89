"""The accounts as an attacker meets them: who there is, whom roles trust, which policies decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

from tenantproof.account import Bucket, Identity, IdentityKind, Part
from tenantproof.errors import Place
from tenantproof.isolation.manifest import Manifest, Member, Tenant
from tenantproof.isolation.routes.artifacts import Artifacts
from tenantproof.isolation.routes.kept import Kept
from tenantproof.isolation.routes.query import REQUEST_TAG, TAG_KEYS, Companion, Query, Who
from tenantproof.policy import Access, Effect, Levels, PolicyDocument, PolicySet, Unknown
from tenantproof.policy.syntax import PrincipalClause, Statement
from tenantproof.policy.unknown import unknown_policy
from tenantproof.prove import Budget, Domain, Some, Term, language, neg
from tenantproof.prove.automata import Within
from tenantproof.prove.engines import Ledger
from tenantproof.reading import Ambiguity, Reading
from tenantproof.request import PRINCIPAL_TAG_PREFIX, ContextValue, Principal

EVERYBODY = "*"

_RESOURCE_TAGS = ("aws:resourcetag/", "iam:resourcetag/")


class World:
    """What the manifest and its sources say of the accounts, and who owns what.

    Args:
        manifest: the manifest.

    Attributes:
        dead_ends: those from whom nothing is reached, and the hedges of the reference met in
            finding that out; None for those from whom something is. Many principals can become the
            same few.
        edges: whom somebody can become in one hop, and the hedges met.
        readers: whether an execution role can read artifacts beyond a wall, and the hedges met.
        companions: what an execution role asks of a TargetModel to read what it names.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.estate = manifest.estate
        self.artifacts = Artifacts(manifest)
        self._unread_buckets: dict[str, Bucket] = {}
        self.dead_ends: Kept[bool] = Kept()
        self.edges: Kept[tuple[Who, ...]] = Kept()
        self.readers: Kept[bool] = Kept()
        self.companions: dict[object, Companion] = {}

    # -- identities --------------------------------------------------------------------------

    @cached_property
    def identities(self) -> dict[str, Identity]:
        """The users and roles by ARN: those of the estate, and those that are tenants' alone."""
        known = {identity.arn: identity for identity in self.estate.identities}
        for tenant in self.manifest.tenants:
            for member in tenant.members:
                if self.role_of(member.principal.arn, known) is None:
                    identity = _identity_of(member)
                    known.setdefault(identity.arn, identity)
        return known

    @cached_property
    def roles(self) -> tuple[Identity, ...]:
        """The roles."""
        return tuple(i for i in self.identities.values() if i.kind is IdentityKind.ROLE)

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], Identity]:
        """The estate's roles by account and name."""
        roles = (i for i in self.estate.identities if i.kind is IdentityKind.ROLE)
        return {(role.account, role.name): role for role in roles}

    def role_of(self, arn: str, known: dict[str, Identity] | None = None) -> Identity | None:
        """The user or role of an ARN, of a session's the role."""
        fields = arn.split(":", 5)
        if len(fields) == 6 and fields[5].startswith("assumed-role/"):
            return self._by_name.get((fields[4], fields[5].split("/")[1]))
        return (self.identities if known is None else known).get(arn)

    @cached_property
    def tenants_of(self) -> dict[str, frozenset[str]]:
        """Whose principal an identity is, by its ARN."""
        found: dict[str, set[str]] = {}
        for tenant in self.manifest.tenants:
            for member in tenant.members:
                identity = self.role_of(member.principal.arn)
                if identity is not None:
                    found.setdefault(identity.arn, set()).add(tenant.name)
        return {arn: frozenset(names) for arn, names in found.items()}

    def starts(self, member: Member) -> Who:
        """A tenant's principal, as it begins."""
        identity = self.role_of(member.principal.arn)
        return Who(member.principal, member.policies, identity, transitive=member.transitive_tags)

    def sessions_of(self, who: Who) -> Iterator[Who]:
        """A principal, and of a role those of its sessions that policies name: it may be any."""
        yield who
        for session in self.sessions.get(who.arn, ()):
            keys = {**who.principal.context, "aws:PrincipalArn": who.arn}
            yield replace(who, principal=replace(who.principal, arn=session, context=keys))

    def who(self, identity: Identity) -> Who:
        """A user, or a session of a role, that somebody becomes."""
        levels = self.service_control_policies(identity.account)
        policies = PolicySet(identity.policies, identity.permissions_boundary, levels)
        return Who(Principal(identity.arn, dict(identity.tags)), policies, identity)

    def trust_of(self, role: Identity) -> PolicyDocument:
        """A role's trust policy, or what stands in for one that no source says."""
        if role.trust_policy is not None:
            return role.trust_policy
        place = role.place or Place(self.manifest.file, "manifest")
        reason = f"the trust policy of {role.arn} is not given"
        return unknown_policy(reason, place.file, place, resource=True)

    @cached_property
    def trusts(self) -> dict[str, tuple[Identity, ...]]:
        """The roles by whom their trust policy may name.

        An ARN, an account's ID, a service, or ``*`` for everybody.
        """
        found: dict[str, dict[str, Identity]] = {}
        for role in self.roles:
            for statement in self.trust_of(role).statements:
                if statement.effect is Effect.ALLOW and statement.principal is not None:
                    for name in _named(statement.principal):
                        found.setdefault(name, {})[role.arn] = role
        return {name: tuple(roles.values()) for name, roles in found.items()}

    # -- policies ----------------------------------------------------------------------------

    def service_control_policies(self, account: str) -> Levels:
        """Those of an account."""
        organization = self.estate.organizations.get(account)
        return () if organization is None else organization.service_control_policies

    def access(self, who: Who, policy: PolicyDocument | None, account: str | None) -> Access:
        """Both sides of a request to a resource of an account."""
        organization = self.estate.organizations.get(account or who.account)
        levels = () if organization is None else organization.resource_control_policies
        return Access(who.policies, policy, levels)

    @cached_property
    def buckets(self) -> dict[str, Bucket]:
        """The buckets that are described, by name."""
        return {bucket.name: bucket for bucket in self.estate.buckets}

    def bucket(self, name: str) -> Bucket:
        """A bucket; one that no source describes has no policy, which reports say.

        Where the buckets were not all read nobody knows which policy it has.
        """
        known = self.buckets.get(name)
        if known is not None:
            return known
        unread = self.estate.unread_of(Part.BUCKETS)
        return Bucket(name) if unread is None else self._unread_bucket(name, unread)

    def _unread_bucket(self, name: str, unread: Unknown) -> Bucket:
        if name not in self._unread_buckets:
            reason = f"the policy of the bucket {name} is not known: {unread.reason}"
            policy = unknown_policy(reason, unread.place.file, unread.place, resource=True)
            self._unread_buckets[name] = Bucket(name, None, policy, unread.place)
        return self._unread_buckets[name]

    # -- the tags that policies look at --------------------------------------------------------

    @cached_property
    def _documents(self) -> tuple[PolicyDocument, ...]:
        members = (m for tenant in self.manifest.tenants for m in tenant.members)
        of_members = (
            document
            for member in members
            for layer in member.policies.layers()
            for document in layer.policies
        )
        of_identities = (
            document
            for identity in self.estate.identities
            for document in (
                *identity.policies,
                identity.permissions_boundary,
                identity.trust_policy,
            )
            if document is not None
        )
        of_buckets = (b.policy for b in self.estate.buckets if b.policy is not None)
        of_organizations = (
            document
            for organization in self.estate.organizations.values()
            for levels in (
                organization.service_control_policies,
                organization.resource_control_policies,
            )
            for level in levels
            for document in level
        )
        listed = (*of_members, *of_identities, *of_buckets, *of_organizations)
        return tuple({id(document): document for document in listed}.values())

    @cached_property
    def principal_tags(self) -> dict[str, str]:
        """The tags of callers that any policy looks at: in lower case, and as written."""
        return principal_tags_in(self._documents)

    @cached_property
    def tags_of_becoming(self) -> frozenset[str]:
        """The tags of callers, in lower case, on which it may hang whom somebody can become."""
        trusted = [role.trust_policy for role in self.roles if role.trust_policy is not None]
        organized = [
            document
            for each in self.estate.organizations.values()
            for levels in (each.service_control_policies, each.resource_control_policies)
            for level in levels
            for document in level
        ]
        return frozenset(principal_tags_in((*trusted, *organized)))

    @cached_property
    def sessions(self) -> dict[str, tuple[str, ...]]:
        """The sessions of roles that policies of resources name, by the role's ARN."""
        found: dict[str, dict[str, None]] = {}
        for document in self._documents:
            for statement in document.statements:
                for entry in statement.principal.entries if statement.principal else ():
                    role = self._role_of_session(entry.value)
                    if role is not None:
                        found.setdefault(role.arn, {})[entry.value] = None
        return {arn: tuple(sessions) for arn, sessions in found.items()}

    def _role_of_session(self, arn: str) -> Identity | None:
        """The role of a session's ARN, be it of the estate or a tenant's alone."""
        _, _, _, _, account, name, *_ = *arn.split(":", 5), *[""] * 5
        kind, role, *_ = *name.split("/"), ""
        return self._all_by_name.get((account, role)) if kind == "assumed-role" else None

    @cached_property
    def _all_by_name(self) -> dict[tuple[str, str], Identity]:
        return {(role.account, role.name): role for role in self.roles}

    @cached_property
    def region(self) -> str:
        """A region in which there are endpoints."""
        return next((e.arn.split(":")[3] for e in self.estate.endpoints), "us-east-1")


@dataclass
class Asking:
    """What all queries of one question have in common.

    Attributes:
        world: the accounts.
        tenant: whose principal asks.
        reading: the choices where the reference hedges.
        budget: what all searches together may cost.
        ledger: the engines that searches are put to.
        asked: the queries made so far.
        reached: the other tenants of whose artifacts some were reached so far; what is looked for
            then is an artifact of one more.
        met: hedges of the reference that were met where it was found out before that somebody
            reaches nothing.
        doubted: whether it was found that something is not known on which the answer hangs.
    """

    world: World
    tenant: Tenant
    reading: Reading
    budget: Budget
    ledger: Ledger
    asked: list[Query] = field(default_factory=list)
    reached: dict[str, None] = field(default_factory=dict)
    met: set[Ambiguity] = field(default_factory=set)
    doubted: bool = False

    def is_vain(self, who: Who) -> bool:
        """Whether what somebody reaches is no news: of who hangs on a doubt that is one more."""
        return self.doubted and bool(who.doubts)

    def decided(self, query: Query) -> None:
        """Note that the answer to a query hangs on no hedge of the reference.

        The evaluator allows the request under this reading; that another one does not would open
        nothing.
        """
        self.asked.remove(query)

    @contextmanager
    def apart(self) -> Iterator[Callable[[], frozenset[Ambiguity]]]:
        """Ask something that is kept for others: what it meets and reaches is told apart.

        Yields:
            What was met, once the context is left.
        """
        before = self.asked, self.met, self.reached, self.doubted
        # A doubt of before is no reason to leave one out of what is kept.
        self.asked, self.met, self.reached, self.doubted = [], set(), {}, False
        found: frozenset[Ambiguity] = frozenset()
        try:
            yield lambda: found
            found = self.ambiguities
        finally:
            self.asked, self.met, self.reached, self.doubted = before

    @property
    def ambiguities(self) -> frozenset[Ambiguity]:
        """The hedges of the reference that the policies' text touches, in all that was asked."""
        return frozenset(self.met).union(*(query.ambiguities for query in self.asked))

    @property
    def all_are_reached(self) -> bool:
        """Whether there is no other tenant left to reach."""
        return len(self.reached) == len(self.world.manifest.tenants) - 1

    def more(self, subject: str, bucket: str, prefix: str) -> Term:
        """A subject's value is the artifact of none that was reached.

        Args:
            subject: what holds a key.
            bucket: the bucket.
            prefix: what the subject's value has before the key; or, begun by ``-``, what the key
                has before the value.
        """
        artifacts = self.world.artifacts
        known = (artifacts.keys_of(name, bucket) for name in self.reached)
        patterns = [pattern for patterns in known for pattern in patterns]
        if not patterns:
            return True
        if prefix.startswith("-"):
            return neg(Some(subject, Within(language(*patterns), prefix[1:])))
        return neg(Some(subject, language(*(prefix + pattern for pattern in patterns))))

    def query(
        self,
        who: Who,
        access: Access,
        actions: tuple[str, ...],
        resources: tuple[str, ...],
        effect: str,
        *,
        fixed: dict[str, ContextValue] | None = None,
        absent: Iterable[str] = (),
        always: dict[str, str] | None = None,
        domains: dict[str, Domain] | None = None,
        account: str | None = None,
        region: str | None = None,
    ) -> Query:
        """A query; see :class:`Query` for its parts."""
        if account is None and len(resources) == 1:
            account = resources[0].split(":")[4] or None
        made = Query(
            who,
            access,
            actions,
            resources,
            effect,
            self.reading,
            self.budget,
            self.ledger,
            fixed or {},
            frozenset(absent),
            always or {},
            domains or {},
            account,
            region,
        )
        self.asked.append(made)
        return made

    def noted(self, query: Query) -> Query:
        """A query made from another one, noted as asked."""
        self.asked.append(query)
        return query


def principal_tags_in(documents: Iterable[PolicyDocument]) -> dict[str, str]:
    """The tags of callers that policies look at: in lower case, and as written."""
    found: dict[str, str] = {}
    for document in documents:
        for key in _keys(document):
            if key.lower().startswith(PRINCIPAL_TAG_PREFIX):
                name = key[len(PRINCIPAL_TAG_PREFIX) :]
                found.setdefault(name.lower(), name)
    return found


def tags_asked(documents: Iterable[PolicyDocument]) -> dict[str, str]:
    """The tags of requests that policies look at: in lower case, and as written."""
    found: dict[str, str] = {}
    for document in documents:
        for statement in document.statements:
            for key in _keys_of(statement):
                if key.lower().startswith(REQUEST_TAG):
                    name = key[len(REQUEST_TAG) :]
                    found.setdefault(name.lower(), name)
            for condition in statement.conditions:
                if condition.key.lower() == TAG_KEYS:
                    for value in condition.values:
                        if not any(mark in value.text for mark in "*?$"):
                            found.setdefault(value.text.lower(), value.text)
    return found


def tags_of_resource(identity: Identity, documents: Iterable[PolicyDocument]) -> _Tags:
    """What a request about an identity says of its tags, and which it says it has not."""
    fixed: dict[str, ContextValue] = {
        prefix + name.lower(): value
        for prefix in _RESOURCE_TAGS
        for name, value in identity.tags.items()
    }
    asked = {
        key.lower()
        for document in documents
        for key in _keys(document)
        if key.lower().startswith(_RESOURCE_TAGS)
    }
    return fixed, frozenset(asked - fixed.keys())


def _named(clause: PrincipalClause) -> Iterator[str]:
    """Whom a clause may name, an account by its ID."""
    if clause.negated:
        yield EVERYBODY
        return
    for entry in clause.entries:
        fields = entry.value.split(":", 5)
        yield fields[4] if fields[5:] == ["root"] else entry.value


_Tags = tuple[dict[str, ContextValue], frozenset[str]]


def looks_at(part: str, access: Access) -> bool:
    """Whether a policy looks at a condition key with some part in its name, in lower case."""
    return any(part in key.lower() for document in documents_of(access) for key in _keys(document))


def documents_of(access: Access) -> Iterator[PolicyDocument]:
    """Every policy that decides a request."""
    for layer in access.layers():
        yield from layer.policies


def _keys(document: PolicyDocument) -> Iterator[str]:
    for statement in document.statements:
        yield from _keys_of(statement)


def _keys_of(statement: Statement) -> Iterator[str]:
    yield from (condition.key for condition in statement.conditions)
    yield from (variable.key for t in statement.templates for variable in t.variables)


def _identity_of(member: Member) -> Identity:
    """The user or role behind a principal that the manifest alone describes."""
    arn = member.principal.arn
    own = member.principal.keys.get("aws:principalarn")
    return Identity(
        own if isinstance(own, str) else arn,
        member.policies.identity_policies,
        dict(member.principal.tags),
        member.policies.permissions_boundary,
    )


def without_tag(principal: Principal, names: Iterable[str]) -> Principal:
    """A principal without some of its tags, whatever the case of their names."""
    gone = {name.lower() for name in names}
    kept = {name: value for name, value in principal.tags.items() if name.lower() not in gone}
    return replace(principal, tags=kept)
