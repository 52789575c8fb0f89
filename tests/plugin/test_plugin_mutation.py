"""``--tenantproof-mutate``: mutants that the manifest's questions and the tests do not notice."""

from __future__ import annotations

import re
from pathlib import Path

import plugin_imports  # noqa: F401
import pytest

from conftest import ENDPOINT, Setup, allow

DESCRIBE = {"Effect": "Allow", "Action": "sagemaker:DescribeEndpoint", "Resource": ENDPOINT}
"""Beside what the questions of a manifest are about: only a test of one's own can notice a slip."""

NOTICES = """
def test_nothing_is_gained(assert_no_new_access, policy_set):
    assert_no_new_access("reviewed.json", "acme.json")
"""


@pytest.fixture
def setup(pytester: pytest.Pytester) -> Setup:
    setup = Setup(pytester.path)
    setup.tenant("acme", allow("acme/*"), DESCRIBE).write()
    (pytester.path / "reviewed.json").write_bytes((pytester.path / "acme.json").read_bytes())
    return setup


def counts(result: pytest.RunResult) -> dict[str, int]:
    """The last row of the table: how many mutants there are of each outcome."""
    row = next(line for line in result.stdout.lines if re.fullmatch(r"all( +\d+){5}", line))
    names = ("made", "equivalent", "noticed", "survived", "undecided")
    return dict(zip(names, map(int, re.findall(r"\d+", row)), strict=False))


def mutate(pytester: pytest.Pytester, *options: str) -> pytest.RunResult:
    return pytester.runpytest("tenantproof.toml", ".", "--tenantproof-mutate", *options)


def test_survivors_are_shown_with_what_they_open(setup: Setup, pytester: pytest.Pytester) -> None:
    result = mutate(pytester)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= tenantproof mutants =*",
            "SURVIVED *",
            '*-*"Action": "sagemaker:DescribeEndpoint"*',
            "*[+]*",
        ]
    )
    assert counts(result)["survived"] > 0


def test_what_a_test_notices_does_not_survive(setup: Setup, pytester: pytest.Pytester) -> None:
    before = counts(mutate(pytester))
    pytester.makepyfile(NOTICES)
    result = mutate(pytester)
    after = counts(result)
    assert after["made"] == before["made"]
    assert after["survived"] < before["survived"]
    assert after["noticed"] > before["noticed"]
    result.stdout.fnmatch_lines(["noticed by the tests that read the policy (*), isolated (*)"])


def test_the_files_are_as_they_were(setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NOTICES)
    before = (pytester.path / "acme.json").read_bytes()
    mutate(pytester)
    assert (pytester.path / "acme.json").read_bytes() == before
    pytester.runpytest("tenantproof.toml", ".").assert_outcomes(passed=3)


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_fixtures_read_the_mutant(scope: str, setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.fixture(scope="{scope}")
        def policies(policy_set):
            return policy_set("acme.json")

        def test_first(policies):
            assert len(policies.identity_policies) == 1

        def test_second(policies, assert_no_new_access, policy_set):
            assert_no_new_access(policy_set("reviewed.json"), policies)
        """
    )
    result = mutate(pytester)
    assert counts(result)["survived"] == 0


def test_a_test_that_fails_anyway_notices_nothing(setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(NOTICES + "    assert False\n")
    result = mutate(pytester)
    assert result.ret == 1
    assert counts(result)["survived"] > 0


def test_a_test_that_reads_no_policy_is_not_run_again(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        from pathlib import Path

        def test_counts():
            with Path("runs").open("a") as file:
                file.write("x")
        """
    )
    mutate(pytester)
    assert Path(pytester.path / "runs").read_text() == "x"


@pytest.mark.slow
@pytest.mark.parametrize("distribution", ["load", "loadfile", "worksteal", "each"])
def test_under_xdist_each_worker_has_its_share(
    distribution: str, setup: Setup, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(NOTICES)
    alone = counts(mutate(pytester))
    result = mutate(pytester, "-n", "2", f"--dist={distribution}")
    assert result.ret == 0
    assert counts(result) == alone


@pytest.mark.parametrize(("percent", "code"), [("0", 0), ("100", 1)])
def test_a_score_below_the_bound_fails(
    percent: str, code: int, setup: Setup, pytester: pytest.Pytester
) -> None:
    result = pytester.runpytest("tenantproof.toml", f"--tenantproof-mutate-fail-under={percent}")
    assert result.ret == code
    word = "below" if code else "not below"
    result.stdout.fnmatch_lines([f"{word} the {percent} percent of *"])


@pytest.mark.parametrize("percent", ["101", "-1", "x", "nan"])
def test_a_bound_is_a_percentage(percent: str, setup: Setup, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("tenantproof.toml", f"--tenantproof-mutate-fail-under={percent}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tenantproof_mutate_fail_under: found '*', expected a *"])


def test_what_leaks_is_not_measured(pytester: pytest.Pytester) -> None:
    Setup(pytester.path).tenant("acme", allow("acme*")).tenant("acme-corp").write()
    result = pytester.runpytest("tenantproof.toml", "--tenantproof-mutate-fail-under=0")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["no mutants were made: *"])


def test_without_a_manifest_there_is_nothing_to_measure(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_one(): pass")
    result = pytester.runpytest("--tenantproof-mutate-fail-under=1")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["not measured: no manifest was asked about*"])


def test_the_configuration_can_ask_for_it(setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntenantproof_mutate = true\ntenantproof = tenantproof.toml")
    pytester.runpytest().stdout.fnmatch_lines(["*= tenantproof mutants =*"])
    assert "mutants" not in pytester.runpytest("--collect-only").stdout.str()


def test_a_test_that_fails_when_it_is_run_again_notices_nothing(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        runs = []

        def test_runs_once(policy_set):
            policy_set("acme.json")
            runs.append(1)
            assert len(runs) == 1
        """
    )
    result = mutate(pytester)
    assert result.ret == 0
    assert counts(result)["survived"] > 0
    result.stdout.fnmatch_lines(
        ["noticed by isolated (*)", "not asked: *::test_runs_once, which *"], consecutive=False
    )


def test_subtests_of_mutants_are_not_reported(setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        from unittest import TestCase

        from tenantproof.testing.policies import as_document
        from pathlib import Path

        class TestPolicy(TestCase):
            def test_actions(self):
                for each in as_document(Path("acme.json")).statements:
                    with self.subTest(each.sid):
                        assert "Describe*" not in str(each)
        """
    )
    result = mutate(pytester)
    assert result.ret == 0
    assert counts(result)["survived"] > 0


def test_a_test_may_print_and_leave_the_folder(setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os

        def test_prints(policy_set, monkeypatch, tmp_path, capfd):
            policy_set("acme.json")
            monkeypatch.chdir(tmp_path)
            os.system("echo captured")
            assert capfd.readouterr().out == "captured\\n"
            os.system("echo stray")
        """
    )
    result = mutate(pytester)
    assert result.ret == 0
    assert "stray" not in result.stdout.str()


def test_it_does_not_matter_what_ran_last(setup: Setup, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntenantproof = tenantproof.toml\ntestpaths = tests")
    tests = pytester.mkdir("tests")
    reads = "policy_set('../reviewed.json'), policy_set('../acme.json')"
    source = f"def test_it(assert_no_new_access, policy_set): assert_no_new_access({reads})"
    tests.joinpath("test_it.py").write_text(source)
    result = pytester.runpytest("--tenantproof-mutate")
    result.assert_outcomes(passed=3)
    assert counts(result)["survived"] == 0
    assert "not asked" not in result.stdout.str()
