"""Every small change of a JSON value: each leaf, element, member and subtree in turn."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def mutants(data: Any, under: Path = ()) -> Iterator[tuple[str, Any]]:
    """Changed copies of ``data``, each with what was changed; only below the path ``under``."""
    for path in list(paths(data)):
        if path[: len(under)] == under:
            for what, value in changed(get(data, path)):
                mutant = put(data, path, value)
                if mutant != data or _typed(mutant) != _typed(data):
                    yield f"{what} at {path}", mutant
    yield from swaps(data, under)


def swaps(data: Any, under: Path) -> Iterator[tuple[str, Any]]:
    """Each subtree put in the place of a sibling."""
    for path in list(paths(data)):
        if path and path[: len(under)] == under:
            parent = get(data, path[:-1])
            keys = list(parent) if isinstance(parent, dict) else range(len(parent))
            for key in list(keys)[:6]:
                if key != path[-1] and parent[key] != parent[path[-1]]:
                    yield f"{key} copied to {path}", put(data, path, parent[key])


def paths(data: Any, at: Path = ()) -> Iterator[Path]:
    yield at
    if isinstance(data, dict):
        for name, value in data.items():
            yield from paths(value, (*at, name))
    if isinstance(data, list):
        for index, value in enumerate(data):
            yield from paths(value, (*at, index))


def get(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def put(data: Any, path: Path, value: Any) -> Any:
    if not path:
        return copy.deepcopy(value)
    whole = copy.deepcopy(data)
    get(whole, path[:-1])[path[-1]] = copy.deepcopy(value)
    return whole


def changed(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case bool():
            yield "flipped", not value
            yield "made a number", int(value)
        case int():
            yield "one more", value + 1
            yield "one less", value - 1
            yield "made a Boolean", bool(value)
            yield "made a text", str(value)
        case str():
            yield "longer", value + "x"
            yield "wider", value + "*"
            yield "shorter", value[:-1]
            yield "emptied", ""
            yield "other case", value.swapcase()
            yield "made null", None
        case None:
            yield "given", 0
            yield "given a text", "x"
        case list():
            yield "emptied", []
            yield "reversed", value[::-1]
            yield "made null", None
            for index in range(len(value)):
                yield f"without {index}", value[:index] + value[index + 1 :]
                yield f"{index} twice", [*value[: index + 1], *value[index:]]
        case dict():
            yield "with a field more", {**value, "surplus": 1}
            yield "made a list", list(value)
            for name in value:
                yield f"without {name}", {k: v for k, v in value.items() if k != name}
                yield f"{name} renamed", {k + "x" * (k == name): v for k, v in value.items()}


def _typed(data: Any) -> str:
    return repr(data)
