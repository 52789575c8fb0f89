"""What arguments named ``near`` and ``policies`` mention: patterns, keys, values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from tenantproof.policy import PolicyDocument, PolicySet, Statement, statements
from tenantproof.policy.syntax import Chars, Condition, Family, Relation, Template
from tenantproof_strategies.arguments import shown
from tenantproof_strategies.boundary import OTHERS, Aim, Pieces, literally, pieces_of

Near = PolicySet | PolicyDocument | Iterable["str | Template | PolicySet | PolicyDocument"]
"""What a TargetModel may be drawn near of."""

_EXPECTED = "a PolicySet, a PolicyDocument, or an iterable of patterns, Templates or these"


def statements_of(policies: PolicySet | PolicyDocument) -> tuple[Statement, ...]:
    """Every statement."""
    if isinstance(policies, PolicyDocument):
        return policies.statements
    return tuple(statements(policies))


def checked_policies(policies: object, name: str = "policies") -> PolicySet:
    """The argument as a policy set; a document is a set of one identity policy.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(policies, PolicyDocument):
        return PolicySet((policies,))
    if not isinstance(policies, PolicySet):
        raise TypeError(
            f"found {shown(policies)} as {name}, expected a PolicySet or a PolicyDocument"
        )
    return policies


def aims_of(near: Near, key: str, name: str = "near") -> tuple[Aim, ...]:
    """The patterns that an argument gives, of policies those that a key is compared with.

    Raises:
        TypeError: the argument is a single text, or holds something else.
    """
    return tuple(dict.fromkeys(_aims(near, key, name)))


def _aims(near: Near, key: str, name: str) -> Iterator[Aim]:
    if isinstance(near, PolicySet | PolicyDocument):
        yield from chain.from_iterable(aims_in(s, key) for s in statements_of(near))
        return
    if isinstance(near, str) or not isinstance(near, Iterable):
        raise TypeError(f"found {_kind(near)}{shown(near)} as {name}, expected {_EXPECTED}")
    for each in near:
        match each:
            case str() | Template():
                yield Aim(pieces_of(each), OTHERS)
            case PolicySet() | PolicyDocument():
                yield from _aims(each, key, name)
            case _:
                raise TypeError(f"found {shown(each)} in {name}, expected {_EXPECTED}")


def _kind(value: object) -> str:
    return "the text " if isinstance(value, str) else ""


def aims_in(statement: Statement, key: str) -> Iterator[Aim]:
    """The patterns that a statement compares a key with."""
    for condition in statement.conditions:
        if condition.key.lower() == key.lower():
            source = f"{statement.effect.value} {condition.operator.name}"
            yield from (Aim(pieces, source) for pieces in patterns_of(condition))


def patterns_of(condition: Condition) -> Iterator[Pieces]:
    """The patterns of a condition on texts; where case is ignored, their twins, too."""
    comparison = condition.operator.comparison
    if comparison.family not in (Family.STRING, Family.ARN):
        return
    for value in condition.values:
        parts = value.template.parts
        pieces = parts if comparison.relation is Relation.LIKE else literally(parts)
        yield pieces
        if comparison.relation is Relation.EQUALS_IGNORE_CASE:
            yield tuple(Chars(p.text.swapcase()) if isinstance(p, Chars) else p for p in pieces)
