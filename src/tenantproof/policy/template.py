"""Taking a text apart into characters, wildcards and policy variables.

Follows "IAM policy elements: Variables and tags" of the IAM User Guide.
"""

from __future__ import annotations

import re

from tenantproof.errors import Place
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Escape,
    Part,
    Template,
    Variable,
)

_PIECE = re.compile(r"\*|\?|\$\{|[^*?$]+|\$")
_VARIABLE = re.compile(r"\$\{(?P<key>[^{}$*?,']+)(?:, *'(?P<default>[^']*)')?\}")
_ESCAPE = re.compile(r"\$\{([*?$])\}")


class TemplateError(ValueError):
    """A ``${`` that begins no policy variable; the message says what was expected."""


def parse_template(text: str, place: Place, *, variables: bool) -> Template:
    """Take ``text`` apart.

    Args:
        text: a Resource, or a condition value.
        place: where it was written.
        variables: whether ``${...}`` is a policy variable; false for documents of version
            2008-10-17 and for elements without variables, where it is literal text.

    Returns:
        The template; adjacent literal characters are one part.

    Raises:
        TemplateError: a ``${`` is not followed by a variable and ``}``.
    """
    parts: list[Part] = []
    literal: list[str] = []
    at = 0

    def flush() -> None:
        if literal:
            parts.append(Chars("".join(literal)))
            literal.clear()

    while at < len(text):
        piece = _PIECE.match(text, at)
        assert piece is not None
        match piece.group():
            case "*":
                flush()
                parts.append(AnyChars())
            case "?":
                flush()
                parts.append(AnyChar())
            case "${" if variables:
                flush()
                part, at = _variable(text, at)
                parts.append(part)
                continue
            case characters:
                literal.append(characters)
        at = piece.end()
    flush()
    return Template(text, tuple(parts), place)


def _variable(text: str, at: int) -> tuple[Part, int]:
    escape = _ESCAPE.match(text, at)
    if escape is not None:
        return Escape(escape.group(1)), escape.end()
    variable = _VARIABLE.match(text, at)
    if variable is None or variable.group("key") != variable.group("key").strip():
        raise TemplateError("expected a policy variable, ${key} or ${key, 'default'}")
    return Variable(variable.group("key"), variable.group("default")), variable.end()
