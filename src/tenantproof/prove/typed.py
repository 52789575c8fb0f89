"""Sets of texts that write a number, a date or an address: what typed operators compare.

A set of numbers or dates is a union of relations to bounds, a set of addresses a union of
networks. Between neighbouring bounds all values are alike, so that one representative of each
region decides whether some value fulfils given demands: the values are exact (fractions and
integers, never floats). Where a key is compared as a text too, :func:`shape` gives the texts that
write a value of a kind as a regular language.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, datetime, timedelta
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal
from fractions import Fraction
from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import pairwise

from tenantproof.policy.literals import parse_address, parse_date, parse_number
from tenantproof.policy.syntax import Family, Relation
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

Network = IPv4Network | IPv6Network

KINDS = (Family.NUMERIC, Family.DATE, Family.IP_ADDRESS)
"""The families whose values are compared as values, not as texts."""


@dataclass(frozen=True)
class Quantities:
    """The texts that write a number (or date) with one of the relations to a bound.

    ``bounds`` holds pairs of a relation and a bound: (LESS_THAN, 5) is every number below 5.
    Dates are seconds since the epoch.
    """

    kind: Family
    bounds: tuple[tuple[Relation, Fraction], ...]

    def accepts(self, word: str) -> bool:
        """Whether ``word`` writes a value in the set."""
        value = quantity(self.kind, word)
        return value is not None and any(_related(value, *bound) for bound in self.bounds)


@dataclass(frozen=True)
class Addresses:
    """The texts that write an IPv4 or IPv6 address in one of some networks."""

    networks: tuple[Network, ...]

    @property
    def kind(self) -> Family:
        """The family of operators that such sets come from."""
        return Family.IP_ADDRESS

    def accepts(self, word: str) -> bool:
        """Whether ``word`` writes an address in the set."""
        address = parse_address(word)
        if address is None:
            return False
        number = int(address.network_address)
        return any(
            network.version == address.version and first <= number <= last
            for network, (first, last) in zip(self.networks, self._ranges, strict=True)
        )

    @property
    def _ranges(self) -> tuple[tuple[int, int], ...]:
        return tuple(map(_range, self.networks))


TypedSet = Quantities | Addresses


def quantity(kind: Family, word: str) -> Fraction | None:
    """The number or date that a text writes, exactly; None if it writes none."""
    if kind is Family.DATE:
        return parse_date(word)
    number = parse_number(word)
    return None if number is None else Fraction(number)


def writes(kind: Family, word: str) -> bool:
    """Whether a text writes a value of a kind."""
    if kind is Family.IP_ADDRESS:
        return parse_address(word) is not None
    return quantity(kind, word) is not None


def _related(value: Fraction, relation: Relation, bound: Fraction) -> bool:
    match relation:
        case Relation.LESS_THAN:
            return value < bound
        case Relation.LESS_THAN_EQUALS:
            return value <= bound
        case Relation.GREATER_THAN:
            return value > bound
        case Relation.GREATER_THAN_EQUALS:
            return value >= bound
        case _:
            return value == bound


def _range(network: Network) -> tuple[int, int]:
    return int(network.network_address), int(network.broadcast_address)


# -- representatives ---------------------------------------------------------------------------


def representatives(kind: Family, sets: Iterable[TypedSet]) -> list[str]:
    """Texts that write a value of every region that the sets of a kind tell apart.

    Some regions have several, plain ones first; texts of equal length are in order of plainness.
    """
    if kind is Family.IP_ADDRESS:
        networks = {n for each in sets if isinstance(each, Addresses) for n in each.networks}
        words = [*_addresses(networks, IPv4Network), *_addresses(networks, IPv6Network)]
    else:
        bounds = {
            bound
            for each in sets
            if isinstance(each, Quantities) and each.kind is kind
            for _, bound in each.bounds
        }
        values = _regions(sorted(bounds), _TYPICAL[kind])
        spell = _dates if kind is Family.DATE else _numbers
        words = [word for value in values for word in spell(value)]
        if kind is Family.DATE:
            words += _DATES_AT_THE_ENDS
    return sorted(dict.fromkeys(words), key=len)


def representatives_of_both(sets: Iterable[TypedSet]) -> list[str]:
    """Texts that write a number and a date, of every region that sets of either tell apart.

    Such a text is seconds since the epoch, the same number as a date, or a year.
    """
    bounded = [each for each in sets if isinstance(each, Quantities)]
    bounds = sorted({bound for each in bounded for _, bound in each.bounds})
    words = [_seconds(value) for value in _regions(bounds, _TYPICAL[Family.DATE])]
    return sorted({*words, *_DATES_AT_THE_ENDS, *_years(bounded)}, key=lambda w: (len(w), w))


def _seconds(value: Fraction) -> str:
    """Seconds since the epoch; four digits alone would be a year."""
    word = _plain(value, _decimal_places(value))
    return f"0{word}" if len(word) == _DIGITS_OF_A_YEAR and word.isdigit() else word


def _years(sets: Iterable[Quantities]) -> Iterator[str]:
    """The first and the last year, and those near each bound, as a number and as a date."""
    near = {MINYEAR, MAXYEAR}
    for each in sets:
        for _, bound in each.bounds:
            whole = math.floor(bound)
            if each.kind is Family.DATE:
                whole = MINYEAR + (whole - _FIRST_YEAR) * 10_000 // _SECONDS_OF_10_000_YEARS
            near.update(range(whole - 1, whole + 3))
    return (f"{year:04}" for year in sorted(near) if MINYEAR <= year <= MAXYEAR)


_DIGITS_OF_A_YEAR = 4
_FIRST_YEAR = -62_135_596_800
_SECONDS_OF_10_000_YEARS = 3_652_425 * 86_400


_DATES_AT_THE_ENDS = [f"{sign}{'9' * 18}.{'9' * 18}" for sign in ("-", "")]
"""The first and the last date that a text can write."""

_TYPICAL = {Family.NUMERIC: Fraction(0), Family.DATE: Fraction(1_767_225_600)}
"""The value to prefer: 0, and 2026-01-01T00:00:00Z."""


def _regions(bounds: list[Fraction], typical: Fraction) -> Iterator[Fraction]:
    """A value below all bounds, each bound, one or two between neighbours, one above all.

    If there are whole numbers between two neighbours, the first and the last of them are given: of
    those that have enough digits for seconds since the epoch the last is one.
    """
    if not bounds:
        yield typical
        return
    below, above = -_whole_above(-bounds[0]), _whole_above(bounds[-1])
    yield min(typical, below)
    yield from bounds
    for low, high in pairwise(bounds):
        yield simplest_between(low, high)
        if low < (last := Fraction(math.ceil(high) - 1)):
            yield last
    yield max(typical, above)


def _whole_above(bound: Fraction) -> Fraction:
    """The next whole number; of a huge bound a power of ten, which can be written."""
    found = math.floor(bound) + 1
    if found > 10**_MOST_DIGITS:
        found = int(10 ** (found.bit_length() * 31 // 100 + 1))
    return Fraction(found)


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The decimal strictly between two numbers that has the fewest digits after its point."""
    if low < 0 < high:
        return Fraction(0)
    if high <= 0:
        return -simplest_between(-high, -low)
    unit = 1
    while True:
        found = Fraction(low * unit // 1 + 1, unit)
        if found < high:
            return found
        unit *= 10


_MOST_DIGITS = 40
"""A number with more is written with an exponent."""

_MOST_EXPONENT = 9999
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def _numbers(value: Fraction) -> Iterator[str]:
    digits = _decimal_places(value)
    if digits > _MOST_DIGITS or abs(value) >= 10**_MOST_DIGITS:
        whole, exponent = int(value * 10**digits), -digits
        while whole and whole % 10 == 0:
            whole, exponent = whole // 10, exponent + 1
        kept = max(-_MOST_EXPONENT, min(exponent, _MOST_EXPONENT))
        yield f"{Decimal(whole).scaleb(exponent - kept, _EXACT):f}e{kept}"
    else:
        yield _plain(value, digits)


def _decimal_places(value: Fraction) -> int:
    digits, power = 0, 1
    while power % value.denominator:
        digits, power = digits + 1, power * 10
    return digits


def _plain(value: Fraction, digits: int) -> str:
    sign = "-" if value < 0 else ""
    whole, rest = divmod(int(abs(value) * 10**digits), 10**digits)
    return f"{sign}{whole}.{rest:0{digits}}" if digits else f"{sign}{whole}"


def _dates(value: Fraction) -> Iterator[str]:
    """An instant as ISO 8601, and as seconds since the epoch."""
    whole = value // 1
    try:
        instant = datetime(1970, 1, 1) + timedelta(seconds=whole)
    except OverflowError:
        instant = None
    digits = _decimal_places(value)
    if instant is not None:
        part = f"{int((value - whole) * 10**digits):0{digits}}" if digits else ""
        yield f"{instant.isoformat()}{'.' if part else ''}{part}Z"
    yield _plain(value, digits)


_PLAIN_V4 = tuple(map(int, map(IPv4Address, ("203.0.113.7", "198.51.100.7", "1.1.1.1"))))
_PLAIN_V6 = tuple(map(int, map(IPv6Address, ("2001:db8::1", "2001:db8:1::1"))))


def _addresses(networks: set[Network], version: type[Network]) -> Iterator[str]:
    """Addresses of one IP version: the first of every region, and where it lies in it a plain one.

    An address beyond all networks is a documentation address where those are outside.
    """
    ranges = [_range(network) for network in networks if isinstance(network, version)]
    of, plain, last = (
        (IPv4Address, _PLAIN_V4, 2**32 - 1)
        if version is IPv4Network
        else (IPv6Address, _PLAIN_V6, 2**128 - 1)
    )
    cuts = {0, *(first for first, _ in ranges), *(end + 1 for _, end in ranges)}
    starts = sorted(cut for cut in cuts if cut <= last)
    for start, end in zip(starts, [*(cut - 1 for cut in starts[1:]), last], strict=True):
        yield from (str(of(number)) for number in plain if start <= number <= end)
        yield str(of(start if start or end == start else start + 1))
        yield str(of(start))


# -- binary ------------------------------------------------------------------------------------

_BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def base64_texts(word: str) -> list[str]:
    """Every text that writes the same bytes in base64 as ``word`` does.

    The last character before ``=`` carries bits that no byte uses (RFC 4648, section 3.5): any of
    them write the same.
    """
    body = word.rstrip("=")
    unused = {0: 0, 1: 2, 2: 4}[len(word) - len(body)]
    if not unused:
        return [word]
    kept = _BASE64.index(body[-1]) >> unused << unused
    return [f"{body[:-1]}{_BASE64[kept + bits]}{word[len(body) :]}" for bits in range(1 << unused)]


# -- the texts of a kind -----------------------------------------------------------------------

_DIGIT = One(CharSet.of("09"))
_HEX = One(CharSet.of("09", "af", "AF"))
_SIGN = Choice((text("+"), text("-")))


def _optional(*items: Expression) -> Expression:
    return Repeat(Concat(items), 0, 1)


def _two_digits(first: int, last: int) -> Expression:
    """Two digits that write a number in a range."""
    return _any_of(frozenset(f"{number:02}" for number in range(first, last + 1)))


def _number_shape() -> Expression:
    digits = Repeat(_DIGIT, 1)
    plain = Choice(
        (Concat((digits, _optional(text("."), Repeat(_DIGIT)))), Concat((text("."), digits)))
    )
    exponent = Concat((Choice((text("e"), text("E"))), _optional(_SIGN), Repeat(_DIGIT, 1, 4)))
    return Concat((_optional(_SIGN), plain, _optional(exponent)))


def _date_shape() -> Expression:
    """Every text that writes a date, and some of days that their month lacks."""
    zone = Choice(
        (
            text("Z"),
            text("z"),
            Concat((_SIGN, _two_digits(0, 23), text(":"), _two_digits(0, 59))),
        )
    )
    part = _optional(text("."), Repeat(_DIGIT, 1, 18))
    time = Concat(
        (
            Choice((text("T"), text("t"))),
            _two_digits(0, 23),
            text(":"),
            _two_digits(0, 59),
            _optional(text(":"), _two_digits(0, 59), part),
            Repeat(zone, 0, 1),
        )
    )
    day = _optional(text("-"), _two_digits(1, 31), Repeat(time, 0, 1))
    iso = Concat((Repeat(_DIGIT, 4, 4), _optional(text("-"), _two_digits(1, 12), day)))
    epoch = Concat((_optional(text("-")), Repeat(_DIGIT, 1, 18), part))
    return Choice((iso, epoch))


def _octet(first: int, last: int) -> Expression:
    return _any_of(frozenset(map(str, range(first, last + 1))))


def _any_of(words: frozenset[str]) -> Expression:
    """Any of some words: first characters that leave the same rests make one step."""
    by_first: dict[str, set[str]] = {}
    for word in words - {""}:
        by_first.setdefault(word[0], set()).add(word[1:])
    by_rests: dict[frozenset[str], list[str]] = {}
    for char, rests in by_first.items():
        by_rests.setdefault(frozenset(rests), []).append(char)
    ways = [
        Concat((One(CharSet.union((ord(c), ord(c)) for c in chars)), _any_of(rests)))
        for rests, chars in by_rests.items()
    ]
    return Choice((*((text(""),) if "" in words else ()), *ways))


def _ipv4_shape(network: IPv4Network) -> Expression:
    """The addresses of a network: octets that it fixes, one in a range, others free."""
    lows = network.network_address.packed
    highs = network.broadcast_address.packed
    octets = [_octet(low, high) for low, high in zip(lows, highs, strict=True)]
    items = [octets[0]]
    for octet in octets[1:]:
        items += [text("."), octet]
    return Concat(tuple(items))


def _ipv6_shape() -> Expression:
    """IPv6address of RFC 3986, section 3.2.2."""
    group = Repeat(_HEX, 1, 4)
    colon = Concat((group, text(":")))
    low = Choice((Concat((colon, group)), _ipv4_shape(IPv4Network("0.0.0.0/0"))))

    def before(most: int) -> Expression:
        return _optional(Repeat(colon, 0, most), group)

    forms = [Concat((Repeat(colon, 6, 6), low))]
    for after in range(5, -1, -1):
        rest = Concat((Repeat(colon, after, after), low))
        forms.append(Concat((before(5 - after - 1) if after < 5 else text(""), text("::"), rest)))
    forms.append(Concat((before(5), text("::"), group)))
    forms.append(Concat((before(6), text("::"))))
    return Choice(tuple(forms))


@cache
def shape(kind: Family) -> Regular:
    """The texts that write a value of a kind.

    Exactly those, but for dates, where days that their month lacks are among them.
    """
    match kind:
        case Family.NUMERIC:
            return Regular(_number_shape(), "numbers")
        case Family.DATE:
            return Regular(_date_shape(), "dates")
        case _:
            any_v4 = _ipv4_shape(IPv4Network("0.0.0.0/0"))
            return Regular(Choice((any_v4, _ipv6_shape())), "addresses")


@cache
def epoch_shape() -> Regular:
    """Whole seconds since the epoch, as AWS writes them: five digits or more, no zero first."""
    digits = Concat((One(CharSet.of("19")), Repeat(_DIGIT, 4, 17)))
    return Regular(digits, "seconds since the epoch")


@cache
def addresses_shape(networks: tuple[Network, ...]) -> Regular | None:
    """The texts that write an address of some IPv4 networks; None where one is of IPv6."""
    shapes = [_ipv4_shape(n) for n in networks if isinstance(n, IPv4Network)]
    return Regular(Choice(tuple(shapes))) if len(shapes) == len(networks) else None
