"""The ways in which teams render policies, and what is found out about each."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from string import Template
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from vendor_helpers import ENDPOINT, OWNS, RULE, check, few, invoke, shrinking

from tenantproof.isolation import Escape, Verdict
from tenantproof.policy import PolicySet, parse_policy
from tenantproof.vendors import (
    Crossing,
    NoPolicy,
    Raised,
    Unsteady,
    VendorReport,
    assert_vendor_isolated,
)

TEXT = json.dumps(invoke("NAME/*"))


def by_hand(name: str) -> str:
    """The name is put into JSON as it is."""
    return TEXT.replace("NAME", name)


def by_template(name: str) -> str:
    return Template(TEXT.replace("NAME", "$tenant")).substitute(tenant=name)


def by_dict(name: str) -> dict[str, Any]:
    return invoke(f"{name}/*")


def by_dumps(name: str) -> bytes:
    return json.dumps(invoke(f"{name}/*")).encode()


def refusing(name: str) -> dict[str, Any]:
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,29}", name):
        raise ValueError(f"{name!r} is no tenant's name")
    return invoke(f"{name}/*", "common/*")


def folding(name: str) -> dict[str, Any]:
    return invoke(f"{name.lower()}/*")


def cutting(name: str) -> dict[str, Any]:
    return invoke(f"{name[:5]}/*")


def without_slash(name: str) -> dict[str, Any]:
    return invoke(f"{name}*")


def crossings(report: VendorReport) -> dict[Escape | None, Crossing]:
    return {f.answer.escape: f for f in report.findings if isinstance(f, Crossing)}


@pytest.mark.parametrize("render", [by_hand, by_template, by_dict, by_dumps])
def test_of_any_name_at_all_a_template_lets_some_out(render: Callable[[str], Any]) -> None:
    report = check(render, None)
    assert report.verdict is Verdict.LEAK
    assert not report.for_every_name
    reaches = crossings(report)[Escape.INTO_TENANT]
    assert {reaches.name, *reaches.more} >= {"*", "?", "a", "acme"}


@pytest.mark.parametrize("render", [by_hand, by_template])
def test_a_name_that_breaks_out_of_json_is_found(render: Callable[[str], Any]) -> None:
    report = check(render, None)
    broken = [f for f in report.findings if isinstance(f, NoPolicy)]
    assert broken
    assert '"' in (broken[0].name, *broken[0].more)
    assert "JSON" in str(broken[0].error)


@pytest.mark.parametrize("scalar", [True, False])
def test_a_name_that_adds_a_statement_gets_across(scalar: bool) -> None:
    text = TEXT.replace('["NAME/*"]', '"NAME/*"') if scalar else TEXT

    def render(name: str) -> str:
        # Whoever thinks of wildcards, but not of JSON.
        if re.search(r"[?$/]|^\*|\*$", name) or not name:
            raise ValueError(name)
        return text.replace("NAME", name)

    leak = crossings(check(render, None))[Escape.INTO_TENANT]
    assert any('"Effect":"Allow"' in name for name in (leak.name, *leak.more))


@pytest.mark.parametrize("render", [by_hand, by_template, by_dict, by_dumps])
def test_of_plain_names_substitution_is_proved_for_all(render: Callable[[str], Any]) -> None:
    report = check(render)
    assert report.verdict is Verdict.PROVED
    assert report.for_every_name


def test_a_tenant_named_like_what_all_share_is_reached_by_all() -> None:
    leak = crossings(check(refusing, shared=("common/*",)))[Escape.INTO_TENANT]
    assert leak.other == "common"


def test_what_is_shared_may_be_a_name_that_is_refused() -> None:
    def render(name: str) -> dict[str, Any]:
        if name == "common":
            raise ValueError(name)
        return invoke(f"{name}/*", "common/*")

    report = check(render, shared=("common/*",))
    assert report.for_every_name
    assert report.refused == ("common",)


def test_excluded_names_are_nobody_s() -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(f"{name}/*", "common/*")

    assert check(render, shared=("common/*",)).verdict is Verdict.LEAK
    assert check(render, shared=("common/*",), excluded=("common",)).for_every_name


def test_what_refuses_by_a_pattern_is_proved_of_the_names_tried() -> None:
    report = check(refusing, None, shared=("common/*",), excluded=("common",))
    assert report.verdict is Verdict.PROVED
    assert not report.for_every_name
    assert {"*", '"', "", "${aws:username}", "a/b", "Acme"} <= set(report.refused)
    assert {"acme", "acme-corp", "a"} <= set(report.tried)


def test_a_missing_slash_is_found() -> None:
    found = crossings(check(without_slash))
    assert found[Escape.INTO_TENANT].names == ("a", "aa")
    assert found[Escape.UNOWNED].name == "a"


def test_twins_in_another_case_are_found_where_the_rule_admits_them() -> None:
    leak = crossings(check(folding, "[A-Za-z]{1,9}"))[Escape.INTO_TENANT]
    assert leak.names == ("A", "a")
    assert check(folding, "[a-z]{1,9}").for_every_name


@pytest.mark.slow
def test_names_cut_short_are_found() -> None:
    report = check(cutting, "[a-z]{1,9}", drawing=shrinking)
    assert report.verdict is Verdict.LEAK
    assert len(crossings(report)[Escape.UNOWNED].name) == 6
    assert check(cutting, "[a-z]{1,5}").for_every_name


def test_a_strip_is_found() -> None:
    report = check(lambda name: invoke(f"{name.strip() or 'x'}/*"), None)
    leak = crossings(report)[Escape.INTO_TENANT]
    assert {" a", "a "} <= {leak.name, *leak.more}


def test_a_name_that_no_target_model_can_hold_owns_nothing() -> None:
    def render(name: str) -> dict[str, Any]:
        if not name.isalpha() or not name.islower():
            raise ValueError(name)
        # What NFKC makes of a fullwidth letter.
        return invoke(f"{name.replace(chr(0xFF41), 'a')}/*")

    (leak,) = check(render, None).findings
    assert isinstance(leak, Crossing)
    assert leak.names == ("\uff41", "a")
    assert check(render, "[a-z]+").for_every_name


def test_a_session_policy_of_one_role_by_tags() -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke("${aws:PrincipalTag/tenant}/*")

    session = "arn:aws:sts::111122223333:assumed-role/app/{tenant}"
    report = check(render, principal=session, tags={"tenant": "{tenant}"})
    assert report.for_every_name
    assert check(render, principal=session, tags={"tenant": "x{tenant}"}).verdict is Verdict.LEAK


def test_a_session_policy_bounds_what_the_role_may_do() -> None:
    def render(name: str) -> PolicySet:
        role = parse_policy(json.dumps(invoke("*")))
        session = parse_policy(json.dumps(invoke(f"{name}/*")))
        return PolicySet((role,), permissions_boundary=session)

    assert check(render).for_every_name


def test_several_policies_are_all_identity_policies() -> None:
    report = check(lambda name: [invoke(f"{name}/*"), json.dumps(invoke("x/*"))])
    assert report.verdict is Verdict.LEAK


def test_a_request_without_a_target_model_is_found() -> None:
    def render(name: str) -> dict[str, Any]:
        models = {"sagemaker:TargetModel": f"{name}/*"}
        return invoke(Condition={"StringLikeIfExists": models})

    assert set(crossings(check(render))) == {Escape.NO_TARGET_MODEL}


def test_two_endpoints_are_both_asked_about() -> None:
    other = ENDPOINT.replace("models", "other")

    def render(name: str) -> list[dict[str, Any]]:
        return [invoke(f"{name}/*"), invoke("*", Resource=other)]

    assert check(render).for_every_name
    assert check(render, endpoints=(ENDPOINT, other)).verdict is Verdict.LEAK


def test_listed_names_are_all_there_are() -> None:
    report = check(by_dict, ("acme", "acme-corp", "globex"))
    assert report.for_every_name
    assert report.tried == ("acme", "acme-corp", "globex")
    leaks = check(without_slash, ("acme", "acme-corp", "globex"))
    assert crossings(leaks)[Escape.INTO_TENANT].names == ("acme", "acme-corp")


def test_an_error_that_refuses_nothing_is_told_with_its_name_and_cause() -> None:
    def render(name: str) -> dict[str, Any]:
        return {"acme": invoke("acme/*")}[name]

    report = check(render, ("acme", "globex"))
    assert report.verdict is Verdict.UNKNOWN
    (raised,) = report.findings
    assert isinstance(raised, Raised)
    assert raised.name == "globex"
    assert check(render, ("acme", "globex"), refuses=(KeyError,)).verdict is Verdict.PROVED
    with pytest.raises(AssertionError, match="'globex'") as caught:
        assert_vendor_isolated(render, ["globex"], endpoint=ENDPOINT, owns=OWNS, settings=few)
    assert isinstance(caught.value.__cause__, KeyError)


def test_what_renders_otherwise_each_time_proves_nothing() -> None:
    count = iter(range(1000))
    report = check(lambda name: invoke(f"{name}/*", f"{name}/{next(count)}"), ("acme", "globex"))
    assert report.verdict is Verdict.UNKNOWN
    assert {type(finding) for finding in report.findings} == {Unsteady}


def test_a_sid_that_changes_says_nothing_to_iam() -> None:
    count = iter(range(10_000))
    report = check(lambda name: invoke(f"{name}/*", Sid=f"{name}{next(count)}"))
    assert report.for_every_name


@pytest.mark.parametrize(
    "returned",
    [
        None,
        3,
        {"Statement": []},
        {"Version": "2012-10-17"},
        [invoke("a/*"), 3],
        {"Statement": {1, 2}},
        "no policy",
        b"\xff",
        [PolicySet()],
        {**invoke("a/*"), "Extra": float("nan")},
    ],
    ids=repr,
)
def test_what_is_no_policy_is_no_pass(returned: object) -> None:
    report = check(lambda _: returned, ("a",))
    assert report.verdict is Verdict.UNKNOWN
    (finding,) = report.findings
    assert isinstance(finding, NoPolicy)
    assert "found" in str(finding.error)


def test_where_nobody_is_let_in_nothing_is_proved() -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(f"{name}/*", Resource=ENDPOINT + "-misspelt")

    for names in (RULE, ("a", "b")):
        report = check(render, names)
        assert report.verdict is Verdict.UNKNOWN
        assert "the endpoint's ARN" in str(report.findings)


def test_where_all_are_refused_nothing_is_proved() -> None:
    def render(name: str) -> dict[str, Any]:
        raise ValueError(name)

    assert check(render).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("names", [None, RULE, ("a", "b")])
def test_a_question_without_an_answer_in_time_is_no_pass(names: Any) -> None:
    report = check(by_dict, names, timeout=0.0)
    assert report.verdict is not Verdict.PROVED


def test_a_profile_that_draws_nothing_leaves_the_names_always_tried() -> None:
    again = settings(database=None, phases=[Phase.reuse])
    assert check(by_dict, drawing=again).for_every_name
    assert check(without_slash, drawing=again).verdict is Verdict.LEAK


def test_where_nearly_all_names_are_excluded_the_rest_is_tried() -> None:
    others = tuple(f"{char}*" for char in "abcdefghijklmnopqrstuvwxy")
    excluded = (*others, *(f"z{char}" for char in "abcdefghijklmnopqrstuvwxy"))
    report = check(by_dict, "[a-z]{2}", excluded=excluded)
    assert report.verdict is Verdict.PROVED
    assert report.tried == ("zz",)


def test_a_strategy_without_names_proves_nothing() -> None:
    assert check(by_dict, st.nothing()).verdict is Verdict.UNKNOWN
