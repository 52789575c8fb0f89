"""What the IAM policy simulator makes of a report's findings.

It can add evidence, and doubt: a proof that it contradicts is none any more. It takes nothing
away, whatever it answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import Any, Protocol

from tenantproof.aws import Failure
from tenantproof.evaluate import Decision
from tenantproof.isolation import Evidence, Finding, Opinion, Probe, Report, Standing, Verdict
from tenantproof.live.cases import with_case, write_case
from tenantproof.live.parameters import simulations
from tenantproof.live.simulation import Answer, NoAnswer, NotSimulatable, Simulation
from tenantproof.policy import Effect

ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"
DECISIONS = frozenset({ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY})
"""The simulator's decisions."""


class Asks(Protocol):
    """Whoever answers questions as the simulator does."""

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        """An answer, or why there is none, to each question, in their order."""
        ...


@dataclass(frozen=True)
class Settings:
    """How findings are confirmed.

    Attributes:
        principals: whether to ask about the policies of the principals as they are in the account.
        cases: the folder to which each refuted request is written; None for none.
    """

    principals: bool = False
    cases: Path | None = None


def confirm(report: Report, simulator: Asks, settings: Settings) -> Report:
    """The report with what the simulator says of each finding.

    Args:
        report: the findings, with the requests that they rest on.
        simulator: who is asked; the most important questions are put first.
        settings: how.

    Returns:
        The same findings in the same order, each with its evidence. Only a PROVED that is refuted
        changes its verdict, to UNKNOWN.
    """
    asking = _Asking(simulator, settings)
    heard: dict[int, list[Opinion]] = {}
    for tier in _by_importance(report.findings):
        opinions = asking.opinions(report.findings, tier)
        for (at, _), opinion in zip(tier, opinions, strict=True):
            heard.setdefault(at, []).append(opinion)
    findings = (
        _with_opinions(finding, tuple(heard.get(at, ())), settings)
        for at, finding in enumerate(report.findings)
    )
    return replace(report, findings=tuple(findings))


_Numbered = tuple[int, Probe]
"""A request with the number of its finding."""


def _by_importance(findings: Sequence[Finding]) -> Iterator[list[_Numbered]]:
    """The requests in the order in which they are worth a call.

    What leaks, then what is not known; then of what is proved one request of each, and so on.
    """
    numbered = {
        verdict: [
            [(at, probe) for probe in finding.probes]
            for at, finding in enumerate(findings)
            if finding.verdict is verdict
        ]
        for verdict in Verdict
    }
    yield [each for probes in numbered[Verdict.LEAK] for each in probes]
    yield [each for probes in numbered[Verdict.UNKNOWN] for each in probes]
    rounds = zip_longest(*numbered[Verdict.PROVED])
    yield [each for one_of_each in rounds for each in one_of_each if each is not None]


# -- asking ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Heard:
    """What was asked about one request, and what was answered.

    Attributes:
        asked: the questions, or why there are none.
        answers: one to each question.
        not_found: whether the principal's own policies were asked about first, and it was not
            found.
    """

    asked: tuple[Simulation, ...] | NotSimulatable
    answers: tuple[Answer | NoAnswer, ...] = ()
    not_found: bool = False

    @property
    def questions(self) -> tuple[Simulation, ...]:
        """The questions; none where the request cannot be asked about."""
        return self.asked if isinstance(self.asked, tuple) else ()

    @property
    def pairs(self) -> Iterator[tuple[Simulation, Answer | NoAnswer]]:
        """Each question with its answer."""
        return zip(self.questions, self.answers, strict=True)


