"""Marking a function as a vendor, and what is said of arguments that say nothing of any tenant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from vendor_helpers import ENDPOINT, OWNS, few, invoke

import tenantproof
from tenantproof.isolation import Verdict
from tenantproof.vendors import Vendor, assert_vendor_isolated, policy_vendor, vendor_of


def render(name: str) -> dict[str, Any]:
    return invoke(f"{name}/*")


@policy_vendor(endpoint=ENDPOINT, owns=OWNS, names="[a-z]{1,8}")
def marked(name: str) -> dict[str, Any]:
    return invoke(f"{name}/*")


def test_a_marked_function_stays_what_it_was() -> None:
    assert marked("acme") == render("acme")
    assert marked.__name__ == "marked"
    assert vendor_of(marked) == Vendor(marked, (ENDPOINT,), (OWNS,), names="[a-z]{1,8}")


def test_other_objects_are_no_vendors() -> None:
    assert vendor_of(render) is None
    assert vendor_of(3) is None


def test_nothing_more_need_be_said_of_a_marked_function() -> None:
    report = assert_vendor_isolated(marked, settings=few)
    assert report.verdict is Verdict.PROVED
    assert report.for_every_name


def test_what_is_given_goes_before_what_was_marked() -> None:
    assert assert_vendor_isolated(marked, ["acme", "b"], settings=few).tried == ("acme", "b")
    with pytest.raises(AssertionError, match="LEAK"):
        assert_vendor_isolated(marked, owns="x/{tenant}/*", settings=few)


def test_the_package_offers_what_tests_need() -> None:
    assert tenantproof.policy_vendor is policy_vendor
    assert tenantproof.assert_vendor_isolated is assert_vendor_isolated
    assert not hasattr(tenantproof, "nothing_of_the_sort")


def test_names_may_be_a_strategy() -> None:
    names = st.sampled_from(["acme", "acme-corp"])
    report = assert_vendor_isolated(render, names, endpoint=ENDPOINT, owns=OWNS, settings=few)
    assert set(report.tried) <= {"acme", "acme-corp"}
    assert not report.for_every_name


def test_a_strategy_of_other_things_is_refused() -> None:
    numbers: Any = st.just(3)
    with pytest.raises(TypeError, match="found 3 as a tenant's name"):
        assert_vendor_isolated(render, numbers, endpoint=ENDPOINT, owns=OWNS, settings=few)


def test_bare_decorators_are_told_what_they_lack() -> None:
    with pytest.raises(TypeError, match="without arguments, expected at least @policy_vendor"):
        policy_vendor(render)
    with pytest.raises(TypeError, match="without endpoint or owns"):
        policy_vendor(endpoint=ENDPOINT)


def test_a_plain_function_needs_an_endpoint() -> None:
    with pytest.raises(TypeError, match="found neither"):
        assert_vendor_isolated(render, owns=OWNS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"endpoint": "models"}, "'models' as endpoint, expected the ARN"),
        ({"owns": "models/*"}, r"'models/\*' in owns, expected a pattern with {tenant}"),
        ({"owns": "é{tenant}"}, "which no TargetModel can match"),
        ({"shared": "{tenant}/*"}, "in shared, expected no {tenant}"),
        ({"shared": " *"}, "in shared, which no TargetModel can match"),
        ({"principal": "app"}, "'app' as principal"),
        ({"tags": {"t": "{tenant}{tenant}"}}, "once at most"),
        ({"names": "(?=a)"}, "found .* in the names"),
        ({"names": "[a-z]", "excluded": "?"}, "of which none is left"),
        ({"names": []}, "found no name"),
        ({"names": ["a", 3]}, "found 3 in names"),
        ({"names": 3}, "found 3 as names"),
        ({"excluded": "{tenant}"}, "in excluded"),
    ],
)
def test_arguments_that_say_nothing_are_told(changes: dict[str, Any], message: str) -> None:
    arguments = {"endpoint": ENDPOINT, "owns": OWNS, **changes}
    with pytest.raises(ValueError, match=message):
        policy_vendor(**arguments)(render)


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"endpoint.*owns.*principal"):
        Vendor(render, ("x",), ("y",), principal="z")


def test_what_cannot_be_called_or_raised_is_refused() -> None:
    wrong: Any = "acme"
    with pytest.raises(TypeError, match="as render"):
        Vendor(wrong, (ENDPOINT,), (OWNS,))
    with pytest.raises(TypeError, match="in refuses"):
        Vendor(render, (ENDPOINT,), (OWNS,), refuses=(wrong,))
