"""Regular languages beyond wildcard patterns: naming rules, and the shapes of typed values.

An expression is turned into its position automaton (Glushkov, "The abstract theory of automata",
Russian Mathematical Surveys 16(5), 1961): one state a position, the set of live positions held in
one Python ``int``. It has the same face as :class:`tenantproof.prove.languages.Language`, so that
the search takes either.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.languages import Language, Pattern, Symbol, Wild

_LAST = 0x10FFFF


@dataclass(frozen=True)
class CharSet:
    """A set of characters as ranges of code points, each first to last, in order and apart."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, *pieces: str) -> CharSet:
        """The characters from the first to the last of each piece: ``of("az", "_")``."""
        return cls.union((ord(piece[0]), ord(piece[-1])) for piece in pieces)

    @classmethod
    def union(cls, ranges: Iterable[tuple[int, int]]) -> CharSet:
        """The set of all characters in some ranges, which may overlap."""
        merged: list[tuple[int, int]] = []
        for first, last in sorted(ranges):
            if merged and first <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return cls(tuple(merged))

    def complement(self) -> CharSet:
        """Every other character."""
        at = 0
        ranges: list[tuple[int, int]] = []
        for first, last in self.ranges:
            if at < first:
                ranges.append((at, first - 1))
            at = last + 1
        if at <= _LAST:
            ranges.append((at, _LAST))
        return CharSet(tuple(ranges))

    def intersection(self, other: CharSet) -> CharSet:
        """The characters of both."""
        lacking = (*self.complement().ranges, *other.complement().ranges)
        return CharSet.union(lacking).complement()

    def __contains__(self, char: str) -> bool:
        code = ord(char)
        return any(first <= code <= last for first, last in self.ranges)


ANY_CHARACTER = CharSet(((0, _LAST),))


@dataclass(frozen=True)
class One:
    """One character of a set."""

    chars: CharSet


@dataclass(frozen=True)
class Concat:
    """Expressions one after the other; none is the empty text."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Choice:
    """Any one of some expressions; of none, nothing."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Repeat:
    """An expression ``least`` to ``most`` times; without ``most``, any number from ``least``."""

    item: Expression
    least: int = 0
    most: int | None = None


Expression = One | Concat | Choice | Repeat


def text(literal: str) -> Expression:
    """The expression of one text."""
    return Concat(tuple(One(CharSet(((ord(c), ord(c)),))) for c in literal))


def of_pattern(pattern: Pattern) -> Expression:
    """The expression of a wildcard pattern."""
    loops = dict(pattern.loops)
    items: list[Expression] = []
    for position in range(len(pattern.steps) + 1):
        if position in loops:
            items.append(Repeat(One(_set_of(loops[position]))))
        if position < len(pattern.steps):
            items.append(One(_set_of(pattern.steps[position])))
    return Concat(tuple(items))


def _set_of(symbol: Symbol) -> CharSet:
    match symbol:
        case Wild(excluded=excluded):
            return CharSet.union((ord(c), ord(c)) for c in excluded).complement()
        case str(char):
            return CharSet(((ord(char), ord(char)),))
        case chars:
            return CharSet.union((ord(c), ord(c)) for c in chars)


def positions(expression: Expression) -> int:
    """How many positions the automaton of an expression has: what building it costs."""
    match expression:
        case One():
            return 1
        case Concat(items) | Choice(items):
            return sum(map(positions, items))
        case Repeat(item, least, most):
            return positions(item) * max(least + (most is None), most or 0, 1)


@dataclass(frozen=True)
class _Fragment:
    """A part of the automaton: where it begins and ends, and whether it takes the empty text."""

    first: int
    last: int
    nullable: bool


_EMPTY = _Fragment(0, 0, nullable=True)


class Stepwise(ABC):
    """An automaton that accepts a text by reading it to its end; state 0 is dead."""

    @property
    @abstractmethod
    def start(self) -> int:
        """The state before the first character."""

    @abstractmethod
    def step(self, state: int, char: str) -> int:
        """The state after reading one more character."""

    @abstractmethod
    def accepting(self, state: int) -> bool:
        """Whether the text read so far is in the language."""

    def accepts(self, word: str) -> bool:
        """Whether ``word`` is in the language."""
        state = self.start
        for char in word:
            state = self.step(state, char)
            if not state:
                return False
        return self.accepting(state)


