"""The questions about tenants described by a rule: every name that matches, and every pair.

The tenant's name is a subject of the formula like a condition key, and so is another tenant's;
tags, ARNs and owned patterns follow from them. A leak is a pair of names with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from itertools import islice

from tenantproof.errors import BudgetExceededError
from tenantproof.isolation.asking import Asked, Asker, Words, all_of
from tenantproof.isolation.attack import Attacked, near, policy_texts, sampled
from tenantproof.isolation.coverage import Covered, Retarget
from tenantproof.isolation.findings import Escape, Finding, Question, Verdict
from tenantproof.isolation.inquiry import HAS_TARGET, TARGET, Inquiry
from tenantproof.isolation.manifest import (
    Assertion,
    Endpoint,
    Member,
    TenantRule,
)
from tenantproof.isolation.promises import Allows, Answered, Denies, OfEachTenant
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    invoke_actions,
    target_model_actions,
    target_model_domain,
)
from tenantproof.isolation.substitution import PLACEHOLDER, named, put_name
from tenantproof.policy import PolicySet, statements
from tenantproof.prove import Budget, Domain, RequestSpace, Some, Term, conj, disj, language, neg
from tenantproof.prove import shortest_member as shortest
from tenantproof.prove.automata import Automaton, Placed
from tenantproof.prove.formula import Loop, Matches, Piece, Put, joined, pieces_of
from tenantproof.prove.languages import (
    NO_COLON,
    Language,
    Pattern,
    PatternBuilder,
    literal,
    wildcard,
)
from tenantproof.prove.principals import UNIQUE_ID
from tenantproof.prove.regular import Concat, Regular, Without, of_pattern, text
from tenantproof.prove.solver import Witness
from tenantproof.prove.space import Derived
from tenantproof.request import ContextValue, Principal, Request

NAME = "{tenant}"
OTHER = "{other tenant}"
"""The subjects that stand for the tenant's name, and for the name of one that it reaches."""

USER_ID = "aws:userid"

_SAMPLES = 6
"""With how many names a proof is attacked."""


@dataclass(frozen=True)
class NamedRequest(Request):
    """A request of a tenant with a certain name.

    ``names`` maps the subjects to names, ``template`` is the principal as the rule describes it.
    """

    names: Mapping[str, str] = field(default_factory=dict)
    template: Principal | None = None

    def of(self, name: str, target: str) -> Request:
        """The same request by the tenant of another name, for a model."""
        assert self.template is not None
        context = {**self.context, TARGET_MODEL: target}
        return replace(self, principal=named(self.template, name), context=context)


@dataclass
class RuleInquiry(Inquiry):
    """What a principal of every tenant of a rule can do at an endpoint.

    Attributes:
        rule: the rule of the principal's tenant.
        victim: the rule of the other tenant.
    """

    rule: TenantRule = field(kw_only=True)
    victim: TenantRule = field(kw_only=True)

    @cached_property
    def _space(self) -> RequestSpace:
        space = super()._space
        principal = self.member.principal
        user_id = None if USER_ID in principal.keys else _user_id(principal.arn, self.rule)
        asked = user_id is not None and _mentions(self.member.policies, USER_ID)
        return replace(
            space,
            derived=dict(_derived(principal)),
            domains={
                **space.domains,
                **({USER_ID: user_id.domain} if user_id is not None else {}),
                NAME: name_domain(self.rule),
                OTHER: name_domain(self.victim),
            },
            always={**space.always, NAME: "", OTHER: ""},
            given=conj(
                (
                    _not_excluded(NAME, self.rule),
                    user_id.follows if asked and user_id is not None else True,
                )
            ),
        )

    def towards(self, victim: TenantRule) -> RuleInquiry:
        """The same inquiry with another rule's tenants to reach."""
        return self if victim is self.victim else replace(self, victim=victim)

    def request(self, witness: Witness) -> NamedRequest:
        """The request of a witness, by the tenant that it names."""
        template = self.member.principal
        keys = dict(witness.keys)
        names = {
            NAME: _text(keys.pop(NAME, None)) or self._some_name(self.rule),
            OTHER: _text(keys.pop(OTHER, None)),
        }
        request = super().request(replace(witness, keys=keys))
        return NamedRequest(
            named(template, names[NAME]),
            request.action,
            request.resource,
            {key: put_name(value, names[NAME]) for key, value in request.context.items()},
            {subject: name for subject, name in names.items() if name},
            template,
        )

    def _some_name(self, rule: TenantRule) -> str:
        excluded = language(*rule.excluded)
        return shortest([rule.names], [excluded], Domain(min_length=1), self.budget) or ""

    def texts_of(self, request: Request) -> Mapping[str, str]:
        """The values of a request's subjects, the names of its tenants among them."""
        assert isinstance(request, NamedRequest)
        return {**super().texts_of(request), **request.names}

    def fulfils(self, request: Request, formula: Term) -> bool:
        """Whether a request, with the names of its tenants, fulfils a formula."""
        assert isinstance(request, NamedRequest)
        return super().fulfils(
            replace(request, context={**request.context, **request.names}), formula
        )

    @property
    def asked_about(self) -> frozenset[str]:
        """The subjects that a question about each model of each tenant ranges over."""
        return frozenset({TARGET, NAME})

    def same_model(self, request: Request) -> Term:
        """The requests of the same tenant for the same model."""
        assert isinstance(request, NamedRequest)
        same_name = Some(NAME, Language([literal(request.names[NAME])]))
        return conj((super().same_model(request), same_name))


