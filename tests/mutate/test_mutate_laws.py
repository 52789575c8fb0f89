"""Laws of mutants, on policies drawn at random: what is said of each holds for the evaluator."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from mutate_helpers import made, stack, statement, text, texts

from tenantproof.compare import Side, Terms, Way, no_new_access
from tenantproof.evaluate import decide
from tenantproof.isolation import Manifest, Run, Verdict
from tenantproof.isolation.manifest import Endpoint, Member, Tenant
from tenantproof.isolation.sagemaker import TARGET_MODEL, invoke_actions, target_model_actions
from tenantproof.mutate import Equivalent, Kind, Mutant, Survived
from tenantproof.mutate.asking import Affected, Asked
from tenantproof.mutate.comparing import compare_all
from tenantproof.mutate.mutants import Original
from tenantproof.policy import PolicySet
from tenantproof.prove.space import ALWAYS_PRESENT
from tenantproof.reading import DOCUMENTED
from tenantproof.request import Principal, Request
from tenantproof_strategies import principals, requests

QUICK = Terms(timeout=5.0)
some = settings(
    max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
ENDPOINT = Endpoint("arn:aws:sagemaker:us-east-1:111122223333:endpoint/models")


def one_of(policy: str, at: int) -> Mutant:
    found = made(policy)
    assume(found)
    return found[at % len(found)]


def has_its_keys(request: Request) -> bool:
    """Whether a request has a TargetModel only where the API takes one."""
    return TARGET_MODEL not in request.context or request.action in target_model_actions()


def as_sent(request: Request) -> Request:
    """The request with the keys that every request has, and that follow from its resource."""
    fields = request.resource.split(":", 5)
    given = dict(ALWAYS_PRESENT)
    follows: dict[str, str] = {}
    if len(fields) == 6 and fields[3]:
        follows["aws:requestedregion"] = fields[3]
    if len(fields) == 6 and fields[4] not in ("", "aws"):
        follows["aws:resourceaccount"] = fields[4]
    drawn = {name.lower(): value for name, value in request.context.items()}
    return replace(request, context={**given, **drawn, **follows})


def outcome(
    old: PolicySet, new: PolicySet, callers: list[Principal]
) -> Equivalent | Survived | object:
    """What becomes of a mutant that applies to some principals."""
    members = tuple(Member(caller, old) for caller in callers)
    tenant = Tenant("acme", ("acme/*",), members, (ENDPOINT,))
    asked = Asked(Run(Manifest("m", (ENDPOINT,), (tenant,)), 5.0))
    affected = tuple(Affected(tenant, m, replace(m, policies=new)) for m in members)
    return compare_all(asked, affected, QUICK)


@some
@given(texts(), st.integers(0, 10_000), st.lists(principals(), min_size=1, max_size=3), st.data())
def test_what_is_equivalent_is_decided_equally_and_what_survives_is_not(
    policy: str, at: int, callers: list[Principal], data: st.DataObject
) -> None:
    mutant = one_of(policy, at)
    old, new = stack(policy), stack(mutant.text)
    found = outcome(old, new, callers)
    event(f"{type(found).__name__} {len(callers)}")
    match found:
        case Equivalent():
            for caller in callers:
                for near in (old, new):
                    request = as_sent(data.draw(requests(near, caller).filter(has_its_keys)))
                    decided = {decide(each, request, DOCUMENTED).allowed for each in (old, new)}
                    assert len(decided) == 1, (mutant, request)
        case Survived(change):
            assert change.by_new.principal in callers
            before = decide(old, change.by_old, DOCUMENTED).allowed
            after = decide(new, change.by_new, DOCUMENTED).allowed
            assert (before, after) == (change.way.by_old, change.way.by_new)
            if mutant.widens:
                assert change.way is Way.GAINED
        case _:
            pass


@some
@given(texts())
def test_what_is_not_changed_need_not_be_read_again(policy: str) -> None:
    original = Original(policy, "p.json")
    for mutant, document in islice(original.mutants(original.slips()), 200):
        assert document == mutant.document(), mutant
        if mutant.statement is not None and mutant.kind is not Kind.DENY_REMOVED:
            changed = zip(document.statements, original.document.statements, strict=True)
            assert sum(now is not before for now, before in changed) == 1


@some
@given(texts(), st.integers(0, 10_000), principals())
def test_what_is_as_before_is_answered_as_before(policy: str, at: int, caller: Principal) -> None:
    mutant = one_of(policy, at)
    before = Member(caller, stack(policy))
    after = replace(before, policies=stack(mutant.text))
    tenant = Tenant("acme", ("acme/*",), (before,), (ENDPOINT,))
    run = Run(Manifest("m", (ENDPOINT,), (tenant,)), 5.0, first_only=True)
    asked = Asked(run)
    is_as_before = asked.is_as_before(Affected(tenant, before, after), ENDPOINT, invoke_actions())
    event(f"as before: {is_as_before}")
    if is_as_before:
        old, new = (run.isolated(tenant, each, ENDPOINT).findings for each in (before, after))
        assert [f.verdict for f in old] == [f.verdict for f in new], mutant


@some
@given(texts(), st.integers(0, 10_000))
def test_what_widens_takes_no_access(policy: str, at: int) -> None:
    widening = [mutant for mutant in made(policy) if mutant.widens]
    assume(widening)
    mutant = widening[at % len(widening)]
    event(mutant.kind.value)
    answer = no_new_access(stack(mutant.text), stack(policy), QUICK)
    assert answer.verdict is not Verdict.LEAK, (mutant, answer.changes)


@some
@given(texts(), principals(), st.data())
def test_what_widens_allows_each_request_that_the_policy_allows(
    policy: str, caller: Principal, data: st.DataObject
) -> None:
    old = stack(policy)
    request = data.draw(requests(old, caller))
    if decide(old, request, DOCUMENTED).allowed:
        for mutant in islice((m for m in made(policy) if m.widens), 40):
            assert decide(stack(mutant.text), request, DOCUMENTED).allowed, mutant


@some
@given(texts(), st.integers(0, 10_000), principals())
def test_the_policies_of_one_principal_are_compared_as_its_own(
    policy: str, at: int, caller: Principal
) -> None:
    old, new = stack(policy), stack(one_of(policy, at).text)
    answer = no_new_access(Side(old, caller), Side(new, caller), QUICK)
    alone = outcome(old, new, [caller])
    if isinstance(alone, Equivalent):
        assert answer.verdict is Verdict.PROVED
    if answer.verdict is Verdict.LEAK:
        assert isinstance(alone, Survived)


@pytest.mark.parametrize(
    "context",
    [
        {"aws:SourceIp": "no address"},
        {"aws:PrincipalType": "Robot"},
        {"s3:prefix": ("x", "y")},
    ],
)
def test_a_principal_unlike_any_of_iam_is_compared_by_itself(
    context: dict[str, str | tuple[str, ...]],
) -> None:
    ((key, value),) = context.items()
    listed = [value] if isinstance(value, str) else list(value)
    allowed = text(statement(Condition={"StringEquals": {key: listed}}))
    caller = Principal("arn:aws:iam::111122223333:role/a", {}, context)
    found = outcome(PolicySet(), stack(allowed), [caller, replace(caller, tags={"x": "y"})])
    assert isinstance(found, Survived)
