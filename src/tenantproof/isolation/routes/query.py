"""One request on a way: who may make it, with which values, and the steps that it stands for.

The twin of :class:`tenantproof.isolation.inquiry.Inquiry` for requests of any service, by whoever
one has become: it builds the space, compiles the policies of both sides, turns witnesses into
steps, and replays each through the evaluator before anyone sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, cached_property

from tenantproof.account import Identity
from tenantproof.errors import DisagreementError
from tenantproof.evaluate import decide
from tenantproof.isolation.blame import blame
from tenantproof.isolation.findings import Step
from tenantproof.isolation.inquiry import reasons
from tenantproof.isolation.routes.filters import Same
from tenantproof.isolation.routes.past import NOTHING, Past, Rename, both, past_of
from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    target_model_actions,
    target_model_domain,
)
from tenantproof.policy import Access, PolicyDocument, PolicySet
from tenantproof.prove import (
    RESOURCE,
    Budget,
    Compiled,
    Domain,
    RequestSpace,
    Term,
    compile_policies,
    conj,
)
from tenantproof.prove.engines import Ledger
from tenantproof.prove.principals import keys_of
from tenantproof.prove.solver import Blocked, Witness
from tenantproof.prove.space import ALWAYS_PRESENT, GLOBAL_DOMAINS
from tenantproof.reading import Ambiguity, Reading
from tenantproof.request import PRINCIPAL_TAG_PREFIX, ContextValue, Principal, Request

TARGET = TARGET_MODEL.lower()
HOSTNAME = "sagemaker:targetcontainerhostname"
S3_PREFIX = "s3:prefix"
REQUEST_TAG = "aws:requesttag/"
TAG_KEYS = "aws:tagkeys"

RESOURCE_ACCOUNT = "aws:resourceaccount"
PASSED_TO = "iam:passedtoservice"
POLICY_ARN = "iam:policyarn"
BOUNDARY = "iam:permissionsboundary"

_NAMES = {
    key.lower(): key
    for key in (
        TARGET_MODEL,
        "sagemaker:TargetContainerHostname",
        "aws:ResourceAccount",
        "aws:TagKeys",
        "iam:PassedToService",
        "iam:PolicyARN",
        "iam:PermissionsBoundary",
    )
}
"""Keys as the reference writes them, where no policy does."""

LIST_ACTIONS = ("s3:ListBucket", "s3:ListBucketVersions")

TAG_VALUE = Domain(max_length=256)
"""The values of a tag ("Tagging IAM resources")."""

_TYPICAL_TAG = "x"
_STEP = "<step {}> "


Steps = Callable[[], tuple[Step, ...]]
"""Steps that are made when a report shows them: most ways that are followed lead nowhere."""


def steps_of(make: Steps) -> Steps:
    """The same steps, made once."""
    return cache(make)


def no_steps() -> tuple[Step, ...]:
    """The steps of who begins."""
    return ()


@dataclass(frozen=True)
class Who:
    """A user or a role's session, with every policy that applies to it.

    Attributes:
        principal: who makes the requests, with the tags whose value is fixed.
        policies: the caller's side.
        identity: the user or role behind it; None of a principal that no source describes.
        chosen: the names of its tags whose value the attacker chose on the way.
        own_tags: of those the names of its identity's tags, which no session passes on.
        past: what the way so far asks of those values.
        hops: how it came to be who it is; empty of who begins.
        doubts: what it hangs on whether the way is open; empty where it is known to be.
        transitive: the names of its session tags that stay where it assumes another role.
        arrival: makes the steps by which it came to be who it is, with some values for what was
            chosen.
    """

    principal: Principal
    policies: PolicySet
    identity: Identity | None = None
    chosen: tuple[str, ...] = ()
    own_tags: tuple[str, ...] = ()
    past: Past = field(default=NOTHING, compare=False, repr=False)
    hops: tuple[Hop, ...] = field(default=(), compare=False, repr=False)
    doubts: tuple[str, ...] = ()
    transitive: tuple[str, ...] = ()
    arrival: Steps = field(default=no_steps, compare=False, repr=False)

    @property
    def chosen_keys(self) -> frozenset[str]:
        """The condition keys of the tags that the attacker chose."""
        return frozenset(PRINCIPAL_TAG_PREFIX + name.lower() for name in self.chosen)

    @property
    def arn(self) -> str:
        """The principal's ARN."""
        return self.principal.arn

    @property
    def account(self) -> str:
        """The account of the principal."""
        return self.arn.split(":")[4] if ":" in self.arn else ""

    @property
    def partition(self) -> str:
        """The partition of the principal's ARN."""
        return self.arn.split(":")[1]

    @cached_property
    def state(self) -> tuple[object, ...]:
        """What tells it from others, however it came to be who it is.

        The policies of an identity are always the same ones, but where a change was made.
        """
        tags = tuple(sorted((k, v) for k, v in self.principal.keys.items() if isinstance(v, str)))
        policies = tuple(
            (layer.kind, layer.level, *map(Same, layer.policies))
            for layer in self.policies.layers()
        )
        return self.arn, tags, policies, self.chosen, self.past, self.doubts, self.transitive

    @property
    def names(self) -> tuple[str, ...]:
        """What a Principal element may name it by: its ARNs, and its account."""
        of_role = () if self.identity is None else (self.identity.arn,)
        return (self.arn, *of_role, self.account)

    @property
    def name(self) -> str:
        """How steps name it: the last field of its ARN."""
        return self.arn.split(":", 5)[5]


