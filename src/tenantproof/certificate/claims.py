"""What a manifest asks, read anew: the theorems that a certificate of it has to state.

The checker reads the manifest by itself. It expects one that ``tenantproof check`` has accepted
and says no more than that it is none where it is not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path
from typing import Any

from tenantproof.certificate.keys import INVOKE_ACTIONS, TARGET_ACTIONS
from tenantproof.certificate.theorem import (
    CANNOT,
    ISOLATED,
    Beyond,
    Claim,
    Forbidden,
    Stack,
    Theorem,
    Within,
)
from tenantproof.errors import InputError, Place, Problem
from tenantproof.request import ContextValue, Principal

MOST_BYTES = 64 * 1024 * 1024
"""A manifest or a policy larger than this is refused."""


@dataclass(frozen=True)
class Asked:
    """The questions of a manifest.

    Attributes:
        sha256: the digest of the manifest's bytes.
        files: the policy files that the theorems are about, as the manifest names them; theorems
            refer to them by position.
        theorems: what each *isolated* and *cannot* states, in the manifest's order.
        without_form: the *isolated* and *cannot* for which there is no form of a theorem, and why.
    """

    sha256: str
    files: tuple[str, ...]
    theorems: tuple[Theorem, ...]
    without_form: Mapping[Claim, str] = field(default_factory=dict)


def read_claims(manifest: Path) -> Asked:
    """Read what a manifest asks.

    Raises:
        InputError: it cannot be read, or is no manifest.
    """
    data = read_bytes(manifest)
    try:
        reader = _Reader(tomllib.loads(data.decode("utf-8")))
        theorems, without_form = tuple(reader.theorems()), dict(reader.without_form())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        message = f"found no manifest that check accepts ({str(error)[:100]})"
        raise InputError([Problem(message, Place(str(manifest), "manifest"))]) from None
    return Asked(sha256(data).hexdigest(), tuple(reader.files), theorems, without_form)


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file of bounded size.

    Raises:
        InputError: there is none.
    """
    reason: object = f"it is no regular file of at most {MOST_BYTES >> 20} MiB"
    try:
        # A pipe or a device might never end.
        if not path.exists() or (path.is_file() and path.stat().st_size <= MOST_BYTES):
            return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
    raise InputError([Problem(f"found no readable file ({reason})", Place(str(path), "$"))])


class _Reader:
    def __init__(self, data: dict[str, Any]) -> None:
        self._data = data
        self.files: dict[str, int] = {}
        self._endpoints = [_arn(endpoint) for endpoint in data.get("endpoints", [])]
        self._owned: dict[str, tuple[str, ...]] = {}
        self._rules: list[dict[str, Any]] = data.get("rules", [])
        self._tenants: list[dict[str, Any]] = (
            data.get("tenants", []) if self._rules else data["tenants"]
        )
        self._trusted = {each["arn"] for each in data.get("trusted", [])}

    def theorems(self) -> Iterator[Theorem]:
        for assertion, tenant, member, endpoint in self._questions(self._tenants):
            if _no_form(member, endpoint) is None:
                if assertion is None:
                    yield self._isolated(tenant, member, endpoint)
                else:
                    yield self._cannot(assertion, tenant, member, endpoint)

    def without_form(self) -> Iterator[tuple[Claim, str]]:
        """The questions whose answers are not written down, each with the reason."""
        for groups in (self._tenants, self._rules):
            for assertion, group, member, endpoint in self._questions(groups):
                reason = ABOUT_ALL if groups is self._rules else _no_form(member, endpoint)
                if reason is not None:
                    yield _claim(assertion, group, member, endpoint), reason

    def _questions(self, groups: list[dict[str, Any]]) -> Iterator[_Question]:
        """Of tenants by list or by rule the *isolated*, then the *cannot*.

        Of a tenant that owns no TargetModels, but artifacts alone, *isolated* is not asked.
        """
        for group in (group for group in groups if group.get("owns")):
            for member in self._members(group):
                if member["arn"] not in self._trusted:
                    for endpoint in self._endpoints:
                        yield None, group, member, endpoint
        for assertion in self._data.get("cannot", []):
            for group in groups:
                for member in self._members(group):
                    by_arn = groups is self._tenants and assertion["principal"] == member["arn"]
                    if assertion["principal"] == group["name"] or by_arn:
                        for endpoint in self._chosen(assertion):
                            yield assertion, group, member, endpoint

    def _members(self, group: dict[str, Any]) -> list[dict[str, Any]]:
        """The principals of a tenant, and the sessions that are assumed for it."""
        name = group["name"] if group in self._tenants else _PLACEHOLDER
        sessions = ({"arn": _session(each, name)} for each in self._data.get("vendors", []))
        return [*group.get("principals", []), *sessions]

    def _isolated(self, tenant: dict[str, Any], member: dict[str, Any], endpoint: str) -> Theorem:
        own = tuple(tenant["owns"]) if endpoint in self._chosen(tenant) else ()
        shared = tuple(self._data.get("shared", []))
        forbidden = Beyond(own, self._owned_on(endpoint), shared)
        claim = _claim(None, tenant, member, endpoint)
        return self._theorem(claim, member, INVOKE_ACTIONS, forbidden)

    def _owned_on(self, endpoint: str) -> tuple[str, ...]:
        if endpoint not in self._owned:
            here = [t for t in self._tenants if endpoint in self._chosen(t)]
            self._owned[endpoint] = tuple(pattern for t in here for pattern in t.get("owns", []))
        return self._owned[endpoint]

    def _cannot(
        self,
        assertion: dict[str, Any],
        tenant: dict[str, Any],
        member: dict[str, Any],
        endpoint: str,
    ) -> Theorem:
        models = assertion.get("target_model") or None
        action = assertion.get("action", TARGET_ACTIONS[0])
        known = INVOKE_ACTIONS if models is None else TARGET_ACTIONS
        actions = tuple(a for a in known if fnmatchcase(a.lower(), action.lower()))
        claim = _claim(assertion, tenant, member, endpoint)
        forbidden = Within(None if models is None else (models,))
        return self._theorem(claim, member, actions, forbidden)

    def _theorem(
        self, claim: Claim, member: dict[str, Any], actions: tuple[str, ...], forbidden: Forbidden
    ) -> Theorem:
        context: dict[str, ContextValue] = {
            name: value if isinstance(value, str) else tuple(value)
            for name, value in member.get("context", {}).items()
        }
        own = member.get("session_tags", {})
        names = {name.lower() for name in own}
        tags = {k: v for k, v in member.get("tags", {}).items() if k.lower() not in names}
        principal = Principal(member["arn"], {**tags, **own}, context)
        boundary = member.get("permissions_boundary")
        session = member.get("session_policy", [])
        stack = Stack(
            tuple(tuple(map(self._file, level)) for level in self._levels(member)),
            self._file(boundary) if boundary else None,
            tuple(map(self._file, [session] if isinstance(session, str) else session)),
            tuple(map(self._file, member["policies"])),
        )
        return Theorem(claim, principal, stack, actions, forbidden)

    def _levels(self, member: dict[str, Any]) -> list[list[str]]:
        """The service control policies: the principal's own, else those of its account."""
        own: list[list[str]] | None = member.get("service_control_policies")
        if own is not None:
            return own
        accounts = {each["id"]: each for each in self._data.get("accounts", [])}
        account: dict[str, Any] = accounts.get(_account(member["arn"]), {})
        levels: list[list[str]] = account.get("service_control_policies", [])
        return levels

    def _file(self, name: str) -> int:
        return self.files.setdefault(name, len(self.files))

    def _chosen(self, table: dict[str, Any]) -> list[str]:
        """The endpoints that a table names, by name or ARN; all without it."""
        names = table.get("endpoints")
        return [e for e in self._endpoints if not names or {e, e.rpartition("/")[2]} & {*names}]


