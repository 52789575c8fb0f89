"""Compares policies that others wrote: how many pairs get an answer, and how fast.

The folder is named by ``TENANTPROOF_CORPUS``; without it the benchmark says so and does nothing.
Pairs are the repairs of the quacky samples (``initial.json`` and ``fixed.json``), and of the AWS
managed policies each with itself, with Allow * on *, with a statement less, with an action widened,
and random ones with each other.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.measure import shown
from tenantproof.compare import Answer, Terms, at_most, equivalent, no_new_access
from tenantproof.errors import InputError
from tenantproof.isolation import Verdict
from tenantproof.policy import (
    Effect,
    PolicyDocument,
    PolicySet,
    ResourcePolicies,
    Stack,
    load_policy,
    parse_policy,
)
from tenantproof.policy.template import parse_template

PAIRS = 500
SEED = 20
TERMS = Terms(timeout=30.0)

EVERYTHING = """
{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
"""


@dataclass
class Tally:
    """Verdicts and times of one kind of question, and what went against expectation."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = ", ".join(f"{n} {verdict.value}" for verdict, n in self.verdicts.items())
        high = sorted(self.times)[int(len(self.times) * 0.99)]
        times = f"median {shown(statistics.median(self.times))}, 99 % within {shown(high)}"
        return f"{counts}; {times}, longest {shown(max(self.times))}"


def main() -> None:
    named = os.environ.get("TENANTPROOF_CORPUS")
    root = Path(named) if named else None
    if root is None or not root.is_dir():
        print("skipped: TENANTPROOF_CORPUS names no folder of policies")
        return
    tallies: dict[str, Tally] = defaultdict(Tally)
    for kind, name, expected, ask in _questions(root):
        tally = tallies[kind]
        start = time.perf_counter()
        answer = ask()
        tally.times.append(time.perf_counter() - start)
        tally.verdicts[answer.verdict] += 1
        if answer.verdict is Verdict.UNKNOWN:
            tally.reasons[f"{name}: {answer.reason}"] += 1
        elif expected not in (None, answer.verdict):
            tally.unexpected.append(f"{name}: {answer}")
    for kind, tally in tallies.items():
        print(f"{kind:24} {tally}")
        for line in (*tally.reasons, *tally.unexpected):
            print(f"    {line[:400]}")
    asked = sum(sum(t.verdicts.values()) for t in tallies.values())
    unknown = sum(t.verdicts[Verdict.UNKNOWN] for t in tallies.values())
    print(f"{asked} questions, {unknown} UNKNOWN ({100 * unknown / asked:.2f} %)")


Asked = tuple[str, str, Verdict | None, Callable[[], Answer]]
"""What kind of question, about what, the answer expected, and how to ask it."""


def _questions(root: Path) -> Iterator[Asked]:
    for initial in sorted(root.rglob("initial.json")):
        fixed = initial.with_name("fixed.json")
        if fixed.is_file():
            name = initial.parent.name
            old, new = _stack(load_policy(initial)), _stack(load_policy(fixed))
            yield (
                "repair: no new access",
                name,
                None,
                lambda o=old, n=new: no_new_access(o, n, TERMS),
            )
            yield "repair: undone", name, None, lambda o=old, n=new: no_new_access(n, o, TERMS)
    yield from _managed_questions(_managed(root))


def _managed_questions(documents: list[PolicyDocument]) -> Iterator[Asked]:
    everything = PolicySet((parse_policy(EVERYTHING),))
    proved, leak = Verdict.PROVED, Verdict.LEAK
    for document in documents:
        name, stack = Path(document.file).name, PolicySet((document,))
        again = PolicySet((load_policy(Path(document.file)),))
        yield "equivalent to itself", name, proved, lambda a=stack, b=again: equivalent(a, b, TERMS)
        yield "at most everything", name, proved, lambda s=stack: at_most(s, everything, TERMS)
        yield "less than everything", name, leak, lambda s=stack: at_most(everything, s, TERMS)
        less = PolicySet((_without_last_allow(document),))
        yield "a statement less", name, proved, lambda a=stack, b=less: no_new_access(a, b, TERMS)
        yield "a statement more", name, None, lambda a=less, b=stack: no_new_access(a, b, TERMS)
        wide = PolicySet((_widened(document),))
        yield "an action widened", name, None, lambda a=stack, b=wide: no_new_access(a, b, TERMS)
    chance = random.Random(SEED)
    for _ in range(PAIRS if documents else 0):
        one, other = chance.sample(documents, 2)
        name = f"{Path(one.file).name} and {Path(other.file).name}"
        a, b = PolicySet((one,)), PolicySet((other,))
        yield "random pair", name, None, lambda a=a, b=b: no_new_access(a, b, TERMS)


def _managed(root: Path) -> list[PolicyDocument]:
    found: list[PolicyDocument] = []
    for file in sorted(root.rglob("aws-managed/*.json")):
        try:
            document = load_policy(file)
            PolicySet((document,))
        except InputError as error:
            print(f"refused: {error}")
        else:
            found.append(document)
    return found


def _stack(document: PolicyDocument) -> Stack:
    if any(s.principal for s in document.statements):
        return ResourcePolicies((document,))
    return PolicySet((document,))


def _without_last_allow(document: PolicyDocument) -> PolicyDocument:
    allows = [s for s in document.statements if s.effect is Effect.ALLOW]
    kept = tuple(s for s in document.statements if not allows or s is not allows[-1])
    return replace(document, statements=kept)


def _widened(document: PolicyDocument) -> PolicyDocument:
    """The document with the first action that is not one wildcard given a ``*`` at its end."""
    statements = list(document.statements)
    for at, statement in enumerate(statements):
        clause = statement.action
        if statement.effect is Effect.ALLOW and not clause.negated:
            first = clause.patterns[0]
            wider = parse_template(f"{first.text}*", first.place, variables=False)
            action = replace(clause, patterns=(wider, *clause.patterns[1:]))
            statements[at] = replace(statement, action=action)
            break
    return replace(document, statements=tuple(statements))
