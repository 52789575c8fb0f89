"""The evaluator: a request in, a decision out. Reading 1 of the policy language.

Follows "Policy evaluation logic" of the IAM User Guide; each function is one sentence of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from tenantproof.evaluate.access import layers_that_apply, required
from tenantproof.evaluate.conditions import condition_holds
from tenantproof.evaluate.decision import Check, Decision, Outcome, StatementResult
from tenantproof.evaluate.matching import Resolve, action_matches, resource_matches
from tenantproof.evaluate.principals import Grant, grant_to_caller, principal_matches
from tenantproof.evaluate.variables import (
    UnresolvedVariableError,
    resolve_variable,
    unresolved,
)
from tenantproof.policy.stack import Access, Layer, LayerKind, Stack
from tenantproof.policy.syntax import (
    Clause,
    Condition,
    Effect,
    PrincipalClause,
    Statement,
    Template,
    Unknown,
)
from tenantproof.reading import DOCUMENTED, Reading
from tenantproof.request import ContextValue, PrincipalKind, Request

MatchesText = Callable[[Template, str], bool]


def decide(policies: Stack, request: Request, reading: Reading = DOCUMENTED) -> Decision:
    """Decide a request: an explicit deny wins, else every layer must allow.

    Args:
        policies: the policies that apply to the request.
        request: the request.
        reading: the choices where the reference hedges.

    Returns:
        The decision, with the part that each statement had in it.
    """
    layers = tuple(_layers(policies, request, reading))
    results = tuple(
        statement_result(layer, index, statement, request, reading)
        for layer in layers
        for index, policy in enumerate(layer.policies)
        for statement in policy.statements
    )
    if any(r.applies and r.effect is Effect.DENY for r in results):
        return Decision(Outcome.EXPLICIT_DENY, results)
    silent = tuple(layer for layer in layers if not _allows(layer, results))
    denied_by = _that_matter(policies, silent, results, request, reading)
    if denied_by:
        return Decision(Outcome.IMPLICIT_DENY, results, denied_by)
    return Decision(Outcome.ALLOWED, results)


def _layers(policies: Stack, request: Request, reading: Reading) -> Iterator[Layer]:
    if isinstance(policies, Access):
        return layers_that_apply(policies, request, reading)
    return policies.layers()


def _allows(layer: Layer, results: tuple[StatementResult, ...]) -> bool:
    """A layer allows if one of its statements does."""
    return any(r.applies and r.effect is Effect.ALLOW for r in results if r.layer is layer)


def _that_matter(
    policies: Stack,
    silent: tuple[Layer, ...],
    results: tuple[StatementResult, ...],
    request: Request,
    reading: Reading,
) -> tuple[Layer, ...]:
    """Of the layers that do not allow those that deny by it: all, but of two sides not each.

    In one account either the identity policies or the resource's policy has to allow: where
    neither does, both deny.
    """
    if not isinstance(policies, Access):
        return silent
    kinds = required(policies, request, _grant(results, request, reading))
    if any(layer.kind is LayerKind.IDENTITY for layer in silent) and LayerKind.IDENTITY in kinds:
        kinds |= {LayerKind.RESOURCE}
    return tuple(layer for layer in silent if layer.kind in kinds)


def _grant(results: tuple[StatementResult, ...], request: Request, reading: Reading) -> Grant:
    """How directly the resource's policy allows the request to the caller."""
    grants = (
        grant_to_caller(r.statement.principal, request, reading)
        for r in results
        if r.layer.kind is LayerKind.RESOURCE and r.applies and r.effect is Effect.ALLOW
        if r.statement.principal is not None
    )
    return max(grants, default=Grant.NONE)


def statement_result(
    layer: Layer, policy_index: int, statement: Statement, request: Request, reading: Reading
) -> StatementResult:
    """A statement applies if every element of it matches the request."""
    checks: list[Check] = []
    for check in _checks(statement, request, reading):
        checks.append(check)
        if not check.matched:
            return StatementResult(layer, policy_index, statement, False, tuple(checks))
    return StatementResult(layer, policy_index, statement, True, tuple(checks))


def _checks(statement: Statement, request: Request, reading: Reading) -> Iterator[Check]:
    keys = _present_keys(request, reading)
    resolve = partial(resolve_variable, keys=keys)
    if not reading.unresolved_spoils_value:
        yield from _variables_check(statement, keys)
    if statement.principal is not None:
        yield _principal_check(statement.principal, request, reading)
    yield _clause_check(statement.action, request.action, action_matches)
    if statement.resource is not None:
        matches = partial(_resource_matches, resolve=resolve, reading=reading)
        yield _clause_check(statement.resource, request.resource, matches)
    for condition in statement.conditions:
        yield _condition_check(condition, keys, resolve, reading)
    if statement.unknown is not None:
        yield _unknown_check(statement.unknown)


def _present_keys(request: Request, reading: Reading) -> Mapping[str, ContextValue]:
    if not reading.empty_is_null:
        return request.keys
    return {key: value for key, value in request.keys.items() if any(value)}


def _variables_check(statement: Statement, keys: Mapping[str, ContextValue]) -> Iterator[Check]:
    """A variable without a value makes the entire statement invalid."""
    variable = unresolved(statement, keys)
    if variable is not None:
        because = f"${{{variable.key}}} has no value in the request, which voids the statement"
        yield Check("Variable", False, because, statement.place)


def _principal_check(clause: PrincipalClause, request: Request, reading: Reading) -> Check:
    matched = principal_matches(clause, request, reading)
    verb = "names" if matched != clause.negated else "does not name"
    because = f"{clause.element} {verb} {_caller(request)}"
    return Check(clause.element, matched, because, clause.place)


def _caller(request: Request) -> str:
    caller = request.principal
    return "an anonymous caller" if caller.kind is PrincipalKind.ANONYMOUS else caller.arn


def _resource_matches(pattern: Template, resource: str, resolve: Resolve, reading: Reading) -> bool:
    try:
        return resource_matches(
            pattern, resource, resolve, star_crosses=reading.segment_star_crosses
        )
    except UnresolvedVariableError:
        return False


def _clause_check(clause: Clause, value: str, matches: MatchesText) -> Check:
    """Action and Resource match if one pattern does; NotAction and NotResource if none does."""
    found = next((p for p in clause.patterns if matches(p, value)), None)
    matched = (found is not None) != clause.negated
    if found is None:
        because = f"{value} matches none of {clause.element}"
        return Check(clause.element, matched, because, clause.place)
    return Check(clause.element, matched, f"{value} matches {found.text}", found.place)


def _condition_check(
    condition: Condition, keys: Mapping[str, ContextValue], resolve: Resolve, reading: Reading
) -> Check:
    matched = condition_holds(condition, keys, resolve, reading)
    wanted = ", ".join(value.text for value in condition.values)
    verb = "holds" if matched else "does not hold"
    because = f"{condition.operator.name} {wanted} {verb} for {_shown(condition.key, keys)}"
    return Check(f"Condition {condition.key}", matched, because, condition.place)


def _unknown_check(unknown: Unknown) -> Check:
    """What is not known of a statement does not make it apply."""
    return Check("Unknown", False, unknown.reason, unknown.place)


def _shown(key: str, keys: Mapping[str, ContextValue]) -> str:
    match keys.get(key.lower()):
        case None:
            return f"the absent key {key}"
        case str(value):
            return f'{key} "{value}"'
        case values:
            return f"{key} {list(values)}"
