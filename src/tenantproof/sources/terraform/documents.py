"""The policy that an ``aws_iam_policy_document`` data source will be.

A plan that cannot read the data source yet shows its arguments, and which of them are not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tenantproof.errors import Place
from tenantproof.policy.json_reader import JsonString
from tenantproof.sources.values import (
    Listed,
    NotKnown,
    Table,
    Unclear,
    Value,
    listed,
    text,
)


def policy_document(arguments: Table) -> Value:
    """The document, in the form of a policy; not known where it is made of others."""
    for name in ("source_policy_documents", "override_policy_documents"):
        if listed(arguments.get(name)):
            return NotKnown(f"it is made of {name}, which are not read", arguments.place)
    place = arguments.place
    version = arguments.get("version") or JsonString("2012-10-17", place)
    statement = arguments.get("statement")
    if isinstance(statement, Listed):
        statement = Listed(tuple(_statement(item) for item in statement.items), statement.place)
    if statement is None:
        return NotKnown("it has no statement", place)
    return _table((("Version", version), ("Statement", statement)), place)


def _statement(block: Value) -> Value:
    if not isinstance(block, Table):
        return block
    effect = block.get("effect") or JsonString("Allow", block.place)
    members = [("Effect", effect)]
    sid = block.get("sid")
    if sid is not None and text(sid) != "":
        members.append(("Sid", sid))
    for name in ("actions", "not_actions", "resources", "not_resources"):
        value = block.get(name)
        if listed(value) and value is not None:
            members.append((_element(name), _variables(value)))
    for name in ("principals", "not_principals"):
        value = block.get(name)
        if listed(value) and value is not None:
            members.append((_element(name), _principals(value)))
    condition = block.get("condition")
    if listed(condition) and condition is not None:
        members.append(("Condition", _conditions(condition)))
    return _table(members, block.place)


def _element(name: str) -> str:
    """``not_actions`` is ``NotAction``."""
    return "".join(part.capitalize() for part in name.removesuffix("s").split("_"))


def _principals(value: Value) -> Value:
    by_type: dict[str, list[Value]] = {}
    for block in listed(value):
        if not isinstance(block, Table):
            return block
        type_, identifiers = block.get("type"), block.get("identifiers")
        name = text(type_)
        if name is None or identifiers is None:
            return type_ or NotKnown("a principal is not known", block.place)
        if name == "*":
            return JsonString("*", block.place)
        by_type.setdefault(name, []).extend(listed(_variables(identifiers)))
    members = ((name, Listed(tuple(values), value.place)) for name, values in by_type.items())
    return _table(members, value.place)


def _conditions(value: Value) -> Value:
    """Condition blocks; those of one operator and key are one, with the values of both."""
    found: dict[str, dict[str, list[Value]]] = {}
    for block in listed(value):
        if not isinstance(block, Table):
            return block
        test, variable = text(block.get("test")), text(block.get("variable"))
        if test is None or variable is None:
            return next(_unknown(block), NotKnown("a condition is not known", block.place))
        values = block.get("values")
        known = listed(_variables(values)) if values is not None else ()
        found.setdefault(test, {}).setdefault(variable, []).extend(known)
    blocks = (
        (
            test,
            _table(
                ((key, Listed(tuple(values), value.place)) for key, values in keys.items()),
                value.place,
            ),
        )
        for test, keys in found.items()
    )
    return _table(blocks, value.place)


def _unknown(block: Table) -> Iterator[Unclear]:
    yield from (value for _, value in block.members if isinstance(value, NotKnown))


def _variables(value: Value) -> Value:
    """Texts, with the variables of IAM as Terraform writes them: ``&{aws:username}``."""
    match value:
        case JsonString(written, place):
            return JsonString(written.replace("&{", "${"), place)
        case Listed(items):
            return Listed(tuple(_variables(item) for item in items), value.place)
        case _:
            return value


def _table(members: Iterable[tuple[str, Value]], place: Place) -> Table:
    return Table(tuple((JsonString(name, place), value) for name, value in members), place)
