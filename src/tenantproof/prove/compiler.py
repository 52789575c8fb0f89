"""Policies in, a formula out. Reading 2 of the policy language.

Function for function the twin of :mod:`tenantproof.evaluate.authorizer` and
:mod:`tenantproof.evaluate.conditions`: the same names and the same shape, returning terms where
the evaluator returns Booleans. Nothing of the evaluator's matching is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from tenantproof.policy.stack import Layer, PolicySet
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Clause,
    Condition,
    ConditionValue,
    Effect,
    Escape,
    Family,
    Operator,
    Part,
    Relation,
    SetQualifier,
    Statement,
    Template,
    Variable,
)
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    Opaque,
    Some,
    Term,
    conj,
    disj,
    neg,
)
from tenantproof.prove.languages import ANY, NO_COLON, Language, Pattern, PatternBuilder
from tenantproof.prove.search import ANY_TEXT
from tenantproof.prove.space import BOOLEAN, RequestSpace, truth
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading
from tenantproof.request import ContextValue

MODELLED = (Family.STRING, Family.ARN, Family.BOOL, Family.NULL)
"""The operator families with a theory; a condition of another family is opaque."""

ARN_SEGMENTS = 6


@dataclass
class Compiled:
    """A formula with what was met on the way.

    Attributes:
        allowed: holds for exactly the requests of the space that the policies allow.
        space: the space, its keys' domains and cardinalities completed from the policies.
        multivalued: the keys that can hold any number of values.
        mentioned: the condition keys that the policies mention, lower case to as written.
        ambiguities: the points of the reference that the policies' text depends on.
        unmodelled: the conditions that became opaque.
    """

    allowed: Term
    space: RequestSpace
    multivalued: frozenset[str]
    mentioned: dict[str, str]
    ambiguities: frozenset[Ambiguity]
    unmodelled: tuple[Opaque, ...]


def compile_policies(
    policies: PolicySet, space: RequestSpace, reading: Reading = DOCUMENTED
) -> Compiled:
    """The formula of all requests in ``space`` that ``policies`` allow.

    Args:
        policies: the policies that apply to the space's principal.
        space: the requests to choose from.
        reading: the choices where the reference hedges.

    Returns:
        The formula, with the ambiguities and the unmodelled conditions it met.
    """
    return _Compiler(policies, space, reading).compile()


class _MatchesNothingError(LookupError):
    """A text that no value matches."""


class _UnresolvedError(_MatchesNothingError):
    """A policy variable without a value."""


class _FreeVariableError(LookupError):
    """A policy variable whose value differs from request to request."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


