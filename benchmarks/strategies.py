"""How often a run of 200 examples finds a leak of measure near zero, in 100 seeds.

Each policy has 200 patterns of which one leaks; the leak is what the evaluator allows and the
tenant does not own. Ours against ``st.text()``, against text over what the API accepts, and against
``st.from_regex`` of the policy's own patterns, which knows as much of the policy as ours does.
"""

from __future__ import annotations

import os
import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from benchmarks.measure import seconds
from tenantproof.evaluate import decide
from tenantproof.isolation.sagemaker import TARGET_MODEL, target_model_domain
from tenantproof.policy import PolicySet, statements
from tenantproof.prove import language
from tenantproof.request import Principal, Request
from tenantproof_strategies import (
    invocations,
    policies,
    policy,
    policy_sets,
    requests,
    target_models,
    tenant_names,
)

SEED = 20261124
SEEDS = int(os.environ.get("TENANTPROOF_SEEDS", "100"))
EXAMPLES = 200
PATTERNS = 200
PRINCIPAL = Principal("arn:aws:iam::111122223333:role/acme")
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
ACTION = "sagemaker:InvokeEndpoint"


@dataclass(frozen=True)
class Shape:
    """A policy with one leak; ``is_outside`` tells models that its tenant does not own."""

    name: str
    policies: PolicySet
    is_outside: Callable[[str], bool]
    others: tuple[str, ...] = ()

    def leaks(self, request: Request) -> bool:
        """Whether a request that the API takes is allowed outside what the tenant owns."""
        target = request.keys.get(TARGET_MODEL.lower())
        if isinstance(target, str) and target not in target_model_domain():
            return False
        outside = not isinstance(target, str) or self.is_outside(target)
        return outside and decide(self.policies, request).allowed


def shapes() -> list[Shape]:
    """The leaks, each one pattern out of 200 with a prefix of 30 characters."""
    chosen = random.Random(SEED)
    own, others = ([_prefix(chosen) for _ in range(PATTERNS)] for _ in range(2))
    at = chosen.randrange(PATTERNS)
    owned = tuple(f"{name}/*" for name in own)
    of_others = tuple(f"{name}/*" for name in others)
    paths = tuple(f"{name[:18]}/{name[18:]}.bin" for name in own)
    stranger = _allowing(_with(owned, at, of_others[at]))
    listed = (*of_others[:at], *of_others[at + 1 :])
    return [
        Shape(
            "one prefix lacks its slash", _allowing(_with(owned, at, f"{own[at]}*")), _out(owned)
        ),
        Shape("one prefix is another tenant's", stranger, _out(owned)),
        Shape("the same, the others' known", stranger, _out(owned), of_others),
        Shape(
            "one path is another tenant's",
            _allowing(_with(paths, at, f"{others[at]}/x"), "StringEquals"),
            _out(paths),
        ),
        Shape(
            "a Deny list lacks one prefix",
            _allowing(["*"], denied=listed),
            language(*of_others).accepts,
            of_others,
        ),
        Shape("one statement has ForAllValues", _many_statements(owned, at), _out(owned)),
    ]


def _prefix(chosen: random.Random) -> str:
    return "".join(chosen.choice(string.ascii_lowercase) for _ in range(30))


def _with(texts: Sequence[str], at: int, text: str) -> tuple[str, ...]:
    return (*texts[:at], text, *texts[at + 1 :])


def _out(patterns: Sequence[str]) -> Callable[[str], bool]:
    owned = language(*patterns)
    return lambda target: not owned.accepts(target)


def _statement(effect: str, patterns: Sequence[str], operator: str) -> dict[str, object]:
    condition = {operator: {TARGET_MODEL: list(patterns)}}
    return {"Effect": effect, "Action": ACTION, "Resource": ENDPOINT, "Condition": condition}


def _policies(*statements: dict[str, object]) -> PolicySet:
    return PolicySet((policy({"Version": "2012-10-17", "Statement": list(statements)}),))


