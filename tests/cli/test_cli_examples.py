"""Every example runs, and says what its folder says."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tenantproof.cli import main

EXAMPLES = Path(__file__).parents[2] / "examples"
EXPECTED = {
    "account/tenantproof.toml": 1,
    "account-repaired/tenantproof.toml": 0,
    "all-tenants/tenantproof.toml": 0,
    "all-tenants/leaky/tenantproof.toml": 1,
    "cloudformation/tenantproof.toml": 1,
    "company-a-b/tenantproof.toml": 0,
    "company-a-b/leaky/tenantproof.toml": 1,
    "documented-policy/tenantproof.toml": 0,
    "mutate/tenantproof.toml": 0,
    "mutate/better/tenantproof.toml": 0,
    "pytest/tenantproof.toml": 0,
    "snapshot/tenantproof.toml": 1,
    "snapshot-narrowed/tenantproof.toml": 3,
    "tags/tenantproof.toml": 0,
    "terraform/tenantproof.toml": 1,
    "vendor-role/tenantproof.toml": 0,
    "vendor-role/all-tenants/tenantproof.toml": 0,
    "vendor-role/leaky/tenantproof.toml": 1,
}


def test_every_example_is_expected() -> None:
    found = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("tenantproof.toml")}
    assert found == set(EXPECTED)


@pytest.mark.parametrize(("manifest", "code"), EXPECTED.items())
def test_an_example(manifest: str, code: int) -> None:
    result = CliRunner().invoke(main, ["check", "--lenient", str(EXAMPLES / manifest)])
    assert result.exit_code == code, result.output
