"""What a report says: the smallest names, the request, who is to blame, and how to see it again."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.database import InMemoryExampleDatabase
from vendor_helpers import ENDPOINT, OWNS, RULE, check, few, invoke

from tenantproof.isolation import Verdict
from tenantproof.vendors import (
    Crossing,
    Vendor,
    VendorReport,
    assert_vendor_isolated,
    check_vendor,
    policy_vendor,
    to_text,
)


def open_ended(name: str) -> dict[str, Any]:
    return invoke(f"{name}*")


def in_one_line(name: str) -> str:
    return json.dumps(invoke(f"{name}*"))


def by_hand(name: str) -> str:
    return json.dumps(invoke("NAME/*")).replace("NAME", name)


def slashed(name: str) -> dict[str, Any]:
    return invoke(f"{name}/*")


def again(text: str) -> list[str]:
    return re.findall(r"again +(assert_vendor_isolated\(.*\))", text)


def test_a_leak_is_told_with_its_names_request_statement_and_policy() -> None:
    text = to_text(check(open_ended, ("acme", "acme-corp", "globex")))
    assert "LEAK     isolated: 'acme' reaches models of 'acme-corp'" in text
    assert 'sagemaker:TargetModel = "acme-corp/"' in text
    assert '"acme-corp/model.tar.gz"' in text
    assert "Allow Statement[0] with \"acme*\" at open_ended('acme'):11:13" in text
    assert '"acme*"' in text.split("rendered")[1].split("\n")[10]
    assert text.rstrip().endswith("LEAK: 3 names tried")


def test_places_count_the_lines_of_the_policy_as_it_is_shown() -> None:
    (leak,) = (f for f in check(in_one_line, ("a", "ab")).findings if f.names == ("a", "ab"))
    assert isinstance(leak, Crossing)
    (blame,) = leak.answer.statements
    line = leak.texts[blame.file].split("\n")[blame.place.line - 1]
    assert line[blame.place.column - 1 :].startswith('"a*"')


@pytest.mark.parametrize("render", [open_ended, in_one_line, by_hand])
@pytest.mark.parametrize("names", [None, RULE])
def test_the_line_that_shows_it_again_does(render: Any, names: str | None) -> None:
    report = check(render, names)
    calls = again(to_text(report))
    assert len(calls) == len(report.findings)
    known = {"assert_vendor_isolated": assert_vendor_isolated, render.__name__: render}
    for call in calls:
        with pytest.raises(AssertionError):
            eval(call, known)


def test_of_a_marked_function_the_line_is_short() -> None:
    marked = policy_vendor(endpoint=ENDPOINT, owns=OWNS)(lambda name: invoke(f"{name}*"))
    with pytest.raises(AssertionError) as caught:
        assert_vendor_isolated(marked, ["a", "ab"], settings=few)
    assert "(<lambda>, names=['a', 'ab'])" in str(caught.value)
    with pytest.raises(AssertionError) as caught:
        assert_vendor_isolated(marked, ["a", "ab"], shared="ab/*", settings=few)
    assert "names=['a', 'ab'], endpoint=" in str(caught.value)


def test_everything_that_was_said_is_in_the_line() -> None:
    report = check(
        open_ended,
        ("a", "ab"),
        endpoints=(ENDPOINT, f"{ENDPOINT}2"),
        shared=("x/*",),
        principal="arn:aws:iam::111122223333:role/{tenant}",
        tags={"t": "{tenant}"},
        excluded=("z",),
        refuses=(KeyError, OSError),
    )
    for call in again(to_text(report)):
        assert f"endpoint=['{ENDPOINT}', '{ENDPOINT}2']" in call
        for said in ("shared='x/*'", "role/{tenant}", "tags={'t'", "excluded='z'", "KeyError, "):
            assert said in call


def test_a_name_cannot_forge_a_line_of_the_report() -> None:
    names = ("a\nPROVED: all is well", "\u202ea", "b")
    for render in (open_ended, by_hand):
        report = check(render, names, principal="arn:aws:iam::111122223333:role/{tenant}")
        lines = to_text(report).split("\n")
        assert not any(line.startswith("PROVED") for line in lines)
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("names", "claim"),
    [
        (
            RULE,
            f"PROVED: every two names that match '{RULE}' are kept apart\n         if each that",
        ),
        (("a", "b"), "PROVED: every two of the names listed are kept apart (2 names tried)"),
        (st.sampled_from(["a", "b"]), "PROVED: every two of the names tried are kept apart ("),
        ("[a-z:*]", "PROVED: every two of the names tried are kept apart ("),
    ],
)
def test_no_more_is_claimed_than_was_checked(names: Any, claim: str) -> None:
    def render(name: str) -> dict[str, Any]:
        if name == "*":
            raise ValueError(name)
        return slashed(name)

    render.__name__ = "slashed"
    text = to_text(check(render, names))
    assert claim in text
    assert "not asked: whether a tenant reaches what it owns" in text
    if "names tried are kept apart" in text:
        assert "of other names nothing is proved: " in text


def test_a_long_policy_is_cut() -> None:
    def render(name: str) -> dict[str, Any]:
        return invoke(f"{name}*", *(f"{name}/{i}" for i in range(99)))

    assert "lines more" in to_text(check(render, ("a",)))


def test_hypothesis_s_settings_say_how_many_names_are_drawn() -> None:
    def tried(number: int) -> int:
        drawing = settings(max_examples=number, database=None, derandomize=True)
        return len(check(slashed, "[a-z]{1,30}", drawing=drawing).tried)

    assert tried(1) < tried(40)


def test_what_failed_is_tried_again_first() -> None:
    names = st.integers(0, 10**9).map(lambda number: f"t{number}")
    calls: list[str] = []

    def render(name: str) -> dict[str, Any]:
        calls.append(name)
        return invoke(f"{name}/*" if int(name[1:]) < 777 else "*")

    drawing = settings(max_examples=200, database=InMemoryExampleDatabase())

    def report() -> VendorReport:
        vendor = Vendor(render, (ENDPOINT,), (OWNS,), names=names)
        return check_vendor(vendor, settings=drawing, database_key=b"what failed")

    first = report()
    assert first.verdict is Verdict.LEAK
    assert first.findings[0].names[0] == "t777"
    calls.clear()
    assert report().verdict is Verdict.LEAK
    assert "t777" in calls[:4]
