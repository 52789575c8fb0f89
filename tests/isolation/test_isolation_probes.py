"""The requests that findings keep, for others to be asked about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.vendors.vendor_helpers import check, invoke

from conftest import ENDPOINT, Setup, allow
from tenantproof.evaluate import decide
from tenantproof.isolation import Finding, Probe, Question, Run, Verdict, load_manifest
from tenantproof.isolation.substitution import PLACEHOLDER, TAG
from tenantproof.policy import statements

EXAMPLES = Path(__file__).parents[2] / "examples"
TARGET = "sagemaker:TargetModel"


def findings(manifest: Path, samples: int = 5) -> tuple[Finding, ...]:
    return Run(load_manifest(manifest), samples=samples).report().findings


def of(found: tuple[Finding, ...], question: Question, tenant: str) -> tuple[Finding, ...]:
    return tuple(f for f in found if f.question is question and f.tenant == tenant)


def check_probe(probe: Probe) -> None:
    """The decision is the evaluator's, and nothing stands for a name."""
    assert decide(probe.access, probe.request).outcome is probe.decision.outcome
    texts = [
        probe.request.principal.arn,
        probe.request.resource,
        *probe.request.keys,
        *(text for s in statements(probe.access) for t in s.templates for text in (t.text,)),
    ]
    assert not any(TAG in text or PLACEHOLDER in text for text in texts)


def targets(finding: Finding) -> list[Any]:
    return [probe.request.context.get(TARGET) for probe in finding.probes]


def test_a_leaks_request_is_allowed(setup: Setup) -> None:
    setup.tenant("acme", allow("acme/*", "glob*")).tenant("globex")
    for samples in (0, 5):
        found = findings(setup.write(), samples)
        leaks = [f for f in of(found, Question.ISOLATED, "acme") if f.verdict is Verdict.LEAK]
        assert leaks
        for leak in leaks:
            (probe,) = leak.probes
            assert probe.decision.allowed
            assert probe.request == leak.request
            check_probe(probe)


def test_a_proofs_requests_are_denied_and_lie_near_its_pattern(setup: Setup) -> None:
    setup.tenant("acme").tenant("globex")
    (proved,) = of(findings(setup.write()), Question.ISOLATED, "acme")
    assert proved.verdict is Verdict.PROVED
    assert len(proved.probes) == 5
    assert not any(probe.decision.allowed for probe in proved.probes)
    assert len(set(targets(proved))) == 5
    assert {None, "acme"} <= set(targets(proved))
    assert any(str(target).startswith("globex/") for target in targets(proved))
    assert all(probe.is_deployed for probe in proved.probes)
    for probe in proved.probes:
        check_probe(probe)


def test_a_request_that_is_denied_is_denied_for_its_model_alone(setup: Setup) -> None:
    conditions = {
        "StringLike": {"sagemaker:TargetModel": "acme/*"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
        "NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"},
        "StringLikeIfExists": {"aws:SourceVpce": "vpce-1"},
        "Bool": {"aws:SecureTransport": "true"},
    }
    setup.tenant("acme", allow(Condition=conditions)).tenant("globex")
    (proved,) = of(findings(setup.write()), Question.ISOLATED, "acme")
    assert proved.verdict is Verdict.PROVED
    assert {None, "acme"} <= set(targets(proved))
    for probe in proved.probes:
        check_probe(probe)
        own = {**probe.request.context, "sagemaker:TargetModel": "acme/v1"}
        assert not probe.decision.allowed
        assert decide(probe.access, replace(probe.request, context=own)).allowed


def test_who_may_do_nothing_is_denied_whatever_is_asked(setup: Setup) -> None:
    setup.tenant("acme", allow("acme/*", Effect="Deny")).tenant("globex")
    (proved,) = of(findings(setup.write()), Question.ISOLATED, "acme")
    assert len(proved.probes) == 5
    assert not any(probe.decision.allowed for probe in proved.probes)


def test_what_a_tenant_reaches_is_allowed(setup: Setup) -> None:
    setup.tenant("acme").tenant("globex")
    (reached,) = of(findings(setup.write()), Question.REACHES, "acme")
    assert reached.probes
    assert all(probe.decision.allowed for probe in reached.probes)
    assert all(str(target).startswith("acme/") for target in targets(reached))


