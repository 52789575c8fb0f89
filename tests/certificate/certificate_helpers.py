"""Theorems about drawn policies, and what a concrete request says of propositions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from conftest import ENDPOINT, allow
from tenantproof.certificate import Beyond, Claim, Model, Proved, Stack, Theorem, Within, models_of
from tenantproof.certificate.checker import check_theorem
from tenantproof.certificate.keys import (
    ALWAYS_PRESENT,
    INVOKE_ACTIONS,
    TARGET,
    TARGET_ACTIONS,
    domain_of,
    fixed_by,
    is_the_principals,
)
from tenantproof.certificate.propositions import Branch, Choice, Filled, Present, Proposition, Some
from tenantproof.certificate.tableau import prove
from tenantproof.certificate.texts import Effort
from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, Statement, parse_policy
from tenantproof.policy.syntax import Family
from tenantproof.reading import Ambiguity, Reading
from tenantproof.request import ContextValue, Principal, Request, values_of
from tenantproof_strategies import FAMILIES, policy_sets, requests

ROLE = Principal("arn:aws:iam::111122223333:role/acme", {"tenant": "acme"})
BEYOND = Beyond(("acme/*",), ("acme/*", "acme-corp/*", "a/*"), ("common/*",))
READINGS = st.builds(Reading, *[st.booleans()] * len(Ambiguity))


def documents_of(policies: PolicySet) -> tuple[tuple[PolicyDocument, ...], Stack]:
    """The documents of a policy set in the order of its layers, and their positions."""
    documents: list[PolicyDocument] = []

    def place(document: PolicyDocument) -> int:
        documents.append(document)
        return len(documents) - 1

    levels = tuple(tuple(map(place, level)) for level in policies.service_control_policies)
    boundary = policies.permissions_boundary
    at = None if boundary is None else place(boundary)
    session = tuple(map(place, policies.session_policies))
    identity = tuple(map(place, policies.identity_policies))
    return tuple(documents), Stack(levels, at, session, identity)


def theorem(
    stack: Stack,
    principal: Principal = ROLE,
    forbidden: Beyond | Within = BEYOND,
    actions: tuple[str, ...] = INVOKE_ACTIONS,
) -> Theorem:
    question, name = ("isolated", None) if isinstance(forbidden, Beyond) else ("cannot", "x")
    claim = Claim(question, "acme", principal.arn, ENDPOINT, name)
    return Theorem(claim, principal, stack, actions, forbidden)


def model_of(policies: PolicySet, principal: Principal = ROLE, **changes: Any) -> Model:
    _, stack = documents_of(policies)
    return Model(theorem(stack, principal, **changes), policies, models_of())


def proved(policies: PolicySet, principal: Principal = ROLE, **changes: Any) -> Proved:
    """A theorem with a proof that the checker accepts; NoProofError if there is none."""
    documents, stack = documents_of(policies)
    stated = theorem(stack, principal, **changes)
    found = Proved(stated, prove(Model(stated, policies, models_of()), Effort()))
    check_theorem(found, documents, Effort(), models_of())
    return found


def policy(*statements: dict[str, Any]) -> PolicyDocument:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return parse_policy(json.dumps(document), kind=PolicyKind.IDENTITY)


def policy_set(*statements: dict[str, Any]) -> PolicySet:
    return PolicySet((policy(*statements),))


def mentioned(policies: PolicySet) -> dict[str, str]:
    """The keys that the policies mention, lower case to as written."""
    keys: dict[str, str] = {}
    for layer in policies.layers():
        for document in layer.policies:
            for statement in document.statements:
                written = [c.key for c in statement.conditions]
                written += [v.key for t in statement.templates for v in t.variables]
                for key in written:
                    keys.setdefault(key.lower(), key)
    return keys


@st.composite
def aimed_sets(draw: st.DrawFn, families: Sequence[Family] = FAMILIES) -> PolicySet:
    """Policy sets of which most statements speak of the endpoint and of invoking it."""
    drawn = draw(policy_sets(families))
    aim = allow("x", Action="sagemaker:InvokeEndpoint*", Resource="*", Condition=None)
    aimed = policy(aim).statements[0]

    def turned(statement: Statement) -> Statement:
        if not draw(st.integers(0, 4)):
            return statement
        return replace(statement, action=aimed.action, resource=aimed.resource)

    def document(one: PolicyDocument) -> PolicyDocument:
        return replace(one, statements=tuple(map(turned, one.statements)))

    boundary = drawn.permissions_boundary
    return PolicySet(
        tuple(map(document, drawn.identity_policies)),
        None if boundary is None else document(boundary),
        tuple(tuple(map(document, level)) for level in drawn.service_control_policies),
    )


@st.composite
def requests_near(draw: st.DrawFn, policies: PolicySet, model: Model) -> Request:
    """Requests of the theorem's space near what the policies speak of."""
    principal = model.theorem.principal
    drawn = draw(requests(policies, principal))
    fixed = fixed_by(ENDPOINT)
    action = draw(st.sampled_from(model.theorem.actions))
    context: dict[str, ContextValue] = dict(fixed)
    for name, value in drawn.context.items():
        key = name.lower()
        if key in fixed or key in principal.keys or is_the_principals(key):
            continue
        if key == TARGET:
            continue
        values = values_of(value)
        if not model.is_set(key):
            values = values[:1]
        kept = tuple(v for v in values if v in domain_of(key))
        if kept or model.is_set(key):
            context[name] = kept if model.is_set(key) else kept[0]
    if action in TARGET_ACTIONS and draw(st.booleans()):
        texts = st.sampled_from(("acme/x", "acme-corp/m", "common/x", "a/b", "x", "acme", "A/"))
        given = drawn.context.get("sagemaker:TargetModel")
        target = given if isinstance(given, str) and given in domain_of(TARGET) else draw(texts)
        context["sagemaker:TargetModel"] = target
    present = {name.lower() for name in context} | set(principal.keys)
    for key in ALWAYS_PRESENT - present:
        context[key] = draw(st.sampled_from(domain_of(key).values or ("x", "1")))
    return Request(principal, action, ENDPOINT, context)


