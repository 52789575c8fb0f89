"""Without a permission the snapshot is narrower, says so, and what rests on it is UNKNOWN."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from pull_world import REGION, Account, Front

from tenantproof.aws.deadline import Deadline
from tenantproof.aws.session import Aws
from tenantproof.isolation import Question, Run, Verdict, load_manifest
from tenantproof.pull import Operation, PullSettings, pull, summary

pytest_plugins = ("pull_fixtures",)
pytestmark = pytest.mark.enable_socket

NOT_NEEDED_HERE = {Operation.BUCKET_LOCATION}
OPERATIONS = [each for each in Operation if each not in NOT_NEEDED_HERE]
PAIRS = list(combinations(OPERATIONS, 2))
EVERYBODY = {"acme", "beta", "gamma", "delta", "eps", "zeta"}
APART = EVERYBODY - {"eps"}
NOBODY: set[str] = set()
HANGS_ON: dict[Operation, tuple[set[str], set[str]]] = {
    Operation.ACCOUNT: (APART, EVERYBODY),
    Operation.LIST_ENDPOINTS: (NOBODY, EVERYBODY),
    Operation.DESCRIBE_ENDPOINT: (NOBODY, EVERYBODY),
    Operation.DESCRIBE_CONFIG: (NOBODY, EVERYBODY),
    Operation.LIST_MODELS: (NOBODY, EVERYBODY),
    Operation.DESCRIBE_MODEL: (NOBODY, EVERYBODY),
    Operation.LIST_COMPONENTS: (NOBODY, NOBODY),
    Operation.DESCRIBE_COMPONENT: (NOBODY, EVERYBODY),
    Operation.LIST_TAGS: (NOBODY, {"eps"}),
    Operation.BUCKET_POLICY: (NOBODY, EVERYBODY - {"delta"}),
    Operation.DESCRIBE_ORGANIZATION: ({"delta"}, {"delta"}),
    Operation.LIST_PARENTS: ({"delta"}, {"delta"}),
    Operation.LIST_POLICIES: ({"delta"}, {"delta"}),
    Operation.DESCRIBE_POLICY: ({"delta"}, {"delta"}),
}
"""By operation the tenants of whom less is PROVED without it: at the endpoint, and of artifacts."""

Verdicts = dict[tuple[Any, ...], set[Verdict]]


def verdicts(account: Account, folder: Path) -> Verdicts:
    """By tenant, principal, question, endpoint and route what is answered."""
    manifest = folder.with_name(f"{folder.name}.toml")
    manifest.write_text(account.manifest(folder.name, REGION))
    found: Verdicts = {}
    for each in Run(load_manifest(manifest), 10).report().findings:
        key = (each.tenant, each.principal, each.question, each.endpoint, each.route)
        found.setdefault(key, set()).add(each.verdict)
    return found


@pytest.fixture(scope="module")
def kept() -> dict[str, Verdicts]:
    return {}


@pytest.fixture
def full(kept: dict[str, Verdicts], session: Aws, account: Account, tmp_path: Path) -> Verdicts:
    """What is answered by the whole snapshot; asked once."""
    if "full" not in kept:
        pull(session, tmp_path / "full", PullSettings(), Deadline.after(60))
        kept["full"] = verdicts(account, tmp_path / "full")
    return kept["full"]


def check_narrowed(full: Verdicts, narrowed: Verdicts) -> None:
    """No answer is another one, and none is lost."""
    assert narrowed.keys() == full.keys()
    for key, found in narrowed.items():
        assert found == full[key] or found == {Verdict.UNKNOWN}, key


def no_more_proved(full: Verdicts, narrowed: Verdicts, question: Question) -> set[str]:
    """The tenants of whom something is no more PROVED."""
    proved = {Verdict.PROVED}
    return {
        key[0]
        for key, found in narrowed.items()
        if found != full[key] == proved and key[2] is question
    }


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.value)
def test_without_a_permission_no_answer_is_wrong(
    operation: Operation,
    session: Aws,
    front: Front,
    full: Verdicts,
    account: Account,
    place: Path,
) -> None:
    front.rules.denied = {operation.value}
    pulled = pull(session, place, PullSettings(), Deadline.after(60))
    assert {each.operation for each in pulled.missing} == {operation}
    index = json.loads((place / "snapshot.json").read_text())
    assert index["complete"] is False
    assert {each["permission"] for each in index["missing"]} == {operation.value}
    assert all("access denied" in each["why"] for each in index["missing"])
    assert f"it needs {operation.value}" in summary(pulled)
    narrowed = verdicts(account, place)
    check_narrowed(full, narrowed)
    asked = Question.ISOLATED, Question.ARTIFACTS
    lost = tuple(no_more_proved(full, narrowed, question) for question in asked)
    assert lost == HANGS_ON[operation]


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: "+".join(p.value for p in pair))
def test_without_two_permissions_no_answer_is_wrong(
    pair: tuple[Operation, Operation],
    session: Aws,
    front: Front,
    full: Verdicts,
    account: Account,
    place: Path,
) -> None:
    front.rules.denied = {each.value for each in pair}
    pulled = pull(session, place, PullSettings(), Deadline.after(60))
    assert pulled.missing
    check_narrowed(full, verdicts(account, place))


@pytest.mark.slow
def test_without_any_permission_everything_is_unknown(
    session: Aws, front: Front, full: Verdicts, account: Account, place: Path
) -> None:
    front.rules.denied = {each.value for each in Operation}
    pull(session, place, PullSettings(), Deadline.after(60))
    narrowed = verdicts(account, place)
    assert set().union(*narrowed.values()) == {Verdict.UNKNOWN}
    assert narrowed.keys() == full.keys()


def test_an_organization_that_is_not_asked_is_unknown(
    session: Aws, front: Front, full: Verdicts, account: Account, place: Path
) -> None:
    front.rules.calls.clear()  # of the whole account, pulled for the first test that compares
    pulled = pull(session, place, PullSettings(organization=False), Deadline.after(60))
    assert not any("organizations" in each for each in front.rules.calls)
    assert [each.part.value for each in pulled.missing] == ["organization"]
    narrowed = verdicts(account, place)
    check_narrowed(full, narrowed)
    assert no_more_proved(full, narrowed, Question.ARTIFACTS) == {"delta"}
