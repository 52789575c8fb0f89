"""Values of subjects that depend on each other: ``${aws:PrincipalTag/tenant}/*`` for every tag.

Each subject's value is a tape. All tapes are read at once, a column of characters at a time, and
the value that a pattern takes in is laid beside the text that holds it, so that "these two are
equal" is a comparison of characters in one column: a synchronous automaton on several tapes, as
in the automatic relations of Khoussainov and Nerode ("Automatic presentations of structures",
1994), with the shift between two tapes chosen where one is put into the other. The automaton is
searched for the cheapest way to its end, the product of all constraints explored on the fly.

One value can lie beside another at one shift only. A pattern that needs it at a second shift is
loosened: one that must match takes any text of the value's language there, one that must not
match is taken not to. So where the search finds nothing there is nothing; what it finds with
something loosened is tried, and where that fails, values are tried one by one up to a length.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, product

from tenantproof.errors import BoundedError
from tenantproof.prove.automata import AUTOMATA, Automaton
from tenantproof.prove.formula import Loop, Matches, Put, Some, Step, pattern_of
from tenantproof.prove.languages import Language, Symbol, Wild, case_variants, literal
from tenantproof.prove.regular import CharSet, Concat, One, Regular, Repeat
from tenantproof.prove.search import (
    Budget,
    CharRange,
    Domain,
    representatives,
)
from tenantproof.prove.theories import single_value
from tenantproof.prove.typed import shape

Values = dict[str, str]


@dataclass(frozen=True)
class Related:
    """Values for subjects; ``smallest`` tells whether fewer characters are known not to do."""

    values: Values
    smallest: bool


def related_values(
    domains: Mapping[str, Domain],
    some: Mapping[Some, bool],
    related: Mapping[Matches, bool],
    budget: Budget,
) -> Related | None:
    """Values for subjects that fulfil literals together, with as few characters as it finds.

    Args:
        domains: the subjects, each with the texts that it can hold.
        some: what must hold, or not, of single subjects, each of one value.
        related: which subjects' values must, or must not, match others'.
        budget: what the search may cost.

    Returns:
        A value for each subject, or None: there are none.

    Raises:
        BoundedError: none were found, but there may be longer ones.
        BudgetExceededError: the budget ran out.
    """
    problem = _Problem.of(domains, some, related)
    search = _Search(problem, budget)
    found = search.run()
    if isinstance(found, _Loose):
        return Related(_one_by_one(problem, budget), smallest=False)
    return None if found is None else Related(found, smallest=search.tried == 0)


@dataclass(frozen=True)
class _Problem:
    """The subjects and what their values must fulfil.

    ``inside`` and ``outside`` hold languages that a value is in or not, a typed set relaxed to a
    language that holds it: what is found is tried on the literals themselves.
    """

    domains: Mapping[str, Domain]
    some: Mapping[Some, bool]
    related: Mapping[Matches, bool]
    inside: Mapping[str, list[Automaton]]
    outside: Mapping[str, list[Automaton]]

    @classmethod
    def of(
        cls,
        domains: Mapping[str, Domain],
        some: Mapping[Some, bool],
        related: Mapping[Matches, bool],
    ) -> _Problem:
        inside: dict[str, list[Automaton]] = {subject: [] for subject in domains}
        outside: dict[str, list[Automaton]] = {subject: [] for subject in domains}
        for subject, domain in domains.items():
            inside[subject] += _shapes_of(domain)
        for atom, holds in some.items():
            is_inside = holds != atom.complemented
            if isinstance(atom.language, AUTOMATA):
                (inside if is_inside else outside)[atom.subject].append(atom.language)
            elif is_inside:
                inside[atom.subject].append(shape(atom.language.kind))
        return cls(domains, some, related, inside, outside)

    def fulfilled_by(self, values: Mapping[str, str]) -> bool:
        """Whether values fulfil every literal, exactly."""
        return (
            all(value in self.domains[subject] for subject, value in values.items())
            and all(
                atom.holds_for([values[atom.subject]]) == holds for atom, holds in self.some.items()
            )
            and all(atom.holds_for(values) == holds for atom, holds in self.related.items())
        )

    def alphabet(self, twins: int) -> list[str]:
        """Characters that stand for all: of each class as many as values can differ in."""
        texts = [
            Language([pattern_of(atom.pieces, dict.fromkeys(self.domains, ""))])
            for atom in self.related
        ]
        languages = [
            *texts,
            *(each for listed in self.inside.values() for each in listed),
            *(each for listed in self.outside.values() for each in listed),
        ]
        ranges = {(d.initial, d.rest): Domain(d.initial, d.rest) for d in self.domains.values()}
        chars = dict.fromkeys(
            char
            for domain in ranges.values()
            for char in representatives(languages, domain, twins=twins)
        )
        if any(isinstance(p, Put) and p.ignore_case for atom in self.related for p in atom.pieces):
            chars.update(dict.fromkeys(v for char in list(chars) for v in case_variants(char)))
        return list(chars)


def _shapes_of(domain: Domain) -> Iterator[Automaton]:
    """Languages that hold the texts of a domain; those too long for it are among them."""
    if domain.values is not None:
        yield Language(map(literal, domain.values))
        return
    if domain.shape is not None:
        yield domain.shape
    if domain.kind is not None:
        yield shape(domain.kind)
    first, rest = (One(_set_of(each)) for each in (domain.initial, domain.rest))
    if domain.min_length or first != rest:
        least = max(domain.min_length - 1, 0)
        texts = Concat((first, Repeat(rest, least)))
        yield Regular(texts if domain.min_length else Repeat(texts, 0, 1))


def _set_of(chars: CharRange) -> CharSet:
    return CharSet(((ord(chars.first), ord(chars.last)),))


# -- patterns as programs ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Run:
    """Where a run through a pattern stands: before a step, or in a value that is put in.

    ``beside`` is true while the value's own tape is read beside; ``loose`` holds the states of its
    languages while any text of theirs is taken for it.
    """

    at: int
    beside: bool = False
    loose: tuple[int, ...] | None = None


Runs = frozenset[_Run]


@dataclass(frozen=True, eq=False)
class _Program:
    """One literal: a pattern on a subject's tape, and whether it must match.

    ``steps`` are taken in order, ``loops`` says what may be read at a position any number of
    times. ``strict`` is the step whose value must lie beside: the one that fixes the shift.
    """

    subject: str
    steps: tuple[Symbol | Put, ...]
    loops: Mapping[int, Wild]
    wanted: bool
    strict: int | None = None

    @property
    def end(self) -> int:
        """The position behind the last step."""
        return len(self.steps)

    def puts(self) -> Iterator[tuple[int, Put]]:
        """The steps that put a value in, with their positions."""
        for at, step in enumerate(self.steps):
            if isinstance(step, Put):
                yield at, step


def _program(atom: Matches, wanted: bool) -> _Program:
    steps: list[Symbol | Put] = []
    loops: dict[int, Wild] = {}
    for piece in atom.pieces:
        match piece:
            case str(characters):
                steps.extend(characters)
            case Step(chars):
                steps.append(chars)
            case Loop(wild):
                before = loops.get(len(steps))
                loops[len(steps)] = wild if before is None or not wild.excluded else before
            case Put():
                steps.append(piece)
    return _Program(atom.subject, tuple(steps), loops, wanted)


def _anchored(programs: Sequence[_Program]) -> tuple[list[_Program], dict[str, set[str]]]:
    """Choose the patterns that fix the shifts: a forest over the subjects.

    Returns:
        The programs with their strict steps; and for each subject that such a step joins to others
        all those of its tree.
    """
    trees: dict[str, set[str]] = {}
    chosen: list[_Program] = []
    for program in programs:
        strict = None
        for at, put in program.puts() if program.wanted else ():
            mine = trees.get(program.subject, {program.subject})
            if put.subject not in mine:
                together = mine | trees.get(put.subject, {put.subject})
                trees.update(dict.fromkeys(together, together))
                strict = at
                break
        chosen.append(replace(program, strict=strict))
    return chosen, trees


# -- the search --------------------------------------------------------------------------------

_UNSTARTED = "unstarted"
_ENDED = "ended"

States = tuple[tuple[int, ...], tuple[int, ...]]
"""The states of the languages that a value is inside, and of those that it is outside."""

Tape = States | str
"""Where the reading of a value stands: its languages' states, or not started, or at its end."""


