"""Where the bytes of policies and manifests come from: the disk, or what is read in its place.

A policy can be asked about as it would be after an edit, without an edit: whatever reads files
here reads the other text (:func:`reading_instead`), and says which files it read
(:func:`files_read`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType

_INSTEAD: ContextVar[Mapping[Path, bytes]] = ContextVar("instead", default=MappingProxyType({}))
_READERS: ContextVar[tuple[set[Path], ...]] = ContextVar("readers", default=())


@contextmanager
def reading_instead(files: Mapping[Path, bytes]) -> Iterator[None]:
    """Read other bytes in place of some files, within the context and no further.

    ``load_policy`` and ``load_manifest`` see it. A file that does not exist can be given, too.
    Contexts can be nested: the inner one goes first. It holds for the thread or task that entered
    it alone (:mod:`contextvars`).

    Args:
        files: by path, what to read; links are followed, as they are when a file is read.
    """
    resolved = {path.resolve(): data for path, data in files.items()}
    token = _INSTEAD.set({**_INSTEAD.get(), **resolved})
    try:
        yield
    finally:
        _INSTEAD.reset(token)


@contextmanager
def files_read() -> Iterator[set[Path]]:
    """The files that are read within the context, by the thread or task that entered it.

    Yields:
        The resolved paths, those read in place of others and those that could not be read too;
        filled while reading goes on.
    """
    read: set[Path] = set()
    token = _READERS.set((*_READERS.get(), read))
    try:
        yield read
    finally:
        _READERS.reset(token)


def note_read(paths: Iterable[Path]) -> None:
    """Say that files count as read, of which something read before is used again."""
    readers = _READERS.get()
    if readers:
        resolved = {path.resolve() for path in paths}
        for each in readers:
            each.update(resolved)


def read_file(path: Path, most_bytes: int) -> bytes:
    """The bytes of a regular file, or what is read in its place.

    Args:
        path: the file.
        most_bytes: a larger file is refused.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no regular file (a pipe or a device might never end), or too large.
    """
    instead, readers = _INSTEAD.get(), _READERS.get()
    if instead or readers:
        resolved = path.resolve()
        for each in readers:
            each.add(resolved)
        if resolved in instead:
            return instead[resolved]
    if path.exists() and not path.is_file():
        raise ValueError("not a regular file")
    if path.stat().st_size > most_bytes:
        raise ValueError(f"larger than {most_bytes // 1024 // 1024} MiB")
    return path.read_bytes()
