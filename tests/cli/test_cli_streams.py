"""How commands end when a stream or the user cuts them off: an exit code, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tenantproof.cli import Exit, main

EXAMPLES = Path(__file__).parents[2] / "examples"
RUN = [sys.executable, "-c", "from tenantproof.cli import main; main()"]
FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")


@pytest.fixture(scope="module")
def proof(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("proof") / "proof.json"
    arguments = ["check", str(EXAMPLES / "company-a-b"), "--certificate", str(path)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    return str(path)


@needs_full
@pytest.mark.parametrize(
    "arguments", [["verify", "PROOF"], ["simulate"], ["check", "/dev/null", "--format", "json"]]
)
def test_a_full_disk_is_an_error_with_a_message(arguments: list[str], proof: str) -> None:
    arguments = [proof if each == "PROOF" else each for each in arguments]
    with FULL.open("w") as full:
        done = subprocess.run(
            [*RUN, *arguments], input=b"{}\n", stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == Exit.BAD_INPUT
    assert b"error: the report could not be written: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr


@needs_full
def test_standard_error_may_be_full_too() -> None:
    with FULL.open("w") as full:
        done = subprocess.run([*RUN, "check", "/dev/null"], stderr=full, check=False)
    assert done.returncode == Exit.BAD_INPUT


needs_posix = pytest.mark.skipif(os.name != "posix", reason="a shell closes streams by >&-")
CLOSE = "import os, sys; os.close(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
CLOSED = [sys.executable, "-c", CLOSE]


@needs_posix
@pytest.mark.parametrize("command", ["check", "mutate"])
def test_a_closed_standard_output_is_no_verdict(command: str) -> None:
    manifest = str(EXAMPLES / "company-a-b")
    done = subprocess.run(
        [*CLOSED, "1", *RUN, command, manifest], stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == Exit.BAD_INPUT
    assert done.stderr == b"error: the report could not be written: standard output is closed\n"


@needs_posix
@pytest.mark.parametrize("command", ["check", "mutate"])
def test_a_closed_standard_error_loses_no_report(command: str) -> None:
    manifest = str(EXAMPLES / "company-a-b")
    done = subprocess.run(
        [*CLOSED, "2", *RUN, command, manifest], stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == Exit.PROVED
    assert done.stdout.startswith(b"tenantproof ")


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_reader_that_leaves_does_not_make_a_certificate_rejected(proof: str, form: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run([*RUN, "verify", proof, "--format", form], stdout=write, check=False)
    finally:
        os.close(write)
    assert done.returncode == Exit.PROVED


@pytest.mark.parametrize("command", ["check", "diff", "verify", "simulate"])
def test_an_interrupt_is_not_a_leak(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it comes, while modules are loaded too: 1 would say that there is a leak."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(main.commands[command], "invoke", interrupted)
    here = str(EXAMPLES)
    arguments = {"check": [here], "diff": [here, here], "verify": [here], "simulate": []}[command]
    result = CliRunner().invoke(main, [command, *arguments])
    assert result.exit_code == Exit.INTERRUPTED
    assert result.stderr == "interrupted: no verdict\n"


def test_not_a_number_is_no_time() -> None:
    result = CliRunner().invoke(main, ["check", str(EXAMPLES), "--timeout", "nan"])
    assert result.exit_code == Exit.BAD_INPUT
    assert "nan is not in the range" in result.stderr
