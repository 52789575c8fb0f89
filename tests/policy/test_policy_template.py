"""Texts taken apart: wildcards, ``${key}``, ``${key, 'default'}``, ``${*}`` ``${?}`` ``${$}``."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_texts import ENDPOINT, document, problems_of, read, statement

from tenantproof.errors import Place
from tenantproof.policy.syntax import AnyChar, AnyChars, Chars, Escape, Part, Template, Variable
from tenantproof.policy.template import TemplateError, parse_template

STAR, MARK = AnyChars(), AnyChar()


def take_apart(text: str, *, variables: bool = True) -> Template:
    return parse_template(text, Place("policy.json", "$"), variables=variables)


TEMPLATES: list[tuple[str, tuple[Part, ...]]] = [
    ("", ()),
    ("common/m.tar.gz", (Chars("common/m.tar.gz"),)),
    ("acme/*", (Chars("acme/"), STAR)),
    ("?*?", (MARK, STAR, MARK)),
    ("**", (STAR, STAR)),
    ("${aws:username}", (Variable("aws:username"),)),
    ("a/${k}/*", (Chars("a/"), Variable("k"), Chars("/"), STAR)),
    ("${a}${b}", (Variable("a"), Variable("b"))),
    (
        "${aws:PrincipalTag/team, 'company-wide'}",
        (Variable("aws:PrincipalTag/team", "company-wide"),),
    ),
    ("${k, ''}", (Variable("k", ""),)),
    ("${k, 'a, b'}", (Variable("k", "a, b"),)),
    ("${k, 'a}b'}", (Variable("k", "a}b"),)),
    ("${k, '*?$'}", (Variable("k", "*?$"),)),
    ("${*}", (Escape("*"),)),
    ("${?}x${$}", (Escape("?"), Chars("x"), Escape("$"))),
    ("${$}{k}", (Escape("$"), Chars("{k}"))),
    ("$", (Chars("$"),)),
    ("a$b$", (Chars("a$b$"),)),
    ("$${k}", (Chars("$"), Variable("k"))),
    ("{k}", (Chars("{k}"),)),
    ("a}", (Chars("a}"),)),
    ("$*", (Chars("$"), STAR)),
]


@pytest.mark.parametrize(("text", "parts"), TEMPLATES, ids=[text for text, _ in TEMPLATES])
def test_version_2012(text: str, parts: tuple[Part, ...]) -> None:
    template = take_apart(text)
    assert template.text == text
    assert template.parts == parts
    assert template.variables == tuple(p for p in parts if isinstance(p, Variable))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("${aws:username}", (Chars("${aws:username}"),)),
        ("a/${k}/*", (Chars("a/${k}/"), STAR)),
        ("${*}", (Chars("${"), STAR, Chars("}"))),
        ("${", (Chars("${"),)),
    ],
)
def test_version_2008(text: str, parts: tuple[Part, ...]) -> None:
    """'variables like ${aws:username} are treated as literal strings in the policy'."""
    assert take_apart(text, variables=False).parts == parts


MALFORMED = [
    "${",
    "a/${",
    "${k",
    "${}",
    "${*",
    "${k, }",
    "${k, default}",
    "${k, 'x}",
    "${k, 'a'b'}",
]


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_variables(text: str) -> None:
    with pytest.raises(TemplateError, match=r"expected a policy variable, \$\{key\} or"):
        take_apart(text)


@pytest.mark.parametrize("text", MALFORMED)
def test_malformed_variables_are_problems_of_a_document(text: str) -> None:
    policy = document(
        statement(Resource=[ENDPOINT, f"arn:aws:s3:::{text}"]),
        statement(Condition={"StringLike": {"k": text}}),
        statement(Condition={"ArnLike": {"k": [text]}}),
    )
    resource, value, arn = problems_of(policy)
    assert resource.place.path == "$.Statement[0].Resource[1]"
    assert value.place.path == "$.Statement[1].Condition.StringLike.k"
    assert arn.place.path == "$.Statement[2].Condition.ArnLike.k[0]"
    assert value.message == (
        f"found \"{text}\", expected a policy variable, ${{key}} or ${{key, 'default'}}"
    )


@pytest.mark.parametrize("text", MALFORMED)
@pytest.mark.parametrize(
    "version",
    [
        pytest.param({"Version": "2008-10-17"}, id="2008-10-17"),
        pytest.param({}, id="no Version"),
    ],
)
def test_under_2008_nothing_is_malformed(text: str, version: dict[str, str]) -> None:
    policy = {**version, "Statement": [statement(Condition={"StringLike": {"k": text}})]}
    (found,) = read(policy).statements
    assert found.conditions[0].values[0].text == text
    assert found.conditions[0].values[0].template.variables == ()


@pytest.mark.parametrize(
    ("changes", "variables"),
    [
        ({"Resource": "arn:aws:s3:::${aws:username}"}, ["aws:username"]),
        ({"Condition": {"StringEquals": {"k": "${aws:username}"}}}, ["aws:username"]),
        ({"Condition": {"ArnLike": {"k": "arn:aws:s3:::${aws:username}"}}}, ["aws:username"]),
    ],
    ids=["Resource", "string operators", "ARN operators"],
)
def test_where_variables_work(changes: dict[str, object], variables: list[str]) -> None:
    """'in the Resource element and in string comparisons in the Condition element'."""
    (found,) = read(document(statement(**changes))).statements
    assert [v.key for template in found.templates for v in template.variables] == variables


@given(st.text(alphabet="ab:/*?$"))
@settings(max_examples=60, deadline=None)
def test_the_parts_spell_the_text(text: str) -> None:
    shown = {STAR: "*", MARK: "?"}
    parts = take_apart(text).parts
    assert "".join(p.text if isinstance(p, Chars) else shown[p] for p in parts) == text
    assert not any(isinstance(a, Chars) and isinstance(b, Chars) for a, b in pairwise(parts))
