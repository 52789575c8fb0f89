"""Whole questions put to every engine: they must agree, and how long each takes.

Policies come from the project's own strategies, all families of operators among them; each set of
policies is compiled once for an open space, and "which request is allowed?" is put to the lazy
solver and, as one SMT-LIB script, to Z3's strings and to cvc5. Each starts from the compiled
formula: the lazy solver anew for each question, the others with a script that is written and
parsed before; how long that takes is shown as well. Z3 is loaded before anything is timed. The
lazy solver gives the smallest request, the others any.
"""

from __future__ import annotations

import gc
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from benchmarks.measure import shown
from tenantproof.errors import BudgetExceededError
from tenantproof.evaluate import decide
from tenantproof.policy import PolicySet
from tenantproof.prove import (
    Budget,
    CharRange,
    Compiled,
    Domain,
    Present,
    RequestSpace,
    Some,
    Term,
    compile_policies,
    conj,
    disj,
    language,
    neg,
)
from tenantproof.prove.concrete import holds
from tenantproof.prove.engines.encode import Question, encode
from tenantproof.prove.engines.engine import (
    AUTOMATA,
    ENGINES,
    Automata,
    StringProver,
    Strings,
    witness_of,
)
from tenantproof.prove.engines.ledger import Answered, answered
from tenantproof.prove.solver import Blocked, Solver, Witness
from tenantproof.prove.space import ALWAYS_PRESENT, GLOBAL_DOMAINS
from tenantproof.reading import Reading
from tenantproof.request import Principal, Request
from tenantproof_strategies import policy_sets, principals

QUESTIONS = int(os.environ.get("TENANTPROOF_QUESTIONS", "5000"))
SECONDS = float(os.environ.get("TENANTPROOF_SECONDS", "10"))
SLOW = 2.0
NAMES = [field.name for field in fields(Reading)]
READINGS = [
    Reading(**dict(zip(NAMES, choice, strict=True)))
    for choice in product((False, True), repeat=len(NAMES))
]
ACTIONS = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "s3:GetObject")
RESOURCES = ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/models", "arn:aws:s3:::acme/a")
ME = Principal("arn:aws:iam::111122223333:role/me")

Found = Witness | Blocked | BudgetExceededError | None


@dataclass(frozen=True)
class Timed:
    """An engine's answer and how long it took to solve."""

    found: Found
    seconds: float
    prepared: float = 0.0

    @property
    def kind(self) -> Answered:
        """What kind of answer it is."""
        return answered(self.found)


@dataclass
class Times:
    """What one engine took over all questions, and what it said."""

    seconds: list[float] = field(default_factory=list)
    prepared: list[float] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, timed: Timed) -> None:
        """Count one answer."""
        self.seconds.append(timed.seconds)
        self.prepared.append(timed.prepared)
        self.kinds[timed.kind.value] += 1
        if isinstance(timed.found, BudgetExceededError):
            self.reasons[str(timed.found)] += 1

    def line(self, name: str) -> str:
        """Median, spread and answers."""
        ordered = sorted(self.seconds)
        said = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{name:<9} median {shown(statistics.median(ordered)):<9}"
            f" 5% {shown(ordered[len(ordered) // 20]):<9}"
            f" 95% {shown(ordered[len(ordered) * 19 // 20]):<9} most {shown(ordered[-1]):<9}"
            f" {said}"
        )


@dataclass(frozen=True)
class Ratio:
    """How much longer another engine took than ours on one question, and the question."""

    value: float
    ours: float
    theirs: float
    what: str


@dataclass
class Tally:
    """All that was measured."""

    times: dict[str, Times] = field(default_factory=dict)
    ratios: dict[str, list[Ratio]] = field(default_factory=dict)


def main() -> None:
    agree()
    grow()


# -- random questions ----------------------------------------------------------------------------


