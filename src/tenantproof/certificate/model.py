"""The third reading: what the policies say where only some propositions are known.

Shaped as :mod:`tenantproof.evaluate.authorizer` and :mod:`tenantproof.evaluate.conditions`, with
truths of three values; what a request fixes is decided by the evaluator's own functions. One model
covers every way to read the reference: each ambiguity is a proposition like another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

from tenantproof.certificate.keys import (
    ALWAYS_PRESENT,
    TARGET,
    TARGET_ACTIONS,
    domain_of,
    fixed_by,
    is_multivalued,
    is_the_principals,
)
from tenantproof.certificate.matchers import Keys, Matcher, matcher_of
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
from tenantproof.certificate.reasons import Denied, Harmless, Reason, Silent
from tenantproof.certificate.theorem import Beyond, Patterns, Theorem, Within
from tenantproof.certificate.truth import Truth, every, negation, some
from tenantproof.evaluate.conditions import condition_holds, holds_when_absent
from tenantproof.evaluate.matching import action_matches, resource_matches
from tenantproof.evaluate.variables import UnresolvedVariableError, resolve_variable
from tenantproof.policy.stack import PolicySet
from tenantproof.policy.syntax import (
    Clause,
    Condition,
    Effect,
    Family,
    SetQualifier,
    Statement,
    Template,
    Variable,
)
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading

EMPTY = Choice(Ambiguity.EMPTY_IS_NULL)
SPOILS_VALUE = Choice(Ambiguity.UNRESOLVED_VARIABLE)
ABSENT_FAILS = Choice(Ambiguity.FOR_ANY_IF_EXISTS)

Asked = Callable[[Branch], Truth]
"""What a branch says of one element of a statement."""


@dataclass(frozen=True)
class Site:
    """A statement where it stands: its layer, and its policy's place there and among all."""

    layer: str
    position: int
    document: int
    statement: Statement

    @property
    def place(self) -> tuple[str, int, int]:
        """What tells the site from all others."""
        return self.layer, self.position, self.statement.index


@dataclass(frozen=True)
class Source:
    """Where a matcher was written: the first condition that has it, or the manifest.

    ``reading`` holds the choices that the matcher depends on.
    """

    origin: tuple[int, int, int] | str
    reading: tuple[tuple[Ambiguity, bool], ...] = ()


