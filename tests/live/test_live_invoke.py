"""``check --live-invoke``: real invocations as a profile, against a server on a socket."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from deciding import rightly
from iam_cases import no_waiting
from iam_server import IamServer
from runtime_server import DENIED, IDENTITY, OK, Decide, Invoked, Reply, RuntimeServer

from conftest import ACCESS_KEY, ENDPOINT, SECRET_KEY, Setup, allow
from tenantproof.cli import Exit, main
from tenantproof.report import report_schema

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("aws_environment", no_waiting.__name__),
]

ACTION = "sagemaker:InvokeEndpoint"
ROLE = "arn:aws:iam::111122223333:role/service/acme"
SESSION = "arn:aws:sts::111122223333:assumed-role/acme/sandbox"
BETA = "arn:aws:iam::111122223333:user/beta"


@pytest.fixture(autouse=True)
def sandbox(aws_environment: Path) -> None:
    """A profile beside the credentials of the environment, which must not be taken."""
    text = f"[sandbox]\naws_access_key_id={ACCESS_KEY}X\naws_secret_access_key={SECRET_KEY}\n"
    (aws_environment / "credentials").write_text(text)


def manifest(setup: Setup, *statements: dict[str, Any], arn: str = IDENTITY, **more: Any) -> Path:
    setup.tenant("acme", *statements, arn=arn, **more)
    return setup.tenant("beta", arn=BETA).write()


def check(
    path: Path, decide: Decide, *options: str, identity: str = IDENTITY
) -> tuple[Result, list[Invoked]]:
    with RuntimeServer(decide, identity) as server:
        cases = ["--live-cases", str(path.parent / "cases"), "--format", "json"]
        live = ["--live-invoke", "sandbox", "--endpoint-url", server.url, *cases, *options]
        result = CliRunner().invoke(main, ["check", str(path), *live])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert SECRET_KEY not in result.output
    assert ACCESS_KEY not in result.output
    return result, server.invoked


def findings(result: Result) -> list[dict[str, Any]]:
    """Those about acme."""
    answer = json.loads(result.stdout)
    jsonschema.validate(answer, report_schema())
    return [each for each in answer["findings"] if each["tenant"] == "acme"]


def isolated(result: Result) -> dict[str, Any]:
    return next(each for each in findings(result) if each["question"] == "isolated")


def as_the_policy_says(invoked: Invoked) -> Reply:
    return OK if (invoked.target_model or "").startswith("acme/") else DENIED


def always(reply: Reply) -> Decide:
    return lambda _: reply


def test_a_wall_that_holds_is_confirmed(setup: Setup) -> None:
    result, invoked = check(manifest(setup), as_the_policy_says)
    assert result.exit_code == Exit.PROVED
    assert {each["evidence"]["standing"] for each in findings(result)} == {"confirmed"}
    assert {each.endpoint for each in invoked} == {"models"}
    assert {each.body for each in invoked} == {b"{}"}
    assert len(set(invoked)) == len(invoked)


def test_what_is_going_to_be_done_is_said_before(setup: Setup) -> None:
    result, invoked = check(manifest(setup), as_the_policy_says)
    assert result.stderr == (f"invoking for real, as {IDENTITY}: {len(invoked)} on {ENDPOINT}\n")


ACROSS = [
    OK,
    Reply(424, "ModelError"),
    Reply(400, "ValidationError"),
    Reply(429, "ModelNotReadyException"),
    Reply(400, "ValidationError", "Endpoint models of account 111122223333 not found."),
]


@pytest.mark.parametrize("reply", ACROSS, ids=lambda reply: str(reply.error))
def test_who_gets_across_refutes_a_proof(reply: Reply, setup: Setup) -> None:
    path = manifest(setup)
    result, _ = check(path, always(reply))
    assert result.exit_code == Exit.UNKNOWN
    found = isolated(result)
    assert found["verdict"] == "UNKNOWN"
    assert found["evidence"]["standing"] == "refuted"
    assert "a real invocation says otherwise: tenantproof says ImplicitDeny" in found["reason"]
    refuted = [o for o in found["evidence"]["opinions"] if o["standing"] == "refuted"]
    assert refuted[0]["answer"] == (reply.error or "200")
    parameters = json.loads((Path(refuted[0]["case"]) / "invoke-endpoint.json").read_text())
    assert parameters["EndpointName"] == "models"


@pytest.mark.parametrize("reply", ACROSS, ids=lambda reply: str(reply.error))
def test_who_gets_across_confirms_a_leak(reply: Reply, setup: Setup) -> None:
    result, _ = check(manifest(setup, allow("*")), always(reply))
    assert result.exit_code == Exit.LEAK
    assert isolated(result)["evidence"]["standing"] == "confirmed"


def test_who_is_denied_refutes_a_leak_which_stays_one(setup: Setup) -> None:
    result, _ = check(manifest(setup, allow("*")), always(DENIED))
    assert result.exit_code == Exit.LEAK
    found = isolated(result)
    assert found["verdict"] == "LEAK"
    assert found["evidence"]["standing"] == "refuted"


SILENT = [
    Reply(400, "ThrottlingException"),
    Reply(503, "ServiceUnavailable"),
    Reply(500, "InternalFailure"),
    Reply(403, "ExpiredTokenException"),
    Reply(403, "UnrecognizedClientException"),
    Reply(403, None),
    Reply(404, None),
    Reply(400, None),
    Reply(302, None),
    Reply(204, None),
    Reply(530, "InternalDependencyException"),
    Reply(400, "ValidationException"),
    Reply(404, "ResourceNotFound"),
    Reply(
        400,
        "ValidationError",
        "1 validation error detected: Value 'x' at 'targetModel' failed to satisfy constraint",
    ),
    Reply(200, None, "<html>sign in</html>", "text/html"),
]


@pytest.mark.slow
@pytest.mark.parametrize("reply", SILENT, ids=lambda reply: f"{reply.status}-{reply.error}")
def test_other_answers_say_nothing(reply: Reply, setup: Setup) -> None:
    result, _ = check(manifest(setup, allow("*")), always(reply))
    assert result.exit_code == Exit.LEAK
    verdicts = {each["verdict"] for each in findings(result)}
    assert verdicts == {"LEAK", "PROVED"}
    assert {each["evidence"]["standing"] for each in findings(result)} == {"unconfirmed"}


NOT_OF_THE_PRINCIPAL = [
    "because no session policy allows the sagemaker:InvokeEndpoint action",
    "with an explicit deny in a session policy",
    "because no VPC endpoint policy allows the sagemaker:InvokeEndpoint action",
    "with an explicit deny in a VPC endpoint policy",
]


@pytest.mark.parametrize("why", NOT_OF_THE_PRINCIPAL)
@pytest.mark.parametrize("statements", [[], [allow("*")]], ids=["proved", "leak"])
def test_a_denial_by_what_is_not_the_principals_says_nothing(
    why: str, statements: list[dict[str, Any]], setup: Setup
) -> None:
    said = f"User: {IDENTITY} is not authorized to perform: {ACTION} on resource: {ENDPOINT} {why}"
    reply = Reply(403, "AccessDeniedException", said)
    result, _ = check(manifest(setup, *statements), always(reply))
    assert isolated(result)["evidence"]["standing"] == "unconfirmed"
    assert any(why[:40] in reason for reason in reasons_of(isolated(result)))


def test_a_denial_of_another_action_says_nothing(setup: Setup) -> None:
    said = f"User: {IDENTITY} is not authorized to perform: kms:Decrypt on resource: a key"
    result, _ = check(manifest(setup), always(Reply(403, "AccessDeniedException", said)))
    assert isolated(result)["evidence"]["standing"] == "unconfirmed"


def test_a_target_model_that_no_header_holds_is_not_sent(setup: Setup) -> None:
    """Servers drop the space at its end, and would be asked about another model."""
    result, invoked = check(manifest(setup, allow("beta/* ")), always(DENIED))
    assert not [each for each in invoked if (each.target_model or "").startswith("beta")]
    assert isolated(result)["evidence"]["standing"] == "unconfirmed"
    assert any("no header holds the TargetModel" in why for why in reasons_of(isolated(result)))


def test_nothing_is_sent_twice(setup: Setup) -> None:
    _, invoked = check(manifest(setup), always(Reply(500, "InternalFailure")))
    assert len(invoked) == len(set(invoked)) == 2


@pytest.mark.parametrize("most", [1, 2])
def test_calls_are_bounded(most: int, setup: Setup) -> None:
    path = manifest(setup)
    result, invoked = check(path, as_the_policy_says, "--live-max-calls", str(most))
    assert result.exit_code == Exit.PROVED
    assert len(invoked) == most
    assert "more are beyond the limit of calls" in result.stderr
    reasons = [o["reason"] for f in findings(result) for o in f["evidence"]["opinions"]]
    assert f"call limit reached: no more than {most} real invocations" in reasons


# -- whose requests ------------------------------------------------------------------------------


def reasons_of(found: dict[str, Any]) -> set[str]:
    return {opinion["reason"] for opinion in found["evidence"]["opinions"]}


def test_another_principal_is_not_invoked_as(setup: Setup) -> None:
    result, invoked = check(manifest(setup), as_the_policy_says, identity=f"{IDENTITY}-2")
    assert result.exit_code == Exit.PROVED
    assert not invoked
    assert result.stderr == ""
    found = isolated(result)
    assert found["evidence"]["standing"] == "unconfirmed"
    assert reasons_of(found) == {"the profile is another principal"}


@pytest.mark.parametrize("arn", [ROLE, SESSION, SESSION.replace("sandbox", "other")])
def test_a_session_of_a_role_is_the_role(arn: str, setup: Setup) -> None:
    result, invoked = check(manifest(setup, arn=arn), as_the_policy_says, identity=SESSION)
    assert invoked
    found = isolated(result)
    assert found["evidence"]["standing"] == "confirmed"
    assert reasons_of(found) == {"a session policy of the profile's session would deny it alike"}


@pytest.mark.parametrize(
    "identity",
    [
        SESSION.replace("acme", "acme2"),
        SESSION.replace("111122223333", "444455556666"),
        SESSION.replace("arn:aws:", "arn:aws-cn:"),
        "arn:aws:sts::111122223333:federated-user/acme",
        "arn:aws:iam::111122223333:root",
    ],
)
def test_other_sessions_are_not(identity: str, setup: Setup) -> None:
    result, invoked = check(manifest(setup, arn=ROLE), as_the_policy_says, identity=identity)
    assert not invoked
    assert reasons_of(isolated(result)) == {"the profile is another principal"}


TAGGED = allow("${aws:PrincipalTag/tenant}/*")


def test_tags_of_a_user_are_its_own(setup: Setup) -> None:
    path = manifest(setup, TAGGED, tags={"tenant": "acme"})
    result, _ = check(path, as_the_policy_says)
    assert isolated(result)["evidence"]["standing"] == "confirmed"


def test_tags_of_a_session_are_not_known(setup: Setup) -> None:
    path = manifest(setup, TAGGED, tags={"tenant": "acme"}, arn=ROLE)
    result, invoked = check(path, as_the_policy_says, identity=SESSION)
    assert not invoked
    assert reasons_of(isolated(result)) == {"cannot be brought about: aws:PrincipalTag/tenant"}


@pytest.mark.parametrize("key", ["aws:SourceIp", "aws:SourceVpce", "aws:SecureTransport"])
def test_keys_that_an_invocation_does_not_fix_are_not_brought_about(key: str, setup: Setup) -> None:
    """The server speaks no TLS: not even that."""
    value = {"aws:SourceIp": "10.0.0.0/8", "aws:SecureTransport": "true"}.get(key, "vpce-1")
    operator = {"aws:SourceIp": "IpAddress", "aws:SecureTransport": "Bool"}.get(key, "StringLike")
    models = {"StringLike": {"sagemaker:TargetModel": "acme/*"}}
    condition = {**models, operator: {**models.get(operator, {}), key: value}}
    result, invoked = check(manifest(setup, allow(Condition=condition)), as_the_policy_says)
    assert not invoked
    assert reasons_of(isolated(result)) == {f"cannot be brought about: {key}"}


@pytest.mark.parametrize("key", ["aws:RequestedRegion", "aws:PrincipalArn", "aws:username"])
def test_keys_that_an_invocation_fixes_are(key: str, setup: Setup) -> None:
    value = {"aws:RequestedRegion": "us-east-1", "aws:PrincipalArn": IDENTITY}.get(key, "acme")
    condition = {"StringLike": {"sagemaker:TargetModel": "acme/*", key: value}}
    result, invoked = check(manifest(setup, allow(Condition=condition)), as_the_policy_says)
    assert invoked
    assert isolated(result)["evidence"]["standing"] == "confirmed"


def test_other_actions_are_not_invoked(setup: Setup) -> None:
    statement = allow("*", Action="sagemaker:InvokeEndpointAsync", Condition=None)
    result, _ = check(manifest(setup, allow("acme/*"), statement), as_the_policy_says)
    leak = next(each for each in findings(result) if each["verdict"] == "LEAK")
    assert leak["evidence"]["standing"] == "unconfirmed"
    assert reasons_of(leak) == {"not a request for sagemaker:InvokeEndpoint"}
    assert result.exit_code == Exit.LEAK


# -- with whose credentials ----------------------------------------------------------------------


def test_the_profile_must_be_there(setup: Setup) -> None:
    path = manifest(setup)
    result = CliRunner().invoke(main, ["check", str(path), "--live-invoke", "nobody"])
    assert result.exit_code == Exit.BAD_INPUT
    assert "error: --live-invoke: credentials not valid" in result.stderr
    assert "sandbox" in result.stderr


@pytest.mark.parametrize(
    "option",
    [("--profile", "sandbox"), ("--role", ROLE), ("--live-principals",)],
    ids=lambda option: option[0],
)
def test_options_of_the_simulator_are_not_of_the_invocation(
    option: tuple[str, ...], setup: Setup
) -> None:
    arguments = ["check", str(manifest(setup)), "--live-invoke", "sandbox", *option]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == Exit.BAD_INPUT
    assert f"{option[0]}: AWS is asked with --live alone" in result.stderr


# -- beside the simulator ------------------------------------------------------------------------


def both(path: Path, decide: Decide, *options: str, monkeypatch: pytest.MonkeyPatch) -> Result:
    with RuntimeServer(decide) as runtime, IamServer(rightly) as iam:
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", iam.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", runtime.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", runtime.url)
        live = ["--live", "--live-invoke", "sandbox", "--live-cases", str(path.parent / "cases")]
        return CliRunner().invoke(main, ["check", str(path), "--format", "json", *live, *options])


def test_both_opinions_are_kept(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    result = both(manifest(setup), as_the_policy_says, monkeypatch=monkeypatch)
    assert result.exit_code == Exit.PROVED
    found = isolated(result)
    asked = [opinion["asked"] for opinion in found["evidence"]["opinions"]]
    assert asked == ["SimulateCustomPolicy"] * 4 + ["InvokeEndpoint"] * 4
    assert found["evidence"]["standing"] == "confirmed"


def test_either_refutes(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    result = both(manifest(setup), always(OK), monkeypatch=monkeypatch)
    assert result.exit_code == Exit.UNKNOWN
    opinions = isolated(result)["evidence"]["opinions"]
    assert {o["standing"] for o in opinions if o["asked"] == "SimulateCustomPolicy"} == {
        "confirmed"
    }
    assert isolated(result)["evidence"]["standing"] == "refuted"


def test_one_who_says_nothing_takes_nothing(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    throttled = always(Reply(400, "ThrottlingException"))
    result = both(manifest(setup), throttled, monkeypatch=monkeypatch)
    assert result.exit_code == Exit.PROVED
    assert isolated(result)["evidence"]["standing"] == "confirmed"


def test_an_interrupt_ends_the_invoking_and_not_the_report(setup: Setup) -> None:
    path = manifest(setup)
    first, more = threading.Event(), threading.Event()

    def slow(invoked: Invoked) -> Reply:
        if first.is_set():
            more.set()
            time.sleep(30)
        first.set()
        return as_the_policy_says(invoked)

    with RuntimeServer(slow) as server:
        live = ["--live-invoke", "sandbox", "--endpoint-url", server.url, "--format", "json"]
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from tenantproof.cli import main; main()",
                "check",
                path,
                *live,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert more.wait(30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == Exit.INTERRUPTED
    assert err.endswith("interrupted: what was not asked is unconfirmed\n")
    opinions = [o for f in json.loads(out)["findings"] for o in f["evidence"]["opinions"]]
    ours = [each["standing"] for each in opinions if each["asked"] == "InvokeEndpoint"]
    assert ours.count("confirmed") == 1
    assert set(ours) == {"confirmed", "unconfirmed"}
