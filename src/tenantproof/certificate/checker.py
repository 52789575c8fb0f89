"""The checker: whether a certificate's proofs prove its theorems.

It believes nothing that a certificate says. Every branch of a proof is followed with the model of
the policies; the reason that a leaf states must be the reason that the model finds, and each lemma
is decided anew. Whatever is stated and not needed is refused, so that every field has a meaning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from tenantproof.certificate.document import Certificate, Proved, digest
from tenantproof.certificate.keys import INVOKE_ACTIONS, TARGET, TARGET_ACTIONS
from tenantproof.certificate.lemmas import contradict
from tenantproof.certificate.matchers import Matcher, models_matcher
from tenantproof.certificate.model import Model
from tenantproof.certificate.proof import ByLemma, Closed, Compared, Lemma, Node, Split, Written
from tenantproof.certificate.propositions import (
    Branch,
    Filled,
    Proposition,
    Some,
    TheAction,
)
from tenantproof.certificate.reasons import Denied, Harmless, Reason, Silent
from tenantproof.certificate.texts import Effort, TooLargeError
from tenantproof.certificate.theorem import CANNOT, ISOLATED, Beyond, Patterns, Theorem, Within
from tenantproof.certificate.values import UnsupportedError
from tenantproof.errors import InputError, TenantproofError
from tenantproof.policy import PolicyDocument, PolicyKind, parse_policy


class RejectedError(TenantproofError):
    """A certificate does not prove what it states: the place in it, and why."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


def check_policies(certificate: Certificate) -> tuple[PolicyDocument, ...]:
    """Read the policies that a certificate embeds.

    Raises:
        RejectedError: a text is no identity policy, has another digest, or stands twice; or
            lenient reading is said to be needed, and is not.
    """
    if certificate.lenient and not needs_lenience(policy.text for policy in certificate.policies):
        raise RejectedError("$.lenient", "no policy needs lenient reading")
    documents: list[PolicyDocument] = []
    names = Counter(policy.file for policy in certificate.policies)
    for index, policy in enumerate(certificate.policies):
        path = f"$.policies[{index}]"
        if names[policy.file] > 1:
            raise RejectedError(f"{path}.file", f'"{policy.file}" stands twice')
        if digest(policy.text) != policy.sha256:
            raise RejectedError(f"{path}.sha256", "the digest is not that of the text")
        try:
            document = parse_policy(
                policy.text,
                file=policy.file,
                lenient=certificate.lenient,
                kind=PolicyKind.IDENTITY,
            )
        except InputError as error:
            reason = f"the text is no identity policy: {error.problems[0]}"
            raise RejectedError(f"{path}.text", reason) from None
        documents.append(document)
    return tuple(documents)


def needs_lenience(texts: Iterable[str]) -> bool:
    """Whether one of some policies can be read leniently only."""
    for text in texts:
        try:
            parse_policy(text, kind=PolicyKind.IDENTITY)
        except InputError:
            return True
    return False


def check_theorem(
    proved: Proved,
    documents: tuple[PolicyDocument, ...],
    effort: Effort,
    models: Callable[[Patterns], Matcher],
    path: str = "$",
) -> None:
    """Check one theorem's proof.

    Args:
        proved: the theorem and its proof.
        documents: the policies that the theorem refers to by position.
        effort: what the check may cost.
        models: gives the matcher of a list of patterns, see :func:`models_of`.
        path: the theorem's place in the certificate.

    Raises:
        RejectedError: it is no proof of the theorem.
    """
    check_statement(proved.theorem, path)
    model = Model(proved.theorem, proved.theorem.stack.of(documents), models)
    _Check(model, proved, effort, path).run()


def models_of() -> Callable[[Patterns], Matcher]:
    """A maker of matchers for TargetModel that makes that of a list of patterns once."""
    made: dict[Patterns, Matcher] = {}

    def matcher(patterns: Patterns) -> Matcher:
        if patterns not in made:
            made[patterns] = models_matcher(TARGET, patterns)
        return made[patterns]

    return matcher


