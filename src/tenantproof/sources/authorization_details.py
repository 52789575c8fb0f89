"""Account exports: the output of ``aws iam get-account-authorization-details``.

Reads what the CLI prints and what the API answers, where policy documents are URL-encoded texts;
an export may come in pages, in files of their own or in one list. Follows
"GetAccountAuthorizationDetails" of the IAM API Reference.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tenantproof.account import Estate, Gap, Group, Identity, ManagedPolicy
from tenantproof.errors import Place, Problem
from tenantproof.policy import PolicyDocument, PolicyKind
from tenantproof.policy.json_reader import JsonArray, JsonNode, JsonObject, JsonString
from tenantproof.policy.unknown import unknown_policy
from tenantproof.sources.record import Record

LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
"""The lists of an export."""

_PAGING = ("IsTruncated", "Marker", "NextToken")
_BESIDE = {"ResponseMetadata"}
"""What SDKs put beside an answer."""

MEMBERS = frozenset({*LISTS, *_PAGING, *_BESIDE})
"""The members of an export."""

_COMMON = {"Path", "Arn", "CreateDate", "AttachedManagedPolicies"}
KNOWN = {
    "user": _COMMON | {"UserName", "UserId", "UserPolicyList", "GroupList", "PermissionsBoundary",
                       "Tags", "PasswordLastUsed"},
    "group": _COMMON | {"GroupName", "GroupId", "GroupPolicyList"},
    "role": _COMMON | {"RoleName", "RoleId", "AssumeRolePolicyDocument", "InstanceProfileList",
                       "RolePolicyList", "PermissionsBoundary", "Tags", "RoleLastUsed",
                       "Description", "MaxSessionDuration"},
    "policy": {"PolicyName", "PolicyId", "Arn", "Path", "DefaultVersionId", "AttachmentCount",
               "PermissionsBoundaryUsageCount", "IsAttachable", "Description", "CreateDate",
               "UpdateDate", "PolicyVersionList", "Tags"},
}  # fmt: skip
_ARNS = {
    kind: re.compile(rf"arn:[a-z-]+:iam::([0-9]{{12}}|aws):{kind}/[\x21-\x7e]+") for kind in KNOWN
}
_MAY_DECIDE = re.compile(
    r"polic|boundar|permission|group|tag|trust|grant|den(?:y|ied)|allow", re.IGNORECASE
)
"""Names of fields that are not known yet, and that may say who may do what."""

_CUT_OFF = (
    "the export is cut off: it says that more pages follow, and the last of them is not there, so"
    " that roles, users, groups and policies may be missing"
)


@dataclass(frozen=True)
class _Page:
    """What is to be known of one page once all are there."""

    place: Place
    accounts: frozenset[str]
    lists: frozenset[str]
    cut: bool

    def may_go_on_in(self, other: _Page) -> bool:
        """Whether both are of one account, as far as one can tell."""
        return not self.accounts or not other.accounts or bool(self.accounts & other.accounts)


@dataclass(frozen=True)
class _Attached:
    """Policies: inline, and by their ARNs the managed ones."""

    inline: tuple[PolicyDocument, ...] = ()
    managed: Mapping[str, PolicyDocument] = field(default_factory=dict)

    @property
    def documents(self) -> tuple[PolicyDocument, ...]:
        return (*self.inline, *self.managed.values())

    def with_those_of(self, other: _Attached) -> _Attached:
        """What a group has, its users have; a managed policy counts once."""
        return _Attached((*self.inline, *other.inline), {**self.managed, **other.managed})


class AuthorizationDetails:
    """Reads the pages of account exports, and links what they hold."""

    def __init__(self, problems: list[Problem]) -> None:
        """Report into a list of problems."""
        self._problems = problems
        self._gaps: list[Gap] = []
        self._pages: list[_Page] = []
        self._records: dict[str, list[Record]] = {name: [] for name in LISTS}
        self._left_out: Counter[str] = Counter()
        self._first: dict[str, Place] = {}
        self._policies: dict[str, PolicyDocument] = {}
        self._groups: dict[str, tuple[str, _Attached]] = {}

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document has one of the lists of an export."""
        if not isinstance(root, JsonObject):
            return False
        members = {key.value: value for key, value in root.members}
        return bool(members.keys() & set(LISTS[:-1])) or _are_policies(members.get("Policies"))

    def read(self, root: JsonNode, file: str, name: str) -> None:  # noqa: ARG002
        """Take in a page."""
        assert isinstance(root, JsonObject)
        page = Record(root, file, self._problems)
        accounts: set[str] = set()
        for each in LISTS:
            records = page.records(each)
            self._records[each] += records
            accounts |= {_account(record) for record in records}
        cut = page.flag("IsTruncated") or "Marker" in page or "NextToken" in page
        lists = frozenset(each for each in LISTS if each in page)
        self._pages.append(_Page(page.place, frozenset(accounts - {"", "aws"}), lists, cut))
        for member, node in page.others(MEMBERS):
            self._gap(f"the field {member} of an export is not known", node.place)

    def estate(self) -> Estate:
        """All pages together."""
        self._check_pages()
        policies = [p for r in self._records["Policies"] if (p := self._managed(r)) is not None]
        groups = [g for r in self._records["GroupDetailList"] if (g := self._group(r)) is not None]
        users = [self._identity(r, "user") for r in self._records["UserDetailList"]]
        roles = [self._identity(r, "role") for r in self._records["RoleDetailList"]]
        for what, count in sorted(self._left_out.items()):
            self._gap(f"{what}: {count} left out", self._first[what], matters=False)
        return Estate(
            identities=tuple(i for i in (*users, *roles) if i is not None),
            groups=tuple(groups),
            managed_policies=tuple(policies),
            gaps=tuple(self._gaps),
        )

    # -- pages -------------------------------------------------------------------------------

    def _check_pages(self) -> None:
        """An export may lack any role if its last page is not there, or its list of roles."""
        last = [page for page in self._pages if not page.cut]
        for page in self._pages:
            if page.cut and not any(map(page.may_go_on_in, last)):
                self._gap(_CUT_OFF, page.place)
        held = frozenset[str]().union(*(page.lists for page in self._pages))
        for name in LISTS if self._pages else ():
            if name not in held:
                # No other list is missed but by a name: of a user's group, of a role's policy.
                # And no user is a way on for another one.
                matters = name == "RoleDetailList"
                self._gap(f"the export has no {name}", self._pages[0].place, matters=matters)

    # -- policies ----------------------------------------------------------------------------

    def _managed(self, record: Record) -> ManagedPolicy | None:
        arn = self._arn(record, "policy")
        if arn is None:
            return None
        versions = self._versions(record, arn)
        default = self._default(record, arn)
        if default in versions:
            document = versions.pop(default)
        else:
            reason = f"the default version {default or ''} of the policy {arn} is not in the export"
            document = self._stand_in(" ".join(reason.split()), record)
        if document is None:
            return None
        for name in self._unknown(record, "policy"):
            self._gap(f"the field {name} of {arn} is not known", record.place)
        self._policies.setdefault(arn, document)
        others = {name: each for name, each in versions.items() if each is not None}
        return ManagedPolicy(arn, document, record.place, others)

    def _versions(self, record: Record, arn: str) -> dict[str, PolicyDocument | None]:
        versions: dict[str, PolicyDocument | None] = {}
        for version in record.records("PolicyVersionList"):
            name = version.required("VersionId")
            if name is not None and name in versions:
                version.report(version.place, f"found the version {name} of {arn} a second time")
            elif name is not None:
                what = f"the version {name} of the policy {arn}"
                versions[name] = version.policy("Document", what)
        return versions

    def _default(self, record: Record, arn: str) -> str | None:
        """The default version's ID; None where the record does not say which it is."""
        default = record.text("DefaultVersionId")
        for version in record.records("PolicyVersionList"):
            name = version.text("VersionId")
            if version.flag("IsDefaultVersion") and name != default:
                if default is not None:
                    message = (
                        f"found IsDefaultVersion of {name} and the DefaultVersionId {default},"
                        f" expected one default version of {arn}"
                    )
                    version.report(version.place, message)
                default = name
        return default

    def _attached(self, record: Record, arn: str, inline: str) -> _Attached:
        """The inline and the attached policies of a record, and what stands in for others."""
        documents: list[PolicyDocument] = []
        for policy in record.records(inline):
            name = policy.required("PolicyName")
            document = policy.policy("PolicyDocument", f"the inline policy {name} of {arn}")
            documents += [] if document is None else [document]
        managed: dict[str, PolicyDocument] = {}
        for attached in record.records("AttachedManagedPolicies"):
            policy_arn = attached.required("PolicyArn")
            if policy_arn is not None:
                managed[policy_arn] = self._document(policy_arn, attached, arn)
        for field_name in self._unknown(record, _kind(arn)):
            reason = f"the field {field_name} of {arn} is not known"
            documents.append(self._stand_in(reason, record))
        return _Attached(tuple(documents), managed)

    def _document(self, policy_arn: str, named: Record, owner: str) -> PolicyDocument:
        """A managed policy's document; an unknown one where the export lacks it."""
        known = self._policies.get(policy_arn)
        if known is None:
            others = self._attachments[policy_arn] - 1
            whose = f"{owner} and {others} more" if others > 0 else owner
            reason = f"the policy {policy_arn}, attached to {whose}, is not in the export"
            known = self._policies[policy_arn] = self._stand_in(reason, named)
        return known

    @cached_property
    def _attachments(self) -> Counter[str]:
        """How many users, groups and roles each managed policy is attached to, or bounds."""
        records = [r for name in LISTS[:-1] for r in self._records[name]]
        attached = [each for r in records for each in r.records("AttachedManagedPolicies")]
        bounds = [bound for r in records if (bound := r.record("PermissionsBoundary"))]
        return Counter(
            arn.value
            for each, name in (
                *((each, "PolicyArn") for each in attached),
                *((each, "PermissionsBoundaryArn") for each in bounds),
            )
            if isinstance(arn := each.get(name), JsonString)
        )

    # -- groups and identities ---------------------------------------------------------------

    def _group(self, record: Record) -> Group | None:
        arn = self._arn(record, "group")
        if arn is None:
            return None
        attached = self._attached(record, arn, "GroupPolicyList")
        self._groups.setdefault(_group_key(arn, arn), (arn, attached))
        return Group(arn, record.place, attached.documents, tuple(attached.managed))

    def _identity(self, record: Record, kind: str) -> Identity | None:
        arn = self._arn(record, kind)
        if arn is None:
            return None
        attached = self._attached(record, arn, f"{kind.capitalize()}PolicyList")
        groups = []
        for name in record.texts("GroupList") if kind == "user" else ():
            group, its = self._group_named(name, arn, record)
            attached = attached.with_those_of(its)
            groups.append(group)
        boundary = self._boundary(record, arn)
        if profiles := record.items("InstanceProfileList"):
            self._leave_out("instance profiles", record.place, len(profiles))
        return Identity(
            arn,
            attached.documents,
            record.tags(),
            next(iter(boundary.values()), None),
            self._trust(record, arn) if kind == "role" else None,
            tuple({**attached.managed, **boundary}),
            tuple(groups),
            record.place,
        )

    def _trust(self, record: Record, arn: str) -> PolicyDocument | None:
        if "AssumeRolePolicyDocument" in record:
            what = f"the trust policy of {arn}"
            return record.policy("AssumeRolePolicyDocument", what, PolicyKind.ANY)
        return self._stand_in(f"the trust policy of {arn} is not in the export", record, True)

    def _group_named(self, name: str, user: str, record: Record) -> tuple[str, _Attached]:
        """A user's group, its ARN and its policies."""
        key = _group_key(user, name)
        if key not in self._groups:
            reason = f"the group {name} of {user} is not in the export"
            arn = f"{user.partition(':user/')[0]}:group/{name}"
            self._groups[key] = arn, _Attached((self._stand_in(reason, record),))
        return self._groups[key]

    def _boundary(self, record: Record, arn: str) -> dict[str, PolicyDocument]:
        """The permissions boundary by its ARN, if there is one."""
        boundary = record.record("PermissionsBoundary")
        policy_arn = None if boundary is None else boundary.required("PermissionsBoundaryArn")
        if boundary is None or policy_arn is None:
            return {}
        return {policy_arn: self._document(policy_arn, boundary, arn)}

    # -- what is not known -------------------------------------------------------------------

    def _arn(self, record: Record, kind: str) -> str | None:
        arn = record.required("Arn")
        if arn is not None and not _ARNS[kind].fullmatch(arn):
            message = f'found "{arn}", expected the ARN of a {kind}'
            record.report(record.get("Arn") or record.place, message)
            return None
        return arn

    def _unknown(self, record: Record, kind: str) -> list[str]:
        """The fields of a record that are not known and may decide; others are counted."""
        names = [name for name, _ in record.others(KNOWN[kind])]
        for name in names:
            if not _MAY_DECIDE.search(name):
                self._leave_out(f"the field {name} of a {kind}, which is not known", record.place)
        return sorted(name for name in names if _MAY_DECIDE.search(name))

    def _leave_out(self, what: str, place: Place, count: int = 1) -> None:
        self._left_out[what] += count
        self._first.setdefault(what, place)

    def _stand_in(self, reason: str, record: Record, resource: bool = False) -> PolicyDocument:
        """A policy that is not there, and the gap that it leaves."""
        self._gaps.append(Gap(reason, record.place, has_stand_in=True))
        return unknown_policy(reason, record.file, record.place, resource=resource)

    def _gap(self, message: str, place: Place, *, matters: bool = True) -> None:
        self._gaps.append(Gap(message, place, matters))


def _are_policies(node: JsonNode | None) -> bool:
    """Whether a list is one of managed policies with their versions, or is empty."""
    if not isinstance(node, JsonArray):
        return False
    return not node.items or any(
        isinstance(item, JsonObject)
        and any(key.value == "PolicyVersionList" for key, _ in item.members)
        for item in node.items
    )


def _account(record: Record) -> str:
    """The account that a record is of; a text that is none where its ARN is none."""
    node = record.get("Arn")
    parts = node.value.split(":") if isinstance(node, JsonString) else []
    return parts[4] if len(parts) > 5 else ""


def _kind(arn: str) -> str:
    return arn.split(":")[5].partition("/")[0]


def _group_key(arn: str, name: str) -> str:
    """What a group's ARN, or a user's and a group's name, say which group is meant.

    Names of groups are unique in an account, whatever their case.
    """
    account = ":".join(arn.split(":")[:5])
    return f"{account}:{name.rpartition('/')[2].lower()}"
