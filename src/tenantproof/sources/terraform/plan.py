"""A plan or a state as resources with attributes, of which some are not known.

Follows "JSON Output Format" of the Terraform documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tenantproof.errors import Place
from tenantproof.policy.json_reader import JsonBool, JsonNull, JsonString, child_path
from tenantproof.sources.values import Listed, NotKnown, Table, Value, listed, text

AFTER_APPLY = "it is known only after apply"
_REDACTED = re.compile(r"\(sensitive(?: value)?\)|\(redacted\)|\*+|<?redacted>?", re.IGNORECASE)
_STEP = re.compile(r"module\.([\w-]+)(\[(?:\d+|\"(?:[^\"\\]|\\.)*\")\])?")


@dataclass(frozen=True)
class Module:
    """Where a module is: the calls that lead to it, each with its index."""

    steps: tuple[tuple[str, str], ...] = ()

    @property
    def parent(self) -> Module:
        """The module that calls it."""
        return Module(self.steps[:-1])

    def child(self, name: str, index: str) -> Module:
        """A module that it calls."""
        return Module((*self.steps, (name, index)))


ROOT = Module()


@dataclass(frozen=True)
class Instance:
    """One instance of a resource or a data source.

    Attributes:
        address: as Terraform names it.
        module: the module that it is in.
        type: its type.
        name: its name in the module.
        index: its ``count`` or ``for_each`` index as in its address, ``[0]`` or ``["a"]``.
        data: whether it is a data source.
        values: its attributes; None of those that are not there.
        place: where it was read.
    """

    address: str
    module: Module
    type: str
    name: str
    index: str
    data: bool
    values: Table
    place: Place

    @property
    def plain(self) -> str:
        """Its address in its module, without index."""
        return f"{'data.' if self.data else ''}{self.type}.{self.name}"


@dataclass(frozen=True)
class Plan:
    """What is there once a plan is applied.

    Attributes:
        instances: the resources, and the data sources.
        deleted: the resources that the plan deletes, as they were.
        configuration: the configuration's root module; None where there is none.
        providers: the configurations of providers.
        variables: the values of the root module's variables.
        is_plan: whether it is a plan, in which things may be not known yet; else a state.
        notes: what is odd about it, and where.
    """

    instances: tuple[Instance, ...]
    deleted: tuple[Instance, ...]
    configuration: Table | None
    providers: Table
    variables: Table
    is_plan: bool
    notes: tuple[tuple[str, Place], ...]
    place: Place


def read_plan(root: Table) -> Plan:
    """Read what ``terraform show -json`` printed."""
    notes: list[tuple[str, Place]] = []
    changes = list(_tables(root.get("resource_changes"), "a change", notes))
    by_address = {_key(change): change for change in changes if change.get("deposed") is None}
    is_plan = root.get("values") is None
    planned = _only_table(root.get("planned_values" if is_plan else "values"), "the plan", notes)
    found: dict[str, Instance] = {}
    deleted: list[Instance] = []
    for resource in _resources(planned.get("root_module"), notes):
        if resource.get("deposed_key") is not None:
            notes.append((f"{_key(resource)} has a deposed object, not read", resource.place))
            continue
        instance = _planned(resource, by_address.get(_key(resource)), notes)
        found.setdefault(instance.address, instance)
    for address, change in by_address.items():
        actions = {text(action) for action in listed(table(change.get("change")).get("actions"))}
        if actions == {"delete"}:
            deleted.append(_changed(change, "before", notes))
            found.pop(address, None)
        elif address not in found:
            found[address] = _changed(change, "before" if "forget" in actions else "after", notes)
    notes += _notes(root, is_plan, bool(changes), bool(found))
    prior = table(table(root.get("prior_state")).get("values"))
    for resource in _resources(prior.get("root_module"), notes):
        if text(resource.get("mode")) == "data":
            found.setdefault(_key(resource), _planned(resource, None, notes))
    configuration = root.get("configuration")
    return Plan(
        tuple(found.values()),
        tuple(deleted),
        table(table(configuration).get("root_module")) if configuration else None,
        table(table(configuration).get("provider_config")),
        table(root.get("variables")),
        is_plan,
        tuple(notes),
        root.place,
    )


def _notes(
    root: Table, is_plan: bool, has_changes: bool, has_resources: bool
) -> Iterator[tuple[str, Place]]:
    if text(root.get("errored")) == "true":
        yield "planning ended in an error: the plan is not complete", root.place
    if is_plan and text(root.get("complete")) == "false":
        yield "the plan is not complete: it leaves changes for later", root.place
    if listed(root.get("deferred_changes")):
        yield "the plan defers changes, which are not read", root.place
    if is_plan and has_resources and not has_changes:
        yield "no resource_changes: what is known only after apply is not told", root.place
    if is_plan and has_resources and root.get("configuration") is None:
        yield "no configuration: what refers to what is not told", root.place


def table(value: Value | None) -> Table:
    """An object; an empty one where there is none."""
    return value if isinstance(value, Table) else Table((), value.place if value else _NOWHERE)


_NOWHERE = Place("", "$")


def _tables(value: Value | None, what: str, notes: list[tuple[str, Place]]) -> Iterator[Table]:
    """The objects of a list; what is none is noted."""
    for item in listed(value):
        yield _only_table(item, what, notes)


def _only_table(value: Value | None, what: str, notes: list[tuple[str, Place]]) -> Table:
    if value is not None and not isinstance(value, Table):
        notes.append((f"{what} is no object, and not read", value.place))
    return table(value)


def _resources(value: Value | None, notes: list[tuple[str, Place]]) -> Iterator[Table]:
    module = _only_table(value, "a module", notes)
    for resource in listed(module.get("resources")):
        if isinstance(resource, Table):
            yield resource
        else:
            notes.append(("a resource is no object, and not read", resource.place))
    for child in listed(module.get("child_modules")):
        yield from _resources(child, notes)


def _key(resource: Table) -> str:
    return text(resource.get("address")) or resource.place.path


def _planned(resource: Table, change: Table | None, notes: list[tuple[str, Place]]) -> Instance:
    changed = table(None if change is None else change.get("change"))
    values = merged(
        _only_table(resource.get("values"), f"the values of {_key(resource)}", notes),
        changed.get("after_unknown"),
        resource.get("sensitive_values") or changed.get("after_sensitive"),
    )
    return _instance(resource, values)


def _changed(change: Table, when: str, notes: list[tuple[str, Place]]) -> Instance:
    changed = table(change.get("change"))
    unknown = changed.get("after_unknown") if when == "after" else None
    known = _only_table(changed.get(when), f"what {_key(change)} will be", notes)
    values = merged(known, unknown, changed.get(f"{when}_sensitive"))
    return _instance(change, values)


def _instance(resource: Table, values: Value) -> Instance:
    address = _key(resource)
    steps: list[tuple[str, str]] = []
    rest = address
    while (step := _STEP.match(rest)) is not None:
        steps.append((step[1], step[2] or ""))
        rest = rest[step.end() :].removeprefix(".")
    return Instance(
        address,
        Module(tuple(steps)),
        text(resource.get("type")) or "",
        text(resource.get("name")) or "",
        _index(resource.get("index")),
        text(resource.get("mode")) == "data",
        table(values),
        resource.place,
    )


def _index(index: Value | None) -> str:
    match index:
        case None:
            return ""
        case JsonString(key):
            return f'["{key}"]'
        case _:
            return f"[{text(index)}]"


def merged(value: Value | None, unknown: Value | None, sensitive: Value | None) -> Value:
    """A planned value, with what is known only after apply, or redacted, as not known.

    Args:
        value: the value; None where it is not there, as one that is not known is not.
        unknown: its part of ``after_unknown``: a Boolean, or of its own shape.
        sensitive: its part of ``sensitive_values``, likewise.
    """
    if isinstance(unknown, JsonBool) and unknown.value:
        return NotKnown(AFTER_APPLY, unknown.place if value is None else value.place)
    if isinstance(sensitive, JsonBool) and sensitive.value and _is_redacted(value):
        return NotKnown("it is sensitive, and left out", (value or sensitive).place)
    match value:
        case Table(members):
            names = [key for key, _ in members]
            present = {key.value for key in names}
            for other in (unknown, sensitive):
                for key, part in other.members if isinstance(other, Table) else ():
                    if key.value not in present and not _is_nothing(part):
                        present.add(key.value)
                        place = _member_place(value.place, key.value)
                        names.append(JsonString(key.value, place))
            return Table(
                tuple(
                    (
                        key,
                        merged(
                            _member(value, key.value),
                            _member(unknown, key.value),
                            _member(sensitive, key.value),
                        ),
                    )
                    for key in names
                ),
                value.place,
            )
        case Listed(items):
            more = len(unknown.items) if isinstance(unknown, Listed) else 0
            return Listed(
                tuple(
                    merged(_item(value, i), _item(unknown, i), _item(sensitive, i))
                    for i in range(max(len(items), more))
                ),
                value.place,
            )
        case None | JsonNull() if isinstance(unknown, Table | Listed) and not _is_nothing(unknown):
            empty = Table((), unknown.place) if isinstance(unknown, Table) else None
            return merged(empty or Listed((), unknown.place), unknown, sensitive)
        case None:
            return JsonNull((unknown or sensitive or JsonNull(_NOWHERE)).place)
        case _:
            return value


def _is_redacted(value: Value | None) -> bool:
    if isinstance(value, JsonString):
        return _REDACTED.fullmatch(value.value) is not None
    return value is None or isinstance(value, JsonNull)


def _is_nothing(part: Value) -> bool:
    """Whether a part of ``after_unknown`` says that nothing in it is unknown."""
    match part:
        case JsonBool(unknown):
            return not unknown
        case Table(members):
            return all(_is_nothing(inner) for _, inner in members)
        case Listed(items):
            return all(_is_nothing(inner) for inner in items)
        case _:
            return True


def _member(value: Value | None, name: str) -> Value | None:
    if not isinstance(value, Table):
        return None
    return next((inner for key, inner in value.members if key.value == name), None)


def _item(value: Value | None, index: int) -> Value | None:
    if not isinstance(value, Listed) or index >= len(value.items):
        return None
    return value.items[index]


def _member_place(place: Place, name: str) -> Place:
    return Place(place.file, child_path(place.path, name), place.line, place.column)
