"""``tenantproof simulate``: a line in, a line out, whatever the line holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tenantproof.cli import main

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
ROLE = "arn:aws:iam::111122223333:role/acme"


def statement(**changes: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **changes}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements or [statement()])}


def request(**changes: Any) -> dict[str, Any]:
    return {
        "principal": {"arn": ROLE},
        "action": "sagemaker:InvokeEndpoint",
        "resource": ENDPOINT,
        **changes,
    }


def case(**changes: Any) -> dict[str, Any]:
    return {"id": "c", "request": request(), "identity_policies": [policy()], **changes}


def without(fields: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def simulate(*lines: dict[str, Any] | str, options: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The answers to some lines on standard input."""
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    result = CliRunner().invoke(main, ["simulate", *options], input="\n".join(texts) + "\n")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def answer(line: dict[str, Any] | str, *options: str) -> dict[str, Any]:
    (only,) = simulate(line, options=options)
    return only


def error(line: dict[str, Any] | str) -> str:
    found = answer(line)
    assert set(found) == {"id", "error"}
    return str(found["error"])


# -- decisions ---------------------------------------------------------------------------------

ALLOW, DENY = policy(), policy(statement(Effect="Deny"))
SILENT = policy(statement(Action="s3:GetObject"))


@pytest.mark.parametrize(
    ("changes", "decision", "matched"),
    [
        pytest.param({}, "Allowed", [("identity_policies", 0, "Allow")], id="allowed"),
        pytest.param({"identity_policies": []}, "ImplicitDeny", [], id="no policies"),
        pytest.param({"identity_policies": [SILENT]}, "ImplicitDeny", [], id="silent"),
        pytest.param(
            {"identity_policies": [SILENT, ALLOW, DENY]},
            "ExplicitDeny",
            [("identity_policies", 1, "Allow"), ("identity_policies", 2, "Deny")],
            id="a Deny among them",
        ),
        pytest.param(
            {"permissions_boundary": ALLOW},
            "Allowed",
            [("permissions_boundary", 0, "Allow"), ("identity_policies", 0, "Allow")],
            id="a boundary that allows",
        ),
        pytest.param(
            {"permissions_boundary": SILENT},
            "ImplicitDeny",
            [("identity_policies", 0, "Allow")],
            id="a silent boundary",
        ),
        pytest.param(
            {"permissions_boundary": DENY},
            "ExplicitDeny",
            [("permissions_boundary", 0, "Deny"), ("identity_policies", 0, "Allow")],
            id="a boundary that denies",
        ),
        pytest.param(
            {"service_control_policies": []},
            "Allowed",
            [("identity_policies", 0, "Allow")],
            id="no levels: in no organization",
        ),
        pytest.param(
            {"service_control_policies": [[]]},
            "ImplicitDeny",
            [("identity_policies", 0, "Allow")],
            id="a level without policies",
        ),
        pytest.param(
            {"service_control_policies": [[SILENT, ALLOW], [ALLOW]]},
            "Allowed",
            [
                ("service_control_policies[0]", 1, "Allow"),
                ("service_control_policies[1]", 0, "Allow"),
                ("identity_policies", 0, "Allow"),
            ],
            id="every level allows",
        ),
        pytest.param(
            {"service_control_policies": [[ALLOW], [SILENT]]},
            "ImplicitDeny",
            [("service_control_policies[0]", 0, "Allow"), ("identity_policies", 0, "Allow")],
            id="the level below is silent",
        ),
        pytest.param(
            {"service_control_policies": [[ALLOW, DENY]], "permissions_boundary": ALLOW},
            "ExplicitDeny",
            [
                ("service_control_policies[0]", 0, "Allow"),
                ("service_control_policies[0]", 1, "Deny"),
                ("permissions_boundary", 0, "Allow"),
                ("identity_policies", 0, "Allow"),
            ],
            id="an SCP that denies",
        ),
    ],
)
def test_decisions(
    changes: dict[str, Any], decision: str, matched: list[tuple[str, int, str]]
) -> None:
    found = answer(case(**changes))
    assert set(found) == {"id", "decision", "matched"}
    assert found["decision"] == decision
    assert [(m["layer"], m["policy"], m["effect"]) for m in found["matched"]] == matched


