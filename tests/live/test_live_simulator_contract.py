"""The parameters of each call against botocore's own model, and what replies of its shape mean."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.stub import Stubber
from iam_cases import POLICY, objects, simulation

from conftest import SECRET_KEY, SESSION_TOKEN
from tenantproof.aws import Aws, Connection, Deadline, Failure, connect
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation
from tenantproof.live.simulator import Simulator

pytestmark = pytest.mark.usefixtures("aws_environment")

ROLE = "arn:aws:iam::111122223333:role/acme"
ONE = "arn:aws:s3:::models/0"
TEMPLATE = "arn:${Partition}:s3:::${BucketName}/${ObjectName}"


@pytest.fixture
def aws() -> Aws:
    return connect(Connection(region="us-east-1"), Deadline.after(30))


def asked(aws: Aws, *replies: dict[str, Any], count: int = 1) -> list[Answer | NoAnswer]:
    """The outcomes for so many objects; the parameters are those of the contract."""
    expected: dict[str, Any] = {
        "PolicyInputList": [POLICY],
        "ActionNames": ["s3:GetObject"],
        "ResourceArns": [each.resource for each in objects(count)],
        "MaxItems": 1000,
    }
    with Stubber(aws.client("iam")) as stub:
        for reply in replies:
            stub.add_response("simulate_custom_policy", reply, dict(expected))
            expected["Marker"] = reply.get("Marker")
        told = Simulator(aws, max_calls=9, deadline=Deadline.after(30)).ask(objects(count))
        stub.assert_no_pending_responses()
    return told


def result(decision: str, name: str = ONE, **more: Any) -> dict[str, Any]:
    return {
        "EvalActionName": "s3:GetObject",
        "EvalResourceName": name,
        "EvalDecision": decision,
        **more,
    }


def of(name: str, decision: str, **more: Any) -> dict[str, Any]:
    return {"EvalResourceName": name, "EvalResourceDecision": decision, **more}


def reply(*results: dict[str, Any], marker: str | None = None) -> dict[str, Any]:
    rest = {"IsTruncated": True, "Marker": marker} if marker else {"IsTruncated": False}
    return {"EvaluationResults": list(results), **rest}


def test_the_pages_of_a_reply(aws: Aws) -> None:
    objects_ = [each.resource for each in objects(3)]
    told = asked(
        aws,
        reply(
            result(
                "explicitDeny", TEMPLATE, ResourceSpecificResults=[of(objects_[0], "explicitDeny")]
            ),
            marker="one",
        ),
        reply(
            result(
                "implicitDeny",
                TEMPLATE,
                ResourceSpecificResults=[
                    of(objects_[1], "allowed"),
                    of(objects_[2], "implicitDeny"),
                ],
            )
        ),
        count=3,
    )
    assert [each.decision for each in told if isinstance(each, Answer)] == [
        "explicitDeny",
        "allowed",
        "implicitDeny",
    ]


def test_the_decision_of_the_resource_counts_and_not_that_of_all(aws: Aws) -> None:
    (told,) = asked(
        aws, reply(result("explicitDeny", ResourceSpecificResults=[of(ONE, "allowed")]))
    )
    assert told == Answer("allowed")


@pytest.mark.parametrize("name", [TEMPLATE, "*", ONE, None])
def test_the_decision_of_all_counts_where_there_is_one_resource(aws: Aws, name: str | None) -> None:
    told = result("implicitDeny", name or "")
    if name is None:
        del told["EvalResourceName"]
    assert asked(aws, reply(told)) == [Answer("implicitDeny")]


@pytest.mark.parametrize(
    "name", ["arn:${Partition}:s3:::other/${Name}", "arn:aws:s3:::models/00", ONE.upper()]
)
def test_the_decision_of_another_resource_is_none(aws: Aws, name: str) -> None:
    (told,) = asked(aws, reply(result("allowed", name)))
    assert isinstance(told, NoAnswer)
    assert told.failure is Failure.BAD_REPLY


def test_results_of_resources_that_name_others_are_none(aws: Aws) -> None:
    others = [of("arn:aws:s3:::models/9", "allowed")]
    (told,) = asked(aws, reply(result("allowed", ResourceSpecificResults=others)))
    assert isinstance(told, NoAnswer)


@pytest.mark.parametrize("name", [TEMPLATE, "*"])
def test_after_a_deny_of_two_resources_each_is_asked_alone(aws: Aws, name: str) -> None:
    with Stubber(aws.client("iam")) as stub:
        for decision in ("implicitDeny", "allowed", "implicitDeny"):
            stub.add_response("simulate_custom_policy", reply(result(decision, name)))
        told = Simulator(aws, max_calls=9, deadline=Deadline.after(30)).ask(objects(2))
        stub.assert_no_pending_responses()
    assert told == [Answer("allowed"), Answer("implicitDeny")]


def test_an_allow_of_two_resources_is_one_of_each(aws: Aws) -> None:
    assert asked(aws, reply(result("allowed", TEMPLATE)), count=2) == [Answer("allowed")] * 2


def test_keys_that_are_missing_are_those_of_both_places(aws: Aws) -> None:
    specific = of(
        ONE,
        "allowed",
        MissingContextValues=["aws:b", "aws:a"],
        MatchedStatements=[
            {"SourcePolicyId": "PolicyInputList.1", "StartPosition": {"Line": 1, "Column": 41}},
            {"SourcePolicyId": "PolicyInputList.2"},
        ],
        PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": True},
    )
    organization = {"AllowedByOrganizations": True}
    (told,) = asked(
        aws,
        reply(
            result(
                "allowed",
                TEMPLATE,
                MissingContextValues=["aws:a", "aws:c"],
                OrganizationsDecisionDetail=organization,
                ResourceSpecificResults=[specific],
            )
        ),
    )
    assert told == Answer(
        "allowed",
        ("aws:b", "aws:a", "aws:c"),
        (("PolicyInputList.1", 1, 41), ("PolicyInputList.2", None, None)),
        {
            "OrganizationsDecisionDetail": organization,
            "PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": True},
        },
    )


def test_what_an_answer_names_holds_no_secret_and_obeys_no_terminal(aws: Aws) -> None:
    names = [f"aws:{SESSION_TOKEN}", "aws:\x1b[2J"]
    (told,) = asked(
        aws,
        reply(
            result(
                "allowed",
                MissingContextValues=names,
                MatchedStatements=[{"SourcePolicyId": SECRET_KEY}],
                EvalDecisionDetails={"a\nb": "allowed"},
            )
        ),
    )
    assert told == Answer(
        "allowed",
        ("aws:***", r"aws:\x1b[2J"),
        (("***", None, None),),
        {"EvalDecisionDetails": {"a": "allowed"}},
    )


def test_the_parameters_of_a_principal(aws: Aws) -> None:
    parameters = {
        "PolicySourceArn": ROLE,
        "ContextEntries": [
            {
                "ContextKeyName": "sagemaker:TargetModel",
                "ContextKeyValues": ["acme/a.tar.gz"],
                "ContextKeyType": "string",
            }
        ],
    }
    question = Simulation(Operation.PRINCIPAL, "s3:GetObject", ONE, parameters)
    with Stubber(aws.client("iam")) as stub:
        stub.add_response(
            "simulate_principal_policy",
            reply(result("allowed")),
            {
                **parameters,
                "ActionNames": ["s3:GetObject"],
                "ResourceArns": [ONE],
                "MaxItems": 1000,
            },
        )
        told = Simulator(aws, max_calls=1, deadline=Deadline.after(30)).ask([question])
    assert told == [Answer("allowed")]


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("InvalidInput", Failure.INVALID),
        ("PolicyEvaluation", Failure.INVALID),
        ("NoSuchEntity", Failure.NOT_FOUND),
    ],
)
def test_the_errors_of_the_operations(aws: Aws, code: str, failure: Failure) -> None:
    with Stubber(aws.client("iam")) as stub:
        stub.add_client_error("simulate_custom_policy", code, "why", 400)
        (told,) = Simulator(aws, max_calls=1, deadline=Deadline.after(30)).ask([simulation(ONE)])
    assert told == NoAnswer(failure, f"SimulateCustomPolicy: {code}: why")


NOT_BY_ORGANIZATIONS = {"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}
NOT_BY_BOUNDARY = {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}


@pytest.mark.parametrize("limit", [NOT_BY_ORGANIZATIONS, NOT_BY_BOUNDARY])
@pytest.mark.parametrize("specific", [[], [of(ONE, "allowed")]])
def test_allowed_by_what_does_not_allow_it_is_no_answer(
    limit: dict[str, Any], specific: list[dict[str, Any]], aws: Aws
) -> None:
    told = asked(aws, reply(result("allowed", ResourceSpecificResults=specific, **limit)))
    assert isinstance(told[0], NoAnswer)
    assert told[0].failure is Failure.BAD_REPLY
    assert "contradicts itself: allowed, and AllowedBy" in told[0].message


@pytest.mark.parametrize("limit", [NOT_BY_ORGANIZATIONS, NOT_BY_BOUNDARY])
def test_denied_by_what_does_not_allow_it_is_denied(limit: dict[str, Any], aws: Aws) -> None:
    (told,) = asked(aws, reply(result("implicitDeny", **limit)))
    assert isinstance(told, Answer)
    assert told.decision == "implicitDeny"


def test_what_limits_one_resource_of_several_is_not_said_of_each(aws: Aws) -> None:
    both = [of(ONE, "allowed"), of("arn:aws:s3:::models/1", "implicitDeny")]
    one = result("implicitDeny", ResourceSpecificResults=both, **NOT_BY_ORGANIZATIONS)
    told = asked(aws, reply(one), count=2)
    assert [each.decision for each in told if isinstance(each, Answer)] == [
        "allowed",
        "implicitDeny",
    ]
