"""What the theories said of literals, kept for all questions of a run.

A conflict, or the smallest values, of some literals hang on nothing but the subjects' domains and
whether they hold sets: not on the principal, the policies or the reading that they were met with.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tenantproof.prove.formula import Atom, Matches, SomeMatches
from tenantproof.prove.search import Domain
from tenantproof.request import ContextValue

Assignment = dict[Atom, bool]

Group = tuple[str, ...]
"""Subjects whose values depend on each other."""

Values = Mapping[str, ContextValue]

Signature = Mapping[str, int]
"""For each subject a number that stands for its domain and for whether it holds a set."""

_MOST_KEPT = 200_000
"""Of more answers than this the first are forgotten: memory has a bound."""


@dataclass(frozen=True)
class Found:
    """The smallest values that fulfil literals, None for none.

    ``smallest`` is false where smaller ones were not excluded.
    """

    values: Values | None
    smallest: bool = True


Key = tuple[frozenset[tuple[Atom, bool]], tuple[int, ...]]


@dataclass
class Learned:
    """Conflicts and smallest values, by literals and the kinds of their subjects."""

    _kinds: dict[tuple[str, Domain, bool], int] = field(default_factory=dict)
    _values: dict[Key, Found] = field(default_factory=dict)
    _conflicts: dict[Atom, list[tuple[Assignment, tuple[tuple[str, int], ...]]]] = field(
        default_factory=dict
    )

    def kind(self, subject: str, domain: Domain, *, multivalued: bool) -> int:
        """The number of a subject with a domain."""
        return self._kinds.setdefault((subject, domain, multivalued), len(self._kinds))

    def found(self, key: Key) -> Found | None:
        """What was found for literals, if they were asked about before."""
        return self._values.get(key)

    def keep_values(self, key: Key, found: Found) -> Found:
        """Remember what was found for literals."""
        if len(self._values) >= _MOST_KEPT:
            del self._values[next(iter(self._values))]
        self._values[key] = found
        return found

    def keep_conflict(self, conflict: Assignment, kinds: Signature) -> None:
        """Remember literals that no values fulfil together."""
        subjects = sorted({subject for atom in conflict for subject in subjects_of(atom)})
        signature = tuple((subject, kinds[subject]) for subject in subjects)
        self._conflicts.setdefault(next(iter(conflict)), []).append((conflict, signature))

    def conflicts(self, atoms: Iterable[Atom], kinds: Signature) -> Iterator[Assignment]:
        """The conflicts among some atoms that hold for subjects of these kinds."""
        among = set(atoms)
        for atom in among & self._conflicts.keys():
            for conflict, signature in self._conflicts[atom]:
                if conflict.keys() <= among and all(
                    kinds.get(subject) == kind for subject, kind in signature
                ):
                    yield conflict


def subjects_of(atom: Atom) -> frozenset[str]:
    """The subjects that an atom speaks of."""
    return atom.subjects if isinstance(atom, Matches | SomeMatches) else frozenset({atom.subject})
