"""The manifest, ``tenantproof.toml``: endpoints, tenants, what is shared, who is trusted.

``docs/manifest.md`` describes each field. Reading is strict: an unknown or ill-typed field is a
problem, and all problems of the manifest and of every policy file it names are reported together.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

from tenantproof.account import (
    Estate,
    HostedEndpoint,
    Identity,
    IdentityKind,
    Organization,
    Part,
    parse_s3,
    unread_endpoint,
    unread_identity,
)
from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation.assumed import AssumedRole, PolicyTemplate, as_far_as_known
from tenantproof.isolation.naming import NamingError, parse_rule
from tenantproof.isolation.route import DEPTH, MOST_DEPTH, Route, RouteSettings
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
    is_endpoint,
    is_void,
    target_model_actions,
    target_model_domain,
)
from tenantproof.isolation.substitution import PLACEHOLDER, TAG
from tenantproof.isolation.surroundings import (
    check_estate,
    hosted,
    read_account,
    read_bucket,
    read_deployment,
    read_role,
)
from tenantproof.isolation.tables import Table
from tenantproof.policy import (
    Levels,
    PolicyDocument,
    PolicyKind,
    PolicySet,
    load_policy,
    read_file,
)
from tenantproof.prove import Domain, Language, language, shortest_member
from tenantproof.prove.regular import CharSet, Concat, One, Regular, Repeat
from tenantproof.request import ContextValue, Principal
from tenantproof.sources import load_sources

MANIFEST_NAME = "tenantproof.toml"

MOST_BYTES = 64 * 1024 * 1024
"""A manifest larger than this is refused."""

_HOLDERS = "owns and target_model, and in an arn and the values of tags and context"
"""Where ``{tenant}`` may stand."""

REQUEST_KEYS = (TARGET_MODEL.lower(), "aws:requestedregion", "aws:resourceaccount")
"""Keys (in lower case) that the request decides, so that none is fixed for a principal."""

_DEEP_KEY = re.compile(rb"(?<![\w\"'-])(?:[\w\"'-]++\s*+\.\s*+){64}")

T = TypeVar("T")


@dataclass(frozen=True)
class Endpoint:
    """A multi-model endpoint, and the resource control policies of its account."""

    arn: str
    resource_control_policies: Levels = field(default=(), compare=False, repr=False)

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        """The region of the endpoint's ARN."""
        return self.arn.split(":")[3]

    @property
    def account(self) -> str:
        """The account of the endpoint's ARN."""
        return self.arn.split(":")[4]


@dataclass(frozen=True)
class Member:
    """A principal of a tenant, with every policy that applies to it.

    ``transitive_tags`` are the session tags that stay where it assumes another role.
    """

    principal: Principal
    policies: PolicySet
    transitive_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tenant:
    """A tenant: what it owns, and the endpoints it is on.

    ``owns`` are TargetModel patterns, ``artifacts`` S3 URL patterns.
    """

    name: str
    owns: tuple[str, ...]
    members: tuple[Member, ...]
    endpoints: tuple[Endpoint, ...]
    artifacts: tuple[str, ...] = ()


@dataclass(frozen=True)
class TenantRule:
    """Tenants described by a rule: every name that matches, today's and tomorrow's.

    Attributes:
        name: how reports name the rule.
        names: the names that tenants can have.
        excluded: patterns of names that none has, though they match.
        owns: TargetModel patterns in which ``{tenant}`` stands for the name.
        members: the principals of a tenant; ``{tenant}`` may stand once in each of their texts.
        endpoints: the endpoints that the tenants are on.
    """

    name: str
    names: Regular
    owns: tuple[str, ...]
    members: tuple[Member, ...]
    endpoints: tuple[Endpoint, ...]
    excluded: tuple[str, ...] = ()

    def admits(self, name: str) -> bool:
        """Whether a tenant can have a name."""
        return bool(name) and self.names.accepts(name) and not self._is_excluded(name)

    def _is_excluded(self, name: str) -> bool:
        return language(*self.excluded).accepts(name)


@dataclass(frozen=True)
class Trusted:
    """A principal left out of the isolation question, and why."""

    arn: str
    reason: str


