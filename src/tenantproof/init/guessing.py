"""Who the tenants are, guessed from tags, names, prefixes and policies.

A guess is made where two things agree, or where one is plain (a tag named ``tenant``); what could
belong to several tenants, or serves them all, is left to the reader. No two tenants get artifacts
that overlap.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tenantproof.account import Estate, HostedEndpoint, Identity, IdentityKind, S3Location, parse_s3
from tenantproof.init.evidence import (
    Root,
    endpoints_named,
    invokes,
    is_endpoint,
    is_run_by_sagemaker,
    multi_model_prefixes,
    objects,
    root_of,
    session_tags,
    tags_compared,
    tags_rested_on,
    target_models,
)
from tenantproof.init.words import (
    KINDS_OF_TENANT,
    OF_PLATFORMS,
    SHARED,
    folded,
    holds,
    longest_held,
    may_be_tenant,
    tokens,
)

_PLAIN_KEYS = frozenset(
    {"tenant", "customer", "client", "company", "organisation", "organization", "workspace"}
)
"""Tags that say whose something is, also with ``id`` or ``name`` behind."""

_TARGET_MODEL = re.compile(r"[\x21-\x7e][\x20-\x7e]*")
"""What a TargetModel can be, and a pattern of some."""

_MOST_SESSIONS = 200
"""With more tenants than this, sessions of a role are not listed one by one."""

_OF_NOBODY = SHARED | {"admin", "internal", "n/a", "na", "none", "ops", "platform", "system", ""}
"""Values of such a tag that are no tenant's."""


@dataclass(frozen=True)
class GuessedArtifacts:
    """Patterns of S3 URLs, or of TargetModels where no bucket is known, and what says so."""

    patterns: tuple[str, ...]
    why: str


@dataclass(frozen=True)
class GuessedPrincipal:
    """A principal of a tenant, what says so, and of a session the tags that it is given."""

    arn: str
    why: str
    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class GuessedTenant:
    """A tenant: its name, its principals with what says so of each, its artifacts.

    Without principals it is a victim alone: it has artifacts that others must not reach.
    """

    name: str
    why: str
    artifacts: GuessedArtifacts
    principals: tuple[GuessedPrincipal, ...]


@dataclass(frozen=True)
class Guess:
    """What was guessed of an estate.

    Attributes:
        tenants: the tenants.
        endpoints: the ARNs of the endpoints.
        shared: patterns of artifacts that belong to all.
        unassigned: identities of no tenant by their ARNs, with the reason.
        incomplete: names that may be tenants, and what is not known of them.
    """

    tenants: tuple[GuessedTenant, ...]
    endpoints: tuple[str, ...]
    shared: tuple[str, ...]
    unassigned: tuple[tuple[str, str], ...]
    incomplete: tuple[tuple[str, str], ...]


def guess(estate: Estate) -> Guess:
    """Guess the tenants of an estate.

    Args:
        estate: what the sources hold.

    Returns:
        The guess; without tenants where nothing tells them apart.
    """
    return _Guessing(estate).result()


@dataclass
class _Tenant:
    """A tenant while evidence is gathered."""

    name: str
    why: dict[str, None] = field(default_factory=dict)
    principals: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)


