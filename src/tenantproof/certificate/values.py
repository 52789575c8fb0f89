"""Whether a key has a value that fulfils what is assumed of it.

Texts are decided by :mod:`tenantproof.certificate.texts`. Of numbers, dates, addresses, Booleans
and binary values there are finitely many kinds that the comparisons tell apart: one value of each
is tried with the evaluator.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from decimal import Context, Decimal, Inexact, localcontext
from fractions import Fraction
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import pairwise

from tenantproof.certificate.keys import Texts
from tenantproof.certificate.matchers import Matcher
from tenantproof.certificate.texts import Effort, TooLargeError, is_empty
from tenantproof.policy.syntax import Family, Literal

Demand = tuple[Matcher, bool]
"""A comparison, and whether the value must match."""

_MOST_DIGITS = 1000
_EXACT = Context(prec=30_000, Emax=99_999, Emin=-99_999, traps=[Inexact])
_TICK = Fraction(1, 10**18)
_LATEST = 10**18 - _TICK


class UnsupportedError(Exception):
    """Comparisons of different kinds on one key, for which there is no procedure."""


def has_value(
    demands: Sequence[Demand], filled: bool | None, domain: Texts, effort: Effort
) -> bool:
    """Whether some value of a domain fulfils all demands.

    Args:
        demands: what the value must match, and what it must not match.
        filled: whether the value must (True) or must not (False) have characters.
        domain: the values to choose from.
        effort: what the search may cost.

    Raises:
        TooLargeError: it cannot be told with that effort.
        UnsupportedError: the demands are of several kinds.
    """
    if filled is False:
        return _one_fits(("",), demands, filled, domain)
    values = _listed_values(demands, domain)
    if values is not None:
        return _one_fits(values, demands, filled, domain)
    families = {matcher.family for matcher, _ in demands}
    if families - {Family.STRING} == set():
        return _has_text(demands, filled, domain, effort)
    if len(families) > 1:
        names = ", ".join(sorted(family.value for family in families))
        raise UnsupportedError(f"comparisons of several kinds ({names}) on one key")
    wanted = [literal for matcher, _ in demands for literal in _literals(matcher)]
    return _one_fits(_kinds(families.pop(), wanted, domain), demands, filled, domain)


def _one_fits(
    values: Iterable[str], demands: Sequence[Demand], filled: bool | None, domain: Texts
) -> bool:
    return any(
        value in domain
        and (filled is None or bool(value) is filled)
        and all(matcher.matches(value) is holds for matcher, holds in demands)
        for value in values
    )


def _listed_values(demands: Sequence[Demand], domain: Texts) -> tuple[str, ...] | None:
    """All values that come into question, where a domain or an equality lists them."""
    if domain.values is not None:
        return domain.values
    listed = (matcher.finite for matcher, holds in demands if holds)
    return next((values for values in listed if values is not None), None)


def _has_text(
    demands: Sequence[Demand], filled: bool | None, domain: Texts, effort: Effort
) -> bool:
    if filled and domain.shortest == 0:
        domain = Texts(domain.first, domain.rest, 1, domain.longest)
    inside = [matcher.language for matcher, holds in demands if holds]
    outside = [matcher.language for matcher, holds in demands if not holds]
    return not is_empty(inside, outside, domain, effort)


def _literals(matcher: Matcher) -> Iterator[Literal]:
    yield from (one for one in matcher.wanted if not isinstance(one, tuple))


def _kinds(family: Family, wanted: Sequence[Literal], domain: Texts) -> list[str]:
    """One value of each kind that comparisons with the wanted literals tell apart.

    The empty text is a kind of its own, and so is a text that the family cannot read.

    Raises:
        TooLargeError: a value of some kind cannot be written within the domain.
    """
    match family:
        case Family.NUMERIC:
            kinds = _numbers([one for one in wanted if isinstance(one, Decimal)])
        case Family.DATE:
            kinds = _dates([one for one in wanted if isinstance(one, Fraction)])
        case Family.BOOL:
            kinds = ["true", "false"]
        case Family.BINARY:
            kinds = _binaries([one for one in wanted if isinstance(one, bytes)])
        case Family.IP_ADDRESS:
            kinds = [*_addresses_v4(wanted), *_addresses_v6(wanted)]
        case _:
            raise AssertionError(f"{family} has no typed values")
    unreadable = "!"
    kinds = [*kinds, unreadable]
    if any(kind and kind not in domain for kind in kinds):
        raise TooLargeError("a typed value does not fit into what the key can hold")
    return ["", *kinds]


def _numbers(wanted: Iterable[Decimal]) -> list[str]:
    """Each literal, one number between each two, one below and one above all."""
    points = sorted(set(wanted))
    if any(
        abs(p.adjusted()) > 2 * _MOST_DIGITS or len(p.as_tuple().digits) > _MOST_DIGITS
        for p in points
    ):
        raise TooLargeError(f"a number needs more than {_MOST_DIGITS} digits")
    with localcontext(_EXACT):
        between = [(low + high) / 2 for low, high in pairwise(points)]
        outer = [points[0] - 1, points[-1] + 1]
        return [format(point, "f") for point in (*points, *between, *outer)]


def _dates(wanted: Iterable[Fraction]) -> list[str]:
    """Each literal, one instant between each two, one before and one after all.

    Every instant that can be written is a whole number of 10^-18 seconds, less than 10^18
    seconds from the epoch: no other is considered.
    """
    points = sorted(set(wanted))
    neighbours = [point + tick for point in points for tick in (-_TICK, _TICK)]
    instants = {-_LATEST, *points, *neighbours, _LATEST}
    return [_epoch(instant) for instant in sorted(instants) if abs(instant) <= _LATEST]


def _epoch(instant: Fraction) -> str:
    """Seconds since the epoch with 18 digits behind the point, so that none is read as a year."""
    ticks = instant / _TICK
    if ticks.denominator != 1:
        raise TooLargeError("an instant is finer than 10^-18 seconds")
    seconds, rest = divmod(abs(ticks.numerator), 10**18)
    return f"{'-' if instant < 0 else ''}{seconds}.{rest:018d}"


def _binaries(wanted: Iterable[bytes]) -> list[str]:
    """Each literal, and bytes that are none of them."""
    points = sorted(set(wanted))
    other = next(one for n in range(len(points) + 1) if (one := n.to_bytes(8, "big")) not in points)
    return [base64.b64encode(one).decode("ascii") for one in (*points, other)]


def _addresses_v4(wanted: Iterable[Literal]) -> list[str]:
    """The first address of all, of each network, and behind each network."""
    networks = [one for one in wanted if isinstance(one, IPv4Network)]
    starts = {0} | {int(n.network_address) for n in networks}
    starts |= {int(n.broadcast_address) + 1 for n in networks}
    return [str(IPv4Address(start)) for start in sorted(starts) if start < 2**32]


def _addresses_v6(wanted: Iterable[Literal]) -> list[str]:
    """As :func:`_addresses_v4`."""
    networks = [one for one in wanted if isinstance(one, IPv6Network)]
    starts = {0} | {int(n.network_address) for n in networks}
    starts |= {int(n.broadcast_address) + 1 for n in networks}
    return [str(IPv6Address(start)) for start in sorted(starts) if start < 2**128]
