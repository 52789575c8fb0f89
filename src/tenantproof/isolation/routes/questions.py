"""The question of each route: has a principal a way to another tenant's artifacts?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, combinations

from tenantproof.errors import BudgetExceededError
from tenantproof.evaluate import decide
from tenantproof.isolation.asking import Asked, Asker, asked_about, hangs_on, no_answer
from tenantproof.isolation.attack import Attacked
from tenantproof.isolation.findings import Finding, Probe, Question, Step, Verdict
from tenantproof.isolation.manifest import Member, Tenant
from tenantproof.isolation.promises import Answered
from tenantproof.isolation.route import Route
from tenantproof.isolation.routes.attack import attacked
from tenantproof.isolation.routes.exploration import Exploration
from tenantproof.isolation.routes.ways import Doubt, Way
from tenantproof.isolation.routes.world import World
from tenantproof.prove import Budget
from tenantproof.reading import Ambiguity, under_other_readings

_MOST_DOUBTS = 3


class RouteQuestions:
    """Asks of each principal and each route.

    Args:
        asker: whose manifest, timeout, reading and engines.
    """

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._world = World(asker.manifest)

    def check(self) -> None:
        """Two tenants must not own the same artifact.

        Raises:
            InputError: two do.
        """
        self._world.artifacts.check(self._asker.timeout)

    def asked(self) -> Iterator[Asked]:
        """The questions one by one, none where no tenant's artifacts are known."""
        manifest = self._asker.manifest
        artifacts = self._world.artifacts
        if not artifacts.are_known and artifacts.hidden is None:
            return
        trusted = {each.arn for each in manifest.trusted}
        for tenant in manifest.tenants:
            for member in tenant.members:
                for route in Route if member.principal.arn not in trusted else ():
                    if route not in manifest.routes.off:
                        answer = partial(self.answer, tenant, member, route)
                        asked = Asked.of(Question.ARTIFACTS, tenant, member, None, answer)
                        yield replace(asked, route=route)

    def answer(self, tenant: Tenant, member: Member, route: Route) -> Answered:
        """No way of one kind leads a principal to another tenant's artifacts."""
        ledger = self._asker.ledger()
        budget = Budget.of(self._asker.timeout)
        draft = Finding(
            Question.ARTIFACTS, Verdict.PROVED, tenant.name, member.principal.arn, None, route=route
        )
        exploration = Exploration(
            self._world,
            tenant,
            member,
            route,
            self._asker.reading,
            budget,
            ledger,
            self._asker.first_only,
        )
        try:
            finding = self._answered(draft, exploration)
        except BudgetExceededError as error:
            finding = replace(draft, verdict=Verdict.UNKNOWN, reason=no_answer(error))
        return Answered((self._asker.noted(finding, ledger),))

    def _answered(self, draft: Finding, exploration: Exploration) -> Finding:
        way, doubts = exploration.found
        if way is not None:
            return self._leak(draft, way, exploration)
        if doubts:
            return replace(draft, verdict=Verdict.UNKNOWN, reason=_said(doubts))
        attack = Attacked(0)
        if self._asker.attacks:
            attack = attacked(exploration, self._asker.samples)
        for flipped, (other,) in under_other_readings([exploration]):
            other_way, other_doubts = other.found
            if other_way is not None:
                return replace(draft, verdict=Verdict.UNKNOWN, reason=hangs_on(flipped))
            if other_doubts:
                return replace(draft, verdict=Verdict.UNKNOWN, reason=_said(other_doubts))
        missing = self._missing()
        if missing is not None:
            return replace(draft, verdict=Verdict.UNKNOWN, reason=missing)
        proved = replace(draft, attacked=attack.tried, engines=("automata",))
        return replace(proved, probes=attack.probes)

    def _missing(self) -> str | None:
        """What the sources leave out that could change any answer, if anything."""
        gaps = [g for g in self._world.estate.gaps if g.matters and not g.has_stand_in]
        hidden = self._world.artifacts.hidden
        if not gaps and hidden is not None:
            return f"it is not known where artifacts are: {hidden.reason} ({hidden.place})"
        if not gaps:
            return None
        said = "; ".join(f"{gap.message} ({gap.place})" for gap in gaps[:_MOST_DOUBTS])
        more = f" and {len(gaps) - _MOST_DOUBTS} more" if len(gaps) > _MOST_DOUBTS else ""
        return f"the sources leave out what could open a way: {said}{more}"

    def _leak(self, draft: Finding, way: Way, exploration: Exploration) -> Finding:
        return replace(
            draft,
            verdict=Verdict.LEAK,
            victims=way.victims,
            shortest=way.shortest,
            steps=way.steps,
            reason=way.more or _only_under_this_reading(way.steps, exploration),
            engines=("automata",),
            probes=tuple(_probes(way.steps, exploration)),
        )

    # -- what the answers rest on ------------------------------------------------------------

    def assumptions(self) -> Iterator[str]:
        """What every PROVED of a route rests on, in sentences."""
        world = self._world
        if not world.artifacts.are_known:
            return
        depth = world.manifest.routes.depth
        yield (
            f"of roles assumed in a row {depth} are followed; the routes are those that"
            " docs/routes.md lists"
        )
        yield (
            "an artifact's key is the S3 prefix of its endpoint, a slash at its end, and the"
            " TargetModel, to the letter"
        )
        silent = [name for name in world.artifacts.buckets if name not in world.buckets]
        if silent:
            yield f"buckets that no source describes have no policy: {', '.join(silent)}"
        yield "nobody gives other tags to endpoints, or to roles and users other than itself"
        yield "no access by ACLs, access points, presigned URLs or keys that somebody else has"

    def left_out(self) -> Iterator[str]:
        """The routes switched off, and what the sources left out."""
        for route, reason in self._asker.manifest.routes.off.items():
            yield f"the route {route.value} ({route.meaning}) is off: {reason}"
        gaps = self._world.estate.gaps
        for gap in gaps:
            yield f"{gap.message} ({gap.place})"


def _probes(steps: tuple[Step, ...], exploration: Exploration) -> Iterator[Probe]:
    """The requests of a way; behind the first change the policies are no longer those deployed."""
    for at, step in enumerate(steps):
        decision = decide(step.access, step.request, exploration.reading)
        as_deployed = at == 0 or exploration.route is not Route.CHANGE
        yield Probe(step.request, step.access, decision, as_deployed)


def _said(doubts: tuple[Doubt, ...]) -> str:
    """The reasons of doubts, each once however many ways hang on it."""
    reasons = list(dict.fromkeys(r for doubt in doubts for r in doubt.reason.split("; ")))
    more = len(reasons) - _MOST_DOUBTS
    return "; ".join(reasons[:_MOST_DOUBTS]) + (f"; and {more} more" if more > 0 else "")


def _only_under_this_reading(steps: tuple[Step, ...], exploration: Exploration) -> str | None:
    """Of steps that are allowed here: the hedge under whose other reading one is not."""
    reading = exploration.reading
    few = chain(*(combinations(Ambiguity, size) for size in (1, 2)))
    for flipped in few:
        other = reading.flipped(flipped)
        if not all(decide(step.access, step.request, other).allowed for step in steps):
            return (
                "of what the IAM reference leaves open, this reading allows it:"
                f" {asked_about(flipped)}"
            )
    return None
