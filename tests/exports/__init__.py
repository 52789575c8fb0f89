"""Account exports for tests and benchmarks: a builder, and scenarios with planted paths."""

from .account import (
    Account,
    Artifacts,
    Json,
    allow,
    deny,
    document,
    grant,
    multi_model,
    single_model,
    trust,
)
from .scenarios import PLANTED, SCENARIOS, Scenario
from .world import Names, World, add_tenant, invoke_own, world

__all__ = [
    "PLANTED",
    "SCENARIOS",
    "Account",
    "Artifacts",
    "Json",
    "Names",
    "Scenario",
    "World",
    "add_tenant",
    "allow",
    "deny",
    "document",
    "grant",
    "invoke_own",
    "multi_model",
    "single_model",
    "trust",
    "world",
]
