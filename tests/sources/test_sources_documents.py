"""Policies of which parts are not known: what is read matches whatever the parts may be."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantproof.errors import InputError, Place
from tenantproof.evaluate import decide
from tenantproof.policy import Effect, PolicySet, parse_policy
from tenantproof.policy.json_reader import JsonArray, JsonNode, JsonObject, JsonString, read_json
from tenantproof.request import Principal, Request
from tenantproof.sources.documents import read_document
from tenantproof.sources.values import Listed, NotKnown, PartlyKnown, Table, Value, from_json

HOLE = "<hole>"
"""Stands in a text for what is not known."""

PLACE = Place("t.json", "$")


def with_holes(node: JsonNode) -> Value:
    """JSON as a value, its holes not known."""
    match node:
        case JsonString(value) if value == HOLE:
            return NotKnown("nobody said", node.place)
        case JsonString(value) if HOLE in value:
            pieces: list[str | None] = []
            for part in value.split(HOLE):
                pieces += [part, None]
            return PartlyKnown(tuple(pieces[:-1]), "nobody said", node.place)
        case JsonArray(items):
            return Listed(tuple(map(with_holes, items)), node.place)
        case JsonObject(members):
            return Table(tuple((key, with_holes(value)) for key, value in members), node.place)
        case _:
            return from_json(node)


def read(document: Any, *, resource: bool = False) -> Any:
    value = with_holes(read_json(json.dumps(document), "t.json"))
    return read_document(value, "the policy", resource=resource)


def one(**elements: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | elements
    statement = {name: value for name, value in statement.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [statement]}


def texts(clause: Any) -> list[str]:
    return [pattern.text for pattern in clause.patterns]


# -- the law ---------------------------------------------------------------------------------

_actions = st.sampled_from(["s3:GetObject", "s3:PutObject", "iam:TagRole"])
_resources = st.sampled_from(
    ["arn:aws:s3:::b/acme/m", "arn:aws:s3:::b/other/m", "arn:aws:iam::111122223333:role/acme"]
)
_fillings = st.sampled_from(
    ["*", "acme", "b/acme", "?", "s3:Get", "aws", "arn:aws:s3", "b", "3:::b", "Object", ":", "/"]
)


def _with_hole(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Texts, a stretch of some of which is a hole."""

    @st.composite
    def cut(draw: st.DrawFn) -> str:
        whole = draw(texts)
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(whole))] * 2)))
        return draw(st.sampled_from([whole, whole[:start] + HOLE + whole[end:]]))

    return cut()


@st.composite
def _holed(draw: st.DrawFn) -> dict[str, Any]:
    def lists(texts: st.SearchStrategy[str]) -> Any:
        return draw(st.lists(_with_hole(texts), min_size=1, max_size=2))

    return {
        "Effect": draw(st.sampled_from(["Allow", HOLE])),
        draw(st.sampled_from(["Action", "NotAction"])): lists(_actions),
        draw(st.sampled_from(["Resource", "NotResource"])): lists(_resources),
        "Condition": {
            draw(st.sampled_from(["StringLike", "StringNotLike"])): {
                "aws:PrincipalTag/tenant": lists(st.just("acme")),
                "s3:prefix": lists(st.just("acme")),
            }
        },
    }


def _filled(value: Any, filling: str) -> Any:
    match value:
        case str():
            return value.replace(HOLE, filling)
        case list():
            return [_filled(item, filling) for item in value]
        case dict():
            return {key: _filled(item, filling) for key, item in value.items()}


@given(
    _holed(),
    _fillings,
    _actions,
    _resources,
    st.dictionaries(st.just("s3:prefix"), st.sampled_from(["acme", "b"])),
)
def test_what_a_statement_can_be_it_is_within_its_bound(
    statement: dict[str, Any], filling: str, action: str, resource: str, context: dict[str, str]
) -> None:
    filled = _filled(statement, filling) | {"Effect": "Allow"}
    request = Request(
        Principal("arn:aws:iam::111122223333:user/ann", {"tenant": "acme"}),
        action,
        resource,
        context,
    )
    try:
        concrete = parse_policy(json.dumps({"Version": "2012-10-17", "Statement": [filled]}))
    except InputError:
        return
    bound = read({"Version": "2012-10-17", "Statement": [statement]})
    # The evaluator takes a statement that may or may not apply as one that does not.
    allows = [replace(s, unknown=None) for s in bound.statements if s.effect is Effect.ALLOW]
    assert allows
    assert HOLE not in json.dumps(statement) or all(s.unknown for s in bound.statements)
    if decide(PolicySet((concrete,)), request).allowed:
        assert decide(PolicySet((replace(bound, statements=tuple(allows)),)), request).allowed


# -- element by element ----------------------------------------------------------------------


