"""Reading other bytes in place of files, and telling which files were read."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from conftest import Setup, allow
from tenantproof.errors import InputError
from tenantproof.isolation import load_manifest
from tenantproof.policy import PolicyDocument, files_read, load_policy, reading_instead


def policy(sid: str) -> bytes:
    return json.dumps({"Statement": allow("acme/*", Sid=sid)}).encode()


def sid(document: PolicyDocument) -> str | None:
    return document.statements[0].sid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "policy.json"
    path.write_bytes(policy("disk"))
    return path


def test_the_other_bytes_are_read_within_the_context_alone(file: Path) -> None:
    with reading_instead({file: policy("instead")}):
        assert sid(load_policy(file)) == "instead"
    assert sid(load_policy(file)) == "disk"


def test_the_inner_context_goes_first_and_the_outer_one_goes_on(file: Path) -> None:
    other = file.parent / "other.json"
    with reading_instead({file: policy("outer"), other: policy("outer")}):
        with reading_instead({file: policy("inner")}):
            assert sid(load_policy(file)) == "inner"
            assert sid(load_policy(other)) == "outer"
        assert sid(load_policy(file)) == "outer"


def test_an_exception_ends_the_context(file: Path) -> None:
    def fail() -> None:
        with reading_instead({file: policy("instead")}), files_read():
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with files_read() as read:
        assert sid(load_policy(file)) == "disk"
    assert read == {file.resolve()}


def test_a_thread_reads_its_own(file: Path) -> None:
    seen: list[str | None] = []
    entered, done = threading.Event(), threading.Event()

    def read_with(text: str) -> None:
        with reading_instead({file: policy(text)}):
            entered.set()
            done.wait(10)
            seen.append(sid(load_policy(file)))

    thread = threading.Thread(target=read_with, args=("thread",))
    with reading_instead({file: policy("main")}):
        thread.start()
        entered.wait(10)
        assert sid(load_policy(file)) == "main"
        done.set()
        thread.join()
    assert seen == ["thread"]
    assert sid(load_policy(file)) == "disk"


def test_links_and_other_names_are_the_same_file(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    with reading_instead({tmp_path / "." / "link.json": policy("instead")}):
        assert sid(load_policy(file)) == "instead"
        assert sid(load_policy(tmp_path / ".." / tmp_path.name / "link.json")) == "instead"


def test_a_file_that_is_not_there_can_be_read(tmp_path: Path) -> None:
    with reading_instead({tmp_path / "new.json": policy("instead")}):
        assert sid(load_policy(tmp_path / "new.json")) == "instead"
    with pytest.raises(InputError):
        load_policy(tmp_path / "new.json")


def test_bad_bytes_are_told_like_those_of_the_file(file: Path) -> None:
    with reading_instead({file: b"{"}), pytest.raises(InputError) as raised:
        load_policy(file)
    assert raised.value.problems[0].place.file == str(file)


def test_a_manifest_reads_the_other_bytes_of_itself_and_of_its_policies(setup: Setup) -> None:
    path = setup.tenant("acme", allow("acme/*", Sid="disk")).write()
    instead = {
        path: path.read_bytes().replace(b'"acme/*"', b'"acme/v1/*"'),
        path.parent / "acme.json": policy("instead"),
    }
    with reading_instead(instead), files_read() as read:
        manifest = load_manifest(path.parent)
    assert manifest.tenants[0].owns == ("acme/v1/*",)
    assert sid(manifest.tenants[0].members[0].policies.identity_policies[0]) == "instead"
    assert read == {each.resolve() for each in instead}


def test_what_is_read_is_told_to_every_context_around_it(file: Path) -> None:
    other = file.parent / "other.json"
    other.write_bytes(policy("other"))
    with files_read() as outer:
        load_policy(other)
        with files_read() as inner:
            load_policy(file)
            with pytest.raises(InputError):
                load_policy(file.parent / "missing.json")
    load_policy(other)
    assert inner == {file.resolve(), (file.parent / "missing.json").resolve()}
    assert outer == {*inner, other.resolve()}
