"""``tenantproof pull`` as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from pull_world import REGION, Account, Front

from tenantproof.cli import Exit, main

pytest_plugins = ("pull_fixtures",)
pytestmark = pytest.mark.enable_socket


@pytest.fixture(autouse=True)
def environment(
    account: Account, front: Front, aws_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", account.keys.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", account.keys.secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", account.keys.token)
    monkeypatch.setenv("AWS_ENDPOINT_URL", front.url)


def pull(place: Path, *options: str) -> Result:
    arguments = ["pull", "--output", str(place), "--region", REGION, *options]
    result = CliRunner().invoke(main, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_a_whole_snapshot_is_read_by_init(place: Path, account: Account) -> None:
    result = pull(place)
    assert result.exit_code == Exit.PROVED
    assert f"{place}: {account.id} in {REGION}: " in result.stdout
    assert result.stdout.endswith(f"next: tenantproof init --from {place}\n")
    manifest = place.with_name("tenantproof.toml")
    made = CliRunner().invoke(main, ["init", "--from", str(place), "--output", str(manifest)])
    assert made.exit_code == Exit.PROVED
    for secret in (account.keys.access, account.keys.secret, account.keys.token):
        assert secret not in result.output
        assert not any(secret in each.read_text() for each in place.rglob("*.json"))


def test_a_narrow_snapshot_says_what_it_lacks(place: Path, front: Front) -> None:
    front.rules.denied = {"sagemaker:ListModels"}
    result = pull(place)
    assert result.exit_code == Exit.UNKNOWN
    assert "not collected; what rests on it will be UNKNOWN:" in result.stdout
    assert "it needs sagemaker:ListModels" in result.stdout
    assert (place / "snapshot.json").is_file()


def test_nothing_is_written_over(place: Path) -> None:
    assert pull(place).exit_code == Exit.PROVED
    again = pull(place)
    assert again.exit_code == Exit.BAD_INPUT
    assert "error: " in again.stderr
    assert pull(place, "--force").exit_code == Exit.PROVED


def test_a_snapshot_holds_no_other_one(place: Path) -> None:
    assert pull(place).exit_code == Exit.PROVED
    for within in (place / "inner", place / "iam", place / "new" / "inner"):
        result = pull(within, "--force")
        assert result.exit_code == Exit.BAD_INPUT
        assert f"found a place in the snapshot {place}, expected one beside it" in result.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--region", ""),
        ("--region", "../x"),
        ("--role", ""),
        ("--profile", ""),
        ("--endpoint-url", "ftp://x"),
    ],
)
def test_values_that_are_none(option: tuple[str, str], place: Path) -> None:
    result = pull(place, *option)
    assert result.exit_code == Exit.BAD_INPUT
    assert f"{option[0]}': found {option[1]!r}, expected" in result.stderr
    assert not place.exists()


def test_without_the_organization_its_policies_are_unknown(place: Path, front: Front) -> None:
    result = pull(place, "--no-organization")
    assert result.exit_code == Exit.UNKNOWN
    assert not any(name.startswith("organizations:") for name in front.rules.calls)


def test_buckets_are_named_beside_those_of_models(place: Path) -> None:
    wrong = pull(place, "--bucket", "s3://x")
    assert wrong.exit_code == Exit.BAD_INPUT
    assert "--bucket" in wrong.stderr


def test_without_credentials_it_is_said_what_to_do(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    result = pull(place)
    assert result.exit_code == Exit.BAD_INPUT
    assert "error: credentials not valid: no credentials found: run `aws configure`" in (
        result.stderr
    )
    assert not place.exists()


def test_without_a_region_it_is_said_what_to_do(place: Path) -> None:
    result = CliRunner().invoke(main, ["pull", "--output", str(place)])
    assert result.exit_code == Exit.BAD_INPUT
    assert "--region" in result.stderr
    assert not place.exists()


def test_an_account_that_is_not_told_is_an_error(place: Path, front: Front) -> None:
    front.rules.denied = {"sts:GetCallerIdentity"}
    result = pull(place)
    assert result.exit_code == Exit.BAD_INPUT
    assert result.stdout == ""
    assert not place.exists()


def test_an_interrupt_leaves_nothing(place: Path, front: Front) -> None:
    reached, ended = threading.Event(), threading.Event()

    def slow(operation: str) -> None:
        if operation == "sagemaker:ListEndpoints":
            reached.set()
            ended.wait(60)

    front.rules.before = slow
    code = "from tenantproof.cli import main; main()"
    arguments = ["pull", "--output", str(place), "--region", REGION]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    try:
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        ended.set()
    assert process.returncode == Exit.INTERRUPTED
    assert (out, err) == ("", "interrupted: nothing was written\n")
    assert list(place.parent.glob("snapshot*")) == []