class _Asking:
    def __init__(self, simulator: Asks, settings: Settings) -> None:
        self._simulator = simulator
        self._settings = settings
        self._not_found: set[str] = set()

    def opinions(self, findings: Sequence[Finding], requests: Sequence[_Numbered]) -> list[Opinion]:
        """What is said of each request, in their order."""
        probes = [probe for _, probe in requests]
        heard = self._heard(probes)
        self._not_found.update(name for one in heard for name in _names_nobody(one))
        missing = [at for at, one in enumerate(heard) if any(_names_nobody(one))]
        again = self._heard([probes[at] for at in missing])
        for at, one in zip(missing, again, strict=True):
            heard[at] = one
        return [
            self._opinion(findings[at], probe, one)
            for (at, probe), one in zip(requests, heard, strict=True)
        ]

    def _heard(self, probes: Sequence[Probe]) -> list[_Heard]:
        """What is said of some requests, asked all at once: they may go into one call."""
        heard = [self._questions(probe) for probe in probes]
        flat = [question for one in heard for question in one.questions]
        answers = iter(self._simulator.ask(flat) if flat else ())
        return [
            replace(one, answers=tuple(_understood(next(answers)) for _ in one.questions))
            for one in heard
        ]

    def _questions(self, probe: Probe) -> _Heard:
        """What to ask; of a principal that is not in the account about the policies read."""
        asked = simulations(probe, principals=self._settings.principals)
        if isinstance(asked, tuple) and self._not_found.intersection(map(_source, asked)):
            return _Heard(simulations(probe), not_found=True)
        return _Heard(asked)

    def _opinion(self, finding: Finding, probe: Probe, heard: _Heard) -> Opinion:
        opinion, cases = _opinion(probe, heard), self._settings.cases
        if opinion.standing is not Standing.REFUTED or cases is None:
            return opinion
        written = partial(write_case, cases, finding, probe, heard.questions, heard.answers)
        return with_case(opinion, written)


def _names_nobody(heard: _Heard) -> Iterator[str]:
    """The principals that were asked about as they are and that nobody knows."""
    for question, answer in heard.pairs:
        source = _source(question)
        if source and isinstance(answer, NoAnswer) and answer.failure is Failure.NOT_FOUND:
            yield source


def _source(question: Simulation) -> str | None:
    """The principal whose policies are asked about."""
    return question.parameters.get("PolicySourceArn")


def _understood(answer: Answer | NoAnswer) -> Answer | NoAnswer:
    """An answer with a decision that there is; another word denies nothing."""
    if isinstance(answer, Answer) and answer.decision not in DECISIONS:
        return NoAnswer(Failure.BAD_REPLY, f"found the decision {answer.decision!r}")
    return answer


# -- one request -------------------------------------------------------------------------------


def _opinion(probe: Probe, heard: _Heard) -> Opinion:
    """What the answers to all questions about a request say of it."""
    decision = probe.decision.outcome.value
    draft = Opinion(Standing.UNCONFIRMED, _asked(heard), probe.request, decision)
    if isinstance(heard.asked, NotSimulatable):
        return _because(draft, heard, f"not simulatable: {heard.asked.reason}")
    answered = _that_decide(heard)
    if isinstance(answered, NoAnswer):
        return _because(draft, heard, _shown_failure(answered))
    said = [answer for _, answer in answered]
    draft = replace(
        draft,
        answer=_together(said),
        statements=tuple(dict.fromkeys(name for each in answered for name in _matched(*each))),
    )
    agree = probe.decision.allowed == (draft.answer == ALLOWED)
    lacking = sorted({key for answer in said for key in answer.missing}, key=str.lower)
    meant = {key for question, _ in answered for key in question.lacks}
    if lacking and not (agree and all(key.lower() in meant for key in lacking)):
        return _because(draft, heard, f"MissingContextValues: {', '.join(lacking)}")
    if agree:
        return _because(
            replace(draft, standing=Standing.CONFIRMED), heard, *_notes(draft, heard, lacking)
        )
    return _because(
        replace(draft, standing=Standing.REFUTED),
        heard,
        _our_reasons(probe.decision),
        *_their_reasons(answered),
    )


def _because(opinion: Opinion, heard: _Heard, *reasons: str) -> Opinion:
    """An opinion with its reasons, and that they are about the policies as read where they are."""
    if heard.not_found:
        reasons = (*reasons, "the principal is not in the account: its policies as read were asked")
    return replace(opinion, reason="; ".join(reasons) or None)


def _asked(heard: _Heard) -> str:
    """The operations that somebody was asked with."""
    never = {Failure.BUDGET, Failure.INTERRUPTED}
    names = (
        question.operation.value
        for question, answer in heard.pairs
        if not (isinstance(answer, NoAnswer) and answer.failure in never)
    )
    return ", ".join(dict.fromkeys(names))


def _shown_failure(answer: NoAnswer) -> str:
    return f"{answer.failure.value}: {answer.message}" if answer.message else answer.failure.value


_Answered = tuple[Simulation, Answer]


def _that_decide(heard: _Heard) -> list[_Answered] | NoAnswer:
    """The answers that decide: one deny, or else all, of which each must be there."""
    pairs = list(heard.pairs)
    answered = [(asked, answer) for asked, answer in pairs if isinstance(answer, Answer)]
    denied = [pair for pair in answered if pair[1].decision != ALLOWED]
    if denied:
        return denied
    missing = [answer for _, answer in pairs if isinstance(answer, NoAnswer)]
    return missing[0] if missing else answered


