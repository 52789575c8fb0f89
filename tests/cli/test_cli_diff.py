"""``tenantproof diff``: files, folders and manifests, exit codes, what bad input says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result

from conftest import Setup, allow
from tenantproof.cli import Exit, main
from tenantproof.errors import DisagreementError
from tenantproof.report import diff_schema

EXAMPLE = Path(__file__).parents[2] / "examples" / "diff"


def diff(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)])


def diff_json(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = diff("--format", "json", *arguments)
    found: dict[str, Any] = json.loads(result.stdout)
    jsonschema.validate(found, diff_schema())
    return result.exit_code, found


def write(path: Path, *statements: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    return path


def grant(action: str = "s3:GetObject", resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def test_the_same_file_has_nothing_new(tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", grant())
    result = diff(path, path)
    assert result.exit_code == Exit.PROVED, result.output
    assert "NEW allows nothing that OLD does not" in result.output


def test_new_access_is_shown_with_both_sides(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", grant(resource="arn:aws:s3:::b/acme/*"))
    new = write(tmp_path / "new.json", grant(resource="arn:aws:s3:::b/acme*"))
    result = diff(old, new)
    assert result.exit_code == Exit.LEAK, result.output
    assert "request  s3:GetObject on arn:aws:s3:::b/acme" in result.output
    assert "NEW allows by Statement[0]" in result.output
    assert "OLD allows it by no statement" in result.output
    code, found = diff_json(old, new)
    assert code == Exit.LEAK
    (pair,) = found["pairs"]
    (change,) = pair["changes"]
    assert change["way"] == "gained"
    assert change["new"]["allowed"] is True
    assert change["old"]["allowed"] is False
    assert change["new"]["statements"][0]["path"] == "$.Statement[0].Action"
    assert pair["removed"] is None


def test_what_was_removed_is_told(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", grant(), grant("s3:PutObject"))
    new = write(tmp_path / "new.json", grant())
    code, found = diff_json(old, new)
    assert code == Exit.PROVED
    assert found["pairs"][0]["removed"]["request"]["action"] == "s3:PutObject"


@pytest.mark.parametrize(
    ("question", "code"),
    [("no-new-access", 0), ("equivalent", 1), ("disjoint", 1), ("at-most", 0)],
)
def test_each_question(tmp_path: Path, question: str, code: int) -> None:
    old = write(tmp_path / "old.json", grant("s3:*"))
    new = write(tmp_path / "new.json", grant("s3:Get*"))
    found_code, found = diff_json("--question", question, old, new)
    assert found_code == code
    assert found["question"] == question


def test_folders_are_paired_by_name(tmp_path: Path) -> None:
    write(tmp_path / "old/same.json", grant())
    write(tmp_path / "new/same.json", grant())
    write(tmp_path / "old/deep/gone.json", grant())
    write(tmp_path / "new/deep/added.json", grant())
    code, found = diff_json(tmp_path / "old", tmp_path / "new")
    assert code == Exit.LEAK
    verdicts = {pair["name"]: (pair["verdict"], pair["notes"]) for pair in found["pairs"]}
    assert verdicts == {
        "deep/added.json": ("LEAK", ["only in NEW: compared with no policy"]),
        "deep/gone.json": ("PROVED", ["only in OLD: removed"]),
        "same.json": ("PROVED", []),
    }


def test_manifests_are_paired_by_arn(setup: Setup, tmp_path: Path) -> None:
    old = setup.tenant("acme").tenant("beta").write()
    (tmp_path / "new").mkdir()
    changed = Setup(tmp_path / "new").tenant("acme", allow("acme*"), owns=("acme/*",))
    new = changed.tenant("beta", tags={"team": "red"}).tenant("gamma").write()
    code, found = diff_json(old, new.parent)
    assert code == Exit.LEAK
    pairs = {pair["name"].rpartition("/")[2]: pair for pair in found["pairs"]}
    assert pairs["acme"]["changes"][0]["request"]["context"] == {"sagemaker:TargetModel": "acme"}
    assert pairs["beta"]["verdict"] == "PROVED"
    assert pairs["beta"]["notes"] == ['the tag team was absent and is "red"']
    assert pairs["gamma"]["verdict"] == "LEAK"


def test_a_changed_tag_is_a_changed_stack(tmp_path: Path) -> None:
    own = allow("${aws:PrincipalTag/tenant}/*")
    paths = []
    for name, tag in (("old", "acme"), ("new", "beta")):
        (tmp_path / name).mkdir()
        setup = Setup(tmp_path / name).tenant("acme", own, tags={"tenant": tag})
        paths.append(setup.write())
    code, found = diff_json(*paths)
    assert code == Exit.LEAK
    (change,) = found["pairs"][0]["changes"]
    assert change["request"]["context"] == {"sagemaker:TargetModel": "beta/"}
    assert change["request_to_old"]["principal"]["tags"] == {"tenant": "acme"}


def test_unknown_is_exit_code_3(tmp_path: Path) -> None:
    # That a set of values holds exactly one, for a variable, has no model.
    condition = {"StringEquals": {"aws:PrincipalTag/a": "${aws:TagKeys}"}}
    new = write(tmp_path / "new.json", grant(Condition=condition))
    old = write(tmp_path / "old.json", grant("s3:PutObject"))
    code, found = diff_json(old, new)
    assert code == Exit.UNKNOWN
    assert "aws:TagKeys" in found["pairs"][0]["reason"]


def test_a_timeout_is_unknown(tmp_path: Path) -> None:
    new = write(tmp_path / "new.json", grant(resource="arn:aws:s3:::*a*b*c*d*"))
    old = write(tmp_path / "old.json", grant(resource="arn:aws:s3:::*a*b*c*e*"))
    assert diff("--timeout", "0.000001", old, new).exit_code == Exit.UNKNOWN


def test_a_disagreement_is_exit_code_4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def disagree(*_: object, **__: object) -> None:
        raise DisagreementError("one says yes")

    monkeypatch.setattr("tenantproof.compare.questions.Inquiry.smallest", disagree)
    path = write(tmp_path / "p.json", grant())
    code, found = diff_json(path, path)
    assert code == Exit.INTERNAL
    assert "one says yes" in found["errors"][0]["message"]


def test_an_interrupt_is_exit_code_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tenantproof.compare.questions.Inquiry.smallest", interrupt)
    path = write(tmp_path / "p.json", grant())
    assert diff(path, path).exit_code == Exit.INTERRUPTED


def test_the_problems_of_both_sides_are_told(tmp_path: Path) -> None:
    old = write(tmp_path / "old.json", {"Effect": "allow", "Action": "x", "Resource": "*"})
    new = tmp_path / "new.json"
    new.write_bytes(b"\xff\x00{")
    result = diff(old, new)
    assert result.exit_code == Exit.BAD_INPUT
    assert "old.json" in result.stderr
    assert "new.json" in result.stderr
    code, found = diff_json(old, new)
    assert code == Exit.BAD_INPUT
    assert found["verdict"] == "UNKNOWN"
    assert {error["file"] for error in found["errors"]} == {str(old), str(new)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("folder", "p.json", "found a policy file to compare with a folder of policy files"),
        ("p.json", "manifest", "found a manifest to compare with a policy file"),
        ("empty", "empty", "found no *.json in either folder"),
        ("p.json", "bucket.json", "found Principal, expected none|found neither Principal nor"),
        ("p.json", "odd.json", "found no readable file"),
        ("p.json", "deep.json", "levels"),
    ],
)
def test_what_cannot_be_compared_says_so(
    setup: Setup, tmp_path: Path, old: str, new: str, message: str
) -> None:
    write(tmp_path / "p.json", grant())
    write(tmp_path / "folder/p.json", grant())
    write(tmp_path / "bucket.json", grant(Principal="*"))
    (tmp_path / "deep.json").write_text("[" * 5000)
    (tmp_path / "odd.json").symlink_to("/dev/zero")
    (tmp_path / "empty").mkdir()
    (tmp_path / "manifest").mkdir()
    Setup(tmp_path / "manifest").tenant("acme").write()
    result = diff(tmp_path / old, tmp_path / new)
    assert result.exit_code == Exit.BAD_INPUT, result.output
    assert any(part in result.stderr for part in message.split("|")), result.stderr
    assert "Traceback" not in result.output


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    assert diff(tmp_path / "a", tmp_path / "b").exit_code == Exit.BAD_INPUT


def test_lenient_reads_what_people_paste(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text(
        '{"Statement": [/* all */ {"Effect": "Allow", "Action": "*", "Resource": "*"},]}'
    )
    assert diff(path, path).exit_code == Exit.BAD_INPUT
    assert diff("--lenient", path, path).exit_code == Exit.PROVED


def test_tenants_by_rule_are_refused(tmp_path: Path) -> None:
    path = EXAMPLE.parent / "all-tenants"
    result = diff(path, path)
    assert result.exit_code == Exit.BAD_INPUT
    assert "found tenants by rule" in result.stderr


def test_the_example() -> None:
    code, found = diff_json(EXAMPLE / "old", EXAMPLE / "new")
    assert code == Exit.LEAK
    assert {p["name"]: p["verdict"] for p in found["pairs"]} == {
        "bucket.json": "PROVED",
        "invoke.json": "LEAK",
    }


def test_a_link_to_a_folder_is_not_left_out(tmp_path: Path) -> None:
    """Its policies are not compared: a proof that is silent about them would be wider."""
    write(tmp_path / "old/p.json", grant())
    write(tmp_path / "new/p.json", grant())
    write(tmp_path / "elsewhere/more.json", grant("*"))
    (tmp_path / "new/more").symlink_to(tmp_path / "elsewhere")
    result = diff(tmp_path / "old", tmp_path / "new")
    assert result.exit_code == Exit.BAD_INPUT
    assert "new/more: folder: found a link to a folder, which is not followed" in result.output


def test_a_folder_that_cannot_be_read_is_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "old/p.json", grant())
    write(tmp_path / "new/p.json", grant())
    write(tmp_path / "new/more/q.json", grant("*"))
    scandir = os.scandir

    def refusing(path: Any) -> Any:
        if str(path).endswith("more"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result = diff(tmp_path / "old", tmp_path / "new")
    assert result.exit_code == Exit.BAD_INPUT
    assert "new/more: folder: found no readable folder (Permission denied)" in result.output


def test_the_ending_of_a_policy_file_may_be_in_capitals(tmp_path: Path) -> None:
    write(tmp_path / "old/p.json", grant())
    write(tmp_path / "new/p.json", grant())
    write(tmp_path / "new/Q.JSON", grant("*"))
    assert diff(tmp_path / "old", tmp_path / "new").exit_code == Exit.LEAK


def test_a_denial_that_is_gone_is_told(tmp_path: Path) -> None:
    """By itself a policy of denials allows nothing, with or without them: PROVED, but told."""
    write(tmp_path / "old/deny.json", grant(Effect="Deny", Sid="Guard"))
    write(tmp_path / "old/allow.json", grant())
    write(tmp_path / "new/allow.json", grant())
    code, found = diff_json(tmp_path / "old", tmp_path / "new")
    assert code == Exit.PROVED
    note = (
        'OLD\'s Deny Statement[0] "Guard" is not in NEW as it is: what it took from others is not'
        " asked"
    )
    assert [pair["notes"] for pair in found["pairs"]] == [[], ["only in OLD: removed", note]]
    assert found["assumptions"][0].startswith("each policy is compared by itself")


def test_what_two_policies_share_is_no_difference(tmp_path: Path) -> None:
    path = write(tmp_path / "p.json", grant())
    result = diff(path, path, "--question", "disjoint")
    assert result.exit_code == Exit.LEAK
    assert result.output.endswith("OVERLAPS: 1 OVERLAPS\n")


def test_a_request_that_every_reading_has_is_shown_first(tmp_path: Path) -> None:
    """The smallest has a tag with an empty value, which may count as absent."""
    old = write(tmp_path / "old.json", grant(resource="arn:aws:s3:::b/${aws:username}/*"))
    new = write(tmp_path / "new.json", grant(resource="arn:aws:s3:::b/${aws:PrincipalTag/t}/*"))
    _, found = diff_json(old, new)
    (change,) = found["pairs"][0]["changes"]
    assert change["reason"] is None
    assert change["request"]["principal"]["tags"]["t"]
