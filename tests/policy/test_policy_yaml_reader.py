"""YAML is read as JSON written in another way, and nothing else of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tenantproof.cli import main
from tenantproof.errors import InputError
from tenantproof.policy import load_policy, parse_policy
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonBool,
    JsonNode,
    JsonNull,
    JsonNumber,
    JsonObject,
    JsonString,
)
from tenantproof.policy.yaml_reader import read_yaml
from tenantproof.sources import load_sources

POLICY = """\
Version: 2012-10-17
Statement:
  - Sid: Own
    Effect: Allow
    Action: sagemaker:InvokeEndpoint
    Resource: "*"
    Condition:
      StringLike:
        sagemaker:TargetModel: acme/*
      Bool:
        aws:SecureTransport: true
"""
SAME = """\
{"Version": "2012-10-17", "Statement": [{"Sid": "Own", "Effect": "Allow",
 "Action": "sagemaker:InvokeEndpoint", "Resource": "*", "Condition": {
 "StringLike": {"sagemaker:TargetModel": "acme/*"}, "Bool": {"aws:SecureTransport": true}}}]}
"""


def member(root: JsonNode, name: str) -> JsonNode:
    assert isinstance(root, JsonObject)
    return next(value for key, value in root.members if key.value == name)


def refused(text: str | bytes) -> str:
    with pytest.raises(InputError) as error:
        read_yaml(text, "a.yaml")
    return str(error.value)


def test_a_policy_file_in_yaml(tmp_path: Path) -> None:
    path = tmp_path / "acme.yaml"
    path.write_text(POLICY, "utf-8")
    found = load_policy(path)
    assert found == parse_policy(SAME)
    place = found.statements[0].conditions[0].values[0].place
    assert (place.line, place.column) == (9, 32)
    assert place.path == '$.Statement[0].Condition.StringLike["sagemaker:TargetModel"]'


@pytest.mark.parametrize("text", ["2012-10-17", "on", "yes", "No", "~", "True", "0x10", "1_000"])
def test_plain_texts_stay_texts(text: str) -> None:
    node = member(read_yaml(f"a: {text}", "a.yaml"), "a")
    assert isinstance(node, JsonString)
    assert node.value == text


@pytest.mark.parametrize("text", ["1", "-0", "1.10", "1e400", "12345678901234567890"])
def test_numbers_stay_as_they_are_written(text: str) -> None:
    node = member(read_yaml(f"a: {text}", "a.yaml"), "a")
    assert isinstance(node, JsonNumber)
    assert node.text == text
    assert isinstance(member(read_yaml(f"a: '{text}'", "a.yaml"), "a"), JsonString)


def test_constants() -> None:
    root = read_yaml("{t: true, f: false, n: null, e: , q: 'true'}", "a.yaml")
    assert isinstance(member(root, "t"), JsonBool)
    assert isinstance(member(root, "f"), JsonBool)
    assert isinstance(member(root, "n"), JsonNull)
    assert isinstance(member(root, "e"), JsonNull)
    assert isinstance(member(root, "q"), JsonString)


def test_an_alias_is_what_its_anchor_is() -> None:
    root = read_yaml("a: &x [1, 2]\nb: *x", "a.yaml")
    assert member(root, "a") is member(root, "b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\na: 2", 'a.yaml:2:1: $.a: found the key "a" a second time'),
        ("a: !!python/object:os.system x", "found the tag"),
        ("a: !Ref x", 'found the tag "!Ref", expected none'),
        ("a: 1\n---\nb: 2", "a.yaml:2:1: $: found a second document"),
        ("", "found the end of the text, expected a document"),
        ("# nothing", "found the end of the text, expected a document"),
        ("<<: {a: 1}", "found a merge key"),
        ("? [a]\n: 1", "found a list of 1 as a key, expected a text"),
        ("a: *x", "found the alias *x, which no anchor above defines"),
        ("a: &x [*x]", "found the alias *x, which no anchor above defines"),
        ("a: [", "a.yaml:2:1: $: found no valid YAML"),
        ("a: \0", "found no valid YAML: unacceptable character"),
        ("\t- x", "found no valid YAML"),
        ("a: \ud800", "found half of a surrogate pair"),
        (b"a: \xff", "a.yaml:1:1: $: found the byte 0xff, expected text in UTF-8"),
        ("[" * 100 + "]" * 100, "expected at most 64 levels of nesting"),
        # PyYAML has a bound of its own, as of some version.
        ("[" * 100_000, "nesting"),
        ("- " * 20_000, "expected at most 64 levels of nesting"),
        ("? " * 20_000, "expected at most 64 levels of nesting"),
    ],
)
def test_what_is_refused(text: str | bytes, expected: str) -> None:
    assert expected in refused(text)


def test_aliases_of_aliases_are_bounded() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    for one, two in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{two}: &{two} [{', '.join([f'*{one}'] * 10)}]")
    assert "found aliases that repeat more than 100000 values" in refused("\n".join(lines))


def test_short_forms_of_cloudformation() -> None:
    text = "a: !Sub 'x${y}'\nb: !GetAtt Name.Arn.x\nc: !If [c, !Ref d, e]"
    root = read_yaml(text, "a.yaml", short_forms=True)
    long = read_yaml(
        "a: {'Fn::Sub': 'x${y}'}\nb: {'Fn::GetAtt': [Name, Arn.x]}\n"
        "c: {'Fn::If': [c, {Ref: d}, e]}",
        "a.yaml",
    )
    assert plain(root) == plain(long)


def plain(node: JsonNode) -> object:
    match node:
        case JsonObject(members):
            return {key.value: plain(value) for key, value in members}
        case JsonArray(items):
            return [plain(item) for item in items]
        case JsonNumber(text):
            return text
        case JsonNull():
            return None
        case JsonString(value) | JsonBool(value):
            return value


MANIFEST = """\
[[endpoints]]
arn = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"

[[tenants]]
name = "acme"
owns = ["acme/*"]
principals = [{ arn = "arn:aws:iam::111122223333:role/acme", policies = ["acme.yaml"] }]

[[tenants]]
name = "globex"
owns = ["globex/*"]
principals = [{ arn = "arn:aws:iam::111122223333:role/globex", policies = ["globex.yaml"] }]
"""


def test_a_manifest_of_policies_in_yaml(tmp_path: Path) -> None:
    for tenant in ("acme", "globex"):
        text = POLICY.replace("acme/*", f"{tenant}/*")
        (tmp_path / f"{tenant}.yaml").write_text(text, "utf-8")
    (tmp_path / "tenantproof.toml").write_text(MANIFEST, "utf-8")
    certificate = str(tmp_path / "certificate.json")
    run = CliRunner().invoke
    assert run(main, ["check", str(tmp_path), "--certificate", certificate]).exit_code == 0
    assert run(main, ["verify", certificate]).exit_code == 0
    refused = run(main, ["mutate", str(tmp_path)])
    assert refused.exit_code == 2
    assert "found a policy in YAML, expected JSON, which mutants are made of" in refused.output


def test_an_account_export_in_yaml_is_the_export(tmp_path: Path) -> None:
    document = json.loads(SAME)
    arn = "arn:aws:iam::111122223333:role/acme"
    inline = [{"PolicyName": "own", "PolicyDocument": document}]
    record = {"Arn": arn, "AssumeRolePolicyDocument": TRUST, "RolePolicyList": inline}
    export = {"RoleDetailList": [record], "Policies": []}
    (tmp_path / "export.json").write_text(json.dumps(export), "utf-8")
    (tmp_path / "export.yaml").write_text(yaml.safe_dump(export, sort_keys=False), "utf-8")
    one, two = (load_sources([tmp_path / f"export.{suffix}"]) for suffix in ("json", "yaml"))
    assert one.identities == two.identities
    assert len(load_sources([tmp_path]).identities) == 1


TRUST = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"},
}
