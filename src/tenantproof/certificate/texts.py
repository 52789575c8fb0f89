"""Whether some text is in some wildcard languages and outside others, by exploring all states.

Each language is a union of patterns; a state is the set of positions reached in them, as the bits
of one ``int``, and reading a character is one shift and two masks (Baeza-Yates and Gonnet, "A New
Approach to Text Searching", CACM 35(10), 1992; for gaps Navarro and Raffinot, "Flexible Pattern
Matching in Strings", 2002, chapter 4). The states of several languages are explored together,
breadth first, from one character of each kind that the patterns tell apart.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache

from tenantproof.certificate.keys import HIGHEST, Texts
from tenantproof.evaluate.matching import fold

MOST_STATES = 50_000
"""The most states that one search looks at."""

MOST_BITS = 2**30
"""The most bits that the states of one search, or the masks of one language, take together."""

MOST_POSITIONS = 2**18
"""The most positions that the patterns of one language may have together."""


class TooLargeError(Exception):
    """A check would take more time or memory than it may."""


@dataclass
class Effort:
    """What checking may cost: states in one search, and a deadline in monotonic seconds."""

    deadline: float | None = None
    states: int = MOST_STATES

    def look(self) -> None:
        """Refuse to go on after the deadline.

        Raises:
            TooLargeError: it has passed.
        """
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise TooLargeError("it takes longer than it may")


class Kind(Enum):
    """What one item of a pattern matches."""

    EXACT = "the character"
    FOLDED = "the character in any case"
    ANY = "one character"
    NO_COLON = "one character, no colon"
    GAP = "any characters"
    GAP_NO_COLON = "any characters, no colon"


Item = tuple[Kind, str]
Pattern = tuple[Item, ...]


@dataclass
class Language:
    """The union of patterns, as masks over the positions of all of them side by side.

    Attributes:
        size: how many positions there are.
        start: the positions before the first item of each pattern.
        accept: those behind the last item.
        sink: those from which every text is accepted.
        chars: the characters that the patterns name.
        folded: the characters that they name in any case.
    """

    size: int = 0
    start: int = 0
    accept: int = 0
    sink: int = 0
    chars: set[str] = field(default_factory=set)
    folded: set[str] = field(default_factory=set)
    _any: int = 0
    _no_colon: int = 0
    _gap: int = 0
    _gap_no_colon: int = 0
    _exact: dict[str, int] = field(default_factory=dict)
    _fold: dict[str, int] = field(default_factory=dict)
    _masks: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, patterns: Iterable[Pattern]) -> Language:
        """The language of the texts that one of the patterns matches as a whole.

        Raises:
            TooLargeError: there are too many patterns, or too long ones.
        """
        language = cls()
        for pattern in patterns:
            language._add(pattern)
            if language.size > MOST_POSITIONS:
                raise TooLargeError(f"patterns of more than {MOST_POSITIONS} positions")
            if language.size * len(language.chars | language.folded) > MOST_BITS:
                raise TooLargeError("patterns with too many different characters")
        return language

    def _add(self, pattern: Pattern) -> None:
        at = self.size
        self.start |= 1 << at
        for kind, char in pattern:
            here = 1 << at
            match kind:
                case Kind.GAP:
                    self._gap |= here
                    continue
                case Kind.GAP_NO_COLON:
                    self._gap_no_colon |= here
                    self.chars.add(":")
                    continue
                case Kind.ANY:
                    self._any |= here
                case Kind.NO_COLON:
                    self._no_colon |= here
                    self.chars.add(":")
                case Kind.EXACT:
                    self._exact[char] = self._exact.get(char, 0) | here
                    self.chars.add(char)
                case Kind.FOLDED:
                    self._fold[char] = self._fold.get(char, 0) | here
                    self.folded.add(char)
            at += 1
        self.accept |= 1 << at
        self.sink |= (1 << at) & self._gap
        self.size = at + 1

    def step(self, state: int, char: str) -> int:
        """The positions after reading a character."""
        masks = self._masks.get(char)
        if masks is None:
            consumed = self._any | self._exact.get(char, 0)
            kept = self._gap
            if self._fold:
                consumed |= self._fold.get(fold(char), 0)
            if char != ":":
                consumed |= self._no_colon
                kept |= self._gap_no_colon
            masks = self._masks[char] = (consumed, kept)
        consumed, kept = masks
        return (state & consumed) << 1 | state & kept


def is_empty(
    inside: Sequence[Language], outside: Sequence[Language], domain: Texts, effort: Effort
) -> bool:
    """Whether no text of the domain is inside all of some languages and outside all of others.

    Args:
        inside: the languages that a text must be in.
        outside: the languages that it must not be in.
        domain: the texts to choose from, not given by a list of values.
        effort: what the search may cost.

    Raises:
        TooLargeError: the search needs more states than it may.
    """
    languages = sorted(
        [(one, True) for one in inside] + [(one, False) for one in outside],
        key=lambda one: one[0].size,
    )
    width = 1 + sum(one.size for one, _ in languages)
    most = min(effort.states, MOST_BITS // width)
    start = tuple(one.start for one, _ in languages)
    first, rest = (
        list(_characters([one for one, _ in languages], bounds))
        for bounds in (domain.first, domain.rest)
    )
    if domain.shortest == 0 and _accepts(languages, start):
        return False
    seen: set[tuple[int, tuple[int, ...]]] = set()
    level: list[tuple[int, ...]] = [start]
    length = 0
    while level and (domain.longest is None or length < domain.longest):
        alphabet = rest if length else first
        length += 1
        short = min(length, domain.shortest)
        following: list[tuple[int, ...]] = []
        for states in level:
            effort.look()
            for char in alphabet:
                reached = _step(languages, states, char)
                if reached is None or (short, reached) in seen:
                    continue
                if length >= domain.shortest and _accepts(languages, reached):
                    return False
                seen.add((short, reached))
                if len(seen) > most:
                    raise TooLargeError(f"a search over texts needs more than {most} states")
                following.append(reached)
        level = following
    return True


def _accepts(languages: Sequence[tuple[Language, bool]], states: Sequence[int]) -> bool:
    return all(
        bool(state & language.accept) is inside
        for (language, inside), state in zip(languages, states, strict=True)
    )


def _step(
    languages: Sequence[tuple[Language, bool]], states: Sequence[int], char: str
) -> tuple[int, ...] | None:
    """The states after a character; None where no text can be found from there."""
    reached: list[int] = []
    for (language, inside), state in zip(languages, states, strict=True):
        after = language.step(state, char)
        if (inside and not after) or (not inside and after & language.sink):
            return None
        reached.append(after)
    return tuple(reached)


def _characters(languages: Iterable[Language], bounds: tuple[str, str]) -> Iterator[str]:
    """Characters within bounds, at least one of each kind that the languages tell apart.

    All that are named, all that are one of these in another case, and one that is neither.
    """
    low, high = bounds
    listed = list(languages)
    named = {char for one in listed for char in one.chars}
    for one in listed:
        for char in one.folded:
            named |= _same_when_folded(char, ascii_only=high <= "\x7f")
    within = sorted(char for char in named if low <= char <= high)
    yield from within
    other = next((c for c in map(chr, range(ord(low), ord(high) + 1)) if c not in named), None)
    if other is not None:
        yield other


def _same_when_folded(char: str, *, ascii_only: bool) -> set[str]:
    return {char} | _folded(0x80 if ascii_only else sys.maxunicode + 1).get(char, set())


@cache
def _folded(end: int) -> dict[str, set[str]]:
    """For each folded character the characters below ``end`` that fold to it, itself aside.

    A character without an upper and a lower case folds to itself alone.
    """
    found: dict[str, set[str]] = {}
    for char in map(chr, range(end)):
        if char.lower() != char or char.upper() != char:
            found.setdefault(fold(char), set()).add(char)
    return found


assert ord(HIGHEST) == sys.maxunicode
