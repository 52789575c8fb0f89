"""Whether every model of a pattern can be invoked: for each model there is a context.

The alternation of quantifiers is solved by counterexamples (as in CEGAR; Clarke et al.,
"Counterexample-guided abstraction refinement", CAV 2000): take a model that no context found so
far covers, look for a context in which it is allowed, and add all models that this context covers.
The atoms on TargetModel are finitely many, so that this ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from tenantproof.errors import BudgetExceededError, DisagreementError
from tenantproof.isolation.attack import MOST_REQUESTS
from tenantproof.isolation.inquiry import HAS_TARGET, TARGET, Inquiry, inside
from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.prove import Atom, Language, Some, Term, conj, neg, substitute
from tenantproof.prove.concrete import decided
from tenantproof.prove.formula import Matches, Put, fillings, pattern_of
from tenantproof.prove.languages import literal
from tenantproof.prove.solver import Blocked
from tenantproof.request import Request


@dataclass(frozen=True)
class Covered:
    """Every model is allowed, in one of the contexts found."""

    models: Language | None
    found: tuple[tuple[Inquiry, Request], ...]

    def attack(self, words: Iterable[str]) -> int:
        """Evaluate models near the boundary: each must be allowed in one of the contexts.

        Returns:
            How many models were tried.

        Raises:
            DisagreementError: one is not.
        """
        models = self.models
        if models is None:
            return len(self.found)
        tried = list(islice((word for word in words if models.accepts(word)), MOST_REQUESTS))
        for word in tried:
            if not any(_allows(inquiry, request, word) for inquiry, request in self.found):
                raise DisagreementError(
                    f'the prover says that each model is allowed, the evaluator allows "{word}"'
                    " in none of the contexts found"
                )
        return len(tried)


@dataclass(frozen=True)
class Missing:
    """A model that no context allows, as a request."""

    request: Request


@dataclass(frozen=True)
class Undecided:
    """Only contexts about which the model cannot tell might allow the rest."""

    blocked: Blocked


def cover(inquiries: Sequence[Inquiry], models: Language | None) -> Covered | Missing | Undecided:
    """Whether each model can be invoked in some context, by one of the inquiries' principals.

    Args:
        inquiries: at one endpoint, one for each principal that counts.
        models: the models; None for the request without a TargetModel.

    Raises:
        BudgetExceededError: the budget ran out.
        DisagreementError: the evaluator contradicts the model.
    """
    asked: Term = neg(HAS_TARGET) if models is None else inside(models)
    found: list[tuple[Inquiry, Request]] = []
    while True:
        # The asker's own policies play no part: only which TargetModel is not covered yet.
        model = inquiries[0].smallest(asked)
        if model is None:
            return Covered(models, tuple(found))
        if isinstance(model, Blocked):
            return Undecided(model)
        target = model.keys.get(TARGET)
        here = target if isinstance(target, str) else None
        blocked: Blocked | None = None
        for inquiry in inquiries:
            answer = inquiry.smallest_allowed(_exactly(here))
            if isinstance(answer, Request):
                found.append((inquiry, answer))
                asked = conj((asked, neg(_covered_by(inquiry, answer))))
                break
            blocked = answer or blocked
        else:
            if blocked is not None:
                return Undecided(blocked)
            return Missing(model)


def _exactly(target: str | None) -> Term:
    if target is None:
        return neg(HAS_TARGET)
    return inside(Language([literal(target)]))


def _covered_by(inquiry: Inquiry, request: Request) -> Term:
    """The TargetModels that are allowed where all else is as in ``request``."""

    def value(atom: Atom) -> Term:
        if isinstance(atom, Matches) and TARGET in atom.subjects:
            return _of_target(atom, request)
        return atom if atom.subject == TARGET else decided(atom, request)

    return substitute(inquiry.compiled.allowed, value)


def _of_target(atom: Matches, request: Request) -> Term:
    """What an atom says of TargetModel where the other values are those of a request."""
    texts = {key: value for key, value in request.keys.items() if isinstance(value, str)}
    others = atom.subjects - {TARGET}
    if not others <= texts.keys():
        return False
    pieces = tuple(
        texts[piece.subject]
        if isinstance(piece, Put) and piece.subject != TARGET and not piece.ignore_case
        else piece
        for piece in atom.pieces
    )
    puts = [piece.subject for piece in pieces if isinstance(piece, Put)]
    if atom.subject == TARGET and TARGET not in puts:
        return Some(TARGET, Language([pattern_of(pieces, texts)]))
    if atom.subject != TARGET and puts == [TARGET]:
        return Some(TARGET, fillings(pieces, texts[atom.subject]))
    raise BudgetExceededError(f"several values are put into {atom.subject}, TargetModel among them")


def _allows(inquiry: Inquiry, request: Request, word: str) -> bool:
    context = {**request.context, TARGET_MODEL: word}
    return inquiry.decide(replace(request, context=context)).allowed
