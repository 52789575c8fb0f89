"""Disagreements with the simulator, written down so that everybody can ask both sides again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from tenantproof import __version__
from tenantproof.errors import TenantproofError
from tenantproof.evaluate import Decision
from tenantproof.isolation import Finding, Opinion, Probe
from tenantproof.live.parameters import merged
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation
from tenantproof.policy import Access, PolicyDocument
from tenantproof.policy.stack import Levels
from tenantproof.policy.writer import policy_to_json
from tenantproof.request import Request

CASE = "case.jsonl"
DISAGREEMENT = "disagreement.json"

_COMMANDS = {
    Operation.CUSTOM: "simulate-custom-policy",
    Operation.PRINCIPAL: "simulate-principal-policy",
}
"""How the AWS CLI names the operations."""

_NAME_LENGTH = 16


def write_case(
    folder: Path,
    finding: Finding,
    probe: Probe,
    asked: Sequence[Simulation],
    answers: Sequence[Answer | NoAnswer],
) -> Path:
    """Write what is needed to ask both sides about a request again.

    The folder's name follows from the question alone: the same disagreement is written to the
    same place. In it stand ``case.jsonl`` for ``tenantproof simulate``, for each question to the
    simulator a file for ``aws iam simulate-... --cli-input-json``, and ``disagreement.json``, what
    both sides said.

    Args:
        folder: where the case's folder is made.
        finding: the answer that rests on the request.
        probe: the request, with the evaluator's decision.
        asked: the questions to the simulator.
        answers: the answer to each.

    Returns:
        The case's folder.

    Raises:
        OSError: it cannot be written.
    """
    case = _case(probe)
    inputs = dict(_cli_inputs(asked))
    name = sha256(_json([case, inputs]).encode()).hexdigest()[:_NAME_LENGTH]
    files = {
        CASE: json.dumps({"id": name, **case}) + "\n",
        **{file: _json(parameters) for file, parameters in inputs.items()},
        DISAGREEMENT: _json(_disagreement(finding, probe, asked, answers)),
    }
    written = folder / name
    written.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (written / file).write_text(text, "utf-8")
    return written


def with_case(refuted: Opinion, write: Callable[[], Path]) -> Opinion:
    """A refuted opinion with the folder of its case, or why it could not be written.

    Args:
        refuted: the opinion.
        write: writes the case; returns its folder.
    """
    try:
        return replace(refuted, case=str(write()))
    except (OSError, TenantproofError) as error:
        return replace(refuted, reason=f"{refuted.reason}; the case was not written: {error}")


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


# -- both sides' questions ---------------------------------------------------------------------


def _case(probe: Probe) -> dict[str, Any]:
    """The request as ``tenantproof simulate`` reads it, but for its id."""
    return {"request": _request(probe.request), **dict(_layers(probe.access))}


def _request(request: Request) -> dict[str, Any]:
    """What the principal's own keys say is said by the context."""
    of_request = {name.lower() for name in request.context}
    of_principal = {
        name: value
        for name, value in request.principal.context.items()
        if name.lower() not in of_request
    }
    return {
        "principal": {"arn": request.principal.arn, "tags": dict(request.principal.tags)},
        "action": request.action,
        "resource": request.resource,
        "context": {**of_principal, **request.context},
    }


def _layers(access: Access) -> Iterator[tuple[str, Any]]:
    caller = access.caller
    yield "identity_policies", [_policy(policy) for policy in caller.identity_policies]
    if caller.permissions_boundary is not None:
        yield "permissions_boundary", _policy(caller.permissions_boundary)
    if caller.session_policies:
        yield "session_policy", _policy(merged(caller.session_policies))
    if caller.service_control_policies:
        yield "service_control_policies", _levels(caller.service_control_policies)
    if access.resource_control_policies:
        yield "resource_control_policies", _levels(access.resource_control_policies)
    if access.resource_policy is not None:
        yield "resource_policy", _policy(access.resource_policy)


def _levels(levels: Levels) -> list[list[Any]]:
    return [[_policy(policy) for policy in level] for level in levels]


def _policy(policy: PolicyDocument) -> Any:
    return json.loads(policy_to_json(policy))


def _cli_inputs(asked: Sequence[Simulation]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The parameters of each question by the name of its file."""
    for at, question in enumerate(asked, 1):
        number = f"-{at}" if len(asked) > 1 else ""
        file = f"{_COMMANDS[question.operation]}{number}.json"
        subject = {"ActionNames": [question.action], "ResourceArns": [question.resource]}
        yield file, {**subject, **question.parameters}


# -- both sides' answers -----------------------------------------------------------------------


def _disagreement(
    finding: Finding,
    probe: Probe,
    asked: Sequence[Simulation],
    answers: Sequence[Answer | NoAnswer],
) -> dict[str, Any]:
    import botocore  # noqa: PLC0415 - only who asks AWS pays for it

    return {
        "finding": {
            "question": finding.question.value,
            "verdict": finding.verdict.value,
            "tenant": finding.tenant,
            "principal": finding.principal,
            "endpoint": finding.endpoint,
            "assertion": finding.assertion,
        },
        "tenantproof": _ours(probe.decision),
        "simulator": [_theirs(*pair) for pair in zip(asked, answers, strict=True)],
        "versions": {"tenantproof": __version__, "botocore": botocore.__version__},
    }


def _ours(decision: Decision) -> dict[str, Any]:
    return {
        "decision": decision.outcome.value,
        "denied_by": [layer.name for layer in decision.denied_by],
        "statements": [
            {
                "layer": result.layer.name,
                "file": result.layer.policies[result.policy_index].file,
                "statement": result.statement.name,
                "effect": result.effect.value,
                "applies": result.applies,
                "because": [check.because for check in result.checks],
            }
            for result in decision.results
        ],
    }


def _theirs(asked: Simulation, answer: Answer | NoAnswer) -> dict[str, Any]:
    operation = asked.operation.value
    if isinstance(answer, NoAnswer):
        said = {"failure": answer.failure.value, "message": answer.message}
        return {"operation": operation, **said}
    return {
        "operation": operation,
        "decision": answer.decision,
        "matched": [
            {
                "policy": identifier,
                "line": line,
                "column": column,
                "statement": None if line is None else asked.statements.get((identifier, line)),
            }
            for identifier, line, column in answer.matched
        ],
        "missing": list(answer.missing),
        "details": dict(answer.details),
    }
