"""Planted paths are found with their steps; the repaired twin of each is proved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exports import PLANTED, SCENARIOS, Names, Scenario, World
from tenantproof.cli import main

NAMES = [
    Names(),
    Names("north", "south", "east", "eu-artifacts-7", "inference", "CustomerId", "core"),
    # One tenant's name begins with another's, and one looks like the platform's.
    Names("a", "a1", "platform-a", "a-models", "m", "Tenant", "a-ops"),
]
ROUTES = ("target-model", "invoke", "object", "assume", "change")

Finding = dict[str, Any]


def findings(world: World, folder: Path) -> dict[tuple[str, str], Finding]:
    """What ``check`` finds of each principal and route."""
    result = CliRunner().invoke(main, ["check", "--format", "json", str(world.write(folder))])
    answer = json.loads(result.stdout)
    assert answer.get("errors", []) == []
    found = [f for f in answer["findings"] if f["question"] == "artifacts"]
    by_route = {(f["principal"], f["route"]): f for f in found}
    assert len(by_route) == len(found)
    return by_route


def attackers_actions(finding: Finding) -> str:
    """The actions of the steps, less what services do for the attacker."""
    own = [
        step["action"]
        for before, step in zip([None, *finding["steps"]], finding["steps"], strict=False)
        if not step["principal"].endswith(".amazonaws.com")
        and not (before and "Invoke" in before["action"])  # the execution role reads
    ]
    return " ".join(own)


def shown(found: Iterable[Finding]) -> list[tuple[str, ...]]:
    return [(f["principal"], f["route"], f["verdict"], f.get("reason")) for f in found]


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.attacker)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_planted_path_is_found(scenario: Scenario, names: Names, tmp_path: Path) -> None:
    names = scenario.rename(names)
    world = scenario.build(names, PLANTED)
    found = findings(world, tmp_path)
    attacker = world.principal(names.attacker)
    finding = found[attacker, scenario.route]
    assert finding["verdict"] == scenario.verdict, finding.get("reason")
    if scenario.verdict == "LEAK":
        assert finding["steps"][0]["principal"] == attacker
        assert all(step["effect"] for step in finding["steps"])
        actions = attackers_actions(finding)
        assert re.fullmatch(" ".join(scenario.steps), actions), actions
        assert finding["victims"]
        assert set(finding["victims"]) <= scenario.victims(names)
    beside = [f for key, f in found.items() if key[0] != attacker]
    assert shown(f for f in beside if f["verdict"] != "PROVED") == []
    leaks = {route for (arn, route), f in found.items() if f["verdict"] == "LEAK"}
    if scenario.verdict == "LEAK":
        assert leaks == {scenario.route, *scenario.routes}
    else:
        assert leaks == set()


@pytest.mark.parametrize("names", NAMES, ids=lambda names: names.attacker)
@pytest.mark.parametrize(
    ("scenario", "twin"),
    [
        pytest.param(scenario, twin, id=f"{scenario.name}-{twin}")
        for scenario in SCENARIOS
        for twin in scenario.twins
    ],
)
def test_the_repaired_twin_is_proved(
    scenario: Scenario, twin: str, names: Names, tmp_path: Path
) -> None:
    names = scenario.rename(names)
    world = scenario.build(names, twin)
    found = findings(world, tmp_path)
    principals = [world.principal(tenant) for tenant in names.tenants]
    assert set(found) == {(arn, route) for arn in principals for route in ROUTES}
    assert shown(f for f in found.values() if f["verdict"] != "PROVED") == []
