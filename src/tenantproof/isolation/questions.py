"""The questions: *isolated*, *reaches*, and the reviewers' *can* and *cannot*.

Each is one short formula over the symbolic model; what is proved is then attacked with concrete
requests, and asked again under the other readings of the reference that the policies touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from tenantproof.errors import (
    BudgetExceededError,
    InputError,
    Place,
    Problem,
)
from tenantproof.isolation.asking import Asked, Asker, Words, all_of, not_modelled
from tenantproof.isolation.attack import near
from tenantproof.isolation.coverage import Retarget
from tenantproof.isolation.findings import Escape, Finding, Question, Report, Verdict
from tenantproof.isolation.inquiry import (
    HAS_TARGET,
    TARGET,
    Inquiry,
    inside,
    outside,
)
from tenantproof.isolation.manifest import Assertion, Endpoint, Member, Tenant, TenantRule
from tenantproof.isolation.promises import Allows, Answered
from tenantproof.isolation.routes import RouteQuestions
from tenantproof.isolation.rules import RuleQuestions
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    target_model_actions,
    target_model_domain,
)
from tenantproof.prove import (
    Budget,
    Language,
    Term,
    conj,
    language,
    neg,
    shortest_member,
)
from tenantproof.prove.engines import ENGINES
from tenantproof.prove.solver import Blocked
from tenantproof.request import Request


@dataclass
class Run(Asker):
    """Asks all questions of a manifest."""

    _samples: dict[tuple[str, ...], str | None] = field(default_factory=dict)

    def report(self) -> Report:
        """Every question about every principal.

        Raises:
            InputError: two tenants own the same model.
            DisagreementError: the two readings differ; a bug in tenantproof.
        """
        self.check_ownership()
        findings = tuple(self.findings())
        return Report(self.manifest.file, findings, self.assumptions(), tuple(self._left_out()))

    def findings(self) -> Iterator[Finding]:
        """The findings one by one: isolated, reaches, then the assertions."""
        for asked in self.asked():
            yield from asked.answer().findings

    def asked(self) -> Iterator[Asked]:
        """The questions one by one, each to be answered when one likes."""
        trusted = {each.arn for each in self.manifest.trusted}
        for tenant in self.manifest.tenants:
            for member in tenant.members if tenant.owns else ():
                if member.principal.arn not in trusted:
                    for endpoint in self.manifest.endpoints:
                        answer = partial(self.isolated, tenant, member, endpoint)
                        yield Asked.of(Question.ISOLATED, tenant, member, endpoint, answer)
        for tenant in self.manifest.tenants:
            # A tenant that only owns models has nobody to reach them.
            for endpoint in tenant.endpoints if tenant.members and tenant.owns else ():
                answer = partial(self.reaches, tenant, endpoint)
                yield Asked.of(Question.REACHES, tenant, tenant.members[0], endpoint, answer)
        yield from RuleQuestions(self).asked()
        yield from RouteQuestions(self).asked()
        for assertion in self.manifest.assertions:
            yield from self.asked_of(assertion)

    def asked_of(self, assertion: Assertion) -> Iterator[Asked]:
        """What a reviewer asserted, of each principal at each endpoint."""
        question = Question.CAN if assertion.can else Question.CANNOT
        if assertion.rule is not None:
            yield from RuleQuestions(self).asked_of(assertion, assertion.rule)
        for tenant, member in assertion.members:
            for endpoint in assertion.endpoints:
                answer = partial(self.asserted, assertion, tenant, member, endpoint)
                asked = Asked.of(question, tenant, member, endpoint, answer)
                yield replace(asked, assertion=assertion.name)

    # -- isolated ----------------------------------------------------------------------------

    def isolated(self, tenant: Tenant, member: Member, endpoint: Endpoint) -> Answered:
        """No invoke action is allowed outside what the tenant owns or all share.

        What another tenant owns is not shared, even where a shared pattern covers it. A request
        without TargetModel is outside, too.
        """
        wall = self._wall(tenant, endpoint)
        draft = Finding(
            Question.ISOLATED, Verdict.PROVED, tenant.name, member.principal.arn, endpoint.arn
        )

        def ask(inquiry: Inquiry) -> list[Finding]:
            return self.leaks(self._escape(inquiry, wall, kind, draft) for kind in Escape)

        inquiry = self.inquiry(member, endpoint)
        promise = self.denies(inquiry, wall.is_outside)
        return self.proved_unless(inquiry, ask, draft, promise, lambda: self.attack(promise))

    def _escape(
        self, inquiry: Inquiry, wall: _Wall, kind: Escape, draft: Finding
    ) -> Finding | None:
        leak = self.answer(inquiry, wall.escapes(kind), replace(draft, escape=kind))
        if leak is None or leak.request is None or kind is Escape.UNOWNED or self.first_only:
            return leak
        if kind is Escape.NO_TARGET_MODEL:
            return replace(leak, victims=tuple(n.name for n in wall.others))
        found = leak.request
        reached = self._owners(found, wall)
        more: str | None = None
        try:
            self._reach_more(reached, inquiry, wall, found)
        except BudgetExceededError as error:
            more = f"there may be more victims: {error}"
        victims = tuple(n.name for n in wall.others if n.name in reached)
        return replace(leak, victims=victims, reason=more or leak.reason)

    def _owners(self, request: Request, wall: _Wall) -> set[str]:
        """The other tenants who own the model of a request."""
        target = request.keys[TARGET]
        return {
            neighbour.name
            for neighbour in wall.others
            if isinstance(target, str) and self.models(neighbour.owns).accepts(target)
        }

    def _reach_more(self, reached: set[str], inquiry: Inquiry, wall: _Wall, found: Request) -> None:
        """Add to ``reached`` every other tenant whose models the principal can reach.

        Most are found by trying one of their models in the request at hand; what that leaves is
        asked of the prover, all of them at once, until nothing more is found.
        """
        for neighbour in wall.others:
            sample = self._sample(neighbour, inquiry.budget)
            context = {**found.context, TARGET_MODEL: sample or ""}
            if sample and inquiry.decide(replace(found, context=context)).allowed:
                reached.add(neighbour.name)
        while rest := [n for n in wall.others if n.name not in reached]:
            patterns = tuple(pattern for n in rest for pattern in n.owns)
            unreached = conj((wall.escapes(Escape.INTO_TENANT), inside(language(*patterns))))
            more = inquiry.smallest_allowed(unreached)
            if isinstance(more, Blocked):
                raise BudgetExceededError(not_modelled(more))
            if more is None:
                return
            reached |= self._owners(more, wall)

    def _sample(self, tenant: Tenant, budget: Budget) -> str | None:
        """One model that the tenant owns; None where its patterns admit no TargetModel."""
        if tenant.owns not in self._samples:
            models = self.models(tenant.owns)
            self._samples[tenant.owns] = shortest_member(
                [models], [], target_model_domain(), budget
            )
        return self._samples[tenant.owns]

    def _wall(self, tenant: Tenant, endpoint: Endpoint) -> _Wall:
        here = [t for t in self.manifest.tenants if endpoint in t.endpoints]
        owns = tenant.owns if tenant in here else ()
        return _Wall(
            own=self.models(owns),
            owned=self.models(tuple(pattern for t in here for pattern in t.owns)),
            shared=self.models(self.manifest.shared),
            others=tuple(t for t in here if t is not tenant),
        )

    # -- reaches, can, cannot ----------------------------------------------------------------

    def reaches(self, tenant: Tenant, endpoint: Endpoint) -> Answered:
        """Every model that the tenant owns can be invoked by one of its principals."""
        draft = Finding(
            Question.REACHES,
            Verdict.PROVED,
            tenant.name,
            tenant.members[0].principal.arn,
            endpoint.arn,
            more_principals=len(tenant.members) - 1,
        )
        return self._covered(draft, tenant.members, endpoint, tenant.owns, target_model_actions())

    def asserted(
        self, assertion: Assertion, tenant: Tenant, member: Member, endpoint: Endpoint
    ) -> Answered:
        """What a reviewer asserted, for one principal and endpoint."""
        question = Question.CAN if assertion.can else Question.CANNOT
        arn = member.principal.arn
        draft = Finding(question, Verdict.PROVED, tenant.name, arn, endpoint.arn, assertion.name)
        if assertion.can:
            owns = None if assertion.target_model is None else (assertion.target_model,)
            return all_of(
                self._covered(draft, (member,), endpoint, owns, (action,))
                for action in assertion.actions
            )
        return self._cannot(assertion, member, endpoint, draft)

    def _cannot(
        self, assertion: Assertion, member: Member, endpoint: Endpoint, draft: Finding
    ) -> Answered:
        models = None if assertion.target_model is None else self.models((assertion.target_model,))
        forbidden: Term = True if models is None else inside(models)

        def is_forbidden(target: str | None) -> bool:
            return models is None or (target is not None and models.accepts(target))

        def ask(inquiry: Inquiry) -> list[Finding]:
            found = self.answer(inquiry, forbidden, draft)
            return [] if found is None else [found]

        inquiry = self.inquiry(member, endpoint, assertion.actions)
        extra = () if assertion.target_model is None else (assertion.target_model,)
        promise = self.denies(inquiry, is_forbidden, extra)
        return self.proved_unless(inquiry, ask, draft, promise, lambda: self.attack(promise))

    def _covered(
        self,
        draft: Finding,
        members: Sequence[Member],
        endpoint: Endpoint,
        patterns: tuple[str, ...] | None,
        actions: tuple[str, ...],
    ) -> Answered:
        """Each model of the patterns (None: no TargetModel) is allowed in some context."""
        budget, ledger = Budget.of(self.timeout), self.ledger()
        asked = neg(HAS_TARGET) if patterns is None else inside(self.models(patterns))
        inquiries = [Inquiry(m, endpoint, actions, self.reading, budget, ledger) for m in members]
        words = None if patterns is None else self._words(patterns)
        return self.covered(draft, inquiries, asked, words)

    def _words(self, patterns: tuple[str, ...]) -> Words:
        models = self.models(patterns)

        def tried() -> Iterator[tuple[str, Retarget]]:
            for word in near(patterns, target_model_domain()):
                if models.accepts(word):
                    yield f'"{word}"', put(word)

        def put(word: str) -> Retarget:
            return partial(_with_target, word)

        return Words(tried, lambda covered: Allows(covered, models.accepts, put, patterns))

    # -- the manifest ------------------------------------------------------------------------

    def check_ownership(self) -> None:
        """Two tenants must not own the same model: of which is the other kept apart?

        Raises:
            InputError: two do.
        """
        problems = [
            Problem(
                f'found that {one.name} and {other.name} both own "{model}" on {endpoint.name},'
                " expected each model to have one owner",
                Place(self.manifest.file, "tenants"),
            )
            for endpoint in self.manifest.endpoints
            for one, other, model in self._overlaps(endpoint)
        ]
        if problems:
            raise InputError(problems)
        RouteQuestions(self).check()

    def _overlaps(self, endpoint: Endpoint) -> Iterator[tuple[Tenant, Tenant, str]]:
        """Pairs of tenants with a model that both own.

        Patterns can only overlap where the literal text before the first wildcard of one begins
        that of the other: sorted by it, such pairs are neighbours.
        """
        here = (t for t in self.manifest.tenants if endpoint in t.endpoints)
        owned = sorted(((_prefix(p), p, t) for t in here for p in t.owns), key=lambda o: o[:2])
        open_prefixes: list[tuple[str, str, Tenant]] = []
        for prefix, pattern, tenant in owned:
            open_prefixes = [o for o in open_prefixes if prefix.startswith(o[0])]
            for _, other_pattern, other in open_prefixes:
                if other is not tenant:
                    languages = [self.models((p,)) for p in (other_pattern, pattern)]
                    model = self._common_model(languages, other, tenant)
                    if model is not None:
                        yield other, tenant, model
            open_prefixes.append((prefix, pattern, tenant))

    def _common_model(self, both: list[Language], one: Tenant, other: Tenant) -> str | None:
        try:
            return shortest_member(both, [], target_model_domain(), Budget.of(self.timeout))
        except BudgetExceededError as error:
            message = (
                f"found patterns of {one.name} and {other.name} that could not be compared"
                f" ({error}), expected simpler ones"
            )
            raise InputError([Problem(message, Place(self.manifest.file, "tenants"))]) from None

    def assumptions(self) -> tuple[str, ...]:
        """What every PROVED rests on, in sentences."""
        domain = target_model_domain()
        inquiries = [
            self.inquiry(member, endpoint)
            for endpoint in self.manifest.endpoints[:1]
            for members in (
                *(tenant.members for tenant in self.manifest.tenants),
                *(rule.members for rule in self.manifest.rules),
            )
            for member in members
        ]
        free = sorted({key for inquiry in inquiries for key in inquiry.free_keys})
        chosen = sorted({key for inquiry in inquiries for key in inquiry.chosen_keys})
        return (
            "the policies given for each principal are all that apply to it",
            "each principal has the tags given and no others",
            f"TargetModel is {domain.min_length} to {domain.max_length} printable ASCII characters,"
            " the first not a space, or absent",
            *map(_naming, self.manifest.rules),
            *((f"free, with any value or absent: {', '.join(free)}",) if free else ()),
            *((f"in every request, with any value: {', '.join(chosen)}",) if chosen else ()),
            *RouteQuestions(self).assumptions(),
        )

    def _left_out(self) -> Iterator[str]:
        for trusted in self.manifest.trusted:
            yield f"{trusted.arn} is trusted: {trusted.reason}"
        yield from RouteQuestions(self).left_out()
        if len(self.engines) > 1:
            yield from (
                f"the engine {engine.name} is not installed, so that it was not asked"
                for engine in ENGINES.values()
                if not engine.is_installed
            )


@dataclass(frozen=True)
class _Wall:
    """What is on which side for one tenant at one endpoint."""

    own: Language
    owned: Language
    shared: Language
    others: tuple[Tenant, ...]

    def escapes(self, kind: Escape) -> Term:
        """The requests that leave the tenant in a certain way."""
        match kind:
            case Escape.INTO_TENANT:
                return conj((outside(self.own), inside(self.owned)))
            case Escape.NO_TARGET_MODEL:
                return neg(HAS_TARGET)
            case Escape.UNOWNED:
                return conj((outside(self.own), outside(self.owned), outside(self.shared)))

    def is_outside(self, target: str | None) -> bool:
        """Whether a TargetModel (None: no TargetModel) is beyond the wall."""
        if target is None:
            return True
        if self.own.accepts(target):
            return False
        return self.owned.accepts(target) or not self.shared.accepts(target)


def _naming(rule: TenantRule) -> str:
    but = ", ".join(f'"{pattern}"' for pattern in rule.excluded)
    names = (
        f'tenants of {rule.name} have names of at least one character matching "{rule.names.name}"'
    )
    return f"{names}, none of them like {but}" if but else names


def _with_target(word: str, request: Request) -> Request:
    return replace(request, context={**request.context, TARGET_MODEL: word})


def _prefix(pattern: str) -> str:
    return pattern.partition("*")[0].partition("?")[0]
