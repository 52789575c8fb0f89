"""Collecting an account into a snapshot, and the index that says what it lacks."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenantproof import __version__
from tenantproof.account import parse_s3
from tenantproof.aws import CallFailedError, Failure, misread
from tenantproof.aws.deadline import Deadline
from tenantproof.errors import InputError, Place, Problem
from tenantproof.pull.asking import Asker, Watch
from tenantproof.pull.buckets import collect_buckets
from tenantproof.pull.folder import Folder, check_output, snapshot_at
from tenantproof.pull.iam import collect_identities
from tenantproof.pull.organization import collect_organization
from tenantproof.pull.outcome import MissingPart, Pulled, PullSettings
from tenantproof.pull.sagemaker import Region
from tenantproof.sources.snapshots import FORMAT, INDEX, VERSION

if TYPE_CHECKING:
    from tenantproof.aws.session import Aws

_CALLER = re.compile(r"arn:([a-z-]+):(?:iam|sts)::([0-9]{12}):")


def pull(
    aws: Aws,
    output: Path,
    settings: PullSettings,
    deadline: Deadline,
    watch: Watch | None = None,
) -> Pulled:
    """Collect what decides access in an account into a snapshot folder.

    What cannot be had, for want of a permission, of time or of an answer, is left out, and the
    snapshot says so: what rests on it will be UNKNOWN. The folder is at its place whole or not at
    all; interrupted by Ctrl-C there is none, and one that was there before still is.

    Args:
        aws: the session.
        output: where the folder is to be.
        settings: what is collected.
        deadline: of all calls together; what was not collected by then is missing.
        watch: told of each call.

    Returns:
        What the snapshot holds and what it lacks.

    Raises:
        InputError: something else is at the output's place, the disk does not take the snapshot,
            or settings are none.
        CallFailedError: AWS does not tell which account it is, or tells of two.
    """
    regions = _regions(aws, settings)
    _check_buckets(settings)
    check_output(output, force=settings.force)
    partition, account = _whose(aws.identity)
    asker = Asker(aws, deadline, regions[0], watch)
    with snapshot_at(output, force=settings.force) as folder:
        counts = collect_identities(asker, folder, account)
        buckets = set(settings.buckets)
        for name in regions:
            region = Region(asker, folder, name, f"arn:{partition}:sagemaker:{name}:{account}")
            region.collect()
            counts += region.counts
            buckets |= region.buckets
        counts["bucket"] = collect_buckets(asker, folder, account, buckets)
        counts["organization"] = int(
            collect_organization(asker, folder, account, ask=settings.organization)
        )
        folder.write(INDEX, _index(asker, folder, account, regions))
    return _pulled(asker, output, account, regions, counts)


def _whose(caller: str) -> tuple[str, str]:
    """The partition and the account of the ARN of who calls."""
    found = _CALLER.match(caller)
    if found is None:
        message = f"GetCallerIdentity: found {caller!r:.80}, expected the ARN of who calls"
        raise CallFailedError(Failure.BAD_REPLY, message)
    return found[1], found[2]


def _regions(aws: Aws, settings: PullSettings) -> tuple[str, ...]:
    named = settings.regions or ((aws.region,) if aws.region else ())
    if not named:
        message = "found no region, expected one: name it with --region, or in the AWS profile"
        raise InputError([Problem(message, Place("--region", ""))])
    problems = [
        Problem(problem, Place("--region", ""))
        for name in named
        if (problem := misread("region", name)) is not None
    ]
    if problems:
        raise InputError(problems)
    return tuple(sorted(set(named)))


def _check_buckets(settings: PullSettings) -> None:
    problems = [
        Problem(f"found {name!r:.80}, expected the name of a bucket", Place("--bucket", ""))
        for name in settings.buckets
        if parse_s3(f"s3://{name}") is None or "/" in name
    ]
    if problems:
        raise InputError(problems)


def _index(asker: Asker, folder: Folder, account: str, regions: tuple[str, ...]) -> dict[str, Any]:
    """The index; when it was written is the one thing that differs if nothing else does."""
    return {
        FORMAT: VERSION,
        "tenantproof": __version__,
        "account": account,
        "regions": list(regions),
        "pulled_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "complete": not asker.missing,
        "calls": dict(asker.calls),
        "files": sorted(folder.files),
        "missing": [_entry(each) for each in asker.missing],
        "notes": asker.notes,
    }


def _entry(missing: MissingPart) -> dict[str, str]:
    entry = {
        "part": missing.part.value,
        "what": missing.what,
        "operation": missing.operation.value,
        "permission": missing.operation.value,
        "why": missing.why,
    }
    return entry if missing.region is None else {**entry, "region": missing.region}


def _pulled(
    asker: Asker, output: Path, account: str, regions: tuple[str, ...], counts: Counter[str]
) -> Pulled:
    held = {what: count for what, count in counts.items() if count}
    return Pulled(
        output,
        account,
        regions,
        held,
        dict(asker.calls),
        tuple(asker.missing),
        tuple(asker.notes),
    )
