"""Languages of texts as bit-parallel automata: unions of wildcard patterns.

A pattern is a sequence of steps, each taking one character of a set, with optional loops between
them (``*``). All patterns of a language lie side by side in one Python ``int`` that is the set of
live states; reading a character is one shift and two masks (the Shift-And method of Baeza-Yates
and Gonnet, "A new approach to text searching", CACM 35(10), 1992; with loops as in Navarro and
Raffinot, "Flexible Pattern Matching in Strings", 2002, ch. 4). Masks are made for a character
when it is first read, so that a thousand patterns cost nothing until they matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final, Never


class Wild:
    """A set of characters too large to list: every character, or every one but the colon."""

    def __init__(self, name: str, excluded: str) -> None:
        self.name = name
        self.excluded = excluded

    def __repr__(self) -> str:
        return self.name

    def __contains__(self, char: str) -> bool:
        return char not in self.excluded


_WILDCARDS: Final = re.compile(r"([*?])")

ANY: Final = Wild("ANY", "")
NO_COLON: Final = Wild("NO_COLON", ":")

Symbol = str | frozenset[str] | Wild
"""What one step takes: exactly one character, one of several, or a wild one."""


@dataclass(frozen=True)
class Pattern:
    """A linear pattern.

    ``steps`` are taken in order; ``loops`` maps a position (0 to ``len(steps)``) to the wild set
    that may be read there any number of times.
    """

    steps: tuple[Symbol, ...] | str
    loops: tuple[tuple[int, Wild], ...] = ()

    @property
    def forks(self) -> bool:
        """Whether a ``*`` stands before more text."""
        return any(position < len(self.steps) for position, _ in self.loops)


class PatternBuilder:
    """Puts a pattern together from left to right."""

    def __init__(self) -> None:
        self._chunks: list[Symbol] = []
        self._length = 0
        self._loops: dict[int, Wild] = {}
        self._plain = True

    def text(self, text: str, *, ignore_case: bool = False) -> PatternBuilder:
        """Literal characters."""
        if ignore_case:
            self._chunks.extend(map(case_variants, text))
            self._plain = False
        else:
            self._chunks.append(text)
        self._length += len(text)
        return self

    def one(self, chars: Wild | frozenset[str]) -> PatternBuilder:
        """One character of a set (``?`` takes a wild one)."""
        self._chunks.append(chars)
        self._length += 1
        self._plain = False
        return self

    def many(self, wild: Wild) -> PatternBuilder:
        """Any number of characters of a wild set (``*``); of two in a row the wider is kept."""
        at = self._length
        self._loops[at] = ANY if ANY in (wild, self._loops.get(at)) else wild
        return self

    def wildcards(self, text: str) -> PatternBuilder:
        """A text in which ``*`` and ``?`` are wildcards."""
        for piece in _WILDCARDS.split(text):
            match piece:
                case "*":
                    self.many(ANY)
                case "?":
                    self.one(ANY)
                case _:
                    self.text(piece)
        return self

    def build(self) -> Pattern:
        """The pattern."""
        loops = tuple(self._loops.items())
        if self._plain:
            return Pattern("".join(map(str, self._chunks)), loops)
        steps: list[Symbol] = []
        for chunk in self._chunks:
            if isinstance(chunk, str):
                steps.extend(chunk)
            else:
                steps.append(chunk)
        return Pattern(tuple(steps), loops)


def literal(text: str, *, ignore_case: bool = False) -> Pattern:
    """The pattern of one text."""
    return PatternBuilder().text(text, ignore_case=ignore_case).build()


def wildcard(text: str) -> Pattern:
    """The pattern of a text in which ``*`` and ``?`` are wildcards, as a manifest writes them."""
    return PatternBuilder().wildcards(text).build()


@cache
def case_variants(char: str) -> frozenset[str]:
    """The characters equal to ``char`` in a comparison without case.

    Two characters are equal if their upper case is, or then their lower case, where each maps to
    one character (as ``equalsIgnoreCase`` of the Java language has it).
    """
    if char.isascii():
        return frozenset((char.lower(), char.upper(), *_ASCII_TWINS.get(char.lower(), "")))
    return _case_classes().get(_case_key(char), frozenset()) | {char}


_ASCII_TWINS: Final = {"i": "\u0131", "k": "\u212a", "s": "\u017f"}
"""The only characters beyond ASCII that equal an ASCII letter: dotless i, Kelvin sign, long s."""


def _case_key(char: str) -> str:
    up = char.upper()
    up = up if len(up) == 1 else char
    low = up.lower()
    return low if len(low) == 1 else up


_LAST_CASED: Final = 0x1E943
"""No character behind it has a case (Unicode 15)."""


@cache
def _case_classes() -> dict[str, frozenset[str]]:
    classes: dict[str, set[str]] = {}
    for code in range(_LAST_CASED + 1):
        char = chr(code)
        if char.isalpha() or char.upper() != char or char.lower() != char:
            classes.setdefault(_case_key(char), set()).add(char)
    return {key: frozenset(chars) for key, chars in classes.items() if len(chars) > 1}


class Language:
    """The union of some patterns, as an automaton whose state is an ``int``.

    State 0 is dead: nothing that follows is accepted. ``trap`` is the state from which
    everything that follows is accepted.
    """

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self.patterns = tuple(dict.fromkeys(patterns))
        self._hash = hash(self.patterns)
        self._advance: dict[str, tuple[int, int]] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Language):
            return NotImplemented
        return self is other or (self._hash == other._hash and self.patterns == other.patterns)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Language({list(self.patterns)!r})"

    @cached_property
    def characters(self) -> frozenset[str]:
        """Every character that the language tells from others."""
        chars: set[str] = set()
        for pattern in self.patterns:
            if isinstance(pattern.steps, str):
                chars.update(pattern.steps)
            else:
                for step in pattern.steps:
                    chars.update(step.excluded if isinstance(step, Wild) else step)
            for _, wild in pattern.loops:
                chars.update(wild.excluded)
        return frozenset(chars)

    @cached_property
    def texts(self) -> tuple[str, ...] | None:
        """The texts of the language, where each pattern is a text; None where one is not."""
        plain = [p.steps for p in self.patterns if isinstance(p.steps, str) and not p.loops]
        return tuple(plain) if len(plain) == len(self.patterns) else None

    @property
    def sets(self) -> frozenset[Never]:
        """No sets of characters but those that :attr:`characters` tell apart."""
        return frozenset()

    @cached_property
    def forks(self) -> bool:
        """Whether a ``*`` stands before more text, so that texts can have many runs."""
        return any(pattern.forks for pattern in self.patterns)

    def states_within(self, other: Language) -> dict[int, int]:
        """For the states of forking patterns: the states of another language that accept as much.

        Those that simulate the state: they take each character that it takes, and simulate it
        again afterwards. Found from each pattern's end to its start, all states of the other
        language at once. (As in Abdulla, Chen, Holik, Mayr, Vojnar, "When simulation meets
        antichains", TACAS 2010.)

        Returns:
            Each state, one bit, with the states of ``other``, as bits, whose future holds its own.
        """
        found: dict[int, int] = {}
        layout = other._layout
        for start, pattern in zip(self._layout.start_of_pattern, self.patterns, strict=True):
            if not pattern.forks:
                continue
            loops = dict(pattern.loops)
            after = 0
            for position in range(len(pattern.steps), -1, -1):
                if position == len(pattern.steps):
                    within = layout.finals
                else:
                    advance, stay = layout.taking(pattern.steps[position])
                    within = (after >> 1) & advance | after & stay
                if position in loops:
                    within = _while_looping(within, *layout.taking(loops[position]))
                found[1 << (start + position)] = after = within
        return found

    @cached_property
    def size(self) -> int:
        """The number of states."""
        return self._layout.size

    @cached_property
    def _layout(self) -> _Layout:
        return _Layout(self.patterns)

    @cached_property
    def start(self) -> int:
        """The state before the first character."""
        return self._settle(self._layout.starts)

    @cached_property
    def trap(self) -> int:
        """The state that accepts everything from here on; -1 if there is none."""
        traps = self._layout.traps
        return traps & -traps if traps else -1

    def accepting(self, state: int) -> bool:
        """Whether the text read so far is in the language."""
        return bool(state & self._layout.finals)

    def step(self, state: int, char: str) -> int:
        """The state after reading one more character."""
        masks = self._advance.get(char)
        if masks is None:
            masks = self._advance[char] = self._layout.masks(char)
        advance, stay = masks
        return self._settle(((state & advance) << 1) | (state & stay))

    def next_chars(self, state: int) -> frozenset[str] | None:
        """The characters that lead on from a state; None if that is not a listed few."""
        return self._layout.next_chars(state)

    def accepts(self, text: str) -> bool:
        """Whether ``text`` is in the language."""
        state = self.start
        for char in text:
            if not state:
                return False
            if state == self.trap:
                return True
            state = self.step(state, char)
        return self.accepting(state)

    def _settle(self, state: int) -> int:
        """Drop states that add nothing, so that equal futures have equal states.

        A state that accepts every future makes the others of the language redundant; one with a
        ``*`` loop makes those before it in its pattern redundant: they can do no more.
        """
        layout = self._layout
        if state & layout.traps:
            return self.trap
        loops = state & layout.dominators
        while loops:
            # The last loop of a pattern first: it makes all before it redundant.
            loop = 1 << (loops.bit_length() - 1)
            state &= ~layout.below(loop)
            loops &= state ^ loop
        return state


def _while_looping(within: int, advance: int, stay: int) -> int:
    """Those of some states that simulate a loop, given what its characters let them do."""
    found = within & stay
    while more := within & (found >> 1) & advance & ~found:
        found |= more
    return found


_FEW_STATES: Final = 64


class _Layout:
    """Where each pattern's states lie in the ``int``: one bit a position, one more for its end."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        texts: list[str] = []
        starts: list[int] = []
        finals: list[int] = []
        traps: list[int] = []
        self._taking: dict[Symbol, tuple[int, int]] = {}
        self._special: dict[Symbol, list[int]] = {}
        self._loops: dict[Wild, list[int]] = {ANY: [], NO_COLON: []}
        self._start_of: dict[int, int] = {}
        dominators: list[int] = []
        at = 0
        for pattern in patterns:
            length = len(pattern.steps)
            texts.append(self._text(pattern.steps, at))
            starts.append(at)
            finals.append(at + length)
            for position, wild in pattern.loops:
                self._loops[wild].append(at + position)
                if wild is ANY and position:
                    dominators.append(at + position)
                    self._start_of[at + position] = at
                if wild is ANY and position == length:
                    traps.append(at + length)
            at += length + 1
        self.size = at
        self._text_all = "\0".join(texts)
        self.start_of_pattern = tuple(starts)
        self.starts = self._bits(starts)
        self.finals = self._bits(finals)
        self.traps = self._bits(traps)
        self.dominators = self._bits(dominators)
        not_literal = (p for positions in self._special.values() for p in positions)
        self._literal = ~self._bits([*finals, *not_literal])
        self._special_masks = {s: self._bits(p) for s, p in self._special.items()}
        self._stay = {wild: self._bits(positions) for wild, positions in self._loops.items()}
        self._wild = self._stay[ANY] | self._stay[NO_COLON]
        for symbol, mask in self._special_masks.items():
            if isinstance(symbol, Wild):
                self._wild |= mask

    def _text(self, steps: tuple[Symbol, ...] | str, at: int) -> str:
        """The steps as text, special ones (recorded by position) as fillers."""
        if isinstance(steps, str):
            return steps
        chars: list[str] = []
        for offset, step in enumerate(steps):
            if isinstance(step, str):
                chars.append(step)
            else:
                self._special.setdefault(step, []).append(at + offset)
                chars.append("\0")
        return "".join(chars)

    def _bits(self, positions: Iterable[int]) -> int:
        bits = bytearray(self.size // 8 + 1)
        for position in positions:
            bits[position >> 3] |= 1 << (position & 7)
        return int.from_bytes(bits, "little")

    def masks(self, char: str) -> tuple[int, int]:
        """The states whose step takes ``char``, and those whose loop does."""
        positions: list[int] = []
        at = self._text_all.find(char)
        while at >= 0:
            positions.append(at)
            at = self._text_all.find(char, at + 1)
        advance = self._bits(positions) & self._literal
        for symbol, mask in self._special_masks.items():
            if char in symbol:
                advance |= mask
        stay = 0
        for wild, mask in self._stay.items():
            if char in wild:
                stay |= mask
        return advance, stay

    def taking(self, symbol: Symbol) -> tuple[int, int]:
        """The states whose step takes all that a symbol takes, and those whose loop does."""
        if symbol not in self._taking:
            self._taking[symbol] = self._taking_all(symbol)
        return self._taking[symbol]

    def _taking_all(self, symbol: Symbol) -> tuple[int, int]:
        if isinstance(symbol, Wild):
            wider = [wild for wild in (ANY, NO_COLON) if not wild.excluded or wild is symbol]
            advance = stay = 0
            for wild in wider:
                advance |= self._special_masks.get(wild, 0)
                stay |= self._stay[wild]
            return advance, stay
        advance = stay = -1
        for char in symbol:
            steps, loops = self.masks(char)
            advance &= steps
            stay &= loops
        return advance, stay

    def next_chars(self, state: int) -> frozenset[str] | None:
        """The characters that some state takes; None where they are many or a wild set."""
        if state & self._wild or state.bit_count() > _FEW_STATES:
            return None
        chars: set[str] = set()
        state &= ~self.finals
        while state:
            bit = state & -state
            state ^= bit
            if bit & self._literal:
                chars.add(self._text_all[bit.bit_length() - 1])
            else:
                chars.update(
                    c
                    for s, mask in self._special_masks.items()
                    if mask & bit and not isinstance(s, Wild)
                    for c in s
                )
        return frozenset(chars)

    def below(self, loop: int) -> int:
        """The states of the pattern that lie before the state ``loop`` (a power of two)."""
        return loop - (1 << self._start_of[loop.bit_length() - 1])


def language(*patterns: str) -> Language:
    """The language of wildcard texts, as a manifest writes them."""
    return Language(wildcard(pattern) for pattern in patterns)
