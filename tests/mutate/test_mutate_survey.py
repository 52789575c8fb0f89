"""The survey: what is noticed and by what, what is left, and what it does not do."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from conftest import ENDPOINT, Setup, allow
from tenantproof.compare import Way
from tenantproof.errors import InputError
from tenantproof.evaluate import decide
from tenantproof.isolation import Verdict
from tenantproof.mutate import (
    Checked,
    Equivalent,
    Kind,
    Mutant,
    MutationReport,
    Noticed,
    Survived,
    Tally,
    Undecided,
    survey,
)
from tenantproof.policy import PolicySet, files_read, load_policy, parse_policy, reading_instead
from tenantproof.reading import DOCUMENTED
from tenantproof.report.mutate_text import mutation_to_text

EXAMPLES = Path(__file__).parents[2] / "examples"
TAG = "${aws:PrincipalTag/tenant}"


def only(report: MutationReport) -> Checked:
    (checked,) = report.checked
    return checked


def outcomes(report: MutationReport) -> dict[str, type]:
    return {each.mutant.sentence: type(each.outcome) for each in report.checked}


def write(setup: Setup, name: str, *statements: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    (setup.folder / name).write_text(json.dumps(document, indent=1))


def deny(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": "sagemaker:Invoke*", "Resource": "*", **changes}


# -- what becomes of mutants -----------------------------------------------------------------------


def test_the_classic_slip_is_noticed_by_isolation(setup: Setup) -> None:
    report = survey(setup.tenant("acme").write(), kinds={Kind.SLASH_DROPPED})
    checked = only(report)
    assert checked.mutant.sentence == "`/` dropped before `*`: `acme/*` -> `acme*`"
    assert isinstance(checked.outcome, Noticed)
    assert checked.outcome.by == "isolated: acme"
    assert checked.outcome.finding is not None
    assert checked.outcome.finding.verdict is Verdict.LEAK
    assert report.total.score == 1


def test_what_no_question_asks_survives_with_a_request(setup: Setup) -> None:
    no_plain_text = deny(Condition={"Bool": {"aws:SecureTransport": "false"}})
    path = setup.tenant("acme", allow("acme/*"), no_plain_text).write()
    checked = only(survey(path, kinds={Kind.DENY_REMOVED}))
    assert isinstance(checked.outcome, Survived)
    change = checked.outcome.change
    assert change.way is Way.GAINED
    assert change.by_new.resource == ENDPOINT
    assert change.by_new.context["aws:SecureTransport"] == "false"
    before, after = (
        decide(PolicySet((document,)), change.by_new, DOCUMENTED).allowed
        for document in (load_policy(Path(checked.mutant.file)), checked.mutant.document())
    )
    assert (before, after) == (False, True)


def test_a_default_that_is_never_used_is_equivalent(setup: Setup) -> None:
    path = setup.tenant("acme", allow(f"{TAG}/*"), tags={"tenant": "acme"}).write()
    report = survey(path, kinds={Kind.VARIABLE_DEFAULT})
    assert only(report).outcome == Equivalent()
    assert report.total.score is None
    assert report.reaches(Fraction(0)) is None


def test_a_survivor_that_only_takes_access_says_so(setup: Setup) -> None:
    # No question asks whether the second principal of a tenant reaches anything.
    setup.tenant("acme", tags={"tenant": "acme"})
    write(setup, "other.json", allow(f"{TAG}/*"))
    setup.more(
        """
        [[tenants.principals]]
        arn = "arn:aws:iam::111122223333:role/other"
        tags = { tenant = "acme" }
        policies = ["other.json"]
        """
    )
    report = survey(setup.write(), kinds={Kind.VARIABLE_REPLACED})
    (checked,) = (c for c in report.checked if "by aws:username" in c.mutant.sentence)
    assert isinstance(checked.outcome, Survived)
    assert checked.outcome.change.way is Way.LOST


def test_a_canary_endpoint_notices_a_resource_widened() -> None:
    kinds = {Kind.RESOURCE_WIDENED, Kind.OPERATOR_LOOSENED, Kind.CASE_CHANGED}
    before = survey(EXAMPLES / "mutate", kinds=kinds)
    after = survey(EXAMPLES / "mutate" / "better", kinds=kinds)
    assert before.total == Tally(survived=12)
    # What is left widens the account: at another account's endpoint nothing is allowed.
    assert after.total == Tally(noticed=10, survived=2)


def test_an_unknown_notices_too_and_is_told_apart(setup: Setup) -> None:
    # The principal has no such tag: whether that voids the statement the reference leaves open.
    doubtful = {
        "StringLike": {"sagemaker:TargetModel": "acme/*"},
        "StringNotLike": {"s3:prefix": "${aws:PrincipalTag/team}"},
    }
    path = setup.tenant("acme", allow("acme/*"), allow(Condition=doubtful)).write()
    report = survey(path, kinds={Kind.CONDITION_REMOVED})
    (checked,) = (c for c in report.checked if "StringLike on" in c.mutant.sentence)
    assert isinstance(checked.outcome, Noticed)
    assert checked.outcome.is_unknown
    assert report.total.unknown == 1
    assert report.total.score == 1


# -- every place that a policy can stand in ------------------------------------------------------


def test_a_boundary_and_service_control_policies_have_mutants(setup: Setup) -> None:
    write(setup, "boundary.json", allow("acme/*", "globex/*"))
    write(
        setup,
        "scp.json",
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        deny(Condition={"StringNotLike": {"sagemaker:TargetModel": "acme/*"}}),
    )
    extra = 'permissions_boundary = "boundary.json"\nservice_control_policies = [["scp.json"]]'
    path = setup.tenant("acme", allow("*"), extra=extra).write()
    found = survey(path, kinds={Kind.SLASH_DROPPED, Kind.DENY_REMOVED})
    by_file = {(Path(c.mutant.file).name, type(c.outcome)) for c in found.checked}
    # Either of them holds what the other lets through.
    assert by_file == {
        ("boundary.json", Equivalent),
        ("scp.json", Equivalent),
        ("scp.json", Noticed),
    }
    removed = [c.outcome for c in found.checked if c.mutant.kind is Kind.DENY_REMOVED]
    assert [type(each) for each in removed] == [Noticed]


def test_a_shared_file_is_changed_for_all_that_use_it(setup: Setup) -> None:
    write(setup, "shared.json", allow(f"{TAG}/*"))
    for name in ("acme", "globex"):
        setup.tenant(name, tags={"tenant": name})
    path = setup.write()
    text = path.read_text().replace("acme.json", "shared.json")
    path.write_text(text.replace("globex.json", "./shared.json"))
    report = survey(path)
    assert len({Path(each.mutant.file).resolve() for each in report.checked}) == 1
    asked: set[str] = set()

    def notices(mutant: Mutant) -> str | None:
        asked.add(mutant.sentence)
        return None

    again = survey(path, also_notices=notices)
    assert again.checked == report.checked
    survived = {c.mutant.sentence for c in report.checked if isinstance(c.outcome, Survived)}
    assert asked == survived


def test_a_mutant_that_is_noticed_by_the_second_user_of_a_file_alone(setup: Setup) -> None:
    staging = {"StringEquals": {"aws:PrincipalTag/team": "staging"}}
    write(setup, "deny.json", deny(Condition=staging))
    setup.tenant("acme", tags={"team": "web"})
    setup.tenant("globex", tags={"team": "web"})
    setup.more(
        """
        [[tenants.principals]]
        arn = "arn:aws:iam::111122223333:role/staging"
        tags = { team = "staging" }
        policies = ["globex.json", "deny.json"]
        [[cannot]]
        principal = "arn:aws:iam::111122223333:role/staging"
        """
    )
    path = setup.write()
    path.write_text(path.read_text().replace('["acme.json"]', '["acme.json", "deny.json"]'))
    report = survey(path, files=[setup.folder / "deny.json"], kinds={Kind.CASE_CHANGED})
    checked = only(report)
    assert isinstance(checked.outcome, Noticed)
    assert checked.outcome.finding is not None
    assert checked.outcome.finding.principal.endswith("role/staging")


def test_a_trusted_principal_is_not_asked_whether_it_is_isolated(setup: Setup) -> None:
    setup.tenant("acme")
    setup.more('[[trusted]]\narn = "arn:aws:iam::111122223333:role/acme"\nreason = "ours"')
    report = survey(setup.write(), kinds={Kind.SLASH_DROPPED})
    assert isinstance(only(report).outcome, Survived)
    assert only(report).outcome.change.by_new.context["sagemaker:TargetModel"] == "acme"


@pytest.mark.parametrize("kind", [Kind.VARIABLE_DEFAULT, Kind.ACTION_WIDENED])
def test_tenants_by_rule_are_compared_for_every_name(kind: Kind) -> None:
    report = survey(EXAMPLES / "all-tenants", kinds={kind})
    assert report.checked
    assert {type(each.outcome) for each in report.checked} == {Equivalent}


def test_a_survivor_of_a_rule_names_a_tenant() -> None:
    report = survey(EXAMPLES / "all-tenants", kinds={Kind.RESOURCE_WIDENED})
    for each in report.checked:
        assert isinstance(each.outcome, Survived)
        principal = each.outcome.change.by_new.principal
        assert principal.arn == f"arn:aws:iam::111122223333:role/{principal.tags['tenant']}"


def test_the_same_for_the_names_tried_alone_is_undecided(tmp_path: Path) -> None:
    # The key is fixed for the principals of the rule; that it is follows from no rule of IAM.
    condition = {
        "StringLike": {"sagemaker:TargetModel": f"{TAG}/*"},
        "StringEquals": {"aws:PrincipalType": "AssumedRole"},
    }
    document = {"Version": "2012-10-17", "Statement": allow(Condition=condition)}
    (tmp_path / "p.json").write_text(json.dumps(document))
    manifest = f"""
