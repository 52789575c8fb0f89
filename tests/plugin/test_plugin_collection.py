"""Manifests collected as tests: which, under which names, and how each answer looks."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import plugin_imports  # noqa: F401
import pytest

from conftest import ENDPOINT, Setup, allow

DISTRIBUTIONS = ["no", "load", "loadscope", "loadfile", "loadgroup", "worksteal", "each"]


@pytest.fixture
def setup(pytester: pytest.Pytester) -> Setup:
    return Setup(pytester.path)


def safe(setup: Setup) -> Setup:
    setup.tenant("acme").tenant("corp").write()
    return setup


def leaky(setup: Setup) -> Setup:
    setup.tenant("acme", allow("acme*")).tenant("acme-corp").write()
    return setup


def test_each_question_is_an_item(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup).more('[[cannot]]\nname = "never"\nprincipal = "acme"\ntarget_model = "corp/*"')
    setup.write()
    result = pytester.runpytest("tenantproof.toml", "-v")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            "tenantproof: *, engine automata, 30 s a question",
            "tenantproof.toml::isolated[[]acme-role/acme-models] PASSED*",
            "tenantproof.toml::isolated[[]corp-role/corp-models] PASSED*",
            "tenantproof.toml::reaches[[]acme-models] PASSED*",
            "tenantproof.toml::reaches[[]corp-models] PASSED*",
            "tenantproof.toml::cannot[[]never-role/acme-models] PASSED*",
            "*= tenantproof =*",
            "5 PROVED",
            "Assumed by each PROVED of tenantproof.toml:",
            "  - the policies given for each principal are all that apply to it",
        ]
    )


def test_a_leak_says_what_whose_and_how(setup: Setup, pytester: pytest.Pytester) -> None:
    leaky(setup)
    result = pytester.runpytest("tenantproof.toml", "-v")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(
        [
            "tenantproof.toml::isolated[[]acme-role/acme-models] LEAK*",
            "- acme can invoke nothing but what it owns and all share",
            '+ acme can invoke "acme-corp/" (sagemaker:InvokeEndpoint)',
            "LEAK     isolated: acme reaches models of acme-corp",
            '*sagemaker:TargetModel = "acme-corp/"',
            '*by *Allow Statement[[]0] with "acme*" at acme.json:*',
            "acme.json:*",
            '>*"acme[*]"',
            "*^^^^^^^*",
            "reproduce: * tenantproof explain tenantproof.toml --as acme --target-model acme-corp/",
            "ask again: * pytest 'tenantproof.toml::isolated[[]acme-role/acme-models]'",
            "LEAK isolated: acme reaches models of acme-corp  (tenantproof.toml::isolated*",
            "1 LEAK, 3 PROVED",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_the_line_to_reproduce_it_does(setup: Setup, pytester: pytest.Pytester) -> None:
    leaky(setup)
    printed = pytester.runpytest("tenantproof.toml").stdout.str()
    line = re.search(r"reproduce: +tenantproof (.*)", printed)
    assert line is not None
    code = "from tenantproof.cli import main; main()"
    decided = pytester.run("python", "-c", code, *line[1].split())
    assert decided.ret == 0
    decided.stdout.fnmatch_lines(["Allowed *role/acme", '*"acme-corp/"'])


def test_one_question_is_asked_again_by_its_name(setup: Setup, pytester: pytest.Pytester) -> None:
    leaky(setup)
    result = pytester.runpytest("tenantproof.toml::isolated[acme-role/acme-models]")
    result.assert_outcomes(failed=1)


def test_unknown_fails_as_unknown(setup: Setup, pytester: pytest.Pytester) -> None:
    hedged = {"StringNotLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/none}/*"}}
    setup.tenant("acme", allow(Condition=hedged)).write()
    result = pytester.runpytest("tenantproof.toml", "-v", "-k", "isolated")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*isolated[[]acme-role/acme-models] UNKNOWN*", "+ UNKNOWN: *"])
    result.stdout.fnmatch_lines(["UNKNOWN isolated: acme*", "1 UNKNOWN"])


def test_bad_input_is_an_error_of_collection_with_its_place(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    safe(setup)
    (setup.folder / "acme.json").write_text('{"Statement": {"Effect": "allow"}}')
    result = pytester.runpytest("tenantproof.toml")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ['acme.json:1:26: $.Statement.Effect (Statement[[]0]): found the string "allow", exp*']
    )
    assert "Traceback" not in result.stdout.str()


def test_two_tenants_that_own_a_model_are_bad_input(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    setup.tenant("acme").tenant("corp", owns=("acme/v1/*",)).write()
    result = pytester.runpytest("tenantproof.toml")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*found that acme and corp both own*"])


def test_a_missing_manifest_is_an_error(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--tenantproof-manifest", "nowhere")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tenantproof: found no manifest at 'nowhere' *"])


def test_a_manifest_without_questions_does_not_pass(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    setup.tenant("acme").write()
    lines = (setup.folder / "tenantproof.toml").read_text().replace("[[tenants]]", "[[x]]")
    (setup.folder / "tenantproof.toml").write_text(lines)
    assert pytester.runpytest("tenantproof.toml").ret == pytest.ExitCode.INTERRUPTED


# -- which manifests ---------------------------------------------------------------------------


def test_the_configuration_names_manifests(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\ntenantproof = ["tenantproof.toml"]')
    pytester.makepyfile(test_one="def test_one(): pass")
    pytester.runpytest().assert_outcomes(passed=5)
    pytester.runpytest("test_one.py").assert_outcomes(passed=1)
    pytester.runpytest("-k", "isolated").assert_outcomes(passed=2, deselected=3)


def test_the_configuration_in_an_ini_file_with_globs(pytester: pytest.Pytester) -> None:
    for name in ("one", "two"):
        folder = pytester.mkdir(name)
        safe(Setup(folder))
    pytester.makeini("[pytest]\ntenantproof = */tenantproof.toml\ntestpaths = tests")
    pytester.mkdir("tests").joinpath("test_one.py").write_text("def test_one(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=9)
    result.stdout.fnmatch_lines(["*manifests: one/tenantproof.toml, two/tenantproof.toml"])


def test_a_glob_names_manifests_among_other_files(pytester: pytest.Pytester) -> None:
    access = pytester.mkdir("access")
    one = access / "one"
    one.mkdir()
    safe(Setup(one))
    (access / "README.md").write_text("")
    access.joinpath("none").mkdir()
    pytester.makeini("[pytest]\ntenantproof = access/*")
    pytester.runpytest().assert_outcomes(passed=4)


def test_a_configured_manifest_that_is_missing_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ntenantproof = nowhere.toml")
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_an_option_names_a_folder_beside_other_tests(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    safe(setup)
    pytester.makepyfile(test_one="def test_one(): pass")
    result = pytester.runpytest("test_one.py", "--tenantproof-manifest", ".")
    result.assert_outcomes(passed=5)


def test_a_manifest_of_another_name_by_option(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    (setup.folder / "tenantproof.toml").rename(setup.folder / "access.toml")
    pytester.runpytest("--tenantproof-manifest", "access.toml").assert_outcomes(passed=4)


def test_nothing_is_collected_unasked(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    pytester.makepyfile(test_one="def test_one(): pass")
    result = pytester.runpytest()
    result.assert_outcomes(passed=1)
    assert "tenantproof:" not in result.stdout.str()
    assert "= tenantproof =" not in result.stdout.str()


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["build", ".github/access", "node_modules"])
@pytest.mark.parametrize(
    "options",
    [(), pytest.param((".", "-n", "1"), marks=pytest.mark.slow), ("tenantproof.toml", ".")],
)
def test_a_manifest_in_a_folder_that_pytest_walks_past(
    folder: str, options: tuple[str, ...], pytester: pytest.Pytester
) -> None:
    inside = pytester.path / folder
    inside.mkdir(parents=True)
    leaky(Setup(inside))
    safe(Setup(pytester.path))
    inside.joinpath("test_ignored.py").write_text("def test_ignored(): assert False")
    inside.joinpath("more").mkdir()
    inside.joinpath("more", "test_ignored_too.py").write_text("def test_ignored(): assert False")
    pytester.makepyfile(test_one="def test_one(): pass")
    pytester.makeini(f"[pytest]\ntenantproof = {folder}\n    tenantproof.toml")
    pytester.runpytest(*options).assert_outcomes(passed=8, failed=1)


@pytest.mark.slow
def test_a_manifest_and_the_folder_around_it(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    pytester.makepyfile(test_one="def test_one(): pass")
    for arguments in (
        ("tenantproof.toml", "."),
        (".", "tenantproof.toml"),
        ("tenantproof.toml::isolated[acme-role/acme-models]", "."),
        (".", "tenantproof.toml", "-n", "2"),
        (".", "--tenantproof-manifest", "."),
        ("test_one.py", "tenantproof.toml", "--tenantproof-manifest", "tenantproof.toml"),
        ("test_one.py", "tenantproof.toml::reaches[acme-models]", "--tenantproof-manifest", "."),
    ):
        pytester.runpytest(*arguments).assert_outcomes(passed=5)


def test_a_link_to_a_folder_asks_nothing_twice(setup: Setup, pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("one")
    safe(Setup(folder))
    pytester.mkdir("two").joinpath("link").symlink_to(folder)
    pytester.makeini("[pytest]\ntenantproof = one")
    pytester.runpytest().assert_outcomes(passed=4)
    pytester.runpytest("two/link/tenantproof.toml").assert_outcomes(passed=4)


def test_what_is_named_and_not_collected_is_an_error(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    safe(setup)
    pytester.makepyfile(test_one="def test_one(): pass")
    pytester.makeini("[pytest]\ntenantproof = tenantproof.toml")
    pytester.makeconftest(
        """
        import pytest

        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_ignore_collect(collection_path):
            yield
            return collection_path.suffix == ".toml"
        """
    )
    result = pytester.runpytest()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: tenantproof: tenantproof.toml was named but not *"])


def test_a_name_that_no_line_can_hold(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup).more('[[cannot]]\nprincipal = "acme"\ntarget_model = "corp/*"')
    setup.more(r'name = "two\nlines \u001b[31m \u202e é"').write()
    result = pytester.runpytest("tenantproof.toml", "-v")
    result.assert_outcomes(passed=5)
    name = r"cannot[two\nlines \x1b[31m \u202e é-role/acme-models]"
    assert f"tenantproof.toml::{name} PASSED" in result.stdout.str()
    pytester.runpytest(f"tenantproof.toml::{name}").assert_outcomes(passed=1)


def test_questions_of_the_same_name_are_told_apart(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    for _ in range(2):
        setup.more('[[cannot]]\nprincipal = "acme"\nname = "x"\ntarget_model = "corp/*"')
    setup.write()
    result = pytester.runpytest("tenantproof.toml", "--collect-only", "-q")
    result.stdout.fnmatch_lines(
        ["*::cannot[[]x-role/acme-models]", "*::cannot[[]x-role/acme-models-2]"]
    )


# -- options -----------------------------------------------------------------------------------


def test_options_have_twins(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    (setup.folder / "acme.json").write_text(
        "// a comment\n" + (setup.folder / "acme.json").read_text()
    )
    pytester.runpytest("tenantproof.toml").assert_outcomes(errors=1)
    pytester.runpytest("tenantproof.toml", "--tenantproof-lenient").assert_outcomes(passed=4)
    pytester.makeini(
        "[pytest]\ntenantproof_lenient = true\ntenantproof_timeout = 7\ntenantproof_engine = z3"
    )
    result = pytester.runpytest("tenantproof.toml")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["tenantproof: *, engine z3, 7 s a question"])
    result = pytester.runpytest("tenantproof.toml", "--tenantproof-engine=automata")
    result.stdout.fnmatch_lines(["tenantproof: *, engine automata, 7 s a question"])


@pytest.mark.parametrize("value", ["0", "-1", "nan", "soon"])
def test_a_timeout_is_a_time(value: str, setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    result = pytester.runpytest("tenantproof.toml", f"--tenantproof-timeout={value}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: tenantproof_timeout: found '{value}', expected *"])


def test_an_unknown_engine_in_the_configuration(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    pytester.makeini("[pytest]\ntenantproof_engine = yices")
    result = pytester.runpytest("tenantproof.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR


# -- how pytest is run -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "distribution",
    [pytest.param(d, marks=[] if d == "load" else pytest.mark.slow) for d in DISTRIBUTIONS],
)
def test_under_xdist(distribution: str, setup: Setup, pytester: pytest.Pytester) -> None:
    leaky(setup)
    result = pytester.runpytest("tenantproof.toml", "-n", "2", f"--dist={distribution}")
    times = 2 if distribution == "each" else 1
    result.assert_outcomes(passed=3 * times, failed=times)
    result.stdout.fnmatch_lines(
        [
            "LEAK     isolated: acme reaches models of acme-corp",
            "*= tenantproof =*",
            f"{times} LEAK, {3 * times} PROVED",
            "Assumed by each PROVED of tenantproof.toml:",
        ]
    )


def test_last_failed_first_and_stopping(setup: Setup, pytester: pytest.Pytester) -> None:
    leaky(setup)
    pytester.runpytest("tenantproof.toml", "-x").assert_outcomes(failed=1)
    pytester.runpytest("tenantproof.toml", "--lf").assert_outcomes(failed=1)
    safe_again = json.loads((setup.folder / "acme.json").read_text())
    safe_again["Statement"][0]["Condition"]["StringLike"]["sagemaker:TargetModel"] = "acme/*"
    (setup.folder / "acme.json").write_text(json.dumps(safe_again))
    pytester.runpytest("tenantproof.toml", "--lf").assert_outcomes(passed=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        ("-p", "no:cacheprovider"),
        ("--strict-markers", "--strict-config"),
        ("-p", "no:terminal"),
        ("-p", "no:hypothesispytest"),
        ("--import-mode=importlib",),
        ("-W", "error"),
        ("--assert=plain",),
    ],
)
def test_with_other_options(
    options: tuple[str, ...], setup: Setup, pytester: pytest.Pytester
) -> None:
    leaky(setup)
    result = pytester.runpytest("tenantproof.toml", *options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_markers_and_keywords_select(setup: Setup, pytester: pytest.Pytester) -> None:
    safe(setup)
    pytester.makepyfile(test_one="def test_one(): pass")
    both = ("tenantproof.toml", "test_one.py")
    pytester.runpytest(*both, "-m", "tenantproof").assert_outcomes(passed=4, deselected=1)
    pytester.runpytest(*both, "-k", "corp").assert_outcomes(passed=2, deselected=3)
    pytester.runpytest(*both, "-k", "not reaches").assert_outcomes(passed=3, deselected=2)


@pytest.mark.parametrize(
    ("marker", "outcomes", "said"),
    [
        ('xfail(reason="known")', {"passed": 3, "xfailed": 1}, "1 LEAK, 3 PROVED"),
        ('skip(reason="later")', {"passed": 3, "skipped": 1}, "3 PROVED"),
    ],
)
def test_users_mark_questions(
    marker: str,
    outcomes: dict[str, int],
    said: str,
    setup: Setup,
    pytester: pytest.Pytester,
) -> None:
    leaky(setup)
    pytester.makeconftest(
        f"""
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.{marker})
        """
    )
    result = pytester.runpytest("tenantproof.toml", "-rA")
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines([said])


def test_junit_properties(setup: Setup, pytester: pytest.Pytester) -> None:
    leaky(setup)
    pytester.runpytest("tenantproof.toml", "--junit-xml=report.xml", "-n", "1")
    cases = {
        str(case.get("name")): {
            str(each.get("name")): str(each.get("value")) for each in case.iter("property")
        }
        for case in ET.parse(pytester.path / "report.xml").getroot().iter("testcase")
    }
    leak = cases["isolated[acme-role/acme-models]"]
    assert leak["verdict"] == "LEAK"
    request = json.loads(leak["request"])
    assert request["context"] == {"sagemaker:TargetModel": "acme-corp/"}
    assert request["resource"] == ENDPOINT
    assert cases["reaches[acme-models]"]["verdict"] == "PROVED"
    assert (
        "unit propagation" in cases["reaches[acme-models]"]["engine"]
        or (cases["reaches[acme-models]"]["engine"])
    )


def test_tenants_by_rule(pytester: pytest.Pytester) -> None:
    examples = Path(__file__).parents[2] / "examples" / "all-tenants"
    result = pytester.runpytest(str(examples / "tenantproof.toml"))
    assert result.ret == 0
    result = pytester.runpytest(str(examples / "leaky" / "tenantproof.toml"))
    assert result.ret == 1
    result.stdout.fnmatch_lines(["reproduce: * --as customers --name *"])


def test_a_run_that_uses_nothing_imports_nothing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_one():
            heavy = {"z3", "hypothesis", "boto3", "botocore", "cvc5", "click", "tomllib"}
            assert not heavy & set(sys.modules)
            ours = {name for name in sys.modules if name.startswith("tenantproof")}
            assert ours == {"tenantproof", "tenantproof.pytest_plugin"}
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1)
    assert "= tenantproof =" not in result.stdout.str()


def test_what_is_refused_is_counted_as_refused(setup: Setup, pytester: pytest.Pytester) -> None:
    setup.tenant("acme", allow("acme/v1/*")).write()
    result = pytester.runpytest("tenantproof.toml", "-v")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*reaches[[]acme-models] REFUSED*", "1 PROVED, 1 REFUSED"])
