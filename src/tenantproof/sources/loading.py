"""Reading sources: which files there are, what each of them is, and all of them put together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from tenantproof.account import Estate, Gap
from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy import read_file
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonNode,
    JsonNull,
    JsonObject,
    quote,
    read_json,
)
from tenantproof.policy.loader import MOST_BYTES, YAML_SUFFIXES
from tenantproof.sources.authorization_details import MEMBERS, AuthorizationDetails
from tenantproof.sources.cloudformation import TemplateReader
from tenantproof.sources.homes import Deployment
from tenantproof.sources.merging import merged
from tenantproof.sources.pausing import without_collection
from tenantproof.sources.policies import BucketPolicies, Organizations, PolicyFiles
from tenantproof.sources.reader import Reader, ReaderFactory
from tenantproof.sources.sagemaker import Descriptions
from tenantproof.sources.snapshots import Snapshots, unread_roles
from tenantproof.sources.terraform import TerraformReader

READERS: tuple[ReaderFactory, ...] = (
    AuthorizationDetails,
    Descriptions,
    Organizations,
    BucketPolicies,
    PolicyFiles,
)
"""Every kind of document but templates; the first that recognises one reads it."""

SUFFIXES = YAML_SUFFIXES | {".json"}
"""How the names of the files in a folder end that are read."""

MOST_IN_ALL = 8 * MOST_BYTES
"""More bytes than this, in all files together, are refused."""

MOST_FILES = 100_000
"""More files than this in a folder are refused."""

_MAY_HOLD = re.compile(
    r"bucket|component|config|endpoint|group|marker|model|org|polic|role|token|user", re.IGNORECASE
)
"""Names of what stands beside documents and may hold more of them, or say that there are more."""

_NAMED = 5
_DEEPEST = 6
"""So deep in lists and objects a file may hold documents."""


def load_sources(
    paths: Iterable[Path], *, lenient: bool = False, deployment: Deployment | None = None
) -> Estate:
    """Read files and folders into one estate.

    Content decides what a file is, whatever its name. What several files say of the same thing is
    put together. Folders are walked in sorted order; of the files in them those are read whose
    names end in ``.json``, ``.yaml`` or ``.yml``, and the others are listed as gaps.

    Args:
        paths: the files and folders.
        lenient: accept comments, trailing commas and a byte order mark in JSON.
        deployment: where templates are deployed, and the values of their parameters.

    Returns:
        The estate. What it does not hold, or what could not be known, is among its ``gaps``.

    Raises:
        InputError: with every problem of every file.
    """
    loading = _Loading(lenient, deployment or Deployment())
    for path in paths:
        loading.take(path)
    return loading.estate()


class _Loading:
    def __init__(self, lenient: bool, deployment: Deployment) -> None:
        self._lenient = lenient
        self._problems: list[Problem] = []
        self._gaps: list[Gap] = []
        self._files: dict[Path, str] = {}
        self._bytes = 0
        self._snapshots = Snapshots(self._problems)
        self._readers: Sequence[Reader] = [
            TerraformReader(self._problems, deployment),
            TemplateReader(self._problems, deployment),
            self._snapshots,
            *(make(self._problems) for make in READERS),
        ]

    @without_collection()
    def take(self, path: Path) -> None:
        """Read a file or a folder."""
        if not path.is_dir():
            self._file(path, alone=True)
            return
        for each in self._inside(path):
            self._file(each, alone=False)

    @without_collection()
    def estate(self) -> Estate:
        """What all of them say together."""
        self._snapshots.check_files(self._files)
        parts = [reader.estate() for reader in self._readers]
        whole = merged(reduce(Estate.joined, parts, Estate()), self._problems)
        whole = whole.joined(Estate(identities=tuple(unread_roles(whole))))
        if self._problems:
            raise InputError(dict.fromkeys(self._problems))
        own = Estate(gaps=tuple(self._gaps), files=tuple(self._files.values()))
        return whole.joined(own)

    # -- files -------------------------------------------------------------------------------

    def _inside(self, folder: Path) -> Iterator[Path]:
        """The files of a folder that are read, in sorted order; the others are listed."""
        found: list[Path] = []
        others: list[Path] = []
        for parent, folders, names in os.walk(folder, onerror=self._unreadable):
            links = [name for name in folders if Path(parent, name).is_symlink()]
            hidden = [name for name in folders if name.startswith(".")]
            others += [Path(parent, name) for name in {*links, *hidden}]
            folders[:] = sorted(set(folders) - set(links) - set(hidden))
            for name in names:
                readable = Path(name).suffix.lower() in SUFFIXES and not name.startswith(".")
                (found if readable else others).append(Path(parent, name))
            if len(found) + len(others) > MOST_FILES:
                message = f"found more than {MOST_FILES} files, expected a folder of sources"
                self._problems.append(Problem(message, Place(str(folder), "")))
                return
        if others:
            self._list_others(folder, sorted(others))
        yield from sorted(found)

    def _unreadable(self, error: OSError) -> None:
        message = f"found no readable folder ({error.strerror})"
        self._problems.append(Problem(message, Place(str(error.filename), "")))

    def _list_others(self, folder: Path, others: list[Path]) -> None:
        shown = ", ".join(str(path.relative_to(folder)) for path in others[:_NAMED])
        more = ", ..." if len(others) > _NAMED else ""
        message = f"{len(others)} not read, neither JSON nor YAML, or hidden: {shown}{more}"
        self._gaps.append(Gap(message, Place(str(folder), ""), matters=False))

    def _file(self, path: Path, *, alone: bool) -> None:
        resolved = path.resolve()
        if resolved in self._files:
            return
        file = self._files[resolved] = str(path)
        try:
            data = read_file(path, MOST_BYTES)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            self._problem(f"found no readable file ({reason})", Place(file, "$"))
            return
        self._bytes += len(data)
        if self._bytes > MOST_IN_ALL:
            most = MOST_IN_ALL // 1024 // 1024
            raise InputError([Problem(f"found more than {most} MiB in all", Place(file, "$"))])
        root = self._parsed(path, data, file)
        del data
        if root is not None:
            self._document(root, file, path.name.partition(".")[0], alone=alone)

    def _parsed(self, path: Path, data: bytes, file: str) -> JsonNode | None:
        try:
            if _is_json(path, data):
                return read_json(data, file, lenient=self._lenient, problems=self._problems)
            # Most sources are JSON, and reading those must not pay for a parser of YAML.
            from tenantproof.policy.yaml_reader import read_yaml  # noqa: PLC0415

            return read_yaml(data, file, problems=self._problems, short_forms=True)
        except InputError as error:
            self._problems.extend(error.problems)
            return None

    def _problem(self, message: str, place: Place) -> None:
        self._problems.append(Problem(message, place))

    # -- documents ---------------------------------------------------------------------------

    def _document(self, root: JsonNode, file: str, name: str, *, alone: bool) -> None:
        """Give the documents of a file to who reads them; the rest is listed."""
        strange: list[tuple[str, JsonNode]] = []
        known = self._parts(root, file, name, strange, 0)
        if not known and alone:
            expected = "expected a document of a kind that is read (see docs/sources.md)"
            self._problem(f"found {_summary(root)}, {expected}", root.place)
            return
        if not known:
            strange = [(name, root)]
        for member, node in strange:
            message = f"not read, of no kind that is known: {member}, {_summary(node)}"
            matters = known and _MAY_HOLD.search(member) is not None
            self._gaps.append(Gap(message, node.place, matters))

    def _parts(
        self,
        root: JsonNode,
        file: str,
        name: str,
        strange: list[tuple[str, JsonNode]],
        depth: int,
    ) -> bool:
        """Whether a part of a file is a document, or holds one."""
        for reader in self._readers:
            if reader.recognises(root):
                if isinstance(reader, AuthorizationDetails):
                    root = self._without_others(root, file, depth)
                reader.read(root, file, name)
                return True
        match root:
            case JsonArray(items):
                inner = [(name, item) for item in items]
            case JsonObject(members):
                inner = [(key.value, value) for key, value in members]
            case _:
                return False
        if depth == _DEEPEST:
            return False
        inner = [(member, node) for member, node in inner if not _is_empty(node)]
        unknown = [
            (member, node)
            for member, node in inner
            if not self._parts(node, file, member, strange, depth + 1)
        ]
        if len(unknown) == len(inner):
            return False
        strange.extend(unknown)
        return True

    def _without_others(self, root: JsonNode, file: str, depth: int) -> JsonNode:
        """An export without what stands beside its lists and is read as documents of their own."""
        assert isinstance(root, JsonObject)
        read = {
            key.value
            for key, node in root.members
            if key.value not in MEMBERS
            and (_is_empty(node) or self._parts(node, file, key.value, [], depth + 1))
        }
        return replace(root, members=tuple(m for m in root.members if m[0].value not in read))


def _is_json(path: Path, data: bytes) -> bool:
    """What a file is: as its name says, else as it begins."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return suffix == ".json"
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in {b"{", b"["}


def _is_empty(node: JsonNode) -> bool:
    """Whether something says nothing: null, an empty list, an object of nothing but null."""
    match node:
        case JsonNull() | JsonArray(()):
            return True
        case JsonObject(members):
            return all(isinstance(value, JsonNull) for _, value in members)
        case _:
            return False


def _summary(node: JsonNode) -> str:
    match node:
        case JsonObject(members) if members:
            names = ", ".join(quote(key.value, 40) for key, _ in members[:_NAMED])
            return f"an object with {names}{', ...' if len(members) > _NAMED else ''}"
        case JsonArray(items):
            return f"a list of {len(items)}"
        case _:
            return "no object with members"
