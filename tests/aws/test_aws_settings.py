"""What the options of a connection take, before anybody is asked."""

from __future__ import annotations

import pytest

from tenantproof.aws import misread

GOOD = {
    "profile": ["audit", "a profile", "1"],
    "region": ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "ap-southeast-7"],
    "endpoint_url": [
        "https://iam.amazonaws.com",
        "http://127.0.0.1:5000/path",
        "http://[::1]:5000",
        "http://user:password@host",
    ],
    "role": [
        "arn:aws:iam::111122223333:role/auditor",
        "arn:aws-us-gov:iam::111122223333:role/path/of/auditor",
    ],
}
BAD = {
    "region": ["nonsense", "us east", "../x", "us-east-1\nx", "US-EAST-1"],
    "endpoint_url": ["none", "127.0.0.1:1", "ftp://x", "http://", "http://h:99999", "http://h:p"],
    "role": [
        "auditor",
        "arn:aws:iam::111122223333:user/auditor",
        "arn:aws:iam::1:role/auditor",
        "arn:aws:sts::111122223333:assumed-role/auditor/session",
        "arn:aws:iam::111122223333:role/",
    ],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in GOOD.items() for v in values])
def test_what_is_taken(name: str, value: str) -> None:
    assert misread(name, value) is None


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in BAD.items() for v in values])
def test_what_is_none(name: str, value: str) -> None:
    said = misread(name, value)
    assert said is not None
    assert said.startswith(f"found {value!r}, expected ")


@pytest.mark.parametrize("name", GOOD)
def test_an_empty_one_is_none(name: str) -> None:
    assert (misread(name, "") or "").startswith("found '', expected ")


def test_a_password_is_not_shown() -> None:
    said = misread("endpoint_url", "ftp://user:password@host")
    assert said == "found 'ftp://***@host', expected a URL that begins with http:// or https://"
    assert "password" not in (misread("endpoint_url", "user:password@host") or "")
