"""The examples: what their readers are told to look for is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantproof.evaluate import decide
from tenantproof.policy import PolicySet
from tenantproof.request import Principal, Request
from tenantproof.sources import load_sources

EXAMPLES = Path(__file__).parents[2] / "examples"
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"


@pytest.mark.parametrize("source", ["terraform/plan.json", "cloudformation/template.yaml"])
def test_a_slash_is_missing_after_the_name_of_a_tenant(source: str) -> None:
    estate = load_sources([EXAMPLES / source])
    assert [gap for gap in estate.gaps if gap.matters] == []
    (endpoint,) = estate.endpoints
    assert endpoint.arn == ENDPOINT
    roles = {identity.name: identity for identity in estate.identities}

    def invokes(tenant: str, model: str) -> bool:
        role = roles[tenant]
        request = Request(
            Principal(role.arn, role.tags),
            "sagemaker:InvokeEndpoint",
            ENDPOINT,
            {"sagemaker:TargetModel": model},
        )
        return decide(PolicySet(role.policies), request).allowed

    assert invokes("acme", "acme/m")
    assert invokes("acme", "acme-corp/m")
    assert not invokes("acme-corp", "acme/m")
    (model,) = endpoint.models
    assert model.execution_role == roles["models-execution"].arn