@dataclass(frozen=True)
class Assertion:
    """What a reviewer wrote: a principal can, or cannot, do an action on some models.

    ``target_model`` is a pattern; None is the request without a TargetModel for ``can``, and
    every request for ``cannot``. ``members`` are the principals that ``principal`` names.
    """

    name: str
    can: bool
    principal: str
    members: tuple[tuple[Tenant, Member], ...]
    actions: tuple[str, ...]
    target_model: str | None
    endpoints: tuple[Endpoint, ...]
    rule: TenantRule | None = None


@dataclass(frozen=True)
class Manifest:
    """Everything that the questions are asked about: tenants by list, or by rule.

    ``estate`` is what its sources and itself say of the accounts; ``vendors`` are the roles that
    are assumed for each tenant, whose sessions are among the members.
    """

    file: str
    endpoints: tuple[Endpoint, ...]
    tenants: tuple[Tenant, ...]
    shared: tuple[str, ...] = ()
    trusted: tuple[Trusted, ...] = ()
    assertions: tuple[Assertion, ...] = field(default=())
    rules: tuple[TenantRule, ...] = ()
    estate: Estate = field(default_factory=Estate)
    routes: RouteSettings = field(default_factory=RouteSettings)
    vendors: tuple[AssumedRole, ...] = ()

    @property
    def groups(self) -> tuple[Tenant | TenantRule, ...]:
        """The tenants by list and by rule."""
        return (*self.tenants, *self.rules)

    @property
    def templates(self) -> frozenset[str]:
        """The files from which policies are rendered for each tenant."""
        return frozenset(template.file for each in self.vendors for template in each.templates)

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that it was read from: itself and every policy."""
        documents = (
            document
            for group in self.groups
            for member in group.members
            for layer in member.policies.layers()
            for document in layer.policies
        )
        of_resources = _of_resources(self.endpoints)
        named = (Path(document.file) for document in (*documents, *of_resources))
        return (Path(self.file), *dict.fromkeys((*named, *map(Path, self.estate.files))))


def _of_resources(endpoints: Iterable[Endpoint]) -> Iterator[PolicyDocument]:
    for endpoint in endpoints:
        for level in endpoint.resource_control_policies:
            yield from level


def find_manifest(path: Path) -> Path:
    """The manifest that a path names: itself, or ``tenantproof.toml`` in a folder.

    Raises:
        InputError: there is none.
    """
    manifest = path / MANIFEST_NAME if path.is_dir() else path
    found = "no file"
    try:
        if manifest.is_file():
            return manifest
    except OSError as error:
        found = f"no readable file ({error.strerror})"
    message = f"found {found}, expected a manifest or a folder that holds {MANIFEST_NAME}"
    raise InputError([Problem(message, Place(str(manifest), "manifest"))])


def load_manifest(path: Path, *, lenient: bool = False) -> Manifest:
    """Read a manifest and the policies it names.

    Args:
        path: the manifest, or the folder that holds it.
        lenient: read policies with comments and trailing commas.

    Returns:
        The manifest.

    Raises:
        InputError: with every problem of the manifest and of its policies.
    """
    file = find_manifest(path)
    root = Place(str(file), "manifest")
    try:
        text = read_file(file, MOST_BYTES)
        if _DEEP_KEY.search(text):
            # tomllib's cost grows with the square of a key's depth.
            message = "found a key of 64 parts or more, expected a manifest"
            raise InputError([Problem(message, root)])
        data = tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError as error:
        message = f"found the byte 0x{error.object[error.start]:02x}, expected text in UTF-8"
        raise InputError([Problem(message, root)]) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError([Problem(f"found no valid TOML: {error}", root)]) from None
    except OSError as error:
        raise InputError([Problem(f"found no readable file ({error.strerror})", root)]) from None
    except ValueError as error:
        raise InputError([Problem(f"found no readable file ({error})", root)]) from None
    reader = _Reader(file, lenient)
    manifest = reader.manifest(Table(data, str(file), "", reader.problems))
    if reader.problems:
        raise InputError(dict.fromkeys(reader.problems))
    return manifest


def read_assertion(
    manifest: Manifest,
    *,
    can: bool,
    principal: str,
    target_model: str | None = None,
    action: str | None = None,
    endpoints: Iterable[str] = (),
    name: str | None = None,
) -> Assertion:
    """An assertion as a ``[[can]]`` or ``[[cannot]]`` of a manifest would make it.

    Args:
        manifest: whose tenants, principals and endpoints are named.
        can: whether the principal can, or cannot.
        principal: a tenant's name, a principal's ARN or a rule's name.
        target_model: a pattern of TargetModels; see :class:`Assertion` for None.
        action: an action, wildcards too; ``sagemaker:InvokeEndpoint`` without it.
        endpoints: names or ARNs of endpoints; all without them.
        name: how reports name it.

    Returns:
        The assertion.

    Raises:
        InputError: with every problem.
    """
    given = {
        "name": name,
        "target_model": target_model,
        "action": action,
        "endpoints": list(endpoints) or None,
    }
    known = {field: value for field, value in given.items() if value is not None}
    fields = {"principal": principal, **known}
    path = "can" if can else "cannot"
    reader = _Reader(Path(manifest.file), lenient=False)
    table = Table(fields, manifest.file, path, reader.problems)
    assertion = reader.assertion(table, can, manifest.tenants, manifest.rules, manifest.endpoints)
    if reader.problems:
        raise InputError(reader.problems)
    return assertion


class _Reader:
    def __init__(self, file: Path, lenient: bool) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._lenient = lenient
        self._policies: dict[tuple[str, PolicyKind], PolicyDocument | None] = {}
        self._estate = Estate()
        self._identities: dict[str, Identity] = {}
        self._vendors: list[tuple[Table, AssumedRole]] = []
        self._broken: set[str] = set()
        self._are_sources_broken = False

    def manifest(self, table: Table) -> Manifest:
        self._estate = self._read_estate(table)
        endpoints = self._endpoints(table)
        shared = self._patterns(table, "shared", required=False)
        by_rule = table.has("rules")
        self._vendors = [
            (item, self._assumed(item)) for item in table.tables("vendors", required=False)
        ]
        tenants = tuple(
            self._tenant(item, endpoints) for item in table.tables("tenants", required=not by_rule)
        )
        self._unique(table, "tenants", [tenant.name for tenant in tenants])
        rules = tuple(
            self._rule(item, endpoints) for item in table.tables("rules", required=by_rule)
        )
        self._unique(table, "rules", [rule.name for rule in rules])
        if by_rule:
            self._without_placeholder(table, "shared", shared)
            self._without_placeholder(table, "endpoints", [e.arn for e in endpoints])
        if rules and tenants:
            table.report("rules", "found rules beside tenants, expected tenants by rule or by list")
        trusted = tuple(map(self._trusted, table.tables("trusted", required=False)))
        assertions = tuple(
            self.assertion(item, can, tenants, rules, endpoints)
            for can, name in ((True, "can"), (False, "cannot"))
            for item in table.tables(name, required=False)
        )
        is_about_endpoints = any(tenant.owns for tenant in tenants) or bool(rules or assertions)
        self._check_all_are_known(table, is_about_endpoints=is_about_endpoints)
        routes = self._routes(table)
        table.finish()
        return Manifest(
            str(self._file),
            endpoints,
            tenants,
            shared,
            trusted,
            assertions,
            rules,
            self._estate,
            routes,
            tuple(vendor for _, vendor in self._vendors),
        )

    def _read_estate(self, table: Table) -> Estate:
        """What the sources and the manifest itself say of the accounts."""
        names = table.texts("sources", required=False)
        deployment = read_deployment(table.table("deployment"))
        if table.has("deployment") and not names:
            table.report("deployment", "found it without sources, whose templates it is about")
        estate = Estate()
        try:
            paths = [self._file.parent / name for name in names]
            if names:
                estate = load_sources(paths, lenient=self._lenient, deployment=deployment)
        except InputError as error:
            self._are_sources_broken = True
            self.problems.extend(error.problems)
        roles = tuple(
            read_role(item, self._arn(item), self._tags(item), self._document)
            for item in table.tables("roles", required=False)
        )
        buckets = tuple(
            read_bucket(item, self._document) for item in table.tables("buckets", required=False)
        )
        estate = estate.joined(Estate(identities=roles, buckets=buckets))
        accounts = [
            read_account(item, self._document) for item in table.tables("accounts", required=False)
        ]
        self._unique(table, "accounts", [account for account, _ in accounts])
        for account, _ in accounts:
            if account in estate.organizations:
                table.report("accounts", f'found "{account}", which the sources describe, too')
        estate = estate.joined(Estate(organizations=dict(accounts)))
        check_estate(table, estate)
        self._identities = {identity.arn: identity for identity in estate.identities}
        return estate

    def _endpoints(self, table: Table) -> tuple[Endpoint, ...]:
        """The endpoints listed; where there are none, those of the sources."""
        of_sources = tuple(self._at(each.arn) for each in self._estate.endpoints)
        items = table.tables("endpoints", required=not table.has("sources"))
        endpoints = tuple(
            endpoint for item in items if (endpoint := self._endpoint(item)) is not None
        )
        self._unique(table, "endpoints", [e.arn for e in endpoints])
        return endpoints if items else of_sources

    def _check_all_are_known(self, table: Table, *, is_about_endpoints: bool) -> None:
        """Of an endpoint that nobody knows of a question would not be unknown, but not asked."""
        unread = self._estate.unread_of(Part.ENDPOINTS)
        if unread is not None and is_about_endpoints and not table.has("endpoints"):
            message = f"found none, and of the sources {unread.reason} ({unread.place})"
            table.report("endpoints", f"{message}, expected those that tenants are on")

    def _routes(self, table: Table) -> RouteSettings:
        settings = table.table("routes")
        depth = settings.number("depth", default=DEPTH, least=1, most=MOST_DEPTH)
        off = settings.table("off")
        reasons = {route: off.text(route.value, required=False) for route in Route}
        off.finish()
        settings.finish()
        return RouteSettings(depth, {route: why for route, why in reasons.items() if why})

    def _artifacts(self, table: Table, name: str) -> tuple[str, ...]:
        patterns = table.texts(name, required=False)
        for pattern in patterns:
            found = parse_s3(pattern)
            if found is None or not found.key:
                expected = "expected an S3 URL with a key as s3://bucket/prefix/*"
                table.report(name, f"found {pattern!r:.80}, {expected}")
        return patterns

    def _without_placeholder(self, table: Table, name: str, texts: Iterable[str]) -> None:
        for text in texts:
            if PLACEHOLDER in text:
                message = f"found {text!r:.80}, expected no {PLACEHOLDER}, which stands for a name"
                table.report(name, f"{message} in {_HOLDERS}")

    def _unique(self, table: Table, name: str, values: list[str]) -> None:
        for value in sorted({v for v in values if v and values.count(v) > 1}):
            table.report(name, f'found "{value}" twice, expected each once')

    def _endpoint(self, table: Table) -> Endpoint | None:
        if table.has("arn"):
            arn = table.text("arn")
            if arn and not is_endpoint(arn):
                table.report("arn", f'found "{arn}", expected the ARN of a SageMaker endpoint')
                arn = ""
        else:
            partition = table.text("partition", required=False, default="aws")
            parts = [table.text(name) for name in ("region", "account", "name")]
            region, account, name = parts
            arn = f"arn:{partition}:sagemaker:{region}:{account}:endpoint/{name}"
            arn = arn if all(parts) else ""
        serves = hosted(table, arn)
        table.finish()
        if not arn:
            return None
        known = any(each.arn == arn for each in self._estate.endpoints)
        if serves is None and not known:
            serves = self._unread_endpoint(arn)
        if serves is not None and known:
            table.report("model_data", "found it for an endpoint that the sources describe, too")
        elif serves is not None:
            self._estate = self._estate.joined(Estate(endpoints=(serves,)))
        return self._at(arn)

    def _unread_endpoint(self, arn: str) -> HostedEndpoint | None:
        """What stands in for an endpoint that may be among those that could not be read."""
        region, account = arn.split(":")[3:5]
        unread = self._estate.unread_of(Part.ENDPOINTS, account, region)
        return None if unread is None else unread_endpoint(arn, unread)

    def _at(self, arn: str) -> Endpoint:
        """An endpoint with what its account's organization says of its resources."""
        return Endpoint(arn, self._organization(arn).resource_control_policies)

    def _organization(self, arn: str) -> Organization:
        """What is said of the account of an ARN."""
        account = "".join(arn.split(":", 5)[4:5])
        return self._estate.organizations.get(account, Organization())

    def _chosen(self, table: Table, endpoints: tuple[Endpoint, ...]) -> tuple[Endpoint, ...]:
        """The endpoints named by a table's ``endpoints``, all of them where it has none."""
        names = table.texts("endpoints", required=False)
        for name in names:
            if not any(name in (e.name, e.arn) for e in endpoints):
                table.report("endpoints", f'found "{name}", expected the name of an endpoint above')
        return tuple(e for e in endpoints if not names or e.name in names or e.arn in names)

    def _tenant(self, table: Table, endpoints: tuple[Endpoint, ...]) -> Tenant:
        name = table.text("name")
        if not name.isprintable():
            table.report("name", f"found {name!r}, expected printable characters")
        artifacts = self._artifacts(table, "artifacts")
        tenant = Tenant(
            name,
            self._patterns(table, "owns", required=not artifacts),
            (*self._principals(table, bool(artifacts)), *self._acting_for(name)),
            self._chosen(table, endpoints),
            artifacts,
        )
        table.finish()
        return tenant

    def _principals(self, table: Table, may_be_none: bool) -> Iterator[Member]:
        required = not (self._vendors or may_be_none)
        yield from map(self._member, table.tables("principals", required=required))

    def _acting_for(self, tenant: str) -> Iterator[Member]:
        """The sessions that the vendors' roles are assumed in for a tenant."""
        for table, vendor in self._vendors:
            if table.path not in self._broken:
                try:
                    yield Member(*vendor.acting_for(tenant), vendor.transitive_tags)
                except InputError as error:
                    # What is wrong for one tenant mostly is for all.
                    self._broken.add(table.path)
                    self.problems.extend(error.problems)

    def _acting_for_all(self, names: Regular) -> Iterator[tuple[Table, Member]]:
        """The sessions that the vendors' roles are assumed in for the tenants of a rule."""
        for table, vendor in self._vendors:
            try:
                yield table, Member(*vendor.acting_for_all(names), vendor.transitive_tags)
            except InputError as error:
                self.problems.extend(error.problems)

    def _assumed(self, table: Table) -> AssumedRole:
        """A ``[[vendors]]`` table: a role that is assumed for each tenant."""
        role = table.text("role")
        fields = role.split(":", 5)
        if role and not (len(fields) == 6 and fields[5].startswith("role/")):
            table.report("role", f'found "{role}", expected the ARN of a role')
        self._without_placeholder(table, "role", [role])
        session_name = table.text("session_name", required=False, default=PLACEHOLDER)
        tags, session_tags = self._tags(table), self._tags(table, "session_tags")
        self._without_placeholder(table, "tags", (*tags, *tags.values()))
        self._without_placeholder(table, "session_tags", session_tags)
        session = Principal(
            _session_of(role, session_name),
            _overridden(tags, session_tags),
            {**_path_of(role), **self._context(table)},
        )
        known = self._identity_of(role)
        unknown_tags = None
        if known is not None and not table.has("policies"):
            member = self._known_member(table, session, known)
            session, policies = member.principal, member.policies
            unknown_tags = known.unknown_tags
        else:
            policies = self._policies_of(table, role)
        vendor = AssumedRole(
            session,
            policies,
            self._templates(table),
            self._transitive(table, session_tags),
            unknown_tags,
        )
        if vendor.speaks_of_tag():
            table.report("", f"found {TAG} in its tags or policies, which stands for the name")
        table.finish()
        return vendor

    def _templates(self, table: Table) -> tuple[PolicyTemplate, ...]:
        templates: list[PolicyTemplate] = []
        for name in table.one_or_more("session_policy"):
            path = self._file.parent / name
            try:
                text = read_file(path, MOST_BYTES).decode("utf-8-sig")
                templates.append(PolicyTemplate(text, str(path), self._lenient))
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else error
                message = f"found no readable file ({reason})"
                self.problems.append(Problem(message, Place(str(path), "$")))
        return tuple(templates)

    def _transitive(self, table: Table, session_tags: Mapping[str, str]) -> tuple[str, ...]:
        names = table.texts("transitive_tags", required=False)
        for name in names:
            if name.lower() not in map(str.lower, session_tags):
                table.report("transitive_tags", f'found "{name}", expected a name of session_tags')
        return names

    def _rule(self, table: Table, endpoints: tuple[Endpoint, ...]) -> TenantRule:
        name = table.text("name")
        if not name.isprintable():
            table.report("name", f"found {name!r}, expected printable characters")
        names = self._names(table)
        owns = table.texts("owns")
        for pattern in owns:
            if PLACEHOLDER not in pattern:
                table.report(
                    "owns", f"found {pattern!r:.80}, expected a pattern with {PLACEHOLDER} in it"
                )
            else:
                self._check_pattern(table, "owns", pattern.replace(PLACEHOLDER, "?"))
        items = table.tables("principals", required=not self._vendors)
        acting = [*((item, self._member(item)) for item in items), *self._acting_for_all(names)]
        for item, member in acting:
            _check_placeholders(item, member, names)
        for item, member in acting:
            self._without_placeholder(item, "tags", member.principal.tags)
            self._without_placeholder(item, "context", member.principal.context)
        members = tuple(member for _, member in acting)
        excluded = table.texts("except", required=False)
        self._without_placeholder(table, "except", excluded)
        if table.has("names"):
            self._check_names(table, names, owns, language(*excluded))
        rule = TenantRule(name, names, owns, members, self._chosen(table, endpoints), excluded)
        table.finish()
        return rule

    def _check_names(
        self, table: Table, names: Regular, owns: tuple[str, ...], excluded: Language
    ) -> None:
        """There must be names, and models for each: or what is said of all says nothing."""
        some = Domain(min_length=1)
        if shortest_member([names], [], some) is None:
            table.report("names", f"found {names.name!r:.80}, which no name matches")
        elif shortest_member([names], [excluded], some) is None:
            table.report("except", f"found all names of {names.name!r:.80}, expected some left")
        for pattern in owns:
            fit = _names_that_fit(begins=pattern.startswith(PLACEHOLDER))
            unfit = shortest_member([names], [excluded, fit], some)
            if PLACEHOLDER in pattern and unfit is not None:
                table.report(
                    "owns",
                    f"found {pattern!r:.80}, which no TargetModel can match"
                    f" for a tenant named {unfit!r}",
                )

    def _names(self, table: Table) -> Regular:
        text = table.text("names")
        if not text:
            return parse_rule("x")
        try:
            return parse_rule(text)
        except NamingError as error:
            table.report("names", f"{error}, in {text!r:.80}")
            return parse_rule("x")

    def _patterns(self, table: Table, name: str, *, required: bool = True) -> tuple[str, ...]:
        patterns = table.texts(name, required=required)
        for pattern in patterns:
            self._check_pattern(table, name, pattern)
        return patterns

    def _check_pattern(self, table: Table, name: str, pattern: str) -> None:
        if is_void(pattern):
            table.report(name, f"found {pattern!r:.80}, which no TargetModel can match")

    def _member(self, table: Table) -> Member:
        arn, session_tags = self._arn(table), self._tags(table, "session_tags")
        tags = _overridden(self._tags(table), session_tags)
        principal = Principal(arn, tags, self._context(table))
        session = self._documents(table.one_or_more("session_policy"))
        transitive = self._transitive(table, session_tags)
        known = self._identity_of(principal.arn)
        if known is not None and not table.has("policies"):
            member = self._known_member(table, principal, known)
            session = as_far_as_known(session, principal, known.unknown_tags)
            principal, policies = member.principal, member.policies
        else:
            policies = self._policies_of(table, arn)
        table.finish()
        return Member(principal, replace(policies, session_policies=session), transitive)

    def _policies_of(self, table: Table, arn: str) -> PolicySet:
        """The policies that a table gives a principal, and those of its account."""
        boundary = table.text("permissions_boundary", required=False)
        documents = self._documents(self._files_of(table, arn))
        boundaries = self._documents((boundary,) if boundary else ())
        levels = tuple(map(self._documents, table.levels("service_control_policies")))
        if not table.has("service_control_policies"):
            levels = self._organization(arn).service_control_policies
        return PolicySet(documents, next(iter(boundaries), None), levels)

    def _files_of(self, table: Table, arn: str) -> tuple[str, ...]:
        """The files of the identity policies of somebody whom the estate does not describe."""
        if self._are_sources_broken:
            # Nobody knows whom they describe, and that they are broken is reported.
            return table.texts("policies", required=False)
        if arn and self._identities and not table.has("policies"):
            found = f'found nothing, and neither sources nor roles describe "{arn}"'
            table.report("policies", f"{found}, expected policies, or an ARN that they do")
            table.skip("policies")
            return ()
        return table.texts("policies")

    def _identity_of(self, arn: str) -> Identity | None:
        """The user or role of an ARN, or the role of a session's, as the estate has it."""
        fields = arn.split(":", 5)
        if len(fields) == 6 and fields[5].startswith("assumed-role/"):
            name = fields[5].split("/")[1]
            roles = (each for each in self._estate.identities if each.kind is IdentityKind.ROLE)
            found = next((r for r in roles if (r.account, r.name) == (fields[4], name)), None)
            role = f"arn:{fields[1]}:iam::{fields[4]}:role/{name}"
            return found or self._unread_identity(role)
        return self._identities.get(arn) or self._unread_identity(arn)

    def _unread_identity(self, arn: str) -> Identity | None:
        """What stands in for somebody who may be among the identities that could not be read."""
        fields = arn.split(":", 5)
        unread = self._estate.unread_of(Part.IDENTITIES, fields[4]) if len(fields) == 6 else None
        return None if unread is None else unread_identity(arn, unread)

    def _known_member(self, table: Table, principal: Principal, identity: Identity) -> Member:
        """A principal that the estate describes; tags given here are those of its session."""
        for name in ("permissions_boundary", "service_control_policies"):
            if table.has(name):
                table.skip(name)
                found = f'found it without policies, of "{identity.arn}", which is described'
                table.report(name, f"{found} already, expected it there, or policies beside it")
        session = {"aws:PrincipalArn": identity.arn} if principal.arn != identity.arn else {}
        own = {name.lower() for name in principal.tags}
        tags = {name: tag for name, tag in identity.tags.items() if name.lower() not in own}
        levels = self._organization(identity.arn).service_control_policies
        if identity.unknown_tags is not None:
            # Its tags are not known, and without them what denies it is not.
            levels = ()
        policies = PolicySet(identity.policies, identity.permissions_boundary, levels)
        context = {**session, **principal.context}
        return Member(Principal(principal.arn, {**tags, **principal.tags}, context), policies)

    def _arn(self, table: Table) -> str:
        arn = table.text("arn")
        if arn and arn.count(":") < 5:
            table.report("arn", f'found "{arn}", expected the ARN of a user, role or session')
        return arn

    def _tags(self, table: Table, field_name: str = "tags") -> dict[str, str]:
        tags = table.mapping(field_name)
        for name, value in tags.items():
            if not isinstance(value, str):
                table.report(f"{field_name}.{name}", f"found {value!r:.80}, expected a text")
        self._fold(table, field_name, tags)
        return {name: str(value) for name, value in tags.items()}

    def _context(self, table: Table) -> dict[str, ContextValue]:
        context: dict[str, ContextValue] = {}
        given = table.mapping("context")
        self._fold(table, "context", given)
        for name, value in given.items():
            if name.lower() in REQUEST_KEYS:
                table.report(f"context.{name}", "found a key that the request decides")
            if isinstance(value, str):
                context[name] = value
            elif isinstance(value, list) and all(isinstance(item, str) for item in value):
                context[name] = tuple(value)
            else:
                message = f"found {value!r:.80}, expected a text or a list of texts"
                table.report(f"context.{name}", message)
        return context

    def _fold(self, table: Table, field_name: str, given: Mapping[str, Any]) -> None:
        """Keys differing in case alone are the same key to IAM."""
        self._unique(table, field_name, [name.lower() for name in given])

    def _documents(self, files: tuple[str, ...] | list[str]) -> tuple[PolicyDocument, ...]:
        documents = (self._document(name) for name in files)
        return tuple(document for document in documents if document is not None)

    def _document(self, name: str, kind: PolicyKind = PolicyKind.IDENTITY) -> PolicyDocument | None:
        if (name, kind) not in self._policies:
            path = self._file.parent / name
            try:
                self._policies[name, kind] = load_policy(path, lenient=self._lenient, kind=kind)
            except InputError as error:
                self.problems.extend(error.problems)
                self._policies[name, kind] = None
        return self._policies[name, kind]

    def _trusted(self, table: Table) -> Trusted:
        trusted = Trusted(self._arn(table), table.text("reason"))
        table.finish()
        return trusted

    def assertion(
        self,
        table: Table,
        can: bool,
        tenants: tuple[Tenant, ...],
        rules: tuple[TenantRule, ...],
        endpoints: tuple[Endpoint, ...],
    ) -> Assertion:
        principal = table.text("principal")
        members = tuple(_named(principal, tenants))
        rule = next((rule for rule in rules if rule.name == principal), None)
        if principal and not members and rule is None:
            message = (
                f"found \"{principal}\", expected a tenant's name, a principal's ARN or a rule's"
                " name above"
            )
            table.report("principal", message)
        action = table.text("action", required=False, default="sagemaker:InvokeEndpoint")
        actions = tuple(a for a in invoke_actions() if fnmatchcase(a.lower(), action.lower()))
        if not actions:
            known = ", ".join(invoke_actions())
            table.report("action", f'found "{action}", expected one of {known}, or a wildcard')
        target = table.text("target_model", required=False) or None
        if target is not None:
            as_named = target.replace(PLACEHOLDER, "?") if rule else target
            self._check_pattern(table, "target_model", as_named)
            with_target = tuple(a for a in actions if a in target_model_actions())
            if actions and not with_target:
                table.report("target_model", f"found one with {action}, which takes no TargetModel")
            actions = with_target
        verb = "can" if can else "cannot"
        shown = target or ("no TargetModel" if can else "any TargetModel")
        name = table.text("name", required=False, default=f"{principal} {verb} {action} on {shown}")
        chosen = self._chosen(table, endpoints)
        table.finish()
        return Assertion(name, can, principal, members, actions, target, chosen, rule)


