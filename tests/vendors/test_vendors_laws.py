"""Laws of vendors, and their verdicts against every name and every model of a small alphabet."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from vendor_helpers import check, invoke

from tenantproof.isolation import Verdict
from tenantproof.vendors import hostile_names

CLASSES = st.lists(
    st.sampled_from(["a-z", "A-Z", "0-9", "_", ".", "@", "=", "~"]), min_size=1, unique=True
)
LENGTHS = st.tuples(st.integers(1, 3), st.integers(3, 40))
RULES = st.builds(
    lambda classes, lengths: f"[{''.join(classes)}-]{{{lengths[0]},{lengths[1]}}}",
    CLASSES,
    LENGTHS,
)
some = settings(max_examples=5, suppress_health_check=list(HealthCheck))


@pytest.mark.slow
@some
@given(RULES)
def test_a_prefix_of_the_name_and_a_slash_is_proved_for_all_names(rule: str) -> None:
    assert check(lambda name: invoke(f"{name}/*"), rule).for_every_name


@pytest.mark.slow
@some
@given(RULES, st.sampled_from(["{}*", "*", "?{}/*", "{}?*", "{}/*|x/*", "*{}/*", "[a{}/*]|*/m"]))
def test_a_wider_one_is_never_proved(rule: str, wider: str) -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(*wider.format(name).split("|"))

    assert check(render, rule).verdict is Verdict.LEAK


ALPHABET = "ab/*"
MODELS = tuple("".join(chars) for size in range(1, 7) for chars in product(ALPHABET, repeat=size))
NAMES = tuple("".join(chars) for size in range(3) for chars in product(ALPHABET, repeat=size))
BEFORE = ("", "", "", "a", "*", "?")
AFTER = ("", "/", "/*", "/*", "/*", "*", "?", "*/", "a/*")


@cache
def pattern(text: str) -> re.Pattern[str]:
    wild = {"*": ".*", "?": "."}
    return re.compile("".join(wild.get(char) or re.escape(char) for char in text), re.DOTALL)


@settings(max_examples=80, suppress_health_check=list(HealthCheck))
@given(
    st.builds("{}{{}}{}".format, st.sampled_from(BEFORE), st.sampled_from(AFTER)),
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True),
    st.sampled_from([(), ("b/*",), ("a*b",)]),
)
def test_a_verdict_agrees_with_every_model_of_every_name(
    template: str, names: list[str], shared: tuple[str, ...]
) -> None:
    def owns(name: str, model: str) -> bool:
        return bool(name) and model.startswith(f"{name}/")

    def crosses(name: str, model: str) -> bool:
        allowed = pattern(template.replace("{}", name)).fullmatch(model)
        others = any(owns(other, model) for other in names if other != name)
        is_shared = any(pattern(each).fullmatch(model) for each in shared)
        return bool(allowed) and (others or not (owns(name, model) or is_shared))

    def render(name: str) -> dict[str, Any]:
        return invoke(template.replace("{}", name))

    assume(all(template.replace("{}", name) for name in names))
    report = check(render, tuple(names), shared=shared)
    leaks = any(crosses(name, model) for name in names for model in MODELS)
    assert (report.verdict is Verdict.LEAK) is leaks


def test_the_hostile_names_are_always_the_same_and_each_once() -> None:
    names = hostile_names(["common/*", "models/v1/*"])
    assert names == hostile_names(["common/*", "models/v1/*"])
    assert len(set(names)) == len(names)
    assert {"", "*", "..", '"', "common", "models", "models/v1", "Acme", "acme"} <= set(names)
