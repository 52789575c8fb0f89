"""The shortest text in some languages and outside others.

A breadth-first search of the product of the languages' automata, explored on the fly: from each
state one character of each class that the languages tell apart, the plainest first, so that among
the shortest texts the plainest is found. States without a future are never entered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from string import ascii_lowercase, ascii_uppercase, digits

from tenantproof.errors import BudgetExceededError
from tenantproof.prove.languages import Language

PLAIN = ascii_lowercase + digits + "-_./" + ascii_uppercase
"""Characters in the order in which witnesses prefer them; others come after."""

_RANK = {char: rank for rank, char in enumerate(PLAIN)}
_FALLBACKS = tuple(map(chr, (*range(0x21, 0x7F), 0x20, *range(0xA1, 0x2000))))


@dataclass(frozen=True, slots=True)
class CharRange:
    """The characters from ``first`` to ``last``, both among them."""

    first: str = "\0"
    last: str = "\U0010ffff"

    def __contains__(self, char: str) -> bool:
        return self.first <= char <= self.last


@dataclass(frozen=True, slots=True)
class Domain:
    """The texts that a key can hold: its characters and its length in characters.

    ``values`` lists all of them where they are few; the other fields then say nothing.
    """

    initial: CharRange = CharRange()
    rest: CharRange = CharRange()
    min_length: int = 0
    max_length: int | None = None
    values: tuple[str, ...] | None = None

    def __contains__(self, text: str) -> bool:
        if self.values is not None:
            return text in self.values
        if len(text) < self.min_length or len(text) > (self.max_length or len(text)):
            return False
        return not text or (text[0] in self.initial and all(char in self.rest for char in text[1:]))


ANY_TEXT = Domain()


@dataclass
class Budget:
    """What a question may cost: a deadline in seconds of the monotonic clock, and states.

    One budget is shared by all steps of a question.
    """

    deadline: float | None = None
    max_states: int = 500_000
    spent: int = field(default=0, init=False)

    @classmethod
    def of(cls, seconds: float | None) -> Budget:
        """A budget of ``seconds`` from now; no deadline for None."""
        return cls(None if seconds is None else time.monotonic() + seconds)

    @property
    def milliseconds(self) -> int | None:
        """The time left, at least 1; None without a deadline."""
        if self.deadline is None:
            return None
        return max(1, int((self.deadline - time.monotonic()) * 1000))

    def spend(self, states: int = 1) -> None:
        """Count states.

        Raises:
            BudgetExceededError: the time or the states are used up.
        """
        self.spent += states
        if self.spent > self.max_states:
            raise BudgetExceededError(f"more than {self.max_states} automaton states")
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise BudgetExceededError("the time given by --timeout is used up")


def shortest_member(
    inside: Sequence[Language],
    outside: Sequence[Language],
    domain: Domain = ANY_TEXT,
    budget: Budget | None = None,
) -> str | None:
    """The shortest text in every language of ``inside`` and in none of ``outside``.

    Args:
        inside: languages that the text must be in.
        outside: languages that it must not be in.
        domain: the texts to choose from.
        budget: what the search may cost; unlimited time without one.

    Returns:
        The text, among the shortest the plainest, or None: there is none.

    Raises:
        BudgetExceededError: neither was found within the budget.
    """
    budget = budget or Budget()
    if domain.values is not None:
        return next((v for v in domain.values if _is_member(v, inside, outside)), None)
    return _Search(inside, outside, domain, budget).run()


def _is_member(text: str, inside: Iterable[Language], outside: Iterable[Language]) -> bool:
    return all(each.accepts(text) for each in inside) and not any(
        each.accepts(text) for each in outside
    )


States = tuple[int, ...]


class _Search:
    def __init__(
        self,
        inside: Sequence[Language],
        outside: Sequence[Language],
        domain: Domain,
        budget: Budget,
    ) -> None:
        # Small languages first: where one of them dies, the large ones are never asked.
        self._inside = sorted(inside, key=lambda language: language.size)
        self._outside = sorted(outside, key=lambda language: language.size)
        self._domain = domain
        self._budget = budget
        self._alphabet = _representatives([*inside, *outside], domain)

    def run(self) -> str | None:
        start = self._start()
        if start is None:
            return None
        if self._domain.min_length == 0 and self._accepts(start):
            return ""
        seen = {start}
        frontier: list[tuple[States, str]] = [(start, "")]
        initial = [char for char in self._alphabet if char in self._domain.initial]
        following = [char for char in self._alphabet if char in self._domain.rest]
        length = 0
        while frontier and (self._domain.max_length is None or length < self._domain.max_length):
            length += 1
            next_frontier: list[tuple[States, str]] = []
            for states, text in frontier:
                self._budget.spend()
                for char in following if text else initial:
                    after = self._step(states, char)
                    if after is None or after in seen:
                        continue
                    if length >= self._domain.min_length and self._accepts(after):
                        return text + char
                    seen.add(after)
                    next_frontier.append((after, text + char))
            frontier = next_frontier
        return None

    def _step(self, states: States, char: str) -> States | None:
        cut = len(self._inside)
        after: list[int] = []
        for language, state in zip(self._inside, states, strict=False):
            stepped = language.step(state, char)
            if not stepped:
                return None
            after.append(stepped)
        for language, state in zip(self._outside, states[cut:], strict=True):
            stepped = language.step(state, char) if state else 0
            if stepped == language.trap:
                return None
            after.append(stepped)
        return tuple(after)

    def _start(self) -> States | None:
        states = tuple(language.start for language in (*self._inside, *self._outside))
        cut = len(self._inside)
        dead = not all(states[:cut])
        trapped = any(
            state == language.trap
            for language, state in zip(self._outside, states[cut:], strict=True)
        )
        return None if dead or trapped else states

    def _accepts(self, states: States) -> bool:
        cut = len(self._inside)
        return all(
            language.accepting(state) for language, state in zip(self._inside, states, strict=False)
        ) and not any(
            language.accepting(state)
            for language, state in zip(self._outside, states[cut:], strict=True)
        )


def _representatives(languages: Iterable[Language], domain: Domain) -> list[str]:
    """One character of each class that the languages tell apart, the plainest first.

    Characters that no language names behave alike; the plainest of them stands for all. Where
    the domain's first character is chosen from fewer, its range is a part of the rest's, so that
    the plainest one in it stands for them.
    """
    named: set[str] = set()
    for language in languages:
        named |= language.characters
    chars = {c for c in named if c in domain.initial or c in domain.rest}
    for among in (domain.initial, domain.rest):
        other = next((c for c in (*PLAIN, *_FALLBACKS) if c in among and c not in named), None)
        if other is not None:
            chars.add(other)
    return sorted(chars, key=lambda c: (_RANK.get(c, len(_RANK)), not c.isprintable(), c))
