"""What a run answers: verdicts, findings, and what they were answered under."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tenantproof.errors import Place
from tenantproof.evaluate import Decision
from tenantproof.isolation.route import Route
from tenantproof.policy import Access, Effect
from tenantproof.prove.engines import EngineAnswers
from tenantproof.request import Request


class Verdict(Enum):
    """The three answers; ``UNKNOWN`` never passes."""

    PROVED = "PROVED"
    LEAK = "LEAK"
    UNKNOWN = "UNKNOWN"


class Question(Enum):
    """What was asked. Of ``reaches`` and ``can``, LEAK means that a request is not allowed."""

    ISOLATED = "isolated"
    REACHES = "reaches"
    CAN = "can"
    CANNOT = "cannot"
    ARTIFACTS = "artifacts"


class Escape(Enum):
    """How a request leaves what its tenant may reach."""

    INTO_TENANT = "another tenant's model"
    NO_TARGET_MODEL = "no TargetModel"
    UNOWNED = "a path that no tenant owns"


@dataclass(frozen=True)
class Blame:
    """A statement that had a part in a decision.

    ``pattern`` is the condition value or other text that matched, where one alone is to blame,
    and ``place`` where it stands; ``because`` says in words why the statement applied, or why it
    did not stop the request. ``statement_place`` is where the statement begins.
    """

    layer: str
    file: str
    statement: str
    sid: str | None
    effect: Effect
    applies: bool
    place: Place
    pattern: str | None
    because: str
    statement_place: Place


@dataclass(frozen=True)
class Step:
    """One step of a way to another tenant's artifact: a request that is allowed.

    Attributes:
        request: the request; its principal is who the caller is by then.
        effect: what comes of it, as a phrase: ``becomes role/platform``.
        statements: the statements that made the decision.
        access: the policies that decide it, as they are by then.
    """

    request: Request
    effect: str
    statements: tuple[Blame, ...]
    access: Access = field(repr=False)


@dataclass(frozen=True)
class Probe:
    """A concrete request that an answer rests on: somebody else can be asked about it, too.

    Attributes:
        request: the request.
        access: the policies that decide it.
        decision: what the evaluator decided.
        is_deployed: whether these are the principal's policies as they stand: not those that a
            step of a way has changed by then.
    """

    request: Request
    access: Access = field(repr=False)
    decision: Decision = field(repr=False)
    is_deployed: bool = True


class Standing(Enum):
    """What somebody else's answers make of a finding."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class Opinion:
    """What somebody else says of one request.

    Attributes:
        standing: whether it is what the evaluator says.
        asked: who was asked: the name of an AWS operation, empty where nobody was.
        request: the request.
        decision: the evaluator's decision, as ``simulate`` names it.
        answer: the other's, in its own word; None where it gave none.
        reason: of what is not confirmed, why; of what is, what limits it.
        statements: the names of the statements that the other's decision rests on.
        case: of what is refuted, the folder with all that is needed to ask again.
    """

    standing: Standing
    asked: str
    request: Request
    decision: str
    answer: str | None = None
    reason: str | None = None
    statements: tuple[str, ...] = ()
    case: str | None = None


@dataclass(frozen=True)
class Evidence:
    """What somebody else says of a finding.

    Attributes:
        standing: confirmed where every request was, refuted where one was, else unconfirmed.
        opinions: what was said of each request; empty where there was none to ask about.
        reason: of what is unconfirmed without opinions, why.
    """

    standing: Standing
    opinions: tuple[Opinion, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class CertificateNote:
    """Whether a proof of a PROVED was written to the certificate, and if not, why not."""

    written: bool
    reason: str | None = None


@dataclass(frozen=True)
class Finding:
    """One answer about one principal, or of ``reaches`` about one tenant.

    Attributes:
        question: what was asked.
        verdict: the answer.
        tenant: the tenant's name.
        principal: the principal's ARN; for ``reaches`` that of the tenant's first principal.
        endpoint: the endpoint's ARN; None for ``artifacts``, which is about all of them.
        assertion: the assertion's name, for ``can`` and ``cannot``.
        escape: of a leak, how the request leaves the tenant.
        victims: of a leak, the tenants whose models can be reached.
        request: of a LEAK, the smallest such request; replayed through the evaluator.
        shortest: whether every smaller request was excluded.
        example: a TargetModel as one would meet it, with which the request leaks as well.
        statements: of a LEAK, the statements that made the decision.
        reason: of an UNKNOWN, why; of a LEAK, what limits it: a hedge of the reference that it
            rests on, or a budget that ended before all victims were found.
        attacked: with how many requests a PROVED was attacked.
        engines: what decided the answer; every LEAK was replayed by the evaluator, too.
        for_all: whether ``tenant`` is a rule, and the answer about every tenant that it describes.
        names: where tenants are described by a rule, the names of the tenants in the request:
            ``tenant``, and ``other`` for the one that it reaches.
        certificate: of a PROVED, whether its proof was written; None where none was asked for.
        engine_answers: where engines were chosen, what each of them answered.
        more_principals: of ``reaches``, how many the tenant has beside ``principal``.
        route: of ``artifacts``, the kind of way that was looked for.
        steps: of a LEAK of ``artifacts``, the way, step by step.
        probes: requests that the answer rests on: of a LEAK all that it needs, of a PROVED those
            that it was attacked with, where a sample of them was asked for.
        evidence: what somebody else says of the probes; None where nobody was asked.
    """

    question: Question
    verdict: Verdict
    tenant: str
    principal: str
    endpoint: str | None
    assertion: str | None = None
    escape: Escape | None = None
    victims: tuple[str, ...] = ()
    request: Request | None = None
    shortest: bool = True
    example: str | None = None
    statements: tuple[Blame, ...] = ()
    reason: str | None = None
    attacked: int = 0
    engines: tuple[str, ...] = ()
    for_all: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    certificate: CertificateNote | None = None
    engine_answers: tuple[EngineAnswers, ...] = ()
    more_principals: int = 0
    route: Route | None = None
    steps: tuple[Step, ...] = ()
    probes: tuple[Probe, ...] = field(default=(), compare=False, repr=False)
    evidence: Evidence | None = None


@dataclass(frozen=True)
class Report:
    """All findings of a run.

    ``assumptions`` are sentences that every PROVED of the run rests on; ``left_out`` says what
    was not asked, and why.
    """

    manifest: str
    findings: tuple[Finding, ...]
    assumptions: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """LEAK if one finding is, else UNKNOWN if one is, else PROVED."""
        return overall(finding.verdict for finding in self.findings)


def overall(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of several: LEAK before UNKNOWN before PROVED; UNKNOWN for none at all."""
    found = set(verdicts)
    if Verdict.LEAK in found:
        return Verdict.LEAK
    return Verdict.PROVED if found == {Verdict.PROVED} else Verdict.UNKNOWN
