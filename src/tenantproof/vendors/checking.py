"""Checking a policy vendor: names always tried, names drawn, and all names where one can ask.

What is said of the names tried is proved for each of them, and for each pair of them; it is said of
no other name unless the question about all names is proved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from tenantproof.errors import BudgetExceededError, DisagreementError
from tenantproof.isolation import DEFAULT_TIMEOUT, Finding, Manifest, Verdict
from tenantproof.isolation.asking import Asker, no_answer
from tenantproof.isolation.manifest import Member, TenantRule
from tenantproof.isolation.rules import RuleQuestions
from tenantproof.isolation.sagemaker import target_model_domain
from tenantproof.isolation.substitution import PLACEHOLDER, TAG, Substitution, obstacle_in_place
from tenantproof.policy import PolicySet
from tenantproof.prove import language
from tenantproof.prove.regular import Regular
from tenantproof.vendors.drawing import Pair, smallest_pair
from tenantproof.vendors.findings import (
    ORDER,
    AllNames,
    Crossing,
    Nothing,
    Raised,
    VendorFinding,
    VendorReport,
)
from tenantproof.vendors.names import hostile_names, names_of
from tenantproof.vendors.rendering import Refused, Rendered
from tenantproof.vendors.substitution import (
    obstacle,
    substitution,
)
from tenantproof.vendors.text import to_text
from tenantproof.vendors.trial import Trial, size
from tenantproof.vendors.vendor import Render, Vendor, naming, texts, vendor_of

if TYPE_CHECKING:
    import hypothesis
    from hypothesis.strategies import SearchStrategy

_NEAR = 16
"""Near so many names others are drawn."""

_MOST_ROUNDS = 8
"""So often the question about all names is asked, each time without the names found refused."""


def check_vendor(
    vendor: Vendor,
    *,
    timeout: float | None = DEFAULT_TIMEOUT,
    settings: hypothesis.settings | None = None,
    database_key: bytes | None = None,
) -> VendorReport:
    """Try names on a vendor: those that always are, then those that Hypothesis draws.

    Args:
        vendor: the vendor.
        timeout: seconds for one question about one name; None for no limit.
        settings: Hypothesis's settings; the profile's without them.
        database_key: under what Hypothesis keeps what failed; the function's name without it.

    Returns:
        What was found out.

    Raises:
        TypeError: a strategy drew something else than a text.
        DisagreementError: the two readings of the policies differ; a bug in tenantproof.
    """
    return _Check(vendor, timeout, settings, database_key or _key(vendor)).report()


def assert_vendor_isolated(
    render: Render,
    names: str | Iterable[str] | SearchStrategy[str] | None = None,
    *,
    endpoint: str | Iterable[str] | None = None,
    owns: str | Iterable[str] | None = None,
    shared: str | Iterable[str] | None = None,
    principal: str | None = None,
    tags: Mapping[str, str] | None = None,
    excluded: str | Iterable[str] | None = None,
    refuses: type[Exception] | tuple[type[Exception], ...] | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    settings: hypothesis.settings | None = None,
    database_key: bytes | None = None,
) -> VendorReport:
    """Assert that what a function renders keeps tenants apart, whatever they are named.

    Of a function marked with :func:`policy_vendor` nothing more need be said; what is given goes
    before what was said there. Other arguments are those of :class:`Vendor` and
    :func:`check_vendor`.

    Returns:
        The report, its verdict PROVED.

    Raises:
        AssertionError: the verdict is LEAK or UNKNOWN, with the report as its text.
        ValueError: an argument says nothing of any tenant.
        TypeError: ``endpoint`` or ``owns`` is neither given nor marked.
        DisagreementError: the two readings of the policies differ; a bug in tenantproof.
    """
    __tracebackhide__ = True
    given: dict[str, object] = {
        "endpoints": None if endpoint is None else texts(endpoint),
        "owns": None if owns is None else texts(owns),
        "shared": None if shared is None else texts(shared),
        "principal": principal,
        "tags": tags,
        "names": naming(names),
        "excluded": None if excluded is None else texts(excluded),
        "refuses": (refuses,) if isinstance(refuses, type) else refuses,
    }
    said = {name: value for name, value in given.items() if value is not None}
    report = check_vendor(
        _vendor(render, said), timeout=timeout, settings=settings, database_key=database_key
    )
    if report.verdict is not Verdict.PROVED:
        causes = (f.error for f in report.findings if isinstance(f, Raised))
        raise AssertionError(to_text(report)) from next(causes, None)
    return report


def _vendor(render: Render, said: Mapping[str, object]) -> Vendor:
    marked = vendor_of(render)
    if marked is not None:
        return replace(marked, **said)  # type: ignore[arg-type]
    missing = [name for name in ("endpoints", "owns") if name not in said]
    if missing:
        raise TypeError(
            "found neither endpoint and owns nor a function marked with @policy_vendor, expected"
            ' at least endpoint="arn:..." and owns="{tenant}/*"'
        )
    return Vendor(render, **said)  # type: ignore[arg-type]


def _key(vendor: Vendor) -> bytes:
    module = getattr(vendor.render, "__module__", "")
    qualified = getattr(vendor.render, "__qualname__", vendor.name)
    return f"tenantproof vendor {module}.{qualified}".encode()


@dataclass
class _Check:
    vendor: Vendor
    timeout: float | None
    settings: hypothesis.settings | None
    database_key: bytes
    trial: Trial = field(init=False)

    def __post_init__(self) -> None:
        self.trial = Trial(self.vendor, self.timeout)

    def report(self) -> VendorReport:
        found: list[VendorFinding] = []
        always: tuple[str, ...] = ()
        try:
            always = self._names_always_tried()
        except BudgetExceededError as error:
            found.append(Nothing(f"no names of the rule were found: {no_answer(error)}"))
        found += self._of_each(always, attacked=False)
        if self.vendor.listed is None:
            found += self._of_drawn(always)
        found += self._of_nothing()
        all_names, more = self._all_names(is_found_wanting=bool(found))
        found += more
        if not found:
            # What was drawn, or found in the question about all, was asked about in pairs alone.
            found += self._of_each(tuple(self.trial.renderings), attacked=True)
        tried, refused = self._parted()
        return VendorReport(
            self.vendor,
            tried,
            refused,
            tuple(_one_of_each_kind(found)),
            all_names,
            tuple(self._assumptions(len(tried), proved=all_names.is_proved)),
        )

    def _names_always_tried(self) -> tuple[str, ...]:
        match self.vendor.names:
            case None:
                names = hostile_names(self.vendor.shared)
                return tuple(name for name in names if not self.vendor.excludes(name))
            case str():
                assert self.vendor.rule is not None
                excluded = language(*self.vendor.excluded)
                return names_of(self.vendor.rule, excluded, self.vendor.shared, self.timeout)
            case tuple(listed):
                kept = (name for name in listed if not self.vendor.excludes(name))
                return tuple(dict.fromkeys(kept))
            case _:
                return ()

    def _of_each(self, names: tuple[str, ...], *, attacked: bool) -> list[VendorFinding]:
        """Each name beside all others: what crosses between two of them is found so."""
        found = (self.trial.judge(name, names, attacked=attacked) for name in names)
        return [finding for finding in found if finding is not None]

    def _of_drawn(self, always: tuple[str, ...]) -> list[VendorFinding]:
        """The smallest pair that fails; a smaller one counts only if it fails in the same way."""
        kinds: list[object] = []

        @cache
        def judged(name: str, other: str) -> VendorFinding | None:
            # Kept, for Hypothesis must hear the same again also where a budget ran out.
            return self.trial.judge(name, [other])

        def failing(pair: Pair) -> VendorFinding | None:
            found = (judged(*turn) for turn in (pair, pair[::-1]))
            return next((f for f in found if f is not None and f.kind in (kinds or [f.kind])), None)

        def fails(pair: Pair) -> bool:
            found = failing(pair)
            kinds.extend([] if found is None or kinds else [found.kind])
            return found is not None

        near = [name for name in always if isinstance(self.trial.rendering(name), Rendered)]
        pair = smallest_pair(
            self.vendor, islice(near, _NEAR), fails, self.settings, self.database_key
        )
        found = None if pair is None else failing(pair)
        return [] if found is None else [found]

    # -- all names ---------------------------------------------------------------------------

    def _all_names(self, *, is_found_wanting: bool) -> tuple[AllNames, list[VendorFinding]]:
        """The question about all names, and what it shows of names not tried before."""
        rule = self.vendor.rule
        if is_found_wanting:
            return AllNames(reason="names tried are found wanting"), []
        if rule is None:
            return AllNames(reason=_no_rule(self.vendor)), []
        for _ in range(_MOST_ROUNDS):
            found = substitution(self._admitted())
            try:
                why = obstacle(self.vendor, rule)
                if isinstance(found, str):
                    return AllNames(reason=why or f"no plain substitution: {found}"), []
                why = why or obstacle_in_place(found, rule)
                if why is not None:
                    return AllNames(True, reason=why), []
                answers = self._answers_of_all(rule, found)
            except BudgetExceededError as error:
                return AllNames(True, reason=no_answer(error)), []
            leaks = [answer for answer in answers if answer.verdict is Verdict.LEAK]
            if not leaks:
                unknown = [answer for answer in answers if answer.verdict is Verdict.UNKNOWN]
                reasons = [answer.reason or "no answer" for answer in unknown]
                return AllNames(True, answers, "; ".join(reasons)), []
            borne_out = self._borne_out(leaks[0])
            if borne_out is not None:
                reason = "a pair of names gets across"
                return AllNames(True, answers, reason), [borne_out]
        reason = f"the names found in {_MOST_ROUNDS} questions are refused or rendered otherwise"
        return AllNames(True, reason=reason), []

    def _admitted(self) -> dict[str, PolicySet]:
        """The policies of every name that was rendered."""
        return {
            name: rendering.policies
            for name, rendering in self.trial.renderings.items()
            if isinstance(rendering, Rendered)
        }

    def _answers_of_all(self, rule: Regular, found: Substitution) -> tuple[Finding, ...]:
        vendor, actor = self.vendor, self.vendor.actor
        # A name that is refused is nobody's.
        nobody = (n for n, r in self.trial.renderings.items() if isinstance(r, Refused))
        refused = (name for name in nobody if rule.accepts(name))
        principal = replace(actor, tags={**actor.tags, TAG: PLACEHOLDER})
        member = Member(principal, found.policies)
        excluded = (*vendor.excluded, *refused)
        tenants = TenantRule(vendor.name, rule, vendor.owns, (member,), vendor.places, excluded)
        manifest = Manifest(vendor.name, vendor.places, (), vendor.shared, rules=(tenants,))
        questions = RuleQuestions(Asker(manifest, self.timeout))
        return tuple(
            answer
            for endpoint in vendor.places
            for answer in questions.isolated(tenants, member, endpoint).findings
        )

    def _borne_out(self, leak: Finding) -> VendorFinding | None:
        """The leak between the names of a leak of all, once they are really rendered.

        None where a name is refused, or is rendered otherwise than by substitution.

        Raises:
            DisagreementError: both are substitutions, and yet nothing crosses.
        """
        name, others = leak.names["tenant"], [leak.names[k] for k in ("other",) if k in leak.names]
        finding = self.trial.judge(name, others)
        if finding is not None:
            return finding
        tried = [self.trial.rendering(each) for each in (name, *others)]
        are_policies = all(isinstance(each, Rendered) for each in tried)
        if are_policies and isinstance(substitution(self._admitted()), Substitution):
            raise DisagreementError(
                f"the question about all names finds that {name!r} gets across, the question about"
                f" {name!r} alone that it does not: {leak.request}"
            )
        return None

    # -- what was not asked --------------------------------------------------------------------

    def _of_nothing(self) -> Iterator[VendorFinding]:
        """Where nobody is let in, that nobody gets across says nothing."""
        admitted = self._admitted()
        if not self.trial.renderings:
            yield Nothing("no name was tried")
        elif all(isinstance(r, Refused) for r in self.trial.renderings.values()):
            yield Nothing(f"all {len(self.trial.renderings)} names tried were refused")
        elif admitted and not any(map(self.trial.lets_something_through, admitted)):
            yield Nothing(
                "the policies of no name tried allow a request for a model that it owns: are the"
                " endpoint's ARN and owns those that the policies speak of?"
            )

    def _parted(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        refused = {n: isinstance(r, Refused) for n, r in self.trial.renderings.items()}
        return (
            tuple(name for name, is_refused in refused.items() if not is_refused),
            tuple(name for name, is_refused in refused.items() if is_refused),
        )

    def _assumptions(self, tried: int, *, proved: bool) -> Iterator[str]:
        vendor = self.vendor
        yield (
            f"{vendor.name} renders the same policies whenever it is called with the same name, and"
            " what it renders is all that applies to the principal"
        )
        acts = vendor.actor.arn
        tags = ", ".join(f"{key}={value}" for key, value in vendor.tags.items())
        yield f"{acts} acts for a tenant, {f'with the tags {tags}' if tags else 'without tags'}"
        domain = target_model_domain()
        yield (
            f"TargetModel is {domain.min_length} to {domain.max_length} printable ASCII characters,"
            " the first not a space, or absent; other keys that the policies mention have any value"
            " or none, where neither principal nor endpoint decides them"
        )
        yield "an empty name owns nothing, nor does one that no TargetModel can hold"
        yield f"a name that {vendor.name} refuses is no tenant's"
        if isinstance(vendor.names, str):
            yield f'tenants have names of at least one character matching "{vendor.names}"'
        if vendor.excluded:
            yield f"no tenant has a name like {', '.join(map(repr, vendor.excluded))}"
        if proved:
            yield f"{vendor.name} substitutes every name as it did for the {tried} names tried"
        yield "not asked: whether a tenant reaches what it owns"


def _no_rule(vendor: Vendor) -> str:
    if vendor.listed is not None:
        return "the names are listed"
    return "there is no naming rule, as names, to prove it of"


def _order(finding: VendorFinding) -> tuple[object, ...]:
    """The worst first, then the plainest way out, of one kind the smallest names."""
    escape = finding.answer.escape if isinstance(finding, Crossing) else None
    return (
        finding.verdict is not Verdict.LEAK,
        ORDER.index(escape),
        sum(map(len, finding.names)),
        tuple(map(size, finding.names)),
    )


def _one_of_each_kind(found: Iterable[VendorFinding]) -> Iterator[VendorFinding]:
    kinds: dict[tuple[object, ...], list[VendorFinding]] = {}
    for finding in sorted(found, key=_order):
        kinds.setdefault(finding.kind, []).append(finding)
    for alike in kinds.values():
        names = dict.fromkeys(finding.names[0] for finding in alike if finding.names)
        yield replace(alike[0], more=tuple(names)[1:])