def test_what_a_tenant_does_not_reach_is_denied(setup: Setup) -> None:
    setup.tenant("acme", allow("acme/v1*")).tenant("globex")
    (missed,) = of(findings(setup.write(), 0), Question.REACHES, "acme")
    assert missed.verdict is Verdict.LEAK
    (probe,) = missed.probes
    assert not probe.decision.allowed


@pytest.mark.parametrize("samples", [0, 1, 2, 7])
def test_so_many_are_kept(setup: Setup, samples: int) -> None:
    setup.tenant("acme").tenant("globex")
    for finding in findings(setup.write(), samples):
        assert finding.verdict is Verdict.PROVED
        assert len(finding.probes) == samples


def test_probes_are_no_part_of_what_findings_say(setup: Setup) -> None:
    setup.tenant("acme").tenant("globex")
    path = setup.write()
    assert findings(path, 0) == findings(path, 3)


def test_a_rules_requests_are_of_tenants_with_names() -> None:
    found = findings(EXAMPLES / "all-tenants" / "tenantproof.toml")
    assert {f.verdict for f in found} == {Verdict.PROVED}
    for finding in found:
        assert len(finding.probes) == 5
        for probe in finding.probes:
            check_probe(probe)
            assert probe.request.principal.tags["tenant"]
            assert probe.decision.allowed == (finding.question is Question.REACHES)


def test_a_rules_leak_is_of_tenants_with_names() -> None:
    found = findings(EXAMPLES / "all-tenants" / "leaky" / "tenantproof.toml", 0)
    leaks = [f for f in found if f.verdict is Verdict.LEAK]
    assert leaks
    for leak in leaks:
        (probe,) = leak.probes
        check_probe(probe)
        assert probe.decision.allowed
        assert probe.request.principal.tags["tenant"] == leak.names["tenant"]


def render(tenant: str) -> dict[str, Any]:
    """The policy of a tenant, without the slash behind its name."""
    return invoke(f"{tenant}*", Resource=ENDPOINT)


def test_a_vendors_leak_is_of_tenants_with_names() -> None:
    report = check(render)
    answers = [each.answer for each in report.findings if hasattr(each, "answer")]
    assert answers
    for answer in answers:
        assert answer.verdict is Verdict.LEAK
        (probe,) = answer.probes
        check_probe(probe)
        assert probe.decision.allowed


def test_a_way_keeps_the_request_of_each_step() -> None:
    found = findings(EXAMPLES / "account" / "tenantproof.toml", 2)
    ways = [f for f in found if f.question is Question.ARTIFACTS and f.verdict is Verdict.LEAK]
    assert ways
    for way in ways:
        assert [p.request for p in way.probes] == [step.request for step in way.steps]
        assert all(probe.decision.allowed for probe in way.probes)
        for probe in way.probes:
            check_probe(probe)


def test_what_a_step_has_changed_is_not_deployed() -> None:
    found = findings(EXAMPLES / "account" / "tenantproof.toml", 0)
    (change,) = (f for f in found if f.verdict is Verdict.LEAK and f.tenant == "gamma")
    assert change.probes[0].request.action == "iam:TagRole"
    assert [p.is_deployed for p in change.probes] == [True, False, False]


def test_a_closed_routes_requests_are_denied() -> None:
    found = findings(EXAMPLES / "account-repaired" / "tenantproof.toml", 3)
    probes = [probe for finding in found for probe in finding.probes]
    assert probes
    assert all(finding.verdict is Verdict.PROVED for finding in found)
    for finding in found:
        if finding.question is Question.ARTIFACTS:
            assert not any(probe.decision.allowed for probe in finding.probes)


def test_what_a_principal_cannot_is_tried_whatever_it_can(setup: Setup) -> None:
    models = [f"acme/{number}/*" for number in range(8)]
    setup.tenant("acme", allow(*models)).tenant("globex")
    setup.more('[[cannot]]\nprincipal = "acme"\ntarget_model = "globex/private/*"')
    (proved,) = of(findings(setup.write()), Question.CANNOT, "acme")
    assert proved.verdict is Verdict.PROVED
    assert proved.attacked
    assert len(proved.probes) == 5
    assert all(str(target).startswith("globex/private/") for target in targets(proved))
