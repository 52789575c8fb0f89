"""Whose artifact an S3 object is, and whose a TargetModel names on an endpoint."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import islice, takewhile

from tenantproof.account import Container, Part, parse_s3
from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation.manifest import Manifest, Tenant
from tenantproof.policy import Unknown
from tenantproof.prove import Budget, Language, Some, Term, conj, language, neg, shortest_member
from tenantproof.prove.automata import Beginnings, Within
from tenantproof.prove.languages import Pattern

_NEIGHBOURS = 4
"""How many other tenants' artifacts a proof is attacked with."""

Keys = dict[str, tuple[str, ...]]
"""Patterns of object keys, by bucket."""


def prefix_of(url: str) -> str:
    """What the keys of a multi-model container begin with: a slash ends it, written or not."""
    return url if url.endswith("/") else f"{url}/"


@dataclass(frozen=True)
class Wall:
    """The objects of one bucket, as one tenant is to see them.

    Attributes:
        bucket: the bucket.
        owned: the keys of all tenants' artifacts.
        own: those of the tenant.
    """

    bucket: str
    owned: Language
    own: Language

    def beyond_behind(self, subject: str, prefix: str) -> Term:
        """A subject's value, behind a prefix, is the key of another tenant's artifact."""
        owned, own = (_near(keys, (prefix,)) for keys in (self.owned, self.own))
        return conj((Some(subject, Within(owned, prefix)), neg(Some(subject, Within(own, prefix)))))

    def beyond_at(self, subject: str, prefix: str, begins: frozenset[str]) -> Term:
        """A subject's value is a prefix and the key of another tenant's artifact.

        Args:
            subject: the subject.
            prefix: the prefix.
            begins: texts of which one is known to begin the key, as far as it goes.
        """
        owned = with_prefix(_near(self.owned, begins), prefix)
        return conj((Some(subject, owned), neg(Some(subject, with_prefix(self.own, prefix)))))

    def is_beyond(self, key: str) -> bool:
        """Whether a key is that of another tenant's artifact."""
        return self.owned.accepts(key) and not self.own.accepts(key)


@lru_cache(maxsize=4096)
def with_prefix(keys: Language, prefix: str) -> Language:
    """The texts of a language, each behind a prefix."""
    return Language(
        replace(
            pattern,
            steps=prefix + pattern.steps
            if isinstance(pattern.steps, str)
            else (*prefix, *pattern.steps),
            loops=tuple((position + len(prefix), wild) for position, wild in pattern.loops),
        )
        for pattern in keys.patterns
    )


@lru_cache(maxsize=16_384)
def _language_of(patterns: tuple[str, ...]) -> Language:
    return language(*patterns)


@lru_cache(maxsize=4096)
def _near(keys: Language, begins: Iterable[str]) -> Language:
    """The patterns of which some text can begin as one of some texts does."""
    texts = tuple(begins)
    return Language(
        pattern
        for pattern in keys.patterns
        if any(agree(_beginning(pattern), text) for text in texts)
    )


def _beginning(pattern: Pattern) -> str:
    """The characters that every text of a pattern begins with."""
    first_loop = min((at for at, _ in pattern.loops), default=len(pattern.steps))
    plain = takewhile(lambda step: isinstance(step, str), pattern.steps[:first_loop])
    return "".join(map(str, plain))


def agree(one: str, other: str) -> bool:
    """Whether some text can begin with both."""
    return one.startswith(other) or other.startswith(one)


def _by_bucket(urls: Iterable[str]) -> Keys:
    found: dict[str, dict[str, None]] = {}
    for url in urls:
        location = parse_s3(url)
        if location is not None:
            found.setdefault(location.bucket, {})[location.key] = None
    return {bucket: tuple(patterns) for bucket, patterns in found.items()}


