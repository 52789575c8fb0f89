"""Hypothesis attacks what is proved, and what the prover has no answer for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import plugin_imports  # noqa: F401
import pytest
from hypothesis import settings

from conftest import Setup, allow

NO_TIME = "--tenantproof-timeout=1e-9"
"""The prover has no answer in this time, so that what is found was found by a random request."""


@pytest.fixture
def setup(pytester: pytest.Pytester) -> Iterator[Setup]:
    pytester.makeconftest(
        """
        from hypothesis import Phase, settings
        from hypothesis.database import DirectoryBasedExampleDatabase

        # Whatever the profile of the run around this one is.
        kept = settings(derandomize=False, database=DirectoryBasedExampleDatabase("examples"))
        settings.register_profile("few", kept, max_examples=7)
        settings.register_profile("many", kept, max_examples=500)
        settings.register_profile("again", kept, phases=[Phase.reuse])
        settings.register_profile("ci", max_examples=500, derandomize=True)
        """
    )
    yield Setup(pytester.path)
    settings.load_profile("tenantproof")


def drawn(result: pytest.RunResult) -> int:
    found = re.search(r"- (\d+) passing", result.stdout.str())
    assert found is not None
    return int(found[1])


def test_statistics_say_what_was_drawn(setup: Setup, pytester: pytest.Pytester) -> None:
    setup.tenant("acme").tenant("acme-corp").write()
    result = pytester.runpytest("tenantproof.toml", "--hypothesis-show-statistics")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["*isolated[[]acme-role/acme-models]:", "*100 passing*"])
    for event in ("path: plain", "decision: Allowed", "decision: ImplicitDeny", "asked about: yes"):
        assert event in result.stdout.str()


@pytest.mark.parametrize(("profile", "most"), [("few", 7), ("many", 500)])
def test_the_profile_decides_how_many(
    profile: str, most: int, setup: Setup, pytester: pytest.Pytester
) -> None:
    setup.tenant("acme").tenant("acme-corp").write()
    result = pytester.runpytest(
        "tenantproof.toml",
        "-k",
        "isolated and acme-corp",
        "--hypothesis-show-statistics",
        f"--hypothesis-profile={profile}",
    )
    assert most / 2 <= drawn(result) <= most


def test_a_profile_that_draws_nothing_changes_no_verdict(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    setup.tenant("acme", allow("acme/*")).tenant("acme-corp", allow("acme*")).write()
    result = pytester.runpytest("tenantproof.toml", "--hypothesis-profile=again")
    result.assert_outcomes(passed=3, failed=1)


def test_the_attack_can_be_left_out(setup: Setup, pytester: pytest.Pytester) -> None:
    setup.tenant("acme").write()
    options = ("tenantproof.toml", "--hypothesis-show-statistics", "--tenantproof-no-attack")
    result = pytester.runpytest(*options)
    result.assert_outcomes(passed=2)
    assert "passing" not in result.stdout.str()


def test_a_random_request_shows_the_leak_where_the_prover_has_no_answer(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    setup.tenant("acme", allow("acme*")).tenant("acme-corp").write()
    question = ("tenantproof.toml", "-k", "isolated and role/acme-models", NO_TIME)
    result = pytester.runpytest(*question, "--hypothesis-profile=many")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "LEAK     isolated: acme *",
            "*because a random request showed it; the prover had no answer: *",
            "*(a smaller one is not excluded)",
        ]
    )
    again = pytester.runpytest(*question, "--hypothesis-profile=again")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["LEAK     isolated: acme *"])


def test_it_is_shrunk_to_the_smallest(setup: Setup, pytester: pytest.Pytester) -> None:
    setup.tenant("acme", allow("ac*")).write()
    result = pytester.runpytest(
        "tenantproof.toml", "-k", "isolated", NO_TIME, "--hypothesis-profile=ci"
    )
    found = re.search(r'sagemaker:TargetModel = "(.*)"', result.stdout.str())
    assert found is not None
    assert found[1] == "ac"


def test_without_time_and_without_a_leak_it_stays_unknown(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    setup.tenant("acme").tenant("acme-corp").write()
    result = pytester.runpytest("tenantproof.toml", NO_TIME)
    result.assert_outcomes(failed=4)
    result.stdout.fnmatch_lines(["4 UNKNOWN"])


@pytest.mark.parametrize("leak", [False, True])
def test_tenants_by_rule_are_attacked(leak: bool, pytester: pytest.Pytester) -> None:
    folder = Path(__file__).parents[2] / "examples" / "all-tenants" / ("leaky" if leak else "")
    result = pytester.runpytest(
        str(folder / "tenantproof.toml"), "--hypothesis-show-statistics", "-k", "isolated"
    )
    assert result.ret == int(leak)
    assert ("decision: " in result.stdout.str()) is not leak


def test_tenants_by_rule_without_time_are_unknown(pytester: pytest.Pytester) -> None:
    folder = Path(__file__).parents[2] / "examples" / "all-tenants"
    result = pytester.runpytest(str(folder / "tenantproof.toml"), NO_TIME)
    result.stdout.fnmatch_lines(["3 UNKNOWN"])


@pytest.mark.slow
def test_names_of_which_nearly_all_are_excluded_are_attacked_as_far_as_can_be(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    others = [f"{char}*" for char in "abcdefghijklmnopqrstuvwxy"]
    excluded = others + [f"z{char}" for char in "abcdefghijklmnopqrstuvwxy"]
    (pytester.path / "p.json").write_text(
        json.dumps(
            {"Version": "2012-10-17", "Statement": allow("${aws:PrincipalTag/tenant}/*")},
        )
    )
    setup.more(
        f"""
        [[rules]]
        name = "few"
        names = "[a-z]{{2}}"
        except = {json.dumps(excluded)}
        owns = ["{{tenant}}/*"]
        [[rules.principals]]
        arn = "arn:aws:iam::111122223333:role/app"
        tags = {{ tenant = "{{tenant}}" }}
        policies = ["p.json"]
        """
    ).write()
    pytester.runpytest("tenantproof.toml").assert_outcomes(passed=2)
