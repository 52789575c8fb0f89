"""What statements need of a request, and what policies mention."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain

from hypothesis import strategies as st

from tenantproof.evaluate.conditions import holds_when_absent
from tenantproof.evaluate.matching import action_matches
from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.policy import Effect, LayerKind, PolicyDocument, PolicySet, Statement, statements
from tenantproof.policy.syntax import (
    Chars,
    Clause,
    Condition,
    ConditionValue,
    Family,
    Relation,
)
from tenantproof.prove.space import ALWAYS_PRESENT
from tenantproof.request import PRINCIPAL_TAG_PREFIX, ContextValue, Principal
from tenantproof_strategies.aims import patterns_of
from tenantproof_strategies.boundary import (
    Pieces,
    near_pieces,
    probe,
    resolved,
)
from tenantproof_strategies.vocabulary import (
    ADDRESSES,
    ARN_KEYS,
    BINARIES,
    BINARY_KEYS,
    BOOL_KEYS,
    DATE_KEYS,
    DATES,
    IP_KEYS,
    NUMBERS,
    NUMERIC_KEYS,
    STRING_KEYS,
    arns,
    paths,
)

TARGET = TARGET_MODEL.lower()
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
_NONE_OF_THEM = "zzz"
_EARLY, _LATE = "1970-01-02T00:00:00Z", "2100-01-01T00:00:00Z"

Wanted = Mapping[str, Pieces]
"""The keys that a statement needs, names as written, each with a text that it takes."""


def needs(statement: Statement) -> dict[str, Pieces]:
    """The keys without which a statement does not apply, each with a value that fits.

    They are those of its conditions, and those of variables, without which it is void.
    """
    wanted: dict[str, Pieces] = {}
    for condition in statement.conditions:
        if not _holds_when_absent(condition):
            _put(wanted, condition.key, _value_for(condition, condition.values[0]))
    for template in statement.templates:
        for variable in template.variables:
            if variable.default is None:
                _put(wanted, variable.key, (variable,))
    return wanted


def _holds_when_absent(condition: Condition) -> bool:
    if condition.operator.comparison.family is Family.NULL:
        return any(value.literal is True for value in condition.values)
    return holds_when_absent(condition.operator)


def _put(wanted: dict[str, Pieces], key: str, pieces: Pieces) -> None:
    if all(key.lower() != known.lower() for known in wanted):
        wanted[key] = pieces


def _value_for(condition: Condition, value: ConditionValue) -> Pieces:
    """A value with which a condition holds."""
    comparison = condition.operator.comparison
    if comparison.family is Family.NULL:
        return (Chars(typical_value(condition.key)),)
    if comparison.negated:
        return (Chars(_NONE_OF_THEM),)
    return _matching(condition, value)


def _matching(condition: Condition, value: ConditionValue) -> Pieces:
    """A value that matches one of a condition's values, any negation aside."""
    relation = condition.operator.comparison.relation
    below = relation in (Relation.LESS_THAN, Relation.LESS_THAN_EQUALS)
    above = relation in (Relation.GREATER_THAN, Relation.GREATER_THAN_EQUALS)
    match condition.operator.comparison.family:
        case Family.STRING | Family.ARN:
            at = condition.values.index(value)
            return next(patterns_of(replace(condition, values=condition.values[at : at + 1])))
        case Family.NUMERIC if below or above:
            return (Chars(f"{value.literal + (1 if above else -1):f}"),)  # type: ignore[operator]
        case Family.DATE if below or above:
            return (Chars(_LATE if above else _EARLY),)
        case Family.BOOL:
            return (Chars(str(value.literal).lower()),)
        case Family.IP_ADDRESS:
            return (Chars(value.text.partition("/")[0]),)
        case _:
            return (Chars(value.text),)


def typical_value(key: str) -> str:
    """A value that a key would have."""
    known = {**ALWAYS_PRESENT, **dict.fromkeys(lower(BOOL_KEYS), "true")}
    for keys, value in (
        (NUMERIC_KEYS, NUMBERS[1]),
        (DATE_KEYS, DATES[2]),
        (IP_KEYS, ADDRESSES[0]),
        (BINARY_KEYS, BINARIES[1]),
    ):
        known |= dict.fromkeys(lower(keys), value)
    return known.get(key.lower(), "x")


def lower(keys: Iterable[str]) -> list[str]:
    """Names of keys as requests hold them."""
    return [key.lower() for key in keys]


def _spared(denies: Iterable[Statement]) -> dict[str, Pieces]:
    """Keys that keep requests out of Deny statements which apply where a key is absent."""
    wanted: dict[str, Pieces] = {}
    for statement in denies:
        free = [c for c in statement.conditions if c.key.lower() != TARGET]
        if free and all(map(_holds_when_absent, free)):
            _put(wanted, free[0].key, _value_against(free[0]))
    return wanted


