"""What an attacker finds by trying requests must not be proved away."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import Any

import pytest
from attacker import Attack, Attacker, Tenant
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import refused

from exports import PLANTED, SCENARIOS, Names, Scenario, World
from exports.chance import random_world
from exports.estates import estate
from tenantproof.cli import main


def attacks(world: World) -> dict[str, dict[str, Attack]]:
    """What is found of each tenant's principals, by principal and route."""
    tenants = tuple(
        Tenant(name, tuple(p["arn"] for p in tables), tuple(world.artifacts[name]))
        for name, tables in world.principals.items()
    )
    accounts = estate(world.accounts)
    return {
        arn: Attacker(
            accounts, tenants, tenant, shared=tuple(world.shared), depth=world.depth or 3
        ).attacks(arn)
        for tenant in tenants
        for arn in tenant.principals
    }


# The attacker knows neither session policies of a manifest nor what is not there.
TRIED = [s for s in SCENARIOS if s.verdict == "LEAK" and s.name != "session-policy"]


@pytest.mark.parametrize("scenario", TRIED, ids=lambda scenario: scenario.name)
def test_the_attacker_finds_what_is_planted(scenario: Scenario) -> None:
    names = scenario.rename(Names())
    world = scenario.build(names, PLANTED)
    found = attacks(world)
    mine = found.pop(world.principal(names.attacker))
    assert set(mine) == {scenario.route, *scenario.routes}
    assert mine[scenario.route].victims <= scenario.victims(names)
    assert not any(found.values())


@pytest.mark.parametrize("scenario", TRIED, ids=lambda scenario: scenario.name)
def test_the_attacker_finds_nothing_in_a_twin(scenario: Scenario) -> None:
    names = scenario.rename(Names())
    for twin in scenario.twins:
        found = attacks(scenario.build(names, twin))
        shown = [str(s) for by in found.values() for a in by.values() for s in a.steps]
        assert shown == [], twin


def check(world: World, folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """What ``check`` says of each principal and route."""
    result = CliRunner().invoke(main, ["check", "--format", "json", str(world.write(folder))])
    answer = json.loads(result.stdout)
    assert answer.get("errors", []) == []
    found = [f for f in answer["findings"] if f["question"] == "artifacts"]
    return {(f["principal"], f["route"]): f for f in found}


def assert_agreed(world: World) -> None:
    """What is found by trying is not proved away, and what is reported can be done."""
    with tempfile.TemporaryDirectory() as folder:
        answers = check(world, Path(folder))
    for principal, found in attacks(world).items():
        for route, attack in found.items():
            steps = "\n".join(map(str, attack.steps))
            answer = answers[principal, route]
            assert answer["verdict"] != "PROVED", f"{route} of {principal}:\n{steps}"
    accounts = estate(world.accounts)
    for (principal, route), answer in answers.items():
        if answer["verdict"] == "LEAK":
            step = refused(accounts, principal, answer["steps"])
            assert step is None, f"{route} of {principal} cannot be done from {step}"


@settings(max_examples=30)
@given(st.randoms(use_true_random=False))
def test_random_accounts(chance: random.Random) -> None:
    assert_agreed(random_world(chance))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_many_random_accounts(first: int) -> None:
    for seed in range(first, first + 100):
        assert_agreed(random_world(random.Random(seed)))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(0, 200, 20))
def test_the_attackers_own_steps_can_be_made_again(seed: int) -> None:
    """The replay does what the attacker does."""
    for each in range(seed, seed + 20):
        world = random_world(random.Random(each))
        accounts = estate(world.accounts)
        for principal, found in attacks(world).items():
            for attack in found.values():
                told = [vars(step) for step in attack.steps]
                assert refused(accounts, principal, told) is None
