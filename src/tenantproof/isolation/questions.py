"""The questions: *isolated*, *reaches*, and the reviewers' *can* and *cannot*.

Each is one short formula over the symbolic model; what is proved is then attacked with concrete
requests, and asked again under the other readings of the reference that the policies touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tenantproof.errors import (
    BudgetExceededError,
    DisagreementError,
    InputError,
    Place,
    Problem,
)
from tenantproof.isolation.attack import attempts, contexts, near, policy_texts
from tenantproof.isolation.blame import blame
from tenantproof.isolation.coverage import Covered, Missing, Undecided, cover
from tenantproof.isolation.findings import Escape, Finding, Question, Report, Verdict
from tenantproof.isolation.inquiry import (
    HAS_TARGET,
    TARGET,
    Inquiry,
    inside,
    outside,
)
from tenantproof.isolation.manifest import Assertion, Endpoint, Manifest, Member, Tenant
from tenantproof.isolation.reasons import asked, hangs_on, not_modelled, out_of_budget
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
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
from tenantproof.prove.concrete import is_within
from tenantproof.prove.solver import Blocked
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading, under_other_readings
from tenantproof.request import ContextValue, Request

DEFAULT_TIMEOUT = 30.0
"""Seconds that one question about one principal may take."""

_NEIGHBOURS = 8
"""How many other tenants' patterns an attack tries, beside those of the policies."""


