"""Decision functions for the server: an independent simulator's, and one that is mostly wrong."""

from __future__ import annotations

from typing import Any

from iam_server import Decided
from independent import IndependentSimulator

Told = dict[tuple[str, str], Decided | str]


def rightly(parameters: dict[str, Any]) -> Told:
    """What an independent reading of the same parameters says."""
    results = IndependentSimulator().custom(parameters)
    return {
        (each["EvalActionName"], each["EvalResourceName"]): Decided(
            each["EvalDecision"], tuple(each.get("MissingContextValues", ()))
        )
        for each in results
    }


def always(decision: str) -> Any:
    """A simulator with one decision."""

    def decide(parameters: dict[str, Any]) -> Told:
        asked = [
            (action, resource)
            for action in parameters["ActionNames"]
            for resource in parameters.get("ResourceArns", ["*"])
        ]
        return dict.fromkeys(asked, decision)

    return decide
