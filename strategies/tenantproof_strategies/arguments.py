"""Arguments: a bad one fails at once, with what was passed; a strategy prints those it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from hypothesis.errors import InvalidArgument

F = TypeVar("F", bound=Callable[..., Any])

_MOST_SHOWN = 80


def shown_as(name: str) -> Callable[[F], F]:
    """Give the definition of a composite the name that its strategies are printed with."""

    def rename(definition: F) -> F:
        definition.__name__ = name
        return definition

    return rename


def texts(given: Iterable[str], name: str, expected: str) -> tuple[str, ...]:
    """The texts of an argument.

    Raises:
        TypeError: it is a single text, no iterable, or holds something else than texts.
    """
    if isinstance(given, str):
        raise TypeError(
            f"found the text {shown(given)} as {name}, expected an iterable of {expected}"
        )
    if not isinstance(given, Iterable):
        raise TypeError(f"found {shown(given)} as {name}, expected an iterable of {expected}")
    found = tuple(given)
    for text in found:
        if not isinstance(text, str):
            raise TypeError(f"found {shown(text)} in {name}, expected {expected} as texts")
    return found


def some(given: Iterable[str], name: str, expected: str) -> tuple[str, ...]:
    """The texts of an argument that must have one at least.

    Raises:
        TypeError: as :func:`texts`.
        InvalidArgument: there is none.
    """
    found = texts(given, name, expected)
    if not found:
        raise InvalidArgument(f"found no {expected} in {name}, expected one at least")
    return found


def shown(value: object) -> str:
    """A value as messages show it."""
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
