"""What the SageMaker runtime accepts, read from botocore's own service model.

The file is read without importing botocore: a check must not pay for an AWS client.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from functools import cache
from pathlib import Path
from typing import Any

from tenantproof.errors import TenantproofError
from tenantproof.prove import CharRange, Domain, language, shortest_member

TARGET_MODEL = "sagemaker:TargetModel"
"""The condition key that sees the ``TargetModel`` header of ``InvokeEndpoint``."""

_KNOWN_PATTERN = r"\A\S[\p{Print}]*\z"
_BEYOND_BOTOCORE = ("sagemaker:InvokeEndpointWithBidirectionalStream",)
"""Actions of the runtime's HTTP/2 API, of which botocore has no model; no ``TargetModel`` there."""


@cache
def _service_model() -> dict[str, Any]:
    spec = importlib.util.find_spec("botocore")
    roots = (spec.submodule_search_locations or []) if spec else []
    for root in roots:
        found = sorted(Path(root, "data", "sagemaker-runtime").glob("*/service-2.json*"))
        if found:
            data = found[-1].read_bytes()
            text = gzip.decompress(data) if found[-1].suffix == ".gz" else data
            model: dict[str, Any] = json.loads(text)
            return model
    raise TenantproofError("botocore's model of sagemaker-runtime was not found: is it installed?")


@cache
def invoke_actions() -> tuple[str, ...]:
    """Every action that invokes an endpoint, ``sagemaker:InvokeEndpoint`` first."""
    operations = [name for name in _service_model()["operations"] if name.startswith("Invoke")]
    actions = sorted(f"sagemaker:{name}" for name in operations)
    return (*actions, *_BEYOND_BOTOCORE)


@cache
def target_model_actions() -> tuple[str, ...]:
    """The actions whose API takes a ``TargetModel``: only they give the condition key a value."""
    return _actions_that_take("TargetModel")


@cache
def hostname_actions() -> tuple[str, ...]:
    """The actions whose API takes a ``TargetContainerHostname``."""
    return _actions_that_take("TargetContainerHostname")


def _actions_that_take(parameter: str) -> tuple[str, ...]:
    model = _service_model()
    return tuple(
        f"sagemaker:{name}"
        for name, operation in model["operations"].items()
        if parameter in model["shapes"][operation["input"]["shape"]]["members"]
    )


@cache
def target_model_domain() -> Domain:
    r"""The values of ``TargetModel`` that the API accepts.

    The model's pattern is ``\A\S[\p{Print}]*\z``; the value travels as an HTTP header, so
    that its characters, the first too, are printable ASCII.

    Raises:
        TenantproofError: botocore's model has another pattern than the one known here.
    """
    shape = _service_model()["shapes"]["TargetModelHeader"]
    if shape.get("pattern") != _KNOWN_PATTERN:
        raise TenantproofError(
            f"found the pattern {shape.get('pattern')!r} for TargetModel in botocore's model,"
            f" expected {_KNOWN_PATTERN!r}: this version of tenantproof does not know it"
        )
    return Domain(
        initial=CharRange("!", "~"),
        rest=CharRange(" ", "~"),
        min_length=int(shape.get("min", 1)),
        max_length=int(shape.get("max", 1024)),
    )


def is_void(pattern: str) -> bool:
    """Whether no TargetModel matches a pattern: every question about it would be vacuous."""
    return shortest_member([language(pattern)], [], target_model_domain()) is None


def is_endpoint(arn: str) -> bool:
    """Whether a text is the ARN of an endpoint."""
    fields = arn.split(":", 5)
    return len(fields) == 6 and fields[0] == "arn" and fields[5].startswith("endpoint/")
