"""Names of tenants: hostile ones are drawn, and where there is a rule only names that match it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tenantproof.isolation.naming import parse_rule
from tenantproof_strategies import tenant_names

RULES = (
    "[a-z][a-z0-9-]{0,29}",
    "acme|team-[0-9]+",
    "[a-z]*",
    ".+",
    "(ab|c){2,4}",
    "[^/]{1,3}",
    "t\\d{12}",
    "^[é-ö]+$",
)
few = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
search = settings(
    max_examples=2000, database=None, derandomize=True, phases=[Phase.generate, Phase.shrink]
)


@few
@given(st.data(), st.sampled_from(RULES))
def test_a_rule_holds_of_every_name(data: st.DataObject, rule: str) -> None:
    name = data.draw(tenant_names(["acme", "team-1"], names=rule))
    assert name
    assert parse_rule(rule).accepts(name)
    assert re.fullmatch(rule, name, re.ASCII)


@pytest.mark.parametrize(
    "is_so",
    [
        lambda name: name == "acm",
        lambda name: name == "acme-b",
        lambda name: name == "ACME",
        lambda name: name == "acrne",
        lambda name: name == "\u0430cme",
        lambda name: name == "*",
        lambda name: name == "${aws:username}",
        lambda name: '"' in name,
        lambda name: "\n" in name,
        lambda name: name == "",
        lambda name: len(name) > 1024,
        lambda name: name == "acme/common",
    ],
)
def test_neighbours_and_hostile_names_are_found(is_so: Any) -> None:
    find(tenant_names(["acme", "common"]), is_so, settings=search)


@pytest.mark.parametrize(
    "is_so",
    [
        lambda name: len(name) == 1,
        lambda name: len(name) == 30,
        lambda name: name.endswith("-"),
        lambda name: name.startswith("acme-"),
        lambda name: name == "acm",
    ],
)
def test_the_bounds_of_a_rule_are_found(is_so: Any) -> None:
    find(tenant_names(["acme"], names="[a-z][a-z0-9-]{0,29}"), is_so, settings=search)


def test_names_shrink_to_plain_ones() -> None:
    assert find(tenant_names(), lambda name: True, settings=search) == "a"
    assert find(tenant_names(names="[a-z]{2,9}"), lambda name: True, settings=search) == "acme"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"near": "acme"}, TypeError, "found the text 'acme' as near, expected an iterable"),
        ({"near": [1]}, TypeError, "found 1 in near, expected names as texts"),
        ({"near": 1}, TypeError, "found 1 as near, expected an iterable of names"),
        ({"names": 1}, TypeError, "found 1 as names, expected a rule as a text"),
        ({"names": "a(?=b)"}, InvalidArgument, "expected a plain group .* in names="),
        ({"names": "()"}, InvalidArgument, "which admits no name"),
    ],
)
def test_bad_arguments_fail_at_once(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        tenant_names(**arguments)
