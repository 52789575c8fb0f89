"""Values of subjects that depend on each other."""

from __future__ import annotations

from collections.abc import Mapping

from tenantproof.errors import BoundedError
from tenantproof.prove.formula import Matches, Some
from tenantproof.prove.search import Budget, Domain


def related_values(
    domains: Mapping[str, Domain],
    some: Mapping[Some, bool],
    related: Mapping[Matches, bool],
    budget: Budget,
) -> dict[str, str] | None:
    """Values for subjects that fulfil literals, if any."""
    raise BoundedError("not yet")
