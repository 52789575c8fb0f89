"""No command touches a network, or loads what could, but those that are asked to by name.

Each runs in a process of its own under an audit hook, which sees what C code does, too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import Setup, allow

EXAMPLES = Path(__file__).parents[2] / "examples"

WATCHED = """
import sys

CLIENTS = {"boto3", "botocore", "urllib3", "requests", "aiohttp", "moto"}

def watch(event, arguments):
    # Creating a socket opens no connection: pytest-socket's own probes and pairs of sockets do.
    if event.startswith("socket.") and event not in {"socket.__new__", "socket.gethostname"}:
        sys.stderr.write(f"NETWORK {event} {arguments}\\n")
        sys.stderr.flush()
        import os
        os._exit(99)
    if event == "import" and arguments[0].partition(".")[0] in CLIENTS:
        sys.stderr.write(f"NETWORK import {arguments[0]}\\n")
        sys.stderr.flush()
        import os
        os._exit(98)

sys.addaudithook(watch)
sys.argv[0] = "tenantproof"
"""
COMMAND = WATCHED + "from tenantproof.cli import main\nmain()\n"
PYTEST = WATCHED + "import pytest\nsys.exit(pytest.main(sys.argv[1:]))\n"


def run(
    code: str, *arguments: str | Path, cwd: Path | None = None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Credentials are there, and a place to send things to: nobody may look for either."""
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment,
    )
    assert "NETWORK" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done


LEAKY = EXAMPLES / "company-a-b" / "leaky"
KEPT_APART = EXAMPLES / "company-a-b"

COMMANDS: dict[str, tuple[int, tuple[str | Path, ...]]] = {
    "help": (0, ("--help",)),
    "check": (0, ("check", KEPT_APART)),
    "check a leak": (1, ("check", LEAKY, "--format", "json")),
    "check routes": (1, ("check", EXAMPLES / "account")),
    "check all engines": (0, ("check", KEPT_APART, "--engine", "all", "--timeout", "60")),
    "check leniently": (0, ("check", EXAMPLES / "documented-policy", "--lenient")),
    "check a template": (1, ("check", EXAMPLES / "cloudformation")),
    "check help": (0, ("check", "--help")),
    "check unused options": (2, ("check", KEPT_APART, "--profile", "default")),
    "diff": (1, ("diff", KEPT_APART, LEAKY)),
    "mutate": (0, ("mutate", KEPT_APART, "--max-mutants", "3")),
    "explain": (0, ("explain", LEAKY, "--as", "company_a", "--target-model", "company_b/")),
    "pull help": (0, ("pull", "--help")),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_touch_no_network(name: str) -> None:
    code, arguments = COMMANDS[name]
    done = run(COMMAND, *arguments)
    assert done.returncode == code, done.stderr


def test_simulating_touches_none(tmp_path: Path) -> None:
    request = {
        "principal": {"arn": "arn:aws:iam::111122223333:role/acme", "tags": {}},
        "action": "sagemaker:InvokeEndpoint",
        "resource": "*",
        "context": {},
    }
    case = {"id": 1, "request": request, "identity_policies": []}
    done = run(COMMAND, "simulate", text=json.dumps(case))
    assert json.loads(done.stdout)["decision"] == "ImplicitDeny"


def test_certificates_touch_none(tmp_path: Path) -> None:
    certificate = tmp_path / "proof.json"
    assert run(COMMAND, "check", KEPT_APART, "--certificate", certificate).returncode == 0
    assert run(COMMAND, "verify", certificate).returncode in {0, 3}


def test_writing_a_manifest_touches_none(tmp_path: Path) -> None:
    source = EXAMPLES / "account" / "export"
    done = run(COMMAND, "init", "--from", source, "--output", tmp_path / "tenantproof.toml")
    assert done.returncode == 0, done.stderr


def test_the_plugin_touches_none(tmp_path: Path) -> None:
    setup = Setup(tmp_path).tenant("acme").tenant("beta", allow("*"))
    path = setup.write()
    (tmp_path / "test_one.py").write_text(
        "def test_one(principal):\n    principal('acme').cannot_invoke('beta/*')\n"
    )
    done = run(PYTEST, path.name, "test_one.py", "--tenantproof-mutate", cwd=tmp_path)
    assert done.returncode == 1, done.stdout
    assert "1 LEAK" in done.stdout


def test_the_watch_sees_a_network() -> None:
    """Otherwise the tests above would say nothing."""
    for code, seen in {
        "import socket; socket.create_connection(('127.0.0.1', 9))": "socket.getaddrinfo",
        "import boto3": "import boto3",
    }.items():
        done = subprocess.run(
            [sys.executable, "-c", WATCHED + code], capture_output=True, text=True, check=False
        )
        assert done.returncode in {98, 99}
        assert f"NETWORK {seen}" in done.stderr
