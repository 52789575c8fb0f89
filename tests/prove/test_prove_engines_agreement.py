"""Z3's and cvc5's strings against trying every request of a small space, and the automata."""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator
from fractions import Fraction
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.errors import BudgetExceededError, NotSupportedError, Place
from tenantproof.policy.syntax import Family, Relation
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
from tenantproof.prove.automata import Within
from tenantproof.prove.concrete import holds
from tenantproof.prove.engines import CVC5, Z3, Prover
from tenantproof.prove.engines.engine import Strings
from tenantproof.prove.formula import Loop, Matches, Piece, Put, Step, TextSet
from tenantproof.prove.languages import ANY, NO_COLON, Language, literal
from tenantproof.prove.regular import (
    CharSet,
    Choice,
    Concat,
    Expression,
    One,
    Regular,
    Repeat,
    text,
)
from tenantproof.prove.solver import Blocked, Solver, Witness
from tenantproof.prove.space import GLOBAL_DOMAINS
from tenantproof.prove.typed import Addresses, Quantities, TypedSet
from tenantproof.request import ContextValue, Principal, Request

needs_cvc5 = pytest.mark.skipif(
    importlib.util.find_spec("cvc5") is None, reason="cvc5, an optional extra, is not installed"
)
engines = pytest.mark.parametrize(
    "engine", [Z3, pytest.param(CVC5, marks=needs_cvc5)], ids=["z3", "cvc5"]
)

ME = Principal("arn:aws:iam::111122223333:role/me")
AB = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"), min_length=1, max_length=2)
AB_OR_EMPTY = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"), max_length=2)
FEW = Domain(values=("a", "ab", "bb"))
ONE, OTHER, SET = "k:one", "k:other", "k:set"
ACTIONS = ("s:A", "s:B")
SPACE = RequestSpace(
    ME,
    ACTIONS,
    ("r",),
    domains={ONE: AB, OTHER: FEW, SET: AB_OR_EMPTY},
    only_with={ONE: ("s:A",)},
)


def prover(engine: Strings, space: RequestSpace = SPACE) -> Prover:
    return engine.prover(space, frozenset({SET}), Budget.of(20))


PATTERNS = st.lists(st.text("ab*?", max_size=3), max_size=2).map(lambda p: language(*p))
CHARS = st.sampled_from(
    [CharSet.of("aa"), CharSet.of("ab"), CharSet.of("bb").complement(), CharSet.of("az")]
)
EXPRESSIONS: st.SearchStrategy[Expression] = st.recursive(
    CHARS.map(One) | st.text("ab", max_size=2).map(text),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: Concat(tuple(items))),
        st.lists(inner, max_size=3).map(lambda items: Choice(tuple(items))),
        st.builds(Repeat, inner, st.just(0)),
        st.builds(Repeat, inner, st.just(1), st.sampled_from((None, 1, 2))),
    ),
    max_leaves=5,
)
REGULAR = EXPRESSIONS.map(Regular)
AFFIX = st.text("ab", max_size=2)
WITHIN = st.builds(Within, st.one_of(PATTERNS, REGULAR), AFFIX, AFFIX)
LANGUAGES: st.SearchStrategy[TextSet] = st.one_of(PATTERNS, REGULAR, WITHIN)
PIECES: st.SearchStrategy[Piece] = st.one_of(
    st.text("ab", min_size=1, max_size=1),
    st.sampled_from((Step(ANY), Step(frozenset("a")), Loop(ANY), Loop(NO_COLON))),
)


@st.composite
def matches(draw: st.DrawFn) -> Matches:
    """One value between pieces, at most one stretch of which has no known length."""
    before = draw(st.lists(PIECES, max_size=2))
    loose = any(isinstance(piece, Loop) for piece in before)
    after = draw(st.lists(PIECES, max_size=2))
    if loose:
        after = [piece for piece in after if not isinstance(piece, Loop)]
    twice = [Put(OTHER)] if draw(st.integers(0, 3)) == 0 else []
    return Matches(ONE, (*before, *twice, Put(OTHER), *after))


@st.composite
def literals(draw: st.DrawFn) -> Term:
    if draw(st.integers(0, 4)) == 0:
        term: Term = conj((Present(ONE), Present(OTHER), draw(matches())))
        return draw(st.sampled_from((term, conj((Present(ONE), Present(OTHER), neg(term))))))
    key = draw(st.sampled_from((ONE, OTHER, SET, SET)))
    atom = Some(key, draw(LANGUAGES), draw(st.booleans()), draw(st.booleans()))
    action = Some(ACTION, language(draw(st.sampled_from(("s:*", "s:A", "s:B")))))
    guarded = conj((Present(key), atom))
    term = draw(st.sampled_from((Present(key), guarded, guarded, guarded, action)))
    return draw(st.sampled_from((term, neg(term))))