def truths_of(model: Model, request: Request, reading: Reading, keys: Iterable[str]) -> Branch:
    """The branch that assumes all that a request and a reading say."""
    flags = dict(zip(Ambiguity, flags_of(reading), strict=True))
    truths: dict[Proposition, bool] = {Choice(a): flag for a, flag in flags.items()}
    for key in {*keys, TARGET}:
        value = request.keys.get(key)
        values = () if value is None else values_of(value)
        truths[Present(key)] = value is not None
        truths[Filled(key)] = any(values)
        for number, matcher in enumerate(model.matchers):
            if matcher.condition.key.lower() == key:
                found = [matcher.matches(v) for v in values]
                truths[Some(key, number)] = True in found
                truths[Some(key, number, matching=False)] = False in found
    return Branch(truths, request.action, {})


def flags_of(reading: Reading) -> list[bool]:
    names = {
        Ambiguity.UNRESOLVED_VARIABLE: "unresolved_spoils_value",
        Ambiguity.SEGMENT_WILDCARD: "segment_star_crosses",
        Ambiguity.EMPTY_IS_NULL: "empty_is_null",
        Ambiguity.SHORT_ARN_PATTERN: "short_arn_completed",
        Ambiguity.FOR_ANY_IF_EXISTS: "for_any_if_exists_fails",
        Ambiguity.NOT_PRINCIPAL: "not_principal_by_level",
        Ambiguity.EVERYONE_GRANT: "everyone_as_itself",
        Ambiguity.RCP_SERVICE: "rcp_listed_services",
    }
    return [getattr(reading, names[ambiguity]) for ambiguity in Ambiguity]


def is_forbidden(model: Model, request: Request) -> bool:
    """By the words of the theorem, with the plainest of matchers."""
    given = request.keys.get(TARGET)
    target = given if isinstance(given, str) else None
    match model.theorem.forbidden:
        case Beyond(own, owned, shared):
            if target is None:
                return True
            if _in(own, target):
                return False
            return _in(owned, target) or not _in(shared, target)
        case Within(models):
            return models is None or (target is not None and _in(models, target))


def _in(patterns: tuple[str, ...], text: str) -> bool:
    def regex(pattern: str) -> str:
        return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern)

    return any(re.fullmatch(regex(p), text, re.DOTALL) for p in patterns)
