"""Roles that are assumed for each tenant, with a session policy and tags rendered for it.

The common practice: one role, and a template in which the tenant's name is put in. Of tenants by
list the template is rendered for each; of tenants by rule it is one policy for all names, where
putting a name in means no more than its characters (:mod:`tenantproof.isolation.substitution`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from tenantproof.errors import BudgetExceededError, InputError, Place, Problem
from tenantproof.isolation.substitution import (
    PLACEHOLDER,
    PLAIN,
    TAG,
    Substitution,
    elsewhere,
    example,
    named,
    obstacle_in_place,
    texts_in,
    times_named,
    without_name,
)
from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, Unknown, parse_policy
from tenantproof.policy.unknown import without_keys
from tenantproof.prove.regular import Regular
from tenantproof.request import PRINCIPAL_TAG_PREFIX, Principal

_MEANS_MORE = ":{"
"""Plain characters that mean more than themselves in some places of a policy."""


@dataclass(frozen=True)
class PolicyTemplate:
    """A policy file in which ``{tenant}`` stands for the tenant's name.

    Attributes:
        text: the template.
        file: its name, for places.
        lenient: whether it may hold comments and trailing commas.
    """

    text: str
    file: str
    lenient: bool = False

    @property
    def names_tenant(self) -> bool:
        """Whether the name stands in it at all."""
        return PLACEHOLDER in self.text

    def of(self, name: str) -> PolicyDocument:
        """The policy of a tenant.

        Raises:
            InputError: it is none; the problems name the tenant.
        """
        if all(char in PLAIN and char not in _MEANS_MORE for char in name):
            try:
                found = self._for_all
            except InputError:
                return self._rendered(name)
            if isinstance(found, Substitution):
                (document,) = found.of(name).session_policies
                return _labelled(document, name)
        return self._rendered(name)

    def _rendered(self, name: str) -> PolicyDocument:
        if not name.isprintable() or any(char in name for char in '"\\'):
            message = (
                f"found the tenant {name!r:.80}, expected a name without quotes, backslashes and"
                " control characters, which are not themselves in a JSON text"
            )
            raise InputError([Problem(message, Place(self.file, "$"))])
        try:
            return self._parsed(self.text.replace(PLACEHOLDER, name))
        except InputError as error:
            raise InputError(
                replace(each, message=f"{each.message}, for the tenant {name!r:.80}")
                for each in error.problems
            ) from None

    def for_all(self, names: Regular) -> PolicyDocument:
        """The policy of every tenant, the reserved tag standing where the name does.

        Args:
            names: the names that tenants can have.

        Raises:
            InputError: it is none, or a name can mean more than its characters where it stands.
        """
        found = self._for_all
        try:
            reason = found if isinstance(found, str) else _obstacle(found, names)
        except BudgetExceededError as error:
            reason = f"the rule of names is too large to look into ({error})"
        if reason is not None or isinstance(found, str):
            message = f"found a template that is no single policy for all names: {reason}"
            hint = "list the tenants instead: then it is rendered for each of them"
            raise InputError([Problem(message, Place(self.file, "$"), hint=hint)])
        (document,) = found.policies.session_policies
        return document

    @cached_property
    def _for_all(self) -> Substitution | str:
        """The policy of all names, or why there is none.

        Raises:
            InputError: the template as it stands is no policy.
        """
        written = PolicySet(session_policies=(self._parsed(self.text),))
        if TAG in self.text.lower():
            return f"it speaks of {TAG}, which is to stand for the name"
        found = Substitution(without_name(written, PLACEHOLDER))
        place = elsewhere(found.policies, PLACEHOLDER)
        labels = sum(text.count(PLACEHOLDER) for text in _labels(written))
        if place is None and times_named(found.policies) + labels != self.text.count(PLACEHOLDER):
            place = "a policy variable, a key or a comment"
        return found if place is None else f"the name stands in {place}, where no variable can"

    def _parsed(self, text: str) -> PolicyDocument:
        return parse_policy(text, file=self.file, lenient=self.lenient, kind=PolicyKind.IDENTITY)


def _obstacle(found: Substitution, names: Regular) -> str | None:
    bad = example(names, PLAIN.complement())
    if bad is not None:
        return f"a tenant can be named {bad!r}, and a policy variable is for plain characters"
    return obstacle_in_place(found, names)


def _labels(policies: PolicySet) -> list[str]:
    """The texts of session policies that IAM does not look at."""
    documents = policies.session_policies
    sids = [s.sid for document in documents for s in document.statements]
    return [text for text in (*(each.id for each in documents), *sids) if text is not None]


def _labelled(document: PolicyDocument, name: str) -> PolicyDocument:
    statements = tuple(replace(s, sid=_put(s.sid, name)) for s in document.statements)
    return replace(document, id=_put(document.id, name), statements=statements)


def _put(text: str | None, name: str) -> str | None:
    return None if text is None else text.replace(PLACEHOLDER, name)


@dataclass(frozen=True)
class AssumedRole:
    """A role that is assumed for each tenant.

    Attributes:
        session: its session, ``{tenant}`` in the ARN, in tags and in context values.
        policies: what applies to every session of it.
        templates: the session policies.
        transitive_tags: the session tags that stay where another role is assumed by it.
        unknown_tags: why nobody knows which tags the role has.
    """

    session: Principal
    policies: PolicySet
    templates: tuple[PolicyTemplate, ...] = ()
    transitive_tags: tuple[str, ...] = ()
    unknown_tags: Unknown | None = None

    def acting_for(self, name: str) -> tuple[Principal, PolicySet]:
        """The session of a tenant, and all policies that apply to it.

        Raises:
            InputError: a session policy is none; the problems name the tenant.
        """
        rendered = tuple(template.of(name) for template in self.templates)
        return named(self.session, name), self._with(rendered, self.session)

    def acting_for_all(self, names: Regular) -> tuple[Principal, PolicySet]:
        """The session of every tenant that a rule names, with ``{tenant}`` for its name.

        Raises:
            InputError: a session policy is no single one for all names.
        """
        documents = tuple(template.for_all(names) for template in self.templates)
        session = self.session
        if any(template.names_tenant for template in self.templates):
            session = replace(session, tags={**session.tags, TAG: PLACEHOLDER})
        return session, self._with(documents, session)

    def _with(self, documents: tuple[PolicyDocument, ...], session: Principal) -> PolicySet:
        documents = as_far_as_known(documents, session, self.unknown_tags)
        return replace(self.policies, session_policies=documents)

    def speaks_of_tag(self) -> bool:
        """Whether the reserved tag has a meaning of its own already."""
        texts = (*self.session.tags, *self.session.context, *texts_in(_all(self.policies)))
        return any(TAG in text.lower() for text in texts)


def as_far_as_known(
    documents: tuple[PolicyDocument, ...], principal: Principal, unknown_tags: Unknown | None
) -> tuple[PolicyDocument, ...]:
    """Session policies of somebody of whom no tags are known but those of the session.

    Where the tags are not known the role's path is not either.

    Args:
        documents: the session policies.
        principal: whose session it is, with the tags and keys that are known.
        unknown_tags: why the role's tags are not known; None where they are.
    """
    if unknown_tags is None:
        return documents
    known = {PRINCIPAL_TAG_PREFIX + name.lower() for name in principal.tags}
    known |= {name.lower() for name in principal.context}

    def is_unknown(key: str) -> bool:
        is_of_role = key.startswith(PRINCIPAL_TAG_PREFIX) or key == "aws:principalarn"
        return is_of_role and key not in known

    return tuple(without_keys(each, is_unknown, unknown_tags) for each in documents)


def _all(policies: PolicySet) -> tuple[PolicyDocument, ...]:
    return tuple(document for layer in policies.layers() for document in layer.policies)
