"""What policies and models say of where tenants' artifacts are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tenantproof.account import Estate, Identity, IdentityKind, S3Location, parse_s3
from tenantproof.policy import Condition, Effect, Statement
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Clause,
    Escape,
    Relation,
    Template,
    Variable,
)

_S3 = re.compile(r"arn:[^:]*:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(.+)", re.DOTALL)
_ENDPOINT = re.compile(r"arn:[a-z-]+:sagemaker:[a-z0-9-]+:[0-9]{12}:endpoint/[A-Za-z0-9-]+")
_TAG = "aws:principaltag/"
_REQUEST = "aws:requesttag/"
_COMPARING = frozenset({Relation.EQUALS, Relation.EQUALS_IGNORE_CASE, Relation.LIKE})


@dataclass(frozen=True)
class Root:
    """Where keys lie: a bucket (None for a TargetModel of no known model), folders, a rest.

    ``rest`` is what is behind the last slash: a file's name, or what it begins with before a
    wildcard.
    """

    bucket: str | None
    folders: tuple[str, ...]
    rest: str = ""
    pattern: str = ""


def is_endpoint(arn: str) -> bool:
    """Whether a text is the ARN of an endpoint, in full."""
    return _ENDPOINT.fullmatch(arn) is not None


def root_of(bucket: str | None, key: str) -> Root:
    """Where the keys of a pattern lie, as far as it says it without wildcards."""
    literal = re.split(r"[*?]", key, maxsplit=1)[0]
    *folders, rest = literal.split("/")
    return Root(bucket, tuple(folders), rest, key)


def multi_model_prefixes(estate: Estate) -> list[S3Location]:
    """The S3 prefixes of multi-model containers, each ending in a slash."""
    found: dict[S3Location, None] = {}
    for endpoint in estate.endpoints:
        for model in endpoint.models:
            for container in model.containers:
                location = parse_s3(container.model_data or "")
                if container.multi_model and location is not None:
                    found[S3Location(location.bucket, as_folder(location.key))] = None
    return list(found)


def as_folder(key: str) -> str:
    """A prefix as a folder: with a slash behind it, but for the whole bucket."""
    return key if not key or key.endswith("/") else f"{key}/"


def target_models(identity: Identity) -> Iterator[str]:
    """The patterns of TargetModels that an identity's policies leave it, its own tags put in.

    Those of an Allow, and those that a Deny spares by a negated operator.
    """
    for statement in known(identity):
        for condition in statement.conditions:
            spares = condition.operator.comparison.negated
            denies = statement.effect is Effect.DENY
            if _is_target_model(condition) and spares == denies:
                for value in condition.values:
                    text = _resolved(value.template, identity)
                    if text is not None:
                        yield text


def objects(identity: Identity) -> Iterator[tuple[str, str]]:
    """The buckets and patterns of keys that an identity's policies leave it."""
    for statement in known(identity):
        denies = statement.effect is Effect.DENY
        if statement.resource is None or statement.resource.negated != denies:
            continue
        for text in _texts(statement.resource, identity):
            found = _S3.fullmatch(text)
            if found is not None:
                yield found[1], found[2]


def endpoints_named(estate: Estate) -> list[str]:
    """The ARNs of endpoints that policies name in full."""
    found: dict[str, None] = {}
    for identity in estate.identities:
        for statement in allowing(identity):
            for text in () if statement.resource is None else _texts(statement.resource, identity):
                if is_endpoint(text):
                    found[text] = None
    return sorted(found)


def tags_compared(estate: Estate) -> set[str]:
    """The names, in lower case, of the principal's tags that policies rest on."""
    return {name for identity in estate.identities for name in tags_rested_on(identity)}


def tags_rested_on(identity: Identity) -> set[str]:
    """The names, in lower case, of the principal's tags that an identity's policies rest on."""
    names: set[str] = set()
    for statement in allowing(identity):
        keys = [v.key for t in statement.templates for v in t.variables]
        keys += [condition.key for condition in statement.conditions]
        names |= {k.lower().removeprefix(_TAG) for k in keys if k.lower().startswith(_TAG)}
    return names


def session_tags(identity: Identity) -> Iterator[tuple[str, str]]:
    """The session tags, in lower case, that an identity's policies let it set, with the values."""
    for statement in allowing(identity):
        for condition in statement.conditions:
            key = condition.key.lower()
            if key.startswith(_REQUEST) and _is_matching(condition):
                for value in condition.values:
                    text = _resolved(value.template, identity)
                    if text and "*" not in text:
                        yield key.removeprefix(_REQUEST), text


def is_run_by_sagemaker(identity: Identity) -> bool:
    """Whether SageMaker alone may assume a role."""
    if identity.trust_policy is None:
        return False
    principals = {
        (entry.type, entry.value)
        for statement in identity.trust_policy.statements
        if statement.effect is Effect.ALLOW and statement.principal is not None
        for entry in statement.principal.entries
    }
    return principals == {("Service", "sagemaker.amazonaws.com")}


def invokes(identity: Identity) -> bool:
    """Whether an identity's policies speak of invoking endpoints."""
    return any(
        pattern.text.lower().startswith("sagemaker:invoke")
        for statement in allowing(identity)
        if not statement.action.negated
        for pattern in statement.action.patterns
    )


def allowing(identity: Identity) -> Iterator[Statement]:
    """The statements of an identity's policies that allow something, and are known."""
    return (each for each in known(identity) if each.effect is Effect.ALLOW)


def known(identity: Identity) -> Iterator[Statement]:
    """The statements of an identity's policies that are known."""
    for document in identity.policies:
        for statement in document.statements:
            if statement.unknown is None:
                yield statement


def _is_target_model(condition: Condition) -> bool:
    comparison = condition.operator.comparison
    return condition.key.lower() == "sagemaker:targetmodel" and comparison.relation in _COMPARING


def _is_matching(condition: Condition) -> bool:
    comparison = condition.operator.comparison
    return not comparison.negated and comparison.relation in _COMPARING


def _texts(clause: Clause, identity: Identity) -> Iterator[str]:
    for pattern in clause.patterns:
        text = _resolved(pattern, identity)
        if text is not None:
            yield text


def _resolved(template: Template, identity: Identity) -> str | None:
    """A text with an identity's own tags and name put in; None where it hangs on more."""
    tags = {name.lower(): value for name, value in identity.tags.items()}
    texts = []
    for part in template.parts:
        match part:
            case Chars(text):
                texts.append(text)
            case AnyChars():
                texts.append("*")
            case AnyChar():
                texts.append("?")
            case Escape(char):
                texts.append(char)
            case Variable(key, default):
                value = default
                if key.lower().startswith(_TAG):
                    value = tags.get(key.lower().removeprefix(_TAG), default)
                elif key.lower() == "aws:username" and identity.kind is IdentityKind.USER:
                    value = identity.name
                if value is None:
                    return None
                texts.append(value)
    return "".join(texts)
