"""Random multi-layer cases: the two readings and a third implementation decide them alike."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import event, given, settings
from hypothesis import strategies as st
from layers_cases import ACCOUNTS, ACTIONS, RESOURCES, access_of, case
from layers_reference import Case

from tenantproof.evaluate import decide
from tenantproof.prove import RequestSpace, compile_policies
from tenantproof.prove.concrete import holds
from tenantproof.reading import Reading

SEEDS = st.randoms(use_true_random=False)
EVERY_RESOURCE = tuple(
    dict.fromkeys(each.format(account) for each in RESOURCES for account in ACCOUNTS)
)


@settings(max_examples=300)
@given(SEEDS, st.booleans(), st.booleans())
def test_the_evaluator_decides_as_the_reference_says(
    random: Random, everyone: bool, listed: bool
) -> None:
    drawn = case(random)
    access, request = access_of(drawn)
    reading = Reading(everyone_as_itself=everyone, rcp_listed_services=listed)
    decision = decide(access, request, reading)
    event(decision.outcome.value)
    expected = Case(drawn, everyone_direct=everyone, rcp_listed=listed).decide()
    assert decision.outcome.value == expected
    assert bool(decision.denied_by) == (expected == "ImplicitDeny")


@settings(max_examples=200)
@given(SEEDS, st.booleans(), st.booleans())
def test_the_two_readings_agree_on_both_sides(random: Random, everyone: bool, listed: bool) -> None:
    access, request = access_of(case(random))
    reading = Reading(everyone_as_itself=everyone, rcp_listed_services=listed)
    allowed = decide(access, request, reading).allowed
    fixed = {key.lower(): value for key, value in request.context.items()}
    caller, actions, resources = request.principal, (request.action,), (request.resource,)
    closed = RequestSpace(caller, actions, resources, fixed, closed=True)
    assert compile_policies(access, closed, reading).allowed is allowed
    role = {k: v for k, v in request.context.items() if k == "aws:PrincipalArn"}
    context = {k: v for k, v in request.context.items() if k not in role}
    same = replace(request, principal=replace(caller, context=role), context=context)
    space = RequestSpace(same.principal, ACTIONS, EVERY_RESOURCE)
    assert holds(compile_policies(access, space, reading).allowed, same) is allowed
