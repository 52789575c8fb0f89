"""Certificates to JSON; ``docs/certificates.md`` describes each field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tenantproof.certificate.document import FORMAT, VERSION, Certificate, Proved
from tenantproof.certificate.keys import (
    ALWAYS_PRESENT,
    DOMAINS,
    MULTIVALUED,
    SINGLE_VALUED,
    TARGET,
    TARGET_ACTIONS,
    fixed_by,
)
from tenantproof.certificate.proof import (
    ByLemma,
    Closed,
    Compared,
    Lemma,
    Node,
    Split,
    Written,
)
from tenantproof.certificate.propositions import (
    Choice,
    Filled,
    Present,
    TheAction,
    Undetermined,
)
from tenantproof.certificate.reasons import Denied, Harmless, Reason, Silent
from tenantproof.certificate.theorem import Beyond, Claim, Patterns, Theorem, Within

Json = dict[str, Any]


def to_text(certificate: Certificate) -> str:
    """The certificate as JSON, one line for each policy, pattern list, proposition and node."""
    return "".join(_lines(certificate))


def assumptions() -> Json:
    """What every theorem assumes of the requests that there are, see the module ``keys``."""
    target = DOMAINS[TARGET]
    others = {key: domain for key, domain in DOMAINS.items() if key != TARGET}
    return {
        "target_model": {
            "actions": list(TARGET_ACTIONS),
            "first": list(target.first),
            "rest": list(target.rest),
            "shortest": target.shortest,
            "longest": target.longest,
        },
        "always_present": sorted(ALWAYS_PRESENT),
        "true_or_false": sorted(key for key, domain in others.items() if domain.values),
        "not_empty": sorted(key for key, domain in others.items() if domain.shortest),
        "single_valued": sorted(SINGLE_VALUED),
        "multivalued": sorted(MULTIVALUED),
    }


def pattern_lists(certificate: Certificate) -> dict[Patterns, int]:
    """The lists of patterns that the theorems name, each once, numbered."""
    numbers: dict[Patterns, int] = {}
    for proved in certificate.theorems:
        for patterns in _patterns_of(proved.theorem):
            numbers.setdefault(patterns, len(numbers))
    return numbers


def _patterns_of(theorem: Theorem) -> tuple[Patterns, ...]:
    match theorem.forbidden:
        case Beyond(own, owned, shared):
            return own, owned, shared
        case Within(models):
            return () if models is None else (models,)


def claim_to_json(claim: Claim) -> Json:
    """Which question of the manifest is answered."""
    return {
        "question": claim.question,
        "tenant": claim.tenant,
        "principal": claim.principal,
        "endpoint": claim.endpoint,
        "assertion": claim.assertion,
    }


def theorem_to_json(theorem: Theorem, numbers: Mapping[Patterns, int]) -> Json:
    """What a theorem states, without its proof."""
    claim, stack = theorem.claim, theorem.stack
    principal = theorem.principal
    context = {k: v if isinstance(v, str) else list(v) for k, v in principal.context.items()}
    return {
        "question": claim.question,
        "tenant": claim.tenant,
        "assertion": claim.assertion,
        "principal": {"arn": claim.principal, "tags": dict(principal.tags), "context": context},
        "policies": {
            "service_control_policies": [list(level) for level in stack.service_control_policies],
            "permissions_boundary": stack.permissions_boundary,
            "session_policies": list(stack.session_policies),
            "identity_policies": list(stack.identity_policies),
        },
        "endpoint": claim.endpoint,
        "fixed": fixed_by(claim.endpoint),
        "actions": list(theorem.actions),
        "forbidden": _forbidden(theorem, numbers),
    }


def _forbidden(theorem: Theorem, numbers: Mapping[Patterns, int]) -> Json:
    match theorem.forbidden:
        case Beyond(own, owned, shared):
            return {"own": numbers[own], "owned": numbers[owned], "shared": numbers[shared]}
        case Within(models):
            return {"models": None if models is None else numbers[models]}


def proposition_to_json(written: Written) -> Json:
    """A proposition, named by what it says."""
    match written:
        case TheAction():
            return {"says": "action"}
        case Choice(ambiguity):
            return {"says": "reading", "ambiguity": ambiguity.value}
        case Present(key):
            return {"says": "present", "key": key}
        case Filled(key):
            return {"says": "not empty", "key": key}
        case Compared(key, source, matching):
            origin = source.origin
            at = origin if isinstance(origin, str) else _named(origin)
            says = "match" if matching else "no match"
            reading = {ambiguity.value: flag for ambiguity, flag in source.reading}
            return {"says": says, "key": key, "with": at, "reading": reading}
        case Undetermined(document, statement, element):
            at = {"policy": document, "statement": statement, "element": element}
            return {"says": "undetermined", **at}


def _named(origin: tuple[int, int, int]) -> Json:
    return dict(zip(("policy", "statement", "condition"), origin, strict=True))


def reason_to_json(reason: Reason) -> Json:
    """Why a branch is closed."""
    match reason:
        case Harmless():
            return {"closed": "not forbidden"}
        case Denied(layer, policy, statement):
            at = {"layer": layer, "policy": policy, "statement": statement}
            return {"closed": "denied", **at}
        case Silent(layer, because):
            names = ("policy", "statement", "element")
            listed = [dict(zip(names, each, strict=True)) for each in because]
            return {"closed": "silent", "layer": layer, "because": listed}


def _lemma(lemma: Lemma) -> Json:
    literals = [{"proposition": p, "holds": holds} for p, holds in lemma.literals]
    return {"key": lemma.key, "literals": literals}


def _node(node: Node) -> Json:
    match node:
        case Closed(reason):
            return reason_to_json(reason)
        case ByLemma(lemma):
            return {"closed": "lemma", "lemma": lemma}
        case Split(proposition, outcomes):
            if any(isinstance(outcome, str) for outcome, _ in outcomes):
                return {"if": proposition, "actions": {str(o): node for o, node in outcomes}}
            return {"if": proposition, **{_YES_NO[o is True]: node for o, node in outcomes}}


_YES_NO = {True: "yes", False: "no"}


def _lines(certificate: Certificate) -> Iterator[str]:
    numbers = pattern_lists(certificate)
    yield "{\n"
    yield f'"format": {json.dumps(FORMAT)},\n"version": {VERSION},\n'
    manifest = {"file": certificate.manifest, "sha256": certificate.manifest_sha256}
    yield f'"manifest": {json.dumps(manifest)},\n'
    yield f'"lenient": {json.dumps(certificate.lenient)},\n'
    yield f'"assumptions": {json.dumps(assumptions())},\n'
    policies = [
        {"file": policy.file, "sha256": policy.sha256, "text": policy.text}
        for policy in certificate.policies
    ]
    yield f'"policies": {_listed(policies)},\n'
    yield f'"patterns": {_listed([list(patterns) for patterns in numbers])},\n'
    yield '"theorems": ['
    for index, proved in enumerate(certificate.theorems):
        yield "," if index else ""
        yield from _theorem_lines(proved, numbers)
    yield "],\n"
    claims = [claim_to_json(claim) for claim in certificate.without_proof]
    yield f'"without_proof": {_listed(claims)}\n}}\n'


def _theorem_lines(proved: Proved, numbers: Mapping[Patterns, int]) -> Iterator[str]:
    proof = proved.proof
    yield "\n{\n"
    for name, value in theorem_to_json(proved.theorem, numbers).items():
        yield f" {json.dumps(name)}: {json.dumps(value)},\n"
    propositions = [proposition_to_json(each) for each in proof.propositions]
    yield f' "propositions": {_listed(propositions, "  ")},\n'
    yield f' "lemmas": {_listed([_lemma(each) for each in proof.lemmas], "  ")},\n'
    yield f' "nodes": {_listed([_node(each) for each in proof.nodes], "  ")}\n}}'


def _listed(items: list[Any], indent: str = " ") -> str:
    if not items:
        return "[]"
    inner = ",\n".join(f"{indent}{json.dumps(item)}" for item in items)
    return f"[\n{inner}\n{indent[1:]}]"
