"""What the tests share: Hypothesis's profile, no network, and manifests in a few words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from pytest_socket import disable_socket, socket_allow_hosts

# A gate must give the same answer to the same commit; elsewhere each run looks at new examples.
settings.register_profile(
    "tenantproof",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize="CI" in os.environ,
)
settings.load_profile("tenantproof")

LOOPBACK = ["127.0.0.1", "::1", "localhost"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """No test speaks with anybody; one that is marked does with this machine.

    pytest-socket ends it at its teardown. It is told here, not by options in the configuration:
    whoever runs pytest on an example need not have it.
    """
    if item.get_closest_marker("enable_socket"):
        socket_allow_hosts(LOOPBACK, allow_unix_socket=True)
    else:
        disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _sockets_stay_blocked(request: pytest.FixtureRequest) -> None:
    """In a run of pytest within the test, too: pytest-socket would lift its block with that run."""
    if "pytester" in request.fixturenames:
        request.getfixturevalue("pytester")  # which forgets the variable
        monkeypatch: pytest.MonkeyPatch = request.getfixturevalue("monkeypatch")
        monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:socket -o addopts=")


ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"


class Setup:
    """A folder with a manifest and its policies, written from Python values."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lines = ["[[endpoints]]", f'arn = "{ENDPOINT}"']
        self.head: list[str] = []

    def shared(self, *patterns: str) -> Setup:
        self.head.append(f"shared = {json.dumps(patterns)}")
        return self

    def endpoint(self, arn: str) -> Setup:
        self.lines += ["[[endpoints]]", f'arn = "{arn}"']
        return self

    def tenant(
        self,
        name: str,
        *statements: dict[str, Any],
        owns: tuple[str, ...] | None = None,
        tags: dict[str, str] | None = None,
        version: str | None = "2012-10-17",
        extra: str = "",
        tenant_extra: str = "",
        arn: str | None = None,
    ) -> Setup:
        document: dict[str, Any] = {"Version": version} if version else {}
        document["Statement"] = list(statements) or [allow(f"{name}/*")]
        (self.folder / f"{name}.json").write_text(json.dumps(document, indent=2))
        shown_tags = ", ".join(f'"{k}" = "{v}"' for k, v in (tags or {}).items())
        self.lines += [
            "[[tenants]]",
            f'name = "{name}"',
            f"owns = {json.dumps(owns or (f'{name}/*',))}",
            tenant_extra,
            "[[tenants.principals]]",
            f'arn = "{arn or f"arn:aws:iam::111122223333:role/{name}"}"',
            f"tags = {{ {shown_tags} }}",
            f'policies = ["{name}.json"]',
            extra,
        ]
        return self

    def more(self, text: str) -> Setup:
        self.lines.append(text)
        return self

    def write(self) -> Path:
        path = self.folder / "tenantproof.toml"
        path.write_text("\n".join([*self.head, *self.lines]))
        return path


def allow(*models: str, **changes: Any) -> dict[str, Any]:
    """An Allow of InvokeEndpoint on some models."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": ENDPOINT,
        "Condition": {"StringLike": {"sagemaker:TargetModel": list(models)}},
    }
    return {name: value for name, value in {**statement, **changes}.items() if value is not None}


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


ACCESS_KEY = "AKIATESTTESTTESTTEST"
SECRET_KEY = "secretOfTheTests/abcdefghijklmnopqrstuvw"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjE+/tokenOfTheTests+abcdefghijklmnop=="


@pytest.fixture
def aws_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Credentials of nobody in the environment, and nothing of a developer's own; the folder of
    the configuration files."""
    for name in [*os.environ]:
        if name.upper().startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder = tmp_path / "aws"
    folder.mkdir()
    for name, value in {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_SESSION_TOKEN": SESSION_TOKEN,
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
    }.items():
        monkeypatch.setenv(name, value)
    return folder
