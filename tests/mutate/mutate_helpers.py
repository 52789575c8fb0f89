"""What the tests of mutants share: policies as texts, and diffs applied."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import strategies as st

from tenantproof.mutate import Kind, Mutant, mutants
from tenantproof.policy import PolicySet, parse_policy
from tenantproof_strategies import documents

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@\n")


def text(*statements: dict[str, Any], version: str | None = "2012-10-17") -> str:
    document = {"Version": version} if version else {}
    return json.dumps({**document, "Statement": list(statements)}, indent=2) + "\n"


def statement(**changes: Any) -> dict[str, Any]:
    base = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/x"}
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def made(policy: str, *kinds: Kind, lenient: bool = False) -> list[Mutant]:
    return list(mutants(policy, "p.json", kinds=kinds or frozenset(Kind), lenient=lenient))


def stack(policy: str) -> PolicySet:
    return PolicySet((parse_policy(policy),))


def texts() -> st.SearchStrategy[str]:
    """Policies as texts, written in different ways."""
    return st.builds(
        lambda document, indent, ascii_: json.dumps(document, indent=indent, ensure_ascii=ascii_),
        documents(),
        st.sampled_from((None, 0, 2, "\t")),
        st.booleans(),
    )


def patched(original: str, diff: str) -> str:
    """The text that a unified diff of one hunk makes of another."""
    old, new, header, *hunk = re.findall(r"[^\n]*\n", diff)
    assert old.startswith("--- ")
    assert new.startswith("+++ ")
    found = _HUNK.fullmatch(header)
    assert found is not None
    first, length, _, new_length = (int(n) if n is not None else 1 for n in found.groups())
    lines = re.findall(r"[^\n]*\n|[^\n]+", original)
    start = first - 1 if length else first
    before, after = [], []
    for line in hunk:
        for sign, side in (("-", before), ("+", after)):
            if line.startswith("\\"):
                continue
            if line[0] in (" ", sign):
                side.append(line[1:])
    for at, line in enumerate(hunk):
        if line.startswith("\\"):
            for sign, side in (("-", before), ("+", after)):
                if hunk[at - 1][0] in (" ", sign):
                    side[-1] = side[-1].removesuffix("\n")
    assert (len(before), len(after)) == (length, new_length)
    assert lines[start : start + length] == before
    return "".join([*lines[:start], *after, *lines[start + length :]])
