"""Whatever the bytes are: an estate, or an error with its places; nothing silently smaller."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from account_exports import (
    ACCOUNT,
    Json,
    allow,
    attached,
    export,
    group,
    invoke,
    load,
    managed,
    model,
    role,
    shared_endpoint,
    url_encoded,
    user,
    write,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tenantproof.account import Estate
from tenantproof.errors import InputError
from tenantproof.sources import load_sources

IAM = export(
    role("acme", invoke("acme/*"), tag={"tenant": "acme"}, AttachedManagedPolicies=attached("p")),
    role(
        "bounded",
        allow("s3:*"),
        PermissionsBoundary={"PermissionsBoundaryArn": attached("p")[0]["PolicyArn"]},
    ),
    users=[user("jo", GroupList=["ops"])],
    groups=[group("ops", allow("iam:*"))],
    policies=[managed("p", allow("ec2:*"))],
)
SM = shared_endpoint()
JUNK = [7, "junk", True, ["junk"], [[]], {"junk": 1}, -1e9, "\0", "%7B", "{", [None]]
EMPTY: list[Any] = [None, [], {}, ""]
"""What is as if it were not there: of a list that may be absent nothing can be said."""


def paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(node, dict | list):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in items:
            yield from paths(value, (*path, key))


def at(root: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        root = root[key]
    return root


def size(estate: Estate) -> tuple[int, ...]:
    """How much an estate holds, part by part."""
    return (
        len(estate.identities),
        sum(len(d.statements) for i in estate.identities for d in i.policies),
        sum(len(i.tags) for i in estate.identities),
        sum(i.permissions_boundary is not None for i in estate.identities),
        sum(i.trust_policy is not None for i in estate.identities if ":role/" in i.arn),
        len(estate.groups),
        len(estate.managed_policies),
        len(estate.endpoints),
        sum(len(m.containers) for e in estate.endpoints for m in e.models),
        sum(c.multi_model or c.unknown is not None for m in estate.models for c in m.containers),
    )


def outcome(folder: Path, **files: Any) -> Estate | None:
    """The estate, or None where the input is refused with places."""
    try:
        return load(folder, **files)
    except InputError as refused:
        files_named = [problem.place.file for problem in refused.problems]
    assert files_named
    assert all(files_named)
    return None


def check(found: Estate | None, whole: Estate) -> None:
    if found is not None and any(a < b for a, b in zip(size(found), size(whole), strict=True)):
        assert any(gap.matters for gap in found.gaps)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Estate:
    """The estate without any harm done to it."""
    return load(tmp_path_factory.mktemp("whole"), iam=IAM, sm=SM)


IAM_PATHS = list(paths(IAM))[1:]
SM_PATHS = list(paths(SM))[1:]


@given(st.data())
@settings(max_examples=250, deadline=None)
def test_junk_in_the_place_of_something(
    tmp_path_factory: pytest.TempPathFactory, whole: Estate, data: st.DataObject
) -> None:
    iam, sm = copy.deepcopy(IAM), copy.deepcopy(SM)
    root, path = data.draw(
        st.sampled_from([(iam, p) for p in IAM_PATHS] + [(sm, p) for p in SM_PATHS])
    )
    at(root, path[:-1])[path[-1]] = data.draw(st.sampled_from(JUNK))
    folder = tmp_path_factory.mktemp("junk")
    check(outcome(folder, iam=iam, sm=sm), whole)


@given(st.data(), st.booleans())
@settings(max_examples=250, deadline=None)
def test_a_field_by_another_name(
    tmp_path_factory: pytest.TempPathFactory, whole: Estate, data: st.DataObject, encoded: bool
) -> None:
    iam, sm = copy.deepcopy(IAM), copy.deepcopy(SM)
    every = [(iam, p) for p in IAM_PATHS] + [(sm, p) for p in SM_PATHS]
    root, path = data.draw(st.sampled_from([e for e in every if isinstance(e[1][-1], str)]))
    holder = at(root, path[:-1])
    holder[data.draw(st.sampled_from(["New{}", "{}V2", "{}s"])).format(path[-1])] = holder.pop(
        path[-1]
    )
    folder = tmp_path_factory.mktemp("renamed")
    given_iam = url_encoded(iam) if encoded else iam
    check(outcome(folder, iam=given_iam, sm=sm), whole)


@given(st.data())
@settings(max_examples=120, deadline=None)
def test_nothing_in_the_place_of_something(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    iam = copy.deepcopy(IAM)
    path = data.draw(st.sampled_from(IAM_PATHS))
    at(iam, path[:-1])[path[-1]] = data.draw(st.sampled_from(EMPTY))
    outcome(tmp_path_factory.mktemp("nothing"), iam=iam)


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_a_file_cut_off_anywhere(tmp_path_factory: pytest.TempPathFactory, end: int) -> None:
    text = json.dumps(IAM, indent=1)
    cut = text[: min(end, len(text) - 1)]
    with pytest.raises(InputError, match=r"\$.*: found (the end of the text|a bad string|\")"):
        load(tmp_path_factory.mktemp("cut"), iam=cut)


@given(st.binary(max_size=200), st.sampled_from(["a.json", "a.yaml", "a.yml"]))
@settings(max_examples=150, deadline=None)
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes, name: str) -> None:
    path = tmp_path_factory.mktemp("bytes") / name
    path.write_bytes(data)
    with pytest.raises(InputError):
        load_sources([path])


@given(st.text(alphabet="{}[]:,-&*!|>'\"#%@`?~ \n\tab1.", max_size=60))
@settings(max_examples=200, deadline=None)
def test_any_yaml(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("yaml") / "a.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError):
        load_sources([path])


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"RoleDetailList": ' + "[" * 60 + "]" * 60 + "}",
        "1" * 100_000,
        '{"RoleDetailList": [{"Arn": ' + "9" * 5000 + "}]}",
        '{"RoleDetailList": [], "RoleDetailList": []}',
        '"' + "a" * 1_000_000,
    ],
)
def test_hostile_json(tmp_path: Path, content: str) -> None:
    with pytest.raises(InputError):
        load_sources([write(tmp_path, x=content) / "x.json"])


def test_a_folder_that_links_to_itself(tmp_path: Path) -> None:
    write(tmp_path, iam=IAM)
    (tmp_path / "again").symlink_to(tmp_path)
    assert len(load_sources([tmp_path]).files) == 1


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.json")
    with pytest.raises(InputError, match="not a regular file"):
        load_sources([tmp_path])


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no readable file"):
        load_sources([tmp_path / "none"])
    assert load_sources([tmp_path]) == Estate()


def test_a_policy_of_a_million_characters(tmp_path: Path) -> None:
    resources = [f"arn:aws:s3:::bucket/{n:05}/*" for n in range(35_000)]
    holder = role("big", allow("s3:GetObject", resources))
    estate = load(tmp_path, iam=url_encoded(export(holder)))
    (statement,) = estate.identities[0].policies[0].statements
    assert statement.resource is not None
    assert len(statement.resource.patterns) == 35_000


def test_two_models_of_one_name_that_differ(tmp_path: Path) -> None:
    other: Json = model(url="s3://other/models/")
    with pytest.raises(InputError, match="a second time, and it differs"):
        load(tmp_path, sm=SM, other=other)


def test_a_group_is_found_whatever_its_case(tmp_path: Path) -> None:
    estate = load(
        tmp_path, iam=export(users=[user("jo", GroupList=["OPS"])], groups=[group("ops")])
    )
    assert estate.identities[0].groups == (f"arn:aws:iam::{ACCOUNT}:group/ops",)
    assert not any(gap.matters for gap in estate.gaps)
