"""Why a branch of a proof holds no request that is both allowed and forbidden."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Harmless:
    """No request of the branch is forbidden."""


@dataclass(frozen=True)
class Denied:
    """A Deny statement applies; ``policy`` and ``statement`` count within the layer."""

    layer: str
    policy: int
    statement: int


@dataclass(frozen=True)
class Silent:
    """No Allow statement of a layer applies.

    ``because`` lists each of them: its policy and statement, and the first element that fails.
    """

    layer: str
    because: tuple[tuple[int, int, str], ...]


Reason = Harmless | Denied | Silent
