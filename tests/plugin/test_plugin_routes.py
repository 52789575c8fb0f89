"""Routes to artifacts as tests: items, failures with their steps, properties, sentences."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import plugin_imports  # noqa: F401
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
ROUTES = ("target-model", "invoke", "object", "assume", "change")
BOTH = ("account", "account-repaired")


@pytest.fixture
def accounts(pytester: pytest.Pytester) -> pytest.Pytester:
    """The examples of an account, leaky and repaired."""
    for name in BOTH:
        shutil.copytree(EXAMPLES / name, pytester.path / name)
    return pytester


def test_each_route_of_each_principal_is_an_item(accounts: pytest.Pytester) -> None:
    result = accounts.runpytest("account-repaired/tenantproof.toml", "-v")
    result.assert_outcomes(passed=15)
    for tenant in ("acme", "beta", "gamma"):
        result.stdout.fnmatch_lines(
            [f"*::artifacts[[]{tenant}-role/{tenant}-{route}] PASSED*" for route in ROUTES]
        )
    result.stdout.fnmatch_lines(["15 PROVED", "Assumed by each PROVED of account-repaired/*"])


def test_a_failure_shows_the_steps_and_a_statement_of_each(accounts: pytest.Pytester) -> None:
    result = accounts.runpytest("account/tenantproof.toml")
    result.assert_outcomes(passed=13, failed=2)
    result.stdout.fnmatch_lines(
        [
            "- acme has no way to another tenant's artifacts by assume",
            "+ acme reaches artifacts of beta, gamma (sts:AssumeRole, then s3:GetObject)",
            "*step 1 * sts:AssumeRole on arn:aws:iam::111122223333:role/support",
            "*becomes role/support",
            "*step 2 * sts:AssumeRole on arn:aws:iam::111122223333:role/artifact-reader",
            "*step 3 * s3:GetObject on arn:aws:s3:::models/beta/model.tar.gz",
            "account/export/authorization-details.json:32",
            '*"Sid": "OpenASupportCase"',
            "account/export/authorization-details.json:146",
            '*"Sid": "LookAtArtifacts"',
            "account/export/authorization-details.json:185",
            '*"Sid": "ReadArtifacts"',
            "ask again: * pytest 'account/tenantproof.toml::artifacts[[]acme-role/acme-assume]'",
            "+ gamma reaches artifacts of acme, beta (iam:TagRole, then *",
            '*aws:RequestTag/tenant = "acme"',
            "2 LEAK, 13 PROVED",
        ]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_route_is_asked_again_by_its_name(accounts: pytest.Pytester) -> None:
    name = "account/tenantproof.toml::artifacts[gamma-role/gamma-change]"
    result = accounts.runpytest(name, "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    accounts.runpytest("account/tenantproof.toml", "-k", "object").assert_outcomes(
        passed=3, deselected=12
    )


def test_junit_has_the_steps(accounts: pytest.Pytester) -> None:
    accounts.runpytest("account/tenantproof.toml", "--junit-xml=report.xml", "-n", "1")
    cases = {
        str(case.get("name")): {
            str(each.get("name")): str(each.get("value")) for each in case.iter("property")
        }
        for case in ET.parse(accounts.path / "report.xml").getroot().iter("testcase")
    }
    leak = cases["artifacts[gamma-role/gamma-change]"]
    assert leak["verdict"] == "LEAK"
    steps = json.loads(leak["steps"])
    assert [step["action"] for step in steps] == [
        "iam:TagRole",
        "sagemaker:InvokeEndpoint",
        "s3:GetObject",
    ]
    assert set(steps[0]) == {"principal", "tags", "action", "resource", "context", "effect"}
    assert steps[1]["tags"] == {"tenant": "acme"}
    assert "steps" not in cases["artifacts[gamma-role/gamma-object]"]


def test_sentences(accounts: pytest.Pytester) -> None:
    accounts.makepyfile(
        """
        import pytest
        from tenantproof.errors import InputError
        from tenantproof.testing import Isolation

        GAMMA = "arn:aws:iam::111122223333:role/gamma"
        leaky, repaired = map(Isolation.of, ("account", "account-repaired"))


        def test_what_holds():
            assert len(repaired.principal("acme").has_no_way_to_others().outcomes) == 5
            assert leaky.principal("beta").has_no_way_to_others()
            assert leaky.principal(GAMMA).has_no_way_to_others(by="object")


        def test_what_does_not_hold():
            with pytest.raises(AssertionError) as raised:
                leaky.principal("acme").has_no_way_to_others()
            assert "step 3   s3:GetObject" in str(raised.value)


        def test_what_is_no_question():
            with pytest.raises(ValueError, match="found the route 'objects', expected one of targ"):
                leaky.principal("acme").has_no_way_to_others(by="objects")
            with pytest.raises(TypeError, match="expected none: a way may lead over any"):
                leaky.principal("acme").at("models").has_no_way_to_others()
            with pytest.raises(InputError, match="expected a tenant's name"):
                leaky.principal("nobody").has_no_way_to_others()
        """
    )
    accounts.runpytest().assert_outcomes(passed=3)


def test_a_route_that_is_off_holds_for_nobody(accounts: pytest.Pytester) -> None:
    manifest = accounts.path / "account" / "tenantproof.toml"
    text = manifest.read_text("utf-8")
    manifest.write_text(f"{text}\n[routes.off]\nassume = 'roles are watched'\n", "utf-8")
    accounts.makepyfile(
        """
        import pytest
        from tenantproof.errors import InputError
        from tenantproof.testing import Isolation


        def test_off():
            acme = Isolation.of("account").principal("acme")
            assert len(acme.has_no_way_to_others().outcomes) == 4
            with pytest.raises(InputError, match="found nothing to ask of"):
                acme.has_no_way_to_others(by="assume")
        """
    )
    accounts.runpytest().assert_outcomes(passed=1)


@pytest.mark.parametrize("source", ["terraform", "cloudformation"])
def test_a_template_is_a_gate(pytester: pytest.Pytester, source: str) -> None:
    shutil.copytree(EXAMPLES / source, pytester.path / source)
    result = pytester.runpytest(f"{source}/tenantproof.toml")
    result.assert_outcomes(passed=9, failed=1)
    result.stdout.fnmatch_lines(["+ acme reaches artifacts of acme-corp (*"])
