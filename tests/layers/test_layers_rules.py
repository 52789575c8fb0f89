"""The rules of "Policy evaluation logic" one by one, each in both readings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tenantproof.errors import TenantproofError
from tenantproof.evaluate import Decision, decide
from tenantproof.policy import Access, PolicyDocument, PolicySet, parse_policy
from tenantproof.prove import RequestSpace, compile_policies
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading
from tenantproof.request import ContextValue, Principal, PrincipalKind, Request

OURS, THEIRS = "111122223333", "444455556666"
USER = f"arn:aws:iam::{OURS}:user/ann"
ROLE = f"arn:aws:iam::{OURS}:role/app"
SESSION = f"arn:aws:sts::{OURS}:assumed-role/app/one"
FEDERATED = f"arn:aws:sts::{OURS}:federated-user/fed"
LINKED = f"arn:aws:iam::{OURS}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX"
LINKED_SESSION = f"arn:aws:sts::{OURS}:assumed-role/AWSServiceRoleForX/one"
ROOT = f"arn:aws:iam::{OURS}:root"
OBJECT = "arn:aws:s3:::models/acme/v1"
ENDPOINT = f"arn:aws:sagemaker:us-east-1:{OURS}:endpoint/models"


def policy(effect: str = "Allow", action: str = "*", principal: Any = None) -> PolicyDocument:
    statement: dict[str, Any] = {"Effect": effect, "Action": action, "Resource": "*"}
    if principal is not None:
        element = "NotPrincipal" if isinstance(principal, tuple) else "Principal"
        named = {"AWS": list(principal)} if isinstance(principal, tuple) else principal
        statement[element] = {"AWS": named} if isinstance(named, str) else named
    return parse_policy(json.dumps({"Version": "2012-10-17", "Statement": statement}))


ALLOW, DENY, SILENT = policy(), policy("Deny"), policy(action="ec2:RunInstances")
EVERYONE = policy(principal="*")


@dataclass(frozen=True)
class Asked:
    """A request by a caller, mostly to read an object."""

    by: str = USER
    action: str = "s3:GetObject"
    resource: str = OBJECT
    context: Mapping[str, ContextValue] = ()  # type: ignore[assignment]
    kind: PrincipalKind = PrincipalKind.AWS

    @property
    def request(self) -> Request:
        caller = Principal(self.by, kind=self.kind)
        return Request(caller, self.action, self.resource, dict(self.context))


def decided(access: Access, asked: Asked, reading: Reading = DOCUMENTED) -> Decision:
    """The evaluator's decision, once the formula has said the same."""
    request = asked.request
    decision = decide(access, request, reading)
    fixed = {key.lower(): value for key, value in request.context.items()}
    space = RequestSpace(
        request.principal, (request.action,), (request.resource,), fixed, closed=True
    )
    assert compile_policies(access, space, reading).allowed is decision.allowed
    return decision


def names(decision: Decision) -> list[str]:
    return [layer.name for layer in decision.denied_by]


def of(
    identity: PolicyDocument = SILENT,
    boundary: PolicyDocument | None = None,
    session: PolicyDocument | None = None,
    resource: PolicyDocument | None = None,
    scps: tuple[PolicyDocument, ...] = (),
    rcps: tuple[PolicyDocument, ...] = (),
) -> Access:
    caller = PolicySet(
        (identity,),
        boundary,
        tuple((each,) for each in scps),
        () if session is None else (session,),
    )
    return Access(caller, resource, tuple((each,) for each in rcps))


LAYERS = {
    "identity": {"identity": DENY},
    "boundary": {"boundary": DENY},
    "session": {"session": DENY},
    "resource": {"resource": policy("Deny", principal="*")},
    "scps": {"scps": (ALLOW, DENY)},
    "rcps": {"rcps": (EVERYONE, policy("Deny", principal="*"))},
}


@pytest.mark.parametrize("layer", LAYERS)
def test_an_explicit_deny_in_any_layer_wins(layer: str) -> None:
    allowing: dict[str, Any] = {
        "identity": ALLOW,
        "boundary": ALLOW,
        "session": ALLOW,
        "resource": policy(principal=USER),
        "scps": (ALLOW, ALLOW),
        "rcps": (EVERYONE, EVERYONE),
    }
    assert decided(of(**allowing), Asked()).allowed
    assert decided(of(**{**allowing, **LAYERS[layer]}), Asked()).outcome.value == "ExplicitDeny"