[[endpoints]]
arn = "{ENDPOINT}"
[[rules]]
name = "customers"
names = "[a-z]{{1,9}}"
owns = ["{{tenant}}/*"]
[[rules.principals]]
arn = "arn:aws:iam::111122223333:role/{{tenant}}"
tags = {{ tenant = "{{tenant}}" }}
context = {{ "aws:PrincipalType" = "AssumedRole" }}
policies = ["p.json"]
"""
    (tmp_path / "tenantproof.toml").write_text(manifest)
    report = survey(tmp_path, kinds={Kind.CONDITION_REMOVED})
    kept = [c.outcome for c in report.checked if "StringEquals" in c.mutant.sentence]
    assert len(kept) == 1
    assert isinstance(kept[0], Undecided)
    assert "not proven for every name" in kept[0].reason
    assert report.total.score == Fraction(2, 3)


# -- what is asked, and of what --------------------------------------------------------------------


def test_without_a_proof_there_is_nothing_to_measure() -> None:
    report = survey(EXAMPLES / "company-a-b" / "leaky")
    assert not report.is_measured
    assert report.baseline.verdict is Verdict.LEAK
    assert not report.checked
    assert report.total.score is None


def test_something_else_can_notice(setup: Setup) -> None:
    path = setup.tenant("acme").write()
    seen: list[Mutant] = []

    def notices(mutant: Mutant) -> str | None:
        seen.append(mutant)
        with reading_instead({Path(mutant.file): mutant.text.encode()}), files_read() as read:
            document = load_policy(Path(mutant.file))
        assert read == {Path(mutant.file).resolve()}
        return "a test" if document.statements[0].resource.patterns[0].text == "*" else None

    report = survey(path, also_notices=notices, also="the tests")
    by_tests = [c for c in report.checked if c.outcome == Noticed("a test")]
    assert [c.mutant.sentence for c in by_tests] == [f"all resources: `{ENDPOINT}` -> `*`"]
    assert len(seen) == report.total.survived + 1
    assert report.also == "the tests"


def test_files_and_kinds_can_be_chosen() -> None:
    folder = EXAMPLES / "company-a-b"
    report = survey(folder, files=[folder / "company_b.json"], kinds={Kind.IF_EXISTS})
    assert only(report).mutant.file == str(folder / "company_b.json")
    with pytest.raises(InputError) as raised:
        survey(folder, files=[folder / "tenantproof.toml"])
    assert "expected one of" in str(raised.value)


def test_of_too_many_some_are_chosen_evenly(setup: Setup) -> None:
    for name in ("acme", "globex", "initech"):
        setup.tenant(name)
    path = setup.write()
    all_of_them = survey(path)
    some = survey(path, most=7)
    assert (some.slips, some.tried) == (all_of_them.slips, 7)
    assert all(each in all_of_them.checked for each in some.checked)
    assert {Path(c.mutant.file).stem for c in some.checked} == {"acme", "globex", "initech"}
    assert some.checked == survey(path, most=7).checked


def test_those_chosen_of_files_that_are_alike_are_of_all_kinds(setup: Setup) -> None:
    for at in range(12):
        setup.tenant(f"tenant-{at}")
    path = setup.write()
    some = survey(path, most=12)
    assert len({c.mutant.file for c in some.checked}) > 6
    assert len({c.mutant.kind for c in some.checked}) > 3


def test_progress_is_told(setup: Setup) -> None:
    told: list[tuple[int, int]] = []
    report = survey(setup.tenant("acme").write(), watch=lambda done, of: told.append((done, of)))
    assert [done for done, _ in told] == list(range(report.tried + 1))
    assert {of for _, of in told} == {report.tried}


def test_a_policy_as_it_would_be_is_surveyed(setup: Setup) -> None:
    path = setup.tenant("acme").write()
    file = path.parent / "acme.json"
    with reading_instead({file: file.read_bytes().replace(b"2012-10-17", b"2008-10-17")}):
        assert not survey(path, kinds={Kind.VERSION_DROPPED}).checked
    assert survey(path, kinds={Kind.VERSION_DROPPED}).checked


def test_lenient_files() -> None:
    folder = EXAMPLES / "documented-policy"
    with pytest.raises(InputError):
        survey(folder)
    report = survey(folder, lenient=True)
    assert report.total.noticed == 7
    for each in report.checked:
        removed = each.mutant.kind is Kind.CONDITION_REMOVED
        assert removed or "// TargetModel provided" in each.mutant.text
        parse_policy(each.mutant.text, lenient=True)


def test_the_order_is_that_of_the_files_and_the_same_each_time() -> None:
    one, other = (survey(EXAMPLES / "tags") for _ in range(2))
    assert one == other
    places = [(c.mutant.file, c.mutant.place.line) for c in one.checked]
    assert places == sorted(places)


# -- artifacts, sources ------------------------------------------------------------------------


def read_own(name: str) -> dict[str, Any]:
    keys = f"arn:aws:s3:::models/{name}/*"
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": keys}


def with_artifacts(setup: Setup) -> Setup:
    """Two tenants, of whom one may read its artifacts; the other is a victim alone."""
    write(setup, "acme.json", read_own("acme"))
    return setup.more(
        """
        [[tenants]]
        name = "acme"
        artifacts = ["s3://models/acme/*"]
        principals = [{ arn = "arn:aws:iam::111122223333:role/acme", policies = ["acme.json"] }]
        [[tenants]]
        name = "globex"
        artifacts = ["s3://models/globex/*"]
        """
    )


def test_a_slip_that_opens_a_route_is_noticed(setup: Setup) -> None:
    report = survey(with_artifacts(setup).write())
    noticed = {
        each.mutant.sentence: each.outcome
        for each in report.checked
        if isinstance(each.outcome, Noticed)
    }
    widened = noticed["all below a folder: `arn:aws:s3:::models/acme/*` -> `arn:aws:s3:::models/*`"]
    assert widened.finding is not None
    assert (widened.finding.question.value, widened.finding.victims) == ("artifacts", ("globex",))
    # A tenant without TargetModels is not asked whether it keeps to them.
    by = {each.finding.question.value for each in noticed.values() if each.finding}
    assert by == {"artifacts"}


def test_what_no_slip_is_made_in_is_said(setup: Setup) -> None:
    shutil.copytree(EXAMPLES / "account-repaired" / "export", setup.folder / "export")
    setup.head.append('sources = ["export"]')
    report = survey(with_artifacts(setup).write())
    assert {each.mutant.file for each in report.checked} == {str(setup.folder / "acme.json")}
    (said,) = [each for each in report.assumptions if "no slip" in each]
    assert said.startswith("no slip is made in what sources, roles and buckets say: ")
    assert "authorization-details.json" in said


def test_without_policy_files_there_is_no_score() -> None:
    report = survey(EXAMPLES / "account-repaired")
    assert (report.slips, report.total.score) == (0, None)
    assert "a manifest names for principals, not in sources" in mutation_to_text(report)
