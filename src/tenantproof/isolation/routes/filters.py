"""What policies cannot allow whatever the request: asked before the prover is.

Most principals have no statement at all that names an action of a route. To find that out is a
matter of patterns, without conditions; where it is not found out, the prover is asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from tenantproof.policy import Effect, PolicyDocument, PolicySet
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Clause,
    Escape,
    Template,
    Variable,
)
from tenantproof.prove.languages import ANY, Language, Pattern, PatternBuilder

_MOST = 16384
_MOST_TEXTS = 262_144
"""Each role is asked the same of the same few hundred texts, by everybody who may become it."""


def may_allow(
    policies: PolicySet, actions: Iterable[str], resources: Iterable[str] | None = None
) -> bool:
    """Whether the caller's side may allow one of some actions on one of some resources.

    Without resources: on anything. False only where no identity policy has a statement that does,
    whatever its conditions say.
    """
    listed = tuple(actions)
    targets: tuple[str | None, ...] = (None,) if resources is None else tuple(resources)
    return any(
        document_may_allow(document, action, resource)
        for document in policies.identity_policies
        for action in listed
        for resource in targets
    )


def document_may_allow(document: PolicyDocument, action: str, resource: str | None = None) -> bool:
    """Whether a statement of a policy may allow an action on a resource, or without one on any."""
    return any(
        statement.effect is Effect.ALLOW
        and _may_match(statement.action, action.lower(), True)
        and (
            resource is None
            or statement.resource is None
            or _may_match(statement.resource, resource, False)
        )
        for statement in document.statements
    )


@lru_cache(maxsize=_MOST_TEXTS)
def _may_match(clause: Clause, text: str, folded: bool) -> bool:
    """Whether a clause may match; what a negated one excludes for sure is all that is known."""
    if clause.negated:
        certain = tuple(p for p in clause.patterns if not p.variables)
        return not _loose(certain, folded).accepts(text) if folded else True
    return _loose(clause.patterns, folded).accepts(text)


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
    if not folded and template.text.count(":") < _COLONS:
        # Missing segments of an ARN are completed with wildcards.
        builder.many(ANY)
    return builder.build()


_COLONS = 5
