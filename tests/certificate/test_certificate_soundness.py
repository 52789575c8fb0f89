"""What a certificate proves is so: the third reading against the evaluator, proofs against both."""

from __future__ import annotations

from certificate_helpers import (
    READINGS,
    aimed_sets,
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
from tenantproof.certificate.matchers import matcher_of
from tenantproof.certificate.propositions import Branch, Undetermined
from tenantproof.certificate.tableau import NoProofError, accepts
from tenantproof.evaluate import decide
from tenantproof.policy import PolicyDocument, PolicySet
from tenantproof.policy.syntax import Family
from tenantproof.reading import Reading
from tenantproof.request import Principal
from tenantproof_strategies import policies, principals
from tenantproof_strategies.boundary import near_texts

slow_data = settings(
    max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@slow_data
@given(st.data(), aimed_sets(), principals(), READINGS)
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
@given(st.data(), aimed_sets(), principals(), READINGS)
def test_a_branch_that_knows_less_says_no_more(
    data: st.DataObject, drawn: PolicySet, principal: Principal, reading: Reading
) -> None:
    """What is known stays so, whatever becomes known: this makes closing a branch sound."""
    model = model_of(drawn, principal)
    request = data.draw(requests_near(drawn, model))
    whole = truths_of(model, request, reading, mentioned(drawn))
    kept = data.draw(st.lists(st.sampled_from(list(whole.truths)), unique=True))
    action = data.draw(st.sampled_from([request.action, None]))
    part = Branch({each: whole.truths[each] for each in kept}, action)
    for says in (model.allowed, model.forbidden):
        if says(part) is not None:
            assert says(part) is says(whole)
    if model.closing(part) is not None:
        assert not (is_forbidden(model, request) and decide(drawn, request, reading).allowed)


@slow_data
@given(st.data(), policies((Family.STRING, Family.ARN)), principals(), READINGS)
def test_a_language_is_what_the_evaluator_matches(
    data: st.DataObject, drawn: PolicyDocument, principal: Principal, reading: Reading
) -> None:
    """Lemmas speak of languages, propositions of what the evaluator matches."""
    for statement in drawn.statements:
        for condition in statement.conditions:
            matcher = matcher_of(condition, principal.keys, reading)
            near = near_texts([value.text for value in condition.values])
            for text in data.draw(st.lists(near, max_size=5)):
                for value in (text, text.swapcase(), text.replace("k", "\u212a") + "\u017f"):
                    assert accepts(matcher.language, value) is matcher.matches(value)
                    if matcher.finite is not None:
                        assert (value in matcher.finite) is matcher.matches(value)


@slow_data
@given(st.data(), aimed_sets(), principals(), st.sampled_from(["beyond", "within", "all"]))
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
