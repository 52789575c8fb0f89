"""``tenantproof check --certificate`` and ``tenantproof verify`` as a user runs them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conftest import Setup, allow
from tenantproof.certificate import reader
from tenantproof.cli import main
from tenantproof.report import report_schema

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, args)])


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A certificate of a copy of the example, beside it."""
    shutil.copytree(EXAMPLES / "company-a-b", tmp_path / "example")
    path = tmp_path / "proof.json"
    assert run("check", tmp_path / "example", "--certificate", path).exit_code == 0
    return path


def test_check_says_of_each_proof_whether_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    result = run("check", EXAMPLES / "company-a-b", "--certificate", path)
    assert result.exit_code == 0
    assert result.stdout.count("proof in the certificate") == 3
    assert result.stdout.count("no certificate: proofs of this question are not written down") == 2
    answer = run("check", EXAMPLES / "company-a-b", "--certificate", path, "--format", "json")
    report: dict[str, Any] = json.loads(answer.stdout)
    jsonschema.validate(report, report_schema())
    notes = [finding["certificate"] for finding in report["findings"]]
    assert notes.count({"written": True, "reason": None}) == 3
    plain = json.loads(run("check", EXAMPLES / "company-a-b", "--format", "json").stdout)
    assert {finding["certificate"] for finding in plain["findings"]} == {None}


def test_verify_prints_the_theorems(written: Path) -> None:
    result = run("verify", written)
    assert result.exit_code == 0
    assert "VERIFIED isolated: company_a" in result.stdout
    assert 'is allowed with a TargetModel inside "company_b/fraud/*".' in result.stdout
    assert "and the policies that it names: all the same" in result.stdout
    assert result.stdout.endswith("VERIFIED: 3 proved\n")


def test_verify_as_json(written: Path) -> None:
    answer = json.loads(run("verify", "--format", "json", written).stdout)
    assert answer["verified"] is True
    assert [theorem["question"] for theorem in answer["theorems"]] == [
        "isolated",
        "isolated",
        "cannot",
    ]
    assert answer["rejected"] is None


def test_proofs_about_all_tenants_of_a_rule_are_not_written_down(tmp_path: Path) -> None:
    """The report says so, and verify does not pass what has no proof."""
    shutil.copytree(EXAMPLES / "all-tenants", tmp_path / "example")
    path = tmp_path / "proof.json"
    result = run("check", tmp_path / "example", "--certificate", path)
    assert result.exit_code == 0
    about_all = "no certificate: proofs about all tenants of a rule are not written down"
    assert result.stdout.count(about_all) == 2
    result = run("verify", path)
    assert result.exit_code == 3
    assert result.stdout.count("NO PROOF ") == 2
    assert "Assumed by" not in result.stdout
    assert result.stdout.endswith("UNKNOWN: 0 proved, 2 without a proof\n")
    assert json.loads(run("verify", path, "--format", "json").stdout)["verified"] is False
    manifest = tmp_path / "example" / "tenantproof.toml"
    manifest.write_text(manifest.read_text().replace("[[cannot]]", "[[can]]"))
    assert run("verify", path).exit_code == 1


def test_a_certificate_does_not_replace_what_it_is_about(tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES / "company-a-b", tmp_path / "example")
    for name in ("tenantproof.toml", "company_a.json"):
        file = tmp_path / "example" / name
        before = file.read_bytes()
        result = run("check", tmp_path / "example", "--certificate", file)
        assert result.exit_code == 2
        assert "expected another file for the certificate" in result.stderr
        assert file.read_bytes() == before


def test_a_changed_policy_is_rejected_with_its_place(written: Path) -> None:
    policy = written.parent / "example" / "company_a.json"
    policy.write_text(policy.read_text().replace("company_a/*", "company_a*"))
    result = run("verify", written)
    assert result.exit_code == 1
    assert "$.policies[0].text: the policy company_a.json has changed since" in result.stdout
    assert run("verify", written, "--detached").exit_code == 0
    answer = json.loads(run("verify", written, "--format", "json").stdout)
    assert answer["rejected"]["path"] == "$.policies[0].text"
    policy.unlink()
    assert run("verify", written).exit_code == 1


def test_a_changed_manifest_is_rejected(written: Path) -> None:
    manifest = written.parent / "example" / "tenantproof.toml"
    manifest.write_text(manifest.read_text() + "\n# a word more\n")
    result = run("verify", written)
    assert result.exit_code == 1
    assert "the manifest has changed since" in result.stdout


def test_without_the_manifest_one_must_say_so(written: Path) -> None:
    moved = written.parent / "moved"
    (written.parent / "example").rename(moved)
    assert run("verify", written).exit_code == 2
    assert run("verify", written, "--root", moved).exit_code == 0
    detached = run("verify", written, "--detached")
    assert detached.exit_code == 0
    assert "Not compared with" in detached.stdout


