"""``tenantproof explain``: one request of a principal of a manifest, decided with its reasons."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tenantproof.errors import InputError, Place, Problem
from tenantproof.evaluate import Decision
from tenantproof.isolation import Blame, Finding, Manifest
from tenantproof.isolation.blame import blame
from tenantproof.isolation.inquiry import Inquiry
from tenantproof.isolation.manifest import Endpoint, Member, TenantRule
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
    target_model_actions,
    target_model_domain,
)
from tenantproof.isolation.substitution import PLACEHOLDER, named
from tenantproof.prove import Budget
from tenantproof.reading import DOCUMENTED
from tenantproof.report import request_to_json
from tenantproof.report.quote import quote_statement
from tenantproof.report.text import blame_line, request_lines
from tenantproof.request import ContextValue, Request

INVOKE = "sagemaker:InvokeEndpoint"
"""The action where none is given."""


@dataclass(frozen=True)
class Asked:
    """A request as the command line has it.

    Attributes:
        who: a principal's ARN, or the name of a tenant or rule with one principal.
        name: of a rule, the name of the tenant.
        target_model: the TargetModel; None for a request without one.
        action: the action.
        endpoint: the name or ARN of an endpoint; None where the manifest has one.
        context: further condition keys.
    """

    who: str
    name: str | None = None
    target_model: str | None = None
    action: str = INVOKE
    endpoint: str | None = None
    context: Mapping[str, ContextValue] | None = None


@dataclass(frozen=True)
class Explanation:
    """A request, its decision, and the statements behind it."""

    request: Request
    decision: Decision
    statements: tuple[Blame, ...]


def explain(manifest: Manifest, asked: Asked) -> Explanation:
    """Decide a request with the evaluator.

    Args:
        manifest: whose principals and policies are asked about.
        asked: the request. Keys that every request has, such as ``aws:RequestedRegion``, are put
            in where the policies mention them and ``context`` does not.

    Returns:
        The decision, with the statements behind it.

    Raises:
        InputError: the manifest has no such principal or endpoint, or the API no such request.
    """
    member = _member(manifest, asked)
    endpoint = _endpoint(manifest, asked)
    _check(asked)
    inquiry = Inquiry(member, endpoint, (asked.action,), DOCUMENTED, Budget.of(None))
    target = {} if asked.target_model is None else {TARGET_MODEL: asked.target_model}
    context = {**inquiry.given_keys, **target, **(asked.context or {})}
    request = Request(member.principal, asked.action, endpoint.arn, context)
    decision = inquiry.decide(request)
    return Explanation(request, decision, blame(decision, request, DOCUMENTED))


def read_context(text: str) -> dict[str, ContextValue]:
    """The condition keys of a JSON object: each a text, or a list of texts.

    Raises:
        InputError: it is none.
    """
    expected = "expected a JSON object of keys to a text or a list of texts"
    try:
        data = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise _problem("--context", f"found {text!r:.80} ({error}), {expected}") from None
    if not isinstance(data, dict):
        raise _problem("--context", f"found {text!r:.80}, {expected}")
    return {key: _context_value(key, value, expected) for key, value in data.items()}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object, whose keys are each there once: case tells none from another for IAM."""
    names = [name.lower() for name, _ in pairs]
    for (name, _), lowered in zip(pairs, names, strict=True):
        if names.count(lowered) > 1:
            raise _problem("--context", f"found {name!r:.80} twice, expected each key once")
        if lowered == TARGET_MODEL.lower():
            raise _problem("--context", f"found {name!r}, expected it as --target-model")
    return dict(pairs)


def _context_value(key: str, value: Any, expected: str) -> ContextValue:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise _problem("--context", f"found {value!r:.80} of {key!r:.80}, {expected}")


def _problem(option: str, message: str) -> InputError:
    return InputError([Problem(message, Place(option, ""))])


