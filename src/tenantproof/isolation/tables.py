"""TOML tables that report what is wrong with their fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from tenantproof.errors import Place, Problem

T = TypeVar("T")


class Table:
    """A table; fields that nobody reads are unknown ones.

    Args:
        data: the table as it was parsed.
        file: the manifest's name, for messages.
        path: where the table stands in it.
        problems: where problems are added.
    """

    def __init__(
        self, data: Mapping[str, Any], file: str, path: str, problems: list[Problem]
    ) -> None:
        self._data = data
        self.file = file
        self.path = path
        self._problems = problems
        self._known: list[str] = []

    def report(self, name: str, message: str) -> None:
        """Report a problem of a field, or with ``""`` of the table."""
        path = ".".join(part for part in (self.path, name) if part)
        self._problems.append(Problem(message, Place(self.file, path or "manifest")))

    def has(self, name: str) -> bool:
        """Whether the table has a field."""
        return name in self._data

    def text(self, name: str, *, required: bool = True, default: str = "") -> str:
        """A text that is not empty."""
        return self._read(name, _is_text, "a text that is not empty", required, default)

    def texts(self, name: str, *, required: bool = True) -> tuple[str, ...]:
        """A list of one or more texts."""

        def is_texts(value: Any) -> bool:
            return isinstance(value, list) and all(map(_is_text, value)) and bool(value)

        return tuple(self._read(name, is_texts, "a list of one or more texts", required, ()))

    def one_or_more(self, name: str) -> tuple[str, ...]:
        """A text, or a list of them; none without it."""

        def is_texts(value: Any) -> bool:
            return _is_text(value) or (isinstance(value, list) and value != [] and _are(value))

        nothing: str | list[str] = []
        expected = "a text or a list of one or more texts"
        found = self._read(name, is_texts, expected, False, nothing)
        return (found,) if isinstance(found, str) else tuple(found)

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """A whole number between two others, both among them."""

        def fits(value: Any) -> bool:
            return type(value) is int and least <= value <= most

        return self._read(name, fits, f"a whole number from {least} to {most}", False, default)

    def flag(self, name: str) -> bool:
        """True or false; false without it."""
        return self._read(
            name, lambda value: isinstance(value, bool), "true or false", False, False
        )

    def mapping(self, name: str) -> Mapping[str, Any]:
        """A table whose fields are anybody's choice."""
        return self._read(name, lambda v: isinstance(v, dict), "a table", False, {})

    def levels(self, name: str) -> list[list[str]]:
        """A list of lists of texts."""

        def is_levels(value: Any) -> bool:
            return isinstance(value, list) and all(
                isinstance(level, list) and all(map(_is_text, level)) for level in value
            )

        return self._read(name, is_levels, "a list of lists of files", False, [])

    def table(self, name: str) -> Table:
        """One table; an empty one without it."""
        path = f"{self.path}.{name}" if self.path else name
        return Table(self.mapping(name), self.file, path, self._problems)

    def tables(self, name: str, *, required: bool) -> list[Table]:
        """A list of tables."""

        def is_tables(value: Any) -> bool:
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)

        items: list[Mapping[str, Any]] = self._read(name, is_tables, "tables", required, [])
        if required and not items and self.has(name):
            self.report(name, "found none, expected at least one")
        prefix = f"{self.path}.{name}" if self.path else name
        return [
            Table(item, self.file, f"{prefix}[{i}]", self._problems) for i, item in enumerate(items)
        ]

    def _read(
        self, name: str, fits: Callable[[Any], bool], expected: str, required: bool, default: T
    ) -> T:
        self._known.append(name)
        if name not in self._data:
            if required:
                self.report(name, f"found nothing, expected {expected}")
            return default
        value = self._data[name]
        if not fits(value):
            self.report(name, f"found {value!r:.80}, expected {expected}")
            return default
        found: T = value
        return found

    def skip(self, name: str) -> None:
        """Count a field as known: what is wrong with it was reported."""
        self._known.append(name)

    def finish(self) -> None:
        """Report the fields that nobody asked for."""
        for name in self._data:
            if name not in self._known:
                known = ", ".join(self._known)
                self.report(name, f"found an unknown field, expected one of {known}")


def _are(values: list[Any]) -> bool:
    return all(map(_is_text, values))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