def _value_against(condition: Condition) -> Pieces:
    """A value with which a condition does not hold."""
    comparison = condition.operator.comparison
    if comparison.family is Family.NULL:
        return (Chars(typical_value(condition.key)),)
    if comparison.negated:
        return _matching(condition, condition.values[0])
    if comparison.family is Family.BOOL:
        return (Chars("false" if condition.values[0].literal else "true"),)
    return (Chars(_NONE_OF_THEM),)


def grant_contexts(policies: PolicySet) -> list[tuple[Statement, dict[str, Pieces]]]:
    """For each Allow statement of the identity policies: the keys of requests that it may grant.

    The other layers' first grants are served and Deny statements spared, as far as that goes key
    by key. TargetModel is not among the keys.
    """
    shared: dict[str, Pieces] = {}
    for layer in policies.layers():
        if layer.kind is not LayerKind.IDENTITY:
            granting = next(filter(_allows, _statements(layer.policies)), None)
            for key, pieces in (needs(granting) if granting else {}).items():
                _put(shared, key, pieces)
    for key, pieces in _spared(s for s in statements(policies) if not _allows(s)).items():
        _put(shared, key, pieces)
    contexts = []
    for statement in filter(_allows, _statements(policies.identity_policies)):
        wanted = needs(statement)
        for key, pieces in shared.items():
            _put(wanted, key, pieces)
        rest = {key: pieces for key, pieces in wanted.items() if key.lower() != TARGET}
        contexts.append((statement, rest))
    return contexts


def _statements(policies: Iterable[PolicyDocument]) -> Iterator[Statement]:
    return chain.from_iterable(policy.statements for policy in policies)


def _allows(statement: Statement) -> bool:
    return statement.effect is Effect.ALLOW


class Mentions:
    """What policies mention, as patterns to draw near of."""

    def __init__(self, policies: PolicySet) -> None:
        self.actions: list[str] = []
        self.resources: list[Pieces] = []
        self.values: dict[str, list[Pieces]] = {}
        self.names: dict[str, str] = {}
        self.qualified: set[str] = set()
        for statement in statements(policies):
            self._read(statement)

    def _read(self, statement: Statement) -> None:
        self.actions += [pattern.text for pattern in statement.action.patterns]
        if statement.resource is not None:
            self.resources += [pattern.parts for pattern in statement.resource.patterns]
        for condition in statement.conditions:
            values = self._of(condition.key)
            values += values_of_condition(condition)
            if condition.operator.qualifier is not None:
                self.qualified.add(condition.key.lower())
        for template in statement.templates:
            for variable in template.variables:
                default = variable.default
                self._of(variable.key).append((Chars("acme" if default is None else default),))

    def _of(self, key: str) -> list[Pieces]:
        self.names.setdefault(key.lower(), key)
        return self.values.setdefault(key.lower(), [])

    def principal(self) -> Principal:
        """A caller with every tag that the policies speak of."""
        tags = {
            key[len(PRINCIPAL_TAG_PREFIX) :]: probe(values[0])
            for key, values in self.values.items()
            if key.startswith(PRINCIPAL_TAG_PREFIX)
        }
        return Principal("arn:aws:iam::111122223333:role/acme", tags)


def values_of_condition(condition: Condition) -> list[Pieces]:
    """What a condition compares with, as patterns."""
    family = condition.operator.comparison.family
    if family in (Family.STRING, Family.ARN):
        return list(patterns_of(condition))
    if family is Family.NULL:
        return [(Chars(typical_value(condition.key)),)]
    return [_matching(condition, value) for value in condition.values]


def covers(clause: Clause, action: str) -> bool:
    """Whether Action or NotAction takes an action."""
    return any(action_matches(p, action) for p in clause.patterns) != clause.negated


def near_or(
    draw: st.DrawFn,
    patterns: Sequence[Pieces],
    keys: Mapping[str, ContextValue],
    other: st.SearchStrategy[str],
) -> str:
    """A text near one of the patterns, or another."""
    if not patterns or draw(st.integers(0, 2)) == 2:
        return draw(other)
    return near_pieces(draw, resolved(draw(st.sampled_from(patterns)), keys))


SINGLE = (*STRING_KEYS, *BOOL_KEYS, *NUMERIC_KEYS, *DATE_KEYS, *IP_KEYS, *BINARY_KEYS)


@cache
def typical(key: str) -> st.SearchStrategy[str]:
    """Values that a key would have."""
    by_keys: tuple[tuple[tuple[str, ...], st.SearchStrategy[str]], ...] = (
        (BOOL_KEYS, st.sampled_from(("true", "false", "TRUE"))),
        (NUMERIC_KEYS, st.sampled_from(NUMBERS)),
        (DATE_KEYS, st.sampled_from(DATES)),
        (IP_KEYS, st.sampled_from(ADDRESSES)),
        (BINARY_KEYS, st.sampled_from(BINARIES)),
        (ARN_KEYS, arns()),
    )
    return next((values for keys, values in by_keys if key in lower(keys)), paths())
