"""From the syntax tree back to JSON: a document that reads as the one that was read.

Follows "Grammar of the IAM JSON policy language" of the IAM User Guide. The text is ASCII: the
policy simulator takes no characters beyond U+00FF. Each statement stands on a line of its own, so
that a line names a statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tenantproof.errors import TenantproofError
from tenantproof.policy.syntax import (
    Clause,
    Condition,
    PolicyDocument,
    PrincipalClause,
    Statement,
    Template,
)

_FIRST_LINE = 2
"""The line of the first statement; Version and Id stand before it."""


class UnwritableError(TenantproofError):
    """A document that no JSON text says: a part of it is not known, say."""


def policy_to_json(document: PolicyDocument) -> str:
    """A policy document as JSON text.

    Args:
        document: the policy; its Version is written out, whether or not it was before, and a
            value as it was written, in a string.

    Returns:
        The text, ASCII alone. Reading it gives an equal document.

    Raises:
        UnwritableError: a part of a statement is not known, or a condition stands there twice.
    """
    head = {"Version": document.version.value}
    if document.id is not None:
        head["Id"] = document.id
    # The bracket or comma before a statement is on its line: whether a position counts from
    # before or after it, the line is the statement's.
    statements = "\n,".join(json.dumps(_statement(each, document)) for each in document.statements)
    return f'{json.dumps(head)[:-1]}, "Statement":\n[{statements}\n]}}'


def statement_lines(document: PolicyDocument) -> dict[int, Statement]:
    """The statements by the lines on which :func:`policy_to_json` writes them."""
    return dict(enumerate(document.statements, _FIRST_LINE))


def _statement(statement: Statement, document: PolicyDocument) -> dict[str, Any]:
    where = f"{statement.name} of {document.file}"
    if statement.unknown is not None:
        raise UnwritableError(f"{where} is not wholly known: {statement.unknown.reason}")
    written: dict[str, Any] = {} if statement.sid is None else {"Sid": statement.sid}
    written["Effect"] = statement.effect.value
    if statement.principal is not None:
        written[statement.principal.element] = _principals(statement.principal)
    written[statement.action.element] = _patterns(statement.action)
    if statement.resource is not None:
        written[statement.resource.element] = _patterns(statement.resource)
    if statement.conditions:
        written["Condition"] = _conditions(statement.conditions, where)
    return written


def _patterns(clause: Clause) -> str | list[str]:
    return _one_or_more(clause.patterns)


def _one_or_more(templates: Iterable[Template]) -> str | list[str]:
    texts = [template.text for template in templates]
    return texts[0] if len(texts) == 1 else texts


def _principals(clause: PrincipalClause) -> dict[str, list[str]]:
    """The entries by their types; the bare ``"*"`` is ``AWS: *`` in the tree already."""
    by_type: dict[str, list[str]] = {}
    for entry in clause.entries:
        by_type.setdefault(entry.type, []).append(entry.value)
    return by_type


def _conditions(conditions: Iterable[Condition], where: str) -> Mapping[str, Mapping[str, Any]]:
    """The conditions by operator and key, of which JSON has each pair once."""
    block: dict[str, dict[str, Any]] = {}
    seen: set[tuple[str, str]] = set()
    for condition in conditions:
        operator, key = condition.operator.name, condition.key
        if (operator, key.lower()) in seen:
            raise UnwritableError(f"{where} has two conditions {operator} on {key}")
        seen.add((operator, key.lower()))
        values = _one_or_more(value.template for value in condition.values)
        block.setdefault(operator, {})[key] = values
    return block
