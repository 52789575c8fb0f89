"""Two sets of policies side by side: which requests they decide differently.

The bridge between the questions and the prover: it compiles both sides over one space, turns
witnesses into requests, and replays each through the evaluator on both sides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from tenantproof.compare.answers import Way
from tenantproof.compare.readable import readable
from tenantproof.compare.request import Builder, Values
from tenantproof.compare.space import TYPICAL_TAG, mentioned, request_space, rules
from tenantproof.errors import DisagreementError
from tenantproof.evaluate import Decision, decide
from tenantproof.policy import Stack
from tenantproof.prove import (
    ACTION,
    RESOURCE,
    Atom,
    Budget,
    Compiled,
    Domain,
    Opaque,
    RequestSpace,
    Term,
    compile_policies,
    conj,
    neg,
    substitute,
)
from tenantproof.prove.learned import Learned
from tenantproof.prove.solver import Blocked, Solver, Witness
from tenantproof.reading import Ambiguity, Reading
from tenantproof.request import PRINCIPAL_TAG_PREFIX, Principal, Request

_PATIENCE = 2.0
"""Seconds to look for a smaller request once there is one."""


@dataclass(frozen=True)
class Side:
    """One set of policies, and who calls; None where that is free."""

    stack: Stack
    principal: Principal | None = None


@dataclass(frozen=True)
class Requests:
    """One request as each side sees it: with its own principal."""

    old: Request
    new: Request


@dataclass
class Inquiry:
    """Two sides under one reading.

    Attributes:
        old: one side.
        new: the other.
        reading: the choices where the reference hedges.
        budget: what all searches together may cost.
        learned: what the prover's theories said so far, under any reading.
        actions: the only actions asked about; any where there are none.
        resources: the only resources asked about; any where there are none.
        tags: the names of tags that the caller has, each with some text, where it is free.
        was_shortest: whether every request smaller than the last one found was excluded.
    """

    old: Side
    new: Side
    reading: Reading
    budget: Budget
    learned: Learned = field(default_factory=Learned)
    actions: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    was_shortest: bool = field(default=True, init=False)

    @cached_property
    def space(self) -> RequestSpace:
        """The requests, as NEW's principal makes them."""
        space = request_space((self.old.stack, self.new.stack), self.new.principal)
        asked = {ACTION: self.actions, RESOURCE: self.resources}
        only = {subject: Domain(values=values) for subject, values in asked.items() if values}
        tags = [PRINCIPAL_TAG_PREFIX + name.lower() for name in self.tags]
        return replace(
            space,
            domains={**space.domains, **only, **dict.fromkeys(tags, Domain(min_length=1))},
            always={**space.always, **dict.fromkeys(tags, TYPICAL_TAG)},
        )

    @cached_property
    def _old_space(self) -> RequestSpace:
        return replace(self.space, principal=self.old.principal)

    @cached_property
    def names(self) -> dict[str, str]:
        """The condition keys that either side mentions, lower case to as written."""
        return dict(mentioned((self.new.stack, self.old.stack)))

    @cached_property
    def _compiled(self) -> tuple[Compiled, Compiled]:
        old = compile_policies(self.old.stack, self._old_space, self.reading)
        if self.old.principal != self.new.principal:
            old = replace(old, allowed=substitute(old.allowed, _of_old))
        return old, compile_policies(self.new.stack, self.space, self.reading)

    @cached_property
    def _rules(self) -> Term:
        old, new = self._compiled
        return conj((rules(self.space, (self.old.stack, self.new.stack)), old.ties, new.ties))

    @cached_property
    def _solver(self) -> Solver:
        old, new = self._compiled
        multivalued = old.multivalued | new.multivalued
        return Solver(
            self.space, multivalued, self.budget, learned=self.learned, patience=_PATIENCE
        )

    @property
    def ambiguities(self) -> frozenset[Ambiguity]:
        """The hedges of the reference that the policies' text touches."""
        old, new = self._compiled
        return old.ambiguities | new.ambiguities

    @property
    def engines(self) -> tuple[str, ...]:
        """What decided the answers so far."""
        return tuple(sorted(self._solver.engines))

    def under(self, reading: Reading) -> Inquiry:
        """The same inquiry under another reading."""
        return replace(self, reading=reading)

    def smallest(self, way: Way) -> Requests | Blocked | None:
        """The smallest request that goes one way, replayed through the evaluator.

        Returns:
            The request; None where there is none; Blocked where the model cannot tell.

        Raises:
            DisagreementError: the evaluator decides otherwise.
        """
        old, new = (compiled.allowed for compiled in self._compiled)
        # Where both sides say the same, nothing is left to search.
        if old == new and way is not Way.SHARED:
            return None
        asked = conj((old if way.by_old else neg(old), new if way.by_new else neg(new)))
        found = self._solver.smallest(conj((asked, self._rules)))
        if not isinstance(found, Witness):
            return found
        self.was_shortest = found.shortest
        requests = self.build(found.action, found.resource, found.keys)
        self._replay(requests, way)
        return readable(self, requests, found, way)

    def is_free(self, key: str) -> bool:
        """Whether neither side's principal, nor anything else, decides a key."""
        return all(space.known(key) is True for space in (self._old_space, self.space))

    def build(self, action: str, resource: str, values: Values) -> Requests:
        """The request with some values, as each side sees it."""
        old = Builder(self._old_space, self.names).request(action, resource, values)
        return Requests(old, Builder(self.space, self.names).request(action, resource, values))

    def decisions(self, requests: Requests) -> tuple[Decision, Decision]:
        """What the evaluator decides for OLD and for NEW."""
        return (
            decide(self.old.stack, requests.old, self.reading),
            decide(self.new.stack, requests.new, self.reading),
        )

    def goes(self, requests: Requests, way: Way) -> bool:
        """Whether the evaluator's decisions go one way."""
        old, new = self.decisions(requests)
        return (old.allowed, new.allowed) == (way.by_old, way.by_new)

    def _replay(self, requests: Requests, way: Way) -> None:
        if not self.goes(requests, way):
            old, new = self.decisions(requests)
            raise DisagreementError(
                f"the symbolic model has {requests.new} as {way.value}; the evaluator says"
                f" {old.outcome.value} for OLD, {new.outcome.value} for NEW:"
                f" {'; '.join(_reasons(old))} | {'; '.join(_reasons(new))}"
            )


def _of_old(atom: Atom) -> Term:
    """An atom of OLD's: what has no model may depend on the principal, and is no atom of NEW's."""
    if isinstance(atom, Opaque):
        return replace(atom, operator=f"for the principal of OLD, {atom.operator}")
    return atom


def _reasons(decision: Decision) -> Iterator[str]:
    for result in decision.results:
        applies = "applies" if result.applies else "does not apply"
        yield f"{result.statement.name} {applies} ({result.checks[-1].because})"
