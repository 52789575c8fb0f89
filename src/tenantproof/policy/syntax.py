"""The syntax tree of an IAM policy, each node with the place it was written at.

The tree says what was written, nothing of what it means: the evaluator and the symbolic model
each give it a meaning of their own. Places take no part in comparisons, so that two documents
with the same text at different places are equal.

Follows "Grammar of the IAM JSON policy language" of the IAM User Guide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network

from tenantproof.errors import Place


class Version(Enum):
    """The language version; a document without ``Version`` is read as 2008-10-17."""

    V2008 = "2008-10-17"
    V2012 = "2012-10-17"


class Effect(Enum):
    """What a statement does to the requests it applies to."""

    ALLOW = "Allow"
    DENY = "Deny"


class Family(Enum):
    """The kinds of condition operators, named as in the reference's headings."""

    STRING = "String"
    NUMERIC = "Numeric"
    DATE = "Date"
    BOOL = "Bool"
    BINARY = "Binary"
    IP_ADDRESS = "IpAddress"
    ARN = "Arn"
    NULL = "Null"


class Relation(Enum):
    """How a condition operator compares, once its negation is taken off."""

    EQUALS = "Equals"
    EQUALS_IGNORE_CASE = "EqualsIgnoreCase"
    LIKE = "Like"
    LESS_THAN = "LessThan"
    LESS_THAN_EQUALS = "LessThanEquals"
    GREATER_THAN = "GreaterThan"
    GREATER_THAN_EQUALS = "GreaterThanEquals"


class SetQualifier(Enum):
    """The prefixes that compare a multivalued key."""

    FOR_ALL_VALUES = "ForAllValues"
    FOR_ANY_VALUE = "ForAnyValue"


@dataclass(frozen=True)
class Comparison:
    """A condition operator without prefix and suffix, such as ``StringNotLike``."""

    name: str
    family: Family
    relation: Relation
    negated: bool = False


@dataclass(frozen=True)
class Operator:
    """A condition operator as written: ``ForAnyValue:StringLikeIfExists`` and its parts."""

    comparison: Comparison
    qualifier: SetQualifier | None = None
    if_exists: bool = False

    @property
    def name(self) -> str:
        """The operator as it is written in a policy."""
        prefix = f"{self.qualifier.value}:" if self.qualifier else ""
        return f"{prefix}{self.comparison.name}{'IfExists' if self.if_exists else ''}"


@dataclass(frozen=True)
class Chars:
    """Literal characters."""

    text: str


@dataclass(frozen=True)
class AnyChars:
    """A ``*`` as written; a wildcard only where the element takes wildcards."""


@dataclass(frozen=True)
class AnyChar:
    """A ``?`` as written; a wildcard only where the element takes wildcards."""


@dataclass(frozen=True)
class Escape:
    """``${*}``, ``${?}`` or ``${$}``: the character itself, never a wildcard."""

    char: str


@dataclass(frozen=True)
class Variable:
    """``${key}`` or ``${key, 'default'}``: a policy variable; ``key`` is a condition key."""

    key: str
    default: str | None = None


Part = Chars | AnyChars | AnyChar | Escape | Variable


@dataclass(frozen=True)
class Template:
    """A text in which wildcards and policy variables may stand, taken apart."""

    text: str
    parts: tuple[Part, ...]
    place: Place = field(compare=False, repr=False)

    def __hash__(self) -> int:
        """Of the text alone, which Python keeps: templates are what caches are asked for."""
        return hash(self.text)

    @cached_property
    def variables(self) -> tuple[Variable, ...]:
        """The policy variables in the text, in order."""
        return tuple(part for part in self.parts if isinstance(part, Variable))


Literal = Decimal | Fraction | bool | bytes | IPv4Network | IPv6Network
"""A typed condition value: number, instant in seconds since the epoch, Boolean, binary, network."""


@dataclass(frozen=True)
class ConditionValue:
    """One value of a condition: a template for strings and ARNs, else a typed literal."""

    template: Template
    literal: Literal | None = None

    @property
    def text(self) -> str:
        """The value as it was written."""
        return self.template.text

    @property
    def place(self) -> Place:
        """Where the value was written."""
        return self.template.place


@dataclass(frozen=True)
class Condition:
    """One line of a Condition block: an operator, a condition key, and the values ORed."""

    operator: Operator
    key: str
    values: tuple[ConditionValue, ...]
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class Clause:
    """``Action``/``NotAction`` or ``Resource``/``NotResource``: patterns, and whether negated."""

    element: str
    negated: bool
    patterns: tuple[Template, ...]
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class PrincipalEntry:
    """One principal of a ``Principal`` element: its type (``AWS``, ``Service``, ...) and value."""

    type: str
    value: str
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class PrincipalClause:
    """``Principal`` or ``NotPrincipal``; the bare string ``"*"`` is the entry ``AWS: *``."""

    element: str
    negated: bool
    entries: tuple[PrincipalEntry, ...]
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class Unknown:
    """A part of a statement that is not known where it was read, and why it is not.

    A value that is known after a Terraform plan is applied, say. What is known of the statement
    is a bound: it applies to no request that the rest of it does not match.
    """

    reason: str
    place: Place = field(compare=False, repr=False)


@dataclass(frozen=True)
class Statement:
    """One statement; ``index`` counts from 0 in its document.

    With ``unknown`` nobody can say whether it applies to a request that the rest of it matches.
    """

    index: int
    sid: str | None
    effect: Effect
    action: Clause
    resource: Clause | None
    principal: PrincipalClause | None
    conditions: tuple[Condition, ...]
    place: Place = field(compare=False, repr=False)
    unknown: Unknown | None = None

    @property
    def name(self) -> str:
        """How messages name the statement: its index, and its Sid where it has one."""
        return statement_name(self.index, self.sid)

    @cached_property
    def templates(self) -> tuple[Template, ...]:
        """Every text of the statement in which a policy variable may stand."""
        resources = self.resource.patterns if self.resource else ()
        values = (v.template for c in self.conditions for v in c.values)
        return (*resources, *values)


@dataclass(frozen=True)
class PolicyDocument:
    """A policy document; ``file`` is where it was read from."""

    version: Version
    id: str | None
    statements: tuple[Statement, ...]
    file: str = field(compare=False, repr=False)
    place: Place = field(compare=False, repr=False)


def statement_name(index: int, sid: str | None) -> str:
    """``Statement[2]`` or ``Statement[2] "AllowInvoke"``."""
    return f'Statement[{index}] "{sid}"' if sid else f"Statement[{index}]"


def epoch_seconds(instant: datetime) -> Fraction:
    """An aware datetime as exact seconds since 1970-01-01T00:00:00Z."""
    days = instant.toordinal() - datetime(1970, 1, 1).toordinal()
    offset = instant.utcoffset()
    seconds = days * 86400 + instant.hour * 3600 + instant.minute * 60 + instant.second
    shift = Fraction(0) if offset is None else Fraction(offset.days * 86400 + offset.seconds)
    return seconds + Fraction(instant.microsecond, 1_000_000) - shift
