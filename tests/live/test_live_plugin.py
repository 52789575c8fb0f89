"""``pytest --tenantproof-live`` as a user runs it, against a server on a socket."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import boto3  # noqa: F401 (a run inside of pytester forgets what it imported)
import iam_server as faults
import pytest
import tests.plugin.plugin_imports  # noqa: F401
from deciding import always, rightly
from iam_cases import no_waiting
from iam_server import Exchange, IamServer, fine, forever

from conftest import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, Setup, allow

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("aws_environment", no_waiting.__name__),
]

QUIET = ("--tenantproof-no-attack",)


@pytest.fixture
def proved(pytester: pytest.Pytester) -> Path:
    return Setup(pytester.path).tenant("acme").tenant("beta").write()


@pytest.fixture
def leaky(pytester: pytest.Pytester) -> Path:
    return Setup(pytester.path).tenant("acme", allow("*")).tenant("beta").write()


def run(pytester: pytest.Pytester, server: IamServer, *options: str) -> pytest.RunResult:
    live = ("--tenantproof-live", "--tenantproof-endpoint-url", server.url)
    result = pytester.runpytest("tenantproof.toml", *QUIET, *live, *options)
    shown = result.stdout.str() + result.stderr.str()
    assert not any(secret in shown for secret in (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN))
    return result


def live_line(result: pytest.RunResult) -> str:
    return next(line for line in result.stdout.lines if line.startswith("live: "))


def test_what_is_confirmed_passes(proved: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        result = run(pytester, server)
    result.assert_outcomes(passed=4)
    assert live_line(result) == "live: 4 confirmed"
    assert any("asks AWS" in line for line in result.stdout.lines[:10])
    assert server.simulations


def test_a_refuted_proof_fails_as_unknown(proved: Path, pytester: pytest.Pytester) -> None:
    with IamServer(always("allowed")) as server:
        result = run(pytester, server)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*+ UNKNOWN: *",
            "*DISAGREEMENT: the IAM policy simulator says allowed, tenantproof says ImplicitDeny",
            "*because * tenantproof says ImplicitDeny *; SimulateCustomPolicy says allowed *",
            f"*case     {pytester.path}/tenantproof-cases/*",
            "live: 2 confirmed, 2 refuted",
        ]
    )
    assert (pytester.path / "tenantproof-cases").is_dir()


def test_a_leak_is_shown_with_its_evidence(leaky: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        result = run(pytester, server)
    result.stdout.fnmatch_lines(
        ["*confirmed by the IAM policy simulator (SimulateCustomPolicy, 1 request)"]
    )
    assert result.ret == 1


def test_what_cannot_be_asked_passes_by_its_verdict(
    proved: Path, pytester: pytest.Pytester
) -> None:
    with IamServer(rightly, forever(faults.throttled)) as server:
        result = run(pytester, server)
    result.assert_outcomes(passed=4)
    assert live_line(result) == "live: 4 unconfirmed: nothing could be confirmed"
    result.stdout.fnmatch_lines(["  4 unconfirmed: throttled: *"])


def test_reports_have_the_standings(leaky: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        run(pytester, server, "--junit-xml=report.xml")
    tree = ElementTree.parse(pytester.path / "report.xml")
    values = [e.get("value") for e in tree.iter("property") if e.get("name") == "evidence"]
    assert values
    assert set(values) == {"confirmed"}


def test_the_configuration_says_how(proved: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        pytester.makeini(
            f"""
            [pytest]
            tenantproof_endpoint_url = {server.url}
            tenantproof_live_samples = 1
            tenantproof_live_max_calls = 3
            """
        )
        result = pytester.runpytest("tenantproof.toml", *QUIET)
        result.assert_outcomes(passed=4)
        assert not server.requests
        result = pytester.runpytest("tenantproof.toml", *QUIET, "--tenantproof-live")
        assert len(server.simulations) == 3
    assert live_line(result) == "live: 3 confirmed, 1 unconfirmed"


@pytest.mark.slow
@pytest.mark.parametrize("calls", [1, 2, 5])
def test_workers_share_the_calls(calls: int, proved: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        result = run(pytester, server, "-n", "2", f"--tenantproof-live-max-calls={calls}")
    result.assert_outcomes(passed=4)
    assert 0 < len(server.simulations) <= calls


def test_workers_tell_what_was_said(proved: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        result = run(pytester, server, "-n", "2")
    result.assert_outcomes(passed=4)
    assert live_line(result) == "live: 4 confirmed"


@pytest.mark.parametrize(
    "workers", [(), pytest.param(("-n", "2"), marks=pytest.mark.slow)], ids=["alone", "workers"]
)
def test_without_credentials_it_is_said_what_to_do(
    workers: tuple[str, ...],
    proved: Path,
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    result = pytester.runpytest("tenantproof.toml", "--tenantproof-live", *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --tenantproof-live: credentials not valid: *aws sso*"])


@pytest.mark.parametrize(
    "option",
    ["live-max-calls=3", "live-principals", "profile=x", "endpoint-url=http://127.0.0.1"],
)
def test_an_option_that_changes_nothing_is_an_error(
    option: str, proved: Path, pytester: pytest.Pytester
) -> None:
    result = pytester.runpytest("tenantproof.toml", f"--tenantproof-{option}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = option.partition("=")[0]
    result.stderr.fnmatch_lines(
        [f"ERROR: --tenantproof-{name}: AWS is asked with --tenantproof-live alone"]
    )


@pytest.mark.parametrize(
    "option",
    [
        "live-max-calls=0",
        "live-max-calls=x",
        "live-samples=65",
        "live-samples=-1",
        "live-timeout=0",
        "live-timeout=nan",
        "live-samples=",
        "role=",
        "region=us east",
        "profile=",
        "endpoint-url=none",
    ],
)
def test_values_have_bounds(option: str, proved: Path, pytester: pytest.Pytester) -> None:
    given = f"--tenantproof-{option}"
    result = pytester.runpytest("tenantproof.toml", "--tenantproof-live", given)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = option.partition("=")[0].replace("-", "_")
    result.stderr.fnmatch_lines([f"ERROR: tenantproof_{name}: found *, expected *"])


@pytest.mark.slow
def test_mutants_are_not_asked_about(proved: Path, pytester: pytest.Pytester) -> None:
    with IamServer(rightly) as server:
        run(pytester, server, "--tenantproof-mutate")
        asked = len(server.simulations)
    with IamServer(rightly) as server:
        run(pytester, server)
        assert len(server.simulations) == asked


def test_an_interrupt_ends_the_run_with_what_was_found(
    proved: Path, pytester: pytest.Pytester
) -> None:
    reached = threading.Event()

    def slow(exchange: Exchange) -> None:
        reached.set()
        exchange.sleep(60)

    with IamServer(rightly, [*[fine] * 5, slow]) as server:
        live = ["--tenantproof-live", f"--tenantproof-endpoint-url={server.url}"]
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "tenantproof.toml", *QUIET, *live],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=pytester.path,
        )
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == pytest.ExitCode.INTERRUPTED
    assert "interrupted while AWS was asked" in out
    assert re.search(r"^live: 1 confirmed, 1 unconfirmed$", out, re.MULTILINE)
    assert "unconfirmed: interrupted" in out


def test_a_question_in_code_asks_nobody(proved: Path, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_isolated(assert_isolated):
            assert_isolated()
        """
    )
    with IamServer(rightly) as server:
        url = f"--tenantproof-endpoint-url={server.url}"
        result = pytester.runpytest("--tenantproof-live", url)
    result.assert_outcomes(passed=1)
    assert not server.requests


def test_what_answers_depends_on_nothing_but_the_question(
    proved: Path, pytester: pytest.Pytester
) -> None:
    asked: list[list[dict[str, Any]]] = []
    for _ in range(2):
        with IamServer(rightly) as server:
            run(pytester, server)
        asked.append([each.parameters for each in server.simulations])
    assert asked[0] == asked[1]
