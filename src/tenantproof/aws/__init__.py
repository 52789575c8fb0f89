"""Speaking with AWS: sessions, calls that end in time, and errors in words. Loads boto3 when used.

:func:`connect` gives a session, :func:`call` and :func:`pages` ask something with its clients; a
:class:`Deadline` of the whole run bounds them, and :class:`CallFailedError` is all they raise.
"""

from tenantproof.aws.calls import call, pages
from tenantproof.aws.deadline import Deadline
from tenantproof.aws.failures import CallFailedError, Failure
from tenantproof.aws.session import Aws, connect
from tenantproof.aws.settings import Connection, Limits, misread

__all__ = [
    "Aws",
    "CallFailedError",
    "Connection",
    "Deadline",
    "Failure",
    "Limits",
    "call",
    "connect",
    "misread",
    "pages",
]