@dataclass
class _Compiler:
    policies: PolicySet
    space: RequestSpace
    reading: Reading
    ambiguities: set[Ambiguity] = field(default_factory=set)
    unmodelled: dict[Opaque, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        conditions = [c for s in self._statements() for c in s.conditions]
        variables = (v.key for s in self._statements() for t in s.templates for v in t.variables)
        self.mentioned: dict[str, str] = {}
        for key in (*(c.key for c in conditions), *variables):
            self.mentioned.setdefault(key.lower(), key)
        self.qualified = {c.key.lower() for c in conditions if c.operator.qualifier}
        boolean = {c.key.lower() for c in conditions if c.operator.comparison.family is Family.BOOL}
        domains = {**dict.fromkeys(boolean, BOOLEAN), **self.space.domains}
        self.domains = domains

    def _statements(self) -> Iterator[Statement]:
        for layer in self.policies.layers():
            for policy in layer.policies:
                yield from policy.statements

    def compile(self) -> Compiled:
        allowed = self.decide()
        multivalued = (
            key
            for key in self.mentioned
            if self.space.is_multivalued(key, qualified=key in self.qualified)
        )
        space = replace(self.space, domains=self.domains)
        return Compiled(
            allowed,
            space,
            frozenset(multivalued),
            self.mentioned,
            frozenset(self.ambiguities),
            tuple(self.unmodelled),
        )

    # -- the authorizer ----------------------------------------------------------------------

    def decide(self) -> Term:
        """No statement denies, and every layer allows."""
        layers = tuple(self.policies.layers())
        denied = disj(self._applies(layers, Effect.DENY))
        allowed = conj(self._allows(layer) for layer in layers)
        return conj((neg(denied), allowed))

    def _applies(self, layers: Iterable[Layer], effect: Effect) -> Iterator[Term]:
        for layer in layers:
            for policy in layer.policies:
                for statement in policy.statements:
                    if statement.effect is effect:
                        yield self.statement_result(statement)

    def _allows(self, layer: Layer) -> Term:
        """A layer allows if one of its statements does."""
        return disj(self._applies((layer,), Effect.ALLOW))

    def statement_result(self, statement: Statement) -> Term:
        """A statement applies if every element of it matches the request."""
        return conj(self._checks(statement))

    def _checks(self, statement: Statement) -> Iterator[Term]:
        yield self._variables_check(statement)
        yield self._clause_check(statement.action, ACTION)
        if statement.resource is not None:
            yield self._clause_check(statement.resource, RESOURCE)
        for condition in statement.conditions:
            yield self.condition_holds(condition)

    def _variables_check(self, statement: Statement) -> Term:
        """A variable without a value makes the entire statement invalid."""
        needed = (v for t in statement.templates for v in t.variables if v.default is None)
        has_values = conj(self._has_value(variable) for variable in needed)
        if has_values is True:
            return True
        self.ambiguities.add(Ambiguity.UNRESOLVED_VARIABLE)
        return True if self.reading.unresolved_spoils_value else has_values

    def _has_value(self, variable: Variable) -> Term:
        known = self.space.known(variable.key.lower())
        if isinstance(known, tuple):
            return False
        return self.space.present(variable.key.lower())

    def _clause_check(self, clause: Clause, subject: str) -> Term:
        """Action and Resource match if one pattern does; NotAction and NotResource if none does."""
        make = self._action_pattern if subject == ACTION else self._resource_pattern
        try:
            language = self._language(make, clause.patterns)
        except _FreeVariableError as free:
            return self._opaque(subject, f"the variable ${{{free.key}}}", clause)
        found = self._some(Some(subject, language))
        return neg(found) if clause.negated else found

    # -- the conditions ----------------------------------------------------------------------

    def condition_holds(self, condition: Condition) -> Term:
        """Whether one condition holds."""
        operator = condition.operator
        key = condition.key.lower()
        if operator.comparison.family is Family.NULL:
            wanted = {value.literal for value in condition.values}
            null = self._is_null(key)
            return disj((conj((True in wanted, null)), conj((False in wanted, neg(null)))))
        present = self.space.present(key)
        when_present = self._holds_when_present(condition, key)
        absent = conj((neg(present), holds_when_absent(operator)))
        return disj((conj((present, when_present)), absent))

    def _holds_when_present(self, condition: Condition, key: str) -> Term:
        operator = condition.operator
        if operator.comparison.family not in MODELLED:
            return self._opaque(key, operator.name, condition)
        try:
            language = self._language(self._value_pattern(operator), condition.values)
        except _FreeVariableError as free:
            return self._opaque(key, f"the variable ${{{free.key}}}", condition)
        negated = operator.comparison.negated
        match operator.qualifier:
            case None:
                some = self._some(Some(key, language))
                return neg(some) if negated else some
            case SetQualifier.FOR_ANY_VALUE:
                return self._some(Some(key, language, complemented=negated))
            case SetQualifier.FOR_ALL_VALUES:
                # Every value matches: there is none, the empty text aside, that does not.
                other = Some(key, language, complemented=not negated, nonempty=True)
                return neg(self._some(other))

    def _is_null(self, key: str) -> Term:
        absent = neg(self.space.present(key))
        if self._can_be_empty(key):
            self.ambiguities.add(Ambiguity.EMPTY_IS_NULL)
        if not self.reading.empty_is_null:
            return absent
        nonempty = self._some(Some(key, Language([]), complemented=True, nonempty=True))
        return disj((absent, neg(nonempty)))

    def _can_be_empty(self, key: str) -> bool:
        """Whether the key can be present with an empty value or with no values."""
        values = self._known_values(key)
        if values is not None:
            return self.space.known(key) is not False and not any(values)
        return self.space.is_multivalued(key, qualified=key in self.qualified) or (
            "" in self.domains.get(key, ANY_TEXT)
        )

    def _some(self, atom: Some) -> Term:
        """The atom, or its truth where the subject has one known value."""
        values = self._known_values(atom.subject)
        if values is None:
            return atom
        return any(
            (atom.language.accepts(value) != atom.complemented) and (value or not atom.nonempty)
            for value in values
        )

    def _known_values(self, subject: str) -> Sequence[str] | None:
        if subject in (ACTION, RESOURCE):
            choices = self.space.choices(subject).values
            return choices if choices is not None and len(choices) == 1 else None
        known = self.space.known(subject)
        if isinstance(known, str):
            return (known,)
        return None if known is True else (known or ())

    def _opaque(self, subject: str, what: str, written: Clause | Condition) -> Opaque:
        texts = written.patterns if isinstance(written, Clause) else written.values
        atom = Opaque(subject, what, tuple(t.text for t in texts), written.place)
        self.unmodelled[atom] = None
        return atom

    # -- patterns ----------------------------------------------------------------------------

    def _language(
        self,
        make: PatternMaker,
        texts: Iterable[Template | ConditionValue],
    ) -> Language:
        """The union of the texts' patterns; a text with a valueless variable matches nothing."""
        patterns: list[Pattern] = []
        for text in texts:
            try:
                patterns.append(make(text.template if isinstance(text, ConditionValue) else text))
            except _UnresolvedError:
                self.ambiguities.add(Ambiguity.UNRESOLVED_VARIABLE)
            except _MatchesNothingError:
                continue
        return Language(patterns)

    def _value_pattern(self, operator: Operator) -> PatternMaker:
        comparison = operator.comparison
        match comparison.family, comparison.relation:
            case Family.ARN, _:
                return self._arn_pattern
            case Family.BOOL, _:
                return lambda template: truth(template.text.lower() == "true")
            case _, Relation.LIKE:
                return self._like_pattern
            case _, relation:
                ignore = relation is Relation.EQUALS_IGNORE_CASE
                return lambda template: self._literal_pattern(template, ignore_case=ignore)

    def _like_pattern(self, template: Template) -> Pattern:
        """StringLike: ``*`` is any characters, ``?`` any one."""
        builder = PatternBuilder()
        for part in template.parts:
            match part:
                case AnyChars():
                    builder.many(ANY)
                case AnyChar():
                    builder.one(ANY)
                case _:
                    builder.text(self._text(part))
        return builder.build()

    def _literal_pattern(self, template: Template, *, ignore_case: bool) -> Pattern:
        """StringEquals: ``*`` and ``?`` are plain characters."""
        builder = PatternBuilder()
        for part in template.parts:
            builder.text(self._text(part), ignore_case=ignore_case)
        return builder.build()

    def _action_pattern(self, template: Template) -> Pattern:
        """Action: without case, ``*`` and ``?`` anywhere."""
        builder = PatternBuilder()
        for part in template.parts:
            match part:
                case AnyChars():
                    builder.many(ANY)
                case AnyChar():
                    builder.one(ANY)
                case _:
                    builder.text(self._text(part), ignore_case=True)
        return builder.build()

    def _resource_pattern(self, template: Template) -> Pattern:
        """Resource: ``*`` alone is everything, else segment by segment, missing ones are ``*``."""
        if all(isinstance(part, AnyChars) for part in template.parts):
            return PatternBuilder().many(ANY).build()
        segments = _segments(template.parts)
        segments += [(AnyChars(),)] * (ARN_SEGMENTS - len(segments))
        chosen = self._segments_pattern(segments, crossing=self.reading.segment_star_crosses)
        other = self._segments_pattern(segments, crossing=not self.reading.segment_star_crosses)
        if self._differ(RESOURCE, chosen, other):
            self.ambiguities.add(Ambiguity.SEGMENT_WILDCARD)
        return chosen

    def _differ(self, subject: str, one: Pattern, other: Pattern) -> bool:
        """Whether the choice between two patterns can matter to the subject's values."""
        values = self.space.choices(subject).values
        if one == other or values is None:
            return one != other
        left, right = Language([one]), Language([other])
        return any(left.accepts(value) != right.accepts(value) for value in values)

    def _arn_pattern(self, template: Template) -> Pattern:
        """ArnLike and ArnEquals: segment by segment, all six of them."""
        segments = _segments(template.parts)
        if len(segments) < ARN_SEGMENTS:
            self.ambiguities.add(Ambiguity.SHORT_ARN_PATTERN)
            if not self.reading.short_arn_completed:
                raise _MatchesNothingError
            segments += [(AnyChars(),)] * (ARN_SEGMENTS - len(segments))
        return self._segments_pattern(segments, crossing=False)

    def _segments_pattern(self, segments: Sequence[Sequence[Part]], *, crossing: bool) -> Pattern:
        builder = PatternBuilder()
        for index, segment in enumerate(segments):
            last = index == ARN_SEGMENTS - 1
            if index:
                builder.text(":")
            for at, part in enumerate(segment):
                ends = at == len(segment) - 1
                wild = ANY if last or (crossing and ends) else NO_COLON
                match part:
                    case AnyChars():
                        builder.many(wild)
                    case AnyChar():
                        builder.one(ANY if last else NO_COLON)
                    case _ if last:
                        builder.text(self._text(part))
                    case _:
                        builder.text(self._segment_text(part))
        return builder.build()

    def _segment_text(self, part: Part) -> str:
        """A text within one of the first five segments, which hold no colon."""
        text = self._text(part)
        if ":" in text:
            raise _MatchesNothingError(text)
        return text

    def _text(self, part: Part) -> str:
        """The literal characters that a part stands for."""
        match part:
            case Chars(text):
                return text
            case Escape(char):
                return char
            case AnyChars():
                return "*"
            case AnyChar():
                return "?"
            case Variable():
                return self._variable_value(part)

    def _variable_value(self, variable: Variable) -> str:
        """A variable's value, where every request of the space has the same."""
        known: ContextValue | bool = self.space.known(variable.key.lower())
        if known is True:
            raise _FreeVariableError(variable.key)
        if isinstance(known, str):
            return known
        if variable.default is None:
            raise _UnresolvedError(variable.key)
        return variable.default


PatternMaker = Callable[[Template], Pattern]


def holds_when_absent(operator: Operator) -> bool:
    """What an operator other than Null says where the request lacks the key."""
    by_qualifier = {
        SetQualifier.FOR_ALL_VALUES: True,
        SetQualifier.FOR_ANY_VALUE: False,
        None: operator.comparison.negated,
    }
    return operator.if_exists or by_qualifier[operator.qualifier]


def _segments(parts: Iterable[Part]) -> list[tuple[Part, ...]]:
    """The parts of an ARN pattern by segment, the sixth holding the rest, none of them empty."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        rest = part.text if isinstance(part, Chars) else None
        while rest is not None and ":" in rest and len(segments) < ARN_SEGMENTS:
            head, _, rest = rest.partition(":")
            segments[-1].append(Chars(head))
            segments.append([])
        segments[-1].append(part if rest is None else Chars(rest))
    return [tuple(p for p in segment if p != Chars("")) for segment in segments]