@pytest.mark.parametrize(
    ("fields", "denied_by"),
    [
        ({"scps": (ALLOW, SILENT)}, ["service_control_policies[1]"]),
        (
            {"rcps": (policy(action="ec2:*", principal="*"), EVERYONE)},
            ["resource_control_policies[0]"],
        ),
        ({"boundary": SILENT}, ["permissions_boundary"]),
        ({"session": SILENT}, ["session_policy"]),
        ({"boundary": SILENT, "resource": policy(principal=ROOT)}, ["permissions_boundary"]),
        ({"boundary": SILENT, "session": SILENT}, ["permissions_boundary", "session_policy"]),
    ],
)
def test_each_of_the_callers_layers_must_allow(
    fields: dict[str, Any], denied_by: list[str]
) -> None:
    assert names(decided(of(ALLOW, **fields), Asked())) == denied_by


@pytest.mark.parametrize(
    ("caller", "named", "granted"),
    [
        (USER, USER, "itself"),
        (SESSION, SESSION, "itself"),
        (FEDERATED, FEDERATED, "itself"),
        (SESSION, ROLE, "by role"),
        (ROLE, ROLE, "by role"),
        (USER, "*", "by role"),
        (SESSION, "*", "by role"),
        (USER, (ROLE,), "by role"),
        (USER, OURS, "nothing"),
        (USER, ROOT, "nothing"),
        (SESSION, ROOT, "nothing"),
        (USER, ROLE, "nothing"),
        (SESSION, SESSION + "x", "nothing"),
        (USER, (USER,), "nothing"),
    ],
)
def test_what_a_resource_policy_gives_in_one_account(
    caller: str, named: str | tuple[str, ...], granted: str
) -> None:
    resource, asked = policy(principal=named), Asked(by=caller)
    assert decided(of(resource=resource), asked).allowed is (granted != "nothing")
    for limit in ("boundary", "session"):
        limited = of(resource=resource, **{limit: SILENT})
        assert decided(limited, asked).allowed is (granted == "itself")
        assert not decided(of(resource=resource, **{limit: DENY}), asked).allowed


def test_where_neither_side_allows_both_are_named() -> None:
    silent = policy(action="ec2:*", principal="*")
    assert names(decided(of(resource=silent), Asked())) == ["resource_policy", "identity_policies"]
    assert names(decided(of(), Asked())) == ["identity_policies"]
    delegating = policy(principal=ROOT)
    assert names(decided(of(resource=delegating), Asked())) == ["identity_policies"]


def test_what_everyone_gets_may_be_limited_or_not() -> None:
    access = of(session=SILENT, resource=EVERYONE)
    assert not decided(access, Asked()).allowed
    assert decided(access, Asked(), Reading(everyone_as_itself=True)).allowed
    space = RequestSpace(Principal(USER), ("s3:GetObject",), (OBJECT,))
    assert Ambiguity.EVERYONE_GRANT in compile_policies(access, space).ambiguities
    unlimited = compile_policies(of(resource=EVERYONE), space)
    assert Ambiguity.EVERYONE_GRANT not in unlimited.ambiguities


@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])
@pytest.mark.parametrize(
    ("named", "identity", "allowed"),
    [
        (USER, SILENT, True),
        (ROOT, SILENT, False),
        (ROOT, ALLOW, True),
        (ROLE, ALLOW, False),
    ],
)
def test_a_trust_policy_must_allow(
    action: str, named: str, identity: PolicyDocument, allowed: bool
) -> None:
    asked = Asked(action=action, resource=f"arn:aws:iam::{OURS}:role/target")
    assert decided(of(identity, resource=policy(principal=named)), asked).allowed is allowed


def test_a_key_policy_must_allow_and_a_bucket_policy_need_not() -> None:
    other = policy(principal=ROLE)
    key = Asked(action="kms:Decrypt", resource=f"arn:aws:kms:us-east-1:{OURS}:key/k")
    assert names(decided(of(ALLOW, resource=other), key)) == ["resource_policy"]
    assert decided(of(ALLOW, resource=other), Asked()).allowed


THEIR_ROLE = f"arn:aws:iam::{THEIRS}:role/target"


