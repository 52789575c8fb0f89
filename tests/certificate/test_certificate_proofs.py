"""What has a proof: theorems of many kinds, and how the tableau tells what has none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from certificate_helpers import BEYOND, aimed_sets, policy, policy_set, proved
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from conftest import ENDPOINT, allow
from tenantproof.certificate import Within
from tenantproof.certificate.keys import (
    ALWAYS_PRESENT,
    DOMAINS,
    INVOKE_ACTIONS,
    MULTIVALUED,
    SINGLE_VALUED,
    TARGET,
    TARGET_ACTIONS,
    is_multivalued,
)
from tenantproof.certificate.propositions import Choice, Filled, Undetermined
from tenantproof.certificate.tableau import NoProofError
from tenantproof.isolation import Run, Verdict
from tenantproof.isolation.manifest import Assertion, Endpoint, Manifest, Member, Tenant
from tenantproof.isolation.sagemaker import invoke_actions, target_model_actions
from tenantproof.policy import PolicySet
from tenantproof.policy.syntax import Family
from tenantproof.prove import space
from tenantproof.reading import Ambiguity
from tenantproof.request import Principal
from tenantproof_strategies import principals

LIKE = {"sagemaker:TargetModel": ["acme/*", "common/*"]}
OWN_OR_TAG = {"sagemaker:TargetModel": ["${aws:PrincipalTag/tenant}/*", "common/*"]}


def with_own(**conditions: Mapping[str, Any]) -> dict[str, Any]:
    return allow(Condition={"StringLike": LIKE, **conditions})


def deny(condition: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return allow(**{"Effect": "Deny", "Condition": condition, "Resource": "*", **changes})


ANYTHING = allow(Condition=None)
SAFE: dict[str, list[dict[str, Any]]] = {
    "a condition": [allow("acme/*", "common/*")],
    "a tag": [allow(Condition={"StringLike": OWN_OR_TAG})],
    "a deny": [ANYTHING, deny({"StringNotLike": OWN_OR_TAG})],
    "equality": [allow(Condition={"StringEquals": {"sagemaker:TargetModel": "acme/v1"}})],
    "no case": [
        allow(
            Condition={
                "StringEqualsIgnoreCase": {"sagemaker:TargetModel": "COMMON/X"},
                "StringNotLike": {
                    "sagemaker:TargetModel": ["C*", "?O*", "??M*", "???M*", "????O*", "*N*"]
                },
            }
        )
    ],
    "a set prefix": [
        allow(Condition={"ForAnyValue:StringLike": LIKE}),
        allow(
            Condition={
                "ForAllValues:StringLike": LIKE,
                "Null": {"sagemaker:TargetModel": "false"},
            }
        ),
    ],
    "numbers that cannot be": [
        allow(
            Condition={
                "NumericLessThan": {"x:n": "60"},
                "NumericGreaterThan": {"x:n": "60"},
            }
        )
    ],
    "dates that cannot be": [
        allow(
            Condition={
                "DateLessThan": {"aws:CurrentTime": "2026-01-01"},
                "DateGreaterThan": {"aws:CurrentTime": "2026-06-01"},
            }
        )
    ],
    "a date or another": [
        with_own(DateLessThan={"aws:CurrentTime": "2026-01-01"}),
        with_own(DateGreaterThanEquals={"aws:CurrentTime": "2026-01-01"}),
    ],
    "addresses that cannot be": [
        allow(
            Condition={
                "IpAddress": {"aws:SourceIp": "10.0.0.0/9"},
                "NotIpAddress": {"aws:SourceIp": ["10.0.0.0/8"]},
            }
        )
    ],
    "bytes that cannot be": [
        allow(Condition={"BinaryEquals": {"x:b": "QUJD"}, "StringLike": {"x:b": "QUJE"}})
    ],
    "a Boolean that cannot be": [
        allow(
            Condition={
                "Bool": {"aws:SecureTransport": "false"},
                "StringNotEquals": {"aws:SecureTransport": "false"},
            }
        )
    ],
    "sets that cannot be": [
        allow(
            Condition={
                "ForAnyValue:StringLike": {"aws:TagKeys": "a*"},
                "ForAllValues:StringLike": {"aws:TagKeys": ["b*", "c"]},
            }
        )
    ],
    "a set that is not empty": [
        with_own(**{"Null": {"aws:TagKeys": "false"}, "ForAllValues:Bool": {"x:y": "true"}})
    ],
    "an ARN that cannot be": [
        allow(
            Condition={
                "ArnLike": {"aws:SourceArn": "arn:aws:s3:::a*"},
                "ArnNotLike": {"aws:SourceArn": "arn:aws:s3:*:*:a*"},
            }
        )
    ],
    "an ARN of few segments": [with_own(ArnLike={"aws:SourceArn": ["arn", "arn:aws:s3:::x"]})],
    "a variable that the request chooses": [
        with_own(StringEquals={"aws:SourceIdentity": "${aws:userid}"})
    ],
    "a variable without a value": [
        ANYTHING,
        deny({"StringNotLike": LIKE}),
        deny({"StringNotLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/none}/*"}}),
    ],
    "a set as a variable": [with_own(StringLike={"x:y": "${aws:TagKeys}", **LIKE})],
    "other actions denied": [
        allow(Action="sagemaker:*", Condition=None),
        deny({"StringNotLike": LIKE}, Action="*"),
        allow(Effect="Deny", Action=None, NotAction="sagemaker:InvokeEndpoint", Condition=None),
    ],
    "another endpoint": [allow(Resource=ENDPOINT + "x", Condition=None)],
    "a star that may cross": [
        allow(
            Condition=None,
            Resource="arn:aws:sagemaker:*:endpoint/model",
        )
    ],
}


@pytest.mark.parametrize("name", SAFE)
def test_safe_policies_have_proofs(name: str) -> None:
    proved(policy_set(*SAFE[name]))


UNSAFE: dict[str, list[dict[str, Any]]] = {
    "one slash": [allow("acme*")],
    "absent": [allow(Condition={"StringLikeIfExists": LIKE})],
    "all values": [allow(Condition={"ForAllValues:StringLike": LIKE})],
    "async": [allow(Action="sagemaker:Invoke*", Condition={"StringNotLike": {TARGET: "x"}})],
    "one reading": [
        ANYTHING,
        deny({"StringNotLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/none}/*"}}),
    ],
    "a crossing star": [allow(Condition=None, Resource="arn:aws:sagemaker:*:endpoint/models")],
    "a set": [
        allow(
            Condition={
                "ForAnyValue:StringLike": {"aws:TagKeys": "a*"},
                "ForAllValues:StringLike": {"aws:TagKeys": ["*b"]},
            }
        )
    ],
    "an empty set": [allow(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "a"}})],
    "numbers": [allow(Condition={"NumericLessThan": {"x:n": "60"}})],
    "a variable that the request chooses": [
        allow(Condition={"StringLike": {"sagemaker:TargetModel": "${aws:SourceIdentity}/*"}})
    ],
}


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_policies_have_none(name: str) -> None:
    with pytest.raises(NoProofError):
        proved(policy_set(*UNSAFE[name]))


def used(statements: list[dict[str, Any]]) -> set[type[object]]:
    return {type(each) for each in proved(policy_set(*statements)).proof.propositions}


def test_an_empty_value_is_split_on_by_reading() -> None:
    """UserAgent is in every request; whether an empty one counts as there is left open."""
    agent = {"Null": {"aws:UserAgent": "true"}}
    statements = [allow(Condition=agent), deny(agent)]
    assert used(statements) >= {Choice, Filled}
    with pytest.raises(NoProofError):
        proved(policy_set(*statements[:1]))


def test_layers_each_must_allow() -> None:
    boundary = policy(allow("acme/*", "common/*"))
    everything = policy(allow(Action="*", Resource="*", Condition=None))
    proved(PolicySet((everything,), boundary))
    proved(PolicySet((everything,), None, ((everything,), (boundary,))))
    proved(PolicySet((everything,), None, ((), (everything,))))
    with pytest.raises(NoProofError):
        proved(PolicySet((boundary, everything), None, ((everything,),)))


def test_cannot() -> None:
    within = {"forbidden": Within(("acme/v2/*",)), "actions": TARGET_ACTIONS}
    proved(policy_set(allow("acme/v1/*")), **within)
    with pytest.raises(NoProofError):
        proved(policy_set(allow("acme/*")), **within)
    proved(policy_set(allow("*")), forbidden=Within(None), actions=INVOKE_ACTIONS[1:])


def test_an_undetermined_element_must_close_both_ways() -> None:
    """Whether two keys of the request are equal the checker cannot tell."""
    equal = {"StringEquals": {"x:y": "${aws:userid}"}}
    statements = [allow(Condition=equal), deny(equal)]
    with pytest.raises(NoProofError):
        proved(policy_set(*statements))
    both = [allow(Condition={**equal, "StringLike": LIKE}), allow("acme/*")]
    proved(policy_set(*both))
    assert Undetermined not in used(both)


def answer(policies: PolicySet, principal: Principal, kind: str) -> Verdict:
    """What the prover says of the theorem."""
    endpoint = Endpoint(ENDPOINT)
    member = Member(principal, policies)
    tenants = (
        Tenant("acme", ("acme/*",), (member,), (endpoint,)),
        Tenant("others", ("acme-corp/*", "a/*"), (), (endpoint,)),
    )
    run = Run(Manifest("x", (endpoint,), tenants, ("common/*",)), 10)
    if kind == "isolated":
        findings = run.isolated(tenants[0], member, endpoint).findings
    else:
        named = ((tenants[0], member),)
        asked = Assertion("x", False, "acme", named, TARGET_ACTIONS, "acme-corp/*", (endpoint,))
        findings = run.asserted(asked, tenants[0], member, endpoint).findings
    verdicts = {finding.verdict for finding in findings}
    return Verdict.LEAK if Verdict.LEAK in verdicts else findings[0].verdict


def variables_of(policies: PolicySet) -> set[str]:
    return {
        variable.key.lower()
        for layer in policies.layers()
        for document in layer.policies
        for statement in document.statements
        for template in statement.templates
        for variable in template.variables
    }


def has_sets_of_bytes(policies: PolicySet) -> bool:
    return any(
        condition.operator.comparison.family is Family.BINARY and condition.operator.qualifier
        for layer in policies.layers()
        for document in layer.policies
        for statement in document.statements
        for condition in statement.conditions
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(aimed_sets(), principals(), st.sampled_from(["isolated", "cannot"]))
def test_what_the_prover_proves_has_a_certificate(
    drawn: PolicySet, principal: Principal, kind: str
) -> None:
    verdict = answer(drawn, principal, kind)
    event(verdict.value)
    # What another account's endpoint denies its principal's policies do not.
    assume(principal.arn.split(":")[4] == ENDPOINT.split(":")[4])
    changes: dict[str, Any] = {"forbidden": BEYOND}
    if kind == "cannot":
        changes = {"forbidden": Within(("acme-corp/*",)), "actions": TARGET_ACTIONS}
    if verdict is Verdict.PROVED:
        try:
            proved(drawn, principal, **changes)
        except NoProofError:
            # What hangs on a variable that the request chooses has no certificate, nor has what
            # hangs on a key's bytes being among those of a set and others as well.
            chosen = variables_of(drawn) & {"aws:sourceidentity", "s3:prefix"}
            assert chosen or has_sets_of_bytes(drawn)
    if verdict is Verdict.LEAK:
        with pytest.raises(NoProofError):
            proved(drawn, principal, **changes)


def test_the_checker_knows_the_keys_that_the_prover_knows() -> None:
    assert invoke_actions() == INVOKE_ACTIONS
    assert target_model_actions() == TARGET_ACTIONS
    assert set(space.ALWAYS_PRESENT) == ALWAYS_PRESENT
    assert space.MULTIVALUED == MULTIVALUED
    assert space.SINGLE_VALUED == SINGLE_VALUED
    # A certificate speaks of no fewer requests: texts that write no date are among its own.
    for key in set(DOMAINS) - {TARGET}:
        ours, theirs = DOMAINS[key], space.GLOBAL_DOMAINS[key]
        assert ours.values == theirs.values, key
        assert ours.shortest <= (theirs.min_length or int(theirs.kind is not None)), key
    request_space = space.RequestSpace(Principal("x"), (), ())
    for key in (*MULTIVALUED, *SINGLE_VALUED, "aws:requesttag/x", "x:y"):
        for qualified in (False, True):
            ours_says = is_multivalued(key, qualified=qualified)
            assert ours_says is request_space.is_multivalued(key, qualified=qualified)


def test_ambiguities_are_all_known() -> None:
    # The others are none of theirs: a principal's own policies have no NotPrincipal, and neither
    # a resource's policy nor resource control policies are among them.
    others = {Ambiguity.NOT_PRINCIPAL, Ambiguity.EVERYONE_GRANT, Ambiguity.RCP_SERVICE}
    assert len(set(Ambiguity) - others) == 5
