"""Lemmas are exact: the checker's own searches against trying values one by one."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from certificate_helpers import policy
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.certificate.keys import ANY_TEXT, Texts
from tenantproof.certificate.matchers import Matcher, matcher_of, models_matcher
from tenantproof.certificate.texts import Effort, Kind, Language, TooLargeError, is_empty
from tenantproof.certificate.values import UnsupportedError, has_value
from tenantproof.reading import DOCUMENTED

SMALL = Texts(("a", "c"), (":", "c"), 0, 4)
WORDS = ["".join(w) for n in range(5) for w in itertools.product("ab:", repeat=n)]
ITEMS = st.sampled_from(
    [
        *((Kind.EXACT, c) for c in "ab:"),
        (Kind.FOLDED, "a"),
        *((kind, "") for kind in (Kind.ANY, Kind.NO_COLON, Kind.GAP, Kind.GAP_NO_COLON)),
    ]
)
LANGUAGES = st.lists(st.lists(ITEMS, max_size=5).map(tuple), max_size=3)


def accepts(pattern: tuple[tuple[Kind, str], ...], text: str) -> bool:
    """The meaning of a pattern, by plain recursion."""
    if not pattern:
        return not text
    (kind, char), rest = pattern[0], pattern[1:]
    if kind in (Kind.GAP, Kind.GAP_NO_COLON):
        stop = len(text) if kind is Kind.GAP or ":" not in text else text.index(":")
        return any(accepts(rest, text[i:]) for i in range(stop + 1))
    if not text:
        return False
    fits = {
        Kind.EXACT: text[0] == char,
        Kind.FOLDED: text[0].lower() == char,
        Kind.ANY: True,
        Kind.NO_COLON: text[0] != ":",
    }[kind]
    return fits and accepts(rest, text[1:])


@settings(max_examples=300)
@given(st.lists(LANGUAGES, max_size=2), st.lists(LANGUAGES, max_size=2), st.sampled_from([0, 1, 3]))
def test_emptiness_is_what_trying_all_texts_says(inside: Any, outside: Any, shortest: int) -> None:
    domain = Texts(("a", "c"), (":", "c"), shortest, 4)
    alphabet = "abc:;A"
    words = (w for n in range(5) for w in map("".join, itertools.product(alphabet, repeat=n)))
    found = any(
        word in domain
        and all(any(accepts(p, word) for p in one) for one in inside)
        and not any(accepts(p, word) for one in outside for p in one)
        for word in words
    )
    languages = [[Language.of(patterns) for patterns in side] for side in (inside, outside)]
    assert is_empty(*languages, domain, Effort()) is not found


@given(LANGUAGES, st.sampled_from(WORDS))
def test_a_language_accepts_what_one_of_its_patterns_does(patterns: Any, word: str) -> None:
    language = Language.of(patterns)
    state = language.start
    for char in word:
        state = language.step(state, char)
    assert bool(state & language.accept) is any(accepts(p, word) for p in patterns)


def test_the_longest_text_counts() -> None:
    long = Language.of([((Kind.ANY, ""),) * 6])
    assert is_empty([long], [], Texts(longest=5), Effort())
    assert not is_empty([long], [], Texts(longest=6), Effort())
    assert not is_empty([long], [], ANY_TEXT, Effort())


def test_a_first_character_of_its_own_counts() -> None:
    space = Language.of([((Kind.EXACT, " "), (Kind.GAP, ""))])
    domain = Texts(("!", "~"), (" ", "~"), 1, 10)
    assert is_empty([space], [], domain, Effort())
    assert not is_empty([space], [], Texts((" ", "~"), (" ", "~"), 1, 10), Effort())


def test_a_character_that_no_pattern_names_counts() -> None:
    letters = Language.of([((Kind.EXACT, c),) for c in "ab"])
    one = Language.of([((Kind.ANY, ""),)])
    assert not is_empty([one], [letters], Texts(("a", "c"), ("a", "c")), Effort())
    assert is_empty([one], [letters], Texts(("a", "b"), ("a", "b")), Effort())


def test_characters_that_fold_alike_count() -> None:
    k = Language.of([((Kind.FOLDED, "k"),)])
    plain = Language.of([((Kind.EXACT, "k"),), ((Kind.EXACT, "K"),)])
    assert not is_empty([k], [plain], ANY_TEXT, Effort())  # the Kelvin sign
    assert is_empty([k], [plain], Texts(("!", "~"), ("!", "~")), Effort())


def test_a_search_that_explodes_is_given_up() -> None:
    tail = ((Kind.GAP, ""), (Kind.EXACT, "a"), *(((Kind.ANY, ""),) * 24))
    other = ((Kind.GAP, ""), (Kind.EXACT, "b"), *(((Kind.ANY, ""),) * 24))
    with pytest.raises(TooLargeError):
        is_empty([Language.of([tail]), Language.of([other])], [], ANY_TEXT, Effort())


def matcher(operator: str, *values: str) -> Matcher:
    statement = {
        "Effect": "Allow",
        "Action": "*",
        "Resource": "*",
        "Condition": {operator: {"x:y": list(values)}},
    }
    condition = policy(statement).statements[0].conditions[0]
    return matcher_of(condition, {}, DOCUMENTED)


NUMBERS = ["0", "1", "1.0", "-2.5", "3600", "1e3", "0.1", "1E-9"]
DATES = ["2026", "2026-01-31T12:00:00.000000000000000001Z", "2026-01-31T12:00:00Z", "1769860800"]
NETWORKS = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.1", "255.255.255.255", "2001:db8::/32", "::/0"]
TYPED = {
    "Numeric": (NUMBERS, [*NUMBERS, "2", "999999", "-7", "0.05", "x", "", "1e-99"]),
    "Date": (DATES, [*DATES, "0", "1999", "2026-01-31T12:00:00.5Z", "-5", "2030-01", "x", ""]),
    "Ip": (NETWORKS, ["10.0.0.1", "10.0.0.2", "11.1.1.1", "2001:db8::1", "::1", "x", "", "1/8"]),
    "Binary": (["", "QUJD", "QUJE"], ["", "QUJD", "QUJE", "QQ==", "!", "===="]),
    "Bool": (["true", "false"], ["true", "FALSE", "x", ""]),
}


@st.composite
def typed(draw: st.DrawFn) -> tuple[list[tuple[Matcher, bool]], list[str]]:
    family = draw(st.sampled_from(sorted(TYPED)))
    wanted, values = TYPED[family]
    relations = ["Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
    names = {
        "Ip": ["IpAddress"],
        "Binary": ["BinaryEquals"],
        "Bool": ["Bool"],
    }.get(family, [family + relation for relation in relations])
    demands = [
        (
            matcher(
                draw(st.sampled_from(names)),
                *draw(st.lists(st.sampled_from(wanted), min_size=1, max_size=2)),
            ),
            draw(st.booleans()),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    return demands, values


@settings(max_examples=300)
@given(typed(), st.sampled_from([None, True, False]))
def test_what_some_value_fulfils_is_not_contradictory(drawn: Any, filled: bool | None) -> None:
    demands, values = drawn
    fits = any(
        (filled is None or bool(value) is filled)
        and all(one.matches(value) is holds for one, holds in demands)
        for value in values
    )
    found = has_value(demands, filled, ANY_TEXT, Effort())
    assert found or not fits


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ([("NumericLessThan", "60", True), ("NumericGreaterThan", "70", True)], False),
        ([("NumericLessThan", "60", True), ("NumericGreaterThan", "59.99", True)], True),
        ([("NumericLessThanEquals", "60", True), ("NumericLessThan", "60", False)], True),
        ([("NumericLessThan", "6", False), ("NumericGreaterThanEquals", "6", False)], True),
        ([("DateLessThan", "2026", True), ("DateGreaterThan", "2027", True)], False),
        ([("DateGreaterThan", "0", True), ("DateLessThan", "0.000000000000000001", True)], False),
        ([("DateGreaterThan", "0", True), ("DateLessThan", "0.000000000000000002", True)], True),
        ([("IpAddress", "10.0.0.0/8", True), ("IpAddress", "10.0.0.0/9", False)], True),
        ([("IpAddress", "10.0.0.0/9", True), ("IpAddress", "10.0.0.0/8", False)], False),
        ([("IpAddress", "0.0.0.0/0", False), ("IpAddress", "::/0", False)], True),
        ([("Bool", "true", True), ("Bool", "false", True)], False),
        ([("Bool", "true", False), ("Bool", "false", False)], True),
        ([("BinaryEquals", "QUJD", True), ("BinaryEquals", "QUJE", True)], False),
        ([("StringEquals", "10.0.0.1", True), ("IpAddress", "10.0.0.0/8", False)], False),
        ([("StringEquals", "a:b", True), ("ArnLike", "arn:*", True)], False),
        ([("StringLike", "*", False)], False),
        ([("StringEquals", "*", False), ("StringLike", "?", True)], True),
    ],
)
def test_contradictions(demands: list[tuple[str, str, bool]], expected: bool) -> None:
    wanted = [(matcher(operator, value), holds) for operator, value, holds in demands]
    assert has_value(wanted, None, ANY_TEXT, Effort()) is expected


def test_kinds_that_do_not_mix_are_refused() -> None:
    mixed = [(matcher("StringLike", "10.*"), True), (matcher("IpAddress", "11.0.0.0/8"), True)]
    with pytest.raises(UnsupportedError):
        has_value(mixed, None, ANY_TEXT, Effort())


@pytest.mark.parametrize("value", ["1e9999", "-1e-9999", "9" * 5000])
def test_numbers_out_of_proportion_are_given_up(value: str) -> None:
    with pytest.raises(TooLargeError):
        has_value([(matcher("NumericLessThan", value), True)], None, ANY_TEXT, Effort())


def test_no_text_but_the_empty_one_is_no_bytes() -> None:
    empty = matcher("BinaryEquals", "")
    tried = ["".join(t) for n in range(1, 9) for t in itertools.product("=A", repeat=n)]
    assert not any(empty.matches(text) for text in [*tried, " ", "\n", "\0"])


@given(st.text("ab*?.", max_size=4), st.text("ab*?.", max_size=4))
def test_the_patterns_of_the_manifest_are_those_of_string_like(pattern: str, word: str) -> None:
    models = models_matcher("x:y", (pattern,))
    if pattern:
        assert models.matches(word) is matcher("StringLike", pattern).matches(word), json.dumps(
            pattern
        )
