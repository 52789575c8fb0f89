"""Statements of an organization's levels, as text reports tell them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conftest import Setup, allow
from tenantproof.isolation import Run, load_manifest
from tenantproof.report import to_text

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
INVOKING = {"Effect": "Allow", "Action": "sagemaker:*", "Resource": "*"}


def told(setup: Setup, levels: int) -> str:
    """The report of a leak below levels of service control policies, in one policy each."""
    path = setup.tenant("acme", allow("*"), extra=_levels(setup.folder, levels)).tenant("beta")
    return to_text(Run(load_manifest(path.write())).report())


def _levels(folder: Path, count: int) -> str:
    policy = {"Version": "2012-10-17", "Statement": [EVERYTHING, INVOKING]}
    (folder / "scp.json").write_text(json.dumps(policy))
    return f"service_control_policies = {json.dumps([['scp.json']] * count)}"


@pytest.mark.parametrize("levels", [1, 3])
def test_what_allows_everything_is_one_line(levels: int, setup: Setup) -> None:
    text = told(setup, levels)
    number = f"{levels} level{'s' * (levels > 1)}"
    assert f"and      an Allow without a condition on {number} of service_control_policies" in text
    assert "of service_control_policies[" not in text
    assert 'by       Allow Statement[0] with "*" at ' in text


def test_a_deny_that_does_not_apply_is_told(setup: Setup) -> None:
    policy = {"Version": "2012-10-17", "Statement": [EVERYTHING, {**INVOKING, "Effect": "Deny"}]}
    policy["Statement"][1]["Action"] = "sagemaker:Delete*"  # type: ignore[index]
    extra = 'service_control_policies = [["deny.json"]]'
    (setup.folder / "deny.json").write_text(json.dumps(policy))
    path = setup.tenant("acme", allow("*"), extra=extra).tenant("beta").write()
    assert "not by   Deny Statement[1] of service_control_policies[0]" in to_text(
        Run(load_manifest(path)).report()
    )
