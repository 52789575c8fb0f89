"""From the resources of a template, whatever its notation, to the estate that they make.

Templates name what they mean: a policy is attached to a role's name, an endpoint has a
configuration's. The names are followed when all templates are read. A name that leads nowhere, or
is not known, is a gap; where a policy would have been, a stand-in is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tenantproof.account import Bucket, Estate, Group, Identity, ManagedPolicy
from tenantproof.errors import Place
from tenantproof.policy import PolicyDocument
from tenantproof.policy.unknown import unknown_policy
from tenantproof.sources.documents import read_document
from tenantproof.sources.homes import Home
from tenantproof.sources.hosting import Hosting
from tenantproof.sources.listing import Listing
from tenantproof.sources.values import NotKnown, PartlyKnown, Value, text


@dataclass(frozen=True)
class Handle:
    """What a name stands for: one kind of thing in one account (and region, where it has one)."""

    kind: str
    where: str
    name: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}"


@dataclass
class _Owner:
    """A role, user or group as far as it was read."""

    arn: str
    place: Place
    tags: Mapping[str, str] = field(default_factory=dict)
    trust: Value | None = None
    boundary: Value | None = None
    inline: dict[str, Value] = field(default_factory=dict)
    attached: list[Value] = field(default_factory=list)
    groups: list[Handle] = field(default_factory=list)


class Assembly:
    """The resources of templates, taken one by one and put together by :meth:`estate`."""

    def __init__(self) -> None:
        self.listing = Listing()
        self.hosting = Hosting(self.listing)
        self._described: set[Handle] = set()
        self._owners: dict[Handle, _Owner] = {}
        self._managed: dict[str, tuple[Value, Place]] = {}
        self._buckets: dict[str, tuple[str, Place]] = {}
        self._bucket_policies: list[tuple[Value, Value]] = []
        self._given: list[tuple[str, Home, Value, str, Value]] = []
        self._attached: list[tuple[str, Home, Value, Value]] = []
        self._members: list[tuple[Home, Value, Value]] = []
        self._read: dict[tuple[Place, str], PolicyDocument] = {}

    # -- IAM ---------------------------------------------------------------------------------

    def owner(
        self,
        kind: str,
        home: Home,
        path: str,
        name: str,
        place: Place,
        *,
        trust: Value | None = None,
        boundary: Value | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """A role, user or group; ``trust`` is a role's trust policy, ``boundary`` an ARN."""
        handle = Handle(kind, home.account, name)
        if self._is_second(handle, place):
            return
        arn = home.iam(kind, path, name)
        self._owners[handle] = _Owner(arn, place, tags or {}, trust, boundary)

    def managed_policy(self, arn: str, document: Value, place: Place) -> None:
        """A managed policy; the same one twice is one."""
        known = self._managed.get(arn)
        if known is not None and text(document) is not None and text(known[0]) == text(document):
            return
        if self._is_second(Handle("policy", "", arn), place):
            return
        self._managed[arn] = document, place

    def inline(self, kind: str, home: Home, owner: Value, name: str, document: Value) -> None:
        """An inline policy of the owner that is named."""
        self._given.append((kind, home, owner, name, document))

    def attach(self, kind: str, home: Home, owner: Value, policy: Value) -> None:
        """A managed policy, by its ARN, attached to the owner that is named."""
        self._attached.append((kind, home, owner, policy))

    def member(self, home: Home, user: Value, group: Value) -> None:
        """A user in a group, both by name."""
        self._members.append((home, user, group))

    # -- S3 ---------------------------------------------------------------------------------

    def bucket(self, home: Home, name: str, place: Place) -> None:
        """A bucket."""
        if not self._is_second(Handle("bucket", "", name), place):
            self._buckets[name] = home.account, place

    def bucket_policy(self, bucket: Value, document: Value) -> None:
        """The policy of the bucket that is named."""
        self._bucket_policies.append((bucket, document))

    # -- all together ------------------------------------------------------------------------

    def estate(self) -> Estate:
        """Everything that was taken, its names followed."""
        self._follow_names()
        identities = tuple(
            self._identity(handle, owner)
            for handle, owner in self._owners.items()
            if handle.kind != "group"
        )
        groups = tuple(
            Group(
                owner.arn,
                owner.place,
                tuple(self._policies(handle, owner)),
                tuple(self._arns(owner)),
            )
            for handle, owner in self._owners.items()
            if handle.kind == "group"
        )
        managed = tuple(
            ManagedPolicy(arn, self._managed_document(arn), place)
            for arn, (_, place) in self._managed.items()
        )
        endpoints = tuple(self.hosting.endpoints())
        return Estate(
            identities=identities,
            groups=groups,
            managed_policies=managed,
            endpoints=endpoints,
            models=tuple(self.hosting.models()),
            buckets=tuple(self._all_buckets()),
            gaps=self.listing.gaps(),
        )

    def _follow_names(self) -> None:
        for kind, home, named, name, document in self._given:
            owner = self._named(kind, home, named, f"the policy {name}")
            if owner is None:
                continue
            if name in owner.inline and owner.inline[name] != document:
                where = self._handle(kind, home, named)
                self.listing.gap(f"{where} has the inline policy {name} twice", document.place)
            owner.inline.setdefault(name, document)
        for kind, home, named, policy in self._attached:
            what = f"the policy {text(policy) or 'that is not known'}"
            owner = self._named(kind, home, named, what)
            if owner is not None:
                owner.attached.append(policy)
        for home, user, group in self._members:
            owner = self._named("user", home, user, "a group")
            if owner is not None and self._named("group", home, group, "a user") is not None:
                owner.groups.append(self._handle("group", home, group))

    def _named(self, kind: str, home: Home, named: Value, what: str) -> _Owner | None:
        if isinstance(named, NotKnown | PartlyKnown):
            self.listing.gap(
                f"{what} is given to a {kind} that is not known: {named.reason}", named.place
            )
            return None
        handle = self._handle(kind, home, named)
        if handle not in self._owners:
            self.listing.gap(f"{what} is given to {handle}, which is not described", named.place)
        return self._owners.get(handle)

    def _handle(self, kind: str, home: Home, named: Value) -> Handle:
        """A name; templates take an ARN for one, too, and a name with its path."""
        return Handle(kind, home.account, (text(named) or "").rpartition("/")[2])

    # -- policies ----------------------------------------------------------------------------

    def _identity(self, handle: Handle, owner: _Owner) -> Identity:
        owners = [(handle, owner), *((group, self._owners[group]) for group in owner.groups)]
        arns = list(dict.fromkeys(arn for _, each in owners for arn in self._arns(each)))
        policies = [policy for h, each in owners for policy in self._policies(h, each)]
        boundary = owner.boundary
        limit = None if boundary is None else self._by_arn(boundary, f"the boundary of {handle}")
        if boundary is not None and (arn := text(boundary)) is not None:
            arns = list(dict.fromkeys((*arns, arn)))
        trust = None
        if owner.trust is not None:
            trust = self._document(owner.trust, f"the trust policy of {handle}", resource=True)
        return Identity(
            owner.arn,
            tuple(dict.fromkeys(policies)),
            owner.tags,
            limit,
            trust,
            tuple(arns),
            tuple(self._owners[group].arn for group in owner.groups),
            owner.place,
        )

    def _arns(self, owner: _Owner) -> Iterator[str]:
        for policy in owner.attached:
            arn = text(policy)
            if arn is not None:
                yield arn

    def _policies(self, handle: Handle, owner: _Owner) -> Iterator[PolicyDocument]:
        for name, document in owner.inline.items():
            yield self._document(document, f"the policy {name} of {handle}")
        for policy in owner.attached:
            yield self._by_arn(policy, f"a policy attached to {handle}")

    def _by_arn(self, named: Value, what: str) -> PolicyDocument:
        arn = text(named)
        if arn is not None and arn in self._managed:
            return self._managed_document(arn)
        if isinstance(named, NotKnown | PartlyKnown):
            reason = f"{what} is not known: {named.reason}"
        else:
            reason = f"the managed policy {arn} is not described"
        self.listing.gap(reason, named.place, has_stand_in=True)
        return unknown_policy(reason, named.place.file, named.place)

    def _managed_document(self, arn: str) -> PolicyDocument:
        document, _ = self._managed[arn]
        return self._document(document, f"the managed policy {arn}")

    def _document(self, value: Value, name: str, *, resource: bool = False) -> PolicyDocument:
        known = self._read.get((value.place, name))
        if known is not None:
            return known
        document = read_document(value, name, resource=resource)
        for unknown in dict.fromkeys(statement.unknown for statement in document.statements):
            if unknown is not None:
                self.listing.gap(unknown.reason, unknown.place, has_stand_in=True)
        self._read[value.place, name] = document
        return document

    # -- buckets -----------------------------------------------------------------------------

    def _all_buckets(self) -> Iterator[Bucket]:
        policies: dict[str, PolicyDocument] = {}
        for named, document in self._bucket_policies:
            if isinstance(named, NotKnown | PartlyKnown):
                message = f"the policy of a bucket that is not known: {named.reason}"
                self.listing.gap(message, document.place)
                continue
            name = (text(named) or "").rpartition(":::")[2]
            if name in policies:
                self.listing.gap(f"the bucket {name} has a second policy", document.place)
                continue
            policies[name] = self._document(
                document, f"the policy of the bucket {name}", resource=True
            )
        for name, (account, place) in self._buckets.items():
            yield Bucket(name, account, policies.pop(name, None), place)
        for name, policy in policies.items():
            yield Bucket(name, None, policy, policy.place)

    def _is_second(self, handle: Handle, place: Place) -> bool:
        if handle in self._described:
            self.listing.gap(f"{handle} is described a second time, not read", place)
            return True
        self._described.add(handle)
        return False
