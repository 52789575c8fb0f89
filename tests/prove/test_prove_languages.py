"""The automata: what patterns accept, and the shortest text inside and outside languages."""

from __future__ import annotations

import itertools
import re
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenantproof.errors import BudgetExceededError
from tenantproof.prove import Budget, CharRange, Domain, Language, language, shortest_member
from tenantproof.prove import search as search_module
from tenantproof.prove.languages import (
    NO_COLON,
    PatternBuilder,
    case_variants,
    literal,
)

PATTERNS = st.text("ab*?/", max_size=6)
SMALL = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"), max_length=5)


def matches(pattern: str, text: str) -> bool:
    """The oracle: the pattern as a regular expression."""
    translated = "".join({"*": "(?s:.)*", "?": "(?s:.)"}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(translated, text) is not None


@given(st.lists(PATTERNS, max_size=4), st.text("ab/c", max_size=8))
def test_a_union_accepts_what_one_pattern_matches(patterns: list[str], text: str) -> None:
    expected = any(matches(pattern, text) for pattern in patterns)
    assert language(*patterns).accepts(text) is expected


def all_texts(alphabet: str, most: int) -> list[str]:
    return [
        "".join(chars)
        for length in range(most + 1)
        for chars in itertools.product(alphabet, repeat=length)
    ]


ALL_AB = all_texts("ab", 5)
LANGUAGES = st.lists(st.text("ab*?", max_size=6), max_size=3)


@settings(max_examples=400)
@given(st.lists(LANGUAGES, max_size=2), st.lists(LANGUAGES, max_size=2))
@example([["*a"]], [["*a?", "a"]])
@example([["*"]], [["?", "??", "b*", "*b"]])
def test_the_shortest_member_is_what_trying_all_texts_finds(
    inside: list[list[str]], outside: list[list[str]]
) -> None:
    def is_member(text: str) -> bool:
        return all(any(matches(p, text) for p in each) for each in inside) and not any(
            matches(p, text) for each in outside for p in each
        )

    found = shortest_member(
        [language(*each) for each in inside], [language(*each) for each in outside], SMALL
    )
    # ALL_AB is ordered by length and then by the alphabet, as witnesses are.
    assert found == next(filter(is_member, ALL_AB), None)


def test_a_text_long_enough_is_found_behind_shorter_ones() -> None:
    domain = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"), min_length=3)
    assert shortest_member([], [], domain) == "aaa"
    assert shortest_member([language("*")], [language("a*")], domain) == "baa"


@given(st.lists(PATTERNS, max_size=3), st.lists(PATTERNS, max_size=3))
def test_a_member_of_any_text_is_one(inside: list[str], outside: list[str]) -> None:
    found = shortest_member([language(*inside)], [language(*outside)])
    if found is not None:
        assert any(matches(p, found) for p in inside)
        assert not any(matches(p, found) for p in outside)


@pytest.mark.parametrize("fork", ["*a?b", "*a?a?a", "?*b*a?", "*ab*ab*?a"])
def test_a_language_is_within_itself(fork: str) -> None:
    one = language(fork, "x/*")
    assert shortest_member([one], [language("y", fork, "x/*")]) is None


def test_the_domain_bounds_characters_and_length() -> None:
    domain = Domain(
        initial=CharRange("!", "~"), rest=CharRange(" ", "~"), min_length=1, max_length=3
    )
    assert shortest_member([language(" *")], [], domain) is None
    assert shortest_member([language("é*")], [], domain) is None
    assert shortest_member([language("????")], [], domain) is None
    assert shortest_member([language("*")], [language("?", "??")], domain) == "aaa"
    assert shortest_member([language("*")], [language("?", "??", "???")], domain) is None
    for text, expected in {"a b": True, " ab": False, "": False, "abcd": False, "é": False}.items():
        assert (text in domain) is expected


def test_the_last_free_character_is_found() -> None:
    """Where patterns use up every plain character, the witness takes one that is left."""
    printable = [chr(code) for code in range(0x20, 0x7F) if chr(code) not in "*?"]
    used = language(*(f"{char}*" for char in printable if char != "~"))
    domain = Domain(initial=CharRange("!", "~"), rest=CharRange(" ", "~"), min_length=1)
    assert shortest_member([language("*")], [used], domain) == "*"
    star = Language([*used.patterns, literal("*"), literal("?")])
    assert shortest_member([language("?")], [star], domain) == "~"


def test_plain_characters_go_first() -> None:
    assert shortest_member([language("x?")], [language("xa", "xb")]) == "xc"


def test_a_colon_ends_a_segment() -> None:
    segment = Language([PatternBuilder().many(NO_COLON).text(":b").build()])
    assert segment.accepts("aa:b")
    assert not segment.accepts("a:a:b")
    assert shortest_member([segment], [Language([literal(":b")])]) == "a:b"


def test_values_that_are_few_are_tried_in_order() -> None:
    domain = Domain(values=("b", "a"))
    assert shortest_member([language("?")], [], domain) == "b"
    assert shortest_member([language("?")], [language("b")], domain) == "a"
    assert shortest_member([language("c")], [], domain) is None


def test_control_and_private_characters_are_characters() -> None:
    odd = "\0\uffff\U000f0000"
    exact = Language([literal(odd), literal("\0")])
    assert exact.accepts(odd)
    assert exact.accepts("\0")
    assert not exact.accepts("\uffff")
    assert language(f"{odd}*").accepts(f"{odd}x")


def test_a_budget_of_states_ends_a_search() -> None:
    hard = [f"*{c}{'?' * 12}*" for c in "ab"]
    domain = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"))
    with pytest.raises(BudgetExceededError, match="more than 100 automaton states"):
        shortest_member([language("?" * 13 + "*")], [language(*hard)], domain, Budget(None, 100))


def test_a_budget_of_time_ends_a_search() -> None:
    with pytest.raises(BudgetExceededError, match="--timeout"):
        shortest_member([language("abc*")], [], budget=Budget.of(0))


def case_key(char: str) -> str:
    up = char.upper() if len(char.upper()) == 1 else char
    return up.lower() if len(up.lower()) == 1 else up


@pytest.mark.slow
def test_case_variants_are_what_one_pass_over_unicode_gives() -> None:
    classes: dict[str, set[str]] = {}
    for char in map(chr, range(sys.maxunicode + 1)):
        classes.setdefault(case_key(char), set()).add(char)
    for chars in classes.values():
        for char in chars:
            if len(chars) > 1 or char.isascii():
                assert case_variants(char) == chars, char


# -- patterns made to blow up --------------------------------------------------------------------

QUESTIONS = [f"*{char}{'?' * count}" for count in range(10, 20) for char in "abcdef"]
TARGETS = Domain(CharRange("!", "~"), CharRange(" ", "~"), min_length=1, max_length=1024)


@pytest.mark.parametrize(
    ("inside", "outside"),
    [
        ([["*a" + "?" * 17]], [["*a" + "?" * 17 + "*"]]),
        ([QUESTIONS], [[f"{pattern}*" for pattern in QUESTIONS]]),
        ([[pattern] for pattern in QUESTIONS[:40]], []),
        ([[pattern] for pattern in QUESTIONS[:20]], [[f"{p}b*" for p in QUESTIONS[20:40]]]),
        ([["*a" + "?" * 17, "x*"]], [["*a" + "?" * 17 + "*", "x*"]]),
    ],
)
def test_patterns_made_to_blow_up_have_an_answer(
    inside: list[list[str]], outside: list[list[str]]
) -> None:
    """Forward, backward, or by what one state accepts of another: with few states."""
    budget = Budget(max_states=20_000)
    asked = [[language(*each) for each in listed] for listed in (inside, outside)]
    assert shortest_member(*asked, TARGETS, budget) is None


@settings(max_examples=200)
@given(st.lists(LANGUAGES, max_size=2), st.lists(LANGUAGES, max_size=2))
def test_texts_read_from_their_ends(inside: list[list[str]], outside: list[list[str]]) -> None:
    asked = [[language(*each) for each in listed] for listed in (inside, outside)]
    for domain in (SMALL, Domain(CharRange("a", "a"), CharRange("a", "b"), 1, 5), TARGETS):
        forward = search_module._search(*asked, domain, Budget())
        backward = search_module._search_from_the_end(*asked, domain, Budget())
        assert (forward is None) == (backward is None)
        if forward is not None and backward is not None:
            assert len(forward) == len(backward)
            assert backward in domain


@given(LANGUAGES, LANGUAGES, st.text("ab", max_size=6))
def test_a_state_within_another_accepts_no_more(
    one: list[str], other: list[str], text: str
) -> None:
    left, right = language(*one), language(*other)
    for state, within in left.states_within(right).items():
        if _accepts_from(left, state, text):
            bits = (1 << at for at in range(within.bit_length()) if within >> at & 1)
            assert all(_accepts_from(right, bit, text) for bit in bits)


def _accepts_from(automaton: Language, state: int, text: str) -> bool:
    for char in text:
        state = automaton.step(state, char)
    return automaton.accepting(state)
