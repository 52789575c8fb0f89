"""What is proved is attacked by Hypothesis: random requests, evaluated one by one.

The prover has no part in it: a request is drawn near the boundary of the policies' patterns, and
the evaluator decides. :func:`hypothesis.find` shrinks what breaks a promise to the smallest such
request, and keeps it in Hypothesis's database to be tried first the next time. How many requests
are drawn is up to the profile that is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from unittest import SkipTest

from hypothesis import Phase, currently_in_test_context, event, find, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample, Unsatisfiable

from tenantproof.isolation.promises import Allows, Denies, OfEachTenant, Promise
from tenantproof.isolation.sagemaker import TARGET_MODEL
from tenantproof.request import Request
from tenantproof_strategies import invocations, path_class, target_models, tenant_names

_MOST_NAMES = 256


@dataclass(frozen=True)
class Attempt:
    """What was drawn to break a promise: a request, of the tenant with a name where rules are."""

    promise: Denies | Allows
    request: Request
    name: str | None = None

    @property
    def succeeds(self) -> bool:
        """Whether it breaks the promise."""
        match self.promise:
            case Denies():
                return self.promise.is_broken_by(self.request)
            case Allows():
                return self.promise.is_broken_by(_target(self.request) or "")


@dataclass
class Attack:
    """An attack on one promise.

    Attributes:
        promise: what to break.
        key: under which what is found is kept in Hypothesis's database.
        tried: how many requests were evaluated that the promise is about.
    """

    promise: Promise
    key: bytes
    tried: int = 0

    def smallest(self) -> Attempt | None:
        """The smallest attempt that breaks the promise; None where none did."""
        if currently_in_test_context():
            # A property test of the user's own: it draws by itself.
            return None
        try:
            # To explain is to run many requests more, and nobody would read it.
            phases = tuple(phase for phase in settings().phases if phase is not Phase.explain)
            chosen = settings(deadline=None, phases=phases)
            found = find(
                _attempts(self.promise), self._succeeds, settings=chosen, database_key=self.key
            )
            return _reduced(found)
        except (NoSuchExample, Unsatisfiable, SkipTest):
            # Unsatisfiable is what Hypothesis calls names of which too many are excluded, skipped a
            # profile that draws nothing.
            return None

    def _succeeds(self, attempt: Attempt) -> bool:
        event(f"path: {path_class(_target(attempt.request))}")
        event(f"decision: {_decision(attempt)}")
        event(f"asked about: {'yes' if _is_about(attempt) else 'no'}")
        self.tried += _is_about(attempt)
        return attempt.succeeds


def _target(request: Request) -> str | None:
    target = request.context.get(TARGET_MODEL)
    return target if isinstance(target, str) else None


def _decision(attempt: Attempt) -> str:
    match attempt.promise:
        case Denies(inquiry):
            return inquiry.decide(attempt.request).outcome.value
        case Allows():
            return "not allowed" if attempt.succeeds else "allowed, or not asked about"


def _is_about(attempt: Attempt) -> bool:
    match attempt.promise:
        case Denies():
            return attempt.promise.forbids(attempt.request)
        case Allows():
            return attempt.promise.owns(_target(attempt.request) or "")


def _attempts(promise: Promise) -> st.SearchStrategy[Attempt]:
    match promise:
        case Denies():
            return _requests(promise).map(lambda request: Attempt(promise, request))
        case Allows():
            return _models(promise).map(lambda request: Attempt(promise, request))
        case OfEachTenant():
            return _of_each_tenant(promise)


def _requests(promise: Denies) -> st.SearchStrategy[Request]:
    drawn = invocations(promise.policies, promise.principal, promise.endpoint, near=promise.near)
    return drawn.map(promise.completed)


def _models(promise: Allows) -> st.SearchStrategy[Request]:
    """Models of the promise, each in the first context that was found."""
    _, context = promise.covered.found[0]
    return target_models(near=promise.near).map(lambda model: promise.put(model)(context))


def _reduced(attempt: Attempt) -> Attempt:
    """The attempt with every key and every character left out that it succeeds without.

    A probe of the strategies is drawn as a whole, so that Hypothesis has nothing to shrink in it.
    """
    while True:
        better = next((each for each in _smaller(attempt) if each.succeeds), None)
        if better is None:
            return attempt
        attempt = better


def _smaller(attempt: Attempt) -> Iterator[Attempt]:
    request = attempt.request
    given = attempt.promise.given if isinstance(attempt.promise, Denies) else request.context
    for key in request.context:
        if key not in given and key != TARGET_MODEL:
            rest = {name: value for name, value in request.context.items() if name != key}
            yield replace(attempt, request=replace(request, context=rest))
    target = _target(request)
    for shorter in () if target is None else _shorter(target):
        context = {**request.context, TARGET_MODEL: shorter}
        yield replace(attempt, request=replace(request, context=context))


def _shorter(text: str) -> Iterator[str]:
    """The text without a part of it, larger parts and later ones first."""
    size = len(text)
    while size:
        for start in range(len(text) - size, -1, -1):
            yield text[:start] + text[start + size :]
        size //= 2


@st.composite
def _of_each_tenant(draw: st.DrawFn, promise: OfEachTenant) -> Attempt:
    rule = promise.rule
    names = tenant_names(near=promise.near, names=rule.names.name)
    name = draw(names.filter(rule.admits))
    to_one = _remembered(promise.to)(name)
    drawn = _requests(to_one) if isinstance(to_one, Denies) else _models(to_one)
    return Attempt(to_one, draw(drawn), name)


@lru_cache(maxsize=8)
def _remembered(
    to: Callable[[str], Denies | Allows],
) -> Callable[[str], Denies | Allows]:
    """Hypothesis comes back to the same names when it shrinks: their policies are compiled once."""
    return lru_cache(maxsize=_MOST_NAMES)(to)
