"""Tenants by rule: what is proved of every pair of names, and the pairs that leak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import ENDPOINT, allow
from tenantproof.errors import InputError
from tenantproof.isolation import Escape, Finding, Question, Report, Run, Verdict, load_manifest

TARGET = "sagemaker:TargetModel"
TAG = "${aws:PrincipalTag/tenant}"


class Rules:
    """A folder with a manifest of rules and their policies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.head: list[str] = []
        self.lines = ["[[endpoints]]", f'arn = "{ENDPOINT}"']

    def shared(self, *patterns: str) -> Rules:
        self.head.append(f"shared = {json.dumps(patterns)}")
        return self

    def rule(
        self,
        *statements: dict[str, Any],
        name: str = "customers",
        names: str = "[a-z0-9-]{1,30}",
        owns: tuple[str, ...] = ("{tenant}/*",),
        arn: str = "arn:aws:iam::111122223333:role/app",
        tags: str = '{ tenant = "{tenant}" }',
        extra: str = "",
    ) -> Rules:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        (self.folder / f"{name}.json").write_text(json.dumps(document))
        self.lines += [
            "[[rules]]",
            f'name = "{name}"',
            f"names = {json.dumps(names)}",
            f"owns = {json.dumps(owns)}",
            extra,
            "[[rules.principals]]",
            f'arn = "{arn}"',
            f"tags = {tags}",
            f'policies = ["{name}.json"]',
        ]
        return self

    def more(self, text: str) -> Rules:
        self.lines.append(text)
        return self

    def report(self, timeout: float = 30.0) -> Report:
        path = self.folder / "tenantproof.toml"
        path.write_text("\n".join([*self.head, *self.lines]))
        return Run(load_manifest(path), timeout).report()

    def isolated(self) -> list[Finding]:
        return [f for f in self.report().findings if f.question is Question.ISOLATED]

    def leak(self, escape: Escape = Escape.INTO_TENANT) -> tuple[dict[str, str], object]:
        (found,) = [f for f in self.isolated() if f.escape is escape]
        assert found.verdict is Verdict.LEAK
        assert found.request is not None
        return dict(found.names), found.request.context.get(TARGET)


@pytest.fixture
def rules(tmp_path: Path) -> Rules:
    return Rules(tmp_path)


PROVED = [
    ((f"{TAG}/*",), ("{tenant}/*",)),
    ((f"models/{TAG}/v?/*",), ("models/{tenant}/v?/*",)),
    ((f"team-{TAG}/*",), ("team-{tenant}/*",)),
    ((f"{TAG}/x*", f"{TAG}/y?"), ("{tenant}/*",)),
    ((f"{TAG}.tar.gz",), ("{tenant}.tar.gz",)),
    ((f"{TAG}/*/{TAG}",), ("{tenant}/*/{tenant}",)),
    ((f"*/{TAG}/v1",), ("*/{tenant}/v1",)),
]


@pytest.mark.parametrize(("models", "owns"), PROVED)
def test_every_pair_of_names_is_kept_apart(
    rules: Rules, models: tuple[str, ...], owns: tuple[str, ...]
) -> None:
    (finding,) = rules.rule(allow(*models), owns=owns).isolated()
    assert finding.verdict is Verdict.PROVED
    assert finding.attacked > 0
    assert "tapes" in finding.engines


def test_the_missing_slash_of_every_tenant(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}*"))
    assert rules.leak() == ({"tenant": "a", "other": "aa"}, "aa/")
    assert rules.leak(Escape.UNOWNED) == ({"tenant": "a"}, "a")


