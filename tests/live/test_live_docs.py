"""What the page on ``--live`` says is so."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from iam_cases import no_waiting
from iam_server import IamServer
from live_example import CASES, ask, deployed
from tests.docs.docs_pages import ROOT, Command, is_printed, run, shown

from tenantproof.aws import Failure
from tenantproof.cli import Exit
from tenantproof.evaluate import decide
from tenantproof.live.invoke import ACROSS, DENIED
from tenantproof.live.simulation import Operation
from tenantproof.policy import Access, PolicySet, parse_policy
from tenantproof.request import Principal, Request

PAGE = (ROOT / "docs" / "live.md").read_text("utf-8")


def test_every_reason_has_its_line() -> None:
    rows = PAGE.partition("## Troubleshooting")[2]
    for failure in Failure:
        assert f"\n| `{failure.value}` |" in rows


def test_every_answer_of_an_invocation_is_named() -> None:
    section = PAGE.partition("## Real invocations")[2].partition("## pytest")[0]
    aliases = {"AccessDenied", "ResourceNotFoundException", "ValidationException"}
    for code in (ACROSS | DENIED) - aliases:
        assert f"`{code}`" in section


def test_the_policy_allows_what_is_asked() -> None:
    found = re.search(r"`live-policy.json`:\n\n```json\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    policy = parse_policy(found[1])
    auditor = Principal("arn:aws:iam::111122223333:role/auditor")
    for operation in Operation:
        request = Request(auditor, f"iam:{operation.value}", auditor.arn)
        assert decide(Access(PolicySet((policy,))), request).allowed


@pytest.mark.slow
@pytest.mark.enable_socket
@pytest.mark.usefixtures("aws_environment")
@pytest.mark.parametrize("name", ["docs/live.md", "README.md"])
def test_what_aws_is_asked_is_printed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands that need AWS, with a server that stands for it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    page = (ROOT / name).read_text("utf-8").replace(".venv/bin/", "")
    commands = [c for c in shown(page) if isinstance(c, Command) and " --live" in c.line]
    assert commands
    with IamServer(deployed) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        for each in commands:
            printed = run(each.line, tmp_path)
            assert is_printed(each.output, printed), printed


@pytest.mark.enable_socket
@pytest.mark.usefixtures("aws_environment", no_waiting.__name__)
def test_the_example_is_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.rmtree(tmp_path / CASES)
    monkeypatch.chdir(tmp_path)
    assert ask(CASES).exit_code == Exit.LEAK
    assert cases(tmp_path / CASES) == cases(ROOT / CASES)


def cases(folder: Path) -> dict[str, Any]:
    """The files of cases, without the versions."""
    found = {
        path.relative_to(folder).as_posix(): json.loads(path.read_text("utf-8"))
        for path in folder.glob("*/*")
    }
    for each in found.values():
        each.pop("versions", None)
    return found
