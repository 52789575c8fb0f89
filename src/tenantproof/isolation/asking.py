"""What all questions share: asking one inquiry, attacking a proof, doubting it, saying why.

A question is a formula and what its answer means; how it is asked is the same for all. What is
proved is attacked with concrete requests, and asked again under the other readings of the
reference that the policies touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tenantproof.errors import BoundedError, BudgetExceededError, DisagreementError
from tenantproof.evaluate import decide
from tenantproof.isolation.attack import (
    Attacked,
    attempts,
    contexts,
    near,
    policy_texts,
    sampled,
)
from tenantproof.isolation.blame import blame
from tenantproof.isolation.coverage import Covered, Missing, Retarget, Undecided, cover
from tenantproof.isolation.findings import Finding, Probe, Question, Verdict
from tenantproof.isolation.inquiry import HAS_TARGET, TARGET, Inquiry, InquiryT
from tenantproof.isolation.manifest import Endpoint, Manifest, Member, Tenant, TenantRule
from tenantproof.isolation.promises import Answered, Denies, Promise
from tenantproof.isolation.route import Route
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
    target_model_actions,
    target_model_domain,
)
from tenantproof.prove import Budget, Language, Term, language
from tenantproof.prove.engines import AUTOMATA, Engine, Ledger
from tenantproof.prove.learned import Learned
from tenantproof.prove.solver import Blocked
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading, under_other_readings
from tenantproof.request import ContextValue, Request

DEFAULT_TIMEOUT = 30.0
"""Seconds that one question about one principal may take."""

_NEIGHBOURS = 8
"""How many other tenants' patterns an attack tries, beside those of the policies."""


