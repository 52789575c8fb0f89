"""What the simulator's answers make of one request, and of a finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_probes import ACTION, ROLE, SESSION, Independent, allow, policy, probe

from conftest import Setup
from conftest import allow as allow_models
from tenantproof.aws import Failure
from tenantproof.isolation import (
    Finding,
    Opinion,
    Probe,
    Question,
    Report,
    Run,
    Standing,
    Verdict,
    load_manifest,
)
from tenantproof.live.confirm import Settings, confirm
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation
from tenantproof.policy import Access, PolicySet

SOME = policy(allow(Action=ACTION, Sid="Invoke"))
OTHER = policy(allow(Action="s3:*"))
ALLOWED = probe(PolicySet((SOME,)), ROLE)
DENIED = probe(PolicySet((OTHER,)), ROLE)


class Says:
    """Gives each question the answer that a function has for it."""

    def __init__(self, answer: Callable[[Simulation], Answer | NoAnswer]) -> None:
        self.answer = answer
        self.asked: list[Simulation] = []

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        self.asked += simulations
        return [self.answer(simulation) for simulation in simulations]


def always(answer: Answer | NoAnswer) -> Says:
    return Says(lambda _: answer)


def finding(*probes: Probe, verdict: Verdict = Verdict.PROVED, **changes: Any) -> Finding:
    draft = Finding(Question.ISOLATED, verdict, "acme", ROLE, "endpoint", probes=probes)
    return replace(draft, **changes)


def confirmed(simulator: Any, *findings: Finding, **settings: Any) -> tuple[Finding, ...]:
    report = Report("tenantproof.toml", findings)
    return confirm(report, simulator, Settings(**settings)).findings


def opinion(simulator: Any, of: Probe, **settings: Any) -> Opinion:
    (found,) = confirmed(simulator, finding(of), **settings)
    assert found.evidence is not None
    (only,) = found.evidence.opinions
    return only


# -- one request ---------------------------------------------------------------------------------


def test_the_simulator_agrees() -> None:
    said = opinion(Independent(), ALLOWED)
    assert said.standing is Standing.CONFIRMED
    assert (said.asked, said.decision, said.answer) == (
        "SimulateCustomPolicy",
        "Allowed",
        "allowed",
    )
    assert said.statements == ('policy.json: Statement[0] "Invoke"',)
    assert said.reason is None
    assert opinion(Independent(), DENIED).standing is Standing.CONFIRMED


def test_both_deny_by_other_reasons() -> None:
    said = opinion(always(Answer("explicitDeny")), DENIED)
    assert said.standing is Standing.CONFIRMED
    assert said.reason == "both deny it, tenantproof by ImplicitDeny, the simulator by explicitDeny"


def test_the_simulator_disagrees() -> None:
    answer = Answer(
        "allowed",
        matched=(("PolicyInputList.1", 2, 1), ("PolicyInputList.7", 3, 4), ("role_x", None, None)),
        details={
            "OrganizationsDecisionDetail": {"AllowedByOrganizations": True},
            "EvalDecisionDetails": {"x": "allowed"},
        },
    )
    said = opinion(always(answer), DENIED)
    assert said.standing is Standing.REFUTED
    assert said.statements == ("policy.json: Statement[0]", "PolicyInputList.7:3:4", "role_x")
    assert said.reason == (
        "tenantproof says ImplicitDeny (nothing in identity_policies allows it);"
        " SimulateCustomPolicy says allowed (policy.json: Statement[0], PolicyInputList.7:3:4,"
        " role_x, x: allowed, AllowedByOrganizations: true)"
    )
    said = opinion(always(Answer("implicitDeny")), ALLOWED)
    assert said.standing is Standing.REFUTED
    assert said.reason is not None
    assert 'says Allowed (policy.json: Statement[0] "Invoke")' in said.reason
    assert "says implicitDeny (no statement)" in said.reason


def test_a_key_that_the_request_is_meant_to_lack() -> None:
    unless = allow(Effect="Deny", Condition={"StringEquals": {"aws:SourceVpc": "v"}})
    said = opinion(Independent(), probe(PolicySet((policy(allow(), unless),)), ROLE))
    assert said.standing is Standing.CONFIRMED
    assert said.reason == "decided without aws:SourceVpc, which the request does not have"


@pytest.mark.parametrize("key", ["aws:PrincipalArn", "example:unheard"])
def test_a_key_that_the_simulator_should_have(key: str) -> None:
    said = opinion(always(Answer("allowed", missing=(key,))), ALLOWED)
    assert said.standing is Standing.UNCONFIRMED
    assert said.reason == f"MissingContextValues: {key}"


def test_another_answer_for_want_of_a_key() -> None:
    needs = allow(Condition={"StringNotEquals": {"aws:SourceVpc": "v"}})
    of = probe(PolicySet((policy(needs),)), ROLE)
    said = opinion(always(Answer("implicitDeny", missing=("aws:SourceVpc",))), of)
    assert said.standing is Standing.UNCONFIRMED
    assert said.reason == "MissingContextValues: aws:SourceVpc"


@pytest.mark.parametrize("failure", list(Failure))
def test_no_answer(failure: Failure) -> None:
    said = opinion(always(NoAnswer(failure, "so it is")), ALLOWED)
    assert said.standing is Standing.UNCONFIRMED
    assert said.reason == f"{failure.value}: so it is"
    assert said.answer is None
    assert bool(said.asked) == (failure not in {Failure.BUDGET, Failure.INTERRUPTED})


def test_a_decision_that_there_is_not() -> None:
    said = opinion(always(Answer("perhaps")), DENIED)
    assert said.standing is Standing.UNCONFIRMED
    assert said.reason == "reply not understood: found the decision 'perhaps'"


def test_what_cannot_be_asked() -> None:
    granting = policy({**allow(), "Principal": "*"})
    said = opinion(Independent(), probe(Access(PolicySet((SOME,)), granting), ROLE))
    assert said.standing is Standing.UNCONFIRMED
    assert said.reason is not None
    assert said.reason.startswith("not simulatable: the resource has a policy")
    assert said.asked == ""


# -- in parts ------------------------------------------------------------------------------------

PARTS = probe(PolicySet((SOME,), SOME, session_policies=(SOME,)), SESSION)
DENIED_PARTS = probe(PolicySet((SOME,), SOME, session_policies=(OTHER,)), SESSION)


def in_turn(*answers: Answer | NoAnswer) -> Says:
    left = iter(answers)
    return Says(lambda _: next(left))


def test_each_part_must_allow() -> None:
    said = opinion(Independent(), PARTS)
    assert said.standing is Standing.CONFIRMED
    assert said.reason == "asked in 2 parts, each of which must allow"
    denied = opinion(Independent(), DENIED_PARTS)
    assert (denied.standing, denied.answer) == (Standing.CONFIRMED, "implicitDeny")
    refuted = opinion(in_turn(Answer("allowed"), Answer("explicitDeny")), PARTS)
    assert (refuted.standing, refuted.answer) == (Standing.REFUTED, "explicitDeny")


def test_a_part_without_an_answer() -> None:
    none = NoAnswer(Failure.THROTTLED, "")
    said = opinion(in_turn(Answer("allowed"), none), PARTS)
    assert (said.standing, said.reason) == (Standing.UNCONFIRMED, "throttled")
    said = opinion(in_turn(none, Answer("implicitDeny")), DENIED_PARTS)
    assert said.standing is Standing.CONFIRMED


# -- principals as they are ----------------------------------------------------------------------


def deployed(document: Any) -> dict[str, dict[str, Any]]:
    return {ROLE: {"PolicyInputList": [json.dumps(document)]}}


def test_a_principal_is_asked_about_as_it_is() -> None:
    account = deployed({"Version": "2012-10-17", "Statement": [allow()]})
    said = opinion(Independent(account), ALLOWED, principals=True)
    assert (said.standing, said.asked) == (Standing.CONFIRMED, "SimulatePrincipalPolicy")
    (found,) = confirmed(Independent(account), finding(DENIED), principals=True)
    assert found.verdict is Verdict.UNKNOWN
    assert found.reason is not None
    assert "the deployed policies may differ from those that were read" in found.reason


def test_a_principal_that_is_not_there_is_asked_about_as_read() -> None:
    simulator = Independent({})
    said = opinion(simulator, ALLOWED, principals=True)
    assert (said.standing, said.asked) == (Standing.CONFIRMED, "SimulateCustomPolicy")
    assert said.reason == "the principal is not in the account: its policies as read were asked"


def test_nobody_asks_twice_for_who_is_not_there() -> None:
    simulator = Independent({})
    leak = finding(ALLOWED, verdict=Verdict.LEAK)
    found = confirmed(simulator, leak, finding(DENIED), principals=True)
    assert [f.evidence.standing for f in found if f.evidence] == [Standing.CONFIRMED] * 2
    operations = [simulation.operation for simulation in simulator.asked]
    assert operations == [Operation.PRINCIPAL, Operation.CUSTOM, Operation.CUSTOM]


def test_a_session_policy_beside_a_principal_as_it_is() -> None:
    account = deployed({"Version": "2012-10-17", "Statement": [allow()]})
    for session, answer in ((SOME, "allowed"), (OTHER, "implicitDeny")):
        of = probe(PolicySet((SOME,), session_policies=(session,)), SESSION)
        said = opinion(Independent(account), of, principals=True)
        assert (said.standing, said.answer) == (Standing.CONFIRMED, answer)
        assert said.asked == "SimulatePrincipalPolicy, SimulateCustomPolicy"


# -- findings ------------------------------------------------------------------------------------


def test_a_finding_is_confirmed_if_every_request_is() -> None:
    both = finding(ALLOWED, DENIED)
    (found,) = confirmed(Independent(), both)
    assert found.evidence is not None
    assert found.evidence.standing is Standing.CONFIRMED
    assert replace(found, evidence=None) == both
    (found,) = confirmed(Independent(budget=1), both)
    assert found.evidence is not None
    assert found.evidence.standing is Standing.UNCONFIRMED
    assert [each.standing for each in found.evidence.opinions] == [
        Standing.CONFIRMED,
        Standing.UNCONFIRMED,
    ]


def test_a_finding_without_requests() -> None:
    (found,) = confirmed(Independent(), finding())
    assert found.evidence is not None
    assert found.evidence.reason == "no request to ask about"
    assert found.evidence.standing is Standing.UNCONFIRMED
    assert found.verdict is Verdict.PROVED


@pytest.mark.parametrize("verdict", list(Verdict))
def test_what_a_refutation_changes(verdict: Verdict) -> None:
    before = finding(ALLOWED, DENIED, verdict=verdict, reason="as it was")
    (found,) = confirmed(always(Answer("allowed")), before)
    assert found.evidence is not None
    assert found.evidence.standing is Standing.REFUTED
    if verdict is Verdict.PROVED:
        assert found.verdict is Verdict.UNKNOWN
        assert found.reason is not None
        assert found.reason.startswith("AWS's policy simulator decides 1 of 2 requests otherwise")
    else:
        assert replace(found, evidence=None) == before


def test_the_reports_verdict_follows() -> None:
    report = Report("tenantproof.toml", (finding(ALLOWED),), ("assumed",), ("left out",))
    after = confirm(report, always(Answer("implicitDeny")), Settings())
    assert after.verdict is Verdict.UNKNOWN
    assert (after.manifest, after.assumptions, after.left_out) == (
        report.manifest,
        report.assumptions,
        report.left_out,
    )


def test_few_calls_go_where_they_matter_most() -> None:
    def of(name: str) -> Probe:
        return probe(PolicySet((SOME,)), ROLE, context={"example:name": name})

    findings = (
        finding(of("proved 1.1"), of("proved 1.2"), of("proved 1.3")),
        finding(of("unknown"), verdict=Verdict.UNKNOWN),
        finding(of("proved 2.1"), of("proved 2.2")),
        finding(of("leak 1"), of("leak 2"), verdict=Verdict.LEAK),
        finding(),
    )
    simulator = Independent(budget=6)
    found = confirmed(simulator, *findings)
    names = [
        entry["ContextKeyValues"][0]
        for simulation in simulator.asked
        for entry in simulation.parameters["ContextEntries"]
        if entry["ContextKeyName"] == "example:name"
    ]
    assert names == ["leak 1", "leak 2", "unknown", "proved 1.1", "proved 2.1", "proved 1.2"]
    standings = [each.evidence.standing for each in found if each.evidence]
    assert standings == [
        Standing.UNCONFIRMED,
        Standing.CONFIRMED,
        Standing.UNCONFIRMED,
        Standing.CONFIRMED,
        Standing.UNCONFIRMED,
    ]
    assert [each.verdict for each in found] == [each.verdict for each in findings]


def test_a_report_of_a_manifest(setup: Setup) -> None:
    setup.tenant("acme").tenant("globex", allow_models("globex/*", "acme/shared*"))
    report = Run(load_manifest(setup.write()), samples=3).report()
    after = confirm(report, Independent(), Settings())
    assert [replace(each, evidence=None) for each in after.findings] == list(report.findings)
    assert {each.evidence.standing for each in after.findings if each.evidence} == {
        Standing.CONFIRMED
    }
    assert after.verdict is Verdict.LEAK


def test_cases_that_cannot_be_written_are_a_note(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    (found,) = confirmed(always(Answer("allowed")), finding(DENIED), cases=blocked)
    assert found.evidence is not None
    (said,) = found.evidence.opinions
    assert said.standing is Standing.REFUTED
    assert said.case is None
    assert said.reason is not None
    assert "the case was not written" in said.reason