class _Guessing:
    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self._prefixes = multi_model_prefixes(estate)
        self._behind_which: list[S3Location | None] = [*self._prefixes] or [None]
        self._tenants: dict[str, _Tenant] = {}
        self._unassigned: dict[str, str] = {}
        self._execution_roles = {
            model.execution_role
            for model in (*estate.models, *(m for e in estate.endpoints for m in e.models))
            if model.execution_role
        }
        self._who = [i for i in estate.identities if self._may_be_principal(i)]
        self._named = {i.arn: sorted(set(target_models(i))) for i in self._who}
        self._objects = {i.arn: sorted(set(objects(i))) for i in self._who}
        self._served = list(self._places_served())
        self._keys = self._tenant_keys()
        self._segments = self._tenant_segments()

    # -- who may be one ----------------------------------------------------------------------

    def _may_be_principal(self, identity: Identity) -> bool:
        if identity.is_service_linked:
            reason = "a service-linked role"
        elif identity.arn in self._execution_roles or is_run_by_sagemaker(identity):
            reason = "an execution role of SageMaker"
        else:
            return True
        self._unassigned[identity.arn] = reason
        return False

    # -- where artifacts lie -----------------------------------------------------------------

    def _places_served(self) -> Iterator[tuple[HostedEndpoint, Root, bool]]:
        """Each artifact that an endpoint serves, or the prefix of them, with whether it is one."""
        for endpoint in self._estate.endpoints:
            for model in endpoint.models:
                for container in model.containers:
                    location = parse_s3(container.model_data or "")
                    if location is not None:
                        key = location.key
                        folder = container.multi_model and key and not key.endswith("/")
                        root = root_of(location.bucket, f"{key}/" if folder else key)
                        yield endpoint, root, container.multi_model

    def _roots_named(self, identity: Identity) -> Iterator[tuple[Root, str]]:
        """Where an identity's policies say that artifacts are, with how they say it."""
        for pattern in self._named[identity.arn]:
            for prefix in self._behind_which:
                yield self._behind(prefix, pattern), f"TargetModel {pattern}"
        for bucket, pattern in self._objects[identity.arn]:
            if self._holds_models(bucket, pattern):
                yield root_of(bucket, pattern), f"s3://{bucket}/{pattern}"

    @staticmethod
    def _behind(prefix: S3Location | None, pattern: str) -> Root:
        if prefix is None:
            return root_of(None, pattern)
        return root_of(prefix.bucket, prefix.key + pattern)

    def _holds_models(self, bucket: str, pattern: str) -> bool:
        """Whether keys lie among the models that endpoints serve; where none are known, yes."""
        if not self._served:
            return True
        folders = root_of(bucket, pattern).folders
        return any(
            root.bucket == bucket and folders[: len(above)] == above
            for _, root, multi in self._served
            for above in [root.folders if multi else root.folders[:1]]
        )

    def _tenant_segments(self) -> dict[str, str]:
        """Folders that may be tenants', by their folded names: those that others stand beside."""
        below: dict[tuple[str | None, tuple[str, ...]], dict[str, None]] = defaultdict(dict)
        roots = [root for _, root, _ in self._served]
        roots += [root for i in self._who for root, _ in self._roots_named(i)]
        for root in roots:
            for depth, name in enumerate(root.folders):
                below[root.bucket, root.folders[:depth]][name] = None
            stem = _stem(root)
            if stem:
                below[root.bucket, root.folders][stem] = None
        found: dict[str, str] = {}
        for names in below.values():
            tenants = [name for name in names if may_be_tenant(name)]
            if len(tenants) > 1 or (tenants and set(names) & SHARED):
                found.update({folded(name): name for name in tenants})
        return found

    # -- tags --------------------------------------------------------------------------------

    def _tenant_keys(self) -> list[str]:
        """The tags that say whose something is, in lower case, the plainest first."""
        compared = tags_compared(self._estate) | {key for key, _ in self._requested()}
        values: dict[str, set[str]] = defaultdict(set)
        for tags in self._all_tags():
            for key, value in tags.items():
                if value.lower() not in _OF_NOBODY and not _is_systems(key):
                    values[key.lower()].add(value)
        for key, value in self._requested():
            values[key].add(value)
        names = [i.name for i in self._who]
        texts = [text for patterns in self._named.values() for text in patterns]
        texts += [f"{root.bucket}/{'/'.join(root.folders)}" for _, root, _ in self._served]
        scores: dict[str, int] = {}
        for key, said in values.items():
            plain = _is_plain_key(key)
            agreeing = sum(
                any(holds(text, value) for text in texts)
                or (plain and any(holds(name, value) for name in names))
                for value in said
                if plain or may_be_tenant(value)
            )
            telling = sum(map(may_be_tenant, said)) * 2 > len(said)
            score = 4 * plain + 3 * (key in compared and (plain or telling)) + 2 * (agreeing > 1)
            if score >= 3 or (score == 2 and len(said) > 1 and agreeing * 2 > len(said)):
                scores[key] = score
        best = max(scores.values(), default=0)
        keys = [key for key, score in scores.items() if score >= best - 2]
        return sorted(keys, key=lambda key: (-scores[key], key))

    def _requested(self) -> Iterator[tuple[str, str]]:
        """The session tags that policies ask for, with the values that they may have."""
        for identity in self._who:
            yield from session_tags(identity)

    def _all_tags(self) -> Iterator[dict[str, str]]:
        yield from (dict(identity.tags) for identity in self._who)
        yield from (dict(endpoint.tags) for endpoint in self._estate.endpoints)

    def _tagged(self, tags: Iterable[tuple[str, str]]) -> tuple[str, str] | None:
        """The tag that says whose something is, with its value."""
        by_key = {key.lower(): (key, value) for key, value in tags}
        for key in self._keys:
            if key in by_key and (_is_plain_key(key) or may_be_tenant(by_key[key][1])):
                return by_key[key]
        return None

    # -- tenants and their principals --------------------------------------------------------

    def result(self) -> Guess:
        self._assign_by_tags()
        self._assign_by_names()
        self._assign_by_known_siblings()
        self._assign_by_policies()
        self._assign_by_siblings()
        self._assign_sessions()
        self._locate()
        tenants, incomplete = self._finished()
        return Guess(
            tuple(tenants),
            tuple(sorted(e.arn for e in self._estate.endpoints if is_endpoint(e.arn)))
            or tuple(endpoints_named(self._estate)),
            tuple(sorted(self._shared(tenants))),
            tuple(sorted(self._left())),
            tuple(incomplete),
        )

    def _tenant(self, name: str) -> _Tenant:
        name = name if name.isprintable() else folded(name)
        return self._tenants.setdefault(folded(name), _Tenant(name))

    def _assign(self, identity: Identity, name: str, why: str) -> None:
        tenant = self._tenant(name)
        tenant.principals[identity.arn] = why
        tenant.why[why] = None

    @property
    def _free(self) -> list[Identity]:
        assigned = {arn for tenant in self._tenants.values() for arn in tenant.principals}
        assigned |= self._unassigned.keys()
        return [identity for identity in self._who if identity.arn not in assigned]

    def _assign_by_tags(self) -> None:
        for identity in self._free:
            tag = self._tagged(identity.tags.items())
            if tag is not None and folded(tag[1]) and tag[1].lower() not in _OF_NOBODY:
                why = f"the tag {tag[0]}={tag[1]} of {_short(identity)}"
                self._assign(identity, tag[1], why)
            elif tag is not None:
                self._unassigned[identity.arn] = f"the tag {tag[0]}={tag[1]}"
        for identity in self._free:
            asked = {(k, v) for k, v in session_tags(identity) if k in self._keys and folded(v)}
            if len(asked) == 1:
                ((key, value),) = asked
                why = f"the session tag {key}={value} in the policy of {_short(identity)}"
                self._assign(identity, value, why)
        for endpoint in self._estate.endpoints:
            tag = self._tagged(endpoint.tags.items())
            if tag is not None and folded(tag[1]) and tag[1].lower() not in _OF_NOBODY:
                self._tenant(tag[1])

    def _assign_by_names(self) -> None:
        """A name that holds a tenant's, or that of a folder that others stand beside."""
        known = self._names()
        candidates = {**self._segments, **known}
        for identity in self._free:
            if set(tokens(identity.name)) & OF_PLATFORMS:
                continue
            for text, why in _names_of(identity):
                held = longest_held(text, candidates)
                if held and (folded(held) in known or self._is_about_models(identity)):
                    self._assign(identity, held, why)
                    break

    def _is_about_models(self, identity: Identity) -> bool:
        return invokes(identity) or bool(self._objects[identity.arn]) or _assumes(identity)

    def _assign_by_policies(self) -> None:
        """One whose TargetModels are all in one tenant's folder."""
        for identity in self._free:
            found: dict[str, str] = {}
            for root, how in self._roots_named(identity):
                name = self._segment_in(root)
                if name is not None and how.startswith("TargetModel"):
                    found.setdefault(folded(name), how)
            if len(found) == 1 and "*" not in self._named[identity.arn]:
                ((key, how),) = found.items()
                self._assign(
                    identity, self._segments[key], f"{how} in the policy of {_short(identity)}"
                )

    def _segment_in(self, root: Root) -> str | None:
        """The tenant's folder among a root's folders, the outermost; or its file's beginning."""
        for name in (*root.folders, _stem(root)):
            if folded(name) in self._segments:
                return name
        return None

    def _assign_by_known_siblings(self) -> None:
        """A name that differs from a principal's in the tenant's name alone."""
        shapes: set[tuple[str, ...]] = set()
        for tenant in self._tenants.values():
            own = tokens(tenant.name)
            for arn in tenant.principals:
                shapes.update(_shapes(tokens(arn.rpartition("/")[2]), own))
        for identity in self._free:
            words = tokens(identity.name)
            if self._is_about_models(identity) and not set(words) & OF_PLATFORMS:
                for word in words:
                    if may_be_tenant(word) and shapes & set(_shapes(words, (word,))):
                        name = _as_written(identity.name, word)
                        self._assign(identity, name, f"the name of {_short(identity)}")
                        break

    def _assign_by_siblings(self) -> None:
        """Names that differ in one word alone, of identities that invoke endpoints."""
        shapes: dict[tuple[str, ...], dict[str, Identity]] = defaultdict(dict)
        free = [i for i in self._free if invokes(i) and self._key_of_sessions(i) is None]
        for identity in free:
            words = tokens(identity.name)
            for at, word in enumerate(words):
                of_kind = at > 0 and words[at - 1] in KINDS_OF_TENANT
                if may_be_tenant(f"{words[at - 1]}-{word}" if of_kind else word):
                    shapes[(*words[:at], "", *words[at + 1 :])][word] = identity
        taken: set[str] = set()
        for shape, fillers in sorted(shapes.items(), key=lambda item: -len(item[1])):
            others = {word: i for word, i in fillers.items() if i.arn not in taken}
            of_kind = any(word in KINDS_OF_TENANT for word in shape)
            if len(others) > 1 or (of_kind and others):
                for word, identity in others.items():
                    taken.add(identity.arn)
                    name = _as_written(identity.name, word)
                    self._assign(identity, name, f"the name of {_short(identity)}")

    def _assign_sessions(self) -> None:
        """A role whose policies rest on a tag that it has not: sessions of it carry the tag."""
        names = self._names()
        for identity in self._free:
            key = self._key_of_sessions(identity)
            if key is None:
                continue
            if len(names) > _MOST_SESSIONS:
                self._unassigned[identity.arn] = f"sessions of it carry the tag {key}"
                continue
            for name in names.values():
                tenant = self._tenants[folded(name)]
                why = f"a session of {_short(identity)} with the tag {key}={name}"
                tenant.sessions[_session(identity, name)] = (key, why)
                self._unassigned[identity.arn] = f"sessions of it carry the tag {key}, as above"

    def _key_of_sessions(self, identity: Identity) -> str | None:
        """The tag that a role's policies rest on and that it has not: its sessions carry it."""
        own = {name.lower() for name in identity.tags}
        if identity.kind is not IdentityKind.ROLE:
            return None
        rested_on = tags_rested_on(identity) - own
        return next((key for key in self._keys if key in rested_on), None)

    # -- artifacts ---------------------------------------------------------------------------

    def _locate(self) -> None:
        if self._prefixes:
            self._behind_which = [p for p in self._prefixes if not self._is_named_in(p)]
        self._locate_by_name()
        self._locate_dedicated()
        self._locate_by_elimination()
        common = self._common_prefixes()
        for tenant in self._tenants.values():
            if not tenant.roots:
                for prefix in common if self._served else self._behind_which:
                    root = self._behind(prefix, f"{tenant.name}/*")
                    self._add(tenant, root, "the prefix of the multi-model endpoint and its name")
            self._locate_on_all(tenant, common)

    def _is_named_in(self, prefix: S3Location) -> bool:
        """Whether a prefix is a tenant's own, by a folder's name or the bucket's."""
        folders = map(folded, prefix.key.split("/"))
        own = longest_held(prefix.bucket, self._names())
        return own is not None or any(name in self._tenants for name in folders)

    def _sightings(self) -> Iterator[tuple[Root, str]]:
        """Every place of artifacts that is named, with what names it."""
        for endpoint, root, _ in self._served:
            yield root, f"it is served by endpoint/{endpoint.name}"
        for identity in self._who:
            for root, how in self._roots_named(identity):
                yield root, f"{how} in the policy of {_short(identity)}"

    def _locate_by_name(self) -> None:
        """Folders, buckets and files of tenants' names."""
        flat: list[tuple[_Tenant, Root, str]] = []
        in_folders = False
        names = self._names()
        for root, how in self._sightings():
            at = next((n for n, f in enumerate(root.folders) if folded(f) in self._tenants), None)
            if at is not None:
                in_folders = True
                folders = root.folders[: at + 1]
                tenant = self._tenants[folded(folders[-1])]
                self._add(tenant, Root(root.bucket, folders, "", "/".join((*folders, "*"))), how)
                continue
            bucket = longest_held(root.bucket or "", names)
            if bucket is not None:
                self._add(self._tenants[folded(bucket)], Root(root.bucket, (), "", "*"), how)
            elif (name := longest_held(_stem(root), names)) is not None:
                flat.append((self._tenants[folded(name)], root, how))
        for tenant, root, how in () if in_folders else flat:
            self._add(tenant, root, how)

    def _names(self) -> dict[str, str]:
        """The tenants' names by their folded names."""
        return {key: tenant.name for key, tenant in self._tenants.items()}

    def _locate_dedicated(self) -> None:
        """What endpoints of a tenant's name or tag serve, where no folder says whose it is."""
        claims: list[tuple[_Tenant, Root, bool, str]] = []
        for endpoint, root, multi in self._served:
            if any(self._is_of(root, tenant) for tenant in self._tenants.values()):
                continue
            tag = self._tagged(endpoint.tags.items())
            name = longest_held(endpoint.name, self._names()) if tag is None else tag[1]
            tenant = self._tenants.get(folded(name or ""))
            if tenant is not None:
                how = f"it is served by endpoint/{endpoint.name}"
                claims.append((tenant, root, multi, how))
        for tenant, root, multi, how in claims:
            if not multi:
                self._add(tenant, root, how)
                continue
            whole = Root(root.bucket, root.folders, "", "/".join((*root.folders, "*")))
            of_others = [u for t in self._tenants.values() if t is not tenant for u in t.roots]
            of_others += [_url(r) for t, r, _, _ in claims if t is not tenant]
            if any(_overlap(_url(whole), url) for url in of_others):
                # Wider than the tenant's own: that may be the very leak that is looked for.
                folders = (*root.folders, tenant.name)
                own = Root(root.bucket, folders, "", "/".join((*folders, "*")))
                self._add(tenant, own, f"{how}, in whose prefix others' are, and its name")
            else:
                self._add(tenant, whole, how)

    @staticmethod
    def _is_of(root: Root, tenant: _Tenant) -> bool:
        url = _url(Root(root.bucket, root.folders, root.rest, "/".join((*root.folders, root.rest))))
        return any(url.startswith(_before_wildcard(own)) for own in tenant.roots)

    def _locate_by_elimination(self) -> None:
        """A tenant whose principals name one folder that is nobody else's owns it."""
        open_ones = {k: t for k, t in self._tenants.items() if not t.roots}
        named: dict[str, dict[str, tuple[Root, str]]] = {}
        for key, tenant in open_ones.items():
            found: dict[str, tuple[Root, str]] = {}
            for identity in self._who:
                if identity.arn in tenant.principals:
                    for root, how in self._roots_named(identity):
                        name = self._segment_in(root)
                        if name is not None and folded(name) not in self._tenants:
                            why = f"{how} in the policy of {_short(identity)}"
                            found.setdefault(folded(name), (_up_to(root, name), why))
            named[key] = found
        claimed = True
        while claimed:
            claimed = False
            counts = Counter(len(found) for found in named.values())
            for key, found in list(named.items()):
                if len(found) == 1 and counts:
                    ((segment, (root, why)),) = found.items()
                    rivals = [k for k, f in named.items() if k != key and set(f) == {segment}]
                    del named[key]
                    if not rivals:
                        self._add(open_ones[key], root, why)
                        for other in named.values():
                            other.pop(segment, None)
                    claimed = True
                    break

    def _common_prefixes(self) -> list[S3Location]:
        """The prefixes of multi-model endpoints that are no one tenant's."""
        return [
            prefix
            for prefix in self._prefixes
            if not any(
                prefix.url.startswith(_before_wildcard(url))
                for tenant in self._tenants.values()
                for url in tenant.roots
            )
        ]

    def _locate_on_all(self, tenant: _Tenant, common: list[S3Location]) -> None:
        """A tenant with a folder in one common prefix has one of that name in the others."""
        for url in list(tenant.roots):
            for prefix in common:
                if url.startswith(prefix.url):
                    rest = url.removeprefix(prefix.url)
                    for other in common:
                        why = "the prefix of another multi-model endpoint"
                        self._add(tenant, root_of(other.bucket, other.key + rest), why)
                    break

    @staticmethod
    def _add(tenant: _Tenant, root: Root, why: str) -> None:
        is_void = root.bucket is None and not _TARGET_MODEL.fullmatch(root.pattern)
        if root.pattern and not is_void:
            tenant.roots.setdefault(_url(root), why)

    # -- the result --------------------------------------------------------------------------

    def _finished(self) -> tuple[list[GuessedTenant], list[tuple[str, str]]]:
        tenants: list[GuessedTenant] = []
        incomplete: list[tuple[str, str]] = []
        owned: list[str] = []
        self._end_with_slashes()
        for tenant in sorted(self._tenants.values(), key=lambda t: (_is_victim_alone(t), t.name)):
            kept = _outermost(tenant.roots)
            patterns = [url for url in kept if not any(_overlap(url, other) for other in owned)]
            incomplete += [
                (tenant.name, f"{url} overlaps another tenant's artifacts")
                for url in kept
                if url not in patterns
            ]
            if not patterns:
                incomplete.append((tenant.name, "where its artifacts are is not known"))
            elif _is_victim_alone(tenant) and not patterns[0].startswith("s3://"):
                where = ", ".join(patterns)
                incomplete.append((tenant.name, f"no principal of it is known; {where} is its own"))
            else:
                owned += patterns
                tenants.append(_guessed(tenant, patterns))
        return sorted(tenants, key=lambda t: t.name), incomplete

    def _end_with_slashes(self) -> None:
        """``acme*``, where another tenant's begin alike, is ``acme/*``: the slip is no folder."""
        all_of = {tenant.name: _outermost(tenant.roots) for tenant in self._tenants.values()}
        for tenant in self._tenants.values():
            for url in all_of[tenant.name]:
                begins = url[:-1]
                if not url.endswith("*") or begins.endswith("/") or "*" in begins:
                    continue
                others = (o for name, urls in all_of.items() if name != tenant.name for o in urls)
                other = next((o for o in others if o.startswith(begins) and o != url), None)
                if other is not None:
                    why = tenant.roots.pop(url)
                    tenant.roots[f"{begins}/*"] = f"{why}, and that {other} is another tenant's"

    def _shared(self, tenants: list[GuessedTenant]) -> Iterator[str]:
        """What tenants may all read, by its name."""
        owned = [p for t in tenants for p in t.artifacts.patterns]
        found: set[str] = set()
        for identity in self._who:
            for root, _ in self._roots_named(identity):
                at = next(
                    (n for n, name in enumerate(root.folders) if name.lower() in SHARED), None
                )
                if at is not None:
                    folders = root.folders[: at + 1]
                    found.add(_url(Root(root.bucket, folders, "", "/".join((*folders, "*")))))
        yield from (url for url in found if not any(_overlap(url, other) for other in owned))

    def _left(self) -> Iterator[tuple[str, str]]:
        yield from self._unassigned.items()
        for identity in self._free:
            held = [t.name for t in self._tenants.values() if holds(identity.name, t.name)]
            named = sorted(
                {
                    name
                    for root, _ in self._roots_named(identity)
                    if (name := self._segment_in(root)) is not None
                }
            )
            if len(held) > 1:
                reason = f"its name holds those of {' and '.join(sorted(held))}"
            elif len(named) > 1:
                reason = f"its policies name artifacts of {', '.join(named)}"
            elif "*" in self._named[identity.arn]:
                reason = "its policies name every TargetModel"
            else:
                reason = "nothing says whose it is"
            yield identity.arn, reason


