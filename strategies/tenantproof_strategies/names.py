"""Names that tenants could have, were nobody to look: hostile ones, and neighbours of others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from os.path import commonprefix

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tenantproof.isolation.naming import NamingError, parse_rule
from tenantproof.prove import Domain, shortest_member
from tenantproof.prove.regular import CharSet, Choice, Concat, Expression, One, Regular, Repeat
from tenantproof.vendors import hostile_names
from tenantproof_strategies import arguments

PLAIN = ("a", "acme", "acme-corp", "common", "tenant1")
"""Names as one would give them; two are prefixes of another."""

_LENGTHS = (64, 65, 128, 129, 256, 257, 1024, 1025)
"""The limits of a user's or role's name, a tag's key, a tag's value and a TargetModel."""

_EXTENSIONS = ("x", "-", "-b", "0", "s", "/", "/x", ".", " ", "*", "?", ":", "\n")

LOOK_ALIKES = (
    ("o", "0"),
    ("O", "0"),
    ("l", "1"),
    ("I", "l"),
    ("1", "l"),
    ("0", "o"),
    ("m", "rn"),
    ("rn", "m"),
    ("w", "vv"),
    ("-", "_"),
    ("_", "-"),
)
"""Texts of ASCII that look alike."""

_UNICODE_LOOK_ALIKES = (
    ("a", "\u0430"),
    ("c", "\u0441"),
    ("e", "\u0435"),
    ("o", "\u043e"),
    ("e", "e\u0301"),
    ("-", "\u2010"),
    ("/", "\u2215"),
    # These two are k and s to a comparison without case.
    ("k", "\u212a"),
    ("s", "\u017f"),
    ("i", "\u0131"),
)


def tenant_names(near: Iterable[str] = (), names: str | None = None) -> st.SearchStrategy[str]:
    """Names of tenants, hostile ones among them.

    Args:
        near: names to draw neighbours of: prefixes and extensions, twins in another case,
            look-alikes, prefixes that two of them share.
        names: a rule for names, a regular expression as ``names`` of a manifest's rule; only
            names that match as a whole are drawn: shortest and longest ones, prefixes of each
            other, hostile ones where the rule admits them.

    Raises:
        TypeError: ``near`` is a single text or holds something else than texts, or ``names`` is
            no text.
        InvalidArgument: ``names`` is no such rule, or admits no name.
    """
    others = arguments.texts(near, "near", "names")
    if names is None:
        return _free(others)
    if not isinstance(names, str):
        raise TypeError(f"found {arguments.shown(names)} as names, expected a rule as a text")
    try:
        rule = parse_rule(names)
    except NamingError as error:
        raise InvalidArgument(f"{error}, in names={arguments.shown(names)}") from None
    return _ruled(rule, others)


def _free(others: Sequence[str]) -> st.SearchStrategy[str]:
    bases = others or PLAIN
    neighbours = tuple(dict.fromkeys(_all_neighbours(bases)))
    long = tuple(base + "x" * (n - len(base)) for n in _LENGTHS for base in ("", bases[0][:60]))
    return st.one_of(
        st.sampled_from(PLAIN),
        st.sampled_from(neighbours or PLAIN),
        st.sampled_from(hostile_names()),
        _edited(st.sampled_from(bases)),
        st.sampled_from(long),
        st.text(max_size=20),
    )


def _ruled(rule: Regular, others: Sequence[str]) -> st.SearchStrategy[str]:
    shortest = shortest_member([rule], [], Domain(min_length=1))
    if shortest is None:
        raise InvalidArgument(f"found names={rule.name!r}, which admits no name, expected a rule")
    bounds = (shortest, *_extremes(rule.expression))
    known = (*PLAIN, *bounds, *_all_neighbours((*bounds, *PLAIN)), *hostile_names())
    listed = [_admitted(rule, names) for names in (known, _all_neighbours(others))]
    members = _members(rule.expression).map(lambda name: name or shortest)
    return st.one_of(
        *(st.sampled_from(names) for names in listed if names),
        members,
        _kept_inside(members, rule),
    )


def _admitted(rule: Regular, names: Iterable[str]) -> tuple[str, ...]:
    """The names that a rule admits, each once."""
    return tuple(dict.fromkeys(name for name in names if name and rule.accepts(name)))


def _kept_inside(members: st.SearchStrategy[str], rule: Regular) -> st.SearchStrategy[str]:
    """Members one edit away from another, where the edit stays a member."""
    pairs = members.flatmap(lambda name: st.tuples(st.just(name), _edited(st.just(name))))
    return pairs.map(lambda pair: pair[1] if pair[1] and rule.accepts(pair[1]) else pair[0])


@st.composite
def _edited(draw: st.DrawFn, names: st.SearchStrategy[str]) -> str:
    """Names at one edit of some."""
    name = draw(names)
    neighbours = tuple(dict.fromkeys(neighbours_of(name)))
    at = draw(st.integers(0, len(name)))
    match draw(st.sampled_from(("neighbour", "add", "drop"))):
        case "neighbour" if neighbours:
            return draw(st.sampled_from(neighbours))
        case "drop" if at < len(name):
            return name[:at] + name[at + 1 :]
        case _:
            return name[:at] + draw(st.sampled_from("x-/*?.:${} 0A")) + name[at:]


def _all_neighbours(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield from neighbours_of(name)
    for pair in pairwise(sorted(names)):
        shared = commonprefix(pair)  # noqa: RUF071 - characters are meant, not path segments
        if shared:
            yield shared
            yield f"{shared}*"
    if len(names) > 1:
        yield f"{names[0]}/{names[1]}"


def neighbours_of(name: str) -> Iterator[str]:
    """Names that a careless pattern takes for ``name``: prefixes, extensions, twins."""
    for extension in _EXTENSIONS:
        yield name + extension
    if len(name) > 1:
        yield name[:-1]
        yield name[0]
        yield f"{name[:-1]}*"
        yield f"{name[:-1]}?"
    for twin in (name.swapcase(), name.upper(), name.title(), f"x{name}", f"../{name}"):
        if twin != name:
            yield twin
    for written, alike in (*LOOK_ALIKES, *_UNICODE_LOOK_ALIKES):
        if written in name:
            yield name.replace(written, alike, 1)


# -- members of a rule ---------------------------------------------------------------------------

_PLAINEST = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_./"
_MOST_REPEATS = 1024
_FEW = 3


def _members(expression: Expression) -> st.SearchStrategy[str]:
    """Texts of an expression; each repetition is often as short, or as long, as it can be."""
    match expression:
        case One(chars):
            return _characters(chars)
        case Concat(items):
            return st.tuples(*map(_members, items)).map("".join)
        case Choice(items):
            return st.one_of(*map(_members, items))
        case Repeat(item, least, most):
            return _repeated(_members(item), least, most)


def _repeated(item: st.SearchStrategy[str], least: int, most: int | None) -> st.SearchStrategy[str]:
    few = min(least + _FEW, most if most is not None else least + _FEW)
    sizes = [st.lists(item, min_size=least, max_size=few)]
    if most is None or most > few:
        sizes.append(st.lists(item, min_size=least, max_size=most))
    drawn = st.one_of(*sizes).map("".join)
    if most is None or not least < most <= _MOST_REPEATS:
        return drawn
    # One character over and over: the longest name costs no more to draw than the shortest.
    longest = item.map(lambda text: text * most)
    return st.one_of(drawn, longest)


def _characters(chars: CharSet) -> st.SearchStrategy[str]:
    plain = [char for char in _PLAINEST if char in chars]
    rest = [st.characters(min_codepoint=a, max_codepoint=b) for a, b in chars.ranges]
    ends = [chr(code) for pair in chars.ranges for code in pair]
    known = list(dict.fromkeys((*plain, *ends)))
    return st.one_of(st.sampled_from(known), *rest)


def _extremes(expression: Expression) -> tuple[str, ...]:
    """The shortest and the longest text that take the first way at every choice."""
    return _extreme(expression, longest=False), _extreme(expression, longest=True)


def _extreme(expression: Expression, *, longest: bool) -> str:
    match expression:
        case One(chars):
            plain = next((char for char in _PLAINEST if char in chars), None)
            return plain or chr(chars.ranges[0][0])
        case Concat(items):
            return "".join(_extreme(item, longest=longest) for item in items)
        case Choice(items):
            return _extreme(items[0], longest=longest) if items else ""
        case Repeat(item, least, most):
            return _extreme(item, longest=longest) * (
                least if not longest else most or least + _FEW
            )
