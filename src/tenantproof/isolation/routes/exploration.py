"""One principal, one route, one reading of the reference: is there a way?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from tenantproof.errors import BudgetExceededError
from tenantproof.isolation.manifest import Member, Tenant
from tenantproof.isolation.route import Route, RouteSettings
from tenantproof.isolation.routes.become import Becoming
from tenantproof.isolation.routes.change import Changing
from tenantproof.isolation.routes.query import Who
from tenantproof.isolation.routes.reach import Reach
from tenantproof.isolation.routes.ways import Doubt, Outcome, Way
from tenantproof.isolation.routes.world import Asking, World
from tenantproof.prove import Budget
from tenantproof.prove.engines import Ledger
from tenantproof.reading import Ambiguity, Reading

NOBODY = Tenant("", (), (), ())
"""Who is no tenant."""

DIRECT = (Route.TARGET_MODEL, Route.INVOKE, Route.OBJECT)
"""The routes that end at an artifact; the others lead to somebody who can go one of them."""


@dataclass
class Exploration:
    """Looks for a way of one kind.

    Attributes:
        world: the accounts.
        tenant: the tenant whose principal begins.
        member: the principal.
        route: the kind of way.
        reading: the choices where the reference hedges.
        budget: what all searches together may cost.
        ledger: the engines that searches are put to.
        first_only: whether the first victim is enough.
    """

    world: World
    tenant: Tenant
    member: Member
    route: Route
    reading: Reading
    budget: Budget
    ledger: Ledger
    first_only: bool = False

    def __post_init__(self) -> None:
        """The queries that it asks, to know what they met."""
        self._asking = Asking(self.world, self.tenant, self.reading, self.budget, self.ledger)

    @cached_property
    def found(self) -> tuple[Way | None, tuple[Doubt, ...]]:
        """The first way, if any, with everybody whom such ways reach; else the doubts.

        Raises:
            BudgetExceededError: the budget ran out before either was known.
        """
        doubts: dict[Doubt, None] = {}
        way: Way | None = None
        victims: dict[str, None] = {}
        try:
            for outcome in self._outcomes():
                if isinstance(outcome, Doubt):
                    doubts[outcome] = None
                    self._asking.doubted = True
                    continue
                way = way or outcome
                if outcome.more is not None:
                    way = replace(way, more=outcome.more)
                victims |= dict.fromkeys(outcome.victims)
                self._asking.reached.update(victims)
                if self.first_only or self._asking.all_are_reached:
                    break
        except BudgetExceededError as error:
            if way is None:
                raise
            way = replace(way, more=f"there may be more victims: {error}")
        return (way and replace(way, victims=self._in_order(victims))), tuple(doubts)

    def _in_order(self, victims: dict[str, None]) -> tuple[str, ...]:
        return tuple(t.name for t in self.world.manifest.tenants if t.name in victims)

    @property
    def ambiguities(self) -> frozenset[Ambiguity]:
        """The hedges of the reference that the policies' text touches, on the way."""
        _ = self.found
        return self._asking.ambiguities

    def under(self, reading: Reading) -> Self:
        """The same under another reading."""
        return replace(self, reading=reading)

    def _outcomes(self) -> Iterator[Outcome]:
        for start in self.world.sessions_of(self.world.starts(self.member)):
            yield from self._beginning(start)

    def _beginning(self, start: Who) -> Iterator[Outcome]:
        if self.route in DIRECT:
            yield from Reach(self._asking, (self.route,), {}).of(start)
        elif self.route is Route.ASSUME:
            for other in self._becoming.all_of(start):
                if isinstance(other, Doubt):
                    yield other
                else:
                    yield from self._lands(other)
        else:
            yield from self._changing.of(start)
            if Route.ASSUME in self._settings.off:
                return
            everybody = [start]
            for other in self._becoming.all_of(start):
                if isinstance(other, Doubt):
                    yield other
                else:
                    everybody.append(other)
                    yield from self._unless_known("change", other)
            yield from self._changing.of_each_other(everybody)

    def _lands(self, who: Who) -> Iterator[Outcome]:
        """Where becoming somebody leads: a neighbour's own role, or one that reaches artifacts."""
        owners = self.world.tenants_of.get(who.identity.arn if who.identity else "", frozenset())
        if owners and self.tenant.name not in owners:
            yield self._as_neighbour(who, tuple(sorted(owners)))
        yield from self._unless_known("reach", who)

    def _unless_known(self, what: str, who: Who) -> Iterator[Outcome]:
        """What is reached from somebody; nothing where that was found out before.

        Who reaches no tenant's artifacts at all is asked no more, whoever becomes it.
        """
        if self._asking.is_vain(who):
            return
        if self.tenant is not NOBODY and self._as_nobody.is_dead_end(what, who, self._asking.met):
            return
        if not self.is_dead_end(what, who, self._asking.met):
            yield from self._from(what, who)

    def _from(self, what: str, who: Who) -> Iterator[Outcome]:
        return self._reach.of(who) if what == "reach" else self._changing.of(who)

    def is_dead_end(self, what: str, who: Who, met: set[Ambiguity]) -> bool:
        """Whether nothing is reached from somebody; what is met in finding out is added."""
        key = (what, self.tenant.name, who.state)
        kept = self.world.dead_ends.find(key, self.reading)
        if kept is None:
            with self._asking.apart() as ambiguities:
                is_end = next(self._from(what, who), None) is None
            kept = self.world.dead_ends.keep(key, self.reading, is_end, ambiguities())
        is_end, hedges = kept
        met |= hedges
        return is_end

    @cached_property
    def _as_nobody(self) -> Exploration:
        """The same for who is no tenant, so that everybody's artifacts are others'."""
        return replace(self, tenant=NOBODY)

    @cached_property
    def _changing(self) -> Changing:
        return Changing(self._asking, self._reach, self._becoming, self._lands)

    def _as_neighbour(self, who: Who, owners: tuple[str, ...]) -> Outcome:
        if who.doubts:
            return Doubt("; ".join(who.doubts))
        return Way(who.arrival(), owners)

    @property
    def _settings(self) -> RouteSettings:
        return self.world.manifest.routes

    @cached_property
    def _reach(self) -> Reach:
        """What ends a way: the routes to an artifact that are asked about."""
        routes = tuple(route for route in DIRECT if route not in self._settings.off)
        return Reach(self._asking, routes, {})

    @cached_property
    def _becoming(self) -> Becoming:
        return Becoming(self._asking, self._settings.depth)
