"""The snapshot's folder: written beside its place, and put there whole at the end."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tenantproof.errors import InputError, Place, Problem
from tenantproof.pull.plain import as_json
from tenantproof.sources.snapshots import INDEX, listed_files

_MOST_SHOWN = 5
_MOST_IN_A_FILE = 500
_MOST_CHARACTERS = 8 << 20
"""A file is begun anew where it would be longer."""


class Folder:
    """Files that are written, by names that are ours: nothing of AWS's is in them.

    Args:
        path: an empty folder.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.files: list[str] = []

    def write(self, name: str, content: Any) -> None:
        """Write a file of JSON."""
        path = self._path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # A lone surrogate, which no JSON text of AWS's has to be free of, is escaped.
        path.write_text(as_json(content), "utf-8", errors="backslashreplace", newline="\n")
        if name != INDEX:
            self.files.append(name)

    @contextmanager
    def listing(self, name: str, member: str) -> Iterator[Listing]:
        """A list of things that is written in as many files as it takes.

        Args:
            name: the files' name, without number and suffix.
            member: the name of the list in them.
        """
        listing = Listing(self, name, member)
        yield listing
        listing.flush()


class Listing:
    """A list that is written file by file."""

    def __init__(self, folder: Folder, name: str, member: str) -> None:
        """Begin with the first file."""
        self._folder = folder
        self._name = name
        self._member = member
        self._number = 0
        self._characters = 0
        self._records: list[Any] = []
        self.count = 0

    def add(self, record: Any) -> None:
        """Add a thing."""
        self._records.append(record)
        self._characters += len(as_json(record))
        self.count += 1
        if len(self._records) >= _MOST_IN_A_FILE or self._characters >= _MOST_CHARACTERS:
            self.flush()

    def flush(self) -> None:
        """Write what is not written yet."""
        if self._records:
            self._number += 1
            self._folder.write(
                f"{self._name}-{self._number:04}.json", {self._member: self._records}
            )
            self._records, self._characters = [], 0


@contextmanager
def snapshot_at(output: Path, *, force: bool) -> Iterator[Folder]:
    """A folder to write to, which is at its place once the context is left without an error.

    With an error or an interruption nothing is left of it, and what was at its place still is.

    Args:
        output: its place.
        force: whether a snapshot may be there already, which is replaced.

    Raises:
        InputError: something else is there, or the disk does not take it.
    """
    check_output(output, force=force)
    with _disk(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    try:
        with _disk(output):
            yield Folder(made)
            check_output(output, force=force)
            _put(made, output)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def check_output(output: Path, *, force: bool) -> None:
    """Refuse a place where something is that must not be replaced.

    Raises:
        InputError: what is there, and what was expected.
    """
    expected = "expected no such file, an empty folder, or a snapshot"
    if output.is_symlink() or (output.exists() and not output.is_dir()):
        raise _refused(output, f"found a {'link' if output.is_symlink() else 'file'}, {expected}")
    for above in output.resolve().parents:
        if listed_files(above) is not None:
            raise _refused(output, f"found a place in the snapshot {above}, expected one beside it")
    if not output.exists():
        return
    with _disk(output):
        if Path.cwd().is_relative_to(output.resolve()):
            raise _refused(output, "found the folder that this runs in, expected another one")
        if not any(output.iterdir()):
            return
        listed = listed_files(output)
        if listed is None:
            raise _refused(output, f"found a folder that is no snapshot, {expected}")
        others = sorted(_files_in(output) - listed - {INDEX})
    if others:
        shown = ", ".join(others[:_MOST_SHOWN]) + (", ..." if len(others) > _MOST_SHOWN else "")
        message = f"found files that are none of the snapshot's: {shown}"
        raise _refused(output, f"{message}, expected nothing else in it")
    if not force:
        raise _refused(output, "found a snapshot, expected --force to replace it")


def _files_in(output: Path) -> set[str]:
    """The files in a folder, and the links."""
    return {
        path.relative_to(output).as_posix()
        for path in output.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }


def _put(made: Path, output: Path) -> None:
    """Put a folder in the place of another one: by renaming, so that none is there half."""
    if not output.exists():
        made.rename(output)
        return
    aside = made.with_name(f"{made.name}.old")
    output.rename(aside)
    try:
        made.rename(output)
    except BaseException:
        with suppress(OSError):
            aside.rename(output)
        raise
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _disk(output: Path) -> Iterator[None]:
    """What the disk refuses is an error about the output."""
    try:
        yield
    except OSError as error:
        where = os.fspath(error.filename) if error.filename else str(output)
        reason = error.strerror or type(error).__name__
        raise _refused(output, f"found no way to write {where} ({reason})") from None


def _refused(output: Path, message: str) -> InputError:
    return InputError([Problem(message, Place(str(output), ""))])