def formulas(leaves: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    return st.recursive(
        leaves,
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
    *(tuple(each) for n in range(4) for each in itertools.combinations(["", *TEXTS], n)),
]


def every_request() -> Iterator[Request]:
    others: list[ContextValue | None] = [None, *(FEW.values or ())]
    for action, one, other, values in itertools.product(ACTIONS, SINGLE, others, SETS):
        if one is None or action == "s:A":
            keys = {ONE: one, OTHER: other, SET: values}
            yield Request(ME, action, "r", {k: v for k, v in keys.items() if v is not None})


REQUESTS = list(every_request())


@engines
@settings(max_examples=100)
@given(formula=formulas(literals()))
def test_an_engine_finds_a_request_iff_there_is_one(engine: Strings, formula: Term) -> None:
    found = prover(engine).smallest(conj((SPACE.rules(), formula)))
    expected = any(holds(formula, request) for request in REQUESTS)
    # Sets of more values than are tried may fulfil what smaller ones do not.
    assert (found is not None) or not expected
    if found is not None:
        assert isinstance(found, Witness)
        assert holds(formula, Request(ME, found.action, found.resource, found.keys))
        assert not found.shortest


# -- numbers, dates, addresses -----------------------------------------------------------------

NUMBER, DATE, EPOCH, ADDRESS = "k:number", "aws:tokenissuetime", "aws:epochtime", "aws:sourceip"
TYPED = RequestSpace(ME, ("s:A",), ("r",), domains=GLOBAL_DOMAINS)
RELATIONS = st.sampled_from(
    (
        Relation.EQUALS,
        Relation.LESS_THAN,
        Relation.LESS_THAN_EQUALS,
        Relation.GREATER_THAN,
        Relation.GREATER_THAN_EQUALS,
    )
)
NETWORKS = st.sampled_from(
    ["10.0.0.0/8", "10.1.0.0/16", "10.1.0.1/32", "0.0.0.0/0", "2001:db8::/32", "::/0"]
).map(ip_network)
NUMBERS = [Fraction(n) for n in ("-1", "0", "0.5", "1", "10000", "10001", "99999999999")]


@st.composite
def typed_literals(draw: st.DrawFn) -> Term:
    key = draw(st.sampled_from((NUMBER, DATE, EPOCH, ADDRESS, SET)))
    bounds = st.lists(st.tuples(RELATIONS, st.sampled_from(NUMBERS)), min_size=1, max_size=2).map(
        tuple
    )
    typed: TypedSet
    if key == ADDRESS:
        typed = Addresses(tuple(draw(st.lists(NETWORKS, min_size=1, max_size=2))))
    else:
        kind = Family.NUMERIC if key in (NUMBER, SET) else Family.DATE
        typed = Quantities(kind, draw(bounds))
    atom = Some(key, typed, draw(st.booleans()), draw(st.booleans()))
    nothing = Some(key, Language([]), complemented=True, nonempty=True)
    guarded = conj((Present(key), draw(st.sampled_from((atom, atom, atom, nothing)))))
    return draw(st.sampled_from((guarded, neg(guarded), conj((Present(key), neg(guarded))))))


@engines
@settings(max_examples=100)
@given(formula=formulas(typed_literals()))
def test_typed_values_are_found_iff_the_automata_find_them(engine: Strings, formula: Term) -> None:
    ours = Solver(TYPED, frozenset({SET}), Budget.of(20)).smallest(formula)
    theirs = prover(engine, TYPED).smallest(formula)
    assert (ours is None) == (theirs is None)
    if isinstance(theirs, Witness):
        assert holds(formula, Request(ME, theirs.action, theirs.resource, theirs.keys))


# -- values made of values ----------------------------------------------------------------------


def related(*pieces: Piece) -> tuple[Term, Matches]:
    return conj((Present(ONE), Present(OTHER))), Matches(ONE, pieces)


@engines
def test_a_value_anywhere_in_another(engine: Strings) -> None:
    both, atom = related(Loop(ANY), Put(OTHER), Loop(ANY))
    is_ab = Some(OTHER, language("bb"))
    found = prover(engine).smallest(conj((both, atom, is_ab)))
    assert isinstance(found, Witness)
    assert found.keys == {ONE: "bb", OTHER: "bb"}
    start = Some(ONE, language("bb"))
    assert prover(engine).smallest(conj((both, neg(atom), is_ab, start))) is None


@engines
def test_what_is_cut_in_several_unknown_places_is_exact_where_it_must_hold(
    engine: Strings,
) -> None:
    both, atom = related(Loop(ANY), Put(OTHER), "b", Loop(ANY))
    found = prover(engine).smallest(conj((both, atom)))
    assert isinstance(found, Witness)
    assert found.keys == {ONE: "ab", OTHER: "a"}
    with pytest.raises(NotSupportedError, match="must not match"):
        prover(engine).smallest(conj((both, neg(atom))))


def test_without_case_z3_does_not_guess() -> None:
    both, atom = related(Step(frozenset("aA")), Put(OTHER, ignore_case=True))
    with pytest.raises(NotSupportedError, match="to_lower"):
        prover(Z3).smallest(conj((both, atom)))


@needs_cvc5
def test_without_case_cvc5_knows_ascii() -> None:
    space = RequestSpace(
        ME,
        ("s:A",),
        ("r",),
        domains={ONE: Domain(values=("XAb", "aa")), OTHER: Domain(values=("aB", "bb"))},
    )
    both, atom = related(Step(frozenset("xX")), Put(OTHER, ignore_case=True))
    found = prover(CVC5, space).smallest(conj((both, atom)))
    assert isinstance(found, Witness)
    assert found.keys == {ONE: "XAb", OTHER: "aB"}
    open_space = RequestSpace(ME, ("s:A",), ("r",))
    with pytest.raises(NotSupportedError, match="more than ASCII"):
        prover(CVC5, open_space).smallest(conj((both, atom)))


# -- what has no exact encoding ----------------------------------------------------------------


@engines
def test_a_key_compared_as_a_text_and_as_a_value_is_not_supported(engine: Strings) -> None:
    number = Quantities(Family.NUMERIC, ((Relation.LESS_THAN, Fraction(5)),))
    mixed = conj((Present(NUMBER), Some(NUMBER, number), Some(NUMBER, language("1*"))))
    with pytest.raises(NotSupportedError, match="k:number is compared as a text and as a value"):
        prover(engine, TYPED).smallest(mixed)


@engines
def test_a_character_beyond_the_theory_is_not_supported(engine: Strings) -> None:
    with pytest.raises(NotSupportedError, match="U\\+10FFFF"):
        prover(engine).smallest(conj((Present(ONE), Some(ONE, Language([literal("\U0010ffff")])))))


@engines
def test_odd_characters_come_back_as_they_went(engine: Strings) -> None:
    odd = 'a"\\u{41}\n\u00e9\U0001f600'
    space = RequestSpace(ME, ("s:A",), ("r",))
    found = prover(engine, space).smallest(
        conj((Present(ONE), Some(ONE, Language([literal(odd)]))))
    )
    assert isinstance(found, Witness)
    assert found.keys == {ONE: odd}


# -- conditions without a theory, budgets --------------------------------------------------------

OPAQUE = Opaque(OTHER, OTHER, "NumericLessThan", ("5",), Place("p.json", "$"))


@engines
def test_what_rests_on_an_opaque_condition_is_blocked(engine: Strings) -> None:
    assert prover(engine).smallest(conj((Present(OTHER), OPAQUE))) == Blocked((OPAQUE,))


@engines
def test_what_can_do_without_an_opaque_condition_is_not(engine: Strings) -> None:
    either = disj((conj((Present(OTHER), OPAQUE)), Present(SET)))
    assert isinstance(prover(engine).smallest(either), Witness)


@engines
def test_a_contradiction_under_an_opaque_condition_is_refuted(engine: Strings) -> None:
    nowhere = conj((Present(ONE), neg(Present(ONE)), OPAQUE))
    assert prover(engine).smallest(nowhere) is None


@engines
def test_too_many_opaque_conditions_are_not_supported(engine: Strings) -> None:
    many = [Opaque(OTHER, OTHER, str(i), (), Place("p.json", "$")) for i in range(9)]
    with pytest.raises(NotSupportedError, match="more than 8"):
        prover(engine).smallest(conj((Present(OTHER), *many)))


@engines
def test_a_budget_that_is_used_up_gives_no_answer(engine: Strings) -> None:
    used_up = engine.prover(SPACE, frozenset(), Budget.of(-1))
    with pytest.raises(BudgetExceededError):
        used_up.smallest(Present(ONE))