def _is_victim_alone(tenant: _Tenant) -> bool:
    """Whether nobody is known to act for a tenant; what is whose others may then say better."""
    return not tenant.principals and not tenant.sessions


def _guessed(tenant: _Tenant, patterns: list[str]) -> GuessedTenant:
    reasons = dict.fromkeys(tenant.roots[url] for url in patterns)
    return GuessedTenant(
        tenant.name,
        "; ".join(list(tenant.why or reasons)[:3]),
        GuessedArtifacts(tuple(patterns), "; ".join(list(reasons)[:3])),
        tuple(_principals(tenant)),
    )


def _principals(tenant: _Tenant) -> Iterator[GuessedPrincipal]:
    for arn, why in sorted(tenant.principals.items()):
        yield GuessedPrincipal(arn, why)
    for arn, (key, why) in sorted(tenant.sessions.items()):
        yield GuessedPrincipal(arn, why, ((key, tenant.name),))


def _session(role: Identity, name: str) -> str:
    """The ARN of a role's session named for a tenant."""
    partition = role.arn.split(":")[1]
    session = re.sub(r"[^\w+=,.@-]", "-", name, flags=re.ASCII)[:64].ljust(2, "-")
    return f"arn:{partition}:sts::{role.account}:assumed-role/{role.name}/{session}"


