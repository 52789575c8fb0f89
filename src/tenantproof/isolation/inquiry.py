"""One principal at one endpoint: its space of requests, and smallest requests in it.

The bridge between the questions and the prover: it builds the space, compiles the policies, turns
witnesses into requests, and replays each through the evaluator before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self, TypeVar

from tenantproof.errors import DisagreementError
from tenantproof.evaluate import Decision, decide
from tenantproof.isolation.findings import Probe
from tenantproof.isolation.manifest import Endpoint, Member
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    target_model_actions,
    target_model_domain,
)
from tenantproof.isolation.substitution import spelled_out
from tenantproof.policy import Access
from tenantproof.prove import (
    Budget,
    Compiled,
    Language,
    Present,
    RequestSpace,
    Some,
    Term,
    compile_policies,
    conj,
    neg,
)
from tenantproof.prove.concrete import holds
from tenantproof.prove.engines import EnginesDisagreeError, Ledger, Prover
from tenantproof.prove.languages import literal
from tenantproof.prove.principals import keys_of
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.prove.space import ALWAYS_PRESENT, GLOBAL_DOMAINS
from tenantproof.reading import Ambiguity, Reading
from tenantproof.request import ContextValue, Request

TARGET = TARGET_MODEL.lower()

HAS_TARGET = Present(TARGET)
"""The request names a TargetModel."""


def target_in(models: Language) -> Term:
    """The request's TargetModel is in a language."""
    return Some(TARGET, models)


