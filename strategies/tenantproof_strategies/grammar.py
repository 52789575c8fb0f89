"""Strategies for policies: the grammar of identity policies, valid by construction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from tenantproof.policy import (
    Access,
    Levels,
    PolicyDocument,
    PolicyKind,
    PolicySet,
    parse_policy,
)
from tenantproof.policy.operators import COMPARISONS
from tenantproof.policy.syntax import Family, SetQualifier
from tenantproof.request import Principal
from tenantproof_strategies.arguments import shown, shown_as
from tenantproof_strategies.vocabulary import (
    ACCOUNTS,
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
    return documents(families).map(policy)


def policy(document: Mapping[str, Any]) -> PolicyDocument:
    """An identity policy from its JSON object: what failing examples print.

    Raises:
        InputError: it is none.
    """
    return parse_policy(json.dumps(document), kind=PolicyKind.IDENTITY)


def policy_sets(families: Sequence[Family] = FAMILIES) -> st.SearchStrategy[PolicySet]:
    """One to two identity policies, sometimes with a boundary, a session policy or SCPs.

    Arguments as :func:`documents`.
    """
    drawn = policies(families)
    return st.builds(
        PolicySet,
        st.lists(drawn, min_size=1, max_size=2).map(tuple),
        st.one_of(st.none(), st.none(), drawn),
        st.one_of(st.just(()), st.just(()), _levels(drawn)),
        st.one_of(st.just(()), st.just(()), st.tuples(drawn)),
    )


def _levels(drawn: st.SearchStrategy[PolicyDocument]) -> st.SearchStrategy[Levels]:
    return st.lists(st.lists(drawn, max_size=2).map(tuple), max_size=2).map(tuple)


def accesses(
    principal: Principal, families: Sequence[Family] = FAMILIES
) -> st.SearchStrategy[Access]:
    """Both sides of requests: a caller's policies, and those of a resource and its account.

    A statement of the resource's policy names the principal by itself, its role, its account, with
    everyone, or names others.

    Args:
        principal: who makes the requests.
        families: as for :func:`documents`.

    Raises:
        TypeError: an argument is of another type.
    """
    if not isinstance(principal, Principal):
        raise TypeError(f"found {shown(principal)} as principal, expected a Principal")
    drawn = documents(families)
    everyone = drawn.map(_for_everyone)
    naming = st.builds(_naming, drawn, st.lists(_who(principal), min_size=3, max_size=3))
    return st.builds(
        Access,
        policy_sets(families),
        st.one_of(st.none(), naming, naming),
        st.one_of(st.just(()), st.just(()), _levels(everyone)),
    )


def _who(principal: Principal) -> st.SearchStrategy[tuple[str, Any]]:
    """Elements that name a principal on each level, or others."""
    _, partition, _, _, account, *_ = *principal.arn.split(":", 5), *[""] * 5
    role = str(principal.keys.get("aws:principalarn", principal.arn))
    known = [principal.arn, role, account, f"arn:{partition}:iam::{account}:root"]
    others = [f"arn:aws:iam::{other}:{kind}" for other in ACCOUNTS for kind in ("root", "user/a")]
    values = st.sampled_from(("*", *filter(None, known), *others))
    listed = st.lists(values, min_size=1, max_size=2, unique=True)
    service = st.just({"Service": "sagemaker.amazonaws.com"})
    named = st.one_of(st.just("*"), listed.map(lambda each: {"AWS": each}), service)
    elements = st.sampled_from(("Principal", "Principal", "Principal", "NotPrincipal"))
    return st.tuples(elements, named)


def _naming(document: dict[str, Any], who: list[tuple[str, Any]]) -> PolicyDocument:
    """A document's statements, of which it has three at most, for some principals each."""
    written = document["Statement"]
    listed = written if isinstance(written, list) else [written]
    named = [{**each, element: whom} for each, (element, whom) in zip(listed, who, strict=False)]
    return parse_policy(json.dumps({**document, "Statement": named}))


def _for_everyone(document: dict[str, Any]) -> PolicyDocument:
    return _naming(document, [("Principal", "*")] * 3)


# The strategies below are made once and kept: making them costs more than drawing from them.