class Model:
    """A theorem's policies and what it forbids, to be asked about branches of a proof.

    Attributes:
        theorem: the theorem.
        matchers: what keys are compared with; propositions name them by their number.
        sources: where each matcher was written.
    """

    def __init__(
        self,
        theorem: Theorem,
        policies: PolicySet,
        models: Callable[[Patterns], Matcher],
    ) -> None:
        self.theorem = theorem
        self.matchers: list[Matcher] = []
        self.sources: list[Source] = []
        self._places: dict[Source, int] = {}
        self._numbers: dict[tuple[str, Matcher], int] = {}
        self._models = models
        assert TARGET not in theorem.principal.keys
        self._fixed = {**theorem.principal.keys, **fixed_by(theorem.claim.endpoint)}
        self._filled = {key: value for key, value in self._fixed.items() if any(value)}
        self._layers = tuple(_sites(theorem, policies))
        sites = [site for _, layer in self._layers for site in layer]
        conditions = [c for site in sites for c in site.statement.conditions]
        self._qualified = {c.key.lower() for c in conditions if c.operator.qualifier}
        self._checks = {site.place: self._elements(site) for site in sites}
        self._forbidden = self._forbidding()

    # -- the theorem -------------------------------------------------------------------------

    def closing(self, branch: Branch) -> Reason | None:
        """Why no request of a branch is both allowed and forbidden; None where one may be.

        Of several reasons the first of these: the request is not forbidden; a statement denies
        it, the first that does; a layer allows nothing, the first that does not.
        """
        return self._harmless(branch) or self._denied(branch) or self._silent(branch)

    def _harmless(self, branch: Branch) -> Harmless | None:
        if self.forbidden(branch) is not False:
            return None
        return Harmless()

    def forbidden(self, branch: Branch) -> Truth:
        """Whether the request is one that must not be allowed."""
        return self._forbidden(branch)

    def _forbidding(self) -> Asked:
        present = partial(self._is_present, key=TARGET)
        match self.theorem.forbidden:
            case Beyond(own, owned, shared):
                in_own, in_owned, in_shared = (
                    self._inside(name, patterns)
                    for name, patterns in (("own", own), ("owned", owned), ("shared", shared))
                )

                def beyond(branch: Branch) -> Truth:
                    return some(
                        (
                            negation(present(branch)),
                            every(
                                (
                                    negation(in_own(branch)),
                                    some((in_owned(branch), negation(in_shared(branch)))),
                                )
                            ),
                        )
                    )

                return beyond
            case Within(None):
                return lambda _: True
            case Within(models):
                inside = self._inside("models", models or ())
                return lambda branch: every((present(branch), inside(branch)))

    def _inside(self, name: str, patterns: Patterns) -> Asked:
        if not patterns:
            return lambda _: False
        number = self._number(self._models(patterns), Source(name))
        return lambda branch: branch.truth(Some(TARGET, number))

    # -- the authorizer ----------------------------------------------------------------------

    def _denied(self, branch: Branch) -> Denied | None:
        """An explicit deny wins."""
        for _, sites in self._layers:
            for site in sites:
                if site.statement.effect is Effect.DENY and self.applies(site, branch):
                    return Denied(site.layer, site.position, site.statement.index)
        return None

    def _silent(self, branch: Branch) -> Silent | None:
        """A layer allows if one of its statements does; each layer must."""
        for name, sites in self._layers:
            allows = [site for site in sites if site.statement.effect is Effect.ALLOW]
            failing: list[tuple[int, int, str]] = []
            for site in allows:
                element = self._failing(site, branch)
                if element is not None:
                    failing.append((site.position, site.statement.index, element))
            if len(failing) == len(allows):
                return Silent(name, tuple(failing))
        return None

    def allowed(self, branch: Branch) -> Truth:
        """Whether the policies allow the request: no statement denies, every layer allows."""
        sites = [site for _, layer in self._layers for site in layer]
        denied = some(
            self.applies(site, branch) for site in sites if site.statement.effect is Effect.DENY
        )
        allows = (
            some(self.applies(s, branch) for s in layer if s.statement.effect is Effect.ALLOW)
            for _, layer in self._layers
        )
        return every((negation(denied), *allows))

    def applies(self, site: Site, branch: Branch) -> Truth:
        """A statement applies if every element of it matches the request."""
        return every(element(branch) for _, element in self._elements_of(site))

    def _failing(self, site: Site, branch: Branch) -> str | None:
        """The first element of a statement that does not match."""
        elements = self._elements_of(site)
        return next((name for name, matches in elements if matches(branch) is False), None)

    def _elements_of(self, site: Site) -> list[tuple[str, Asked]]:
        return self._checks[site.place]

    def _elements(self, site: Site) -> list[tuple[str, Asked]]:
        statement = site.statement
        assert statement.resource is not None
        elements: list[tuple[str, Asked]] = []
        if any(v.default is None for t in statement.templates for v in t.variables):
            elements.append(("Variable", self._variables_check(site)))
        elements.append((statement.action.element, self._action_check(statement.action)))
        elements.append((statement.resource.element, self._resource_check(site)))
        for index, condition in enumerate(statement.conditions):
            elements.append((f"Condition[{index}]", self._condition_check(site, index, condition)))
        return elements

    def _variables_check(self, site: Site) -> Asked:
        """A variable without a value makes the entire statement invalid."""
        templates = site.statement.templates
        needed = dict.fromkeys(
            v.key.lower() for t in templates for v in t.variables if v.default is None
        )
        values = [self._value_check(site, key) for key in needed]
        return lambda branch: some(
            (every(value(branch) for value in values), branch.truth(SPOILS_VALUE))
        )

    def _value_check(self, site: Site, key: str) -> Asked:
        """Whether a variable has a value: a key has one, or a set of one."""
        if key in self._fixed:
            variable = Variable(key)
            return self._by_reading(
                self._emptiness, lambda reading: self._resolves(variable, reading)
            )
        single = Undetermined(site.document, site.statement.index, f"Variable {key}")

        def free(branch: Branch) -> Truth:
            present = self._is_there(branch, key)
            if not self.is_set(key):
                return present
            return every((present, branch.truth(single)))

        return free

    def _resolves(self, variable: Variable, reading: Reading) -> bool:
        try:
            resolve_variable(variable, self._keys(reading))
        except UnresolvedVariableError:
            return False
        return True

    def _action_check(self, clause: Clause) -> Asked:
        """Action matches if one pattern does; NotAction if none does."""
        matching = {
            action
            for action in self.theorem.actions
            if any(action_matches(p, action) for p in clause.patterns) != clause.negated
        }

        def check(branch: Branch) -> Truth:
            candidates = self.candidates(branch)
            if matching.issuperset(candidates):
                return True
            if matching.isdisjoint(candidates):
                return False
            branch.ask(TheAction())
            return None

        return check

    def _resource_check(self, site: Site) -> Asked:
        """Resource matches if one pattern does; NotResource if none does."""
        clause = site.statement.resource
        assert clause is not None
        known = [p for p in clause.patterns if not self._has_free_variable(p)]
        found = self._by_reading(
            (Ambiguity.SEGMENT_WILDCARD, *self._emptiness),
            lambda reading: any(self._resource_matches(p, reading) for p in known),
        )
        open_ = Undetermined(site.document, site.statement.index, clause.element)

        def check(branch: Branch) -> Truth:
            matched = found(branch)
            if len(known) < len(clause.patterns) and matched is not True:
                matched = some((matched, branch.truth(open_)))
            return negation(matched) if clause.negated else matched

        return check

    def _resource_matches(self, pattern: Template, reading: Reading) -> bool:
        resolve = partial(resolve_variable, keys=self._keys(reading))
        try:
            return resource_matches(
                pattern,
                self.theorem.claim.endpoint,
                resolve,
                star_crosses=reading.segment_star_crosses,
            )
        except UnresolvedVariableError:
            return False

    # -- the conditions ----------------------------------------------------------------------

    def _condition_check(self, site: Site, index: int, condition: Condition) -> Asked:
        operator = condition.operator
        key = condition.key.lower()
        if operator.comparison.family is Family.NULL:
            wanted = {value.literal for value in condition.values}

            def null(branch: Branch) -> Truth:
                if len(wanted) == 2:
                    return True
                present = self._is_there(branch, key)
                return negation(present) if True in wanted else present

            return null
        matches = self._when_present(site, index, condition)

        def check(branch: Branch) -> Truth:
            present = self._is_there(branch, key)
            if present is True:
                return matches(branch)
            absent: Truth = holds_when_absent(operator)
            if operator.if_exists and operator.qualifier is SetQualifier.FOR_ANY_VALUE:
                absent = negation(branch.truth(ABSENT_FAILS))
            if present is False:
                return absent
            there = matches(branch)
            return some((every((present, there)), every((negation(present), absent))))

        return check

    def _when_present(self, site: Site, index: int, condition: Condition) -> Asked:
        """What a condition says where the request holds the key."""
        key = condition.key.lower()
        operator = condition.operator
        is_set = self.is_set(key)
        free = key not in self._fixed and self._is_free(key)
        if any(self._has_free_variable(value.template) for value in condition.values) or (
            free and is_set and operator.qualifier is None
        ):
            open_ = Undetermined(site.document, site.statement.index, f"Condition[{index}]")
            return lambda branch: branch.truth(open_)
        if not free:
            return self._of_known_values(condition)
        numbers = self._numbered(site, index, condition)
        negated = operator.comparison.negated

        def check(branch: Branch) -> Truth:
            number = numbers(branch)
            if number is None:
                return None
            if is_set:
                if operator.qualifier is SetQualifier.FOR_ANY_VALUE:
                    return branch.truth(Some(key, number, matching=not negated))
                exception = branch.truth(Some(key, number, matching=negated))
                return some((negation(self._is_filled(branch, key)), negation(exception)))
            matched = self._some(branch, key, number)
            holds = negation(matched) if negated else matched
            if operator.qualifier is SetQualifier.FOR_ALL_VALUES:
                return some((negation(self._is_filled(branch, key)), holds))
            return holds

        return check

    def _some(self, branch: Branch, key: str, number: int) -> Truth:
        matcher = self.matchers[number]
        return branch.truth(Some(key, number)) if matcher.wanted else False

    def _of_known_values(self, condition: Condition) -> Asked:
        """A condition on a key with the same value in every request."""
        key = condition.key.lower()
        given = self._fixed.get(key)
        if given is None:
            return lambda _: False

        def holds(reading: Reading) -> bool:
            resolve = partial(resolve_variable, keys=self._keys(reading))
            return condition_holds(condition, {key: given}, resolve, reading)

        return self._by_reading(self._ambiguities(condition), holds)

    def _numbered(
        self, site: Site, index: int, condition: Condition
    ) -> Callable[[Branch], int | None]:
        """The number of a condition's matcher; None where it hangs on a reading not chosen."""
        ambiguities = self._ambiguities(condition)
        found = {
            flags: matcher_of(condition, self._keys(reading), reading)
            for flags, reading in _readings(ambiguities)
        }
        among = _that_matter(ambiguities, found)
        origin = (site.document, site.statement.index, index)
        numbers = {
            flags: self._number(
                matcher,
                Source(
                    origin,
                    tuple((a, f) for a, f in zip(ambiguities, flags, strict=True) if a in among),
                ),
            )
            for flags, matcher in found.items()
        }

        def number(branch: Branch) -> int | None:
            flags = [branch.truth(Choice(a)) if a in among else False for a in ambiguities]
            return None if None in flags else numbers[tuple(map(bool, flags))]

        return number

    def number_of(self, source: Source) -> int | None:
        """The number of the matcher that is written at a place, if one is."""
        return self._places.get(source)

    def _number(self, matcher: Matcher, source: Source) -> int:
        of_key = (matcher.condition.key.lower(), matcher)
        if of_key not in self._numbers:
            self._numbers[of_key] = len(self.matchers)
            self.matchers.append(matcher)
            self.sources.append(source)
            self._places[source] = self._numbers[of_key]
        return self._numbers[of_key]

    # -- the keys ----------------------------------------------------------------------------

    def candidates(self, branch: Branch) -> tuple[str, ...]:
        """The actions that the request may have."""
        if branch.action is not None:
            return (branch.action,)
        if branch.truths.get(Present(TARGET)):
            return tuple(a for a in self.theorem.actions if a in TARGET_ACTIONS)
        return self.theorem.actions

    def _is_present(self, branch: Branch, key: str) -> Truth:
        """Whether the request holds a free key: TargetModel only with the action that has it."""
        if key == TARGET and not set(TARGET_ACTIONS).intersection(self.candidates(branch)):
            return False
        return key in ALWAYS_PRESENT or branch.truth(Present(key))

    def _is_there(self, branch: Branch, key: str) -> Truth:
        """Whether a key counts as present; by one reading not if it is empty."""
        if key in self._fixed:
            return key in self._filled or negation(branch.truth(EMPTY))
        if not self._is_free(key):
            return False
        present = self._is_present(branch, key)
        if present is False or not self._can_be_empty(key):
            return present
        counts = some((negation(branch.truth(EMPTY)), self._is_filled(branch, key)))
        return every((present, counts))

    def _is_filled(self, branch: Branch, key: str) -> Truth:
        return branch.truth(Filled(key)) if self._can_be_empty(key) else True

    def _is_free(self, key: str) -> bool:
        return key not in self._fixed and not is_the_principals(key)

    def _can_be_empty(self, key: str) -> bool:
        return self.is_set(key) or "" in domain_of(key)

    def is_set(self, key: str) -> bool:
        """Whether a key can hold any number of values."""
        return is_multivalued(key, qualified=key in self._qualified)

    def needs_a_value(self, branch: Branch, key: str) -> bool:
        """Whether the request is known to hold exactly one value of a key."""
        if self.is_set(key):
            return False
        return key in ALWAYS_PRESENT or branch.truths.get(Present(key)) is True

    def _has_free_variable(self, template: Template) -> bool:
        return any(self._is_free(variable.key.lower()) for variable in template.variables)

    # -- the readings ------------------------------------------------------------------------

    @property
    def _emptiness(self) -> tuple[Ambiguity, ...]:
        """Whether an empty value is one matters to variables only where a known key has one."""
        return (Ambiguity.EMPTY_IS_NULL,) if self._filled != self._fixed else ()

    def _ambiguities(self, condition: Condition) -> tuple[Ambiguity, ...]:
        """The ambiguities that what a condition compares with may hang on."""
        is_arn = condition.operator.comparison.family is Family.ARN
        return (*self._emptiness, *((Ambiguity.SHORT_ARN_PATTERN,) if is_arn else ()))

    def _keys(self, reading: Reading) -> Keys:
        return self._filled if reading.empty_is_null else self._fixed

    def _by_reading(
        self, ambiguities: tuple[Ambiguity, ...], value: Callable[[Reading], bool]
    ) -> Asked:
        """A truth that the reading decides: known where all readings left agree."""
        found = {flags: value(reading) for flags, reading in _readings(ambiguities)}
        among = _that_matter(ambiguities, found)
        if not among:
            answer = next(iter(found.values()))
            return lambda _: answer

        def check(branch: Branch) -> Truth:
            flags = [branch.truths.get(Choice(a)) if a in among else False for a in ambiguities]
            fitting = {
                truth
                for each, truth in found.items()
                if all(flag in (None, one) for flag, one in zip(flags, each, strict=True))
            }
            if len(fitting) == 1:
                return next(iter(fitting))
            for ambiguity in among:
                branch.truth(Choice(ambiguity))
            return None

        return check

    # -- propositions ------------------------------------------------------------------------

    def known(self, branch: Branch, proposition: Proposition) -> bool:
        """Whether a branch already tells a proposition."""
        if isinstance(proposition, TheAction):
            return len(self.candidates(branch)) == 1
        return proposition in branch.truths

    def open_in(self, branch: Branch) -> Sequence[Proposition]:
        """The propositions that keep it open whether a request is allowed and forbidden."""
        asking = Branch(branch.truths, branch.action, {})
        every((self.forbidden(asking), self.allowed(asking)))
        assert asking.asked is not None
        return list(asking.asked)


