"""Formulas over atoms: what the policies say about a request, before any value is chosen.

An atom is a statement about one subject (the action, the resource, or one condition key); the
theories decide which atoms can hold together, Z3 decides the logic between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from tenantproof.errors import Place
from tenantproof.prove.automata import Automaton
from tenantproof.prove.languages import Language, Pattern, PatternBuilder, Wild, literal
from tenantproof.prove.typed import TypedSet

ACTION: Final = "<action>"
RESOURCE: Final = "<resource>"
"""Subjects beside the condition keys (whose subject is their name in lower case)."""

SESSION: Final = "<session>"
SERVICE: Final = "<service>"
FEDERATED: Final = "<federated>"
CANONICAL_USER: Final = "<canonical user>"
"""Subjects that, beside ``aws:principalarn``, say who calls: the name of a role's session, the
name of an AWS service or of an identity provider that calls itself, a canonical user ID. What does
not say who calls in a request is absent."""


@dataclass(frozen=True)
class Present:
    """The request holds the condition key."""

    subject: str


TextSet = Automaton | TypedSet
"""A set of texts that values are in or not: a language, or what a typed operator compares."""


class Hashed:
    """Terms are asked for their hash again and again: each is worked out once."""

    @cached_property
    def _hash(self) -> int:
        names = type(self).__match_args__  # type: ignore[attr-defined]
        return hash((type(self).__name__, *(getattr(self, name) for name in names)))

    def __hash__(self) -> int:
        return self._hash


@dataclass(frozen=True)
class Some(Hashed):
    """Some value of the subject is in the language (``complemented``: outside it).

    The action, the resource and a single-valued key have exactly one value. With ``nonempty``
    the empty text does not count. Says nothing where the key is absent: formulas guard it with
    :class:`Present`.
    """

    subject: str
    language: TextSet
    complemented: bool = False
    nonempty: bool = False

    __hash__ = Hashed.__hash__

    def holds_for(self, values: Iterable[str]) -> bool:
        """Whether the atom holds where the subject has these values."""
        return any(
            self.language.accepts(value) != self.complemented and (value != "" or not self.nonempty)
            for value in values
        )


@dataclass(frozen=True)
class Step:
    """One character of a set."""

    chars: Wild | frozenset[str]


@dataclass(frozen=True)
class Loop:
    """Any number of characters of a wild set."""

    wild: Wild


@dataclass(frozen=True)
class Put:
    """The value of another subject, put in as literal text."""

    subject: str
    ignore_case: bool = False


Piece = str | Step | Loop | Put
"""A part of a pattern: literal characters, a wildcard, or another subject's value."""


@dataclass(frozen=True)
class Matches(Hashed):
    """The one value of the subject is as the pieces say, other subjects' values put in.

    Says nothing where one of the subjects is absent or has several values: formulas guard it.
    """

    subject: str
    pieces: tuple[Piece, ...]

    __hash__ = Hashed.__hash__

    @cached_property
    def subjects(self) -> frozenset[str]:
        """The subject and those whose values are put in."""
        return frozenset({self.subject, *(p.subject for p in self.pieces if isinstance(p, Put))})

    def holds_for(self, values: Mapping[str, str]) -> bool:
        """Whether the atom holds where the subjects have these values."""
        return Language([pattern_of(self.pieces, values)]).accepts(values[self.subject])


@dataclass(frozen=True)
class SomeMatches(Hashed):
    """Some value of a set is in the language or as one of the patterns says.

    ``complemented``: some value is neither. Other subjects' values are put into the patterns; where
    one of those is absent or has several values this says nothing: formulas guard it.
    """

    subject: str
    language: Language
    patterns: tuple[tuple[Piece, ...], ...]
    complemented: bool = False

    __hash__ = Hashed.__hash__

    @cached_property
    def puts(self) -> frozenset[str]:
        """The subjects whose values are put in."""
        pieces = (piece for pattern in self.patterns for piece in pattern)
        return frozenset(piece.subject for piece in pieces if isinstance(piece, Put))

    @property
    def subjects(self) -> frozenset[str]:
        """The subject and those whose values are put in."""
        return self.puts | {self.subject}

    def holds_for(self, values: Iterable[str], texts: Mapping[str, str]) -> bool:
        """Whether the atom holds where the subject has some values and the others these texts."""
        made = Language(pattern_of(pattern, texts) for pattern in self.patterns)
        return any(
            (self.language.accepts(value) or made.accepts(value)) != self.complemented
            for value in values
        )


def pattern_of(pieces: Iterable[Piece], values: Mapping[str, str]) -> Pattern:
    """The pattern of pieces once the values of the subjects are put in."""
    builder = PatternBuilder()
    for piece in pieces:
        match piece:
            case str(characters):
                builder.text(characters)
            case Step(chars):
                builder.one(chars)
            case Loop(wild):
                builder.many(wild)
            case Put(subject, ignore_case):
                builder.text(values[subject], ignore_case=ignore_case)
    return builder.build()


