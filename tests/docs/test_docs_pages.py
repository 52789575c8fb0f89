"""Each page of the documentation shows what is really printed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from docs_pages import PAGES, ROOT, Code, Command, File, is_printed, run, shown

FIRST = ROOT / "docs" / "index.md"
OTHERS = [page for page in PAGES if page != FIRST and any(shown(page.read_text("utf-8")))]


def check(page: str, folder: Path) -> None:
    """Do what a page says, in its order, and compare."""
    for each in shown(page):
        match each:
            case File(name, text):
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
            case Command() if each.asks_aws:
                pass
            case Command(line, output):
                printed = run(line, folder)
                assert is_printed(output, printed), f"{line}\n{printed}"
            case Code(text):
                script = folder / "script.py"
                script.write_text(text, "utf-8")
                printed = run("python script.py", folder)
                assert printed.splitlines() == each.output, f"{text}\n{printed}"


def test_the_first_page_works_in_an_empty_folder(tmp_path: Path) -> None:
    page = FIRST.read_text("utf-8")
    files = [each.name for each in shown(page) if isinstance(each, File)]
    commands = [each.line for each in shown(page) if isinstance(each, Command)]
    assert files == ["tenantproof.toml", "invoke.json"]
    assert commands[0] == "pytest tenantproof.toml\n"
    check(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", OTHERS, ids=lambda page: page.stem)
def test_a_page_shows_what_is_printed(page: Path, tmp_path: Path) -> None:
    """In a clone of the project, where its examples are."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    check(page.read_text("utf-8"), tmp_path)


@pytest.mark.slow
def test_the_readme_shows_what_is_printed(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    page = (ROOT / "README.md").read_text("utf-8")
    # Installed it is, and the commands are the same in every environment.
    page = page.replace("python3 -m venv .venv && .venv/bin/pip install . &&", "")
    check(page.replace(".venv/bin/", ""), tmp_path)


def test_lines_left_out_and_times_are_not_compared() -> None:
    printed = "a\nb\n=== 1 passed in 0.12s ===\nc\n"
    assert is_printed("a\n...\n==== 1 passed in 9.8s =====\n", printed)
    assert is_printed("b\n", printed)
    assert not is_printed("a\nc\n", printed)
    assert not is_printed("a\n...\nb\n=== 2 passed in 0.12s ===\n", printed)
