"""Policies that are not there to be read: what stands in for them.

An attached policy that an export leaves out may allow anything, and may deny anything. So does its
stand-in, by two statements of which nobody can say whether they apply: whatever an answer would
rest on them is UNKNOWN, by their name.
"""

from __future__ import annotations

from tenantproof.errors import Place
from tenantproof.policy.syntax import (
    AnyChars,
    Clause,
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
    everything = Template("*", (AnyChars(),), place)
    everyone = PrincipalClause("Principal", False, (PrincipalEntry("AWS", "*", place),), place)
    statements = tuple(
        Statement(
            index,
            None,
            effect,
            Clause("Action", False, (everything,), place),
            Clause("Resource", False, (everything,), place),
            everyone if resource else None,
            (),
            place,
            Unknown(reason, place),
        )
        for index, effect in enumerate((Effect.ALLOW, Effect.DENY))
    )
    return PolicyDocument(Version.V2012, None, statements, file, place)