@dataclass
class Asker:
    """Asks questions about the principals of a manifest.

    Attributes:
        manifest: the tenants, their principals and policies.
        timeout: seconds for one question about one principal; None for no limit.
        reading: the choices where the reference hedges.
        engines: what questions are put to; with several their answers must agree.
        first_only: whether a principal's first leak at an endpoint is enough, without its victims
            and without better requests for it.
        attacks: whether what is proved is attacked, too; what is not says so with 0 requests.
        samples: how many of the requests of such an attack a finding keeps.
    """

    manifest: Manifest
    timeout: float | None = DEFAULT_TIMEOUT
    reading: Reading = DOCUMENTED
    engines: tuple[Engine, ...] = (AUTOMATA,)
    first_only: bool = False
    attacks: bool = True
    samples: int = 0
    _languages: dict[tuple[str, ...], Language] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What the theories of the lazy solver say serves all questions."""
        sharing = replace(AUTOMATA, learned=Learned())
        self.engines = tuple(sharing if each == AUTOMATA else each for each in self.engines)

    def answer(self, inquiry: Inquiry, formula: Term, draft: Finding) -> Finding | None:
        """What an inquiry says of a formula: a leak, an UNKNOWN, or None where nothing fulfils it.

        Args:
            inquiry: whose requests are asked about.
            formula: what no allowed request may fulfil.
            draft: the finding but for its verdict.
        """
        since = len(inquiry.ledger.answers)
        found = self._answer(inquiry, formula, draft)
        return None if found is None else self.noted(found, inquiry.ledger, since)

    def _answer(self, inquiry: Inquiry, formula: Term, draft: Finding) -> Finding | None:
        try:
            found = inquiry.smallest_allowed(formula)
        except BudgetExceededError as error:
            return replace(draft, verdict=Verdict.UNKNOWN, reason=no_answer(error))
        if found is None:
            return None
        if isinstance(found, Blocked):
            return replace(draft, verdict=Verdict.UNKNOWN, reason=not_modelled(found))
        leak = self.leak(draft, inquiry, found)
        if self.first_only:
            return leak
        if leak.reason is not None:
            for other in _under_all_readings(inquiry, formula):
                firm = replace(self.leak(draft, inquiry, other), shortest=False)
                if firm.reason is None:
                    leak, found = firm, other
                    break
        return replace(leak, example=_everyday_model(inquiry, found, formula))

    def proved_unless(
        self,
        inquiry: InquiryT,
        ask: Callable[[InquiryT], list[Finding]],
        draft: Finding,
        promise: Promise,
        attack: Callable[[], Attacked],
    ) -> Answered:
        """What ``ask`` finds; else PROVED, once attacked and asked under the other readings."""
        found = self._proved_unless(inquiry, ask, draft, attack)
        noted = tuple(self.noted(finding, inquiry.ledger) for finding in found)
        return Answered(noted, (promise,))

    def _proved_unless(
        self,
        inquiry: InquiryT,
        ask: Callable[[InquiryT], list[Finding]],
        draft: Finding,
        attack: Callable[[], Attacked],
    ) -> list[Finding]:
        try:
            found = ask(inquiry)
            if found:
                return found
            attacked = attack() if self.attacks else Attacked(0)
            for flipped, (other,) in under_other_readings([inquiry]):
                under_other = ask(other)
                if under_other:
                    doubtful = (_doubtful(finding, flipped) for finding in under_other)
                    return [_decided(finding, inquiry.reading) for finding in doubtful]
        except BudgetExceededError as error:
            return [replace(draft, verdict=Verdict.UNKNOWN, reason=no_answer(error))]
        return [replace(_attacked(draft, attacked), engines=inquiry.engines)]

    def leaks(self, answers: Iterable[Finding | None]) -> list[Finding]:
        """The findings among some answers, up to the first leak where that is enough."""
        found: list[Finding] = []
        for each in answers:
            if each is not None:
                found.append(each)
                if self.first_only and each.verdict is Verdict.LEAK:
                    break
        return found

    def leak(self, draft: Finding, inquiry: Inquiry, request: Request) -> Finding:
        """A leak by a request that an inquiry found, replayed once more and blamed."""
        decision = inquiry.replay(request)
        return replace(
            draft,
            verdict=Verdict.LEAK,
            request=request,
            shortest=inquiry.was_shortest,
            reason=_only_under_this_reading(inquiry, request),
            engines=inquiry.engines,
            statements=blame(decision, request, inquiry.reading),
            probes=(inquiry.probe(request),),
        )

    def denies(
        self,
        inquiry: Inquiry,
        is_forbidden: Callable[[str | None], bool],
        near: Iterable[str] = (),
    ) -> Denies:
        """The promise that nothing forbidden is allowed, near what others own and all share."""
        neighbours = (p for tenant in self.manifest.tenants[:_NEIGHBOURS] for p in tenant.owns[:1])
        patterns = (*near, *neighbours, *self.manifest.shared)
        return Denies(inquiry, is_forbidden, tuple(dict.fromkeys(patterns)))

    def attack(self, promise: Denies) -> Attacked:
        """Evaluate requests near the boundary; none of the forbidden may be allowed.

        Raises:
            DisagreementError: one is, though the prover says that none can be.
        """
        inquiry, member = promise.inquiry, promise.inquiry.member
        own = policy_texts(member.policies, TARGET_MODEL, member.principal)
        around = near((*own, *promise.near), target_model_domain())
        # Those that it may invoke would use up the requests.
        words = filter(promise.is_forbidden, around)
        keys = (*inquiry.free_keys, *inquiry.chosen_keys)
        settings = tuple(
            {**promise.given, **setting}
            for setting in contexts(member.policies, keys, member.principal)
        )
        tried = 0
        of_models: dict[ContextValue | None, Request] = {}
        for request in _requests(inquiry, words, settings):
            if promise.forbids(request):
                tried += 1
                of_models.setdefault(request.context.get(TARGET_MODEL), request)
                if inquiry.decide(request).allowed:
                    raise DisagreementError(
                        f"the prover says that no such request is allowed, the evaluator allows"
                        f" {request}"
                    )
        chosen = sampled(tuple(of_models.values()), self.samples)
        return Attacked(tried, self._probes(promise, chosen))

    def _probes(self, promise: Denies, chosen: Sequence[Request]) -> tuple[Probe, ...]:
        """Requests for others to decide, all but the model as in one that is allowed, if one is.

        Who denies such a request denies it for its model, and not for a key that no request like
        it would lack.

        Raises:
            DisagreementError: one is allowed, though the prover says that none can be.
        """
        inquiry = promise.inquiry
        allowed = self._allowed_with_a_model(inquiry) if chosen else None
        probes: list[Probe] = []
        for request in chosen:
            closer = request if allowed is None else _with_model_of(request, allowed)
            probes.append(inquiry.probe(closer if promise.forbids(closer) else request))
            if probes[-1].decision.allowed:
                raise DisagreementError(
                    f"the prover says that no such request is allowed, the evaluator allows"
                    f" {probes[-1].request}"
                )
        return tuple(probes)

    def _allowed_with_a_model(self, inquiry: Inquiry) -> Request | None:
        """The smallest allowed request with a TargetModel; None where none is found in time.

        Asked apart from the question, of whose answer it is no part.
        """
        apart = Inquiry(
            inquiry.member,
            inquiry.endpoint,
            inquiry.actions,
            inquiry.reading,
            Budget.of(self.timeout),
        )
        try:
            found = apart.smallest_allowed(HAS_TARGET)
        except BudgetExceededError:
            return None
        return found if isinstance(found, Request) else None

    def covered(
        self, draft: Finding, inquiries: Sequence[Inquiry], models: Term, words: Words | None
    ) -> Answered:
        """Each model is allowed in some context; a proof is attacked with the models to try.

        Args:
            draft: the finding but for its verdict.
            inquiries: one for each principal that counts.
            models: the requests whose models are asked about.
            words: the models to try; None where the question is about no model.
        """
        ledger = inquiries[0].ledger
        try:
            answer = cover(inquiries, models)
            finding = self._from_coverage(draft, inquiries, answer)
            engines = sorted({engine for inquiry in inquiries for engine in inquiry.engines})
            finding = replace(finding, engines=tuple(engines))
            if isinstance(answer, Covered):
                if self.attacks:
                    tried = [("no model", _as_it_is)] if words is None else words.tried()
                    finding = _attacked(finding, answer.attack(tried, self.samples))
                proved = self._under_other_readings(finding, inquiries, models)
                promises = () if words is None else (words.promise(answer),)
                return Answered((self.noted(proved, ledger),), promises)
        except BudgetExceededError as error:
            finding = replace(draft, verdict=Verdict.UNKNOWN, reason=no_answer(error))
        return Answered((self.noted(finding, ledger),))

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
                    probes=(inquiry.probe(request),),
                    reason=f"nothing in {layers} allows it" if layers else None,
                )

    def _under_other_readings(
        self, proved: Finding, inquiries: Sequence[Inquiry], models: Term
    ) -> Finding:
        for flipped, others in under_other_readings(inquiries):
            if not isinstance(cover(others, models), Covered):
                return replace(proved, verdict=Verdict.UNKNOWN, reason=hangs_on(flipped))
        return proved

    def inquiry(
        self, member: Member, endpoint: Endpoint, actions: tuple[str, ...] | None = None
    ) -> Inquiry:
        """What a principal can do at an endpoint; without ``actions``, by any that invokes it."""
        chosen = invoke_actions() if actions is None else actions
        budget = Budget.of(self.timeout)
        return Inquiry(member, endpoint, chosen, self.reading, budget, self.ledger())

    def ledger(self) -> Ledger:
        """A new record of what each engine answers to the questions of one finding."""
        return Ledger(self.engines, self.timeout)

    def noted(self, finding: Finding, ledger: Ledger, since: int = 0) -> Finding:
        """The finding with what each engine answered, where engines were chosen."""
        if self.engines == (AUTOMATA,) or finding.engine_answers:
            return finding
        return replace(finding, engine_answers=ledger.summary(since))

    def models(self, patterns: tuple[str, ...]) -> Language:
        """The TargetModels of some patterns."""
        if patterns not in self._languages:
            self._languages[patterns] = language(*patterns)
        return self._languages[patterns]


@dataclass(frozen=True)
class Asked:
    """One question about one principal, mostly at one endpoint, not answered yet.

    Attributes:
        question: what is asked.
        tenant: the tenant's name, or the rule's.
        principal: the principal's ARN; for ``reaches`` that of the tenant's first principal.
        endpoint: the endpoint; None for ``artifacts``, which is about all of them.
        answer: answers it.
        assertion: the assertion's name, for ``can`` and ``cannot``.
        route: of ``artifacts``, the kind of way.
    """

    question: Question
    tenant: str
    principal: str
    endpoint: Endpoint | None
    answer: Callable[[], Answered]
    assertion: str | None = None
    route: Route | None = None

    @classmethod
    def of(
        cls,
        question: Question,
        group: Tenant | TenantRule,
        member: Member,
        endpoint: Endpoint | None,
        answer: Callable[[], Answered],
    ) -> Asked:
        """The question about a principal of a tenant, or of a rule's tenants."""
        return cls(question, group.name, member.principal.arn, endpoint, answer)


