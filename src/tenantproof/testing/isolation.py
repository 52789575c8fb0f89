"""Sentences about access, each proved or refuted: ``principal("acme").cannot_invoke("corp/*")``.

A sentence that does not hold raises ``AssertionError`` with the request that refutes it; one that
holds returns what was proved. UNKNOWN is refuted, too: nothing but a proof passes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial, wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from tenantproof.compare import Comparison, Question, Side, Terms, compare, no_new_access
from tenantproof.compare.answers import Compared
from tenantproof.compare.space import ASSUMED, BY_ITSELF
from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation import Manifest, Verdict
from tenantproof.isolation import Question as Asks
from tenantproof.isolation.asking import Asked
from tenantproof.isolation.manifest import Assertion, Member, read_assertion
from tenantproof.isolation.route import Route
from tenantproof.policy import PolicyDocument, PolicySet
from tenantproof.request import ContextValue, Principal
from tenantproof.testing.checks import DEFAULT, Checks, Options, Outcome
from tenantproof.testing.in_code import IN_CODE, TENANT, endpoint_of, made_of
from tenantproof.testing.policies import PolicyLike, as_policies, policy_set
from tenantproof.testing.words import comparison_failure, failure, headline

P = ParamSpec("P")
T = TypeVar("T")

ANY_INVOKE = "sagemaker:Invoke*"
"""Every action that invokes an endpoint: who reads "cannot invoke" thinks of no other."""

Who = str | PolicySet | PolicyDocument | Path | Mapping[str, object] | Sequence[PolicyLike]


Told = Callable[[Outcome, Checks], None]
"""Is told of each answer, and of which manifest."""


def _nobody(*_: object) -> None:
    """Where nobody wants to be told."""


def _plainly(method: Callable[P, T]) -> Callable[P, T]:
    """Bad input is told without the frames that read it: its place is in what was given."""

    @wraps(method)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        __tracebackhide__ = True
        try:
            return method(*args, **kwargs)
        except InputError as error:
            raise error.with_traceback(None) from None

    return told


@dataclass(frozen=True)
class Proof:
    """What a sentence that holds rests on: it is true, so that ``assert`` may stand before it."""

    outcomes: tuple[Outcome, ...]

    def __repr__(self) -> str:
        """What was proved, in words: ``assert not`` shows it."""
        return f"<{'; '.join(map(headline, self.outcomes))}>"

    @property
    def verdict(self) -> Verdict:
        """PROVED."""
        return Verdict.PROVED


@dataclass(frozen=True)
class Subject:
    """A principal, a tenant's principals, or those of all tenants of a rule, to say something of.

    Attributes:
        who: a tenant's name, a principal's ARN or a rule's name.
        checks: the manifest that has it.
        answered: told of each answer.
        endpoints: names or ARNs of the endpoints that are meant; all of the manifest without them.
    """

    who: str
    checks: Checks = field(repr=False)
    answered: Told = field(default=_nobody, compare=False, repr=False)
    endpoints: tuple[str, ...] = ()

    def at(self, *endpoints: str) -> Subject:
        """The same at some endpoints, by name or ARN."""
        return replace(self, endpoints=endpoints)

    @_plainly
    def can_invoke(self, target_model: str | None = None, *, by: str | None = None) -> Proof:
        """Each model of a pattern is allowed in some context.

        Args:
            target_model: a pattern; None for the request without a TargetModel.
            by: the action, ``sagemaker:InvokeEndpoint`` without it.

        Raises:
            AssertionError: it is not proved.
            InputError: the manifest has no such principal, or there is no such action.
        """
        __tracebackhide__ = True
        what = "without a TargetModel" if target_model is None else json.dumps(target_model)
        return self._holds(self._asserted(True, f"can invoke {what}", target_model, by))

    @_plainly
    def cannot_invoke(self, target_model: str | None = None, *, by: str | None = None) -> Proof:
        """No request for a model of a pattern is allowed.

        Args:
            target_model: a pattern; without it no request at all is allowed.
            by: the action, or several by wildcards; every one that invokes without it.

        Raises:
            AssertionError: it is not proved.
            InputError: the manifest has no such principal, or there is no such action.
        """
        __tracebackhide__ = True
        what = "anything" if target_model is None else json.dumps(target_model)
        said = f"cannot invoke {what}"
        return self._holds(self._asserted(False, said, target_model, by, or_by=ANY_INVOKE))

    @_plainly
    def is_isolated(self) -> Proof:
        """Nothing outside what its tenant owns or all share can be invoked, by any action."""
        __tracebackhide__ = True
        return self._holds(self._of(Asks.ISOLATED))

    @_plainly
    def reaches_what_it_owns(self) -> Proof:
        """One of the tenant's principals can invoke each model that it owns.

        Of a principal by its ARN: that one can, whatever others of its tenant can.
        """
        __tracebackhide__ = True
        return self._holds(self._reaching())

    @_plainly
    def has_no_way_to_others(self, by: str | None = None) -> Proof:
        """No route leads to another tenant's artifacts.

        Args:
            by: one route, such as ``"assume"``; without it all those that the manifest asks about.

        Raises:
            AssertionError: it is not proved.
            InputError: the manifest has no such principal, or nothing is asked: the route is
                switched off, or no artifacts are known.
            TypeError: endpoints are named: a way may lead over any.
            ValueError: there is no such route.
        """
        __tracebackhide__ = True
        if self.endpoints:
            raise TypeError("found endpoints, expected none: a way may lead over any of them")
        routes = [route for route in Route if by in {None, route.value}]
        if not routes:
            known = ", ".join(route.value for route in Route)
            raise ValueError(f"found the route {by!r:.80}, expected one of {known}")
        return self._holds(self._by_routes(routes))

    def _by_routes(self, routes: Sequence[Route]) -> Iterator[Asked]:
        self._chosen()
        for asked in self.checks.asked():
            if asked.route in routes and self.who in (asked.tenant, asked.principal):
                yield asked

    def _asserted(
        self,
        can: bool,
        said: str,
        target_model: str | None,
        by: str | None,
        or_by: str | None = None,
    ) -> Iterator[Asked]:
        action = "" if by is None else f" by {by}"
        assertion = read_assertion(
            self.checks.manifest,
            can=can,
            principal=self.who,
            target_model=target_model,
            action=or_by if by is None else by,
            endpoints=self.endpoints,
            name=f"{self.who} {said}{action}",
        )
        return self.checks.run.asked_of(assertion)

    def _chosen(self) -> Assertion:
        """The principals and endpoints that are meant: the reader of assertions knows them."""
        return read_assertion(
            self.checks.manifest, can=False, principal=self.who, endpoints=self.endpoints
        )

    def _of(self, question: Asks) -> Iterator[Asked]:
        endpoints = self._chosen().endpoints
        for asked in self.checks.asked():
            is_meant = self.who in (asked.tenant, asked.principal)
            if asked.question is question and is_meant and asked.endpoint in endpoints:
                yield asked

    def _reaching(self) -> Iterator[Asked]:
        chosen = self._chosen()
        if self.who in {group.name for group in self.checks.manifest.groups}:
            yield from self._of(Asks.REACHES)
            return
        for tenant, member in chosen.members:
            alone = replace(tenant, members=(member,))
            for endpoint in tenant.endpoints:
                if endpoint in chosen.endpoints:
                    answer = partial(self.checks.run.reaches, alone, endpoint)
                    yield Asked(Asks.REACHES, tenant.name, self.who, endpoint, answer)

    def _holds(self, questions: Iterable[Asked]) -> Proof:
        __tracebackhide__ = True
        manifest = self.checks.manifest
        outcomes: list[Outcome] = []
        for asked in questions:
            key = f"{manifest.file}:{asked.question.value}:{asked.assertion}:{asked.principal}"
            where = asked.endpoint.arn if asked.endpoint else asked.route
            outcome = self.checks.outcome(asked, f"{key}:{where}")
            self.answered(outcome, self.checks)
            outcomes.append(outcome)
            if outcome.verdict is not Verdict.PROVED:
                raise AssertionError(failure(outcome, manifest))
        if not outcomes:
            message = (
                f'found nothing to ask of "{self.who}" (it may be trusted, a route off, or nothing'
                " known that is asked about), expected a question"
            )
            raise InputError([Problem(message, Place(manifest.file, "manifest"))])
        return Proof(tuple(outcomes))


class Isolation:
    """The access tests of a manifest, or of policies in code.

    Args:
        checks: gives the manifest under test; asked each time, so that one object serves tests
            with different manifests.
        answered: told of each answer.
        compared: told of each comparison.
        folder: gives the folder that paths of policies are relative to.
        options: how questions are asked that are not about a manifest.
    """

    def __init__(
        self,
        checks: Callable[[], Checks],
        answered: Told = _nobody,
        compared: Callable[[Comparison], None] = _nobody,
        folder: Callable[[], Path] = Path,
        options: Options = DEFAULT,
    ) -> None:
        self._checks = checks
        self._answered = answered
        self._tell_compared = compared
        self._folder = folder
        self._options = options

    @classmethod
    def of(cls, manifest: Path | str, options: Options = DEFAULT) -> Isolation:
        """The access tests of the manifest at a path; paths of policies are relative to it.

        Raises:
            InputError: with every problem of the manifest and its policies.
        """
        checks = Checks.of(Path(manifest), options)
        folder = Path(checks.manifest.file).parent
        return cls(lambda: checks, folder=lambda: folder, options=options)

    @property
    def manifest(self) -> Manifest:
        """The manifest under test."""
        return self._checks().manifest

    @_plainly
    def policies(self, who: str) -> PolicySet:
        """The policies of a principal: by its ARN, or by its tenant's name where it has one only.

        Raises:
            InputError: the manifest has no such principal, or the tenant has several.
        """
        return self._member(who).policies

    def _member(self, who: str) -> Member:
        members = [
            member
            for group in self.manifest.groups
            for member in group.members
            if who in (group.name, member.principal.arn)
        ]
        if len({member.principal.arn for member in members}) != 1:
            arns = ", ".join(member.principal.arn for member in members) or "no principal"
            message = f'found {arns} for "{who}", expected one principal'
            raise InputError([Problem(message, Place(self.manifest.file, "tenants"))])
        return members[0]

    @_plainly
    def policy_set(
        self,
        *policies: PolicyLike,
        permissions_boundary: PolicyLike | None = None,
        service_control_policies: Iterable[Iterable[PolicyLike]] = (),
        session_policies: Iterable[PolicyLike] = (),
    ) -> PolicySet:
        """Everything that applies to one principal; see :func:`.policies.policy_set`."""
        return policy_set(
            *policies,
            permissions_boundary=permissions_boundary,
            service_control_policies=service_control_policies,
            session_policies=session_policies,
            folder=self._folder(),
            lenient=self._options.lenient,
        )

    @_plainly
    def principal(self, who: str) -> Subject:
        """A tenant's principals, one principal by its ARN, or those of all tenants of a rule."""
        return Subject(who, self._checks(), self._answered)

    @_plainly
    def assert_isolated(
        self,
        who: Who | None = None,
        *,
        owns: str | Iterable[str] | None = None,
        endpoint: str | None = None,
        shared: str | Iterable[str] = (),
        others: Mapping[str, Sequence[str]] | None = None,
        principal: str = "arn:aws:iam::111122223333:role/tenant",
        tags: Mapping[str, str] | None = None,
        context: Mapping[str, ContextValue] | None = None,
    ) -> Proof:
        """Tenants are kept apart: those of the manifest, or the principal that has some policies.

        Args:
            who: a tenant's name, a principal's ARN or a rule's name of the manifest; None for all
                of them; or policies that a test has: a policy set, a policy (an object, a path) or
                a list of policies.
            owns: of policies, the models that their principal may invoke: patterns.
            endpoint: of policies, the endpoint's ARN; without it the manifest's endpoints.
            shared: of policies, the models that everybody may invoke.
            others: of policies, other tenants' names and what they own, to be named where they
                are reached.
            principal: of policies, the ARN of who has them.
            tags: of policies, the tags of the principal.
            context: of policies, further keys of the principal.

        Returns:
            What was proved.

        Raises:
            AssertionError: a leak, or an UNKNOWN.
            InputError: something that was given cannot be used.
        """
        __tracebackhide__ = True
        if who is None or isinstance(who, str):
            given: dict[str, object] = {"owns": owns, "endpoint": endpoint, "shared": shared}
            given |= {"others": others, "tags": tags, "context": context}
            for name, value in given.items():
                if value:
                    raise TypeError(f"found {name} without policies, expected policies as who")
            names = [group.name for group in self.manifest.groups] if who is None else [who]
            proofs: list[Proof] = []
            for name in self._asked_about(names, who):
                # A comprehension has a frame of its own, which a failure would show.
                proofs.append(self.principal(name).is_isolated())  # noqa: PERF401
            if not proofs:
                message = "found only principals that are trusted, expected one to ask about"
                raise InputError([Problem(message, Place(self.manifest.file, "trusted"))])
            return Proof(tuple(outcome for proof in proofs for outcome in proof.outcomes))
        if owns is None:
            raise TypeError("found policies without owns, expected what their principal may invoke")
        caller = Principal(principal, dict(tags or {}), dict(context or {}))
        member = Member(caller, as_policies(who, self._folder()))
        endpoints = (endpoint_of(endpoint),) if endpoint is not None else self.manifest.endpoints
        owned, common = map(_patterns, (owns, shared))
        manifest = made_of(member, endpoints, owned, common, others or {})
        checks = Checks(manifest, self._options)
        checks.run.check_ownership()
        return Subject(TENANT, checks, self._answered).is_isolated()

    def _asked_about(self, names: Iterable[str], who: str | None) -> Iterator[str]:
        """The groups of which something is asked: where all are, trusted principals are not."""
        trusted = {each.arn for each in self.manifest.trusted}
        for name in names:
            groups = [group for group in self.manifest.groups if group.name == name]
            arns = {member.principal.arn for group in groups for member in group.members}
            if who is not None or not arns <= trusted:
                yield name

    @_plainly
    def assert_can(
        self, who: str, target_model: str | None = None, *, action: str | None = None
    ) -> Proof:
        """A principal can invoke each model of a pattern; see :meth:`Subject.can_invoke`."""
        __tracebackhide__ = True
        return self.principal(who).can_invoke(target_model, by=action)

    @_plainly
    def assert_cannot(
        self, who: str, target_model: str | None = None, *, action: str | None = None
    ) -> Proof:
        """A principal can invoke no model of a pattern; see :meth:`Subject.cannot_invoke`."""
        __tracebackhide__ = True
        return self.principal(who).cannot_invoke(target_model, by=action)

    @_plainly
    def assert_no_new_access(self, old: Who, new: Who) -> Comparison:
        """NEW allows nothing that OLD does not.

        Args:
            old: a path (a policy file, a folder of them, or a manifest), or policies that a test
                has.
            new: the same kind of thing.

        Returns:
            What was proved.

        Raises:
            AssertionError: here is a request that NEW allows and OLD does not, or an UNKNOWN.
            InputError: something that was given cannot be used.
        """
        __tracebackhide__ = True
        comparison = self._compared(old, new)
        self._tell_compared(comparison)
        if comparison.verdict is not Verdict.PROVED:
            raise AssertionError(comparison_failure(comparison))
        return comparison

    def _compared(self, old: Who, new: Who) -> Comparison:
        terms = Terms(self._options.timeout)
        asked = Question.NO_NEW_ACCESS
        if _is_path(old) and _is_path(new):
            paths = [self._folder() / path for path in (old, new) if isinstance(path, str | Path)]
            return compare(paths[0], paths[1], asked, terms, lenient=self._options.lenient)
        sides = [Side(as_policies(_policies(each), self._folder())) for each in (old, new)]
        answer = no_new_access(sides[0], sides[1], terms)
        pair = Compared(IN_CODE, answer)
        return Comparison("OLD", "NEW", asked, (pair,), (BY_ITSELF, *ASSUMED))


def _patterns(given: str | Iterable[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _is_path(given: Who) -> bool:
    return isinstance(given, Path) or (
        isinstance(given, str) and not given.lstrip().startswith("{")
    )


def _policies(given: Who) -> PolicySet | PolicyLike | Sequence[PolicyLike]:
    return given
