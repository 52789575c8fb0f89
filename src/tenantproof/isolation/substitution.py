"""A name in the texts of principals and policies: put in, and taken out.

What is rendered for each tenant by putting its name into texts is one policy for all names at once:
a reserved tag of the principal, whose value is the name, stands where the name stood. That is sound
where a name means nothing more than its characters: the obstacles say where it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise

from tenantproof.errors import Place
from tenantproof.policy import Access, Condition, PolicyDocument, PolicySet, Statement, statements
from tenantproof.policy.syntax import Chars, Clause, Family, Part, Template, Variable
from tenantproof.prove import Domain, shortest_member
from tenantproof.prove.regular import ANY_CHARACTER, CharSet, Concat, One, Regular, Repeat
from tenantproof.request import ContextValue, Principal, Request

PLACEHOLDER = "{tenant}"
"""Where texts hold the tenant's name."""

TAG = "tenantproof-name"
"""The reserved tag that stands for the tenant's name."""

_NAME = Variable(f"aws:PrincipalTag/{TAG}")
_WRITTEN = f"${{{_NAME.key}}}"

PLAIN = CharSet.union((ord(c), ord(c)) for c in map(chr, range(0x20, 0x7F)) if c not in '*?$"\\')
"""Characters that are the same in JSON, in a pattern and in the value of a tag."""


@dataclass(frozen=True)
class Substitution:
    """The policies of every name tried, with a policy variable where the name stands."""

    policies: PolicySet

    def of(self, name: str) -> PolicySet:
        """The policies of a name."""
        return _with_templates(self.policies, lambda template: _put(template, name))


def named(template: Principal, name: str) -> Principal:
    """A principal that a rule describes, of the tenant with a name."""
    return Principal(
        template.arn.replace(PLACEHOLDER, name),
        {key: value.replace(PLACEHOLDER, name) for key, value in template.tags.items()},
        {key: put_name(value, name) for key, value in template.context.items()},
    )


def spelled_out(access: Access, request: Request) -> tuple[Access, Request]:
    """Policies in which the reserved tag stands for a name, with the name of a request's principal.

    What is asked of anybody who does not know the reserved tag is asked like this.
    """
    principal = request.principal
    name = principal.tags.get(TAG)
    if name is None:
        return access, request
    tags = {key: value for key, value in principal.tags.items() if key != TAG}
    caller = Substitution(access.caller).of(name)
    plain = replace(request, principal=replace(principal, tags=tags))
    return replace(access, caller=caller), plain


def put_name(value: ContextValue, name: str) -> ContextValue:
    """A condition key's value with a tenant's name put in; the values of a set hold none."""
    return value.replace(PLACEHOLDER, name) if isinstance(value, str) else value


def obstacle_in_place(found: Substitution, rule: Regular) -> str | None:
    """Why the names cannot stand where they do: what one begins with, or holds, means more there.

    A colon would begin the next part of an ARN, and ``{`` behind a ``$`` a policy variable.
    """
    in_arn = any(_NAME in template.parts for template in _arns(found.policies))
    bad = example(rule, CharSet.of(":")) if in_arn else None
    if bad is not None:
        return f"a tenant can be named {bad!r}, and the name stands in an ARN"
    templates = (t for statement in statements(found.policies) for t in statement.templates)
    behind = any(map(_stands_behind_dollar, templates))
    bad = example(rule, CharSet.of("{"), first=True) if behind else None
    if bad is not None:
        return f'a tenant can be named {bad!r}, and the name stands behind a "$"'
    return None


def _stands_behind_dollar(template: Template) -> bool:
    return any(
        isinstance(before, Chars) and before.text.endswith("$") and part == _NAME
        for before, part in pairwise(template.parts)
    )


def example(rule: Regular, chars: CharSet, *, first: bool = False) -> str | None:
    """The shortest name that holds one of some characters, or begins with one."""
    rest = Repeat(One(ANY_CHARACTER))
    holding = Regular(Concat((One(chars), rest) if first else (rest, One(chars), rest)))
    return shortest_member([rule, holding], [], Domain(min_length=1))


def texts_in(node: object) -> Iterator[str]:
    """Every text in a syntax tree, where it was written aside."""
    match node:
        case str(text):
            yield text
        case tuple(items):
            for item in items:
                yield from texts_in(item)
        case Place():
            return
        case _ if is_dataclass(node):
            for each in fields(node):
                if each.compare:
                    yield from texts_in(getattr(node, each.name))
        case _:
            return


def elsewhere(policies: PolicySet, probe: str) -> str | None:
    """Where a name still stands once variables stand for it."""
    for statement in statements(policies):
        for clause in (statement.action, statement.resource):
            if clause is not None and any(probe in text for text in texts_in(clause.patterns)):
                return clause.element
        for condition in statement.conditions:
            if probe in condition.key:
                return f"the condition key {condition.key}"
            if any(probe in text for text in texts_in(condition.values)):
                return f"a value of {condition.operator.name} on {condition.key}"
    return None


def times_named(policies: PolicySet) -> int:
    """How often the variable stands in the texts of policies."""
    templates = (t for statement in statements(policies) for t in statement.templates)
    return sum(part == _NAME for template in templates for part in template.parts)


def without_name(policies: PolicySet, name: str) -> PolicySet:
    """Policies with the policy variable where a name stands in a text that can hold one."""
    return _with_templates(policies, lambda template: _abstracted(template, name))


def _abstracted(template: Template, name: str) -> Template:
    parts: list[Part] = []
    for part in template.parts:
        match part:
            case Chars(text):
                for at, between in enumerate(text.split(name)):
                    parts += [_NAME] if at else []
                    parts += [Chars(between)] if between else []
            case _:
                parts.append(part)
    return replace(template, text=template.text.replace(name, _WRITTEN), parts=tuple(parts))


def _put(template: Template, name: str) -> Template:
    parts: list[Part] = []
    for part in template.parts:
        put = Chars(name) if part == _NAME else part
        match parts[-1:], put:
            case [Chars(before)], Chars(text):
                parts[-1] = Chars(before + text)
            case _:
                parts.append(put)
    return replace(template, text=template.text.replace(_WRITTEN, name), parts=tuple(parts))


_Change = Callable[[Template], Template]


def _with_templates(policies: PolicySet, change: _Change) -> PolicySet:
    """Policies with the texts changed in which a policy variable may stand."""

    def of(document: PolicyDocument) -> PolicyDocument:
        changed = tuple(_with_statement(statement, change) for statement in document.statements)
        return replace(document, statements=changed)

    return policies.changed(of)


def _with_statement(statement: Statement, change: _Change) -> Statement:
    resource = statement.resource
    return replace(
        statement,
        resource=None if resource is None else _with_clause(resource, change),
        conditions=tuple(_with_condition(each, change) for each in statement.conditions),
    )


def _with_clause(clause: Clause, change: _Change) -> Clause:
    return replace(clause, patterns=tuple(map(change, clause.patterns)))


def _with_condition(condition: Condition, change: _Change) -> Condition:
    if condition.operator.comparison.family not in (Family.STRING, Family.ARN):
        return condition
    values = tuple(replace(v, template=change(v.template)) for v in condition.values)
    return replace(condition, values=values)


def _arns(policies: PolicySet) -> Iterator[Template]:
    for statement in statements(policies):
        yield from statement.resource.patterns if statement.resource else ()
        for condition in statement.conditions:
            if condition.operator.comparison.family is Family.ARN:
                yield from (value.template for value in condition.values)
