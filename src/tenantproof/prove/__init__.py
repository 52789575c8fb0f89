"""Reading 2: the prover. Policies to a formula over atoms, atoms to witnesses."""

from tenantproof.prove.compiler import Compiled, compile_policies
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    Atom,
    Opaque,
    Present,
    Some,
    Term,
    conj,
    disj,
    neg,
    substitute,
)
from tenantproof.prove.languages import Language, language
from tenantproof.prove.search import Budget, CharRange, Domain, shortest_member
from tenantproof.prove.space import RequestSpace

__all__ = [
    "ACTION",
    "RESOURCE",
    "Atom",
    "Budget",
    "CharRange",
    "Compiled",
    "Domain",
    "Language",
    "Opaque",
    "Present",
    "RequestSpace",
    "Some",
    "Term",
    "compile_policies",
    "conj",
    "disj",
    "language",
    "neg",
    "shortest_member",
    "substitute",
]
