"""Drawing at the boundary of wildcard patterns.

Two things make a leak of measure near zero likely. Each pattern has a *probe*, the text that most
likely shows its slip (``acme*`` gives ``acme-x/model.tar.gz``, in the pattern and outside
``acme/``), and a probe costs one choice, so that Hypothesis, which draws nothing twice, goes
through them all. And the patterns that differ from the rest go first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hypothesis import strategies as st

from tenantproof.errors import Place
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Escape,
    Part,
    Template,
    Variable,
)
from tenantproof.policy.template import TemplateError, parse_template
from tenantproof.request import ContextValue
from tenantproof_strategies.names import LOOK_ALIKES

T = TypeVar("T")

Pieces = tuple[Part, ...]
"""A pattern taken apart; where a text is compared as it is, its ``*`` and ``?`` are characters."""

MODEL = "model.tar.gz"
_NAME = "acme"
_PLACE = Place("<pattern>", "pattern")


@dataclass(frozen=True)
class Aim:
    """A pattern to draw near of, and what it is written for (an effect and an operator, say)."""

    pieces: Pieces
    source: str


def pieces_of(pattern: str | Template) -> Pieces:
    """A pattern taken apart; a text is read as in a policy of version 2012-10-17."""
    if isinstance(pattern, Template):
        return pattern.parts
    try:
        return parse_template(pattern, _PLACE, variables=True).parts
    except TemplateError:
        return parse_template(pattern, _PLACE, variables=False).parts


def literally(pieces: Pieces) -> Pieces:
    """The pieces where wildcards are plain characters (StringEquals)."""
    shown = {AnyChars(): Chars("*"), AnyChar(): Chars("?")}
    return tuple(
        shown[piece] if isinstance(piece, AnyChars | AnyChar) else piece for piece in pieces
    )


def resolved(pieces: Pieces, keys: Mapping[str, ContextValue]) -> Pieces:
    """The pieces with the values of the variables that have one."""
    return tuple(
        Chars(value)
        if isinstance(piece, Variable) and isinstance(value := keys.get(piece.key.lower()), str)
        else piece
        for piece in pieces
    )


def written(pieces: Pieces) -> str:
    """The pattern as a policy has it."""
    texts: list[str] = []
    for piece in pieces:
        match piece:
            case Chars(text):
                texts.append(text)
            case Escape(char):
                texts.append(f"${{{char}}}")
            case Variable(key, None):
                texts.append(f"${{{key}}}")
            case Variable(key, default):
                texts.append(f"${{{key}, '{default}'}}")
            case AnyChars():
                texts.append("*")
            case AnyChar():
                texts.append("?")
    return "".join(texts)


def head(pieces: Pieces) -> str:
    """The literal characters before the first wildcard or variable."""
    so_far = ""
    for piece in pieces:
        match piece:
            case Chars(text) | Escape(text):
                so_far += text
            case _:
                break
    return so_far


def probe(pieces: Pieces) -> str:
    """The text in a pattern that most likely shows a slip.

    A ``*`` at the end that follows no slash leaves the segment before it: ``acme*`` gives
    ``acme-x/model.tar.gz``, ``acme/*`` gives ``acme/model.tar.gz``.
    """
    so_far = ""
    for at, piece in enumerate(pieces):
        match piece:
            case Chars(text) | Escape(text):
                so_far += text
            case Variable(default=default):
                so_far += _NAME if default is None else default
            case AnyChars() if at < len(pieces) - 1:
                so_far += "x"
            case AnyChars():
                so_far += MODEL if so_far[-1:] in ("", "/") else f"-x/{MODEL}"
            case AnyChar():
                so_far += "x"
    return so_far


# -- probes, rare ones first ---------------------------------------------------------------------

_BUDGET = 200
"""How many examples a run is taken to have: so many probes are gone through before all else."""


class Ladder(Generic[T]):
    """Distinct items, each drawn by two choices: its group, small groups first, and its place.

    Args:
        items: what to draw.
        feature: what tells groups apart; an item alone in its group is soon drawn.
    """

    def __init__(self, items: Sequence[T], feature: Callable[[T], Hashable]) -> None:
        groups: dict[Hashable, list[T | None]] = defaultdict(list)
        for item in items:
            groups[feature(item)].append(item)
        self._groups = sorted(groups.values(), key=len)
        if not self._groups:
            return
        # The fewer the probes, the more of the run is left for everything else. One place of the
        # largest group leads there, too; not its last, which Hypothesis draws more often.
        share = max(0.0, min(1 / 3, 1 - 1.3 * len(items) / _BUDGET))
        self._groups[-1].insert(1 + len(self._groups[-1]) * 2 // 3, None)
        self._groups += [[None]] * round(share * len(self._groups) / (1 - share))

    def draw(self, draw: st.DrawFn) -> T | None:
        """One of the items; None, and always once all were drawn, for something else."""
        if not self._groups:
            return None
        most = len(self._groups) - 1
        group = self._groups[draw(st.integers(0, most)) if most else 0]
        return draw(st.sampled_from(group))


def draw_once(draw: st.DrawFn, drawn: st.SearchStrategy[T]) -> T:
    """A value of which Hypothesis tries no mutations.

    It puts parts of an example in each other's place, up to five times an example: nothing for
    texts at a boundary, and dear where all probes are to be gone through. It does not in lists
    without duplicates.
    """
    return draw(st.lists(drawn, min_size=1, max_size=1, unique_by=id))[0]


GRANT = "Allow"
OTHERS = "near"


class Surroundings:
    """What tells a pattern from the rest: where else it is written, what it runs into."""

    def __init__(self, aims: Iterable[Aim]) -> None:
        self._sources: dict[Pieces, set[str]] = defaultdict(set)
        granted: set[str] = set()
        others: set[str] = set()
        for aim in aims:
            self._sources[aim.pieces].add(aim.source)
            if aim.source == OTHERS:
                others.add(head(aim.pieces))
            elif aim.source.startswith(GRANT):
                granted.add(head(aim.pieces))
        self._granted = granted - {""}
        self._within_others = {text[:end] for text in others for end in range(1, len(text) + 1)}

    def feature(self, aim: Aim) -> Hashable:
        """Patterns with the same feature are of the same sort."""
        text = head(aim.pieces)
        return (
            _shape(aim.pieces),
            frozenset(self._sources[aim.pieces]),
            text in self._within_others and aim.source != OTHERS,
            aim.source == OTHERS
            and any(text[:n] in self._granted for n in range(1, len(text) + 1)),
            text.islower() or not text,
        )


def _shape(pieces: Pieces) -> Hashable:
    """Which wildcards a pattern has, and after which kind of character."""
    shape: list[tuple[str, str]] = []
    before = ""
    for piece in pieces:
        match piece:
            case Chars(text) | Escape(text):
                before = text[-1:]
            case _:
                shape.append((type(piece).__name__, before if before in ("", "/") else "x"))
                before = ""
    return tuple(shape)


# -- everything else: wildcards filled in, one edit ----------------------------------------------

_FILLERS = (
    "",
    "x",
    MODEL,
    "/",
    f"-x/{MODEL}",
    "a/b",
    "..",
    "../x",
    "%2F",
    " ",
    "*",
    ":",
    _NAME,
)
_VALUES = (_NAME, "acme-corp", "", "a/b", "*", "Acme")
_CHARS = "/-:aA*.x 0"
_EDITS = (
    "as is",
    "as is",
    "drop",
    "add",
    "replace",
    "case",
    "slash doubled",
    "slash dropped",
    "slash encoded",
    "climbs",
    "alike",
    "long",
)


def near_pieces(draw: st.DrawFn, pieces: Pieces, longest: int = 64) -> str:
    """A text in a pattern, or one edit away, most often where the pattern turns."""
    text, turns = _filled(draw, pieces)
    at = draw(st.one_of(st.sampled_from(turns), st.integers(0, len(text))))
    match draw(st.sampled_from(_EDITS)):
        case "drop":
            return text[:at] + text[at + 1 :]
        case "add":
            return text[:at] + draw(st.sampled_from(_CHARS)) + text[at:]
        case "replace":
            return text[:at] + draw(st.sampled_from(_CHARS)) + text[at + 1 :]
        case "case":
            return text.swapcase()
        case "slash doubled":
            return text.replace("/", "//", 1)
        case "slash dropped":
            return text.rstrip("/") if text.endswith("/") else text.replace("/", "", 1)
        case "slash encoded":
            return text.replace("/", "%2F", 1)
        case "climbs":
            return f"{text}/../x"
        case "alike":
            written, alike = draw(st.sampled_from(LOOK_ALIKES))
            return text.replace(written, alike, 1)
        case "long":
            return text + "x" * (longest - len(text))
        case _:
            return text


def _filled(draw: st.DrawFn, pieces: Pieces) -> tuple[str, list[int]]:
    """A text with wildcards and variables filled in, and where its pieces begin and end."""
    text = ""
    turns = [0]
    for piece in pieces:
        match piece:
            case Chars(chars) | Escape(chars):
                text += chars
            case Variable(default=default):
                given = () if default is None else (default,)
                text += draw(st.sampled_from((*given, *_VALUES)))
            case AnyChars():
                text += draw(st.sampled_from(_FILLERS))
            case AnyChar():
                text += draw(st.sampled_from(("x", "/", ":", "*", "")))
        turns += [max(len(text) - 1, 0), len(text)]
    return text, turns


@st.composite
def near_texts(draw: st.DrawFn, patterns: Sequence[str]) -> str:
    """Texts in a wildcard pattern, or one edit away from being in it."""
    return near_pieces(draw, pieces_of(draw(st.sampled_from(patterns))))
