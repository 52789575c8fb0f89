"""Policies by themselves: files that are a policy document, bucket policies, organizations."""

from __future__ import annotations

import re

from tenantproof.account import Bucket, Estate, Gap, Organization
from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy import Access, Effect, Levels, PolicyDocument, PolicyKind, PolicySet
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonNode,
    JsonObject,
    JsonString,
    describe,
    quote,
)
from tenantproof.policy.unknown import unknown_policy
from tenantproof.sources.record import Record, embedded, policy_at

_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_BUCKET_ARN = re.compile(r"arn:[a-z-]+:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/.*)?", re.DOTALL)
_OF_S3 = re.compile(r"[^:]*\*|[^:]*:[^:]*\*|[^:]*:[^:]*:(?:s3|[^:]*[*?])")
"""What a pattern of resources begins with that may be buckets."""

_POLICY_TEXT = re.compile(r'\s*\{.*"Statement"\s*:', re.DOTALL)
_ACCOUNT = re.compile(r"[0-9]{12}")


def _names(root: JsonNode) -> frozenset[str]:
    """The names of an object's members."""
    if not isinstance(root, JsonObject):
        return frozenset()
    return frozenset(key.value for key, _ in root.members)


NOT_READ = "not_read"
"""The one member of what stands in place of a policy that nobody could read: why."""


class _StandIns:
    """What stands in for policies that nobody could read, and the gaps that they leave."""

    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems
        self.gaps: list[Gap] = []

    def of(self, node: JsonNode, file: str, what: str, *, resource: bool) -> PolicyDocument | None:
        """A stand-in, where a node says that the policy could not be read; else None."""
        if not isinstance(node, JsonObject) or _names(node) != {NOT_READ}:
            return None
        why = Record(node, file, self._problems).required(NOT_READ) or ""
        reason = f"{what} could not be read: {why}"
        self.gaps.append(Gap(reason, node.place, has_stand_in=True))
        return unknown_policy(reason, file, node.place, resource=resource)


