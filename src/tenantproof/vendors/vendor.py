"""A policy vendor: the function that renders a tenant's policies, and whose models are whose."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from inspect import getattr_static
from typing import TYPE_CHECKING, TypeVar

from tenantproof.isolation.manifest import Endpoint
from tenantproof.isolation.naming import NamingError, parse_rule
from tenantproof.isolation.sagemaker import is_endpoint, is_void
from tenantproof.isolation.substitution import PLACEHOLDER
from tenantproof.prove import Domain, Language, language, shortest_member
from tenantproof.prove.regular import Regular
from tenantproof.request import Principal

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Render = Callable[[str], object]
"""A function from a tenant's name to its policies.

It returns a policy as a dict, as JSON text, as a :class:`~tenantproof.policy.PolicyDocument`, a
list of those (all identity policies), or a :class:`~tenantproof.policy.PolicySet`.
"""

RenderT = TypeVar("RenderT", bound=Render)

_ATTRIBUTE = "__tenantproof_vendor__"


@dataclass(frozen=True)
class Vendor:
    """A function that renders the policies of a tenant, and what its tenants may reach.

    In ``owns``, ``principal`` and the values of ``tags`` the tenant's name stands for
    ``{tenant}``, as literal text: a ``*`` in a name is no wildcard.

    Attributes:
        render: from a name to policies.
        endpoints: ARNs of the multi-model endpoints that every tenant is on.
        owns: TargetModel patterns of what a tenant owns.
        shared: TargetModel patterns of what every tenant may invoke.
        principal: the ARN of who acts for a tenant, a fixed one or one that holds the name; empty
            for ``role/tenant`` in the account of the first endpoint.
        tags: the principal's (session) tags; it has no others.
        names: the names that tenants can have: a naming rule as in a manifest's ``[[rules]]``, a
            list of all of them, or a Hypothesis strategy; None for any text at all.
        excluded: patterns of names that none has, though they are among ``names``.
        refuses: what ``render`` raises for a name that it takes for none.
    """

    render: Render
    endpoints: tuple[str, ...]
    owns: tuple[str, ...]
    shared: tuple[str, ...] = ()
    principal: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    names: str | tuple[str, ...] | SearchStrategy[str] | None = None
    excluded: tuple[str, ...] = ()
    refuses: tuple[type[Exception], ...] = (ValueError,)

    def __post_init__(self) -> None:
        """Refuse what says nothing of any tenant.

        Raises:
            TypeError: ``render`` or a member of ``refuses`` is of another kind.
            ValueError: with everything else found wrong.
        """
        if not callable(self.render):
            raise TypeError(f"found {self.render!r} as render, expected a function of a name")
        refuses: tuple[object, ...] = self.refuses
        for error in refuses:
            if not (isinstance(error, type) and issubclass(error, Exception)):
                raise TypeError(f"found {error!r} in refuses, expected types of exceptions")
        problems = [*_of_patterns(self), *_of_principal(self), *_of_names(self)]
        if problems:
            raise ValueError(f"the policy vendor {self.name}: {'; '.join(problems)}")

    @property
    def name(self) -> str:
        """How reports name it: the function's name."""
        return str(getattr(self.render, "__name__", None) or type(self.render).__name__)

    @cached_property
    def rule(self) -> Regular | None:
        """The naming rule, where the names are given by one."""
        return parse_rule(self.names) if isinstance(self.names, str) else None

    @property
    def listed(self) -> tuple[str, ...] | None:
        """All names, where they are listed."""
        return self.names if isinstance(self.names, tuple) else None

    @cached_property
    def places(self) -> tuple[Endpoint, ...]:
        """The endpoints."""
        return tuple(map(Endpoint, self.endpoints))

    @cached_property
    def actor(self) -> Principal:
        """Who acts for a tenant, with ``{tenant}`` where the name stands."""
        first = self.places[0]
        partition = first.arn.split(":")[1]
        return Principal(
            self.principal or f"arn:{partition}:iam::{first.account}:role/tenant", dict(self.tags)
        )

    def excludes(self, name: str) -> bool:
        """Whether no tenant has a name, as ``excluded`` says."""
        return self._excluded.accepts(name)

    @cached_property
    def _excluded(self) -> Language:
        return language(*self.excluded)


def _of_patterns(vendor: Vendor) -> Iterable[str]:
    if not vendor.endpoints:
        yield "found no endpoint, expected the ARN of one or more"
    for arn in vendor.endpoints:
        if not is_endpoint(arn):
            yield f"found {arn!r} as endpoint, expected the ARN of a SageMaker endpoint"
    if not vendor.owns:
        yield f"found nothing in owns, expected patterns with {PLACEHOLDER} in them"
    for pattern in vendor.owns:
        if PLACEHOLDER not in pattern:
            yield f"found {pattern!r} in owns, expected a pattern with {PLACEHOLDER} in it"
        elif is_void(pattern.replace(PLACEHOLDER, "?")):
            yield f"found {pattern!r} in owns, which no TargetModel can match"
    for pattern in vendor.shared:
        if PLACEHOLDER in pattern:
            yield f"found {pattern!r} in shared, expected no {PLACEHOLDER} in it"
        elif is_void(pattern):
            yield f"found {pattern!r} in shared, which no TargetModel can match"


