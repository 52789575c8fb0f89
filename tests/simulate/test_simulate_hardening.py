"""One bad line never stops the others, and ids come out as they went in."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tenantproof.cli import main

REQUEST = (
    '{"principal": {"arn": "arn:aws:iam::111122223333:user/a"}, "action": "s3:GetObject",'
    ' "resource": "arn:aws:s3:::b/k"}'
)
POLICY = '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'


def case(case_id: str, more: str = "") -> bytes:
    text = f'{{"id": {case_id}, "request": {REQUEST}, "identity_policies": [{POLICY}]{more}}}'
    return text.encode()


def run(*lines: bytes) -> list[str]:
    result = CliRunner().invoke(main, ["simulate"], input=b"\n".join(lines) + b"\n")
    assert result.exit_code == 0
    return result.stdout.splitlines()


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff",
        b"{",
        b'{"id": 7',
        b'{"id": "cut off',
        b"null",
        b"[]",
        "{}".encode("utf-16"),
        b'{"id": ' + b"[" * 10_000,
        b'{"id": [1]}',
    ],
)
def test_the_lines_around_a_bad_one_are_answered(bad: bytes) -> None:
    first, error, last = run(case("1"), bad, case("2"))
    assert json.loads(first)["decision"] == json.loads(last)["decision"] == "Allowed"
    assert ":2:" in json.loads(error)["error"]


@pytest.mark.parametrize(
    "case_id",
    ["1", "-1", "1e400", "12345678901234567890.5", "9" * 5000, '"a\\u00e9"', "true", "null"],
)
def test_an_id_comes_out_as_it_went_in(case_id: str) -> None:
    (answer,) = run(case(case_id))
    assert answer.startswith(f'{{"id": {case_id}, "decision": "Allowed"')


def test_a_byte_order_mark_before_the_first_line_and_crlf() -> None:
    answers = run(b"\xef\xbb\xbf" + case("1") + b"\r", case("2") + b"\r")
    assert [json.loads(answer)["decision"] for answer in answers] == ["Allowed", "Allowed"]


def test_null_layers_are_no_layers() -> None:
    more = ', "permissions_boundary": null, "service_control_policies": null'
    assert json.loads(run(case("1", more))[0])["decision"] == "Allowed"


def test_a_service_goes_by_its_name() -> None:
    """A service's own request is decided by the trust policy alone."""
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    asked = {
        "request": {
            "principal": {"arn": "sagemaker.amazonaws.com"},
            "action": "sts:AssumeRole",
            "resource": "arn:aws:iam::111122223333:role/execution",
        },
        "identity_policies": [],
        "resource_policy": {"Version": "2012-10-17", "Statement": trust},
    }
    (answer,) = run(json.dumps(asked).encode())
    assert json.loads(answer)["decision"] == "Allowed"