@dataclass(frozen=True)
class _Node:
    """A state of the automaton: every tape, and the runs of every program."""

    tapes: tuple[Tape, ...]
    runs: tuple[Runs, ...]


@dataclass(frozen=True)
class _Path:
    """How a node was reached: the column read last, and the path before it."""

    column: tuple[str, ...]
    before: _Path | None


def _values(path: _Path | None, subjects: Sequence[str]) -> Values:
    """The texts on the tapes at the end of a path."""
    columns: list[tuple[str, ...]] = []
    while path is not None:
        columns.append(path.column)
        path = path.before
    columns.reverse()
    return {s: "".join(column[i] for column in columns) for i, s in enumerate(subjects)}


@dataclass
class _Boundary:
    """Which tapes start and end before the next column, and which the patterns ask to start.

    ``placed`` are those that the patterns which fix the shifts begin to read here, ``asked`` those
    that patterns which must not match do.
    """

    starting: frozenset[int]
    ending: frozenset[int]
    placed: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)


class _Loose:
    """Nothing was found that holds, but something loosened was in the way of a proof."""


_LOOSE = _Loose()

_STATES_OF_A_NODE = 8
"""A node takes as much memory as so many states of the search for one text."""

_MOST_TRIED = 400
"""The most ends that are tried on the literals themselves."""


