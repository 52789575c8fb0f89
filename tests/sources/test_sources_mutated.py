"""Documents that went wrong somewhere: an error or less knowledge, never a traceback or silence."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sources_worlds import ACCOUNT, REGION, World, as_plan, as_template, worlds

from tenantproof.account import Estate
from tenantproof.errors import InputError, Problem
from tenantproof.policy.json_reader import read_json
from tenantproof.sources import Deployment
from tenantproof.sources.cloudformation import TemplateReader
from tenantproof.sources.reader import Reader
from tenantproof.sources.terraform import TerraformReader

Write = Callable[[World], Any]

JUNK: tuple[Any, ...] = (
    "junk",
    "${",
    "{{resolve:x}}",
    "arn:aws:iam::",
    "",
    7,
    -1.5,
    True,
    [],
    [[]],
    {},
    {"a": "b"},
    {"Ref": "Nowhere"},
    {"Ref": []},
    {"Fn::Sub": ["${a}", {"a": {"Fn::GetAtt": "A.B"}}]},
    {"Fn::If": ["c", 1]},
    {"Fn::Join": ["", "x"]},
    {"Fn::Select": [0, []]},
    {"references": ["aws_iam_policy.acme.arn"]},
)
FORMATS = pytest.mark.parametrize(
    ("make", "write"),
    [(TerraformReader, as_plan), (TemplateReader, as_template)],
    ids=["plan", "template"],
)


def read(make: Callable[..., Reader], text: str) -> Estate | None:
    """The estate; None where the document is refused, or is no such document."""
    problems: list[Problem] = []
    reader = make(problems, Deployment(ACCOUNT, REGION))
    try:
        root = read_json(text, "f.json")
    except InputError:
        return None
    if not reader.recognises(root):
        return None
    reader.read(root, "f.json", "f")
    estate = reader.estate()
    return None if problems else estate


def nodes(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, list):
        children = enumerate(value)
    for key, child in children:
        yield from nodes(child, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], junk: Any) -> Any:
    if not path:
        return junk
    document = copy.deepcopy(document)
    at = document
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = junk
    return document


def things(estate: Estate) -> int:
    """How many things there are, and how much is said of what is not there."""
    return (
        len(estate.identities)
        + len(estate.groups)
        + len(estate.managed_policies)
        + len(estate.endpoints)
        + len(estate.models)
        + sum(len(each.policies) for each in (*estate.identities, *estate.groups))
    )


@FORMATS
@given(data=st.data(), world=worlds())
@settings(deadline=None)
def test_junk_anywhere_is_refused_or_told(
    make: Callable[..., Reader], write: Write, data: st.DataObject, world: World
) -> None:
    document = write(world)
    path = data.draw(st.sampled_from(list(nodes(document))))
    junk = data.draw(st.sampled_from(JUNK))
    before = read(make, json.dumps(document))
    after = read(make, json.dumps(replaced(document, path, junk)))
    assert before is not None
    if after is None or _says_less(path, junk):
        return
    if things(after) < things(before):
        assert set(after.gaps) - set(before.gaps)


def _says_less(path: tuple[Any, ...], junk: Any) -> bool:
    """Whether a document with junk there is another document, that has less in it.

    Nothing in a list is nothing; a value may be an empty list where one is optional.
    """
    is_empty = not junk and not isinstance(junk, bool)
    return is_empty or bool(path and path[-1] in {"actions", "address", "mode"})


@FORMATS
@given(data=st.data(), world=worlds())
@settings(deadline=None, max_examples=50)
def test_a_document_that_is_cut_off_is_refused(
    make: Callable[..., Reader], write: Write, data: st.DataObject, world: World
) -> None:
    text = json.dumps(write(world))
    assert read(make, text[: data.draw(st.integers(0, len(text) - 1))]) is None


@FORMATS
@given(data=st.data(), world=worlds())
@settings(deadline=None)
def test_without_a_member_there_is_no_traceback(
    make: Callable[..., Reader], write: Write, data: st.DataObject, world: World
) -> None:
    document = copy.deepcopy(write(world))
    path = data.draw(st.sampled_from([path for path in nodes(document) if path]))
    at = document
    for key in path[:-1]:
        at = at[key]
    del at[path[-1]]
    read(make, json.dumps(document))