def _allowing(
    patterns: Sequence[str], operator: str = "StringLike", denied: Sequence[str] = ()
) -> PolicySet:
    denying = [_statement("Deny", denied, "StringLike")] if denied else []
    return _policies(_statement("Allow", patterns, operator), *denying)


def _many_statements(patterns: Sequence[str], at: int) -> PolicySet:
    names = _with(["StringLike"] * len(patterns), at, "ForAllValues:StringLike")
    return _policies(
        *(_statement("Allow", [text], name) for text, name in zip(patterns, names, strict=True))
    )


# -- the strategies ------------------------------------------------------------------------------


def invoking(models: st.SearchStrategy[str]) -> st.SearchStrategy[Request]:
    """InvokeEndpoint requests with a TargetModel."""
    return models.map(lambda model: Request(PRINCIPAL, ACTION, ENDPOINT, {TARGET_MODEL: model}))


def _models(shape: Shape) -> st.SearchStrategy[Request]:
    return invoking(target_models(near=[shape.policies, *shape.others]))


def _invocations(shape: Shape) -> st.SearchStrategy[Request]:
    return invocations(shape.policies, PRINCIPAL, ENDPOINT, near=shape.others)


def _regex(shape: Shape) -> st.SearchStrategy[Request]:
    """Members of the policy's own patterns, and of the others'."""
    texts = [
        value.text
        for statement in statements(shape.policies)
        for condition in statement.conditions
        for value in condition.values
    ]
    patterns = [re.escape(text).replace(r"\*", "[ -~]*") for text in (*texts, *shape.others)]
    return invoking(st.from_regex("|".join(f"(?:{p})" for p in patterns), fullmatch=True))


def _text(_: Shape) -> st.SearchStrategy[Request]:
    return invoking(st.text())


def _printable(_: Shape) -> st.SearchStrategy[Request]:
    return invoking(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40))


STRATEGIES: dict[str, Callable[[Shape], st.SearchStrategy[Request]]] = {
    "invocations": _invocations,
    "target_models": _models,
    "st.from_regex": _regex,
    "printable text": _printable,
    "st.text()": _text,
}


# -- counting --------------------------------------------------------------------------------------


class LeakFoundError(Exception):
    """The leak was drawn."""


def is_found(
    drawn: st.SearchStrategy[Request], leaks: Callable[[Request], bool], number: int
) -> bool:
    """Whether a run of 200 examples from one seed draws a leak."""

    @seed(number)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def run(request: Request) -> None:
        if leaks(request):
            raise LeakFoundError

    try:
        run()
    except LeakFoundError:
        return True
    return False


def hits(drawn: st.SearchStrategy[Request], leaks: Callable[[Request], bool], seeds: int) -> int:
    """In how many seeds a run finds the leak."""
    return sum(is_found(drawn, leaks, number) for number in range(seeds))


def milliseconds(drawn: st.SearchStrategy[object]) -> float:
    """The time to draw one example, in a run of 200 that looks at none."""
    drawings = 0

    @seed(0)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn)
    def run(_: object) -> None:
        nonlocal drawings
        drawings += 1

    return seconds(run) * 1000 / drawings


def main() -> None:
    listed = shapes()
    print(f"leaks found in runs of {EXAMPLES} examples, of {SEEDS} seeds")
    print(f"{'':<34}", *(f"{name:>15}" for name in STRATEGIES))
    for shape in listed:
        found = (hits(make(shape), shape.leaks, SEEDS) for make in STRATEGIES.values())
        print(f"{shape.name:<34}", *(f"{count:>15}" for count in found), flush=True)
    times = (milliseconds(make(listed[0])) for make in STRATEGIES.values())
    print(f"{'ms an example':<34}", *(f"{time:>15.2f}" for time in times))
    others = {
        "policies()": policies(),
        "policy_sets()": policy_sets(),
        "tenant_names()": tenant_names(),
        "tenant_names(names=...)": tenant_names(names="[a-z][a-z0-9-]{0,29}"),
        "requests()": requests(listed[0].policies),
    }
    for name, drawn in others.items():
        print(f"{name:<34} {milliseconds(drawn):>15.2f}")
