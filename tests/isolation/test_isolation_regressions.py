"""False or needless answers that reviews found, each pinned."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from conftest import ENDPOINT, Setup, allow
from tenantproof.cli import main
from tenantproof.errors import InputError
from tenantproof.isolation import Finding, Question, Run, Verdict, load_manifest

TARGET = "sagemaker:TargetModel"
ANYWHERE: dict[str, Any] = {"Resource": "*", "Condition": None}


def deny(**condition: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}


def findings(setup: Setup, *statements: dict[str, Any], **more: Any) -> list[Finding]:
    setup.tenant("a", *statements, **more).tenant("b")
    return [
        f
        for f in Run(load_manifest(setup.write()), 10).report().findings
        if f.tenant == "a" and f.question is Question.ISOLATED
    ]


def verdicts(setup: Setup, *statements: dict[str, Any], **more: Any) -> set[Verdict]:
    return {f.verdict for f in findings(setup, *statements, **more)}


# -- proofs that rested on two choices at once ---------------------------------------------------


def test_two_ambiguities_in_one_statement(setup: Setup) -> None:
    condition = {
        "StringLike": {TARGET: ["*", "${aws:PrincipalTag/none}"]},
        "ArnLike": {"aws:PrincipalArn": "*"},
    }
    assert verdicts(setup, allow(Condition=condition)) == {Verdict.UNKNOWN}


def test_ambiguities_in_two_layers(setup: Setup) -> None:
    level = allow(Resource="arn:aws:sagemaker:*:endpoint/models", Condition=None)
    policy = {"Version": "2012-10-17", "Statement": level}
    (setup.folder / "level.json").write_text(json.dumps(policy))
    extra = 'service_control_policies = [["level.json"]]'
    mine = allow(Condition={"ArnLike": {"aws:PrincipalArn": "*"}})
    assert verdicts(setup, mine, extra=extra) == {Verdict.UNKNOWN}


def test_an_ambiguity_that_only_another_reading_meets(setup: Setup) -> None:
    condition = {
        "StringNotLike": {TARGET: "${aws:PrincipalTag/t}*"},
        "Null": {TARGET: "false"},
    }
    assert verdicts(setup, allow(Condition=condition), tags={"t": ""}) == {Verdict.UNKNOWN}


# -- the space of requests -----------------------------------------------------------------------


def test_a_key_under_bool_can_hold_other_texts(setup: Setup) -> None:
    walls = (
        deny(Bool={"aws:ResourceTag/open": ["true", "false"]}),
        deny(Null={"aws:ResourceTag/open": "true"}),
    )
    assert Verdict.LEAK in verdicts(setup, allow(**ANYWHERE), *walls)


def test_a_set_of_values_is_no_variable(setup: Setup) -> None:
    wide = {
        "Null": {TARGET: "true", "aws:TagKeys": "false"},
        "ForAllValues:StringLike": {"aws:TagKeys": "*"},
    }
    wall = deny(StringNotLike={TARGET: "${aws:TagKeys}/x"})
    assert verdicts(setup, allow(Condition=wide), wall) == {Verdict.UNKNOWN}


def test_secure_transport_is_true_or_false(setup: Setup) -> None:
    never = {"StringNotEquals": {"aws:SecureTransport": ["true", "false"]}}
    assert verdicts(setup, allow(Condition=never)) == {Verdict.PROVED}


def test_a_role_is_no_aws_service(setup: Setup) -> None:
    service = {"Bool": {"aws:PrincipalIsAWSService": "true"}}
    assert verdicts(setup, allow(Condition=service)) == {Verdict.PROVED}


@pytest.mark.parametrize(
    "statements",
    [
        (allow(**ANYWHERE), deny(StringEquals={"aws:RequestedRegion": ["us-east-1", "x"]})),
        (
            allow("a/*"),
            allow(Condition={"StringNotEquals": {"aws:RequestedRegion": "us-east-1"}}),
        ),
        (allow(**ANYWHERE), deny(Bool={"aws:SecureTransport": ["true", "false"]})),
        (allow(**ANYWHERE), deny(Null={"aws:CurrentTime": "false"})),
        (allow(Condition={"StringNotEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}),),
    ],
)
def test_attacks_keep_to_requests_that_can_be(
    setup: Setup, statements: tuple[dict[str, Any], ...]
) -> None:
    """An attack without a key that every request has was an internal error."""
    assert verdicts(setup, *statements) == {Verdict.PROVED}


def test_an_empty_user_agent_may_count_as_none(setup: Setup) -> None:
    assert verdicts(setup, allow(Condition={"Null": {"aws:UserAgent": "true"}})) == {
        Verdict.UNKNOWN
    }


@pytest.mark.parametrize("key", [TARGET, "aws:requestedregion", "AWS:ResourceAccount"])
def test_a_principal_does_not_decide_what_the_request_decides(setup: Setup, key: str) -> None:
    path = setup.tenant("a", extra=f'context = {{ "{key}" = "x" }}').write()
    with pytest.raises(InputError, match="a key that the request decides"):
        load_manifest(path)


@pytest.mark.parametrize("pattern", [" x/*", "ü/*", "x" * 1025])
def test_a_pattern_without_a_model_is_no_proof(setup: Setup, pattern: str) -> None:
    path = setup.tenant("a", owns=(pattern,)).write()
    with pytest.raises(InputError, match="which no TargetModel can match"):
        load_manifest(path)


# -- conditions without a model ------------------------------------------------------------------

OFFICE = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


def like(*models: str) -> dict[str, Any]:
    return {"StringLike": {TARGET: list(models)}}


def test_a_part_of_the_own_models_is_proved_whatever_the_address(setup: Setup) -> None:
    statements = (
        allow(Condition={**like("a/x*"), **OFFICE}),
        allow(Condition={**like("a/y?"), **OFFICE}),
    )
    assert verdicts(setup, *statements) == {Verdict.PROVED}


def test_the_same_condition_twice_is_the_same(setup: Setup) -> None:
    assert verdicts(setup, allow(Condition=OFFICE), deny(**OFFICE)) == {Verdict.PROVED}


def test_an_opaque_condition_of_two_contexts_covers_no_model(setup: Setup) -> None:
    """Of a/1 one context asks the condition, the other its opposite, and neither can give it."""

    def grant(
        models: str, x: str, identity: str | None, *, opaque: bool = False, effect: str = "Allow"
    ) -> dict[str, Any]:
        equals = {"custom:X": x}
        if identity is not None:
            equals |= {"aws:SourceIdentity": identity, "custom:Y": "z"}
        condition: dict[str, Any] = {"StringLike": {TARGET: models}, "StringEquals": equals}
        if opaque:
            condition["ForAnyValue:StringLike"] = {"aws:SourceIdentity": "x${custom:Y}"}
        return allow("x", Effect=effect, Condition=condition)

    setup.tenant(
        "a",
        grant("a/*", "q", "xz"),
        grant("a/2*", "q", None, effect="Deny"),
        grant("a/1*", "q", None, effect="Deny", opaque=True),
        grant("a/2*", "p", "w"),
        grant("a/1*", "p", "w", opaque=True),
    )
    report = Run(load_manifest(setup.write()), 10).report()
    (reaches,) = [f for f in report.findings if f.question is Question.REACHES]
    assert reaches.verdict is Verdict.LEAK


def test_a_smaller_request_that_an_opaque_condition_decides_is_not_excluded(setup: Setup) -> None:
    named = {"StringLike": {"aws:SourceIdentity": "${aws:CalledVia}*"}}
    statements = (allow(Condition={**like("b/"), **named}), allow("b/xxxxxxxxxxxxxxx*"))
    (leak,) = [f for f in findings(setup, *statements) if f.verdict is Verdict.LEAK]
    assert leak.request is not None
    assert leak.request.context[TARGET] == "b/xxxxxxxxxxxxxxx"
    assert not leak.shortest


# -- budgets -------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_pattern_of_many_stars_ends_in_time(setup: Setup) -> None:
    assert verdicts(setup, allow("*a" * 20_000)) <= {Verdict.PROVED, Verdict.UNKNOWN}


def test_runs_of_several_forking_languages_do_not_multiply(setup: Setup) -> None:
    letters = [f"*{chr(97 + i % 26)}{i}" for i in range(60)]
    condition = {
        "StringLike": {TARGET: letters},
        "StringLikeIfExists": {TARGET: [f"x{letter}" for letter in letters]},
        "ForAnyValue:StringLike": {TARGET: [f"*y{letter}" for letter in letters]},
    }
    path = setup.tenant("a", allow(Condition=condition)).tenant("b").write()
    assert Run(load_manifest(path), timeout=1).report().findings


# -- files, names and reports --------------------------------------------------------------------


def run(setup: Setup, *args: str) -> Any:
    return CliRunner().invoke(main, ["check", str(setup.folder), *args])


def test_a_pipe_is_no_policy(setup: Setup) -> None:
    setup.tenant("a").write()
    (setup.folder / "a.json").unlink()
    os.mkfifo(setup.folder / "a.json")
    result = run(setup)
    assert result.exit_code == 2
    assert "not a regular file" in result.stderr


@pytest.mark.parametrize(
    "text",
    [
        '[[tenants]]\nname = "x"\nowns = ["x/*"]\n[[tenants.principals]]\n'
        'arn = "arn:aws:iam::1:role/x"\npolicies = ["p\\u0000.json"]',
        ".".join("x" * 20_000) + " = 1",
        '[[tenants]]\nname = "a\\nPROVED all"',
        '[[trusted]]\narn = "x"\nreason = "y"',
    ],
)
def test_hostile_manifests_are_bad_input(setup: Setup, text: str) -> None:
    setup.lines = [text, "[[endpoints]]", f'arn = "{ENDPOINT}"']
    setup.write()
    result = run(setup)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")


def test_the_blame_of_a_complement_is_the_complement(setup: Setup) -> None:
    wide = allow(Resource=None, NotResource="arn:aws:s3:::b", Condition=None)
    blamed = {b.place.path for f in findings(setup, wide) for b in f.statements}
    assert blamed == {"$.Statement[0].NotResource"}


def test_a_level_without_policies_is_named(setup: Setup) -> None:
    setup.tenant("a", extra="service_control_policies = [[]]").write()
    result = run(setup)
    assert result.exit_code == 1
    assert "nothing in service_control_policies[0] allows it" in result.stdout


def test_a_long_text_in_the_manifest_is_read_at_once(tmp_path: Path) -> None:
    """The look for deep keys took time that grew with the square of a word's length."""
    manifest = tmp_path / "tenantproof.toml"
    manifest.write_text(f'reason = "{"x" * 2_000_000}"')
    started = time.monotonic()
    with pytest.raises(InputError, match="found an unknown field"):
        load_manifest(manifest)
    assert time.monotonic() - started < 5


def test_a_leak_that_every_reading_has_is_shown_first(setup: Setup) -> None:
    """The smallest request has an empty value, which may count as absent; another leaks anyway."""
    for found in findings(setup, allow("${aws:SourceIdentity}-x/*")):
        assert found.verdict is Verdict.LEAK
        assert found.reason is None
        assert found.request is not None
        assert found.request.context["aws:SourceIdentity"]
