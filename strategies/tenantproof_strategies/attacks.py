"""Requests that invoke an endpoint, at the boundary of the policies that decide them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
    is_endpoint,
    target_model_actions,
)
from tenantproof.policy import PolicyDocument, PolicySet, Statement, statements
from tenantproof.prove import RequestSpace
from tenantproof.prove.principals import keys_of
from tenantproof.prove.space import ALWAYS_PRESENT, GLOBAL_DOMAINS
from tenantproof.request import ContextValue, Principal, Request
from tenantproof_strategies import arguments
from tenantproof_strategies.aims import Near, aims_in, aims_of, checked_policies
from tenantproof_strategies.boundary import (
    Aim,
    Ladder,
    Pieces,
    Surroundings,
    draw_once,
    pieces_of,
    probe,
    resolved,
    written,
)
from tenantproof_strategies.calls import callers_of
from tenantproof_strategies.needs import (
    TARGET,
    Mentions,
    Wanted,
    covers,
    grant_contexts,
    near_or,
    typical,
    typical_value,
)
from tenantproof_strategies.paths import fitted, near_model


@dataclass(frozen=True)
class _Attack:
    """An invocation that one pattern decides; without ``target`` it names no model."""

    action: str
    endpoint: str
    target: Pieces | None
    wanted: Wanted
    sort: Hashable


_MOST_CONTEXTS = 3
_UNOWNED = Aim(pieces_of("*"), "any")


def invocations(
    policies: PolicySet | PolicyDocument,
    principal: Principal | st.SearchStrategy[Principal],
    endpoint: str | Iterable[str],
    near: Near = (),
) -> st.SearchStrategy[Request]:
    """Requests of a principal that invoke an endpoint, as the question *isolated* ranges over.

    Each is one that a principal can make: TargetModel goes with the actions that take it and is
    one that the API accepts, what the principal, its tags and the endpoint decide is as they
    decide it, keys that every request has are there where the policies mention them, and other
    keys have values of their type or are absent. Only keys that the policies mention are given.

    Args:
        policies: TargetModels are drawn at the boundary of their patterns, other keys near what
            their conditions compare with.
        principal: who makes the requests, or a strategy for that.
        endpoint: the ARN of the endpoint, or several.
        near: further patterns, most useful what other tenants own: there leaks go.

    Raises:
        TypeError: an argument is of another type.
        InvalidArgument: ``endpoint`` is no endpoint's ARN.
    """
    checked = checked_policies(policies)
    endpoints = _endpoints(endpoint)
    aims = aims_of(near, TARGET_MODEL)
    callers = callers_of(principal)
    if callers is None:
        raise TypeError("found None as principal, expected a Principal or a strategy of them")
    return _invocations(_InvocationPlan(checked, endpoints, aims), callers)


def _endpoints(given: str | Iterable[str]) -> tuple[str, ...]:
    listed = (given,) if isinstance(given, str) else given
    found = arguments.some(listed, "endpoint", "ARNs of endpoints")
    for arn in found:
        if not is_endpoint(arn):
            raise InvalidArgument(
                f"found {arguments.shown(arn)} as endpoint, expected an endpoint's ARN"
            )
    return found


class _InvocationPlan:
    def __init__(
        self, policies: PolicySet, endpoints: tuple[str, ...], near: tuple[Aim, ...]
    ) -> None:
        self.mentions = Mentions(policies)
        self.endpoints = endpoints
        granting = grant_contexts(policies)
        self.contexts = _distinct(context for _, context in granting)[:_MOST_CONTEXTS] or [{}]
        self._granted = _granted_actions([statement for statement, _ in granting])
        own = {id(statement): context for statement, context in granting}
        aimed: list[tuple[Aim, list[dict[str, Pieces]]]] = []
        for statement in statements(policies):
            contexts = [own[id(statement)]] if id(statement) in own else self.contexts
            aimed += [(aim, contexts) for aim in aims_in(statement, TARGET_MODEL)]
        aimed += [(aim, self.contexts) for aim in (*near, _UNOWNED)]
        self.aims = tuple(dict.fromkeys(aim for aim, _ in aimed))
        self.ladder = Ladder(list(self._attacks(aimed)), lambda each: each.sort)

    def __repr__(self) -> str:
        patterns = arguments.shown([written(aim.pieces) for aim in self.aims])
        return f"<{patterns} on {arguments.shown(list(self.endpoints))}>"

    def _attacks(self, aimed: list[tuple[Aim, list[dict[str, Pieces]]]]) -> Iterator[_Attack]:
        surroundings = Surroundings(self.aims)
        first = target_model_actions()[0]
        for endpoint in self.endpoints:
            for action in self._granted:
                for context in self.contexts:
                    yield _Attack(action, endpoint, None, context, "absent")
            seen: dict[Pieces, list[dict[str, Pieces]]] = {}
            for aim, contexts in aimed:
                for context in contexts:
                    known = seen.setdefault(aim.pieces, [])
                    if context not in known:
                        known.append(context)
                        sort = surroundings.feature(aim)
                        yield _Attack(first, endpoint, aim.pieces, context, sort)


def _granted_actions(grants: Sequence[Statement]) -> list[str]:
    """The invoke actions that some statement allows: no request with another needs to be tried."""
    return [
        action
        for action in invoke_actions()
        if any(covers(statement.action, action) for statement in grants)
    ]


def _distinct(contexts: Iterable[dict[str, Pieces]]) -> list[dict[str, Pieces]]:
    found: list[dict[str, Pieces]] = []
    for context in contexts:
        if context not in found:
            found.append(context)
    return found


class _Invoker:
    """What is fixed and what is free in a principal's requests to an endpoint."""

    def __init__(self, mentions: Mentions, principal: Principal, endpoint: str) -> None:
        self._mentions = mentions
        self._principal = principal
        self._endpoint = endpoint
        own = keys_of(principal.arn)
        _, _, _, region, account, _ = endpoint.split(":", 5)
        self._always = {**ALWAYS_PRESENT, **own.always}
        self._space = RequestSpace(
            principal,
            fixed={
                "aws:requestedregion": region,
                "aws:resourceaccount": account,
                "aws:principalisawsservice": "false",
            },
            domains={**GLOBAL_DOMAINS, **own.domains},
            single_valued=frozenset({TARGET}),
        )
        self.free = [
            key for key in mentions.names if key != TARGET and self._space.known(key) is True
        ]

    def text(self, key: str, text: str) -> str | None:
        """The text if the key can hold it, else a typical one, if there is one."""
        domain = self._space.choices(key)
        typical = (text, self._always.get(key, ""), *(domain.values or ()), typical_value(key))
        return next((each for each in typical if each in domain), None)

    def is_set(self, key: str) -> bool:
        """Whether a key can hold any number of values."""
        return self._space.is_multivalued(key, qualified=key in self._mentions.qualified)

    def request(
        self, action: str, target: str | None, chosen: Mapping[str, ContextValue]
    ) -> Request:
        """The request; of the keys chosen (in lower case) those that are free."""
        names = self._mentions.names
        context: dict[str, ContextValue] = {} if target is None else {TARGET_MODEL: target}
        for key, name in names.items():
            if key in self.free and key in chosen:
                context[name] = chosen[key]
            elif key in self.free and key in self._always:
                context[name] = self._always[key]
            elif key in self._space.fixed:
                context[name] = self._space.fixed[key]
        return Request(self._principal, action, self._endpoint, context)


