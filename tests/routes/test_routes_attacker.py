"""What an attacker finds by trying requests must not be proved away."""

from __future__ import annotations

import pytest
from attacker import Attack, Attacker, Tenant

from exports import PLANTED, SCENARIOS, Names, Scenario, World
from exports.estates import estate


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
TRIED = [s for s in SCENARIOS if s.name not in {"session-policy", "attached-policy-absent"}]


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
