"""What somebody else says of findings, as text: a line under each, and the reasons together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from tenantproof.isolation import Evidence, Finding, Opinion, Standing

_SIMULATOR = "the IAM policy simulator"
_CALLED = {"InvokeEndpoint": "a real call"}
"""Who it is that an operation asks, the simulator aside."""

_MOST_ALIKE = 3
"""Of more findings a reason is told once, below them all."""
_MOST_REASONS = 8
_MOST_DISAGREEMENTS = 3


def evidence_lines(evidence: Evidence, below: frozenset[str] = frozenset()) -> Iterator[str]:
    """What is said of one finding.

    Args:
        evidence: what is said.
        below: the reasons that a summary tells.
    """
    refuted = [each for each in evidence.opinions if each.standing is Standing.REFUTED]
    for opinion in refuted[:_MOST_DISAGREEMENTS]:
        yield from _disagreement(opinion)
    if len(refuted) > _MOST_DISAGREEMENTS:
        more = len(refuted) - _MOST_DISAGREEMENTS
        yield f"and {more} more disagreement{'s' * (more > 1)}"
    if evidence.standing is Standing.CONFIRMED:
        yield f"confirmed by {_confirmed_by(evidence.opinions)}"
    yield from (reason for reason in reasons(evidence) if reason not in below)


def _confirmed_by(opinions: Iterable[Opinion]) -> str:
    asked = Counter(each.asked for each in opinions if each.standing is Standing.CONFIRMED)
    return " and ".join(
        f"{_who(name)} ({name}, {count} request{'s' * (count > 1)})"
        for name, count in asked.items()
    )


def _disagreement(opinion: Opinion) -> Iterator[str]:
    """Both sides' decisions, the request, both sides' reasons, and what it is asked again with."""
    who, request = _who(opinion.asked), opinion.request
    yield f"DISAGREEMENT: {who} says {opinion.answer}, tenantproof says {opinion.decision}"
    context = "".join(f", {name} = {json.dumps(value)}" for name, value in request.context.items())
    yield f"         of       {request.action} on {request.resource}{context}"
    if opinion.reason is not None:
        yield f"         because  {opinion.reason}"
    if opinion.case is not None:
        yield f"         case     {opinion.case}"


def _who(asked: str) -> str:
    return _CALLED.get(asked, _SIMULATOR)


def reasons(evidence: Evidence) -> tuple[str, ...]:
    """Why a finding is not confirmed, or not by all who were asked; and what limits those who do.

    Each once, and such that the same is said of every finding with the same reason.
    """
    return tuple(dict.fromkeys(_reasons(evidence)))


def _reasons(evidence: Evidence) -> Iterator[str]:
    is_confirmed = evidence.standing is Standing.CONFIRMED
    if evidence.reason:
        yield f"{Standing.UNCONFIRMED.value}: {evidence.reason}"
    for each in evidence.opinions:
        match each.standing:
            case Standing.UNCONFIRMED:
                by = f" by {_who(each.asked)}" if is_confirmed else ""
                yield f"{each.standing.value}{by}: {each.reason}"
            case Standing.CONFIRMED if each.reason:
                yield f"noted: {each.reason}"
            case _:
                pass


def alike(evidence: Evidence | None) -> object:
    """What is the same of findings that can be told together; of a refuted one, itself."""
    if evidence is None:
        return None
    if evidence.standing is Standing.REFUTED:
        return id(evidence)
    asked = frozenset(each.asked for each in evidence.opinions)
    return evidence.standing, asked, reasons(evidence)


def together(all_alike: Sequence[Evidence]) -> Evidence:
    """What is said of several findings that are :func:`alike`."""
    first = all_alike[0]
    opinions = tuple(chain.from_iterable(each.opinions for each in all_alike))
    return Evidence(first.standing, opinions, first.reason)


def told_below(evidences: Iterable[Evidence]) -> frozenset[str]:
    """The reasons that are so common that the summary alone tells them."""
    common = _counted(evidences).most_common(_MOST_REASONS)
    return frozenset(reason for reason, count in common if count > _MOST_ALIKE)


def evidence_summary(evidences: Sequence[Evidence]) -> Iterator[str]:
    """How many findings have which standing, and the most common reasons."""
    yield from standings_summary([each.standing.value for each in evidences], _counted(evidences))


def standings_summary(standings: Iterable[str], counted: Counter[str]) -> Iterator[str]:
    """How many have which standing, and how many of them the most common reasons.

    Args:
        standings: the standings, as reports name them.
        counted: how often there is each reason.
    """
    counts = Counter(standings)
    named = [each.value for each in Standing if counts[each.value]]
    told = ", ".join(f"{counts[each]} {each}" for each in named)
    nothing = ": nothing could be confirmed" if named == [Standing.UNCONFIRMED.value] else ""
    yield f"live: {told}{nothing}"
    for reason, count in counted.most_common(_MOST_REASONS):
        yield f"  {count} {reason}"
    if len(counted) > _MOST_REASONS:
        yield f"  and {len(counted) - _MOST_REASONS} more reasons"


def _counted(evidences: Iterable[Evidence]) -> Counter[str]:
    return Counter(chain.from_iterable(map(reasons, evidences)))


def evidences_of(findings: Iterable[Finding]) -> list[Evidence]:
    """What is said of findings, where anybody was asked."""
    return [finding.evidence for finding in findings if finding.evidence is not None]
