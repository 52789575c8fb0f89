"""The routes by which a principal can get at another tenant's artifacts, and which are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Route(Enum):
    """A kind of way to another tenant's artifacts; the value is how manifests name it."""

    TARGET_MODEL = "target-model"
    INVOKE = "invoke"
    OBJECT = "object"
    ASSUME = "assume"
    CHANGE = "change"

    @property
    def meaning(self) -> str:
        """What is done on the route, as a phrase for reports."""
        return _MEANINGS[self]


_MEANINGS = {
    Route.TARGET_MODEL: "invoking a multi-model endpoint by TargetModel",
    Route.INVOKE: "invoking an endpoint, container or inference component that serves it",
    Route.OBJECT: "reading, overwriting or listing the artifact in S3",
    Route.ASSUME: "becoming somebody else who can",
    Route.CHANGE: "changing what stands in the way",
}

DEPTH = 3
"""How many roles are assumed in a row unless a manifest says otherwise."""

MOST_DEPTH = 8


@dataclass(frozen=True)
class RouteSettings:
    """How far routes are followed, and those not asked about, each with the reason why not."""

    depth: int = DEPTH
    off: Mapping[Route, str] = field(default_factory=dict)
