"""Numbers, dates and addresses: representatives against every value of a small range."""

from __future__ import annotations

from fractions import Fraction
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantproof.errors import BudgetExceededError
from tenantproof.policy.literals import parse_address, parse_binary, parse_date, parse_number
from tenantproof.policy.syntax import Family, Relation
from tenantproof.prove import Budget, Domain, Some, language, shortest_member
from tenantproof.prove.search import ANY_TEXT
from tenantproof.prove.space import GLOBAL_DOMAINS
from tenantproof.prove.theories import single_value, value_set
from tenantproof.prove.typed import (
    Addresses,
    Quantities,
    TypedSet,
    addresses_shape,
    base64_texts,
    shape,
    simplest_between,
)

ORDER = (
    Relation.EQUALS,
    Relation.LESS_THAN,
    Relation.LESS_THAN_EQUALS,
    Relation.GREATER_THAN,
    Relation.GREATER_THAN_EQUALS,
)
halves = st.integers(-6, 6).map(lambda n: Fraction(n, 2))


def quantities(kind: Family) -> st.SearchStrategy[Quantities]:
    bounds = st.lists(st.tuples(st.sampled_from(ORDER), halves), min_size=1, max_size=3)
    return bounds.map(lambda each: Quantities(kind, tuple(each)))


NETWORKS = ["10.0.0.0/30", "10.0.0.1", "10.0.0.2/31", "0.0.0.0/0", "::/126", "::1", "::/0"]
addresses: st.SearchStrategy[Addresses] = st.lists(
    st.sampled_from(NETWORKS), min_size=1, max_size=3
).map(lambda texts: Addresses(tuple(map(ip_network, texts))))

QUARTERS = [str(n / 4) for n in range(-16, 17)]
EVERY = {
    Family.NUMERIC: [*QUARTERS, "x"],
    Family.DATE: [*QUARTERS, "x"],
    Family.IP_ADDRESS: [
        *(f"10.0.0.{n}" for n in range(6)),
        "9.9.9.9",
        *map(str, map(IPv6Address, range(6))),
        "x",
    ],
}


def sets(kind: Family) -> st.SearchStrategy[TypedSet]:
    return addresses if kind is Family.IP_ADDRESS else quantities(kind)


@given(st.data(), st.sampled_from(list(EVERY)))
def test_a_value_is_found_where_there_is_one(data: st.DataObject, kind: Family) -> None:
    literals = {
        Some("k", each): data.draw(st.booleans())
        for each in data.draw(st.lists(sets(kind), min_size=1, max_size=4))
    }

    def fulfils(text: str) -> bool:
        return all(atom.holds_for([text]) == holds for atom, holds in literals.items())

    found = single_value(literals, ANY_TEXT, Budget())
    assert (found is not None) == any(map(fulfils, EVERY[kind]))
    assert found is None or fulfils(found)


@given(st.data(), st.sampled_from(list(EVERY)))
def test_a_set_of_values_is_found_where_there_is_one(data: st.DataObject, kind: Family) -> None:
    """Each atom that must hold needs a value, inside all that the others ask of every value."""
    atoms = data.draw(st.lists(sets(kind), min_size=1, max_size=3))
    literals = {
        Some("k", each, complemented=data.draw(st.booleans())): data.draw(st.booleans())
        for each in atoms
    }
    every = EVERY[kind]

    def one(atom: Some, text: str) -> bool:
        universal = all(not a.holds_for([text]) for a, holds in literals.items() if not holds)
        return atom.holds_for([text]) and universal

    possible = all(any(one(a, text) for text in every) for a, holds in literals.items() if holds)
    found = value_set(literals, ANY_TEXT, Budget())
    assert (found is not None) == possible
    if found is not None:
        assert all(atom.holds_for(found) == holds for atom, holds in literals.items())


def test_a_key_that_always_holds_an_address_holds_one() -> None:
    domain = GLOBAL_DOMAINS["aws:sourceip"]
    everything = Addresses((IPv4Network("0.0.0.0/0"), IPv6Network("::/0")))
    assert single_value({Some("k", everything): False}, domain, Budget()) is None
    private = Addresses((IPv4Network("10.0.0.0/8"),))
    found = single_value({Some("k", private): False}, domain, Budget())
    assert found is not None
    assert parse_address(found) is not None


def test_seconds_since_the_epoch_are_whole() -> None:
    between = {
        Some(
            "k", Quantities(Family.NUMERIC, ((Relation.GREATER_THAN, Fraction(1767225600)),))
        ): True,
        Some("k", Quantities(Family.NUMERIC, ((Relation.LESS_THAN, Fraction(1767225601)),))): True,
    }
    assert single_value(between, GLOBAL_DOMAINS["aws:epochtime"], Budget()) is None
    assert single_value(between, ANY_TEXT, Budget()) == "1767225600.1"


BOUNDS = (-2000, -1, 0, 99, 100, 1999, 2000, 2026, 10_000, 946_684_800, 1_767_225_600)
TEXTS_OF_BOTH = [
    *(f"{zeros}{n}" for b in BOUNDS for n in (b - 1, b, b + 1) for zeros in ("", "0")),
    *(f"{b}.5" for b in BOUNDS),
    *("-3000", "-2000.5", "-1.5", "500", "9999", "0001", "4000", "04000", "4e3", "99999999999"),
]


