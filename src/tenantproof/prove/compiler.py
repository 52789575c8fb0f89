"""Policies in, a formula out. Reading 2 of the policy language.

Function for function the twin of :mod:`tenantproof.evaluate.authorizer` and
:mod:`tenantproof.evaluate.conditions`: the same names and the same shape, returning terms where
the evaluator returns Booleans. Nothing of the evaluator's matching is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

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
from tenantproof.prove.space import RequestSpace, truth
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading
from tenantproof.request import ContextValue

MODELLED = (Family.STRING, Family.ARN, Family.BOOL, Family.NULL)
"""The operator families with a theory; a condition of another family is opaque."""

ARN_SEGMENTS = 6


@dataclass(frozen=True)
class Compiled:
    """A formula with what was met on the way.

    Attributes:
        allowed: holds for exactly the requests of the space that the policies allow.
        space: the space.
        multivalued: the keys that can hold any number of values.
        mentioned: the condition keys that the policies mention, lower case to as written.
        ambiguities: the points of the reference that the policies' text depends on.
        unmodelled: the conditions that became opaque.
    """

    allowed: Term
    space: RequestSpace
    multivalued: frozenset[str]
    mentioned: Mapping[str, str]
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


class _UnresolvedError(LookupError):
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

    def _statements(self) -> Iterator[Statement]:
        for layer in self.policies.layers():
            for policy in layer.policies:
                yield from policy.statements

    def compile(self) -> Compiled:
        allowed = self.decide()
        multivalued = filter(self._is_multivalued, self.mentioned)
        return Compiled(
            allowed,
            self.space,
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
        allowed = conj([self._allows(layer) for layer in layers])
        return conj((neg(denied), allowed))

    def _applies(self, layers: Iterable[Layer], effect: Effect) -> list[Term]:
        """The statements of one effect; all of them are read, to meet all that is ambiguous."""
        return [
            self.statement_result(statement)
            for layer in layers
            for policy in layer.policies
            for statement in policy.statements
            if statement.effect is effect
        ]

    def _allows(self, layer: Layer) -> Term:
        """A layer allows if one of its statements does."""
        return disj(self._applies((layer,), Effect.ALLOW))

    def statement_result(self, statement: Statement) -> Term:
        """A statement applies if every element of it matches the request."""
        return conj(list(self._checks(statement)))

    def _checks(self, statement: Statement) -> Iterator[Term]:
        yield self._variables_check(statement)
        yield self._clause_check(statement.action, ACTION)
        if statement.resource is not None:
            yield self._clause_check(statement.resource, RESOURCE)
        for condition in statement.conditions:
            yield self.condition_holds(condition)

    def _variables_check(self, statement: Statement) -> Term:
        """A variable without a value makes the entire statement invalid."""
        needed = [v for t in statement.templates for v in t.variables if v.default is None]
        has_values = conj([self._has_value(variable, statement) for variable in needed])
        if has_values is True:
            return True
        self.ambiguities.add(Ambiguity.UNRESOLVED_VARIABLE)
        return True if self.reading.unresolved_spoils_value else has_values

    def _has_value(self, variable: Variable, statement: Statement) -> Term:
        key = variable.key.lower()
        known = self._known(key)
        if isinstance(known, tuple):
            return len(known) == 1
        present = self._present(key)
        if known is True and self._is_multivalued(key):
            single = Opaque(key, variable.key, "exactly one value", (), statement.place)
            self.unmodelled[single] = None
            return conj((present, single))
        return present

    # -- the keys ----------------------------------------------------------------------------

    def _known(self, key: str) -> ContextValue | bool:
        """As :meth:`RequestSpace.known`; with ``empty_is_null`` an empty value is no value."""
        known = self.space.known(key)
        if isinstance(known, bool) or any(known):
            return known
        self.ambiguities.add(Ambiguity.EMPTY_IS_NULL)
        return False if self.reading.empty_is_null else known

    def _present(self, key: str) -> Term:
        """Whether the request holds the key; with ``empty_is_null``, with a value not empty."""
        known = self._known(key)
        present = self.space.present(key) if isinstance(known, bool) else True
        if known is not True or not self._can_be_empty(key):
            return conj((present, known is not False))
        self.ambiguities.add(Ambiguity.EMPTY_IS_NULL)
        return conj((present, _not_empty(key))) if self.reading.empty_is_null else present

    def _can_be_empty(self, key: str) -> bool:
        """Whether a free key can be present with an empty value or with no values."""
        return self._is_multivalued(key) or "" in self.space.choices(key)

    def _is_multivalued(self, key: str) -> bool:
        return self.space.is_multivalued(key, qualified=key in self.qualified)

    def _clause_check(self, clause: Clause, subject: str) -> Term:
        """Action and Resource match if one pattern does; NotAction and NotResource if none does."""
        make = self._action_patterns if subject == ACTION else self._resource_patterns
        try:
            language = self._language(make, clause.patterns)
        except _FreeVariableError as free:
            return self._opaque(subject, f"{clause.element} with ${{{free.key}}} in", clause)
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
        present = self._present(key)
        when_present = self._holds_when_present(condition, key)
        absent = conj((neg(present), self._holds_when_absent(operator)))
        return disj((conj((present, when_present)), absent))

    def _holds_when_absent(self, operator: Operator) -> bool:
        if operator.if_exists and operator.qualifier is SetQualifier.FOR_ANY_VALUE:
            self.ambiguities.add(Ambiguity.FOR_ANY_IF_EXISTS)
            return not self.reading.for_any_if_exists_fails
        return holds_when_absent(operator)

    def _holds_when_present(self, condition: Condition, key: str) -> Term:
        operator = condition.operator
        if operator.comparison.family not in MODELLED:
            return self._opaque(key, operator.name, condition)
        if operator.qualifier is None and self._known(key) is True and self._is_multivalued(key):
            return self._opaque(key, f"{operator.name} without a set prefix", condition)
        try:
            language = self._language(self._value_patterns(operator), condition.values)
        except _FreeVariableError as free:
            return self._opaque(key, f"{operator.name} with ${{{free.key}}} in", condition)
        negated = operator.comparison.negated
        match operator.qualifier:
            case None:
                some = self._some(Some(key, language))
                return neg(some) if negated else some
            case SetQualifier.FOR_ANY_VALUE:
                return self._some(Some(key, language, complemented=negated))
            case SetQualifier.FOR_ALL_VALUES:
                # Every value matches, or there are none but empty ones.
                other = Some(key, language, complemented=not negated)
                return disj((neg(self._some(other)), neg(self._some(_not_empty(key)))))

    def _is_null(self, key: str) -> Term:
        return neg(self._present(key))

    def _some(self, atom: Some) -> Term:
        """The atom, or its truth where the subject has one known value."""
        values = self._known_values(atom.subject)
        if values is None:
            never_empty = atom == _not_empty(atom.subject) and not self._can_be_empty(atom.subject)
            return never_empty or atom
        return atom.holds_for(values)

    def _known_values(self, subject: str) -> Sequence[str] | None:
        if subject in (ACTION, RESOURCE):
            choices = self.space.choices(subject).values
            return choices if choices is not None and len(choices) == 1 else None
        known = self._known(subject)
        if isinstance(known, str):
            return (known,)
        return None if known is True else (known or ())

    def _opaque(self, subject: str, what: str, written: Clause | Condition) -> Opaque:
        texts = written.patterns if isinstance(written, Clause) else written.values
        key = written.element if isinstance(written, Clause) else written.key
        atom = Opaque(subject, key, what, tuple(t.text for t in texts), written.place)
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
                patterns += make(text.template if isinstance(text, ConditionValue) else text)
            except _UnresolvedError:
                self.ambiguities.add(Ambiguity.UNRESOLVED_VARIABLE)
        return Language(patterns)

    def _value_patterns(self, operator: Operator) -> PatternMaker:
        comparison = operator.comparison
        match comparison.family, comparison.relation:
            case Family.ARN, _:
                return self._arn_patterns
            case Family.BOOL, _:
                return lambda template: [truth(template.text.lower() == "true")]
            case _, Relation.LIKE:
                return lambda template: [self._wildcard_pattern(template)]
            case _, relation:
                ignore = relation is Relation.EQUALS_IGNORE_CASE
                return lambda template: [self._literal_pattern(template, ignore_case=ignore)]

    def _wildcard_pattern(self, template: Template, *, ascii_case: bool = False) -> Pattern:
        """StringLike and Action: ``*`` is any characters, ``?`` any one."""
        builder = PatternBuilder()
        for part in template.parts:
            match part:
                case AnyChars():
                    builder.many(ANY)
                case AnyChar():
                    builder.one(ANY)
                case _ if ascii_case:
                    builder.ascii_text(self._text(part))
                case _:
                    builder.text(self._text(part))
        return builder.build()

    def _literal_pattern(self, template: Template, *, ignore_case: bool) -> Pattern:
        """StringEquals: ``*`` and ``?`` are plain characters."""
        builder = PatternBuilder()
        for part in template.parts:
            builder.text(self._text(part), ignore_case=ignore_case)
        return builder.build()

    def _action_patterns(self, template: Template) -> list[Pattern]:
        """Action: ASCII letters without case."""
        return [self._wildcard_pattern(template, ascii_case=True)]

    def _resource_patterns(self, template: Template) -> list[Pattern]:
        """Resource: ``*`` alone is everything, else segment by segment, missing ones are ``*``."""
        if all(isinstance(part, AnyChars) for part in template.parts):
            return [PatternBuilder().many(ANY).build()]
        segments = self._segments(template)
        completed = segments + [_star()] * (ARN_SEGMENTS - len(segments))
        narrow = [_segments_pattern(completed, crossing=False)]
        wide = [_segments_pattern(each, crossing=True) for each in (completed, segments)]
        if self._differ(RESOURCE, narrow, wide):
            self.ambiguities.add(Ambiguity.SEGMENT_WILDCARD)
        return wide if self.reading.segment_star_crosses else narrow

    def _differ(self, subject: str, one: list[Pattern], other: list[Pattern]) -> bool:
        """Whether the choice between patterns can matter to the subject's values."""
        values = self.space.choices(subject).values
        if values is None:
            return True
        left, right = Language(one), Language(other)
        return any(left.accepts(value) != right.accepts(value) for value in values)

    def _arn_patterns(self, template: Template) -> list[Pattern]:
        """ArnLike and ArnEquals: segment by segment, all six of them."""
        segments = self._segments(template)
        if len(segments) < ARN_SEGMENTS:
            self.ambiguities.add(Ambiguity.SHORT_ARN_PATTERN)
            if not self.reading.short_arn_completed:
                return []
            segments += [_star()] * (ARN_SEGMENTS - len(segments))
        return [_segments_pattern(segments, crossing=False)]

    def _segments(self, template: Template) -> list[list[Piece]]:
        """A pattern by segment, variables replaced, the sixth segment holding the rest."""
        segments: list[list[Piece]] = [[]]
        for part in template.parts:
            if isinstance(part, (AnyChars, AnyChar)):
                segments[-1].append(part)
                continue
            rest = self._text(part)
            while ":" in rest and len(segments) < ARN_SEGMENTS:
                head, _, rest = rest.partition(":")
                segments[-1].append(head)
                segments.append([])
            segments[-1].append(rest)
        return [[piece for piece in segment if piece != ""] for segment in segments]

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
        known = self._known(variable.key.lower())
        if known is True:
            raise _FreeVariableError(variable.key)
        if isinstance(known, tuple) and len(known) == 1:
            return known[0]
        if isinstance(known, str):
            return known
        if variable.default is None:
            raise _UnresolvedError(variable.key)
        return variable.default


