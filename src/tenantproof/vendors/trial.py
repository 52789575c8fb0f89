"""Trying names on a vendor: are the policies of a name kept from everything that is not its own?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tenantproof.errors import BudgetExceededError
from tenantproof.isolation import Escape, Finding, Manifest, Question, Verdict
from tenantproof.isolation.asking import Asker
from tenantproof.isolation.attack import Attacked
from tenantproof.isolation.inquiry import HAS_TARGET, TARGET, Inquiry, inside, outside
from tenantproof.isolation.manifest import Endpoint, Member
from tenantproof.isolation.rules import models_named
from tenantproof.isolation.sagemaker import target_model_domain
from tenantproof.isolation.substitution import PLACEHOLDER, named
from tenantproof.prove import Language, Term, conj, neg
from tenantproof.prove.languages import Pattern
from tenantproof.request import Request
from tenantproof.vendors.findings import (
    ORDER,
    Crossing,
    NoPolicy,
    Raised,
    Unsteady,
    VendorFinding,
)
from tenantproof.vendors.rendering import (
    Failed,
    Invalid,
    Refused,
    Rendered,
    Rendering,
    render,
    same,
)
from tenantproof.vendors.vendor import Vendor

_TWICE = 8
"""Of so many names the function is asked twice."""

_NEIGHBOURS = 8
"""With the models of so many others a proof is attacked."""


@dataclass(frozen=True)
class _Wall:
    """What is on which side for the tenant of one name.

    What another tenant owns is outside, even where the tenant owns it as well or all share it.
    """

    own: Language
    others: Language
    shared: Language

    def escapes(self, way: Escape) -> Term:
        match way:
            case Escape.INTO_TENANT:
                return inside(self.others)
            case Escape.NO_TARGET_MODEL:
                return neg(HAS_TARGET)
            case Escape.UNOWNED:
                return conj((outside(self.own), outside(self.others), outside(self.shared)))

    def is_outside(self, target: str | None) -> bool:
        if target is None or self.others.accepts(target):
            return True
        return not self.own.accepts(target) and not self.shared.accepts(target)


@dataclass
class Trial:
    """Asks a vendor for the policies of names, and the prover about them.

    Attributes:
        vendor: the vendor.
        timeout: seconds for one question about one name; None for no limit.
        renderings: what was rendered, by name.
    """

    vendor: Vendor
    timeout: float | None
    renderings: dict[str, Rendering] = field(default_factory=dict)
    _unsteady: dict[str, Unsteady] = field(default_factory=dict)

    def __post_init__(self) -> None:
        vendor = self.vendor
        self._asker = Asker(Manifest(vendor.name, vendor.places, (), vendor.shared), self.timeout)
        self._owned: dict[str, tuple[Pattern, ...]] = {}

    def rendering(self, name: str) -> Rendering:
        """What the vendor renders for a name, asked once, of the first names twice.

        Raises:
            TypeError: the name is no text.
        """
        if not isinstance(name, str):
            raise TypeError(f"found {name!r} as a tenant's name, expected a text")
        if name not in self.renderings:
            first = render(self.vendor, name)
            if len(self.renderings) < _TWICE:
                again = render(self.vendor, name)
                if not same(first, again):
                    self._unsteady[name] = Unsteady(name, _shown(first), _shown(again))
            self.renderings[name] = first
        return self.renderings[name]

    def judge(
        self, name: str, others: Iterable[str] = (), *, attacked: bool = False
    ) -> VendorFinding | None:
        """What is wrong with the policies of a name beside other tenants; None for nothing.

        A name that the vendor refuses is nobody's.

        Args:
            name: the tenant's name.
            others: names of other tenants.
            attacked: whether what is proved is attacked with requests, as it has to be before
                anyone is told.

        Raises:
            DisagreementError: the two readings of the policies differ; a bug in tenantproof.
        """
        rendering = self.rendering(name)
        if name in self._unsteady:
            return self._unsteady[name]
        match rendering:
            case Refused():
                return None
            case Invalid(error, texts):
                return NoPolicy(name, error, texts)
            case Failed(error):
                return Raised(name, error)
            case Rendered() as rendered:
                return self._crossing(name, rendered, self.tenants(others, but=name), attacked)

    def tenants(self, names: Iterable[str], but: str) -> list[str]:
        """The names that are tenants beside one: those of which the vendor renders policies."""
        return [n for n in names if n != but and isinstance(self.rendering(n), Rendered)]

    def _crossing(
        self, name: str, rendered: Rendered, others: list[str], attacked: bool
    ) -> Crossing | None:
        answers = [
            answer
            for endpoint in self.vendor.places
            for answer in self._answers(name, rendered, others, endpoint, attacked)
            if answer.verdict is not Verdict.PROVED
        ]
        if not answers:
            return None
        answer = min(answers, key=lambda a: (a.verdict is not Verdict.LEAK, ORDER.index(a.escape)))
        reached = self._reached(answer.request, others)
        victims = tuple(map(repr, sorted(reached, key=size)))
        other = min(reached, key=size, default=None)
        return Crossing(name, other, replace(answer, victims=victims), rendered.texts)

    def _answers(
        self,
        name: str,
        rendered: Rendered,
        others: list[str],
        endpoint: Endpoint,
        attacked: bool,
    ) -> tuple[Finding, ...]:
        vendor, member = self.vendor, self.member(name, rendered)
        arn = member.principal.arn
        draft = Finding(
            Question.ISOLATED,
            Verdict.PROVED,
            repr(name),
            arn if arn.isprintable() else repr(arn),
            endpoint.arn,
        )
        shared = self._asker.models(vendor.shared)
        wall = _Wall(self._models([name]), self._models(others), shared)

        def ask(inquiry: Inquiry) -> list[Finding]:
            found = (
                self._asker.answer(inquiry, wall.escapes(way), replace(draft, escape=way))
                for way in Escape
            )
            return [answer for answer in found if answer is not None]

        inquiry = self._asker.inquiry(member, endpoint)
        near = (p.replace(PLACEHOLDER, n) for n in others[:_NEIGHBOURS] for p in vendor.owns)
        promise = self._asker.denies(inquiry, wall.is_outside, near)

        def attack() -> Attacked:
            return self._asker.attack(promise) if attacked else Attacked(0)

        return self._asker.proved_unless(inquiry, ask, draft, promise, attack).findings

    def member(self, name: str, rendered: Rendered) -> Member:
        """Who acts for the tenant of a name."""
        return Member(named(self.vendor.actor, name), rendered.policies)

    def _models(self, names: Iterable[str]) -> Language:
        return Language(pattern for name in names for pattern in self._patterns(name))

    def _patterns(self, name: str) -> tuple[Pattern, ...]:
        """What the tenant of a name owns: nothing without a name, nor what no TargetModel is."""
        if name not in self._owned:
            domain = target_model_domain()
            fits = 0 < len(name) <= (domain.max_length or len(name))
            fits = fits and all(char in domain.rest for char in name)
            owned = models_named(self.vendor.owns if fits else (), name)
            self._owned[name] = owned.patterns
        return self._owned[name]

    def _reached(self, request: Request | None, others: list[str]) -> list[str]:
        target = None if request is None else request.keys.get(TARGET)
        if not isinstance(target, str):
            return []
        return [other for other in others if self._models([other]).accepts(target)]

    def lets_something_through(self, name: str) -> bool:
        """Whether the policies of a name allow a request for a model that it owns.

        Where none do, that nothing crosses says nothing. A search that ends without an answer
        counts as one that finds nothing.
        """
        rendered = self.rendering(name)
        if not isinstance(rendered, Rendered):
            return False
        member, asked = self.member(name, rendered), inside(self._models([name]))

        def is_allowed(endpoint: Endpoint) -> bool:
            try:
                found = self._asker.inquiry(member, endpoint).smallest_allowed(asked)
            except BudgetExceededError:
                return False
            return isinstance(found, Request)

        return any(map(is_allowed, self.vendor.places))


def size(name: str) -> tuple[int, bool, str]:
    """What the smallest name is the smallest by: of as short ones the plainest."""
    return len(name), not name.isprintable(), name


def _shown(rendering: Rendering) -> Mapping[str, str]:
    match rendering:
        case Rendered(_, texts) | Invalid(_, texts):
            return texts
        case Refused(error) | Failed(error):
            return {"": f"{type(error).__name__}: {error}"}
