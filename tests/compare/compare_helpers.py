"""Policies in a few words, for the tests of comparisons."""

from __future__ import annotations

import json
from typing import Any

from tenantproof.compare import Answer, Terms, Way
from tenantproof.compare.inquiry import Inquiry, Requests, Side
from tenantproof.isolation import Verdict
from tenantproof.policy import PolicySet, ResourcePolicies, Stack, parse_policy
from tenantproof.prove import Budget
from tenantproof.reading import DOCUMENTED

PROVED, LEAK, UNKNOWN = Verdict.PROVED, Verdict.LEAK, Verdict.UNKNOWN
TERMS = Terms(timeout=20.0)


def statement(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    return {k: v for k, v in {**base, **changes}.items() if v is not None}


def identity(*statements: dict[str, Any]) -> PolicySet:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return PolicySet((parse_policy(text),)) if statements else PolicySet()


def resource(*statements: dict[str, Any]) -> ResourcePolicies:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return ResourcePolicies((parse_policy(text),)) if statements else ResourcePolicies()


def when(**conditions: Any) -> PolicySet:
    """An Allow under conditions: ``when(StringEquals={...})``."""
    return identity(statement(Condition=conditions))


def allowed(stack: Stack) -> Requests | None:
    """The smallest request that a stack allows."""
    nothing: Stack = PolicySet() if isinstance(stack, PolicySet) else ResourcePolicies()
    inquiry = Inquiry(Side(nothing), Side(stack), DOCUMENTED, Budget.of(20.0))
    found = inquiry.smallest(Way.GAINED)
    assert found is None or isinstance(found, Requests)
    return found


def only_change(answer: Answer) -> Requests:
    (change,) = answer.changes
    return Requests(change.by_old, change.by_new)
