"""The report as text for people: the leaks in full, the proofs a line each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby

from tenantproof.isolation import Blame, Escape, Finding, Question, Report, Step, Verdict
from tenantproof.policy import Effect, LayerKind
from tenantproof.policy.stack import BY_LEVEL
from tenantproof.prove.engines import EngineAnswers
from tenantproof.report.evidence_text import (
    alike,
    evidence_lines,
    evidence_summary,
    evidences_of,
    together,
    told_below,
)
from tenantproof.request import Request

_MOST_VICTIMS = 8
_REFUSED = "REFUSED"
_LABELS = (*(verdict.value for verdict in Verdict), _REFUSED)


def to_text(report: Report) -> str:
    """The report as lines of text, a summary last."""
    lines = [f"tenantproof {report.manifest}", ""]
    evidences = evidences_of(report.findings)
    below = told_below(evidences)
    for findings in _together(report.findings):
        is_one = len(findings) == 1
        lines.extend(finding_lines(findings[0], below) if is_one else _ways_lines(findings, below))
    lines += [f"left out: {each}" for each in report.left_out]
    if any(f.verdict is Verdict.PROVED for f in report.findings):
        engines = sorted({engine for f in report.findings for engine in f.engines})
        lines += ["", f"Assumed by each PROVED (decided by {', '.join(engines)}):"]
        lines += [f"  - {each}" for each in report.assumptions]
    if evidences:
        lines += ["", *evidence_summary(evidences)]
    return "\n".join([*lines, "", _summary(report), ""])


def _together(findings: Iterable[Finding]) -> Iterator[list[Finding]]:
    """The findings, those of a principal's routes together that say the same."""
    for _, of_one in groupby(findings, lambda finding: (finding.tenant, finding.principal)):
        alike: dict[object, list[Finding]] = {}
        for finding in of_one:
            alike.setdefault(_answer(finding), []).append(finding)
        yield from alike.values()


def _answer(finding: Finding) -> object:
    """What is the same of routes that are told together; of any other finding, itself."""
    is_way = finding.question is Question.ARTIFACTS and finding.verdict is not Verdict.LEAK
    if is_way and finding.certificate is None and not finding.engine_answers:
        return finding.verdict, finding.reason, alike(finding.evidence)
    return id(finding)


def _ways_lines(findings: list[Finding], below: frozenset[str]) -> Iterator[str]:
    """The one answer to whether a principal has a way by each of several routes."""
    attacks = sum(finding.attacked for finding in findings)
    tried = f" ({attacks} attacks tried, none succeeded)" if attacks else ""
    routes = ", ".join(finding.route.value for finding in findings if finding.route)
    first = findings[0]
    yield f"{label(first):<8} artifacts: {_who(first)}, by {routes}{tried}"
    yield f"         {_principal(first)}"
    if first.reason:
        yield f"         because {first.reason}"
    if evidences := evidences_of(findings):
        yield from (f"         {line}" for line in evidence_lines(together(evidences), below))


def finding_lines(finding: Finding, below: frozenset[str] = frozenset()) -> Iterator[str]:
    """One finding: what was asked and answered, and of a leak the request and who is to blame.

    Args:
        finding: the finding.
        below: the reasons that a summary tells, of what nobody else confirms.
    """
    yield f"{label(finding):<8} {sentence(finding)}"
    more = f", or {finding.more_principals} more," if finding.more_principals else ""
    where = "" if finding.endpoint is None else f" on {finding.endpoint.rpartition('/')[2]}"
    yield f"         {_principal(finding)}{more}{where}"
    if finding.reason:
        yield f"         because {finding.reason}"
    if finding.certificate is not None:
        reason = finding.certificate.reason
        yield f"         {f'no certificate: {reason}' if reason else 'proof in the certificate'}"
    yield from (f"         {_engine_line(each)}" for each in finding.engine_answers)
    if finding.evidence is not None:
        yield from (f"         {line}" for line in evidence_lines(finding.evidence, below))
    if finding.steps:
        yield from step_lines(finding.steps)
        yield ""
    if finding.request is not None:
        yield from request_lines(finding.request, finding.shortest)
        if finding.example is not None:
            yield f"                  or, as one would meet it, {json.dumps(finding.example)}"
        if finding.verdict is Verdict.LEAK:
            yield from _statement_lines(finding.statements)
        yield ""


def _principal(finding: Finding) -> str:
    request = finding.request
    return request.principal.arn if request and finding.names else finding.principal


def label(finding: Finding) -> str:
    """The verdict; what is not reached where it should be is no leak to a reader."""
    refused = finding.question in (Question.REACHES, Question.CAN)
    return _REFUSED if refused and finding.verdict is Verdict.LEAK else finding.verdict.value


def sentence(finding: Finding) -> str:
    """What was asked and, in words, what was found."""
    tenant = _who(finding)
    proved = finding.verdict is Verdict.PROVED
    attacks = "attack" if finding.attacked == 1 else "attacks"
    tried = f" ({finding.attacked} {attacks} tried, none succeeded)" if finding.attacked else ""
    match finding.question, finding.verdict:
        case Question.ISOLATED, Verdict.LEAK:
            return f"isolated: {tenant} reaches {_reached(finding)}"
        case Question.ISOLATED, _:
            aim = f" ({finding.escape.value})" if finding.escape else ""
            return f"isolated: {tenant}{tried if proved else aim}"
        case Question.REACHES, Verdict.LEAK:
            return f"reaches: {tenant} cannot invoke a model that it owns"
        case Question.REACHES, _:
            return (
                f"reaches: {tenant} can invoke all that it owns{tried}"
                if proved
                else (f"reaches: {tenant}")
            )
        case Question.ARTIFACTS, Verdict.LEAK:
            return f"artifacts: {tenant} reaches those of {_victims(finding)} by {_way(finding)}"
        case Question.ARTIFACTS, _:
            return f"artifacts: {tenant}, by {_way(finding)}{tried if proved else ''}"
        case question, _:
            return f"{question.value}: {finding.assertion}{tried if proved else ''}"


