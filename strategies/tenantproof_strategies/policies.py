"""Strategies for policies: the grammar of identity policies, valid by construction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, parse_policy
from tenantproof.policy.operators import COMPARISONS
from tenantproof.policy.syntax import Comparison, Family, SetQualifier
from tenantproof_strategies.vocabulary import (
    ACTIONS,
    ARN_KEYS,
    BINARIES,
    BINARY_KEYS,
    BOOL_KEYS,
    DATE_KEYS,
    DATES,
    IP_KEYS,
    NETWORKS,
    NUMBERS,
    NUMERIC_KEYS,
    SEGMENTS,
    SET_KEYS,
    STRING_KEYS,
    arns,
    paths,
)

FAMILIES: tuple[Family, ...] = tuple(Family)
"""Every family of condition operators."""

_KEYS: dict[Family, tuple[str, ...]] = {
    Family.STRING: (*STRING_KEYS, *STRING_KEYS[:1] * 3, *SET_KEYS),
    Family.ARN: ARN_KEYS,
    Family.BOOL: BOOL_KEYS,
    Family.NULL: (*STRING_KEYS, *SET_KEYS, *BOOL_KEYS),
    Family.NUMERIC: NUMERIC_KEYS,
    Family.DATE: DATE_KEYS,
    Family.IP_ADDRESS: IP_KEYS,
    Family.BINARY: BINARY_KEYS,
}
_VARIABLES = (
    "${aws:PrincipalTag/tenant}",
    "${aws:PrincipalTag/team, 'acme'}",
    "${aws:username}",
    "${aws:SourceIdentity}",
    "${s3:prefix, 'common'}",
    "${*}",
    "${?}",
    "${$}",
)


def documents(families: Sequence[Family] = FAMILIES) -> st.SearchStrategy[dict[str, Any]]:
    """Policy documents as JSON objects.

    Args:
        families: the families of condition operators to use.

    Raises:
        TypeError: ``families`` holds something else.
    """
    for family in families:
        if not isinstance(family, Family):
            raise TypeError(f"found {family!r} in families, expected members of Family")
    return _documents(tuple(families))


def policies(families: Sequence[Family] = FAMILIES) -> st.SearchStrategy[PolicyDocument]:
    """Identity policies; arguments as :func:`documents`."""
    return documents(families).map(_parsed)


def _parsed(document: dict[str, Any]) -> PolicyDocument:
    return parse_policy(json.dumps(document), kind=PolicyKind.IDENTITY)


@st.composite
def policy_sets(draw: st.DrawFn, families: Sequence[Family] = FAMILIES) -> PolicySet:
    """One to two identity policies, sometimes with a boundary or service control policies."""
    drawn = policies(families)
    identity = draw(st.lists(drawn, min_size=1, max_size=2))
    boundary = draw(st.one_of(st.none(), st.none(), drawn))
    levels = draw(
        st.one_of(st.just([]), st.just([]), st.lists(st.lists(drawn, max_size=2), max_size=2))
    )
    return PolicySet(tuple(identity), boundary, tuple(map(tuple, levels)))


@st.composite
def _documents(draw: st.DrawFn, families: tuple[Family, ...]) -> dict[str, Any]:
    version = draw(st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17", None)))
    with_variables = version == "2012-10-17"
    statements = draw(st.lists(_statements(families, with_variables), min_size=1, max_size=3))
    document: dict[str, Any] = {"Statement": statements}
    if len(statements) == 1 and draw(st.booleans()):
        document["Statement"] = statements[0]
    return {"Version": version, **document} if version else document


@st.composite
def _statements(
    draw: st.DrawFn, families: tuple[Family, ...], with_variables: bool
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(st.sampled_from(("Allow", "Allow", "Deny")))}
    action = draw(st.sampled_from(("Action", "Action", "Action", "NotAction")))
    resource = draw(st.sampled_from(("Resource", "Resource", "Resource", "NotResource")))
    statement[action] = draw(_one_or_more(_actions()))
    statement[resource] = draw(_one_or_more(_resources(with_variables)))
    conditions = draw(st.lists(_conditions(families, with_variables), max_size=3))
    block: dict[str, dict[str, Any]] = {}
    for operator, key, values in conditions:
        block.setdefault(operator, {}).setdefault(key, values)
    if block:
        statement["Condition"] = block
    return statement


def _one_or_more(texts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(texts, st.lists(texts, min_size=1, max_size=3))


def _actions() -> st.SearchStrategy[str]:
    written = st.sampled_from(ACTIONS)
    return st.one_of(
        written,
        written.map(str.upper),
        st.sampled_from(("*", "sagemaker:*", "sagemaker:Invoke*", "s?gemaker:InvokeEndpoint")),
    )


@st.composite
def _resources(draw: st.DrawFn, with_variables: bool) -> str:
    arn = draw(arns())
    match draw(st.sampled_from(("*", "as is", "last", "segment", "short", "variable"))):
        case "*":
            return "*"
        case "last":
            return arn[: draw(st.integers(arn.rindex(":") + 1, len(arn)))] + "*"
        case "segment":
            fields = arn.split(":", 5)
            at = draw(st.integers(1, 5))
            fields[at] = draw(st.sampled_from(("*", "?*", fields[at][:3] + "*", "*" + fields[at])))
            return ":".join(fields)
        case "short":
            return ":".join(arn.split(":")[: draw(st.integers(2, 5))])
        case "variable" if with_variables:
            return arn + draw(st.sampled_from(_VARIABLES))
        case _:
            return arn


@st.composite
def _conditions(
    draw: st.DrawFn, families: tuple[Family, ...], with_variables: bool
) -> tuple[str, str, Any]:
    family = draw(st.sampled_from(families))
    among = [c for c in COMPARISONS.values() if c.family is family]
    comparison = draw(st.sampled_from(among))
    name = draw(_operator_names(comparison))
    key = draw(st.sampled_from(_KEYS[family]))
    return name, key, draw(_one_or_more(_values(comparison, with_variables)))


def _operator_names(comparison: Comparison) -> st.SearchStrategy[str]:
    if comparison.family is Family.NULL:
        return st.just(comparison.name)
    prefixes = ("", "", *(f"{qualifier.value}:" for qualifier in SetQualifier))
    return st.builds(
        "{}{}{}".format,
        st.sampled_from(prefixes),
        st.just(comparison.name),
        st.sampled_from(("", "", "IfExists")),
    )


def _values(comparison: Comparison, with_variables: bool) -> st.SearchStrategy[Any]:
    match comparison.family:
        case Family.STRING:
            return _patterns(paths(), with_variables)
        case Family.ARN:
            return st.one_of(
                _patterns(arns(), with_variables),
                st.sampled_from(("*", "arn:aws:iam::*", "arn:*:*:*:*:*", "arn:aws:s3:::*")),
            )
        case Family.BOOL | Family.NULL:
            return st.sampled_from(("true", "false", True, False))
        case Family.NUMERIC:
            return st.sampled_from((*NUMBERS, 10, -2.5))
        case Family.DATE:
            return st.sampled_from(DATES)
        case Family.IP_ADDRESS:
            return st.sampled_from(NETWORKS)
        case Family.BINARY:
            return st.sampled_from(BINARIES)


@st.composite
def _patterns(draw: st.DrawFn, texts: st.SearchStrategy[str], with_variables: bool) -> str:
    """A text with a wildcard or a variable put in somewhere, or none."""
    text: str = draw(texts)
    among: tuple[str, ...] = (
        "",
        "",
        "*",
        "*",
        "/*",
        "?",
        *(_VARIABLES if with_variables else ("${x}",)),
    )
    piece = draw(st.sampled_from(among))
    at = draw(st.integers(0, len(text)))
    if piece == "/*" and draw(st.booleans()):
        return str(draw(st.sampled_from(SEGMENTS))) + piece
    return text[:at] + piece + text[at:]
