"""The questions on two sets of policies, each one line on a shared helper.

What is proved is then attacked with concrete requests, and asked again under the other readings of
the reference that the policies touch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tenantproof.compare.answers import Answer, Change, Question, Way
from tenantproof.compare.attack import attack
from tenantproof.compare.inquiry import Inquiry, Requests, Side
from tenantproof.errors import BudgetExceededError
from tenantproof.evaluate import decide
from tenantproof.isolation import DEFAULT_TIMEOUT, Verdict
from tenantproof.isolation.asking import asked_about, hangs_on, no_answer, not_modelled
from tenantproof.isolation.blame import blame
from tenantproof.policy import Stack
from tenantproof.prove import Budget
from tenantproof.prove.solver import Blocked
from tenantproof.reading import DOCUMENTED, Reading, under_other_readings


@dataclass(frozen=True)
class Terms:
    """How questions are asked.

    Attributes:
        timeout: seconds for one question; None for no limit.
        reading: the choices where the reference hedges.
        tell_removed: whether to look, for information, for access that was removed.
        actions: the only actions asked about, as ``service:Name``; any where there are none.
        resources: the only resources asked about, as ARNs; any where there are none.
        tags: the names of tags that the caller has, each with some text, where it is free.
        attacks: whether what is proved is attacked, too.
    """

    timeout: float | None = DEFAULT_TIMEOUT
    reading: Reading = DOCUMENTED
    tell_removed: bool = False
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attacks: bool = True


def no_new_access(old: Side | Stack, new: Side | Stack, terms: Terms = Terms()) -> Answer:
    """PROVED iff "allowed by NEW and not by OLD" is unsatisfiable."""
    return _ask(Question.NO_NEW_ACCESS, old, new, (Way.GAINED,), terms)


def equivalent(old: Side | Stack, new: Side | Stack, terms: Terms = Terms()) -> Answer:
    """PROVED iff "allowed by one of OLD and NEW alone" is unsatisfiable."""
    return _ask(Question.EQUIVALENT, old, new, (Way.GAINED, Way.LOST), terms)


def disjoint(old: Side | Stack, new: Side | Stack, terms: Terms = Terms()) -> Answer:
    """PROVED iff "allowed by OLD and by NEW" is unsatisfiable."""
    return _ask(Question.DISJOINT, old, new, (Way.SHARED,), terms)


def at_most(policies: Side | Stack, reference: Side | Stack, terms: Terms = Terms()) -> Answer:
    """PROVED iff "allowed by the policies and not by the reference" is unsatisfiable."""
    return _ask(Question.AT_MOST, reference, policies, (Way.GAINED,), terms)


ASK = {
    Question.NO_NEW_ACCESS: no_new_access,
    Question.EQUIVALENT: equivalent,
    Question.DISJOINT: disjoint,
    Question.AT_MOST: lambda old, new, terms: at_most(new, old, terms),
}
"""The questions by name, each asked of OLD and NEW."""


def _ask(
    question: Question,
    old: Side | Stack,
    new: Side | Stack,
    ways: tuple[Way, ...],
    terms: Terms,
) -> Answer:
    """A request for each way, or a proof that none goes any of them.

    Raises:
        DisagreementError: the two readings differ; a bug in tenantproof.
    """
    inquiry = Inquiry(
        _side(old),
        _side(new),
        terms.reading,
        Budget.of(terms.timeout),
        actions=terms.actions,
        resources=terms.resources,
        tags=terms.tags,
    )
    draft = Answer(question, Verdict.PROVED)
    try:
        answer = _answered(draft, inquiry, ways)
        if answer.verdict is Verdict.PROVED:
            answer = _under_other_readings(answer, inquiry, ways)
        if answer.verdict is Verdict.PROVED and terms.attacks:
            answer = replace(answer, attacked=attack(inquiry, ways))
    except BudgetExceededError as error:
        answer = replace(draft, verdict=Verdict.UNKNOWN, reason=no_answer(error))
    if terms.tell_removed and Way.LOST not in ways:
        again = replace(inquiry, budget=Budget.of(terms.timeout))
        answer = replace(answer, removed=_removed(again))
    return replace(answer, engines=inquiry.engines)


def _side(given: Side | Stack) -> Side:
    return given if isinstance(given, Side) else Side(given)


def _answered(draft: Answer, inquiry: Inquiry, ways: tuple[Way, ...]) -> Answer:
    """What the ways lead to: LEAK with the requests, else UNKNOWN with the reason, else PROVED."""
    changes: list[Change] = []
    reasons: list[str] = []
    for way in ways:
        try:
            found = inquiry.smallest(way)
        except BudgetExceededError as error:
            reasons.append(no_answer(error))
            continue
        if isinstance(found, Requests):
            changes.append(_firm(inquiry, way, _change(inquiry, found, way)))
        elif isinstance(found, Blocked):
            reasons.append(not_modelled(found))
    reason = "; ".join(dict.fromkeys(reasons)) or None
    if changes:
        return replace(draft, verdict=Verdict.LEAK, changes=tuple(changes), reason=reason)
    return replace(draft, verdict=Verdict.UNKNOWN, reason=reason) if reason else draft


def _under_other_readings(proved: Answer, inquiry: Inquiry, ways: tuple[Way, ...]) -> Answer:
    """A proof asked again; what another reading refutes is UNKNOWN, with the request."""
    for flipped, (other,) in under_other_readings([inquiry]):
        answer = _answered(proved, other, ways)
        if answer.verdict is Verdict.LEAK:
            return replace(answer, verdict=Verdict.UNKNOWN, reason=hangs_on(flipped))
        if answer.verdict is Verdict.UNKNOWN:
            return answer
    return proved


def _removed(inquiry: Inquiry) -> Change | None:
    try:
        found = inquiry.smallest(Way.LOST)
    except BudgetExceededError:
        return None
    if not isinstance(found, Requests):
        return None
    return _firm(inquiry, Way.LOST, _change(inquiry, found, Way.LOST))


def _change(inquiry: Inquiry, found: Requests, way: Way) -> Change:
    old, new = inquiry.decisions(found)
    return Change(
        way,
        found.old,
        found.new,
        blame(old, found.old, inquiry.reading),
        blame(new, found.new, inquiry.reading),
        inquiry.was_shortest,
        _only_under_this_reading(inquiry, found, way),
    )


def _firm(inquiry: Inquiry, way: Way, change: Change) -> Change:
    """Of a change that hangs on a hedge one that does not, where another reading has it."""
    if change.reason is None:
        return change
    for flipped in inquiry.reading.alternatives(inquiry.ambiguities):
        try:
            found = inquiry.under(inquiry.reading.flipped(flipped)).smallest(way)
        except BudgetExceededError:
            break
        if isinstance(found, Requests) and inquiry.goes(found, way):
            firm = replace(_change(inquiry, found, way), shortest=False)
            if firm.reason is None:
                return firm
    return change


def _only_under_this_reading(inquiry: Inquiry, found: Requests, way: Way) -> str | None:
    """The hedge under whose other reading the request is decided otherwise, if any."""
    for flipped in inquiry.reading.alternatives(inquiry.ambiguities):
        reading = inquiry.reading.flipped(flipped)
        old = decide(inquiry.old.stack, found.old, reading).allowed
        new = decide(inquiry.new.stack, found.new, reading).allowed
        if (old, new) != (way.by_old, way.by_new):
            return (
                "of what the IAM reference leaves open, this reading decides it so:"
                f" {asked_about(flipped)}"
            )
    return None