def name_domain(rule: TenantRule) -> Domain:
    """The names that a rule admits; an empty one is none."""
    return Domain(min_length=1, shape=rule.names)


def _not_excluded(subject: str, rule: TenantRule) -> Term:
    return neg(Some(subject, language(*rule.excluded))) if rule.excluded else True


def _mentions(policies: PolicySet, key: str) -> bool:
    return any(
        key in {name.lower() for name in (*keys, *variables)}
        for statement in statements(policies)
        for keys in [[c.key for c in statement.conditions]]
        for variables in [[v.key for t in statement.templates for v in t.variables]]
    )


@dataclass(frozen=True)
class _UserId:
    """The values of ``aws:userid`` of all tenants, and how one follows from the name."""

    domain: Domain
    follows: Term


def _user_id(arn: str, rule: TenantRule) -> _UserId | None:
    """The user id where it holds the tenant's name: of a session by name, of a federated user."""
    account, resource = arn.split(":", 5)[4:]
    kind, _, name = resource.partition("/")
    last = name.rpartition("/")[2]
    if kind not in {"assumed-role", "federated-user"} or PLACEHOLDER not in last:
        return None
    of_role = kind == "assumed-role"
    before, _, after = last.partition(PLACEHOLDER)
    before = f":{before}" if of_role else f"{account}:{before}"
    begins = (UNIQUE_ID,) if of_role else ()
    shape = Concat((*begins, text(before), rule.names.expression, text(after)))
    pieces: tuple[Piece, ...] = (before, Put(NAME), after)
    if of_role:
        pieces = (Loop(NO_COLON), *pieces)
    domain = Domain(min_length=1, shape=Regular(shape, "user ids"))
    return _UserId(domain, Matches(USER_ID, joined(pieces)))


def _text(value: ContextValue | None) -> str:
    return value if isinstance(value, str) else ""


def _derived(template: Principal) -> Iterator[tuple[str, Derived]]:
    """The principal's keys that hold the tenant's name."""
    for key, value in template.keys.items():
        if isinstance(value, str) and PLACEHOLDER in value:
            before, _, after = value.partition(PLACEHOLDER)
            yield key, Derived(NAME, before, after)


def models_of(patterns: Iterable[str], subject: str) -> Term:
    """The requests for a model that the tenant with a subject's name owns."""
    plain = [pattern for pattern in patterns if PLACEHOLDER not in pattern]
    holding = [pattern for pattern in patterns if PLACEHOLDER in pattern]
    terms: list[Term] = [Matches(TARGET, joined(_pieces(each, subject))) for each in holding]
    if plain:
        terms.append(Some(TARGET, language(*plain)))
    return conj((HAS_TARGET, disj(terms)))


def _pieces(pattern: str, subject: str) -> Iterator[Piece]:
    for at, between in enumerate(pattern.split(PLACEHOLDER)):
        if at:
            yield Put(subject)
        yield from pieces_of(wildcard(between))


def models_named(patterns: Iterable[str], name: str) -> Language:
    """What patterns give to the tenant of a name; a ``*`` of the name is no wildcard."""
    return Language(_pattern_named(pattern, name) for pattern in patterns)


def _pattern_named(pattern: str, name: str) -> Pattern:
    builder = PatternBuilder()
    for at, between in enumerate(pattern.split(PLACEHOLDER)):
        if at:
            builder.text(name)
        builder.wildcards(between)
    return builder.build()


