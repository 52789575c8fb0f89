"""Whether every model of a pattern can be invoked: for each model there is a context.

The alternation of quantifiers is solved by counterexamples (as in CEGAR; Clarke et al.,
"Counterexample-guided abstraction refinement", CAV 2000): take a model that no context found so
far covers, look for a context in which it is allowed, and add all models that this context covers.
The atoms on TargetModel are finitely many, so that this ends; but where a value that requests
choose is put into one, each context may cover a model of its own, and the budget ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from tenantproof.errors import BudgetExceededError, DisagreementError
from tenantproof.isolation.attack import MOST_REQUESTS, Attacked, sampled
from tenantproof.isolation.inquiry import Inquiry
from tenantproof.prove import Atom, Language, Opaque, Some, Term, conj, disj, neg, substitute
from tenantproof.prove.concrete import decided
from tenantproof.prove.formula import (
    And,
    Matches,
    Not,
    Or,
    Put,
    SomeMatches,
    fillings,
    joined,
    pattern_of,
    pieces_of,
)
from tenantproof.prove.learned import subjects_of
from tenantproof.prove.solver import Blocked
from tenantproof.request import Request, values_of

Retarget = Callable[[Request], Request]
"""Puts another model into a request, all else as it is."""


@dataclass(frozen=True)
class Covered:
    """Every model is allowed, in one of the contexts found."""

    found: tuple[tuple[Inquiry, Request], ...]

    def attack(self, models: Iterable[tuple[str, Retarget]], samples: int = 0) -> Attacked:
        """Evaluate models near the boundary: each must be allowed in one of the contexts.

        Args:
            models: the models to try, each with its name and how it is put into a request.
            samples: how many of the requests are wanted.

        Raises:
            DisagreementError: one is not.
        """
        allowed: list[tuple[Inquiry, Request]] = []
        for name, retarget in islice(models, MOST_REQUESTS):
            requests = ((inquiry, retarget(one)) for inquiry, one in self.found)
            found = next(((i, r) for i, r in requests if i.decide(r).allowed), None)
            if found is None:
                raise DisagreementError(
                    f"the prover says that each model is allowed, the evaluator allows {name}"
                    " in none of the contexts found"
                )
            allowed.append(found)
        probes = tuple(inquiry.probe(one) for inquiry, one in sampled(allowed, samples))
        return Attacked(len(allowed), probes)


@dataclass(frozen=True)
class Missing:
    """A model that no context allows, as a request."""

    request: Request


@dataclass(frozen=True)
class Undecided:
    """Only contexts about which the model cannot tell might allow the rest."""

    blocked: Blocked


def cover(inquiries: Sequence[Inquiry], models: Term) -> Covered | Missing | Undecided:
    """Whether each model can be invoked in some context, by one of the inquiries' principals.

    Args:
        inquiries: at one endpoint, one for each principal that counts.
        models: the requests whose models are asked about, by their TargetModel alone (and the
            tenant's name, where tenants are described by a rule).

    Raises:
        BudgetExceededError: the budget ran out.
        DisagreementError: the evaluator contradicts the model.
    """
    asked = models
    found: list[tuple[Inquiry, Request]] = []
    while True:
        # The asker's own policies play no part: only which TargetModel is not covered yet.
        model = inquiries[0].smallest(asked)
        if model is None:
            return Covered(tuple(found))
        if isinstance(model, Blocked):
            return Undecided(model)
        blocked: Blocked | None = None
        for inquiry in inquiries:
            answer = inquiry.smallest_allowed(inquiry.same_model(model))
            if isinstance(answer, Request):
                found.append((inquiry, answer))
                asked = conj((asked, neg(_covered_by(inquiry, answer))))
                break
            blocked = answer or blocked
        else:
            if blocked is not None:
                return Undecided(blocked)
            return Missing(model)


def _covered_by(inquiry: Inquiry, request: Request) -> Term:
    """The models that are allowed where all else is as in ``request``."""
    texts = inquiry.texts_of(request)

    def value(atom: Atom) -> Term:
        if subjects_of(atom) <= inquiry.asked_about:
            return atom
        if isinstance(atom, Matches) and not atom.subjects.isdisjoint(inquiry.asked_about):
            return _of_what_is_asked(atom, texts, inquiry.asked_about)
        if isinstance(atom, SomeMatches) and not atom.subjects.isdisjoint(inquiry.asked_about):
            return _of_sets(atom, request, texts, inquiry.asked_about)
        return decided(atom, request)

    return _certainly(substitute(inquiry.compiled.allowed, value))


def _certainly(term: Term, wanted: bool = True) -> Term:
    """That a formula holds (or does not), whatever the opaque conditions in it do.

    What a condition does in one context says nothing of what the same one does in another.
    """
    match term:
        case bool():
            return term is wanted
        case Not(inner):
            return _certainly(inner, not wanted)
        case And(terms) | Or(terms):
            join = conj if isinstance(term, And) is wanted else disj
            return join(_certainly(inner, wanted) for inner in terms)
        case Opaque():
            return False
        case atom:
            return atom if wanted else neg(atom)


def _of_sets(
    atom: SomeMatches, request: Request, texts: Mapping[str, str], asked: frozenset[str]
) -> Term:
    """What an atom of a set says of the subjects asked about, the set being a request's."""

    def matches(value: str) -> Term:
        known = {**texts, atom.subject: value}
        pieces = (Matches(atom.subject, pattern) for pattern in atom.patterns)
        return disj(
            (
                atom.language.accepts(value),
                *(_of_what_is_asked(each, known, asked) for each in pieces),
            )
        )

    values = values_of(request.keys.get(atom.subject, ()))
    if atom.complemented:
        return disj(neg(matches(value)) for value in values)
    return disj(matches(value) for value in values)


def _of_what_is_asked(atom: Matches, texts: Mapping[str, str], asked: frozenset[str]) -> Term:
    """What an atom says of the subjects asked about where the others have the values given."""
    if not atom.subjects - asked <= texts.keys():
        return False
    pieces = joined(
        each
        for piece in atom.pieces
        for each in (
            pieces_of(pattern_of([piece], texts))
            if isinstance(piece, Put) and piece.subject not in asked
            else [piece]
        )
    )
    puts = [piece.subject for piece in pieces if isinstance(piece, Put)]
    if atom.subject in asked:
        if puts:
            return Matches(atom.subject, pieces)
        return Some(atom.subject, Language([pattern_of(pieces, {})]))
    if len(puts) == 1:
        return Some(puts[0], fillings(pieces, texts[atom.subject]))
    raise BudgetExceededError(f"several values are put into {atom.subject}")
