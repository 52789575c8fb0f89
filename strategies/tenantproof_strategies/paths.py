"""TargetModel values that the API accepts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from hypothesis import strategies as st

from tenantproof.isolation.sagemaker import TARGET_MODEL, target_model_domain
from tenantproof.request import ContextValue, Principal
from tenantproof_strategies.aims import Near, aims_of
from tenantproof_strategies.arguments import shown, shown_as
from tenantproof_strategies.boundary import (
    MODEL,
    Aim,
    Ladder,
    Surroundings,
    draw_once,
    near_pieces,
    probe,
    resolved,
    written,
)
from tenantproof_strategies.vocabulary import SEGMENTS

_PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
_HOSTILE_SEGMENTS = (
    "..",
    ".",
    "",
    " ",
    "%2F",
    "%2e%2e",
    "*",
    "acme ",
    "acrne",
    "acme%00",
    "${*}",
)
_DEEP = 4


def target_models(near: Near = (), principal: Principal | None = None) -> st.SearchStrategy[str]:
    """TargetModel values that the API accepts, by botocore's own model of it.

    Deep and shallow paths, empty segments, ``.`` and ``..``, trailing slashes, percent-encoding,
    twins in another case and look-alikes, of 1 to 1,024 characters.

    Args:
        near: policies, or wildcard patterns; given some, most values lie in one of the patterns
            or one edit away from its boundary, those first that differ from the rest.
        principal: gives policy variables in the patterns their values; without one, and where it
            has none, they are filled in.

    Raises:
        TypeError: ``near`` is a single text or holds something else, or ``principal`` is none.
    """
    aims = aims_of(near, TARGET_MODEL)
    if principal is not None and not isinstance(principal, Principal):
        raise TypeError(f"found {shown(principal)} as principal, expected a Principal")
    return _target_models(_Aimed(aims, principal)) if aims else _free()


class _Aimed:
    """The patterns to draw near of."""

    def __init__(self, aims: Sequence[Aim], principal: Principal | None) -> None:
        self.aims = aims
        self.keys = {} if principal is None else principal.keys
        self.ladder = Ladder(aims, Surroundings(aims).feature)

    def __repr__(self) -> str:
        return shown([written(aim.pieces) for aim in self.aims])


@st.composite
@shown_as("target_models")
def _target_models(draw: st.DrawFn, near: _Aimed) -> str:
    aim = near.ladder.draw(draw)
    if aim is not None:
        return fitted(probe(resolved(aim.pieces, near.keys)))
    return draw_once(draw, _near_model(near.aims, near.keys))


@st.composite
def _near_model(draw: st.DrawFn, aims: Sequence[Aim], keys: Mapping[str, ContextValue]) -> str:
    return near_model(draw, aims, keys)


def near_model(draw: st.DrawFn, aims: Sequence[Aim], keys: Mapping[str, ContextValue]) -> str:
    """A TargetModel near one of the patterns, now and then any."""
    if not aims or draw(st.integers(0, 4)) == 4:
        return draw(_free())
    pieces = draw(st.sampled_from(aims)).pieces
    most = target_model_domain().max_length or 0
    return fitted(near_pieces(draw, resolved(pieces, keys), most))


def fitted(text: str) -> str:
    """The text made one that the API accepts: what it does not take is replaced, or cut off."""
    domain = target_model_domain()
    kept = "".join(char if char in domain.rest else "x" for char in text[: domain.max_length])
    while kept and kept[0] not in domain.initial:
        kept = kept[1:]
    return kept or "x"


@cache
def _free() -> st.SearchStrategy[str]:
    """Paths near no pattern."""
    segments = st.sampled_from(SEGMENTS)
    hostile = st.one_of(segments, st.sampled_from(_HOSTILE_SEGMENTS))
    most = target_model_domain().max_length or 0
    sizes = st.sampled_from((1, most, most - 1))
    return st.one_of(
        st.just(MODEL),
        st.lists(segments, min_size=1, max_size=3).map("/".join),
        st.lists(hostile, min_size=1, max_size=5).map("/".join),
        st.lists(hostile, min_size=_DEEP, max_size=40).map("/".join),
        st.builds(lambda text, size: (text * size)[:size], st.sampled_from(("x", "a/")), sizes),
        st.text(_PRINTABLE, min_size=1, max_size=most),
    ).map(fitted)


_CLASSES = (
    ("percent-encoded", lambda path: "%" in path),
    ("dots", lambda path: any(part in (".", "..") for part in path.split("/"))),
    ("empty segment", lambda path: "" in path.split("/")[:-1]),
    ("trailing slash", lambda path: path.endswith("/")),
    ("wildcard or variable", lambda path: any(char in path for char in "*?$")),
    ("white space", lambda path: " " in path),
    ("long", lambda path: len(path) > 256),
    ("deep path", lambda path: path.count("/") >= _DEEP),
    ("one segment", lambda path: "/" not in path),
)


def path_class(target: str | None) -> str:
    """A short class of a TargetModel for statistics (``hypothesis.event``); None is ``absent``.

    The first that fits of: percent-encoded, dots, empty segment, trailing slash, wildcard or
    variable, white space, long, deep path, one segment; else plain.
    """
    if target is None:
        return "absent"
    return next((name for name, fits in _CLASSES if fits(target)), "plain")