@dataclass
class _Search:
    problem: _Problem
    budget: Budget
    tried: int = field(default=0, init=False)
    """How many ends were reached that hold only because something was loosened."""

    def __post_init__(self) -> None:
        self.subjects = sorted(self.problem.domains)
        self.index = {subject: i for i, subject in enumerate(self.subjects)}
        programs = [_program(atom, holds) for atom, holds in self.problem.related.items()]
        # What must match comes first: it fixes the shifts, the most constrained subject's first.
        programs.sort(key=lambda p: not p.wanted)
        self.programs, trees = _anchored(programs)
        joined = [(p.subject, p.steps[p.strict]) for p in self.programs if p.strict is not None]
        self.joined = [(x, step.subject) for x, step in joined if isinstance(step, Put)]
        self.placed = {y for _, y in self.joined}
        roots = {x for x, _ in self.joined} - self.placed
        asked = {
            put.subject
            for program in self.programs
            for _, put in program.puts()
            if not program.wanted
        }
        self.asked_only = asked - trees.keys()
        # Of several subjects that hold the same value, any may have to start first.
        self.may_wait = self.asked_only | {x for x in roots if len(trees[x] & roots) > 1}
        self.alphabet = self.problem.alphabet(len(self.subjects))

    def run(self) -> Values | _Loose | None:
        tapes: tuple[Tape, ...] = (_UNSTARTED,) * len(self.subjects)
        node = _Node(tapes, (frozenset(),) * len(self.programs))
        order = count()
        queue: list[tuple[int, int, _Node, _Path | None]] = [(0, next(order), node, None)]
        seen = {node}
        while queue:
            cost, _, node, path = heapq.heappop(queue)
            for settled in self._boundaries(node):
                if all(tape == _ENDED for tape in settled.tapes):
                    values = _values(path, self.subjects)
                    if self.problem.fulfilled_by(values):
                        return values
                    self.tried += 1
                    if self.tried == _MOST_TRIED:
                        return _LOOSE
                    continue
                for column, after in self._columns(settled):
                    if after not in seen:
                        self.budget.spend(_STATES_OF_A_NODE)
                        seen.add(after)
                        dear = cost + sum(map(len, column))
                        heapq.heappush(queue, (dear, next(order), after, _Path(column, path)))
        return _LOOSE if self.tried else None

    # -- between two columns: tapes start and end ----------------------------------------------

    def _boundaries(self, node: _Node) -> Iterator[_Node]:
        """The ways to start and end tapes before the next column."""
        can_end = [i for i, tape in enumerate(node.tapes) if self._can_end(i, tape)]
        waiting = [i for i, tape in enumerate(node.tapes) if tape == _UNSTARTED]
        for starting in _subsets(waiting):
            if not self._may_start_alone(node, starting):
                continue
            empty = [i for i in starting if self._can_be_empty(i)]
            for ending in _subsets([*can_end, *empty]):
                settled = self._settled(node, starting, ending)
                if settled is not None:
                    yield settled

    def _can_end(self, i: int, tape: Tape) -> bool:
        if isinstance(tape, str):
            return False
        inside, outside = self._languages(i)
        return all(
            language.accepting(state) for language, state in zip(inside, tape[0], strict=True)
        ) and not any(
            language.accepting(state) for language, state in zip(outside, tape[1], strict=True)
        )

    def _can_be_empty(self, i: int) -> bool:
        domain = self.problem.domains[self.subjects[i]]
        return "" in domain and self._can_end(i, self._start_of(i))

    def _languages(self, i: int) -> tuple[list[Automaton], list[Automaton]]:
        subject = self.subjects[i]
        return self.problem.inside[subject], self.problem.outside[subject]

    def _start_of(self, i: int) -> States:
        inside, outside = self._languages(i)
        return tuple(each.start for each in inside), tuple(each.start for each in outside)

    def _may_start_alone(self, node: _Node, starting: Sequence[int]) -> bool:
        """Whether tapes may start here, as far as it does not hang on a pattern.

        Something is read from the first column on. A subject that no pattern places starts at the
        first column; one that holds a placed value may start before that value or after others.
        """
        first = all(tape == _UNSTARTED for tape in node.tapes)
        if first and not starting:
            return False
        return all(
            first or subject in self.placed or subject in self.may_wait
            for subject in (self.subjects[i] for i in starting)
        ) and all(
            i in starting or self.subjects[i] in self.placed | self.may_wait
            for i, tape in enumerate(node.tapes)
            if tape == _UNSTARTED
        )

    def _settled(self, node: _Node, starting: Sequence[int], ending: Sequence[int]) -> _Node | None:
        """The node once tapes have started and ended; None where a pattern forbids it."""
        boundary = _Boundary(frozenset(starting), frozenset(ending))
        runs: list[Runs] = []
        for program, before in zip(self.programs, node.runs, strict=True):
            i = self.index[program.subject]
            begun = before | {_Run(0)} if i in starting else before
            live = self._closure(program, begun, boundary)
            if program.strict is not None and self._is_under_way(node, boundary, program):
                live = frozenset(r for r in live if r.beside or r.at > program.strict)
            if i in ending:
                if any(run.at == program.end for run in live) != program.wanted:
                    return None
                live = frozenset()
            elif program.wanted and not live and self._is_read(node, boundary, i):
                return None
            runs.append(live)
        tapes = list(node.tapes)
        for i in starting:
            tapes[i] = self._start_of(i)
        for i in ending:
            tapes[i] = _ENDED
        if not self._is_in_order(tapes, boundary):
            return None
        return _Node(tuple(tapes), tuple(runs))

    def _is_under_way(self, node: _Node, boundary: _Boundary, program: _Program) -> bool:
        """Whether the value that fixes the shift has started: no other run can begin to read it."""
        assert program.strict is not None
        step = program.steps[program.strict]
        assert isinstance(step, Put)
        y = self.index[step.subject]
        return y in boundary.starting or node.tapes[y] != _UNSTARTED

    def _is_read(self, node: _Node, boundary: _Boundary, i: int) -> bool:
        return i in boundary.starting or not isinstance(node.tapes[i], str)

    def _is_in_order(self, tapes: Sequence[Tape], boundary: _Boundary) -> bool:
        """Whether tapes start where they must, and those that wait can still start.

        A subject that a pattern places starts there and nowhere else. One that stands only in
        patterns that must not match starts where the first of them asks for it, or behind all.
        """
        starting = {self.subjects[i] for i in boundary.starting}
        waiting = {self.subjects[i] for i, tape in enumerate(tapes) if tape == _UNSTARTED}
        active = {self.subjects[i] for i, tape in enumerate(tapes) if not isinstance(tape, str)}
        if not (starting & self.placed) <= boundary.placed:
            return False
        if waiting & boundary.asked & self.asked_only:
            return False
        if any(x in waiting and y not in waiting for x, y in self.joined):
            return False
        unasked = (starting & self.asked_only) - boundary.asked
        if unasked and active - self.asked_only:
            return False
        return bool(active) or not waiting

    def _closure(self, program: _Program, live: Runs, boundary: _Boundary) -> Runs:
        """The runs of a program at a boundary: values put in begin and end without a character."""
        settled: set[_Run] = set()
        todo = list(live)
        while todo:
            run = todo.pop()
            if run in settled:
                continue
            step = program.steps[run.at] if run.at < program.end else None
            if not isinstance(step, Put):
                settled.add(run)
                continue
            y = self.index[step.subject]
            if run.beside:
                if y in boundary.ending:
                    todo.append(_Run(run.at + 1))
                else:
                    settled.add(run)
            elif run.loose is not None:
                settled.add(run)
                if self._accepts_loosely(y, run.loose):
                    todo.append(_Run(run.at + 1))
            else:
                if run.at in program.loops:
                    settled.add(run)
                todo += self._put_in(program, run.at, step.subject, boundary)
        return frozenset(settled)

    def _put_in(
        self, program: _Program, at: int, subject: str, boundary: _Boundary
    ) -> Iterator[_Run]:
        """The runs that begin to read a value put in, here."""
        y = self.index[subject]
        strict = at == program.strict
        if strict:
            boundary.placed.add(subject)
        if not program.wanted:
            boundary.asked.add(subject)
        if y in boundary.starting:
            yield _Run(at + 1) if y in boundary.ending else _Run(at, beside=True)
        elif not strict and program.wanted:
            inside, _ = self._languages(y)
            yield _Run(at, loose=tuple(each.start for each in inside))

    def _accepts_loosely(self, y: int, states: tuple[int, ...]) -> bool:
        inside, _ = self._languages(y)
        return all(each.accepting(state) for each, state in zip(inside, states, strict=True))

    # -- a column ------------------------------------------------------------------------------

    def _columns(self, node: _Node) -> Iterator[tuple[tuple[str, ...], _Node]]:
        """The columns that can be read, one character for each tape under way, and what follows."""
        active = [i for i, tape in enumerate(node.tapes) if not isinstance(tape, str)]
        forced = self._forced(node)
        free = [i for i in active if i not in forced]
        compared = self._compared(node)
        choices = [self._choices(node, i, compared=i in compared) for i in free]
        for chosen in product(*choices):
            chars = dict(zip(free, chosen, strict=True))
            for column in self._completed(chars, forced):
                after = self._read(node, active, column)
                if after is not None:
                    shown = tuple(column.get(i, "") for i in range(len(node.tapes)))
                    yield shown, after

    def _compared(self, node: _Node) -> set[int]:
        """The tapes of which a character is compared with one of another tape."""
        return {
            self.index[subject]
            for program, live in zip(self.programs, node.runs, strict=True)
            for run in live
            if run.beside and isinstance(step := program.steps[run.at], Put)
            for subject in (program.subject, step.subject)
        }

    def _choices(self, node: _Node, i: int, *, compared: bool) -> list[str]:
        """The characters that one tape by itself can read.

        Of those that lead to the same states one will do, where no other tape is compared with it.
        """
        mine = [
            (program, live)
            for program, live in zip(self.programs, node.runs, strict=True)
            if self.index[program.subject] == i and live
        ]
        found: dict[object, str] = {}
        for char in self.alphabet:
            stepped = self._step(i, node.tapes[i], char)
            if stepped is None:
                continue
            if compared:
                found[char] = char
                continue
            after = [(p, self._advance(p, live, {i: char})) for p, live in mine]
            if all(runs or not program.wanted for program, runs in after):
                found.setdefault((stepped, tuple(runs for _, runs in after)), char)
        return list(found.values())

    def _forced(self, node: _Node) -> dict[int, tuple[int, bool]]:
        """The tapes whose character follows from another's, as every run of a pattern has it."""
        forced: dict[int, tuple[int, bool]] = {}
        for program, live in zip(self.programs, node.runs, strict=True):
            steps = {program.steps[run.at] for run in live if run.beside}
            if program.wanted and len(steps) == 1 and all(run.beside for run in live):
                (step,) = steps
                assert isinstance(step, Put)
                x, y = self.index[program.subject], self.index[step.subject]
                follows = {x, y} & forced.keys() or y in {other for other, _ in forced.values()}
                if x != y and not follows:
                    forced[y] = (x, step.ignore_case)
        return forced

    def _completed(
        self, chars: dict[int, str], forced: Mapping[int, tuple[int, bool]]
    ) -> Iterator[dict[int, str]]:
        ways = [
            [(y, char) for char in (case_variants(chars[x]) if folded else (chars[x],))]
            for y, (x, folded) in forced.items()
        ]
        for way in product(*ways):
            yield {**chars, **dict(way)}

    def _read(self, node: _Node, active: Sequence[int], column: dict[int, str]) -> _Node | None:
        tapes = list(node.tapes)
        for i in active:
            stepped = self._step(i, node.tapes[i], column[i])
            if stepped is None:
                return None
            tapes[i] = stepped
        runs: list[Runs] = []
        for program, live in zip(self.programs, node.runs, strict=True):
            after = self._advance(program, live, column) if live else live
            if live and not after and program.wanted:
                return None
            runs.append(after)
        return _Node(tuple(tapes), tuple(runs))

    def _step(self, i: int, tape: Tape, char: str) -> States | None:
        assert not isinstance(tape, str)
        inside, outside = self._languages(i)
        stepped = tuple(
            language.step(state, char) for language, state in zip(inside, tape[0], strict=True)
        )
        if not all(stepped):
            return None
        beyond = tuple(
            language.step(state, char) if state else 0
            for language, state in zip(outside, tape[1], strict=True)
        )
        if any(state == each.trap for each, state in zip(outside, beyond, strict=True)):
            return None
        return stepped, beyond

    def _advance(self, program: _Program, live: Runs, column: Mapping[int, str]) -> Runs:
        """The runs of a program after one more character of its subject."""
        char = column[self.index[program.subject]]
        after: set[_Run] = set()
        for run in live:
            step = program.steps[run.at] if run.at < program.end else None
            if isinstance(step, Put) and (run.beside or run.loose is not None):
                stayed = self._advance_put(run, step, char, column)
                if stayed is not None:
                    after.add(stayed)
                continue
            loop = program.loops.get(run.at)
            if loop is not None and char in loop:
                after.add(run)
            if _takes(step, char):
                after.add(_Run(run.at + 1))
        return frozenset(after)

    def _advance_put(
        self, run: _Run, step: Put, char: str, column: Mapping[int, str]
    ) -> _Run | None:
        y = self.index[step.subject]
        if run.beside:
            other = column[y]
            same = char == other or (step.ignore_case and char in case_variants(other))
            return run if same else None
        assert run.loose is not None
        inside, _ = self._languages(y)
        stepped = tuple(
            language.step(state, char) for language, state in zip(inside, run.loose, strict=True)
        )
        return _Run(run.at, loose=stepped) if all(stepped) else None