def test_a_question_without_a_proof_is_not_verified(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    assert run("check", EXAMPLES / "company-a-b" / "leaky", "--certificate", path).exit_code == 1
    result = run("verify", path)
    assert result.exit_code == 3
    assert "NO PROOF isolated: company_a" in result.stdout
    assert "UNKNOWN: 1 proved, 2 without a proof" in result.stdout


def test_a_proof_that_is_too_hard_is_left_out_with_the_reason(setup: Setup, tmp_path: Path) -> None:
    hard = {"StringLike": {"x:a": "*a" + "?" * 24}, "StringNotLike": {"x:a": "*"}}
    wild = {"sagemaker:TargetModel": ["*a" + "?" * 24]}
    both = {"StringLike": {"sagemaker:TargetModel": "*b" + "?" * 24}, "StringNotLike": wild}
    setup.tenant("acme", allow(Condition=hard)).tenant("beta", allow(Condition=both))
    path = tmp_path / "proof.json"
    result = run("check", setup.write(), "--certificate", path, "--timeout", "2")
    assert result.exit_code in (1, 3)
    assert run("verify", path).exit_code == 3


def test_a_certificate_that_cannot_be_written(tmp_path: Path) -> None:
    where = tmp_path / "nowhere" / "proof.json"
    result = run("check", EXAMPLES / "company-a-b", "--certificate", where)
    assert result.exit_code == 2
    assert "the certificate could not be written" in result.stderr


HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"proof",
    "no UTF-8": b'{"format": "\xff"}',
    "null": b"null",
    "a list": b"[]",
    "another format": b'{"format": "x", "version": 1}',
    "another version": b'{"format": "tenantproof certificate", "version": 2}',
    "version as a Boolean": b'{"format": "tenantproof certificate", "version": true}',
    "version as a float": b'{"format": "tenantproof certificate", "version": 1.0}',
    "fields missing": b'{"format": "tenantproof certificate", "version": 1}',
    "NaN": b'{"format": "tenantproof certificate", "version": NaN}',
    "infinity": b'{"format": "tenantproof certificate", "version": -Infinity}',
    "a key twice": b'{"format": "x", "format": "tenantproof certificate", "version": 1}',
    "deep lists": b"[" * 1_000_000,
    "deep objects": b'{"a":' * 500_000,
    "a huge number": b'{"format": "tenantproof certificate", "version": ' + b"9" * 100_000 + b"}",
    "half a pair": b'{"format": "tenantproof certificate", "version": "\\ud800"}',
    "an endless text": b'"' + b"x" * 10_000_000,
    "many values": b"[" + b"0," * 5_000_000 + b"0]",
    "a byte order mark": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_bad_input(tmp_path: Path, name: str) -> None:
    path = tmp_path / "proof.json"
    path.write_bytes(HOSTILE[name])
    start = time.monotonic()
    result = run("verify", path)
    assert result.exit_code == 2, result.output[:500]
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert f"error: {path}" in result.stderr
    assert len(result.stderr) < 1000
    assert time.monotonic() - start < 20
    answer = json.loads(run("verify", path, "--format", "json").stdout)
    assert answer["verified"] is False


def test_what_is_no_regular_file_is_bad_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "missing", tmp_path, tmp_path / "pipe"):
        assert run("verify", path).exit_code == 2


def test_a_file_that_is_too_large(written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_BYTES", 100)
    result = run("verify", written)
    assert result.exit_code == 2
    assert "expected a certificate" in result.stderr


def test_a_certificate_whose_manifest_is_none(written: Path) -> None:
    manifest = written.parent / "example" / "tenantproof.toml"
    for text in ("", "x =", "tenants = 1\nendpoints = 2", "[[endpoints]]\narn = 1\n[[tenants]]"):
        manifest.write_text(text)
        result = run("verify", written)
        assert result.exit_code in (1, 2)
        assert isinstance(result.exception, SystemExit)
    data = json.loads(written.read_text())
    for name in ("/dev/zero", "\0", "", "x" * 100_000):
        data["manifest"]["file"] = name
        written.write_text(json.dumps(data))
        assert run("verify", written).exit_code == 2


def test_a_lemma_that_explodes_is_rejected_in_time(setup: Setup, tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    assert run("check", setup.tenant("acme").write(), "--certificate", path).exit_code == 0
    data = json.loads(path.read_text())
    wild = ["*" + "".join(f"{c}?" for c in "ab" * 12) + "*", "*a" + "?" * 30, "*b" + "?" * 30 + "*"]
    data["patterns"] = [wild, *data["patterns"][1:]]
    path.write_text(json.dumps(data))
    start = time.monotonic()
    assert run("verify", path, "--detached").exit_code == 1
    assert time.monotonic() - start < 60


def test_verify_loads_no_prover(written: Path) -> None:
    code = (
        "import sys\nfrom tenantproof.cli import main\n"
        f"try: main(['verify', {str(written)!r}])\n"
        "except SystemExit as e: assert e.code == 0\n"
        "known = {name for name in sys.modules if name.startswith('tenantproof')}\n"
        "bad = {n for n in known if n.startswith(('tenantproof.prove', 'tenantproof.isolation',"
        " 'tenantproof.certificate.tableau'))}\n"
        "bad |= {'z3', 'hypothesis', 'boto3', 'botocore', 'pytest'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_what_sources_say_is_not_certified(tmp_path: Path) -> None:
    path = tmp_path / "proof.json"
    result = run("check", EXAMPLES / "account-repaired", "--certificate", path)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.count("no certificate: proofs of this question are not written down") == 15
    verified = run("verify", path)
    assert verified.exit_code == 3
    assert "UNKNOWN: the certificate proves nothing" in verified.stdout


@pytest.mark.parametrize(("listed", "proofs"), [(True, 1), (False, 0)])
def test_beside_sources_what_the_manifest_says_itself_is_certified(
    tmp_path: Path, listed: bool, proofs: int
) -> None:
    """An endpoint of a source is none that the checker knows; artifacts have no such question."""
    setup = Setup(tmp_path).tenant("acme")
    shutil.copytree(EXAMPLES / "account-repaired" / "export", tmp_path / "export")
    setup.head.append('sources = ["export"]')
    if not listed:
        setup.lines = setup.lines[2:]
    setup.more("[[tenants]]\nname = 'globex'\nartifacts = ['s3://models/globex/*']")
    path = tmp_path / "proof.json"
    result = run("check", setup.write(), "--certificate", path)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("proof in the certificate") == proofs
    assert ("the endpoint is of a source, which the checker" in result.stdout) is not listed
    assert run("verify", path).exit_code == (0 if listed else 3)