def joined(pieces: Iterable[Piece]) -> tuple[Piece, ...]:
    """The same pieces, literal characters in a row made one: equal patterns have equal pieces."""
    together: list[Piece] = []
    for piece in pieces:
        before = together[-1] if together else None
        if isinstance(piece, str) and isinstance(before, str):
            together[-1] = before + piece
        elif piece != "" and (piece != before or not isinstance(piece, Loop)):
            together.append(piece)
    return tuple(together)


def pieces_of(pattern: Pattern) -> Iterator[Piece]:
    """A pattern as pieces."""
    loops = dict(pattern.loops)
    for position in range(len(pattern.steps) + 1):
        if position in loops:
            yield Loop(loops[position])
        if position < len(pattern.steps):
            step = pattern.steps[position]
            yield step if isinstance(step, str) else Step(step)


def fillings(pieces: Sequence[Piece], whole: str) -> Language:
    """The texts that, put in for the one :class:`Put` of some pieces, make them match a text."""
    at = next(i for i, piece in enumerate(pieces) if isinstance(piece, Put))
    put = pieces[at]
    assert isinstance(put, Put)
    before = Language([pattern_of(pieces[:at], {})])
    after = Language([pattern_of(pieces[at + 1 :], {})])
    cuts = range(len(whole) + 1)
    starts = [cut for cut in cuts if before.accepts(whole[:cut])]
    ends = [cut for cut in cuts if after.accepts(whole[cut:])]
    found = {whole[start:end]: None for start in starts for end in ends if start <= end}
    return Language(literal(text, ignore_case=put.ignore_case) for text in found)


@dataclass(frozen=True)
class Opaque:
    """A condition that the model has no theory for; it may hold or not where the key is present.

    ``key`` is the subject as the policy writes it, ``operator`` says what has no theory. With
    ``unknown`` it stands for what is not known of a statement: ``operator`` says why, ``values``
    tell which statement.
    """

    subject: str
    key: str
    operator: str
    values: tuple[str, ...]
    place: Place = field(compare=False)
    unknown: bool = False

    def __str__(self) -> str:
        """Why an answer that rests on it is none."""
        if self.unknown:
            return f"not known: {self.operator} ({self.place})"
        values = ", ".join(self.values)
        return f"not modelled yet: {self.operator} {values} on {self.key} ({self.place})"


Atom = Present | Some | Matches | SomeMatches | Opaque


@dataclass(frozen=True)
class Not:
    """Negation."""

    term: Term


@dataclass(frozen=True)
class And(Hashed):
    """Conjunction of two or more."""

    terms: tuple[Term, ...]

    __hash__ = Hashed.__hash__


@dataclass(frozen=True)
class Or(Hashed):
    """Disjunction of two or more."""

    terms: tuple[Term, ...]

    __hash__ = Hashed.__hash__


Term = bool | Atom | Not | And | Or


def conj(terms: Iterable[Term]) -> Term:
    """All of the terms; constants and nested conjunctions are folded away."""
    kept: dict[Term, None] = {}
    for term in terms:
        if term is False:
            return False
        if isinstance(term, And):
            kept.update(dict.fromkeys(term.terms))
        elif term is not True:
            kept[term] = None
    listed = tuple(kept)
    return And(listed) if len(listed) > 1 else (listed[0] if listed else True)


def disj(terms: Iterable[Term]) -> Term:
    """Any of the terms; constants and nested disjunctions are folded away."""
    kept: dict[Term, None] = {}
    for term in terms:
        if term is True:
            return True
        if isinstance(term, Or):
            kept.update(dict.fromkeys(term.terms))
        elif term is not False:
            kept[term] = None
    listed = tuple(kept)
    return Or(listed) if len(listed) > 1 else (listed[0] if listed else False)


def neg(term: Term) -> Term:
    """The opposite of a term."""
    if isinstance(term, bool):
        return not term
    return term.term if isinstance(term, Not) else Not(term)


def implies(premise: Term, conclusion: Term) -> Term:
    """The conclusion wherever the premise holds."""
    return disj((neg(premise), conclusion))


def atoms(term: Term) -> Iterator[Atom]:
    """Every atom of a term, each as often as it occurs."""
    match term:
        case bool():
            return
        case Not(inner):
            yield from atoms(inner)
        case And(terms) | Or(terms):
            for inner in terms:
                yield from atoms(inner)
        case atom:
            yield atom


def substitute(term: Term, value: Callable[[Atom], Term]) -> Term:
    """The term with each atom replaced by what ``value`` gives for it, folded."""
    match term:
        case bool():
            return term
        case Not(inner):
            return neg(substitute(inner, value))
        case And(terms):
            return conj(substitute(inner, value) for inner in terms)
        case Or(terms):
            return disj(substitute(inner, value) for inner in terms)
        case atom:
            return value(atom)
