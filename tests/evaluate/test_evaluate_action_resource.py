"""Action and Resource: their patterns, their case, and their complements."""

from __future__ import annotations

from typing import Any

import pytest
from evaluate_helpers import ACTION, ENDPOINT, applies, decision, deny, request, statement

from tenantproof.evaluate import Outcome

# -- Action: 'The prefix and the action name are case insensitive.' ----------------------------


@pytest.mark.parametrize(
    ("pattern", "action", "matches"),
    [
        ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpoint", True),
        ("SageMaker:INVOKEendpoint", "sagemaker:InvokeEndpoint", True),
        ("sagemaker:invokeendpoint", "SAGEMAKER:InvokeEndpoint", True),
        ("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", False),
        ("sagemaker:InvokeEndpoint*", "sagemaker:InvokeEndpoint", True),
        ("sagemaker:InvokeEndpoint*", "sagemaker:InvokeEndpointAsync", True),
        ("sagemaker:invoke*", "sagemaker:InvokeEndpointWithResponseStream", True),
        ("sagemaker:*Endpoint", "sagemaker:InvokeEndpoint", True),
        ("sagemaker:*endpoint", "sagemaker:InvokeEndpointAsync", False),
        ("sagemaker:Invoke?ndpoint", "sagemaker:InvokeEndpoint", True),
        ("sagemaker:InvokeEndpoint?", "sagemaker:InvokeEndpoint", False),
        ("sagemaker:*", "s3:GetObject", False),
        ("*", "s3:GetObject", True),
        ("**", "s3:GetObject", True),
        ("*:GetObject", "s3:GetObject", True),
        ("s3:Get.bject", "s3:GetObject", False),
    ],
)
def test_action(pattern: str, action: str, matches: bool) -> None:
    to = request(action=action)
    assert applies(statement(Action=pattern), to) is matches
    assert applies(statement(Action=["iam:PassRole", pattern]), to) is matches
    assert applies(statement(Action=None, NotAction=pattern), to) is not matches
    assert applies(statement(Action=None, NotAction=["iam:PassRole", pattern]), to) is not matches


# -- Resource ----------------------------------------------------------------------------------

PREFIX = "arn:aws:sagemaker:us-east-1:111122223333:"
BUCKET = "arn:aws:s3:::amzn-s3-demo-bucket/"
# Patterns with the ARNs that they match and those that they do not.
RESOURCES = [
    ("*", [ENDPOINT, "arn:aws:s3:::b", "*"], []),
    ("**", [ENDPOINT, "*"], []),
    (ENDPOINT, [ENDPOINT], [ENDPOINT + "2", ENDPOINT[:-1], ENDPOINT + ":x", "*"]),
    # With case.
    (ENDPOINT, [], [PREFIX + "endpoint/Models", PREFIX + "Endpoint/models", ENDPOINT.upper()]),
    (PREFIX + "endpoint/*", [ENDPOINT, PREFIX + "endpoint/", PREFIX + "endpoint/a/b:c"], []),
    (PREFIX + "endpoint/*", [], [PREFIX + "endpoint", PREFIX + "model/m"]),
    (PREFIX + "endpoint/mod?ls", [ENDPOINT], [PREFIX + "endpoint/modls"]),
    (PREFIX + "*", [ENDPOINT, PREFIX], [PREFIX.replace("east", "west") + "endpoint/models"]),
    # 'wildcard characters (* and ?) within the individual segments of an ARN'
    ("arn:aws:sagemaker:*:111122223333:endpoint/*", [ENDPOINT], []),
    ("arn:aws:sagemaker:*:111122223333:endpoint/*", [], [ENDPOINT.replace("1111", "9111")]),
    ("arn:aws:sagemaker:us-*-1:*:endpoint/models", [ENDPOINT], []),
    ("arn:aws:sagemaker:us-east-?:1111????3333:endpoint/models", [ENDPOINT], []),
    ("arn:*:sagemaker:*:*:endpoint/models", [ENDPOINT, ENDPOINT.replace(":aws:", ":aws-cn:")], []),
    ("arn:aws:*:*:*:*", [ENDPOINT, "arn:aws:s3:::b/k"], ["arn:aws-cn:s3:::b/k"]),
    ("arn:aws:s3:*:*:b", ["arn:aws:s3:::b"], ["arn:aws:s3::b"]),
    ("arn:aws:s3:?::b", [], ["arn:aws:s3:::b"]),
    # 'automatically completes the ARN by adding wildcard characters (*) to all missing fields'
    ("arn:aws:sagemaker", [ENDPOINT], ["arn:aws:sagemakers:r:a:x", "arn:aws:s3:::b"]),
    ("arn:aws:sagemaker:us-east-1", [ENDPOINT], [ENDPOINT.replace("us-east-1", "eu-west-1")]),
    ("arn:aws:sagemaker:us-east-1:111122223333", [ENDPOINT], ["arn:aws:sagemaker:us-east-1::x"]),
    ("arn:aws", [ENDPOINT, "arn:aws:s3:::b"], ["arn:aws-us-gov:s3:::b"]),
    # An empty sixth field is no missing one.
    (PREFIX, [PREFIX], [ENDPOINT]),
    # The sixth field takes the rest, colons and all.
    ("arn:aws:sns:*:*:a:b", ["arn:aws:sns:r:1:a:b"], ["arn:aws:sns:r:1:a", "arn:aws:sns:r:1:a:c"]),
    ("arn:aws:sns:r:1:a*c", ["arn:aws:sns:r:1:a:b:c", "arn:aws:sns:r:1:ac"], []),
    # '*' 'can expand to replace everything within a segment, including ... a forward slash':
    # the reference's own lists for this pattern.
    (
        BUCKET + "*/test/*",
        [
            BUCKET + "1/test/object.jpg",
            BUCKET + "1/2/test/object.jpg",
            BUCKET + "1/2/test/3/object.jpg",
            BUCKET + "1/2/3/test/4/object.jpg",
            BUCKET + "1///test///object.jpg",
            BUCKET + "1/test/.jpg",
            BUCKET + "/test/object.jpg",
            BUCKET + "1/test/",
        ],
        [
            BUCKET + "1-test/object.jpg",
            BUCKET + "test/object.jpg",
            BUCKET + "1/2/test.jpg",
        ],
    ),
    # Only * and ? are special.
    (BUCKET + "a.c", [BUCKET + "a.c"], [BUCKET + "abc"]),
    (BUCKET + "[ab]+", [BUCKET + "[ab]+"], [BUCKET + "a"]),
    # What is no ARN is matched by * alone.
    ("arn:*", [ENDPOINT], ["*", "arn:aws:s3", "models"]),
]
CASES = [
    (pattern, resource, matches)
    for pattern, matching, others in RESOURCES
    for resource, matches in [(r, True) for r in matching] + [(r, False) for r in others]
]


