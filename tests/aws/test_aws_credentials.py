"""Credentials that are not there, not whole or not valid: each says what to do."""

from __future__ import annotations

import json
from hashlib import sha1
from pathlib import Path

import pytest
from tests.live import iam_server as faults
from tests.live.iam_server import IamServer, forever

from conftest import ACCESS_KEY
from tenantproof.aws import CallFailedError, Connection, Deadline, Failure, Limits, call, connect

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("aws_environment")]

LIMITS = Limits(read_seconds=2, attempts=1)
QUICK = Limits(read_seconds=0.2, attempts=1)
ROLE = "arn:aws:iam::111122223333:role/auditor"
SECRET = "neverToBeShown0123456789"


@pytest.fixture
def files(aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the configuration, and no credentials but those that are in it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    return aws_environment


def refused(connection: Connection, limits: Limits = LIMITS) -> CallFailedError:
    with pytest.raises(CallFailedError) as caught:
        connect(connection, Deadline.after(20), limits)
    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.usefixtures("files")
def test_no_credentials() -> None:
    error = refused(Connection())
    assert error.failure is Failure.CREDENTIALS
    for way in ("aws configure", "aws sso login", "AWS_PROFILE", "--profile"):
        assert way in error.message


def test_a_profile_that_is_not_there(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (files / "config").write_text("[profile sandbox]\nregion = eu-west-1\n[default]\n")
    error = refused(Connection(profile="sandbix"))
    assert error.failure is Failure.CREDENTIALS
    assert "'sandbix'; there are: default, sandbox" in error.message
    monkeypatch.setenv("AWS_PROFILE", "sandbax")
    assert "'sandbax'; there are: default, sandbox" in refused(Connection()).message


PROFILES = {
    "partial": (f"aws_access_key_id = {SECRET}", "aws_secret_access_key is missing"),
    "sso": (
        "sso_start_url = https://example.awsapps.com/start\nsso_region = eu-west-1\n"
        "sso_account_id = 111122223333\nsso_role_name = reader",
        "aws sso login",
    ),
    "sso of a session": (
        "sso_session = corporate\nsso_account_id = 111122223333\nsso_role_name = reader\n"
        "[sso-session corporate]\nsso_region = eu-west-1\n"
        "sso_start_url = https://example.awsapps.com/start",
        "aws sso login",
    ),
    "process fails": (f"credential_process = sh -c 'echo {SECRET} >&2; exit 3'", "custom-process"),
    "process is not there": ("credential_process = /no/such/command", "FileNotFoundError"),
    "process says nonsense": (f"credential_process = echo {SECRET}", "JSONDecodeError"),
    "roles in a circle": (
        f"role_arn = {ROLE}\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}\n"
        "source_profile = default",
        "contradicts itself",
    ),
    "role of nobody": (f"role_arn = {ROLE}\nsource_profile = nobody", "contradicts itself"),
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_whose_credentials_cannot_be_had(files: Path, name: str) -> None:
    text, words = PROFILES[name]
    (files / "config").write_text(f"[default]\n{text}\n")
    error = refused(Connection())
    assert error.failure is Failure.CREDENTIALS
    assert words in error.message


def test_a_process_that_hangs(files: Path) -> None:
    (files / "config").write_text("[default]\ncredential_process = sleep 2\n")
    assert "took too long" in refused(Connection(), Limits(credentials_seconds=0.1)).message


def test_the_token_of_a_session_has_expired(files: Path) -> None:
    (files / "config").write_text(f"[default]\n{PROFILES['sso of a session'][0]}\n")
    cache = files / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    token = {"accessToken": SECRET, "expiresAt": "2001-01-01T00:00:00Z"}
    (cache / f"{sha1(b'corporate').hexdigest()}.json").write_text(json.dumps(token))
    assert "aws sso login" in refused(Connection()).message


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_file_that_cannot_be_parsed(files: Path, file: str) -> None:
    (files / file).write_text(f"[default\naws_secret_access_key = {SECRET}\n")
    error = refused(Connection())
    assert error.failure is Failure.CREDENTIALS
    assert str(files / file) in error.message


@pytest.mark.parametrize(
    "connection",
    [
        Connection(endpoint_url="nonsense"),
        Connection(endpoint_url=f"ftp//user:{SECRET}@host"),
        Connection(endpoint_url=f"http://user:{SECRET}@[::1"),
        Connection(region="no region!"),
        Connection(region="eu west"),
    ],
)
def test_an_endpoint_or_a_region_that_is_none(connection: Connection) -> None:
    assert refused(connection).failure is Failure.INVALID


def test_a_regional_service_needs_a_region() -> None:
    aws = connect(Connection(), Deadline.after(20), LIMITS)
    with pytest.raises(CallFailedError, match="--region, AWS_REGION or in the profile"):
        aws.client("sagemaker")
    assert aws.client("iam") is aws.client("iam")
    assert aws.client("sagemaker", region="eu-west-1").meta.region_name == "eu-west-1"


def test_who_calls() -> None:
    with IamServer(dict, []) as server:
        aws = connect(Connection(endpoint_url=server.url), Deadline.after(20), LIMITS)
        assert not server.requests
        assert aws.identity == "arn:aws:sts::111122223333:assumed-role/tester/session"
        assert aws.identity == "arn:aws:sts::111122223333:assumed-role/tester/session"
        assert len(server.requests) == 1
        assert ACCESS_KEY in server.requests[0].headers["Authorization"]


def test_the_credentials_of_a_role() -> None:
    with IamServer(dict, []) as server:
        connection = Connection(endpoint_url=server.url, role=ROLE)
        aws = connect(connection, Deadline.after(20), LIMITS)
        assert aws.identity
        assume, who = server.requests
    assert assume.parameters == {"RoleArn": ROLE, "RoleSessionName": "tenantproof"}
    assert "ASIAROLEROLEROLEROLE" in who.headers["Authorization"]
    shown = aws.redacted(
        "ASIAROLEROLEROLEROLE secretOfTheRole/0123456789 tokenOfTheRole+/0123456789=="
    )
    assert shown == "*** *** ***"


def test_the_role_of_a_profile(files: Path) -> None:
    (files / "config").write_text(
        "[profile sandbox]\nregion = eu-west-1\n"
        "aws_access_key_id = AKIASANDBOX\naws_secret_access_key = x\n"
    )
    with IamServer(dict, []) as server:
        connection = Connection(profile="sandbox", endpoint_url=server.url, role=ROLE)
        aws = connect(connection, Deadline.after(20), LIMITS)
        assert aws.identity
        assert aws.region == "eu-west-1"
        assume, who = server.requests
    assert "AKIASANDBOX" in assume.headers["Authorization"]
    assert "ASIAROLEROLEROLEROLE" in who.headers["Authorization"]


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (faults.denied, Failure.CREDENTIALS),
        (faults.expired, Failure.CREDENTIALS),
        (faults.invalid, Failure.CREDENTIALS),
        (faults.skewed, Failure.CLOCK),
        (faults.unavailable, Failure.SERVER),
        (faults.reset, Failure.UNREACHABLE),
        (faults.late, Failure.TIMEOUT),
        (faults.html, Failure.BAD_REPLY),
        (faults.saying(faults.wrapped("AssumeRole", "")), Failure.BAD_REPLY),
        (
            faults.saying(faults.wrapped("AssumeRole", "<Credentials><A/></Credentials>")),
            Failure.BAD_REPLY,
        ),
        (faults.echoing(403, "AccessDenied"), Failure.CREDENTIALS),
    ],
)
def test_a_role_that_cannot_be_assumed(fault: faults.Fault, failure: Failure) -> None:
    with IamServer(dict, forever(fault)) as server:
        limits = QUICK if fault is faults.late else LIMITS
        error = refused(Connection(endpoint_url=server.url, role=ROLE), limits)
    assert error.failure is failure
    assert ROLE in error.message
    assert ACCESS_KEY not in error.message


def test_credentials_that_expire_within_the_run() -> None:
    with IamServer(dict, [faults.fine, faults.fine, faults.expired]) as server:
        aws = connect(Connection(endpoint_url=server.url, role=ROLE), Deadline.after(20), LIMITS)
        assert aws.identity
        with pytest.raises(CallFailedError, match=r"have expired \(ExpiredToken\): renew them"):
            call(aws, aws.client("sts"), "GetCallerIdentity", {}, Deadline.after(5))


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://user:{SECRET}@127.0.0.1:9")
    aws = connect(
        Connection(endpoint_url="http://aws.example", region="eu-west-1"),
        Deadline.after(20),
        LIMITS,
    )
    with pytest.raises(CallFailedError) as caught:
        call(aws, aws.client("iam"), "ListRoles", {}, Deadline.after(5))
    assert caught.value.failure is Failure.UNREACHABLE
    assert SECRET not in str(caught.value)


def test_a_server_that_speaks_no_tls() -> None:
    with IamServer(dict, []) as server:
        url = server.url.replace("http:", "https:")
        aws = connect(Connection(endpoint_url=url, region="eu-west-1"), Deadline.after(20), LIMITS)
        with pytest.raises(CallFailedError) as caught:
            call(aws, aws.client("iam"), "ListRoles", {}, Deadline.after(5))
    assert caught.value.failure is Failure.UNREACHABLE