def test_what_is_known_is_read_as_policies_are() -> None:
    document = one(Sid="Read", Condition={"Bool": {"aws:SecureTransport": True}})
    assert read(document) == parse_policy(json.dumps(document))


def test_a_text_holds_a_policy_and_its_places_go_on_from_the_text() -> None:
    text = JsonString(json.dumps(one()), Place("plan.json", "$.values.policy", 7, 12))
    document = read_document(text, "the policy")
    place = document.statements[0].action.place
    assert place == Place("plan.json", "$.values.policy.Statement[0].Action", 7, 12)


@pytest.mark.parametrize(
    ("elements", "element", "expected"),
    [
        ({"Action": HOLE}, "action", ["*"]),
        ({"Action": ["s3:GetObject", HOLE]}, "action", ["s3:GetObject", "*"]),
        ({"Action": f"s3:{HOLE}"}, "action", ["s3:*"]),
        ({"Action": f"{HOLE}:Get"}, "action", ["*"]),
        ({"Resource": HOLE}, "resource", ["*"]),
        ({"Resource": f"arn:aws:s3:::{HOLE}/*"}, "resource", ["arn:aws:s3:::*/*"]),
        ({"Resource": f"arn:aws:s3:{HOLE}:b/*"}, "resource", ["*"]),
        ({"Resource": None, "NotResource": HOLE}, "resource", ["*"]),
        (
            {"Resource": None, "NotResource": ["arn:aws:s3:::b", HOLE]},
            "resource",
            ["arn:aws:s3:::b"],
        ),
    ],
)
def test_unknown_patterns_are_widened(
    elements: dict[str, Any], element: str, expected: list[str]
) -> None:
    (statement,) = read(one(**elements)).statements
    assert texts(getattr(statement, element)) == expected
    assert statement.unknown is not None
    assert statement.unknown.reason == "a part of the policy is not known: nobody said"


def test_of_a_negated_element_what_is_known_stays_negated() -> None:
    (statement,) = read(one(Action=None, NotAction=["s3:GetObject", HOLE])).statements
    assert (statement.action.element, texts(statement.action)) == ("NotAction", ["s3:GetObject"])


def test_conditions_that_are_not_known_are_left_out() -> None:
    condition = {"StringEquals": {"aws:PrincipalTag/a": ["x", HOLE], "aws:PrincipalTag/b": "y"}}
    (statement,) = read(one(Condition=condition)).statements
    assert [each.key for each in statement.conditions] == ["aws:PrincipalTag/b"]
    assert statement.unknown


def test_an_unknown_effect_is_both() -> None:
    statements = read(one(Sid="One", Effect=HOLE)).statements
    assert [each.effect for each in statements] == [Effect.ALLOW, Effect.DENY]
    assert all(each.unknown for each in statements)


def test_an_unknown_principal_is_everyone() -> None:
    document = one(Principal={"AWS": ["arn:aws:iam::111122223333:root", HOLE]})
    (statement,) = read(document, resource=True).statements
    assert [entry.value for entry in statement.principal.entries] == ["*"]
    assert statement.unknown


def test_an_unknown_sid_says_nothing() -> None:
    (statement,) = read(one(Sid=HOLE)).statements
    assert (statement.sid, statement.unknown) == (None, None)


@pytest.mark.parametrize(
    "document",
    [
        HOLE,
        {"Version": HOLE, "Statement": one()["Statement"]},
        {"Version": "2012-10-17", "Statement": HOLE},
        {"Version": "2012-10-17", "Statement": [HOLE]},
    ],
)
@pytest.mark.parametrize("resource", [False, True])
def test_what_is_not_known_at_all_may_allow_and_deny_anything(
    document: Any, resource: bool
) -> None:
    statements = read(document, resource=resource).statements
    assert [each.effect for each in statements] == [Effect.ALLOW, Effect.DENY]
    for each in statements:
        assert each.unknown
        assert texts(each.action) == texts(each.resource) == ["*"]
        assert (each.principal is not None) == resource


@pytest.mark.parametrize(
    ("document", "resource", "reason"),
    [
        ([], False, "found an empty list, expected a policy document"),
        ({"Statement": []}, False, "found an empty list"),
        (one(Effect="allow"), False, 'expected "Allow" or "Deny"'),
        (one(Resource=None), False, "found neither Resource nor NotResource"),
        (one(), True, "found neither Principal nor NotPrincipal"),
        ("no JSON", False, 'found "no"'),
        ("{", False, "found the end of the text"),
    ],
)
def test_what_is_no_policy_is_not_known(document: Any, resource: bool, reason: str) -> None:
    statements = read(document, resource=resource).statements
    assert [each.effect for each in statements] == [Effect.ALLOW, Effect.DENY]
    assert reason in statements[0].unknown.reason
