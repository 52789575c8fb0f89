"""What a report of a test says of an answer: for JUnit XML, and for the summary of the run."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tenantproof.compare import Comparison
from tenantproof.isolation import Step, Verdict
from tenantproof.report import request_to_json
from tenantproof.report.evidence_text import evidences_of, reasons
from tenantproof.report.json_report import step_to_json
from tenantproof.testing.checks import Outcome
from tenantproof.testing.words import headline
from tenantproof.vendors import Crossing, VendorReport

VERDICT = "verdict"
ENGINE = "engine"
REQUEST = "request"
STEPS = "steps"
ANSWER = "tenantproof"
"""The names of the properties: the verdict, what decided it, a leak's request as ``simulate`` reads
it or the steps of a way as ``check`` has them, and the answer in words."""

EVIDENCE = "evidence"
EVIDENCE_REASON = "evidence_reason"
"""What AWS makes of each finding, where it was asked: the standing, and what it is for."""

DISAGREEMENT = "DISAGREEMENT"
"""Instead of a verdict, where the two readings of the policies differ."""


def properties_of(outcome: Outcome) -> list[tuple[str, object]]:
    """The properties of an answer."""
    finding = outcome.worst
    found: list[tuple[str, object]] = [
        (ANSWER, headline(outcome)),
        (VERDICT, finding.verdict.value),
        (ENGINE, ", ".join(finding.engines)),
    ]
    if finding.request is not None:
        found.append((REQUEST, json.dumps(request_to_json(finding.request))))
    if finding.steps:
        found.append((STEPS, json.dumps([_step(each) for each in finding.steps])))
    for evidence in evidences_of(outcome.findings):
        found.append((EVIDENCE, evidence.standing.value))
        found += [(EVIDENCE_REASON, reason) for reason in reasons(evidence)]
    return found


def _step(step: Step) -> dict[str, object]:
    """A step, less the statements that allow it."""
    return {name: each for name, each in step_to_json(step).items() if name != "statements"}


def properties_of_comparison(comparison: Comparison) -> list[tuple[str, object]]:
    """The properties of an answer about two sets of policies."""
    verdict = comparison.verdict.value
    answers = [pair.answer for pair in comparison.pairs]
    requests = [change.by_new for answer in answers for change in answer.changes]
    engines = sorted({engine for answer in answers for engine in answer.engines})
    said = f"{verdict} {comparison.question.value}: {comparison.old} -> {comparison.new}"
    found: list[tuple[str, object]] = [(ANSWER, said), (VERDICT, verdict)]
    found.append((ENGINE, ", ".join(engines)))
    found += [(REQUEST, json.dumps(request_to_json(request))) for request in requests[:1]]
    return found


def vendor_headline(report: VendorReport) -> str:
    """The verdict about a vendor in one line."""
    names = next((finding.names for finding in report.findings if finding.names), ())
    about = f": {', '.join(map(repr, names))}" if names else ""
    if report.verdict is Verdict.PROVED and not report.for_every_name:
        about = f", of the {len(report.tried)} names tried alone"
    return f"{report.verdict.value} policy vendor {report.vendor.name}{about}"


def properties_of_vendor(report: VendorReport) -> list[tuple[str, object]]:
    """The properties of an answer about a policy vendor."""
    answers = [finding.answer for finding in report.findings if isinstance(finding, Crossing)]
    engines = {
        engine for answer in (*answers, *report.all_names.answers) for engine in answer.engines
    }
    found: list[tuple[str, object]] = [
        (ANSWER, vendor_headline(report)),
        (VERDICT, report.verdict.value),
        (ENGINE, ", ".join(sorted(engines)) or "automata"),
    ]
    requests = [answer.request for answer in answers if answer.request is not None]
    found += [(REQUEST, json.dumps(request_to_json(request))) for request in requests[:1]]
    return found


def answers_in(properties: Iterable[tuple[str, object]]) -> list[tuple[str, str]]:
    """The verdicts that a report of a test holds, each with the answer in words."""
    found: list[tuple[str, str]] = []
    said: str | None = None
    for name, value in properties:
        if name == ANSWER:
            said = str(value)
        elif name == VERDICT and said is not None:
            found.append((str(value), said))
            said = None
    return found
