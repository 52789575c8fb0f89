"""The policy in the documentation allows what is called, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenantproof.evaluate import decide
from tenantproof.policy import PolicyDocument, PolicySet, parse_policy
from tenantproof.pull import Operation
from tenantproof.request import Principal, Request

PAGE = Path(__file__).parents[2] / "docs" / "pull.md"
SAGEMAKER = "arn:aws:sagemaker:us-east-1:111122223333"
ON = {
    Operation.LIST_TAGS: f"{SAGEMAKER}:endpoint/e",
    Operation.DESCRIBE_ENDPOINT: f"{SAGEMAKER}:endpoint/e",
    Operation.DESCRIBE_CONFIG: f"{SAGEMAKER}:endpoint-config/c",
    Operation.DESCRIBE_MODEL: f"{SAGEMAKER}:model/m",
    Operation.DESCRIBE_COMPONENT: f"{SAGEMAKER}:inference-component/i",
    Operation.BUCKET_POLICY: "arn:aws:s3:::bucket",
    Operation.BUCKET_LOCATION: "arn:aws:s3:::bucket",
}
"""What operations are on; the others are on no resource."""

ALL = frozenset(Operation)
OF_THE_ORGANIZATION = frozenset(each for each in Operation if each.service == "organizations")


def documented(name: str) -> PolicyDocument:
    block = re.compile(rf"^`{name}`:\n\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found = block.search(PAGE.read_text("utf-8"))
    assert found is not None
    return parse_policy(found[1], file=name)


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("pull-policy.json", ALL),
        ("pull-policy-without-organization.json", ALL - OF_THE_ORGANIZATION),
    ],
)
def test_the_documented_policy_is_what_is_needed(name: str, needed: frozenset[Operation]) -> None:
    policy = documented(name)
    who = Principal("arn:aws:iam::111122223333:role/auditor")
    policies = PolicySet((policy,))
    allowed = {
        each
        for each in Operation
        if decide(policies, Request(who, each.value, ON.get(each, "*"))).allowed
    }
    assert allowed == needed
    actions = [pattern.text for s in policy.statements for pattern in s.action.patterns]
    assert sorted(actions) == sorted(each.value for each in needed)


@pytest.mark.parametrize("operation", Operation)
def test_each_operation_is_documented_with_what_it_brings(operation: Operation) -> None:
    without = PAGE.read_text("utf-8").partition("### Without a permission")[2]
    documented = operation.value in without or f"`{operation.call}`" in without
    assert documented or operation.service == "organizations"
