"""What a manifest asks, read anew: the theorems that a certificate of it has to state.

The checker reads the manifest by itself. It expects one that ``tenantproof check`` has accepted
and says no more than that it is none where it is not.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
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
        about_all: the *isolated* and *cannot* about all tenants of a rule, for which there is no
            form of a theorem.
    """

    sha256: str
    files: tuple[str, ...]
    theorems: tuple[Theorem, ...]
    about_all: tuple[Claim, ...] = ()


def read_claims(manifest: Path) -> Asked:
    """Read what a manifest asks.

    Raises:
        InputError: it cannot be read, or is no manifest.
    """
    data = read_bytes(manifest)
    try:
        reader = _Reader(tomllib.loads(data.decode("utf-8")))
        theorems, about_all = tuple(reader.theorems()), tuple(reader.about_all())
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        message = f"found no manifest that check accepts ({str(error)[:100]})"
        raise InputError([Problem(message, Place(str(manifest), "manifest"))]) from None
    return Asked(sha256(data).hexdigest(), tuple(reader.files), theorems, about_all)


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
        self._endpoints = [_arn(endpoint) for endpoint in data["endpoints"]]
        self._owned: dict[str, tuple[str, ...]] = {}
        self._rules: list[dict[str, Any]] = data.get("rules", [])
        self._tenants: list[dict[str, Any]] = (
            data.get("tenants", []) if self._rules else data["tenants"]
        )
        self._trusted = {each["arn"] for each in data.get("trusted", [])}

    def theorems(self) -> Iterator[Theorem]:
        for tenant in self._tenants:
            for member in tenant["principals"]:
                if member["arn"] not in self._trusted:
                    for endpoint in self._endpoints:
                        yield self._isolated(tenant, member, endpoint)
        for assertion in self._data.get("cannot", []):
            for tenant in self._tenants:
                for member in tenant["principals"]:
                    if assertion["principal"] in (tenant["name"], member["arn"]):
                        for endpoint in self._chosen(assertion):
                            yield self._cannot(assertion, tenant, member, endpoint)

    def about_all(self) -> Iterator[Claim]:
        for rule in self._rules:
            for member in rule["principals"]:
                if member["arn"] not in self._trusted:
                    for endpoint in self._endpoints:
                        yield Claim(ISOLATED, rule["name"], member["arn"], endpoint)
        for assertion in self._data.get("cannot", []):
            for rule in self._rules:
                if assertion["principal"] == rule["name"]:
                    for member in rule["principals"]:
                        for endpoint in self._chosen(assertion):
                            name = _assertion_name(assertion)
                            yield Claim(CANNOT, rule["name"], member["arn"], endpoint, name)

    def _isolated(self, tenant: dict[str, Any], member: dict[str, Any], endpoint: str) -> Theorem:
        own = tuple(tenant["owns"]) if endpoint in self._chosen(tenant) else ()
        shared = tuple(self._data.get("shared", []))
        forbidden = Beyond(own, self._owned_on(endpoint), shared)
        claim = Claim(ISOLATED, tenant["name"], member["arn"], endpoint)
        return self._theorem(claim, member, INVOKE_ACTIONS, forbidden)

    def _owned_on(self, endpoint: str) -> tuple[str, ...]:
        if endpoint not in self._owned:
            here = [t for t in self._tenants if endpoint in self._chosen(t)]
            self._owned[endpoint] = tuple(pattern for t in here for pattern in t["owns"])
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
        name = _assertion_name(assertion)
        claim = Claim(CANNOT, tenant["name"], member["arn"], endpoint, name)
        forbidden = Within(None if models is None else (models,))
        return self._theorem(claim, member, actions, forbidden)

    def _theorem(
        self, claim: Claim, member: dict[str, Any], actions: tuple[str, ...], forbidden: Forbidden
    ) -> Theorem:
        context: dict[str, ContextValue] = {
            name: value if isinstance(value, str) else tuple(value)
            for name, value in member.get("context", {}).items()
        }
        principal = Principal(member["arn"], member.get("tags", {}), context)
        boundary = member.get("permissions_boundary")
        stack = Stack(
            tuple(
                tuple(map(self._file, level))
                for level in member.get("service_control_policies", [])
            ),
            self._file(boundary) if boundary else None,
            tuple(map(self._file, member["policies"])),
        )
        return Theorem(claim, principal, stack, actions, forbidden)

    def _file(self, name: str) -> int:
        return self.files.setdefault(name, len(self.files))

    def _chosen(self, table: dict[str, Any]) -> list[str]:
        """The endpoints that a table names, by name or ARN; all without it."""
        names = table.get("endpoints")
        return [e for e in self._endpoints if not names or {e, e.rpartition("/")[2]} & {*names}]


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