class PolicyFiles:
    """Reads documents that are a policy, and texts that hold one.

    One whose statements all name principals is a resource's policy. If its resources are one
    bucket and what is in it, it is that bucket's; if they could be of any bucket, the document's
    name says of which.
    """

    def __init__(self, problems: list[Problem]) -> None:
        """Report into a list of problems."""
        self._problems = problems
        self._policies: list[PolicyDocument] = []
        self._buckets: list[Bucket] = []
        self._gaps: list[Gap] = []

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document has a Statement, or is a text that does."""
        if isinstance(root, JsonString):
            return _POLICY_TEXT.match(root.value) is not None
        return "Statement" in _names(root)

    def read(self, root: JsonNode, file: str, name: str) -> None:
        """Take in a policy."""
        if isinstance(root, JsonString):
            try:
                root = embedded(root, file)
            except InputError as error:
                self._problems.extend(error.problems)
                return
        if "Statement" not in _names(root):
            return
        assert isinstance(root, JsonObject)
        statement = next(value for key, value in root.members if key.value == "Statement")
        nodes = statement.items if isinstance(statement, JsonArray) else (statement,)
        of_resource = any(_names(node) & {"Principal", "NotPrincipal"} for node in nodes)
        kind = PolicyKind.ANY if of_resource else PolicyKind.IDENTITY
        document = policy_at(root, file, f"the policy {name}", self._problems, kind)
        if document is None:
            return
        if not of_resource:
            self._policies.append(document)
            return
        bucket = _bucket_of(document)
        may_be_buckets = _may_be_buckets(document)
        if bucket is None and may_be_buckets and _BUCKET_NAME.fullmatch(name):
            bucket = name
        if bucket is not None:
            self._buckets.append(Bucket(bucket, None, document, root.place))
        else:
            message = f"the policy {name} is a resource's, and does not say of which"
            self._gaps.append(Gap(message, root.place, matters=may_be_buckets))

    def estate(self) -> Estate:
        """The policies, and the buckets that some of them are of."""
        return Estate(
            buckets=tuple(self._buckets),
            gaps=tuple(self._gaps),
            loose_policies=tuple(self._policies),
        )


def _bucket_of(document: PolicyDocument) -> str | None:
    """The one bucket that all resources of a policy are in, if they are."""
    buckets: set[str] = set()
    for statement in document.statements:
        if statement.resource is None or statement.resource.negated:
            return None
        for pattern in statement.resource.patterns:
            found = _BUCKET_ARN.fullmatch(pattern.text)
            if found is None:
                return None
            buckets.add(found[1])
    return buckets.pop() if len(buckets) == 1 else None


def _may_be_buckets(document: PolicyDocument) -> bool:
    """Whether a policy may allow something in some bucket."""
    return any(
        statement.effect is Effect.ALLOW
        and statement.resource is not None
        and (
            statement.resource.negated
            or any(_OF_S3.match(pattern.text) for pattern in statement.resource.patterns)
        )
        for statement in document.statements
    )


class BucketPolicies:
    """Reads the output of ``aws s3api get-bucket-policy``.

    Whose bucket it is its output does not say: a member ``Bucket`` beside ``Policy`` does, or else
    the name of the file.
    """

    _BUCKET = ("Bucket", "BucketName", "Name")
    _POLICY = ("Policy", "PolicyDocument", "BucketPolicy")
    _KNOWN = frozenset({*_BUCKET, *_POLICY, "Account", "ResponseMetadata"})

    def __init__(self, problems: list[Problem]) -> None:
        """Report into a list of problems."""
        self._problems = problems
        self._stand_ins = _StandIns(problems)
        self._buckets: list[Bucket] = []

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document is a Policy, with a Bucket or without."""
        names = _names(root)
        if not names or not names <= self._KNOWN:
            return False
        named = len(names & set(self._BUCKET)) == 1
        if "Bucket" in names or (named and len(names & set(self._POLICY)) == 1):
            return True
        return isinstance(_member(root, "Policy"), JsonString)

    def read(self, root: JsonNode, file: str, name: str) -> None:
        """Take in a bucket's policy."""
        assert isinstance(root, JsonObject)
        record = Record(root, file, self._problems)
        named = next((each for each in self._BUCKET if each in record), self._BUCKET[0])
        bucket = record.text(named) or name
        if not _BUCKET_NAME.fullmatch(bucket):
            message = f"found {quote(bucket)}, expected the name of the policy's bucket"
            record.report(record.get(named) or record.place, message)
            return
        policy, is_unread = None, False
        for each in self._POLICY:
            node = record.get(each)
            if node is not None:
                what = f"the policy of the bucket {bucket}"
                policy = self._stand_ins.of(node, file, what, resource=True)
                is_unread = policy is not None
                policy = policy or record.policy(each, what, PolicyKind.ANY)
        account = record.text("Account")
        self._buckets.append(Bucket(bucket, account, policy, record.place, is_unread))

    def estate(self) -> Estate:
        """The buckets."""
        return Estate(buckets=tuple(self._buckets), gaps=tuple(self._stand_ins.gaps))


