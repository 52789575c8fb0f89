"""Requests near what policies speak of."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tenantproof.isolation.sagemaker import invoke_actions
from tenantproof.policy import PolicyDocument, PolicySet, Statement, statements
from tenantproof.policy.syntax import (
    Chars,
    Clause,
)
from tenantproof.prove import RequestSpace
from tenantproof.prove.space import MULTIVALUED
from tenantproof.request import ContextValue, Principal, Request
from tenantproof_strategies import arguments
from tenantproof_strategies.aims import checked_policies
from tenantproof_strategies.boundary import (
    Aim,
    Ladder,
    Pieces,
    Surroundings,
    draw_once,
    pieces_of,
    probe,
    resolved,
)
from tenantproof_strategies.callers import principals
from tenantproof_strategies.needs import (
    ENDPOINT,
    SINGLE,
    Mentions,
    Wanted,
    covers,
    lower,
    near_or,
    needs,
    typical,
    values_of_condition,
)
from tenantproof_strategies.vocabulary import (
    ACTIONS,
    SET_KEYS,
    arns,
)


@dataclass(frozen=True)
class _Probe:
    """A request that one pattern decides: the rest is what its statement needs."""

    action: str
    resource: Pieces
    wanted: Wanted
    sort: Hashable


def requests(
    policies: PolicySet | PolicyDocument,
    principal: Principal | st.SearchStrategy[Principal] | None = None,
) -> st.SearchStrategy[Request]:
    """Requests near what the policies speak of, any action on any resource.

    Args:
        policies: their actions, resources, condition keys and values are aimed at.
        principal: who makes the requests, or a strategy for that; without it principals near the
            policies. Keys that the principal decides are not given in the context.

    Raises:
        TypeError: an argument is of another type.
    """
    checked = checked_policies(policies)
    return _requests(_RequestPlan(checked), callers_of(principal))


class _RequestPlan:
    def __init__(self, policies: PolicySet) -> None:
        self.mentions = Mentions(policies)
        self.probes = [
            each
            for number, statement in enumerate(statements(policies))
            for each in _probes(number, statement)
        ]
        self.ladder = Ladder(self.probes, lambda each: each.sort)
        self.typical = self.mentions.principal()
        self.principals = principals(near=policies)
        self._size = len(tuple(statements(policies)))

    def __repr__(self) -> str:
        return f"<{self._size} statements>"


def _probes(number: int, statement: Statement) -> Iterator[_Probe]:
    """Requests that a statement applies to, and one for each of its other patterns."""
    wanted = needs(statement)
    actions = _actions_of(statement.action)
    resources = _resources_of(statement.resource)
    for action in actions:
        yield _Probe(action, resources[0], wanted, (number, "Action"))
    for resource in resources[1:]:
        yield _Probe(actions[0], resource, wanted, (number, "Resource"))
    for at, condition in enumerate(statement.conditions):
        source = f"{statement.effect.value} {condition.operator.name}"
        aims = [Aim(pieces, source) for pieces in values_of_condition(condition)]
        surroundings = Surroundings(aims)
        for aim in aims:
            if wanted.get(condition.key) == aim.pieces:
                continue
            others = {k: v for k, v in wanted.items() if k.lower() != condition.key.lower()}
            sort = (number, at, surroundings.feature(aim))
            yield _Probe(actions[0], resources[0], {**others, condition.key: aim.pieces}, sort)


def _actions_of(clause: Clause) -> list[str]:
    known = (*invoke_actions(), *ACTIONS)
    chosen = [action for action in dict.fromkeys(known) if covers(clause, action)]
    own = [] if clause.negated else [_filled(pattern.text) for pattern in clause.patterns]
    return chosen or own or [ACTIONS[0]]


def _filled(pattern: str) -> str:
    return pattern.replace("*", "x").replace("?", "x")


def _resources_of(clause: Clause | None) -> list[Pieces]:
    if clause is None or clause.negated:
        return [(Chars(ENDPOINT),)]
    return [
        (Chars(ENDPOINT),) if pattern.text == "*" else pattern.parts for pattern in clause.patterns
    ]


def _completed(arn: str) -> str:
    """An ARN with all of its six segments."""
    return arn + ":x" * (5 - arn.count(":"))


@st.composite
@arguments.shown_as("requests")
def _requests(
    draw: st.DrawFn,
    policies: _RequestPlan,
    principal: st.SearchStrategy[Principal] | None = None,
) -> Request:
    plan, callers = policies, principal
    chosen = plan.ladder.draw(draw)
    if chosen is not None:
        caller = plan.typical if callers is None else draw(callers)
        resource = _completed(probe(resolved(chosen.resource, caller.keys)))
        space = RequestSpace(caller)
        context = {
            key: _as_set(key, probe(resolved(pieces, caller.keys)))
            for key, pieces in chosen.wanted.items()
            if space.known(key.lower()) is True
        }
        return Request(caller, chosen.action, resource, context)
    caller = draw(plan.principals if callers is None else callers)
    return draw_once(draw, _any_request(plan.mentions, caller))


def _as_set(key: str, text: str) -> ContextValue:
    return (text,) if key.lower() in MULTIVALUED else text


@st.composite
def _any_request(draw: st.DrawFn, mentions: Mentions, principal: Principal) -> Request:
    keys = principal.keys
    patterns = [pieces_of(text) for text in mentions.actions]
    action = near_or(draw, patterns, keys, st.sampled_from(ACTIONS))
    resource = near_or(draw, mentions.resources, keys, arns())
    space = RequestSpace(principal)
    context: dict[str, ContextValue] = {}
    for key, values in mentions.values.items():
        if space.known(key) is True and draw(st.integers(0, 3)):
            context[mentions.names[key]] = _near_value(draw, key, values, keys)
    return Request(principal, action, resource, context)


def _near_value(
    draw: st.DrawFn, key: str, values: Sequence[Pieces], keys: Mapping[str, ContextValue]
) -> ContextValue:
    may_be_set = key in lower(SET_KEYS) or key not in lower(SINGLE)
    if may_be_set and draw(st.booleans()):
        size = draw(st.integers(0, 3))
        return tuple(near_or(draw, values, keys, typical(key)) for _ in range(size))
    return near_or(draw, values, keys, typical(key))


def callers_of(
    principal: Principal | st.SearchStrategy[Principal] | None,
) -> st.SearchStrategy[Principal] | None:
    """The argument as a strategy; None where it is None.

    Raises:
        TypeError: it is something else.
    """
    match principal:
        case Principal():
            return st.just(principal)
        case st.SearchStrategy():
            return principal
        case None:
            return None
        case _:
            raise TypeError(
                f"found {arguments.shown(principal)} as principal, expected a Principal, a"
                " strategy of them, or None"
            )