@dataclass
class Inquiry:
    """What a member of a tenant can do at an endpoint, under one reading.

    Attributes:
        member: the principal and its policies.
        endpoint: the endpoint.
        actions: the actions asked about.
        reading: the choices where the reference hedges.
        budget: what all searches together may cost.
        ledger: the engines that searches are put to, and what they answered.
        was_shortest: whether every request smaller than the last one returned was excluded.
    """

    member: Member
    endpoint: Endpoint
    actions: tuple[str, ...]
    reading: Reading
    budget: Budget
    ledger: Ledger = field(default_factory=Ledger)
    was_shortest: bool = field(default=True, init=False)

    @cached_property
    def access(self) -> Access:
        """Both sides of the requests; an endpoint has no policy of its own."""
        return Access(self.member.policies, None, self.endpoint.resource_control_policies)

    @cached_property
    def compiled(self) -> Compiled:
        """The policies' formula over the space."""
        return compile_policies(self.access, self._space, self.reading)

    @cached_property
    def _space(self) -> RequestSpace:
        own = keys_of(self.member.principal.arn)
        return RequestSpace(
            principal=self.member.principal,
            actions=self.actions,
            resources=(self.endpoint.arn,),
            fixed={
                "aws:requestedregion": self.endpoint.region,
                "aws:resourceaccount": self.endpoint.account,
                "aws:principalisawsservice": "false",
            },
            domains={**GLOBAL_DOMAINS, **own.domains, TARGET: target_model_domain()},
            only_with={TARGET: target_model_actions()},
            single_valued=frozenset({TARGET}),
            always={**ALWAYS_PRESENT, **own.always},
        )

    @cached_property
    def _solver(self) -> Prover:
        return self.ledger.prover(self.compiled.space, self.compiled.multivalued, self.budget)

    def smallest(self, formula: Term) -> Request | Blocked | None:
        """The smallest request of the space that fulfils a formula; see :meth:`Solver.smallest`."""
        try:
            found = self._solver.smallest(conj((self.compiled.space.rules(), formula)))
        except EnginesDisagreeError as error:
            raise DisagreementError(f"{error}{self._replayed(error.witness)}") from error
        if isinstance(found, Witness):
            self.was_shortest = found.shortest
            return self.request(found)
        return found

    def _replayed(self, witness: Witness | Blocked) -> str:
        if isinstance(witness, Blocked):
            return ""
        request = self.request(witness)
        decision = self.decide(request)
        return f"; the evaluator says {decision.outcome.value} of {request}: {reasons(decision)}"

    def smallest_allowed(self, formula: Term) -> Request | Blocked | None:
        """The smallest allowed request that fulfils a formula, replayed through the evaluator.

        Raises:
            DisagreementError: the evaluator does not allow it.
        """
        found = self.smallest(conj((self.compiled.allowed, formula)))
        if isinstance(found, Request):
            self.replay(found)
        return found

    def request(self, witness: Witness) -> Request:
        """The request of a witness: the keys that it needs, by the names that the policies use.

        Keys that every request has are stated where the policies mention them.
        """
        names = {TARGET: TARGET_MODEL, **self.compiled.mentioned}
        chosen = {names[key]: value for key, value in witness.keys.items()}
        context = dict(sorted({**self.given_keys, **chosen}.items()))
        return Request(self.member.principal, witness.action, witness.resource, context)

    @property
    def given_keys(self) -> dict[str, ContextValue]:
        """The keys that the policies mention and every request has, with their typical value."""
        given = {**self._space.always, **self._space.fixed}
        own = self.member.principal.keys
        return {
            name: given[key]
            for key, name in self.compiled.mentioned.items()
            if key in given and (key in self._space.fixed or key not in own)
        }

    @property
    def asked_about(self) -> frozenset[str]:
        """The subjects that a question about each model ranges over."""
        return frozenset({TARGET})

    def same_model(self, request: Request) -> Term:
        """The requests with the TargetModel of ``request``, or without one as it is."""
        target = request.keys.get(TARGET)
        if not isinstance(target, str):
            return neg(HAS_TARGET)
        return inside(Language([literal(target)]))

    def texts_of(self, request: Request) -> Mapping[str, str]:
        """The values that a request's subjects have, those with several values aside."""
        return {key: value for key, value in request.keys.items() if isinstance(value, str)}

    def fulfils(self, request: Request, formula: Term) -> bool:
        """Whether a request is known to fulfil a formula, whatever it rests on."""
        return holds(formula, request) is True

    def decide(self, request: Request) -> Decision:
        """The evaluator's decision on a request."""
        return decide(self.access, request, self.reading)

    def probe(self, request: Request) -> Probe:
        """A request with the policies that decide it, for somebody else to be asked about.

        Raises:
            DisagreementError: with a tenant's name in its place the policies say something else.
        """
        decision = self.decide(request)
        access, plain = spelled_out(self.access, request)
        if plain is request:
            return Probe(request, access, decision)
        again = decide(access, plain, self.reading)
        if again.outcome is not decision.outcome:
            raise DisagreementError(
                f"the policies of all tenants say {decision.outcome.value} of {request}, those of"
                f" its tenant {again.outcome.value}"
            )
        return Probe(plain, access, again)

    def replay(self, request: Request) -> Decision:
        """The evaluator's decision on a request that the model says is allowed.

        Raises:
            DisagreementError: the evaluator says otherwise.
        """
        decision = self.decide(request)
        if not decision.allowed:
            raise DisagreementError(
                f"the symbolic model allows {request}, the evaluator says"
                f" {decision.outcome.value}: {reasons(decision)}"
            )
        return decision

    @property
    def engines(self) -> tuple[str, ...]:
        """What decided the answers so far."""
        return tuple(sorted(self._solver.engines))

    @property
    def ambiguities(self) -> frozenset[Ambiguity]:
        """The hedges of the reference that the policies' text touches."""
        return self.compiled.ambiguities

    def under(self, reading: Reading) -> Self:
        """The same inquiry under another reading."""
        return replace(self, reading=reading)

    @property
    def free_keys(self) -> tuple[str, ...]:
        """The condition keys that requests of the space may hold or not, as the policies name them.

        ``sagemaker:TargetModel`` is not among them.
        """
        return tuple(
            name
            for key, name in sorted(self.compiled.mentioned.items())
            if key != TARGET and self._space.present(key) not in (True, False)
        )

    @property
    def chosen_keys(self) -> tuple[str, ...]:
        """The condition keys that every request holds, with a value that it chooses."""
        return tuple(
            name
            for key, name in sorted(self.compiled.mentioned.items())
            if key in self._space.always and self._space.known(key) is True
        )


InquiryT = TypeVar("InquiryT", bound=Inquiry)


def outside(models: Language) -> Term:
    """The request's TargetModel is not in a language."""
    return conj((HAS_TARGET, neg(target_in(models))))


def inside(models: Language) -> Term:
    """The request has a TargetModel, and it is in a language."""
    return conj((HAS_TARGET, target_in(models)))


def reasons(decision: Decision) -> str:
    """Why each statement had its part in a decision, for messages."""
    return "; ".join(
        f"{result.statement.name} {'applies' if result.applies else 'does not apply'}"
        f" ({result.checks[-1].because})"
        for result in decision.results
    )
