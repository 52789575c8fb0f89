"""A planted leak is a leak, and what it is planted in is safe: by the evaluator and by proof."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis.errors import InvalidArgument

from tenantproof.evaluate import decide
from tenantproof.isolation import Manifest, Run, Verdict
from tenantproof.isolation.manifest import Endpoint, Member, Tenant
from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.policy import PolicySet, statements
from tenantproof_strategies import LeakySet, SlipKind, invocations, leaky_policy_sets

few = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
search = settings(
    max_examples=300, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink]
)


def verdicts(drawn: LeakySet, policies: PolicySet) -> set[Verdict]:
    own = Endpoint(drawn.endpoint)
    endpoints = tuple({arn: Endpoint(arn) for arn in (drawn.endpoint, drawn.witness.resource)})
    listed = tuple(map(Endpoint, endpoints))
    member = Member(drawn.principal, policies)
    tenant = Tenant("own", drawn.owns, (member,), (own,))
    other = Tenant("other", drawn.others, (), listed)
    run = Run(Manifest("<drawn>", listed, (tenant, other)))
    answers = (run.isolated(tenant, member, endpoint) for endpoint in listed)
    return {finding.verdict for answered in answers for finding in answered.findings}


@few
@given(leaky_policy_sets())
def test_the_witness_is_allowed_by_the_leaky_set_alone(drawn: LeakySet) -> None:
    assert decide(drawn.leaky, drawn.witness).allowed
    assert not decide(drawn.safe, drawn.witness).allowed


@few
@given(leaky_policy_sets())
def test_the_safe_set_is_proved_and_the_leaky_one_is_not(drawn: LeakySet) -> None:
    assert verdicts(drawn, drawn.safe) == {Verdict.PROVED}
    assert Verdict.LEAK in verdicts(drawn, drawn.leaky)


@pytest.mark.parametrize("kind", SlipKind, ids=lambda kind: kind.name)
def test_invocations_find_each_kind(kind: SlipKind) -> None:
    """Leaks between tenants, found with no hint but what the other tenant owns."""
    drawn = find(leaky_policy_sets([kind]), lambda _: True, settings=search)
    assert drawn.what.kind is kind
    named = [*statements(drawn.safe), *statements(drawn.leaky)]
    assert drawn.what.statement in {statement.sid for statement in named}
    endpoints = {drawn.endpoint, drawn.witness.resource}
    near = drawn.others

    def leaks(request: Any) -> bool:
        return decide(drawn.leaky, request).allowed and not decide(drawn.safe, request).allowed

    found = find(
        invocations(drawn.leaky, drawn.principal, sorted(endpoints), near), leaks, settings=search
    )
    assert set(found.context) <= {TARGET_MODEL, "aws:SecureTransport"}


@pytest.mark.parametrize(
    ("kinds", "error"), [(["slash dropped"], TypeError), ([], InvalidArgument)]
)
def test_bad_kinds_fail_at_once(kinds: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="expected"):
        leaky_policy_sets(kinds)
