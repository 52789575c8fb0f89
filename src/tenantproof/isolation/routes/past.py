"""What earlier steps of a way ask of the values that a later one chooses.

A session tag that was chosen when a role was assumed is what the policies of the role compare
afterwards: the two requests share a subject, and all else of them is each one's own. So the
formula of a step that is over is kept with its subjects renamed, but for what is shared, and holds
beside the formula of the next one. What is found then is values for all steps together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tenantproof.errors import Place
from tenantproof.prove import ACTION, RESOURCE, Atom, Domain, RequestSpace, Term, conj, substitute
from tenantproof.prove.automata import AUTOMATA, Within
from tenantproof.prove.formula import (
    Matches,
    Opaque,
    Piece,
    Present,
    Put,
    Some,
    SomeMatches,
    atoms,
)
from tenantproof.prove.learned import subjects_of

Rename = Callable[[str], str]
"""A subject's name by the time of the next step."""


@dataclass(frozen=True)
class Past:
    """What holds of the subjects of earlier steps, and what values those can have.

    Attributes:
        term: what the earlier steps ask.
        domains: the values of their subjects.
        always: those of their subjects that have a value in every request, with a typical one.
        multivalued: those that hold any number of values.
    """

    term: Term = True
    domains: Mapping[str, Domain] = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)
    multivalued: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        return hash(self.term)


NOTHING = Past()


def past_of(
    space: RequestSpace, multivalued: frozenset[str], terms: Iterable[Term], rename: Rename
) -> Past:
    """What a step asks, once it is over.

    Args:
        space: the requests of the step, with what still earlier ones ask among its ``given``.
        multivalued: the keys of the space that hold any number of values.
        terms: what the step's request fulfils.
        rename: the names of its subjects from now on.
    """
    term = conj((space.rules(), *terms))
    subjects = {subject for atom in set(atoms(term)) for subject in subjects_of(atom)}
    always = {ACTION: "", RESOURCE: "", **space.always}
    return Past(
        renamed(term, rename),
        {rename(subject): space.choices(subject) for subject in subjects},
        {rename(subject): always[subject] for subject in subjects if subject in always},
        frozenset(rename(subject) for subject in subjects & multivalued),
    )


def both(one: Past, other: Past) -> Past:
    """What two pasts ask together."""
    return Past(
        conj((one.term, other.term)),
        {**one.domains, **other.domains},
        {**one.always, **other.always},
        one.multivalued | other.multivalued,
    )


def renamed(term: Term, rename: Rename) -> Term:
    """The same term of subjects with other names."""

    def pieces(listed: Iterable[Piece]) -> tuple[Piece, ...]:
        return tuple(
            replace(piece, subject=rename(piece.subject)) if isinstance(piece, Put) else piece
            for piece in listed
        )

    def of(atom: Atom) -> Atom:
        match atom:
            case Present() | Some() | Opaque():
                return replace(atom, subject=rename(atom.subject))
            case Matches(subject, parts):
                return Matches(rename(subject), pieces(parts))
            case SomeMatches(subject, language, patterns, complemented):
                listed = tuple(pieces(pattern) for pattern in patterns)
                return SomeMatches(rename(subject), language, listed, complemented)

    return substitute(term, of)


def behind(past: Past, subject: str, other: str, prefix: str) -> Past:
    """What is asked of a subject, said of another one whose value stands behind a prefix in it.

    What relates the subject to a value that requests choose has no such form, and becomes opaque.
    """

    def of(atom: Atom) -> Term:
        if subject not in subjects_of(atom):
            return atom
        match atom:
            case Some(language=language) if isinstance(language, AUTOMATA):
                complemented = atom.complemented
                return Some(other, Within(language, prefix), complemented)
            case _:
                what = "values that follow from each other in the resource of"
                return Opaque(other, other, what, (), Place("<policies>", ""))

    domains = {key: domain for key, domain in past.domains.items() if key != subject}
    always = {key: value for key, value in past.always.items() if key != subject}
    return Past(substitute(past.term, of), domains, always, past.multivalued)
