"""The Principal element: each form in both readings, and that they agree."""

from __future__ import annotations

import json
from typing import Any

import pytest
from compare_helpers import LEAK, PROVED, TERMS, UNKNOWN, allowed, resource, statement
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.compare import disjoint, equivalent, no_new_access
from tenantproof.errors import InputError
from tenantproof.evaluate import decide
from tenantproof.policy import PolicySet, ResourcePolicies, parse_policy
from tenantproof.prove import RequestSpace, compile_policies
from tenantproof.reading import Reading
from tenantproof.request import Principal, PrincipalKind, Request

A, B = "111122223333", "444455556666"
ROOT = f"arn:aws:iam::{A}:root"
ANN = f"arn:aws:iam::{A}:user/ann"
DEPLOY = f"arn:aws:iam::{A}:role/deploy"
TEAM = f"arn:aws:iam::{A}:role/team/deploy"
SESSION = f"arn:aws:sts::{A}:assumed-role/deploy/ci"
FEDERATED_USER = f"arn:aws:sts::{A}:federated-user/ann"
SAML = f"arn:aws:iam::{A}:saml-provider/corp"
CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
EC2 = "ec2.amazonaws.com"

CALLERS = {
    "root": Principal(ROOT),
    "ann": Principal(ANN),
    "ann of B": Principal(ANN.replace(A, B)),
    "role": Principal(DEPLOY),
    "session": Principal(SESSION),
    "other session": Principal(SESSION.replace("/ci", "/me")),
    "session with path": Principal(SESSION, context={"aws:PrincipalArn": TEAM}),
    "federated user": Principal(FEDERATED_USER),
    "ec2": Principal(EC2, kind=PrincipalKind.SERVICE),
    "saml": Principal(SAML, kind=PrincipalKind.FEDERATED),
    "anonymous": Principal("anonymous", kind=PrincipalKind.ANONYMOUS),
    "canonical": Principal(ANN, canonical_user=CANONICAL),
}
EVERYONE = set(CALLERS)
OF_A = EVERYONE - {"ann of B", "ec2", "saml", "anonymous"}

NAMED: list[tuple[Any, set[str]]] = [
    ("*", EVERYONE),
    ({"AWS": "*"}, EVERYONE),
    ({"AWS": A}, OF_A),
    ({"AWS": ROOT}, OF_A),
    ({"AWS": ROOT.replace("arn:aws:", "arn:aws-cn:")}, set()),
    ({"AWS": [B, FEDERATED_USER]}, {"ann of B", "federated user"}),
    ({"AWS": ANN}, {"ann", "canonical"}),
    ({"AWS": ANN.replace("ann", "Ann")}, set()),
    ({"AWS": ANN.replace("ann", "*")}, set()),
    ({"AWS": DEPLOY}, {"role", "session", "other session"}),
    ({"AWS": TEAM}, {"session with path"}),
    ({"AWS": SESSION}, {"session", "session with path"}),
    ({"AWS": "AIDAEXAMPLE"}, set()),
    ({"Service": EC2}, {"ec2"}),
    ({"Service": "s3.amazonaws.com"}, set()),
    ({"Federated": SAML}, {"saml"}),
    ({"CanonicalUser": CANONICAL}, {"canonical"}),
    ({"AWS": ANN, "Service": EC2}, {"ann", "canonical", "ec2"}),
]


def request(principal: Principal) -> Request:
    return Request(principal, "s3:GetObject", "arn:aws:s3:::bucket/x")


def both(policies: ResourcePolicies, principal: Principal, reading: Reading = Reading()) -> bool:  # noqa: B008
    """The evaluator's decision, which is the formula's."""
    asked = request(principal)
    allowed_here = decide(policies, asked, reading).allowed
    space = RequestSpace(principal, (asked.action,), (asked.resource,), closed=True)
    assert compile_policies(policies, space, reading).allowed is allowed_here
    return allowed_here


@pytest.mark.parametrize(("principal", "expected"), NAMED)
def test_whom_a_principal_names(principal: Any, expected: set[str]) -> None:
    policies = resource(statement(Principal=principal))
    assert {name for name, caller in CALLERS.items() if both(policies, caller)} == expected


@pytest.mark.parametrize(("principal", "named"), NAMED)
def test_not_principal_is_the_complement(principal: Any, named: set[str]) -> None:
    policies = resource(statement(NotPrincipal=principal))
    assert {n for n, c in CALLERS.items() if both(policies, c)} == EVERYONE - named


@pytest.mark.parametrize(
    ("entries", "left_out"),
    [
        ([ANN], set()),
        ([ROOT], {"root"}),
        ([ANN, ROOT], {"root", "ann", "canonical"}),
        ([ANN, A], {"root", "ann", "canonical"}),
        ([DEPLOY, ROOT], {"root", "role"}),
        ([SESSION, DEPLOY, ROOT], {"root", "role", "session"}),
        ([SESSION, ROOT], {"root"}),
        ([FEDERATED_USER, ROOT], {"root", "federated user"}),
        (["*"], EVERYONE),
    ],
)
def test_not_principal_by_level(entries: list[str], left_out: set[str]) -> None:
    """As the reference's examples have it: account, role and session are all listed."""
    policies = resource(statement(NotPrincipal={"AWS": entries}))
    reading = Reading(not_principal_by_level=True)
    found = {n for n, c in CALLERS.items() if not both(policies, c, reading)}
    assert found == left_out


OTHERS = (SAML, CANONICAL, EC2, ROOT.replace(A, B), SESSION.replace("/ci", "/me"))