def test_what_matched_is_told_by_layer_policy_statement_and_sid() -> None:
    other = statement(Action="s3:*")
    written = policy(other, statement(Sid="Own"), statement(Sid="No", Effect="Deny"))
    assert answer(case(id=1, identity_policies=[SILENT, written])) == {
        "id": 1,
        "decision": "ExplicitDeny",
        "matched": [
            {
                "layer": "identity_policies",
                "policy": 1,
                "statement": 1,
                "sid": "Own",
                "effect": "Allow",
            },
            {
                "layer": "identity_policies",
                "policy": 1,
                "statement": 2,
                "sid": "No",
                "effect": "Deny",
            },
        ],
    }
    assert answer(case())["matched"][0]["sid"] is None


@pytest.mark.parametrize(
    ("condition", "changes", "decision"),
    [
        (
            {"StringLike": {"sagemaker:TargetModel": "acme/*"}},
            {"context": {"sagemaker:TargetModel": "acme/m"}},
            "Allowed",
        ),
        (
            {"StringLike": {"sagemaker:TargetModel": "acme/*"}},
            {"context": {"SageMaker:targetmodel": "beta/m"}},
            "ImplicitDeny",
        ),
        ({"StringLike": {"sagemaker:TargetModel": "acme/*"}}, {}, "ImplicitDeny"),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"context": {"k": []}}, "Allowed"),
        ({"ForAllValues:StringEquals": {"k": "a"}}, {"context": {"k": ["a", "b"]}}, "ImplicitDeny"),
        ({"ForAnyValue:StringEquals": {"k": "a"}}, {"context": {"k": ["b", "a"]}}, "Allowed"),
        ({"NumericEquals": {"k": "1.50"}}, {"context": {"k": 1.5}}, "Allowed"),
        ({"Bool": {"k": "true"}}, {"context": {"k": True}}, "Allowed"),
        ({"ForAnyValue:StringEquals": {"k": "7"}}, {"context": {"k": [False, 7]}}, "Allowed"),
        (
            {"StringEquals": {"sagemaker:TargetModel": "${aws:PrincipalTag/tenant}/m"}},
            {
                "principal": {"arn": ROLE, "tags": {"Tenant": "acme"}},
                "context": {"sagemaker:TargetModel": "acme/m"},
            },
            "Allowed",
        ),
        ({"ArnEquals": {"aws:PrincipalArn": ROLE}}, {}, "Allowed"),
        (
            {"ArnEquals": {"aws:PrincipalArn": ROLE}},
            {"principal": {"arn": ROLE + "2"}},
            "ImplicitDeny",
        ),
    ],
)
def test_requests(condition: dict[str, Any], changes: dict[str, Any], decision: str) -> None:
    written = policy(statement(Condition=condition))
    line = case(request=request(**changes), identity_policies=[written])
    assert answer(line)["decision"] == decision


# -- ids ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case_id", ["a", "", "é😀", 0, 1, -7, 10**20, 1.5, -0.25, True, False, None]
)
@pytest.mark.parametrize("bad", [False, True], ids=["decided", "in error"])
def test_the_id_comes_back_as_it_was_given(case_id: Any, bad: bool) -> None:
    line = case(id=case_id) if not bad else {"id": case_id}
    found = answer(line)
    assert found["id"] == case_id
    assert type(found["id"]) is type(case_id)
    assert ("error" in found) is bad


def test_a_case_without_an_id_is_decided() -> None:
    assert answer(without(case(), "id"))["decision"] == "Allowed"
    assert answer(without(case(), "id"))["id"] is None


# -- bad lines ---------------------------------------------------------------------------------

