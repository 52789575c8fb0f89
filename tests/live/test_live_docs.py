"""What the page on ``--live`` says is so."""

from __future__ import annotations

import re
from pathlib import Path

from tenantproof.aws import Failure
from tenantproof.evaluate import decide
from tenantproof.live.invoke import ACROSS, DENIED
from tenantproof.live.simulation import Operation
from tenantproof.policy import Access, PolicySet, parse_policy
from tenantproof.request import Principal, Request

PAGE = (Path(__file__).parents[2] / "docs" / "live.md").read_text("utf-8")


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
