"""Every fault of a real server ends in an answer or a reason, within a bound."""

from __future__ import annotations

from collections.abc import Iterator

import iam_server as faults
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from iam_cases import (
    LIMITS,
    QUICK,
    assert_right,
    connection,
    decide,
    no_waiting,
    objects,
    outcomes,
    simulation,
)
from iam_server import AGGREGATE, NEW, OLD, IamServer, forever

from tenantproof.aws import Aws, Deadline, Failure, Limits
from tenantproof.live.simulation import Answer, NoAnswer, Simulation
from tenantproof.live.simulator import Simulator

pytestmark = [
    pytest.mark.enable_socket,
    pytest.mark.usefixtures("aws_environment", no_waiting.__name__),
]


@pytest.mark.parametrize("form", [NEW, OLD, AGGREGATE])
@pytest.mark.parametrize("page", [1, 2, 1000])
def test_without_a_fault_everything_is_answered(form: str, page: int) -> None:
    asked = objects(5)
    told = outcomes([], asked, form=form, page=page)
    assert all(isinstance(each, Answer) for each in told)
    assert_right(asked, told)


@pytest.mark.parametrize("form", [NEW, OLD, AGGREGATE])
def test_all_resources_are_a_resource(form: str) -> None:
    asked = [simulation("*", "s3:ListAllMyBuckets")]
    told = outcomes([], asked, form=form)
    assert isinstance(told[0], Answer)
    assert_right(asked, told)


SLOW = {"dripping", "dripping_head", "late", "late_body"}


def limits(name: str) -> Limits:
    return QUICK if name in SLOW else LIMITS


PASSING = [
    "throttled",
    "unavailable",
    "broken",
    "cut",
    "longer",
    "reset",
    "hung_up",
    "html_unavailable",
    "empty_error",
    "late",
    "late_body",
    "garbage",
]


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_is_asked_again(name: str) -> None:
    asked = objects(3)
    told = outcomes([getattr(faults, name)], asked, limits=limits(name))
    assert all(isinstance(each, Answer) for each in told)
    assert_right(asked, told)


LASTING = {
    "throttled": Failure.THROTTLED,
    "unavailable": Failure.SERVER,
    "broken": Failure.SERVER,
    "cut": Failure.UNREACHABLE,
    "cut_without_length": Failure.BAD_REPLY,
    "longer": Failure.UNREACHABLE,
    "shorter": Failure.BAD_REPLY,
    "reset": Failure.UNREACHABLE,
    "hung_up": Failure.UNREACHABLE,
    "garbage": Failure.UNREACHABLE,
    "late": Failure.TIMEOUT,
    "late_body": Failure.TIMEOUT,
    "dripping": Failure.TIMEOUT,
    "dripping_head": Failure.TIMEOUT,
    "html": Failure.BAD_REPLY,
    "html_unclosed": Failure.BAD_REPLY,
    "html_forbidden": Failure.BAD_REPLY,
    "html_unavailable": Failure.SERVER,
    "empty": Failure.BAD_REPLY,
    "empty_error": Failure.SERVER,
    "other_xml": Failure.BAD_REPLY,
    "not_wrapped": Failure.BAD_REPLY,
    "no_metadata": Failure.BAD_REPLY,
    "not_utf8": Failure.BAD_REPLY,
    "bomb": Failure.BAD_REPLY,
    "as_json": Failure.BAD_REPLY,
    "endless": Failure.BAD_REPLY,
    "other_action": Failure.BAD_REPLY,
    "other_resource": Failure.BAD_REPLY,
    "other_case": Failure.BAD_REPLY,
    "nothing": Failure.BAD_REPLY,
    "undecided": Failure.BAD_REPLY,
    "contradictory": Failure.BAD_REPLY,
    "endless_markers": Failure.BAD_REPLY,
    "endless_results": Failure.BAD_REPLY,
    "expired": Failure.CREDENTIALS,
    "unknown_key": Failure.CREDENTIALS,
    "skewed": Failure.CLOCK,
    "denied": Failure.ACCESS_DENIED,
    "invalid": Failure.INVALID,
    "not_evaluated": Failure.INVALID,
}


@pytest.mark.parametrize("name", LASTING)
def test_a_fault_that_lasts_is_a_reason(name: str) -> None:
    asked = objects(3)
    told = outcomes(forever(getattr(faults, name)), asked, limits=limits(name))
    assert [each.failure for each in told if isinstance(each, NoAnswer)] == [LASTING[name]] * 3
    assert_right(asked, told)


@pytest.mark.parametrize("status", [301, 302, 304, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with IamServer(decide) as elsewhere:
        told = outcomes(forever(faults.redirected(status, elsewhere.url)), objects(2))
        assert not elsewhere.requests
    assert {each.failure for each in told if isinstance(each, NoAnswer)} == {Failure.BAD_REPLY}
    assert len(told) == 2


CODES = [
    (400, "Throttling"),
    (400, "ValidationError"),
    (403, "AccessDenied"),
    (403, "Something"),
    (403, "SignatureDoesNotMatch"),
    (403, "InvalidClientTokenId"),
    (403, "ExpiredToken"),
    (403, "RequestTimeTooSkewed"),
    (404, "NoSuchEntity"),
    (418, "Strange"),
    (500, "InternalFailure"),
]


@pytest.mark.parametrize(("status", "code"), CODES)
def test_an_error_that_echoes_the_request_tells_no_secret(status: int, code: str) -> None:
    asked = objects(1)
    told = outcomes(forever(faults.echoing(status, code)), asked)
    assert isinstance(told[0], NoAnswer)
    assert code in told[0].message
    assert_right(asked, told)


NAMES = {*LASTING, "fine", "lacking", "duplicated", "unmarked", "same_marker"}
SCRIPTS = st.lists(st.sampled_from(sorted(NAMES - SLOW - {"endless"})), max_size=6)
ACTIONS = st.sampled_from(["s3:GetObject", "s3:getobject", "s3:PutObject"])
QUESTIONS = st.builds(
    lambda action, number: simulation(f"arn:aws:s3:::models/{number}", action),
    ACTIONS,
    st.integers(0, 5),
)


@pytest.fixture
def server() -> Iterator[IamServer]:
    with IamServer(decide) as server:
        yield server


@pytest.fixture
def aws(server: IamServer) -> Aws:
    return connection(server)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=SCRIPTS,
    asked=st.lists(QUESTIONS, max_size=8),
    form=st.sampled_from([NEW, OLD, AGGREGATE]),
    page=st.integers(1, 4),
    calls=st.integers(0, 8),
)
def test_a_script_of_faults_never_makes_a_wrong_answer(
    server: IamServer,
    aws: Aws,
    script: list[str],
    asked: list[Simulation],
    form: str,
    page: int,
    calls: int,
) -> None:
    server.follow([getattr(faults, name) for name in script], form=form, page=page)
    asking = Simulator(aws, max_calls=calls, deadline=Deadline.after(60))
    told = asking.ask(asked)
    again = asking.ask(asked)
    assert asking.calls <= calls
    assert len(server.requests) <= calls * LIMITS.attempts
    assert_right(asked, told)
    assert_right(asked, again)
    for first, second in zip(told, again, strict=True):
        assert second == first or isinstance(first, NoAnswer)
