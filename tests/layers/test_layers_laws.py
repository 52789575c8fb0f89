"""Laws of both sides of a request."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layers_cases import access_of, case

from tenantproof.evaluate import decide
from tenantproof.reading import Reading

CASES = st.randoms(use_true_random=False).map(lambda random: case(Random(random.random())))
READINGS = st.builds(Reading, everyone_as_itself=st.booleans(), rcp_listed_services=st.booleans())
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
Json = dict[str, Any]


def allowed(drawn: Json, reading: Reading) -> bool:
    return decide(*access_of(drawn), reading).allowed


def policies_of(drawn: Json) -> list[Json]:
    """Every policy of a case."""
    alone = ("permissions_boundary", "session_policy", "resource_policy")
    levels = ("service_control_policies", "resource_control_policies")
    return [
        *drawn["identity_policies"],
        *(drawn[name] for name in alone if name in drawn),
        *(policy for name in levels for level in drawn.get(name, []) for policy in level),
    ]


def with_statement(drawn: Json, at: int, change: Json) -> Json:
    """A case with one more statement in one of its policies, for those it is for already."""
    more = copy.deepcopy(drawn)
    listed = policies_of(more)
    assume(listed)
    statements = listed[at % len(listed)]["Statement"]
    named = {k: v for k, v in statements[0].items() if k in ("Principal", "NotPrincipal")}
    statements.append({**EVERYTHING, **named, **change})
    return more


@settings(max_examples=200)
@given(CASES, st.integers(0, 20), READINGS)
def test_one_more_allow_takes_no_access_away(drawn: Json, at: int, reading: Reading) -> None:
    if allowed(drawn, reading):
        assert allowed(with_statement(drawn, at, {}), reading)


@settings(max_examples=200)
@given(CASES, st.integers(0, 20), READINGS)
def test_one_more_deny_gives_no_access(drawn: Json, at: int, reading: Reading) -> None:
    if allowed(with_statement(drawn, at, {"Effect": "Deny"}), reading):
        assert allowed(drawn, reading)


@settings(max_examples=200)
@given(CASES, READINGS)
def test_one_more_layer_of_limits_gives_no_access(drawn: Json, reading: Reading) -> None:
    for limit in ("permissions_boundary", "session_policy", "service_control_policies"):
        without = {name: value for name, value in drawn.items() if name != limit}
        if allowed(drawn, reading):
            assert allowed(without, reading)


@settings(max_examples=200)
@given(CASES, READINGS)
def test_in_one_account_either_side_may_grant(drawn: Json, reading: Reading) -> None:
    """What the identity policies allow alone, or everyone gets, both allow together."""
    both = copy.deepcopy(drawn)
    both["request"]["context"].pop("aws:ResourceAccount", None)
    both["request"]["resource"] = "*"
    both["request"]["action"] = "s3:GetObject"
    alone = {name: value for name, value in both.items() if name != "resource_policy"}
    given = {**both, "identity_policies": []}
    if not any(s["Effect"] == "Deny" for policy in policies_of(both) for s in policy["Statement"]):
        either = allowed(alone, reading) or allowed(given, reading)
        assert allowed(both, reading) is either
