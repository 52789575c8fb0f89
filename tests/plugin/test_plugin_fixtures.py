"""Fixtures, the marker, and sentences about access."""

from __future__ import annotations

import json
from collections.abc import Iterable

import plugin_imports  # noqa: F401
import pytest

from conftest import ENDPOINT, Setup, allow


@pytest.fixture
def setup(pytester: pytest.Pytester) -> Setup:
    """Two tenants; the first reaches the models of the second."""
    setup = Setup(pytester.path)
    setup.shared("common/*").tenant("acme", allow("acme*", "common/*")).tenant("acme-corp").write()
    return setup


def run(pytester: pytest.Pytester, source: str, *options: str) -> pytest.RunResult:
    pytester.makepyfile(source)
    return pytester.runpytest(*options)


HOLDS = [
    'principal("acme").can_invoke("acme/*")',
    'principal("acme").can_invoke("common/*")',
    'principal("acme-corp").cannot_invoke("acme/*")',
    'principal("acme-corp").cannot_invoke("acme/*", by="sagemaker:Invoke*")',
    'principal("acme-corp").cannot_invoke(by="sagemaker:InvokeEndpointAsync")',
    'principal("acme-corp").is_isolated()',
    'principal("acme-corp").reaches_what_it_owns()',
    'principal("acme-corp").at("models").is_isolated()',
    'principal("arn:aws:iam::111122223333:role/acme-corp").is_isolated()',
    'principal("acme-corp").cannot_invoke(by="sagemaker:InvokeEndpointA*")',
    'assert_isolated("acme-corp")',
    'assert_can("acme", "acme-corp/x")',
    'assert_cannot("acme-corp", "acme/x")',
    'isolation.principal("acme").can_invoke("acme/*")',
    'isolation.assert_isolated(isolation.policies("acme-corp"), owns="acme-corp/*")',
]
"""What is the case; each may stand after assert, too."""

FAILS = {
    "assert_isolated()": '+ acme can invoke "acme-corp/" (sagemaker:InvokeEndpoint)',
    'assert_isolated("acme")': '+ acme can invoke "acme-corp/" (sagemaker:InvokeEndpoint)',
    'principal("acme").is_isolated()': "- acme can invoke nothing but what it owns and all share",
    'principal("acme").cannot_invoke("acme-corp/*")': '- acme cannot invoke "acme-corp/[*]"',
    'principal("acme-corp").can_invoke("acme/*")': '+ acme-corp cannot invoke "acme/" (*)',
    'principal("acme-corp").can_invoke()': "+ acme-corp cannot * without a TargetModel (*)",
    'assert_can("acme-corp", "common/*")': '+ acme-corp cannot invoke "common/" (*)',
    'assert_cannot("acme", "acme-corp/x")': '+ acme can invoke "acme-corp/x" (*)',
}
"""What is not the case, and a line of the answer."""

TEST = """
def test_{}(isolation, principal, assert_isolated, assert_can, assert_cannot):
    {}
"""


def module_of(sentences: Iterable[str], *prefixes: str) -> str:
    """A test for each sentence, and for each with a word before it."""
    bodies = (prefix + sentence for sentence in sentences for prefix in prefixes)
    return "".join(TEST.format(number, body) for number, body in enumerate(bodies))


def test_what_holds_passes(setup: Setup, pytester: pytest.Pytester) -> None:
    result = run(pytester, module_of(HOLDS, "", "assert "))
    result.assert_outcomes(passed=2 * len(HOLDS))


def test_what_does_not_hold_fails(setup: Setup, pytester: pytest.Pytester) -> None:
    """Negated, too: that a tenant cannot invoke all of some models is not that it can none."""
    result = run(pytester, module_of(FAILS, "", "assert ", "assert not "))
    result.assert_outcomes(failed=3 * len(FAILS))
    result.stdout.fnmatch_lines([f"E *{line}*" for line in FAILS.values() for _ in range(3)])
    assert "isolation.py" not in result.stdout.str()


BAD = {
    'principal("nobody").is_isolated()': '*found "nobody", expected a tenant*',
    'principal("acme").at("other").is_isolated()': '*found "other", expected the name of an*',
    'principal("acme").cannot_invoke("acme/*", by="s3:GetObject")': '*found "s3:GetObject"*',
    'principal("acme").cannot_invoke(" x")': "*found ' x', which no TargetModel can match*",
    'assert_isolated("acme", owns="x/*")': "*found owns without policies*",
    'assert_isolated({"Statement": []}, owns="x/*")': "*<policy 1>*found *",
    'assert_isolated(["nowhere.json"], owns="x/*")': "*nowhere.json*found no readable file*",
    'assert_isolated([], owns=" x")': "*owns: found ' x', which no TargetModel can match*",
    "assert_isolated([])": "*found policies without owns*",
    'assert_isolated([], owns="x", endpoint="models")': '*found "models", expected the ARN*',
    "assert_isolated([], owns=())": "*owns: found none, expected patterns*",
    'assert_isolated([], owns="x", context={"sagemaker:TargetModel": "x"})': (
        "*context.sagemaker:TargetModel: found a key that the request decides*"
    ),
    'assert_isolated([], owns="x", context={"k": 7})': "*context.k: found 7, expected a text or*",
    'assert_isolated([], owns="x", tags={"k": 7})': "*tags.k: found 7, expected a text*",
    'assert_isolated([], owns="x", tags={"k": "", "K": ""})': '*tags: found "k" twice*',
    'assert_isolated("acme", tags={"k": "v"})': "*found tags without policies*",
    'isolation.policies("nobody")': '*found no principal for "nobody"*',
    "isolation.policy_set(7)": "*found 7, expected a policy*",
}
"""What cannot be asked, and what the answer says."""


