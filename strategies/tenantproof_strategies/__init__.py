"""Hypothesis strategies for IAM policies and requests on multi-model endpoints.

Everything drawn is valid: a policy is one that the strict reader accepts, a TargetModel one that
the API accepts. What is drawn near policies lies at the boundary of their patterns.

Names are imported when they are first used: Hypothesis imports this package whenever it is
imported itself, to register :mod:`tenantproof_strategies.registration`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tenantproof_strategies.attacks import invocations
    from tenantproof_strategies.callers import principals
    from tenantproof_strategies.calls import requests
    from tenantproof_strategies.grammar import (
        FAMILIES,
        accesses,
        documents,
        policies,
        policy,
        policy_sets,
    )
    from tenantproof_strategies.leaks import LeakySet, Slip, SlipKind, leaky_policy_sets
    from tenantproof_strategies.names import tenant_names
    from tenantproof_strategies.paths import path_class, target_models

__all__ = [
    "FAMILIES",
    "LeakySet",
    "Slip",
    "SlipKind",
    "accesses",
    "documents",
    "invocations",
    "leaky_policy_sets",
    "path_class",
    "policies",
    "policy",
    "policy_sets",
    "principals",
    "requests",
    "target_models",
    "tenant_names",
]

_MODULES = {
    "leaks": ("LeakySet", "Slip", "SlipKind", "leaky_policy_sets"),
    "names": ("tenant_names",),
    "paths": ("path_class", "target_models"),
    "grammar": ("FAMILIES", "accesses", "documents", "policies", "policy", "policy_sets"),
    "callers": ("principals",),
    "attacks": ("invocations",),
    "calls": ("requests",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
