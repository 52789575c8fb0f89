"""Condition keys whose value follows from another subject's.

Where who calls is free, ``aws:PrincipalAccount`` is not free beside ``aws:PrincipalArn``: it is a
part of it. So that no request contradicts itself, an atom on such a key is *lifted*: that the
account is in a language is that the ARN has a text of it as its fifth field.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tenantproof.policy.syntax import Family
from tenantproof.prove.automata import AUTOMATA, Joined, Placed
from tenantproof.prove.formula import (
    Matches,
    Piece,
    Put,
    Some,
    Term,
    TextSet,
    conj,
    disj,
    implies,
    pattern_of,
)
from tenantproof.prove.languages import Language, literal
from tenantproof.prove.typed import Quantities


@dataclass(frozen=True)
class Part:
    """The value is a part of another subject's value.

    Attributes:
        subject: the other subject.
        before: what can stand before the part, as pieces; any of some.
        after: what stands after it.
        excluded: characters that the part does not have.
    """

    subject: str
    before: tuple[tuple[Piece, ...], ...] = ((),)
    after: tuple[Piece, ...] = ()
    excluded: str = ""

    @cached_property
    def _around(self) -> tuple[Language, Language]:
        before = Language([pattern_of(pieces, {}) for pieces in self.before])
        return before, Language([pattern_of(self.after, {})])

    def lifted(self, values: TextSet) -> Some | None:
        """That the part is in a set of texts, as said of the other subject."""
        if not isinstance(values, AUTOMATA):
            return None
        before, after = self._around
        return Some(self.subject, Placed(values, before, after, self.excluded))

    def tie(self, key: str) -> Term:
        """That the key's value is the part."""
        return disj(Matches(self.subject, (*b, Put(key), *self.after)) for b in self.before)


@dataclass(frozen=True)
class Constant:
    """The value is a text."""

    text: str

    def lifted(self, values: TextSet) -> bool:
        """Whether the text is in a set."""
        return values.accepts(self.text)

    def tie(self, key: str) -> Term:
        """That the key's value is the text."""
        return Some(key, Language([literal(self.text)]))


@dataclass(frozen=True)
class Own:
    """The value is free: it follows from nothing."""

    subject: str

    def lifted(self, values: TextSet) -> Some:
        """The same atom."""
        return Some(self.subject, values)

    def tie(self, key: str) -> bool:  # noqa: ARG002
        """Nothing ties it."""
        return True


@dataclass(frozen=True)
class Instant:
    """The value writes the instant that another subject's value writes."""

    subject: str

    def lifted(self, values: TextSet) -> Some | None:
        """That the instant is in a set, as said of the other subject."""
        if not isinstance(values, Quantities):
            return None
        return Some(self.subject, Quantities(Family.DATE, values.bounds))

    def tie(self, key: str) -> None:  # noqa: ARG002
        """There is no pattern for it."""
        return


@dataclass(frozen=True)
class Parts:
    """The value is two parts of an ARN, joined: its account, and what follows the slash."""

    subject: str
    joint: str

    def lifted(self, values: TextSet) -> Some | None:
        """That the parts joined are in a set of texts, as said of the ARN."""
        if not isinstance(values, AUTOMATA):
            return None
        return Some(self.subject, Joined(values, _FIELDS_BEFORE_ACCOUNT, self.joint))

    def tie(self, key: str) -> None:  # noqa: ARG002
        """There is no pattern for it."""
        return


_FIELDS_BEFORE_ACCOUNT = 4


@dataclass(frozen=True)
class Case:
    """Where the condition holds, the key is there, with this value."""

    condition: Term
    value: Part | Parts | Constant | Own | Instant


Lift = tuple[Case, ...]
"""The cases of a key; they exclude each other, and without one the key is absent."""


def tied(key: str, lift: Lift, without: Term) -> Term:
    """What relates a key's own value to the others', where it is put in for a variable.

    Args:
        key: the key.
        lift: its cases.
        without: what to say of cases for which there is no relation.
    """
    ties = [(case.condition, case.value.tie(key)) for case in lift]
    return conj(implies(condition, without if tie is None else tie) for condition, tie in ties)
