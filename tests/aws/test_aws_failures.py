"""Every exception of botocore's is a failure in words that hold no secret."""

from __future__ import annotations

import inspect
from string import Formatter
from typing import Any

import pytest
from botocore import exceptions, parsers
from botocore.exceptions import ClientError

from tenantproof.aws import Failure
from tenantproof.aws.reasons import call_failed
from tenantproof.aws.redaction import LONGEST, Secrets

SECRET = "neverToBeShown/0123456789+abc="


def excerpt(text: str) -> str:
    secrets = Secrets()
    secrets.add(SECRET)
    return secrets.excerpt(text)


def refused(code: Any, status: int = 400, message: Any = "why") -> tuple[Failure, str]:
    error = ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "Operation",
    )
    failed = call_failed(error, excerpt)
    assert SECRET not in str(failed)
    return failed.failure, failed.message


CODES = {
    Failure.THROTTLED: "Throttling ThrottlingException RequestLimitExceeded SlowDown "
    "TooManyRequestsException PriorRequestNotComplete",
    Failure.ACCESS_DENIED: "AccessDenied AccessDeniedException UnauthorizedOperation "
    "AuthorizationError",
    Failure.CREDENTIALS: "ExpiredToken ExpiredTokenException InvalidClientTokenId "
    "UnrecognizedClientException SignatureDoesNotMatch InvalidAccessKeyId "
    "MissingAuthenticationToken OptInRequired TokenRefreshRequired InvalidSignatureException",
    Failure.CLOCK: "RequestTimeTooSkewed RequestExpired",
    Failure.SERVER: "InternalFailure ServiceUnavailable InternalError",
    Failure.NOT_FOUND: "NoSuchEntity ResourceNotFound NoSuchBucket NoSuchBucketPolicy",
    Failure.INVALID: "InvalidInput ValidationError PolicyEvaluation MalformedPolicyDocument",
}


@pytest.mark.parametrize(
    ("failure", "code"), [(f, code) for f, codes in CODES.items() for code in codes.split()]
)
def test_the_codes_of_aws(failure: Failure, code: str) -> None:
    told, words = refused(code)
    assert told is failure
    assert code in words


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (200, Failure.BAD_REPLY),
        (302, Failure.BAD_REPLY),
        (400, Failure.INVALID),
        (401, Failure.CREDENTIALS),
        (403, Failure.ACCESS_DENIED),
        (404, Failure.BAD_REPLY),
        (408, Failure.TIMEOUT),
        (418, Failure.INVALID),
        (429, Failure.THROTTLED),
        (500, Failure.SERVER),
        (599, Failure.SERVER),
    ],
)
@pytest.mark.parametrize("code", ["Unheard", "", None, 7, {"a": 1}])
def test_a_code_that_nobody_knows_goes_by_its_status(
    status: int, failure: Failure, code: Any
) -> None:
    assert refused(code, status)[0] is failure


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "InvalidSignatureException"])
@pytest.mark.parametrize(
    "message",
    ["Signature expired: 20010101T000000Z is now earlier", "Signature not yet current: 2099 is"],
)
def test_a_signature_of_another_time_is_a_clock(code: str, message: str) -> None:
    failure, words = refused(code, 403, f"{message} {SECRET}")
    assert failure is Failure.CLOCK
    assert "clock" in words


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "RequestTimeTooSkewed", "ExpiredToken"])
def test_what_aws_says_of_a_signature_is_not_shown(code: str) -> None:
    assert "canonical" not in refused(code, 403, "The canonical string should have been x")[1]


@pytest.mark.parametrize("message", [None, 7, {}, "", "x" * 9999, "a\nb", "\x1b[2J", SECRET * 20])
def test_any_message_is_one_short_line(message: Any) -> None:
    for code in ("Unheard", "AccessDenied", SECRET):
        _, words = refused(code, 400, message)
        assert len(words) <= LONGEST + 70
        assert words.isprintable()


EXCEPTIONS = [
    each
    for module in (exceptions, parsers)
    for _, each in inspect.getmembers(module, inspect.isclass)
    if issubclass(each, Exception) and not issubclass(each, (ClientError, Warning))
]


@pytest.mark.parametrize("kind", EXCEPTIONS, ids=lambda kind: kind.__name__)
def test_every_exception_is_a_failure(kind: type[Exception]) -> None:
    fields = {name for _, name, _, _ in Formatter().parse(getattr(kind, "fmt", "")) if name}
    try:
        error = kind(**{name.split(".")[0]: f"a {SECRET} b" for name in fields})
    except TypeError:
        error = kind(*[f"a {SECRET} b"] * (3 if kind is exceptions.WaiterError else 1))
    failed = call_failed(error, excerpt)
    assert SECRET not in str(failed)
    assert len(str(failed)) < 500


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (exceptions.ReadTimeoutError(endpoint_url="http://x"), Failure.TIMEOUT),
        (exceptions.ConnectTimeoutError(endpoint_url="http://x"), Failure.TIMEOUT),
        (exceptions.EndpointConnectionError(endpoint_url="http://x"), Failure.UNREACHABLE),
        (exceptions.SSLError(endpoint_url="http://x", error="e"), Failure.UNREACHABLE),
        (exceptions.ProxyConnectionError(proxy_url="http://x", error="e"), Failure.UNREACHABLE),
        (exceptions.HTTPClientError(error="e"), Failure.UNREACHABLE),
        (exceptions.ParamValidationError(report="a is wrong"), Failure.INVALID),
        (parsers.ResponseParserError("nonsense"), Failure.BAD_REPLY),
        (exceptions.NoCredentialsError(), Failure.CREDENTIALS),
        (exceptions.UnauthorizedSSOTokenError(), Failure.CREDENTIALS),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="e"), Failure.CREDENTIALS),
        (
            exceptions.ChecksumError(checksum_type="a", expected_checksum=1, actual_checksum=2),
            Failure.BAD_REPLY,
        ),
        (AttributeError("x"), Failure.BAD_REPLY),
        (RecursionError(), Failure.BAD_REPLY),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_an_exception_is(error: Exception, failure: Failure) -> None:
    assert call_failed(error, excerpt).failure is failure