def _sites(theorem: Theorem, policies: PolicySet) -> Iterator[tuple[str, list[Site]]]:
    """The statements of each layer, by the layer's name."""
    for layer, documents in zip(policies.layers(), theorem.stack.layers(), strict=True):
        placed = enumerate(zip(documents, layer.policies, strict=True))
        yield (
            layer.name,
            [
                Site(layer.name, position, document, statement)
                for position, (document, policy) in placed
                for statement in policy.statements
            ],
        )


Flags = tuple[bool, ...]


def _readings(ambiguities: tuple[Ambiguity, ...]) -> Iterator[tuple[Flags, Reading]]:
    for flags in product((False, True), repeat=len(ambiguities)):
        flipped = [a for a, flag in zip(ambiguities, flags, strict=True) if flag]
        yield flags, DOCUMENTED.flipped(flipped)


def _that_matter(
    ambiguities: tuple[Ambiguity, ...], found: dict[Flags, bool] | dict[Flags, Matcher]
) -> tuple[Ambiguity, ...]:
    """The ambiguities of which the other choice, all else alike, gives something else."""

    def flip(flags: Flags, at: int) -> Flags:
        return tuple(f != (i == at) for i, f in enumerate(flags))

    return tuple(
        ambiguity
        for at, ambiguity in enumerate(ambiguities)
        if any(found[flags] != found[flip(flags, at)] for flags in found)
    )