@dataclass(frozen=True)
class Hop:
    """Something done on the way.

    Attributes:
        steps: makes its steps, where none of their values is chosen together with later ones.
        query: the query behind them, where some are; its subjects' names then begin with ``prefix``
            in the values that are found.
        prefix: see there.
        passed: the names of the tags that its request gives a value to.
        kept: the names of the tags that who it leads to has the same value of as before.
    """

    steps: Steps = no_steps
    query: Query | None = None
    prefix: str = ""
    passed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


@dataclass(frozen=True)
class Companion:
    """A request that must be allowed together with another one, with values in common.

    Attributes:
        query: the request.
        past: what it asks, with its subjects as the other request names them.
        prefix: what the names of its own subjects begin with there; empty where it has none.
        resource: its resource, by the values found for the other one.
        effect: what comes of it.
        first: whether it comes before the other one.
        own: what the names of those subjects begin with that it does not share, where it shares
            the rest.
    """

    query: Query
    past: Past
    prefix: str
    resource: Callable[[Witness], str]
    effect: str
    first: bool = False
    own: str | None = None

    @classmethod
    def of(
        cls,
        query: Query,
        rename: Rename,
        prefix: str,
        resource: Callable[[Witness], str],
        effect: str,
        *,
        first: bool = False,
    ) -> Companion:
        """The companion whose subjects are renamed so."""
        compiled = query.compiled
        past = past_of(query.space, compiled.multivalued, (compiled.allowed,), rename)
        return cls(query, past, prefix, resource, effect, first)


