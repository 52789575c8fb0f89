"""'An explicit deny in any of these policies overrides the allow'; else every layer must allow."""

from __future__ import annotations

from typing import Any

import pytest
from evaluate_helpers import ACTION, decision, deny, policy, request, statement

from tenantproof.evaluate import Outcome, decide
from tenantproof.policy import Effect, PolicyDocument, PolicySet

ALLOWED, EXPLICIT, IMPLICIT = Outcome.ALLOWED, Outcome.EXPLICIT_DENY, Outcome.IMPLICIT_DENY

ALLOW = policy(statement())
DENY = policy(deny())
BOTH = policy(statement(), deny())
SILENT = policy(statement(Action="s3:GetObject"))
SILENT_DENY = policy(deny(Action="s3:GetObject"))


@pytest.mark.parametrize(
    ("statements", "outcome"),
    [
        pytest.param([statement()], ALLOWED, id="an Allow"),
        pytest.param([deny()], EXPLICIT, id="a Deny"),
        pytest.param([statement(), deny()], EXPLICIT, id="Allow, then Deny"),
        pytest.param([deny(), statement()], EXPLICIT, id="Deny, then Allow"),
        pytest.param([statement(Action="s3:*")], IMPLICIT, id="Allow of something else"),
        pytest.param([deny(Action="s3:*")], IMPLICIT, id="Deny of something else"),
        pytest.param([deny(Action="s3:*"), statement()], ALLOWED, id="that Deny beside an Allow"),
    ],
)
def test_one_policy(statements: list[dict[str, Any]], outcome: Outcome) -> None:
    found = decision(*statements)
    assert found.outcome is outcome
    assert found.allowed is (outcome is ALLOWED)


# Identity policies, boundary, levels of SCPs, the outcome, and the layers that kept silent.
Documents = tuple[PolicyDocument, ...]
LAYERS = [
    ("no policy at all", (), None, (), IMPLICIT, ["identity_policies"]),
    ("one of two identity policies allows", (SILENT, ALLOW), None, (), ALLOWED, []),
    ("one of two identity policies denies", (DENY, ALLOW), None, (), EXPLICIT, []),
    ("the boundary allows too", (ALLOW,), ALLOW, (), ALLOWED, []),
    ("the boundary is silent", (ALLOW,), SILENT, (), IMPLICIT, ["permissions_boundary"]),
    ("the boundary denies", (ALLOW,), DENY, (), EXPLICIT, []),
    ("the boundary allows and denies", (ALLOW,), BOTH, (), EXPLICIT, []),
    ("a boundary grants nothing", (SILENT,), ALLOW, (), IMPLICIT, ["identity_policies"]),
    ("an SCP allows too", (ALLOW,), None, ((ALLOW,),), ALLOWED, []),
    ("an SCP grants nothing", (SILENT,), None, ((ALLOW,),), IMPLICIT, ["identity_policies"]),
    (
        "the SCPs are silent",
        (ALLOW,),
        None,
        ((SILENT,),),
        IMPLICIT,
        ["service_control_policies[0]"],
    ),
    ("one SCP of a level allows", (ALLOW,), None, ((SILENT, ALLOW),), ALLOWED, []),
    ("one SCP of a level denies", (ALLOW,), None, ((ALLOW, DENY),), EXPLICIT, []),
    ("every level allows", (ALLOW,), None, ((ALLOW,), (ALLOW,), (ALLOW,)), ALLOWED, []),
    (
        "the middle level is silent",
        (ALLOW,),
        None,
        ((ALLOW,), (SILENT,), (ALLOW,)),
        IMPLICIT,
        ["service_control_policies[1]"],
    ),
    (
        "a level without policies allows nothing",
        (ALLOW,),
        None,
        ((ALLOW,), ()),
        IMPLICIT,
        ["service_control_policies[1]"],
    ),
    (
        "a Deny below does not lend an Allow",
        (ALLOW,),
        None,
        ((SILENT_DENY,),),
        IMPLICIT,
        ["service_control_policies[0]"],
    ),
    ("a Deny at the root wins", (ALLOW,), ALLOW, ((DENY,), (ALLOW,)), EXPLICIT, []),
    (
        "all silent, outermost first",
        (SILENT,),
        SILENT,
        ((SILENT,), (SILENT,)),
        IMPLICIT,
        [
            "service_control_policies[0]",
            "service_control_policies[1]",
            "permissions_boundary",
            "identity_policies",
        ],
    ),
    ("a Deny wins over silence", (SILENT,), DENY, ((SILENT,),), EXPLICIT, []),
]


@pytest.mark.parametrize(
    ("identity", "boundary", "levels", "outcome", "silent"),
    [row[1:] for row in LAYERS],
    ids=[row[0] for row in LAYERS],
)
def test_layers(
    identity: Documents,
    boundary: PolicyDocument | None,
    levels: tuple[Documents, ...],
    outcome: Outcome,
    silent: list[str],
) -> None:
    found = decide(PolicySet(identity, boundary, levels), request())
    assert found.outcome is outcome
    assert [layer.name for layer in found.denied_by] == silent


def test_layers_with_equal_policies_are_told_apart() -> None:
    found = decide(PolicySet((ALLOW,), ALLOW, ((ALLOW,), (ALLOW,))), request())
    assert [(r.layer.name, r.policy_index, r.applies) for r in found.results] == [
        ("service_control_policies[0]", 0, True),
        ("service_control_policies[1]", 0, True),
        ("permissions_boundary", 0, True),
        ("identity_policies", 0, True),
    ]


def test_each_layer_may_allow_by_another_statement() -> None:
    """The layers are intersected: what all of them allow, each in its own words."""
    identity = policy(statement(Action="sagemaker:*"))
    boundary = policy(statement(Action=["s3:*", "*:InvokeEndpoint"]))
    policies = PolicySet((identity,), boundary, ((policy(deny(Action="iam:*"), statement()),),))
    outcomes = {
        action: decide(policies, request(action=action)).outcome
        for action in (ACTION, "sagemaker:ListModels", "s3:GetObject", "iam:PassRole")
    }
    assert list(outcomes.values()) == [ALLOWED, IMPLICIT, IMPLICIT, EXPLICIT]


def test_the_statements_that_applied_by_effect() -> None:
    found = decision(statement(Sid="A"), deny(Sid="B"), statement(Sid="C", Action="s3:*"))
    assert [r.statement.sid for r in found.applied(Effect.ALLOW)] == ["A"]
    assert [r.statement.sid for r in found.applied(Effect.DENY)] == ["B"]
    assert [r.statement.sid for r in found.results] == ["A", "B", "C"]
