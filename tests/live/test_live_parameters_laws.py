"""What is sent, decided by an independent simulator, is what the evaluator decides."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from independent import IndependentSimulator
from live_probes import (
    ROLE,
    ROOT,
    SESSION,
    USER,
    check_parameters,
    manifest_probes,
    parameters_of,
    random_probe,
)

from tenantproof.evaluate import decide
from tenantproof.isolation import Probe
from tenantproof.live.parameters import simulations
from tenantproof.live.simulation import NotSimulatable, Simulation
from tenantproof.policy import Access
from tenantproof.request import Principal
from tenantproof_strategies import requests
from tenantproof_strategies.grammar import accesses

SEEDS = st.randoms(use_true_random=False)
PATH_ROLE = "arn:aws:iam::111122223333:role/path/app"
CALLERS = [
    Principal(USER, {"tenant": "acme"}),
    Principal(USER, {"team": "acme-corp/v1"}, {"aws:SourceIdentity": "acme", "aws:TagKeys": ()}),
    Principal(ROLE, {"tenant": "*"}),
    Principal(
        SESSION, {"tenant": ""}, {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/p/app"}
    ),
]
MANIFESTS = sorted(
    path
    for path in (ROOT / "examples").rglob("tenantproof.toml")
    if path.parent.name != "documented-policy"
)


def decided(asked: Iterable[Simulation]) -> list[str]:
    """What the independent simulator says of each question."""
    decisions = []
    for simulation in asked:
        (result,) = IndependentSimulator().custom(parameters_of(simulation))
        assert {key.lower() for key in result["MissingContextValues"]} <= simulation.lacks
        for each in result["MatchedStatements"]:
            place = each["SourcePolicyId"], each["StartPosition"]["Line"]
            assert place in simulation.statements or simulation.statements == {}
        decisions.append(result["EvalDecision"])
    return decisions


def check(probe: Probe) -> bool:
    """What is sent of a request gives its decision; whether anything is."""
    asked = simulations(probe)
    if isinstance(asked, NotSimulatable):
        assert asked.reason
        return False
    for simulation in asked:
        check_parameters(simulation)
    decisions = decided(asked)
    assert all(each == "allowed" for each in decisions) == probe.decision.allowed
    if len(asked) == 1 and not probe.access.resource_control_policies:
        (decision,) = decisions
        if probe.access.resource_policy is None or "ResourcePolicy" in asked[0].parameters:
            assert decision.lower() == probe.decision.outcome.value.lower()
    return True


@settings(max_examples=300)
@given(SEEDS)
def test_layers_are_decided_as_the_evaluator_decides_them(random: Random) -> None:
    probe = random_probe(random)
    event("asked" if check(probe) else "not simulatable")


@settings(max_examples=200)
@given(st.data(), st.sampled_from(CALLERS))
def test_every_operator_is_decided_as_the_evaluator_decides_it(
    data: st.DataObject, caller: Principal
) -> None:
    access = data.draw(accesses(caller))
    if data.draw(st.booleans()):
        access = Access(access.caller)
    request = data.draw(requests(access.caller, caller))
    event("asked" if check(Probe(request, access, decide(access, request))) else "not")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_the_examples_are_decided_as_the_evaluator_decides_them(path: Path) -> None:
    probes = manifest_probes(path)
    assert probes
    for probe in probes:
        check(probe)
