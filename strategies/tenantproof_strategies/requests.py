"""Strategies for principals, TargetModel values and requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from hypothesis import strategies as st

from tenantproof.policy import PolicySet, Statement
from tenantproof.request import ContextValue, Principal, Request
from tenantproof_strategies.vocabulary import (
    ACCOUNTS,
    ACTIONS,
    ADDRESSES,
    ARN_KEYS,
    BINARIES,
    BINARY_KEYS,
    BOOL_KEYS,
    DATE_KEYS,
    DATES,
    IP_KEYS,
    NAMES,
    NUMBERS,
    NUMERIC_KEYS,
    SET_KEYS,
    STRING_KEYS,
    TAG_KEYS,
    arns,
    paths,
)

_PRINTABLE = st.characters(min_codepoint=0x20, max_codepoint=0x7E)
_WILD = re.compile(r"\$\{[^}]*\}|[*?]")


def target_models(near: Iterable[str] = ()) -> st.SearchStrategy[str]:
    """TargetModel values that the API accepts.

    Args:
        near: wildcard patterns; given some, most values lie in them or one edit away.

    Returns:
        Texts of 1 to 1,024 printable ASCII characters, the first not a space.

    Raises:
        TypeError: ``near`` is a single text, or holds something else than texts.
    """
    patterns = _patterns(near)
    free = st.one_of(paths(), st.text(_PRINTABLE, min_size=1, max_size=1024))
    texts = st.one_of(near_texts(patterns), free) if patterns else free
    return texts.filter(_is_target_model)


def _patterns(near: Iterable[str]) -> tuple[str, ...]:
    if isinstance(near, str):
        raise TypeError(f"found the text {near!r} as near, expected an iterable of patterns")
    patterns = tuple(near)
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"found {pattern!r} in near, expected patterns as texts")
    return patterns


def _is_target_model(text: str) -> bool:
    return 1 <= len(text) <= 1024 and text[0] != " " and all(" " <= c <= "~" for c in text)


@st.composite
def near_texts(draw: st.DrawFn, patterns: Sequence[str]) -> str:
    """Texts in a wildcard pattern, or one edit away from being in it."""
    pattern = draw(st.sampled_from(patterns))
    fillers = st.sampled_from(("", "x", "/", "acme", "acme/v1", ":"))
    text = _WILD.sub(lambda _: draw(fillers), pattern)
    match draw(st.sampled_from(("as is", "as is", "drop", "add", "replace", "case"))):
        case "drop" if text:
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + text[at + 1 :]
        case "add":
            at = draw(st.integers(0, len(text)))
            return text[:at] + draw(st.sampled_from("/-:aA*")) + text[at:]
        case "replace" if text:
            at = draw(st.integers(0, len(text) - 1))
            return text[:at] + draw(st.sampled_from("/-:aA*")) + text[at + 1 :]
        case "case":
            return text.swapcase()
        case _:
            return text


@st.composite
def principals(draw: st.DrawFn) -> Principal:
    """IAM users, roles and assumed-role sessions, their tags near each other."""
    account, name = draw(st.sampled_from(ACCOUNTS)), draw(st.sampled_from(NAMES))
    arn = draw(
        st.sampled_from(
            (
                f"arn:aws:iam::{account}:user/{name}",
                f"arn:aws:iam::{account}:role/{name}",
                f"arn:aws:sts::{account}:assumed-role/{name}/session",
            )
        )
    )
    values = st.one_of(st.sampled_from(NAMES), st.sampled_from(("", "*", "a?", "a:b", "a/b")))
    return Principal(arn, draw(st.dictionaries(st.sampled_from(TAG_KEYS), values)))


def requests(policies: PolicySet, principal: Principal) -> st.SearchStrategy[Request]:
    """Requests near what the policies speak of.

    Args:
        policies: their actions, resources, condition keys and values are aimed at.
        principal: who makes the requests.
    """
    return _requests(_Aims(policies), principal)


class _Aims:
    """What the policies mention, as texts to draw near of."""

    def __init__(self, policies: PolicySet) -> None:
        self.actions: list[str] = []
        self.resources: list[str] = []
        self.values: dict[str, list[str]] = {}
        for statement in _statements(policies):
            self.actions += [p.text for p in statement.action.patterns]
            self.resources += (
                [p.text for p in statement.resource.patterns] if (statement.resource) else []
            )
            for condition in statement.conditions:
                aimed = self.values.setdefault(condition.key, [])
                aimed += [value.text for value in condition.values]
            for template in statement.templates:
                for variable in template.variables:
                    self.values.setdefault(variable.key, []).append(variable.default or "acme")


def _statements(policies: PolicySet) -> Iterator[Statement]:
    for layer in policies.layers():
        for policy in layer.policies:
            yield from policy.statements


@st.composite
def _requests(draw: st.DrawFn, aims: _Aims, principal: Principal) -> Request:
    action = draw(_near_or(aims.actions, st.sampled_from(ACTIONS)))
    resource = draw(_near_or(aims.resources, arns()))
    context: dict[str, ContextValue] = {}
    for key, texts in {k.lower(): (k, v) for k, v in aims.values.items()}.values():
        if draw(st.integers(0, 3)):
            context[key] = draw(_context_values(key, texts))
    return Request(principal, action, resource, context)


def _near_or(texts: Sequence[str], other: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(near_texts(texts), near_texts(texts), other) if texts else other


def _context_values(key: str, texts: Sequence[str]) -> st.SearchStrategy[ContextValue]:
    one = _near_or(texts, _typical(key))
    if key in SET_KEYS or key not in _SINGLE:
        return st.one_of(one, st.lists(one, max_size=3).map(tuple))
    return one


_SINGLE = (*STRING_KEYS, *BOOL_KEYS, *NUMERIC_KEYS, *DATE_KEYS, *IP_KEYS, *BINARY_KEYS)


def _typical(key: str) -> st.SearchStrategy[str]:
    by_keys: tuple[tuple[tuple[str, ...], st.SearchStrategy[str]], ...] = (
        (BOOL_KEYS, st.sampled_from(("true", "false", "TRUE"))),
        (NUMERIC_KEYS, st.sampled_from(NUMBERS)),
        (DATE_KEYS, st.sampled_from(DATES)),
        (IP_KEYS, st.sampled_from(ADDRESSES)),
        (BINARY_KEYS, st.sampled_from(BINARIES)),
        (ARN_KEYS, arns()),
    )
    return next((values for keys, values in by_keys if key in keys), paths())
