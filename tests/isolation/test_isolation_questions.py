"""Reaches, can, cannot; UNKNOWN where the model or the reference gives no answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import Setup, allow
from tenantproof.errors import InputError
from tenantproof.isolation import Escape, Finding, Question, Report, Run, Verdict, load_manifest

TARGET = "sagemaker:TargetModel"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def report(setup: Setup, timeout: float | None = 30) -> Report:
    return Run(load_manifest(setup.write()), timeout).report()


def of(setup: Setup, question: Question) -> list[Finding]:
    return [f for f in report(setup).findings if f.question is question]


def like(*models: str) -> dict[str, Any]:
    return {"StringLike": {TARGET: list(models)}}


# -- reaches -------------------------------------------------------------------------------------


def reaches(setup: Setup, *statements: dict[str, Any], **more: Any) -> Finding:
    (finding,) = of(setup.tenant("acme", *statements, **more), Question.REACHES)
    return finding


def test_deny_everything_is_no_success(setup: Setup) -> None:
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    finding = reaches(setup, allow("acme/*"), deny)
    assert finding.verdict is Verdict.LEAK
    assert finding.request is not None
    assert finding.request.context == {TARGET: "acme/"}
    assert finding.statements[0].effect.value == "Deny"


def test_what_is_not_reached_is_named(setup: Setup) -> None:
    finding = reaches(setup, allow("acme/a*", "acme/b*"), owns=("acme/?*",))
    assert finding.verdict is Verdict.LEAK
    assert finding.request is not None
    assert finding.request.context == {TARGET: "acme/c"}


def test_each_model_may_need_another_context(setup: Setup) -> None:
    """The contexts exclude each other; together they cover what is owned."""
    one = allow(Condition={**like("acme/a*"), "StringEquals": {"aws:SourceVpc": "vpc-1"}})
    two = allow(
        Condition={"StringNotLike": {TARGET: "acme/a*"}, "StringEquals": {"aws:SourceVpc": "vpc-2"}}
    )
    assert reaches(setup, one, two).verdict is Verdict.PROVED


def test_a_context_that_cannot_be_is_no_way(setup: Setup) -> None:
    both = {"StringEquals": {"aws:SourceVpc": "a"}, "StringLike": {"aws:SourceVpc": "b*"}}
    finding = reaches(setup, allow(Condition={**both, "StringNotLike": {TARGET: "x"}}))
    assert finding.verdict is Verdict.LEAK


def test_one_principal_of_a_tenant_suffices(setup: Setup) -> None:
    (setup.folder / "writer.json").write_text(
        '{"Statement": {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}}'
    )
    arn = "arn:aws:iam::111122223333:role/writer"
    writer = f'[[tenants.principals]]\narn = "{arn}"\npolicies = ["writer.json"]'
    assert reaches(setup, allow("acme/*"), extra=writer).verdict is Verdict.PROVED


# -- can and cannot ------------------------------------------------------------------------------


def asserted(setup: Setup, text: str, *statements: dict[str, Any]) -> Finding:
    setup.tenant("acme", *statements).more(text)
    (finding,) = [f for f in report(setup).findings if f.assertion is not None]
    return finding


@pytest.mark.parametrize(
    ("models", "verdict"),
    [("acme/*", Verdict.PROVED), ("acme/v?", Verdict.PROVED), ("acme*", Verdict.LEAK)],
)
def test_can_speaks_of_every_model(setup: Setup, models: str, verdict: Verdict) -> None:
    text = f'[[can]]\nprincipal = "acme"\ntarget_model = "{models}"'
    assert asserted(setup, text).verdict is verdict


@pytest.mark.parametrize(
    ("models", "verdict"), [("beta/*", Verdict.PROVED), ("acme/secret*", Verdict.LEAK)]
)
def test_cannot_speaks_of_every_model(setup: Setup, models: str, verdict: Verdict) -> None:
    text = f'[[cannot]]\nprincipal = "acme"\ntarget_model = "{models}"'
    assert asserted(setup, text).verdict is verdict


def test_cannot_without_a_model_is_any_request(setup: Setup) -> None:
    text = '[[cannot]]\nprincipal = "acme"\naction = "sagemaker:InvokeEndpointAsync"'
    assert asserted(setup, text).verdict is Verdict.PROVED
    wide = allow(Action="sagemaker:Invoke*", Condition=None)
    assert asserted(Setup(setup.folder), text, wide).verdict is Verdict.LEAK


def test_can_without_a_model_is_the_request_without_one(setup: Setup) -> None:
    text = '[[can]]\nprincipal = "acme"\naction = "sagemaker:InvokeEndpointAsync"'
    assert asserted(setup, text).verdict is Verdict.LEAK
    wide = allow(Action="sagemaker:Invoke*", Condition=None)
    assert asserted(Setup(setup.folder), text, wide).verdict is Verdict.PROVED


# -- UNKNOWN -------------------------------------------------------------------------------------


def test_an_address_that_opens_the_door_is_in_the_request(setup: Setup) -> None:
    office = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    setup.tenant("acme", allow(Condition={**like("*"), **office})).tenant("beta")
    (finding, *_) = of(setup, Question.ISOLATED)
    assert finding.verdict is Verdict.LEAK
    assert finding.request is not None
    assert finding.request.context["aws:SourceIp"] == "203.0.113.7"


def test_a_condition_without_a_model_is_unknown_and_named(setup: Setup) -> None:
    named = {"StringLike": {"aws:SourceIdentity": "${aws:CalledVia}*"}}
    setup.tenant("acme", allow(Condition={**like("*"), **named})).tenant("beta")
    (finding, *_) = of(setup, Question.ISOLATED)
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.reason is not None
    assert "exactly one value" in finding.reason
    assert "aws:CalledVia" in finding.reason
    assert "acme.json:" in finding.reason


def test_an_address_that_does_not_matter(setup: Setup) -> None:
    """Whatever the address, only own models are allowed; without the key there is a leak."""
    office = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    setup.tenant("acme", allow(Condition={**like("acme/*"), **office})).tenant("beta")
    assert of(setup, Question.ISOLATED)[0].verdict is Verdict.PROVED
    away = {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
    leaky = Setup(setup.folder).tenant("acme", allow(Condition={**like("*"), **away}))
    finding = of(leaky.tenant("beta"), Question.ISOLATED)[0]
    assert finding.verdict is Verdict.LEAK
    assert finding.request is not None
    assert "aws:SourceIp" not in finding.request.context


def test_a_variable_that_a_request_chooses(setup: Setup) -> None:
    """Whoever may call themselves what they like may call themselves beta."""
    setup.tenant("acme", allow("${aws:SourceIdentity}/*")).tenant("beta")
    finding = next(f for f in of(setup, Question.ISOLATED) if f.escape is Escape.INTO_TENANT)
    assert finding.request is not None
    assert dict(finding.request.context) == {
        "aws:SourceIdentity": "beta",
        TARGET: "beta/",
    }


def test_a_variable_that_a_request_chooses_within_the_own_models(setup: Setup) -> None:
    setup.tenant("acme", allow("acme/${aws:SourceIdentity}/*")).tenant("beta")
    (finding, *_) = of(setup, Question.ISOLATED)
    assert finding.verdict is Verdict.PROVED


def test_a_proof_never_rests_on_a_choice_alone(setup: Setup) -> None:
    """If the valueless variable spoils only its own text, StringNotLike lets everything in."""
    statement = allow(Condition={"StringNotLike": {TARGET: "${aws:PrincipalTag/none}/*"}})
    setup.tenant("acme", statement).tenant("beta")
    (finding, *_) = of(setup, Question.ISOLATED)
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.reason is not None
    assert "leaves open: whether a policy variable without a value" in finding.reason
    assert finding.request is not None


def test_a_leak_that_only_one_reading_has_says_so(setup: Setup) -> None:
    """The Deny is void for want of the tag; by the other reading it applies."""
    deny = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {TARGET: "${aws:PrincipalTag/none}"}},
    }
    setup.tenant("acme", allow("*"), deny).tenant("beta")
    (finding, *_) = of(setup, Question.ISOLATED)
    assert finding.verdict is Verdict.LEAK
    assert finding.reason is not None
    assert "whether a policy variable without a value" in finding.reason


def hard_to_exclude() -> dict[str, Any]:
    """Denies every text of 31 characters or more, by 95 patterns of which each is needed."""
    chars = (chr(code) for code in range(0x20, 0x7F))
    escaped = ("${" + c + "}" if c in "*?$" else c for c in chars)
    models = [f"*{c}{'?' * 30}*" for c in escaped]
    return allow(*models, Effect="Deny", Resource="*")


def test_patterns_made_to_explode_end_in_unknown(setup: Setup) -> None:
    setup.tenant("acme", allow("?" * 31 + "*"), hard_to_exclude()).tenant("beta")
    finding = of_timeout(setup, Question.ISOLATED, 2)
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.reason == "no answer within the budget: the time given by --timeout is used up"


def test_a_leak_is_kept_where_the_budget_ends_later(setup: Setup) -> None:
    wide = allow("beta/x", "?" * 31 + "*")
    setup.tenant("acme", wide, hard_to_exclude()).tenant("beta")
    finding = of_timeout(setup, Question.ISOLATED, 2)
    assert finding.verdict is Verdict.LEAK
    assert finding.request is not None
    assert finding.request.context == {TARGET: "beta/x"}


@pytest.mark.parametrize("owned", ["*z" + "?" * 40 + "y", "*a" + "?" * 25 + "*b" + "?" * 25])
def test_patterns_that_only_look_hard_are_answered(setup: Setup, owned: str) -> None:
    setup.tenant("acme", allow(owned), owns=(owned,))
    (isolated, reaches_) = report(setup, timeout=5).findings
    assert isolated.verdict is Verdict.PROVED
    assert reaches_.verdict is Verdict.PROVED


def of_timeout(setup: Setup, question: Question, timeout: float) -> Finding:
    return next(f for f in report(setup, timeout).findings if f.question is question)


# -- the manifest --------------------------------------------------------------------------------


def test_trusted_principals_are_left_out_and_listed(setup: Setup) -> None:
    arn = "arn:aws:iam::111122223333:role/acme"
    setup.tenant("acme", allow("*")).tenant("beta")
    setup.more(f'[[trusted]]\narn = "{arn}"\nreason = "the operator"')
    answer = report(setup)
    assert answer.verdict is Verdict.PROVED
    assert answer.left_out == (f"{arn} is trusted: the operator",)


def test_a_model_has_one_owner(setup: Setup) -> None:
    setup.tenant("acme", owns=("acme/*",)).tenant("eu", owns=("x/*", "acme/eu/*"))
    with pytest.raises(InputError, match='acme and eu both own "acme/eu/" on models'):
        report(setup)


def test_wildcards_inside_do_not_hide_an_overlap(setup: Setup) -> None:
    setup.tenant("acme", owns=("a*b/*",)).tenant("eu", owns=("ab*",))
    with pytest.raises(InputError, match='both own "ab/"'):
        report(setup)


def test_all_problems_are_reported_together(setup: Setup) -> None:
    setup.tenant("acme", allow("x", Effect="allow"))
    setup.more('colour = "red"\n[[cannot]]\nprincipal = "nobody"\naction = "s3:GetObject"')
    with pytest.raises(InputError) as caught:
        load_manifest(setup.write())
    text = str(caught.value)
    for expected in (
        'found the string "allow", expected "Allow" or "Deny"',
        "tenants[0].principals[0].colour: found an unknown field",
        'cannot[0].principal: found "nobody"',
        'cannot[0].action: found "s3:GetObject"',
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "endpoints: found nothing, expected tables"),
        ("endpoints = 3", "endpoints: found 3, expected tables"),
        ("endpoints = []", "endpoints: found none, expected at least one"),
        ('[[endpoints]]\narn = "x"', 'endpoints[0].arn: found "x"'),
        ('[[endpoints]]\nname = "x"', "endpoints[0].region: found nothing"),
        ('[[tenants]]\nname = ""', "tenants[0].name: found ''"),
        (
            "[[tenants]]\nowns = []",
            "tenants[0].owns: found [], expected a list of one or more texts",
        ),
        ('shared = "common/*"', "shared: found 'common/*', expected a list of one or more texts"),
        ("a = ", "found no valid TOML"),
        ("[[can]]\nprincipal = 1", "can[0].principal: found 1"),
        ('[[trusted]]\narn = "x"', "trusted[0].reason: found nothing"),
    ],
)
def test_a_bad_manifest_names_the_field(setup: Setup, text: str, expected: str) -> None:
    path = setup.folder / "tenantproof.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load_manifest(path)
    assert expected in str(caught.value)


def test_a_policy_that_is_missing_is_named(setup: Setup) -> None:
    path = setup.tenant("acme").write()
    (setup.folder / "acme.json").unlink()
    with pytest.raises(InputError, match=r"acme\.json: \$: found no readable file"):
        load_manifest(path)


def test_an_assertion_on_a_model_needs_an_action_that_names_one(setup: Setup) -> None:
    setup.tenant("acme").more(
        '[[can]]\nprincipal = "acme"\naction = "sagemaker:InvokeEndpointAsync"\ntarget_model = "x"'
    )
    with pytest.raises(InputError, match="takes no TargetModel"):
        load_manifest(setup.write())


@pytest.mark.parametrize(
    ("arn", "pattern", "expected"),
    [
        ("role/acme", "*:session", Verdict.LEAK),
        ("role/acme", "AIDA", Verdict.PROVED),
        ("user/acme", "AIDA*", Verdict.LEAK),
        ("user/acme", "*:*", Verdict.PROVED),
        ("assumed-role/acme/me", "*:you", Verdict.PROVED),
        ("assumed-role/acme/me", "*:me", Verdict.LEAK),
        ("root", "111122223333", Verdict.LEAK),
        ("root", "444455556666", Verdict.PROVED),
    ],
)
def test_a_user_id_is_one_that_the_principal_can_have(
    setup: Setup, arn: str, pattern: str, expected: Verdict
) -> None:
    by_id = allow(Condition={**like("*"), "StringLike": {TARGET: "*", "aws:userid": pattern}})
    service = "sts" if arn.startswith("assumed") else "iam"
    setup.tenant("acme", by_id, arn=f"arn:aws:{service}::111122223333:{arn}").tenant("beta")
    assert of(setup, Question.ISOLATED)[0].verdict is expected


def test_a_session_of_a_role_has_a_time_of_issue(setup: Setup) -> None:
    without = {"Null": {"aws:TokenIssueTime": "true"}}
    setup.tenant("acme", allow(Condition={**like("*"), **without})).tenant("beta")
    assert of(setup, Question.ISOLATED)[0].verdict is Verdict.PROVED


# -- the first leak alone ------------------------------------------------------------------------


@pytest.mark.parametrize("example", ["company-a-b/leaky", "all-tenants/leaky", "tags"])
def test_the_first_leak_is_one_of_all(example: str) -> None:
    manifest = load_manifest(Path(__file__).parents[2] / "examples" / example)
    full = Run(manifest).report()
    first = Run(manifest, first_only=True).report()
    assert first.verdict is full.verdict

    def asked(each: Report) -> set[tuple[str, ...]]:
        return {(f.question.value, f.principal, f.endpoint, f.verdict.value) for f in each.findings}

    assert asked(first) == asked(full)
    assert len(first.findings) <= len(full.findings)
    assert all(f.victims == () for f in first.findings if not f.for_all)