def _member(manifest: Manifest, asked: Asked) -> Member:
    found = [
        (group, member)
        for group in manifest.groups
        for member in group.members
        if asked.who in (group.name, member.principal.arn)
    ]
    if not found:
        known = ", ".join(group.name for group in manifest.groups[:8])
        raise _problem(
            "--as", f'found "{asked.who}", expected a principal\'s ARN or one of {known}'
        )
    if len({member.principal.arn for _, member in found}) > 1:
        arns = ", ".join(member.principal.arn for _, member in found)
        raise _problem(
            "--as", f'found "{asked.who}" with several principals, expected one of {arns}'
        )
    group, member = found[0]
    if not isinstance(group, TenantRule):
        if asked.name is not None:
            raise _problem(
                "--name", f'found "{asked.name}", expected none: {group.name} is no rule'
            )
        return member
    if asked.name is None or not group.admits(asked.name):
        what = "nothing" if asked.name is None else f'"{asked.name}"'
        raise _problem("--name", f"found {what}, expected the name of a tenant of {group.name}")
    return replace(member, principal=named(member.principal, asked.name))


def _endpoint(manifest: Manifest, asked: Asked) -> Endpoint:
    known = ", ".join(endpoint.name for endpoint in manifest.endpoints)
    named_so = [e for e in manifest.endpoints if asked.endpoint in (None, e.name, e.arn)]
    if len(named_so) == 1:
        return named_so[0]
    found = "nothing" if asked.endpoint is None else f'"{asked.endpoint}"'
    raise _problem("--endpoint", f"found {found}, expected one of {known} (or an ARN)")


def _check(asked: Asked) -> None:
    """Whether the API takes the request."""
    if asked.action not in invoke_actions():
        known = ", ".join(invoke_actions())
        raise _problem("--action", f'found "{asked.action}", expected one of {known}')
    if asked.target_model is None:
        return
    if asked.action not in target_model_actions():
        raise _problem("--target-model", f"found one with {asked.action}, which takes none")
    if asked.target_model not in target_model_domain():
        domain = target_model_domain()
        raise _problem(
            "--target-model",
            f"found {asked.target_model!r:.80}, expected {domain.min_length} to"
            f" {domain.max_length} printable ASCII characters, the first not a space",
        )


def to_text(explanation: Explanation) -> str:
    """The decision, the request, and each statement behind it, quoted from its file."""
    lines = list(_lines(explanation))
    for each in explanation.statements:
        lines.append(f"         {blame_line(each)}")
        lines += [f"         {line}" for line in quote_statement(each)]
    return "\n".join([*lines, ""])


def _lines(explanation: Explanation) -> Iterator[str]:
    decision = explanation.decision
    yield f"{decision.outcome.value:<13} {explanation.request.principal.arn}"
    yield from request_lines(explanation.request)
    layers = ", ".join(layer.name for layer in decision.denied_by)
    if layers:
        yield f"         because nothing in {layers} allows it"


def to_json(explanation: Explanation) -> dict[str, Any]:
    """The request, as ``simulate`` reads it, and its decision."""
    return {
        "request": request_to_json(explanation.request),
        "decision": explanation.decision.outcome.value,
    }


def command_for(finding: Finding, manifest: Manifest) -> str | None:
    """The command line that decides a finding's request again; None where it has no request."""
    request = finding.request
    if request is None:
        return None
    context = {key: value for key, value in request.context.items() if key != TARGET_MODEL}
    target = request.context.get(TARGET_MODEL)
    name = finding.names.get("tenant")
    many = len(manifest.endpoints) > 1
    options = {
        "--as": _who(finding, manifest),
        "--name": name,
        "--action": request.action if request.action != INVOKE else None,
        "--endpoint": request.resource.rpartition("/")[2] if many else None,
        "--target-model": target if isinstance(target, str) else None,
        "--context": json.dumps(context) if context else None,
    }
    given = [
        text for option, value in options.items() if value is not None for text in (option, value)
    ]
    return shlex.join(["tenantproof", "explain", manifest.file, *given])


def _who(finding: Finding, manifest: Manifest) -> str:
    """The tenant where it has one principal, else the principal's ARN."""
    members = [
        m for group in manifest.groups if group.name == finding.tenant for m in group.members
    ]
    if len(members) == 1:
        return finding.tenant
    if finding.request is not None and PLACEHOLDER not in finding.principal and not finding.names:
        return finding.request.principal.arn
    return finding.principal
