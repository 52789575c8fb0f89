"""The two readings held against each other on random policies and requests.

Policies come from the project's own strategies, each with a batch of requests near them; a pair
is decided by the evaluator and by the symbolic model, in an open space and with every key fixed.
Then whole questions: the solver's witness must replay, and where it finds none, no request may be
allowed. Any difference ends the run.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from itertools import product
from multiprocessing import get_context

from hypothesis import HealthCheck, Phase, given, seed, settings

from tenantproof.errors import BudgetExceededError
from tenantproof.evaluate import Outcome, decide
from tenantproof.policy import PolicySet, Statement
from tenantproof.prove import (
    ACTION,
    RESOURCE,
    Budget,
    Compiled,
    Domain,
    RequestSpace,
    compile_policies,
)
from tenantproof.prove.concrete import holds, is_within
from tenantproof.prove.solver import Solver, Witness
from tenantproof.prove.space import GLOBAL_DOMAINS, MULTIVALUED
from tenantproof.reading import Reading
from tenantproof.request import ContextValue, Principal, Request
from tenantproof_strategies import policy_sets, principals

PAIRS = int(os.environ.get("TENANTPROOF_PAIRS", "1000000"))
REQUESTS = 100
WORKERS = os.cpu_count() or 1
SEED = 20261124
NAMES = [field.name for field in fields(Reading)]
READINGS = [
    Reading(**dict(zip(NAMES, choice, strict=True)))
    for choice in product((False, True), repeat=len(NAMES))
]
ACTIONS = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "s3:GetObject")
RESOURCES = ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/models", "arn:aws:s3:::acme/a")
FREE = frozenset({"aws:sourceidentity", "s3:prefix"})
_WILD = re.compile(r"\$\{[^}]*\}|[*?]")


class Tally:
    """What was decided, and which operators took part."""

    def __init__(self) -> None:
        self.outcomes: Counter[str] = Counter()
        self.operators: Counter[str] = Counter()
        self.families: Counter[str] = Counter()
        self.features: Counter[str] = Counter()
        self.questions: Counter[str] = Counter()
        self.pairs = 0
        self.open = 0

    def add(self, policies: PolicySet, outcome: Outcome) -> None:
        """Count one pair."""
        self.pairs += 1
        self.outcomes[outcome.value] += 1
        operators = {c.operator for s in statements(policies) for c in s.conditions}
        self.operators.update(operator.name for operator in operators)
        self.families.update({operator.comparison.family.value for operator in operators})
        variables = {
            v.key.lower() for s in statements(policies) for t in s.templates for v in t.variables
        }
        keys = {
            c.key.lower()
            for s in statements(policies)
            for c in s.conditions
            if not c.operator.qualifier
        }
        self.features["a policy variable"] += bool(variables)
        self.features["a policy variable that the request chooses"] += bool(variables & FREE)
        self.features["an operator without a set prefix on a set"] += bool(keys & MULTIVALUED)

    def __add__(self, other: Tally) -> Tally:
        """Both counts together."""
        both = Tally()
        for name, value in vars(self).items():
            setattr(both, name, value + getattr(other, name))
        return both


def main() -> None:
    start = time.perf_counter()
    share = -(-PAIRS // WORKERS)
    with ProcessPoolExecutor(WORKERS, get_context("spawn")) as pool:
        tally = sum(pool.map(worker, range(WORKERS), [share] * WORKERS), Tally())
    took = time.perf_counter() - start
    print(
        f"{tally.pairs} pairs agree with all keys fixed, {tally.open} of them in an open space too"
    )
    print(f"{took:.0f} s with {WORKERS} processes, drawing policies included")
    for title, counts in (
        ("decisions", tally.outcomes),
        ("classes of operators", tally.families),
        ("operators", tally.operators),
        ("beside operators", tally.features),
    ):
        print(f"{title}:")
        for name, count in counts.most_common():
            print(f"  {name:<44} {count:>7}  {count / tally.pairs:7.2%}")
    print(f"whole questions: {dict(tally.questions)}, every witness replayed")


def worker(number: int, pairs: int) -> Tally:
    """Compare some pairs, drawn from a seed of the worker's own."""
    tally = Tally()
    chosen = random.Random(SEED + number)

    @seed(SEED + number)
    @settings(
        max_examples=-(-pairs // REQUESTS),
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(policy_sets(), principals())
    def compare(policies: PolicySet, principal: Principal) -> None:
        if tally.pairs < pairs:
            reading = chosen.choice(READINGS)
            # Requests near the policies have any action and resource, whole questions real ones.
            free = {**GLOBAL_DOMAINS, ACTION: Domain(), RESOURCE: Domain()}
            compiled = compile_policies(policies, RequestSpace(principal, domains=free), reading)
            for _ in range(REQUESTS):
                request = near_request(chosen, policies, principal)
                compare_pair(tally, policies, compiled, request, reading)
            space = RequestSpace(principal, ACTIONS, RESOURCES, domains=GLOBAL_DOMAINS)
            ask(tally, policies, compile_policies(policies, space, reading), reading)

    while tally.pairs < pairs:
        compare()
    return tally


def statements(policies: PolicySet) -> Iterator[Statement]:
    for layer in policies.layers():
        for policy in layer.policies:
            yield from policy.statements


def compare_pair(
    tally: Tally, policies: PolicySet, compiled: Compiled, request: Request, reading: Reading
) -> None:
    decision = decide(policies, request, reading)
    tally.add(policies, decision.outcome)
    # A key that holds one value in the model is out of the space where a request gives it a set.
    modelled = holds(compiled.allowed, request) if is_within(compiled, request) else None
    tally.open += modelled is not None
    fixed = {key.lower(): value for key, value in request.context.items()}
    closed = RequestSpace(
        request.principal, (request.action,), (request.resource,), fixed, closed=True
    )
    folded = compile_policies(policies, closed, reading)
    if not isinstance(folded.allowed, bool):
        raise SystemExit(f"UNDECIDED with all keys fixed: {folded.unmodelled}\n{policies}")
    for answer in (modelled, folded.allowed):
        if isinstance(answer, bool) and answer != decision.allowed:
            raise SystemExit(f"DISAGREEMENT {reading}\n{policies}\n{request}\n{decision}")


def ask(tally: Tally, policies: PolicySet, compiled: Compiled, reading: Reading) -> None:
    solver = Solver(compiled.space, compiled.multivalued, Budget.of(30))
    try:
        found = solver.smallest(compiled.allowed)
    except BudgetExceededError as error:
        tally.questions[f"no answer: {error}"] += 1
        return
    tally.questions[type(found).__name__] += 1
    if isinstance(found, Witness):
        context = {compiled.mentioned[key]: value for key, value in found.keys.items()}
        request = Request(compiled.space.principal, found.action, found.resource, context)
        if not decide(policies, request, reading).allowed:
            raise SystemExit(f"WITNESS REFUSED {reading}\n{policies}\n{request}")


def near_request(chosen: random.Random, policies: PolicySet, principal: Principal) -> Request:
    """A request near the policies: their texts with wildcards filled in, perhaps one edit away."""
    listed = list(statements(policies))
    actions = [p.text for s in listed for p in s.action.patterns] + list(ACTIONS)
    resources = [p.text for s in listed if s.resource for p in s.resource.patterns]
    context: dict[str, ContextValue] = {}
    space = RequestSpace(principal, (), ())
    for statement in listed:
        for condition in statement.conditions:
            key = condition.key
            if space.known(key.lower()) is True and chosen.random() < 0.7:
                texts = [value.text for value in condition.values]
                single = condition.operator.qualifier is None
                context[key] = near_value(chosen, texts, single=single)
        for template in statement.templates:
            for variable in template.variables:
                if space.known(variable.key.lower()) is True and chosen.random() < 0.7:
                    value = near(chosen, [variable.default or "acme", "a/b", "common", "a:b"])
                    context.setdefault(variable.key, value)
    unique = {key.lower(): (key, value) for key, value in context.items()}
    return Request(
        principal,
        near(chosen, actions),
        near(chosen, [*resources, *RESOURCES]),
        dict(unique.values()),
    )


def near_value(chosen: random.Random, texts: Sequence[str], *, single: bool) -> ContextValue:
    if single and chosen.random() < 0.8:
        return near(chosen, texts)
    return tuple(near(chosen, texts) for _ in range(chosen.randrange(4)))


def near(chosen: random.Random, texts: Sequence[str]) -> str:
    text = _WILD.sub(lambda _: chosen.choice(("", "x", "/", "acme", ":")), chosen.choice(texts))
    at = chosen.randrange(len(text) + 1)
    match chosen.randrange(8):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + chosen.choice("/-:aA*") + text[at:]
        case 2:
            return text.swapcase()
        case _:
            return text
