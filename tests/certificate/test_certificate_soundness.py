"""What a certificate proves is so: the third reading against the evaluator, proofs against both."""

from __future__ import annotations

from certificate_helpers import (
    READINGS,
    is_forbidden,
    mentioned,
    model_of,
    proved,
    requests_near,
    truths_of,
)
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from conftest import ENDPOINT
from tenantproof.certificate import Within
from tenantproof.certificate.keys import TARGET_ACTIONS
from tenantproof.certificate.propositions import Undetermined
from tenantproof.certificate.tableau import NoProofError
from tenantproof.evaluate import decide
from tenantproof.policy import PolicySet
from tenantproof.reading import Reading
from tenantproof.request import Principal
from tenantproof_strategies import policy_sets, principals

slow_data = settings(
    max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow_data
@given(st.data(), policy_sets(), principals(), READINGS)
def test_a_branch_that_knows_all_decides_as_the_evaluator(
    data: st.DataObject, drawn: PolicySet, principal: Principal, reading: Reading
) -> None:
    model = model_of(drawn, principal)
    request = data.draw(requests_near(drawn, model))
    branch = truths_of(model, request, reading, mentioned(drawn))
    allowed, forbidden = model.allowed(branch), model.forbidden(branch)
    event(str(allowed))
    assert forbidden is is_forbidden(model, request)
    assert branch.asked is not None
    assert [each for each in branch.asked if not isinstance(each, Undetermined)] == []
    if allowed is not None:
        assert allowed is decide(drawn, request, reading).allowed


@slow_data
@given(st.data(), policy_sets(), principals(), st.sampled_from(["beyond", "within", "all"]))
def test_what_is_proved_is_never_allowed(
    data: st.DataObject, drawn: PolicySet, principal: Principal, kind: str
) -> None:
    changes = {
        "beyond": {},
        "within": {"forbidden": Within(("acme-corp/*",)), "actions": TARGET_ACTIONS},
        "all": {"forbidden": Within(None), "actions": TARGET_ACTIONS},
    }[kind]
    try:
        proved(drawn, principal, **changes)
    except NoProofError as error:
        event(f"no proof: {str(error)[:40]}")
        return
    event("proved")
    model = model_of(drawn, principal, **changes)
    for _ in range(5):
        request = data.draw(requests_near(drawn, model))
        reading = data.draw(READINGS)
        assert request.resource == ENDPOINT
        if is_forbidden(model, request):
            assert not decide(drawn, request, reading).allowed
