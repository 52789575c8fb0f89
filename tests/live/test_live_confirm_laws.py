"""Whatever the simulator answers: nothing is lost, and nothing passes that did not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from live_probes import random_probe

from tenantproof.aws import Failure
from tenantproof.isolation import Finding, Question, Report, Standing, Verdict
from tenantproof.live.confirm import Settings, confirm
from tenantproof.live.simulation import Answer, NoAnswer, Simulation

KEYS = st.sampled_from(("aws:PrincipalArn", "aws:PrincipalTag/team", "AWS:username", "a:unheard"))
PLACES = st.sampled_from(("PolicyInputList.1", "ResourcePolicy", "role_app", ""))
NUMBERS = st.none() | st.integers(-1, 9)
ANSWERS = st.one_of(
    st.builds(
        Answer,
        st.sampled_from(("allowed", "explicitDeny", "implicitDeny", "perhaps", "")),
        st.lists(KEYS, max_size=2).map(tuple),
        st.lists(st.tuples(PLACES, NUMBERS, NUMBERS), max_size=2).map(tuple),
        st.dictionaries(st.sampled_from(("a", "b")), st.booleans() | st.text(max_size=3)),
    ),
    st.builds(NoAnswer, st.sampled_from(Failure), st.text(max_size=5)),
)


class Drawn:
    """Answers at random."""

    def __init__(self, data: st.DataObject) -> None:
        self.data = data
        self.said: list[Answer | NoAnswer] = []

    def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
        answers = [self.data.draw(ANSWERS) for _ in simulations]
        self.said += answers
        return answers


@st.composite
def reports(draw: st.DrawFn) -> Report:
    random: Random = draw(st.randoms(use_true_random=False))
    findings = [
        Finding(
            draw(st.sampled_from(Question)),
            draw(st.sampled_from(Verdict)),
            f"tenant {number}",
            "arn:aws:iam::111122223333:role/app",
            None,
            probes=tuple(random_probe(random) for _ in range(random.randint(0, 3))),
        )
        for number in range(draw(st.integers(0, 4)))
    ]
    return Report("tenantproof.toml", tuple(findings))


@settings(max_examples=200)
@given(reports(), st.data(), st.booleans())
def test_nothing_is_lost_and_nothing_passes_more(
    report: Report, data: st.DataObject, principals: bool
) -> None:
    simulator = Drawn(data)
    after = confirm(report, simulator, Settings(principals))
    assert len(after.findings) == len(report.findings)
    for before, found in zip(report.findings, after.findings, strict=True):
        assert found.evidence is not None
        refuted = found.evidence.standing is Standing.REFUTED
        if before.verdict is Verdict.PROVED and refuted:
            assert found.verdict is Verdict.UNKNOWN
            assert replace(found, verdict=before.verdict, evidence=None, reason=None) == before
        else:
            assert replace(found, evidence=None) == before
        assert len(found.evidence.opinions) == len(before.probes)
        for opinion, probe in zip(found.evidence.opinions, before.probes, strict=True):
            assert opinion.request == probe.request
            assert opinion.reason or opinion.standing is Standing.CONFIRMED
            if opinion.standing is Standing.CONFIRMED:
                assert (opinion.answer == "allowed") == probe.decision.allowed
            if opinion.standing is Standing.REFUTED:
                assert (opinion.answer == "allowed") != probe.decision.allowed
    if not any(isinstance(answer, Answer) for answer in simulator.said):
        assert after.verdict is report.verdict


@settings(max_examples=100)
@given(reports())
def test_a_simulator_that_says_nothing_confirms_nothing(report: Report) -> None:
    class Silent:
        def ask(self, simulations: Sequence[Simulation]) -> list[Answer | NoAnswer]:
            return [NoAnswer(Failure.UNREACHABLE, "") for _ in simulations]

    after = confirm(report, Silent(), Settings())
    standings = {each.evidence.standing for each in after.findings if each.evidence}
    assert standings <= {Standing.UNCONFIRMED}
    assert after.verdict is report.verdict