def test_a_name_that_holds_a_slash(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"), names="[a-z][a-z/]*")
    names, target = rules.leak()
    assert target == "a//"
    assert sorted(names.values()) == ["a", "a/"]


def test_a_tenant_named_as_a_shared_prefix(rules: Rules) -> None:
    rules.shared("common/*").rule(allow(f"{TAG}/*", "common/*"))
    names, target = rules.leak()
    assert (names["other"], target) == ("common", "common/")


def test_a_leak_is_not_called_shortest_beside_one_that_may_be_shorter(rules: Rules) -> None:
    """Of ``?`` behind the tag no smallest request is known: "b" owns "ab", which "a" may use."""
    rules.rule(allow(f"{TAG}?", f"a{TAG}/"), names="[ab/]+", owns=("*{tenant}",))
    (leak,) = [f for f in rules.isolated() if f.escape is Escape.INTO_TENANT]
    assert leak.verdict is Verdict.LEAK
    assert not leak.shortest


def test_a_name_may_be_excluded(rules: Rules) -> None:
    rules.shared("common/*").rule(allow(f"{TAG}/*", "common/*"), extra='except = ["common"]')
    (finding,) = rules.isolated()
    assert finding.verdict is Verdict.PROVED


def test_what_an_excluded_name_would_own_is_owned_by_nobody(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*", "common/*"), extra='except = ["common"]')
    assert rules.leak(Escape.UNOWNED) == ({"tenant": "a"}, "common/")


def test_what_an_empty_name_would_own_is_owned_by_nobody(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*", "/*"), names="[a-z]*")
    assert rules.leak(Escape.UNOWNED) == ({"tenant": "a"}, "/")


def test_a_prefix_beside_plain_names(rules: Rules) -> None:
    rules.rule(allow(f"team-{TAG}/*"))
    assert rules.leak() == ({"tenant": "a", "other": "team-a"}, "team-a/")


def test_a_default_value_that_is_a_name(rules: Rules) -> None:
    rules.rule(allow("${aws:PrincipalTag/team, 'common'}/*"))
    names, target = rules.leak()
    assert (names["other"], target) == ("common", "common/")


def test_a_tag_in_the_operator_without_case(rules: Rules) -> None:
    insensitive = {"StringEqualsIgnoreCase": {TARGET: f"{TAG}/model.tar.gz"}}
    rules.rule(allow(Condition=insensitive), names="[A-Za-z]+", owns=("{tenant}/*",))
    assert rules.leak() == ({"tenant": "A", "other": "a"}, "a/model.tar.gz")


def test_a_tag_in_the_operator_without_case_under_names_in_one_case(rules: Rules) -> None:
    insensitive = {"StringEqualsIgnoreCase": {TARGET: f"{TAG}/model.tar.gz"}}
    rules.rule(allow(Condition=insensitive), names="[a-z]+")
    assert rules.leak(Escape.UNOWNED)[1] == "A/model.tar.gz"


@pytest.mark.parametrize("operator", ["ForAllValues:StringLike", "StringLikeIfExists"])
def test_operators_that_hold_for_an_absent_key(rules: Rules, operator: str) -> None:
    """Of every tenant: a request without a TargetModel, and no other."""
    rules.rule(allow(Condition={operator: {TARGET: f"{TAG}/*"}}))
    (finding,) = rules.isolated()
    assert finding.escape is Escape.NO_TARGET_MODEL
    assert finding.verdict is Verdict.LEAK


@pytest.mark.parametrize("operator", ["ForAnyValue:StringLike", "ForAnyValue:StringEquals"])
def test_a_set_operator_on_one_value(rules: Rules, operator: str) -> None:
    (finding,) = rules.rule(allow(Condition={operator: {TARGET: f"{TAG}/*"}})).isolated()
    assert finding.verdict is Verdict.PROVED


def test_the_role_of_each_tenant(rules: Rules) -> None:
    """The ARN follows from the name, so that a condition on it tells tenants apart."""
    one = allow("*", Condition={"ArnLike": {"aws:PrincipalArn": "*:role/acme"}})
    safe = allow(f"{TAG}/*")
    one["Condition"]["ArnLike"]["aws:PrincipalArn"] = "arn:aws:iam::111122223333:role/acme"
    rules.rule(safe, one, arn="arn:aws:iam::111122223333:role/{tenant}")
    names, _ = rules.leak()
    assert names["tenant"] == "acme"
    (into, *_) = rules.isolated()
    assert into.request is not None
    assert into.request.principal.arn == "arn:aws:iam::111122223333:role/acme"


def test_an_endpoint_of_each_tenant(rules: Rules) -> None:
    """A tag in Resource: only the tenant named like the endpoint may invoke it at all."""
    arn = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/" + TAG
    rules.rule(allow("*", Resource=arn))
    assert rules.leak()[0]["tenant"] == "models"


def test_two_rules_beside_each_other(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"), name="customers", names="[a-z]+")
    rules.rule(allow(f"team-{TAG}/*"), name="teams", names="[a-z]+", owns=("team-{tenant}/*",))
    assert {f.verdict for f in rules.isolated()} == {Verdict.PROVED}


def test_two_rules_that_overlap(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"), name="customers", names="[a-z-]+")
    rules.rule(allow(f"team-{TAG}/*"), name="teams", names="[a-z]+", owns=("team-{tenant}/*",))
    into = [f for f in rules.isolated() if f.escape is Escape.INTO_TENANT]
    assert {(f.tenant, f.verdict) for f in into} == {
        ("customers", Verdict.LEAK),
        ("teams", Verdict.LEAK),
    }


def test_every_tenant_reaches_its_models(rules: Rules) -> None:
    report = rules.rule(allow(f"{TAG}/*")).report()
    (finding,) = [f for f in report.findings if f.question is Question.REACHES]
    assert finding.verdict is Verdict.PROVED
    assert finding.attacked > 0


def test_a_tenant_that_cannot_reach_its_models(rules: Rules) -> None:
    """The policy allows all but one name."""
    deny = allow("acme/*", Effect="Deny")
    report = rules.rule(allow(f"{TAG}/*"), deny).report()
    (finding,) = [f for f in report.findings if f.question is Question.REACHES]
    assert finding.verdict is Verdict.LEAK
    assert finding.names["tenant"] == "acme"


def test_assertions_of_every_tenant(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"))
    rules.more('[[can]]\nprincipal = "customers"\ntarget_model = "{tenant}/v1/*"')
    rules.more('[[cannot]]\nprincipal = "customers"\ntarget_model = "secret"')
    rules.more('[[cannot]]\nprincipal = "customers"\ntarget_model = "{tenant}/secret"')
    found = [f for f in rules.report().findings if f.assertion is not None]
    assert [f.verdict for f in found] == [Verdict.PROVED, Verdict.PROVED, Verdict.LEAK]


def test_an_answer_with_a_bound(rules: Rules) -> None:
    """The name stands twice in a row: no pair is found, and that is known up to a length."""
    rules.rule(allow(f"{TAG}{TAG}"), owns=("{tenant}{tenant}",))
    (finding,) = [f for f in rules.isolated() if f.escape is Escape.INTO_TENANT]
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.reason is not None
    assert "it holds for all values of {other tenant}, {tenant} of up to" in finding.reason


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"names": "(?=a)"}, "rules[0].names: found '?' at character 2"),
        ({"names": "[^ -~]"}, "which no name matches"),
        ({"names": "a?", "extra": 'except = ["a"]'}, "rules[0].except: found all names of 'a?'"),
        ({"names": "é+"}, "which no TargetModel can match for a tenant named 'é'"),
        ({"names": "[a-z ]+"}, "which no TargetModel can match for a tenant named ' '"),
        ({"extra": 'except = ["{tenant}"]'}, "rules[0].except: found '{tenant}', expected no"),
        ({"tags": '{ "{tenant}" = "x" }'}, "rules[0].principals[0].tags: found '{tenant}'"),
        ({"owns": ("models/*",)}, "expected a pattern with {tenant} in it"),
        ({"tags": '{ t = "{tenant}-{tenant}" }'}, "expected {tenant} once at most"),
        (
            {"names": "[a-z/]+", "arn": "arn:aws:iam::111122223333:role/{tenant}"},
            'where a tenant can be named "/", expected names without : and /',
        ),
        ({"extra": "colour = 1"}, "found an unknown field"),
    ],
)
def test_bad_rules_are_named(rules: Rules, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as raised:
        rules.rule(allow(f"{TAG}/*"), **arguments).report()
    assert message in str(raised.value)


def test_rules_or_a_list(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"))
    rules.more('[[tenants]]\nname = "x"\nowns = ["x/*"]\n[[tenants.principals]]')
    rules.more('arn = "arn:aws:iam::111122223333:role/x"\npolicies = ["customers.json"]')
    with pytest.raises(InputError, match="expected tenants by rule or by list"):
        rules.report()


def test_a_star_in_a_name_is_no_wildcard(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"), names="[*?a]{1,2}")
    rules.more('[[cannot]]\nprincipal = "customers"\ntarget_model = "b{tenant}/*"')
    assert [f.verdict for f in rules.report().findings] == [Verdict.PROVED] * 3


def test_a_proof_of_cannot_is_attacked_near_its_models(rules: Rules) -> None:
    rules.rule(allow(f"{TAG}/*"), names="[a-z]+")
    rules.more('[[cannot]]\nprincipal = "customers"\ntarget_model = "INTERNAL/*"')
    (finding,) = [f for f in rules.report().findings if f.question is Question.CANNOT]
    assert finding.verdict is Verdict.PROVED
    assert finding.attacked > 0


def test_the_report_says_which_names_are_meant(rules: Rules) -> None:
    """A verdict about names that are not excluded must not read as one about all that match."""
    rules.shared("common/*")
    rules.rule(allow(f"{TAG}/*"), names="[a-z]+", extra='except = ["common", "x-*"]')
    assert (
        'tenants of customers have names of at least one character matching "[a-z]+",'
        ' none of them like "common", "x-*"'
    ) in rules.report().assumptions


SESSION = "arn:aws:sts::111122223333:assumed-role/app/{tenant}"


def test_the_user_id_of_a_session_ends_with_its_name(rules: Rules) -> None:
    """It was ":{tenant}", so that the evaluator allowed what the prover did not."""
    named = {"StringLike": {TARGET: f"{TAG}/*", "aws:userid": f"*:{TAG}"}}
    rules.rule(allow(Condition=named), arn=SESSION, names="[a-z]{2,8}")
    isolated, reaches = rules.report(timeout=2).findings
    assert isolated.verdict is Verdict.PROVED
    assert reaches.verdict is not Verdict.LEAK


def test_a_leak_of_the_session_of_one_name(rules: Rules) -> None:
    one = {"StringLike": {"aws:userid": "*:acme"}}
    rules.rule(allow(f"{TAG}/*"), allow(Condition=one), arn=SESSION, names="[a-z]{2,8}")
    names, _ = rules.leak()
    assert names["tenant"] == "acme"


def test_the_user_id_of_a_federated_user_is_its_name(rules: Rules) -> None:
    one = {"StringEquals": {"aws:userid": "111122223333:acme"}}
    rules.rule(
        allow(f"{TAG}/*"),
        allow(Condition=one),
        arn="arn:aws:sts::111122223333:federated-user/{tenant}",
        names="[a-z]{2,8}",
    )
    names, _ = rules.leak()
    assert names["tenant"] == "acme"
