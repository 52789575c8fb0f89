"""Identities and their policies, page by page as IAM gives them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tenantproof.aws import CallFailedError, Failure
from tenantproof.pull.asking import Asker
from tenantproof.pull.folder import Folder
from tenantproof.pull.operations import Operation
from tenantproof.pull.plain import plain
from tenantproof.sources.snapshots import Missing

_FILTER = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
_PAGE = 500
_KINDS = {
    "RoleDetailList": "role",
    "UserDetailList": "user",
    "GroupDetailList": "group",
    "Policies": "managed policy",
}


def collect_identities(asker: Asker, folder: Folder, account: str) -> Counter[str]:
    """Write the account's export, a file a page.

    A page that others follow says so (``IsTruncated``), so that an export that was cut off is
    known to be.

    Returns:
        How many there are of each kind.

    Raises:
        CallFailedError: IAM answers about another account.
    """
    found: Counter[str] = Counter()
    parameters = {"Filter": _FILTER, "MaxItems": _PAGE}
    number = 0
    asker.expect(1)
    replies = asker.pages(Operation.ACCOUNT, parameters)
    while True:
        try:
            page = next(replies, None)
        except CallFailedError as error:
            what = f"the users, groups, roles and policies of {account}"
            what += f" behind page {number}" if number else ""
            asker.lacks(Missing.IDENTITIES, what, Operation.ACCOUNT, error)
            return found
        if page is None:
            return found
        number += 1
        kept = _page(page)
        _check_account(kept, account)
        folder.write(f"iam/authorization-details-{number:04}.json", kept)
        found.update({_KINDS[name]: len(kept[name]) for name in _KINDS})


def _page(reply: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a page: AWS's own policies only where they are attached to somebody."""
    page = plain({**{name: [] for name in _KINDS}, **reply})
    page.pop("Marker", None)
    page["Policies"] = [policy for policy in page["Policies"] if _is_kept(policy)]
    kept: dict[str, Any] = page
    return kept


def _is_kept(policy: dict[str, Any]) -> bool:
    counts = (policy.get("AttachmentCount"), policy.get("PermissionsBoundaryUsageCount"))
    return ":iam::aws:" not in str(policy.get("Arn")) or any(counts) or counts[0] is None


def _check_account(page: dict[str, Any], account: str) -> None:
    for name in _KINDS:
        for record in page[name]:
            of = [*str(record.get("Arn")).split(":"), *[""] * 5][4]
            if of not in {account, "aws"}:
                message = f"found {record.get('Arn')} in the export, expected the account {account}"
                raise CallFailedError(Failure.BAD_REPLY, message)
