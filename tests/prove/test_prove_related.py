"""Values that depend on each other: against trying everything, and the theorems of tenants."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tenantproof.errors import BoundedError
from tenantproof.prove import Budget, CharRange, Domain, language
from tenantproof.prove.formula import Loop, Matches, Piece, Put, Some, SomeMatches, Step
from tenantproof.prove.languages import ANY, NO_COLON
from tenantproof.prove.regular import CharSet, Concat, One, Regular, Repeat
from tenantproof.prove.related import Related, related_values
from tenantproof.prove.related_sets import related_sets

AB = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"), min_length=1)
AB_OR_EMPTY = Domain(initial=CharRange("a", "b"), rest=CharRange("a", "b"))
STAR = Loop(ANY)

pieces: st.SearchStrategy[Piece] = st.one_of(
    st.sampled_from(("a", "b", "ab")),
    st.just(STAR),
    st.just(Step(ANY)),
    st.builds(Put, st.sampled_from(("t", "u"))),
)
SUBJECTS = ("m", "n", "t", "u")


@st.composite
def matches(draw: st.DrawFn) -> Matches:
    subject = draw(st.sampled_from(("m", "m", "n", "t")))
    listed = draw(st.lists(pieces, min_size=1, max_size=4))
    put = Put("u" if subject == "t" else draw(st.sampled_from(("t", "u"))))
    at = draw(st.integers(0, len(listed)))
    kept = [p for p in listed if p != Put(subject)]
    return Matches(subject, (*kept[:at], put, *kept[at:]))


some = st.builds(
    lambda subject, pattern: Some(subject, language(pattern)),
    st.sampled_from(SUBJECTS),
    st.text("ab*?", min_size=1, max_size=3),
)
TEXTS = ["".join(chars) for n in range(4) for chars in itertools.product("ab", repeat=n)]


def everything(domains: Mapping[str, Domain]) -> list[dict[str, str]]:
    short = {"m": 3, "n": 2, "t": 2, "u": 2}
    choices = [[t for t in TEXTS if t in domains[s] and len(t) <= short[s]] for s in domains]
    return [dict(zip(domains, each, strict=True)) for each in itertools.product(*choices)]


@pytest.mark.slow
@settings(max_examples=200)
@given(
    st.dictionaries(matches(), st.booleans(), min_size=1, max_size=3),
    st.dictionaries(some, st.booleans(), max_size=2),
    st.sampled_from((AB, AB_OR_EMPTY)),
)
def test_what_is_not_found_is_not_there(
    related: dict[Matches, bool], unary: dict[Some, bool], domain: Domain
) -> None:
    subjects = {s for atom in related for s in atom.subjects} | {a.subject for a in unary}
    domains = {subject: domain for subject in SUBJECTS if subject in subjects}

    def fulfils(values: Mapping[str, str]) -> bool:
        return all(a.holds_for([values[a.subject]]) == h for a, h in unary.items()) and all(
            a.holds_for(values) == h for a, h in related.items()
        )

    try:
        found = related_values(domains, unary, related, Budget())
    except BoundedError:
        event("bounded")
        return
    event("found" if found else "none")
    if found is None:
        assert not any(map(fulfils, everything(domains)))
    else:
        assert fulfils(found.values)
        assert all(value in domain for value in found.values.values())
        smaller = map(total_length, filter(fulfils, everything(domains)))
        assert not found.smallest or total_length(found.values) <= min(smaller, default=99)


def test_a_value_that_is_compared_with_itself() -> None:
    same = Matches("m", (Put("m", True),))
    longer = Matches("m", (Put("m"), Step(ANY)))
    begins = Some("m", language("b*"))

    def found(holds: bool) -> object:
        literals = {same: True, longer: holds}
        return related_values({"m": AB}, {begins: True}, literals, Budget())

    assert found(False) == Related({"m": "b"}, smallest=True)
    assert found(True) is None


def total_length(values: Mapping[str, str]) -> int:
    return sum(map(len, values.values()))


NAMES = Repeat(One(CharSet.of("az", "AZ", "09", "--")), 1, 64)
TARGET = Domain(CharRange("!", "~"), CharRange(" ", "~"), min_length=1, max_length=1024)


def pair(
    allowed: tuple[Piece, ...], owned: tuple[Piece | str, ...], names: Regular
) -> dict[str, str] | None:
    """Two different names, and a model that the first may use and the second owns."""

    def put(subject: str) -> tuple[Piece, ...]:
        return tuple(Put(subject) if piece == "{}" else piece for piece in owned)

    domain = Domain(shape=names, min_length=1)
    related = {
        Matches("m", allowed): True,
        Matches("m", put("u")): True,
        Matches("u", (Put("t"),)): False,
    }
    found = related_values({"m": TARGET, "t": domain, "u": domain}, {}, related, Budget())
    return None if found is None else found.values


OWNED = ("{}", "/", STAR)
VERSIONED = ("models/", "{}", "/v", Step(ANY), "/", STAR)


@pytest.mark.parametrize(
    ("allowed", "owned"),
    [
        ((Put("t"), "/", STAR), OWNED),
        (("models/", Put("t"), "/v", Step(ANY), "/", STAR), VERSIONED),
        (("team-", Put("t"), "/", STAR), ("team-", "{}", "/", STAR)),
        (("x/", Put("t"), "/", STAR, "z"), ("x/", "{}", "/", STAR)),
    ],
)
def test_names_without_a_slash_are_kept_apart(
    allowed: tuple[Piece, ...], owned: tuple[Piece | str, ...]
) -> None:
    assert pair(allowed, owned, Regular(NAMES)) is None


@pytest.mark.parametrize(
    ("allowed", "names", "expected"),
    [
        ((Put("t"), STAR), NAMES, {"m": "aa/", "t": "a", "u": "aa"}),
        (("team-", Put("t"), "/", STAR), NAMES, {"m": "team-a/", "t": "a", "u": "team-a"}),
        ((Put("t", True), "/", STAR), NAMES, {"m": "a/", "t": "A", "u": "a"}),
        (
            (Put("t"), "/", STAR),
            Concat((One(CharSet.of("az")), Repeat(One(CharSet.of("az", "//"))))),
            {"m": "a//", "t": "a/", "u": "a"},
        ),
    ],
)
def test_the_smallest_pair_of_names(
    allowed: tuple[Piece, ...], names: Repeat | Concat, expected: dict[str, str]
) -> None:
    assert pair(allowed, OWNED, Regular(names)) == expected


def test_two_texts_that_hold_the_same_value() -> None:
    """The value lies at another place in each; both are read at the right shift."""
    related = {
        Matches("m", ("models/", Put("t"), "/", STAR)): True,
        Matches("n", ("role/", Put("t"))): True,
    }
    domains = {"m": TARGET, "n": TARGET, "t": Domain(shape=Regular(NAMES), min_length=1)}
    unary = {Some("m", language("models/acme/*")): True}
    found = related_values(domains, unary, related, Budget())
    assert found is not None
    assert found.values == {"m": "models/acme/", "n": "role/acme", "t": "acme"}
    unary[Some("n", language("role/acme"))] = False
    assert related_values(domains, unary, related, Budget()) is None


def test_a_value_after_a_star_within_a_segment() -> None:
    related = {
        Matches("m", ("arn:", Loop(NO_COLON), ":user/", Put("t"))): True,
        Matches("m", ("arn:", Loop(NO_COLON), ":user/", Put("t"), STAR)): False,
    }
    domains = {"m": TARGET, "t": Domain(shape=Regular(NAMES), min_length=1)}
    assert related_values(domains, {}, related, Budget()) is None


def test_where_no_shift_serves_the_answer_has_a_bound() -> None:
    """A value twice in one text, and its mirror: nothing short will do."""
    related = {
        Matches("m", (Put("t"), "/", Put("t"))): True,
        Matches("m", (STAR, "a/b", STAR)): False,
        Matches("m", (Put("t"), "/", Put("t"), STAR)): False,
    }
    domains = {"m": TARGET, "t": Domain(shape=Regular(NAMES), min_length=1)}
    with pytest.raises(BoundedError, match=r"up to [0-9]+ characters"):
        related_values(domains, {}, related, Budget())


# -- sets of values ------------------------------------------------------------------------------

set_atoms: st.SearchStrategy[Some | SomeMatches] = st.one_of(
    st.builds(
        lambda pattern, complemented, nonempty: Some(
            "k", language(pattern), complemented, nonempty
        ),
        st.text("ab*?", min_size=1, max_size=2),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(
        lambda pattern, pieces, complemented: SomeMatches(
            "k", language(*pattern), tuple(map(tuple, pieces)), complemented
        ),
        st.lists(st.text("ab*?", min_size=1, max_size=2), max_size=1),
        st.lists(
            st.sampled_from(([Put("t")], [Put("t"), STAR], ["a", Put("t")], [Put("t"), Put("u")])),
            min_size=1,
            max_size=2,
        ),
        st.booleans(),
    ),
)


@settings(max_examples=150)
@given(
    st.dictionaries(set_atoms, st.booleans(), min_size=1, max_size=3),
    st.dictionaries(some.filter(lambda atom: atom.subject in "tu"), st.booleans(), max_size=1),
)
def test_a_set_that_is_not_found_is_not_there(
    sets: dict[Some | SomeMatches, bool], unary: dict[Some, bool]
) -> None:
    def fulfils(values: tuple[str, ...], texts: Mapping[str, str]) -> bool:
        return all(
            (a.holds_for(values, texts) if isinstance(a, SomeMatches) else a.holds_for(values)) == h
            for a, h in sets.items()
        ) and all(a.holds_for([texts[a.subject]]) == h for a, h in unary.items())

    domains = {"k": AB_OR_EMPTY, "t": AB_OR_EMPTY, "u": AB_OR_EMPTY}
    try:
        found = related_sets(domains, sets, unary, Budget())
    except BoundedError:
        return
    if found.values is not None:
        held = found.values["k"]
        assert isinstance(held, tuple)
        assert fulfils(held, {s: v for s, v in found.values.items() if isinstance(v, str)})
        return
    short = [text for text in TEXTS if len(text) <= 2]
    few = [values for n in range(3) for values in itertools.combinations(short, n)]
    for t, u, values in itertools.product(short[:4], short[:4], few):
        assert not fulfils(values, {"t": t, "u": u})
