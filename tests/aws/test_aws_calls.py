"""A call is over in time, its reply has the model's shape, and pages come to an end."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.stub import Stubber
from tests.live import iam_server as faults
from tests.live.iam_server import IamServer, forever

from tenantproof.aws import (
    Aws,
    CallFailedError,
    Connection,
    Deadline,
    Failure,
    Limits,
    call,
    connect,
    pages,
)
from tenantproof.aws.deadline import OverdueError, in_time, is_wanted

pytestmark = [pytest.mark.enable_socket, pytest.mark.usefixtures("aws_environment")]


@pytest.fixture
def aws() -> Aws:
    return connect(Connection(region="us-east-1"), Deadline.after(30))


def test_work_that_is_not_done_in_time() -> None:
    go, wanted = threading.Event(), []

    def work() -> None:
        go.wait(20)
        wanted.append(is_wanted())

    with pytest.raises(OverdueError):
        in_time(work, Deadline.after(0.05))
    worker = next(each for each in threading.enumerate() if each.name == "tenantproof-aws")
    go.set()
    worker.join(20)
    assert wanted == [False]


def test_work_returns_and_raises_as_it_does() -> None:
    assert in_time(lambda: 7, Deadline.after(20)) == 7
    assert in_time(lambda: None, Deadline.after(20)) is None
    with pytest.raises(ZeroDivisionError):
        in_time(lambda: 1 // 0, Deadline.after(20))


def test_nothing_is_called_after_the_deadline(aws: Aws) -> None:
    with pytest.raises(CallFailedError, match="was reached before") as caught:
        call(aws, aws.client("iam"), "ListRoles", {}, Deadline.after(0))
    assert caught.value.failure is Failure.TIMEOUT


CHILD = """
import sys
from tenantproof.aws import CallFailedError, Connection, Deadline, call, connect
aws = connect(Connection(endpoint_url=sys.argv[1], region="us-east-1"), Deadline.after(20))
try:
    call(aws, aws.client("iam"), "ListRoles", {}, Deadline.after(0.3))
except CallFailedError as error:
    print(error.failure.name)
