"""What the strategies draw is valid, and bad arguments fail at once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenantproof.isolation.sagemaker import target_model_domain
from tenantproof.policy import PolicyKind, PolicySet, parse_policy
from tenantproof.policy.syntax import Family
from tenantproof.request import Principal
from tenantproof_strategies import documents, policy_sets, principals, requests, target_models

few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@few
@given(st.one_of(target_models(), target_models(near=["acme/*", "common/?"])))
def test_target_models_are_what_the_api_accepts(model: str) -> None:
    assert model in target_model_domain()


@few
@given(documents())
def test_documents_are_read_strictly(document: dict[str, Any]) -> None:
    parse_policy(json.dumps(document), kind=PolicyKind.IDENTITY)


@few
@given(st.data(), policy_sets(), principals())
def test_requests_never_name_a_key_twice(
    data: st.DataObject, drawn: PolicySet, principal: Principal
) -> None:
    request = data.draw(requests(drawn, principal))
    assert len({key.lower() for key in request.context}) == len(request.context)


@few
@given(st.data(), st.sampled_from(Family))
def test_only_the_families_asked_for(data: st.DataObject, family: Family) -> None:
    drawn = data.draw(policy_sets((family,)))
    for layer in drawn.layers():
        for policy in layer.policies:
            for statement in policy.statements:
                for condition in statement.conditions:
                    assert condition.operator.comparison.family is family


@pytest.mark.parametrize("near", ["acme/*", [1]])
def test_a_bad_near_fails_at_once(near: Any) -> None:
    with pytest.raises(TypeError, match="expected"):
        target_models(near=near)


def test_a_bad_family_fails_at_once() -> None:
    with pytest.raises(TypeError, match="expected members of Family"):
        documents(["String"])  # type: ignore[list-item]