def test_bad_input_says_what_was_found(setup: Setup, pytester: pytest.Pytester) -> None:
    result = run(pytester, module_of(BAD, ""))
    result.assert_outcomes(failed=len(BAD))
    result.stdout.fnmatch_lines([f"E *{message}" for message in BAD.values()])


def test_what_a_principal_reaches_no_other_of_its_tenant_does(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    arns = [f"arn:aws:iam::111122223333:role/{name}" for name in ("idle", "busy")]
    (pytester.path / "busy.json").write_text(json.dumps({"Statement": allow("many/*")}))
    more = f'[[tenants.principals]]\narn = "{arns[1]}"\npolicies = ["busy.json"]'
    setup.tenant("many", allow("x"), arn=arns[0], extra=more).write()
    reaches = [f'principal("{who}").reaches_what_it_owns()' for who in ("many", *arns)]
    result = run(pytester, module_of(reaches, ""))
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["FAILED *test_1*"])


def test_a_proof_that_was_not_expected_says_what_it_proves(
    setup: Setup, pytester: pytest.Pytester
) -> None:
    sentence = 'principal("acme").can_invoke("acme/*")'
    result = run(pytester, f"def test_it(principal):\n    assert not {sentence}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            'E * assert not <PROVED can: acme can invoke "acme/[*]" *>',
            "E * where can_invoke = Subject(who='acme', endpoints=())*",
        ],
        consecutive=False,
    )


@pytest.mark.parametrize(
    "given",
    [
        'principal("nobody").is_isolated()',
        'principal("acme").can_invoke("acme/*", by="s3:GetObject")',
        'principal("acme").at("nowhere").reaches_what_it_owns()',
        'assert_isolated("nowhere")',
        'assert_isolated({"Statement": []}, owns="acme/*")',
        'assert_no_new_access("nowhere.json", "acme.json")',
    ],
)
def test_bad_input_shows_no_frame_of_ours(
    given: str, setup: Setup, pytester: pytest.Pytester
) -> None:
    source = f"def test_it(principal, assert_isolated, assert_no_new_access):\n    {given}\n"
    result = run(pytester, source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * tenantproof.errors.InputError: *", "*.py:2: InputError"])
    assert "isolation.py" not in result.stdout.str()


@pytest.mark.parametrize("given", ['""', '"acme/*", by=""'])
def test_an_empty_text_is_no_other_question(
    given: str, setup: Setup, pytester: pytest.Pytester
) -> None:
    result = run(pytester, f"def test_it(principal):\n    principal('acme').can_invoke({given})\n")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * found '', expected a text that is not empty"])


def test_policies_in_code(setup: Setup, pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        f"""
        ENDPOINT = "{ENDPOINT}"

        def rendered(tenant, slash="/"):
            return {{
                "Version": "2012-10-17",
                "Statement": {{
                    "Effect": "Allow",
                    "Action": "sagemaker:InvokeEndpoint",
                    "Resource": ENDPOINT,
                    "Condition": {{
                        "StringLike": {{"sagemaker:TargetModel": tenant + slash + "*"}}
                    }},
                }},
            }}

        def test_safe(assert_isolated, policy_set):
            assert_isolated(rendered("acme"), owns="acme/*", endpoint=ENDPOINT)
            assert_isolated([rendered("acme")], owns=["acme/*"], others={{"b": ["b/*"]}})
            assert_isolated(
                policy_set(rendered("acme", ""), permissions_boundary=rendered("acme")),
                owns="acme/*",
            )

        def test_leaky(assert_isolated):
            assert_isolated(rendered("acme", ""), owns="acme/*", others={{"corp": ["acme-corp/*"]}})

        def test_one_shared_pattern_is_no_list_of_its_characters(assert_isolated):
            assert_isolated(rendered("acme", ""), owns="acme/*", shared="common/*")
        """,
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            'E *+ tenant can invoke "acme-corp/" *',
            'E *by *Allow Statement[[]0] with "acme[*]" at <policy *>:9:*',
            'E *"sagemaker:TargetModel": "acme[*]"',
        ]
    )
    assert "tenantproof explain" not in result.stdout.str()


