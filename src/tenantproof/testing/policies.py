"""Policies as tests have them: files, JSON texts, documents built in code."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy import (
    PolicyDocument,
    PolicyKind,
    PolicySet,
    load_policy,
    parse_policy,
)

PolicyLike = PolicyDocument | Mapping[str, Any] | Path | str
"""A policy: read already, an object, a file's path, or JSON text (which begins with ``{``)."""

_MOST_TEXTS = 512
_numbers = count(1)
_texts: OrderedDict[str, str] = OrderedDict()


def texts() -> Mapping[str, str]:
    """The latest policies that stand in no file, by the name that they go by in places."""
    return _texts


def policy_set(
    *policies: PolicyLike,
    permissions_boundary: PolicyLike | None = None,
    service_control_policies: Iterable[Iterable[PolicyLike]] = (),
    session_policies: Iterable[PolicyLike] = (),
    folder: Path = Path(),
    lenient: bool = False,
) -> PolicySet:
    """Everything that applies to one principal.

    Args:
        policies: its identity policies.
        permissions_boundary: its boundary.
        service_control_policies: levels from the root down, each of one or more policies.
        session_policies: those passed when its session began.
        folder: what paths are relative to.
        lenient: read files and texts with comments and trailing commas.

    Returns:
        The policies, read strictly.

    Raises:
        InputError: with every problem of the first policy that has one.
        TypeError: something else than a policy was given.
    """

    def read(policy: PolicyLike) -> PolicyDocument:
        return as_document(policy, folder=folder, lenient=lenient)

    boundary = None if permissions_boundary is None else read(permissions_boundary)
    levels = tuple(tuple(map(read, level)) for level in service_control_policies)
    session = tuple(map(read, session_policies))
    return PolicySet(tuple(map(read, policies)), boundary, levels, session)


def as_document(
    policy: PolicyLike,
    *,
    folder: Path = Path(),
    lenient: bool = False,
    kind: PolicyKind = PolicyKind.IDENTITY,
) -> PolicyDocument:
    """One policy, read strictly; see :func:`policy_set`."""
    match policy:
        case PolicyDocument():
            return policy
        case Mapping():
            return _parsed(_written(policy), lenient, kind)
        case str() if policy.lstrip().startswith("{"):
            return _parsed(policy, lenient, kind)
        case str() | Path():
            path = folder / policy
            return load_policy(path, lenient=lenient, kind=kind)
    raise TypeError(
        f"found {policy!r:.80}, expected a policy: a mapping, JSON text, a path or a PolicyDocument"
    )


def as_policies(given: PolicySet | PolicyLike | Sequence[PolicyLike], folder: Path) -> PolicySet:
    """A policy set, or one or more identity policies, as a policy set."""
    if isinstance(given, PolicySet):
        return given
    if isinstance(given, Sequence) and not isinstance(given, str):
        return policy_set(*given, folder=folder)
    return policy_set(given, folder=folder)


def _written(policy: Mapping[str, Any]) -> str:
    try:
        return json.dumps(policy, indent=2)
    except (TypeError, ValueError, RecursionError) as error:
        message = f"found an object that is no JSON ({error}), expected a policy document"
        raise InputError([Problem(message, Place("<policy>", "$"))]) from None


def _parsed(text: str, lenient: bool, kind: PolicyKind) -> PolicyDocument:
    name = f"<policy {next(_numbers)}>"
    _texts[name] = text
    if len(_texts) > _MOST_TEXTS:
        _texts.popitem(last=False)
    return parse_policy(text, file=name, lenient=lenient, kind=kind)