def _owned_by_any(rules: Iterable[TenantRule]) -> Term:
    """The requests for a model that some tenant owns, today's or tomorrow's.

    Patterns that hold the name twice are not among them: their models make no regular language.
    """
    languages = [
        _owned_by_one(rule, wildcard(before), wildcard(after))
        for rule in rules
        for pattern in rule.owns
        if pattern.count(PLACEHOLDER) == 1
        for before, _, after in [pattern.partition(PLACEHOLDER)]
    ]
    return conj((HAS_TARGET, disj(Some(TARGET, each) for each in languages)))


def _owned_by_one(rule: TenantRule, before: Pattern, after: Pattern) -> Automaton:
    """The models of a pattern with the name of some tenant of a rule in its middle."""
    # An empty name is no tenant's either.
    excluded = Language([literal(""), *language(*rule.excluded).patterns])
    if rule.excluded or rule.names.accepts(""):
        names = Without(rule.names, excluded)
        return Placed(names, Language([before]), Language([after]))
    return Regular(Concat((of_pattern(before), rule.names.expression, of_pattern(after))))


IsForbidden = Callable[[str, str | None], bool]
"""Whether a TargetModel, or none, is forbidden to the tenant of a name."""


@dataclass
class RuleQuestions:
    """Asks all questions about the rules of a manifest."""

    asker: Asker

    def asked(self) -> Iterator[Asked]:
        """The questions one by one: isolated, reaches, then the assertions."""
        manifest = self.asker.manifest
        trusted = {each.arn for each in manifest.trusted}
        for rule in manifest.rules:
            for member in rule.members:
                if member.principal.arn not in trusted:
                    for endpoint in manifest.endpoints:
                        answer = partial(self.isolated, rule, member, endpoint)
                        yield Asked.of(Question.ISOLATED, rule, member, endpoint, answer)
        for rule in manifest.rules:
            for endpoint in rule.endpoints:
                answer = partial(self.reaches, rule, endpoint)
                yield Asked.of(Question.REACHES, rule, rule.members[0], endpoint, answer)

    def asked_of(self, assertion: Assertion, rule: TenantRule) -> Iterator[Asked]:
        """What a reviewer asserted, of each principal at each endpoint."""
        question = Question.CAN if assertion.can else Question.CANNOT
        for member in rule.members:
            for endpoint in assertion.endpoints:
                answer = partial(self.asserted, assertion, rule, member, endpoint)
                asked = Asked.of(question, rule, member, endpoint, answer)
                yield replace(asked, assertion=assertion.name)

    # -- isolated ----------------------------------------------------------------------------

    def isolated(self, rule: TenantRule, member: Member, endpoint: Endpoint) -> Answered:
        """For all names: no invoke action is allowed outside what the tenant owns or all share.

        What a tenant of another name owns is outside, even where the tenant owns it as well.
        """
        arn = member.principal.arn
        draft = _draft(Question.ISOLATED, rule, arn, endpoint)
        here = [each for each in self.asker.manifest.rules if endpoint in each.endpoints]

        def ask(inquiry: RuleInquiry) -> list[Finding]:
            found = self.asker.leaks(self._escapes(inquiry, here, draft))
            return [_with_names(each) for each in found]

        inquiry = self._inquiry(rule, member, endpoint, invoke_actions())
        promise = self._denies(inquiry, partial(self._is_outside, rule, endpoint))
        attack = partial(self._attack, inquiry, promise)
        return self.asker.proved_unless(inquiry, ask, draft, promise, attack)

    def _escapes(
        self, inquiry: RuleInquiry, here: Sequence[TenantRule], draft: Finding
    ) -> Iterator[Finding | None]:
        """Into another tenant, without a TargetModel, and to a model that nobody owns."""
        yield from (self._into(inquiry.towards(victim), draft) for victim in here)
        absent = replace(draft, escape=Escape.NO_TARGET_MODEL)
        yield self.asker.answer(inquiry, neg(HAS_TARGET), absent)
        unowned = replace(draft, escape=Escape.UNOWNED)
        beyond = self._beyond(inquiry.rule, inquiry.endpoint)
        yield self.asker.answer(inquiry, beyond, unowned)

    def _into(self, inquiry: RuleInquiry, draft: Finding) -> Finding | None:
        victim = inquiry.victim
        differ = neg(Matches(OTHER, (Put(NAME),))) if victim is inquiry.rule else True
        asked = conj((models_of(victim.owns, OTHER), differ, _not_excluded(OTHER, victim)))
        found = self.asker.answer(inquiry, asked, replace(draft, escape=Escape.INTO_TENANT))
        if found is None or not isinstance(found.request, NamedRequest):
            return found
        name, other = (found.request.names[subject] for subject in (NAME, OTHER))
        both = self._owns(inquiry.rule, name, _text(found.request.keys.get(TARGET)))
        reason = f'the rule lets "{name}" own that model, too' if both else found.reason
        return replace(found, victims=(other,), reason=reason)

    def _beyond(self, rule: TenantRule, endpoint: Endpoint) -> Term:
        """A model that the tenant does not own, that is not shared, and that nobody owns."""
        here = [each for each in self.asker.manifest.rules if endpoint in each.endpoints]
        own = models_of(rule.owns, NAME) if rule in here else False
        shared = conj((HAS_TARGET, Some(TARGET, self.asker.models(self.asker.manifest.shared))))
        return conj((HAS_TARGET, neg(own), neg(shared), neg(_owned_by_any(here))))

    def _owns(self, rule: TenantRule, name: str, target: str) -> bool:
        return models_named(rule.owns, name).accepts(target)

    def _is_outside(
        self, rule: TenantRule, endpoint: Endpoint, name: str, target: str | None
    ) -> bool:
        """Whether a TargetModel (None: no TargetModel) is beyond the wall of a tenant.

        Of others' models only those are told that the tenant does not own, and that no pattern
        shares: a proof says more, an attack on it may say less.
        """
        if target is None:
            return True
        own = endpoint in rule.endpoints and self._owns(rule, name, target)
        return not own and not self.asker.models(self.asker.manifest.shared).accepts(target)

    # -- reaches, can, cannot ----------------------------------------------------------------

    def reaches(self, rule: TenantRule, endpoint: Endpoint) -> Answered:
        """For all names: one of the tenant's principals can invoke each model that it owns."""
        arn = rule.members[0].principal.arn
        draft = replace(
            _draft(Question.REACHES, rule, arn, endpoint), more_principals=len(rule.members) - 1
        )
        actions = target_model_actions()
        first, *others = rule.members
        inquiry = self._inquiry(rule, first, endpoint, actions)
        inquiries = [inquiry, *(replace(inquiry, member=member) for member in others)]
        return self._covered(draft, rule, inquiries, rule.owns)

    def asserted(
        self, assertion: Assertion, rule: TenantRule, member: Member, endpoint: Endpoint
    ) -> Answered:
        """What a reviewer asserted of all tenants of a rule, for one principal and endpoint."""
        question = Question.CAN if assertion.can else Question.CANNOT
        arn = member.principal.arn
        draft = replace(_draft(question, rule, arn, endpoint), assertion=assertion.name)
        target = assertion.target_model
        patterns = None if target is None else (target,)
        if not assertion.can:
            return self._cannot(draft, assertion, rule, member, endpoint)
        return all_of(
            self._covered(draft, rule, [self._inquiry(rule, member, endpoint, (action,))], patterns)
            for action in assertion.actions
        )

    def _cannot(
        self,
        draft: Finding,
        assertion: Assertion,
        rule: TenantRule,
        member: Member,
        endpoint: Endpoint,
    ) -> Answered:
        target = assertion.target_model
        forbidden: Term = True if target is None else models_of((target,), NAME)

        def is_forbidden(name: str, model: str | None) -> bool:
            if target is None:
                return True
            return model is not None and models_named((target,), name).accepts(model)

        def ask(inquiry: RuleInquiry) -> list[Finding]:
            found = self.asker.answer(inquiry, forbidden, draft)
            return [] if found is None else [_with_names(found)]

        inquiry = self._inquiry(rule, member, endpoint, assertion.actions)
        models = () if target is None else (target,)
        promise = self._denies(inquiry, is_forbidden, models)
        attack = partial(self._attack, inquiry, promise)
        return self.asker.proved_unless(inquiry, ask, draft, promise, attack)

    def _covered(
        self,
        draft: Finding,
        rule: TenantRule,
        inquiries: Sequence[RuleInquiry],
        patterns: tuple[str, ...] | None,
    ) -> Answered:
        models = neg(HAS_TARGET) if patterns is None else models_of(patterns, NAME)
        words = None if patterns is None else self._words(rule, patterns)
        answered = self.asker.covered(draft, inquiries, models, words)
        return replace(answered, findings=tuple(map(_with_names, answered.findings)))

    def _words(self, rule: TenantRule, patterns: tuple[str, ...]) -> Words:
        def to(covered: Covered, name: str) -> Allows:
            put = tuple(pattern.replace(PLACEHOLDER, name) for pattern in patterns)
            owns = models_named(patterns, name).accepts
            return Allows(covered, owns, partial(_put_model, name), put)

        def promise(covered: Covered) -> OfEachTenant:
            return OfEachTenant(rule, self._texts_near(rule.members[0]), partial(to, covered))

        return Words(partial(self._models_to_try, rule, patterns), promise)

    def _inquiry(
        self, rule: TenantRule, member: Member, endpoint: Endpoint, actions: tuple[str, ...]
    ) -> RuleInquiry:
        budget = Budget.of(self.asker.timeout)
        reading = self.asker.reading
        ledger = self.asker.ledger()
        return RuleInquiry(
            member, endpoint, actions, reading, budget, ledger, rule=rule, victim=rule
        )

    # -- attacks -----------------------------------------------------------------------------

    def _denies(
        self, inquiry: RuleInquiry, is_forbidden: IsForbidden, models: tuple[str, ...] = ()
    ) -> OfEachTenant:
        """The promise to the tenant of each name; leaks lie near other tenants' models, too."""
        rule, member = inquiry.rule, inquiry.member
        patterns = (*models, *rule.owns)

        @cache
        def neighbours() -> list[str]:
            try:
                return self.names_to_try(rule, member)
            except BudgetExceededError:
                return []  # An attack goes on without them.

        def to(name: str) -> Denies:
            one = replace(member, principal=named(member.principal, name))
            budget = Budget.of(self.asker.timeout)
            alone = Inquiry(one, inquiry.endpoint, inquiry.actions, inquiry.reading, budget)
            names = dict.fromkeys((name, *neighbours()))
            near = [p.replace(PLACEHOLDER, each) for p in patterns for each in names]
            return self.asker.denies(alone, partial(is_forbidden, name), near)

        return OfEachTenant(rule, self._texts_near(member), to)

    def _attack(self, inquiry: RuleInquiry, promise: OfEachTenant) -> Attacked:
        """Evaluate requests of tenants with some names; none of the forbidden may be allowed.

        Raises:
            DisagreementError: one is, though the prover says that none can be.
        """
        attacks: list[Attacked] = []
        for name in self.names_to_try(inquiry.rule, inquiry.member):
            to_one = promise.to(name)
            assert isinstance(to_one, Denies)
            attacks.append(self.asker.attack(to_one))
        probes = [probe for attack in attacks for probe in attack.probes]
        chosen = tuple(sampled(probes, self.asker.samples))
        return Attacked(sum(attack.tried for attack in attacks), chosen)

    def names_to_try(self, rule: TenantRule, member: Member) -> list[str]:
        """Names of a rule near each other, and near what the policies and shared patterns say."""
        budget = Budget.of(self.asker.timeout)
        found: list[str] = []
        while len(found) < _SAMPLES // 2:
            taken = [Language(map(literal, found)), language(*rule.excluded)]
            name = shortest([rule.names], taken, Domain(min_length=1), budget)
            if name is None:
                break
            found.append(name)
        said = self._texts_near(member)
        beside = [name + char for name in found[:1] for char in "a-_0/"]
        twins = [name.swapcase() for name in found[:1]]
        more = (n for n in (*said, *beside, *twins) if rule.admits(n))
        return list(islice(dict.fromkeys([*found, *more]), _SAMPLES))

    def _texts_near(self, member: Member) -> tuple[str, ...]:
        """What stands between slashes in the policies and in shared patterns."""
        texts = policy_texts(member.policies, TARGET_MODEL, member.principal)
        shared = self.asker.manifest.shared
        return tuple(dict.fromkeys(p for text in (*texts, *shared) for p in text.split("/")))

    def _models_to_try(
        self, rule: TenantRule, patterns: tuple[str, ...]
    ) -> Iterator[tuple[str, Retarget]]:
        for name in self.names_to_try(rule, rule.members[0]):
            put = tuple(pattern.replace(PLACEHOLDER, name) for pattern in patterns)
            models = models_named(patterns, name)
            for word in near(put, target_model_domain()):
                if models.accepts(word):
                    yield f'"{word}" to "{name}"', _put_model(name, word)


def _draft(question: Question, rule: TenantRule, arn: str, endpoint: Endpoint) -> Finding:
    return Finding(question, Verdict.PROVED, rule.name, arn, endpoint.arn, for_all=True)


def _put_model(name: str, word: str) -> Retarget:
    return partial(_retarget, name, word)


def _retarget(name: str, target: str, request: Request) -> Request:
    assert isinstance(request, NamedRequest)
    return request.of(name, target)


def _with_names(finding: Finding) -> Finding:
    request = finding.request
    if not isinstance(request, NamedRequest):
        return finding
    keys = {NAME: "tenant", OTHER: "other"}
    names = {keys[subject]: name for subject, name in request.names.items()}
    return replace(finding, names=names)
