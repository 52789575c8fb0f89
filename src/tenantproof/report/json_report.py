"""The report as JSON, by the schema that ships with the package (``report.schema.json``)."""

from __future__ import annotations

import json
from dataclasses import asdict
from importlib.resources import files
from typing import Any

from tenantproof.errors import Problem
from tenantproof.isolation import (
    Blame,
    CertificateNote,
    Evidence,
    Finding,
    Opinion,
    Report,
    Step,
    Verdict,
)
from tenantproof.request import ContextValue, Request

SCHEMA_VERSION = "1"


def to_json(report: Report | None, problems: tuple[Problem, ...] = ()) -> dict[str, Any]:
    """The report as a JSON object.

    Args:
        report: the report; None where bad input prevented the run, whose verdict is UNKNOWN.
        problems: what was wrong with the input.
    """
    verdict = report.verdict if report else Verdict.UNKNOWN
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict.value,
        "manifest": report.manifest if report else None,
        "findings": [_finding(f) for f in report.findings] if report else [],
        "assumptions": list(report.assumptions) if report else [],
        "left_out": list(report.left_out) if report else [],
        "errors": [problem_to_json(problem) for problem in problems],
    }


def report_schema() -> dict[str, Any]:
    """The JSON Schema of :func:`to_json`'s result."""
    text = files("tenantproof.report").joinpath("report.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "question": finding.question.value,
        "verdict": finding.verdict.value,
        "principal": finding.principal,
        "tenant": finding.tenant,
        "endpoint": finding.endpoint,
        "assertion": finding.assertion,
        "escape": finding.escape.value if finding.escape else None,
        "victims": list(finding.victims),
        "request": request_to_json(finding.request) if finding.request else None,
        "shortest": finding.shortest if finding.request else None,
        "example": finding.example,
        "statements": [blame_to_json(each) for each in finding.statements],
        "reason": finding.reason,
        "attacked": finding.attacked,
        "engines": list(finding.engines),
        "for_all": finding.for_all,
        "names": dict(finding.names) or None,
        "certificate": _note(finding.certificate),
        "engine_answers": [asdict(each) for each in finding.engine_answers],
        "route": finding.route.value if finding.route else None,
        "steps": [step_to_json(each) for each in finding.steps],
        "evidence": evidence_to_json(finding.evidence) if finding.evidence else None,
    }


def evidence_to_json(evidence: Evidence) -> dict[str, Any]:
    """What somebody else says of a finding."""
    return {
        "standing": evidence.standing.value,
        "reason": evidence.reason,
        "opinions": [_opinion(each) for each in evidence.opinions],
    }


def _opinion(opinion: Opinion) -> dict[str, Any]:
    return {
        "standing": opinion.standing.value,
        "asked": opinion.asked,
        "request": request_to_json(opinion.request),
        "decision": opinion.decision,
        "answer": opinion.answer,
        "reason": opinion.reason,
        "statements": list(opinion.statements),
        "case": opinion.case,
    }


def step_to_json(step: Step) -> dict[str, Any]:
    """A step of a way."""
    request = request_to_json(step.request)
    principal = request.pop("principal")
    return {
        "principal": principal["arn"],
        "tags": principal["tags"],
        **request,
        "effect": step.effect,
        "statements": [blame_to_json(each) for each in step.statements],
    }


def _note(note: CertificateNote | None) -> dict[str, Any] | None:
    return None if note is None else {"written": note.written, "reason": note.reason}


def request_to_json(request: Request) -> dict[str, Any]:
    """The request in the form that ``tenantproof simulate`` reads."""
    principal = request.principal
    kept = {name: _value(value) for name, value in principal.context.items()}
    context = {name: _value(value) for name, value in request.context.items()}
    return {
        "principal": {"arn": principal.arn, "tags": dict(principal.tags)},
        "action": request.action,
        "resource": request.resource,
        "context": {**kept, **context},
    }


def _value(value: ContextValue) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def blame_to_json(each: Blame) -> dict[str, Any]:
    """A statement that had a part in a decision."""
    return {
        "layer": each.layer,
        "file": each.file,
        "statement": each.statement,
        "sid": each.sid,
        "effect": each.effect.value,
        "applies": each.applies,
        "path": each.place.path,
        "line": each.place.line,
        "column": each.place.column,
        "pattern": each.pattern,
        "because": each.because,
    }


def problem_to_json(problem: Problem) -> dict[str, Any]:
    """A problem with its place."""
    return {
        "message": problem.message,
        "file": problem.place.file,
        "path": problem.place.path,
        "line": problem.place.line,
        "column": problem.place.column,
        "statement": problem.statement,
        "hint": problem.hint,
    }
