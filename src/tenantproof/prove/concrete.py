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
    Opaque,
    Present,
    Some,
    Term,
    substitute,
)
from tenantproof.request import ContextValue, Request


def holds(term: Term, request: Request) -> bool | None:
    """Whether a formula holds for a request; None where it rests on an opaque condition."""
    keys = request.keys

    def value(atom: Atom) -> Term:
        if isinstance(atom, Opaque) and atom.subject in (ACTION, RESOURCE, *keys):
            return atom
        return atom_holds(atom, request)

    answer = substitute(term, value)
    return answer if isinstance(answer, bool) else None


def is_within(compiled: Compiled, request: Request) -> bool:
    """Whether a request is one of the space: each key with as many and such values as it can have.

    Keys that the policies do not mention play no part.
    """
    for key, value in request.keys.items():
        if key in compiled.mentioned:
            values = (value,) if isinstance(value, str) else value
            if not isinstance(value, str) and key not in compiled.multivalued:
                return False
            if not all(each in compiled.space.choices(key) for each in values):
                return False
    return True


def atom_holds(atom: Atom, request: Request) -> bool:
    """Whether an atom holds in a request; an opaque one holds on no absent key."""
    fixed: Mapping[str, ContextValue] = {ACTION: request.action, RESOURCE: request.resource}
    value = fixed.get(atom.subject, request.keys.get(atom.subject))
    match atom:
        case Present():
            return value is not None
        case Opaque():
            return False
        case Some(_, language, complemented, nonempty):
            values = (value,) if isinstance(value, str) else (value or ())
            return any(
                language.accepts(each) != complemented and bool(each or not nonempty)
                for each in values
            )
