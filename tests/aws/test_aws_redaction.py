"""No secret in any text, however it is written, cut or surrounded."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantproof.aws.redaction import LONGEST, PIECE, Secrets

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
SECRETS = st.text(BASE64, min_size=16, max_size=60)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters=BASE64))


def knowing(*secrets: str) -> Secrets:
    known = Secrets()
    for secret in secrets:
        known.add(secret)
    return known


def json_text(secret: str) -> str:
    return json.dumps(secret).replace("/", "\\/")


@given(SECRETS, TEXTS, TEXTS, st.sampled_from([str, quote, quote_plus, json_text]))
def test_a_secret_in_a_text(secret: str, before: str, after: str, written: object) -> None:
    assert callable(written)
    shown = knowing(secret).redacted(before + written(secret) + after)
    assert secret not in shown
    assert written(secret).strip('"') not in shown


@given(SECRETS, TEXTS, st.data())
def test_a_piece_of_a_secret(secret: str, around: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(secret) - PIECE))
    end = data.draw(st.integers(start + PIECE, len(secret)))
    assert secret[start:end] not in knowing(secret).redacted(around + secret[start:end] + around)


@given(st.lists(SECRETS, max_size=4), st.text())
def test_a_text_without_secrets_stays(secrets: list[str], text: str) -> None:
    if not any(text[i : i + PIECE] in s for s in secrets for i in range(len(text))):
        assert knowing(*secrets).redacted(text) == text or "://" in text


def test_a_short_secret_is_hidden_as_a_word_alone() -> None:
    secrets = knowing("test", "y")
    assert secrets.redacted("NoSuchBucketPolicy: the latest") == "NoSuchBucketPolicy: the latest"
    assert secrets.redacted("secret=test&y, y/test") == "secret=***&***, ***/***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at http://user:pass@host/path", "at http://***@host/path"),
        ("at https://user@host", "at https://***@host"),
        ('at "http://u:p/q@host:1/x"', 'at "http://***@host:1/x"'),
        ("http://a:b@c and http://d:e@f", "http://***@c and http://***@f"),
        ("http://host/path", "http://host/path"),
        ("mail me@host", "mail me@host"),
    ],
)
def test_what_stands_before_a_host(text: str, shown: str) -> None:
    assert Secrets().redacted(text) == shown


def test_the_password_of_a_url_alone() -> None:
    secrets = Secrets()
    secrets.add_url("http://user:p%40ss@host")
    secrets.add_url("http://tokenAlone@host")
    secrets.add_url("http://u:p@host")
    shown = secrets.redacted("the user's is p@ss or p%40ss or tokenAlone")
    assert shown == "the user's is *** or *** or ***"


def test_the_query_of_a_url() -> None:
    secrets = Secrets()
    secrets.add_url("https://gateway/aws?token=t%2Fo-ken&v=1&alone#end")
    shown = secrets.redacted("at https://gateway/aws?token=t%2Fo-ken&v=1&alone: t/o-ken, 1")
    assert shown == "at https://gateway/aws?token=***&v=1&***: ***, 1"


def test_what_a_signed_request_holds() -> None:
    secrets = Secrets()
    secrets.add_headers(
        [
            ("Authorization", b"AWS4-HMAC-SHA256 Credential=ASIAX/1/2, Signature=0123"),
            ("X-Amz-Security-Token", "token+of/the==session"),
        ]
    )
    shown = secrets.redacted(f"ASIAX token+of/the==session Signature=01ab {'01ab' * 16} 01ab")
    assert shown == "*** *** Signature=*** *** 01ab"


@given(st.text(max_size=1000))
def test_an_excerpt_is_one_short_line(text: str) -> None:
    shown = Secrets().excerpt(text)
    assert len(shown) <= LONGEST
    assert shown.isprintable()


def test_an_excerpt_escapes_what_a_terminal_obeys() -> None:
    assert Secrets().excerpt("a\x1b[31mb\u202ec\ud800\nsecond") == r"a\x1b[31mb\u202ec\ud800"
