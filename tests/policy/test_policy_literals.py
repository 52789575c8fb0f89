"""Numbers, dates, Booleans, binary values and networks, and what is none of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.policy.literals import (
    parse_binary,
    parse_bool,
    parse_date,
    parse_literal,
    parse_network,
    parse_number,
)
from tenantproof.policy.syntax import Family, epoch_seconds

# -- numbers: 'comparing a key to an integer or decimal value' ---------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", "0"),
        ("10", "10"),
        ("-7", "-7"),
        ("007", "7"),
        ("1.10", "1.1"),
        ("0.1", "0.1"),
        ("1e3", "1000"),
        ("25E-1", "2.5"),
        ("-0", "0"),
        ("12345678901234567890.000000000001", "12345678901234567890.000000000001"),
    ],
)
def test_numbers(text: str, value: str) -> None:
    assert parse_number(text) == Decimal(value)


def test_numbers_are_decimals_not_floats() -> None:
    assert parse_number("0.1") != 0.1
    assert parse_number("9007199254740993") != parse_number("9007199254740992")


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1,5", "1_0", "0x10", "NaN", "Infinity", "10abc", "--1", "1\n", "٣"]
)
def test_not_numbers(text: str) -> None:
    assert parse_number(text) is None


# -- dates: the W3C profile of ISO 8601, or epoch time -----------------------------------------

DATES = [
    # The six forms of http://www.w3.org/TR/NOTE-datetime, with its own examples.
    ("1997", datetime(1997, 1, 1, tzinfo=UTC)),
    ("1997-07", datetime(1997, 7, 1, tzinfo=UTC)),
    ("1997-07-16", datetime(1997, 7, 16, tzinfo=UTC)),
    ("1997-07-16T19:20+01:00", datetime(1997, 7, 16, 18, 20, tzinfo=UTC)),
    ("1997-07-16T19:20:30+01:00", datetime(1997, 7, 16, 18, 20, 30, tzinfo=UTC)),
    ("1997-07-16T19:20:30.45+01:00", datetime(1997, 7, 16, 18, 20, 30, 450_000, tzinfo=UTC)),
    # TZD is Z, +hh:mm or -hh:mm.
    ("1994-11-05T08:15:30-05:00", datetime(1994, 11, 5, 13, 15, 30, tzinfo=UTC)),
    ("1994-11-05T13:15:30Z", datetime(1994, 11, 5, 13, 15, 30, tzinfo=UTC)),
    ("2026-01-01T00:30+05:45", datetime(2025, 12, 31, 18, 45, tzinfo=UTC)),
    ("2025-12-31T23:30-00:45", datetime(2026, 1, 1, 0, 15, tzinfo=UTC)),
    ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
    ("2026-01-31T12:00:00", datetime(2026, 1, 31, 12, tzinfo=UTC)),  # without a zone: UTC
    ("1960-01-01", datetime(1960, 1, 1, tzinfo=UTC)),
]


@pytest.mark.parametrize(("text", "instant"), DATES, ids=[text for text, _ in DATES])
def test_iso_dates(text: str, instant: datetime) -> None:
    seconds = parse_date(text)
    assert seconds == Fraction(round(instant.timestamp() * 100), 100)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", Fraction(0)),
        ("1", Fraction(1)),
        ("999", Fraction(999)),
        ("10000", Fraction(10000)),
        ("1767225600", Fraction(1767225600)),
        ("1767225600.5", Fraction(3534451201, 2)),
        ("-86400", Fraction(-86400)),
    ],
)
def test_epoch_dates(text: str, seconds: Fraction) -> None:
    """aws:EpochTime is 'the number of seconds since January 1, 1970'."""
    assert parse_date(text) == seconds


def test_four_digits_are_a_year() -> None:
    assert parse_date("2026") == parse_date("2026-01-01T00:00:00Z")
    assert parse_date("02026") == 2026


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2026-13",
        "2026-00",
        "2026-02-30",
        "2025-02-29",
        "2026-1-1",
        "20260131T12:00Z",
        "2026-01-31 12:00Z",
        "2026-01-31T",
        "2026-01-31T12Z",
        "2026-01-31T24:00Z",
        "2026-01-31T12:60Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T12:00:00+1",
        "2026-01-31Z",
        "0000-01-01",
        "1.5e3",
        " 2026",
        "2026-01-31\n",
        "Sat, 31 Jan 2026 12:00:00 GMT",
    ],
)
def test_not_dates(text: str) -> None:
    assert parse_date(text) is None


@given(
    st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29)),
    st.integers(-14 * 60, 14 * 60),
)
@settings(max_examples=60, deadline=None)
def test_an_instant_is_the_same_in_every_zone(naive: datetime, minutes: int) -> None:
    instant = naive.replace(tzinfo=UTC)
    moved = instant.astimezone(timezone(timedelta(minutes=minutes)))
    seconds = parse_date(instant.isoformat())
    assert seconds is not None
    assert parse_date(moved.isoformat()) == seconds
    assert epoch_seconds(moved) == seconds
    assert seconds == Fraction((naive - datetime(1970, 1, 1)) // timedelta(microseconds=1), 10**6)


# -- Booleans ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("false", False),
        ("True", True),
        ("FALSE", False),
        ("yes", None),
        ("1", None),
        ("0", None),
        ("", None),
        (" true", None),
        ("${aws:SecureTransport}", None),
    ],
)
def test_bools(text: str, value: bool | None) -> None:
    assert parse_bool(text) is value
    assert parse_literal(Family.NULL, text) is value


# -- binary: 'a base-64 encoded representation of the binary value in the policy' --------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("QmluYXJ5VmFsdWVJbkJhc2U2NA==", b"BinaryValueInBase64"),
        ("QUI=", b"AB"),
        ("AAEC", b"\x00\x01\x02"),
        ("+/8=", b"\xfb\xff"),
    ],
)
def test_binary(text: str, value: bytes) -> None:
    assert parse_binary(text) == value


@pytest.mark.parametrize("text", ["Q", "QQ", "QQ=", "Q Q=", "-_8=", "é", "QQ==\n", "?"])
def test_not_base64(text: str) -> None:
    assert parse_binary(text) is None


# -- networks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678::/64"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("203.0.113.7", "203.0.113.7/32"),  # 'the default prefix value of /32'
        ("2001:db8::1", "2001:db8::1/128"),  # an IPv6 address is a network of one, too
        ("203.0.113.7/24", "203.0.113.0/24"),  # bits 'after the masked bits are ignored'
        ("2001:db8::ff/64", "2001:db8::/64"),
    ],
)
def test_networks(text: str, network: str) -> None:
    assert parse_network(text) == ip_network(network)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "10",
        "203.0.113",
        "203.0.113.0/33",
        "203.0.113.256",
        "203.0.113.0/-1",
        "203.0.113.0/",
        "203.0.113.*",
        "010.0.0.1",
        " 10.0.0.1",
        "2001:db8::/129",
        "2001:db8:::1",
        "localhost",
        "10.0.0.1-10.0.0.9",
    ],
)
def test_not_networks(text: str) -> None:
    assert parse_network(text) is None


@pytest.mark.parametrize("family", [Family.STRING, Family.ARN])
def test_strings_and_arns_have_no_literal(family: Family) -> None:
    assert parse_literal(family, "arn:aws:s3:::b") is None
