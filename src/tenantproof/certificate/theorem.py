"""What a certificate proves: no forbidden request is allowed, however the reference is read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tenantproof.policy import PolicyDocument, PolicySet
from tenantproof.request import Principal

Patterns = tuple[str, ...]
"""Texts in which ``*`` is any characters and ``?`` any one."""

ISOLATED = "isolated"
CANNOT = "cannot"


@dataclass(frozen=True)
class Claim:
    """Which question of the manifest a theorem answers; ``assertion`` names a ``cannot``."""

    question: str
    tenant: str
    principal: str
    endpoint: str
    assertion: str | None = None

    def __str__(self) -> str:
        about = self.assertion if self.question == CANNOT else self.tenant
        return f"{self.question}: {about} ({self.principal} on {self.endpoint.rpartition('/')[2]})"


@dataclass(frozen=True)
class Beyond:
    """Forbidden by *isolated*: no TargetModel, or one beyond what the tenant owns or all share.

    A model that is ``owned`` by someone on the endpoint is not shared. A request is forbidden if
    it has no TargetModel, or one outside ``own`` and (inside ``owned`` or outside ``shared``).
    """

    own: Patterns
    owned: Patterns
    shared: Patterns


@dataclass(frozen=True)
class Within:
    """Forbidden by *cannot*: a TargetModel inside the patterns; for None every request."""

    models: Patterns | None


Forbidden = Beyond | Within


@dataclass(frozen=True)
class Stack:
    """The policies that apply, as positions in a list of documents, layer by layer."""

    service_control_policies: tuple[tuple[int, ...], ...]
    permissions_boundary: int | None
    session_policies: tuple[int, ...]
    identity_policies: tuple[int, ...]

    def layers(self) -> Iterator[tuple[int, ...]]:
        """The documents of each layer, in the order of :meth:`PolicySet.layers`."""
        yield from self.service_control_policies
        if self.permissions_boundary is not None:
            yield (self.permissions_boundary,)
        if self.session_policies:
            yield self.session_policies
        yield self.identity_policies

    def of(self, documents: tuple[PolicyDocument, ...]) -> PolicySet:
        """The policies themselves."""
        boundary = self.permissions_boundary
        return PolicySet(
            tuple(documents[i] for i in self.identity_policies),
            None if boundary is None else documents[boundary],
            tuple(tuple(documents[i] for i in level) for level in self.service_control_policies),
            tuple(documents[i] for i in self.session_policies),
        )


@dataclass(frozen=True)
class Theorem:
    """No request of the principal on the endpoint that is forbidden is allowed.

    Attributes:
        claim: the question of the manifest that it answers.
        principal: who makes the requests.
        stack: the policies that apply to the principal.
        actions: the actions of the requests, one each.
        forbidden: which of the requests must not be allowed.
    """

    claim: Claim
    principal: Principal
    stack: Stack
    actions: tuple[str, ...]
    forbidden: Forbidden
