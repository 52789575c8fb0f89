"""Session policies, tags, accounts and vendors of a manifest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import ENDPOINT, Setup, allow
from tenantproof.compare.sources import load_pairs
from tenantproof.errors import InputError
from tenantproof.isolation import Report, Run, Verdict, load_manifest
from tenantproof.mutate import survey
from tenantproof.policy import PolicySet

ROLE = "arn:aws:iam::111122223333:role/path/app"
EVERY_MODEL = allow(Condition=None)
TWO_NAMES = """
[[tenants]]
name = "acme"
owns = ["acme/*"]
[[tenants]]
name = "acme-labs"
owns = ["acme-labs/*"]
"""


def written(setup: Setup, name: str, *statements: dict[str, Any]) -> str:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (setup.folder / name).write_text(json.dumps(document, indent=2))
    return name


def vendor(setup: Setup, model: str = "{tenant}/*", extra: str = "", **changes: Any) -> Setup:
    """One role for all tenants, and a session policy for the tenant's models."""
    written(setup, "role.json", EVERY_MODEL)
    written(setup, "session.json", allow(model, **changes))
    return setup.more(
        f"""
        [[vendors]]
        role = "{ROLE}"
        policies = ["role.json"]
        session_policy = "session.json"
        {extra}
        """
    )


def rule(setup: Setup, names: str = "[a-z-]{2,8}") -> Setup:
    return setup.more(f"[[rules]]\nname = 'all'\nnames = '{names}'\nowns = ['{{tenant}}/*']")


def report(setup: Setup) -> Report:
    return Run(load_manifest(setup.write())).report()


def isolated(found: Report) -> list[Verdict]:
    return [f.verdict for f in found.findings if f.question.value == "isolated"]


def problems(setup: Setup) -> str:
    with pytest.raises(InputError) as raised:
        load_manifest(setup.write())
    return str(raised.value)


# -- members -----------------------------------------------------------------------------------


def test_a_session_policy_limits(setup: Setup) -> None:
    session = written(setup, "session.json", allow("acme/*"))
    setup.tenant("acme", EVERY_MODEL, extra=f'session_policy = "{session}"')
    found = report(setup)
    assert found.verdict is Verdict.PROVED
    (member,) = load_manifest(setup.write()).tenants[0].members
    assert [layer.name for layer in member.policies.layers()][-2:] == [
        "session_policy",
        "identity_policies",
    ]


def test_several_session_policies_are_one_layer(setup: Setup) -> None:
    names = [written(setup, f"{n}.json", allow(f"acme/{n}/*")) for n in "ab"]
    setup.tenant("acme", EVERY_MODEL, extra=f"session_policy = {json.dumps(names)}")
    assert isolated(report(setup)) == [Verdict.PROVED]


def test_session_tags_go_before_the_roles(setup: Setup) -> None:
    own = allow("${aws:PrincipalTag/tenant}/*")
    extra = 'session_tags = { Tenant = "acme" }\ntransitive_tags = ["tenant"]'
    setup.tenant("acme", own, tags={"tenant": "globex", "x": "y"}, extra=extra)
    (member,) = load_manifest(setup.write()).tenants[0].members
    assert member.principal.tags == {"x": "y", "Tenant": "acme"}
    assert member.transitive_tags == ("tenant",)
    assert report(setup).verdict is Verdict.PROVED


def test_a_transitive_tag_is_a_session_tag(setup: Setup) -> None:
    setup.tenant("acme", tags={"tenant": "acme"}, extra='transitive_tags = ["tenant"]')
    assert 'transitive_tags: found "tenant", expected a name of session_tags' in problems(setup)


# -- accounts ----------------------------------------------------------------------------------


def account(setup: Setup, scp: str | None = None, rcp: str | None = None) -> Setup:
    scps = f'service_control_policies = [["{scp}"]]' if scp else ""
    rcps = f'resource_control_policies = [["{rcp}"]]' if rcp else ""
    return setup.more(f'[[accounts]]\nid = "111122223333"\n{scps}\n{rcps}')


def test_the_accounts_policies_apply_to_principals_without_their_own(setup: Setup) -> None:
    everything = written(setup, "all.json", EVERY_MODEL)
    acme = written(setup, "scp.json", allow("acme/*"))
    setup.tenant("acme", EVERY_MODEL).tenant(
        "b", EVERY_MODEL, extra=f'service_control_policies = [["{everything}"]]'
    )
    account(setup, scp=acme)
    assert isolated(report(setup))[0] is Verdict.PROVED
    assert set(isolated(report(setup))[1:]) == {Verdict.LEAK}