class Regular(Stepwise):
    """The language of an expression, as an automaton whose state is an ``int``.

    State 0 is dead; bit 0 is the position before the first character. ``trap`` is a state from
    which everything that follows is accepted, -1 where none is known.
    """

    forks = False

    def __init__(self, expression: Expression, name: str = "") -> None:
        self.expression = expression
        self.name = name
        self._hash = hash(expression)
        self._built = False
        self._chars: list[CharSet] = [CharSet(())]
        self._follow: list[int] = [0]
        self._finals = 0
        self._memo: dict[tuple[int, str], int] = {}
        self._masks: dict[str, int] = {}
        self._next: dict[int, frozenset[str] | None] = {}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Regular):
            return NotImplemented
        return self is other or (self._hash == other._hash and self.expression == other.expression)

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Regular({self.name or self.expression!r})"

    def _build(self) -> None:
        if self._built:
            return
        self._built = True
        whole = self._fragment(self.expression)
        self._follow[0] = whole.first
        self._finals = whole.last | (1 if whole.nullable else 0)

    def _fragment(self, expression: Expression) -> _Fragment:
        match expression:
            case One(chars):
                self._chars.append(chars)
                self._follow.append(0)
                bit = 1 << (len(self._chars) - 1)
                return _Fragment(bit, bit, nullable=False)
            case Concat(items):
                return reduce(self._then, map(self._fragment, items), _EMPTY)
            case Choice(items):
                parts = [self._fragment(item) for item in items]
                return _Fragment(
                    reduce(or_, (part.first for part in parts), 0),
                    reduce(or_, (part.last for part in parts), 0),
                    any(part.nullable for part in parts),
                )
            case Repeat(item, least, most):
                return self._repeated(item, least, most)

    def _repeated(self, item: Expression, least: int, most: int | None) -> _Fragment:
        whole = _EMPTY
        for _ in range(least):
            whole = self._then(whole, self._fragment(item))
        if most is None:
            loop = self._fragment(item)
            self._connect(loop.last, loop.first)
            return self._then(whole, _Fragment(loop.first, loop.last, nullable=True))
        optional = _EMPTY
        for _ in range(most - least):
            part = self._then(self._fragment(item), optional)
            optional = _Fragment(part.first, part.last, nullable=True)
        return self._then(whole, optional)

    def _then(self, left: _Fragment, right: _Fragment) -> _Fragment:
        self._connect(left.last, right.first)
        return _Fragment(
            left.first | (right.first if left.nullable else 0),
            right.last | (left.last if right.nullable else 0),
            left.nullable and right.nullable,
        )

    def _connect(self, lasts: int, firsts: int) -> None:
        while lasts:
            bit = lasts & -lasts
            lasts ^= bit
            self._follow[bit.bit_length() - 1] |= firsts

    @property
    def characters(self) -> frozenset[str]:
        """No character is told from all others by itself: see :attr:`sets`."""
        return frozenset()

    @cached_property
    def sets(self) -> frozenset[CharSet]:
        """The sets of characters that the language tells apart."""
        self._build()
        return frozenset(self._chars[1:])

    @cached_property
    def size(self) -> int:
        """The number of states."""
        self._build()
        return len(self._chars)

    @property
    def start(self) -> int:
        """The state before the first character."""
        self._build()
        return 1

    @cached_property
    def trap(self) -> int:
        """A position that takes every character again and again, and ends the text."""
        self._build()
        for position, chars in enumerate(self._chars):
            bit = 1 << position
            if chars == ANY_CHARACTER and self._follow[position] & self._finals & bit:
                return bit
        return -1

    def accepting(self, state: int) -> bool:
        """Whether the text read so far is in the language."""
        return bool(state & self._finals)

    def step(self, state: int, char: str) -> int:
        """The state after reading one more character."""
        after = self._memo.get((state, char))
        if after is None:
            mask = self._masks.get(char)
            if mask is None:
                mask = self._masks[char] = sum(
                    1 << at for at, chars in enumerate(self._chars) if char in chars
                )
            after, rest = 0, state
            while rest:
                bit = rest & -rest
                rest ^= bit
                after |= self._follow[bit.bit_length() - 1]
            after &= mask
            if self.trap > 0 and after & self.trap:
                after = self.trap
            self._memo[state, char] = after
        return after

    def next_chars(self, state: int) -> frozenset[str] | None:
        """The characters that lead on from a state; None if those are more than a few."""
        if state not in self._next:
            self._next[state] = self._few_chars(state)
        return self._next[state]

    def _few_chars(self, state: int) -> frozenset[str] | None:
        chars: set[str] = set()
        follow = reduce(or_, (self._follow[at] for at in _positions_in(state)), 0)
        for position in _positions_in(follow):
            ranges = self._chars[position].ranges
            if sum(last - first for first, last in ranges) > _FEW_CHARACTERS:
                return None
            chars.update(chr(code) for first, last in ranges for code in range(first, last + 1))
        return frozenset(chars)

    def entered_after(
        self, at: int, classes: Iterable[tuple[str, CharSet]], read: int, other: Language
    ) -> Iterator[tuple[_Reached, CharSet]]:
        """The positions after one, with what another language has read and by which characters.

        Args:
            at: the position.
            classes: classes of characters that the other language takes alike, each with one.
            read: the other language's state at the position.
            other: the other language.
        """
        stepped = [(other.step(read, char) if read else 0, chars) for char, chars in classes]
        for position in _positions_in(self._follow[at]):
            by_state: dict[int, list[tuple[int, int]]] = {}
            for state, chars in stepped:
                both = chars.intersection(self._chars[position])
                if both.ranges:
                    by_state.setdefault(state, []).extend(both.ranges)
            for state, ranges in by_state.items():
                yield (position, state), CharSet.union(ranges)