@pytest.mark.parametrize("named", [USER, OURS, ROOT, "*", (THEIR_ROLE,)])
def test_in_two_accounts_both_sides_must_allow(named: str | tuple[str, ...]) -> None:
    asked = Asked(action="sts:AssumeRole", resource=THEIR_ROLE)
    trusting = policy(principal=named)
    assert decided(of(ALLOW, resource=trusting), asked).allowed
    assert names(decided(of(resource=trusting), asked)) == ["identity_policies"]
    assert names(decided(of(ALLOW, SILENT, resource=trusting), asked)) == ["permissions_boundary"]
    assert names(decided(of(ALLOW, session=SILENT, resource=trusting), asked)) == ["session_policy"]
    assert names(decided(of(ALLOW), asked)) == ["resource_policy"]
    assert names(decided(of(ALLOW, resource=policy(principal=ROLE)), asked)) == ["resource_policy"]


@pytest.mark.parametrize(
    ("resource", "context", "allowed"),
    [
        (OBJECT, {}, True),
        (OBJECT, {"aws:ResourceAccount": THEIRS}, False),
        (OBJECT, {"aws:ResourceAccount": OURS}, True),
        (THEIR_ROLE, {"aws:ResourceAccount": OURS}, True),
        (THEIR_ROLE, {}, False),
        ("*", {}, True),
        (OBJECT, {"aws:ResourceAccount": "unknown"}, True),
        (f"arn:aws:sagemaker:us-east-1:{THEIRS}", {}, True),
        (f"arn:aws:sagemaker:us-east-1:{THEIRS}:", {}, False),
    ],
)
def test_whose_the_resource_is(resource: str, context: dict[str, str], allowed: bool) -> None:
    asked = Asked(action="s3:GetObject", resource=resource, context=context)
    assert decided(of(ALLOW), asked).allowed is allowed


@pytest.mark.parametrize("caller", [LINKED, LINKED_SESSION])
def test_service_linked_roles_are_not_limited_by_an_organization(caller: str) -> None:
    for fields in ({"scps": (DENY,)}, {"rcps": (policy("Deny", principal="*"),)}):
        access = of(ALLOW, **fields)
        assert decided(access, Asked(by=caller)).allowed
        assert not decided(access, Asked(by=SESSION)).allowed
    assert not decided(of(ALLOW, DENY, scps=(DENY,)), Asked(by=caller)).allowed


@pytest.mark.parametrize(
    ("caller", "kind", "named"),
    [
        ("sagemaker.amazonaws.com", PrincipalKind.SERVICE, {"Service": "sagemaker.amazonaws.com"}),
        ("accounts.google.com", PrincipalKind.FEDERATED, {"Federated": "accounts.google.com"}),
        ("", PrincipalKind.ANONYMOUS, "*"),
    ],
)
def test_who_has_no_policies_of_its_own_needs_the_resources(
    caller: str, kind: PrincipalKind, named: Any
) -> None:
    asked = Asked(caller, "sts:AssumeRole", THEIR_ROLE, kind=kind)
    assert decided(of(resource=policy(principal=named)), asked).allowed
    assert names(decided(of(ALLOW), asked)) == ["resource_policy"]
    silent = policy(action="ec2:*", principal="*")
    limited = of(resource=policy(principal=named), rcps=(silent,))
    assert names(decided(limited, asked)) == ["resource_control_policies[0]"]


def test_resource_control_policies_may_have_no_effect_on_other_services() -> None:
    access = of(ALLOW, rcps=(policy("Deny", principal="*"),))
    listed_only = Reading(rcp_listed_services=True)
    endpoint = Asked(action="sagemaker:InvokeEndpoint", resource=ENDPOINT)
    assert not decided(access, endpoint).allowed
    assert decided(access, endpoint, listed_only).allowed
    assert not decided(access, Asked(), listed_only).allowed
    for action, met in (("sagemaker:InvokeEndpoint", True), ("s3:GetObject", False)):
        space = RequestSpace(Principal(USER), (action,), (ENDPOINT,))
        found = compile_policies(access, space).ambiguities
        assert (Ambiguity.RCP_SERVICE in found) is met


def test_a_free_caller_is_an_error() -> None:
    with pytest.raises(TenantproofError, match="found a free caller, expected one"):
        compile_policies(of(ALLOW), RequestSpace(None, ("s3:GetObject",), (OBJECT,)))


def test_a_policy_set_alone_has_the_session_as_one_more_layer() -> None:
    for session, allowed in ((ALLOW, True), (SILENT, False)):
        alone = PolicySet((ALLOW,), session_policies=(session,))
        request = Asked(resource=THEIR_ROLE).request
        assert decide(alone, request).allowed is allowed
    linked = Asked(by=LINKED).request
    assert not decide(PolicySet((ALLOW,), None, ((DENY,),)), linked).allowed