@pytest.mark.parametrize(("pattern", "resource", "matches"), CASES)
def test_resource(pattern: str, resource: str, matches: bool) -> None:
    to = request(resource=resource)
    assert applies(statement(Resource=pattern), to) is matches
    assert applies(statement(Resource=["arn:aws:iam::1:x", pattern]), to) is matches
    assert applies(statement(Resource=None, NotResource=pattern), to) is not matches


# -- complements -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        pytest.param(
            {"Action": None, "NotAction": "s3:*"},
            Outcome.ALLOWED,
            id="Allow with NotAction allows everything else",
        ),
        pytest.param(
            {"Action": None, "NotAction": "sagemaker:*"}, Outcome.IMPLICIT_DENY, id="but not this"
        ),
        pytest.param(
            {"Resource": None, "NotResource": "arn:aws:s3:::*"},
            Outcome.ALLOWED,
            id="Allow with NotResource allows every other resource",
        ),
        pytest.param(
            {"Effect": "Deny", "Resource": None, "NotResource": ENDPOINT},
            Outcome.IMPLICIT_DENY,
            id="Deny with NotResource spares what it lists, and allows nothing",
        ),
        pytest.param(
            {"Effect": "Deny", "Action": None, "NotAction": ACTION, "Resource": "*"},
            Outcome.IMPLICIT_DENY,
            id="Deny with NotAction too",
        ),
        pytest.param(
            {"Effect": "Deny", "Action": None, "NotAction": "s3:*"},
            Outcome.EXPLICIT_DENY,
            id="Deny with NotAction denies everything else",
        ),
    ],
)
def test_complements(changes: dict[str, Any], outcome: Outcome) -> None:
    assert decision(statement(**changes)).outcome is outcome


def test_deny_all_but_one_endpoint() -> None:
    fence = [statement(), deny(Resource=None, NotResource=ENDPOINT)]
    assert decision(*fence).outcome is Outcome.ALLOWED
    elsewhere = request(resource=ENDPOINT + "-2")
    assert decision(*fence, to=elsewhere).outcome is Outcome.EXPLICIT_DENY


def test_action_and_resource_are_not_paired() -> None:
    written = statement(
        Action=["sagemaker:InvokeEndpoint", "s3:GetObject"], Resource=[ENDPOINT, "arn:aws:s3:::b/*"]
    )
    for action in ("sagemaker:InvokeEndpoint", "s3:GetObject"):
        for resource in (ENDPOINT, "arn:aws:s3:::b/k"):
            assert applies(written, request(action=action, resource=resource))
