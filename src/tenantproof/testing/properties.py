"""What a report of a test says of an answer: for JUnit XML, and for the summary of the run."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tenantproof.report import request_to_json
from tenantproof.testing.checks import Outcome
from tenantproof.testing.words import headline

VERDICT = "verdict"
ENGINE = "engine"
REQUEST = "request"
ANSWER = "tenantproof"
"""The names of the properties: the verdict, what decided it, a leak's request as ``simulate`` reads
it, and the answer in words."""

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
