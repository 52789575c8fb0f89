"""Certificates of a report: for each PROVED of *isolated* and *cannot* a proof to be checked.

The theorems are stated by the checker's own reading of the manifest, proved by a tableau, and
checked before they are written. The report then says of each PROVED whether its proof is there.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from tenantproof.certificate import (
    Certificate,
    Claim,
    Effort,
    Embedded,
    Model,
    Proved,
    RejectedError,
    Stack,
    Theorem,
    TooLargeError,
    check_theorem,
    digest,
    models_of,
    needs_lenience,
    read_bytes,
    read_claims,
)
from tenantproof.certificate.keys import DOMAINS, INVOKE_ACTIONS, TARGET, TARGET_ACTIONS
from tenantproof.certificate.tableau import NoProofError, prove
from tenantproof.isolation import CertificateNote, Finding, Manifest, Question, Report, Verdict
from tenantproof.isolation.sagemaker import (
    invoke_actions,
    target_model_actions,
    target_model_domain,
)
from tenantproof.policy import PolicyDocument, PolicyKind, parse_policy

CERTIFIED = (Question.ISOLATED, Question.CANNOT)
"""The questions whose proofs can be written down."""

_CHANGED = "the manifest has changed meanwhile"
_OF_SOURCES = "the endpoint is of a source, which the checker does not read"
_NO_KIND = "proofs of this question are not written down"


def certify(
    manifest: Manifest, report: Report, *, lenient: bool = False, timeout: float = 30.0
) -> tuple[Certificate, Report]:
    """A certificate for a report.

    Args:
        manifest: the manifest that the report is about; its files are read again.
        report: the report.
        lenient: read policies with comments and trailing commas.
        timeout: seconds that the search for one proof may take.

    Returns:
        The certificate, and the report with a note on each PROVED.

    Raises:
        InputError: the manifest or a policy cannot be read any more.
    """
    file = Path(manifest.file)
    asked = read_claims(file)
    writer = _Writer(file.parent, asked.files, lenient, timeout)
    verdicts: dict[Claim, set[Verdict]] = defaultdict(set)
    for finding in report.findings:
        if finding.endpoint is not None:
            verdicts[_claim(finding, finding.endpoint)].add(finding.verdict)
    notes: dict[Claim, str | None] = {}
    for theorem in asked.theorems:
        claim = theorem.claim
        if verdicts[claim] == {Verdict.PROVED}:
            notes[claim] = writer.add(theorem) or notes.get(claim)
        else:
            writer.without.append(claim)
    writer.without += asked.without_form
    notes |= asked.without_form
    unless = _OF_SOURCES if manifest.estate.files else _CHANGED
    findings = tuple(_noted(finding, notes, unless) for finding in report.findings)
    return writer.certificate(str(file), asked.sha256), replace(report, findings=findings)


def _claim(finding: Finding, endpoint: str) -> Claim:
    return Claim(
        finding.question.value,
        finding.tenant,
        finding.principal,
        endpoint,
        finding.assertion,
    )


def _noted(finding: Finding, notes: dict[Claim, str | None], unless: str) -> Finding:
    """The finding with a note, ``unless`` being why the manifest's text has no such question."""
    if finding.verdict is not Verdict.PROVED:
        return finding
    reason: str | None = _NO_KIND
    if finding.question in CERTIFIED and finding.endpoint is not None:
        claim = _claim(finding, finding.endpoint)
        reason = notes.get(claim, unless)
    return replace(finding, certificate=CertificateNote(reason is None, reason))


@dataclass
class _Writer:
    """Proves theorems one by one, and gathers them with the policies that they are about."""

    folder: Path
    files: tuple[str, ...]
    lenient: bool
    timeout: float
    numbers: dict[str, int] = field(default_factory=dict)
    proved: list[Proved] = field(default_factory=list)
    without: list[Claim] = field(default_factory=list)
    _texts: dict[str, str] = field(default_factory=dict)
    _documents: dict[str, PolicyDocument] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._models = models_of()

    def add(self, theorem: Theorem) -> str | None:
        """Prove a theorem and keep it; else why there is no proof."""
        if not _is_known_api():
            self.without.append(theorem.claim)
            return "botocore's model of the SageMaker runtime is not the one that the checker knows"
        numbers = dict(self.numbers)

        def number(position: int) -> int:
            return numbers.setdefault(self.files[position], len(numbers))

        renumbered = replace(theorem, stack=_renumbered(theorem.stack, number))
        documents = tuple(map(self._document, numbers))
        effort = Effort(time.monotonic() + self.timeout)
        try:
            model = Model(renumbered, renumbered.stack.of(documents), self._models)
            proved = Proved(renumbered, prove(model, effort))
            check_theorem(proved, documents, effort, self._models)
        except (NoProofError, TooLargeError) as error:
            self.without.append(theorem.claim)
            return str(error)
        except RejectedError as error:
            self.without.append(theorem.claim)
            return f"the checker rejects the proof found, a bug in tenantproof: {error}"
        self.numbers = numbers
        self.proved.append(proved)
        return None

    def certificate(self, manifest: str, sha256: str) -> Certificate:
        """All that was proved."""
        policies = tuple(Embedded(f, digest(t), t) for f, t in map(self._text, self.numbers))
        lenient = self.lenient and needs_lenience(policy.text for policy in policies)
        return Certificate(
            manifest, sha256, lenient, policies, tuple(self.proved), tuple(self.without)
        )

    def _text(self, file: str) -> tuple[str, str]:
        if file not in self._texts:
            self._texts[file] = read_bytes(self.folder / file).decode("utf-8")
        return file, self._texts[file]

    def _document(self, file: str) -> PolicyDocument:
        if file not in self._documents:
            self._documents[file] = parse_policy(
                self._text(file)[1], file=file, lenient=self.lenient, kind=PolicyKind.IDENTITY
            )
        return self._documents[file]


def _renumbered(stack: Stack, number: Callable[[int], int]) -> Stack:
    """The stack with other positions, given out in the order in which a theorem is written."""
    levels = tuple(tuple(map(number, level)) for level in stack.service_control_policies)
    boundary = stack.permissions_boundary
    return Stack(
        levels,
        None if boundary is None else number(boundary),
        tuple(map(number, stack.session_policies)),
        tuple(map(number, stack.identity_policies)),
    )


def _is_known_api() -> bool:
    """Whether botocore's model says of the runtime what the checker assumes."""
    known, found = DOMAINS[TARGET], target_model_domain()
    return (
        invoke_actions() == INVOKE_ACTIONS
        and target_model_actions() == TARGET_ACTIONS
        and (known.first, known.rest, known.shortest, known.longest)
        == (
            (found.initial.first, found.initial.last),
            (found.rest.first, found.rest.last),
            found.min_length,
            found.max_length,
        )
    )
