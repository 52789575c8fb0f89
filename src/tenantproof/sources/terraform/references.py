"""What an attribute refers to that is known only after apply.

A plan does not say what such a value will be, but its configuration says which attributes of
other resources the value is made of. Where that is the one attribute of one resource, and of the
kind that is wanted, the value is that attribute: a role's name, a policy's ARN, the document of a
data source. A plan does not say how an expression puts its references together, so nothing else
is followed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tenantproof.sources.terraform.plan import ROOT, Instance, Module, Plan, table
from tenantproof.sources.values import (
    Listed,
    NotKnown,
    Table,
    Value,
    listed,
    text,
)

_DEEPEST = 32
_NAMES = frozenset({"name", "id"})
_ARNS = frozenset({"arn", "id"})
_POLICIES = frozenset({"json", "minified_json", "policy", "assume_role_policy"})
SUITABLE = {
    "assume_role_policy": _POLICIES,
    "bucket": frozenset({"bucket", "id"}),
    "endpoint_config_name": _NAMES,
    "execution_role_arn": _ARNS,
    "group": _NAMES,
    "groups": _NAMES,
    "managed_policy_arns": _ARNS,
    "model_name": _NAMES,
    "permissions_boundary": _ARNS,
    "policy": _POLICIES,
    "policy_arn": _ARNS,
    "role": _NAMES,
    "roles": _NAMES,
    "user": _NAMES,
    "users": _NAMES,
}
"""By attribute, the attributes of other resources that one may be as a whole."""

_LISTS = frozenset({"groups", "managed_policy_arns", "roles", "users"})
"""Of a list that is not known as a whole nobody knows what is in it beside its references."""

_INDEX = r"(?:\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\])?"
_RESOURCE = re.compile(rf"((?:data\.)?[a-z]\w*\.[\w-]+)({_INDEX})\.(\w+)")
_MODULE = re.compile(rf"module\.([\w-]+)({_INDEX})\.([\w-]+)")
_VARIABLE = re.compile(r"var\.([\w-]+)")
_OWN_INDEX = re.compile(r"each\.key|count\.index")


@dataclass(frozen=True)
class _Scope:
    """Where a reference is written: the module, and the index of what it is written in."""

    module: Module
    index: str


class References:
    """The references of a plan."""

    def __init__(
        self,
        plan: Plan,
        attribute: Callable[[Instance, str], Value | None],
        note: Callable[[str, Instance], None],
    ) -> None:
        """Of a plan.

        Args:
            plan: the plan.
            attribute: gives an attribute of an instance, derived where the plan does not hold it.
            note: is told what was taken for granted.
        """
        self._plan = plan
        self._attribute = attribute
        self._note = note
        self._depth = 0
        self._instances: dict[tuple[Module, str], list[Instance]] = {}
        for instance in plan.instances:
            self._instances.setdefault((instance.module, instance.plain), []).append(instance)
        self._modules = {
            Module(instance.module.steps[:end])
            for instance in plan.instances
            for end in range(len(instance.module.steps) + 1)
        }
        self._written: dict[tuple[str, ...], dict[str | None, Table]] = {}

    def expressions(self, instance: Instance) -> Table | None:
        """What is written in the configuration of an instance; None where there is none."""
        resource = self.written(instance)
        return None if resource is None else table(resource.get("expressions"))

    def written(self, instance: Instance) -> Table | None:
        """An instance's resource in the configuration."""
        calls = tuple(name for name, _ in instance.module.steps)
        if calls not in self._written:
            self._written[calls] = {
                text(resource.get("address")): resource
                for resource in listed(self._module(instance.module).get("resources"))
                if isinstance(resource, Table)
            }
        return self._written[calls].get(instance.plain)

    def followed(self, instance: Instance, name: str, value: Value) -> Value:
        """An attribute, the parts of it that are not known followed to what they refer to."""
        expressions = self.expressions(instance)
        if expressions is None:
            return value
        scope = _Scope(instance.module, instance.index)
        return self._value(value, expressions.get(name), name, scope, instance)

    def _value(
        self, value: Value, expression: Value | None, name: str, scope: _Scope, of: Instance
    ) -> Value:
        if isinstance(expression, Listed) and isinstance(value, Listed):
            if len(expression.items) != len(value.items):
                return value
            pairs = zip(value.items, expression.items, strict=True)
            items = tuple(self._value(v, e, name, scope, of) for v, e in pairs)
            return Listed(items, value.place)
        if not isinstance(expression, Table):
            return value
        if isinstance(value, Table):
            return Table(
                tuple(
                    (k, self._value(v, expression.get(k.value), k.value, scope, of))
                    for k, v in value.members
                ),
                value.place,
            )
        wanted = SUITABLE.get(name)
        if wanted is None or expression.get("references") is None:
            return value
        found = self._referred(expression, wanted, scope, of)
        if isinstance(value, NotKnown) and len(found) == 1 and name not in _LISTS:
            return found[0] or value
        if isinstance(value, Listed):
            return self._items(value, found)
        return value

    def _items(self, value: Listed, found: list[Value | None]) -> Value:
        """A list, each item that is not known one of the references, where the numbers agree."""
        known = {text(item) for item in value.items} - {None}
        rest = [each for each in found if each is None or text(each) not in known]
        missing = sum(isinstance(item, NotKnown) for item in value.items)
        if missing != len(rest) or None in rest:
            return value
        following = iter(rest)
        return Listed(
            tuple(
                (next(following) or item) if isinstance(item, NotKnown) else item
                for item in value.items
            ),
            value.place,
        )

    # -- one reference -----------------------------------------------------------------------

    def _referred(
        self, expression: Table, wanted: frozenset[str], scope: _Scope, of: Instance
    ) -> list[Value | None]:
        """What each reference of an expression is; None of one that is not followed."""
        written = [text(item) or "" for item in listed(expression.get("references"))]
        by_index = any(_OWN_INDEX.fullmatch(each) for each in written)
        whole = [each for each in _whole(written) if not _OWN_INDEX.fullmatch(each)]
        if self._depth > _DEEPEST:
            return [None]
        self._depth += 1
        try:
            return [self._target(each, wanted, scope, by_index, of) for each in whole]
        finally:
            self._depth -= 1

    def _target(
        self, reference: str, wanted: frozenset[str], scope: _Scope, by_index: bool, of: Instance
    ) -> Value | None:
        if (found := _MODULE.fullmatch(reference)) is not None:
            return self._output(found, wanted, scope, by_index, of)
        if (found := _VARIABLE.fullmatch(reference)) is not None:
            return self._variable(found[1], wanted, scope, of)
        if (found := _RESOURCE.fullmatch(reference)) is not None:
            name, index, attribute = found.groups()
            if attribute not in wanted:
                return None
            instance = self._instance(scope, name, index, by_index, of)
            if instance is None:
                return None
            if wanted is _POLICIES:
                self._note(f"refers to {reference}, taken as that document", of)
            return self._attribute(instance, attribute)
        if (found := re.fullmatch(rf"([a-z]\w*\.[\w-]+)({_INDEX})", reference)) is not None:
            # ``aws_iam_policy.each[each.key].arn`` is told without its attribute.
            instance = self._instance(scope, found[1], found[2], by_index, of)
            if instance is None or not by_index:
                return None
            attribute = next(n for n in ("arn", "name", "bucket", "id") if n in wanted)
            return self._attribute(instance, attribute)
        return None

    def _instance(
        self, scope: _Scope, name: str, index: str, by_index: bool, of: Instance
    ) -> Instance | None:
        candidates = self._instances.get((scope.module, name), [])
        if index:
            return next((each for each in candidates if each.index == index), None)
        if len(candidates) == 1 and not by_index:
            return candidates[0]
        same = [each for each in candidates if scope.index and each.index == scope.index]
        if not by_index or len(same) != 1:
            return None
        self._note(f"refers to {name} by its own index, taken as {same[0].address}", of)
        return same[0]

    def _output(
        self,
        found: re.Match[str],
        wanted: frozenset[str],
        scope: _Scope,
        by_index: bool,
        of: Instance,
    ) -> Value | None:
        name, index, output = found.groups()
        modules = [
            module
            for module in self._modules
            if module.steps and module.parent == scope.module and module.steps[-1][0] == name
        ]
        if index or (by_index and scope.index):
            wanted_index = index or scope.index
            modules = [module for module in modules if module.steps[-1][1] == wanted_index]
        if len(modules) != 1:
            return None
        outputs = table(self._module(modules[0]).get("outputs"))
        expression = table(table(outputs.get(output)).get("expression"))
        return self._one(expression, wanted, _Scope(modules[0], ""), of)

    def _variable(
        self, name: str, wanted: frozenset[str], scope: _Scope, of: Instance
    ) -> Value | None:
        if scope.module == ROOT:
            return table(self._plan.variables.get(name)).get("value")
        call, index = scope.module.steps[-1]
        calls = table(self._module(scope.module.parent).get("module_calls"))
        expressions = table(table(calls.get(call)).get("expressions"))
        expression = table(expressions.get(name))
        return self._one(expression, wanted, _Scope(scope.module.parent, index), of)

    def _one(
        self, expression: Table, wanted: frozenset[str], scope: _Scope, of: Instance
    ) -> Value | None:
        constant = expression.get("constant_value")
        if constant is not None:
            return constant
        found = self._referred(expression, wanted, scope, of)
        return found[0] if len(found) == 1 else None

    def _module(self, module: Module) -> Table:
        """A module's configuration."""
        found = self._plan.configuration or Table((), self._plan.place)
        for name, _ in module.steps:
            call = table(table(found.get("module_calls")).get(name))
            found = table(call.get("module"))
        return found


def _whole(references: Iterable[str]) -> list[str]:
    """The references that are no parts of others: a plan tells ``a.b.arn`` and ``a.b``."""
    unique = list(dict.fromkeys(references))
    return [
        each
        for each in unique
        if not any(other.startswith((f"{each}.", f"{each}[")) for other in unique)
    ]
