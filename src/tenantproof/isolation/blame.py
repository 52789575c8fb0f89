"""Which statements, and which pattern in them, made a decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from tenantproof.errors import Place
from tenantproof.evaluate import Decision, StatementResult
from tenantproof.evaluate.conditions import condition_holds
from tenantproof.evaluate.variables import resolve_variable
from tenantproof.isolation.findings import Blame
from tenantproof.policy import Condition, Effect
from tenantproof.reading import Reading
from tenantproof.request import Request


def blame(decision: Decision, request: Request, reading: Reading) -> tuple[Blame, ...]:
    """The statements behind a decision.

    Args:
        decision: the decision on ``request``.
        request: the request.
        reading: the reading that the decision was made under.

    Returns:
        For an allowed request the statements that allow it, each with its pattern, then the Deny
        statements that did not stop it; for a denied one the Deny statements that apply, or else
        the Allow statements that do not.
    """
    if decision.allowed:
        allows = decision.applied(Effect.ALLOW)
        failed = (r for r in decision.results if r.effect is Effect.DENY)
        return tuple(_blamed(r, request, reading) for r in (*allows, *failed))
    denies = decision.applied(Effect.DENY)
    silent = (r for r in decision.results if r.layer in decision.denied_by)
    return tuple(_blamed(r, request, reading) for r in (*denies, *silent))


def _blamed(result: StatementResult, request: Request, reading: Reading) -> Blame:
    statement = result.statement
    pattern, place, because = _reason(result, request, reading)
    return Blame(
        layer=result.layer.name,
        file=result.layer.policies[result.policy_index].file,
        statement=statement.name,
        sid=statement.sid,
        effect=statement.effect,
        applies=result.applies,
        place=place,
        pattern=pattern,
        because=because,
        statement_place=statement.place,
    )


def _reason(
    result: StatementResult, request: Request, reading: Reading
) -> tuple[str | None, Place, str]:
    """The pattern to blame, its place and the reason in words.

    A statement that applies is blamed at its last condition, or at its Action where it has none;
    one that does not apply at the element that did not match.
    """
    if not result.applies:
        check = result.checks[-1]
        return None, check.place, check.because
    matching = tuple(_matching_values(result, request, reading))
    if matching:
        return matching[-1]
    elements = ("NotResource", "NotAction", "Action")
    check = next(c for e in elements for c in result.checks if c.element == e)
    return None, check.place, f"{check.because}, without a condition"


def _matching_values(
    result: StatementResult, request: Request, reading: Reading
) -> Iterator[tuple[str | None, Place, str]]:
    """For each condition of a statement, the value that alone makes it hold."""
    reasons = {check.place: check.because for check in result.checks}
    for condition in result.statement.conditions:
        single = _deciding_value(condition, request, reading)
        place = single.values[0].place if single else condition.place
        pattern = single.values[0].text if single else None
        yield pattern, place, reasons[condition.place]


def _deciding_value(condition: Condition, request: Request, reading: Reading) -> Condition | None:
    """The condition cut to the one value that matches; None if none or no single one decides."""
    present = condition.key.lower() in request.keys
    if not present or condition.operator.comparison.negated:
        return None
    resolve = partial(resolve_variable, keys=request.keys)
    cut = (replace(condition, values=(value,)) for value in condition.values)
    return next((c for c in cut if condition_holds(c, request.keys, resolve, reading)), None)
