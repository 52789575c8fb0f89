"""A manifest under test: its questions asked one by one, and each answer attacked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from tenantproof.errors import DisagreementError
from tenantproof.isolation import DEFAULT_TIMEOUT, Finding, Manifest, Run, Verdict, load_manifest
from tenantproof.isolation.asking import Asked
from tenantproof.isolation.blame import blame
from tenantproof.isolation.findings import overall
from tenantproof.isolation.promises import Allows, Denies, Promise
from tenantproof.prove.engines import engines_named
from tenantproof.reading import DOCUMENTED
from tenantproof.testing.attack import Attack, Attempt


@dataclass(frozen=True)
class Options:
    """How questions are asked.

    Attributes:
        timeout: seconds for one question about one principal.
        engine: what decides: ``automata``, ``z3``, ``cvc5`` or ``all``.
        lenient: read policies with comments and trailing commas.
        attack: whether Hypothesis attacks what is proved.
        samples: how many requests near the boundary are kept of what is proved.
    """

    timeout: float = DEFAULT_TIMEOUT
    engine: str = "automata"
    lenient: bool = False
    attack: bool = True
    samples: int = 0


DEFAULT = Options()


@dataclass(frozen=True)
class Outcome:
    """What one question was answered.

    Attributes:
        asked: the question.
        findings: the answer; several where there are leaks of different kinds.
        drawn: how many requests of Hypothesis the answer withstood.
    """

    asked: Asked
    findings: tuple[Finding, ...]
    drawn: int = 0

    @property
    def verdict(self) -> Verdict:
        """LEAK if one finding is, else UNKNOWN if one is, else PROVED."""
        return overall(finding.verdict for finding in self.findings)

    @property
    def worst(self) -> Finding:
        """The first finding with the verdict."""
        return next(each for each in self.findings if each.verdict is self.verdict)


@dataclass
class Checks:
    """The questions of a manifest.

    Attributes:
        manifest: the manifest.
        options: how they are asked.
    """

    manifest: Manifest
    options: Options = field(default_factory=Options)

    @classmethod
    def of(cls, path: Path, options: Options = DEFAULT) -> Checks:
        """The questions of the manifest at a path.

        Raises:
            InputError: with every problem of the manifest and its policies.
        """
        checks = cls(load_manifest(path, lenient=options.lenient), options)
        checks.run.check_ownership()
        return checks

    @cached_property
    def run(self) -> Run:
        """The run that asks; what it learns serves all questions."""
        engines = engines_named(self.options.engine)
        options = self.options
        return Run(self.manifest, options.timeout, engines=engines, samples=options.samples)

    def asked(self) -> Iterator[Asked]:
        """Every question of the manifest."""
        yield from self.run.asked()

    def outcome(self, asked: Asked, key: str) -> Outcome:
        """Ask one question, and attack the answer where it is no leak.

        Args:
            asked: the question.
            key: a name for it that stays the same from run to run, for Hypothesis's database.

        Raises:
            DisagreementError: a request is allowed that was proved to be none, or the like.
        """
        answered = asked.answer()
        outcome = Outcome(asked, answered.findings)
        if outcome.verdict is Verdict.LEAK or not self.options.attack:
            return outcome
        for number, promise in enumerate(answered.promises):
            outcome = _attacked(outcome, promise, f"{key}#{number}")
        return outcome


def _attacked(outcome: Outcome, promise: Promise, key: str) -> Outcome:
    attack = Attack(promise, key.encode())
    found = attack.smallest()
    if found is None:
        return replace(outcome, drawn=outcome.drawn + attack.tried)
    if outcome.verdict is Verdict.PROVED or isinstance(found.promise, Allows):
        raise DisagreementError(
            f"the prover says that no request breaks {_said(outcome)}; the evaluator says that this"
            f" one does: {found.request}"
        )
    return replace(outcome, findings=(_leak(outcome.worst, found, found.promise),))


def _said(outcome: Outcome) -> str:
    finding = outcome.worst
    return f'"{finding.assertion or finding.question.value}" of {finding.tenant}'


def _leak(unknown: Finding, found: Attempt, promise: Denies) -> Finding:
    """Of a question without an answer, the leak that a random request showed."""
    decision = promise.inquiry.decide(found.request)
    return replace(
        unknown,
        verdict=Verdict.LEAK,
        escape=None,
        request=found.request,
        shortest=False,
        statements=blame(decision, found.request, DOCUMENTED),
        reason=f"a random request showed it; the prover had no answer: {unknown.reason}",
        engines=("hypothesis",),
        probes=(promise.inquiry.probe(found.request),),
        names={} if found.name is None else {"tenant": found.name},
    )
