"""A leaky policy has no certificate, whatever a forger writes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from certificate_helpers import BEYOND, documents_of, policy_set, proved, theorem
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import allow
from tenantproof.certificate import Proved, RejectedError, models_of
from tenantproof.certificate.checker import _Check, check_theorem
from tenantproof.certificate.keys import INVOKE_ACTIONS, TARGET
from tenantproof.certificate.model import Model, Source
from tenantproof.certificate.proof import (
    ByLemma,
    Closed,
    Compared,
    Lemma,
    Node,
    Proof,
    Split,
    Written,
)
from tenantproof.certificate.propositions import (
    Branch,
    Choice,
    Filled,
    Present,
    Some,
    TheAction,
    Undetermined,
)
from tenantproof.certificate.reasons import Denied, Harmless, Silent
from tenantproof.certificate.tableau import NoProofError
from tenantproof.certificate.texts import Effort
from tenantproof.policy import PolicySet
from tenantproof.reading import Ambiguity

SAFE = policy_set(allow("acme/*", "common/*"))
LEAKY = policy_set(allow("acme*", "common/*"))
IF_EXISTS = policy_set(
    allow(Condition={"StringLikeIfExists": {"sagemaker:TargetModel": ["acme/*", "common/*"]}})
)
ASYNC = policy_set(allow("acme/*", "common/*"), allow(Action="sagemaker:*Async", Condition=None))
LEAKS = (LEAKY, IF_EXISTS, ASYNC)
OWN = Compared(TARGET, Source("own"))
OWNED = Compared(TARGET, Source("owned"))
SHARED = Compared(TARGET, Source("shared"))
CONDITION = Compared(TARGET, Source((0, 0, 0)))
SILENT = Silent("identity_policies", ((0, 0, "Condition[0]"),))


def accepted(policies: PolicySet, proof: Proof) -> None:
    documents, stack = documents_of(policies)
    check_theorem(Proved(theorem(stack), proof), documents, Effort(), models_of())


def rejected(policies: PolicySet, proof: Proof, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        accepted(policies, proof)


def test_the_tableau_finds_no_proof_of_a_leak() -> None:
    for leak in LEAKS:
        with pytest.raises(NoProofError, match="may be allowed"):
            proved(leak)


def test_the_proof_of_the_safe_policy_is_none_of_the_leaky_ones() -> None:
    proof = proved(SAFE).proof
    accepted(SAFE, proof)
    for leak in LEAKS:
        with pytest.raises(RejectedError):
            accepted(leak, proof)


def test_a_lying_leaf() -> None:
    for reason in (Harmless(), SILENT, Denied("identity_policies", 0, 0)):
        rejected(LEAKY, Proof((), (), (Closed(reason),)), "nothing closes the branch")


def test_a_missing_branch() -> None:
    split = Split(0, (("sagemaker:InvokeEndpointAsync", 1),))
    silent = Silent("identity_policies", ((0, 0, "Action"),))
    rejected(LEAKY, Proof((TheAction(),), (), (split, Closed(silent))), "outcomes")


def test_a_branch_given_twice() -> None:
    split = Split(0, tuple((INVOKE_ACTIONS[1], i + 1) for i in range(4)))
    silent = Silent("identity_policies", ((0, 0, "Action"),))
    proof = Proof((TheAction(),), (), (split, *[Closed(silent)] * 4))
    rejected(LEAKY, proof, "outcomes")


def test_a_lying_lemma() -> None:
    lemma = Lemma(TARGET, ((0, False), (1, True)))
    rejected(LEAKY, Proof((OWN, CONDITION), (lemma,), (ByLemma(0),)), "some value")


def test_a_lemma_that_the_branch_does_not_assume() -> None:
    lemma = Lemma(TARGET, ((0, True), (1, False)))
    proof = Proof((OWN, CONDITION), (lemma,), (ByLemma(0),))
    rejected(LEAKY, proof, "lemma 0 does not close the branch")


def test_a_lemma_of_a_key_that_may_be_absent() -> None:
    """Every TargetModel is one of these, but a request may have none."""
    everything = policy_set(allow("*"))
    _, stack = documents_of(everything)
    stated = theorem(stack)
    proof = Proof((CONDITION, Present(TARGET)), (Lemma(TARGET, ((0, False),)),), ())
    model = Model(stated, everything, models_of())
    check = _Check(model, Proved(stated, proof), Effort(), "$", [Some(TARGET, 1), Present(TARGET)])
    (lemma,) = proof.lemmas
    none = Branch({Some(TARGET, 1): False})
    assert not check._is_assumed(lemma, none)
    assert not check._is_assumed(lemma, none.assuming(Present(TARGET), False))
    assert check._is_assumed(lemma, none.assuming(Present(TARGET), True))


@pytest.mark.parametrize("to", [(0, 2), (1, 1), (2, 1), (1, 0), (1, 9)])
def test_a_cycle_is_no_proof(to: tuple[int, int]) -> None:
    split = Split(0, ((True, to[0]), (False, to[1])))
    proof = Proof((CONDITION,), (), (split, Closed(SILENT), Closed(SILENT)))
    rejected(LEAKY, proof, "depth-first order|nothing closes")


def test_a_proof_of_nothing() -> None:
    rejected(LEAKY, Proof((), (), ()), "there is no node 0")


def test_a_proposition_that_is_not_there() -> None:
    split = Split(7, ((True, 1), (False, 2)))
    rejected(LEAKY, Proof((), (), (split,)), "order of their use")


@pytest.mark.parametrize(
    "change",
    [
        lambda stated: replace(stated, actions=INVOKE_ACTIONS[:1]),
        lambda stated: replace(stated, actions=()),
        lambda stated: replace(stated, claim=replace(stated.claim, endpoint="arn:aws:s3:::x")),
        lambda stated: replace(stated, claim=replace(stated.claim, question="cannot")),
    ],
)
def test_a_theorem_that_says_less_is_refused(change: Callable[[Any], Any]) -> None:
    documents, stack = documents_of(SAFE)
    stated = change(theorem(stack))
    with pytest.raises(RejectedError):
        check_theorem(Proved(stated, proved(SAFE).proof), documents, Effort(), models_of())


PROPOSITIONS: list[Written] = [
    TheAction(),
    Present(TARGET),
    OWN,
    OWNED,
    SHARED,
    CONDITION,
    Filled(TARGET),
    Choice(Ambiguity.EMPTY_IS_NULL),
    Undetermined(0, 0, "Condition[0]"),
]
REASONS = st.sampled_from(
    [Harmless(), SILENT, Silent("identity_policies", ((0, 0, "Action"),)), Silent("x", ())]
)


@st.composite
def forgeries(draw: st.DrawFn) -> Proof:
    """Trees in depth-first order over all propositions, with leaves as a forger likes them."""
    propositions = draw(st.permutations(PROPOSITIONS))
    lemmas = draw(
        st.lists(
            st.dictionaries(st.integers(0, 5), st.booleans(), min_size=1, max_size=3).map(
                lambda chosen: Lemma(TARGET, tuple(sorted(chosen.items())))
            ),
            max_size=2,
        )
    )
    nodes: list[Node] = []

    def grow(depth: int) -> int:
        here = len(nodes)
        if depth and draw(st.booleans()):
            number = draw(st.integers(0, 5))
            written = propositions[number]
            nodes.append(ByLemma(0))
            names = INVOKE_ACTIONS if isinstance(written, TheAction) else (True, False)
            nodes[here] = Split(number, tuple((name, grow(depth - 1)) for name in names))
        elif lemmas and draw(st.booleans()):
            nodes.append(ByLemma(draw(st.integers(0, len(lemmas) - 1))))
        else:
            nodes.append(Closed(draw(REASONS)))
        return here

    grow(4)
    return Proof(tuple(propositions), tuple(lemmas), tuple(nodes))


@settings(max_examples=400)
@given(st.sampled_from(LEAKS), forgeries())
def test_no_forgery_is_accepted(leak: PolicySet, proof: Proof) -> None:
    with pytest.raises(RejectedError):
        accepted(leak, proof)


def _edits(proof: Proof) -> list[Proof]:
    nodes = proof.nodes
    found = []
    for i, node in enumerate(nodes):
        others = {*nodes, Closed(Harmless()), Closed(SILENT), ByLemma(0)} - {node}
        found += [replace(proof, nodes=(*nodes[:i], o, *nodes[i + 1 :])) for o in others]
    for i, lemma in enumerate(proof.lemmas):
        for j, (number, holds) in enumerate(lemma.literals):
            changed = (*lemma.literals[:j], (number, not holds), *lemma.literals[j + 1 :])
            dropped = (*lemma.literals[:j], *lemma.literals[j + 1 :])
            for literals in (changed, dropped):
                lemmas = (*proof.lemmas[:i], replace(lemma, literals=literals))
                found.append(replace(proof, lemmas=(*lemmas, *proof.lemmas[i + 1 :])))
    return found


def test_no_edit_of_two_places_makes_a_proof_of_a_leak() -> None:
    proof = proved(SAFE).proof
    once = _edits(proof)
    assert len(once) > 50
    twice = [edit for each in once[::5] for edit in _edits(each)[::7]]
    for edit in (*once, *twice):
        for leak in LEAKS:
            with pytest.raises(RejectedError):
                accepted(leak, edit)
        if edit != proof:
            with pytest.raises(RejectedError):
                accepted(SAFE, edit)


def test_the_forbidden_requests_are_those_of_the_theorem() -> None:
    documents, stack = documents_of(SAFE)
    for smaller in (replace(BEYOND, own=("acme/v1/*",)), replace(BEYOND, shared=())):
        with pytest.raises(RejectedError):
            check_theorem(
                Proved(theorem(stack, forbidden=smaller), proved(SAFE).proof),
                documents,
                Effort(),
                models_of(),
            )
