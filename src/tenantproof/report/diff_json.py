"""A comparison as JSON, by the schema that ships with the package (``diff.schema.json``)."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from tenantproof.compare import Answer, Change, Compared, Comparison
from tenantproof.errors import Problem
from tenantproof.isolation import Verdict
from tenantproof.report.json_report import blame_to_json, problem_to_json, request_to_json
from tenantproof.request import Request

SCHEMA_VERSION = "1"


def diff_to_json(
    comparison: Comparison | None, problems: tuple[Problem, ...] = ()
) -> dict[str, Any]:
    """The comparison as a JSON object.

    Args:
        comparison: the answers; None where bad input prevented them, whose verdict is UNKNOWN.
        problems: what was wrong with the input.
    """
    verdict = comparison.verdict if comparison else Verdict.UNKNOWN
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": verdict.value,
        "question": comparison.question.value if comparison else None,
        "old": comparison.old if comparison else None,
        "new": comparison.new if comparison else None,
        "pairs": [_pair(pair) for pair in comparison.pairs] if comparison else [],
        "assumptions": list(comparison.assumptions) if comparison else [],
        "errors": [problem_to_json(problem) for problem in problems],
    }


def diff_schema() -> dict[str, Any]:
    """The JSON Schema of :func:`diff_to_json`'s result."""
    text = files("tenantproof.report").joinpath("diff.schema.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def _pair(pair: Compared) -> dict[str, Any]:
    return {"name": pair.name, "notes": list(pair.notes), **_answer(pair.answer)}


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "verdict": answer.verdict.value,
        "changes": [change_to_json(change) for change in answer.changes],
        "removed": change_to_json(answer.removed) if answer.removed else None,
        "reason": answer.reason,
        "attacked": answer.attacked,
        "engines": list(answer.engines),
    }


def change_to_json(change: Change) -> dict[str, Any]:
    """A request that two sides decide otherwise, with the statements behind both decisions."""
    by_old = change.by_old if change.by_old != change.by_new else None
    return {
        "way": change.way.value,
        "request": _request(change.by_new),
        "request_to_old": _request(by_old) if by_old else None,
        "shortest": change.shortest,
        "reason": change.reason,
        "old": {
            "allowed": change.way.by_old,
            "statements": [blame_to_json(each) for each in change.old_statements],
        },
        "new": {
            "allowed": change.way.by_new,
            "statements": [blame_to_json(each) for each in change.new_statements],
        },
    }


def _request(request: Request) -> dict[str, Any]:
    """As in the report of ``check``, and what kind of caller it is."""
    principal = request.principal
    found = request_to_json(request)
    found["principal"] |= {"kind": principal.kind.value, "canonical_user": principal.canonical_user}
    return found
