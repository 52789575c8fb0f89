"""Automata made of others: a part of a text that is in a language, and texts read from their ends.

All have the face that the search runs: a start, steps, what is accepted, and what the language
tells apart.
"""

from __future__ import annotations

from functools import cached_property

from tenantproof.prove.languages import Language, Pattern
from tenantproof.prove.regular import (
    CharSet,
    Choice,
    Concat,
    Expression,
    One,
    Regular,
    Repeat,
    Stepwise,
    Without,
)


class _LikeAnother:
    """An automaton with the states and steps of another one, from which it differs in its ends."""

    forks = False
    language: Automaton

    @property
    def characters(self) -> frozenset[str]:
        """Every character that the language tells from others."""
        return self.language.characters

    @property
    def sets(self) -> frozenset[CharSet]:
        """The sets of characters that the language tells apart."""
        return self.language.sets

    @property
    def size(self) -> int:
        """The number of states."""
        return self.language.size

    @property
    def trap(self) -> int:
        """The state from which everything that follows is accepted; -1 if there is none."""
        return self.language.trap

    def step(self, state: int, char: str) -> int:
        """The state after reading one more character."""
        return self.language.step(state, char)


class Within(_LikeAnother):
    """The texts that, between a prefix and a suffix, are in a language.

    How a condition on ``team-acme`` looks from the name ``acme`` that is a part of it.
    """

    def __init__(self, language: Automaton, prefix: str = "", suffix: str = "") -> None:
        self.language = language
        self.prefix = prefix
        self.suffix = suffix

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Within) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.language, self.prefix, self.suffix

    def __repr__(self) -> str:
        return f"Within({self.language!r}, {self.prefix!r}, {self.suffix!r})"

    @cached_property
    def start(self) -> int:
        """The state before the first character."""
        return self._read(self.language.start, self.prefix)

    def accepting(self, state: int) -> bool:
        """Whether the text read so far is in the language."""
        return self.language.accepting(self._read(state, self.suffix))

    def next_chars(self, state: int) -> frozenset[str] | None:  # noqa: ARG002
        """None: the characters that lead on are not listed."""
        return None

    def accepts(self, word: str) -> bool:
        """Whether ``word`` is in the language."""
        return self.language.accepts(f"{self.prefix}{word}{self.suffix}")

    def _read(self, state: int, word: str) -> int:
        for char in word:
            state = self.language.step(state, char) if state else 0
        return state


class Placed(Stepwise):
    """The texts of which a part, between texts of two other languages, is in a language.

    How a condition on an account looks from the ARN that holds it. A state is the states of the
    three automata side by side, each as a set of runs: the part may begin wherever what is before
    it may end.
    """

    def __init__(
        self, language: Automaton, before: Language, after: Language, excluded: str = ""
    ) -> None:
        self.language = language
        self.before = before
        self.after = after
        self.excluded = excluded
        self._memo: dict[tuple[int, str], int] = {}

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Placed) and self._key == other._key)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.language, self.before, self.after, self.excluded

    def __repr__(self) -> str:
        return f"Placed({self.language!r}, {self.before!r}, {self.after!r}, {self.excluded!r})"

    @cached_property
    def characters(self) -> frozenset[str]:
        """Every character that one of the languages tells from others."""
        parts = (self.before, self.language, self.after)
        return frozenset(self.excluded).union(*(part.characters for part in parts))

    @property
    def sets(self) -> frozenset[CharSet]:
        """The sets of characters that the language tells apart."""
        return self.language.sets

    @cached_property
    def size(self) -> int:
        """The number of states."""
        return self.before.size + self.language.size + self.after.size

    @property
    def forks(self) -> bool:
        """Whether texts can have many runs."""
        return self.before.forks or self.language.forks

    @cached_property
    def start(self) -> int:
        """The state before the first character."""
        return self._joined(self.before.start, 0, 0)

    @cached_property
    def trap(self) -> int:
        """The state from which everything that follows is accepted; -1 if there is none."""
        return self.after.trap << self._second if self.after.trap > 0 else -1

    @cached_property
    def _first(self) -> int:
        return self.before.size

    @cached_property
    def _second(self) -> int:
        return self.before.size + self.language.size

    def _joined(self, before: int, within: int, after: int) -> int:
        if self.before.accepting(before):
            within |= self.language.start
        if self.language.accepting(within):
            after |= self.after.start
        if after and after == self.after.trap:
            return self.trap
        return before | within << self._first | after << self._second

    def accepting(self, state: int) -> bool:
        """Whether the text read so far is in the language."""
        return self.after.accepting(state >> self._second)

    def step(self, state: int, char: str) -> int:
        """The state after reading one more character."""
        found = self._memo.get((state, char))
        if found is None:
            before = state & ((1 << self._first) - 1)
            within = state >> self._first & ((1 << self.language.size) - 1)
            after = state >> self._second
            found = self._memo[state, char] = self._joined(
                self.before.step(before, char) if before else 0,
                self.language.step(within, char) if within and char not in self.excluded else 0,
                self.after.step(after, char) if after else 0,
            )
        return found

    def next_chars(self, state: int) -> frozenset[str] | None:  # noqa: ARG002
        """None: the characters that lead on are not listed."""
        return None


