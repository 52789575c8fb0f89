"""Whatever goes wrong, the snapshot is whole and says what it lacks, or there is none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pull_world import ELSEWHERE, MANAGEMENT, REGION, Account, Front

from tenantproof.account import Part
from tenantproof.aws import CallFailedError, Connection
from tenantproof.aws.deadline import Deadline
from tenantproof.aws.session import Aws, connect
from tenantproof.errors import InputError
from tenantproof.pull import Operation, Pulled, PullSettings, pull
from tenantproof.sources import load_sources

pytest_plugins = ("pull_fixtures",)
pytestmark = pytest.mark.enable_socket


def pulled_to(place: Path, session: Aws, **settings: Any) -> Pulled:
    return pull(session, place, PullSettings(**settings), Deadline.after(60))


def parts(pulled: Pulled) -> set[str]:
    return {each.part.value for each in pulled.missing}


def left_beside(place: Path) -> list[str]:
    return sorted(path.name for path in place.parent.iterdir())


# -- what AWS answers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        pytest.param(400, "ThrottlingException", "throttled", marks=pytest.mark.slow),
        (500, "InternalFailure", "server error"),
        (400, "ValidationException", "request refused"),
    ],
)
def test_what_fails_is_missing_and_the_rest_goes_on(
    status: int, code: str, why: str, session: Aws, front: Front, place: Path
) -> None:
    front.rules.failing = {Operation.DESCRIBE_CONFIG.value: (status, code)}
    pulled = pulled_to(place, session)
    assert parts(pulled) == {"endpoint configuration"}
    assert why in pulled.missing[0].why
    assert pulled.counts["organization"] == 1
    (gap,) = [g for g in load_sources([place]).gaps if "DescribeEndpointConfig:" in g.message][:1]
    assert gap.matters
    assert gap.has_stand_in


def test_without_an_answer_again_and_again_nothing_more_is_asked(
    session: Aws, front: Front, place: Path
) -> None:
    def drop(operation: str) -> None:
        front.rules.dropped = operation.startswith("sagemaker") or front.rules.dropped

    front.rules.before = drop
    pulled = pulled_to(place, session, regions=(REGION, ELSEWHERE))
    asked = {name for name in front.rules.calls if not name.startswith("sagemaker")}
    assert asked <= {"sts:GetCallerIdentity", "iam:GetAccountAuthorizationDetails",
                     Operation.DESCRIBE_ORGANIZATION.value}  # fmt: skip
    assert parts(pulled) == {"endpoints", "models", "inference components", "organization"}
    assert "interrupted" in pulled.missing[-1].why or "no connection" in pulled.missing[-1].why


def test_a_region_that_does_not_answer_is_no_reason_to_leave_out_another(
    session: Aws, front: Front, place: Path
) -> None:
    front.rules.failing = {Operation.LIST_ENDPOINTS.value: (403, "UnrecognizedClientException")}
    pulled = pulled_to(place, session, regions=(REGION, ELSEWHERE))
    assert front.rules.calls[Operation.LIST_ENDPOINTS.value] == 2
    assert Operation.LIST_MODELS.value not in front.rules.calls
    assert pulled.counts["organization"] == 1


def test_at_the_deadline_the_rest_is_missing(session: Aws, front: Front, place: Path) -> None:
    over = Deadline.after(0)
    aws = session
    assert aws.identity
    pulled = pull(aws, place, PullSettings(), over)
    assert parts(pulled) == {
        "identities", "endpoints", "models", "inference components", "organization",
    }  # fmt: skip
    assert all("time limit" in each.why for each in pulled.missing)
    assert not load_sources([place]).identities


def test_what_is_gone_by_the_time_it_is_described_is_noted(
    session: Aws, front: Front, place: Path
) -> None:
    front.rules.gone = {"spare", "adapter"}
    pulled = pulled_to(place, session)
    assert not pulled.missing
    assert len(pulled.notes) == 2
    assert {model.name for model in load_sources([place]).models} == {"mme"}


@pytest.mark.parametrize(
    "operation", [Operation.DESCRIBE_ENDPOINT, Operation.LIST_TAGS, Operation.BUCKET_POLICY]
)
def test_a_404_in_which_aws_names_no_error_is_not_that_something_is_gone(
    operation: Operation, session: Aws, front: Front, place: Path
) -> None:
    front.rules.failing = {operation.value: (404, "NotFound")}
    pulled = pulled_to(place, session)
    assert pulled.missing
    assert not pulled.notes
    assert {each.operation for each in pulled.missing} == {operation}


def test_what_is_gone_and_still_served_is_missing(session: Aws, front: Front, place: Path) -> None:
    front.rules.gone = {"mme"}
    pulled = pulled_to(place, session)
    assert parts(pulled) == {"model"}
    (endpoint,) = load_sources([place]).endpoints
    assert [c.unknown is not None for m in endpoint.models for c in m.containers].count(True) == 1


def test_an_account_in_no_organization_has_no_policies_of_one(
    session: Aws, front: Front, place: Path, account: Account
) -> None:
    code = "AWSOrganizationsNotInUseException"
    front.rules.failing = {Operation.DESCRIBE_ORGANIZATION.value: (400, code)}
    assert not pulled_to(place, session).missing
    assert load_sources([place]).organizations[account.id].service_control_policies == ()


def test_a_management_account_has_no_policies_of_its_organization(
    session: Aws, front: Front, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", MANAGEMENT.access)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", MANAGEMENT.secret)
    connection = Connection(region=ELSEWHERE, endpoint_url=front.url)
    aws = connect(connection, Deadline.after(60))
    pulled = pull(aws, place, PullSettings(), Deadline.after(60))
    assert not pulled.missing
    assert pulled.regions == (ELSEWHERE,)
    (said,) = json.loads((place / "organization.json").read_text())["organization"].values()
    assert said["management_account"] is True
    assert Operation.LIST_PARENTS.value not in front.rules.calls


def test_a_caller_that_is_none_is_an_error(
    session: Aws, front: Front, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(session), "identity", "somebody")
    with pytest.raises(CallFailedError, match="expected the ARN of who calls"):
        pulled_to(place, session)


def test_buckets_that_are_named_are_asked_about_too(
    session: Aws, front: Front, place: Path
) -> None:
    pulled = pulled_to(place, session, buckets=("ml-artifacts-eu", "no-such-bucket"))
    names = {bucket.name for bucket in load_sources([place]).buckets}
    assert names == {"ml-artifacts", "ml-artifacts-open", "ml-artifacts-eu"}
    assert pulled.notes == ("there is no bucket no-such-bucket",)


def test_a_bucket_is_asked_about_where_it_is(session: Aws, front: Front, place: Path) -> None:
    name = Operation.BUCKET_POLICY.value
    front.rules.failing = {name: (400, "IllegalLocationConstraintException")}

    def elsewhere(operation: str) -> None:
        if operation == "s3:GetBucketLocation":
            front.rules.failing = {}

    front.rules.before = elsewhere
    pulled = pulled_to(place, session)
    assert not pulled.missing
    assert front.rules.calls["s3:GetBucketLocation"] == 1


def test_a_bucket_of_which_nobody_tells_where_it_is_is_missing(
    session: Aws, front: Front, place: Path
) -> None:
    front.rules.failing = {Operation.BUCKET_POLICY.value: (400, "AuthorizationHeaderMalformed")}
    front.rules.denied = {Operation.BUCKET_LOCATION.value}
    pulled = pulled_to(place, session)
    assert {each.operation for each in pulled.missing} == {Operation.BUCKET_LOCATION}


def test_the_account_must_be_the_caller_s(
    session: Aws, front: Front, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(vars(session), "identity", "arn:aws:iam::111122223333:user/else")
    with pytest.raises(CallFailedError, match="expected the account 111122223333"):
        pulled_to(place, session)
    assert left_beside(place) == []


def test_an_export_comes_in_pages(session: Aws, front: Front, place: Path) -> None:
    front.rules.pages = 3
    pulled = pulled_to(place, session)
    assert not pulled.missing
    assert sorted(path.name for path in (place / "iam").iterdir()) == [
        f"authorization-details-000{number}.json" for number in (1, 2, 3)
    ]
    estate = load_sources([place])
    assert not any(gap.matters for gap in estate.gaps)
    assert len(estate.identities) == 8


def test_an_export_that_breaks_off_is_known_to(
    session: Aws, front: Front, place: Path, account: Account
) -> None:
    def break_off(operation: str) -> None:
        if front.rules.calls[Operation.ACCOUNT.value] == 2:
            front.rules.failing = {Operation.ACCOUNT.value: (500, "ServiceFailure")}

    front.rules.pages, front.rules.before = 3, break_off
    pulled = pulled_to(place, session)
    assert parts(pulled) == {"identities"}
    assert "behind page 1" in pulled.missing[0].what
    estate = load_sources([place])
    assert len(estate.identities) == 8
    assert estate.unread_of(Part.IDENTITIES, account.id) is not None
    assert any("cut off" in gap.message for gap in estate.gaps)


# -- the place -------------------------------------------------------------------------------


def test_an_interruption_leaves_what_was_there(session: Aws, front: Front, place: Path) -> None:
    pulled_to(place, session)
    before = {path: path.read_bytes() for path in place.rglob("*.json")}

    def interrupt(done: int, total: int) -> None:
        if done > 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pull(session, place, PullSettings(force=True), Deadline.after(60), interrupt)
    assert {path: path.read_bytes() for path in place.rglob("*.json")} == before
    assert left_beside(place) == ["snapshot"]


def test_a_snapshot_is_replaced_with_force_alone(session: Aws, front: Front, place: Path) -> None:
    pulled_to(place, session)
    calls = front.rules.calls.total()
    with pytest.raises(InputError, match="expected --force to replace it"):
        pulled_to(place, session)
    assert front.rules.calls.total() == calls
    front.rules.denied = {Operation.ACCOUNT.value}
    pulled_to(place, session, force=True)
    assert not (place / "iam").exists()
    assert left_beside(place) == ["snapshot"]


@pytest.mark.parametrize("force", [False, True])
def test_nothing_else_is_ever_replaced(
    force: bool, session: Aws, front: Front, place: Path
) -> None:
    place.mkdir()
    (place / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="found a folder that is no snapshot"):
        pulled_to(place, session, force=force)
    (place / "snapshot.json").write_text('{"tenantproof_snapshot": 1, "files": []}')
    with pytest.raises(InputError, match="none of the snapshot's: thesis"):
        pulled_to(place, session, force=force)
    assert (place / "thesis.txt").read_text() == "years of work"
    assert not front.rules.calls


@pytest.mark.parametrize("kind", ["file", "link"])
def test_a_file_or_a_link_is_refused(kind: str, session: Aws, front: Front, place: Path) -> None:
    target = place.with_name("target")
    target.mkdir()
    place.write_text("") if kind == "file" else place.symlink_to(target)
    with pytest.raises(InputError, match=f"found a {kind}"):
        pulled_to(place, session, force=True)


def test_the_working_folder_is_not_replaced(
    session: Aws, front: Front, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.mkdir()
    monkeypatch.chdir(place)
    with pytest.raises(InputError, match="found the folder that this runs in"):
        pulled_to(Path(), session)


def test_an_empty_folder_is_filled(session: Aws, front: Front, place: Path) -> None:
    place.mkdir()
    pulled_to(place, session)
    assert (place / "snapshot.json").exists()


def test_a_disk_that_refuses_is_an_error_with_its_place(
    session: Aws, front: Front, place: Path
) -> None:
    place.parent.joinpath("file").write_text("")
    with pytest.raises(InputError, match="found no way to write"):
        pulled_to(place.parent / "file" / "snapshot", session)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_others_cannot_read_it(session: Aws, front: Front, place: Path) -> None:
    pulled_to(place, session)
    assert place.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "settings", [{"regions": ("us-east-1/../..",)}, {"buckets": ("a/b",)}, {"buckets": ("A",)}]
)
def test_settings_that_are_none_are_refused_before_anything_is_asked(
    settings: dict[str, Any], session: Aws, front: Front, place: Path
) -> None:
    with pytest.raises(InputError, match="expected the name of a"):
        pulled_to(place, session, **settings)
    assert not front.rules.calls


def test_names_of_aws_are_no_names_of_files(session: Aws, front: Front, place: Path) -> None:
    adapter = front.rules.components[REGION][0]
    hostile = {**adapter, "InferenceComponentName": "../../../evil", "EndpointName": "models"}
    front.rules.components[REGION] = [hostile]
    pulled_to(place, session)
    assert left_beside(place) == ["snapshot"]
    index = json.loads((place / "snapshot.json").read_text())
    assert "sagemaker/us-east-1/inference-components-0001.json" in index["files"]
    load_sources([place])
