"""A certificate: the policies' texts, the theorems about them, and a proof of each."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from tenantproof.certificate.proof import Proof
from tenantproof.certificate.theorem import Claim, Theorem

FORMAT = "tenantproof certificate"
VERSION = 1


@dataclass(frozen=True)
class Embedded:
    """A policy file: its name relative to the manifest, the digest of its bytes, and its text."""

    file: str
    sha256: str
    text: str


@dataclass(frozen=True)
class Proved:
    """A theorem with its proof."""

    theorem: Theorem
    proof: Proof


@dataclass(frozen=True)
class Certificate:
    """Everything that a certificate file holds.

    Attributes:
        manifest: the manifest's path as ``check`` was given it.
        manifest_sha256: the digest of its bytes.
        lenient: whether policies were read with comments and trailing commas.
        policies: the policies; theorems refer to them by position.
        theorems: the theorems, in the order of the manifest's questions.
        without_proof: the questions of the same kinds that have none.
    """

    manifest: str
    manifest_sha256: str
    lenient: bool
    policies: tuple[Embedded, ...]
    theorems: tuple[Proved, ...]
    without_proof: tuple[Claim, ...] = ()


def digest(text: str) -> str:
    """The SHA-256 digest of a text's UTF-8 bytes, in hexadecimal digits."""
    return sha256(text.encode("utf-8")).hexdigest()