def _is_systems(key: str) -> bool:
    """Whether a tag is one that AWS sets, or that repeats a name."""
    return key.lower().startswith("aws:") or key.lower() == "name"


def _is_plain_key(key: str) -> bool:
    words = [word for word in tokens(key) if word not in {"id", "name", "key"}]
    return bool(words) and words[-1] in _PLAIN_KEYS


def _stem(root: Root) -> str:
    """What a file's name, or the beginning of one, may say: it without its suffix."""
    return root.rest.partition(".")[0].strip("-_")


def _up_to(root: Root, name: str) -> Root:
    """A root's folders up to one of a name; itself where its file has the name."""
    if name not in root.folders:
        return root
    folders = root.folders[: root.folders.index(name) + 1]
    return Root(root.bucket, folders, "", "/".join((*folders, "*")))


def _url(root: Root) -> str:
    return root.pattern if root.bucket is None else f"s3://{root.bucket}/{root.pattern}"


def _before_wildcard(url: str) -> str:
    return url.partition("*")[0].partition("?")[0]


def _outermost(urls: Iterable[str]) -> list[str]:
    """The patterns of one tenant that are in no other of them."""
    listed = sorted(dict.fromkeys(urls))
    wide = [url for url in listed if url.endswith("*") and "*" not in url[:-1] and "?" not in url]
    return [u for u in listed if not any(u != w and u.startswith(w[:-1]) for w in wide)]