def check_statement(theorem: Theorem, path: str) -> None:
    """Whether a theorem is one that the manifest's questions can state.

    Raises:
        RejectedError: it is not.
    """
    claim, actions = theorem.claim, theorem.actions
    fields = claim.endpoint.split(":", 5)
    if len(fields) != 6 or not fields[5].startswith("endpoint/"):
        raise RejectedError(f"{path}.endpoint", "it is not the ARN of a SageMaker endpoint")
    if claim.principal.count(":") < 5:
        raise RejectedError(f"{path}.principal.arn", "it is not the ARN of a principal")
    _check_keys(theorem, path)
    match claim.question, theorem.forbidden:
        case "isolated", Beyond():
            if claim.assertion is not None:
                raise RejectedError(f"{path}.assertion", f"{ISOLATED} asserts nothing else")
            if actions != INVOKE_ACTIONS:
                listed = ", ".join(INVOKE_ACTIONS)
                raise RejectedError(f"{path}.actions", f"{ISOLATED} speaks of {listed}")
        case "cannot", Within(models):
            if claim.assertion is None:
                raise RejectedError(f"{path}.assertion", f"{CANNOT} has a name")
            known = INVOKE_ACTIONS if models is None else TARGET_ACTIONS
            if not actions or actions != tuple(a for a in known if a in actions):
                listed = ", ".join(known)
                raise RejectedError(f"{path}.actions", f"expected some of {listed}, in this order")
        case question, _:
            raise RejectedError(f"{path}.forbidden", f"{question} does not forbid this")


def _check_keys(theorem: Theorem, path: str) -> None:
    """A principal decides each key once, and none that the request decides."""
    for name, given in (("tags", theorem.principal.tags), ("context", theorem.principal.context)):
        lowered = [key.lower() for key in given]
        if len(set(lowered)) != len(lowered):
            raise RejectedError(f"{path}.principal.{name}", "keys differ in case alone")
    for key in theorem.principal.context:
        if key.lower() in (TARGET, "aws:requestedregion", "aws:resourceaccount"):
            where = f"{path}.principal.context"
            raise RejectedError(where, f"{key} is decided by the request")


