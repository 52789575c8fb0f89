"""Policy vendors of test modules collected as tests."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import plugin_imports  # noqa: F401
import pytest

from tenantproof.testing.properties import vendor_headline
from tenantproof.vendors import AllNames, Vendor, VendorReport

VENDOR = """
import json
import re

import tenantproof

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"

@tenantproof.policy_vendor(endpoint=ENDPOINT, owns="{{tenant}}/*", names="[a-z][a-z0-9-]{{0,9}}")
def session_policy(tenant):
    return {{
        "Version": "2012-10-17",
        "Statement": {{
            "Effect": "Allow",
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": ENDPOINT,
            "Condition": {{"StringLike": {{"sagemaker:TargetModel": tenant + "{slash}*"}}}},
        }},
    }}

def helper(tenant):
    return session_policy(tenant)
"""


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-n", "2")])
def test_a_vendor_is_a_test(options: tuple[str, ...], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(VENDOR.format(slash="/"))
    result = pytester.runpytest(*options)
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["1 PROVED"])


def test_a_leaky_vendor_fails_with_the_names(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(VENDOR.format(slash=""))
    result = pytester.runpytest("-v", "--junit-xml=report.xml")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*::session_policy LEAK*",
            "tenantproof policy vendor session_policy: LEAK",
            "LEAK *reaches models of*",
            "LEAK policy vendor session_policy: 'a', 'aa' *",
        ]
    )
    assert "Traceback" not in result.stdout.str()
    properties = {
        str(each.get("name")): str(each.get("value"))
        for each in ET.parse(pytester.path / "report.xml").getroot().iter("property")
    }
    assert properties["verdict"] == "LEAK"
    assert json.loads(properties["request"])["action"] == "sagemaker:InvokeEndpoint"


def test_a_vendor_is_asked_about_by_a_test_of_ones_own(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        vendor=VENDOR.format(slash=""),
        test_it="""
        import tenantproof
        import vendor

        def test_it():
            tenantproof.assert_vendor_isolated(vendor.session_policy)

        def test_with_names():
            tenantproof.assert_vendor_isolated(vendor.session_policy, names=["acme", "corp"])
        """,
    )
    result = pytester.runpytest()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E *tenantproof policy vendor session_policy: LEAK"])


def test_a_vendor_that_says_too_little_is_an_error_of_collection(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("import tenantproof\n\n@tenantproof.policy_vendor\ndef f(t): pass")
    result = pytester.runpytest()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E *TypeError: found @policy_vendor without arguments, expected*"])


def test_the_headline_claims_no_more_than_was_proved() -> None:
    owns, endpoint = ("{tenant}/*",), "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
    some = Vendor(dict, (endpoint,), owns)
    report = VendorReport(some, ("a", "b"), (), (), AllNames(reason="no rule"), ())
    assert vendor_headline(report) == "PROVED policy vendor dict, of the 2 names tried alone"
    every = replace(some, names=("a", "b"))
    assert vendor_headline(replace(report, vendor=every)) == "PROVED policy vendor dict"


def test_objects_that_do_not_bear_to_be_asked_are_passed_by(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import tenantproof.vendors

        class Proxy:
            def __getattr__(self, name):
                if name.startswith("__tenantproof"):
                    raise RuntimeError("working outside of a context")
                raise AttributeError(name)

        test_proxy = Proxy()
        other = Proxy()

        def test_one():
            pass
        """
    )
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
