"""The requests that a question ranges over: what is fixed, what is free, what values there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tenantproof.policy.syntax import Family
from tenantproof.prove.callers import CALLERS, callers_of
from tenantproof.prove.formula import ACTION, RESOURCE, Present, Some, Term, conj, disj, implies
from tenantproof.prove.languages import Language, literal
from tenantproof.prove.lifting import Lift
from tenantproof.prove.search import ANY_TEXT, Domain
from tenantproof.prove.typed import epoch_shape
from tenantproof.request import PRINCIPAL_TAG_PREFIX, ContextValue, Principal

PRINCIPAL_KEYS = frozenset({"aws:username"})
"""Keys that are absent where the principal does not decide them, as its tags are."""

ALWAYS_PRESENT: Mapping[str, str] = {
    "aws:currenttime": "2026-01-01T00:00:00Z",
    "aws:epochtime": "1767225600",
    "aws:securetransport": "true",
    "aws:useragent": "aws-cli",
    "aws:userid": "AIDACKCEVSQ6C2EXAMPLE",
    "aws:viaawsservice": "false",
}
"""Keys that every request carries ("Availability: always" in "AWS global condition context
keys"), each with a typical value."""

MULTIVALUED = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    }
)
"""The multivalued keys of "AWS global condition context keys"."""

SINGLE_VALUED = frozenset(
    f"aws:{name}"
    for name in [
        "calledviafirst",
        "calledvialast",
        "currenttime",
        "epochtime",
        "federatedprovider",
        "multifactorauthage",
        "multifactorauthpresent",
        "principalaccount",
        "principalarn",
        "principalisawsservice",
        "principalorgid",
        "principalservicename",
        "principaltype",
        "referer",
        "requestedregion",
        "resourceaccount",
        "resourceorgid",
        "securetransport",
        "sourceaccount",
        "sourcearn",
        "sourceidentity",
        "sourceip",
        "sourceorgid",
        "sourcevpc",
        "sourcevpce",
        "tokenissuetime",
        "useragent",
        "userid",
        "username",
        "viaawsservice",
        "vpcsourceip",
    ]
)
"""The single-valued keys of the same page, those with a tag's name in them aside."""

_TAG_PREFIXES = (PRINCIPAL_TAG_PREFIX, "aws:requesttag/", "aws:resourcetag/")

_BOOLEAN = Domain(values=("true", "false"))
_NOT_EMPTY = Domain(min_length=1)
_NUMBER = Domain(kind=Family.NUMERIC)
_DATE = Domain(kind=Family.DATE)
_ADDRESS = Domain(kind=Family.IP_ADDRESS)

GLOBAL_DOMAINS: Mapping[str, Domain] = {
    "aws:currenttime": _DATE,
    "aws:epochtime": Domain(shape=epoch_shape(), kind=Family.DATE),
    "aws:multifactorauthage": _NUMBER,
    "aws:multifactorauthpresent": _BOOLEAN,
    "aws:principalisawsservice": _BOOLEAN,
    "aws:securetransport": _BOOLEAN,
    "aws:sourceip": _ADDRESS,
    "aws:tokenissuetime": _DATE,
    "aws:userid": _NOT_EMPTY,
    "aws:viaawsservice": _BOOLEAN,
    "aws:vpcsourceip": _ADDRESS,
}
"""The values of the keys of the same page that do not hold any text."""


@dataclass(frozen=True)
class Derived:
    """A key's value that follows from another subject's: that value between two texts."""

    subject: str
    prefix: str = ""
    suffix: str = ""


Known = ContextValue | Derived | bool
"""What a space knows of a key: its value, how it follows, False (absent) or True (free)."""


@dataclass(frozen=True)
class RequestSpace:
    """All requests that a question asks about.

    Attributes:
        principal: who makes the request; None where that is free.
        actions: the actions to choose from, as ``service:Name``; ``domains`` goes first.
        resources: the resource ARNs to choose from; ``domains`` goes first.
        fixed: keys (in lower case) with the value that every request of the space has.
        derived: keys (in lower case) whose value follows from another subject's.
        lifts: keys (in lower case) that are there, and have a value, as other subjects have it.
        domains: the values that a subject can have; any text where it is not listed.
        only_with: keys that a request has only with one of the actions named.
        single_valued: keys that hold one value, whatever operators the policies use on them.
        multivalued: keys that can hold any number of values, beside those of the reference.
        always: keys that every request has, each with a typical value for witnesses that leave
            the choice.
        given: what else holds for every request.
        closed: whether keys that are not fixed are absent, instead of free.
        chosen: keys (in lower case) that the principal would decide and that are free all the
            same: tags that it was given a value of its choice.
        absent: keys (in lower case) that no request of the space has.
    """

    principal: Principal | None
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    fixed: Mapping[str, ContextValue] = field(default_factory=dict)
    derived: Mapping[str, Derived] = field(default_factory=dict)
    lifts: Mapping[str, Lift] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)
    only_with: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    single_valued: frozenset[str] = frozenset()
    multivalued: frozenset[str] = frozenset()
    always: Mapping[str, str] = field(default_factory=dict)
    given: Term = True
    closed: bool = False
    chosen: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        """Of what tells spaces apart mostly, and can be hashed."""
        caller = None if self.principal is None else self.principal.arn
        return hash((caller, self.actions, self.resources))

    def known(self, key: str) -> Known:
        """What is known of a key."""
        if key in self.absent:
            return False
        if key in self.chosen:
            return True
        if key in self.derived:
            return self.derived[key]
        if key in self.fixed:
            return self.fixed[key]
        if self.principal is None:
            return not self.closed
        if key in self.principal.keys:
            return self.principal.keys[key]
        if key in CALLERS:
            return callers_of(self.principal).get(key, False)
        decided = key in PRINCIPAL_KEYS or key.startswith(PRINCIPAL_TAG_PREFIX)
        return not (decided or self.closed)

    def present(self, key: str) -> Term:
        """Whether the request holds the key."""
        known = self.known(key)
        if not isinstance(known, bool):
            return True
        if known and key in self.lifts and key not in self.always:
            return disj(case.condition for case in self.lifts[key])
        return known and (key in self.always or Present(key))

    def choices(self, subject: str) -> Domain:
        """The values that a subject can have."""
        if subject in self.domains:
            return self.domains[subject]
        if subject == ACTION:
            return Domain(values=self.actions)
        if subject == RESOURCE:
            return Domain(values=self.resources)
        return _NOT_EMPTY if subject in CALLERS else ANY_TEXT

    def is_multivalued(self, key: str, *, qualified: bool) -> bool:
        """Whether a key can hold any number of values.

        A key that the reference does not tell is taken for multivalued where a policy uses a
        set operator (``ForAllValues:``, ``ForAnyValue:``) on it.
        """
        if key in self.single_valued or key in SINGLE_VALUED or key.startswith(_TAG_PREFIXES):
            return False
        return key in MULTIVALUED or key in self.multivalued or qualified

    def rules(self) -> Term:
        """What holds for every request of the space."""
        return self._rules

    @cached_property
    def _rules(self) -> Term:
        with_action = (
            implies(self.present(key), Some(ACTION, Language(map(literal, actions))))
            for key, actions in self.only_with.items()
        )
        return conj((self.given, *with_action))
