"""What a verified certificate proves, in plain sentences and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tenantproof.certificate.document import Certificate, Embedded
from tenantproof.certificate.theorem import Beyond, Theorem, Within
from tenantproof.certificate.verify import Verified

_MOST_PATTERNS = 8


def verified_to_text(verified: Verified, certificate: Certificate, file: str) -> str:
    """The theorems of a certificate as sentences that a reviewer can read, a summary last.

    Args:
        verified: what the checker found.
        certificate: the certificate that it checked.
        file: the certificate's name.
    """
    lines = [f"tenantproof certificate {file}", ""]
    for theorem in verified.theorems:
        lines += [f"VERIFIED {theorem.claim.question}: {_about(theorem)}"]
        lines += [f"         {line}" for line in sentences(theorem)]
        lines += [f"         {line}" for line in _policies(theorem, certificate.policies)]
    lines += [f"NO PROOF {claim}" for claim in verified.without_proof]
    lines.append("")
    if verified.theorems:
        lines += ["Assumed by each of them:", *(f"  - {each}" for each in assumed())]
    lines.append(_compared(verified, certificate))
    return "\n".join([*lines, "", _summary(verified), ""])


def verified_to_json(verified: Verified, certificate: Certificate) -> dict[str, Any]:
    """The same as a JSON object; ``verified`` if there is a proof for each question."""
    return {
        "verified": bool(verified.theorems) and not verified.without_proof,
        "manifest": certificate.manifest,
        "compared_with": str(verified.compared) if verified.compared else None,
        "theorems": [
            {
                "question": theorem.claim.question,
                "tenant": theorem.claim.tenant,
                "principal": theorem.claim.principal,
                "endpoint": theorem.claim.endpoint,
                "assertion": theorem.claim.assertion,
                "sentences": list(sentences(theorem)),
            }
            for theorem in verified.theorems
        ],
        "without_proof": [str(claim) for claim in verified.without_proof],
        "assumptions": list(assumed()),
        "rejected": None,
    }


def rejected_to_json(path: str, reason: str) -> dict[str, Any]:
    """What is wrong with a certificate, and where."""
    return {
        "verified": False,
        "manifest": None,
        "compared_with": None,
        "theorems": [],
        "without_proof": [],
        "assumptions": [],
        "rejected": {"path": path, "reason": reason},
    }


def sentences(theorem: Theorem) -> Iterator[str]:
    """What a theorem states, in words."""
    claim, principal = theorem.claim, theorem.principal
    yield f"No request of {claim.principal}"
    for name, given in (("tags", principal.tags), ("context", principal.context)):
        shown = ", ".join(f"{key} = {json.dumps(value)}" for key, value in given.items())
        if shown or name == "tags":
            yield f"  with the {name} {shown}" if shown else f"  with no {name}"
    yield f"  for {', '.join(action.partition(':')[2] for action in theorem.actions)}"
    yield f"  to {claim.endpoint}"
    match theorem.forbidden:
        case Beyond(own, owned, shared):
            yield "is allowed without a TargetModel, or with one"
            yield f"  outside {_shown(own)}, what the tenant owns,"
            yield f"  and either inside {_shown(owned)}, what any tenant owns there,"
            yield f"  or outside {_shown(shared)}, what all share."
        case Within(None):
            yield "is allowed."
        case Within(models):
            yield f"is allowed with a TargetModel inside {_shown(models or ())}."


def assumed() -> Iterator[str]:
    """What every theorem rests on."""
    yield "the policies named are all that apply to the principal, and it has no other tags"
    yield "TargetModel is 1 to 1024 printable ASCII characters, the first not a space"
    yield "of the actions, InvokeEndpoint alone carries a TargetModel"
    yield "the endpoint decides aws:RequestedRegion and aws:ResourceAccount"
    yield "a request may hold any other condition key, with any value, or not hold it"
    yield "keys that AWS puts into every request are there, and Boolean keys are true or false"
    yield "nothing of it hangs on how the IAM reference is read where it can be read in two ways"


def _about(theorem: Theorem) -> str:
    claim = theorem.claim
    return claim.tenant if claim.assertion is None else claim.assertion


def _shown(patterns: tuple[str, ...]) -> str:
    if not patterns:
        return "nothing"
    more = len(patterns) - _MOST_PATTERNS
    named = ", ".join(json.dumps(pattern) for pattern in patterns[:_MOST_PATTERNS])
    return f"{named} and {more} more patterns" if more > 0 else named


def _policies(theorem: Theorem, policies: tuple[Embedded, ...]) -> Iterator[str]:
    stack = theorem.stack
    boundary = stack.permissions_boundary
    levels = enumerate(stack.service_control_policies)
    layers = [
        *((f"service_control_policies[{number}]", level) for number, level in levels),
        ("permissions_boundary", () if boundary is None else (boundary,)),
        ("session_policy", stack.session_policies),
        ("identity_policies", stack.identity_policies),
    ]
    for name, positions in layers:
        for position in positions:
            policy = policies[position]
            yield f"{name}: {policy.file} (sha256 {policy.sha256[:16]})"


def _compared(verified: Verified, certificate: Certificate) -> str:
    if verified.compared is not None:
        return f"Compared with {verified.compared} and the policies that it names: all the same."
    return f"Not compared with {certificate.manifest} and its policies (--detached)."


def _summary(verified: Verified) -> str:
    missing = len(verified.without_proof)
    tail = f", {missing} without a proof" if missing else ""
    if not verified.theorems and not missing:
        return "UNKNOWN: the certificate proves nothing"
    return f"{'UNKNOWN' if missing else 'VERIFIED'}: {len(verified.theorems)} proved{tail}"