@given(st.data())
def test_a_text_that_writes_a_number_and_a_date_is_found(data: st.DataObject) -> None:
    bound = st.tuples(st.sampled_from(ORDER), st.sampled_from(BOUNDS).map(Fraction))
    kinds = st.sampled_from((Family.NUMERIC, Family.DATE))
    sets_of_both = st.builds(
        lambda kind, bounds: Quantities(kind, tuple(bounds)),
        kinds,
        st.lists(bound, min_size=1, max_size=2),
    )
    drawn = data.draw(st.lists(sets_of_both, min_size=2, max_size=4))
    literals = {Some("k", each): data.draw(st.booleans()) for each in drawn}

    def fulfils(text: str) -> bool:
        return all(atom.holds_for([text]) == holds for atom, holds in literals.items())

    found = single_value(literals, ANY_TEXT, Budget())
    assert found is not None or not any(map(fulfils, TEXTS_OF_BOTH))
    assert found is None or fulfils(found)


@pytest.mark.parametrize(
    ("kind", "relation", "bound"),
    [
        (Family.NUMERIC, Relation.GREATER_THAN, Fraction(10) ** 9999),
        (Family.NUMERIC, Relation.LESS_THAN, -(Fraction(10) ** 9999)),
        (Family.DATE, Relation.GREATER_THAN, Fraction(10**19 - 1, 10)),
        (Family.DATE, Relation.LESS_THAN, -Fraction(10**18 - 1)),
    ],
)
def test_a_value_beyond_a_huge_bound(kind: Family, relation: Relation, bound: Fraction) -> None:
    beyond = Some("k", Quantities(kind, ((relation, bound),)))
    found = single_value({beyond: True}, ANY_TEXT, Budget())
    assert found is not None
    assert beyond.holds_for([found])


def test_a_value_between_tiny_bounds() -> None:
    tiny = Fraction(1, 10**9999)
    between = {
        Some("k", Quantities(Family.NUMERIC, ((Relation.GREATER_THAN, Fraction(0)),))): True,
        Some("k", Quantities(Family.NUMERIC, ((Relation.LESS_THAN, tiny),))): True,
    }
    assert single_value(between, ANY_TEXT, Budget()) == "0.1e-9999"


# -- texts and values at once ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "network", "expected"),
    [
        ("10.*", "10.0.0.0/8", None),
        ("10.*", "10.128.0.0/9", "10.0.0.0"),
        ("*.7", "10.0.0.0/8", "203.0.113.7"),
        ("1?.*", "10.0.0.0/7", "12.0.0.0"),
    ],
)
def test_an_address_as_a_text_and_outside_a_network(
    pattern: str, network: str, expected: str | None
) -> None:
    literals = {
        Some("k", language(pattern)): True,
        Some("k", Addresses((ip_network(network),))): False,
    }
    assert single_value(literals, Domain(kind=Family.IP_ADDRESS), Budget()) == expected


def test_a_number_among_listed_texts() -> None:
    small = Some("k", Quantities(Family.NUMERIC, ((Relation.LESS_THAN, Fraction(5)),)))
    listed = Some("k", language("7", "3", "x"))
    assert single_value({small: True, listed: True}, ANY_TEXT, Budget()) == "3"
    assert (
        single_value({small: True, Some("k", language("7", "x")): True}, ANY_TEXT, Budget()) is None
    )


def test_what_neither_texts_nor_values_decide_is_no_answer() -> None:
    """Numbers below 5 that begin with 7 are there (7e-1), but none is looked for that way."""
    small = Some("k", Quantities(Family.NUMERIC, ((Relation.LESS_THAN, Fraction(5)),)))
    with pytest.raises(BudgetExceededError, match="compared as a text and as a value at once"):
        single_value({small: True, Some("k", language("7?*")): True}, ANY_TEXT, Budget())


# -- the texts that write values ---------------------------------------------------------------

PARSERS = {Family.NUMERIC: parse_number, Family.DATE: parse_date, Family.IP_ADDRESS: parse_address}
PIECES = [
    "1",
    "0",
    "ab",
    "::",
    ":",
    ".",
    "-",
    "+",
    "e5",
    "2026",
    "-02-29",
    "T12:00",
    "Z",
    "255",
    "256",
]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.sampled_from(list(PARSERS)))
def test_the_shape_of_a_kind_holds_what_writes_one(text: str, kind: Family) -> None:
    writes = PARSERS[kind](text) is not None
    accepted = shape(kind).accepts(text)
    assert accepted or not writes
    assert accepted == writes or kind is Family.DATE


@given(st.integers(0, 2**128 - 1), st.sampled_from((0, 2**64 - 1, 0xFFFF << 48, 2**128 - 1)))
def test_every_spelling_of_an_address_is_one(number: int, mask: int) -> None:
    address = IPv6Address(number & mask)
    for text in (str(address), address.exploded, str(address).upper()):
        assert shape(Family.IP_ADDRESS).accepts(text)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32), st.integers(0, 2**32 - 1))
def test_the_texts_of_a_network(base: int, prefix: int, other: int) -> None:
    network = ip_network((base, prefix), strict=False)
    assert isinstance(network, IPv4Network)
    exact = addresses_shape((network,))
    assert exact is not None
    for number in (base, other):
        address = ip_address(number)
        assert exact.accepts(str(address)) == (address in network)


@given(halves, halves)
def test_the_simplest_number_between(one: Fraction, other: Fraction) -> None:
    low, high = sorted((one, other))
    if low < high:
        assert low < simplest_between(low, high) < high


@given(st.binary(max_size=7), st.text("ABQRSg=", max_size=8))
def test_the_base64_of_some_bytes(data: bytes, text: str) -> None:
    import base64  # noqa: PLC0415

    texts = base64_texts(base64.b64encode(data).decode())
    assert all(parse_binary(each) == data for each in texts)
    assert (text in texts) == (parse_binary(text) == data)


def test_the_shapes_are_searched_in_time() -> None:
    assert shortest_member([shape(Family.NUMERIC)], []) == "0"
    assert shortest_member([shape(Family.IP_ADDRESS)], []) == "::"
