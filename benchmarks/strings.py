"""Texts in some wildcard languages and outside others: our search against Z3's ``InRe``.

Each question is answered from its patterns as texts, nothing prepared. Where both answer, the
answers must agree: both a text, or both none.
"""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import dataclass

import z3

from benchmarks.measure import in_turn, seconds, shown
from tenantproof.isolation.sagemaker import target_model_domain
from tenantproof.prove import language, shortest_member

Z3_TIMEOUT_MS = 10_000
SIZES = (10, 100, 1000)


@dataclass(frozen=True)
class Case:
    """A text in the union ``inside`` and outside the union ``outside``: is there one?"""

    name: str
    inside: tuple[str, ...]
    outside: tuple[str, ...]


def cases() -> list[Case]:
    """The questions, the ones with a size at three sizes."""
    fixed = [
        Case(
            "documented policy minus owners",
            ("company_a/*", "common/*"),
            ("company_a/*", "common/*"),
        ),
        Case("acme* minus acme/*", ("acme*",), ("acme/*",)),
        Case("*a?{10} minus *b?{10}b*", ("*a" + "?" * 10,), ("*b" + "?" * 10 + "b*",)),
        Case("*a?{20}* minus itself", ("*a" + "?" * 20 + "*",), ("*a" + "?" * 20 + "*",)),
    ]
    sized: list[Case] = []
    for size in SIZES:
        others = tuple(f"{name}/*" for name in names(size))
        sized += [
            Case(f"* minus {size} tenant prefixes", ("*",), others),
            Case(f"own prefix minus {size} others", ("company_a/*",), others),
            Case(f"{size} prefixes minus themselves", others, others),
        ]
    return fixed + sized


def names(size: int) -> list[str]:
    """Tenant names, reproducible, many with common beginnings."""
    chosen = random.Random(size)
    return [f"tenant-{chosen.randrange(10**6):06d}-{i}" for i in range(size)]


def ours(case: Case) -> str | None:
    return shortest_member(
        [language(*case.inside)], [language(*case.outside)], target_model_domain()
    )


def z3_in_re(case: Case) -> bool | None:
    """Whether Z3 finds a text; None where it says unknown within its time."""
    text = z3.String("text")
    printable = z3.Range(" ", "~")
    solver = z3.Solver()
    solver.set("timeout", Z3_TIMEOUT_MS)
    solver.add(z3.InRe(text, z3.Concat(z3.Range("!", "~"), z3.Star(printable))))
    solver.add(z3.Length(text) <= 1024)
    solver.add(z3.Or([z3.InRe(text, regex(p)) for p in case.inside]))
    solver.add([z3.Not(z3.InRe(text, regex(p))) for p in case.outside])
    answer = solver.check()
    return None if answer == z3.unknown else answer == z3.sat


def regex(pattern: str) -> z3.ReRef:
    printable = z3.Range(" ", "~")
    parts = [
        z3.Star(printable) if char == "*" else printable if char == "?" else z3.Re(char)
        for char in pattern
    ]
    return z3.Concat(parts) if len(parts) > 1 else parts[0]


def main() -> None:
    print(f"{'question':<34} {'ours, median (range)':<34} {'Z3 InRe':<34} ratio   memory")
    for case in cases():
        found, theirs = ours(case), z3_in_re(case)
        if theirs is not None and theirs != (found is not None):
            raise SystemExit(f"{case.name}: ours says {found!r}, Z3 says {theirs}")
        slow = theirs is None or seconds(lambda case=case: z3_in_re(case)) > 1
        mine, z3s, ratio = in_turn(
            lambda case=case: ours(case), lambda case=case: z3_in_re(case), 3 if slow else 9
        )
        unknown = " unknown" if theirs is None else ""
        print(f"{case.name:<34} {mine!s:<34} {f'{z3s}{unknown}':<34} {ratio:<7.3g} {peak(case)}")
    print(f"Z3's time is bounded at {shown(Z3_TIMEOUT_MS / 1000)}; ratio: Z3's time / ours")


def peak(case: Case) -> str:
    """The most memory that our answer takes, as Python's allocator counts it."""
    tracemalloc.start()
    ours(case)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return f"{most / 1024:.0f} KiB"
