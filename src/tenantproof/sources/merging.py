"""What several sources say of the same thing, put together.

The same thing said twice in the same words is one thing; said in different words it is a problem:
no reading of the accounts may hang on which file was read last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from tenantproof.account import Bucket, Estate
from tenantproof.errors import Place, Problem

T = TypeVar("T")


def merged(estate: Estate, problems: list[Problem]) -> Estate:
    """An estate with each thing once; two that differ are reported."""
    unique = _Unique(problems)
    return replace(
        estate,
        identities=unique.of(estate.identities, lambda i: i.arn, lambda i: i.place),
        groups=unique.of(estate.groups, lambda g: g.arn, lambda g: g.place),
        managed_policies=unique.of(estate.managed_policies, lambda p: p.arn, lambda p: p.place),
        endpoints=unique.of(estate.endpoints, lambda e: e.arn, lambda e: e.place),
        models=unique.of(estate.models, lambda m: m.arn or m.name, lambda m: m.place),
        buckets=unique.of(_read_first(estate.buckets), lambda b: b.name, lambda b: b.place),
    )


def _read_first(buckets: tuple[Bucket, ...]) -> Iterator[Bucket]:
    """Of a bucket that one source could not read what another says of it."""
    read = {bucket.name for bucket in buckets if not bucket.is_unread}
    return (bucket for bucket in buckets if not (bucket.is_unread and bucket.name in read))


class _Unique:
    def __init__(self, problems: list[Problem]) -> None:
        self._problems = problems

    def of(
        self,
        things: Iterable[T],
        name: Callable[[T], str],
        place: Callable[[T], Place | None],
    ) -> tuple[T, ...]:
        first: dict[str, T] = {}
        for thing in things:
            known = first.setdefault(name(thing), thing)
            if known != thing:
                where = f" (the first is at {place(known)})" if place(known) else ""
                message = (
                    f"found {name(thing)} a second time, and it differs{where}, expected each once"
                )
                self._problems.append(Problem(message, place(thing) or Place("", "")))
        return tuple(first.values())
