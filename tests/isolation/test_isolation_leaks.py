"""The leaks that tenantproof exists for: each is found, with a shortest witness."""

from __future__ import annotations

from typing import Any

import pytest

from conftest import ENDPOINT, Setup, allow
from tenantproof.isolation import Escape, Finding, Question, Run, Verdict, load_manifest

TARGET = "sagemaker:TargetModel"


def isolated(setup: Setup, tenant: str = "acme") -> list[Finding]:
    report = Run(load_manifest(setup.write())).report()
    return [f for f in report.findings if f.question is Question.ISOLATED and f.tenant == tenant]


def leak(findings: list[Finding], escape: Escape) -> Finding:
    (found,) = [f for f in findings if f.verdict is Verdict.LEAK and f.escape is escape]
    return found


def target(finding: Finding) -> Any:
    assert finding.request is not None
    return finding.request.context.get(TARGET)


def with_neighbour(setup: Setup, *statements: dict[str, Any], **more: Any) -> list[Finding]:
    return isolated(setup.tenant("acme", *statements, **more).tenant("acme-corp"))


def test_own_models_only_is_proved(setup: Setup) -> None:
    (finding,) = with_neighbour(setup, allow("acme/*"))
    assert finding.verdict is Verdict.PROVED
    assert finding.attacked > 0


def test_missing_slash(setup: Setup) -> None:
    findings = with_neighbour(setup, allow("acme*"))
    into = leak(findings, Escape.INTO_TENANT)
    assert target(into) == "acme-corp/"
    assert into.victims == ("acme-corp",)
    assert [(b.pattern, b.applies) for b in into.statements] == [("acme*", True)]
    assert target(leak(findings, Escape.UNOWNED)) == "acme"


def test_the_blame_points_into_the_file(setup: Setup) -> None:
    (blame,) = leak(with_neighbour(setup, allow("acme*")), Escape.INTO_TENANT).statements
    lines = (setup.folder / "acme.json").read_text().splitlines()
    assert blame.file.endswith("acme.json")
    assert lines[blame.place.line - 1][blame.place.column - 1 :].startswith('"acme*"')
    path = '$.Statement[0].Condition.StringLike["sagemaker:TargetModel"][0]'
    assert blame.place.path == path


@pytest.mark.parametrize("operator", ["ForAllValues:StringLike", "StringLikeIfExists"])
def test_operators_that_hold_for_an_absent_key(setup: Setup, operator: str) -> None:
    statement = allow(Condition={operator: {TARGET: ["acme/*"]}})
    (finding,) = with_neighbour(setup, statement)
    assert finding.verdict is Verdict.LEAK
    assert finding.escape is Escape.NO_TARGET_MODEL
    assert target(finding) is None
    assert finding.request is not None
    assert finding.request.action == "sagemaker:InvokeEndpoint"
    assert finding.victims == ("acme-corp",)


def test_deny_on_invoke_endpoint_alone(setup: Setup) -> None:
    deny = {
        "Effect": "Deny",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": "*",
        "Condition": {"StringNotLike": {TARGET: "acme/*"}},
    }
    wide = allow(Action="sagemaker:Invoke*", Condition=None)
    (finding,) = with_neighbour(setup, wide, deny)
    assert finding.escape is Escape.NO_TARGET_MODEL
    assert finding.request is not None
    assert finding.request.action == "sagemaker:InvokeEndpointAsync"
    assert [(b.effect.value, b.applies) for b in finding.statements] == [
        ("Allow", True),
        ("Deny", False),
    ]


def test_not_action(setup: Setup) -> None:
    statement = allow(Action=None, NotAction="iam:*", Condition=None)
    findings = with_neighbour(setup, statement)
    assert target(leak(findings, Escape.NO_TARGET_MODEL)) is None
    assert target(leak(findings, Escape.INTO_TENANT)) == "acme-corp/"


def test_not_resource(setup: Setup) -> None:
    statement = allow(Resource=None, NotResource="arn:aws:s3:::secrets/*", Condition=None)
    assert target(leak(with_neighbour(setup, statement), Escape.INTO_TENANT)) == "acme-corp/"


def test_question_mark_for_the_slash(setup: Setup) -> None:
    findings = with_neighbour(setup, allow("acme?*"))
    assert target(leak(findings, Escape.INTO_TENANT)) == "acme-corp/"
    assert target(leak(findings, Escape.UNOWNED)) == "acmea"


def test_tag_variable_without_a_slash(setup: Setup) -> None:
    statement = allow("${aws:PrincipalTag/tenant}*")
    findings = with_neighbour(setup, statement, tags={"tenant": "acme"})
    assert target(leak(findings, Escape.INTO_TENANT)) == "acme-corp/"


def test_tag_variable_with_a_slash_is_proved(setup: Setup) -> None:
    statement = allow("${aws:PrincipalTag/tenant}/*")
    (finding,) = with_neighbour(setup, statement, tags={"tenant": "acme"})
    assert finding.verdict is Verdict.PROVED


