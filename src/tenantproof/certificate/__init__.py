"""Checkable proofs: what they say, and a small checker that knows nothing of the prover.

:mod:`tenantproof.certificate.tableau`, which finds proofs, is not imported here: the checker does
not need it.
"""

from tenantproof.certificate.checker import (
    RejectedError,
    check_policies,
    check_theorem,
    models_of,
    needs_lenience,
)
from tenantproof.certificate.claims import read_bytes, read_claims
from tenantproof.certificate.document import Certificate, Embedded, Proved, digest
from tenantproof.certificate.model import Model
from tenantproof.certificate.reader import parse_certificate, read_certificate
from tenantproof.certificate.texts import Effort, TooLargeError
from tenantproof.certificate.theorem import Beyond, Claim, Stack, Theorem, Within
from tenantproof.certificate.verify import Verified, verify
from tenantproof.certificate.writer import to_text

__all__ = [
    "Beyond",
    "Certificate",
    "Claim",
    "Effort",
    "Embedded",
    "Model",
    "Proved",
    "RejectedError",
    "Stack",
    "Theorem",
    "TooLargeError",
    "Verified",
    "Within",
    "check_policies",
    "check_theorem",
    "digest",
    "models_of",
    "needs_lenience",
    "parse_certificate",
    "read_bytes",
    "read_certificate",
    "read_claims",
    "to_text",
    "verify",
]
