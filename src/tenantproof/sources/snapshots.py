"""Snapshots of ``tenantproof pull``: the index, which says what could not be collected.

The other files of a snapshot are of the formats that are read anyhow; in place of single things
that could not be read they say so themselves. What the index adds is what nothing stands in for:
a list that could not be had, of which anything may be missing. ``docs/pull.md`` has the format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path, PurePosixPath

from tenantproof.account import Estate, Gap, Identity, Part, Unread, unread_identity
from tenantproof.errors import Place, Problem
from tenantproof.policy import Unknown
from tenantproof.policy.json_reader import JsonNode, JsonNumber, JsonObject, describe, quote
from tenantproof.sources.record import Record

INDEX = "snapshot.json"
"""The name of the index in a snapshot's folder."""

FORMAT = "tenantproof_snapshot"
"""The member of the index by which it is known, with the format's version."""

VERSION = 1
"""The version of the format that is written and read."""

_MEMBERS = (
    FORMAT, "account", "calls", "complete", "files", "missing", "notes", "pulled_at", "regions",
    "tenantproof",
)  # fmt: skip
_DEEPEST = 3
"""The folders of a snapshot that a file of it is within: ``sagemaker/REGION/...``."""
_OF_MISSING = ("part", "what", "operation", "permission", "region", "why")
_ACCOUNT = re.compile(r"[0-9]{12}")


class Missing(Enum):
    """The kinds of what a snapshot may lack; the value is how the index names them."""

    IDENTITIES = "identities"
    ENDPOINTS = "endpoints"
    ENDPOINT = "endpoint"
    ENDPOINT_TAGS = "endpoint tags"
    ENDPOINT_CONFIG = "endpoint configuration"
    MODELS = "models"
    MODEL = "model"
    COMPONENTS = "inference components"
    COMPONENT = "inference component"
    BUCKET = "bucket"
    ORGANIZATION = "organization"

    @property
    def has_stand_in(self) -> bool:
        """Whether something unknown stands in for it in the snapshot's files.

        Of inference components it is the configuration's variants that then name no model.
        """
        return self not in {Missing.IDENTITIES, Missing.ENDPOINTS, Missing.MODELS}

    @property
    def unread(self) -> Part | None:
        """The part of the account of which more may be there than the snapshot holds.

        Which buckets there are to be asked about the models say.
        """
        match self:
            case Missing.IDENTITIES:
                return Part.IDENTITIES
            case Missing.ENDPOINTS:
                return Part.ENDPOINTS
            case Missing.MODELS | Missing.MODEL | Missing.COMPONENTS | Missing.COMPONENT:
                return Part.BUCKETS
            case _:
                return None


@dataclass(frozen=True)
class _Index:
    """What is to be known of one snapshot once all files are read."""

    folder: Path
    files: tuple[tuple[str, Place], ...]


