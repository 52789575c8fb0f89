"""Slips within one text: an action, a Resource or a condition value, wildcards and variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tenantproof.policy.syntax import AnyChar, AnyChars, Chars, Escape, Part, Template, Variable

_MOST_CUTS = 4
"""A path is cut at so many of its slashes at most, the last ones."""

_FIRST_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")

_LETTER = re.compile(r"[A-Za-z]")

Changed = tuple[str, str]
"""What was done, in words, and the text after it."""


@dataclass(frozen=True)
class Pieces:
    """A text taken apart, each part with the characters that it is written with."""

    template: Template

    @property
    def text(self) -> str:
        """The whole text."""
        return self.template.text

    @cached_property
    def written(self) -> tuple[tuple[Part, int, int], ...]:
        """The parts, with where in the text each begins and ends."""
        found: list[tuple[Part, int, int]] = []
        at = 0
        for part in self.template.parts:
            end = _end(part, self.text, at)
            found.append((part, at, end))
            at = end
        return tuple(found)

    @property
    def has_wildcard(self) -> bool:
        """Whether there is a ``*`` or ``?`` in the text that is no escape."""
        return any(isinstance(part, AnyChars | AnyChar) for part in self.template.parts)

    @property
    def ends_open(self) -> bool:
        """Whether the text ends with ``*``."""
        return bool(self.template.parts) and isinstance(self.template.parts[-1], AnyChars)

    def positions(self, char: str) -> list[int]:
        """Where a character stands in the text, outside variables."""
        return [
            at
            for part, start, end in self.written
            if isinstance(part, Chars)
            for at in range(start, end)
            if self.text[at] == char
        ]

    def put(self, start: int, end: int, text: str) -> str:
        """The text with another one from ``start`` to ``end``."""
        return self.text[:start] + text + self.text[end:]


def _end(part: Part, text: str, at: int) -> int:
    match part:
        case Chars(chars):
            return at + len(chars)
        case AnyChars() | AnyChar():
            return at + 1
        case Escape():
            return at + len("${*}")
        case Variable(_, None):
            return text.index("}", at) + 1
        case Variable(_, default):
            return text.index("'", at) + len(default or "") + len("''}")


def slashes_dropped(pieces: Pieces) -> Iterator[Changed]:
    """``acme/*`` -> ``acme*``."""
    for (part, _, end), (following, *_) in zip(pieces.written, pieces.written[1:], strict=False):
        if isinstance(part, Chars) and part.text.endswith("/") and isinstance(following, AnyChars):
            yield "`/` dropped before `*`", pieces.put(end - 1, end, "")


def any_one_widened(pieces: Pieces) -> Iterator[Changed]:
    """``?`` -> ``*``."""
    for part, start, end in pieces.written:
        if isinstance(part, AnyChar):
            yield "`?` widened to `*`", pieces.put(start, end, "*")


def cut(pieces: Pieces, first: int = 0) -> Iterator[Changed]:
    """``acme/models/*`` -> ``acme/*``; ``acme/x`` -> ``acme/*``, ``acme/x*``; from ``first`` on."""
    for at in reversed([at for at in pieces.positions("/") if at >= first][-_MOST_CUTS:]):
        yield "all below a folder", pieces.text[: at + 1] + "*"
    if not pieces.ends_open:
        yield "`*` put behind it", pieces.text + "*"


def fields_widened(pieces: Pieces, fields: tuple[int, ...]) -> Iterator[Changed]:
    """Of an ARN: some of the fields -> ``*``."""
    colons = pieces.positions(":")[:5]
    bounds = list(zip([-1, *colons], [*colons, len(pieces.text)], strict=True))
    for number in fields:
        if number < len(bounds):
            start, end = bounds[number][0] + 1, bounds[number][1]
            if pieces.text[start:end] not in ("", "*"):
                yield f"the {FIELDS[number]} widened to `*`", pieces.put(start, end, "*")


FIELDS = ("prefix", "partition", "service", "region", "account", "resource")
"""The fields of an ARN, by their place."""


def last_field(pieces: Pieces) -> int:
    """Where the sixth field of an ARN begins; the text's end where it has fewer."""
    colons = pieces.positions(":")
    return colons[4] + 1 if len(colons) >= 5 else len(pieces.text)


def actions_widened(pieces: Pieces) -> Iterator[Changed]:
    """``sagemaker:InvokeEndpoint`` -> with ``*``, ``sagemaker:Invoke*``, ``sagemaker:*``, ``*``."""
    service, colon, name = pieces.text.partition(":")
    if not colon:
        return
    word = _FIRST_WORD.match(name)
    if not pieces.ends_open:
        yield "`*` put behind the action", f"{pieces.text}*"
    if word is not None and word.group() + "*" != name:
        yield f"all actions that begin with {word.group()}", f"{service}:{word.group()}*"
    yield f"all actions of {service}", f"{service}:*"
    yield "all actions", "*"


def case_changed(pieces: Pieces, first: int = 0) -> Iterator[Changed]:
    """The first letter in the other case; of a folder's or a field's name, from ``first`` on."""
    for part, start, end in pieces.written:
        if isinstance(part, Chars):
            letter = _LETTER.search(pieces.text, max(start, first), end)
            if letter is not None:
                at, swapped = letter.start(), letter.group().swapcase()
                yield "the case of a letter changed", pieces.put(at, at + 1, swapped)
                return


_USERNAME = "aws:username"
_PRINCIPAL_TAG = "aws:PrincipalTag/"
_OTHER_TAGS = ("aws:RequestTag/", "aws:ResourceTag/")


def variables_replaced(pieces: Pieces, others: tuple[str, ...], *, wild: bool) -> Iterator[Changed]:
    """A variable -> ``*`` (``wild``), ``${aws:username}``, another kind of tag, another variable.

    ``others`` are the keys of the variables of the document.
    """
    for part, start, end in pieces.written:
        if not isinstance(part, Variable):
            continue
        if wild:
            yield "a variable replaced by `*`", pieces.put(start, end, "*")
        for key in _other_keys(part.key, others):
            default = "" if part.default is None else f", '{part.default}'"
            what = f"the variable {part.key} replaced by {key}"
            yield what, pieces.put(start, end, f"${{{key}{default}}}")


def _other_keys(key: str, others: tuple[str, ...]) -> Iterator[str]:
    folded = key.lower()
    if folded != _USERNAME:
        yield _USERNAME
    if folded.startswith(_PRINCIPAL_TAG.lower()):
        yield from (prefix + key[len(_PRINCIPAL_TAG) :] for prefix in _OTHER_TAGS)
    different = (each for each in others if each.lower() not in (folded, _USERNAME))
    yield from (each for each, _ in zip(different, range(1), strict=False))


def defaults_changed(pieces: Pieces) -> Iterator[Changed]:
    """``${key}`` -> ``${key, '*'}``; ``${key, 'default'}`` -> ``${key}``."""
    for part, start, end in pieces.written:
        match part:
            case Variable(key, None):
                yield "a default put into a variable", pieces.put(start, end, f"${{{key}, '*'}}")
            case Variable(key, _):
                yield "the default of a variable dropped", pieces.put(start, end, f"${{{key}}}")
            case _:
                pass