def test_a_wildcard_in_a_tag_is_no_wildcard(setup: Setup) -> None:
    statement = allow("${aws:PrincipalTag/tenant}/*")
    (finding,) = with_neighbour(setup, statement, tags={"tenant": "acme*"})
    assert target(finding) == "acme*/"
    assert finding.escape is Escape.UNOWNED


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_without_version_a_variable_is_text(setup: Setup, version: str | None) -> None:
    statement = allow("${aws:PrincipalTag/tenant}/*")
    (finding,) = with_neighbour(setup, statement, tags={"tenant": "acme"}, version=version)
    assert finding.escape is Escape.UNOWNED
    assert target(finding) == "${aws:PrincipalTag/tenant}/"


def test_a_tenant_named_like_a_shared_prefix(setup: Setup) -> None:
    setup.shared("common/*").tenant("acme", allow("acme/*", "common/*")).tenant("common")
    finding = leak(isolated(setup), Escape.INTO_TENANT)
    assert finding.victims == ("common",)
    assert target(finding) == "common/"
    (own,) = isolated(setup, "common")
    assert own.verdict is Verdict.PROVED


def test_every_reachable_tenant_is_a_victim(setup: Setup) -> None:
    setup.tenant("acme", allow("a*"))
    for name in ("acme-corp", "apple", "beta", "a"):
        setup.tenant(name)
    finding = leak(isolated(setup), Escape.INTO_TENANT)
    assert finding.victims == ("acme-corp", "apple", "a")
    assert target(finding) == "a/"


def test_a_victim_that_its_first_model_does_not_betray(setup: Setup) -> None:
    setup.tenant("acme", allow("acme/*", "x/*", "beta/deep/secret-*")).tenant("x").tenant("beta")
    assert leak(isolated(setup), Escape.INTO_TENANT).victims == ("x", "beta")


def test_another_endpoint_is_outside(setup: Setup) -> None:
    other = ENDPOINT.replace("/models", "/others")
    setup.endpoint(other)
    setup.tenant("acme", allow("acme/*", Resource="*"), tenant_extra='endpoints = ["models"]')
    setup.tenant("beta", allow("beta/*"))
    found = {(f.endpoint, f.verdict) for f in isolated(setup)}
    assert found == {(ENDPOINT, Verdict.PROVED), (other, Verdict.LEAK)}


def test_a_witness_states_the_free_keys_that_it_needs(setup: Setup) -> None:
    condition = {
        "StringLike": {TARGET: "acme*"},
        "StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-22"]},
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "ForAnyValue:StringLike": {"aws:CalledVia": ["x*"]},
    }
    finding = leak(with_neighbour(setup, allow(Condition=condition)), Escape.INTO_TENANT)
    assert finding.request is not None
    assert finding.request.context == {
        "aws:CalledVia": ("x",),
        "aws:MultiFactorAuthPresent": "true",
        "aws:SourceVpc": "vpc-1",
        TARGET: "acme-corp/",
    }


def test_keys_of_the_endpoint_are_fixed(setup: Setup) -> None:
    elsewhere = {"StringLike": {TARGET: "*"}, "StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    here = {"StringLike": {TARGET: "acme/*"}, "StringEquals": {"aws:RequestedRegion": "us-east-1"}}
    findings = with_neighbour(setup, allow(Condition=elsewhere), allow(Condition=here))
    assert [f.verdict for f in findings] == [Verdict.PROVED]


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [
        (ENDPOINT, Verdict.LEAK),
        (ENDPOINT.replace("endpoint/", "Endpoint/"), Verdict.PROVED),
        ("arn:aws:sagemaker:*:*:endpoint/mod?ls", Verdict.LEAK),
        ("arn:aws:sagemaker:us-east-1:111122223333:endpoint/other", Verdict.PROVED),
        ("arn:aws:sagemaker", Verdict.LEAK),
    ],
)
def test_the_resource_decides(setup: Setup, resource: str, verdict: Verdict) -> None:
    assert with_neighbour(setup, allow("*", Resource=resource))[0].verdict is verdict


def test_boundary_and_service_control_policies_count(setup: Setup) -> None:
    (setup.folder / "wall.json").write_text(
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sagemaker:*",'
        ' "Resource": "*", "Condition": {"StringLike": {"sagemaker:TargetModel": "acme/*"}}}}'
    )
    wide = allow(Condition=None)
    assert with_neighbour(setup, wide)[0].verdict is Verdict.LEAK
    for layer in (
        'permissions_boundary = "wall.json"',
        'service_control_policies = [["wall.json"]]',
    ):
        walled = Setup(setup.folder)
        (finding,) = with_neighbour(walled, wide, extra=layer)
        assert finding.verdict is Verdict.PROVED