@dataclass
class _Check:
    """One walk over a proof, in the order of its nodes."""

    model: Model
    proved: Proved
    effort: Effort
    path: str
    propositions: list[Proposition] = field(default_factory=list)
    used: int = 0
    used_lemmas: int = 0
    at: int = 0

    def run(self) -> None:
        proof = self.proved.proof
        self.propositions = [
            self._proposition(written, f"{self.path}.propositions[{i}]")
            for i, written in enumerate(proof.propositions)
        ]
        for index, lemma in enumerate(proof.lemmas):
            self._check_lemma(lemma, f"{self.path}.lemmas[{index}]")
        waiting: list[tuple[Branch, int | None]] = [(Branch(), None)]
        while waiting:
            branch, stated = waiting.pop()
            here = f"{self.path}.nodes[{self.at}]"
            if stated is not None and stated != self.at:
                reason = f"found a branch to node {stated}, expected one to {self.at}: the nodes"
                raise RejectedError(f"{self.path}.nodes", f"{reason} stand in depth-first order")
            if self.at >= len(proof.nodes):
                raise RejectedError(f"{self.path}.nodes", f"there is no node {self.at}")
            node = proof.nodes[self.at]
            self.at += 1
            self.effort.look()
            waiting += reversed(list(self._follow(node, branch, here)))
        self._check_all_used()

    def _follow(self, node: Node, branch: Branch, here: str) -> Iterator[tuple[Branch, int]]:
        """Check one node; the branches that it leaves to be closed."""
        reason = self.model.closing(branch)
        match node:
            case Closed(stated):
                if stated != reason:
                    told = f"found that {_told(stated)}, expected that {_told(reason)}"
                    raise RejectedError(here, told)
                return
            case _ if reason is not None:
                raise RejectedError(here, f"the branch is closed already: {_told(reason)}")
            case ByLemma(number):
                self._check_use(number, branch, here)
            case Split(number, outcomes):
                yield from self._split(number, outcomes, branch, here)

    def _split(
        self, number: int, outcomes: tuple[tuple[bool | str, int], ...], branch: Branch, here: str
    ) -> Iterator[tuple[Branch, int]]:
        if number > self.used or number >= len(self.propositions):
            raise RejectedError(here, "propositions are numbered in the order of their use")
        self.used = max(self.used, number + 1)
        proposition = self.propositions[number]
        if proposition not in self.model.open_in(branch):
            raise RejectedError(here, "the branch does not hang on this proposition")
        expected: tuple[bool | str, ...] = (True, False)
        if isinstance(proposition, TheAction):
            expected = self.model.candidates(branch)
        if tuple(outcome for outcome, _ in outcomes) != expected:
            raise RejectedError(here, "the outcomes are not those of the proposition, in order")
        for outcome, node in outcomes:
            yield branch.assuming(proposition, outcome), node

    def _check_use(self, number: int, branch: Branch, here: str) -> None:
        """A lemma closes a branch that assumes all of it; the first that does is the one."""
        lemmas = self.proved.proof.lemmas
        if number > self.used_lemmas or number >= len(lemmas):
            raise RejectedError(here, "lemmas are numbered in the order of their use")
        self.used_lemmas = max(self.used_lemmas, number + 1)
        first = next((i for i, each in enumerate(lemmas) if self._is_assumed(each, branch)), None)
        if first != number:
            other = "no lemma does" if first is None else f"lemma {first} does"
            raise RejectedError(here, f"lemma {number} does not close the branch first: {other}")

    def _is_assumed(self, lemma: Lemma, branch: Branch) -> bool:
        """Whether a branch assumes all literals of a lemma, and that the key has a value."""
        literals = [(self.propositions[number], holds) for number, holds in lemma.literals]
        demanded = any(holds for _, holds in literals)
        return (demanded or self.model.needs_a_value(branch, lemma.key)) and all(
            branch.truths.get(proposition) is holds for proposition, holds in literals
        )

    # -- lemmas ------------------------------------------------------------------------------

    def _check_lemma(self, lemma: Lemma, here: str) -> None:
        numbers = [number for number, _ in lemma.literals]
        if numbers != sorted(set(numbers)) or any(n >= len(self.propositions) for n in numbers):
            raise RejectedError(f"{here}.literals", "found no rising numbers of propositions")
        literals: dict[Some | Filled, bool] = {}
        for index, (number, holds) in enumerate(lemma.literals):
            proposition = self.propositions[number]
            if not isinstance(proposition, (Some, Filled)) or proposition.key != lemma.key:
                where = f"{here}.literals[{index}]"
                raise RejectedError(where, f"it does not speak of the values of {lemma.key}")
            literals[proposition] = holds
        try:
            contradiction = contradict(self.model, lemma.key, literals, self.effort)
        except (TooLargeError, UnsupportedError) as error:
            raise RejectedError(here, f"the lemma cannot be checked: {error}") from None
        if not contradiction:
            raise RejectedError(here, f"some value of {lemma.key} fulfils all literals")

    # -- propositions ------------------------------------------------------------------------

    def _proposition(self, written: Written, here: str) -> Proposition:
        if not isinstance(written, Compared):
            return written
        number = self.model.number_of(written.source)
        if number is None:
            raise RejectedError(f"{here}.with", "nothing is first compared with this")
        return Some(written.key, number, written.matching)

    def _check_all_used(self) -> None:
        proof = self.proved.proof
        for name, used, items in (
            ("nodes", self.at, proof.nodes),
            ("propositions", self.used, proof.propositions),
            ("lemmas", self.used_lemmas, proof.lemmas),
        ):
            if used < len(items):
                raise RejectedError(f"{self.path}.{name}[{used}]", "the proof does not use it")


def _told(reason: Reason | None) -> str:
    match reason:
        case None:
            return "nothing closes the branch"
        case Harmless():
            return "the request is not forbidden"
        case Denied(layer, policy, statement):
            return f"policy {policy}, statement {statement} of {layer} denies it"
        case Silent(layer, because):
            listed = (f"policy {p}, statement {s}: {element}" for p, s, element in because)
            return f"{layer} allows nothing ({'; '.join(listed) or 'it has no Allow'})"
