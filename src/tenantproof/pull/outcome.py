"""What is asked for, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tenantproof.pull.operations import Operation
from tenantproof.sources.snapshots import Missing

_MOST_LISTED = 20


@dataclass(frozen=True)
class PullSettings:
    """What is collected.

    Attributes:
        regions: the regions whose endpoints are; that of the session without any.
        buckets: buckets whose policies are, beside those that models' artifacts lie in.
        organization: whether the organization is asked; without it its policies are unknown.
        force: whether a snapshot that is there is replaced.
    """

    regions: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    organization: bool = True
    force: bool = False


@dataclass(frozen=True)
class MissingPart:
    """Something that could not be collected.

    Attributes:
        part: what kind of thing it is.
        what: which one, as a phrase.
        operation: the operation that would have told.
        why: why it did not.
        region: the region, of what is in one.
    """

    part: Missing
    what: str
    operation: Operation
    why: str
    region: str | None = None


@dataclass(frozen=True)
class Pulled:
    """A snapshot that was written.

    Attributes:
        path: its folder.
        account: the account.
        regions: the regions.
        counts: how many things of each kind it holds.
        calls: how many calls of each operation succeeded.
        missing: what could not be collected.
        notes: what was noticed and changes nothing.
    """

    path: Path
    account: str
    regions: tuple[str, ...]
    counts: Mapping[str, int]
    calls: Mapping[str, int]
    missing: tuple[MissingPart, ...]
    notes: tuple[str, ...]


def summary(pulled: Pulled) -> str:
    """What a snapshot holds and what it lacks, for people."""
    held = ", ".join(_counted(count, what) for what, count in pulled.counts.items())
    where = ", ".join(pulled.regions)
    lines = [f"{pulled.path}: {pulled.account} in {where}: {held or 'nothing'}"]
    if pulled.missing:
        lines.append("not collected; what rests on it will be UNKNOWN:")
        lines += [
            f"  {each.what}: {each.why}; it needs {each.operation.value}"
            for each in pulled.missing[:_MOST_LISTED]
        ]
    if len(pulled.missing) > _MOST_LISTED:
        lines.append(f"  and {len(pulled.missing) - _MOST_LISTED} more, see the snapshot's index")
    lines += [f"note: {note}" for note in pulled.notes[:_MOST_LISTED]]
    return "\n".join(lines)


def _counted(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    return f"{count} {what[:-1]}ies" if what.endswith("y") else f"{count} {what}s"
