"""Where the IAM reference hedges: the choices made, and their alternatives.

``docs/semantics.md`` quotes the reference on each. A PROVED never rests on a choice alone: the
prover asks again under the alternatives that a policy's text makes relevant, and says UNKNOWN,
naming the ambiguity, where the answer would differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from itertools import combinations
from typing import Protocol, Self, TypeVar


class Ambiguity(Enum):
    """A point on which the reference can be read in two ways; the value names it in reports."""

    UNRESOLVED_VARIABLE = "unresolved-variable"
    SEGMENT_WILDCARD = "segment-wildcard"
    EMPTY_IS_NULL = "empty-is-null"
    SHORT_ARN_PATTERN = "short-arn-pattern"
    FOR_ANY_IF_EXISTS = "for-any-if-exists"
    NOT_PRINCIPAL = "not-principal"
    EVERYONE_GRANT = "everyone-grant"
    RCP_SERVICE = "rcp-service"

    @property
    def question(self) -> str:
        """The open question, as a sentence for reports."""
        return _QUESTIONS[self]


_QUESTIONS = {
    Ambiguity.UNRESOLVED_VARIABLE: (
        "whether a policy variable without a value voids its whole statement or only the text"
        " that it stands in"
    ),
    Ambiguity.SEGMENT_WILDCARD: (
        "whether a * at the end of an ARN segment in Resource matches beyond the next colon"
    ),
    Ambiguity.EMPTY_IS_NULL: "whether a key with an empty value or no values counts as absent",
    Ambiguity.FOR_ANY_IF_EXISTS: "whether ForAnyValue:...IfExists holds for an absent key",
    Ambiguity.NOT_PRINCIPAL: (
        "whether NotPrincipal leaves out a principal whose account (and role) it does not list too"
    ),
    Ambiguity.EVERYONE_GRANT: (
        "whether what a resource's policy allows to everyone is limited by the permissions boundary"
        " and the session policy of a caller of its account"
    ),
    Ambiguity.RCP_SERVICE: (
        "whether resource control policies apply to a service that AWS does not list for them"
    ),
    Ambiguity.SHORT_ARN_PATTERN: (
        "whether an ARN condition value with fewer than six segments is completed with wildcards"
    ),
}


@dataclass(frozen=True)
class Reading:
    """One way to read the reference; the default is the one that docs/semantics.md argues for.

    A field that is true takes the alternative:

    - ``unresolved_spoils_value``: a variable without a value makes only its own text match
      nothing, instead of voiding the statement.
    - ``segment_star_crosses``: a ``*`` that ends one of the first five segments of a Resource
      may match colons.
    - ``empty_is_null``: a key with no values, or none but empty ones, counts as absent.
    - ``short_arn_completed``: an ARN condition value with fewer than six segments is completed
      with ``*``, as a Resource is, instead of matching nothing.
    - ``for_any_if_exists_fails``: ``ForAnyValue:...IfExists`` is false for an absent key.
    - ``not_principal_by_level``: ``NotPrincipal`` leaves out a principal only where it lists its
      account, of a role session the role, and the principal itself.
    - ``everyone_as_itself``: what a resource's policy allows to everyone in its account is limited
      by boundary and session policy no more than what it allows to the caller by name.
    - ``rcp_listed_services``: resource control policies apply to no service but those listed.
    """

    unresolved_spoils_value: bool = False
    segment_star_crosses: bool = False
    empty_is_null: bool = False
    short_arn_completed: bool = False
    for_any_if_exists_fails: bool = False
    not_principal_by_level: bool = False
    everyone_as_itself: bool = False
    rcp_listed_services: bool = False

    def alternatives(self, relevant: Iterable[Ambiguity]) -> Iterator[tuple[Ambiguity, ...]]:
        """Every non-empty set of the relevant ambiguities, small sets first."""
        listed = sorted(set(relevant), key=lambda ambiguity: ambiguity.value)
        for size in range(1, len(listed) + 1):
            yield from combinations(listed, size)

    def differs(self, other: Reading) -> frozenset[Ambiguity]:
        """The points on which another reading makes the other choice."""
        return frozenset(
            each for each, name in _FIELDS.items() if getattr(self, name) != getattr(other, name)
        )

    def flipped(self, ambiguities: Iterable[Ambiguity]) -> Reading:
        """This reading with the other choice on each of ``ambiguities``."""
        changes = {_FIELDS[a]: not getattr(self, _FIELDS[a]) for a in ambiguities}
        return replace(self, **changes)


_FIELDS = {
    Ambiguity.UNRESOLVED_VARIABLE: "unresolved_spoils_value",
    Ambiguity.SEGMENT_WILDCARD: "segment_star_crosses",
    Ambiguity.EMPTY_IS_NULL: "empty_is_null",
    Ambiguity.SHORT_ARN_PATTERN: "short_arn_completed",
    Ambiguity.FOR_ANY_IF_EXISTS: "for_any_if_exists_fails",
    Ambiguity.NOT_PRINCIPAL: "not_principal_by_level",
    Ambiguity.EVERYONE_GRANT: "everyone_as_itself",
    Ambiguity.RCP_SERVICE: "rcp_listed_services",
}

DOCUMENTED = Reading()
"""The reading that docs/semantics.md argues for."""


class Rereadable(Protocol):
    """What can be asked under another reading, and knows which ambiguities it meets."""

    @property
    def reading(self) -> Reading:
        """The reading that it is asked under."""
        ...

    @property
    def ambiguities(self) -> frozenset[Ambiguity]:
        """The hedges of the reference that the policies' text touches."""
        ...

    def under(self, reading: Reading) -> Self:
        """The same under another reading."""
        ...


R = TypeVar("R", bound=Rereadable)


def under_other_readings(inquiries: Sequence[R]) -> Iterator[tuple[tuple[Ambiguity, ...], list[R]]]:
    """Inquiries of one reading under every other reading that can matter to them.

    What matters may show only under another reading (a statement that one reading voids is looked
    at under the other), so that each is asked what it meets, until nothing new is met.
    """
    reading = inquiries[0].reading
    met = {ambiguity for inquiry in inquiries for ambiguity in inquiry.ambiguities}
    asked: set[tuple[Ambiguity, ...]] = set()
    while todo := [flipped for flipped in reading.alternatives(met) if flipped not in asked]:
        asked.add(todo[0])
        others = [inquiry.under(reading.flipped(todo[0])) for inquiry in inquiries]
        met.update(ambiguity for other in others for ambiguity in other.ambiguities)
        yield todo[0], others
