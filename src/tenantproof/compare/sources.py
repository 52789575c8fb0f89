"""What is compared: two policy files, two folders of them, or two manifests.

Files are one pair. Files of folders are paired by name, those on one side alone are compared with
no policy. Principals of manifests are paired by ARN, each with its whole stack of policies.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import TypeVar

from tenantproof.compare.inquiry import Side
from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation.manifest import MANIFEST_NAME, Manifest, Member, load_manifest
from tenantproof.policy import (
    Effect,
    PolicyDocument,
    PolicySet,
    ResourcePolicies,
    Stack,
    Statement,
    load_policy,
)

T = TypeVar("T")


class SourceKind(Enum):
    """What a path names; the value is how messages call it."""

    POLICY = "a policy file"
    FOLDER = "a folder of policy files"
    MANIFEST = "a manifest"


@dataclass(frozen=True)
class Pair:
    """Two sides to compare, what the pair is called, and what there is to know about it."""

    name: str
    old: Side
    new: Side
    notes: tuple[str, ...] = ()


def load_pairs(old: Path, new: Path, *, lenient: bool = False) -> tuple[Pair, ...]:
    """Read what two paths name, and pair it.

    Args:
        old: a policy file, a folder of policy files, or a manifest or the folder that holds it.
        new: the same kind of thing.
        lenient: read policies with comments and trailing commas.

    Returns:
        The pairs, in order of their names.

    Raises:
        InputError: the paths name different kinds of things, or one cannot be read; carries the
            problems of both sides.
    """
    kind, other = _kind(old), _kind(new)
    if kind is not other:
        message = f"found {other.value} to compare with {kind.value} ({old}), expected the same"
        raise InputError([Problem(message, Place(str(new), "NEW"))])
    match kind:
        case SourceKind.POLICY:
            one, two = _both(lambda p: load_policy(p, lenient=lenient), old, new)
            return (_pair_of_files(str(new), one, two),)
        case SourceKind.FOLDER:
            return tuple(_folders(old, new, lenient=lenient))
        case SourceKind.MANIFEST:
            return tuple(_manifests(old, new, lenient=lenient))


def _kind(path: Path) -> SourceKind:
    if path.is_dir():
        try:
            is_manifest = (path / MANIFEST_NAME).exists()
        except OSError as error:
            message = f"found no readable folder ({error.strerror})"
            raise InputError([Problem(message, Place(str(path), "folder"))]) from None
        return SourceKind.MANIFEST if is_manifest else SourceKind.FOLDER
    return SourceKind.MANIFEST if path.suffix == ".toml" else SourceKind.POLICY


def _both(read: Callable[[Path], T], old: Path, new: Path) -> tuple[T, T]:
    """Read both; the problems of both are raised together."""
    found = _all(read, (old, new))
    return found[0], found[1]


def _all(read: Callable[[Path], T], paths: Iterable[Path]) -> list[T]:
    read_so_far: list[T] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            read_so_far.append(read(path))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return read_so_far


# -- policy files ------------------------------------------------------------------------------


def _pair_of_files(
    name: str, old: PolicyDocument | None, new: PolicyDocument | None, notes: tuple[str, ...] = ()
) -> Pair:
    documents = [document for document in (old, new) if document is not None]
    make = ResourcePolicies if any(map(_names_callers, documents)) else PolicySet
    sides = [Side(_stack(make, document)) for document in (old, new)]
    return Pair(name, sides[0], sides[1], (*notes, *_lost_denials(old, new)))


def _lost_denials(old: PolicyDocument | None, new: PolicyDocument | None) -> tuple[str, ...]:
    """A policy that denies less can give access that another allows: it is not asked here."""
    kept = [] if new is None else [_denied(s) for s in new.statements]
    lost = [
        statement.name
        for statement in (() if old is None else old.statements)
        if statement.effect is Effect.DENY and _denied(statement) not in kept
    ]
    if not lost:
        return ()
    named = ", ".join(lost)
    return (f"OLD's Deny {named} is not in NEW as it is: what it took from others is not asked",)


def _denied(statement: Statement) -> Statement:
    return replace(statement, index=0, sid=None)


def _names_callers(document: PolicyDocument) -> bool:
    return any(statement.principal is not None for statement in document.statements)


def _stack(
    make: type[PolicySet] | type[ResourcePolicies], document: PolicyDocument | None
) -> Stack:
    return make(() if document is None else (document,))


def _folders(old: Path, new: Path, *, lenient: bool) -> Iterator[Pair]:
    ours, theirs = _both(_files, old, new)
    if not ours and not theirs:
        message = "found no *.json in either folder, expected policy files"
        raise InputError([Problem(message, Place(str(new), "NEW"))])

    def read(path: Path) -> PolicyDocument:
        return load_policy(path, lenient=lenient)

    read_all = dict(
        zip(
            [*ours.values(), *theirs.values()],
            _all(read, [*ours.values(), *theirs.values()]),
            strict=True,
        )
    )
    problems: list[Problem] = []
    for name in sorted({*ours, *theirs}):
        before = read_all.get(ours[name]) if name in ours else None
        after = read_all.get(theirs[name]) if name in theirs else None
        try:
            pair = _pair_of_files(name, before, after, _one_sided(name, ours, theirs))
        except InputError as error:
            problems += error.problems
            continue
        if not problems:
            yield pair
    if problems:
        raise InputError(problems)


def _files(folder: Path) -> Mapping[str, Path]:
    """The policy files of a folder; what cannot be looked into is a problem, not left out."""
    problems: list[Problem] = []

    def unreadable(error: OSError) -> None:
        message = f"found no readable folder ({error.strerror})"
        problems.append(Problem(message, Place(str(error.filename), "folder")))

    found: dict[str, Path] = {}
    for root, folders, names in os.walk(folder, onerror=unreadable):
        problems += [
            Problem(
                "found a link to a folder, which is not followed, expected a folder",
                Place(str(Path(root, name)), "folder"),
            )
            for name in folders
            if Path(root, name).is_symlink()
        ]
        paths = (Path(root, name) for name in names if name.lower().endswith(".json"))
        found |= {path.relative_to(folder).as_posix(): path for path in paths}
    if problems:
        raise InputError(problems)
    return found


def _one_sided(
    name: str, ours: Mapping[str, object], theirs: Mapping[str, object]
) -> tuple[str, ...]:
    if name not in ours:
        return ("only in NEW: compared with no policy",)
    return () if name in theirs else ("only in OLD: removed",)


# -- manifests ---------------------------------------------------------------------------------


def _manifests(old: Path, new: Path, *, lenient: bool) -> Iterator[Pair]:
    manifests = _both(lambda path: load_manifest(path, lenient=lenient), old, new)
    by_rule = [
        Problem(
            "found tenants by rule, expected tenants by list",
            Place(manifest.file, "rules"),
            hint="compare the rule's policy files instead: they are compared for every principal",
        )
        for manifest in manifests
        if manifest.rules
    ]
    if by_rule:
        raise InputError(by_rule)
    ours, theirs = map(_members, manifests)
    of_resources = _changed_resource_control(*manifests)
    for name in sorted({*ours, *theirs}):
        before, after = ours.get(name), theirs.get(name)
        principal = (after or ours[name]).principal
        notes = _one_sided(name, ours, theirs) + _changed_facts(before, after) + of_resources
        yield Pair(
            name,
            Side(PolicySet(), principal) if before is None else _side(before),
            Side(PolicySet(), principal) if after is None else _side(after),
            notes,
        )


def _members(manifest: Manifest) -> Mapping[str, Member]:
    """The principals by ARN; one that acts for several tenants by tenant, too."""
    listed = [(tenant, member) for tenant in manifest.tenants for member in tenant.members]
    times = Counter(member.principal.arn for _, member in listed)
    named: dict[str, Member] = {}
    for tenant, member in listed:
        arn = member.principal.arn
        name = arn if times[arn] == 1 else f"{arn} ({tenant.name})"
        while name in named:
            name += " again"
        named[name] = member
    return named


def _changed_resource_control(old: Manifest, new: Manifest) -> tuple[str, ...]:
    """What of the resources' side differs: the policies of principals alone are compared."""
    before, after = (
        {
            account: each.resource_control_policies
            for account, each in manifest.estate.organizations.items()
        }
        for manifest in (old, new)
    )
    accounts = sorted(a for a in {*before, *after} if before.get(a, ()) != after.get(a, ()))
    return tuple(
        f"the resource control policies of {account} differ, which are not compared"
        for account in accounts
    )


def _side(member: Member) -> Side:
    return Side(member.policies, member.principal)


def _changed_facts(old: Member | None, new: Member | None) -> tuple[str, ...]:
    """What the manifests say differently of one principal."""
    if old is None or new is None:
        return ()
    before, after = old.principal, new.principal
    notes = [
        f"the tag {name} was {_shown(before.tags.get(name))} and is {_shown(after.tags.get(name))}"
        for name in sorted({*before.tags, *after.tags})
        if before.tags.get(name) != after.tags.get(name)
    ]
    if before.context != after.context:
        notes.append("the keys that the manifest fixes in context differ")
    return tuple(notes)


def _shown(value: str | None) -> str:
    return "absent" if value is None else f'"{value}"'
