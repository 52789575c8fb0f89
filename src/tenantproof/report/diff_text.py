"""A comparison as text for people: what differs in full, the proofs a line each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator

from tenantproof.compare import Answer, Change, Compared, Comparison, Question, Way
from tenantproof.isolation import Blame, Verdict
from tenantproof.policy import Effect, LayerKind
from tenantproof.request import Principal, PrincipalKind, Request, values_of

_PROVED = {
    Question.NO_NEW_ACCESS: "NEW allows nothing that OLD does not",
    Question.EQUIVALENT: "OLD and NEW allow the same",
    Question.DISJOINT: "nothing is allowed by both OLD and NEW",
    Question.AT_MOST: "NEW allows at most what OLD, the reference, does",
}
_SHOWN = {
    Way.GAINED: ("NEW", "allowed by NEW, not by OLD"),
    Way.LOST: ("GONE", "allowed by OLD, not by NEW"),
    Way.SHARED: ("BOTH", "allowed by OLD and by NEW"),
}
_INDENT = " " * 9
_MOST_SILENT = 5


def diff_to_text(comparison: Comparison) -> str:
    """The comparison as lines of text, a summary last."""
    lines = [f"tenantproof {comparison.question.value}: {comparison.old} -> {comparison.new}", ""]
    for pair in comparison.pairs:
        lines.extend(_pair_lines(pair))
    proved = [p.answer for p in comparison.pairs if p.answer.verdict is Verdict.PROVED]
    if proved:
        engines = sorted({engine for answer in proved for engine in answer.engines})
        lines += ["", f"Assumed by each PROVED (decided by {', '.join(engines)}):"]
        lines += [f"  - {each}" for each in comparison.assumptions]
    return "\n".join([*lines, "", _summary(comparison), ""])


def _pair_lines(pair: Compared) -> Iterator[str]:
    answer = pair.answer
    yield f"{_label(answer):<8} {pair.name}"
    for note in pair.notes:
        yield f"{_INDENT}{note}"
    if answer.verdict is Verdict.PROVED:
        tried = "request" if answer.attacked == 1 else "requests"
        yield f"{_INDENT}{_PROVED[answer.question]} ({answer.attacked} {tried} tried)"
    if answer.reason:
        yield f"{_INDENT}because {answer.reason}"
    for change in answer.changes:
        yield from _change_lines(change)
    if answer.removed is not None:
        yield f"{_INDENT}for information, access that was removed:"
        yield from _change_lines(answer.removed)
    if answer.changes or answer.removed is not None:
        yield ""


def _label(answer: Answer) -> str:
    return _verdict(answer.verdict, answer.question)


def _verdict(verdict: Verdict, question: Question) -> str:
    """The verdict in the words of the question: what two sides share is no difference."""
    refuted = "OVERLAPS" if question is Question.DISJOINT else "DIFFERS"
    return refuted if verdict is Verdict.LEAK else verdict.value


def _change_lines(change: Change) -> Iterator[str]:
    label, sentence = _SHOWN[change.way]
    yield f"{_INDENT}{label:<8} {sentence}"
    yield from request_lines(change.by_new, shortest=change.shortest)
    if change.by_old.principal != change.by_new.principal:
        yield f"{_INDENT}         to OLD {_caller(change.by_old.principal)}"
    if change.reason:
        yield f"{_INDENT}because  {change.reason}"
    for side, allowed, statements in (
        ("NEW", change.way.by_new, change.new_statements),
        ("OLD", change.way.by_old, change.old_statements),
    ):
        yield from side_lines(side, allowed, statements)


def side_lines(side: str, allowed: bool, statements: Iterable[Blame]) -> Iterator[str]:
    """The statements that allow or deny, or of those that are silent the nearest."""
    listed = list(statements)
    acting = [b for b in listed if b.applies and (b.effect is Effect.ALLOW) == allowed]
    if acting:
        verb = "allows" if allowed else "denies"
        for each in acting:
            yield f"{_INDENT}{side} {verb} by {_place(each)}"
            yield f"{_INDENT}         {each.because}"
        return
    silent = [b for b in listed if not b.applies and b.effect is Effect.ALLOW]
    near = [b for b in silent if not b.place.path.rpartition("Statement")[2].count("Action")]
    yield f"{_INDENT}{side} allows it by no statement" + (":" if near else "")
    for each in near[:_MOST_SILENT]:
        yield f"{_INDENT}         not by {_place(each)}"
        yield f"{_INDENT}         {each.because}"
    more = len(silent) - len(near[:_MOST_SILENT])
    if more and near:
        yield f"{_INDENT}         nor by {more} more"


def _place(each: Blame) -> str:
    layer = "" if each.layer in _PLAIN_LAYERS else f" of {each.layer}"
    pattern = f" with {json.dumps(each.pattern)}" if each.pattern else ""
    return f"{each.statement}{layer}{pattern} at {each.file}:{each.place.line}:{each.place.column}"


_PLAIN_LAYERS = (LayerKind.IDENTITY.value, LayerKind.RESOURCE.value)


def request_lines(request: Request, *, shortest: bool) -> Iterator[str]:
    """A request, and who makes it."""
    size = "" if shortest else "   (a smaller one is not excluded)"
    yield f"{_INDENT}request  {request.action} on {request.resource}{size}"
    yield f"{_INDENT}         by {_caller(request.principal)}"
    for name, value in request.context.items():
        yield f"{_INDENT}         {name} = {_value(value)}"


def _caller(principal: Principal) -> str:
    canonical = f" ({principal.canonical_user})" if principal.canonical_user else ""
    tags = "".join(f", {name} = {json.dumps(value)}" for name, value in principal.tags.items())
    match principal.kind:
        case PrincipalKind.ANONYMOUS:
            return f"an anonymous caller{canonical}"
        case PrincipalKind.SERVICE:
            return f"the service {principal.arn}"
        case PrincipalKind.FEDERATED:
            return f"a caller of the identity provider {principal.arn}"
        case PrincipalKind.AWS:
            return f"{principal.arn}{canonical}{f' with the tags{tags[1:]}' if tags else ''}"


def _value(value: str | tuple[str, ...]) -> str:
    return json.dumps(value if isinstance(value, str) else list(values_of(value)))


def _summary(comparison: Comparison) -> str:
    counts = Counter(_label(pair.answer) for pair in comparison.pairs)
    parts = [f"{number} {label}" for label, number in sorted(counts.items())]
    verdict = _verdict(comparison.verdict, comparison.question)
    return f"{verdict}: {', '.join(parts) or 'nothing was asked'}"