class Organizations:
    """Reads what an organization says of accounts: an object with a member for each account.

    AWS has no one command that prints it; ``docs/sources.md`` has the format.
    """

    _FIELDS = ("management_account", "service_control_policies", "resource_control_policies")

    def __init__(self, problems: list[Problem]) -> None:
        """Report into a list of problems."""
        self._problems = problems
        self._stand_ins = _StandIns(problems)
        self._organizations: dict[str, Organization] = {}
        self._unread: set[str] = set()
        self._places: dict[str, Place] = {}
        self._gaps: list[Gap] = []

    def recognises(self, root: JsonNode) -> bool:
        """Whether something is said of an account, or of a policy of an organization."""
        return isinstance(root, JsonObject) and (
            _is_described(root)
            or any(_names(value) & set(self._FIELDS) for _, value in root.members)
        )

    def read(self, root: JsonNode, file: str, name: str) -> None:
        """Take in what an organization says of some accounts."""
        assert isinstance(root, JsonObject)
        if _is_described(root):
            # It takes away only: nothing is proved that is not so.
            message = (
                f"the policy {name} of an organization does not say in which accounts it holds,"
                " and is taken to hold in none"
            )
            self._gaps.append(Gap(message, root.place, matters=False))
            return
        accounts = Record(root, file, self._problems)
        for account, node in sorted(accounts.others(()), key=lambda member: member[0]):
            said = accounts.record(account)
            if not _ACCOUNT.fullmatch(account):
                accounts.report(node, f"found {quote(account)}, expected the ID of an account")
            elif said is not None:
                self._account(account, said)

    def _account(self, account: str, said: Record) -> None:
        self._refuse_others(said)
        before = len(self._stand_ins.gaps)
        levels = [self._levels(said, name, account) for name in self._FIELDS[1:]]
        # Neither kind of policy holds in the management account.
        found = Organization() if said.flag(self._FIELDS[0]) else Organization(*levels)
        try:
            Access(PolicySet(), None, found.resource_control_policies)
        except InputError as error:
            self._problems.extend(error.problems)
        if self._is_less(account, is_unread=len(self._stand_ins.gaps) > before):
            return
        known = self._organizations.setdefault(account, found)
        first = self._places.setdefault(account, said.place)
        if known != found:
            message = (
                f"found {account} a second time, and it differs (the first is at {first}),"
                " expected each once"
            )
            said.report(said.place, message)

    def _is_less(self, account: str, *, is_unread: bool) -> bool:
        """Whether more is known of an account already; less that is known is forgotten."""
        if is_unread:
            if account in self._organizations:
                return True
            self._unread.add(account)
        elif account in self._unread:
            self._unread.remove(account)
            del self._organizations[account], self._places[account]
        return False

    def _levels(self, said: Record, name: str, account: str) -> Levels:
        resource = name.startswith("resource")
        levels: list[tuple[PolicyDocument, ...]] = []
        for level in said.items(name):
            if not isinstance(level, JsonArray):
                message = f"found {describe(level)} in {name}, expected a list of policies"
                said.report(level, message)
                continue
            kind = PolicyKind.RESOURCE_CONTROL if resource else PolicyKind.IDENTITY
            what = f"{name}[{len(levels)}] of {account}"
            read = [
                self._stand_ins.of(item, said.file, f"a policy of {what}", resource=resource)
                or policy_at(_content(item), said.file, what, self._problems, kind)
                for item in level.items
            ]
            levels.append(tuple(document for document in read if document is not None))
        return tuple(levels)

    def _refuse_others(self, record: Record) -> None:
        for name, node in record.others(self._FIELDS):
            expected = f"expected one of {', '.join(self._FIELDS)}"
            record.report(node, f"found an unknown field {quote(name)}, {expected}")

    def estate(self) -> Estate:
        """The organizations."""
        gaps = (*self._gaps, *self._stand_ins.gaps)
        return Estate(organizations=self._organizations, gaps=gaps)


def _is_described(root: JsonNode) -> bool:
    """Whether something is the output of ``aws organizations describe-policy``."""
    return {"PolicySummary", "Content"} <= _names(_member(root, "Policy") or root)


def _content(node: JsonNode) -> JsonNode:
    """The document in the output of ``aws organizations describe-policy``, or the node itself."""
    policy = _member(node, "Policy") or node
    return _member(policy, "Content") or node


def _member(node: JsonNode, name: str) -> JsonNode | None:
    members = node.members if isinstance(node, JsonObject) else ()
    return next((value for key, value in members if key.value == name), None)
