"""Replies as they are written: dates as texts, in one order, without what is secret or passing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

LEFT_OUT = frozenset(
    {
        "CurrentCopyCount",
        "CurrentInstanceCount",
        "CurrentWeight",
        "DesiredCopyCount",
        "DesiredInstanceCount",
        "DesiredWeight",
        "Environment",
        "LastModifiedTime",
        "PasswordLastUsed",
        "ResponseMetadata",
        "RoleLastUsed",
        "RuntimeConfig",
        "VariantStatus",
    }
)
"""Members that are not kept: of containers the environment, which may hold secrets, and what
differs from one day to the next though nobody changed anything."""

_DOCUMENTS = frozenset({"AssumeRolePolicyDocument", "Document", "PolicyDocument"})
_ORDERED_BY = {
    "AttachedManagedPolicies": "PolicyArn",
    "GroupDetailList": "Arn",
    "GroupPolicyList": "PolicyName",
    "InstanceProfileList": "Arn",
    "Policies": "Arn",
    "PolicyVersionList": "VersionId",
    "RoleDetailList": "Arn",
    "RolePolicyList": "PolicyName",
    "Tags": "Key",
    "UserDetailList": "Arn",
    "UserPolicyList": "PolicyName",
}
"""Lists whose order has no meaning, and what they are put in order by."""


def plain(reply: Any) -> Any:
    """A reply as JSON: what it says, in one order.

    Policy documents in it stay what they are.
    """
    match reply:
        case dict():
            return {
                key: value if key in _DOCUMENTS else _ordered(key, plain(value))
                for key, value in reply.items()
                if key not in LEFT_OUT
            }
        case list() | tuple():
            return [plain(item) for item in reply]
        case datetime():
            moment = reply if reply.tzinfo else reply.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat()
        case _:
            return reply


def _ordered(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    if name == "GroupList":
        return sorted(value, key=str)
    by = _ORDERED_BY.get(name)
    return value if by is None else sorted(value, key=lambda item: str(item.get(by, "")))


def document(text: str) -> Any:
    """A policy document as JSON; the text itself where it is none, or says something twice."""
    try:
        return json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return text


def _each_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is there twice")
    return found


def texts(value: Any) -> Iterator[str]:
    """All texts in a reply."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def as_json(value: Any) -> str:
    """JSON as it is written: for people to read and to compare."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def by_name(records: Iterable[dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    """Records by their names, in order."""
    return {str(record[name]): record for record in sorted(records, key=lambda r: str(r[name]))}
