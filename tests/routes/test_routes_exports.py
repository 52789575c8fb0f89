"""The exports that tests are built on have the shapes of the commands' outputs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from exports import PLANTED, SCENARIOS, Names, Scenario
from exports.estates import estate
from tenantproof.account import Group, Identity
from tenantproof.sources import load_sources

COMMANDS = {
    "authorization-details": ("iam", "GetAccountAuthorizationDetails"),
    "endpoint-config": ("sagemaker", "DescribeEndpointConfig"),
    "endpoint": ("sagemaker", "DescribeEndpoint"),
    "model": ("sagemaker", "DescribeModel"),
    "component": ("sagemaker", "DescribeInferenceComponent"),
    "bucket-policy": ("s3", "GetBucketPolicy"),
}
PYTHON = {"string": str, "list": list, "structure": dict, "map": dict, "boolean": bool}


def mismatches(value: Any, shape: Any, path: str) -> Iterator[str]:
    """Where a value is not what a shape of botocore's says."""
    kind = shape.type_name
    if shape.name.lower() == "policydocumenttype":
        return  # the CLI prints documents as objects
    if kind == "timestamp":
        kind = "string"
    if kind in ("integer", "long", "float", "double"):
        if not isinstance(value, int | float):
            yield f"{path} is no number"
        return
    if not isinstance(value, PYTHON[kind]):
        yield f"{path} is no {kind}"
        return
    if kind == "structure":
        for name in value.keys() - shape.members.keys():
            yield f"{path}.{name} is no member of {shape.name}"
        for name in set(shape.required_members) - value.keys():
            yield f"{path}.{name} is missing"
        for name in value.keys() & shape.members.keys():
            yield from mismatches(value[name], shape.members[name], f"{path}.{name}")
    if kind == "list":
        for item in value:
            yield from mismatches(item, shape.member, f"{path}[]")
    # "Policy" is what IAM answers where its model says PermissionsBoundaryPolicy.
    if getattr(shape, "enum", None) and value not in (*shape.enum, "Policy"):
        yield f"{path} is {value}, not one of {shape.enum}"


@pytest.fixture(scope="module")
def shapes() -> dict[str, Any]:
    session = botocore.session.get_session()
    return {
        kind: session.get_service_model(service).operation_model(name).output_shape
        for kind, (service, name) in COMMANDS.items()
    }


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_exports_have_the_shapes_of_the_commands(
    scenario: Scenario, shapes: dict[str, Any]
) -> None:
    for variant in (PLANTED, *scenario.twins):
        world = scenario.build(scenario.rename(Names()), variant)
        for account in world.accounts:
            for name, told in account.files().items():
                kind = max((k for k in COMMANDS if name.startswith(k)), key=len, default=None)
                if kind is None:
                    assert name == "organization.json"  # AWS has no command that prints it
                    continue
                beside = ("Bucket", "Account") if kind == "bucket-policy" else ()
                output = {k: v for k, v in told.items() if k not in beside}
                assert list(mismatches(output, shapes[kind], name)) == []


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_a_twin_differs_from_what_it_repairs(scenario: Scenario) -> None:
    names = scenario.rename(Names())
    worlds = [scenario.build(names, variant) for variant in (PLANTED, *scenario.twins)]
    texts = [
        json.dumps([world.manifest(), world.files, *(a.files() for a in world.accounts)])
        for world in worlds
    ]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_sources_read_what_was_exported(scenario: Scenario, tmp_path: Path) -> None:
    """Two ways from the same accounts to an estate: by the files, and by none."""
    world = scenario.build(scenario.rename(Names()), scenario.twins[0])
    world.write(tmp_path)
    folders = [tmp_path / f"export-{account.number}" for account in world.accounts]
    read, told = load_sources(folders), estate(world.accounts)
    assert [str(gap) for gap in read.gaps if gap.matters] == []
    for field in ("identities", "groups", "managed_policies", "endpoints", "models"):
        assert in_order(getattr(read, field)) == in_order(getattr(told, field))
    assert sorted(read.buckets, key=str) == sorted(told.buckets, key=str)
    assert read.organizations == told.organizations


def in_order(things: Iterable[Any]) -> list[Any]:
    return sorted(map(normal, things), key=lambda thing: str(thing.arn))


def normal(thing: Any) -> Any:
    """A thing whose policies are in an order of their own: no answer hangs on it."""
    if isinstance(thing, Identity | Group):
        return replace(
            thing,
            policies=tuple(sorted(thing.policies, key=repr)),
            managed_policies=tuple(sorted(thing.managed_policies)),
        )
    return thing
