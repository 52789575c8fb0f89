"""What a formula says of one concrete request: the symbolic model used as an evaluator.

This is how the two readings are held against each other, request by request.
"""

from __future__ import annotations

from collections.abc import Mapping

from tenantproof.prove.compiler import Compiled
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    Atom,
    Matches,
    Opaque,
    Present,
    Some,
    SomeMatches,
    Term,
    substitute,
)
from tenantproof.request import ContextValue, Request, values_of


def holds(term: Term, request: Request) -> bool | None:
    """Whether a formula holds for a request; None where it rests on an opaque condition."""
    answer = substitute(term, lambda atom: decided(atom, request))
    return answer if isinstance(answer, bool) else None


def is_within(compiled: Compiled, request: Request) -> bool:
    """Whether a request is one of the space: each subject with values that it can have.

    Keys that the policies do not mention play no part.
    """
    chosen = {ACTION: request.action, RESOURCE: request.resource}
    if not all(value in compiled.space.choices(subject) for subject, value in chosen.items()):
        return False
    for key, value in request.keys.items():
        if key in compiled.mentioned:
            if not isinstance(value, str) and key not in compiled.multivalued:
                return False
            if not all(each in compiled.space.choices(key) for each in values_of(value)):
                return False
    return True


def decided(atom: Atom, request: Request) -> bool | Opaque:
    """Whether an atom holds in a request; an opaque one of a key that is present stays open."""
    fixed: Mapping[str, ContextValue] = {ACTION: request.action, RESOURCE: request.resource}
    value = fixed.get(atom.subject, request.keys.get(atom.subject))
    match atom:
        case Present():
            return value is not None
        case Opaque():
            return False if value is None else atom
        case Some():
            return atom.holds_for(() if value is None else values_of(value))
        case Matches():
            keys = {**request.keys, **fixed}
            texts = {s: v for s in atom.subjects if isinstance(v := keys.get(s), str)}
            return len(texts) == len(atom.subjects) and atom.holds_for(texts)
        case SomeMatches():
            texts = {s: v for s in atom.puts if isinstance(v := request.keys.get(s), str)}
            given = () if value is None else values_of(value)
            return len(texts) == len(atom.puts) and atom.holds_for(given, texts)
