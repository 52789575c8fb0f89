"""The grammar of IAM policies, rule by rule; whatever breaks one is named with its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from policy_texts import (
    ACTION,
    ENDPOINT,
    FILE,
    document,
    problems_of,
    read,
    statement,
    the_problem,
    with_condition,
    without,
)

from tenantproof.errors import InputError
from tenantproof.policy import Effect, PolicyKind, Version, load_policy, policy_from_json
from tenantproof.policy.json_reader import read_json

ANY, IDENTITY = PolicyKind.ANY, PolicyKind.IDENTITY
STATEMENT = "$.Statement[0]"

# -- what the grammar has ----------------------------------------------------------------------


def test_a_full_statement() -> None:
    policy = read(
        document(
            statement(
                Sid="Own",
                Effect="Deny",
                Action=["sagemaker:Invoke*", "s3:GetObject"],
                Condition={
                    "StringLike": {"sagemaker:TargetModel": ["acme/*", "common/*"]},
                    "Bool": {"aws:SecureTransport": True},
                },
            ),
            Id="tenants",
        )
    )
    assert (policy.version, policy.id, policy.file) == (Version.V2012, "tenants", FILE)
    (own,) = policy.statements
    assert (own.index, own.sid, own.effect) == (0, "Own", Effect.DENY)
    assert own.name == 'Statement[0] "Own"'
    assert (own.action.element, own.action.negated) == ("Action", False)
    assert [p.text for p in own.action.patterns] == ["sagemaker:Invoke*", "s3:GetObject"]
    assert own.resource is not None
    assert [p.text for p in own.resource.patterns] == [ENDPOINT]
    assert own.principal is None
    assert [
        (c.operator.name, c.key, [v.text for v in c.values], c.place.path) for c in own.conditions
    ] == [
        (
            "StringLike",
            "sagemaker:TargetModel",
            ["acme/*", "common/*"],
            f'{STATEMENT}.Condition.StringLike["sagemaker:TargetModel"]',
        ),
        (
            "Bool",
            "aws:SecureTransport",
            ["true"],
            f'{STATEMENT}.Condition.Bool["aws:SecureTransport"]',
        ),
    ]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Action": "*"}, id="every action"),
        pytest.param({"Action": ["SageMaker:invoke?ndpoint"]}, id="wildcards in an action"),
        pytest.param({"Resource": "*"}, id="every resource"),
        pytest.param({"Resource": "arn:aws:sqs"}, id="missing ARN fields are completed"),
        pytest.param({"Sid": ""}, id="empty Sid: a suggestion only"),
        pytest.param({"Condition": {}}, id="empty Condition: a suggestion only"),
        pytest.param({"Condition": {"StringLike": {}}}, id="an operator without keys"),
        pytest.param({"Condition": {"NumericLessThan": {"k": 10}}}, id="number without quotes"),
        pytest.param({"Condition": {"StringEquals": {"k": 1.10}}}, id="number as a text"),
        pytest.param({"Condition": {"Bool": {"k": False}}}, id="Boolean without quotes"),
        pytest.param({"Condition": {"StringLike": {"k": ""}}}, id="empty condition value"),
        pytest.param({"Principal": "*"}, id="everyone"),
        pytest.param({"Principal": {"AWS": ["111122223333"], "Service": "x"}}, id="principals"),
        pytest.param({"NotPrincipal": {"CanonicalUser": "x", "Federated": "y"}}, id="NotPrincipal"),
    ],
)
def test_accepted_statements(changes: dict[str, Any]) -> None:
    assert len(read(document(statement(**changes))).statements) == 1


@pytest.mark.parametrize("listed", [False, True], ids=["bare", "in a list"])
def test_one_value_needs_no_brackets(listed: bool) -> None:
    """'If the element takes an array but only one value is included, the brackets are optional.'"""
    one = {
        "Effect": "Allow",
        "Action": [ACTION] if listed else ACTION,
        "Resource": [ENDPOINT] if listed else ENDPOINT,
        "Condition": {"StringEquals": {"k": ["v"] if listed else "v"}},
    }
    policy = read({"Version": "2012-10-17", "Statement": [one] if listed else one})
    assert policy == read(document(statement(Condition={"StringEquals": {"k": "v"}})))


@pytest.mark.parametrize(
    ("written", "version"),
    [
        ({"Version": "2012-10-17"}, Version.V2012),
        ({"Version": "2008-10-17"}, Version.V2008),
        ({}, Version.V2008),  # 'The default policy version is "2008-10-17".'
    ],
    ids=["2012-10-17", "2008-10-17", "missing"],
)
def test_versions(written: dict[str, str], version: Version) -> None:
    assert read({**written, "Statement": statement()}).version is version


def test_the_version_counts_wherever_it_stands() -> None:
    resource = "arn:aws:s3:::${aws:username}"
    before, after = (
        read({**first, "Statement": statement(Resource=resource), **last})
        for first, last in [({"Version": "2012-10-17"}, {}), ({}, {"Version": "2012-10-17"})]
    )
    assert before == after
    assert before.statements[0].templates[0].variables


@pytest.mark.parametrize(
    ("element", "negated"),
    [("Action", False), ("NotAction", True), ("Resource", False), ("NotResource", True)],
)
def test_the_complement_of_an_element(element: str, negated: bool) -> None:
    plain = element.removeprefix("Not")
    (found,) = read(document({**without(plain), element: ["*", "*"]})).statements
    clause = found.action if plain == "Action" else found.resource
    assert clause is not None
    assert (clause.element, clause.negated) == (element, negated)


def test_everyone_is_every_aws_principal() -> None:
    (bare, mapped) = read(
        document(statement(Principal="*"), statement(Principal={"AWS": "*"}))
    ).statements
    assert bare.principal == mapped.principal


def test_the_same_text_at_other_places_is_the_same_policy() -> None:
    policy = document(statement(Sid="A"))
    assert read(json.dumps(policy, indent=4)) == read(json.dumps(policy))
    assert read(policy) != read(document(statement(Sid="B")))


# -- the document ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "path", "found"),
    [
        pytest.param("[]", "$", "found an empty list", id="a list"),
        pytest.param('"*"', "$", 'found the string "*"', id="a string"),
        pytest.param("null", "$", "found null", id="null"),
        pytest.param("{}", "$", "found no Statement", id="empty"),
        pytest.param('{"Version": "2012-10-17"}', "$", "found no Statement", id="no Statement"),
        pytest.param(document(), "$.Statement", "found an empty list", id="no statements"),
        pytest.param({"Statement": "x"}, "$.Statement", 'found the string "x"', id="a text"),
        pytest.param({"Statement": None}, "$.Statement", "found null", id="null statement"),
        pytest.param(document("x"), STATEMENT, 'found the string "x"', id="statement a text"),
        pytest.param(document([statement()]), STATEMENT, "found a list of 1", id="list in a list"),
        pytest.param(document(statement(), Id=3), "$.Id", "found the number 3", id="Id a number"),
        pytest.param(
            document(statement(), Version="2012-10-18"),
            "$.Version",
            'found the string "2012-10-18"',
            id="no such version",
        ),
        pytest.param(
            document(statement(), Version=["2012-10-17"]),
            "$.Version",
            "found a list of 1",
            id="versions in a list",
        ),
        pytest.param(
            document(statement(), Version=20121017),
            "$.Version",
            "found the number 20121017",
            id="version as a number",
        ),
    ],
)
def test_bad_documents(policy: dict[str, Any] | str, path: str, found: str) -> None:
    problem = the_problem(policy)
    assert problem.place.path == path
    assert problem.message.startswith(found)
    assert ", expected " in problem.message


# -- unknown elements --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "path", "hint"),
    [
        (document(statement(), version="2012-10-17"), "$.version", "did you mean Version?"),
        (document(statement(), ID="x"), "$.ID", "did you mean Id?"),
        (document(statement(), statement=[]), "$.statement", "did you mean Statement?"),
        (document(statement(), Comment="x"), "$.Comment", None),
        (document(statement(), Effect="Allow"), "$.Effect", None),
        (document(statement(notaction="*")), f"{STATEMENT}.notaction", "did you mean NotAction?"),
        (document(statement(resource="*")), f"{STATEMENT}.resource", "did you mean Resource?"),
        (document(statement(condition={})), f"{STATEMENT}.condition", "did you mean Condition?"),
        (document(statement(SID="x")), f"{STATEMENT}.SID", "did you mean Sid?"),
        (document(statement(Version="x")), f"{STATEMENT}.Version", None),
        (document(statement(**{"": "x"})), f'{STATEMENT}[""]', None),
        (
            document(statement(Principal={"aws": "*"})),
            f"{STATEMENT}.Principal.aws",
            "did you mean AWS?",
        ),
        (document(statement(Principal={"Role": "x"})), f"{STATEMENT}.Principal.Role", None),
    ],
)
def test_unknown_elements(policy: dict[str, Any], path: str, hint: str | None) -> None:
    problem = the_problem(policy)
    assert problem.place.path == path
    assert problem.message.startswith("found the unknown element")
    assert ", expected in " in problem.message
    assert problem.hint == hint


def test_an_element_in_the_wrong_case_is_also_missing() -> None:
    missing, unknown = problems_of(document({**without("Effect"), "effect": "Allow"}))
    assert missing.message == 'found no Effect, expected "Allow" or "Deny"'
    assert unknown.hint == "did you mean Effect?"


# -- statements --------------------------------------------------------------------------------

BAD_ELEMENTS = [
    ("Effect", "allow", "", 'the string "allow"'),  # 'The Effect value is case sensitive.'
    ("Effect", "DENY", "", 'the string "DENY"'),
    ("Effect", "", "", 'the string ""'),
    ("Effect", True, "", "true"),
    ("Effect", ["Allow"], "", "a list of 1"),
    ("Action", [], "", "an empty list"),
    ("Action", "", "", 'the string ""'),
    ("Action", None, "", "null"),
    ("Action", 3, "", "the number 3"),
    ("Action", {}, "", "an empty object"),
    ("Action", [["s3:*"]], "[0]", "a list of 1"),
    ("Action", ["s3:*", 1.50], "[1]", "the number 1.5"),
    ("Action", ["s3:*", ""], "[1]", 'the string ""'),
    ("Action", "InvokeEndpoint", "", 'the string "InvokeEndpoint"'),
    ("Action", "sagemaker*", "", 'the string "sagemaker*"'),
    ("Action", "sagemaker:", "", 'the string "sagemaker:"'),
    ("Action", ":InvokeEndpoint", "", 'the string ":InvokeEndpoint"'),
    ("NotAction", "x", "", 'the string "x"'),
    ("Resource", [], "", "an empty list"),
    ("Resource", "", "", 'the string ""'),
    ("Resource", None, "", "null"),
    ("Resource", {"arn": "*"}, "", "an object"),
    ("Resource", ["*", False], "[1]", "false"),
    ("Resource", "models", "", 'the string "models"'),
    ("Resource", "models/*", "", 'the string "models/*"'),
    ("NotResource", ["*", "models"], "[1]", 'the string "models"'),
    ("Principal", {}, "", "an empty object"),
    ("Principal", [], "", "an empty list"),
    ("Principal", "111122223333", "", 'the string "111122223333"'),
    ("Principal", {"AWS": []}, ".AWS", "an empty list"),
    ("Principal", {"AWS": ["x", 3]}, ".AWS[1]", "the number 3"),
    ("NotPrincipal", None, "", "null"),
    ("Sid", 1, "", "the number 1"),
    ("Sid", ["a"], "", "a list of 1"),
    ("Condition", [], "", "an empty list"),
    ("Condition", "x", "", 'the string "x"'),
    ("Condition", None, "", "null"),
    ("Condition", {"StringLike": []}, ".StringLike", "an empty list"),
    ("Condition", {"StringLike": "x"}, ".StringLike", 'the string "x"'),
    ("Condition", {"StringLike": {"k": []}}, ".StringLike.k", "an empty list"),
    ("Condition", {"StringLike": {"k": None}}, ".StringLike.k", "null"),
    ("Condition", {"StringLike": {"k": {"a": 1}}}, ".StringLike.k", "an object"),
    ("Condition", {"StringLike": {"k": ["a", ["b"]]}}, ".StringLike.k[1]", "a list of 1"),
]


@pytest.mark.parametrize(
    ("element", "value", "below", "found"),
    BAD_ELEMENTS,
    ids=[f"{element}={json.dumps(value)}" for element, value, _, _ in BAD_ELEMENTS],
)
def test_bad_elements(element: str, value: Any, below: str, found: str) -> None:
    replaced = {"NotAction": "Action", "NotResource": "Resource"}.get(element, element)
    problem = the_problem(document({**without(replaced), element: value}))
    assert problem.place.path == f"{STATEMENT}.{element}{below}"
    assert problem.statement == "Statement[0]"
    assert problem.message.startswith(f"found {found}, expected ")


def test_a_condition_key_has_a_name() -> None:
    problem = the_problem(with_condition("StringLike", "a", key=""))
    assert problem.message == "found an empty condition key, expected its name"


@pytest.mark.parametrize("kind", PolicyKind)
@pytest.mark.parametrize(
    ("element", "message"),
    [
        ("Effect", 'found no Effect, expected "Allow" or "Deny"'),
        ("Action", "found neither Action nor NotAction, expected one of them"),
    ],
)
def test_missing_elements(kind: PolicyKind, element: str, message: str) -> None:
    problem = the_problem(document(without(element)), kind=kind)
    assert problem.message.startswith(message)
    assert problem.place.path == STATEMENT


@pytest.mark.parametrize(
    ("element", "value"),
    [("Action", "s3:*"), ("Resource", "*"), ("Principal", {"AWS": "*"})],
)
def test_an_element_beside_its_complement(element: str, value: Any) -> None:
    both = statement(**{element: value, f"Not{element}": value})
    problem = the_problem(document(both))
    assert problem.place.path == f"{STATEMENT}.Not{element}"
    assert problem.message == f"found Not{element} beside {element}, expected one of them"


# -- identity policies -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "path", "message"),
    [
        pytest.param(
            document(statement(Principal="*")),
            f"{STATEMENT}.Principal",
            "found Principal, expected none in an identity policy",
            id="'You cannot use the Principal element in an identity-based policy.'",
        ),
        pytest.param(
            document(statement(NotPrincipal={"AWS": "*"})),
            f"{STATEMENT}.NotPrincipal",
            "found NotPrincipal, expected none in an identity policy",
            id="nor NotPrincipal",
        ),
        pytest.param(
            document(without("Resource")),
            STATEMENT,
            "found neither Resource nor NotResource, expected one of them in an identity policy",
            id="'Statements must include either a Resource or a NotResource element.'",
        ),
    ],
)
def test_what_an_identity_policy_must_and_must_not_have(
    policy: dict[str, Any], path: str, message: str
) -> None:
    problem = the_problem(policy, kind=IDENTITY)
    assert (problem.place.path, problem.message) == (path, message)
    assert read(policy, kind=ANY).statements


# -- Sid: 'must be unique within a JSON policy' ------------------------------------------------


def test_a_sid_twice() -> None:
    statements = [statement(Sid=sid) for sid in ("A", "B", "A", "A")]
    found = problems_of(document(*statements))
    assert [problem.place.path for problem in found] == ["$.Statement[2]", "$.Statement[3]"]
    assert all('the Sid "A" a second time (first in Statement[0])' in p.message for p in found)


@pytest.mark.parametrize("sids", [("A", "a"), ("", "")], ids=["differ in case", "both empty"])
def test_sids_that_are_no_duplicates(sids: tuple[str, ...]) -> None:
    assert len(read(document(*(statement(Sid=sid) for sid in sids))).statements) == 2


# -- typed condition values --------------------------------------------------------------------

ILL_TYPED = [
    ("NumericEquals", "ten", "a number"),
    ("NumericLessThanIfExists", "1,5", "a number"),
    ("NumericNotEquals", True, "a number"),
    ("ForAnyValue:NumericGreaterThanEquals", "", "a number"),
    ("NumericEquals", "${aws:EpochTime}", "a number"),  # no variables under Numeric
    ("DateLessThan", "tomorrow", "a date"),
    ("DateEquals", "2026-02-30", "a date"),
    ("DateGreaterThanEqualsIfExists", "31.01.2026", "a date"),
    ("DateNotEquals", False, "a date"),
    ("Bool", "yes", '"true" or "false"'),
    ("Bool", 1, '"true" or "false"'),
    ("BoolIfExists", "", '"true" or "false"'),
    ("ForAllValues:Bool", "*", '"true" or "false"'),
    ("Null", "maybe", '"true" or "false"'),
    ("Null", 0, '"true" or "false"'),
    ("IpAddress", "10.0.0.0/33", "an IPv4 or IPv6 address or CIDR range"),
    ("IpAddress", "10.0.*", "an IPv4 or IPv6 address or CIDR range"),
    ("NotIpAddress", "localhost", "an IPv4 or IPv6 address or CIDR range"),
    ("ForAllValues:IpAddressIfExists", 10, "an IPv4 or IPv6 address or CIDR range"),
    ("BinaryEquals", "not base64!", "base64"),
    ("BinaryEquals", "QQ", "base64"),
]


@pytest.mark.parametrize(
    ("operator", "value", "expected"), ILL_TYPED, ids=[f"{o}={v!r}" for o, v, _ in ILL_TYPED]
)
def test_ill_typed_values(operator: str, value: Any, expected: str) -> None:
    problem = the_problem(with_condition(operator, value))
    assert problem.message.startswith("found ")
    assert expected in problem.message.partition(", expected ")[2]
    assert problem.message.endswith(f" under {operator}")


def test_each_ill_typed_value_of_a_list_is_reported() -> None:
    found = problems_of(with_condition("NumericEquals", [1, "x", "2", "y", {}], key="k"))
    paths = [problem.place.path.removeprefix(f"{STATEMENT}.Condition.") for problem in found]
    assert paths == ["NumericEquals.k[1]", "NumericEquals.k[3]", "NumericEquals.k[4]"]


@pytest.mark.parametrize("operator", ["StringEquals", "StringLike", "ArnLike", "ArnNotEquals"])
def test_any_text_is_a_string_or_an_arn(operator: str) -> None:
    values = ["", "*", "not an arn", 1.5, True]
    ((condition,),) = [s.conditions for s in read(with_condition(operator, values)).statements]
    assert [v.text for v in condition.values] == ["", "*", "not an arn", "1.5", "true"]


# -- all problems, each with its place ---------------------------------------------------------

MANY = """\
{
  "Version": "2012",
  "Id": 7,
  "Statement": [
    {
      "Sid": "First",
      "Effect": "allow",
      "Action": [],
      "Resource": "*",
    },
    { // nothing right here
      "Sid": "Second",
      "Efect": "Deny",
      "Action": ["s3:*", "GetObject"],
      "NotAction": "s3:*",
      "Resource": "*",
      "Condition": {
        "StringLikes": {"k": "v"},
        "Bool": {"k": ["true", "perhaps"]},
        "Null": {"k": "true", "k": "false"}
      }
    },
    "third"
  ]
}
"""


def test_all_problems_of_a_file_at_once_in_the_order_of_the_file() -> None:
    found = problems_of(MANY)
    second = "$.Statement[1]"
    assert [(p.place.line, p.place.column, p.place.path) for p in found] == [
        (2, 14, "$.Version"),
        (3, 9, "$.Id"),
        (7, 17, f"{STATEMENT}.Effect"),
        (8, 17, f"{STATEMENT}.Action"),
        (9, 22, STATEMENT),
        (11, 5, second),
        (11, 7, second),
        (13, 7, f"{second}.Efect"),
        (14, 26, f"{second}.Action[1]"),
        (15, 20, f"{second}.NotAction"),
        (18, 9, f"{second}.Condition.StringLikes"),
        (19, 32, f"{second}.Condition.Bool.k[1]"),
        (20, 31, f"{second}.Condition.Null.k"),
        (23, 5, "$.Statement[2]"),
    ]
    statements = {p.place.path: p.statement for p in found}
    assert statements[f"{STATEMENT}.Effect"] == 'Statement[0] "First"'
    assert statements[f"{second}.Condition.Bool.k[1]"] == 'Statement[1] "Second"'
    assert statements["$.Statement[2]"] == "Statement[2]"
    assert all("found " in p.message and "expected " in p.message for p in found)


def test_the_message_of_the_error_has_a_line_for_each_problem() -> None:
    text = """{"Statement": [
{"Sid": "A", "Effect": "allow", "Action": "*", "Resource": "*"},
{"Effect": "Deny", "Resource": "*", "x": 1}]}"""
    with pytest.raises(InputError) as refused:
        read(text)
    assert str(refused.value).splitlines() == [
        f'{FILE}:2:24: $.Statement[0].Effect (Statement[0] "A"): found the string "allow",'
        ' expected "Allow" or "Deny", in this case',
        f"{FILE}:3:1: $.Statement[1] (Statement[1]): found neither Action nor NotAction,"
        " expected one of them",
        f'{FILE}:3:37: $.Statement[1].x (Statement[1]): found the unknown element "x",'
        " expected in a statement only Sid, Principal, NotPrincipal, Effect, Action, NotAction,"
        " Resource, NotResource, Condition",
    ]


# -- files -------------------------------------------------------------------------------------


def test_a_file_is_named_as_given(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(document(statement())), encoding="utf-8")
    assert load_policy(path).file == str(path)
    assert load_policy(path, name="policies/acme.json").file == "policies/acme.json"
    assert load_policy(path) == read(document(statement()))


@pytest.mark.parametrize("name", ["missing.json", "."], ids=["no file", "a folder"])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as refused:
        load_policy(tmp_path / name, name="acme.json")
    (problem,) = refused.value.problems
    assert str(problem).startswith("acme.json: $: found no readable file (")


def test_lenient_and_kind_reach_a_file(tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    path.write_text("// pasted\n" + json.dumps(document(without("Resource"))), encoding="utf-8")
    assert load_policy(path, lenient=True).statements
    for lenient, kind, count in [(False, ANY, 1), (True, IDENTITY, 1), (False, IDENTITY, 2)]:
        with pytest.raises(InputError) as refused:
            load_policy(path, lenient=lenient, kind=kind)
        assert len(refused.value.problems) == count


def test_a_policy_inside_a_larger_document_keeps_the_larger_path() -> None:
    outer = read_json(json.dumps([document(statement(Effect="x"))]), "plan.json")
    with pytest.raises(InputError) as refused:
        policy_from_json(outer.items[0], file="plan.json")  # type: ignore[union-attr]
    (problem,) = refused.value.problems
    assert problem.place.file == "plan.json"
    assert problem.place.path == "$[0].Statement[0].Effect"
