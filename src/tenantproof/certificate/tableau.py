"""Finding a proof: a tableau over the three-valued model.

Follows the method of analytic tableaux (Smullyan, "First-Order Logic", 1968, chapter II), with
case distinctions instead of rules: where the model does not know, a proposition that it asks for
is split on, until the model or a lemma closes every branch. The proposition that closes the most
branches at once goes first. Nothing here is trusted: the checker follows every step anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from tenantproof.certificate.keys import domain_of
from tenantproof.certificate.lemmas import contradict
from tenantproof.certificate.model import Model
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
    Proposition,
    Some,
    TheAction,
    Undetermined,
)
from tenantproof.certificate.texts import Effort, Kind, Language, Pattern, TooLargeError
from tenantproof.certificate.values import UnsupportedError
from tenantproof.policy.syntax import Family

MOST_NODES = 4_000
"""A proof with more nodes is not written."""

_MOST_LOOKED_AT = 24
_SAMPLES = 24


class NoProofError(Exception):
    """No proof was found; the message says why."""


Literals = dict[Some | Filled, bool]


def prove(model: Model, effort: Effort) -> Proof:
    """A proof of a model's theorem.

    Args:
        model: the theorem's model.
        effort: what the search may cost.

    Raises:
        NoProofError: none was found within the effort, or there is none.
    """
    try:
        return _Tableau(model, effort).proof()
    except TooLargeError as error:
        raise NoProofError(f"the search for a proof was given up: {error}") from None


@dataclass
class _Tableau:
    model: Model
    effort: Effort
    propositions: dict[Proposition, int] = field(default_factory=dict)
    lemmas: list[tuple[str, Literals]] = field(default_factory=list)
    nodes: list[Node | None] = field(default_factory=list)
    _cores: dict[tuple[str, bool, frozenset[tuple[Some | Filled, bool]]], Literals | None] = field(
        default_factory=dict
    )
    _splits: dict[int, Proposition] = field(default_factory=dict)
    _doubts: dict[str, None] = field(default_factory=dict)

    def proof(self) -> Proof:
        waiting: list[tuple[Branch, str | None, int, bool | str]] = [(Branch(), None, -1, False)]
        outcomes: dict[int, list[tuple[bool | str, int]]] = {}
        while waiting:
            self.effort.look()
            branch, key, parent, outcome = waiting.pop()
            here = len(self.nodes)
            if parent >= 0:
                outcomes[parent].append((outcome, here))
            if here >= MOST_NODES:
                raise TooLargeError(f"it would have more than {MOST_NODES} nodes")
            closed = self._closed(branch, key)
            if closed is not None:
                self.nodes.append(closed)
                continue
            proposition = self._choose(branch)
            self.propositions.setdefault(proposition, len(self.propositions))
            self.nodes.append(None)
            outcomes[here] = []
            waiting += reversed(
                [
                    (branch.assuming(proposition, each), _key_of(proposition), here, each)
                    for each in self._outcomes(proposition, branch)
                ]
            )
            self._splits[here] = proposition
        nodes = tuple(
            node
            if node is not None
            else Split(self.propositions[self._splits[i]], tuple(outcomes[i]))
            for i, node in enumerate(self.nodes)
        )
        written = tuple(self._written(each) for each in self.propositions)
        return Proof(written, tuple(self._lemma(*each) for each in self.lemmas), nodes)

    # -- closing -----------------------------------------------------------------------------

    def _closed(self, branch: Branch, key: str | None) -> Node | None:
        reason = self.model.closing(branch)
        if reason is not None:
            return Closed(reason)
        for number, (of, literals) in enumerate(self.lemmas):
            if self._is_assumed(of, literals, branch):
                return ByLemma(number)
        if key is None:
            return None
        core = self._core(key, branch)
        if core is None:
            return None
        self.lemmas.append((key, core))
        return ByLemma(len(self.lemmas) - 1)

    def _is_assumed(self, key: str, literals: Literals, branch: Branch) -> bool:
        has_value = any(literals.values()) or self.model.needs_a_value(branch, key)
        return has_value and all(branch.truths.get(p) is h for p, h in literals.items())

    def _core(self, key: str, branch: Branch) -> Literals | None:
        """A smallest part of a branch's literals on a key that contradicts itself, if one does."""
        literals: Literals = {
            p: holds
            for p, holds in branch.truths.items()
            if isinstance(p, (Some, Filled)) and p.key == key
        }
        valued = self.model.needs_a_value(branch, key)
        if not literals:
            return None
        if not valued and not any(literals.values()):
            return None
        for part in self._parts(literals):
            core = self._smallest(key, part, valued)
            if core is not None:
                return core
        return None

    def _parts(self, literals: Literals) -> Iterator[Literals]:
        """Each literal with the last; all; else, as kinds do not mix, those of each kind."""
        *others, last = literals.items()
        yield from (dict((other, last)) for other in others)
        families = {self._family(p) for p in literals} - {None}
        yield literals
        if len(families) > 1:
            for family in sorted(families, key=lambda each: each.value if each else ""):
                yield {p: h for p, h in literals.items() if self._family(p) in (None, family)}

    def _family(self, proposition: Some | Filled) -> Family | None:
        if isinstance(proposition, Filled):
            return None
        return self.model.matchers[proposition.matcher].family

    def _smallest(self, key: str, literals: Literals, valued: bool) -> Literals | None:
        asked = (key, valued, frozenset(literals.items()))
        if asked not in self._cores:
            core = None
            if self._refutes(key, literals, valued):
                core = self._explain(key, {}, literals, valued, grown=False)
            self._cores[asked] = core
        return self._cores[asked]

    def _explain(
        self, key: str, base: Literals, rest: Literals, valued: bool, *, grown: bool
    ) -> Literals:
        """A smallest part of ``rest`` that contradicts ``base``, which together they do.

        Follows Junker, "QuickXplain: Preferred Explanations and Relaxations for
        Over-Constrained Problems", AAAI 2004.
        """
        if grown and self._refutes(key, base, valued):
            return {}
        if len(rest) == 1:
            return rest
        items = list(rest.items())
        left, right = dict(items[: len(items) // 2]), dict(items[len(items) // 2 :])
        of_right = self._explain(key, base | left, right, valued, grown=True)
        of_left = self._explain(key, base | of_right, left, valued, grown=bool(of_right))
        return of_left | of_right

    def _refutes(self, key: str, literals: Literals, valued: bool) -> bool:
        """Whether literals contradict each other, given that the key has a value."""
        return (valued or any(literals.values())) and self._contradict(key, literals)

    def _contradict(self, key: str, literals: Literals) -> bool:
        if not self.model.is_set(key) and self._has_sample(key, literals):
            return False
        try:
            return contradict(self.model, key, literals, self.effort)
        except (TooLargeError, UnsupportedError) as error:
            self.effort.look()
            self._doubts[str(error)] = None
            return False

    def _has_sample(self, key: str, literals: Literals) -> bool:
        """Whether one of some texts near the patterns fulfils the literals: a quick no."""
        wanted = [(p, h) for p, h in literals.items() if isinstance(p, Some)]
        if any(not self.model.matchers[p.matcher].is_text for p, _ in wanted):
            return False
        return any(
            all(
                accepts(self.model.matchers[p.matcher].language, sample) is holds
                for p, holds in wanted
            )
            for sample in self._samples_of(key, [p.matcher for p, holds in wanted if holds])
        )

    def _samples_of(self, key: str, matchers: Iterable[int]) -> Iterator[str]:
        domain = domain_of(key)
        if domain.values is not None:
            return
        for number in matchers:
            patterns = self.model.matchers[number].patterns
            for pattern in islice(patterns, _SAMPLES):
                sample = _sample(pattern)
                if sample and sample in domain:
                    yield sample
        yield "~"

    # -- splitting ---------------------------------------------------------------------------

    def _choose(self, branch: Branch) -> Proposition:
        """The proposition to split on: the one of which the most outcomes close at once."""
        asked = self.model.open_in(branch)
        if not asked:
            raise NoProofError(self._why("a forbidden request may be allowed"))
        ranked = sorted(asked, key=_rank)[:_MOST_LOOKED_AT]
        if len(ranked) == 1:
            return ranked[0]
        best, best_share = ranked[0], 0.0
        for proposition in ranked:
            outcomes = self._outcomes(proposition, branch)
            closed = sum(self._closes(branch, proposition, each) for each in outcomes)
            share = closed / len(outcomes)
            if share >= 0.5:
                return proposition
            if share > best_share:
                best, best_share = proposition, share
        return best

    def _closes(self, branch: Branch, proposition: Proposition, outcome: bool | str) -> bool:
        after = branch.assuming(proposition, outcome)
        if self.model.closing(after) is not None:
            return True
        key = _key_of(proposition)
        return key is not None and self._core(key, after) is not None

    def _outcomes(self, proposition: Proposition, branch: Branch) -> Sequence[bool | str]:
        if isinstance(proposition, TheAction):
            return self.model.candidates(branch)
        return (True, False)

    def _why(self, what: str) -> str:
        return "; ".join((what, *self._doubts))

    # -- writing -----------------------------------------------------------------------------

    def _written(self, proposition: Proposition) -> Written:
        if isinstance(proposition, Some):
            source = self.model.sources[proposition.matcher]
            return Compared(proposition.key, source, proposition.matching)
        return proposition

    def _lemma(self, key: str, literals: Literals) -> Lemma:
        numbered = ((self.propositions[p], holds) for p, holds in literals.items())
        return Lemma(key, tuple(sorted(numbered)))


def _rank(proposition: Proposition) -> int:
    """Which propositions are looked at first: of the action, then of keys, readings last."""
    match proposition:
        case TheAction():
            return 0
        case Present():
            return 1
        case Some() | Filled():
            return 2
        case Undetermined():
            return 3
        case Choice():
            return 4


def _key_of(proposition: Proposition) -> str | None:
    return proposition.key if isinstance(proposition, (Some, Filled, Present)) else None


def _sample(pattern: Pattern) -> str:
    """A text of a pattern: each gap empty, each wildcard an x."""
    single = (Kind.ANY, Kind.NO_COLON)
    return "".join("x" if kind in single else char for kind, char in pattern)


def accepts(language: Language, text: str) -> bool:
    """Whether a text is in a language."""
    state = language.start
    for char in text:
        state = language.step(state, char)
    return bool(state & language.accept)
