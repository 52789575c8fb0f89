"""The intrinsic functions of a template, and its conditions.

Follows "Intrinsic function reference" of the CloudFormation User Guide. What a function gives is
a value, or :data:`None` for ``AWS::NoValue``; what only a deployment can know is not known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from tenantproof.errors import Place, Problem
from tenantproof.policy.json_reader import JsonNull, JsonString, quote
from tenantproof.sources.homes import Home
from tenantproof.sources.values import Listed, NotKnown, PartlyKnown, Table, Value, text

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:[^{}]*\}\}")
_DEEPEST = 64

MOST_CHARACTERS = 1_000_000
"""Longer texts are not put together; names made of names could ask for any length."""


class Surroundings(Protocol):
    """What functions ask of the template that they stand in, and of others."""

    def parameter(self, name: str) -> Value | None:
        """A parameter's value; None where there is none of that name."""
        ...

    def resource(self, name: str, attribute: str | None, place: Place) -> Value | None:
        """What ``Ref`` gives of a resource, or its attribute; None where there is none."""
        ...

    def mapping(self, name: str) -> Value | None:
        """A mapping; None where there is none of that name."""
        ...

    def condition(self, name: str) -> Value | None:
        """What is written for a condition; None where there is none of that name."""
        ...

    def exported(self, name: str) -> Value | None:
        """What a stack exports by that name; None where none does."""
        ...

    def leave_out(self, message: str, place: Place) -> None:
        """List something that is not read."""
        ...