@st.composite
@shown_as("documents")
def _documents(draw: st.DrawFn, families: tuple[Family, ...] = FAMILIES) -> dict[str, Any]:
    version = draw(_VERSIONS)
    statements = draw(_some_statements(families, version == "2012-10-17"))
    document: dict[str, Any] = {"Statement": statements}
    if len(statements) == 1 and draw(st.booleans()):
        document["Statement"] = statements[0]
    return {"Version": version, **document} if version else document


_VERSIONS = st.sampled_from(("2012-10-17", "2012-10-17", "2008-10-17", None))


@cache
def _some_statements(
    families: tuple[Family, ...], with_variables: bool
) -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(_statements(families, with_variables), min_size=1, max_size=3)


@st.composite
def _statements(
    draw: st.DrawFn, families: tuple[Family, ...], with_variables: bool
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": draw(_EFFECTS)}
    action, resource = draw(_ELEMENTS)
    statement[action] = draw(_actions())
    statement[resource] = draw(_resources(with_variables))
    block: dict[str, dict[str, Any]] = {}
    for operator, key, values in draw(_conditions(families, with_variables)):
        block.setdefault(operator, {}).setdefault(key, values)
    if block:
        statement["Condition"] = block
    return statement


_EFFECTS = st.sampled_from(("Allow", "Allow", "Deny"))
_ELEMENTS = st.tuples(
    st.sampled_from(("Action", "Action", "Action", "NotAction")),
    st.sampled_from(("Resource", "Resource", "Resource", "NotResource")),
)


def _one_or_more(texts: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(texts, st.lists(texts, min_size=1, max_size=3))


@cache
def _actions() -> st.SearchStrategy[Any]:
    written = st.sampled_from(ACTIONS)
    wild = ("*", "sagemaker:*", "sagemaker:Invoke*", "s?gemaker:InvokeEndpoint")
    return _one_or_more(st.one_of(st.sampled_from(wild), written, written.map(str.upper)))


@cache
def _resources(with_variables: bool) -> st.SearchStrategy[Any]:
    shapes = ["as is", "last", "segment", "short", *(["variable"] if with_variables else [])]
    return _one_or_more(st.one_of(st.just("*"), *map(_shaped_arns, shapes)))


@st.composite
def _shaped_arns(draw: st.DrawFn, shape: str) -> str:
    arn = draw(arns())
    match shape:
        case "last":
            return arn[: draw(st.integers(arn.rindex(":") + 1, len(arn)))] + "*"
        case "segment":
            fields = arn.split(":", 5)
            at = draw(st.integers(1, 5))
            fields[at] = draw(st.sampled_from(("*", "?*", fields[at][:3] + "*", "*" + fields[at])))
            return ":".join(fields)
        case "short":
            return ":".join(arn.split(":")[: draw(st.integers(2, 5))])
        case "variable":
            return arn + draw(st.sampled_from(_VARIABLES))
        case _:
            return arn


@cache
def _conditions(
    families: tuple[Family, ...], with_variables: bool
) -> st.SearchStrategy[list[tuple[str, str, Any]]]:
    if not families:
        return st.just([])
    of_family = [_of_family(family, with_variables) for family in families]
    return st.lists(st.one_of(of_family), max_size=3)


def _of_family(family: Family, with_variables: bool) -> st.SearchStrategy[tuple[str, str, Any]]:
    return st.tuples(
        st.sampled_from(_operator_names(family)),
        st.sampled_from(_KEYS[family]),
        _one_or_more(_values(family, with_variables)),
    )


def _operator_names(family: Family) -> tuple[str, ...]:
    """The operators of a family, those without prefix and suffix more than once."""
    names = [c.name for c in COMPARISONS.values() if c.family is family]
    if family is Family.NULL:
        return tuple(names)
    prefixes = ("", "", *(f"{qualifier.value}:" for qualifier in SetQualifier))
    suffixes = ("", "", "IfExists")
    return tuple(f"{p}{name}{s}" for name in names for p in prefixes for s in suffixes)


def _values(family: Family, with_variables: bool) -> st.SearchStrategy[Any]:
    match family:
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