def all_of(answers: Iterable[Answered]) -> Answered:
    """Of several answers to parts of a question the first that is no proof, or all of them."""
    answered = list(answers)
    failed = (a for a in answered if a.findings[0].verdict is not Verdict.PROVED)
    findings = next(failed, answered[0]).findings
    return Answered(findings, tuple(promise for each in answered for promise in each.promises))


@dataclass(frozen=True)
class Words:
    """The models that a proof of coverage is attacked with, and what it promises."""

    tried: Callable[[], Iterable[tuple[str, Retarget]]]
    promise: Callable[[Covered], Promise]


def _as_it_is(request: Request) -> Request:
    return request


def _under_all_readings(inquiry: Inquiry, formula: Term) -> Iterator[Request]:
    """Requests that other readings allow, too: a leak that does not hang on the reading."""
    for flipped in inquiry.reading.alternatives(inquiry.ambiguities):
        try:
            found = inquiry.under(inquiry.reading.flipped(flipped)).smallest_allowed(formula)
        except BudgetExceededError:
            return
        if isinstance(found, Request) and inquiry.decide(found).allowed:
            yield found


_EVERYDAY = ("model.tar.gz", "/model.tar.gz")
"""How the smallest TargetModel is made one that one would meet, where the patterns let it."""


def _everyday_model(inquiry: Inquiry, request: Request, formula: Term) -> str | None:
    """A TargetModel with a file's name, allowed like the smallest and as much of a leak."""
    target = request.keys.get(TARGET)
    if not isinstance(target, str) or target.endswith(_EVERYDAY[0]):
        return None
    for end in _EVERYDAY if target.endswith("/") else _EVERYDAY[1:]:
        word = target + end
        other = replace(request, context={**request.context, TARGET_MODEL: word})
        fits = word in target_model_domain() and inquiry.decide(other).allowed
        if fits and inquiry.fulfils(other, formula):
            return word
    return None


