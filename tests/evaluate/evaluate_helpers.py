"""One statement, one request: the shortest way to ask the evaluator a question."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from tenantproof.evaluate import Decision, decide
from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, parse_policy
from tenantproof.reading import DOCUMENTED, Reading
from tenantproof.request import ContextValue, Principal, Request

ACTION = "sagemaker:InvokeEndpoint"
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
ROLE = "arn:aws:iam::111122223333:role/acme"
TARGET_MODEL = "sagemaker:TargetModel"
ABSENT: Final = None
"""Stands in a table for a key that the request does not have."""

Given = str | tuple[str, ...] | None


def statement(**changes: Any) -> dict[str, Any]:
    """Allows everything, but for the elements changed or added; None takes an element away."""
    elements = {"Effect": "Allow", "Action": "*", "Resource": "*", **changes}
    return {name: value for name, value in elements.items() if value is not None}


def deny(**changes: Any) -> dict[str, Any]:
    """Denies everything, but for the elements changed or added."""
    return statement(Effect="Deny", **changes)


def policy(*statements: dict[str, Any], version: str | None = "2012-10-17") -> PolicyDocument:
    """An identity policy."""
    written = {"Version": version} if version else {}
    text = json.dumps({**written, "Statement": list(statements)})
    return parse_policy(text, kind=PolicyKind.IDENTITY)


def request(
    context: Mapping[str, ContextValue] | None = None,
    *,
    action: str = ACTION,
    resource: str = ENDPOINT,
    tags: Mapping[str, str] | None = None,
    principal: str = ROLE,
) -> Request:
    """A request by a role."""
    return Request(Principal(principal, tags or {}), action, resource, context or {})


def decision(
    *statements: dict[str, Any],
    to: Request | None = None,
    reading: Reading = DOCUMENTED,
    version: str | None = "2012-10-17",
) -> Decision:
    """What one identity policy decides."""
    policies = PolicySet((policy(*statements, version=version),))
    return decide(policies, to or request(), reading)


def applies(
    written: dict[str, Any],
    to: Request | None = None,
    *,
    reading: Reading = DOCUMENTED,
    version: str | None = "2012-10-17",
) -> bool:
    """Whether a statement applies to a request; the same asked of its Deny twin."""
    allowed = decision(written, to=to, reading=reading, version=version).allowed
    twin = {**written, "Effect": "Deny"}
    denied = bool(decision(twin, to=to, reading=reading, version=version).results[0].applies)
    assert allowed == denied, "whether a statement applies must not depend on its Effect"
    return allowed


def holds(
    operator: str,
    wanted: Any,
    given: Given,
    *,
    key: str = "aws:RequestTag/k",
    reading: Reading = DOCUMENTED,
) -> bool:
    """Whether a condition holds where the request gives its key one value, several, or none."""
    context = {} if given is None else {key: given}
    written = statement(Condition={operator: {key: wanted}})
    return applies(written, request(context), reading=reading)
