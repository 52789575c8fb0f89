"""Policies that are not there to be read: what stands in for them.

An attached policy that an export leaves out may allow anything, and may deny anything. So does its
stand-in, by two statements of which nobody can say whether they apply: whatever an answer would
rest on them is UNKNOWN, by their name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tenantproof.errors import Place
from tenantproof.policy.syntax import (
    AnyChars,
    Clause,
    Condition,
    Effect,
    PolicyDocument,
    PrincipalClause,
    PrincipalEntry,
    Statement,
    Template,
    Unknown,
    Version,
)


def unknown_policy(
    reason: str, file: str, place: Place, *, resource: bool = False
) -> PolicyDocument:
    """A policy of which nothing is known but that it is there.

    Args:
        reason: why it is not known, for reports: ``the policy arn:... is not in the export``.
        file: the file that should have held it.
        place: where it is named.
        resource: whether it is a resource's policy, whose statements name principals.
    """
    everyone = PrincipalClause("Principal", False, (PrincipalEntry("AWS", "*", place),), place)
    statements = tuple(
        Statement(
            index,
            None,
            effect,
            _everything("Action", place),
            _everything("Resource", place),
            everyone if resource else None,
            (),
            place,
            Unknown(reason, place),
        )
        for index, effect in enumerate((Effect.ALLOW, Effect.DENY))
    )
    return PolicyDocument(Version.V2012, None, statements, file, place)


def without_keys(
    document: PolicyDocument, is_unknown: Callable[[str], bool], unknown: Unknown
) -> PolicyDocument:
    """A policy where nobody knows the values of some condition keys, nor whether they are there.

    Args:
        document: the policy.
        is_unknown: whether a key, in lower case, is one of them.
        unknown: why they are not known.

    Returns:
        The policy. Of its statements that look at such a key nobody can say whether they apply, to
        what the rest of them matches.
    """

    def looks_at(template: Template) -> bool:
        return any(is_unknown(variable.key.lower()) for variable in template.variables)

    def is_about(condition: Condition) -> bool:
        values = (value.template for value in condition.values)
        return is_unknown(condition.key.lower()) or any(map(looks_at, values))

    def doubtful(statement: Statement) -> Statement:
        kept = tuple(each for each in statement.conditions if not is_about(each))
        resource = statement.resource
        if resource is not None and any(map(looks_at, resource.patterns)):
            resource = _everything("Resource", resource.place)
        elif len(kept) == len(statement.conditions):
            return statement
        return replace(statement, resource=resource, conditions=kept, unknown=unknown)

    return replace(document, statements=tuple(map(doubtful, document.statements)))


def _everything(name: str, place: Place) -> Clause:
    return Clause(name, False, (Template("*", (AnyChars(),), place),), place)