def _who(finding: Finding) -> str:
    """The tenant; where a rule describes it, its name in the request, or all of them."""
    if "tenant" in finding.names:
        return f'"{finding.names["tenant"]}" of {finding.tenant}'
    return f"every tenant of {finding.tenant}" if finding.for_all else finding.tenant


def _way(finding: Finding) -> str:
    assert finding.route is not None
    return f"{finding.route.value} ({finding.route.meaning})"


def _victims(finding: Finding) -> str:
    """The names of the tenants that are reached, of many the first."""
    shown = '"{}"' if finding.for_all else "{}"
    named = ", ".join(map(shown.format, finding.victims[:_MOST_VICTIMS]))
    more = len(finding.victims) - _MOST_VICTIMS
    return f"{named} and {more} more" if more > 0 else named


def _reached(finding: Finding) -> str:
    escape = finding.escape.value if finding.escape else "what it must not"
    if finding.escape is Escape.NO_TARGET_MODEL and not finding.victims:
        return "the endpoint without a TargetModel"
    if not finding.victims:
        return escape
    victims = _victims(finding)
    if finding.request is not None and "sagemaker:TargetModel" in finding.request.context:
        return f"models of {victims}"
    return f"the endpoint without a TargetModel, where nothing keeps it from {victims}"


def step_lines(steps: tuple[Step, ...]) -> Iterator[str]:
    """A way, step by step: who does what to what, what comes of it, and which statement lets it."""
    for number, step in enumerate(steps, start=1):
        request = step.request
        yield f"         step {number:<3} {request.action} on {request.resource}"
        own = request.principal.tags.items()
        tags = ", ".join(f"{name} = {json.dumps(tag)}" for name, tag in own)
        tagged = f" tagged {tags}" if tags else ""
        yield f"                  as {request.principal.arn.split(':', 5)[-1]}{tagged}"
        for name, value in request.context.items():
            shown = json.dumps(value if isinstance(value, str) else list(value))
            yield f"                  {name} = {shown}"
        yield f"                  {step.effect}"
        yield from _statement_lines(step.statements)


def _statement_lines(statements: tuple[Blame, ...]) -> Iterator[str]:
    """The statements behind a decision.

    An organization has many that allow everything, of which none is to blame: they are one line.
    """
    of_levels = [each for each in statements if _is_of_a_level(each)]
    folded = of_levels if len(of_levels) > 1 else []
    yield from (f"         {blame_line(each)}" for each in statements if each not in folded)
    if folded:
        layers = dict.fromkeys(each.layer for each in folded)
        kinds = ", ".join(dict.fromkeys(layer.partition("[")[0] for layer in layers))
        levels = f"{len(layers)} level{'s' * (len(layers) > 1)}"
        yield f"         and      an Allow without a condition on {levels} of {kinds}"


def _is_of_a_level(each: Blame) -> bool:
    is_by_level = each.layer.partition("[")[0] in {kind.value for kind in BY_LEVEL}
    is_free = each.because.endswith(", without a condition")
    return is_by_level and each.applies and each.effect is Effect.ALLOW and is_free


def request_lines(request: Request, shortest: bool = True) -> Iterator[str]:
    """A request: its action and resource, and each key of its context."""
    size = "" if shortest else "   (a smaller one is not excluded)"
    yield f"         request  {request.action} on {request.resource}{size}"
    if not any(name == "sagemaker:TargetModel" for name in request.context):
        yield "                  without TargetModel"
    for name, value in request.context.items():
        shown = json.dumps(value if isinstance(value, str) else list(value))
        yield f"                  {name} = {shown}"


def _engine_line(each: EngineAnswers) -> str:
    counts = {
        "no request": each.refuted,
        "a request": each.witnesses,
        "not decided": each.blocked,
        "no answer": each.unanswered,
    }
    said = ", ".join(f"{what} ({count})" for what, count in counts.items() if count)
    why = f": {'; '.join(each.reasons)}" if each.reasons else ""
    return f"{each.engine:<8} {said or 'not asked'}{why} in {_seconds(each.seconds)}"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"


def blame_line(each: Blame) -> str:
    """A statement behind a decision, its place and why it did or did not apply."""
    verb = {True: "by", False: "not by"}[each.applies]
    pattern = f" with {json.dumps(each.pattern)}" if each.pattern else ""
    layer = "" if each.layer == LayerKind.IDENTITY.value else f" of {each.layer}"
    name = f"{each.effect.value} {each.statement}{layer}{pattern}"
    at = f"{each.file}:{each.place.line}:{each.place.column}"
    return f"{verb:<8} {name} at {at}\n                  {each.because}"


def _summary(report: Report) -> str:
    """How many findings have which label; where nothing leaks the whole is no LEAK either."""
    counts = Counter(map(label, report.findings))
    labels = sorted(counts, key=_LABELS.index)
    parts = [f"{counts[label]} {label}" for label in labels]
    verdict = report.verdict.value
    if verdict not in counts and _REFUSED in counts:
        verdict = _REFUSED
    return f"{verdict}: {', '.join(parts) or 'nothing was asked'}"