def _overlap(one: str, other: str) -> bool:
    """Whether two patterns may have a text in common: where both say what they begin with."""
    first, second = _before_wildcard(one), _before_wildcard(other)
    if first == one and second == other:
        return one == other
    return first.startswith(second) or second.startswith(first)


def _assumes(identity: Identity) -> bool:
    return any(
        pattern.text.lower().startswith("sts:")
        for document in identity.policies
        for statement in document.statements
        for pattern in statement.action.patterns
    )


def _shapes(words: tuple[str, ...], name: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The words of a name with a tenant's left out, where something else is left."""
    for at in range(len(words) - len(name) + 1):
        if words[at : at + len(name)] == name and len(words) > len(name):
            yield (*words[:at], "", *words[at + len(name) :])


def _as_written(name: str, word: str) -> str:
    """A word of a name in the case in which the name has it."""
    at = name.lower().find(word)
    return name[at : at + len(word)].lower() if at < 0 else name[at : at + len(word)]


def _names_of(identity: Identity) -> Iterator[tuple[str, str]]:
    """The texts that may hold the name of an identity's tenant, the plainest first."""
    who = _short(identity)
    yield identity.name, f"the name of {who}"
    path = identity.arn.split("/", 1)[1].rpartition("/")[0]
    if path:
        yield path, f"the path of {who}"
    groups = [arn.rpartition("/")[2] for arn in identity.groups]
    if groups:
        yield "/".join(groups), f"the groups of {who}"


def _short(identity: Identity) -> str:
    return f"{identity.kind.value}/{identity.name}"
