"""One question about all pairs of what two paths name."""

from __future__ import annotations

from pathlib import Path

from tenantproof.compare.answers import Compared, Comparison, Question
from tenantproof.compare.questions import ASK, Terms
from tenantproof.compare.sources import Pair, load_pairs
from tenantproof.compare.space import ASSUMED, BY_ITSELF


def compare(
    old: Path,
    new: Path,
    question: Question = Question.NO_NEW_ACCESS,
    terms: Terms = Terms(tell_removed=True),  # noqa: B008
    *,
    lenient: bool = False,
) -> Comparison:
    """Ask a question about two policy files, two folders of them, or two manifests.

    Args:
        old: what there was; of ``at-most`` the reference.
        new: what there is.
        question: what is asked.
        terms: how it is asked.
        lenient: read policies with comments and trailing commas.

    Returns:
        The answers, in order of the pairs' names.

    Raises:
        InputError: something cannot be read.
        DisagreementError: the two readings differ; a bug in tenantproof.
    """
    pairs = load_pairs(old, new, lenient=lenient)
    compared = tuple(_compared(pair, question, terms) for pair in pairs)
    alone = any(pair.new.principal is None for pair in pairs)
    assumed = (BY_ITSELF, *ASSUMED) if alone else ASSUMED
    return Comparison(str(old), str(new), question, compared, assumed)


def _compared(pair: Pair, question: Question, terms: Terms) -> Compared:
    return Compared(pair.name, ASK[question](pair.old, pair.new, terms), pair.notes)
