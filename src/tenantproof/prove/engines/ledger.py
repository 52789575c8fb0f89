"""What each engine answered and how long it took; with several engines, that they agree."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from tenantproof.errors import BudgetExceededError, DisagreementError
from tenantproof.prove.engines.engine import AUTOMATA, Engine, Prover
from tenantproof.prove.formula import Term
from tenantproof.prove.search import Budget
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.prove.space import RequestSpace


class Answered(Enum):
    """What an engine says of one question."""

    WITNESS = "witness"
    NONE = "none"
    BLOCKED = "blocked"
    UNANSWERED = "unanswered"


@dataclass(frozen=True)
class Answer:
    """What one engine said of one question, and how long it took; why it gave no answer."""

    engine: str
    answered: Answered
    seconds: float
    reason: str | None = None


@dataclass(frozen=True)
class EngineAnswers:
    """What one engine said of all questions that an answer of ours rests on.

    Attributes:
        engine: its name.
        witnesses: how often it gave a request.
        refuted: how often it said that there is none.
        blocked: how often it said that only conditions without a theory decide.
        unanswered: how often it gave no answer.
        seconds: how long all that took.
        reasons: why it gave no answer, each once.
    """

    engine: str
    witnesses: int
    refuted: int
    blocked: int
    unanswered: int
    seconds: float
    reasons: tuple[str, ...]


@dataclass
class Ledger:
    """The engines that questions are put to, and what they answered.

    Attributes:
        engines: the engines; the first whose answer there is decides.
        seconds: what all questions may take, for each engine by itself; None for no limit.
    """

    engines: tuple[Engine, ...] = (AUTOMATA,)
    seconds: float | None = None
    answers: list[Answer] = field(default_factory=list, init=False)

    def prover(self, space: RequestSpace, multivalued: frozenset[str], budget: Budget) -> Panel:
        """A prover that puts each question to every engine.

        Args:
            space: the requests to choose from.
            multivalued: the keys that can hold any number of values.
            budget: one engine's budget; with several each has its own, and what all of them take
                is none of this one's time.
        """
        if len(self.engines) == 1:
            (engine,) = self.engines
            return Panel(self, [engine.prover(space, multivalued, budget)], [budget])
        budgets = [Budget.of(self.seconds) for _ in self.engines]
        each = zip(self.engines, budgets, strict=True)
        provers = [engine.prover(space, multivalued, own) for engine, own in each]
        return Panel(self, provers, budgets, budget)

    def spent(self, engine: Engine) -> float:
        """How long an engine has taken so far."""
        return sum(answer.seconds for answer in self.answers if answer.engine == engine.name)

    def summary(self, since: int = 0) -> tuple[EngineAnswers, ...]:
        """What each engine answered, all questions together.

        Args:
            since: how many answers to leave out, those of earlier findings.
        """
        return tuple(self._of(engine.name, self.answers[since:]) for engine in self.engines)

    def _of(self, name: str, answers: Sequence[Answer]) -> EngineAnswers:
        mine = [answer for answer in answers if answer.engine == name]

        def count(kind: Answered) -> int:
            return sum(answer.answered is kind for answer in mine)

        return EngineAnswers(
            name,
            count(Answered.WITNESS),
            count(Answered.NONE),
            count(Answered.BLOCKED),
            count(Answered.UNANSWERED),
            sum(answer.seconds for answer in mine),
            tuple(dict.fromkeys(answer.reason for answer in mine if answer.reason)),
        )


class EnginesDisagreeError(DisagreementError):
    """One engine has a witness, another says that there is none.

    Attributes:
        witness: the witness, or the conditions that it hangs on.
    """

    def __init__(self, none: str, some: str, witness: Witness | Blocked) -> None:
        super().__init__(f"{none} finds no request where {some} finds {witness}")
        self.witness = witness


Found = Witness | Blocked | BudgetExceededError | None


@dataclass
class Panel:
    """Puts each question to several provers and compares what they say.

    Attributes:
        ledger: where the answers are written down.
        provers: one for each engine of the ledger.
        budgets: the provers' budgets.
        shared: the budget of what else the question takes, which the engines' time is none of.
    """

    ledger: Ledger
    provers: Sequence[Prover]
    budgets: Sequence[Budget]
    shared: Budget | None = None

    @property
    def engines(self) -> set[str]:
        """What decided the answers so far."""
        return set().union(*(prover.engines for prover in self.provers))

    def smallest(self, formula: Term) -> Witness | Blocked | None:
        """The first engine's answer, or where it has none the next one's.

        Raises:
            BudgetExceededError: no engine has an answer.
            DisagreementError: one has a witness, another says that there is none.
        """
        begun = time.monotonic()
        found = [self._ask(at, formula) for at in range(len(self.provers))]
        if self.shared is not None:
            self.shared.extend(time.monotonic() - begun)
        self._compare(found)
        answers = [each for each in found if not isinstance(each, BudgetExceededError)]
        if answers:
            return answers[0]
        (first, *_) = (each for each in found if isinstance(each, BudgetExceededError))
        raise first

    def _ask(self, at: int, formula: Term) -> Found:
        engine = self.ledger.engines[at]
        if self.shared is not None and self.ledger.seconds is not None:
            left = self.ledger.seconds - self.ledger.spent(engine)
            self.budgets[at].deadline = time.monotonic() + left
        start = time.perf_counter()
        found: Found
        try:
            self.budgets[at].spend(0)
            found = self.provers[at].smallest(formula)
        except BudgetExceededError as error:
            found = error
        took = time.perf_counter() - start
        reason = str(found) if isinstance(found, BudgetExceededError) else None
        self.ledger.answers.append(Answer(engine.name, answered(found), took, reason))
        return found

    def _compare(self, found: Sequence[Found]) -> None:
        named = list(zip((engine.name for engine in self.ledger.engines), found, strict=True))
        none = [name for name, each in named if each is None]
        some = [(name, each) for name, each in named if isinstance(each, Witness | Blocked)]
        if none and some:
            name, witness = some[0]
            raise EnginesDisagreeError(", ".join(none), name, witness)


def answered(found: Found) -> Answered:
    """What kind of answer an engine gave."""
    match found:
        case Witness():
            return Answered.WITNESS
        case Blocked():
            return Answered.BLOCKED
        case BudgetExceededError():
            return Answered.UNANSWERED
        case None:
            return Answered.NONE
