"""``check --live`` as a user runs it, against a server on a socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import iam_server as faults
import jsonschema
import pytest
from click.testing import CliRunner, Result
from deciding import always, rightly
from iam_cases import no_waiting
from iam_server import Decide, Exchange, Fault, IamServer, fine, forever

from conftest import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN, Setup, allow
from tenantproof.cli import Exit, main
from tenantproof.report import report_schema

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("aws_environment", no_waiting.__name__),
]

SECRETS = (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN)


@pytest.fixture
def proved(setup: Setup) -> Path:
    return setup.tenant("acme").tenant("beta").write()


@pytest.fixture
def leaky(setup: Setup) -> Path:
    return setup.tenant("acme", allow("*")).tenant("beta").write()


class Ran:
    """A run, and what the server saw of it."""

    def __init__(self, result: Result, server: IamServer) -> None:
        self.code = result.exit_code
        self.out = result.stdout
        self.err = result.stderr
        self.calls = len(server.simulations)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        for secret in SECRETS:
            assert secret not in result.output

    @property
    def json(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.out)
        jsonschema.validate(answer, report_schema())
        return answer

    @property
    def standings(self) -> set[str]:
        return {each["evidence"]["standing"] for each in self.json["findings"]}


def check(
    path: Path,
    *options: str,
    decide: Decide = rightly,
    script: Iterable[Fault] = (),
    form: str = "json",
) -> Ran:
    with IamServer(decide, script) as server:
        cases = ["--live-cases", str(path.parent / "cases")]
        arguments = ["--live", "--endpoint-url", server.url, *cases, "--format", form, *options]
        result = CliRunner().invoke(main, ["check", str(path), *arguments])
        return Ran(result, server)


def test_a_leak_that_is_confirmed_is_one(leaky: Path) -> None:
    ran = check(leaky)
    assert ran.code == Exit.LEAK
    assert ran.standings == {"confirmed"}
    assert not (leaky.parent / "cases").exists()


def test_a_proof_that_is_confirmed_is_one(proved: Path) -> None:
    ran = check(proved)
    assert ran.code == Exit.PROVED
    assert ran.standings == {"confirmed"}
    assert {len(each["evidence"]["opinions"]) for each in ran.json["findings"]} == {4}
    text = check(proved, form="text").out
    assert "confirmed by the IAM policy simulator (SimulateCustomPolicy, 4 requests)" in text
    assert "\nlive: 4 confirmed\n" in text
    assert text.endswith("\n\nPROVED: 4 PROVED\n")


def test_a_refuted_proof_is_unknown(proved: Path) -> None:
    ran = check(proved, decide=always("allowed"))
    assert ran.code == Exit.UNKNOWN
    by_question = {each["question"]: each for each in ran.json["findings"]}
    assert by_question["isolated"]["verdict"] == "UNKNOWN"
    assert by_question["isolated"]["evidence"]["standing"] == "refuted"
    assert by_question["reaches"]["verdict"] == "PROVED"


def test_a_refuted_leak_stays_a_leak_and_is_written_as_a_case(leaky: Path) -> None:
    ran = check(leaky, decide=always("explicitDeny"))
    assert ran.code == Exit.LEAK
    leak = next(each for each in ran.json["findings"] if each["verdict"] == "LEAK")
    (opinion,) = leak["evidence"]["opinions"]
    assert (opinion["decision"], opinion["answer"]) == ("Allowed", "explicitDeny")
    case = Path(opinion["case"])
    assert case.parent == leaky.parent / "cases"
    again = CliRunner().invoke(main, ["simulate", str(case / "case.jsonl")])
    assert json.loads(again.stdout)["decision"] == "Allowed"
    text = check(leaky, decide=always("explicitDeny"), form="text").out
    assert "DISAGREEMENT: the IAM policy simulator says explicitDeny" in text
    assert f"case     {case}" in text


REASONS = {
    "throttled": "throttled",
    "denied": "access denied",
    "expired": "credentials not valid",
    "skewed": "clock skew",
    "html": "reply not understood",
    "endless_markers": "reply not understood",
    "broken": "server error",
}


@pytest.mark.parametrize("name", REASONS)
def test_a_fault_forever_leaves_the_verdict(name: str, setup: Setup) -> None:
    path = setup.tenant("acme", allow("*")).tenant("beta").write()
    ran = check(path, script=forever(getattr(faults, name)))
    assert ran.code == Exit.LEAK
    verdicts = {each["verdict"] for each in ran.json["findings"]}
    assert verdicts == {"LEAK", "PROVED"}
    assert ran.standings == {"unconfirmed"}
    reasons = {
        opinion["reason"]
        for finding in ran.json["findings"]
        for opinion in finding["evidence"]["opinions"]
    }
    assert all(reason.startswith(REASONS[name]) for reason in reasons), reasons
    assert not (path.parent / "cases").exists()


def test_that_nothing_was_confirmed_is_said(proved: Path) -> None:
    text = check(proved, script=forever(faults.denied), form="text").out
    assert "live: 4 unconfirmed: nothing could be confirmed\n  4 unconfirmed: access" in text
    assert text.count("unconfirmed: access denied") == 1


@pytest.mark.parametrize("most", [1, 3, 100])
def test_calls_are_bounded(most: int, proved: Path) -> None:
    ran = check(proved, "--live-max-calls", str(most))
    assert 0 < ran.calls <= most
    assert ran.code == Exit.PROVED
    assert ran.standings <= {"confirmed", "unconfirmed"}


@pytest.mark.parametrize("samples", [0, 1, pytest.param(64, marks=pytest.mark.slow)])
def test_samples_are_as_many_as_asked_for(samples: int, proved: Path) -> None:
    ran = check(proved, "--live-samples", str(samples), "--live-max-calls", "300")
    assert ran.code == Exit.PROVED
    counts = {len(each["evidence"]["opinions"]) for each in ran.json["findings"]}
    assert max(counts) <= samples
    assert (min(counts) > 0) == (samples > 0)


def test_time_is_bounded(proved: Path) -> None:
    ran = check(proved, "--live-timeout", "0.5", script=forever(faults.dripping))
    assert ran.code == Exit.PROVED
    assert ran.standings == {"unconfirmed"}


@pytest.mark.parametrize("fault", [faults.echoing(403, "SignatureDoesNotMatch"), faults.expired])
def test_nothing_secret_is_told(fault: Fault, leaky: Path) -> None:
    assert check(leaky, script=forever(fault), form="text").code == Exit.LEAK
    for path in leaky.parent.rglob("*"):
        if path.is_file() and "aws" not in path.parts[-2:]:
            assert not any(secret in path.read_text() for secret in SECRETS)


def test_principals_of_the_account_are_asked_about(proved: Path) -> None:
    def decide(parameters: dict[str, Any]) -> Any:
        assert parameters["PolicySourceArn"].startswith("arn:aws:iam::111122223333:role/")
        return always("implicitDeny")(parameters)

    ran = check(proved, "--live-principals", decide=decide)
    isolated = [each for each in ran.json["findings"] if each["question"] == "isolated"]
    assert {each["evidence"]["standing"] for each in isolated} == {"confirmed"}
    asked = {opinion["asked"] for each in isolated for opinion in each["evidence"]["opinions"]}
    assert asked == {"SimulatePrincipalPolicy"}


def test_a_role_is_assumed_first(proved: Path) -> None:
    with IamServer(rightly) as server:
        role = "arn:aws:iam::111122223333:role/auditor"
        arguments = ["--live", "--endpoint-url", server.url, "--role", role]
        result = CliRunner().invoke(main, ["check", str(proved), *arguments])
    assert result.exit_code == Exit.PROVED
    assert server.requests[0].action == "AssumeRole"
    assert server.requests[0].parameters["RoleArn"] == role


def test_certificates_are_written_first(proved: Path) -> None:
    certificate = proved.parent / "proof.json"
    ran = check(proved, "--certificate", str(certificate), decide=always("allowed"))
    assert ran.code == Exit.UNKNOWN
    verified = CliRunner().invoke(main, ["verify", str(certificate)])
    assert verified.exit_code in {Exit.PROVED, Exit.UNKNOWN}
    assert ran.json["findings"][0]["certificate"]["written"]


# -- what is said before any proof ---------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


def without_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)


@pytest.mark.parametrize("form", ["text", "json"])
def test_without_credentials_it_is_said_what_to_do(
    form: str, proved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_credentials(monkeypatch)
    result = run(str(proved), "--live", "--format", form)
    assert result.exit_code == Exit.BAD_INPUT
    assert "error: --live: credentials not valid: no credentials found" in result.stderr
    assert "aws sso login" in result.stderr
    if form == "json":
        answer = json.loads(result.stdout)
        jsonschema.validate(answer, report_schema())
        assert answer["errors"][0]["file"] == "--live"


def test_an_unknown_profile_is_named(proved: Path) -> None:
    result = run(str(proved), "--live", "--profile", "nobody")
    assert result.exit_code == Exit.BAD_INPUT
    assert "nobody" in result.stderr


def test_the_manifests_own_errors_come_first(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    without_credentials(monkeypatch)
    path = setup.tenant("acme", allow("x", Effect="allow")).write()
    result = run(str(path), "--live")
    assert result.exit_code == Exit.BAD_INPUT
    assert "$.Statement[0].Effect" in result.stderr
    assert "credentials" not in result.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--live-principals",),
        ("--live-max-calls", "3"),
        ("--live-samples", "3"),
        ("--live-timeout", "3"),
        ("--live-cases", "cases"),
        ("--profile", "x"),
        ("--region", "us-east-1"),
        ("--endpoint-url", "http://127.0.0.1"),
        ("--role", "arn:aws:iam::111122223333:role/x"),
    ],
    ids=lambda option: option[0],
)
def test_an_option_that_changes_nothing_is_an_error(option: tuple[str, ...], proved: Path) -> None:
    result = run(str(proved), *option)
    assert result.exit_code == Exit.BAD_INPUT
    assert f"{option[0]}: AWS is asked with --live" in result.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--live-max-calls", "0"),
        ("--live-samples", "65"),
        ("--live-samples", "-1"),
        ("--live-timeout", "0"),
        ("--live-timeout", "nan"),
        ("--live-invoke", ""),
        ("--profile", ""),
        ("--region", "us east"),
        ("--endpoint-url", ""),
        ("--endpoint-url", "ftp://127.0.0.1"),
        ("--role", ""),
        ("--role", "arn:aws:iam::111122223333:user/x"),
    ],
)
def test_values_have_bounds(option: tuple[str, str], proved: Path) -> None:
    result = run(str(proved), "--live", *option)
    assert result.exit_code == Exit.BAD_INPUT
    assert option[0] in result.stderr


# -- interrupts ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_interrupt_keeps_what_was_confirmed(form: str, proved: Path) -> None:
    reached = threading.Event()

    def slow(exchange: Exchange) -> None:
        reached.set()
        exchange.sleep(60)

    with IamServer(rightly, [fine, fine, slow]) as server:
        code = "from tenantproof.cli import main; main()"
        arguments = ["check", str(proved), "--live", "--endpoint-url", server.url]
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments, "--format", form],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=dict(os.environ),
        )
        assert reached.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == Exit.INTERRUPTED
    assert err == "interrupted: what was not asked is unconfirmed\n"
    if form == "text":
        assert "live: 4 unconfirmed" in out
        assert "unconfirmed: interrupted" in out
        assert out.endswith("PROVED: 4 PROVED\n")
    else:
        answer = json.loads(out)
        jsonschema.validate(answer, report_schema())
        opinions = [o for f in answer["findings"] for o in f["evidence"]["opinions"]]
        standings = [each["standing"] for each in opinions]
        assert standings.count("confirmed") == 2
        assert set(standings) == {"confirmed", "unconfirmed"}