BAD_LINES = [
    pytest.param("nonsense", 'found "nonsense", expected a JSON value', id="not JSON"),
    pytest.param("{", "found the end of the text", id="truncated"),
    pytest.param('{"id": "b" "request": {}}', 'expected ","', id="a comma is missing"),
    pytest.param("[]", "found an empty list, expected a case, an object", id="a list"),
    pytest.param("null", "found null, expected a case, an object", id="null"),
    pytest.param("{}", "found no request, expected one", id="empty"),
    pytest.param('["\\ud800"]', "surrogate", id="half a surrogate pair"),
    pytest.param("[" * 500, "levels of nesting", id="too deep"),
    pytest.param('{"id": 1, "id": 2}', 'the key "id" a second time', id="a key twice"),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_a_bad_line_is_answered_and_the_others_go_on(line: str, message: str) -> None:
    first, bad, last = simulate(case(id="first"), line, case(id="last", identity_policies=[]))
    assert (first["id"], first["decision"]) == ("first", "Allowed")
    assert set(bad) == {"id", "error"}
    assert message in bad["error"]
    assert (last["id"], last["decision"]) == ("last", "ImplicitDeny")


POLICY_IN_ERROR = policy(statement(Effect="allow"), statement(Action=[]), statement(Principal="*"))
MISTAKES = [
    (case(identity_policy=[]), '$.identity_policy: found the unknown field "identity_policy"'),
    (case(policies=[]), "expected one of id, request, identity_policies, permissions_boundary,"),
    (without(case(), "request"), "$: found no request, expected one"),
    (without(case(), "identity_policies"), "$: found no identity_policies, expected one"),
    (case(identity_policies=policy()), "$.identity_policies: found an object, expected a list"),
    (case(identity_policies=[[policy()]]), "$.identity_policies[0]: found a list of 1"),
    (case(identity_policies=["x"]), '$.identity_policies[0]: found the string "x"'),
    (case(permissions_boundary=[policy()]), "$.permissions_boundary: found a list of 1"),
    (case(permissions_boundary={}), "$.permissions_boundary: found no Statement, expected one"),
    (case(service_control_policies=policy()), "$.service_control_policies: found an object"),
    (case(service_control_policies=[policy()]), "$.service_control_policies[0]: found an object"),
    (case(request="x"), '$.request: found the string "x", expected a request, an object'),
    (case(request=without(request(), "principal")), "$.request: found no principal, expected one"),
    (case(request=without(request(), "action")), "$.request: found no action, expected one"),
    (case(request=without(request(), "resource")), "$.request: found no resource, expected one"),
    (case(request=request(Action="x")), '$.request.Action: found the unknown field "Action"'),
    (case(request=request(action=["x"])), "$.request.action: found a list of 1, expected a text"),
    (case(request=request(resource=None)), "$.request.resource: found null, expected a text"),
    (case(request=request(principal=ROLE)), "$.request.principal: found the string"),
    (case(request=request(principal={})), "$.request.principal: found no arn, expected one"),
    (
        case(request=request(principal={"arn": ROLE, "name": "x"})),
        '$.request.principal.name: found the unknown field "name"',
    ),
    (
        case(request=request(principal={"arn": ROLE, "tags": ["x"]})),
        "$.request.principal.tags: found a list of 1, expected an object",
    ),
    (
        case(request=request(principal={"arn": ROLE, "tags": {"t": ["a"]}})),
        "found a list of 1, expected a text for a tag",
    ),
    (
        case(request=request(principal={"arn": ROLE, "tags": {"t": "a", "T": "b"}})),
        '$.request.principal.tags.T: found the key "T" twice but for its case',
    ),
    (case(request=request(context=[])), "$.request.context: found an empty list"),
    (case(request=request(context={"k": None})), "$.request.context.k: found null"),
    (case(request=request(context={"k": {}})), "$.request.context.k: found an empty object"),
    (case(request=request(context={"k": [["a"]]})), "$.request.context.k[0]: found a list of 1"),
    (case(request=request(context={"k": "a", "K": "b"})), '$.request.context.K: found the key "K"'),
    (
        case(identity_policies=[policy(statement(Principal="*"))]),
        "$.identity_policies[0].Statement[0].Principal (Statement[0]): found Principal,"
        " expected none in an identity policy",
    ),
    (
        case(service_control_policies=[[policy()], [POLICY_IN_ERROR]]),
        "$.service_control_policies[1][0].Statement[0].Effect (Statement[0]): found the string",
    ),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[message for _, message in MISTAKES])
def test_mistakes_are_named_with_their_place(line: dict[str, Any], message: str) -> None:
    found = answer(line)
    assert found["id"] == "c"
    assert message in found["error"]


def test_all_problems_of_a_line_are_named_at_once() -> None:
    line = case(
        foo=1,
        request={"action": 3, "bar": 2},
        identity_policies=[POLICY_IN_ERROR],
        permissions_boundary=POLICY_IN_ERROR,
        service_control_policies=[[POLICY_IN_ERROR, 5]],
    )
    found = error(line)
    for place in (
        "$.foo",
        "$.request",
        "$.request.action",
        "$.request.bar",
        "$.identity_policies[0].Statement[0].Effect",
        "$.identity_policies[0].Statement[1].Action",
        "$.identity_policies[0].Statement[2].Principal",
        "$.permissions_boundary.Statement[0].Effect",
        "$.permissions_boundary.Statement[1].Action",
        "$.service_control_policies[0][0].Statement[1].Action",
        "$.service_control_policies[0][1]",
    ):
        assert f": {place}" in found


# -- where lines come from ---------------------------------------------------------------------


def test_places_count_the_lines_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    lines = [json.dumps(case()), "", "  ", '{"id": 4, "x": 1}']
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    result = CliRunner().invoke(main, ["simulate", str(path)])
    assert result.exit_code == 0
    good, bad = map(json.loads, result.stdout.splitlines())
    assert good["decision"] == "Allowed"
    assert bad["id"] == 4
    assert f'{path}:4:16: $.x: found the unknown field "x"' in bad["error"]


@pytest.mark.parametrize("arguments", [[], ["-"]], ids=["no argument", "a dash"])
def test_standard_input(arguments: list[str]) -> None:
    text = json.dumps(case()) + "\n{}\n"
    result = CliRunner().invoke(main, ["simulate", *arguments], input=text)
    good, bad = map(json.loads, result.stdout.splitlines())
    assert (result.exit_code, good["decision"]) == (0, "Allowed")
    assert bad["error"].startswith("<stdin>:2:1: ")


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n"])
def test_no_lines_no_answers(text: str) -> None:
    result = CliRunner().invoke(main, ["simulate"], input=text)
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"], ids=["none", "LF", "CR LF"])
def test_line_endings(ending: str) -> None:
    text = json.dumps(case(id=1)) + (ending or "\n") + json.dumps(case(id=2)) + ending
    result = CliRunner().invoke(main, ["simulate"], input=text)
    assert [json.loads(line)["id"] for line in result.stdout.splitlines()] == [1, 2]


def test_the_text_of_a_case_may_hold_any_character() -> None:
    model = "é\u2028😀"
    written = policy(statement(Condition={"StringEquals": {"k": model}}))
    line = case(id=model, request=request(context={"k": model}), identity_policies=[written])
    found = answer(json.dumps(line, ensure_ascii=False))
    assert (found["id"], found["decision"]) == (model, "Allowed")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["simulate", str(tmp_path / "none.jsonl")])
    assert result.exit_code == 2
    assert "No such file" in result.stderr


# -- lenient -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pasted",
    [
        pytest.param(lambda text: f"{text} // as printed", id="a comment"),
        pytest.param(lambda text: f"{text[:-1]},}}", id="a trailing comma"),
    ],
)
def test_lenient_takes_what_people_paste(pasted: Any) -> None:
    line = pasted(json.dumps(case(id=5)))
    strict, lenient = answer(line), answer(line, "--lenient")
    assert strict["id"] == lenient["id"] == 5
    assert "--lenient" in strict["error"]
    assert lenient["decision"] == "Allowed"


def test_lenient_takes_no_unknown_field() -> None:
    assert "unknown field" in answer(case(x=1), "--lenient")["error"]
