"""Findings confirmed over a socket: boto3's real client, and a server that decides by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import iam_server as faults
import pytest
from iam_cases import no_waiting, simulator
from iam_server import Decided, IamServer
from independent import IndependentSimulator
from live_probes import ROOT

from tenantproof.isolation import Report, Run, Standing, Verdict, load_manifest
from tenantproof.live.confirm import Settings, confirm

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("aws_environment", no_waiting.__name__),
]

EXAMPLES = ROOT / "examples"


def decide(parameters: dict[str, Any]) -> dict[tuple[str, str], Decided]:
    return {
        (each["EvalActionName"], each["EvalResourceName"]): Decided(
            each["EvalDecision"],
            tuple(each["MissingContextValues"]),
            tuple(
                (statement["SourcePolicyId"], statement["StartPosition"]["Line"], 1)
                for statement in each["MatchedStatements"]
            ),
        )
        for each in IndependentSimulator().custom(parameters)
    }


def contrary(parameters: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {
        pair: "implicitDeny"
        if isinstance(was, Decided) and was.decision == "allowed"
        else "allowed"
        for pair, was in decide(parameters).items()
    }


def report_of(name: str) -> Report:
    return Run(load_manifest(EXAMPLES / name / "tenantproof.toml"), samples=2).report()


@pytest.mark.parametrize(
    "name", ["company-a-b", "company-a-b/leaky", "all-tenants", "vendor-role", "tags"]
)
def test_the_examples_are_confirmed(name: str) -> None:
    report = report_of(name)
    with IamServer(decide) as server:
        after = confirm(report, simulator(server, calls=200), Settings())
    assert after.verdict is report.verdict
    for finding in after.findings:
        assert finding.evidence is not None
        assert finding.evidence.standing is Standing.CONFIRMED, finding.evidence
        for opinion in finding.evidence.opinions:
            assert all(": Statement[" in statement for statement in opinion.statements)


@pytest.mark.parametrize("name", ["company-a-b", "company-a-b/leaky"])
def test_what_is_refuted_passes_no_more(name: str, tmp_path: Path) -> None:
    report, folder = report_of(name), tmp_path / "cases"
    with IamServer(contrary) as server:
        after = confirm(report, simulator(server, calls=200), Settings(cases=folder))
    cases = set()
    for before, finding in zip(report.findings, after.findings, strict=True):
        assert finding.evidence is not None
        assert finding.evidence.standing is Standing.REFUTED
        assert finding.verdict is (
            Verdict.LEAK if before.verdict is Verdict.LEAK else Verdict.UNKNOWN
        )
        cases |= {opinion.case for opinion in finding.evidence.opinions}
    assert cases == {str(path) for path in folder.iterdir()}


@pytest.mark.parametrize("fault", ["expired", "html", "garbage", "undecided", "denied"])
def test_a_fault_loses_nothing(fault: str) -> None:
    report = report_of("company-a-b/leaky")
    script = [faults.fine, *[getattr(faults, fault)] * 50]
    with IamServer(decide, script) as server:
        after = confirm(report, simulator(server), Settings())
    assert after.verdict is Verdict.LEAK
    standings = [each.evidence.standing for each in after.findings if each.evidence]
    assert len(standings) == len(report.findings)
    assert standings.count(Standing.CONFIRMED) == 1
    assert Standing.REFUTED not in standings


def test_calls_are_bounded() -> None:
    report = report_of("company-a-b")
    with IamServer(decide) as server:
        asking = simulator(server, calls=3)
        after = confirm(report, asking, Settings())
    assert asking.calls == 3
    opinions = [o for f in after.findings if f.evidence for o in f.evidence.opinions]
    assert sum(opinion.standing is Standing.CONFIRMED for opinion in opinions) == 3
    assert {o.reason for o in opinions if o.asked == ""} == {
        "call limit reached: live-max-calls allows no more than 3 here"
    }
