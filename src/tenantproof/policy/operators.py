"""The condition operators of the IAM reference, and reading their names.

Follows "IAM JSON policy elements: Condition operators" and "Set operators for multi-valued
context keys" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Iterable

from tenantproof.policy.syntax import Comparison, Family, Operator, Relation, SetQualifier

_ORDER_RELATIONS = (
    Relation.LESS_THAN,
    Relation.LESS_THAN_EQUALS,
    Relation.GREATER_THAN,
    Relation.GREATER_THAN_EQUALS,
)


def _comparisons() -> tuple[Comparison, ...]:
    ordered = tuple(
        Comparison(f"{family.value}{relation.value}", family, relation)
        for family in (Family.NUMERIC, Family.DATE)
        for relation in (Relation.EQUALS, *_ORDER_RELATIONS)
    )
    return (
        Comparison("StringEquals", Family.STRING, Relation.EQUALS),
        Comparison("StringNotEquals", Family.STRING, Relation.EQUALS, negated=True),
        Comparison("StringEqualsIgnoreCase", Family.STRING, Relation.EQUALS_IGNORE_CASE),
        Comparison(
            "StringNotEqualsIgnoreCase", Family.STRING, Relation.EQUALS_IGNORE_CASE, negated=True
        ),
        Comparison("StringLike", Family.STRING, Relation.LIKE),
        Comparison("StringNotLike", Family.STRING, Relation.LIKE, negated=True),
        *ordered,
        Comparison("NumericNotEquals", Family.NUMERIC, Relation.EQUALS, negated=True),
        Comparison("DateNotEquals", Family.DATE, Relation.EQUALS, negated=True),
        Comparison("Bool", Family.BOOL, Relation.EQUALS),
        Comparison("BinaryEquals", Family.BINARY, Relation.EQUALS),
        Comparison("IpAddress", Family.IP_ADDRESS, Relation.EQUALS),
        Comparison("NotIpAddress", Family.IP_ADDRESS, Relation.EQUALS, negated=True),
        Comparison("ArnEquals", Family.ARN, Relation.LIKE),
        Comparison("ArnLike", Family.ARN, Relation.LIKE),
        Comparison("ArnNotEquals", Family.ARN, Relation.LIKE, negated=True),
        Comparison("ArnNotLike", Family.ARN, Relation.LIKE, negated=True),
        Comparison("Null", Family.NULL, Relation.EQUALS),
    )


COMPARISONS: dict[str, Comparison] = {c.name: c for c in _comparisons()}
"""Every comparison of the reference by its name."""


def parse_operator(name: str) -> Operator | str:
    """Read an operator's name.

    Args:
        name: as written in a policy, such as ``ForAllValues:StringLikeIfExists``.

    Returns:
        The operator, or, where there is no such operator, what was expected instead.
    """
    prefix, colon, rest = name.rpartition(":")
    qualifier = None
    if colon:
        qualifier = next((q for q in SetQualifier if q.value == prefix), None)
        if qualifier is None:
            return f'expected "ForAllValues:" or "ForAnyValue:" before {rest or "an operator"}'
    if_exists = rest.endswith("IfExists")
    comparison = COMPARISONS.get(rest.removesuffix("IfExists"))
    if comparison is None:
        suffixed = rest.lower().endswith("ifexists")
        close = closest(rest[: -len("IfExists")] if suffixed else rest, COMPARISONS)
        suggestion = f"; did you mean {close}{'IfExists' * suffixed}?" if close else ""
        return f"expected a condition operator of the IAM reference{suggestion}"
    if comparison.family is Family.NULL and (if_exists or qualifier):
        return "expected Null alone: it takes neither a set prefix nor IfExists"
    return Operator(comparison, qualifier, if_exists)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was most likely meant to be, if one is near."""
    from difflib import get_close_matches  # noqa: PLC0415 - only bad input pays for it

    by_folded = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), by_folded, n=1, cutoff=0.75)
    return by_folded[close[0]] if close else None