def test_a_proof_never_rests_on_resource_control_policies(setup: Setup) -> None:
    """SageMaker is not listed for them: whether they have an effect is not known."""
    denied = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotLike": {"sagemaker:TargetModel": "acme/*"}},
    }
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    account(setup, rcp=written(setup, "rcp.json", everyone, denied))
    setup.tenant("acme", EVERY_MODEL)
    findings = [f for f in report(setup).findings if f.question.value == "isolated"]
    assert {finding.verdict for finding in findings} == {Verdict.UNKNOWN}
    for finding in findings:
        assert "whether resource control policies apply to a service" in str(finding.reason)


def test_resource_control_policies_that_let_all_through_are_no_matter(setup: Setup) -> None:
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    account(setup, rcp=written(setup, "rcp.json", everyone))
    setup.tenant("acme", allow("acme/*"))
    assert report(setup).verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('id = "1"', 'accounts[0].id: found "1", expected the twelve digits of an account'),
        ("", "accounts[0].id: found nothing"),
        ('id = "111122223333"\nrcps = []', "accounts[0].rcps: found an unknown field"),
        (
            'id = "111122223333"\nresource_control_policies = [["acme.json"]]',
            'found Principal, expected Principal "*" in a resource control policy',
        ),
    ],
)
def test_what_is_wrong_with_an_account(setup: Setup, text: str, message: str) -> None:
    setup.tenant("acme").more(f"[[accounts]]\n{text}")
    naming = {**allow("acme/*"), "Principal": {"AWS": "111122223333"}}
    written(setup, "acme.json", naming if "resource" in text else allow("acme/*"))
    assert message in problems(setup)


def test_a_principal_of_another_account_is_denied(setup: Setup) -> None:
    setup.tenant("acme", EVERY_MODEL, arn="arn:aws:iam::444455556666:role/app")
    found = report(setup)
    assert isolated(found) == [Verdict.PROVED]
    (reaches,) = [f for f in found.findings if f.question.value == "reaches"]
    assert reaches.reason == "nothing in resource_policy allows it"


# -- vendors, tenants by list ------------------------------------------------------------------


def test_a_role_is_assumed_for_each_tenant(setup: Setup) -> None:
    extra = 'session_name = "s-{tenant}"\nsession_tags = { tenant = "{tenant}" }'
    vendor(setup, extra=f'{extra}\ntags = {{ Tenant = "none", x = "y" }}').more(TWO_NAMES)
    manifest = load_manifest(setup.write())
    acme, labs = (tenant.members[0] for tenant in manifest.tenants)
    assert acme.principal.arn == "arn:aws:sts::111122223333:assumed-role/app/s-acme"
    assert acme.principal.keys["aws:principalarn"] == ROLE
    assert labs.principal.tags == {"x": "y", "tenant": "acme-labs"}
    (document,) = labs.policies.session_policies
    (condition,) = document.statements[0].conditions
    assert [value.text for value in condition.values] == ["acme-labs/*"]
    assert Run(manifest).report().verdict is Verdict.PROVED


def test_a_leak_names_the_session_policy_and_its_place(setup: Setup) -> None:
    vendor(setup, "{tenant}*").more(TWO_NAMES)
    leak = report(setup).findings[0]
    assert (leak.verdict, leak.victims) == (Verdict.LEAK, ("acme-labs",))
    blamed = next(each for each in leak.statements if each.layer == "session_policy")
    assert blamed.pattern == "acme*"
    template = (setup.folder / "session.json").read_text().split("\n")
    assert template[blamed.place.line - 1][blamed.place.column - 1 :].startswith('"{tenant}*"')


@pytest.mark.parametrize("name", ["a*", "a?b", "a:b", "${*}", "ü"])
def test_the_rendered_policy_is_what_the_text_says(setup: Setup, name: str) -> None:
    vendor(setup).more(f"[[tenants]]\nname = '{name}'\nowns = ['own/*']")
    (member,) = load_manifest(setup.write()).tenants[0].members
    text = (setup.folder / "session.json").read_text().replace("{tenant}", name)
    assert (
        session_of(member.policies)
        == json.loads(text)["Statement"][0]["Condition"]["StringLike"]["sagemaker:TargetModel"]
    )


def session_of(policies: PolicySet) -> list[str]:
    (document,) = policies.session_policies
    return [value.text for value in document.statements[0].conditions[0].values]


def test_the_name_may_decide_more_than_a_text_of_listed_tenants(setup: Setup) -> None:
    condition = {"NumericLessThan": {"s3:max-keys": "{tenant}"}}
    vendor(setup, Condition=condition)
    setup.more("[[tenants]]\nname = '12'\nowns = ['12/*']")
    (member,) = load_manifest(setup.write()).tenants[0].members
    assert session_of(member.policies) == ["12"]


def test_a_name_that_breaks_the_template_is_named(setup: Setup) -> None:
    vendor(setup, Condition={"NumericLessThan": {"s3:max-keys": "{tenant}"}}).more(TWO_NAMES)
    message = problems(setup)
    assert "session.json" in message
    assert "for the tenant 'acme'" in message
    assert "$.Statement[0].Condition" in message


def test_a_name_with_a_quote_is_refused(setup: Setup) -> None:
    vendor(setup).more("[[tenants]]\nname = 'a\"b'\nowns = ['own/*']")
    assert "expected a name without quotes, backslashes and control characters" in problems(setup)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ('colour = "red"', "vendors[0].colour: found an unknown field"),
        ('transitive_tags = ["x"]', "vendors[0].transitive_tags: found"),
        ('tags = { x = "{tenant}" }', "vendors[0].tags: found '{tenant}', expected no {tenant}"),
        ('tags = { Tenantproof-Name = "x" }', "found tenantproof-name in its tags or policies"),
    ],
)
def test_what_is_wrong_with_a_vendor(setup: Setup, extra: str, message: str) -> None:
    assert message in problems(vendor(setup, extra=extra).more(TWO_NAMES))


def test_a_missing_template_and_role(setup: Setup) -> None:
    setup.more('[[vendors]]\nrole = "app"\npolicies = ["p.json"]\nsession_policy = "none.json"')
    message = problems(setup.more(TWO_NAMES))
    assert 'vendors[0].role: found "app", expected the ARN of a role' in message
    assert "none.json: $: found no readable file" in message
    assert "p.json" in message


def test_slips_are_not_made_in_templates(setup: Setup) -> None:
    vendor(setup).more(TWO_NAMES)
    found = survey(setup.write())
    assert any("no slip is made in" in each for each in found.assumptions)
    assert {Path(each.mutant.place.file).name for each in found.checked} <= {"role.json"}


def test_what_a_diff_leaves_out_it_says(setup: Setup, tmp_path: Path) -> None:
    everyone = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    setup.tenant("acme")
    old = setup.write().rename(tmp_path / "old.toml")
    account(setup, rcp=written(setup, "rcp.json", everyone))
    (pair,) = load_pairs(old, setup.write())
    expected = "the resource control policies of 111122223333 differ, which are not compared"
    assert pair.notes == (expected,)


# -- vendors, tenants by rule ------------------------------------------------------------------


def test_one_answer_about_all_tenants(setup: Setup) -> None:
    found = report(rule(vendor(setup)))
    assert found.verdict is Verdict.PROVED
    assert found.findings[0].for_all


def test_a_leak_is_a_pair_of_names(setup: Setup) -> None:
    found = report(rule(vendor(setup, "{tenant}*")))
    leak = found.findings[0]
    assert leak.verdict is Verdict.LEAK
    assert leak.names["other"].startswith(leak.names["tenant"])


@pytest.mark.parametrize(
    ("names", "changes", "reason"),
    [
        ("[a-z*]{2}", {}, "a policy variable is for plain characters"),
        ("[a-z]{2}", {"Action": "sagemaker:{tenant}"}, "found"),
        ("[a-z]{2}", {"Condition": {"StringLike": {"s3:{tenant}": "x"}}}, "the condition key"),
        (
            "[a-z]{2}",
            {"Condition": {"StringLike": {"s3:prefix": "${aws:PrincipalTag/{tenant}}"}}},
            'found "${aws:PrincipalTag/{tenant}}", expected a policy variable',
        ),
        ("[a-z]{2}", {"Condition": {"StringLike": {"s3:prefix": "${tenant}"}}}, "stands in"),
    ],
)
def test_where_a_variable_cannot_stand_is_an_error(
    setup: Setup, names: str, changes: dict[str, Any], reason: str
) -> None:
    message = problems(rule(vendor(setup, **changes), names))
    assert "session.json" in message
    assert reason in message


def test_a_name_with_a_colon_in_an_arn(setup: Setup) -> None:
    setup.more("")
    vendor(setup, Resource=f"{ENDPOINT}-{{tenant}}", extra='session_name = "fixed"')
    assert "and the name stands in an ARN" in problems(rule(setup, "[a-z:]{2}"))
