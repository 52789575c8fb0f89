"""Why an access test failed: the answer, the statement to blame, and how to see it again."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tenantproof.compare import Comparison
from tenantproof.errors import Place
from tenantproof.explain import command_for
from tenantproof.isolation import Blame, Finding, Manifest, Question, Verdict
from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.report import diff_to_text
from tenantproof.report.quote import quote_statement
from tenantproof.report.text import finding_lines, label, sentence
from tenantproof.testing.checks import Outcome
from tenantproof.testing.in_code import IN_CODE
from tenantproof.testing.policies import texts

_MOST_QUOTED = 2
_MOST_STEPS_QUOTED = 4


def headline(outcome: Outcome) -> str:
    """The verdict and what it is about, in one line."""
    finding = outcome.worst
    return f"{label(finding)} {sentence(finding)}"


def failure(outcome: Outcome, manifest: Manifest, again: str | None = None) -> str:
    """An answer that is not PROVED, in full.

    Args:
        outcome: the answer.
        manifest: what was asked about.
        again: a command line that asks the question again.

    Returns:
        Lines of text: what was expected and found, the requests, the statements to blame as their
        files have them, and a command line that shows each request's decision.
    """
    lines = list(_expected_and_found(outcome.worst))
    quoted: set[Place] = set()
    for finding in outcome.findings:
        lines += ["", *_full(finding, manifest, quoted)]
    if again is not None:
        lines.append(f"ask again:   {again}")
    return "\n".join(lines)


def _full(finding: Finding, manifest: Manifest, quoted: set[Place]) -> Iterator[str]:
    yield from "\n".join(finding_lines(finding)).rstrip().split("\n")
    blamed = [each for each in finding.statements if each.applies] or list(finding.statements)
    # Of a step that both sides allow the caller's own statement comes last.
    of_steps = [step.statements[-1] for step in finding.steps if step.statements]
    for each in of_steps[:_MOST_STEPS_QUOTED] or blamed[:_MOST_QUOTED]:
        if each.place not in quoted:
            quoted.add(each.place)
            yield from _quoted(each)
    command = command_for(finding, manifest) if finding.verdict is Verdict.LEAK else None
    if command is not None and manifest.file != IN_CODE:
        yield ""
        yield f"reproduce:   {command}"


def _quoted(blame: Blame) -> Iterator[str]:
    lines = quote_statement(blame, texts())
    if lines:
        yield ""
        yield f"{blame.file}:{blame.place.line}"
        yield from lines


def _expected_and_found(finding: Finding) -> Iterator[str]:
    """What was asked for and what is the case, as a diff has it."""
    who = finding.tenant
    yield f"- {_claim(finding, who)}"
    match finding.verdict:
        case Verdict.UNKNOWN:
            yield f"+ UNKNOWN: {finding.reason}"
        case _:
            yield f"+ {_fact(finding, who)}"


def _claim(finding: Finding, who: str) -> str:
    match finding.question:
        case Question.ISOLATED:
            return f"{who} can invoke nothing but what it owns and all share"
        case Question.REACHES:
            return f"{who} can invoke all that it owns"
        case Question.CAN | Question.CANNOT:
            return str(finding.assertion)
        case Question.ARTIFACTS:
            assert finding.route is not None
            return f"{who} has no way to another tenant's artifacts by {finding.route.value}"


def _fact(finding: Finding, who: str) -> str:
    if finding.steps:
        actions = ", then ".join(dict.fromkeys(step.request.action for step in finding.steps))
        return f"{who} reaches artifacts of {', '.join(finding.victims)} ({actions})"
    request = finding.request
    assert request is not None
    assert finding.endpoint is not None
    target = request.context.get(TARGET_MODEL)
    alone = f"{finding.endpoint.rpartition('/')[2]} without a TargetModel"
    what = json.dumps(target) if isinstance(target, str) else alone
    verb = "cannot" if finding.question in (Question.REACHES, Question.CAN) else "can"
    name = finding.names.get("tenant")
    return f"{name or who} {verb} invoke {what} ({request.action})"


def comparison_failure(comparison: Comparison) -> str:
    """A comparison that is not PROVED, in full."""
    lines = [diff_to_text(comparison).rstrip()]
    for pair in comparison.pairs:
        for change in pair.answer.changes:
            for each in [s for s in change.new_statements if s.applies][:_MOST_QUOTED]:
                lines += _quoted(each)
    return "\n".join(lines)
