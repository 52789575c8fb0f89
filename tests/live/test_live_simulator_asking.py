"""What is asked together, what is asked at all, and what ends the asking."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import iam_server as faults
import pytest
from iam_cases import (
    LIMITS,
    POLICY,
    assert_right,
    decide,
    no_waiting,
    objects,
    simulation,
    simulator,
)
from iam_server import AGGREGATE, Decided, Exchange, IamServer, forever

from tenantproof.aws import Connection, Deadline, Failure, connect
from tenantproof.live.simulation import Answer, NoAnswer, Operation, Simulation
from tenantproof.live.simulator import Simulator

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("aws_environment", no_waiting.__name__),
]

ROLE = "arn:aws:iam::111122223333:role/acme"
ENTRY = {
    "ContextKeyName": "aws:PrincipalTag/tenant",
    "ContextKeyValues": ["acme & <co>", "ünï"],
    "ContextKeyType": "stringList",
}


def failures(told: list[Answer | NoAnswer]) -> list[Failure | None]:
    return [each.failure if isinstance(each, NoAnswer) else None for each in told]


def products(server: IamServer) -> list[tuple[int, int]]:
    return [
        (len(each.parameters["ActionNames"]), len(each.parameters["ResourceArns"]))
        for each in server.simulations
    ]


def test_the_parameters_arrive_as_they_were_given() -> None:
    asked = simulation("arn:aws:s3:::models/a b", ContextEntries=[ENTRY], CallerArn=ROLE)
    with IamServer(decide) as server:
        assert_right([asked], simulator(server).ask([asked]))
        (request,) = server.requests
    assert request.action == "SimulateCustomPolicy"
    assert request.parameters == {
        "PolicyInputList": [POLICY],
        "ContextEntries": [ENTRY],
        "CallerArn": ROLE,
        "ActionNames": ["s3:GetObject"],
        "ResourceArns": ["arn:aws:s3:::models/a b"],
        "MaxItems": 1000,
    }
    assert "tenantproof/" in request.headers["User-Agent"]


def test_equal_questions_are_asked_once() -> None:
    asked = objects(3) * 2 + [replace(each, action="s3:getobject") for each in objects(3)]
    with IamServer(decide) as server:
        asking = simulator(server)
        assert_right(asked, asking.ask(asked))
        assert_right(asked, asking.ask(asked[::-1])[::-1])
        assert products(server) == [(1, 3)]
        assert asking.calls == 1


def test_a_call_asks_no_more_than_was_asked() -> None:
    asked = [
        simulation("arn:aws:s3:::a/1", "s3:GetObject"),
        simulation("arn:aws:s3:::a/1", "s3:PutObject"),
        simulation("arn:aws:s3:::a/2", "s3:PutObject"),
        simulation("arn:aws:s3:::a/2", "s3:GetObject"),
        simulation("arn:aws:s3:::a/3", "s3:PutObject"),
        simulation("arn:aws:s3:::a/3", "s3:PutObject", CallerArn=ROLE),
        simulation("*", "s3:PutObject"),
    ]
    with IamServer(decide) as server:
        assert_right(asked, simulator(server).ask(asked))
        assert sorted(products(server)) == [(1, 1), (1, 1), (1, 1), (2, 2)]


def test_a_call_has_at_most_a_hundred_resources() -> None:
    asked = objects(250)
    with IamServer(decide) as server:
        assert_right(asked, simulator(server).ask(asked))
        assert products(server) == [(1, 100), (1, 100), (1, 50)]


def test_a_resource_policy_goes_with_the_objects_of_one_bucket() -> None:
    asked = [
        simulation(f"arn:aws:s3:::{name}", ResourcePolicy=POLICY, CallerArn=ROLE)
        for name in ("a/1", "a/2", "b/1", "a", "b")
    ]
    with IamServer(decide) as server:
        assert_right(asked, simulator(server).ask(asked))
        assert sorted(products(server)) == [(1, 1), (1, 1), (1, 1), (1, 2)]


def test_the_policies_of_a_principal_are_asked_by_the_other_operation() -> None:
    asked = Simulation(
        Operation.PRINCIPAL, "s3:GetObject", "arn:aws:s3:::a/1", {"PolicySourceArn": ROLE}
    )
    with IamServer(decide) as server:
        assert_right([asked], simulator(server).ask([asked]))
        assert server.requests[0].action == "SimulatePrincipalPolicy"
        assert server.requests[0].parameters["PolicySourceArn"] == ROLE


def test_what_the_simulator_says_of_a_resource_is_told() -> None:
    asked = objects(2)
    said = {
        asked[0].resource: Decided("allowed", ("aws:x",), (("PolicyInputList.1", 2, 5),)),
        asked[1].resource: Decided("explicitDeny", (), (("PolicyInputList.2", 3, 7),)),
    }
    with IamServer(lambda _: {("s3:GetObject", name): each for name, each in said.items()}) as s:
        first, second = simulator(s).ask(asked)
    assert first == Answer("allowed", ("aws:x",), (("PolicyInputList.1", 2, 5),))
    assert second == Answer("explicitDeny", ("aws:x",), (("PolicyInputList.2", 3, 7),))


def test_a_decision_about_several_resources_is_taken_for_none() -> None:
    asked = objects(3)
    with IamServer(decide, form=AGGREGATE) as server:
        assert_right(asked, simulator(server).ask(asked))
        assert products(server) == [(1, 3), (1, 1), (1, 1), (1, 1)]


def test_a_batch_that_is_refused_is_asked_one_by_one() -> None:
    bad = "arn:aws:s3:::models/1"

    def picky(exchange: Exchange) -> None:
        wrong = bad in exchange.request.parameters["ResourceArns"]
        (faults.invalid if wrong else faults.fine)(exchange)

    asked = objects(4)
    with IamServer(decide, forever(picky)) as server:
        told = simulator(server).ask(asked)
        assert failures(told) == [None, Failure.INVALID, None, None]
        assert_right(asked, told)
        assert products(server) == [(1, 4), (1, 1), (1, 1), (1, 1), (1, 1)]


def test_a_principal_that_is_not_there_is_asked_once() -> None:
    asked = [replace(each, operation=Operation.PRINCIPAL) for each in objects(3)]
    asked = [replace(each, parameters={"PolicySourceArn": ROLE}) for each in asked]
    gone = faults.failing(404, "NoSuchEntity", "no such role")
    with IamServer(decide, forever(gone)) as server:
        asking = simulator(server)
        assert failures(asking.ask(asked)) == [Failure.NOT_FOUND] * 3
        assert len(server.requests) == 1


@pytest.mark.parametrize("calls", [0, 1, 3])
def test_no_more_calls_than_allowed(calls: int) -> None:
    asked = [simulation(each.resource, CallerArn=f"{ROLE}{n}") for n, each in enumerate(objects(5))]
    with IamServer(decide) as server:
        asking = simulator(server, calls=calls)
        told = asking.ask(asked)
        assert failures(told) == [None] * calls + [Failure.BUDGET] * (5 - calls)
        assert_right(asked, told)
        assert failures(asking.ask(asked)) == failures(told)
        assert len(server.requests) == asking.calls == calls


def test_pages_are_calls() -> None:
    asked = objects(5)
    with IamServer(decide, page=2) as server:
        told = simulator(server, calls=2).ask(asked)
    assert failures(told) == [None] * 4 + [Failure.BUDGET]
    assert_right(asked, told)


def test_reading_ends_when_everything_is_answered() -> None:
    def more(exchange: Exchange) -> None:
        exchange.send(exchange.good(lambda page: replace(page, truncated=True, marker="more")))

    with IamServer(decide, forever(more)) as server:
        assert_right(objects(2), simulator(server).ask(objects(2)))
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("fault", "failure", "calls"),
    [
        (faults.denied, Failure.ACCESS_DENIED, 1),
        (faults.expired, Failure.CREDENTIALS, 1),
        (faults.skewed, Failure.CLOCK, 1),
        (faults.unavailable, Failure.SERVER, 2),
        (faults.throttled, Failure.THROTTLED, 2),
        (faults.reset, Failure.UNREACHABLE, 2),
        (faults.html, Failure.BAD_REPLY, 5),
    ],
)
def test_asking_ends_where_it_makes_no_sense(
    fault: faults.Fault, failure: Failure, calls: int
) -> None:
    asked = [simulation(each.resource, CallerArn=f"{ROLE}{n}") for n, each in enumerate(objects(5))]
    with IamServer(decide, forever(fault)) as server:
        asking = simulator(server)
        assert failures(asking.ask(asked)) == [failure] * 5
        assert asking.calls == calls


def test_an_outage_that_is_over_loses_its_questions_alone() -> None:
    asked = [simulation(each.resource, CallerArn=f"{ROLE}{n}") for n, each in enumerate(objects(3))]
    with IamServer(decide, [faults.unavailable] * LIMITS.attempts) as server:
        asking = simulator(server)
        assert failures(asking.ask(asked)) == [Failure.SERVER, None, None]
        assert failures(asking.ask(asked)) == [None, None, None]


def test_access_to_one_operation_denied_leaves_the_other() -> None:
    custom = simulation("arn:aws:s3:::a/1")
    principal = Simulation(
        Operation.PRINCIPAL, "s3:GetObject", "arn:aws:s3:::a/1", {"PolicySourceArn": ROLE}
    )
    with IamServer(decide, [faults.denied]) as server:
        told = simulator(server).ask([principal, custom, principal])
    assert failures(told) == [Failure.ACCESS_DENIED, None, Failure.ACCESS_DENIED]


def test_nothing_is_asked_after_the_deadline() -> None:
    with IamServer(decide) as server:
        aws = connect(
            Connection(endpoint_url=server.url, region="us-east-1"), Deadline.after(9), LIMITS
        )
        told = Simulator(aws, max_calls=9, deadline=Deadline.after(0)).ask(objects(2))
        assert failures(told) == [Failure.TIMEOUT] * 2
        assert not server.requests


def test_ctrl_c_keeps_what_was_answered() -> None:
    def interrupting(exchange: Exchange) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        exchange.sleep(60)

    asked = objects(5)
    with IamServer(decide, [faults.fine, faults.fine, interrupting], page=2) as server:
        asking = simulator(server, limits=replace(LIMITS, read_seconds=30, call_seconds=30))
        told = asking.ask(asked)
        assert failures(told) == [None] * 4 + [Failure.INTERRUPTED]
        assert asking.interrupted
        assert_right(asked, told)
        assert (
            failures(asking.ask([*asked, *objects(9)[5:]]))
            == [None] * 4 + [Failure.INTERRUPTED] * 5
        )
        assert len(server.requests) == 3


def test_who_watches_sees_the_outcomes_come() -> None:
    seen: list[tuple[int, int]] = []
    asked = objects(120)
    with IamServer(decide) as server:
        simulator(server, watch=lambda *each: seen.append(each)).ask(asked * 2)
    assert seen == [(0, 120), (100, 120), (120, 120)]


def test_a_watch_that_is_interrupted_loses_nothing() -> None:
    def watch(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    asked = objects(120)
    with IamServer(decide) as server:
        told = simulator(server, watch=watch).ask(asked)
    assert failures(told) == [None] * 100 + [Failure.INTERRUPTED] * 20


def test_what_the_installed_botocore_takes() -> None:
    assert Simulator.knows("ResourcePolicy")
    assert not Simulator.knows("NoSuchParameter")


def test_a_parameter_that_botocore_does_not_take_is_refused() -> None:
    with IamServer(decide) as server:
        told = simulator(server).ask([simulation("arn:aws:s3:::a/1", NoSuchParameter="x")])
        assert failures(told) == [Failure.INVALID]
        assert not server.requests
