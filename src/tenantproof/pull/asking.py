"""Calls one after the other, counted, until it makes no sense to ask on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from tenantproof.aws import CallFailedError, Failure
from tenantproof.aws.calls import call, pages
from tenantproof.aws.deadline import Deadline
from tenantproof.pull.operations import Operation
from tenantproof.pull.outcome import MissingPart
from tenantproof.sources.snapshots import Missing

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from tenantproof.aws.session import Aws

Reply = TypeVar("Reply")

Watch = Callable[[int, int], None]
"""Told how many calls were made, and how many there will be as far as is known."""

MOST_PAGES = 100_000
"""More pages of a list are no list."""

MOST_IN_A_ROW = 3
"""So many failures in a row that are no answer, and nothing more is asked."""

NO_ANSWER = frozenset(
    {
        Failure.CLOCK,
        Failure.CREDENTIALS,
        Failure.SERVER,
        Failure.TIMEOUT,
        Failure.UNREACHABLE,
    }
)
"""Failures that say nothing of what was asked."""


class Asker:
    """Asks, and keeps what could not be learned.

    Attributes:
        calls: how many calls of each operation succeeded.
        missing: what could not be collected.
        notes: what was noticed beside.
    """

    def __init__(self, aws: Aws, deadline: Deadline, region: str, watch: Watch | None) -> None:
        """Ask in a region unless told another one."""
        self._aws = aws
        self._deadline = deadline
        self._region = region
        self._watch = watch
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._done = 0
        self._expected = 0
        self._in_a_row = 0
        self._stopped: str | None = None
        self.calls: Counter[str] = Counter()
        self.missing: list[MissingPart] = []
        self.notes: list[str] = []

    def expect(self, calls: int) -> None:
        """Say that so many more calls will be made."""
        self._expected += calls

    def ask(
        self, operation: Operation, parameters: Mapping[str, Any], region: str | None = None
    ) -> dict[str, Any]:
        """The reply to one call.

        Raises:
            CallFailedError: there is none.
        """
        with_client = self._client(operation, region)
        return self._counted(
            operation,
            lambda: call(self._aws, with_client, operation.call, parameters, self._deadline),
        )

    def pages(
        self, operation: Operation, parameters: Mapping[str, Any], region: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """The replies of a list, page by page.

        Raises:
            CallFailedError: one could not be had.
        """
        with_client = self._client(operation, region)
        replies = pages(
            self._aws, with_client, operation.call, parameters, self._deadline, most=MOST_PAGES
        )
        while (page := self._counted(operation, lambda: next(replies, None))) is not None:
            yield page

    def lacks(
        self,
        part: Missing,
        what: str,
        operation: Operation,
        error: CallFailedError,
        region: str | None = None,
    ) -> str:
        """Keep that something could not be collected.

        Returns:
            Why, in few words, for what stands in for it.
        """
        self.missing.append(MissingPart(part, what, operation, str(error), region))
        code = f" ({error.code})" if error.code else ""
        return f"{operation.value}: {error.failure.value}{code}"

    def _client(self, operation: Operation, region: str | None) -> BaseClient:
        if self._stopped is not None:
            raise CallFailedError(Failure.INTERRUPTED, self._stopped)
        key = operation.service, region or self._region
        if key not in self._clients:
            client = self._aws.client(operation.service, region=key[1])
            for service in ("s3", "sagemaker"):
                client.meta.events.register(f"after-call.{service}", _without_empty)
            self._clients[key] = client
        return self._clients[key]

    def _counted(self, operation: Operation, reply: Callable[[], Reply]) -> Reply:
        if self._stopped is not None:
            raise CallFailedError(Failure.INTERRUPTED, self._stopped)
        try:
            found = reply()
        except CallFailedError as error:
            self._failed(error)
            raise
        self._in_a_row = 0
        if found is not None:
            self.calls[operation.value] += 1
            self._told()
        return found

    def _failed(self, error: CallFailedError) -> None:
        self._told()
        self._in_a_row = self._in_a_row + 1 if error.failure in NO_ANSWER else 0
        if self._deadline.is_over:
            self._stopped = "the time limit was reached before"
        elif self._in_a_row == MOST_IN_A_ROW:
            self._stopped = (
                f"{MOST_IN_A_ROW} calls in a row had no answer before, the last: {error}"
            )

    def _told(self) -> None:
        self._done += 1
        if self._watch is not None:
            self._watch(self._done, max(self._done, self._expected))


def text_of(reply: Mapping[str, Any], member: str) -> str:
    """A text that a reply must have.

    Raises:
        CallFailedError: it is not there.
    """
    if not reply.get(member):
        raise CallFailedError(Failure.BAD_REPLY, f"the reply has no {member}")
    return str(reply[member])


def _without_empty(parsed: dict[str, Any], **_: object) -> None:
    """Take structures without members, and None, out of a reply: they say that there is nothing.

    Some servers answer so where others leave the member out, and then it lacks what is required;
    of a bucket in us-east-1 botocore itself says that its region is None.
    """
    for name, value in list(parsed.items()):
        if isinstance(value, dict):
            _without_empty(value)
        if value is None or value == {}:
            del parsed[name]
