"""Why each statement did or did not apply: element by element, with what was compared and where."""

from __future__ import annotations

from typing import Any

import pytest
from evaluate_helpers import ENDPOINT, TARGET_MODEL, decision, request, statement

from tenantproof.evaluate import Check, StatementResult, decide
from tenantproof.policy import PolicySet, parse_policy
from tenantproof.request import ContextValue

POLICY = """\
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "Own",
      "Effect": "Allow",
      "Action": ["sagemaker:ListModels", "sagemaker:Invoke*"],
      "Resource": "arn:aws:sagemaker:*:*:endpoint/*",
      "Condition": {
        "StringLike": {
          "sagemaker:TargetModel": ["acme/*", "${aws:PrincipalTag/tenant}/*"]
        },
        "Bool": {"aws:SecureTransport": "true"}
      }
    }
  ]
}
"""


def explain(context: dict[str, ContextValue], **request_parts: Any) -> StatementResult:
    policies = PolicySet((parse_policy(POLICY, file="acme.json"),))
    tags = request_parts.pop("tags", {"tenant": "beta"})
    to = request(context, tags=tags, **request_parts)
    (result,) = decide(policies, to).results
    return result


def shown(check: Check) -> tuple[str, bool, str, str]:
    return check.element, check.matched, check.because, str(check.place)


ACTION = (
    "Action",
    True,
    "sagemaker:InvokeEndpoint matches sagemaker:Invoke*",
    "acme.json:7:42: $.Statement[0].Action[1]",
)
RESOURCE = (
    "Resource",
    True,
    f"{ENDPOINT} matches arn:aws:sagemaker:*:*:endpoint/*",
    "acme.json:8:19: $.Statement[0].Resource",
)
MODEL_PLACE = 'acme.json:11:11: $.Statement[0].Condition.StringLike["sagemaker:TargetModel"]'
BOOL_PLACE = 'acme.json:13:18: $.Statement[0].Condition.Bool["aws:SecureTransport"]'


def test_a_statement_that_applies_shows_every_element() -> None:
    result = explain({TARGET_MODEL: "beta/m", "aws:SecureTransport": "true"})
    assert result.applies
    assert [shown(check) for check in result.checks] == [
        ACTION,
        RESOURCE,
        (
            "Condition sagemaker:TargetModel",
            True,
            "StringLike acme/*, ${aws:PrincipalTag/tenant}/* holds for"
            ' sagemaker:TargetModel "beta/m"',
            MODEL_PLACE,
        ),
        (
            "Condition aws:SecureTransport",
            True,
            'Bool true holds for aws:SecureTransport "true"',
            BOOL_PLACE,
        ),
    ]


@pytest.mark.parametrize(
    ("context", "parts", "last"),
    [
        pytest.param(
            {},
            {"action": "s3:GetObject"},
            (
                "Action",
                False,
                "s3:GetObject matches none of Action",
                "acme.json:7:17: $.Statement[0].Action",
            ),
            id="Action",
        ),
        pytest.param(
            {},
            {"resource": "arn:aws:s3:::b"},
            (
                "Resource",
                False,
                "arn:aws:s3:::b matches none of Resource",
                "acme.json:8:19: $.Statement[0].Resource",
            ),
            id="Resource",
        ),
        pytest.param(
            {TARGET_MODEL: "common/m"},
            {},
            (
                "Condition sagemaker:TargetModel",
                False,
                "StringLike acme/*, ${aws:PrincipalTag/tenant}/* does not hold for"
                ' sagemaker:TargetModel "common/m"',
                MODEL_PLACE,
            ),
            id="a condition",
        ),
        pytest.param(
            {},
            {},
            (
                "Condition sagemaker:TargetModel",
                False,
                "StringLike acme/*, ${aws:PrincipalTag/tenant}/* does not hold for"
                " the absent key sagemaker:TargetModel",
                MODEL_PLACE,
            ),
            id="an absent key",
        ),
        pytest.param(
            {TARGET_MODEL: ("x", "y")},
            {},
            (
                "Condition sagemaker:TargetModel",
                False,
                "StringLike acme/*, ${aws:PrincipalTag/tenant}/* does not hold for"
                " sagemaker:TargetModel ['x', 'y']",
                MODEL_PLACE,
            ),
            id="several values",
        ),
        pytest.param(
            {TARGET_MODEL: "acme/m"},
            {},
            (
                "Condition aws:SecureTransport",
                False,
                "Bool true does not hold for the absent key aws:SecureTransport",
                BOOL_PLACE,
            ),
            id="the second condition",
        ),
        pytest.param(
            {TARGET_MODEL: "acme/m"},
            {"tags": {}},
            (
                "Variable",
                False,
                "${aws:PrincipalTag/tenant} has no value in the request, which voids the statement",
                "acme.json:4:5: $.Statement[0]",
            ),
            id="a variable without a value",
        ),
    ],
)
def test_the_checks_end_with_the_element_that_did_not_match(
    context: dict[str, ContextValue], parts: dict[str, Any], last: tuple[str, bool, str, str]
) -> None:
    result = explain(context, **parts)
    assert not result.applies
    *before, end = map(shown, result.checks)
    assert end == last
    assert all(matched for _, matched, _, _ in before)


@pytest.mark.parametrize(
    ("changes", "element", "matched", "because"),
    [
        ({"NotAction": "s3:*"}, "NotAction", True, "sagemaker:InvokeEndpoint matches none of"),
        ({"NotAction": "sage*:*"}, "NotAction", False, "sagemaker:InvokeEndpoint matches sage*:*"),
        ({"NotResource": "arn:aws:s3:::*"}, "NotResource", True, f"{ENDPOINT} matches none of"),
        ({"NotResource": "*"}, "NotResource", False, f"{ENDPOINT} matches *"),
    ],
)
def test_complements_say_what_they_found(
    changes: dict[str, Any], element: str, matched: bool, because: str
) -> None:
    changes = {**changes, element.removeprefix("Not"): None}
    (result,) = decision(statement(**changes)).results
    (check,) = [check for check in result.checks if check.element == element]
    assert check.matched is matched
    assert check.because.startswith(because)


def test_the_result_names_layer_policy_and_statement() -> None:
    policies = PolicySet((parse_policy(POLICY), parse_policy(POLICY, file="b.json")))
    first, second = decide(policies, request()).results
    assert (first.policy_index, second.policy_index) == (0, 1)
    assert first.layer.name == second.layer.name == "identity_policies"
    assert second.statement.name == 'Statement[0] "Own"'
    assert second.statement.place.file == "b.json"
