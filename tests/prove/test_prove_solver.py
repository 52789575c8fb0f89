"""The solver: smallest witnesses of formulas, against trying every request of a small space."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.errors import Place
from tenantproof.prove import (
    ACTION,
    Budget,
    CharRange,
    Domain,
    Opaque,
    Present,
    RequestSpace,
    Some,
    Term,
    conj,
    disj,
    language,
    neg,
)
from tenantproof.prove.concrete import holds
from tenantproof.prove.solver import Blocked, Solver, Witness, cost_of
from tenantproof.request import ContextValue, Principal, Request

ME = Principal("arn:aws:iam::111122223333:role/me")
AB = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"), min_length=1, max_length=2)
ONE, OTHER, SET = "k:one", "k:other", "k:set"
ACTIONS = ("s:A", "s:B")
SPACE = RequestSpace(
    ME,
    ACTIONS,
    ("r",),
    domains={ONE: AB, OTHER: AB, SET: AB},
    only_with={ONE: ("s:A",)},
)


def solver() -> Solver:
    return Solver(SPACE, frozenset({SET}), Budget())


PATTERNS = st.lists(st.text("ab*?", min_size=1, max_size=3), min_size=1, max_size=2)


@st.composite
def literals(draw: st.DrawFn) -> Term:
    key = draw(st.sampled_from((ONE, OTHER, SET)))
    some = Some(key, language(*draw(PATTERNS)), draw(st.booleans()), draw(st.booleans()))
    action = Some(ACTION, language(draw(st.sampled_from(("s:*", "s:A", "s:B")))))
    guarded = conj((Present(key), some))
    term: Term = draw(st.sampled_from((Present(key), guarded, guarded, action)))
    return draw(st.sampled_from((term, neg(term))))


FORMULAS: st.SearchStrategy[Term] = st.recursive(
    literals(),
    lambda terms: st.one_of(
        st.lists(terms, min_size=2, max_size=3).map(conj),
        st.lists(terms, min_size=2, max_size=3).map(disj),
    ),
    max_leaves=6,
)

TEXTS = ["".join(chars) for n in (1, 2) for chars in itertools.product("ab", repeat=n)]
SINGLE: list[ContextValue | None] = [None, *TEXTS]
SETS: list[ContextValue | None] = [
    None,
    *(tuple(each) for n in range(3) for each in itertools.combinations(TEXTS, n)),
]


def every_request() -> Iterator[Request]:
    for action, one, other, values in itertools.product(ACTIONS, SINGLE, SINGLE, SETS):
        if one is None or action == "s:A":
            keys = {ONE: one, OTHER: other, SET: values}
            context = {key: value for key, value in keys.items() if value is not None}
            yield Request(ME, action, "r", context)


REQUESTS = list(every_request())


def cost(request: Request) -> int:
    return sum(map(cost_of, request.context.values()))


@settings(max_examples=150)
@given(FORMULAS)
def test_the_witness_is_a_smallest_request_that_fulfils_the_formula(formula: Term) -> None:
    found = solver().smallest(conj((SPACE.rules(), formula)))
    fulfilling = [request for request in REQUESTS if holds(formula, request)]
    if found is None:
        assert not fulfilling
        return
    assert isinstance(found, Witness)
    assert found.shortest
    assert holds(formula, Request(ME, found.action, found.resource, found.keys))
    if fulfilling:
        assert found.cost <= min(map(cost, fulfilling))


@settings(max_examples=50)
@given(st.lists(FORMULAS, min_size=2, max_size=4))
def test_what_a_solver_learned_changes_no_answer(formulas: list[Term]) -> None:
    shared = solver()
    for formula in formulas:
        asked = conj((SPACE.rules(), formula))
        once, again = solver().smallest(asked), shared.smallest(asked)
        assert (once is None) == (again is None)
        if isinstance(once, Witness) and isinstance(again, Witness):
            assert once.cost == again.cost


def test_a_key_comes_only_with_its_action() -> None:
    here = conj((SPACE.rules(), Present(ONE), Some(ACTION, language("s:B"))))
    assert solver().smallest(here) is None


OPAQUE = Opaque(OTHER, OTHER, "NumericLessThan", ("5",), Place("p.json", "$"))


def test_what_rests_on_an_opaque_condition_is_blocked() -> None:
    assert solver().smallest(conj((Present(OTHER), OPAQUE))) == Blocked((OPAQUE,))


def test_an_opaque_condition_on_an_absent_key_blocks_nothing() -> None:
    found = solver().smallest(neg(conj((Present(OTHER), OPAQUE))))
    assert isinstance(found, Witness)
    assert OTHER not in found.keys


@pytest.mark.parametrize("formula", [False, conj((Present(ONE), neg(Present(ONE))))])
def test_no_request_for_a_contradiction(formula: Term) -> None:
    assert solver().smallest(formula) is None


def test_many_ways_to_be_denied_do_not_multiply() -> None:
    """Forty Deny statements, each avoidable in two ways, are not 2**40 cases."""
    keys = [f"k:{i}" for i in range(40)]
    space = RequestSpace(ME, ("s:A",), ("r",))
    x = language("x*")
    denies = (conj((Present(k), Some(k, x), Present(f"{k}b"), Some(f"{k}b", x))) for k in keys)
    allow = conj((Present("k:own"), Some("k:own", language("y*"))))
    found = Solver(space, frozenset(), Budget()).smallest(conj((allow, neg(disj(denies)))))
    assert isinstance(found, Witness)
    assert found.keys == {"k:own": "y"}


def test_many_conditions_on_one_set() -> None:
    """Twenty values are asked for; none may be like one of the others' last letters."""
    ones = [Some(SET, language(f"?{chr(97 + i)}*")) for i in range(20)]
    space = RequestSpace(ME, ("s:A",), ("r",))
    asked = conj((Present(SET), *ones, neg(Some(SET, language("*z")))))
    found = Solver(space, frozenset({SET}), Budget()).smallest(asked)
    assert isinstance(found, Witness)
    assert not found.shortest
    assert holds(asked, Request(ME, found.action, found.resource, found.keys)) is True
    never = conj((asked, neg(Some(SET, language("?b*")))))
    assert Solver(space, frozenset({SET}), Budget()).smallest(never) is None
