"""Requests that people recognise, where the smallest one is as good as any.

The smallest witness calls ``s3:get`` where a policy has ``s3:Get*``. Names that the policies write
are tried in its place; what is shown has been decided by the evaluator all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tenantproof.compare.answers import Way
from tenantproof.compare.space import TYPICAL_ACCOUNT
from tenantproof.policy import statements
from tenantproof.prove import RESOURCE
from tenantproof.prove.solver import Witness

if TYPE_CHECKING:
    from tenantproof.compare.inquiry import Inquiry, Requests

_SMALLEST_ACCOUNT = "0" * 12
_MOST_TRIED = 64


def readable(inquiry: Inquiry, found: Requests, witness: Witness, way: Way) -> Requests:
    """A request like the witness, with names that the policies write where they will do.

    Args:
        inquiry: the two sides.
        found: the witness as a request.
        witness: the same as the solver gave it.
        way: how it is decided; the request returned is decided so, too.
    """
    for action in _actions(inquiry, witness.action):
        if inquiry.actions and action not in inquiry.actions:
            continue
        for resource, keys in _with_accounts(witness):
            requests = inquiry.build(action, resource, keys)
            if resource in inquiry.space.choices(RESOURCE) and inquiry.goes(requests, way):
                return requests
    return found


def _actions(inquiry: Inquiry, smallest: str) -> Iterator[str]:
    """Actions to try: those that the policies name, then the smallest, spelled as they spell it."""
    patterns = [
        pattern.text
        for side in (inquiry.new, inquiry.old)
        for statement in statements(side.stack)
        for pattern in statement.action.patterns
    ]
    named = dict.fromkeys(p for p in patterns if ":" in p and not set(p) & set("*?"))
    service = smallest.partition(":")[0].lower()
    near = [name for name in named if name.partition(":")[0].lower() == service]
    yield from sorted(near, key=lambda name: name.lower() != smallest.lower())[:_MOST_TRIED]
    yield _spelled(smallest, patterns)


def _spelled(action: str, patterns: list[str]) -> str:
    """An action in the case in which the longest pattern's beginning is written."""
    begun = (pattern.partition("*")[0].partition("?")[0] for pattern in patterns)
    fitting = [text for text in begun if action.lower().startswith(text.lower())]
    longest = max(fitting, key=len, default="")
    return longest + action[len(longest) :]


def _with_accounts(witness: Witness) -> Iterator[tuple[str, dict[str, str | tuple[str, ...]]]]:
    smallest = (witness.resource, dict(witness.keys))
    typical = (
        witness.resource.replace(_SMALLEST_ACCOUNT, TYPICAL_ACCOUNT),
        {
            key: value.replace(_SMALLEST_ACCOUNT, TYPICAL_ACCOUNT)
            if isinstance(value, str)
            else value
            for key, value in witness.keys.items()
        },
    )
    yield typical
    if typical != smallest:
        yield smallest
