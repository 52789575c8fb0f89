"""Attacks on a proof: concrete requests near the boundary of every pattern, evaluated one by one.

The prover is not asked here. The requests are deterministic, so that a report can be reproduced;
the Hypothesis strategies attack with random ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import TypeVar

from tenantproof.isolation.findings import Probe
from tenantproof.policy import PolicySet
from tenantproof.policy.syntax import AnyChar, AnyChars, Chars, Escape, Template, Variable
from tenantproof.prove import Domain
from tenantproof.request import ContextValue, Principal

MOST_REQUESTS = 128
"""The most requests made of one proof."""

T = TypeVar("T")


@dataclass(frozen=True)
class Attacked:
    """How an attack went that did not succeed.

    Attributes:
        tried: how many requests were made.
        probes: some of them, for whoever wants to ask somebody else, too.
    """

    tried: int
    probes: tuple[Probe, ...] = ()


def sampled(tried: Sequence[T], most: int) -> list[T]:
    """At most so many of what was tried: the first, which lie nearest, then evenly to the last."""
    if len(tried) <= most:
        return list(tried)
    nearest = tried[: (most + 1) // 2]
    rest, more = tried[len(nearest) :], most - len(nearest)
    return [*nearest, *(rest[at * len(rest) // more - 1] for at in range(1, more + 1))]


_FILLERS = ("", "x", "/", "x/y")


def policy_texts(policies: PolicySet, key: str, principal: Principal) -> Iterator[str]:
    """The texts that a key is compared with in the policies, variables replaced, ``*`` kept."""
    for layer in policies.layers():
        for policy in layer.policies:
            for statement in policy.statements:
                for condition in statement.conditions:
                    if condition.key.lower() == key.lower():
                        yield from (_shown(v.template, principal) for v in condition.values)


def _shown(template: Template, principal: Principal) -> str:
    return "".join(_shown_parts(template, principal))


def _shown_parts(template: Template, principal: Principal) -> Iterator[str]:
    for part in template.parts:
        match part:
            case Chars(text):
                yield text
            case AnyChars():
                yield "*"
            case AnyChar():
                yield "?"
            case Escape(char):
                yield char
            case Variable(key, default):
                value = principal.keys.get(key.lower(), default)
                yield value if isinstance(value, str) else ""


def near(patterns: Iterable[str], domain: Domain) -> Iterator[str]:
    """Values of ``domain`` in and around wildcard patterns, each once.

    Each pattern's wildcards are filled in, and the result is changed by one edit: a character
    dropped or added at the end, a slash in or out, the case swapped.
    """
    seen: set[str] = set()
    for pattern in dict.fromkeys(patterns):
        for filler in _FILLERS:
            word = pattern.replace("*", filler).replace("?", filler[:1] or "x")
            for edited in _edits(word):
                if edited in domain and edited not in seen:
                    seen.add(edited)
                    yield edited


def _edits(word: str) -> Iterator[str]:
    yield word
    yield word[:-1]
    yield word.rstrip("/")
    yield word + "x"
    yield word + "/x"
    yield word.replace("/", "-", 1)
    yield word.replace("/", "//", 1)
    yield word.swapcase()
    yield word[1:]
    yield "x" + word
    yield f"{word}/../x"


def contexts(
    policies: PolicySet, free: Iterable[str], principal: Principal
) -> Iterator[dict[str, ContextValue]]:
    """Contexts of the free keys: all absent, and all present with a value from the policies."""
    yield {}
    present: dict[str, ContextValue] = {}
    for key in free:
        text = next(policy_texts(policies, key, principal), "x")
        present[key] = text.replace("*", "x").replace("?", "x")
    if present:
        yield present


def attempts(
    words: Iterable[str], settings: Iterable[dict[str, ContextValue]]
) -> Iterator[tuple[str, dict[str, ContextValue]]]:
    """The pairs of a value and a context to try, cut to a bounded number."""
    return islice(product(words, list(settings)), MOST_REQUESTS)
