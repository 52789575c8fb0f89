"""What somebody else says of findings, in reports: told once, counted right, and never hidden."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantproof.isolation import (
    Evidence,
    Finding,
    Opinion,
    Question,
    Report,
    Standing,
    Verdict,
)
from tenantproof.isolation.route import Route
from tenantproof.report import report_schema, to_json, to_text
from tenantproof.request import Principal, Request

ARN = "arn:aws:iam::111122223333:role/acme"
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
REQUEST = Request(
    Principal(ARN),
    "sagemaker:InvokeEndpoint",
    ENDPOINT,
    {"sagemaker:TargetModel": "beta/x", "aws:TagKeys": ("a", "b")},
)
PLAIN = Finding(Question.ISOLATED, Verdict.PROVED, "acme", ARN, ENDPOINT, engines=("automata",))

OPERATIONS = ["SimulateCustomPolicy", "SimulatePrincipalPolicy", "InvokeEndpoint"]
REASONS = ["throttled: Rate exceeded", "access denied", "resource control policies are not sent"]


def said(standing: Standing, asked: str, reason: str | None) -> Opinion:
    answered = standing is not Standing.UNCONFIRMED
    return Opinion(
        standing=standing,
        asked=asked,
        request=REQUEST,
        decision="ImplicitDeny",
        answer="allowed" if answered else None,
        reason=reason if answered else reason or REASONS[0],
        case="cases/1" if standing is Standing.REFUTED else None,
    )


def of(opinions: list[Opinion]) -> Evidence:
    standings = {each.standing for each in opinions}
    if Standing.REFUTED in standings:
        return Evidence(Standing.REFUTED, tuple(opinions))
    if standings == {Standing.CONFIRMED}:
        return Evidence(Standing.CONFIRMED, tuple(opinions))
    return Evidence(Standing.UNCONFIRMED, tuple(opinions), None if opinions else "none is kept")


OPINIONS = st.builds(
    said, st.sampled_from(Standing), st.sampled_from(OPERATIONS), st.sampled_from([None, *REASONS])
)
EVIDENCE = st.none() | st.lists(OPINIONS, max_size=4).map(of)
FINDINGS = st.builds(
    lambda evidence, route: replace(
        PLAIN, question=Question.ARTIFACTS, endpoint=None, route=route, evidence=evidence
    ),
    EVIDENCE,
    st.sampled_from(Route),
)


def confirmed(count: int) -> Evidence:
    return of([said(Standing.CONFIRMED, OPERATIONS[0], None)] * count)


def unconfirmed(reason: str) -> Evidence:
    return of([said(Standing.UNCONFIRMED, OPERATIONS[0], reason)])


def report(*evidences: Evidence | None) -> Report:
    return Report("m.toml", tuple(replace(PLAIN, evidence=each) for each in evidences))


@given(st.lists(FINDINGS, max_size=8))
def test_reports_of_any_evidence_follow_the_schema(findings: list[Finding]) -> None:
    whole = Report("m.toml", tuple(findings))
    answer = to_json(whole)
    jsonschema.validate(answer, report_schema())
    standings = [each["evidence"] and each["evidence"]["standing"] for each in answer["findings"]]
    assert standings == [each.evidence and each.evidence.standing.value for each in findings]


@given(st.lists(FINDINGS, max_size=8))
def test_every_standing_is_counted_and_every_disagreement_shown(findings: list[Finding]) -> None:
    text = to_text(Report("m.toml", tuple(findings)))
    evidences = [each.evidence for each in findings if each.evidence is not None]
    counts = Counter(each.standing for each in evidences)
    summary = [line for line in text.split("\n") if line.startswith("live: ")]
    assert len(summary) == bool(evidences)
    for standing, count in counts.items():
        assert f"{count} {standing.value}" in summary[0]
    shown = sum(
        min(3, sum(each.standing is Standing.REFUTED for each in evidence.opinions))
        for evidence in evidences
    )
    assert text.count("DISAGREEMENT: ") == shown


@given(EVIDENCE, EVIDENCE)
def test_routes_are_told_together_only_where_the_same_is_said(
    one: Evidence | None, other: Evidence | None
) -> None:
    way = replace(PLAIN, question=Question.ARTIFACTS, endpoint=None)
    ways = (
        replace(way, route=Route.INVOKE, evidence=one),
        replace(way, route=Route.ASSUME, evidence=other),
    )
    text = to_text(Report("m.toml", ways))
    if "by invoke, assume" in text:
        standings = {each and each.standing for each in (one, other)}
        reasons = {
            frozenset((o.standing, o.reason) for o in (each.opinions if each else ()) if o.reason)
            for each in (one, other)
        }
        assert len(standings) == len(reasons) == 1
        assert Standing.REFUTED not in standings


def test_a_confirmed_finding_says_by_whom() -> None:
    text = to_text(report(confirmed(4)))
    assert "  confirmed by the IAM policy simulator (SimulateCustomPolicy, 4 requests)\n" in text
    assert "\nlive: 1 confirmed\n" in text


def test_both_who_were_asked_are_named() -> None:
    opinions = [said(Standing.CONFIRMED, each, None) for each in OPERATIONS[::2]]
    assert (
        "confirmed by the IAM policy simulator (SimulateCustomPolicy, 1 request)"
        " and a real call (InvokeEndpoint, 1 request)"
    ) in to_text(report(of(opinions)))


def test_what_limits_a_confirmation_is_said() -> None:
    evidence = of([said(Standing.CONFIRMED, OPERATIONS[0], REASONS[2])])
    assert "         noted: resource control policies are not sent" in to_text(report(evidence))


def test_a_disagreement_has_both_sides() -> None:
    text = to_text(report(of([said(Standing.REFUTED, OPERATIONS[0], "the boundary denies")])))
    assert (
        "DISAGREEMENT: the IAM policy simulator says allowed, tenantproof says ImplicitDeny" in text
    )
    assert 'sagemaker:TargetModel = "beta/x", aws:TagKeys = ["a", "b"]' in text
    assert "because  the boundary denies" in text
    assert "case     cases/1" in text


@pytest.mark.parametrize("count", [1, 3, 4, 1000])
def test_a_common_reason_is_told_once(count: int) -> None:
    text = to_text(report(*[unconfirmed(REASONS[0])] * count, unconfirmed(REASONS[1])))
    below = 0 if count > 3 else count
    assert text.count(f"         unconfirmed: {REASONS[0]}\n") == below
    assert text.count(f"\n  {count} unconfirmed: {REASONS[0]}\n") == 1
    assert f"         unconfirmed: {REASONS[1]}\n" in text
    assert f"live: {count + 1} unconfirmed: nothing could be confirmed\n" in text


def test_without_evidence_nothing_is_said() -> None:
    text = to_text(report(None))
    assert "live" not in text
    assert "confirmed" not in text