"""


@pytest.mark.parametrize("name", ["dripping", "late", "endless"])
def test_a_process_ends_while_a_call_hangs(name: str) -> None:
    with IamServer(dict, forever(getattr(faults, name))) as server:
        done = subprocess.run(
            [sys.executable, "-c", CHILD, server.url],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    assert done.stdout.strip() in {"TIMEOUT", "BAD_REPLY"}
    assert not done.stderr


def test_what_nobody_waits_for_is_not_sent_again() -> None:
    limits = Limits(read_seconds=0.2, call_seconds=0.1, attempts=5)
    with IamServer(dict, forever(faults.late)) as server:
        aws = connect(
            Connection(endpoint_url=server.url, region="a-b-1"), Deadline.after(9), limits
        )
        with pytest.raises(CallFailedError):
            call(aws, aws.client("iam"), "ListRoles", {}, Deadline.after(9))
        for worker in threading.enumerate():
            if worker.name == "tenantproof-aws":
                worker.join(20)
        assert len(server.requests) == 1


class Raw:
    def __init__(self, body: bytes) -> None:
        self.body = body

    def stream(self) -> list[bytes]:
        return [self.body]


def replying(aws: Aws, body: bytes, status: int = 200) -> Any:
    client = aws.client("sagemaker")
    reply = AWSResponse("http://x", status, {}, Raw(body))
    client.meta.events.register("before-send", lambda **_: reply)
    return client


GOOD = b'{"Endpoints":[{"EndpointName":"a","EndpointArn":"arn","CreationTime":1,'
END = b'"LastModifiedTime":1,"EndpointStatus":"InService"}]}'


def test_a_reply_of_the_model(aws: Aws) -> None:
    client = replying(aws, GOOD + END)
    reply = call(aws, client, "ListEndpoints", {}, Deadline.after(20))
    assert [each["EndpointName"] for each in reply["Endpoints"]] == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"3",
        b'"x"',
        b"{",
        b"<a/>",
        b"\xff",
        GOOD,
        GOOD + b'"EndpointStatus":"InService"}]}',
        b'{"Endpoints":"x"}',
        b'{"Endpoints":{"a":"b"}}',
        b'{"Endpoints":[null]}',
        b'{"Endpoints":["x"]}',
        (GOOD + END).replace(b'"a"', b"3"),
        (GOOD + END).replace(b'"a"', b"[]"),
        (GOOD + END).replace(b":1,", b':"soon",'),
        b'{"Endpoints":[],"NextToken":5}',
        b'{"Endpoints":[],"NextToken":true}',
        b"[" * 100_000,
    ],
)
def test_a_reply_of_another_shape_is_none(aws: Aws, body: bytes) -> None:
    with pytest.raises(CallFailedError) as caught:
        call(aws, replying(aws, body), "ListEndpoints", {}, Deadline.after(20))
    assert caught.value.failure is Failure.BAD_REPLY


def test_parameters_that_the_model_does_not_take(aws: Aws) -> None:
    with pytest.raises(CallFailedError, match="MaxResults") as caught:
        call(aws, aws.client("sagemaker"), "ListEndpoints", {"MaxResults": "x"}, Deadline.after(9))
    assert caught.value.failure is Failure.INVALID


def roles(*, truncated: bool, marker: str | None) -> dict[str, Any]:
    return {"Roles": [], "IsTruncated": truncated, **({"Marker": marker} if marker else {})}


def test_the_pages_of_a_list(aws: Aws) -> None:
    with Stubber(aws.client("iam")) as stub:
        stub.add_response("list_roles", roles(truncated=True, marker="a"), {"PathPrefix": "/"})
        stub.add_response(
            "list_roles", roles(truncated=False, marker="x"), {"PathPrefix": "/", "Marker": "a"}
        )
        read = pages(
            aws, aws.client("iam"), "ListRoles", {"PathPrefix": "/"}, Deadline.after(20), most=2
        )
        assert [each["IsTruncated"] for each in read] == [True, False]


def test_the_pages_of_a_list_by_tokens(aws: Aws) -> None:
    client = aws.client("sagemaker")
    with Stubber(client) as stub:
        stub.add_response("list_models", {"Models": [], "NextToken": "a"}, {})
        stub.add_response("list_models", {"Models": []}, {"NextToken": "a"})
        assert len(list(pages(aws, client, "ListModels", {}, Deadline.after(20), most=9))) == 2


@pytest.mark.parametrize(
    ("markers", "words"),
    [
        (["a", "b", "a"], "came again"),
        (["a", "a"], "came again"),
        (["a", None], "has no marker"),
        (["a", "b", "c", "d"], "more than 4 pages"),
    ],
)
def test_pages_that_do_not_end(aws: Aws, markers: list[str | None], words: str) -> None:
    with Stubber(aws.client("iam")) as stub:
        for marker in markers:
            stub.add_response("list_roles", roles(truncated=True, marker=marker))
        read = pages(aws, aws.client("iam"), "ListRoles", {}, Deadline.after(20), most=4)
        seen = []
        with pytest.raises(CallFailedError, match=words) as caught:
            seen.extend(read)
    assert caught.value.failure is Failure.BAD_REPLY


INVOCATION = {"EndpointName": "models", "TargetModel": "acme/a.tar.gz", "Body": b"x"}


def test_a_body_that_is_a_stream_was_read() -> None:
    script = [faults.saying(b"hello", kind="text/plain")]
    with IamServer(dict, script) as server:
        aws = connect(Connection(endpoint_url=server.url, region="a-b-1"), Deadline.after(20))
        client = aws.client("sagemaker-runtime")
        reply = call(aws, client, "InvokeEndpoint", INVOCATION, Deadline.after(20))
    assert reply["Body"].read() == b"hello"


def test_a_stream_that_is_denied() -> None:
    text = b'{"__type":"AccessDeniedException","Message":"not authorized to perform it"}'
    with IamServer(dict, [faults.saying(text, 403, "application/json")]) as server:
        aws = connect(Connection(endpoint_url=server.url, region="a-b-1"), Deadline.after(20))
        client = aws.client("sagemaker-runtime")
        with pytest.raises(CallFailedError, match="not authorized to perform it") as caught:
            call(aws, client, "InvokeEndpoint", INVOCATION, Deadline.after(20))
    assert caught.value.failure is Failure.ACCESS_DENIED


def test_a_bucket_has_no_policy() -> None:
    text = b"<Error><Code>NoSuchBucketPolicy</Code><Message>there is none</Message></Error>"
    with IamServer(dict, [faults.saying(text, 404)]) as server:
        aws = connect(Connection(endpoint_url=server.url, region="a-b-1"), Deadline.after(20))
        with pytest.raises(CallFailedError) as caught:
            call(aws, aws.client("s3"), "GetBucketPolicy", {"Bucket": "models"}, Deadline.after(20))
    assert caught.value.failure is Failure.NOT_FOUND
    assert caught.value.code == "NoSuchBucketPolicy"
