"""Verifying a certificate: its proofs, and that it is about the files as they are now."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tenantproof.certificate.checker import (
    RejectedError,
    check_policies,
    check_theorem,
    models_of,
)
from tenantproof.certificate.claims import Asked, read_bytes, read_claims
from tenantproof.certificate.document import Certificate
from tenantproof.certificate.texts import Effort, TooLargeError
from tenantproof.certificate.theorem import Claim, Stack, Theorem
from tenantproof.errors import InputError


@dataclass(frozen=True)
class Verified:
    """What a certificate was found to prove.

    Attributes:
        theorems: the theorems proved.
        without_proof: the questions that the certificate says it does not answer.
        compared: the manifest that the certificate was held against; None if it was not.
    """

    theorems: tuple[Theorem, ...]
    without_proof: tuple[Claim, ...]
    compared: Path | None


def verify(
    certificate: Certificate, *, root: Path | None, detached: bool, seconds: float
) -> Verified:
    """Check every proof of a certificate, and hold it against the manifest and the policies.

    Args:
        certificate: the certificate.
        root: the folder that holds the manifest; without it, the path that the certificate names.
        detached: whether to leave the files alone.
        seconds: how long it may take.

    Returns:
        What is proved.

    Raises:
        RejectedError: it does not prove what it states, or is not about these files.
        InputError: the manifest cannot be read.
    """
    effort = Effort(time.monotonic() + seconds)
    compared = None
    if not detached:
        named = Path(certificate.manifest)
        compared = named if root is None else root / named.name
        compare(certificate, compared)
    documents = check_policies(certificate)
    models = models_of()
    for index, proved in enumerate(certificate.theorems):
        path = f"$.theorems[{index}]"
        try:
            check_theorem(proved, documents, effort, models, path)
        except TooLargeError as error:
            raise RejectedError(path, f"the proof cannot be checked: {error}") from None
    theorems = tuple(proved.theorem for proved in certificate.theorems)
    return Verified(theorems, certificate.without_proof, compared)


def compare(certificate: Certificate, manifest: Path) -> None:
    """Hold a certificate against the files that it speaks of.

    The digests are not relied on: each theorem must be the one that the manifest states now, and
    each policy the one that stands in its file now.

    Raises:
        RejectedError: something differs.
        InputError: the manifest cannot be read.
    """
    asked = read_claims(manifest)
    _compare_theorems(certificate, asked)
    _compare_policies(certificate, manifest.parent)
    if asked.sha256 != certificate.manifest_sha256:
        raise RejectedError("$.manifest.sha256", "the manifest has changed since")


def _compare_policies(certificate: Certificate, folder: Path) -> None:
    for index, policy in enumerate(certificate.policies):
        path = f"$.policies[{index}]"
        try:
            data = read_bytes(folder / policy.file)
        except InputError as error:
            raise RejectedError(f"{path}.file", str(error)) from None
        if data != policy.text.encode("utf-8"):
            raise RejectedError(f"{path}.text", f"the policy {policy.file} has changed since")


def _compare_theorems(certificate: Certificate, asked: Asked) -> None:
    """Every question is answered once, in order, by its theorem or as one without a proof."""
    names = [policy.file for policy in certificate.policies]
    stated = [
        (_named(proved.theorem, names), f"$.theorems[{i}]")
        for i, proved in enumerate(certificate.theorems)
    ]
    unproved = [
        (claim, f"$.without_proof[{i}]") for i, claim in enumerate(certificate.without_proof)
    ]
    for theorem in (_named(each, asked.files) for each in asked.theorems):
        if stated and stated[0][0] == theorem:
            stated.pop(0)
        elif unproved and unproved[0][0] == theorem[0].claim:
            unproved.pop(0)
        elif stated and stated[0][0][0].claim == theorem[0].claim:
            what = ", ".join(_differences(stated[0][0], theorem))
            raise RejectedError(stated[0][1], f"the manifest states another theorem: {what} differ")
        else:
            path = stated[0][1] if stated else "$.theorems"
            reason = f"found no answer to what the manifest asks next, {theorem[0].claim}"
            raise RejectedError(path, reason)
    for claim in asked.without_form:
        if not unproved or unproved[0][0] != claim:
            path = unproved[0][1] if unproved else "$.without_proof"
            raise RejectedError(path, f"found no answer to what the manifest asks next, {claim}")
        unproved.pop(0)
    for rest in (stated, unproved):
        if rest:
            raise RejectedError(rest[0][1], "the manifest asks no such question")


_NOT_COMPARED = Stack((), None, (), ())

Named = tuple[Theorem, tuple[tuple[str, ...], ...]]
"""A theorem, its policies by the names of their files, layer by layer."""


def _named(theorem: Theorem, names: list[str] | tuple[str, ...]) -> Named:
    stack = theorem.stack
    layers = tuple(tuple(names[i] for i in layer) for layer in stack.layers())
    which = (str(stack.permissions_boundary is not None), str(bool(stack.session_policies)))
    return replace(theorem, stack=_NOT_COMPARED), (*layers, which)


def _differences(one: Named, other: Named) -> Iterator[str]:
    if one[1] != other[1]:
        yield "policies"
    if one[0].principal != other[0].principal:
        yield "principal"
    if one[0].actions != other[0].actions:
        yield "actions"
    if one[0].forbidden != other[0].forbidden:
        yield "forbidden"
