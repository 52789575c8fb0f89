"""A statement quoted from its file, the part to blame marked under it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from tenantproof.errors import Place
from tenantproof.isolation import Blame

_MOST_LINES = 24
"""A longer statement is cut to what stands around the mark."""

_WIDEST = 160
"""A longer line is cut, too: some files hold a policy in one line."""


def quote_statement(blame: Blame, texts: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """The lines of a statement as its file has them, numbered, with a mark at the part to blame.

    Args:
        blame: the statement and the place to mark.
        texts: the texts of policies that stand in no file, by the name that they go by.

    Returns:
        The lines; none where the file cannot be read any more, or has changed.
    """
    text = _text(blame.file, texts or {})
    start = blame.statement_place
    if text is None or not start.line:
        return ()
    lines = text.split("\n")
    first, last = start.line, _last_line(lines, start)
    if last is None or not first <= blame.place.line <= last:
        return ()
    return tuple(_numbered(lines, _chosen(first, last, blame.place.line), blame))


def _text(file: str, texts: Mapping[str, str]) -> str | None:
    if file in texts:
        return texts[file]
    try:
        return Path(file).read_text("utf-8-sig")
    except (OSError, ValueError):
        return None


def _last_line(lines: list[str], start: Place) -> int | None:
    """The line in which the statement that begins at a place ends."""
    if start.line > len(lines):
        return None
    rest = "\n".join([lines[start.line - 1][start.column - 1 :], *lines[start.line :]])
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(rest)
    except (ValueError, RecursionError):
        # Read with --lenient: comments are no JSON. The marked lines alone are quoted.
        return min(start.line + _MOST_LINES, len(lines))
    return start.line + rest.count("\n", 0, end)


def _chosen(first: int, last: int, marked: int) -> list[int]:
    """The numbers of the lines to show: all, or the first and those around the mark."""
    if last - first < _MOST_LINES:
        return list(range(first, last + 1))
    around = range(max(first + 1, marked - 4), min(last, marked + 4) + 1)
    return [first, *around]


def _numbered(lines: list[str], chosen: list[int], blame: Blame) -> Iterator[str]:
    width = len(str(chosen[-1]))
    before: int | None = None
    for number in chosen:
        if before is not None and number > before + 1:
            yield f"  {'':{width}} | ..."
        marked = number == blame.place.line
        line = lines[number - 1].rstrip("\r").expandtabs(1)
        column = blame.place.column - 1
        cut = max(0, column - _WIDEST // 2) if marked and len(line) > _WIDEST else 0
        shown = line[cut : cut + _WIDEST]
        yield f"{'>' if marked else ' '} {number:{width}} | {shown}"
        if marked:
            size = _size(line, column)
            yield f"  {'':{width}} | {' ' * (column - cut)}{'^' * min(size, _WIDEST)}"
        before = number


def _size(line: str, column: int) -> int:
    """How many characters the JSON value at a column takes, 1 where it goes beyond the line."""
    try:
        _, end = json.JSONDecoder(strict=False).raw_decode(line, column)
    except (ValueError, RecursionError, IndexError):
        return 1
    return end - column
