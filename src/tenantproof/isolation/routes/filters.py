"""What policies cannot allow whatever the request: asked before the prover is.

Most principals have no statement at all that names an action of a route. To find that out is a
matter of patterns, without conditions, and holds under every reading of the reference; where it is
not found out, the prover is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import takewhile

from tenantproof.policy import Effect, PolicyDocument, PolicySet, Statement
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Clause,
    Escape,
    PrincipalClause,
    Template,
    Variable,
)
from tenantproof.prove.languages import ANY, Language, Pattern, PatternBuilder

_MOST = 65_536
"""Each role is asked the same of the same few hundred texts, by everybody who may become it."""


def may_allow(
    policies: PolicySet, actions: tuple[str, ...], resources: Iterable[str] | None = None
) -> bool:
    """Whether the caller's side may allow one of some actions on one of some resources.

    Without resources: on anything. False only where no identity policy has a statement that does,
    whatever its conditions say.
    """
    found = relevant(policies.identity_policies, actions)
    if resources is None:
        return any(True for _ in found)
    targets = tuple(resources)
    return any(
        statement.resource is None or any(_matches(statement.resource, each) for each in targets)
        for statement in found
    )


def may_allow_behind(
    documents: Iterable[PolicyDocument], actions: tuple[str, ...], prefix: str
) -> bool:
    """Whether policies may allow one of some actions on a resource that begins so."""
    return any(
        statement.resource is None or _begins(statement.resource, prefix)
        for statement in relevant(documents, actions)
    )


def beginnings(
    documents: Iterable[PolicyDocument], actions: tuple[str, ...], prefix: str
) -> frozenset[str]:
    """What the resources begin with, behind a prefix, on which policies may allow some actions.

    Each is a text that a resource begins with, or that begins with it.
    """
    found: set[str] = set()
    for statement in relevant(documents, actions):
        if statement.resource is None or statement.resource.negated:
            return frozenset({""})
        for template in statement.resource.patterns:
            begin = _beginning(template)
            if begin.startswith(prefix) or prefix.startswith(begin):
                found.add(begin[len(prefix) :])
    return frozenset(found)


def _beginning(template: Template) -> str:
    """The characters before the first wildcard or variable."""
    plain = takewhile(lambda part: isinstance(part, Chars | Escape), template.parts)
    return "".join(part.text if isinstance(part, Chars) else part.char for part in plain)  # type: ignore[union-attr]


def relevant(documents: Iterable[PolicyDocument], actions: tuple[str, ...]) -> Iterator[Statement]:
    """The statements that may allow one of some actions."""
    for document in documents:
        yield from _relevant(Same(document), actions)


def may_name(clause: PrincipalClause | None, names: Iterable[str]) -> bool:
    """Whether a Principal element may name somebody.

    Args:
        clause: the element.
        names: the ARNs that somebody has, and the ID of the account.
    """
    if clause is None or clause.negated:
        return True
    known = {"*", *names}
    return any(
        entry.value in known or entry.value.split(":", 5)[4:5] == [name]
        for entry in clause.entries
        for name in ((known - {"*"}) if entry.value.endswith(":root") else ("*",))
    )


class Same:
    """A document as a key of a cache: itself, not what it says."""

    def __init__(self, document: PolicyDocument) -> None:
        self.document = document

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.document is self.document

    def __hash__(self) -> int:
        return id(self.document)


@lru_cache(maxsize=_MOST)
def _relevant(document: Same, actions: tuple[str, ...]) -> tuple[Statement, ...]:
    listed = [action.lower() for action in actions]
    return tuple(
        statement
        for statement in document.document.statements
        if statement.effect is Effect.ALLOW
        and any(_acts(statement.action, action) for action in listed)
    )


def _acts(clause: Clause, action: str) -> bool:
    """Whether an Action element may match an action in lower case."""
    return _loose(clause.patterns, True).accepts(action) != clause.negated


@lru_cache(maxsize=_MOST)
def _matches(clause: Clause, resource: str) -> bool:
    """Whether a Resource element may match; of a negated one no more is looked at."""
    return clause.negated or _loose(clause.patterns, False).accepts(resource)


@lru_cache(maxsize=_MOST)
def _begins(clause: Clause, prefix: str) -> bool:
    """Whether a Resource element may match something that begins so."""
    if clause.negated:
        return True
    resources = _loose(clause.patterns, False)
    state = resources.start
    for char in prefix:
        state = resources.step(state, char) if state else 0
    return state != 0


@lru_cache(maxsize=_MOST)
def _loose(patterns: tuple[Template, ...], folded: bool) -> Language:
    """The texts that patterns match, and more: a variable is anything, and so are segments."""
    return Language(_pattern(pattern, folded) for pattern in patterns)


def _pattern(template: Template, folded: bool) -> Pattern:
    builder = PatternBuilder()
    for part in template.parts:
        match part:
            case Chars(text):
                builder.text(text.lower() if folded else text)
            case Escape(char):
                builder.text(char)
            case AnyChar():
                builder.one(ANY)
            case AnyChars() | Variable():
                builder.many(ANY)
    colons = sum(part.text.count(":") for part in template.parts if isinstance(part, Chars))
    if not folded and colons < _COLONS:
        # Missing segments of an ARN are completed with wildcards.
        builder.many(ANY)
    return builder.build()


_COLONS = 5