class Snapshots:
    """Reads the indexes of snapshots."""

    def __init__(self, problems: list[Problem]) -> None:
        """Report into a list of problems."""
        self._problems = problems
        self._gaps: list[Gap] = []
        self._unread: list[Unread] = []
        self._indexes: list[_Index] = []
        self._regions: dict[str, dict[str, Place]] = {}

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document says that it is the index of a snapshot."""
        return isinstance(root, JsonObject) and any(key.value == FORMAT for key, _ in root.members)

    def read(self, root: JsonNode, file: str, name: str) -> None:  # noqa: ARG002
        """Take in an index."""
        assert isinstance(root, JsonObject)
        index = Record(root, file, self._problems)
        if not self._is_of_this_version(index):
            return
        _refuse_others(index, _MEMBERS)
        for member in ("files", "missing"):
            if member not in index:
                index.report(index.place, f"found no {member}, expected a list")
        account = index.required("account") or ""
        if account and not _ACCOUNT.fullmatch(account):
            index.report(index.place, f"found {quote(account)} as account, expected twelve digits")
        within, listed = self._regions.setdefault(account, {}), index.get("regions")
        for region in index.texts("regions"):
            within.setdefault(region, index.place if listed is None else listed.place)
        missing = index.records("missing")
        for each in missing:
            self._missing(each, account)
        if "complete" not in index:
            index.report(index.place, "found no complete, expected true or false")
        elif index.flag("complete") is bool(missing):
            found = "nothing" if not missing else f"{len(missing)} entries"
            message = f"found {found} in missing, which complete contradicts"
            index.report(index.get("complete") or index.place, message)
        files = tuple((each, index.place) for each in index.texts("files"))
        self._indexes.append(_Index(Path(file).parent, files))

    def _is_of_this_version(self, index: Record) -> bool:
        node = index.get(FORMAT)
        version = node.text if isinstance(node, JsonNumber) else None
        if version == str(VERSION):
            return True
        found = describe(node) if node is not None else "null"
        found = f"the version {version}" if version is not None else f"{found} as version"
        message = f"found {found} of a snapshot, expected {VERSION}"
        newer = ": it was written by a newer tenantproof" if (version or "").isdigit() else ""
        index.report(node or index.place, message + newer)
        return False

    def _missing(self, entry: Record, account: str) -> None:
        _refuse_others(entry, _OF_MISSING)
        name, what, why = (entry.required(each) for each in ("part", "what", "why"))
        operation, permission = (entry.required(each) for each in ("operation", "permission"))
        try:
            part = Missing(name or "")
        except ValueError:
            if name:
                expected = f"expected one of {', '.join(each.value for each in Missing)}"
                entry.report(entry.place, f"found {quote(name)} as part, {expected}")
            return
        if None in (what, why, operation, permission):
            return
        reason = f"{what} could not be collected, {operation}: {why}; it needs {permission}"
        self._gaps.append(Gap(reason, entry.place, has_stand_in=part.has_stand_in))
        if part.unread is not None:
            unknown = Unknown(reason, entry.place)
            self._unread.append(Unread(part.unread, account, unknown, entry.text("region")))

    def check_files(self, read: Mapping[Path, str]) -> None:
        """Report files that an index lists and that are not there, or were not read.

        And files of a snapshot whose index was not read: it alone says what they lack.

        Args:
            read: the resolved paths of the files that were read, and their names.
        """
        listed = cache(listed_files)
        for file, shown in read.items():
            for folder in list(file.parents)[:_DEEPEST]:
                name = file.relative_to(folder).as_posix()
                if folder / INDEX not in read and name in (listed(folder) or ()):
                    message = f"found a file of a snapshot without its {INDEX}"
                    place = Place(shown, "$")
                    self._problems.append(Problem(f"{message}, expected the whole folder", place))
        for index in self._indexes:
            for name, place in index.files:
                path, shown = PurePosixPath(name), quote(name)
                if path.is_absolute() or ".." in path.parts or "\\" in name:
                    message = f"found {shown} in files, expected a path within the snapshot"
                elif not (index.folder / path).is_file():
                    message = f"found no file {shown}, which the snapshot lists, expected it there"
                elif (index.folder / path).resolve() not in read:
                    message = f"found {shown} not among the sources, expected the whole folder"
                else:
                    continue
                self._problems.append(Problem(message, place))

    def estate(self) -> Estate:
        """What could not be collected."""
        gaps = (*self._gaps, *self._of_other_regions())
        return Estate(gaps=gaps, unread=tuple(self._unread))

    def _of_other_regions(self) -> Iterator[Gap]:
        """What was not asked for is no reason to doubt what is there, and is to be known."""
        for account, regions in self._regions.items():
            if regions:
                message = f"of {account} only {', '.join(sorted(regions))} was collected"
                place = next(iter(regions.values()))
                yield Gap(f"{message}: endpoints elsewhere are not known", place, matters=False)


def listed_files(folder: Path) -> frozenset[str] | None:
    """The files that a snapshot lists, by their paths in it; None where a folder is no snapshot."""
    try:
        index = json.loads((folder / INDEX).read_text("utf-8"))
        return frozenset(map(str, index["files"])) if FORMAT in index else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def unread_roles(estate: Estate) -> Iterator[Identity]:
    """Stand-ins for execution roles that may be among the identities that could not be read.

    One that nobody describes would count as one that may read everything.
    """
    known = {identity.arn for identity in estate.identities}
    models = (*estate.models, *(model for e in estate.endpoints for model in e.models))
    roles = (m.execution_role for m in models if m.execution_role is not None)
    for arn in dict.fromkeys(roles):
        fields = arn.split(":", 5)
        if arn in known or len(fields) != 6 or not fields[5].startswith("role/"):
            continue
        unread = estate.unread_of(Part.IDENTITIES, fields[4])
        if unread is not None:
            yield unread_identity(arn, unread)


def _refuse_others(record: Record, known: Collection[str]) -> None:
    for name, node in record.others(known):
        expected = f"expected one of {', '.join(known)}"
        record.report(node, f"found an unknown field {quote(name)}, {expected}")