def agree() -> None:
    """The engines on random policies: any difference ends the run."""
    tally = Tally()
    chosen = random.Random(20261125)

    @seed(20261125)
    @settings(
        max_examples=QUESTIONS,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(policy_sets(), principals())
    def compare(policies: PolicySet, principal: Principal) -> None:
        if sum(tally.times["automata"].kinds.values() if tally.times else ()) < QUESTIONS:
            question(tally, policies, principal, chosen.choice(READINGS))

    start = time.perf_counter()
    while not tally.times or len(tally.times["automata"].seconds) < QUESTIONS:
        compare()
    report(tally, f"{QUESTIONS} random questions, the engines agree on all", start)


def question(tally: Tally, policies: PolicySet, principal: Principal, reading: Reading) -> None:
    space = RequestSpace(
        principal, ACTIONS, RESOURCES, domains=GLOBAL_DOMAINS, always=ALWAYS_PRESENT
    )
    compiled = compile_policies(policies, space, reading)

    def replayed(found: Witness) -> bool:
        given_keys = {
            name: space.always[key]
            for key, name in compiled.mentioned.items()
            if key in space.always
        }
        chosen = {compiled.mentioned[key]: value for key, value in found.keys.items()}
        request = Request(principal, found.action, found.resource, {**given_keys, **chosen})
        return decide(policies, request, reading).allowed

    put(tally, compiled, compiled.allowed, f"{reading}\n{policies}", replayed)


def put(
    tally: Tally,
    compiled: Compiled,
    formula: Term,
    what: str,
    replayed: Callable[[Witness], bool] = lambda _: True,
) -> dict[str, Timed]:
    """One question to every engine; their answers must agree and replay."""
    answers = {"automata": lazily(compiled, formula)}
    for engine in ENGINES.values():
        if isinstance(engine, Strings) and engine.is_installed:
            answers[engine.name] = as_script(engine, compiled, formula)
    for name, timed in answers.items():
        tally.times.setdefault(name, Times()).add(timed)
        if isinstance(timed.found, Witness) and not replayed(timed.found):
            raise SystemExit(f"WITNESS OF {name} REFUSED\n{timed.found}\n{what}")
    kinds = {name: timed.kind for name, timed in answers.items()}
    told = set(kinds.values()) - {Answered.UNANSWERED}
    if Answered.NONE in told and len(told) > 1:
        raise SystemExit(f"DISAGREEMENT {kinds}\n{what}")
    ours = answers["automata"]
    for name, timed in answers.items():
        if name != "automata" and timed.kind is not Answered.UNANSWERED:
            for counted, seconds in (
                (f"{name}, solving", timed.seconds),
                (f"{name}, script and solving", timed.prepared + timed.seconds),
            ):
                ratio = Ratio(seconds / ours.seconds, ours.seconds, seconds, what)
                tally.ratios.setdefault(counted, []).append(ratio)
    return answers


def lazily(compiled: Compiled, formula: Term) -> Timed:
    solver = Solver(compiled.space, compiled.multivalued, Budget.of(SECONDS))
    return timed(lambda: solver.smallest(formula))


def as_script(engine: Strings, compiled: Compiled, formula: Term) -> Timed:
    """The script is written and parsed outside the time; so is reading a witness back."""
    load = engine.load()
    start = time.perf_counter()
    try:
        asked: Question = encode(formula, compiled.space, compiled.multivalued)
        check = load(asked.script)
    except BudgetExceededError as error:
        return Timed(error, 0.0)
    prepared = time.perf_counter() - start
    answer = timed(lambda: check.model(Budget.of(SECONDS)))
    if answer.found is None or isinstance(answer.found, BudgetExceededError):
        return Timed(answer.found, answer.seconds, prepared)
    assert isinstance(answer.found, Mapping)
    try:
        witness = witness_of(asked, answer.found)
    except BudgetExceededError as error:
        return Timed(error, answer.seconds, prepared)
    request = Request(compiled.space.principal, witness.action, witness.resource, witness.keys)
    if holds(formula, request):
        return Timed(witness, answer.seconds, prepared)
    # Opaque conditions are asked about once more, by the face that users have.
    prover = StringProver(engine, compiled.space, compiled.multivalued, Budget.of(SECONDS))
    found: Found
    try:
        found = prover.smallest(formula)
    except BudgetExceededError as error:
        found = error
    return Timed(found, answer.seconds, prepared)


def timed(work: Callable[[], object]) -> Timed:
    gc.disable()
    start = time.perf_counter()
    try:
        found = work()
    except BudgetExceededError as error:
        found = error
    seconds = time.perf_counter() - start
    gc.enable()
    return Timed(found, seconds)  # type: ignore[arg-type]


def report(tally: Tally, title: str, start: float) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{title}; {time.perf_counter() - start:.0f} s in all, {memory:.0f} MiB at most")
    for name, times in tally.times.items():
        print(f"  {times.line(name)}")
    for name, times in tally.times.items():
        for reason, count in times.reasons.most_common(8):
            print(f"  {name} unanswered: {reason} ({count})")
    for name, ratios in tally.ratios.items():
        values = sorted(ratio.value for ratio in ratios)
        slow = [ratio for ratio in ratios if ratio.value < 1 / SLOW]
        print(
            f"  {name} / automata where both answer ({len(values)}): median"
            f" {statistics.median(values):.3g}, 5% {values[len(values) // 20]:.3g},"
            f" worst {values[0]:.3g}; automata more than {SLOW:g} times slower: {len(slow)}"
        )
        for ratio in sorted(slow, key=lambda each: each.value)[:1]:
            print(
                f"  {name} {shown(ratio.theirs)}, automata {shown(ratio.ours)}:"
                f" {_shortened(ratio.what)}"
            )
        if slow and (folder := os.environ.get("TENANTPROOF_SLOW")):
            _keep(Path(folder) / f"{name}.txt", slow)


def _shortened(what: str) -> str:
    line = " ".join(what.split())
    return line if len(line) < 300 else f"{line[:300]} ..."


def _keep(path: Path, slow: list[Ratio]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = (f"{each.theirs} s, automata {each.ours} s\n{each.what}\n" for each in slow)
    path.write_text("\n".join(texts))


# -- how the cost grows --------------------------------------------------------------------------

SIZES = (10, 100, 1000)
RUNS = 3
_KEY = "sagemaker:targetmodel"
_TARGETS = Domain(
    initial=CharRange("!", "~"), rest=CharRange(" ", "~"), min_length=1, max_length=1024
)
_SPACE = RequestSpace(ME, ACTIONS, RESOURCES, domains={_KEY: _TARGETS})


def questions(size: int) -> dict[str, Term]:
    """Questions that grow with the number of tenants or of statements."""
    prefixes = [f"tenant-{i:05d}/*" for i in range(size)]
    has = Present(_KEY)

    def inside(*patterns: str) -> Term:
        return conj((has, Some(_KEY, language(*patterns))))

    denies = (
        conj((Present(f"k:{i % 10}"), Some(f"k:{i % 10}", language(f"{i}*")))) for i in range(size)
    )
    keys = conj(Present(f"k:{i}") for i in range(10))
    return {
        "any but N owners' models": conj((inside("*"), neg(Some(_KEY, language(*prefixes))))),
        "own models but N others'": conj(
            (inside("acme*"), neg(Some(_KEY, language("acme/*", *prefixes))))
        ),
        "N prefixes within themselves": conj(
            (inside(*prefixes), neg(Some(_KEY, language("common/*", *prefixes))))
        ),
        "around N Deny statements": conj((inside("acme/*"), keys, neg(disj(denies)))),
    }


def grow() -> None:
    """Each engine and size in a process of its own."""
    print(f"how the cost grows: median of {RUNS}, at most {SECONDS:g} s each")
    for name, engine in ENGINES.items():
        if engine.is_installed:
            for size in SIZES:
                code = f"from benchmarks.engines import child; child({name!r}, {size})"
                subprocess.run([sys.executable, "-c", code], check=True)


def child(name: str, size: int) -> None:
    """Ask one engine the questions of one size; print times and peak memory."""
    engine = ENGINES[name]
    shows: list[str] = []
    if engine is not AUTOMATA:
        _ask(engine, *_compiled(True))
    else:
        # Z3 is loaded before anything is timed.
        _ask(engine, *_compiled(disj((Present("k:a"), Present("k:b")))))
    for what, formula in questions(size).items():
        runs = [_ask(engine, *_compiled(formula)) for _ in range(RUNS)]
        took = statistics.median(run.seconds for run in runs)
        shows.append(f"{what} {runs[0].kind.value} {shown(took)}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {name:<9} {size:>5}: {'; '.join(shows)}; {memory:.0f} MiB", flush=True)


def _ask(engine: Automata | Strings, compiled: Compiled, formula: Term) -> Timed:
    if isinstance(engine, Strings):
        return as_script(engine, compiled, formula)
    return lazily(compiled, formula)


def _compiled(formula: Term) -> tuple[Compiled, Term]:
    return Compiled(True, _SPACE, frozenset(), {}, frozenset(), ()), formula