entries = st.one_of(
    st.just("*"),
    st.dictionaries(
        st.sampled_from(("AWS", "Service", "Federated", "CanonicalUser")),
        st.lists(
            st.sampled_from(("*", A, B, ROOT, ANN, DEPLOY, TEAM, SESSION, FEDERATED_USER, *OTHERS)),
            min_size=1,
            max_size=3,
        ),
        min_size=1,
        max_size=2,
    ),
)
clauses = st.builds(
    lambda effect, element, principal: statement(Effect=effect, **{element: principal}),
    st.sampled_from(("Allow", "Allow", "Deny")),
    st.sampled_from(("Principal", "Principal", "NotPrincipal")),
    entries,
)


@settings(max_examples=200)
@given(
    st.lists(clauses, min_size=1, max_size=3),
    st.sampled_from(sorted(CALLERS)),
    st.booleans(),
)
def test_the_readings_agree_on_principals(
    statements: list[dict[str, Any]], caller: str, by_level: bool
) -> None:
    both(resource(*statements), CALLERS[caller], Reading(not_principal_by_level=by_level))


@settings(max_examples=60)
@given(st.lists(clauses, min_size=1, max_size=2), st.lists(clauses, min_size=1, max_size=2))
def test_a_pair_is_answered_and_its_witness_replays(
    old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    """Whatever is found has been decided by the evaluator; a caller that tells them apart is."""
    one, two = resource(*old), resource(*new)
    answer = no_new_access(one, two, TERMS)
    gained = [caller for caller in CALLERS.values() if both(two, caller) and not both(one, caller)]
    if gained:
        assert answer.verdict is LEAK


def test_an_account_has_its_users() -> None:
    account, user = ({"AWS": each} for each in (A, ANN))
    of_account, of_user = (resource(statement(Principal=each)) for each in (account, user))
    assert no_new_access(of_account, of_user, TERMS).verdict is PROVED
    assert no_new_access(of_user, of_account, TERMS).verdict is LEAK
    other = resource(statement(Principal={"AWS": B}))
    assert disjoint(of_account, other, TERMS).verdict is PROVED


def test_services_are_no_accounts() -> None:
    service = resource(statement(Principal={"Service": EC2}))
    account = resource(statement(Principal={"AWS": A}))
    everyone = resource(statement(Principal="*"))
    assert disjoint(service, account, TERMS).verdict is PROVED
    assert no_new_access(everyone, service, TERMS).verdict is PROVED
    found = no_new_access(service, everyone, TERMS)
    assert found.verdict is LEAK
    by_service = resource(
        statement(Principal="*", Condition={"Bool": {"aws:PrincipalIsAWSService": "true"}})
    )
    named = allowed(by_service)
    assert named is not None
    assert named.new.principal.kind is PrincipalKind.SERVICE


def test_a_principal_is_the_condition_that_says_the_same() -> None:
    by_principal = resource(statement(Principal={"AWS": ANN}))
    by_condition = resource(
        statement(Principal="*", Condition={"ArnEquals": {"aws:PrincipalArn": ANN}})
    )
    assert equivalent(by_principal, by_condition, TERMS).verdict is PROVED
    account = resource(statement(Principal={"AWS": A}))
    by_account = resource(
        statement(
            Principal="*",
            Condition={
                "StringEquals": {"aws:PrincipalAccount": A},
                "Null": {"aws:PrincipalArn": "false"},
            },
        )
    )
    assert no_new_access(by_account, account, TERMS).verdict is PROVED


def test_a_session_is_of_its_role() -> None:
    of_role = resource(statement(Principal={"AWS": DEPLOY}))
    of_session = resource(statement(Principal={"AWS": SESSION}))
    answer = no_new_access(of_session, of_role, TERMS)
    assert answer.verdict is LEAK
    assert answer.changes[0].by_new.principal.arn != SESSION
    both_of_role = resource(statement(Principal={"AWS": [DEPLOY, TEAM]}))
    arns = {"ArnEquals": {"aws:PrincipalArn": [DEPLOY, TEAM]}}
    narrowed = resource(statement(Principal={"AWS": SESSION}, Condition=arns))
    assert no_new_access(both_of_role, narrowed, TERMS).verdict is PROVED


def test_what_hangs_on_not_principal_is_unknown() -> None:
    deny = statement(Effect="Deny", NotPrincipal={"AWS": ANN})
    allow_all = statement(Principal="*")
    only_ann = resource(allow_all, deny)
    ann = resource(statement(Principal={"AWS": ANN}))
    answer = equivalent(only_ann, ann, TERMS)
    assert answer.verdict is UNKNOWN
    assert answer.reason is not None
    assert "NotPrincipal" in answer.reason


def test_a_trust_policy_has_no_resource() -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    ec2 = resource({**trust, "Principal": {"Service": EC2}})
    wider = resource({**trust, "Principal": {"Service": EC2, "AWS": ROOT}})
    assert no_new_access(wider, ec2, TERMS).verdict is PROVED
    answer = no_new_access(ec2, wider, TERMS)
    assert answer.verdict is LEAK
    assert answer.changes[0].by_new.principal.arn.split(":")[4] == A


def test_a_resource_policy_names_principals_and_an_identity_policy_none() -> None:
    with_principal = json.dumps({"Statement": statement(Principal="*")})
    without = json.dumps({"Statement": statement()})
    with pytest.raises(InputError, match="found neither Principal nor NotPrincipal"):
        ResourcePolicies((parse_policy(without),))
    with pytest.raises(InputError, match="found Principal, expected none"):
        PolicySet((parse_policy(with_principal),))
