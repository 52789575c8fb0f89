"""The policies of buckets: of those that artifacts lie in, and those that were asked for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tenantproof.aws import CallFailedError, Failure
from tenantproof.pull.asking import Asker, text_of
from tenantproof.pull.folder import Folder
from tenantproof.pull.operations import Operation
from tenantproof.pull.plain import document
from tenantproof.sources.policies import NOT_READ
from tenantproof.sources.snapshots import Missing

_ELSEWHERE = {
    "301",
    "307",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "TemporaryRedirect",
}
"""The codes of S3 that say that a bucket is in another region."""

_OLD_NAMES = {"": "us-east-1", "EU": "eu-west-1"}
"""Regions as GetBucketLocation names them, where it does so in another way."""


def collect_buckets(asker: Asker, folder: Folder, account: str, names: Iterable[str]) -> int:
    """Write the policies of buckets; of one that cannot be read that it could not be.

    Returns:
        How many there are.
    """
    ordered = sorted(set(names))
    asker.expect(len(ordered))
    with folder.listing("s3/buckets", "buckets") as listing:
        for name in ordered:
            bucket = _bucket(asker, account, name)
            if bucket is not None:
                listing.add(bucket)
    return listing.count


def _bucket(asker: Asker, account: str, name: str) -> dict[str, Any] | None:
    """A bucket and its policy; None where there is no such bucket.

    Only those of the account that a bucket is of may read its policy.
    """
    operation = Operation.BUCKET_POLICY
    try:
        text = _policy(asker, account, name)
    except _LocationError as error:
        operation, failed = Operation.BUCKET_LOCATION, error.failed
    except CallFailedError as error:
        failed = error
    else:
        return {"Bucket": name, "Account": account, "Policy": document(text)}
    if failed.code == "NoSuchBucketPolicy":
        return {"Bucket": name, "Account": account}
    if failed.code == "NoSuchBucket" or failed.failure is Failure.NOT_FOUND:
        asker.notes.append(f"there is no bucket {name}")
        return None
    if failed.failure is Failure.ACCESS_DENIED:
        message = f"{failed.message} (or it is of another account than {account})"
        failed = CallFailedError(failed.failure, message, failed.code)
    why = asker.lacks(Missing.BUCKET, f"the policy of the bucket {name}", operation, failed)
    return {"Bucket": name, "Policy": {NOT_READ: why}}


class _LocationError(Exception):
    """A bucket is in another region, and nobody tells which."""

    def __init__(self, failed: CallFailedError) -> None:
        super().__init__(str(failed))
        self.failed = failed


def _policy(asker: Asker, account: str, name: str) -> str:
    """The text of a bucket's policy, wherever the bucket is."""
    parameters = {"Bucket": name, "ExpectedBucketOwner": account}
    try:
        reply = asker.ask(Operation.BUCKET_POLICY, parameters)
    except CallFailedError as error:
        if error.code not in _ELSEWHERE:
            raise
        reply = asker.ask(Operation.BUCKET_POLICY, parameters, _region(asker, parameters))
    return text_of(reply, "Policy")


def _region(asker: Asker, parameters: dict[str, str]) -> str:
    try:
        reply = asker.ask(Operation.BUCKET_LOCATION, parameters)
    except CallFailedError as error:
        raise _LocationError(error) from None
    told = str(reply.get("LocationConstraint") or "")
    return _OLD_NAMES.get(told, told)