@st.composite
@arguments.shown_as("invocations")
def _invocations(
    draw: st.DrawFn, policies: _InvocationPlan, principal: st.SearchStrategy[Principal]
) -> Request:
    plan = policies
    attack = plan.ladder.draw(draw)
    caller = draw(principal)
    keys = caller.keys
    if attack is None:
        return draw_once(draw, _any_invocation(plan, caller))
    invoker = _Invoker(plan.mentions, caller, attack.endpoint)
    target = None if attack.target is None else fitted(probe(resolved(attack.target, keys)))
    chosen = dict(_needed(invoker, attack.wanted, keys))
    return invoker.request(attack.action, target, chosen)


def _needed(
    invoker: _Invoker, wanted: Wanted, keys: Mapping[str, ContextValue]
) -> Iterator[tuple[str, ContextValue]]:
    for name, pieces in wanted.items():
        key = name.lower()
        text = invoker.text(key, probe(resolved(pieces, keys)))
        if text is not None:
            yield key, (text,) if invoker.is_set(key) else text


@st.composite
def _any_invocation(draw: st.DrawFn, plan: _InvocationPlan, principal: Principal) -> Request:
    keys = principal.keys
    action = draw(st.sampled_from((*invoke_actions()[:1] * 4, *invoke_actions())))
    invoker = _Invoker(plan.mentions, principal, draw(st.sampled_from(plan.endpoints)))
    target = None
    if action in target_model_actions() and draw(st.integers(0, 7)):
        target = near_model(draw, plan.aims, keys)
    needed = dict(_needed(invoker, draw(st.sampled_from(plan.contexts)), keys))
    chosen: dict[str, ContextValue] = {}
    for key in invoker.free:
        match draw(st.sampled_from(("absent", "needed", "near", "near"))):
            case "needed" if key in needed:
                chosen[key] = needed[key]
            case "near":
                value = _near_values(draw, invoker, key, plan.mentions.values[key], keys)
                chosen |= {} if value is None else {key: value}
            case _:
                pass
    return invoker.request(action, target, chosen)


def _near_values(
    draw: st.DrawFn,
    invoker: _Invoker,
    key: str,
    values: Sequence[Pieces],
    keys: Mapping[str, ContextValue],
) -> ContextValue | None:
    size = draw(st.integers(0, 3)) if invoker.is_set(key) else 1
    drawn = (invoker.text(key, near_or(draw, values, keys, typical(key))) for _ in range(size))
    texts = tuple(text for text in drawn if text is not None)
    if invoker.is_set(key):
        return texts
    return texts[0] if texts else None
