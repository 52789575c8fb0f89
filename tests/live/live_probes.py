"""Requests to ask about, and who answers: the independent simulator behind ``ask``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from botocore.model import Shape
from botocore.session import get_session
from botocore.validate import ParamValidator
from independent import IndependentSimulator, NoSuchEntityError
from tests.layers import layers_cases

from tenantproof.aws import Failure
from tenantproof.evaluate import decide
from tenantproof.isolation import Manifest, Probe, Run, load_manifest
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation
from tenantproof.policy import Access, PolicyKind, PolicySet, parse_policy
from tenantproof.request import ContextValue, Principal, Request

ROOT = Path(__file__).parents[2]
USER = "arn:aws:iam::111122223333:user/ann"
ROLE = "arn:aws:iam::111122223333:role/app"
SESSION = "arn:aws:sts::111122223333:assumed-role/app/one"
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
ACTION = "sagemaker:InvokeEndpoint"


def allow(**changes: Any) -> dict[str, Any]:
    """An Allow of everything, with changes."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": "*", "Resource": "*", **changes}
    return {name: value for name, value in statement.items() if value is not None}


def policy(*statements: dict[str, Any], kind: PolicyKind = PolicyKind.ANY, **changes: Any) -> Any:
    """A document of some statements."""
    document = {"Version": "2012-10-17", "Statement": list(statements), **changes}
    return parse_policy(json.dumps(document), file="policy.json", kind=kind)


def probe(
    access: Access | PolicySet,
    arn: str = USER,
    *,
    action: str = ACTION,
    resource: str = ENDPOINT,
    context: Mapping[str, ContextValue] | None = None,
    is_deployed: bool = True,
    **of_principal: Any,
) -> Probe:
    """A request with the evaluator's decision on it."""
    both = access if isinstance(access, Access) else Access(access)
    request = Request(Principal(arn, **of_principal), action, resource, context or {})
    return Probe(request, both, decide(both, request), is_deployed)


def random_probe(random: Random) -> Probe:
    """A request of the small language of ``layers_cases``, with any of the layers."""
    access, request = layers_cases.access_of(layers_cases.case(random))
    return Probe(request, access, decide(access, request))


def manifest_probes(path: Path, samples: int = 4) -> list[Probe]:
    """The requests that the answers about a manifest rest on."""
    manifest: Manifest = load_manifest(path)
    report = Run(manifest, samples=samples).report()
    return [probe for finding in report.findings for probe in finding.probes]


def parameters_of(simulation: Simulation) -> dict[str, Any]:
    """All of a question as boto3 takes it."""
    subject = {"ActionNames": [simulation.action], "ResourceArns": [simulation.resource]}
    return {**subject, **simulation.parameters}


@cache
def input_shape(operation: Operation) -> Shape:
    """The shape of an operation's parameters, by botocore."""
    model = get_session().get_service_model("iam").operation_model(operation.value)
    assert model.input_shape is not None
    return model.input_shape


def check_parameters(simulation: Simulation) -> None:
    """The parameters are some that the API takes: shapes, lengths, patterns, numbers of items."""
    shape = input_shape(simulation.operation)
    report = ParamValidator().validate(parameters_of(simulation), shape)
    assert not report.has_errors(), report.generate_report()
    _check(parameters_of(simulation), shape)


def _check(value: Any, shape: Any) -> None:
    """What botocore does not check of its own model."""
    limits = shape.metadata
    if "max" in limits:
        assert len(value) <= limits["max"], shape.name
    if "min" in limits:
        assert len(value) >= limits["min"], shape.name
    if "enum" in limits:
        assert value in limits["enum"], shape.name
    if "pattern" in limits:
        assert all(char in "\t\n\r" or " " <= char <= "\xff" for char in value), shape.name
    match shape.type_name:
        case "structure":
            for name, member in value.items():
                _check(member, shape.members[name])
        case "list":
            for member in value:
                _check(member, shape.member)


class Independent:
    """Answers as the simulator does, by the independent one; up to ``budget`` questions."""

    def __init__(
        self, deployed: Mapping[str, Mapping[str, Any]] | None = None, budget: int | None = None
    ) -> None:
        self.simulator = IndependentSimulator(deployed)
        self.budget = budget
        self.asked: list[Simulation] = []

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        return [self._answer(simulation) for simulation in simulations]

    def _answer(self, simulation: Simulation) -> Answer | NoAnswer:
        if self.budget is not None and len(self.asked) >= self.budget:
            return NoAnswer(Failure.BUDGET, "")
        self.asked.append(simulation)
        ask = {
            Operation.CUSTOM: self.simulator.custom,
            Operation.PRINCIPAL: self.simulator.principal,
        }[simulation.operation]
        try:
            (result,) = ask(parameters_of(simulation))
        except NoSuchEntityError as error:
            return NoAnswer(Failure.NOT_FOUND, f"{error} does not exist")
        return Answer(
            result["EvalDecision"],
            tuple(result["MissingContextValues"]),
            tuple(
                (each["SourcePolicyId"], each["StartPosition"]["Line"], 1)
                for each in result["MatchedStatements"]
            ),
        )
