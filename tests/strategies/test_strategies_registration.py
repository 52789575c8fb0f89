"""What Hypothesis's entry point does: types are known, and importing Hypothesis stays cheap."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenantproof.evaluate import decide
from tenantproof.policy import PolicyDocument, PolicySet
from tenantproof.request import Principal, Request
from tenantproof_strategies.registration import register

few = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])

CODE = """
from tenantproof_strategies.registration import register
import hypothesis.strategies as st
{}
from tenantproof.policy import PolicyDocument, PolicySet
from tenantproof.request import Principal, Request
for type_ in (PolicyDocument, PolicySet, Principal, Request):
    print(st.from_type(type_).validate() or type_.__name__)
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@few
@given(st.data())
def test_types_are_drawn_by_annotation(data: st.DataObject) -> None:
    register()
    for type_ in (PolicyDocument, PolicySet, Principal, Request):
        assert isinstance(data.draw(st.from_type(type_)), type_)


@few
@given(...)
def test_annotations_alone_are_enough(policies: PolicySet, request: Request) -> None:
    decide(policies, request)


@pytest.mark.parametrize(
    "before",
    [
        "register()",
        "import tenantproof.policy; register()",
        "import tenantproof.request; register()",
        "register(); register()",
    ],
)
def test_types_are_known_whatever_is_imported_first(before: str) -> None:
    assert run(CODE.format(before)).split() == [
        "PolicyDocument",
        "PolicySet",
        "Principal",
        "Request",
    ]


def test_registering_imports_nothing() -> None:
    loaded = run(
        "import hypothesis, sys\n"
        "from tenantproof_strategies.registration import register\n"
        "register()\n"
        "print(*(name for name in sys.modules if name.startswith(('tenantproof', 'z3', 'boto'))))"
    )
    assert set(loaded.split()) == {
        "tenantproof_strategies",
        "tenantproof_strategies.registration",
    }


def test_no_strategy_loads_a_solver_or_an_aws_client() -> None:
    loaded = run(
        "import sys\n"
        "import tenantproof_strategies as strategies\n"
        "for name in strategies.__all__: getattr(strategies, name)\n"
        "strategies.policy_sets().flatmap(strategies.requests).example()\n"
        "print(*sys.modules)"
    )
    assert not {"z3", "cvc5", "boto3", "botocore"} & set(loaded.split())
