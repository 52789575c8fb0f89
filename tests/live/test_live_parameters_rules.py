"""What goes into which parameter, and what cannot be asked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from botocore.session import get_session
from live_probes import (
    ACTION,
    ENDPOINT,
    ROLE,
    SESSION,
    USER,
    allow,
    check_parameters,
    parameters_of,
    policy,
    probe,
)

from tenantproof.errors import Place
from tenantproof.isolation import Probe
from tenantproof.live.parameters import ALLOWS_EVERYTHING, ALLOWS_NOTHING, simulations
from tenantproof.live.simulation import NotSimulatable, Operation, Simulation
from tenantproof.live.simulator import Simulator
from tenantproof.policy import Access, PolicySet
from tenantproof.policy.unknown import unknown_policy
from tenantproof.request import PrincipalKind

ALL = policy(allow())
SOME = policy(allow(Action=ACTION))
OTHER = policy(allow(Action="s3:*"))
BUCKET = "arn:aws:s3:::models/acme/v1"
IDENTITY, BOUNDARY = "PolicyInputList", "PermissionsBoundaryPolicyInputList"
ORGANIZATION, RESOURCE = "OrderedOrganizationPolicyInputList", "ResourcePolicy"


def asked(of: Probe, **how: bool) -> tuple[Simulation, ...]:
    found = simulations(of, **how)
    assert isinstance(found, tuple), found
    for simulation in found:
        check_parameters(simulation)
    return found


def the(of: Probe, **how: bool) -> dict[str, Any]:
    (simulation,) = asked(of, **how)
    return parameters_of(simulation)


def reason(of: Probe, **how: bool) -> str:
    found = simulations(of, **how)
    assert isinstance(found, NotSimulatable), found
    return found.reason


def texts(*documents: Any) -> list[list[dict[str, Any]]]:
    return [json.loads(text)["Statement"] for text in documents]


def for_everyone(*statements: dict[str, Any]) -> Any:
    return policy(*({**each, "Principal": "*"} for each in statements))


def entries(of: Probe) -> dict[str, tuple[list[str], str]]:
    return {
        each["ContextKeyName"]: (each["ContextKeyValues"], each["ContextKeyType"])
        for each in the(of)["ContextEntries"]
    }


# -- policies ------------------------------------------------------------------------------------


def test_each_layer_has_a_parameter() -> None:
    levels = ((ALL,), (SOME, OTHER))
    sent = the(probe(PolicySet((SOME, OTHER), ALL, levels), ROLE))
    assert texts(*sent[IDENTITY]) == [[allow(Action=ACTION)], [allow(Action="s3:*")]]
    assert texts(*sent[BOUNDARY]) == [[allow()]]
    assert [len(each["ServiceControlPolicyInputList"]) for each in sent[ORGANIZATION]] == [1, 2]
    assert sent["CallerArn"] == ROLE
    assert (sent["ActionNames"], sent["ResourceArns"]) == ([ACTION], [ENDPOINT])
    assert not {RESOURCE, "ResourceOwner"} & set(sent)


def test_no_layers_no_parameters() -> None:
    sent = the(probe(PolicySet((ALL,))))
    assert not {BOUNDARY, ORGANIZATION, RESOURCE, "ResourceOwner"} & set(sent)


def test_a_layer_without_policies_allows_nothing() -> None:
    sent = the(probe(PolicySet((), None, ((ALL,), ()))))
    assert sent[IDENTITY] == [ALLOWS_NOTHING]
    (_, empty) = sent[ORGANIZATION]
    assert empty["ServiceControlPolicyInputList"] == [ALLOWS_NOTHING]


def test_a_service_linked_role_is_not_limited_by_its_organization() -> None:
    role = "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
    assert ORGANIZATION not in the(probe(PolicySet((ALL,), None, ((OTHER,),)), role))


def test_a_session_policy_takes_the_boundarys_place() -> None:
    sent = the(probe(PolicySet((ALL,), session_policies=(SOME,)), SESSION))
    assert texts(*sent[BOUNDARY]) == [[allow(Action=ACTION)]]


def test_several_session_policies_are_one() -> None:
    one = policy(allow(Sid="A", Action=ACTION))
    two = policy(allow(Sid="A", Action="s3:*"), allow(Sid="not plain"))
    sent = the(probe(PolicySet((ALL,), session_policies=(one, two)), SESSION))
    ((first, second, third),) = texts(*sent[BOUNDARY])
    assert first == allow(Sid="A", Action=ACTION)
    assert (second, third) == (allow(Action="s3:*"), allow())


def test_session_policies_of_two_versions_are_not() -> None:
    old = policy(allow(), Version="2008-10-17")
    assert "two versions" in reason(probe(PolicySet((ALL,), session_policies=(ALL, old)), SESSION))


def test_boundary_and_session_policy_are_two_questions() -> None:
    both = PolicySet((ALL,), SOME, session_policies=(OTHER,))
    limits = [texts(*parameters_of(each)[BOUNDARY]) for each in asked(probe(both, SESSION))]
    assert limits == [[[allow(Action=ACTION)]], [[allow(Action="s3:*")]]]


def test_statements_have_names_by_policy_and_line() -> None:
    document = policy(allow(Sid="A"), allow(Action=ACTION))
    (simulation,) = asked(probe(PolicySet((ALL, document), document)))
    names = simulation.statements
    assert names["PolicyInputList.1", 2] == "policy.json: Statement[0]"
    assert names["PolicyInputList.2", 2] == 'policy.json: Statement[0] "A"'
    assert names["PermissionsBoundaryPolicyInputList.1", 3] == "policy.json: Statement[1]"


def test_a_policy_that_is_too_long() -> None:
    long = policy(allow(Resource=[f"arn:aws:s3:::{n}{'x' * 200}" for n in range(700)]))
    assert "the API takes 1 to 131072" in reason(probe(PolicySet((long,))))


def test_eight_levels() -> None:
    assert "8 levels" in reason(probe(PolicySet((ALL,), None, ((ALL,),) * 8)))


def test_a_botocore_without_organizations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Simulator, "knows", lambda _: False)
    assert "upgrade boto3" in reason(probe(PolicySet((ALL,), None, ((ALL,),))))
    assert asked(probe(PolicySet((ALL,))))


def test_what_is_not_known_is_not_asked() -> None:
    unknown = unknown_policy("it is not in the export", "export.json", Place("export.json", "$"))
    assert "it is not in the export" in reason(probe(PolicySet((ALL, unknown))))


# -- the resource's side -------------------------------------------------------------------------


def test_a_users_request_is_sent_with_the_resources_policy() -> None:
    access = Access(PolicySet(()), for_everyone(allow()))
    sent = the(probe(access))
    assert texts(sent[RESOURCE]) == [[{**allow(), "Principal": {"AWS": ["*"]}}]]
    assert sent["CallerArn"] == USER
    assert "ResourceOwner" not in sent
    (simulation,) = asked(probe(access))
    assert simulation.statements["ResourcePolicy", 2] == "policy.json: Statement[0]"


@pytest.mark.parametrize(
    ("resource", "context", "owner"),
    [
        (BUCKET, {}, None),
        (BUCKET, {"aws:ResourceAccount": "444455556666"}, "arn:aws:iam::444455556666:root"),
        (ENDPOINT.replace("1111", "9999"), {}, "arn:aws:iam::999922223333:root"),
        (ENDPOINT, {"aws:ResourceAccount": "111122223333"}, None),
    ],
)
def test_the_resources_owner(resource: str, context: dict[str, str], owner: str | None) -> None:
    access = Access(PolicySet((ALL,)), for_everyone(allow()))
    sent = the(probe(access, resource=resource, context=context))
    assert sent.get("ResourceOwner") == owner


def test_two_accounts_of_one_resource() -> None:
    of = probe(PolicySet((ALL,)), context={"aws:ResourceAccount": "444455556666"})
    assert "the resource is of 111122223333" in reason(of)


@pytest.mark.parametrize("arn", [ROLE, SESSION, "arn:aws:sts::111122223333:federated-user/f"])
def test_the_resources_policy_is_for_users_alone(arn: str) -> None:
    assert "for IAM users alone" in reason(
        probe(Access(PolicySet((ALL,)), for_everyone(allow())), arn)
    )


def test_a_trust_policy() -> None:
    trust = for_everyone(allow(Action="sts:AssumeRole", Resource=None))
    of = probe(Access(PolicySet((ALL,)), trust), action="sts:AssumeRole", resource=ROLE)
    assert "trust policies" in reason(of)


def test_a_deny_of_the_caller_is_one_where_the_resource_can_but_deny() -> None:
    no_http = for_everyone(
        allow(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})
    )
    denied = Access(PolicySet((OTHER,)), no_http)
    assert RESOURCE not in the(probe(denied, ROLE))
    assert "IAM users alone" in reason(probe(Access(PolicySet((ALL,)), no_http), ROLE))
    granting = Access(PolicySet((OTHER,)), for_everyone(allow(Action="s3:*")))
    assert "IAM users alone" in reason(probe(granting, ROLE))


def test_two_accounts() -> None:
    resource = ENDPOINT.replace("1111", "9999")
    assert "two accounts" in reason(probe(PolicySet((ALL,)), resource=resource))
    assert the(probe(PolicySet((OTHER,)), resource=resource))
    granting = Access(PolicySet((OTHER,)), for_everyone(allow()))
    assert RESOURCE not in the(probe(granting, ROLE, resource=resource))
    assert RESOURCE in the(probe(granting, USER, resource=resource))


@pytest.mark.parametrize(
    ("levels", "caller", "action", "is_asked"),
    [
        (((for_everyone(allow()),),), ALL, "s3:GetObject", True),
        (((for_everyone(allow(Action="s3:*")),),), ALL, "s3:GetObject", False),
        (((for_everyone(allow(Action="s3:*")),),), SOME, "s3:GetObject", True),
        (((for_everyone(allow(Action="sagemaker:*")),),), ALL, ACTION, True),
        (((for_everyone(allow(Action="s3:*")),),), ALL, ACTION, False),
        (((for_everyone(allow()),), ()), ALL, "s3:GetObject", False),
        (((for_everyone(allow(Condition={"Null": {"aws:k": "true"}})),),), ALL, "s3:Put", False),
    ],
)
def test_resource_control_policies(levels: Any, caller: Any, action: str, is_asked: bool) -> None:
    access = Access(PolicySet((caller,)), None, levels)
    found = simulations(probe(access, ROLE, action=action, resource=BUCKET))
    assert isinstance(found, tuple) == is_asked
    if not is_asked:
        assert found == NotSimulatable("the simulator does not support resource control policies")


# -- who and what --------------------------------------------------------------------------------


def test_a_session_calls_as_its_role() -> None:
    assert the(probe(PolicySet((ALL,)), SESSION))["CallerArn"] == ROLE
    path = "arn:aws:iam::111122223333:role/path/app"
    of = probe(PolicySet((ALL,)), SESSION, context={"aws:PrincipalArn": path})
    assert the(of)["CallerArn"] == path


@pytest.mark.parametrize("name", ["root", "federated-user/f"])
def test_who_cannot_be_a_caller(name: str) -> None:
    of = probe(PolicySet((ALL,)), f"arn:aws:sts::111122223333:{name}")
    assert "CallerArn" not in the(of)
    assert "CallerArn" not in the(of, principals=True)


@pytest.mark.parametrize("kind", [k for k in PrincipalKind if k is not PrincipalKind.AWS])
def test_who_cannot_be_asked_about(kind: PrincipalKind) -> None:
    assert kind.value in reason(probe(PolicySet((ALL,)), "ec2.amazonaws.com", kind=kind))


@pytest.mark.parametrize(
    ("arn", "context"),
    [
        (USER, {"aws:PrincipalArn": ROLE}),
        (SESSION, {"aws:PrincipalArn": USER}),
        (SESSION, {"aws:PrincipalArn": "arn:aws:iam::999922223333:role/app"}),
        (USER, {"aws:PrincipalAccount": "999922223333"}),
        ("ann", {}),
    ],
)
def test_a_caller_that_is_not_itself(arn: str, context: dict[str, str]) -> None:
    assert "caller" in reason(probe(PolicySet((ALL,)), arn, context=context))


@pytest.mark.parametrize("action", ["a:", "s3:Get*", "s3", "s3:" + "x" * 126])
def test_actions_that_the_api_does_not_take(action: str) -> None:
    assert "3 to 128" in reason(probe(PolicySet((ALL,)), action=action))


@pytest.mark.parametrize(
    "resource", ["", "models", "arn:aws:s3:::" + "x" * 2040, "arn:aws:s3:::a\x01b"]
)
def test_resources_that_the_api_does_not_take(resource: str) -> None:
    assert "resource" in reason(probe(PolicySet((ALL,)), resource=resource))


# -- the context ---------------------------------------------------------------------------------


def test_every_key_is_sent_sorted_by_name() -> None:
    of = probe(
        PolicySet((policy(allow(Condition={"StringLike": {"AWS:principalTAG/Team": "*"}})),)),
        SESSION,
        tags={"team": "a", "Other": "b"},
        context={"Sagemaker:TargetModel": "acme/v1"},
    )
    assert list(entries(of).items()) == [
        ("AWS:principalTAG/Team", (["a"], "string")),
        ("Sagemaker:TargetModel", (["acme/v1"], "string")),
        ("aws:PrincipalAccount", (["111122223333"], "string")),
        ("aws:PrincipalArn", ([ROLE], "string")),
        ("aws:PrincipalTag/Other", (["b"], "string")),
        ("aws:PrincipalType", (["AssumedRole"], "string")),
    ]


def test_a_users_keys() -> None:
    found = entries(probe(PolicySet((ALL,))))
    assert {"aws:username", "aws:PrincipalArn", "aws:PrincipalType"} <= set(found)


@pytest.mark.parametrize(
    ("operators", "value", "type_"),
    [
        ({}, "x", "string"),
        ({"NumericLessThan": "3"}, "10", "numeric"),
        ({"NumericLessThan": "3"}, "ten", "string"),
        ({"Bool": "true"}, "true", "boolean"),
        ({"NotIpAddress": "10.0.0.0/8"}, "10.0.0.1", "ip"),
        ({"NotIpAddress": "10.0.0.0/8"}, "10.0.0.0/8", "string"),
        ({"DateLessThanIfExists": "2026"}, "2026-01-31", "date"),
        ({"BinaryEquals": "QUJD"}, "QUJD", "binary"),
        ({"StringLike": "3"}, "10", "string"),
        ({"ArnLike": "arn:*"}, "10", "string"),
        ({"Null": "false"}, "10", "string"),
        ({"NumericLessThan": "3", "NumericEquals": "4"}, "10", "numeric"),
        ({"NumericLessThan": "3", "StringLike": "3"}, "10", "string"),
        ({"ForAllValues:NumericLessThan": "3"}, ("1", "2"), "numericList"),
        ({"ForAllValues:NumericLessThan": "3"}, ("1", "x"), "stringList"),
        ({"ForAnyValue:StringEquals": "3"}, ("1",), "stringList"),
    ],
)
def test_a_keys_type_is_what_operators_compare(
    operators: dict[str, str], value: Any, type_: str
) -> None:
    conditions = {operator: {"example:key": wanted} for operator, wanted in operators.items()}
    document = policy(allow(Condition=conditions or None))
    found = entries(probe(PolicySet((document,)), context={"example:Key": value}))
    name = "example:key" if operators else "example:Key"
    assert found[name] == ([value] if isinstance(value, str) else list(value), type_)


@pytest.mark.parametrize(
    ("key", "value", "type_"),
    [
        ("aws:SourceIp", "2001:db8::1", "ip"),
        ("aws:SourceIp", "elsewhere", "string"),
        ("aws:CurrentTime", "2026-01-31T12:00:00Z", "date"),
        ("aws:SecureTransport", "true", "boolean"),
        ("aws:MultiFactorAuthAge", "10", "numeric"),
        ("aws:TagKeys", "team", "stringList"),
    ],
)
def test_a_known_keys_type(key: str, value: str, type_: str) -> None:
    document = policy(allow(Condition={"StringLike": {key: "*"}}))
    assert entries(probe(PolicySet((document,)), context={key: value}))[key] == ([value], type_)


def test_an_empty_set_cannot_be_said() -> None:
    context = {"aws:TagKeys": ()}
    assert "aws:TagKeys" not in entries(probe(PolicySet((ALL,)), context=context))
    document = policy(allow(Condition={"ForAllValues:StringEquals": {"aws:tagkeys": "a"}}))
    assert "aws:tagkeys is an empty set" in reason(probe(PolicySet((document,)), context=context))


def test_the_length_of_a_keys_name() -> None:
    long = "aws:PrincipalTag/" + "x" * 240
    assert long not in entries(probe(PolicySet((ALL,)), tags={"x" * 240: "a"}))
    document = policy(allow(Condition={"StringEquals": {long: "a"}}))
    assert "257 characters" in reason(probe(PolicySet((document,)), tags={"x" * 240: "a"}))


def test_what_the_request_lacks() -> None:
    document = policy(
        allow(Condition={"StringEquals": {"aws:SourceVpc": "v", "aws:PrincipalTag/A": "a"}}),
        allow(Resource="arn:aws:s3:::models/${aws:PrincipalTag/Tenant}/*"),
    )
    (simulation,) = asked(probe(PolicySet((document,)), tags={"a": "b"}))
    assert simulation.lacks == {"aws:sourcevpc", "aws:principaltag/tenant"}


# -- principals as they are ----------------------------------------------------------------------


def test_a_principal_as_it_is() -> None:
    stack = PolicySet((SOME,), ALL, ((ALL,),))
    for arn, source in ((SESSION, ROLE), (USER, USER)):
        (simulation,) = asked(probe(stack, arn), principals=True)
        assert simulation.operation is Operation.PRINCIPAL
        sent = parameters_of(simulation)
        assert sent["PolicySourceArn"] == sent["CallerArn"] == source
        assert not {IDENTITY, BOUNDARY, ORGANIZATION} & set(sent)


def test_policies_that_are_not_deployed() -> None:
    (simulation,) = asked(probe(PolicySet((SOME,)), is_deployed=False), principals=True)
    assert simulation.operation is Operation.CUSTOM


def test_a_principals_session_policy_is_asked_about_by_itself() -> None:
    first, second = asked(
        probe(PolicySet((ALL,), ALL, session_policies=(SOME,)), SESSION), principals=True
    )
    assert first.operation is Operation.PRINCIPAL
    assert BOUNDARY not in first.parameters
    assert second.operation is Operation.CUSTOM
    assert second.parameters[IDENTITY] == [ALLOWS_EVERYTHING]
    assert texts(*second.parameters[BOUNDARY]) == [[allow(Action=ACTION)]]


def test_a_principals_resource_policy_is_sent() -> None:
    access = Access(PolicySet((ALL,), session_policies=(SOME,)), for_everyone(allow()))
    assert all(RESOURCE in each.parameters for each in asked(probe(access), principals=True))


def test_the_stubber_takes_the_parameters() -> None:
    """The contract with boto3's client: the parameters are those of the two operations."""
    from botocore.stub import Stubber  # noqa: PLC0415

    session = get_session()
    session.set_credentials("testing", "testing")
    client = session.create_client("iam", region_name="us-east-1")
    of = probe(PolicySet((ALL,), SOME, ((ALL,),), session_policies=(SOME,)), SESSION)
    reply = {"EvaluationResults": [{"EvalActionName": ACTION, "EvalDecision": "allowed"}]}
    with Stubber(client) as stubber:
        for simulation in (*asked(of), *asked(of, principals=True)):
            name = {Operation.CUSTOM: "custom", Operation.PRINCIPAL: "principal"}
            method = f"simulate_{name[simulation.operation]}_policy"
            stubber.add_response(method, reply, parameters_of(simulation))
            assert getattr(client, method)(**parameters_of(simulation))["EvaluationResults"]


def test_the_same_request_gives_the_same_questions() -> None:
    of = probe(PolicySet((ALL,), SOME), SESSION, tags={"b": "1", "a": "2"})
    again = replace(of, request=replace(of.request))
    assert asked(of) == asked(again)
