"""What was found out about a policy vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenantproof.isolation import Escape, Finding, Verdict
from tenantproof.isolation.findings import overall
from tenantproof.vendors.vendor import Vendor


@dataclass(frozen=True)
class Crossing:
    """The policies of a name let a request through that they must not, or may do so.

    Attributes:
        name: the tenant's name.
        other: of a request into another tenant's models, that tenant's name.
        answer: the answer about the principal of ``name``: a LEAK, or an UNKNOWN.
        texts: the policies as they were rendered, by the file that places name.
        more: the other names found wanting in the same way.
    """

    name: str
    other: str | None
    answer: Finding
    texts: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """LEAK or UNKNOWN."""
        return self.answer.verdict

    @property
    def kind(self) -> tuple[object, ...]:
        """What findings of the same kind have in common."""
        return (Crossing, self.verdict, self.answer.escape)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that show it."""
        return (self.name,) if self.other is None else (self.name, self.other)


@dataclass(frozen=True)
class _Unread:
    """Of a name there are no policies to ask about."""

    name: str
    verdict = Verdict.UNKNOWN

    @property
    def kind(self) -> tuple[object, ...]:
        """What findings of the same kind have in common."""
        return (type(self),)

    @property
    def names(self) -> tuple[str, ...]:
        """The names that show it."""
        return (self.name,)


@dataclass(frozen=True)
class NoPolicy(_Unread):
    """What was rendered for a name is no policy: the name broke out, or was put in unescaped."""

    error: Exception
    texts: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Raised(_Unread):
    """The function raised an error that is not among those by which it refuses names."""

    error: Exception
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unsteady(_Unread):
    """Called twice with a name, the function rendered different policies."""

    texts: Mapping[str, str] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()


@dataclass(frozen=True)
class Nothing:
    """Nothing was checked that would say anything, and why."""

    reason: str
    more: tuple[str, ...] = ()
    verdict = Verdict.UNKNOWN
    names: tuple[str, ...] = ()

    @property
    def kind(self) -> tuple[object, ...]:
        """What findings of the same kind have in common."""
        return (Nothing, self.reason)


VendorFinding = Crossing | NoPolicy | Raised | Unsteady | Nothing


@dataclass(frozen=True)
class AllNames:
    """The question about every name that the naming rule admits, where it could be asked.

    Attributes:
        is_substitution: whether all names tried were rendered by plain substitution.
        answers: what was answered, an answer an endpoint; none where it was not asked.
        reason: why it was not asked, or what its answer hangs on; empty where it is proved.
    """

    is_substitution: bool = False
    answers: tuple[Finding, ...] = ()
    reason: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether what holds of the names tried is proved of all that the rule admits."""
        return not self.reason and overall(a.verdict for a in self.answers) is Verdict.PROVED


@dataclass(frozen=True)
class VendorReport:
    """What was found out about a policy vendor.

    Attributes:
        vendor: what was asked about.
        tried: the names whose policies were asked about, or that broke.
        refused: the names that the function refused.
        findings: what is wrong, one finding a kind, each with the smallest name; none if all is
            proved.
        all_names: the question about every name of the rule.
        assumptions: what the verdict rests on, and what was not asked, as sentences.
    """

    vendor: Vendor
    tried: tuple[str, ...]
    refused: tuple[str, ...]
    findings: tuple[VendorFinding, ...]
    all_names: AllNames
    assumptions: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """PROVED of the names tried if nothing was found; else the worst of the findings."""
        if not self.findings:
            return Verdict.PROVED
        return overall(finding.verdict for finding in self.findings)

    @property
    def for_every_name(self) -> bool:
        """Whether PROVED is said of every name that the vendor's ``names`` admit."""
        whole_list = self.vendor.listed is not None
        return self.verdict is Verdict.PROVED and (whole_list or self.all_names.is_proved)


ORDER: tuple[Escape | None, ...] = (*Escape, None)
"""Ways out of a tenant, the plainest first."""
