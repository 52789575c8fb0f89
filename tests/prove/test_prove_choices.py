"""Which atoms can hold together: against trying all values, and handing over to Z3."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.prove import Atom, Budget, Present, Term, conj, disj, neg, substitute
from tenantproof.prove import choices as choices_module
from tenantproof.prove.choices import Choices

ATOMS: list[Atom] = [Present(name) for name in "abcdef"]
formulas: st.SearchStrategy[Term] = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=4).map(conj),
        st.lists(inner, min_size=2, max_size=4).map(disj),
        inner.map(neg),
    ),
    max_leaves=20,
)


def solutions(formula: Term) -> Iterator[dict[Atom, bool]]:
    for values in itertools.product((False, True), repeat=len(ATOMS)):
        truth = dict(zip(ATOMS, values, strict=True))
        if substitute(formula, truth.__getitem__) is True:
            yield truth


def propose_all(formula: Term) -> tuple[int, Choices]:
    """Exclude each proposal until there is none, and count the solutions that they stand for."""
    asked = Choices(formula, Budget())
    count = 0
    while (found := asked.propose()) is not None:
        assert substitute(formula, lambda atom: found[atom]) is True
        count += 2 ** (len(ATOMS) - len(found))
        asked.exclude(found)
    return count, asked


@settings(max_examples=300)
@given(formulas)
def test_the_proposals_are_the_solutions(formula: Term) -> None:
    count, asked = propose_all(formula)
    assert count == len(list(solutions(formula)))
    assert not asked.asked_z3


@pytest.mark.parametrize("limit", ["MOST_VARIABLES", "MOST_CONFLICTS"])
def test_what_is_hard_is_given_to_z3(limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was excluded before stays excluded."""
    monkeypatch.setattr(choices_module, limit, 3)
    pairs = itertools.pairwise([*ATOMS, ATOMS[0]])
    formula = conj(disj((one, other)) for one, other in pairs)
    count, asked = propose_all(formula)
    assert count == len(list(solutions(formula)))
    assert asked.asked_z3


def pigeons(holes: int) -> Term:
    """More pigeons than holes, each in one (Haken, 1985): no solution, and hard to see."""
    places = {(p, h): Present(f"{p}-{h}") for p in range(holes + 1) for h in range(holes)}
    each = (disj(places[p, h] for h in range(holes)) for p in range(holes + 1))
    alone = (
        neg(conj((places[p, h], places[q, h])))
        for h in range(holes)
        for p, q in itertools.combinations(range(holes + 1), 2)
    )
    return conj((*each, *alone))


@pytest.mark.parametrize("holes", [1, 2, 3, 4, 7])
def test_a_formula_without_a_solution(holes: int) -> None:
    asked = Choices(pigeons(holes), Budget())
    assert asked.propose() is None
    assert asked.asked_z3 == (holes > 4)
