"""How texts match patterns, one small function for each rule of the reference.

Follows "IAM JSON policy elements: Resource", "... Action", and "String / ARN condition
operators" of the IAM User Guide. Plain comparisons, no automata: the prover's reading of the
same rules shares no code with this one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from string import ascii_lowercase, ascii_uppercase

from tenantproof.policy.syntax import AnyChar, AnyChars, Chars, Escape, Part, Template, Variable

ANY_CHARS = AnyChars()
ANY_CHAR = AnyChar()

Token = str | AnyChars | AnyChar
"""Literal characters, or a wildcard."""

Resolve = Callable[[Variable], str]
"""Gives a policy variable's value."""

ARN_SEGMENTS = 6

_MOST_PATTERNS = 16_384
"""Of so many patterns is kept what they say: a policy is asked about many requests."""


def tokens_of(template: Template, resolve: Resolve) -> Sequence[Token]:
    """As :func:`expand`; without variables it is always the same."""
    if template.variables:
        return expand(template.parts, resolve)
    return _written_tokens(template)


@lru_cache(maxsize=_MOST_PATTERNS)
def _written_tokens(template: Template) -> tuple[Token, ...]:
    return tuple(expand(template.parts, _no_variables))


def expand(parts: Iterable[Part], resolve: Resolve) -> list[Token]:
    """The parts of a template as tokens; escapes and variables' values are literal characters."""
    tokens: list[Token] = []
    for part in parts:
        match part:
            case Chars(text):
                tokens.append(text)
            case Escape(char):
                tokens.append(char)
            case Variable():
                tokens.append(resolve(part))
            case AnyChars() | AnyChar():
                tokens.append(part)
    return tokens


def expand_literally(template: Template, resolve: Resolve) -> str:
    """The template as text, its ``*`` and ``?`` being plain characters (StringEquals)."""
    shown = {ANY_CHARS: "*", ANY_CHAR: "?"}
    return "".join(
        token if isinstance(token, str) else shown[token] for token in tokens_of(template, resolve)
    )


def is_like(tokens: Sequence[Token], text: str) -> bool:
    """Whether ``text`` as a whole matches: ``*`` is any characters, ``?`` any one.

    The last ``*`` passed is the only one to come back to: what an earlier one could take, the
    last can take as well.
    """
    at = pattern_at = 0
    star_at = resume = -1
    while at < len(text):
        token = tokens[pattern_at] if pattern_at < len(tokens) else None
        if isinstance(token, AnyChars):
            star_at, resume = pattern_at, at
            pattern_at += 1
        elif isinstance(token, AnyChar):
            at += 1
            pattern_at += 1
        elif token is not None and text.startswith(token, at):
            at += len(token)
            pattern_at += 1
        elif star_at >= 0:
            resume += 1
            at, pattern_at = resume, star_at + 1
        else:
            return False
    return all(isinstance(token, AnyChars) or token == "" for token in tokens[pattern_at:])


def fold(text: str) -> str:
    """``text`` for comparisons without case, character by character."""
    return text.lower() if text.isascii() else "".join(map(_fold_char, text))


def _fold_char(char: str) -> str:
    upper = char.upper()
    lower = (upper if len(upper) == 1 else char).lower()
    return lower if len(lower) == 1 else char


@lru_cache(maxsize=_MOST_PATTERNS)
def action_matches(pattern: Template, action: str) -> bool:
    """Whether an Action pattern matches: ASCII letters without case, ``*`` and ``?`` anywhere."""
    tokens = tokens_of(pattern, _no_variables)
    return is_like([_lower(t) if isinstance(t, str) else t for t in tokens], _lower(action))


def _lower(text: str) -> str:
    return text.translate(_LOWER)


_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def _no_variables(variable: Variable) -> str:
    raise AssertionError(f"no policy variable can stand here: {variable}")


def resource_matches(
    pattern: Template, resource: str, resolve: Resolve, *, star_crosses: bool
) -> bool:
    """Whether a Resource pattern matches.

    ``*`` alone matches everything. Otherwise pattern and resource are compared segment by
    segment, the sixth taking the rest; segments that the pattern lacks are ``*``. With
    ``star_crosses`` a ``*`` at a segment's end may match colons as well.
    """
    if not pattern.variables:
        return _written_resource_matches(pattern, resource, star_crosses)
    return _resource_matches(tokens_of(pattern, resolve), resource, star_crosses)


@lru_cache(maxsize=_MOST_PATTERNS)
def _written_resource_matches(pattern: Template, resource: str, star_crosses: bool) -> bool:
    return _resource_matches(tokens_of(pattern, _no_variables), resource, star_crosses)


def _resource_matches(tokens: Sequence[Token], resource: str, star_crosses: bool) -> bool:
    if all(isinstance(token, AnyChars) for token in tokens):
        return True
    segments = split_segments(tokens)
    completed = segments + [[ANY_CHARS]] * (ARN_SEGMENTS - len(segments))
    if star_crosses:
        fields = resource.split(":")
        return _segments_match_across(completed, fields) or _segments_match_across(segments, fields)
    return _segments_match(completed, resource)


def arn_matches(pattern: Template, arn: str, resolve: Resolve, *, complete: bool) -> bool:
    """Whether an ARN condition value matches ``arn``, segment by segment, with case.

    A pattern of fewer than six segments matches nothing, or with ``complete`` has the missing
    ones as ``*``.
    """
    segments = split_segments(tokens_of(pattern, resolve))
    if complete:
        segments += [[ANY_CHARS]] * (ARN_SEGMENTS - len(segments))
    return len(segments) == ARN_SEGMENTS and _segments_match(segments, arn)


def split_segments(tokens: Iterable[Token]) -> list[list[Token]]:
    """The first five segments of an ARN pattern, and the rest as the sixth."""
    segments: list[list[Token]] = [[]]
    for token in tokens:
        if not isinstance(token, str):
            segments[-1].append(token)
            continue
        first, *others = token.split(":", ARN_SEGMENTS - len(segments))
        segments[-1].append(first)
        segments.extend([text] for text in others)
    return [[token for token in segment if token != ""] for segment in segments]


def _segments_match(segments: Sequence[Sequence[Token]], arn: str) -> bool:
    fields = arn.split(":", ARN_SEGMENTS - 1)
    return len(fields) == ARN_SEGMENTS and all(map(is_like, segments, fields))


def _segments_match_across(segments: Sequence[Sequence[Token]], fields: Sequence[str]) -> bool:
    first, *rest = segments
    if not rest:
        return is_like(first, ":".join(fields))
    if len(fields) < 2 or not is_like(first, fields[0]):
        return False
    crosses = bool(first) and isinstance(first[-1], AnyChars)
    starts = range(1, len(fields)) if crosses else range(1, 2)
    return any(_segments_match_across(rest, fields[start:]) for start in starts)
