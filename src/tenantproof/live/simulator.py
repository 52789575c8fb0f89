"""Asking the IAM policy simulator, within a number of calls and a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from tenantproof.aws import Aws, CallFailedError, Deadline, Failure, call
from tenantproof.live.batches import Batch, Question, batches
from tenantproof.live.bounds import MOST_OUTAGES
from tenantproof.live.replies import Results
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation

if TYPE_CHECKING:
    from botocore.client import BaseClient

Outcome = Answer | NoAnswer


class Simulator:
    """The simulator of an account.

    Answers are kept: an equal question is not asked again, and the calls of all :meth:`ask`
    count together.

    Args:
        aws: with whose credentials, where.
        max_calls: how many calls of the API are made at most. Each page is one; what botocore
            sends again after an error is within one.
        deadline: of the whole run.
        watch: told how many of the different questions of an :meth:`ask` have an outcome, and
            how many there are.

    Attributes:
        calls: how many calls were made.
        interrupted: whether Ctrl-C ended the asking.
    """

    def __init__(
        self,
        aws: Aws,
        *,
        max_calls: int,
        deadline: Deadline,
        watch: Callable[[int, int], None] | None = None,
    ) -> None:
        self._aws = aws
        self._max_calls = max_calls
        self._deadline = deadline
        self._watch = watch
        self._outcomes: dict[Question, Outcome] = {}
        self._stopped: dict[Operation, NoAnswer] = {}
        self._outages = 0
        self.calls = 0
        self.interrupted = False

    @staticmethod
    def knows(parameter: str) -> bool:
        """Whether the installed botocore's SimulateCustomPolicy takes a parameter."""
        return parameter in _parameters()

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        """The outcome of each simulation, in their order.

        Equal questions are asked once, those that differ only in action and resource together.
        Ctrl-C ends the asking and not this call: what was answered is returned, and
        ``interrupted`` says so.

        Returns:
            An answer only where a reply was understood and says one thing of the question, else
            why there is none. Nothing is asked anymore after the last call, the deadline, Ctrl-C,
            credentials or a clock that AWS refuses, and two failures of AWS or the way to it in a
            row; an operation is not asked anymore after access to it was denied.
        """
        questions = [Question.of(each) for each in simulations]
        asked: dict[Question, Simulation] = {}
        for question, simulation in zip(questions, simulations, strict=True):
            asked.setdefault(question, simulation)
        self._forget_outages(asked)
        try:
            self._ask(asked)
        except KeyboardInterrupt:
            self.interrupted = True
            self._stop(NoAnswer(Failure.INTERRUPTED, "interrupted before there was an answer"))
        return [
            self._outcomes.get(question) or self._stopped[question.operation]
            for question in questions
        ]

    @cached_property
    def _client(self) -> BaseClient:
        return self._aws.client("iam")

    def _forget_outages(self, asked: Iterable[Question]) -> None:
        for question in asked:
            outcome = self._outcomes.get(question)
            if isinstance(outcome, NoAnswer) and outcome.failure.is_outage:
                del self._outcomes[question]

    def _ask(self, asked: Mapping[Question, Simulation]) -> None:
        new = {each: asked[each] for each in asked if each not in self._outcomes}
        self._tell(asked)
        for batch in batches(new):
            self._ask_batch(batch)
            self._tell(asked)

    def _tell(self, asked: Mapping[Question, Simulation]) -> None:
        if self._watch is not None:
            self._watch(sum(each in self._outcomes for each in asked), len(asked))

    def _ask_batch(self, batch: Batch) -> None:
        """Ask questions together, and alone those that were refused or answered in the lump."""
        results = Results(batch, self._aws.excerpt)
        try:
            failed = self._read(batch, results)
        finally:
            self._outcomes.update(results.answers)
            for question, words in results.wrong.items():
                self._outcomes[question] = _bad(words)
        again = results.aggregated
        if failed is not None and failed.failure is Failure.INVALID and len(batch.questions) > 1:
            again += results.open
        elif failed is not None:
            self._outcomes.update(dict.fromkeys(results.open, failed))
        for single in batch.only(again).alone():
            self._ask_batch(single)

    def _read(self, batch: Batch, results: Results) -> NoAnswer | None:
        """Read pages until everything is answered; why the rest has no answer."""
        markers: set[str] = set()
        following: dict[str, str] = {}
        while results.open:
            reply = self._page(batch, following)
            if isinstance(reply, NoAnswer):
                return reply
            is_new = results.add(reply.get("EvaluationResults", []))
            if not results.open:
                break
            if not reply.get("IsTruncated"):
                return _bad("the reply says nothing of this action and resource")
            marker = reply.get("Marker")
            if not marker:
                return _bad("a page that is not the last has no marker")
            if marker in markers:
                return _bad("a page's marker came again")
            if not is_new:
                return _bad("a page has nothing that was asked and not said before")
            markers.add(marker)
            following = {"Marker": marker}
        return None

    def _page(self, batch: Batch, following: Mapping[str, str]) -> dict[str, Any] | NoAnswer:
        """One call, if there may be one."""
        if self._deadline.is_over:
            self._stop(NoAnswer(Failure.TIMEOUT, "the time limit of the run was reached"))
        if self.calls >= self._max_calls:
            words = f"live-max-calls allows no more than {self._max_calls} here"
            self._stop(NoAnswer(Failure.BUDGET, words))
        if batch.operation in self._stopped:
            return self._stopped[batch.operation]
        operation = batch.operation.value
        self.calls += 1
        try:
            reply = call(
                self._aws, self._client, operation, {**batch.request, **following}, self._deadline
            )
        except CallFailedError as error:
            return self._failed(batch.operation, NoAnswer(error.failure, error.message))
        self._outages = 0
        return reply

    def _failed(self, operation: Operation, failed: NoAnswer) -> NoAnswer:
        """Draw the consequences of a failure."""
        self._outages = self._outages + 1 if failed.failure.is_outage else 0
        if failed.failure is Failure.ACCESS_DENIED:
            self._stop(failed, [operation])
        elif failed.failure.is_of_all:
            self._stop(failed)
        elif self._outages >= MOST_OUTAGES:
            words = f"not asked after {MOST_OUTAGES} failures in a row, the last: {failed.message}"
            self._stop(NoAnswer(failed.failure, words))
        return failed

    def _stop(self, why: NoAnswer, operations: Iterable[Operation] = Operation) -> None:
        """Ask no more; the first reason is the one that is told."""
        for operation in operations:
            self._stopped.setdefault(operation, why)


def _bad(words: str) -> NoAnswer:
    return NoAnswer(Failure.BAD_REPLY, words)


@cache
def _parameters() -> frozenset[str]:
    from botocore.session import get_session  # noqa: PLC0415

    service = get_session().get_service_model("iam")
    shape: Any = service.operation_model(Operation.CUSTOM.value).input_shape
    return frozenset(shape.members)
