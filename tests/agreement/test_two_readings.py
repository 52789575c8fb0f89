"""The two readings of one language agree: on requests, on witnesses, and on what laws say."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tenantproof.evaluate import decide
from tenantproof.policy import Effect, PolicyDocument, PolicySet
from tenantproof.policy.stack import Stack
from tenantproof.policy.syntax import Family
from tenantproof.prove import (
    ACTION,
    RESOURCE,
    Budget,
    Domain,
    Present,
    RequestSpace,
    compile_policies,
    conj,
)
from tenantproof.prove.concrete import holds, is_within
from tenantproof.prove.solver import Blocked, Solver, Witness
from tenantproof.reading import Reading
from tenantproof.request import Principal, Request
from tenantproof_strategies import (
    accesses,
    policies,
    policy,
    policy_sets,
    principals,
    requests,
)

NAMES = [field.name for field in fields(Reading)]
READINGS = [
    Reading(**dict(zip(NAMES, choice, strict=True)))
    for choice in itertools.product((False, True), repeat=len(NAMES))
]
ACTIONS = ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "s3:GetObject")
RESOURCES = (
    "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
    "arn:aws:s3:::acme/acme/v1",
)
slow_data = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def own_keys_aside(request: Request, principal: Principal) -> Request:
    """The request without keys that the principal decides: a request cannot choose them."""
    space = RequestSpace(principal, (), ())
    context = {k: v for k, v in request.context.items() if space.known(k.lower()) is True}
    return replace(request, context=context)


def agree(policies: Stack, request: Request, reading: Reading) -> None:
    """The evaluator's decision is the formula's, in an open space and with all keys fixed."""
    allowed = decide(policies, request, reading).allowed
    anything = {ACTION: Domain(), RESOURCE: Domain()}
    open_space = RequestSpace(request.principal, domains=anything)
    compiled = compile_policies(policies, open_space, reading)
    if is_within(compiled, request):
        assert holds(compiled.allowed, request) in (allowed, None)
    fixed = {key.lower(): value for key, value in request.context.items()}
    closed_space = RequestSpace(
        request.principal, (request.action,), (request.resource,), fixed, closed=True
    )
    closed = compile_policies(policies, closed_space, reading)
    assert closed.unmodelled or closed.allowed is allowed


@slow_data
@given(st.data(), policy_sets(), principals(), st.sampled_from(READINGS))
def test_the_readings_agree_on_requests(
    data: st.DataObject, drawn: PolicySet, principal: Principal, reading: Reading
) -> None:
    for _ in range(3):
        request = own_keys_aside(data.draw(requests(drawn, principal)), principal)
        event(decide(drawn, request, reading).outcome.value)
        agree(drawn, request, reading)


@slow_data
@given(st.data(), principals(), st.sampled_from(READINGS))
def test_the_readings_agree_on_both_sides(
    data: st.DataObject, principal: Principal, reading: Reading
) -> None:
    drawn = data.draw(accesses(principal))
    for _ in range(3):
        request = own_keys_aside(data.draw(requests(drawn.caller, principal)), principal)
        event(decide(drawn, request, reading).outcome.value)
        agree(drawn, request, reading)


@slow_data
@given(st.data(), policy_sets(), principals())
def test_the_readings_agree_where_some_operators_are_opaque(
    data: st.DataObject, drawn: PolicySet, principal: Principal
) -> None:
    request = own_keys_aside(data.draw(requests(drawn, principal)), principal)
    agree(drawn, request, Reading())


@slow_data
@given(policy_sets(tuple(Family)), principals(), st.sampled_from(READINGS))
def test_every_witness_replays(drawn: PolicySet, principal: Principal, reading: Reading) -> None:
    space = RequestSpace(principal, ACTIONS, RESOURCES)
    compiled = compile_policies(drawn, space, reading)
    found = Solver(compiled.space, compiled.multivalued, Budget.of(30)).smallest(compiled.allowed)
    event(type(found).__name__)
    if isinstance(found, Witness):
        names = {key: compiled.mentioned[key] for key in found.keys}
        context = {names[key]: value for key, value in found.keys.items()}
        request = Request(principal, found.action, found.resource, context)
        assert decide(drawn, request, reading).allowed


@slow_data
@given(st.data(), policy_sets(), principals())
def test_what_has_no_witness_is_never_allowed(
    data: st.DataObject, drawn: PolicySet, principal: Principal
) -> None:
    request = own_keys_aside(data.draw(requests(drawn, principal)), principal)
    single = {k: v for k, v in request.context.items() if isinstance(v, str)}
    request = replace(request, context=single)
    space = RequestSpace(principal, (request.action,), (request.resource,))
    compiled = compile_policies(drawn, space)
    boolean = {k for k, d in compiled.space.domains.items() if d.values}
    if any(k.lower() in boolean and v not in ("true", "false") for k, v in single.items()):
        return
    if decide(drawn, request).allowed:
        solver = Solver(compiled.space, compiled.multivalued, Budget.of(30))
        assert solver.smallest(compiled.allowed) is not None


def _is_reachable(drawn: PolicySet, principal: Principal) -> bool | None:
    """Whether some request is allowed; None where an opaque condition decides."""
    space = RequestSpace(principal, ACTIONS, RESOURCES)
    compiled = compile_policies(drawn, space)
    solver = Solver(compiled.space, compiled.multivalued, Budget.of(30))
    found = solver.smallest(compiled.allowed)
    return None if isinstance(found, Blocked) else found is not None


@slow_data
@given(policies(), policies(), principals())
def test_a_union_of_grants_allows_what_either_allows(
    one: PolicyDocument, other: PolicyDocument, principal: Principal
) -> None:
    """And so a grant that is widened never removes a leak."""
    left, right = _grants(one), _grants(other)
    both = PolicySet(left.identity_policies + right.identity_policies)
    apart = {_is_reachable(left, principal), _is_reachable(right, principal)}
    if True in apart:
        assert _is_reachable(both, principal) is not False
    if apart == {False}:
        assert _is_reachable(both, principal) is not True


def _grants(policy: PolicyDocument) -> PolicySet:
    kept = tuple(s for s in policy.statements if s.effect is Effect.ALLOW)
    return PolicySet((replace(policy, statements=kept),))


def test_a_set_compared_with_itself_is_opaque() -> None:
    condition = {"ForAllValues:StringEquals": {"s3:prefix": "${s3:prefix, 'x'}y"}}
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}
    drawn = PolicySet((policy({"Version": "2012-10-17", "Statement": statement}),))
    caller = Principal("arn:aws:iam::111122223333:role/acme")
    compiled = compile_policies(drawn, RequestSpace(caller, ACTIONS, RESOURCES))
    solver = Solver(compiled.space, compiled.multivalued, Budget.of(30))
    present = conj((compiled.allowed, Present("s3:prefix")))
    assert isinstance(solver.smallest(present), Blocked)
