"""``init`` on exports that nobody explains: the planted path is found, the twins are proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exports import PLANTED, SCENARIOS, Names, Scenario, World
from tenantproof.cli import main
from tenantproof.init import write_manifest

CANNOT = {
    "session-policy": "a policy that is passed when a session begins stands in no export",
    "bucket-of-another-account": "no source says of a bucket that models are kept in another, too",
}
"""Scenarios that a manifest has to say more about than the exports do, and why."""

GUESSED = [scenario for scenario in SCENARIOS if scenario.name not in CANNOT]

Finding = dict[str, Any]


def findings(world: World, folder: Path) -> dict[tuple[str, str], Finding]:
    """What is found of each principal and route, by a manifest that ``init`` writes."""
    world.write(folder)
    manifest = folder / "guessed.toml"
    write_manifest(sorted(folder.glob("export-*")), manifest)
    result = CliRunner().invoke(main, ["check", "--format", "json", str(manifest)])
    answer = json.loads(result.stdout)
    assert answer["errors"] == []
    return {(f["principal"], f["route"]): f for f in answer["findings"] if f["route"]}


def test_what_cannot_be_guessed_is_a_scenario() -> None:
    assert CANNOT.keys() <= {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", GUESSED, ids=lambda scenario: scenario.name)
def test_the_planted_path_is_found(scenario: Scenario, tmp_path: Path) -> None:
    names = scenario.rename(Names())
    world = scenario.build(names, PLANTED)
    found = findings(world, tmp_path)
    finding = found[world.principal(names.attacker), scenario.route]
    assert finding["verdict"] == scenario.verdict, finding["reason"]
    assert set(finding["victims"]) <= scenario.victims(names)


@pytest.mark.parametrize(
    ("scenario", "twin"),
    [
        pytest.param(scenario, twin, id=f"{scenario.name}-{twin}")
        for scenario in GUESSED
        for twin in scenario.twins
    ],
)
def test_the_repaired_twin_is_proved(scenario: Scenario, twin: str, tmp_path: Path) -> None:
    names = scenario.rename(Names())
    world = scenario.build(names, twin)
    found = findings(world, tmp_path)
    assert {world.principal(tenant) for tenant in names.tenants} <= {arn for arn, _ in found}
    others = [
        (f["principal"], f["route"], f["verdict"], f["reason"])
        for f in found.values()
        if f["verdict"] != "PROVED"
    ]
    assert others == []