class Functions:
    """Resolves the functions of one template."""

    def __init__(
        self, around: Surroundings, home: Home, stack: str, problems: list[Problem]
    ) -> None:
        """Of a template.

        Args:
            around: the template's parameters, resources and the like.
            home: where the stack is.
            stack: its name.
            problems: where to report what CloudFormation would refuse.
        """
        self._around = around
        self._problems = problems
        self._depth = 0
        self._conditions: dict[str, bool | str] = {}
        suffix = "amazonaws.com.cn" if home.partition == "aws-cn" else "amazonaws.com"
        self._pseudo = {
            "AWS::AccountId": home.account,
            "AWS::Region": home.region,
            "AWS::Partition": home.partition,
            "AWS::StackName": stack,
            "AWS::URLSuffix": suffix,
        }
        self._table: Mapping[str, Callable[[Value, Place], Value | None]] = {
            "Ref": self._ref,
            "Fn::FindInMap": self._find_in_map,
            "Fn::GetAtt": self._get_att,
            "Fn::If": self._if,
            "Fn::ImportValue": self._import_value,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._sub,
        }

    def resolved(self, value: Value) -> Value | None:
        """A value with its functions resolved; None where it is ``AWS::NoValue``."""
        if self._depth > _DEEPEST:
            return NotKnown("its functions refer to each other without end", value.place)
        self._depth += 1
        try:
            return self._resolved(value)
        finally:
            self._depth -= 1

    def _resolved(self, value: Value) -> Value | None:
        match value:
            case JsonString(written) if "{{resolve:" in written:
                return _dynamic(value)
            case Listed(items):
                found = (self.resolved(item) for item in items)
                return Listed(tuple(item for item in found if item is not None), value.place)
            case Table(((name, argument),)) if name.value in self._table:
                return self._table[name.value](argument, value.place)
            case Table(((name, _),)) if name.value.startswith("Fn::"):
                return self._unread(name.value, value.place)
            case Table(members):
                return self._members(members, value.place)
            case _:
                return value

    def _members(self, members: Iterable[tuple[JsonString, Value]], place: Place) -> Value:
        found: list[tuple[JsonString, Value]] = []
        for key, value in members:
            if key.value.startswith("Fn::"):
                return self._unread(key.value, place)
            inner = self.resolved(value)
            if inner is not None:
                found.append((key, inner))
        return Table(tuple(found), place)

    def _unread(self, name: str, place: Place) -> NotKnown:
        if name.startswith(("Fn::ForEach", "Fn::Transform")):
            self._around.leave_out(f"{name} rewrites the template, which is not read", place)
        return NotKnown(f"what {name} gives is not known before deployment", place)

    def _problem(self, message: str, place: Place, hint: str | None = None) -> NotKnown:
        problem = Problem(message, place, hint=hint)
        if problem not in self._problems:
            self._problems.append(problem)
        return NotKnown(message, place)

    def _arguments(self, name: str, value: Value, least: int, most: int) -> tuple[Value, ...]:
        """The arguments of a function; none, and a problem, where there are not as many."""
        if isinstance(value, Listed) and least <= len(value.items) <= most:
            return value.items
        number = str(least) if least == most else f"{least} to {most}"
        self._problem(f"found other arguments of {name}, expected a list of {number}", value.place)
        return ()

    # -- references --------------------------------------------------------------------------

    def _ref(self, argument: Value, place: Place) -> Value | None:
        name = text(argument)
        if name is None:
            return self._problem("found another argument of Ref, expected a name", place)
        if name == "AWS::NoValue":
            return None
        return self._named(name, place)

    def _named(self, name: str, place: Place) -> Value | None:
        """A parameter, pseudo parameter or resource."""
        if name in self._pseudo:
            return JsonString(self._pseudo[name], place)
        if name.startswith("AWS::"):
            return NotKnown(f"{name} is known only to a deployment", place)
        value = self._around.parameter(name)
        if value is None:
            value = self._around.resource(name, None, place)
        if value is None:
            hint = None
            if ":" in name:
                hint = f"in Fn::Sub a policy variable of IAM is written ${{!{name}}}"
            return self._problem(
                f"found {quote(name)}, expected the name of a parameter or a resource", place, hint
            )
        return value

    def _get_att(self, argument: Value, place: Place) -> Value | None:
        written = text(argument)
        if written is not None:
            name, _, attribute = written.partition(".")
            return self._attribute(name, attribute, place)
        parts = self._arguments("Fn::GetAtt", argument, 2, 2)
        if not parts:
            return NotKnown("Fn::GetAtt names no attribute", place)
        resolved = self.resolved(parts[1])
        name, attribute = text(parts[0]) or "", text(resolved) or ""
        return self._attribute(name, attribute, place)

    def _attribute(self, name: str, attribute: str, place: Place) -> Value | None:
        value = self._around.resource(name, attribute, place)
        if value is None:
            message = f"found {quote(f'{name}.{attribute}')}, expected an attribute of a resource"
            return self._problem(message, place)
        return value

    def _import_value(self, argument: Value, place: Place) -> Value | None:
        name = text(self.resolved(argument))
        known = None if name is None else self._around.exported(name)
        if known is not None:
            return known
        called = "" if name is None else f" {name}"
        return NotKnown(f"the export{called} of another stack is not known", place)

    # -- texts and lists ---------------------------------------------------------------------

    def _sub(self, argument: Value, place: Place) -> Value | None:
        given: Table = Table((), place)
        if isinstance(argument, Listed):
            parts = self._arguments("Fn::Sub", argument, 2, 2)
            if parts and isinstance(parts[1], Table):
                given = parts[1]
            argument = parts[0] if parts else argument
        written = text(argument)
        if written is None:
            return self._problem("found another argument of Fn::Sub, expected a text", place)
        pieces: list[Value | None] = []
        at = 0
        for found in _VARIABLE.finditer(written):
            pieces.append(JsonString(written[at : found.start()], place))
            pieces.append(self._variable(found[1].strip(), given, place))
            at = found.end()
        pieces.append(JsonString(written[at:], place))
        return joined(pieces, place)

    def _variable(self, name: str, given: Table, place: Place) -> Value | None:
        if name.startswith("!"):
            return JsonString(f"${{{name[1:]}}}", place)
        value = given.get(name)
        if value is not None:
            return self.resolved(value)
        if "." in name and not name.startswith("AWS::"):
            resource, _, attribute = name.partition(".")
            return self._attribute(resource, attribute, place)
        return self._named(name, place)

    def _join(self, argument: Value, place: Place) -> Value | None:
        parts = self._arguments("Fn::Join", argument, 2, 2)
        if not parts:
            return NotKnown("Fn::Join joins nothing", place)
        delimiter, items = text(parts[0]), self.resolved(parts[1])
        if delimiter is None or not isinstance(items, Listed):
            return _unclear(items, "what Fn::Join joins is not known", place)
        pieces: list[Value | None] = []
        for item in items.items:
            pieces += [JsonString(delimiter, place), item] if pieces else [item]
        return joined(pieces, place)

    def _split(self, argument: Value, place: Place) -> Value | None:
        parts = self._arguments("Fn::Split", argument, 2, 2)
        if not parts:
            return NotKnown("Fn::Split splits nothing", place)
        delimiter, whole = text(parts[0]), self.resolved(parts[1])
        written = text(whole)
        if not delimiter or written is None:
            return _unclear(whole, "what Fn::Split splits is not known", place)
        return Listed(tuple(JsonString(p, place) for p in written.split(delimiter)), place)

    def _select(self, argument: Value, place: Place) -> Value | None:
        parts = self._arguments("Fn::Select", argument, 2, 2)
        if not parts:
            return NotKnown("Fn::Select selects nothing", place)
        index, items = text(self.resolved(parts[0])), self.resolved(parts[1])
        if index is None or not isinstance(items, Listed):
            return _unclear(items, "what Fn::Select selects from is not known", place)
        if not index.isdecimal() or int(index) >= len(items.items):
            message = f"found the index {index}, expected one of {len(items.items)} items"
            return self._problem(message, place)
        return items.items[int(index)]

    def _find_in_map(self, argument: Value, place: Place) -> Value | None:
        parts = self._arguments("Fn::FindInMap", argument, 3, 4)
        if not parts:
            return NotKnown("Fn::FindInMap finds nothing", place)
        names = [text(self.resolved(part)) for part in parts[:3]]
        if None in names:
            return NotKnown("which value of a mapping it is, is not known", place)
        found = self._around.mapping(names[0] or "")
        for name in names[1:]:
            found = found.get(name or "") if isinstance(found, Table) else None
        if found is not None:
            return found
        options = parts[3] if len(parts) == 4 else None
        default = options.get("DefaultValue") if isinstance(options, Table) else None
        if default is not None:
            return self.resolved(default)
        path = ".".join(name or "" for name in names)
        return self._problem(f"found {quote(path)}, expected a value of a mapping", place)

    # -- conditions --------------------------------------------------------------------------

    def _if(self, argument: Value, place: Place) -> Value | None:
        parts = self._arguments("Fn::If", argument, 3, 3)
        if not parts:
            return NotKnown("Fn::If chooses nothing", place)
        holds = self.holds(text(parts[0]) or "", place)
        if isinstance(holds, bool):
            return self.resolved(parts[1] if holds else parts[2])
        either = [self.resolved(part) for part in parts[1:]]
        one, other = (text(each) for each in either)
        return either[0] if one is not None and one == other else NotKnown(holds, place)

    def holds(self, name: str, place: Place) -> bool | str:
        """Whether a condition holds; where nobody knows, why not."""
        if name not in self._conditions:
            written = self._around.condition(name)
            if written is None:
                message = f"found {quote(name)}, expected the name of a condition"
                self._conditions[name] = self._problem(message, place).reason
            else:
                # One that hangs on itself is not known.
                self._conditions[name] = f"the condition {name} hangs on itself"
                self._conditions[name] = self._truth(written, f"the condition {name}")
        return self._conditions[name]

    def _truth(self, value: Value, of: str) -> bool | str:
        match value:
            case Table(((JsonString("Condition"), named),)):
                return self.holds(text(named) or "", value.place)
            case Table(((JsonString("Fn::Equals"), Listed((left, right))),)):
                return self._equal(left, right, of)
            case Table(((JsonString("Fn::Not"), Listed((inner,))),)):
                truth = self._truth(inner, of)
                return truth if isinstance(truth, str) else not truth
            case Table(((JsonString("Fn::And"), Listed(items)),)):
                return _all([self._truth(item, of) for item in items])
            case Table(((JsonString("Fn::Or"), Listed(items)),)):
                truths = [self._truth(item, of) for item in items]
                either = _all([t if isinstance(t, str) else not t for t in truths])
                return either if isinstance(either, str) else not either
            case _:
                return self._problem(
                    f"found something else in {of}, expected Fn::And, Fn::Equals, Fn::Not, Fn::Or"
                    " or Condition",
                    value.place,
                ).reason

    def _equal(self, left: Value, right: Value, of: str) -> bool | str:
        values = [self.resolved(left), self.resolved(right)]
        texts = [text(value) for value in values]
        if None not in texts:
            return texts[0] == texts[1]
        reason = next((v.reason for v in values if isinstance(v, NotKnown | PartlyKnown)), None)
        return f"{of} is not known: {reason}" if reason else f"{of} compares what are no texts"