@dataclass
class Run:
    """Asks all questions of a manifest.

    Attributes:
        manifest: the tenants, their principals and policies.
        timeout: seconds for one question about one principal; None for no limit.
        reading: the choices where the reference hedges.
    """

    manifest: Manifest
    timeout: float | None = DEFAULT_TIMEOUT
    reading: Reading = DOCUMENTED
    _languages: dict[tuple[str, ...], Language] = field(default_factory=dict)
    _samples: dict[tuple[str, ...], str | None] = field(default_factory=dict)

    def report(self) -> Report:
        """Every question about every principal.

        Raises:
            InputError: two tenants own the same model.
            DisagreementError: the two readings differ; a bug in tenantproof.
        """
        self._check_ownership()
        findings = tuple(self.findings())
        return Report(self.manifest.file, findings, self._assumptions(), tuple(self._left_out()))

    def findings(self) -> Iterator[Finding]:
        """The findings one by one: isolated, reaches, then the assertions."""
        trusted = {each.arn for each in self.manifest.trusted}
        for tenant in self.manifest.tenants:
            for member in tenant.members:
                if member.principal.arn not in trusted:
                    for endpoint in self.manifest.endpoints:
                        yield from self.isolated(tenant, member, endpoint)
        for tenant in self.manifest.tenants:
            for endpoint in tenant.endpoints:
                yield self.reaches(tenant, endpoint)
        for assertion in self.manifest.assertions:
            for tenant, member in assertion.members:
                for endpoint in assertion.endpoints:
                    yield self.asserted(assertion, tenant, member, endpoint)

    # -- isolated ----------------------------------------------------------------------------

    def isolated(self, tenant: Tenant, member: Member, endpoint: Endpoint) -> list[Finding]:
        """No invoke action is allowed outside what the tenant owns or all share.

        What another tenant owns is not shared, even where a shared pattern covers it. A request
        without TargetModel is outside, too.
        """
        wall = self._wall(tenant, endpoint)
        draft = Finding(
            Question.ISOLATED, Verdict.PROVED, tenant.name, member.principal.arn, endpoint.arn
        )

        def ask(inquiry: Inquiry) -> list[Finding]:
            answers = [self._escape(inquiry, wall, kind, draft) for kind in Escape]
            return [finding for finding in answers if finding is not None]

        return self._proved_unless(self._inquiry(member, endpoint), ask, draft, wall.is_outside)

    def _escape(
        self, inquiry: Inquiry, wall: _Wall, kind: Escape, draft: Finding
    ) -> Finding | None:
        try:
            found = inquiry.smallest_allowed(wall.escapes(kind))
        except BudgetExceededError as error:
            reason = out_of_budget(error)
            return replace(draft, verdict=Verdict.UNKNOWN, escape=kind, reason=reason)
        if found is None:
            return None
        if isinstance(found, Blocked):
            return replace(draft, verdict=Verdict.UNKNOWN, escape=kind, reason=not_modelled(found))
        leak = self._leak(draft, inquiry, found)
        if kind is Escape.NO_TARGET_MODEL:
            return replace(leak, escape=kind, victims=tuple(n.name for n in wall.others))
        if kind is Escape.UNOWNED:
            return replace(leak, escape=kind)
        reached = self._owners(found, wall)
        more: str | None = None
        try:
            self._reach_more(reached, inquiry, wall, found)
        except BudgetExceededError as error:
            more = f"there may be more victims: {error}"
        victims = tuple(n.name for n in wall.others if n.name in reached)
        return replace(leak, escape=kind, victims=victims, reason=more or leak.reason)

    def _owners(self, request: Request, wall: _Wall) -> set[str]:
        """The other tenants who own the model of a request."""
        target = request.keys[TARGET]
        return {
            neighbour.name
            for neighbour in wall.others
            if isinstance(target, str) and self._models(neighbour.owns).accepts(target)
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
            models = self._models(tenant.owns)
            self._samples[tenant.owns] = shortest_member(
                [models], [], target_model_domain(), budget
            )
        return self._samples[tenant.owns]

    def _wall(self, tenant: Tenant, endpoint: Endpoint) -> _Wall:
        here = [t for t in self.manifest.tenants if endpoint in t.endpoints]
        owns = tenant.owns if tenant in here else ()
        return _Wall(
            own=self._models(owns),
            owned=self._models(tuple(pattern for t in here for pattern in t.owns)),
            shared=self._models(self.manifest.shared),
            others=tuple(t for t in here if t is not tenant),
        )

    # -- reaches, can, cannot ----------------------------------------------------------------

    def reaches(self, tenant: Tenant, endpoint: Endpoint) -> Finding:
        """Every model that the tenant owns can be invoked by one of its principals."""
        draft = Finding(
            Question.REACHES,
            Verdict.PROVED,
            tenant.name,
            tenant.members[0].principal.arn,
            endpoint.arn,
        )
        return self._covered(draft, tenant.members, endpoint, tenant.owns, target_model_actions())

    def asserted(
        self, assertion: Assertion, tenant: Tenant, member: Member, endpoint: Endpoint
    ) -> Finding:
        """What a reviewer asserted, for one principal and endpoint."""
        question = Question.CAN if assertion.can else Question.CANNOT
        arn = member.principal.arn
        draft = Finding(question, Verdict.PROVED, tenant.name, arn, endpoint.arn, assertion.name)
        if assertion.can:
            owns = None if assertion.target_model is None else (assertion.target_model,)
            findings = [
                self._covered(draft, (member,), endpoint, owns, (action,))
                for action in assertion.actions
            ]
            failed = (f for f in findings if f.verdict is not Verdict.PROVED)
            return next(failed, findings[0])
        return self._cannot(assertion, member, endpoint, draft)

    def _cannot(
        self, assertion: Assertion, member: Member, endpoint: Endpoint, draft: Finding
    ) -> Finding:
        models = None if assertion.target_model is None else self._models((assertion.target_model,))
        forbidden: Term = True if models is None else inside(models)

        def is_forbidden(target: str | None) -> bool:
            return models is None or (target is not None and models.accepts(target))

        def ask(inquiry: Inquiry) -> list[Finding]:
            found = inquiry.smallest_allowed(forbidden)
            if found is None:
                return []
            if isinstance(found, Blocked):
                return [replace(draft, verdict=Verdict.UNKNOWN, reason=not_modelled(found))]
            return [self._leak(draft, inquiry, found)]

        inquiry = self._inquiry(member, endpoint, assertion.actions)
        extra = () if assertion.target_model is None else (assertion.target_model,)
        return self._proved_unless(inquiry, ask, draft, is_forbidden, extra)[0]

    def _covered(
        self,
        draft: Finding,
        members: Sequence[Member],
        endpoint: Endpoint,
        patterns: tuple[str, ...] | None,
        actions: tuple[str, ...],
    ) -> Finding:
        """Each model of the patterns (None: no TargetModel) is allowed in some context."""
        budget = Budget.of(self.timeout)
        models = None if patterns is None else self._models(patterns)
        inquiries = [Inquiry(m, endpoint, actions, self.reading, budget) for m in members]
        try:
            answer = cover(inquiries, models)
            finding = self._from_coverage(draft, inquiries, answer)
            engines = sorted({engine for inquiry in inquiries for engine in inquiry.engines})
            finding = replace(finding, engines=tuple(engines))
            if isinstance(answer, Covered):
                attacked = answer.attack(near(patterns or (), target_model_domain()))
                finding = replace(finding, attacked=attacked)
                return self._under_other_readings(finding, inquiries, models)
        except BudgetExceededError as error:
            return replace(draft, verdict=Verdict.UNKNOWN, reason=out_of_budget(error))
        return finding

    def _from_coverage(
        self, draft: Finding, inquiries: Sequence[Inquiry], answer: Covered | Missing | Undecided
    ) -> Finding:
        match answer:
            case Covered():
                return draft
            case Undecided(blocked):
                return replace(draft, verdict=Verdict.UNKNOWN, reason=not_modelled(blocked))
            case Missing(request):
                inquiry = inquiries[0]
                decision = inquiry.decide(request)
                if decision.allowed:
                    raise DisagreementError(f"only the evaluator allows {request}")
                statements = blame(decision, request, inquiry.reading)
                layers = ", ".join(layer.name for layer in decision.denied_by)
                return replace(
                    draft,
                    verdict=Verdict.LEAK,
                    request=request,
                    statements=statements,
                    reason=f"nothing in {layers} allows it" if layers else None,
                )

    def _under_other_readings(
        self, proved: Finding, inquiries: Sequence[Inquiry], models: Language | None
    ) -> Finding:
        for flipped, others in under_other_readings(inquiries):
            if not isinstance(cover(others, models), Covered):
                return replace(proved, verdict=Verdict.UNKNOWN, reason=hangs_on(flipped))
        return proved

    # -- shared by the questions -------------------------------------------------------------

    def _inquiry(
        self, member: Member, endpoint: Endpoint, actions: tuple[str, ...] | None = None
    ) -> Inquiry:
        chosen = invoke_actions() if actions is None else actions
        return Inquiry(member, endpoint, chosen, self.reading, Budget.of(self.timeout))

    def _proved_unless(
        self,
        inquiry: Inquiry,
        ask: Callable[[Inquiry], list[Finding]],
        draft: Finding,
        is_forbidden: Callable[[str | None], bool],
        extra: Iterable[str] = (),
    ) -> list[Finding]:
        """What ``ask`` finds; else PROVED, once attacked and asked under the other readings."""
        try:
            found = ask(inquiry)
            if found:
                return found
            attacked = self._attack(inquiry, is_forbidden, extra)
            for flipped, (other,) in under_other_readings([inquiry]):
                under_other = ask(other)
                if under_other:
                    return [_doubtful(finding, flipped) for finding in under_other]
        except BudgetExceededError as error:
            return [replace(draft, verdict=Verdict.UNKNOWN, reason=out_of_budget(error))]
        return [replace(draft, attacked=attacked, engines=inquiry.engines)]

    def _leak(self, draft: Finding, inquiry: Inquiry, request: Request) -> Finding:
        decision = inquiry.replay(request)
        return replace(
            draft,
            verdict=Verdict.LEAK,
            request=request,
            shortest=inquiry.was_shortest,
            reason=_only_under_this_reading(inquiry, request),
            engines=inquiry.engines,
            statements=blame(decision, request, inquiry.reading),
        )

    def _attack(
        self, inquiry: Inquiry, is_forbidden: Callable[[str | None], bool], extra: Iterable[str]
    ) -> int:
        """Evaluate requests near the boundary; none of the forbidden may be allowed.

        Raises:
            DisagreementError: one is, though the prover says that none can be.
        """
        member = inquiry.member
        own = policy_texts(member.policies, TARGET_MODEL, member.principal)
        neighbours = (t.owns[0] for t in self.manifest.tenants[:_NEIGHBOURS])
        words = near((*extra, *own, *neighbours, *self.manifest.shared), target_model_domain())
        keys = (*inquiry.free_keys, *inquiry.chosen_keys)
        settings = tuple(
            {**inquiry.given_keys, **setting}
            for setting in contexts(member.policies, keys, member.principal)
        )
        tried = 0
        for request in _requests(inquiry, words, settings):
            target = request.context.get(TARGET_MODEL)
            known = target if isinstance(target, str) else None
            if is_forbidden(known) and is_within(inquiry.compiled, request):
                tried += 1
                if inquiry.decide(request).allowed:
                    raise DisagreementError(
                        f"the prover says that no such request is allowed, the evaluator allows"
                        f" {request}"
                    )
        return tried

    def _models(self, patterns: tuple[str, ...]) -> Language:
        if patterns not in self._languages:
            self._languages[patterns] = language(*patterns)
        return self._languages[patterns]

    # -- the manifest ------------------------------------------------------------------------

    def _check_ownership(self) -> None:
        """Two tenants must not own the same model: of which is the other kept apart?"""
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
                    languages = [self._models((p,)) for p in (other_pattern, pattern)]
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

    def _assumptions(self) -> tuple[str, ...]:
        domain = target_model_domain()
        inquiries = [
            self._inquiry(member, self.manifest.endpoints[0])
            for tenant in self.manifest.tenants
            for member in tenant.members
        ]
        free = sorted({key for inquiry in inquiries for key in inquiry.free_keys})
        chosen = sorted({key for inquiry in inquiries for key in inquiry.chosen_keys})
        return (
            "the policies given for each principal are all that apply to it",
            "each principal has the tags given and no others",
            f"TargetModel is {domain.min_length} to {domain.max_length} printable ASCII characters,"
            " the first not a space, or absent",
            *((f"free, with any value or absent: {', '.join(free)}",) if free else ()),
            *((f"in every request, with any value: {', '.join(chosen)}",) if chosen else ()),
        )

    def _left_out(self) -> Iterator[str]:
        for trusted in self.manifest.trusted:
            yield f"{trusted.arn} is trusted: {trusted.reason}"


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


def _doubtful(finding: Finding, flipped: Iterable[Ambiguity]) -> Finding:
    """What another reading finds, as an UNKNOWN; a leak there names what it hangs on."""
    is_leak = finding.verdict is Verdict.LEAK
    reason = hangs_on(flipped) if is_leak else finding.reason
    return replace(finding, verdict=Verdict.UNKNOWN, reason=reason)


def _requests(
    inquiry: Inquiry, words: Iterable[str], settings: Sequence[dict[str, ContextValue]]
) -> Iterator[Request]:
    principal, arn = inquiry.member.principal, inquiry.endpoint.arn
    for action in inquiry.actions:
        for setting in settings:
            yield Request(principal, action, arn, setting)
    with_target = [a for a in inquiry.actions if a in target_model_actions()]
    for word, setting in attempts(words, settings):
        for action in with_target:
            yield Request(principal, action, arn, {**setting, TARGET_MODEL: word})


def _prefix(pattern: str) -> str:
    return pattern.partition("*")[0].partition("?")[0]


def _only_under_this_reading(inquiry: Inquiry, request: Request) -> str | None:
    """Of a request that is allowed here: the hedge under whose other reading it is not."""
    for flipped, (other,) in under_other_readings([inquiry]):
        if not other.decide(request).allowed:
            return (
                f"of what the IAM reference leaves open, this reading allows it: {asked(flipped)}"
            )
    return None