def _not_empty(key: str) -> Some:
    """Some value of the key is not the empty text."""
    return Some(key, _NOTHING, complemented=True, nonempty=True)


_NOTHING = Language([])

Piece = str | AnyChars | AnyChar
"""Literal characters, or a wildcard."""

PatternMaker = Callable[[Template], list[Pattern]]
"""Makes the patterns of a text, of which a value has to match one."""


def _star() -> list[Piece]:
    return [AnyChars()]


def _segments_pattern(segments: Sequence[Sequence[Piece]], *, crossing: bool) -> Pattern:
    """The pattern of segments between colons; with ``crossing`` a ``*`` at an end crosses them."""
    builder = PatternBuilder()
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if index:
            builder.text(":")
        for at, piece in enumerate(segment):
            ends = at == len(segment) - 1
            match piece:
                case AnyChars():
                    builder.many(ANY if last or (crossing and ends) else NO_COLON)
                case AnyChar():
                    builder.one(ANY if last else NO_COLON)
                case str(text):
                    builder.text(text)
    return builder.build()


def holds_when_absent(operator: Operator) -> bool:
    """What an operator other than Null says where the request lacks the key."""
    by_qualifier = {
        SetQualifier.FOR_ALL_VALUES: True,
        SetQualifier.FOR_ANY_VALUE: False,
        None: operator.comparison.negated,
    }
    return operator.if_exists or by_qualifier[operator.qualifier]