def _of_principal(vendor: Vendor) -> Iterable[str]:
    arn = vendor.principal
    if arn and arn.count(":") < 5:
        yield f"found {arn!r} as principal, expected the ARN of a user, role or session"
    for text in (arn, *vendor.tags.values()):
        if text.count(PLACEHOLDER) > 1:
            yield f"found {text!r}, expected {PLACEHOLDER} once at most"


def _of_names(vendor: Vendor) -> Iterable[str]:
    for pattern in vendor.excluded:
        if PLACEHOLDER in pattern:
            yield f"found {pattern!r} in excluded, expected no {PLACEHOLDER} in it"
    match vendor.names:
        case str(text):
            try:
                rule = parse_rule(text)
            except NamingError as error:
                yield f"{error}, in the names {text!r}"
                return
            some = Domain(min_length=1)
            if shortest_member([rule], [language(*vendor.excluded)], some) is None:
                yield f"found the names {text!r}, of which none is left, expected some"
        case tuple(listed):
            if not listed:
                yield "found no name in names, expected one or more"
            yield from (f"found {each!r} in names, expected texts" for each in _no_texts(listed))
        case None:
            return
        case strategy:
            if not hasattr(strategy, "example"):
                yield (
                    f"found {strategy!r} as names, expected a naming rule, a list of names or a"
                    " Hypothesis strategy"
                )


def _no_texts(given: Iterable[object]) -> list[object]:
    return [each for each in given if not isinstance(each, str)]


def texts(given: str | Iterable[str]) -> tuple[str, ...]:
    """One text, or several, as a tuple."""
    return (given,) if isinstance(given, str) else tuple(given)


def naming(
    names: str | Iterable[str] | SearchStrategy[str] | None,
) -> str | tuple[str, ...] | SearchStrategy[str] | None:
    """Names as a :class:`Vendor` holds them: any list of them as a tuple."""
    if names is None or isinstance(names, str):
        return names
    return tuple(names) if isinstance(names, Iterable) else names


def policy_vendor(
    *bare: object,
    endpoint: str | Iterable[str] = (),
    owns: str | Iterable[str] = (),
    shared: str | Iterable[str] = (),
    principal: str = "",
    tags: Mapping[str, str] | None = None,
    names: str | Iterable[str] | SearchStrategy[str] | None = None,
    excluded: str | Iterable[str] = (),
    refuses: type[Exception] | tuple[type[Exception], ...] = (ValueError,),
) -> Callable[[RenderT], RenderT]:
    """Mark a function as a policy vendor: what it renders is to keep tenants apart.

    The function stays as it is; :func:`vendor_of` finds what was said of it.

    Args:
        bare: nothing; it is there to tell ``@policy_vendor`` without arguments what it lacks.
        endpoint: the ARN of the endpoint that tenants are on, or several.
        owns: what a tenant owns, a TargetModel pattern with ``{tenant}`` in it, or several.
        shared: what every tenant may invoke.
        principal: see :class:`Vendor`, as of all that follow.
        tags: the principal's tags.
        names: the names that tenants can have.
        excluded: patterns of names that none has.
        refuses: what the function raises for a name that it takes for none.

    Returns:
        A decorator.

    Raises:
        TypeError: it was used without arguments, or ``endpoint`` or ``owns`` is missing.
        ValueError: an argument says nothing of any tenant.
    """
    if bare or not endpoint or not owns:
        raise TypeError(
            f"found @policy_vendor without {'arguments' if bare else 'endpoint or owns'}, expected"
            ' at least @policy_vendor(endpoint="arn:...", owns="{tenant}/*")'
        )

    def mark(render: RenderT) -> RenderT:
        vendor = Vendor(
            render,
            texts(endpoint),
            texts(owns),
            texts(shared),
            principal,
            tags or {},
            naming(names),
            texts(excluded),
            refuses if isinstance(refuses, tuple) else (refuses,),
        )
        setattr(render, _ATTRIBUTE, vendor)
        return render

    return mark


def vendor_of(function: object) -> Vendor | None:
    """What :func:`policy_vendor` said of a function; None of any other object."""
    # Of a test module's other objects some do not bear to be asked: a proxy without its context.
    vendor = getattr_static(function, _ATTRIBUTE, None)
    return vendor if isinstance(vendor, Vendor) else None
