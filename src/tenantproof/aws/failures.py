"""Why a call has no answer, in words that hold nothing secret."""

from __future__ import annotations

from enum import Enum

from tenantproof.errors import TenantproofError


class Failure(Enum):
    """The kinds of reasons for which a call has no answer; the value is how reports name them."""

    THROTTLED = "throttled"
    ACCESS_DENIED = "access denied"
    CREDENTIALS = "credentials not valid"
    CLOCK = "clock skew"
    UNREACHABLE = "no connection"
    TIMEOUT = "timed out"
    SERVER = "server error"
    BAD_REPLY = "reply not understood"
    INVALID = "request refused"
    NOT_FOUND = "not found"
    BUDGET = "call limit reached"
    INTERRUPTED = "interrupted"

    @property
    def is_of_all(self) -> bool:
        """Whether the next call would end alike, so that asking on makes no sense."""
        return self in {
            Failure.ACCESS_DENIED,
            Failure.CREDENTIALS,
            Failure.CLOCK,
            Failure.BUDGET,
            Failure.INTERRUPTED,
        }

    @property
    def is_outage(self) -> bool:
        """Whether it says nothing of the question: asked later it may be answered."""
        return self in {Failure.THROTTLED, Failure.UNREACHABLE, Failure.TIMEOUT, Failure.SERVER}


class CallFailedError(TenantproofError):
    """A call has no answer.

    Attributes:
        failure: the kind of reason.
        message: what happened, in words; nothing secret.
        code: AWS's error code, where there was one.
    """

    def __init__(self, failure: Failure, message: str, code: str | None = None) -> None:
        super().__init__(f"{failure.value}: {message}" if message else failure.value)
        self.failure = failure
        self.message = message
        self.code = code
