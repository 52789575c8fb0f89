"""Attacks on a proof: requests near what the statements of both sides say, decided one by one.

The prover is not asked here. The requests are deterministic, so that a report can be reproduced.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from tenantproof.compare.answers import Way
from tenantproof.compare.inquiry import Inquiry, Requests
from tenantproof.compare.request import FOLLOWING
from tenantproof.errors import DisagreementError
from tenantproof.isolation.attack import near
from tenantproof.policy import Effect, Statement, statements
from tenantproof.policy.syntax import AnyChar, AnyChars, Chars, Escape, SetQualifier, Template
from tenantproof.prove import ACTION, RESOURCE
from tenantproof.prove.callers import PRINCIPAL_ARN
from tenantproof.prove.formula import CANONICAL_USER, FEDERATED, SERVICE
from tenantproof.request import ContextValue, values_of

MOST_REQUESTS = 96
"""The most requests made of one proof."""

_OF_ONE_STATEMENT = 12
_CALLERS = {"Service": SERVICE, "Federated": FEDERATED, "CanonicalUser": CANONICAL_USER}


def attack(inquiry: Inquiry, ways: Iterable[Way]) -> int:
    """Decide requests near both sides' statements; none may go one of the ways.

    Returns:
        How many were decided.

    Raises:
        DisagreementError: one goes so, though the prover says that none can.
    """
    listed = tuple(ways)
    tried = 0
    for requests in islice(_requests(inquiry), MOST_REQUESTS):
        tried += 1
        old, new = inquiry.decisions(requests)
        for way in listed:
            if (old.allowed, new.allowed) == (way.by_old, way.by_new):
                raise DisagreementError(
                    f"the prover says that no request is {way.value}, the evaluator that this one"
                    f" is: {requests.new}"
                )
    return tried


def _requests(inquiry: Inquiry) -> Iterator[Requests]:
    """Requests near the statements, those of both sides in turn."""
    listed = [
        [s for s in statements(side.stack) if s.effect is effect]
        for effect in (Effect.ALLOW, Effect.DENY)
        for side in (inquiry.new, inquiry.old)
    ]
    longest = max(map(len, listed))
    for at in range(longest):
        for among in listed:
            if at < len(among):
                yield from islice(_near(inquiry, among[at]), _OF_ONE_STATEMENT)


def _near(inquiry: Inquiry, statement: Statement) -> Iterator[Requests]:
    others = inquiry.actions or ("s3:GetObject",), inquiry.resources or ("*",)
    actions = _words(inquiry, ACTION, statement.action.patterns, others[0])
    resources = _words(
        inquiry, RESOURCE, statement.resource.patterns if statement.resource else (), others[1]
    )
    for context in (_fitting(inquiry, statement), {}):
        values = {**_caller(inquiry, statement), **context}
        for action in islice(actions, 2):
            for resource in islice(resources, 3):
                yield inquiry.build(action, resource, _allowed_with(inquiry, values, action))


def _words(
    inquiry: Inquiry, subject: str, patterns: Iterable[Template], others: tuple[str, ...]
) -> tuple[str, ...]:
    domain = inquiry.space.choices(subject)
    words = near((_shown(pattern) for pattern in patterns), domain)
    return (*islice(words, 4), *others)


def _allowed_with(
    inquiry: Inquiry, values: dict[str, ContextValue], action: str
) -> dict[str, ContextValue]:
    """The values without the keys that requests with another action do not have."""
    only_with = inquiry.space.only_with
    return {k: v for k, v in values.items() if action in only_with.get(k, (action,))}


def _shown(template: Template) -> str:
    shown: list[str] = []
    for part in template.parts:
        match part:
            case Chars(text):
                shown.append(text)
            case Escape(char):
                shown.append(char)
            case AnyChars():
                shown.append("*")
            case AnyChar():
                shown.append("?")
            case variable:
                shown.append(variable.default or "x")
    return "".join(shown)


def _fitting(inquiry: Inquiry, statement: Statement) -> dict[str, ContextValue]:
    """A value for each key of the conditions, the first that they compare with."""
    found: dict[str, ContextValue] = {}
    for condition in statement.conditions:
        key = condition.key.lower()
        is_null = condition.operator.comparison.family.value == "Null"
        if key in FOLLOWING or is_null or not inquiry.is_free(key):
            continue
        text = _shown(condition.values[0].template).replace("*", "x").replace("?", "x")
        is_set = condition.operator.qualifier is SetQualifier.FOR_ALL_VALUES
        multivalued = inquiry.space.is_multivalued(key, qualified=False)
        value: ContextValue = (text,) if is_set and multivalued else text
        if all(each in inquiry.space.choices(key) for each in values_of(value)):
            found[key] = value
    return found


def _caller(inquiry: Inquiry, statement: Statement) -> dict[str, ContextValue]:
    """A caller that the statement speaks of."""
    if inquiry.space.principal is not None:
        return {}
    texts = [
        _shown(value.template).replace("*", "x").replace("?", "x")
        for condition in statement.conditions
        if condition.key.lower() == PRINCIPAL_ARN
        for value in condition.values
    ]
    for entry in statement.principal.entries if statement.principal else ():
        if entry.type in _CALLERS and entry.value != "*":
            return {_CALLERS[entry.type]: entry.value}
        texts += [entry.value, f"arn:aws:iam::{entry.value}:root"]
    fitting = (text for text in texts if text in inquiry.space.choices(PRINCIPAL_ARN))
    arn = next(fitting, None)
    return {} if arn is None else {PRINCIPAL_ARN: arn}
