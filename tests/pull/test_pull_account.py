"""A whole account is collected, and read as its exports are."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pull_world import ELSEWHERE, MANAGEMENT, REGION, Account, Front

from tenantproof.account import Estate
from tenantproof.aws.deadline import Deadline
from tenantproof.aws.session import Aws
from tenantproof.cli import main
from tenantproof.isolation import Run, Verdict, load_manifest
from tenantproof.pull import PullSettings, pull, summary
from tenantproof.sources import load_sources

pytestmark = pytest.mark.enable_socket

BOTH = PullSettings(regions=(REGION, ELSEWHERE))


def contents(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in files}


def test_all_of_an_account_is_collected(session: Aws, place: Path) -> None:
    told: list[tuple[int, int]] = []
    pulled = pull(session, place, BOTH, Deadline.after(60), lambda *at: told.append(at))
    assert not pulled.missing
    assert pulled.counts["endpoint"] == 2
    assert pulled.counts["model"] == 4
    assert pulled.counts["bucket"] == 4
    assert pulled.counts["organization"] == 1
    index = json.loads((place / "snapshot.json").read_text())
    assert index["complete"] is True
    assert index["regions"] == [ELSEWHERE, REGION]
    assert {*index["files"], "snapshot.json"} == contents(place).keys()
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert all(done <= total for done, total in told)
    assert "2 endpoints" in summary(pulled)


def test_a_second_time_it_is_the_same_but_for_its_date(session: Aws, place: Path) -> None:
    pull(session, place, BOTH, Deadline.after(60))
    before = contents(place)
    pull(session, place, replace(BOTH, force=True), Deadline.after(60))
    after = contents(place)
    for each in (before, after):
        index = json.loads(each["snapshot.json"])
        del index["pulled_at"]
        each["snapshot.json"] = json.dumps(index)
    assert before == after


def test_no_secret_is_written(session: Aws, place: Path, account: Account) -> None:
    pull(session, place, BOTH, Deadline.after(60))
    written = "".join(contents(place).values())
    keys = account.keys
    for secret in ("a-secret-of-the-container", "hush", keys.secret, keys.token, keys.access):
        assert secret not in written


def test_it_is_read_as_the_exports_of_the_account_are(
    session: Aws, place: Path, account: Account, front: Front, tmp_path: Path
) -> None:
    pull(session, place, BOTH, Deadline.after(60))
    _export(account, front.url, tmp_path / "export")
    snapshot, export = load_sources([place]), load_sources([tmp_path / "export"])
    assert _said(snapshot) == _said(export)
    assert snapshot.identities
    assert not any(gap.matters for gap in snapshot.gaps)


def _said(estate: Estate) -> dict[str, Any]:
    """What an estate says, wherever; AWS's own policies are there only where attached."""
    attached = {arn for each in estate.identities for arn in each.managed_policies}
    attached |= {arn for each in estate.groups for arn in each.managed_policies}
    managed = [
        p for p in estate.managed_policies if ":aws:policy" not in p.arn or p.arn in attached
    ]
    return {
        "identities": {each.arn: each for each in estate.identities},
        "groups": {each.arn: each for each in estate.groups},
        "managed": {each.arn: each for each in managed},
        "endpoints": {each.arn: each for each in estate.endpoints},
        "models": {each.arn: each for each in estate.models},
        "buckets": {each.name: each for each in estate.buckets},
        "organizations": estate.organizations,
    }


def _export(account: Account, url: str, folder: Path) -> None:
    """What one would write by hand, with the CLI's commands."""
    folder.mkdir()

    def write(name: str, content: Any) -> None:
        (folder / name).write_text(json.dumps(content, default=str))

    write("iam.json", account.keys.client("iam", url).get_account_authorization_details())
    for region in (REGION, ELSEWHERE):
        client = account.keys.client("sagemaker", url, region)
        endpoint = client.describe_endpoint(EndpointName="models")
        endpoint["Tags"] = client.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
        config = client.describe_endpoint_config(EndpointConfigName="Models-1")
        models = [client.describe_model(ModelName=name) for name in ("mme", "spare")]
        listed = client.list_inference_components()["InferenceComponents"]
        names = [each["InferenceComponentName"] for each in listed]
        components = [
            client.describe_inference_component(InferenceComponentName=name) for name in names
        ]
        write(f"{region}.json", [endpoint, config, *models, *components])
    s3 = account.keys.client("s3", url)
    for bucket in ("ml-artifacts", "ml-artifacts-eu"):
        text = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        write(f"{bucket}.json", {"Bucket": bucket, "Account": account.id, "Policy": text})
        write(f"{bucket}-open.json", {"Bucket": f"{bucket}-open", "Account": account.id})
    write("organization.json", {"organization": {account.id: _organization(account, url)}})


def _organization(account: Account, url: str) -> dict[str, Any]:
    client = MANAGEMENT.client("organizations", url)
    targets = [account.id]
    while not targets[0].startswith("r-"):
        targets.insert(0, client.list_parents(ChildId=targets[0])["Parents"][0]["Id"])

    def level(target: str, kind: str) -> list[Any]:
        listed = client.list_policies_for_target(TargetId=target, Filter=kind)["Policies"]
        ids = sorted(each["Id"] for each in listed)
        return [client.describe_policy(PolicyId=each)["Policy"]["Content"] for each in ids]

    return {
        f"{kind.lower()[:-1]}ies": [level(target, kind) for target in targets]
        for kind in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")
    }


def test_a_manifest_is_made_of_it_and_checked_without_a_network(
    session: Aws, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pull(session, place, BOTH, Deadline.after(60))

    def refuse(*_: object, **__: object) -> socket.socket:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.chdir(place.parent)
    made = CliRunner().invoke(main, ["init", "--from", place.name])
    assert made.exit_code == 0, made.output
    assert 'sources = ["snapshot"]' in Path("tenantproof.toml").read_text()
    checked = CliRunner().invoke(main, ["check"])
    assert checked.exit_code in {0, 1}, checked.output
    assert "UNKNOWN" not in checked.output


def test_each_tenant_is_kept_apart_in_its_own_way(
    session: Aws, place: Path, account: Account
) -> None:
    pull(session, place, BOTH, Deadline.after(60))
    manifest = place.with_name("tenantproof.toml")
    manifest.write_text(account.manifest(place.name, REGION, ELSEWHERE))
    found = Run(load_manifest(manifest), 10).report().findings
    assert {f.tenant for f in found if f.verdict is Verdict.LEAK} == {"eps", "zeta"}
    assert not any(f.verdict is Verdict.UNKNOWN for f in found)