def _session_of(role: str, name: str) -> str:
    """The ARN of a role's session, which does not have the role's path."""
    partition, account = (*role.split(":", 5), *[""] * 5)[1:5:3]
    return f"arn:{partition}:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{name}"


def _path_of(role: str) -> dict[str, ContextValue]:
    """What a session's requests say of a role with a path, which its own ARN does not."""
    return {"aws:PrincipalArn": role} if role.count("/") > 1 else {}


def _overridden(tags: Mapping[str, str], session_tags: Mapping[str, str]) -> dict[str, str]:
    """A session's tags: its own go before the role's, whatever their case."""
    own = {name.lower() for name in session_tags}
    kept = {name: value for name, value in tags.items() if name.lower() not in own}
    return {**kept, **session_tags}


def _names_that_fit(*, begins: bool) -> Regular:
    """The texts of characters that a TargetModel can have, ``begins``: at its beginning."""
    domain = target_model_domain()
    first, rest = (One(CharSet.of(c.first + c.last)) for c in (domain.initial, domain.rest))
    return Regular(Concat((first if begins else rest, Repeat(rest, 0, None))))


def _check_placeholders(table: Table, member: Member, names: Regular) -> None:
    """The name may stand once in a text, and in an ARN only where it can be a name of IAM."""
    principal = member.principal
    sets = {k: v for k, v in principal.context.items() if not isinstance(v, str)}
    texts = {"arn": principal.arn, **{f"tags.{k}": v for k, v in principal.tags.items()}}
    texts |= {f"context.{k}": v for k, v in principal.context.items() if isinstance(v, str)}
    for field_name, text in texts.items():
        if text.count(PLACEHOLDER) > 1:
            table.report(field_name, f"found {text!r:.80}, expected {PLACEHOLDER} once at most")
    for field_name, values in sets.items():
        if any(PLACEHOLDER in value for value in values):
            table.report(f"context.{field_name}", f"found {PLACEHOLDER} in a list of values")
    if PLACEHOLDER in principal.arn:
        bad = shortest_member([names, language("*:*", "*/*")], [], Domain(min_length=1))
        if bad is not None:
            message = f'found {PLACEHOLDER} in an ARN where a tenant can be named "{bad}"'
            table.report("arn", f"{message}, expected names without : and /")


def _named(principal: str, tenants: tuple[Tenant, ...]) -> Iterator[tuple[Tenant, Member]]:
    for tenant in tenants:
        for member in tenant.members:
            if principal in (tenant.name, member.principal.arn):
                yield tenant, member
