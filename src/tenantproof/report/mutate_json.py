"""A survey of mutants as JSON, by the schema that ships with the package."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from tenantproof.errors import Problem
from tenantproof.isolation import Finding, Verdict
from tenantproof.mutate import (
    Checked,
    Equivalent,
    MutationReport,
    Noticed,
    Outcome,
    Survived,
    Tally,
    Undecided,
)
from tenantproof.report.diff_json import change_to_json
from tenantproof.report.json_report import problem_to_json

SCHEMA_VERSION = "1"


def mutation_to_json(
    report: MutationReport | None, problems: tuple[Problem, ...] = ()
) -> dict[str, Any]:
    """The survey as a JSON object.

    Args:
        report: the survey; None where bad input prevented it.
        problems: what was wrong with the input.
    """
    baseline = report.baseline.findings if report else ()
    return {
        "schema_version": SCHEMA_VERSION,
        "manifest": report.manifest if report else None,
        "baseline": {
            "verdict": (report.baseline.verdict if report else Verdict.UNKNOWN).value,
            "failed": [_finding(f) for f in baseline if f.verdict is not Verdict.PROVED],
        },
        "score": _score(report),
        "total": _tally(report.total if report else Tally()),
        "kinds": {kind.value: _tally(t) for kind, t in report.by_kind().items()} if report else {},
        "slips": report.slips if report else 0,
        "tried": report.tried if report else 0,
        "also_noticed_by": report.also if report else None,
        "mutants": [_checked(each) for each in report.checked] if report else [],
        "assumptions": list(report.assumptions) if report else [],
        "errors": [problem_to_json(problem) for problem in problems],
    }


def mutation_schema() -> dict[str, Any]:
    """The JSON Schema of :func:`mutation_to_json`'s result."""
    text = files("tenantproof.report").joinpath("mutate.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _score(report: MutationReport | None) -> float | None:
    score = report.total.score if report else None
    return None if score is None else float(score)


def _tally(tally: Tally) -> dict[str, int]:
    return {
        "made": tally.made,
        "equivalent": tally.equivalent,
        "noticed": tally.noticed,
        "noticed_by_unknown": tally.unknown,
        "survived": tally.survived,
        "undecided": tally.undecided,
    }


def _checked(checked: Checked) -> dict[str, Any]:
    mutant, outcome = checked.mutant, checked.outcome
    return {
        "file": mutant.file,
        "path": mutant.place.path,
        "line": mutant.place.line,
        "column": mutant.place.column,
        "statement": mutant.statement,
        "kind": mutant.kind.value,
        "sentence": mutant.sentence,
        "widens": mutant.widens,
        "diff": mutant.diff(),
        **_outcome(outcome),
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"noticed_by": None, "finding": None, "change": None, "reason": None}
    match outcome:
        case Equivalent():
            return {"outcome": "equivalent", **told}
        case Noticed(by, finding):
            answer = _finding(finding) if finding else None
            return {"outcome": "noticed", **told, "noticed_by": by, "finding": answer}
        case Survived(change):
            return {"outcome": "survived", **told, "change": change_to_json(change)}
        case Undecided(reason):
            return {"outcome": "undecided", **told, "reason": reason}


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "question": finding.question.value,
        "verdict": finding.verdict.value,
        "tenant": finding.tenant,
        "principal": finding.principal,
        "endpoint": finding.endpoint,
        "assertion": finding.assertion,
        "reason": finding.reason,
    }
