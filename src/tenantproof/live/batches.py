"""Which questions one call of the simulator asks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tenantproof.live.simulation import Operation, Simulation

MOST_RESOURCES = 100
"""Resources of one call. The API names no limit; a request of 100 ARNs of 2,048 characters is
still smaller than the two policies of 131,072 that it takes."""
MOST_RESULTS = 1000
"""Results of one call: the API's limit of ``MaxItems``, so that they are one page."""

Pair = tuple[str, str]
"""An action in lower case, as IAM compares it, and a resource."""


@dataclass(frozen=True)
class Question:
    """A simulation's identity: equal ones are asked once.

    Attributes:
        operation: as in the simulation.
        action: in lower case.
        resource: as in the simulation.
        parameters: as JSON.
    """

    operation: Operation
    action: str
    resource: str
    parameters: str

    @classmethod
    def of(cls, simulation: Simulation) -> Question:
        """The question that a simulation asks."""
        parameters = json.dumps(simulation.parameters, sort_keys=True, default=repr)
        return cls(simulation.operation, simulation.action.lower(), simulation.resource, parameters)

    @property
    def pair(self) -> Pair:
        """What a reply tells questions of one call apart by."""
        return self.action, self.resource


@dataclass(frozen=True)
class Batch:
    """The questions of one call: exactly the product of its actions and resources."""

    questions: Mapping[Question, Simulation]

    @property
    def pairs(self) -> dict[Pair, Question]:
        """The questions by what a reply tells them apart by."""
        return {question.pair: question for question in self.questions}

    @property
    def operation(self) -> Operation:
        """The operation of all of them."""
        return next(iter(self.questions)).operation

    @property
    def has_resource_policy(self) -> bool:
        """Whether a resource's policy is sent."""
        return "ResourcePolicy" in next(iter(self.questions.values())).parameters

    @property
    def request(self) -> dict[str, Any]:
        """The parameters of the call, those of paging left out but for the page's size."""
        simulations = self.questions.values()
        actions = {each.action.lower(): each.action for each in simulations}
        return {
            **next(iter(simulations)).parameters,
            "ActionNames": list(actions.values()),
            "ResourceArns": list(dict.fromkeys(each.resource for each in simulations)),
            "MaxItems": MOST_RESULTS,
        }

    def alone(self) -> Iterator[Batch]:
        """Each question in a call of its own."""
        for question, simulation in self.questions.items():
            yield Batch({question: simulation})

    def only(self, questions: Iterable[Question]) -> Batch:
        """Some of its questions."""
        return Batch({question: self.questions[question] for question in questions})


def batches(questions: Mapping[Question, Simulation]) -> Iterator[Batch]:
    """All questions, in as few calls as ask no more than them.

    Questions of one call have equal operations and parameters, and each of its actions is asked
    of each of its resources. "If you include a ResourcePolicy, then it must be applicable to all
    of the resources included in the simulation".
    """
    for group in _grouped(questions):
        by_resource: dict[str, dict[str, Question]] = defaultdict(dict)
        for question in group:
            by_resource[question.resource][question.action] = question
        by_actions: dict[frozenset[str], list[dict[str, Question]]] = defaultdict(list)
        for asked in by_resource.values():
            by_actions[frozenset(asked)].append(asked)
        for actions, resources in by_actions.items():
            size = max(1, min(MOST_RESOURCES, MOST_RESULTS // len(actions)))
            for start in range(0, len(resources), size):
                some = resources[start : start + size]
                yield Batch({each: questions[each] for asked in some for each in asked.values()})


def _grouped(questions: Mapping[Question, Simulation]) -> Iterator[list[Question]]:
    groups: dict[tuple[Operation, str, str], list[Question]] = defaultdict(list)
    for question, simulation in questions.items():
        kind = _kind(question.resource, has_policy="ResourcePolicy" in simulation.parameters)
        groups[question.operation, question.parameters, kind].append(question)
    yield from groups.values()


def _kind(resource: str, *, has_policy: bool) -> str:
    """What resources of one call have in common.

    Of ``*`` the simulator says elsewhere than of ARNs which keys are missing. One resource
    policy belongs to one bucket, and its statements to the bucket or to its objects.
    """
    if resource == "*" or not has_policy:
        return "*" if resource == "*" else ""
    bucket, slash, _ = resource.partition("/")
    return f"{bucket}{slash}" if bucket.split(":")[2:3] == ["s3"] else resource
