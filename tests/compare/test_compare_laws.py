"""Laws of comparisons, on policies drawn at random."""

from __future__ import annotations

from dataclasses import replace

import pytest
from compare_helpers import LEAK, PROVED, TERMS, UNKNOWN, identity, statement
from hypothesis import HealthCheck, assume, event, given, settings

from tenantproof.compare import (
    Answer,
    Change,
    Side,
    Terms,
    at_most,
    disjoint,
    equivalent,
    no_new_access,
)
from tenantproof.evaluate import decide
from tenantproof.policy import Effect, PolicyDocument, PolicySet
from tenantproof.reading import DOCUMENTED
from tenantproof.request import Principal
from tenantproof_strategies import policies, policy_sets, principals

some = settings(
    max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
QUICK = Terms(timeout=1.0)


def of(*documents: PolicyDocument) -> PolicySet:
    return PolicySet(documents)


def replays(change: Change, old: PolicySet, new: PolicySet) -> bool:
    found = (
        decide(old, change.by_old, DOCUMENTED).allowed,
        decide(new, change.by_new, DOCUMENTED).allowed,
    )
    return found == (change.way.by_old, change.way.by_new)


def effects(policy: PolicyDocument, effect: Effect) -> PolicyDocument:
    return replace(policy, statements=tuple(s for s in policy.statements if s.effect is effect))


@some
@given(policy_sets())
def test_nothing_is_new_in_the_same(drawn: PolicySet) -> None:
    assert no_new_access(drawn, replace(drawn), QUICK).verdict is PROVED
    assert equivalent(drawn, drawn, QUICK).verdict is PROVED


@some
@given(policies(), policies())
def test_a_deny_more_gives_nothing_new(one: PolicyDocument, other: PolicyDocument) -> None:
    denies = effects(other, Effect.DENY)
    assert no_new_access(of(one), of(one, denies), QUICK).verdict in (PROVED, UNKNOWN)


@some
@given(policies())
def test_an_allow_less_gives_nothing_new(drawn: PolicyDocument) -> None:
    assume(drawn.statements[0].effect is Effect.ALLOW)
    less = replace(drawn, statements=drawn.statements[1:])
    assert no_new_access(of(drawn), of(less), QUICK).verdict in (PROVED, UNKNOWN)


@some
@given(policy_sets(), policy_sets())
def test_every_witness_replays(old: PolicySet, new: PolicySet) -> None:
    for answer in (no_new_access(old, new, QUICK), equivalent(old, new, QUICK)):
        event(answer.verdict.value)
        assert all(replays(change, old, new) for change in answer.changes if not answer.reason)


@some
@given(policy_sets(), policy_sets())
def test_equivalent_is_no_new_access_both_ways(old: PolicySet, new: PolicySet) -> None:
    answers: list[Answer] = [
        no_new_access(old, new, QUICK),
        no_new_access(new, old, QUICK),
        equivalent(old, new, QUICK),
    ]
    there, back, same = (answer.verdict for answer in answers)
    if UNKNOWN in (there, back, same):
        return
    assert (same is PROVED) == (there is PROVED and back is PROVED)


@pytest.mark.slow
@some
@given(policy_sets(), policy_sets())
def test_disjoint_is_symmetric(old: PolicySet, new: PolicySet) -> None:
    verdicts = {disjoint(old, new, QUICK).verdict, disjoint(new, old, QUICK).verdict}
    assert UNKNOWN in verdicts or len(verdicts) == 1


@some
@given(policies(), policies())
def test_a_union_of_grants_is_at_least_each(one: PolicyDocument, other: PolicyDocument) -> None:
    left, right = effects(one, Effect.ALLOW), effects(other, Effect.ALLOW)
    assert at_most(of(left), of(left, right), QUICK).verdict in (PROVED, UNKNOWN)


@some
@given(policy_sets(), policy_sets(), principals())
def test_what_one_principal_gains_some_principal_gains(
    old: PolicySet, new: PolicySet, principal: Principal
) -> None:
    fixed = no_new_access(Side(old, principal), Side(new, principal), QUICK)
    event(fixed.verdict.value)
    if fixed.verdict is LEAK:
        assert all(replays(change, old, new) for change in fixed.changes)


def test_widening_gives_a_witness() -> None:
    from compare_helpers import identity, statement  # noqa: PLC0415

    narrow = identity(statement(Resource="arn:aws:s3:::bucket/acme/*"))
    wide = identity(statement(Resource="arn:aws:s3:::bucket/acme*"))
    answer = no_new_access(narrow, wide, TERMS)
    assert answer.verdict is LEAK
    (change,) = answer.changes
    assert change.by_new.resource == "arn:aws:s3:::bucket/acme"
    assert change.by_new.action == "s3:GetObject"
    assert replays(change, narrow, wide)


def test_an_attack_gives_nobody_a_tag_that_it_does_not_have() -> None:
    conditions = {"sagemaker:TargetModel": "acme", "aws:PrincipalTag/tenant": "acme"}
    old, new = (
        identity(statement(Condition={"StringEquals": dict(list(conditions.items())[first:])}))
        for first in (0, 1)
    )
    untagged = Principal("arn:aws:iam::111122223333:user/acme")
    assert equivalent(Side(old, untagged), Side(new, untagged)).verdict is PROVED
    tagged = replace(untagged, tags={"tenant": "acme"})
    assert equivalent(Side(old, tagged), Side(new, tagged)).verdict is LEAK
