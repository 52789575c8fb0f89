"""The shortest text in some languages and outside others.

A breadth-first search of the product of the languages' automata, explored on the fly: from each
state one character of each class that the languages tell apart, the plainest first, so that among
the shortest texts the plainest is found. States without a future are never entered.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, islice, product
from operator import and_
from string import ascii_lowercase, ascii_uppercase, digits

from tenantproof.errors import BudgetExceededError
from tenantproof.policy.syntax import Family
from tenantproof.prove.automata import Automaton, reverse
from tenantproof.prove.languages import Language
from tenantproof.prove.regular import ANY_CHARACTER, CharSet, Concat, One, Regular, Repeat
from tenantproof.prove.typed import writes

PLAIN = ascii_lowercase + digits + "-_./" + ascii_uppercase
"""Characters in the order in which witnesses prefer them; others come after."""

_RANK = {char: rank for rank, char in enumerate(PLAIN)}
_FALLBACKS = tuple(map(chr, (*range(0x21, 0x7F), 0x20, *range(0xA1, 0x2000))))


@dataclass(frozen=True)
class CharRange:
    """The characters from ``first`` to ``last``, both among them."""

    first: str = "\0"
    last: str = "\U0010ffff"

    def __contains__(self, char: str) -> bool:
        return self.first <= char <= self.last

    def has_all(self, text: str) -> bool:
        """Whether every character of a text is among them."""
        return not text or (self.first <= min(text) and max(text) <= self.last)


@dataclass(frozen=True)
class Domain:
    """The texts that a key can hold: its characters and its length in characters.

    ``values`` lists all of them where they are few; the other fields then say nothing. ``shape``
    holds all of them where it is given, and ``kind`` says that each writes a number, a date or an
    address.
    """

    initial: CharRange = CharRange()
    rest: CharRange = CharRange()
    min_length: int = 0
    max_length: int | None = None
    values: tuple[str, ...] | None = None
    shape: Automaton | None = None
    kind: Family | None = None

    def __contains__(self, text: str) -> bool:
        if self.values is not None:
            return text in self.values
        if self.shape is not None and not self.shape.accepts(text):
            return False
        if self.kind is not None and not writes(self.kind, text):
            return False
        if len(text) < self.min_length or len(text) > (self.max_length or len(text)):
            return False
        return not text or (text[0] in self.initial and self.rest.has_all(text[1:]))


ANY_TEXT = Domain()

_MOST_RUNS = 1024
"""The most nodes that one node is parted into."""

_MOST_PAIRS = 5_000_000
"""With more pairs of states than this, futures are not compared: that takes time and memory."""

_FEW_RUNS = 16
"""Of more runs kept together it is not asked whether each has its like outside."""

_BITS_OF_A_STATE = 2048
"""States with more bits count as several: the bound on states is a bound on memory."""


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

    def shorten(self, seconds: float) -> None:
        """Bring the deadline forward to at most ``seconds`` from now."""
        soon = time.monotonic() + seconds
        self.deadline = soon if self.deadline is None else min(self.deadline, soon)

    @property
    def milliseconds(self) -> int | None:
        """The time left, at least 1; None without a deadline."""
        if self.deadline is None:
            return None
        return max(1, int((self.deadline - time.monotonic()) * 1000))

    def extend(self, seconds: float) -> None:
        """Put the deadline off: so much time went into what this budget does not pay for."""
        if self.deadline is not None:
            self.deadline += seconds

    def part(self, states: int) -> Budget:
        """A budget of its own with no more states than some, and the same deadline."""
        return Budget(self.deadline, min(states, max(self.max_states - self.spent, 0)))

    def spend(self, states: int = 1) -> None:
        """Count states; with 0 only look at the time.

        Raises:
            BudgetExceededError: the time or the states are used up.
        """
        self.spent += states
        if self.spent > self.max_states:
            raise BudgetExceededError(f"more than {self.max_states} automaton states")
        if self.deadline is not None and time.monotonic() > self.deadline:
            raise BudgetExceededError("the time given by --timeout is used up")


def shortest_member(
    inside: Sequence[Automaton],
    outside: Sequence[Automaton],
    domain: Domain = ANY_TEXT,
    budget: Budget | None = None,
) -> str | None:
    """The shortest text in every language of ``inside`` and in none of ``outside``.

    Args:
        inside: languages that the text must be in.
        outside: languages that it must not be in.
        domain: the texts to choose from; its ``kind`` is not looked at.
        budget: what the search may cost; unlimited time without one.

    Returns:
        The text, among the shortest the plainest, or None: there is none.

    Raises:
        BudgetExceededError: neither was found within the budget.
    """
    budget = budget or Budget()
    if domain.values is not None:
        return next((v for v in domain.values if _is_member(v, inside, outside)), None)
    if any(_is_part(one, other) for one in inside for other in outside):
        return None
    if domain.shape is not None:
        inside = [*inside, domain.shape]
    if domain.min_length > 1:
        # A state tells apart at most whether something was read, not how much.
        inside = [*inside, Regular(Repeat(One(ANY_CHARACTER), domain.min_length))]
    for states in _QUICK:
        for search in (_search, _search_from_the_end):
            part = budget.part(states)
            try:
                return search(inside, outside, domain, part)
            except BudgetExceededError:
                continue
            finally:
                budget.spent += part.spent
    return _search(inside, outside, domain, budget)


_QUICK = (5_000, 50_000)
"""States after which the other direction is tried: ``*a?????`` is hard from one end alone."""


def _search(
    inside: Sequence[Automaton], outside: Sequence[Automaton], domain: Domain, budget: Budget
) -> str | None:
    return _Search(inside, outside, domain, budget).run()


def _search_from_the_end(
    inside: Sequence[Automaton], outside: Sequence[Automaton], domain: Domain, budget: Budget
) -> str | None:
    """As :func:`_search`, with texts read from their ends; of equals it may find another."""
    turned = [reverse(language) for language in (*inside, *outside)]
    kept = [language for language in turned if language is not None]
    if len(kept) < len(turned):
        raise BudgetExceededError("not every language is read from its end")
    begins = [_begins_in(domain)] if domain.initial != domain.rest else []
    found = _search(
        [*kept[: len(inside)], *begins],
        kept[len(inside) :],
        replace(domain, initial=domain.rest, shape=None),
        budget,
    )
    return None if found is None else found[::-1]


def _begins_in(domain: Domain) -> Regular:
    """Texts, read from their ends, whose first character the domain has as one."""
    first = CharSet(((ord(domain.initial.first), ord(domain.initial.last)),))
    texts = Concat((Repeat(One(ANY_CHARACTER)), One(first)))
    return Regular(texts if domain.min_length else Repeat(texts, 0, 1))


def _is_part(one: Automaton, other: Automaton) -> bool:
    """Whether a language is seen to lie in another: the same one, or some of its patterns.

    So it is where a policy allows just what its tenant owns; the search would read every pattern.
    """
    if isinstance(one, Language) and isinstance(other, Language):
        few, many = one.patterns, other.patterns
        return len(few) <= len(many) and not set(few).difference(many)
    return one == other


def _is_member(text: str, inside: Iterable[Automaton], outside: Iterable[Automaton]) -> bool:
    return all(each.accepts(text) for each in inside) and not any(
        each.accepts(text) for each in outside
    )


States = tuple[int, ...]
"""One state for each of some languages."""

Node = tuple[States, States]
"""The states of the languages inside, and of those outside."""


class _Search:
    """Breadth first over nodes: a state for each language inside, one for each outside.

    To be inside a language one run of its automaton is enough, so that where keeping all runs
    together would multiply states (``*`` before more text), each run is a node of its own. To be
    outside, all runs count, and fewer of them are better: of two nodes alike inside, one whose
    outside states include the other's leads nowhere new (an antichain, as in De Wulf, Doyen,
    Henzinger, Raskin, "Antichains: a new algorithm for checking universality of finite
    automata", CAV 2006).
    """

    def __init__(
        self,
        inside: Sequence[Automaton],
        outside: Sequence[Automaton],
        domain: Domain,
        budget: Budget,
    ) -> None:
        # Small languages first: where one of them dies, the large ones are never asked.
        self._inside = sorted(inside, key=lambda language: language.size)
        self._outside = sorted(outside, key=lambda language: language.size)
        self._domain = domain
        self._budget = budget
        self._alphabet = representatives([*inside, *outside], domain)
        bits = sum(language.size for language in (*inside, *outside))
        self._weight = 1 + bits // _BITS_OF_A_STATE
        self._seen: dict[States, list[States]] = {}
        self._hopeless = self._states_within()

    def run(self) -> str | None:
        outside = tuple(language.start for language in self._outside)
        if self._is_trapped(outside):
            return None
        runs = self._runs([language.start for language in self._inside])
        start: list[Node] = []
        for inside in runs:
            if not self._is_hopeless(inside, outside):
                self._budget.spend(self._weight)
                start.append((inside, outside))
        if self._domain.min_length == 0 and any(self._is_member(*node) for node in start):
            return ""
        initial = [char for char in self._alphabet if char in self._domain.initial]
        following = [char for char in self._alphabet if char in self._domain.rest]
        # Texts of one length, the plainest first, each with the nodes that it leads to.
        frontier = {"": start}
        length = 0
        while frontier and (self._domain.max_length is None or length < self._domain.max_length):
            length += 1
            reached: dict[str, list[Node]] = {}
            for text, nodes in frontier.items():
                for char in self._leading_on(nodes, following if text else initial):
                    self._budget.spend(0)
                    after = [new for node in nodes for new in self._step(*node, char)]
                    if length >= self._domain.min_length and any(
                        self._is_member(*node) for node in after
                    ):
                        return text + char
                    if after:
                        reached[text + char] = after
            frontier = reached
        return None

    def _leading_on(self, nodes: Iterable[Node], chars: list[str]) -> list[str]:
        """The characters that can lead on, as the first language inside that lists them has it."""
        if not self._inside:
            return chars
        wanted: set[str] = set()
        for inside, _ in nodes:
            listed = (
                language.next_chars(state)
                for language, state in zip(self._inside, inside, strict=True)
            )
            few = next((chars for chars in listed if chars is not None), None)
            if few is None:
                return chars
            wanted |= few
        return [char for char in chars if char in wanted]

    def _step(self, inside: States, outside: States, char: str) -> list[Node]:
        """The new nodes after one more character; those without a future are left out."""
        stepped: list[int] = []
        for language, state in zip(self._inside, inside, strict=True):
            after = language.step(state, char)
            if not after:
                return []
            stepped.append(after)
        beyond = tuple(
            language.step(state, char) if state else 0
            for language, state in zip(self._outside, outside, strict=True)
        )
        if self._is_trapped(beyond):
            return []
        return [(run, beyond) for run in self._runs(stepped) if self._is_new(run, beyond)]

    def _runs(self, states: Sequence[int]) -> Iterator[States]:
        """The states inside, with each run of a forking language by itself, if that is not many.

        Runs kept together are as right, and of several languages may be fewer than their pairs.
        """
        choices: list[Iterable[int]] = []
        room = _MOST_RUNS
        for language, state in zip(self._inside, states, strict=True):
            runs = state.bit_count()
            if language.forks and 1 < runs <= room:
                choices.append(_single_bits(state))
                room //= runs
            else:
                choices.append((state,))
        return product(*choices)

    def _is_new(self, inside: States, outside: States) -> bool:
        if self._is_hopeless(inside, outside):
            return False
        known = self._seen.setdefault(inside, [])
        if any(_is_within(other, outside) for other in known):
            return False
        self._budget.spend(self._weight)
        known.append(outside)
        return True

    def _states_within(self) -> list[dict[int, States]]:
        """For each forking language inside, by state: the states outside that accept as much.

        What such a pair reads on is never accepted by the first alone, so never as asked.
        """
        found: list[dict[int, States]] = []
        work = sum(language.size for language in self._outside)
        for language in self._inside:
            if not isinstance(language, Language) or not language.forks:
                found.append({})
                continue
            if language.size * work > _MOST_PAIRS:
                return []
            within = [
                language.states_within(other) if isinstance(other, Language) else {}
                for other in self._outside
            ]
            states = dict.fromkeys(state for each in within for state in each)
            found.append({s: tuple(each.get(s, 0) for each in within) for s in states})
        return found if any(found) else []

    def _is_hopeless(self, inside: States, outside: States) -> bool:
        return any(
            state.bit_count() <= _FEW_RUNS
            and all(any(map(and_, within.get(bit, ()), outside)) for bit in _single_bits(state))
            for within, state in zip(self._hopeless, inside, strict=False)
        )

    def _is_trapped(self, outside: States) -> bool:
        return any(
            state == language.trap for language, state in zip(self._outside, outside, strict=True)
        )

    def _is_member(self, inside: States, outside: States) -> bool:
        return all(
            language.accepting(state) for language, state in zip(self._inside, inside, strict=True)
        ) and not any(
            language.accepting(state)
            for language, state in zip(self._outside, outside, strict=True)
        )


def _single_bits(state: int) -> Iterator[int]:
    while state:
        bit = state & -state
        yield bit
        state ^= bit


def _is_within(few: States, many: States) -> bool:
    return not any(one & ~other for one, other in zip(few, many, strict=True))


def representatives(
    languages: Iterable[Automaton], domain: Domain = ANY_TEXT, *, twins: int = 1
) -> list[str]:
    """One character of each class that the languages tell apart, the plainest first.

    Characters that no language names, and that lie in the same of their sets, behave alike; the
    plainest of them stand for all.

    Args:
        languages: the languages.
        domain: the characters to choose from.
        twins: how many characters to take of a class, where it has as many: as many as texts are
            compared with each other.
    """
    named: set[str] = set()
    sets: set[CharSet] = set()
    for language in languages:
        named |= language.characters
        sets |= language.sets
    chosen = {c for c in named if c in domain.initial or c in domain.rest}
    # Where the first character is chosen from fewer, its range is a part of the rest's, so that
    # the plainest ones in it stand for the others there.
    for among in (domain.initial, domain.rest):
        chosen |= _of_each_class(among, named, frozenset(sets), twins)
    return sorted(chosen, key=_plainness)


def _of_each_class(
    among: CharRange, named: set[str], sets: frozenset[CharSet], twins: int
) -> set[str]:
    """The plainest characters without a name of each class that the sets make."""
    found: set[str] = set()
    for of_class in _classes(sets) if sets else (_ANY_CLASS,):
        free = (char for char in of_class if char in among and char not in named)
        found.update(islice(free, twins))
    return found


@cache
def _classes(sets: frozenset[CharSet]) -> tuple[tuple[str, ...], ...]:
    """Characters of each class that some sets make, the plainest of each first.

    The same few sets, those of naming rules, numbers, dates and addresses, come again and again.
    """
    found: dict[tuple[bool, ...], dict[str, None]] = {}
    for char in _candidates(sets):
        found.setdefault(tuple(char in each for each in sets), {})[char] = None
    return tuple(tuple(of_class) for of_class in found.values())


def _candidates(sets: Iterable[CharSet]) -> Iterable[str]:
    """Characters of which each class has one: plain ones, and those near the ends of the sets."""
    ends = (
        chr(code)
        for each in sets
        for first, last in each.ranges
        for code in (*range(first, min(first + _NEAR, last + 1)), last, last + 1, first - 1)
        if 0 <= code <= _LAST_CODE
    )
    return chain(PLAIN, _FALLBACKS[:_NEAR], ends)


_ANY_CLASS = (*PLAIN, *_FALLBACKS)
_NEAR = 128
_LAST_CODE = 0x10FFFF


def _plainness(char: str) -> tuple[int, bool, str]:
    return _RANK.get(char, len(_RANK)), not char.isprintable(), char