def _takes(step: Symbol | Put | None, char: str) -> bool:
    match step:
        case None | Put():
            return False
        case str():
            return char == step
        case chars:
            return char in chars


def _subsets(items: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for chosen in product((False, True), repeat=len(items)):
        yield tuple(item for item, taken in zip(items, chosen, strict=True) if taken)


# -- one by one --------------------------------------------------------------------------------

_MOST_CHOICES = 3000
"""The most choices of values that are tried one by one."""

_LONGEST = 6


def _one_by_one(problem: _Problem, budget: Budget) -> Values:
    """Try values for the subjects that are put in, short ones first; the others follow.

    Raises:
        BoundedError: none of those tried will do.
    """
    puts = sorted({put.subject for atom in problem.related for put in _puts(atom)})
    others = sorted(set(problem.domains) - set(puts))
    done = 0
    left = _MOST_CHOICES
    for longest in range(1, _LONGEST + 1):
        alphabet = problem.alphabet(len(puts) * longest)
        choices = [list(_texts(problem, subject, alphabet, longest, left)) for subject in puts]
        size = 1
        for choice in choices:
            size *= len(choice)
        if size > left:
            break
        for chosen in product(*choices):
            budget.spend(0)
            found = _rest(problem, dict(zip(puts, chosen, strict=True)), others, budget)
            if found is not None:
                return found
        left -= size
        done = longest
    raise BoundedError(f"it holds for all values of {', '.join(puts)} of up to {done} characters")


def _puts(atom: Matches) -> Iterable[Put]:
    return (piece for piece in atom.pieces if isinstance(piece, Put))


def _texts(
    problem: _Problem, subject: str, alphabet: Sequence[str], longest: int, most: int
) -> Iterator[str]:
    """The texts of a subject up to a length over an alphabet, cut where they are too many."""
    listed = problem.domains[subject].values
    found = 0
    words: Iterable[str] = (
        listed
        if listed is not None
        else ("".join(chars) for n in range(longest + 1) for chars in product(alphabet, repeat=n))
    )
    for tried, word in enumerate(words):
        if found > most or tried > 20 * most:
            return
        if _is_possible(problem, subject, word):
            found += 1
            yield word


def _is_possible(problem: _Problem, subject: str, word: str) -> bool:
    return word in problem.domains[subject] and all(
        atom.holds_for([word]) == holds
        for atom, holds in problem.some.items()
        if atom.subject == subject
    )


def _rest(
    problem: _Problem, chosen: Values, others: Sequence[str], budget: Budget
) -> Values | None:
    """Values for the other subjects, each by itself, once those that are put in are chosen."""
    values = dict(chosen)
    for subject in others:
        literals = {a: holds for a, holds in problem.some.items() if a.subject == subject}
        for atom, holds in problem.related.items():
            if atom.subject == subject:
                literals[Some(subject, Language([pattern_of(atom.pieces, chosen)]))] = holds
        found = single_value(literals, problem.domains[subject], budget)
        if found is None:
            return None
        values[subject] = found
    return values if problem.fulfilled_by(values) else None