def joined(pieces: Iterable[Value | None], place: Place) -> Value:
    """Texts one after another; partly known where some are not known."""
    found: list[str | None] = []
    reason: str | None = None
    for piece in pieces:
        match piece:
            case NotKnown():
                reason = reason or piece.reason
                found.append(None)
            case PartlyKnown():
                reason = reason or piece.reason
                found += piece.pieces
            case None | JsonNull():
                continue
            case _ if (known := text(piece)) is not None:
                found.append(known)
            case _:
                reason = reason or "a list or an object stands where a text is expected"
                found.append(None)
    if sum(1 if each is None else len(each) for each in found) > MOST_CHARACTERS:
        return NotKnown(f"it is a text of more than {MOST_CHARACTERS} characters", place)
    if reason is None:
        return JsonString("".join(each or "" for each in found), place)
    if all(each is None or not each for each in found):
        return NotKnown(reason, place)
    return PartlyKnown(tuple(found), reason, place)


def _dynamic(value: JsonString) -> Value:
    """A text with dynamic references, which a deployment looks up."""
    pieces: list[Value | None] = []
    at = 0
    for found in _DYNAMIC.finditer(value.value):
        reason = f"a deployment looks up {found.group()}"
        pieces += [
            JsonString(value.value[at : found.start()], value.place),
            NotKnown(reason, value.place),
        ]
        at = found.end()
    pieces.append(JsonString(value.value[at:], value.place))
    return joined(pieces, value.place)


def _unclear(value: Value | None, otherwise: str, place: Place) -> NotKnown:
    if isinstance(value, NotKnown | PartlyKnown):
        return NotKnown(value.reason, place)
    return NotKnown(otherwise, place)


def _all(truths: list[bool | str]) -> bool | str:
    """Whether all hold, where one that does not decides and else one that is not known does."""
    if any(truth is False for truth in truths):
        return False
    return next((truth for truth in truths if isinstance(truth, str)), True)
