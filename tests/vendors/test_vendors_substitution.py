"""Plain substitution: found where it is, told where it is not, and the same to both readings."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_helpers import ENDPOINT, OWNS, RULE, check, few, invoke

from tenantproof.errors import InputError
from tenantproof.evaluate import decide
from tenantproof.isolation import Verdict
from tenantproof.policy import PolicySet, parse_policy
from tenantproof.request import Principal, Request
from tenantproof.vendors import VendorReport
from tenantproof.vendors.substitution import TAG, Substitution, substitution
from tenantproof_strategies import documents, requests


def reason(report: VendorReport) -> str:
    """Why there is no proof for all names, though all names tried are proved."""
    assert report.verdict is Verdict.PROVED
    assert not report.for_every_name
    return report.all_names.reason


def own(name: str, **changes: Any) -> dict[str, Any]:
    return invoke(f"{name}/*", **changes)


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ("[a-z*]{1,3}", "can be named '*'"),
        ("[a-z?]{1,3}", "can be named '?'"),
        ('[a-z"]{1,3}', "can be named '\"'"),
        ("[a-z$]{1,3}", "can be named '$'"),
        (r"[a-z\\]{1,3}", "policy variable is for plain characters"),
        ("[a-zé]{1,3}", "can be named 'é'"),
    ],
)
def test_a_variable_stands_for_plain_characters_alone(names: str, why: str) -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(Condition={"StringEquals": {"sagemaker:TargetModel": f"{name}/m"}})

    report = check(render, names)
    if report.verdict is Verdict.PROVED:
        assert why in reason(report)
    else:
        # "$" begins a variable, "${" or not.
        assert not report.for_every_name


def test_a_colon_in_an_arn_is_told() -> None:
    def render(name: str) -> dict[str, Any]:
        return own(name, Resource=[ENDPOINT, f"arn:aws:sagemaker:*:*:endpoint-config/{name}"])

    assert check(render).for_every_name
    assert "':', and the name stands in an ARN" in reason(check(render, "[a-z:]{1,4}"))
    role = "arn:aws:iam::111122223333:role/{tenant}"
    assert check(own, principal=role).for_every_name
    assert "principal's ARN" in reason(check(own, "[a-z:]{1,4}", principal=role))


def test_a_tag_that_is_reserved_is_told() -> None:
    tags = {TAG.title(): "x"}
    assert TAG in reason(check(own, tags=tags))


def test_a_name_in_a_condition_key_is_no_substitution() -> None:
    def render(name: str) -> dict[str, Any]:
        models = {"sagemaker:TargetModel": f"{name}/*", f"aws:PrincipalTag/{name}": "*"}
        return invoke(Condition={"StringLikeIfExists": models, "Null": _present()})

    assert "condition key aws:PrincipalTag/" in reason(check(render))


def _present() -> dict[str, str]:
    return {"sagemaker:TargetModel": "false"}


def test_a_name_in_an_action_is_no_substitution() -> None:
    def render(name: str) -> dict[str, Any]:
        return own(name, Action=["sagemaker:InvokeEndpoint", f"x:{name}"])

    assert "stands in Action" in reason(check(render))


def test_a_name_in_a_variable_is_no_substitution() -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(f"{name}/*", f"{name}/${{aws:PrincipalTag/plan, '{name}'}}")

    assert "no plain substitution" in reason(check(render))


def test_a_name_that_decides_more_than_a_text_is_told() -> None:
    def render(name: str) -> dict[str, Any]:
        return own(name) if len(name) < 9 else own(name, Effect="Deny")

    assert "the name is changed, or decides more" in reason(check(render))


def test_text_that_only_looks_like_a_variable_stays_text() -> None:
    def render(name: str) -> dict[str, Any]:
        return {**invoke(f"{name}/*", f"{name}/${{x}}"), "Version": "2008-10-17"}

    assert check(render).for_every_name


def test_a_name_may_stand_several_times_and_beside_wildcards() -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(f"{name}/{name}-?/*", f"{name}/v*/{name}")

    assert check(render, "[a-z]{1,9}").for_every_name


def test_names_that_others_hold_do_not_hide_it() -> None:
    def render(name: str) -> dict[str, Any]:
        return own(name, Sid="Endpoint", Resource=[ENDPOINT, f"{ENDPOINT}-a-b-c"])

    assert check(render).for_every_name


def test_a_leak_that_no_name_tried_shows_is_found_between_all() -> None:
    # Names of a fixed length are no prefixes of each other, but one team's prefix is a name.
    def render(name: str) -> dict[str, Any]:
        return invoke(f"{name}/*", "qxzvkw/*")

    report = check(render, "[a-z]{6}", shared=("qxzvk?/*",))
    assert report.verdict is Verdict.LEAK
    assert "qxzvkw" in {name for finding in report.findings for name in finding.names}


def test_what_is_shown_by_all_is_not_said_where_it_is_refused() -> None:
    taken = "qxzvkw"

    def render(name: str) -> dict[str, Any]:
        if name == taken:
            raise ValueError(name)
        return invoke(f"{name}/*", f"{taken}/*")

    report = check(render, "[a-z]{6}", shared=("qxzvk?/*",))
    assert report.for_every_name
    assert taken in report.refused


def test_fewer_than_two_names_are_no_substitution() -> None:
    one = PolicySet((parse_policy(json.dumps(own("a"))),))
    assert "fewer than two" in str(substitution({"a": one}))


PLAIN = st.text("abz09-_/", min_size=1, max_size=5)


@settings(max_examples=60)
@given(st.data(), documents(), st.lists(PLAIN, min_size=3, max_size=5, unique=True))
def test_a_substitution_is_what_is_rendered_to_the_evaluator(
    data: st.DataObject, document: dict[str, Any], names: list[str]
) -> None:
    text = json.dumps(document)

    def render(name: str) -> PolicySet:
        put = text.replace("acme", name).replace("common", name)
        return PolicySet((parse_policy(put),))

    try:
        rendered = {name: render(name) for name in names}
    except InputError:
        return
    found = substitution(rendered)
    if isinstance(found, str):
        return
    assert isinstance(found, Substitution)
    for name, policies in rendered.items():
        plain = Principal("arn:aws:iam::111122223333:role/app", {"tenant": name})
        tagged = Principal(plain.arn, {**plain.tags, TAG: name})
        request = data.draw(requests(policies, plain))
        same = Request(tagged, request.action, request.resource, request.context)
        assert decide(policies, request).allowed is decide(found.policies, same).allowed, (
            f"{name}: {OWNS}"
        )


def test_of_all_names_of_the_rule_the_longest_is_tried() -> None:
    report = check(own, RULE)
    assert max(map(len, report.tried)) == 9


def test_what_all_show_of_names_rendered_otherwise_proves_nothing_of_all() -> None:
    taken = "qxzvkw"

    def render(name: str) -> dict[str, Any]:
        # The name that all reach has policies, and they are not substituted.
        return invoke(f"{name}/*", f"{taken}/*", *(["qxzvkx/*"] if name == taken else []))

    report = check(render, "[a-z]{6}", shared=("qxzvk?/*",))
    assert report.verdict is Verdict.LEAK
    assert not report.for_every_name


def test_policies_that_speak_of_the_reserved_tag_are_told() -> None:
    taken = "qxzvkw"
    # Nobody has the tag, so that the Deny denies nothing.
    condition = {
        "Null": {f"aws:PrincipalTag/{TAG.title()}": "false"},
        "StringLike": {"sagemaker:TargetModel": f"{taken}/*"},
    }
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}

    def render(name: str) -> dict[str, Any]:
        policy = invoke(f"{name}/*", f"{taken}/*")
        return {**policy, "Statement": [*policy["Statement"], deny]}

    assert TAG in reason(check(render, "[a-z]{6}", shared=("qxzvk?/*",)))


def test_a_name_that_begins_a_variable_is_told() -> None:
    def render(name: str) -> dict[str, Any]:
        if name == "{a}":
            raise ValueError(name)
        return invoke(f"{name}/*", f"${name}/*")

    owns = ("{tenant}/*", "${tenant}/*")
    names = r"[a-z]{2,4}|\{a\}|\{qxzvkw\}"
    report = check(render, names, owns=owns, drawing=settings(few, max_examples=1))
    assert 'behind a "$"' in reason(report)
    assert check(render, "[a-z]{2,4}", owns=owns).for_every_name


def test_names_that_can_be_taken_out_in_two_ways_are_no_substitution() -> None:
    def policies(model: str) -> PolicySet:
        return PolicySet((parse_policy(json.dumps(invoke(model))),))

    # "a" before the name or behind it: of "b" each says something else.
    names = ["a" * length for length in range(1, 9)]
    assert "can be told" in str(substitution({n: policies(f"a{n}/*") for n in names}))
    found = substitution({n: policies(f"a{n}/*") for n in [*names, "bab"]})
    assert isinstance(found, Substitution)
    assert found.of("b") == policies("ab/*")
