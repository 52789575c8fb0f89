"""Whether a condition holds for a request: the operators, the set prefixes, IfExists, Null.

Follows "IAM JSON policy elements: Condition operators" and "Set operators for multi-valued
context keys" of the IAM User Guide.
"""

from __future__ import annotations

import operator as order
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Network, IPv6Network
from typing import Any

from tenantproof.evaluate.matching import (
    Resolve,
    arn_matches,
    expand_literally,
    fold,
    is_like,
    tokens_of,
)
from tenantproof.evaluate.variables import UnresolvedVariableError
from tenantproof.policy.literals import (
    parse_address,
    parse_binary,
    parse_bool,
    parse_date,
    parse_number,
)
from tenantproof.policy.syntax import (
    Comparison,
    Condition,
    ConditionValue,
    Family,
    Operator,
    Relation,
    SetQualifier,
    Template,
)
from tenantproof.reading import Reading
from tenantproof.request import ContextValue, values_of

_ORDER: dict[Relation, Callable[[Any, Any], bool]] = {
    Relation.EQUALS: order.eq,
    Relation.LESS_THAN: order.lt,
    Relation.LESS_THAN_EQUALS: order.le,
    Relation.GREATER_THAN: order.gt,
    Relation.GREATER_THAN_EQUALS: order.ge,
}


def condition_holds(
    condition: Condition, keys: Mapping[str, ContextValue], resolve: Resolve, reading: Reading
) -> bool:
    """Whether one condition holds.

    Args:
        condition: an operator, a key and its values.
        keys: the condition keys present in the request, names in lower case.
        resolve: gives a policy variable's value.
        reading: the choices where the reference hedges.
    """
    operator = condition.operator
    given = keys.get(condition.key.lower())
    if operator.comparison.family is Family.NULL:
        return (given is None) in {value.literal for value in condition.values}
    if given is None:
        return _holds_when_absent(operator, reading)

    def matches(value: str) -> bool:
        """Whether the request's value matches one of the condition's values."""
        return any(
            _value_matches(operator.comparison, wanted, value, resolve, reading)
            for wanted in condition.values
        )

    negated = operator.comparison.negated
    values = values_of(given)
    match operator.qualifier:
        case None:
            return any(map(matches, values)) != negated
        case SetQualifier.FOR_ANY_VALUE:
            return any(matches(value) != negated for value in values)
        case SetQualifier.FOR_ALL_VALUES:
            # "... or if the context key value resolves to a null dataset, such as an empty string"
            return not any(values) or all(matches(value) != negated for value in values)


def holds_when_absent(operator: Operator) -> bool:
    """What an operator other than Null says where the request lacks the key."""
    if operator.if_exists:
        return True
    match operator.qualifier:
        case SetQualifier.FOR_ALL_VALUES:
            return True
        case SetQualifier.FOR_ANY_VALUE:
            return False
        case None:
            return operator.comparison.negated


def _holds_when_absent(operator: Operator, reading: Reading) -> bool:
    """As :func:`holds_when_absent`; of ``ForAnyValue:...IfExists`` the reference says both."""
    if operator.if_exists and operator.qualifier is SetQualifier.FOR_ANY_VALUE:
        return not reading.for_any_if_exists_fails
    return holds_when_absent(operator)


def _value_matches(
    comparison: Comparison, wanted: ConditionValue, value: str, resolve: Resolve, reading: Reading
) -> bool:
    """Whether ``value`` matches one wanted value, any negation of the operator aside."""
    match comparison.family:
        case Family.STRING:
            return _string_matches(comparison.relation, wanted.template, value, resolve)
        case Family.ARN:
            return _arn_matches(wanted.template, value, resolve, reading)
        case Family.NUMERIC:
            return _ordered(comparison.relation, parse_number(value), wanted.literal)
        case Family.DATE:
            return _ordered(comparison.relation, parse_date(value), wanted.literal)
        case Family.BOOL:
            return parse_bool(value) is wanted.literal
        case Family.BINARY:
            return parse_binary(value) == wanted.literal
        case Family.IP_ADDRESS:
            return _is_within(parse_address(value), wanted.literal)
        case Family.NULL:
            raise AssertionError("Null has no values to match")


def _string_matches(relation: Relation, wanted: Template, value: str, resolve: Resolve) -> bool:
    try:
        if relation is Relation.LIKE:
            return is_like(tokens_of(wanted, resolve), value)
        text = expand_literally(wanted, resolve)
    except UnresolvedVariableError:
        return False
    if relation is Relation.EQUALS_IGNORE_CASE:
        return fold(text) == fold(value)
    return text == value


def _arn_matches(wanted: Template, value: str, resolve: Resolve, reading: Reading) -> bool:
    try:
        return arn_matches(wanted, value, resolve, complete=reading.short_arn_completed)
    except UnresolvedVariableError:
        return False


def _ordered(relation: Relation, value: Decimal | Fraction | None, wanted: object) -> bool:
    return value is not None and _ORDER[relation](value, wanted)


def _is_within(value: IPv4Network | IPv6Network | None, wanted: object) -> bool:
    """Whether an address lies in the wanted network; of another IP version it does not."""
    match value, wanted:
        case IPv4Network(), IPv4Network():
            return value.subnet_of(wanted)
        case IPv6Network(), IPv6Network():
            return value.subnet_of(wanted)
        case _:
            return False
