"""What a key is compared with: a condition's values, or the patterns of the manifest.

Two conditions that match the same values are one matcher, so that a proof asks once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from tenantproof.certificate.texts import Item, Kind, Language, Pattern
from tenantproof.errors import Place
from tenantproof.evaluate.conditions import condition_holds
from tenantproof.evaluate.matching import (
    ARN_SEGMENTS,
    Token,
    expand,
    expand_literally,
    fold,
    split_segments,
)
from tenantproof.evaluate.variables import UnresolvedVariableError, resolve_variable
from tenantproof.policy.operators import COMPARISONS
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Condition,
    ConditionValue,
    Family,
    Literal,
    Operator,
    Relation,
    Template,
)
from tenantproof.policy.template import parse_template
from tenantproof.reading import DOCUMENTED, Reading
from tenantproof.request import ContextValue

Keys = Mapping[str, ContextValue]

TEXT_FAMILIES = (Family.STRING, Family.ARN)

_NOWHERE = Place("", "$")


@dataclass(frozen=True)
class Matcher:
    """A comparison with some values, of which one has to match.

    Attributes:
        family: the kind of comparison; String for all that compares texts.
        relation: how typed values are compared; None for texts.
        wanted: the patterns of texts, or the literals.
        condition: the comparison without negation, set prefix and IfExists.
        keys: the values of policy variables.
        reading: the choices where the reference hedges.
    """

    family: Family
    relation: Relation | None
    wanted: frozenset[Pattern] | frozenset[Literal]
    condition: Condition = field(compare=False)
    keys: Keys = field(compare=False, repr=False)
    reading: Reading = field(compare=False)

    def matches(self, value: str) -> bool:
        """Whether a value matches, as the evaluator says."""
        key = self.condition.key.lower()
        resolve = partial(resolve_variable, keys=self.keys)
        return condition_holds(self.condition, {key: value}, resolve, self.reading)

    @property
    def is_text(self) -> bool:
        """Whether texts are compared."""
        return self.relation is None

    @cached_property
    def patterns(self) -> frozenset[Pattern]:
        """The patterns of a comparison of texts."""
        return frozenset(one for one in self.wanted if isinstance(one, tuple))

    @cached_property
    def language(self) -> Language:
        """The texts that match."""
        return Language.of(sorted(self.patterns, key=_shown))

    @cached_property
    def finite(self) -> tuple[str, ...] | None:
        """The texts that match, where they are listed; None where there are wildcards."""
        if not self.is_text or any(k is not Kind.EXACT for p in self.patterns for k, _ in p):
            return None
        return tuple(sorted("".join(char for _, char in pattern) for pattern in self.patterns))


def _shown(pattern: Pattern) -> str:
    return "".join(f"{kind.name}{char}" for kind, char in pattern)


def matcher_of(condition: Condition, keys: Keys, reading: Reading) -> Matcher:
    """What a condition compares with, its negation, set prefix and IfExists aside.

    Args:
        condition: the condition; its variables have one value in every request.
        keys: the keys that every request has, under the reading.
        reading: the choices where the reference hedges.
    """
    comparison = replace(condition.operator.comparison, negated=False)
    plain = replace(condition, operator=Operator(comparison))
    if comparison.family not in TEXT_FAMILIES:
        literals = frozenset(v.literal for v in condition.values if v.literal is not None)
        return Matcher(comparison.family, comparison.relation, literals, plain, keys, reading)
    patterns = frozenset(
        pattern
        for value in condition.values
        if (pattern := _pattern(value.template, condition, keys, reading)) is not None
    )
    return Matcher(Family.STRING, None, patterns, plain, keys, reading)


def models_matcher(key: str, patterns: Iterable[str]) -> Matcher:
    """What the patterns of the manifest match: as StringLike, without policy variables."""
    values = tuple(
        ConditionValue(parse_template(text, _NOWHERE, variables=False)) for text in patterns
    )
    condition = Condition(Operator(COMPARISONS["StringLike"]), key, values, _NOWHERE)
    return matcher_of(condition, {}, DOCUMENTED)


def _pattern(
    template: Template, condition: Condition, keys: Keys, reading: Reading
) -> Pattern | None:
    """A value as a pattern; None where it matches nothing."""
    comparison = condition.operator.comparison
    resolve = partial(resolve_variable, keys=keys)
    try:
        match comparison.family, comparison.relation:
            case Family.ARN, _:
                return _arn_pattern(expand(template.parts, resolve), reading)
            case _, Relation.LIKE:
                return tuple(_items(expand(template.parts, resolve), crossing=True))
            case _, Relation.EQUALS_IGNORE_CASE:
                folded = fold(expand_literally(template, resolve))
                return tuple((Kind.FOLDED, char) for char in folded)
            case _:
                text = expand_literally(template, resolve)
                return tuple((Kind.EXACT, char) for char in text)
    except UnresolvedVariableError:
        return None


def _arn_pattern(tokens: Iterable[Token], reading: Reading) -> Pattern | None:
    """Six segments between colons; wildcards of the first five match no colon."""
    segments = split_segments(tokens)
    if reading.short_arn_completed:
        segments += [[AnyChars()]] * (ARN_SEGMENTS - len(segments))
    if len(segments) != ARN_SEGMENTS:
        return None
    items: list[Item] = []
    for index, segment in enumerate(segments):
        last = index == ARN_SEGMENTS - 1
        items += _items(segment, crossing=last)
        if not last:
            items.append((Kind.EXACT, ":"))
    return tuple(items)


def _items(tokens: Iterable[Token], *, crossing: bool) -> list[Item]:
    items: list[Item] = []
    for token in tokens:
        match token:
            case AnyChars():
                items.append((Kind.GAP if crossing else Kind.GAP_NO_COLON, ""))
            case AnyChar():
                items.append((Kind.ANY if crossing else Kind.NO_COLON, ""))
            case text:
                items += [(Kind.EXACT, char) for char in text]
    return items