def _doubtful(finding: Finding, flipped: Iterable[Ambiguity]) -> Finding:
    """What another reading finds, as an UNKNOWN; a leak there names what it hangs on."""
    is_leak = finding.verdict is Verdict.LEAK
    reason = hangs_on(flipped) if is_leak else finding.reason
    return replace(finding, verdict=Verdict.UNKNOWN, reason=reason)


def _attacked(finding: Finding, attacked: Attacked) -> Finding:
    return replace(finding, attacked=attacked.tried, probes=attacked.probes)


def _decided(finding: Finding, reading: Reading) -> Finding:
    """A finding of another reading, its probes with what this one says of them."""
    probes = (replace(p, decision=decide(p.access, p.request, reading)) for p in finding.probes)
    return replace(finding, probes=tuple(probes))


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


def _with_model_of(request: Request, allowed: Request) -> Request:
    """An allowed request with the TargetModel of another, or without one as that."""
    rest = {name: value for name, value in allowed.context.items() if name.lower() != TARGET}
    model = request.context.get(TARGET_MODEL)
    context = rest if model is None else {**rest, TARGET_MODEL: model}
    return replace(allowed, context=context)


def not_modelled(blocked: Blocked) -> str:
    """Why an answer that rests on conditions without a model, or on what is unknown, is UNKNOWN."""
    return "; ".join(dict.fromkeys(map(str, blocked.conditions)))


def hangs_on(ambiguities: Iterable[Ambiguity]) -> str:
    """Why an answer that another reading does not give is UNKNOWN."""
    return f"the answer hangs on what the IAM reference leaves open: {asked_about(ambiguities)}"


def asked_about(ambiguities: Iterable[Ambiguity]) -> str:
    """The open questions, in words."""
    return " and ".join(ambiguity.question for ambiguity in ambiguities)


def _only_under_this_reading(inquiry: Inquiry, request: Request) -> str | None:
    """Of a request that is allowed here: the hedge under whose other reading it is not."""
    for flipped, (other,) in under_other_readings([inquiry]):
        if not other.decide(request).allowed:
            open_points = asked_about(flipped)
            return f"of what the IAM reference leaves open, this reading allows it: {open_points}"
    return None


def no_answer(error: BudgetExceededError) -> str:
    """Why a question without an answer is UNKNOWN."""
    if isinstance(error, BoundedError):
        return f"no proof: {error}"
    return f"no answer within the budget: {error}"