class Artifacts:
    """The artifacts of a manifest's tenants: as it lists them, and as its endpoints hold them.

    Args:
        manifest: whose tenants.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._of = {
            tenant.name: _by_bucket((*tenant.artifacts, *self._served(tenant)))
            for tenant in manifest.tenants
        }
        self._walls: dict[tuple[str, str], Wall] = {}
        self._listed: dict[tuple[str, ...], Beginnings] = {}

    def _served(self, tenant: Tenant) -> Iterator[str]:
        """Where the models are that a tenant owns as TargetModels."""
        arns = {endpoint.arn for endpoint in tenant.endpoints}
        for endpoint in self._manifest.estate.endpoints:
            for model in endpoint.models if tenant.owns and endpoint.arn in arns else ():
                for container in model.containers:
                    if container.multi_model and container.model_data is not None:
                        yield from (prefix_of(container.model_data) + p for p in tenant.owns)

    @property
    def are_known(self) -> bool:
        """Whether it is known of any tenant where its artifacts are."""
        return any(self._of.values())

    @cached_property
    def hidden(self) -> Unknown | None:
        """Why it is not known where some of the artifacts are that tenants own as TargetModels.

        Their endpoint serves something that could not be read, or could not be read itself.
        """
        unread = self._manifest.estate.unread_of(Part.ENDPOINTS)
        if unread is not None and any(tenant.owns for tenant in self._manifest.tenants):
            return unread
        own = {e.arn for tenant in self._manifest.tenants if tenant.owns for e in tenant.endpoints}
        served = (e for e in self._manifest.estate.endpoints if e.arn in own)
        containers = (c for e in served for model in e.models for c in model.containers)
        return next((c.unknown for c in containers if c.unknown is not None), None)

    @cached_property
    def buckets(self) -> tuple[str, ...]:
        """The buckets that hold artifacts."""
        return tuple(dict.fromkeys(bucket for keys in self._of.values() for bucket in keys))

    @cached_property
    def _owned(self) -> dict[str, Language]:
        patterns: dict[str, list[str]] = {bucket: [] for bucket in self.buckets}
        for keys in self._of.values():
            for bucket, listed in keys.items():
                patterns[bucket] += listed
        return {bucket: language(*listed) for bucket, listed in patterns.items()}

    def keys_of(self, name: str, bucket: str) -> tuple[str, ...]:
        """The patterns of a tenant's keys in a bucket."""
        return self._of[name].get(bucket, ())

    def wall(self, tenant: Tenant, bucket: str) -> Wall | None:
        """How a tenant is to see a bucket; None where nobody else has artifacts in it."""
        others = (name for name, keys in self._of.items() if bucket in keys)
        if all(name == tenant.name for name in others):
            return None
        key = (tenant.name, bucket)
        if key not in self._walls:
            own = language(*self._of.get(tenant.name, {}).get(bucket, ()))
            self._walls[key] = Wall(bucket, self._owned[bucket], own)
        return self._walls[key]

    def walls(self, tenant: Tenant) -> Iterator[Wall]:
        """The buckets in which others have artifacts."""
        for bucket in self.buckets:
            wall = self.wall(tenant, bucket)
            if wall is not None:
                yield wall

    def listed_by(self, tenant: Tenant, bucket: str, reached: Iterable[str]) -> Beginnings | None:
        """The prefixes by which a key of another tenant's artifact is listed.

        Args:
            tenant: the tenant.
            bucket: the bucket.
            reached: other tenants of whom that is known already.

        Returns:
            The prefixes; None where no tenant is left.
        """
        left = [name for name in self._of if name != tenant.name and name not in set(reached)]
        patterns = tuple(pattern for name in left for pattern in self._of[name].get(bucket, ()))
        if patterns not in self._listed:
            self._listed[patterns] = Beginnings(language(*patterns))
        return self._listed[patterns] if patterns else None

    def owners(self, bucket: str, key: str, *, but: Tenant) -> tuple[str, ...]:
        """The other tenants whose artifact an object is."""
        return tuple(
            name
            for name, keys in self._of.items()
            if name != but.name and self._accepts(keys.get(bucket, ()), key)
        )

    def owners_of_listed(self, bucket: str, prefix: str, *, but: Tenant) -> tuple[str, ...]:
        """The other tenants of whose artifacts a prefix lists some."""
        return tuple(
            name
            for name, keys in self._of.items()
            if name != but.name
            and bucket in keys
            and Beginnings(_language_of(keys[bucket])).accepts(prefix)
        )

    @staticmethod
    def _accepts(patterns: tuple[str, ...], key: str) -> bool:
        return bool(patterns) and _language_of(patterns).accepts(key)

    def alike(self, tenant: Tenant, bucket: str, key: str) -> Iterator[tuple[str, str]]:
        """Objects of other tenants that are to them what an object is to the tenant it is of.

        Of ``globex/x/acme/y``, say, and the pattern ``initech/*``: ``initech/x/acme/y``.

        Args:
            tenant: who reaches the object.
            bucket: its bucket.
            key: its key.

        Yields:
            The names of tenants, each with a key in the bucket.
        """
        ends = {
            key[len(begin) :]
            for name, keys in self._of.items()
            for pattern in keys.get(bucket, ())
            if name != tenant.name and key.startswith(begin := _literal(pattern))
        }
        for name, keys in self._of.items():
            for pattern in keys.get(bucket, ()) if name != tenant.name else ():
                for end in {*ends, "model.tar.gz"}:
                    yield name, _filled(pattern, end)

    def samples(self, tenant: Tenant) -> Iterator[tuple[str, str, str]]:
        """Objects of some other tenants: the tenant's name, the bucket and the key."""
        others = islice((name for name in self._of if name != tenant.name), _NEIGHBOURS)
        for name in others:
            for bucket, patterns in self._of[name].items():
                yield (
                    name,
                    bucket,
                    _filled(patterns[0], "model.tar.gz"),
                )

    def serves_others(self, tenant: Tenant, container: Container) -> tuple[str, str] | None:
        """The artifact of a single-model container, where it is another tenant's.

        Returns:
            Its bucket and key. Of a container whose model is everything under a prefix, a key under
            it that is another tenant's.
        """
        location = parse_s3(container.model_data or "")
        wall = None if location is None else self.wall(tenant, location.bucket)
        if location is None or wall is None:
            return None
        if not container.is_prefix:
            return (location.bucket, location.key) if wall.is_beyond(location.key) else None
        under = language("*")
        key = shortest_member(
            [Within(wall.owned, location.key), under], [Within(wall.own, location.key)]
        )
        return None if key is None else (location.bucket, location.key + key)

    def check(self, timeout: float | None) -> None:
        """Two tenants must not own the same artifact: of which is the other kept apart?

        Raises:
            InputError: two do.
        """
        problems = [
            Problem(
                f'found that {one} and {other} both own "s3://{bucket}/{key}", expected each'
                " artifact to have one owner",
                Place(self._manifest.file, "tenants"),
            )
            for bucket in self.buckets
            for one, other, key in self._overlaps(bucket, timeout)
        ]
        if problems:
            raise InputError(problems)

    def _overlaps(self, bucket: str, timeout: float | None) -> Iterator[tuple[str, str, str]]:
        """Pairs of tenants with an artifact that both own; see :meth:`Run._overlaps`."""
        owned = sorted(
            (_literal(pattern), pattern, name)
            for name, keys in self._of.items()
            for pattern in keys.get(bucket, ())
        )
        open_prefixes: list[tuple[str, str, str]] = []
        for prefix, pattern, name in owned:
            open_prefixes = [o for o in open_prefixes if prefix.startswith(o[0])]
            for _, other_pattern, other in open_prefixes:
                if other != name:
                    both = [language(other_pattern), language(pattern)]
                    key = shortest_member(both, [], budget=Budget.of(timeout))
                    if key is not None:
                        yield other, name, key
            open_prefixes.append((prefix, pattern, name))


def _filled(pattern: str, end: str) -> str:
    """A text that a pattern matches, with an end for its first ``*``."""
    return pattern.replace("*", end, 1).replace("*", "x").replace("?", "x")


def _literal(pattern: str) -> str:
    return pattern.partition("*")[0].partition("?")[0]
