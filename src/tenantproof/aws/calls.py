"""One call of AWS's API, and the pages of a list, each over in time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tenantproof.aws.deadline import Deadline, in_time
from tenantproof.aws.failures import CallFailedError, Failure
from tenantproof.aws.reasons import call_failed

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import Shape

    from tenantproof.aws.session import Aws

MARKERS = (
    ("NextMarker", "Marker"),
    ("Marker", "Marker"),
    ("NextToken", "NextToken"),
    ("NextContinuationToken", "ContinuationToken"),
    ("PaginationToken", "PaginationToken"),
)
"""How a reply names the next page, and how a request does."""

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime,),
}
_DECODED = {"policyDocumentType", "TemplateBody"}
"""Strings that hold JSON, which botocore reads."""


def call(
    aws: Aws, client: BaseClient, operation: str, parameters: Mapping[str, Any], deadline: Deadline
) -> dict[str, Any]:
    """The reply to one call of the API; botocore's attempts are within one call.

    Args:
        aws: whose limits and secrets count.
        client: one of ``aws.client``.
        operation: as the API names it: ``SimulateCustomPolicy``.
        parameters: as boto3 takes them.
        deadline: of the run; a call has a limit of its own, too, if that is earlier.

    Returns:
        The reply as boto3 gives it. Its members have the types of botocore's model of the
        service, and those that the model requires are there.

    Raises:
        CallFailedError: there is no such reply.
    """
    from botocore import xform_name  # noqa: PLC0415

    method = getattr(client, xform_name(operation))
    if deadline.is_over:
        raise CallFailedError(
            Failure.TIMEOUT, f"{operation}: the time limit of the run was reached before"
        )
    try:
        reply = in_time(lambda: method(**parameters), deadline.within(aws.limits.call_seconds))
        wrong = _wrong(reply, client.meta.service_model.operation_model(operation).output_shape)
    except Exception as error:  # botocore lets through what its parsers raise
        failed = call_failed(error, aws.excerpt)
        raise CallFailedError(
            failed.failure, f"{operation}: {failed.message}", failed.code
        ) from None
    if wrong is not None:
        raise CallFailedError(Failure.BAD_REPLY, f"{operation}: {aws.excerpt(wrong)}")
    return dict(reply)


def pages(
    aws: Aws,
    client: BaseClient,
    operation: str,
    parameters: Mapping[str, Any],
    deadline: Deadline,
    *,
    most: int,
) -> Iterator[dict[str, Any]]:
    """The replies of a list, page by page, each one call.

    Args:
        aws: as in :func:`call`.
        client: as in :func:`call`.
        operation: as in :func:`call`.
        parameters: as in :func:`call`, without a marker.
        deadline: as in :func:`call`.
        most: how many pages are read; more are an error, because an endless list is no list.

    Raises:
        CallFailedError: a call failed; a marker came again, or is missing although the page is
            not the last; there are too many pages.
    """
    seen: set[str] = set()
    following: dict[str, str] = {}
    for _ in range(most):
        reply = call(aws, client, operation, {**parameters, **following}, deadline)
        yield reply
        following = _following(client, operation, reply)
        if not following:
            return
        marker = next(iter(following.values()))
        if marker in seen:
            raise CallFailedError(Failure.BAD_REPLY, f"{operation}: a page's marker came again")
        seen.add(marker)
    raise CallFailedError(Failure.BAD_REPLY, f"{operation}: more than {most} pages")


def _following(client: BaseClient, operation: str, reply: Mapping[str, Any]) -> dict[str, str]:
    """The parameter of the next page; none after the last."""
    is_truncated = reply.get("IsTruncated")
    if is_truncated is False:
        return {}
    takes = client.meta.service_model.operation_model(operation).input_shape
    members: Mapping[str, Any] = getattr(takes, "members", {})
    for told, taken in MARKERS:
        if taken in members and reply.get(told):
            return {taken: reply[told]}
    if is_truncated:
        raise CallFailedError(
            Failure.BAD_REPLY, f"{operation}: a page that is not the last has no marker"
        )
    return {}


def _wrong(value: Any, shape: Shape | None, path: str = "the reply") -> str | None:
    """What is wrong with a value's shape; none if it is as the model says."""
    from botocore.model import ListShape, MapShape, StructureShape  # noqa: PLC0415

    match shape:
        case None:
            return None
        case StructureShape() if shape.serialization.get("eventstream"):
            return None
        case StructureShape():
            if not isinstance(value, dict):
                return f"{path} is no structure"
            for name in shape.required_members:
                if name not in value:
                    return f"{path} lacks {name}"
            parts = ((value[n], s, n) for n, s in shape.members.items() if n in value)
        case ListShape():
            if not isinstance(value, list):
                return f"{path} is no list"
            parts = ((each, shape.member, f"an element of {path}") for each in value)
        case MapShape():
            if not isinstance(value, dict):
                return f"{path} is no map"
            parts = ((each, shape.value, f"a value of {path}") for each in value.values())
        case _:
            return None if _has_type(value, shape) else f"{path} is no {shape.type_name}"
    return next((wrong for each in parts if (wrong := _wrong(*each)) is not None), None)


def _has_type(value: Any, shape: Shape) -> bool:
    if shape.name in _DECODED and isinstance(value, dict):
        return True
    types = _TYPES.get(shape.type_name, (object,))
    return isinstance(value, types) and not (isinstance(value, bool) and bool not in types)
