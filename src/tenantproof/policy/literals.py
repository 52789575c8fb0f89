"""Typed literals of conditions: numbers, dates, Booleans, binary values and networks.

Both readings and the loader read literals here; how two of them compare is each reading's own.
Follows "IAM JSON policy elements: Condition operators" of the IAM User Guide and, for dates,
the W3C profile of ISO 8601 that it names.
"""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network, ip_network

from tenantproof.policy.syntax import Family, Literal, epoch_seconds

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?")
_EPOCH = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_YEAR = re.compile(r"[0-9]{4}")
_CIDR = re.compile(r"[0-9A-Fa-f:.]+(?:/(?:0|[1-9][0-9]{0,2}))?")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_DATE = re.compile(
    r"(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2})"
    r"(?:[Tt](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,18}))?)?"
    r"(?P<zone>[Zz]|(?P<sign>[+-])(?P<zone_hour>[0-9]{2}):(?P<zone_minute>[0-5][0-9]))?)?)?)?"
)

EXPECTED = {
    Family.NUMERIC: "a number",
    Family.DATE: "a date as ISO 8601 (2026-01-31T12:00:00Z) or in seconds since the epoch",
    Family.BOOL: '"true" or "false"',
    Family.NULL: '"true" or "false"',
    Family.BINARY: "base64",
    Family.IP_ADDRESS: "an IPv4 or IPv6 address or CIDR range",
}
"""What each family's values look like, for messages."""


def parse_literal(family: Family, text: str) -> Literal | None:
    """The literal that ``text`` writes for an operator family, or None if it writes none."""
    match family:
        case Family.NUMERIC:
            return parse_number(text)
        case Family.DATE:
            return parse_date(text)
        case Family.BOOL | Family.NULL:
            return parse_bool(text)
        case Family.BINARY:
            return parse_binary(text)
        case Family.IP_ADDRESS:
            return parse_network(text)
        case Family.STRING | Family.ARN:
            return None


def parse_number(text: str) -> Decimal | None:
    """A decimal number, exactly; None if ``text`` is none."""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def parse_date(text: str) -> Fraction | None:
    """An instant in seconds since the epoch, exactly; None if ``text`` is no date.

    Digits alone are epoch seconds, but for four digits, which are a year. A date without a time
    is its first instant, a time without a zone is UTC.
    """
    if _EPOCH.fullmatch(text) and not _YEAR.fullmatch(text):
        return Fraction(text)
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    number = {name: int(found[name] or 0) for name in ("hour", "minute", "second")}
    shift = timedelta(hours=int(found["zone_hour"] or 0), minutes=int(found["zone_minute"] or 0))
    try:
        zone = timezone(-shift if found["sign"] == "-" else shift)
        instant = datetime(
            int(found["year"]),
            int(found["month"] or 1),
            int(found["day"] or 1),
            number["hour"],
            number["minute"],
            number["second"],
            tzinfo=zone,
        )
    except ValueError:
        return None
    return epoch_seconds(instant) + Fraction("0." + (found["fraction"] or "0"))


def parse_bool(text: str) -> bool | None:
    """``true`` or ``false`` in any case; None if ``text`` is neither."""
    return {"true": True, "false": False}.get(text.lower())


def parse_binary(text: str) -> bytes | None:
    """Bytes from base64 with its padding (RFC 4648, section 4); None if ``text`` is not that."""
    return base64.b64decode(text) if _BASE64.fullmatch(text) else None


def parse_network(text: str) -> IPv4Network | IPv6Network | None:
    """A network in CIDR form, an address being a network of one; None if ``text`` is neither.

    Bits behind the prefix are ignored: 203.0.113.7/24 is 203.0.113.0/24. Net masks and zones
    are no part of "the standard CIDR format" that the reference asks for.
    """
    try:
        return ip_network(text, strict=False) if _CIDR.fullmatch(text) else None
    except ValueError:
        return None


def parse_address(text: str) -> IPv4Network | IPv6Network | None:
    """An address, as a network of one; None if ``text`` is none."""
    return None if "/" in text else parse_network(text)