@dataclass
class Query:
    """Requests of one kind by somebody.

    Attributes:
        who: who makes them.
        access: the policies that decide them.
        actions: the actions to choose from.
        resources: the resources to choose from; any text where there are none.
        effect: what comes of one that is allowed, as a phrase.
        reading: the choices where the reference hedges.
        budget: what all searches together may cost.
        ledger: the engines that searches are put to.
        fixed: keys (in lower case) with the value that every request has.
        absent: keys (in lower case) that none has.
        always: keys (in lower case) that each has, with a typical value.
        domains: the values of further subjects.
        account: the account of the resource, where its ARN does not say it.
        region: the region that the request is made in, where it is known.
        companions: further requests that must be allowed with it.
        names: condition keys by how reports write them.
    """

    who: Who
    access: Access
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    effect: str
    reading: Reading
    budget: Budget
    ledger: Ledger
    fixed: Mapping[str, ContextValue] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    always: Mapping[str, str] = field(default_factory=dict)
    domains: Mapping[str, Domain] = field(default_factory=dict)
    account: str | None = None
    region: str | None = None
    companions: tuple[Companion, ...] = ()

    @cached_property
    def compiled(self) -> Compiled:
        """The policies' formula over the space."""
        return compile_policies(self.access, self.space, self.reading)

    @cached_property
    def space(self) -> RequestSpace:
        """The requests to choose from."""
        own = keys_of(self.who.arn)
        past = self._past
        # Of who is only doubtful, which of the tags were given may be open, too.
        tags = {} if self.who.doubts else dict.fromkeys(self.who.chosen_keys, _TYPICAL_TAG)
        return RequestSpace(
            principal=self.who.principal,
            actions=self.actions,
            resources=self.resources,
            fixed=self._fixed,
            domains={
                **GLOBAL_DOMAINS,
                **own.domains,
                **dict.fromkeys(self.who.chosen_keys, TAG_VALUE),
                TARGET: target_model_domain(),
                **({} if self.resources else {RESOURCE: Domain(min_length=1)}),
                **past.domains,
                **self.domains,
            },
            only_with={TARGET: target_model_actions(), S3_PREFIX: LIST_ACTIONS},
            single_valued=frozenset({TARGET, HOSTNAME, S3_PREFIX}),
            always={**ALWAYS_PRESENT, **own.always, **tags, **past.always, **self.always},
            given=past.term,
            chosen=self.who.chosen_keys,
            absent=self.absent,
        )

    @property
    def _fixed(self) -> dict[str, ContextValue]:
        fixed: dict[str, ContextValue] = {"aws:principalisawsservice": "false", **self.fixed}
        if self.account is not None:
            fixed[RESOURCE_ACCOUNT] = self.account
        if self.region is not None:
            fixed["aws:requestedregion"] = self.region
        return fixed

    @cached_property
    def _past(self) -> Past:
        past = self.who.past
        for companion in self.companions:
            past = both(past, companion.past)
        return past

    @property
    def ambiguities(self) -> frozenset[Ambiguity]:
        """The hedges of the reference that the policies' text touches."""
        of_companions = (companion.query.ambiguities for companion in self.companions)
        return self.compiled.ambiguities.union(*of_companions)

    @cached_property
    def _multivalued(self) -> frozenset[str]:
        return self.compiled.multivalued | self._past.multivalued

    def is_plainly_allowed(self) -> bool:
        """Whether the evaluator allows the request with nothing in it that could be left out.

        Then the prover need not be asked whether one is allowed. False where a policy has something
        unknown: what that says the evaluator does not ask.
        """
        if len(self.actions) > 1 or len(self.resources) != 1 or self.always:
            return False
        if not self.can_be_tried:
            return False
        own = self.who.principal.keys
        typical = {**ALWAYS_PRESENT, **keys_of(self.who.arn).always}
        context = {key: value for key, value in typical.items() if key not in own}
        request = Request(
            self.who.principal, self.actions[0], self.resources[0], {**context, **self._fixed}
        )
        return decide(self.access, request, self.reading).allowed

    @property
    def can_be_tried(self) -> bool:
        """Whether a request that the evaluator allows is a way.

        It is none where a policy has something unknown, which the evaluator does not ask, and where
        values were chosen on the way, which are to be found together.
        """
        accesses = (self.access, *(companion.query.access for companion in self.companions))
        unknown = any(
            _has_unknown(document)
            for access in accesses
            for layer in access.layers()
            for document in layer.policies
        )
        return not (unknown or self.who.chosen or self.who.doubts)

    @property
    def plain(self) -> Witness:
        """The values of the request with nothing in it that could be left out."""
        return Witness(self.actions[0], self.resources[0], {}, 0)

    def smallest(self, formula: Term = True) -> Witness | Blocked | None:
        """The smallest values with which the request is allowed and fulfils a formula.

        Raises:
            BudgetExceededError: none was found within the budget.
        """
        if self.compiled.allowed is False or self._past.term is False or formula is False:
            return None
        prover = self.ledger.prover(self.space, self._multivalued, self.budget)
        return prover.smallest(conj((self.space.rules(), self.compiled.allowed, formula)))

    def steps(self, witness: Witness) -> tuple[Step, ...]:
        """The steps of a way that ends with this request, each replayed through the evaluator.

        Raises:
            DisagreementError: the evaluator does not allow one of them.
        """
        return (*self._before(witness), *self._here(witness, ""))

    def arrival(self, witness: Witness, passed: tuple[str, ...]) -> tuple[Step, ...]:
        """As :meth:`steps`, with the values found for tags that the request itself passes on."""
        own = {name: str(witness.keys.get(REQUEST_TAG + name.lower(), "x")) for name in passed}
        return (*self._before(witness), *self._here(witness, "", own))

    def is_allowed_as(self, witness: Witness) -> bool:
        """Whether the evaluator allows this request and its companions with some values."""
        for companion in self.companions:
            beside = replace(
                witness,
                action=companion.query.actions[0],
                resource=companion.resource(witness),
            )
            request = companion.query.request(beside, companion.prefix, {})
            if not decide(companion.query.access, request, self.reading).allowed:
                return False
        return decide(self.access, self.request(witness, "", {}), self.reading).allowed

    def _before(self, witness: Witness) -> Iterator[Step]:
        """The steps of the hops, those that were left open with the values found now."""
        left_open = tuple(hop for hop in self.who.hops if hop.query is not None)
        for hop in self.who.hops:
            if hop.query is None:
                yield from hop.steps()
            else:
                later = left_open[left_open.index(hop) + 1 :]
                passed = {name: _value(name, later, witness) for name in hop.passed}
                kept = {name: _value(name, later, witness) for name in hop.kept}
                yield from hop.query.filled(witness, hop.prefix, passed, kept)

    def filled(
        self,
        witness: Witness,
        prefix: str,
        passed: Mapping[str, str],
        kept: Mapping[str, str],
    ) -> Iterator[Step]:
        """The steps of this request alone, of values found for a later one.

        Args:
            witness: the values of all requests of the way.
            prefix: what the names of this one's subjects begin with.
            passed: the tags that it gives a value to, by name.
            kept: the caller's tags that are named as the later request's.
        """
        keys = {k.removeprefix(prefix): v for k, v in witness.keys.items() if k.startswith(prefix)}
        keys |= {PRINCIPAL_TAG_PREFIX + name.lower(): value for name, value in kept.items()}
        own = replace(witness, action=self.actions[0], resource=self.resources[0], keys=keys)
        yield from self._here(own, "", passed)

    def _here(
        self, witness: Witness, prefix: str, passed: Mapping[str, str] | None = None
    ) -> Iterator[Step]:
        for companion in self.companions:
            if companion.first:
                yield from companion.query.as_companion(companion, witness, passed)
        yield self.step(self.request(witness, prefix, passed or {}))
        for companion in self.companions:
            if not companion.first:
                yield from companion.query.as_companion(companion, witness, passed)

    def as_companion(
        self, companion: Companion, witness: Witness, passed: Mapping[str, str] | None
    ) -> Iterator[Step]:
        """The step of this request beside the one whose companion it is."""
        action = witness.action if witness.action in self.actions else self.actions[0]
        keys = {**witness.keys}
        if companion.own is not None:
            only_its = (key for key in witness.keys if key.startswith(companion.own))
            keys |= {key.removeprefix(companion.own): witness.keys[key] for key in only_its}
        own = replace(witness, action=action, resource=companion.resource(witness), keys=keys)
        request = self.request(own, companion.prefix, passed or {})
        yield replace(self.step(request), effect=companion.effect)

    def request(self, witness: Witness, prefix: str, passed: Mapping[str, str]) -> Request:
        """The request of a witness.

        Args:
            witness: the values.
            prefix: what the names of this request's subjects begin with.
            passed: the tags that it passes on, by name.
        """
        own = {
            key.removeprefix(prefix): value
            for key, value in witness.keys.items()
            if key.startswith(prefix) and not key.removeprefix(prefix).startswith("<")
        }
        names = {**_NAMES, **self.compiled.mentioned}
        tags = _tags(self.who.chosen, witness, prefix)
        context = {
            names.get(key, key): value
            for key, value in {**self._given(witness.resource), **own}.items()
            if key not in self.who.chosen_keys
        }
        context |= {f"aws:RequestTag/{name}": value for name, value in passed.items()}
        principal = replace(self.who.principal, tags={**self.who.principal.tags, **tags})
        return Request(principal, witness.action, witness.resource, dict(sorted(context.items())))

    def _given(self, resource: str) -> dict[str, ContextValue]:
        """The keys that every request has, where the policies mention them or they are telling."""
        mentioned = self.compiled.mentioned
        own = self.who.principal.keys
        always = {k: v for k, v in self.space.always.items() if k in mentioned and k not in own}
        telling = self.fixed.keys() & {HOSTNAME, PASSED_TO, POLICY_ARN, TAG_KEYS}
        if resource.split(":", 5)[4:5] == [""]:
            telling.add(RESOURCE_ACCOUNT)
        fixed = {k: v for k, v in self._fixed.items() if k in mentioned or k in telling}
        return {**always, **fixed}

    def step(self, request: Request) -> Step:
        """The step of a request that the prover says is allowed.

        Raises:
            DisagreementError: the evaluator says otherwise.
        """
        decision = decide(self.access, request, self.reading)
        if not decision.allowed:
            raise DisagreementError(
                f"the symbolic model allows {request}, the evaluator says"
                f" {decision.outcome.value}: {reasons(decision)}"
            )
        statements = tuple(b for b in blame(decision, request, self.reading) if b.applies)
        return Step(request, self.effect, statements, self.access)

    # -- who one becomes ---------------------------------------------------------------------

    def leading_to(
        self, who: Who, number: int, passed: tuple[str, ...] = (), kept: tuple[str, ...] = ()
    ) -> Who:
        """Who one is once the request was made, with tags of a value that was chosen.

        Args:
            who: who one is then, but for how it came to that; the tags are among its chosen ones.
            number: how many hops were made before.
            passed: the names of the tags that the request gives a value to.
            kept: the names of those that keep theirs.
        """
        prefix = _STEP.format(number)
        same = {PRINCIPAL_TAG_PREFIX + name.lower() for name in kept}
        given = {REQUEST_TAG + name.lower(): PRINCIPAL_TAG_PREFIX + name.lower() for name in passed}

        def rename(subject: str) -> str:
            if subject.startswith("<step") or subject in same:
                return subject
            return given.get(subject, prefix + subject)

        past = past_of(self.space, self._multivalued, (self.compiled.allowed,), rename)
        hop = Hop(query=self, prefix=prefix, passed=passed, kept=kept)
        return replace(who, past=past, hops=(*self.who.hops, hop))


def _value(name: str, later: Iterable[Hop], witness: Witness) -> str:
    """The value found for a tag of who a hop led to, which later hops may keep."""
    for hop in later:
        if name not in hop.kept:
            return _tags((name,), witness, hop.prefix)[name]
    return _tags((name,), witness, "")[name]


def _tags(names: tuple[str, ...], witness: Witness, prefix: str) -> dict[str, str]:
    """The values found for tags that were chosen, by name."""
    found: dict[str, str] = {}
    for name in names:
        value = witness.keys.get(prefix + PRINCIPAL_TAG_PREFIX + name.lower(), _TYPICAL_TAG)
        assert isinstance(value, str)
        found[name] = value
    return found


def _has_unknown(document: PolicyDocument) -> bool:
    """Whether a policy has a statement of which something is not known."""
    return any(statement.unknown is not None for statement in document.statements)
