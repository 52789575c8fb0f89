"""Policies to start a test from, and the problems that the reader finds in one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantproof.errors import InputError, Problem
from tenantproof.policy import PolicyDocument, PolicyKind, parse_policy

FILE = "policy.json"
ACTION = "sagemaker:InvokeEndpoint"
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"


def statement(**changes: Any) -> dict[str, Any]:
    """A valid statement, with elements changed or added."""
    return {"Effect": "Allow", "Action": ACTION, "Resource": ENDPOINT, **changes}


def without(element: str) -> dict[str, Any]:
    """A valid statement that lacks one element."""
    return {name: value for name, value in statement().items() if name != element}


def document(*statements: Any, **changes: Any) -> dict[str, Any]:
    """A document of version 2012-10-17."""
    return {"Version": "2012-10-17", "Statement": list(statements), **changes}


def with_condition(operator: str, values: Any, key: str = "aws:k") -> dict[str, Any]:
    """A document with one statement under one condition."""
    return document(statement(Condition={operator: {key: values}}))


def read(
    policy: dict[str, Any] | str | bytes,
    *,
    lenient: bool = False,
    kind: PolicyKind = PolicyKind.ANY,
) -> PolicyDocument:
    """Read a policy, given as its text or as the object that the text would write."""
    text = json.dumps(policy) if isinstance(policy, dict) else policy
    return parse_policy(text, file=FILE, lenient=lenient, kind=kind)


def problems_of(
    policy: dict[str, Any] | str | bytes,
    *,
    lenient: bool = False,
    kind: PolicyKind = PolicyKind.ANY,
) -> tuple[Problem, ...]:
    """The problems for which a policy is refused."""
    with pytest.raises(InputError) as refused:
        read(policy, lenient=lenient, kind=kind)
    assert all(problem.place.file == FILE for problem in refused.value.problems)
    return refused.value.problems


def the_problem(
    policy: dict[str, Any] | str | bytes,
    *,
    lenient: bool = False,
    kind: PolicyKind = PolicyKind.ANY,
) -> Problem:
    """The only problem of a policy."""
    (problem,) = problems_of(policy, lenient=lenient, kind=kind)
    return problem
