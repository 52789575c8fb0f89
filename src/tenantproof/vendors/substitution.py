"""Plain substitution: is what is rendered one policy with the name put in, and nothing else?

If so, it is the policy of all names at once, the name being a policy variable: a reserved tag of
the principal stands for it, and the questions of a manifest's ``[[rules]]`` can be asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import pairwise

from tenantproof.errors import Place
from tenantproof.isolation.manifest import PLACEHOLDER
from tenantproof.policy import Condition, PolicyDocument, PolicySet, Statement, statements
from tenantproof.policy.syntax import Chars, Clause, Family, Part, Template, Variable
from tenantproof.prove import Domain, shortest_member
from tenantproof.prove.regular import ANY_CHARACTER, CharSet, Concat, One, Regular, Repeat
from tenantproof.vendors.rendering import meaning
from tenantproof.vendors.vendor import Vendor

TAG = "tenantproof-name"
"""The reserved tag that stands for the tenant's name."""

_NAME = Variable(f"aws:PrincipalTag/{TAG}")
_WRITTEN = f"${{{_NAME.key}}}"
_PLAIN = CharSet.union((ord(c), ord(c)) for c in map(chr, range(0x20, 0x7F)) if c not in '*?$"\\')
"""Characters that are the same in JSON, in a pattern and in the value of a tag."""

_MOST_PROBES = 16


@dataclass(frozen=True)
class Substitution:
    """The policies of every name tried, with a policy variable where the name stands."""

    policies: PolicySet

    def of(self, name: str) -> PolicySet:
        """The policies of a name."""
        return _with_templates(self.policies, lambda template: _put(template, name))


def obstacle(vendor: Vendor, rule: Regular) -> str | None:
    """Why a policy variable cannot stand for the names of a rule; None where it can.

    Raises:
        BudgetExceededError: the rule is too large to say.
    """
    bad = _example(rule, _PLAIN.complement())
    if bad is not None:
        return f"a tenant can be named {bad!r}, and a policy variable is for plain characters"
    in_arn = PLACEHOLDER in vendor.actor.arn
    bad = _example(rule, CharSet.of(":", "/")) if in_arn else None
    if bad is not None:
        return f"a tenant can be named {bad!r}, and the name stands in the principal's ARN"
    if any(tag.lower() == TAG for tag in vendor.tags):
        return f"the principal's tags hold {TAG}, which is to stand for the name"
    return None


def obstacle_in_place(found: Substitution, rule: Regular) -> str | None:
    """Why the names cannot stand where they do: what one begins with, or holds, means more there.

    A colon would begin the next part of an ARN, and ``{`` behind a ``$`` a policy variable.
    """
    in_arn = any(_NAME in template.parts for template in _arns(found.policies))
    bad = _example(rule, CharSet.of(":")) if in_arn else None
    if bad is not None:
        return f"a tenant can be named {bad!r}, and the name stands in an ARN"
    templates = (t for statement in statements(found.policies) for t in statement.templates)
    behind = any(map(_stands_behind_dollar, templates))
    bad = _example(rule, CharSet.of("{"), first=True) if behind else None
    if bad is not None:
        return f'a tenant can be named {bad!r}, and the name stands behind a "$"'
    return None


def _stands_behind_dollar(template: Template) -> bool:
    return any(
        isinstance(before, Chars) and before.text.endswith("$") and part == _NAME
        for before, part in pairwise(template.parts)
    )


def _example(rule: Regular, chars: CharSet, *, first: bool = False) -> str | None:
    """The shortest name that holds one of some characters, or begins with one."""
    rest = Repeat(One(ANY_CHARACTER))
    holding = Regular(Concat((One(chars), rest) if first else (rest, One(chars), rest)))
    return shortest_member([rule, holding], [], Domain(min_length=1))


def substitution(rendered: Mapping[str, PolicySet]) -> Substitution | str:
    """The policy that the policies of all names are, with the name put in.

    Args:
        rendered: the policies of each name, of two names or more.

    Returns:
        The substitution, or a sentence that says where the policies are none.
    """
    meanings = {name: meaning(policies) for name, policies in rendered.items()}
    if len(meanings) < 2:
        return "fewer than two names were rendered"
    texts = {name: "\n".join(_texts(policies)) for name, policies in meanings.items()}
    if any(TAG in text.lower() for text in texts.values()):
        return f"the policies speak of {TAG}, which is to stand for the name"
    probe = _probe(texts)
    if probe is None:
        return "the name of no tenant tried can be told from what else its policies hold"
    found = Substitution(
        _with_templates(meanings[probe], lambda template: _abstracted(template, probe))
    )
    place = _elsewhere(found.policies, probe)
    if place is not None:
        return f"the name stands in {place}, where no policy variable can"
    for name, policies in meanings.items():
        if found.of(name) != policies:
            return (
                f"the policies of {name!r} are not those of {probe!r} with the name replaced: the"
                " name is changed, or decides more than a text"
            )
    return found


def _probe(texts: Mapping[str, str]) -> str | None:
    """A name that can stand for nothing else in its own policies, the longest of few others.

    Some other name's policies do not hold it, so that it is no part of what all have in common;
    and it nowhere overlaps itself, so that there is one way only to take it out.
    """

    def is_telling(name: str) -> bool:
        if _overlaps(name, texts[name]):
            return False
        return any(name not in other and name not in text for other, text in texts.items())

    by_length = sorted((n for n in texts if 0 < len(n) <= 64), key=lambda n: (-len(n), n))
    return next(filter(is_telling, by_length[:_MOST_PROBES]), None)


def _overlaps(word: str, text: str) -> bool:
    """Whether a word stands in a text twice with some characters in both: ``aa`` in ``aaa``."""
    return len(re.findall(f"(?={re.escape(word)})", text)) > text.count(word)


def _texts(node: object) -> Iterator[str]:
    """Every text in a syntax tree, where it was written aside."""
    match node:
        case str(text):
            yield text
        case tuple(items):
            for item in items:
                yield from _texts(item)
        case Place():
            return
        case _ if is_dataclass(node):
            for each in fields(node):
                if each.compare:
                    yield from _texts(getattr(node, each.name))
        case _:
            return


def _elsewhere(policies: PolicySet, probe: str) -> str | None:
    """Where a name still stands once variables stand for it."""
    for statement in statements(policies):
        for clause in (statement.action, statement.resource):
            if clause is not None and any(probe in text for text in _texts(clause.patterns)):
                return clause.element
        for condition in statement.conditions:
            if probe in condition.key:
                return f"the condition key {condition.key}"
            if any(probe in text for text in _texts(condition.values)):
                return f"a value of {condition.operator.name} on {condition.key}"
    return None


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