class Joined(Stepwise):
    """The texts of which two parts, joined by a character, are in a language.

    How ``111122223333:ann`` looks from ``arn:aws:sts::111122223333:federated-user/ann``: the first
    part is a field between colons, the second what follows the next slash.

    A state is a number for how far the text is read, and where the language stands.
    """

    forks = False
    trap = -1

    def __init__(self, language: Automaton, fields: int, joint: str) -> None:
        self.language = language
        self.fields = fields
        self.joint = joint
        self._numbers: dict[tuple[int, int], int] = {}
        self._meanings: list[tuple[int, int]] = []

    @cached_property
    def start(self) -> int:
        """The state before the first character."""
        return self._number(0, self.language.start)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Joined) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def _key(self) -> tuple[object, ...]:
        return self.language, self.fields, self.joint

    def __repr__(self) -> str:
        return f"Joined({self.language!r}, {self.fields!r}, {self.joint!r})"

    def _number(self, phase: int, within: int) -> int:
        """A state as one bit, so that none is taken for a part of another; 0 is dead."""
        if not within:
            return 0
        meaning = (phase, within)
        if meaning not in self._numbers:
            self._numbers[meaning] = 1 << len(self._meanings)
            self._meanings.append(meaning)
        return self._numbers[meaning]

    @cached_property
    def characters(self) -> frozenset[str]:
        """Every character that the language tells from others, and those between the parts."""
        return self.language.characters | {":", "/"}

    @property
    def sets(self) -> frozenset[CharSet]:
        """The sets of characters that the language tells apart."""
        return self.language.sets

    @property
    def size(self) -> int:
        """About the number of states."""
        return self.language.size + self.fields + 2

    def accepting(self, state: int) -> bool:
        """Whether the text read so far is in the language."""
        if not state:
            return False
        phase, within = self._meanings[state.bit_length() - 1]
        return phase == self.fields + 2 and self.language.accepting(within)

    def step(self, state: int, char: str) -> int:
        """The state after reading one more character."""
        if not state:
            return 0
        phase, within = self._meanings[state.bit_length() - 1]
        if phase < self.fields:
            return self._number(phase + (char == ":"), within)
        if phase == self.fields + 1:
            return self._number(phase + (char == "/"), within)
        if phase == self.fields and char == ":":
            return self._number(phase + 1, self.language.step(within, self.joint))
        return self._number(phase, self.language.step(within, char))

    def next_chars(self, state: int) -> frozenset[str] | None:  # noqa: ARG002
        """None: the characters that lead on are not listed."""
        return None


class Beginnings(_LikeAnother):
    """The texts that a text of a language begins with, the whole one too.

    How a language of object keys looks from a prefix that keys are listed by. Every state of a
    language that is not dead has a future, so that each accepts.
    """

    def __init__(self, language: Language) -> None:
        self.language = language

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Beginnings) and self.language == other.language

    def __hash__(self) -> int:
        return hash(("beginnings", self.language))

    def __repr__(self) -> str:
        return f"Beginnings({self.language!r})"

    @property
    def start(self) -> int:
        """The state before the first character."""
        return self.language.start

    def accepting(self, state: int) -> bool:
        """Whether the text read so far begins a text of the language."""
        return state != 0

    def next_chars(self, state: int) -> frozenset[str] | None:
        """The characters that lead on; None where they are many."""
        return self.language.next_chars(state)

    def accepts(self, word: str) -> bool:
        """Whether ``word`` begins a text of the language."""
        state = self.start
        for char in word:
            state = self.step(state, char) if state else 0
        return self.accepting(state)


Automaton = Language | Regular | Within | Placed | Joined | Beginnings
"""What the search runs: all have the same face."""


def reverse(automaton: Automaton) -> Automaton | None:
    """The language of the same texts read from their ends; None where there is no automaton."""
    match automaton:
        case Joined() | Without() | Beginnings():
            return None
        case Placed(language=language, before=before, after=after):
            turned = reverse(language)
            first, last = _reverse_language(after), _reverse_language(before)
            return None if turned is None else Placed(turned, first, last, automaton.excluded)
        case Language():
            return _reverse_language(automaton)
        case Regular():
            return Regular(_reverse_expression(automaton.expression), f"{automaton.name} reversed")
        case Within():
            turned = reverse(automaton.language)
            ends_of_it = automaton.suffix[::-1], automaton.prefix[::-1]
            return None if turned is None else Within(turned, *ends_of_it)


def _reverse_language(language: Language) -> Language:
    return Language(map(_reverse_pattern, language.patterns))


def _reverse_pattern(pattern: Pattern) -> Pattern:
    length = len(pattern.steps)
    loops = tuple((length - position, wild) for position, wild in pattern.loops)
    return Pattern(pattern.steps[::-1], loops)


def _reverse_expression(expression: Expression) -> Expression:
    match expression:
        case One():
            return expression
        case Concat(items):
            return Concat(tuple(map(_reverse_expression, reversed(items))))
        case Choice(items):
            return Choice(tuple(map(_reverse_expression, items)))
        case Repeat(item, least, most):
            return Repeat(_reverse_expression(item), least, most)


AUTOMATA = (Language, Regular, Within, Placed, Joined, Beginnings)
"""The same as classes, for ``isinstance``."""
