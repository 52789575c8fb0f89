"""The values of policy variables in a request.

Follows "IAM policy elements: Variables and tags" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping

from tenantproof.policy.syntax import Statement, Variable
from tenantproof.request import ContextValue


class UnresolvedVariableError(LookupError):
    """A policy variable has no value in the request, and no default."""


def resolve_variable(variable: Variable, keys: Mapping[str, ContextValue]) -> str:
    """A variable's value: the key's in the request, else the default.

    A set of values gives none, unless it is of one: the reference has variables for
    single-valued keys only.

    Raises:
        UnresolvedVariableError: there is neither.
    """
    value = keys.get(variable.key.lower(), variable.default)
    if isinstance(value, tuple) and len(value) == 1:
        return value[0]
    if isinstance(value, str):
        return value
    if variable.default is not None:
        return variable.default
    raise UnresolvedVariableError(variable.key)


def unresolved(statement: Statement, keys: Mapping[str, ContextValue]) -> Variable | None:
    """The first variable of a statement that has no value in the request, if any."""
    for template in statement.templates:
        for variable in template.variables:
            try:
                resolve_variable(variable, keys)
            except UnresolvedVariableError:
                return variable
    return None
