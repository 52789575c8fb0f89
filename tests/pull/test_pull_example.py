"""``examples/snapshot`` and its narrowed twin are what a pull of the account writes."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pull_example import (
    DENIED,
    EXAMPLES,
    environment,
    make_example,
    pull_narrowed,
    pull_whole,
    session,
)
from pull_world import REGION, Account, Front, Rules
from tests.docs.docs_pages import Command, is_printed, run, shown

from tenantproof.aws import Aws
from tenantproof.cli import Exit, main

pytest_plugins = ("pull_fixtures",)
pytestmark = pytest.mark.enable_socket

_PASSING = re.compile(r"(Date|Time|Id|pulled_at|tenantproof)$")
"""Members that moto makes up, or that tell when and by which version."""


@dataclass(frozen=True)
class Example:
    """The account, the server in front of it, and a session with it."""

    account: Account
    front: Front
    aws: Aws


@pytest.fixture(scope="module")
def example(moto_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    nowhere = str(tmp_path_factory.getbasetemp() / "none")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CONFIG_FILE", nowhere)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", nowhere)
        patch.delenv("AWS_PROFILE", raising=False)
        account, management = make_example(moto_url)
        front = Front(moto_url, management)
        yield Example(account, front, session(account, front))
        front.shutdown()
        front.server_close()


def contents(folder: Path) -> dict[str, Any]:
    """The files, without what differs from pull to pull."""
    return {
        path.relative_to(folder).as_posix(): _lasting(json.loads(path.read_text("utf-8")))
        for path in folder.rglob("*.json")
    }


def _lasting(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: _lasting(each) for key, each in value.items() if _PASSING.search(key) is None
            }
        case list():
            # Policies of the organization are in the order of their IDs, which moto makes up.
            return sorted(map(_lasting, value), key=lambda each: json.dumps(each, sort_keys=True))
        case _:
            return value


def test_the_snapshot_is_what_a_pull_writes(example: Example, place: Path) -> None:
    pulled = pull_whole(example.aws, example.front, place)
    assert not pulled.missing
    assert contents(place) == contents(EXAMPLES / "snapshot" / "snapshot")


def test_the_narrowed_one_is_what_a_pull_with_less_permissions_writes(
    example: Example, place: Path
) -> None:
    pulled = pull_narrowed(example.aws, example.front, place)
    assert {each.operation.value for each in pulled.missing} == {
        "s3:GetBucketPolicy",
        "organizations:DescribeOrganization",
    }
    assert contents(place) == contents(EXAMPLES / "snapshot-narrowed" / "snapshot")


@pytest.mark.parametrize("name", ["snapshot", "snapshot-narrowed"])
def test_the_manifest_is_what_init_guesses(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXAMPLES / name)
    manifest = tmp_path / "tenantproof.toml"
    made = CliRunner().invoke(main, ["init", "--from", "snapshot", "--output", str(manifest)])
    assert made.exit_code == Exit.PROVED, made.output
    guessed = tomllib.loads(manifest.read_text("utf-8"))
    del guessed["sources"]  # relative to where it was written
    reviewed = tomllib.loads(Path("tenantproof.toml").read_text("utf-8"))
    del reviewed["sources"]
    assert guessed == reviewed


@pytest.mark.slow
@pytest.mark.parametrize("name", ["docs/pull.md", "README.md"])
def test_what_a_pull_prints(
    name: str, example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of pages, with the servers that stand for AWS."""
    page = (EXAMPLES.parent / name).read_text("utf-8").replace(".venv/bin/", "")
    commands = [c for c in shown(page) if isinstance(c, Command) and "tenantproof pull" in c.line]
    assert commands
    for variable, value in environment(example.account, example.front).items():
        monkeypatch.setenv(variable, value)
    for each in commands:
        denied = DENIED if "narrowed" in each.line else set()
        example.front.rules = Rules(components={REGION: []}, denied=denied)
        printed = run(each.line, tmp_path)
        assert is_printed(each.output, printed), printed