_FEW_CHARACTERS = 16

_Reached = tuple[int, int]
"""A position of a regular language, and a state of the language that is taken away."""


class Without(Regular):
    """The texts of a regular language that are not in another one.

    A position is one of the language, with what has been read of the other: that is one state for
    each text, so that a text that is not in it has a run that says so.
    """

    def __init__(self, language: Regular, excluded: Language) -> None:
        super().__init__(language.expression, f"{language.name} without some")
        self.language = language
        self.excluded = excluded
        self._hash = hash((language, excluded))

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, Without)
            and (self.language, self.excluded) == (other.language, other.excluded)
        )

    def __hash__(self) -> int:
        return self._hash

    def _build(self) -> None:
        if self._built:
            return
        self._built = True
        language, excluded = self.language, self.excluded
        start = (0, excluded.start)
        self._finals = int(language.accepting(language.start) and not excluded.accepting(start[1]))
        numbers: dict[tuple[_Reached, CharSet], int] = {}
        todo: list[tuple[int, _Reached]] = [(0, start)]
        while todo:
            at, (position, read) = todo.pop()
            for entered in language.entered_after(position, self._classes, read, excluded):
                if entered not in numbers:
                    numbers[entered] = len(self._chars)
                    reached, chars = entered
                    self._chars.append(chars)
                    self._follow.append(0)
                    if len(self._chars) > _MOST_POSITIONS:
                        raise BudgetExceededError("what a rule excludes makes too many states")
                    is_final = language.accepting(1 << reached[0])
                    if is_final and not excluded.accepting(reached[1]):
                        self._finals |= 1 << numbers[entered]
                    todo.append((numbers[entered], reached))
                self._follow[at] |= 1 << numbers[entered]

    @cached_property
    def _classes(self) -> tuple[tuple[str, CharSet], ...]:
        """The characters that the excluded language tells apart, each class with one of it."""
        named = CharSet.union((ord(c), ord(c)) for c in self.excluded.characters)
        others = named.complement()
        one = chr(others.ranges[0][0])
        return (
            *((c, CharSet(((ord(c), ord(c)),))) for c in sorted(self.excluded.characters)),
            (one, others),
        )


_MOST_POSITIONS = 20_000


def _positions_in(state: int) -> Iterator[int]:
    while state:
        bit = state & -state
        state ^= bit
        yield bit.bit_length() - 1
