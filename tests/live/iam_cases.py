"""Questions to a server whose decisions depend on the resource alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from iam_server import Decided, Fault, IamServer

from conftest import ACCESS_KEY, SECRET_KEY, SESSION_TOKEN
from tenantproof.aws import Aws, Connection, Deadline, Limits, connect
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation
from tenantproof.live.simulator import Simulator

LIMITS = Limits(read_seconds=5, call_seconds=20, attempts=2, reply_bytes=1 << 20)
QUICK = Limits(read_seconds=0.4, call_seconds=0.9, attempts=2, reply_bytes=1 << 20)
POLICY = '{"Version":"2012-10-17","Statement":[]}'


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore waits less between attempts; what it does else is its own."""
    monkeypatch.setattr(
        "botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.01
    )
    monkeypatch.setattr("botocore.retries.bucket.TokenBucket._sleep_amount", lambda *_: 0)


def simulation(resource: str, action: str = "s3:GetObject", **parameters: Any) -> Simulation:
    return Simulation(
        Operation.CUSTOM, action, resource, {"PolicyInputList": [POLICY], **parameters}
    )


def objects(count: int) -> list[Simulation]:
    return [simulation(f"arn:aws:s3:::models/{number}") for number in range(count)]


def right(resource: str) -> str:
    """A decision that depends on the resource alone."""
    return ("allowed", "implicitDeny", "explicitDeny")[sum(resource.encode()) % 3]


def decide(parameters: dict[str, Any]) -> dict[tuple[str, str], Decided | str]:
    return {
        (action, resource): right(resource)
        for action in parameters["ActionNames"]
        for resource in parameters["ResourceArns"]
    }


def connection(server: IamServer, limits: Limits = LIMITS) -> Aws:
    return connect(
        Connection(endpoint_url=server.url, region="us-east-1"), Deadline.after(60), limits
    )


def simulator(
    server: IamServer,
    *,
    calls: int = 20,
    limits: Limits = LIMITS,
    watch: Callable[[int, int], None] | None = None,
) -> Simulator:
    aws = connection(server, limits)
    return Simulator(aws, max_calls=calls, deadline=Deadline.after(60), watch=watch)


def outcomes(
    script: Iterable[Fault], asked: list[Simulation], *, limits: Limits = LIMITS, **options: Any
) -> list[Answer | NoAnswer]:
    with IamServer(decide, script, **options) as server:
        return simulator(server, limits=limits).ask(asked)


def assert_right(asked: list[Simulation], told: list[Answer | NoAnswer]) -> None:
    assert len(told) == len(asked)
    for each, outcome in zip(asked, told, strict=True):
        if isinstance(outcome, Answer):
            assert outcome.decision == right(each.resource)
        else:
            for secret in (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN):
                assert secret not in outcome.message