def test_no_new_access(setup: Setup, pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        def test_files(assert_no_new_access):
            assert_no_new_access("acme.json", "acme-corp.json")

        def test_files_the_other_way(assert_no_new_access):
            assert_no_new_access("acme-corp.json", "acme.json")

        def test_sets(assert_no_new_access, policy_set):
            assert_no_new_access(policy_set("acme.json"), ["acme-corp.json"])

        def test_sets_the_other_way(assert_no_new_access, isolation):
            assert_no_new_access(isolation.policies("acme-corp"), isolation.policies("acme"))
        """,
    )
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["E *DIFFERS *acme.json", 'E *sagemaker:TargetModel = "acme"*'])


# -- which manifest ----------------------------------------------------------------------------


def test_the_marker_names_the_manifest(pytester: pytest.Pytester) -> None:
    for name in ("one", "two"):
        folder = pytester.mkdir(name)
        Setup(folder).tenant(name).write()
    pytester.mkdir("tests").joinpath("test_it.py").write_text(
        """
import pytest

@pytest.mark.tenantproof(manifest="../one/tenantproof.toml")
def test_one(isolation):
    assert [t.name for t in isolation.manifest.tenants] == ["one"]

@pytest.mark.tenantproof(manifest="../two")
class TestTwo:
    def test_two(self, principal):
        assert principal("two").is_isolated()

def test_neither(isolation):
    isolation.manifest

@pytest.mark.tenantproof(manifest=7)
def test_bad(isolation):
    isolation.manifest
"""
    )
    result = pytester.runpytest("--strict-markers")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        ["E *found no manifest, expected a marker*", "E *found the marker tenantproof(manifest=7)*"]
    )


def test_the_nearest_manifest_is_meant(setup: Setup, pytester: pytest.Pytester) -> None:
    folder = pytester.mkpydir("deeper")
    folder.joinpath("test_it.py").write_text(
        "def test_it(principal): principal('acme-corp').is_isolated()"
    )
    pytester.runpytest().assert_outcomes(passed=1)


def test_the_configured_manifest_is_meant(setup: Setup, pytester: pytest.Pytester) -> None:
    (setup.folder / "tenantproof.toml").rename(setup.folder / "access.toml")
    pytester.makeini("[pytest]\ntenantproof = access.toml")
    result = run(
        pytester,
        module_of(["assert_isolated('acme-corp')"], ""),
        "test_the_configured_manifest_is_meant.py",
    )
    result.assert_outcomes(passed=1)


# -- with Hypothesis, xdist and reports --------------------------------------------------------


def test_in_property_tests_of_ones_own(setup: Setup, pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        from hypothesis import given, settings
        from tenantproof_strategies import target_models

        @settings(max_examples=20, deadline=None)
        @given(model=target_models(near=["acme/*"]))
        def test_own(principal, model):
            if model.startswith("acme/"):
                principal("acme-corp").cannot_invoke(model.replace("*", "x").replace("?", "x"))
        """,
    )
    result.assert_outcomes(passed=1)


def test_reports_hold_the_answers(setup: Setup, pytester: pytest.Pytester) -> None:
    source = module_of(["assert_isolated()"], "")
    result = run(pytester, source, "--junit-xml=report.xml", "-n", "1")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["LEAK isolated: acme reaches models of acme-corp  (*::test_0)"])
    text = (pytester.path / "report.xml").read_text()
    assert 'name="verdict" value="LEAK"' in text


def test_the_plugin_need_not_be_named(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest("--fixtures")
    result.stdout.fnmatch_lines(["isolation *", "assert_isolated *"])
    pytester.runpytest("--markers").stdout.fnmatch_lines(["@pytest.mark.tenantproof(manifest): *"])


@pytest.mark.parametrize("plain", [False, True])
def test_outside_pytest(plain: bool, setup: Setup, pytester: pytest.Pytester) -> None:
    source = """
from tenantproof.testing import Isolation
isolation = Isolation.of("tenantproof.toml")
isolation.principal("acme-corp").is_isolated()
try:
    isolation.assert_isolated()
except AssertionError as error:
    print(str(error).splitlines()[1])
"""
    result = pytester.runpython_c(source)
    result.stdout.fnmatch_lines(['+ acme can invoke "acme-corp/" (sagemaker:InvokeEndpoint)'])


def test_cannot_invoke_is_about_every_action(pytester: pytest.Pytester) -> None:
    setup = Setup(pytester.path)
    setup.tenant("acme", allow(Action="sagemaker:InvokeEndpointAsync", Condition=None)).write()
    sentences = ['principal("acme").cannot_invoke()', 'assert_cannot("acme")']
    result = run(pytester, module_of(sentences, ""))
    result.assert_outcomes(failed=2)
    by = ['principal("acme").cannot_invoke(by="sagemaker:InvokeEndpoint")']
    run(pytester, module_of(by, "")).assert_outcomes(passed=1)
