"""The same world gives the same estate, in whatever notation it is written."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from sources_worlds import (
    ACCOUNT,
    REGION,
    World,
    as_exports,
    as_plan,
    as_template,
    worlds,
)

from tenantproof.account import Estate
from tenantproof.sources import Deployment, load_sources


def read(files: dict[str, Any], deployment: Deployment | None = None) -> Estate:
    with tempfile.TemporaryDirectory() as folder:
        for name, content in files.items():
            Path(folder, name).write_text(json.dumps(content), encoding="utf-8")
        return load_sources([Path(folder)], deployment=deployment)


def essence(estate: Estate) -> Estate:
    """An estate but for its order, its files and what is listed for completeness."""
    return replace(
        estate,
        identities=tuple(
            replace(
                each, policies=sort(each.policies), managed_policies=sort(each.managed_policies)
            )
            for each in sort(estate.identities)
        ),
        groups=tuple(
            replace(
                each, policies=sort(each.policies), managed_policies=sort(each.managed_policies)
            )
            for each in sort(estate.groups)
        ),
        managed_policies=sort(estate.managed_policies),
        endpoints=sort(estate.endpoints),
        models=sort(estate.models),
        gaps=tuple(gap for gap in estate.gaps if gap.matters),
        files=(),
    )


def sort(things: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple({repr(each): each for each in sorted(things, key=repr)}.values())


@given(worlds())
@settings(deadline=None, max_examples=60)
def test_an_export_a_plan_and_a_template_give_the_same_estate(world: World) -> None:
    exports = essence(read(as_exports(world)))
    assert essence(read({"plan.json": as_plan(world)})) == exports
    deployment = Deployment(ACCOUNT, REGION)
    assert essence(read({"template.json": as_template(world)}, deployment)) == exports
