"""Which failure an exception is, said in words.

Follows "Common Errors" of the IAM, STS, S3 and SageMaker API References. What AWS says of a
signature holds the text that was signed, the session's token included, and what the
configuration's reader says holds the file's lines: of these only own words are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tenantproof.aws.deadline import OverdueError
from tenantproof.aws.failures import CallFailedError, Failure
from tenantproof.aws.transport import ReplyTooLongError

Excerpt = Callable[[str], str]

THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
ACCESS_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "AuthorizationError",
    "AuthorizationErrorException",
    "NotAuthorized",
    "UnauthorizedAccess",
    "UnauthorizedException",
    "UnauthorizedOperation",
}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
CREDENTIALS = {
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "NotSignedUp",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "SubscriptionRequiredException",
    "UnrecognizedClientException",
}
OF_SIGNATURES = {"InvalidSignatureException", "SignatureDoesNotMatch"}
CLOCK = {"RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"}
SERVER = {
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "InternalServerException",
    "ServiceFailure",
    "ServiceUnavailable",
    "ServiceUnavailableException",
}
NOT_FOUND = {
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchEntity",
    "NoSuchEntityException",
    "NoSuchKey",
    "ResourceNotFound",
    "ResourceNotFoundException",
}
INVALID = {
    "InvalidInput",
    "InvalidInputException",
    "InvalidParameterValue",
    "MalformedPolicyDocument",
    "MalformedPolicyDocumentException",
    "PolicyEvaluation",
    "PolicyEvaluationException",
    "ValidationError",
    "ValidationException",
}
TIMEOUT = {"RequestTimeout", "RequestTimeoutException"}

_BY_CODE = {
    code: failure
    for failure, codes in (
        (Failure.THROTTLED, THROTTLED),
        (Failure.ACCESS_DENIED, ACCESS_DENIED),
        (Failure.CREDENTIALS, CREDENTIALS | EXPIRED),
        (Failure.CLOCK, CLOCK),
        (Failure.SERVER, SERVER),
        (Failure.NOT_FOUND, NOT_FOUND),
        (Failure.INVALID, INVALID),
        (Failure.TIMEOUT, TIMEOUT),
    )
    for code in codes
}
_BY_STATUS = {
    401: Failure.CREDENTIALS,
    403: Failure.ACCESS_DENIED,
    404: Failure.BAD_REPLY,
    408: Failure.TIMEOUT,
    429: Failure.THROTTLED,
}
"""That something is not there only AWS can say, in a code of its own: what else lies on the way
says 404 of everything."""

_ANOTHER_TIME = re.compile(r"signature (has )?expired|not yet current", re.IGNORECASE)

NO_CREDENTIALS = (
    "no credentials found: run `aws configure` or `aws sso login`, or name a profile with "
    "--profile or AWS_PROFILE"
)
SIGN_IN = "the session that one signs in to has expired or was never begun: run `aws sso login`"


def call_failed(error: BaseException, excerpt: Excerpt) -> CallFailedError:
    """What an exception of a call means.

    Args:
        error: anything that botocore or what it builds on raises.
        excerpt: what may be shown of a text of others.
    """
    from botocore import exceptions  # noqa: PLC0415
    from botocore.parsers import ResponseParserError  # noqa: PLC0415

    if isinstance(error, CallFailedError):
        return error
    if isinstance(error, exceptions.ClientError):
        return _refused(error, excerpt)
    if (words := credentials_words(error)) is not None:
        return CallFailedError(Failure.CREDENTIALS, excerpt(words))
    match error:
        case OverdueError():
            return CallFailedError(Failure.TIMEOUT, "no reply within the time limit")
        case ReplyTooLongError():
            return CallFailedError(Failure.BAD_REPLY, "the reply is too long")
        case exceptions.ReadTimeoutError() | exceptions.ConnectTimeoutError():
            return CallFailedError(Failure.TIMEOUT, excerpt(str(error)))
        case exceptions.ParamValidationError():
            report = str(error.kwargs.get("report", error)).replace("\n", "; ")
            return CallFailedError(Failure.INVALID, excerpt(report))
        case (
            exceptions.NoRegionError()
            | exceptions.InvalidRegionError()
            | exceptions.EndpointProviderError()
        ):
            return CallFailedError(Failure.INVALID, excerpt(str(error)))
        case exceptions.HTTPClientError() | exceptions.ConnectionError() | OSError():
            return CallFailedError(Failure.UNREACHABLE, excerpt(str(error)))
        case exceptions.InvalidProxiesConfigError():
            return CallFailedError(Failure.UNREACHABLE, excerpt(str(error)))
        case ResponseParserError():
            return CallFailedError(Failure.BAD_REPLY, "the reply is not in the service's format")
        case _:
            return CallFailedError(
                Failure.BAD_REPLY, f"the reply cannot be read ({type(error).__name__})"
            )


def credentials_words(error: BaseException) -> str | None:
    """What to do about an exception of botocore's that is about credentials; none of others.

    Names of files, profiles and providers are in it as they are.
    """
    from botocore import exceptions  # noqa: PLC0415

    match error:
        case exceptions.NoCredentialsError() | exceptions.NoAuthTokenError():
            return NO_CREDENTIALS
        case exceptions.ProfileNotFound():
            return f"the AWS configuration has no profile {error.kwargs.get('profile')!r}"
        case exceptions.PartialCredentialsError():
            fields = error.kwargs
            return (
                f"credentials of {fields.get('provider')} are not complete: "
                f"{fields.get('cred_var')} is missing"
            )
        case exceptions.SSOError() | exceptions.TokenRetrievalError():
            return SIGN_IN
        case exceptions.ConfigParseError() | exceptions.ConfigNotFound():
            return f"the AWS configuration file {error.kwargs.get('path')!r} cannot be read"
        case exceptions.InvalidConfigError():
            return (
                "the AWS configuration contradicts itself: check the profile's source_profile, "
                "credential_source and sso_session"
            )
        case exceptions.RefreshWithMFAUnsupportedError():
            return "the credentials have expired and need a code of a device again: run again"
        case exceptions.CredentialRetrievalError():
            return (
                f"credentials cannot be had from {error.kwargs.get('provider')}: "
                "try `aws sts get-caller-identity` for what it says"
            )
        case exceptions.MetadataRetrievalError() | exceptions.UnknownCredentialError():
            return "the place that the profile takes credentials from has none"
        case _ if "Login" in type(error).__name__ and isinstance(error, exceptions.BotoCoreError):
            return "the session of `aws login` has expired or cannot be used: run `aws login`"
        case _:
            return None


def _refused(error: Any, excerpt: Excerpt) -> CallFailedError:
    """What an error that the service itself names means."""
    response = error.response if isinstance(error.response, dict) else {}
    said = response.get("Error")
    said = said if isinstance(said, dict) else {}
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code = excerpt(str(said.get("Code") or "no code"))[:64]
    text = str(said.get("Message") or "")
    failure = _failure(code, text, status)
    return CallFailedError(failure, _words(failure, code, text, status, excerpt), code)


def _failure(code: str, text: str, status: int) -> Failure:
    if code in OF_SIGNATURES and _ANOTHER_TIME.search(text):
        return Failure.CLOCK
    if code in _BY_CODE:
        return _BY_CODE[code]
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return Failure.SERVER
    return Failure.INVALID if status >= 400 else Failure.BAD_REPLY


def _words(failure: Failure, code: str, text: str, status: int, excerpt: Excerpt) -> str:
    if code in EXPIRED:
        return f"the credentials have expired ({code}): renew them and run again"
    if failure is Failure.CREDENTIALS:
        return (
            f"AWS does not take the credentials ({code}): try `aws sts get-caller-identity` with "
            "the same profile"
        )
    if failure is Failure.CLOCK:
        return f"this machine's clock differs from AWS's ({code}): set it"
    if 300 <= status < 400:
        return f"the reply is a redirect ({code})"
    shown = excerpt(text)
    return f"{code}: {shown}" if shown else code
