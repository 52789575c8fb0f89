"""Speaking with AWS: sessions, calls that end in time, and errors in words. Loads boto3."""

from tenantproof.aws.failures import CallFailedError, Failure
from tenantproof.aws.settings import Connection

__all__ = ["CallFailedError", "Connection", "Failure"]
