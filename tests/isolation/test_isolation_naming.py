"""Naming rules: what they accept is what ``re`` accepts, and what is refused is named."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantproof.isolation.naming import NamingError, parse_rule
from tenantproof.prove import language
from tenantproof.prove.automata import Placed
from tenantproof.prove.regular import Without

atoms = st.sampled_from(("a", "b", "-", "[a-c]", "[^b]", "[]a]", "[a-]", r"\d", r"\w", r"\.", "."))
rules: st.SearchStrategy[str] = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: f"({'|'.join(each)})"),
        st.tuples(inner, st.sampled_from(("*", "+", "?", "{2}", "{1,3}", "{2,}"))).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(rules, st.text("abc-.1]^", max_size=6))
def test_a_rule_accepts_what_the_regular_expression_does(rule: str, name: str) -> None:
    assert parse_rule(rule).accepts(name) is (re.fullmatch(rule, name) is not None)


@pytest.mark.parametrize("rule", ["^[a-z]+$", "[a-z]+", "^[a-z]+"])
def test_anchors_around_a_rule_add_nothing(rule: str) -> None:
    assert parse_rule(rule).accepts("acme")
    assert not parse_rule(rule).accepts("acme1")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("(?=a)b", "found '?' at character 2, expected a plain group"),
        ("(?P<n>a)", "found '?' at character 2, expected a plain group"),
        ("(a)\\1", "expected \\d, \\w, \\s or a special character"),
        ("a*?", "expected one quantifier"),
        ("a++", "expected one quantifier"),
        ("*a", "found '*' at character 1, expected a character, a class or a group"),
        ("a)", "found ')' at character 2, expected an end"),
        ("(a", "found the end at character 3, expected )"),
        ("[a", "expected ] to end the class"),
        ("[z-a]", "expected one from a lower to a higher character"),
        ("a{3,2}", "expected at most 1024, the larger last"),
        ("a{99999}", "expected at most 1024"),
        ("a{x}", "expected a number, as in {2,30}"),
        ("a$b", "found '$' at character 2"),
        ("((a{1000}){1000})", "more than 4096 positions"),
        ("(" * 5000 + "a" + ")" * 5000, "nested too deeply"),
    ],
)
def test_what_is_no_regular_language_is_refused(rule: str, message: str) -> None:
    with pytest.raises(NamingError) as raised:
        parse_rule(rule)
    assert message in str(raised.value)


EXCLUDED = st.lists(st.text("ab-*?", max_size=4), min_size=1, max_size=3)


@given(
    st.sampled_from(("[ab]{1,3}", "[ab-]*", "a(b|-)*", "(ab)*", "a?b?-?", "[^a]*", "(a|ab|b)+")),
    EXCLUDED,
)
def test_names_without_those_excluded(rule: str, excluded: list[str]) -> None:
    names, taken = parse_rule(rule), language(*excluded)
    kept = Without(names, taken)
    placed = Placed(kept, language("", "a*"), language("/?"))
    for word in ("".join(chars) for n in range(5) for chars in product("ab-", repeat=n)):
        expected = names.accepts(word) and not taken.accepts(word)
        assert kept.accepts(word) is expected
        assert placed.accepts(f"{word}/x") is (
            expected
            or (word[:1] == "a" and any(kept.accepts(word[at:]) for at in range(1, len(word) + 1)))
        )
