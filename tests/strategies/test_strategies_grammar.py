"""Policies shrink to small ones, print as code, and cover the whole grammar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings

from tenantproof.policy import Effect, PolicyDocument, PolicySet, Statement, statements
from tenantproof.policy.operators import COMPARISONS
from tenantproof.policy.syntax import SetQualifier, Version
from tenantproof_strategies import documents, policies, policy, policy_sets

search = settings(
    max_examples=3000,
    database=None,
    derandomize=True,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
SMALLEST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def smallest(is_so: Callable[[Statement], Any]) -> dict[str, Any]:
    return find(
        documents(),
        lambda document: any(map(is_so, policy(document).statements)),
        settings=search,
    )


def with_statement(**changes: Any) -> dict[str, Any]:
    return {**SMALLEST, "Statement": [{**SMALLEST["Statement"][0], **changes}]}  # type: ignore[dict-item]


def test_the_smallest_policy_allows_all() -> None:
    assert smallest(lambda _: True) == SMALLEST


def test_the_smallest_deny_is_one_statement() -> None:
    assert smallest(lambda s: s.effect is Effect.DENY) == with_statement(Effect="Deny")


def test_the_smallest_condition_is_one_line() -> None:
    (statement,) = smallest(lambda s: s.conditions)["Statement"]
    ((keys),) = statement.pop("Condition").values()
    assert statement == SMALLEST["Statement"][0]
    ((value),) = keys.values()
    assert not isinstance(value, list)


def test_the_smallest_policy_set_is_one_policy() -> None:
    found = find(policy_sets(), lambda _: True, settings=search)
    assert found == PolicySet((policy(SMALLEST),))


FEATURES: dict[str, Callable[[Statement], Any]] = {
    "NotAction": lambda s: s.action.negated,
    "NotResource": lambda s: s.resource is not None and s.resource.negated,
    "several actions": lambda s: len(s.action.patterns) > 1,
    "several values": lambda s: any(len(c.values) > 1 for c in s.conditions),
    "several conditions": lambda s: len(s.conditions) > 1,
    "a variable with a default": lambda s: any(v.default for t in s.templates for v in t.variables),
    "a variable without one": lambda s: any(
        v.default is None for t in s.templates for v in t.variables
    ),
    "IfExists": lambda s: any(c.operator.if_exists for c in s.conditions),
    **{
        f"{qualifier.value}:": lambda s, q=qualifier: any(
            c.operator.qualifier is q for c in s.conditions
        )
        for qualifier in SetQualifier
    },
    **{
        name: lambda s, n=name: any(c.operator.comparison.name == n for c in s.conditions)
        for name in COMPARISONS
    },
}


def test_the_whole_grammar_is_drawn() -> None:
    seen: set[str] = set()

    @settings(search, max_examples=600, phases=[Phase.generate])
    @given(policies())
    def look(drawn: PolicyDocument) -> None:
        seen.update(n for n, fits in FEATURES.items() if any(map(fits, drawn.statements)))

    look()
    assert seen == set(FEATURES)


@pytest.mark.parametrize(
    "is_so",
    [
        lambda s: len(s.identity_policies) > 1,
        lambda s: s.permissions_boundary is not None,
        lambda s: len(s.service_control_policies) > 1,
        lambda s: any(not level for level in s.service_control_policies),
        lambda s: any(p.version is Version.V2008 for p in s.identity_policies),
    ],
)
def test_every_layer_is_drawn(is_so: Callable[[PolicySet], bool]) -> None:
    find(policy_sets(), is_so, settings=settings(search, phases=[Phase.generate]))


def test_a_failure_prints_code() -> None:
    """What Hypothesis prints of a policy set is an expression that makes it again."""

    @settings(search, max_examples=200)
    @given(policy_sets())
    def fails(drawn: PolicySet) -> None:
        assert all(s.effect is Effect.ALLOW for s in statements(drawn))

    with pytest.raises(AssertionError) as raised:
        fails()
    printed = "\n".join(raised.value.__notes__)
    start = printed.index("PolicySet(")
    code = printed[start : printed.index("\n)", start)].rstrip().rstrip(",")
    names = {"PolicySet": PolicySet, "policy": policy}
    again = eval(code, names)
    assert isinstance(again, PolicySet)
    assert all(isinstance(each, PolicyDocument) for each in again.identity_policies)
    assert any(s.effect is Effect.DENY for s in statements(again))