_Question = tuple[dict[str, Any] | None, dict[str, Any], dict[str, Any], str]
"""An assertion (None: *isolated*), the tenant or rule, its principal, and an endpoint."""

_PLACEHOLDER = "{tenant}"

_ACCOUNT_ID = re.compile("[0-9]{12}")

ABOUT_ALL = "proofs about all tenants of a rule are not written down"


def _claim(
    assertion: dict[str, Any] | None, group: dict[str, Any], member: dict[str, Any], endpoint: str
) -> Claim:
    if assertion is None:
        return Claim(ISOLATED, group["name"], member["arn"], endpoint)
    return Claim(CANNOT, group["name"], member["arn"], endpoint, _assertion_name(assertion))


def _no_form(member: dict[str, Any], endpoint: str) -> str | None:
    """Why there is no form for what is proved of a principal at an endpoint; None where there is.

    A theorem says that the policies of the principal alone do not allow a request. What resource
    control policies deny on top of that it does not need.
    """
    if "policies" not in member:
        return "its policies stand in no file: they are rendered for the tenant, or of a source"
    accounts = {_account(member["arn"]), _account(endpoint)}
    if len(accounts) > 1 and all(map(_ACCOUNT_ID.fullmatch, accounts)):
        return "the endpoint is of another account, which no policy of the principal says"
    if "/aws-service-role/" in str(member) or ":assumed-role/AWSServiceRoleFor" in member["arn"]:
        return "an organization's policies do not limit service-linked roles"
    return None


def _account(arn: str) -> str:
    return arn.split(":")[4]


def _session(vendor: dict[str, Any], name: str) -> str:
    """The ARN of the session in which a vendor's role is assumed for a tenant."""
    role: str = vendor["role"]
    session = vendor.get("session_name", _PLACEHOLDER).replace(_PLACEHOLDER, name)
    partition, account = role.split(":")[1], _account(role)
    return f"arn:{partition}:sts::{account}:assumed-role/{role.rpartition('/')[2]}/{session}"


def _assertion_name(assertion: dict[str, Any]) -> str:
    action = assertion.get("action", TARGET_ACTIONS[0])
    shown = assertion.get("target_model") or "any TargetModel"
    return str(assertion.get("name", f"{assertion['principal']} cannot {action} on {shown}"))


def _arn(endpoint: dict[str, Any]) -> str:
    if "arn" in endpoint:
        return str(endpoint["arn"])
    partition = endpoint.get("partition", "aws")
    place = f"{endpoint['region']}:{endpoint['account']}"
    return f"arn:{partition}:sagemaker:{place}:endpoint/{endpoint['name']}"
