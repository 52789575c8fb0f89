"""TargetModels, principals and requests: valid, near what they are aimed at, small when shrunk."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tenantproof.evaluate import decide
from tenantproof.isolation.inquiry import Inquiry
from tenantproof.isolation.manifest import Endpoint, Member
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
    target_model_actions,
    target_model_domain,
)
from tenantproof.policy import PolicySet, parse_policy
from tenantproof.prove import ACTION, Budget
from tenantproof.reading import Reading
from tenantproof.request import Principal, Request, values_of
from tenantproof_strategies import (
    invocations,
    path_class,
    policy,
    policy_sets,
    principals,
    requests,
    target_models,
)

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
ROLE = Principal("arn:aws:iam::111122223333:role/acme", {"tenant": "acme"})
few = settings(
    max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
search = settings(
    max_examples=2000, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink]
)


def allowing(*models: str, **changes: Any) -> PolicySet:
    statement = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": ENDPOINT,
        "Condition": {"StringLike": {TARGET_MODEL: list(models)}},
        **changes,
    }
    return PolicySet((policy({"Version": "2012-10-17", "Statement": [statement]}),))


# -- TargetModels ----------------------------------------------------------------------------------


@few
@given(st.data(), policy_sets(), principals())
def test_target_models_near_policies_are_what_the_api_accepts(
    data: st.DataObject, drawn: PolicySet, principal: Principal
) -> None:
    model = data.draw(target_models(near=drawn, principal=principal))
    event(path_class(model))
    assert model in target_model_domain()


CLASSES = {
    "absent": None,
    "percent-encoded": "acme%2Fmodel",
    "dots": "acme/../globex",
    "empty segment": "acme//model",
    "trailing slash": "acme/",
    "wildcard or variable": "acme/*",
    "white space": "acme/a b",
    "long": "x" * 257,
    "deep path": "a/b/c/d/e",
    "one segment": "acme",
    "plain": "acme/model.tar.gz",
}


@pytest.mark.parametrize("name", CLASSES)
def test_paths_have_a_class(name: str) -> None:
    assert path_class(CLASSES[name]) == name


@pytest.mark.parametrize("near", [(), ["acme/*"]], ids=["free", "near"])
@pytest.mark.parametrize("name", [name for name in CLASSES if name != "absent"])
def test_every_class_of_paths_is_drawn(name: str, near: Any) -> None:
    find(target_models(near), lambda model: path_class(model) == name, settings=search)


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        (["acme*"], "acme-x/model.tar.gz"),
        (["acme/*"], "acme/model.tar.gz"),
        (["acme/*"], "acme//model.tar.gz"),
        (["acme/*"], "acme"),
        (["acme/*"], "ACME/MODEL.TAR.GZ"),
        (["acme-?"], "acme-x"),
        (["acme-?"], "acme-"),
        (["${*}/x"], "*/x"),
        (["${aws:PrincipalTag/tenant}/*"], "acme/model.tar.gz"),
        (["${aws:PrincipalTag/team, 'blue'}/*"], "blue/model.tar.gz"),
        (["a${b/*"], "a${b/model.tar.gz"),
        (allowing("globex/*"), "globex/model.tar.gz"),
        ([allowing("globex/*"), "acme/*"], "acme/model.tar.gz"),
        (["*"], "x" * 1024),
    ],
)
def test_texts_at_the_boundary_are_found(near: Any, expected: str) -> None:
    find(target_models(near), lambda model: model == expected, settings=search)


def test_variables_have_the_principals_values() -> None:
    near = ["${aws:PrincipalTag/tenant}/*"]
    principal = Principal(ROLE.arn, {"tenant": "globex"})
    assert find(target_models(near, principal), lambda _: True) == "globex/model.tar.gz"


def test_variables_are_text_in_old_documents() -> None:
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    old = {**statement, "Condition": {"StringLike": {TARGET_MODEL: "${x}/*"}}}
    near = parse_policy(json.dumps({"Statement": old}))
    assert find(target_models(near), lambda _: True) == "${x}/model.tar.gz"


# -- principals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "is_so",
    [
        lambda p: ":user/" in p.arn,
        lambda p: ":role/" in p.arn,
        lambda p: ":assumed-role/" in p.arn,
        lambda p: p.tags.get("tenant") == "globex",
        lambda p: p.tags.get("tenant") == "globe",
        lambda p: p.tags.get("tenant") == "GLOBEX",
        lambda p: p.tags.get("tenant") == "*",
        lambda p: not p.tags,
        lambda p: "blue" in p.tags.values(),
    ],
)
def test_principals_are_near_the_policies(is_so: Callable[[Principal], bool]) -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/tenant": "globex"}}
    near = allowing("*", Condition=condition, Resource=ENDPOINT + "${aws:PrincipalTag/t, 'blue'}")
    find(principals(near=near), is_so, settings=search)


@few
@given(
    principals(
        arns=[ROLE.arn, "arn:aws:iam::111122223333:user/acme"], tags={"tenant": ["acme", "globex"]}
    )
)
def test_principals_are_chosen_from_what_is_given(principal: Principal) -> None:
    assert principal.arn in (ROLE.arn, "arn:aws:iam::111122223333:user/acme")
    assert principal.tags in ({}, {"tenant": "acme"}, {"tenant": "globex"})


@few
@given(principals(accounts=["123456789012"], tags=["team"], near=["globex"]))
def test_accounts_and_tags_are_those_given(principal: Principal) -> None:
    assert principal.keys["aws:principalaccount"] == "123456789012"
    assert set(principal.tags) <= {"team"}


# -- requests --------------------------------------------------------------------------------------


@few
@given(st.data(), policy_sets())
def test_requests_leave_alone_what_the_principal_decides(
    data: st.DataObject, drawn: PolicySet
) -> None:
    request = data.draw(requests(drawn))
    assert isinstance(request.principal, Principal)
    names = {key.lower() for key in request.context}
    assert not names & set(request.principal.keys)
    assert len(names) == len(request.context)


def test_requests_meet_the_conditions() -> None:
    """A statement with several conditions is met, where random values would not meet them."""
    condition = {
        "StringLike": {TARGET_MODEL: "${aws:PrincipalTag/tenant}/models/v?/*"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "300"},
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
        "Bool": {"aws:SecureTransport": "true"},
        "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"},
        "ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]},
        "Null": {"aws:SourceVpce": "false"},
    }
    policies = allowing(Condition=condition)
    for strategy in (
        requests(policies),
        requests(policies, ROLE),
        invocations(policies, ROLE, ENDPOINT),
    ):
        find(
            strategy,
            lambda request: decide(policies, request).allowed,
            settings=settings(search, max_examples=20),
        )


# -- invocations -----------------------------------------------------------------------------------


@few
@given(st.data(), policy_sets(), principals())
def test_invocations_are_in_the_space_that_is_proved_about(
    data: st.DataObject, drawn: PolicySet, principal: Principal
) -> None:
    request = data.draw(invocations(drawn, principal, ENDPOINT, near=["globex/*"]))
    event(path_class(target_of(request)))
    member = Member(principal, drawn)
    endpoint = Endpoint(ENDPOINT)
    inquiry = Inquiry(member, endpoint, invoke_actions(), Reading(), Budget())
    space = inquiry.compiled.space
    assert request.resource == ENDPOINT
    assert request.action in space.choices(ACTION).values
    if TARGET_MODEL in request.context:
        assert request.action in target_model_actions()
    for name, value in request.context.items():
        key = name.lower()
        if key in space.fixed:
            assert value == space.fixed[key]
            continue
        assert space.known(key) is True
        assert all(text in space.choices(key) for text in values_of(value))
        is_set = space.is_multivalued(key, qualified=key in inquiry.compiled.multivalued)
        assert isinstance(value, str) or is_set
    names = {name.lower() for name in request.context}
    assert {key.lower() for key in inquiry.given_keys} <= names


def target_of(request: Request) -> str | None:
    value = request.keys.get(TARGET_MODEL.lower())
    return value if isinstance(value, str) else None


def test_invocations_go_to_other_tenants() -> None:
    policies = allowing("*")
    found = find(
        invocations(policies, ROLE, ENDPOINT, near=["globex/*"]),
        lambda request: (target_of(request) or "").startswith("globex/"),
        settings=search,
    )
    assert found.context == {TARGET_MODEL: "globex/model.tar.gz"}


def test_invocations_name_no_model_where_that_is_allowed() -> None:
    condition = {"StringLikeIfExists": {TARGET_MODEL: ["acme/*"]}}
    policies = allowing(Action="sagemaker:Invoke*", Condition=condition)
    found = find(
        invocations(policies, ROLE, ENDPOINT),
        lambda request: target_of(request) is None and decide(policies, request).allowed,
        settings=search,
    )
    assert found == Request(ROLE, "sagemaker:InvokeEndpoint", ENDPOINT, {})


def test_invocations_hold_the_keys_that_are_needed_and_no_others() -> None:
    condition = {
        "StringLike": {TARGET_MODEL: ["acme*"]},
        "StringEquals": {"aws:SourceVpce": "vpce-1"},
        "StringNotEquals": {"aws:SourceVpc": "vpc-1"},
    }
    policies = allowing(Condition=condition)
    found = find(
        invocations(policies, ROLE, ENDPOINT),
        lambda request: (
            decide(policies, request).allowed and not (target_of(request) or "").startswith("acme/")
        ),
        settings=search,
    )
    assert found.context == {TARGET_MODEL: "acme-x/model.tar.gz", "aws:SourceVpce": "vpce-1"}


def test_invocations_give_variables_a_value() -> None:
    policies = allowing("${aws:SourceIdentity}*")
    found = find(
        invocations(policies, ROLE, ENDPOINT),
        lambda request: decide(policies, request).allowed,
        settings=search,
    )
    assert found.context == {TARGET_MODEL: "acme-x/model.tar.gz", "aws:SourceIdentity": "acme"}


def test_invocations_keep_clear_of_what_is_denied_without_a_key() -> None:
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}},
    }
    guarded = allowing("acme*")
    denying = policy({"Version": "2012-10-17", "Statement": [deny]})
    policies = PolicySet((*guarded.identity_policies, denying))
    find(
        invocations(policies, ROLE, ENDPOINT),
        lambda request: decide(policies, request).allowed,
        settings=settings(search, max_examples=20),
    )


def test_invocations_of_several_endpoints_and_principals() -> None:
    other = f"{ENDPOINT}-eu"
    strategy = invocations(allowing("*"), principals(), [ENDPOINT, other])
    for endpoint in (ENDPOINT, other):
        find(strategy, lambda request, e=endpoint: request.resource == e, settings=search)


# -- bad arguments ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: target_models("acme/*"), TypeError, r"found the text 'acme/\*' as near, expected"),
        (lambda: target_models([1]), TypeError, "found 1 in near, expected a PolicySet"),
        (lambda: target_models(1), TypeError, "found 1 as near, expected a PolicySet"),
        (lambda: target_models(["x"], "acme"), TypeError, "found 'acme' as principal, expected a"),
        (lambda: principals(arns=ROLE.arn), TypeError, "found the text 'arn:.*' as arns"),
        (lambda: principals(arns=[]), InvalidArgument, "found no ARNs in arns, expected one"),
        (lambda: principals(arns=["x"]), InvalidArgument, "found 'x' in arns, expected the ARN"),
        (lambda: principals(accounts=["1"]), InvalidArgument, "expected an ID of twelve digits"),
        (lambda: principals(tags="tenant"), TypeError, "as tags, expected an iterable"),
        (lambda: principals(tags={"t": "x"}), TypeError, r"found the text 'x' as tags\['t'\]"),
        (lambda: principals(near="x"), TypeError, "as near, expected an iterable"),
        (lambda: requests([]), TypeError, r"found \[\] as policies, expected a PolicySet or a"),
        (
            lambda: requests(allowing("*"), 1),
            TypeError,
            "found 1 as principal, expected a Principal",
        ),
        (lambda: invocations(allowing("*"), None, ENDPOINT), TypeError, "found None as principal"),
        (lambda: invocations(allowing("*"), ROLE, "x"), InvalidArgument, "found 'x' as endpoint"),
        (lambda: invocations(allowing("*"), ROLE, []), InvalidArgument, "expected one at least"),
    ],
)
def test_bad_arguments_fail_at_once(
    make: Callable[[], Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make()
