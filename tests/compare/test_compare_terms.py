"""Comparisons on some requests alone: actions, resources, the tags of a free caller."""

from __future__ import annotations

from compare_helpers import LEAK, PROVED, UNKNOWN, identity, only_change, statement
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.compare import Side, Terms, Way, equivalent, no_new_access
from tenantproof.evaluate import decide
from tenantproof.policy import PolicySet
from tenantproof.reading import DOCUMENTED
from tenantproof_strategies import policy_sets

GET = identity(statement(Resource="arn:aws:s3:::b/a/*"))
WIDE = identity(statement(Action="s3:*", Resource="arn:aws:s3:::b/*"))
TAG = "${aws:PrincipalTag/Team}"


def test_only_some_actions() -> None:
    assert no_new_access(GET, WIDE, Terms(20.0, actions=("iam:PassRole",))).verdict is PROVED
    answer = no_new_access(GET, WIDE, Terms(20.0, actions=("iam:PassRole", "s3:PutObject")))
    assert only_change(answer).new.action == "s3:PutObject"


def test_only_some_resources() -> None:
    within = ("arn:aws:s3:::b/a/x", "arn:aws:s3:::c/x")
    get = Terms(20.0, actions=("s3:GetObject",), resources=within)
    assert no_new_access(GET, WIDE, get).verdict is PROVED
    assert no_new_access(GET, WIDE, Terms(20.0, resources=within)).verdict is LEAK
    more = Terms(20.0, actions=("s3:GetObject",), resources=(*within, "arn:aws:s3:::b/y"))
    assert only_change(no_new_access(GET, WIDE, more)).new.resource == "arn:aws:s3:::b/y"


def test_a_caller_with_a_tag_never_needs_its_default() -> None:
    old = identity(statement(Resource=f"arn:aws:s3:::b/{TAG}/*"))
    new = identity(statement(Resource=f"arn:aws:s3:::b/{TAG[:-1]}, 'x'}}/*"))
    assert equivalent(old, new, Terms(20.0)).verdict is LEAK
    assert equivalent(old, new, Terms(20.0, tags=("team",))).verdict is PROVED
    assert equivalent(old, new, Terms(20.0, tags=("other",))).verdict is LEAK


def test_a_witness_has_the_tags() -> None:
    old = identity(statement(Resource=f"arn:aws:s3:::b/{TAG}/*"))
    untagged = identity(statement(Condition={"Null": {"aws:PrincipalTag/Team": "true"}}))
    given_team = {"Null": {"aws:PrincipalTag/team": "false"}}
    terms = Terms(20.0, tags=("team",))
    assert no_new_access(PolicySet(), untagged, terms).verdict is PROVED
    requests = only_change(
        no_new_access(old, identity(statement(Condition=given_team, Resource="*")), terms)
    )
    assert requests.new.principal.tags.keys() == {"team"}
    assert requests.new.principal.tags["team"]


@settings(max_examples=25)
@given(policy_sets(), policy_sets(), st.sampled_from(("sagemaker:InvokeEndpoint", "s3:GetObject")))
def test_what_is_found_among_some_is_found_among_all(
    old: PolicySet, new: PolicySet, action: str
) -> None:
    resources = ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/models", "arn:aws:s3:::b/x")
    terms = Terms(5.0, actions=(action,), resources=resources, tags=("tenant",))
    answer = no_new_access(old, new, terms)
    for change in answer.changes:
        assert change.by_new.action == action
        assert change.by_new.resource in resources
        if not answer.reason:
            allowed = decide(new, change.by_new, DOCUMENTED).allowed
            assert allowed == (change.way is Way.GAINED)
    if answer.verdict is LEAK:
        assert no_new_access(Side(old), Side(new), Terms(5.0)).verdict in (LEAK, UNKNOWN)