def _together(answers: Iterable[Answer]) -> str:
    """The decision of several answers of which each must allow."""
    decisions = [answer.decision for answer in answers if answer.decision != ALLOWED]
    if not decisions:
        return ALLOWED
    return EXPLICIT_DENY if EXPLICIT_DENY in decisions else IMPLICIT_DENY


def _matched(question: Simulation, answer: Answer) -> Iterator[str]:
    """The names of the statements that an answer rests on."""
    for identifier, line, column in answer.matched:
        name = None if line is None else question.statements.get((identifier, line))
        position = "" if line is None else f":{line}" if column is None else f":{line}:{column}"
        yield name or f"{identifier}{position}"


def _notes(opinion: Opinion, heard: _Heard, lacking: Iterable[str]) -> Iterator[str]:
    """What limits an agreement."""
    if opinion.answer is not None and opinion.decision.lower() != opinion.answer.lower():
        yield f"both deny it, tenantproof by {opinion.decision}, the simulator by {opinion.answer}"
    for key in lacking:
        yield f"decided without {key}, which the request does not have"
    if len(heard.questions) > 1:
        yield f"asked in {len(heard.questions)} parts, each of which must allow"


def _our_reasons(decision: Decision) -> str:
    outcome = decision.outcome.value
    effect = Effect.ALLOW if decision.allowed else Effect.DENY
    applied = [
        f"{r.layer.policies[r.policy_index].file}: {r.statement.name}"
        for r in decision.applied(effect)
    ]
    silent = [f"nothing in {layer.name} allows it" for layer in decision.denied_by]
    return f"tenantproof says {outcome} ({', '.join([*applied, *silent]) or 'no statement'})"


def _their_reasons(answered: Iterable[_Answered]) -> Iterator[str]:
    for question, answer in answered:
        reasons = ", ".join([*_matched(question, answer), *_details(answer.details)])
        yield f"{question.operation.value} says {answer.decision} ({reasons or 'no statement'})"


def _details(details: Mapping[str, Any]) -> Iterator[str]:
    """``AllowedByOrganizations: false``, whatever it stands in."""
    for name, value in sorted(details.items()):
        if isinstance(value, Mapping):
            yield from _details(value)
        else:
            yield f"{name}: {str(value).lower() if isinstance(value, bool) else value}"


# -- one finding -------------------------------------------------------------------------------


def with_evidence(finding: Finding, evidence: Evidence, doubt: Callable[[], str]) -> Finding:
    """A finding with what somebody else says of it; a proof that is refuted is UNKNOWN.

    Args:
        finding: the finding.
        evidence: what is said.
        doubt: says why a proof that is refuted is none.
    """
    told = replace(finding, evidence=evidence)
    if finding.verdict is Verdict.PROVED and evidence.standing is Standing.REFUTED:
        return replace(told, verdict=Verdict.UNKNOWN, reason=doubt())
    return told


def _with_opinions(finding: Finding, opinions: tuple[Opinion, ...], settings: Settings) -> Finding:
    evidence = _evidence(opinions)
    return with_evidence(finding, evidence, lambda: _doubt(evidence, settings))


def _evidence(opinions: tuple[Opinion, ...]) -> Evidence:
    """Refuted where one request is, confirmed where all are."""
    standings = {opinion.standing for opinion in opinions}
    if not standings:
        return Evidence(Standing.UNCONFIRMED, (), "no request to ask about")
    if Standing.REFUTED in standings:
        return Evidence(Standing.REFUTED, opinions)
    if standings == {Standing.CONFIRMED}:
        return Evidence(Standing.CONFIRMED, opinions)
    return Evidence(Standing.UNCONFIRMED, opinions)


def _doubt(evidence: Evidence, settings: Settings) -> str:
    """Why a proof that is refuted is none."""
    counted = Counter(opinion.standing for opinion in evidence.opinions)
    refuted = counted[Standing.REFUTED]
    of = counted.total()
    first = next(each for each in evidence.opinions if each.standing is Standing.REFUTED)
    reason = (
        f"AWS's policy simulator decides {refuted} of {of} requests otherwise:"
        f" {first.request.action} on {first.request.resource}: {first.reason}"
    )
    if settings.principals:
        reason += "; the deployed policies may differ from those that were read"
    return reason
