"""From a policy of which parts are not known to the syntax tree.

What is known of a statement stays a bound; what is not is widened until the statement matches at
least the requests that it can match, whatever the value turns out to be, and the statement is
marked unknown. So an Action or a Resource becomes ``*``, a condition is left out, a principal is
everyone, and an Effect is both.
"""

from __future__ import annotations

from dataclasses import replace

from tenantproof.errors import InputError
from tenantproof.policy import (
    PolicyDocument,
    PolicyKind,
    ResourcePolicies,
    Unknown,
    policy_from_json,
)
from tenantproof.policy.json_reader import (
    JsonArray,
    JsonNode,
    JsonNull,
    JsonObject,
    JsonString,
)
from tenantproof.policy.unknown import unknown_policy
from tenantproof.sources.values import (
    Listed,
    NotKnown,
    PartlyKnown,
    Table,
    Unclear,
    Value,
    json_in_text,
    unclear_parts,
)

_COLONS_BEFORE_RESOURCE = 5


def read_document(value: Value, name: str, *, resource: bool = False) -> PolicyDocument:
    """Read a policy of a template.

    Args:
        value: the policy: an object, or a text that holds one as JSON.
        name: what it is, for reasons: ``the policy "invoke" of the role acme``.
        resource: whether it is a resource's policy, whose statements name principals.

    Returns:
        The policy; a stand-in where it is not known, or is no policy.
    """
    try:
        written = json_in_text(value) if isinstance(value, JsonString) else value
        if isinstance(written, NotKnown | PartlyKnown):
            reason = f"{name} is not known: {written.reason}"
            return unknown_policy(reason, value.place.file, value.place, resource=resource)
        if not isinstance(written, Table):
            return policy_from_json(_known(written), file=value.place.file)
        document = _document(written, name, resource)
        if resource:
            ResourcePolicies((document,))
    except InputError as error:
        problem = error.problems[0]
        reason = f"{name} cannot be read: {problem.message} ({problem.place.path})"
        return unknown_policy(reason, value.place.file, value.place, resource=resource)
    return document


def _document(written: Table, name: str, resource: bool) -> PolicyDocument:
    file, place = written.place.file, written.place
    whole = [
        part
        for key, value in written.members
        if key.value not in ("Statement", "Id")
        for part in unclear_parts(value)
    ]
    statement = written.get("Statement")
    if isinstance(statement, NotKnown | PartlyKnown):
        whole.append(statement)
    if whole:
        reason = f"{name} is not known: {whole[0].reason}"
        return unknown_policy(reason, file, place, resource=resource)
    widened: list[tuple[JsonNode, Unknown | None]] = []
    for item in statement.items if isinstance(statement, Listed) else [statement]:
        if item is not None:
            widened += _statements(item, name, resource)
    members = tuple(
        (key, _known(value))
        for key, value in written.members
        if key.value != "Statement" and not isinstance(value, NotKnown | PartlyKnown)
    )
    if statement is not None:
        statements = JsonArray(tuple(node for node, _ in widened), statement.place)
        members += ((JsonString("Statement", statement.place), statements),)
    kind = PolicyKind.ANY if resource else PolicyKind.IDENTITY
    document = policy_from_json(JsonObject(members, place), file=file, kind=kind)
    return replace(
        document,
        statements=tuple(
            replace(read, unknown=unknown)
            for read, (_, unknown) in zip(document.statements, widened, strict=True)
        ),
    )


def _statements(item: Value, name: str, resource: bool) -> list[tuple[JsonNode, Unknown | None]]:
    """The statements that stand for one: itself, or where it is not known, its widened form."""
    if isinstance(item, NotKnown | PartlyKnown):
        item = _anything(item, resource)
    if not isinstance(item, Table):
        return [(_known(item), None)]
    sid = item.get("Sid")
    if isinstance(sid, NotKnown | PartlyKnown):
        item = _without(item, "Sid")
    parts = list(unclear_parts(item))
    if not parts:
        return [(_known(item), None)]
    unknown = Unknown(f"a part of {name} is not known: {parts[0].reason}", parts[0].place)
    members = [widened for key, value in item.members for widened in _widened(key, value)]
    node = JsonObject(tuple(members), item.place)
    if not isinstance(item.get("Effect"), NotKnown | PartlyKnown):
        return [(node, unknown)]
    return [(_with_effect(node, effect), unknown) for effect in ("Allow", "Deny")]


def _anything(item: Unclear, resource: bool) -> Table:
    """A statement of which nothing is known, element by element."""
    names = ("Effect", "Action", "Resource", *(("Principal",) if resource else ()))
    return Table(tuple((JsonString(name, item.place), item) for name in names), item.place)


def _without(item: Table, name: str) -> Table:
    return Table(tuple((key, v) for key, v in item.members if key.value != name), item.place)


def _with_effect(node: JsonObject, effect: str) -> JsonObject:
    """The statement with that effect; a Sid may be in a policy but once, and so is left out."""
    members = tuple((key, value) for key, value in node.members if key.value != "Sid")
    place = node.place
    return JsonObject((*members, (JsonString("Effect", place), JsonString(effect, place))), place)


def _widened(key: JsonString, value: Value) -> list[tuple[JsonString, JsonNode]]:
    """An element of a statement, so wide that it matches whatever its unknown parts may be."""
    first = next(unclear_parts(value), None)
    if first is None:
        return [(key, _known(value))]
    everything = JsonString("*", value.place)
    match key.value:
        case "Action" | "Resource":
            return [(key, _patterns(value, key.value))]
        case "NotAction" | "NotResource":
            known = _known_items(value)
            if known.items:
                return [(key, known)]
            return [(JsonString(key.value.removeprefix("Not"), key.place), everything)]
        case "Principal" | "NotPrincipal":
            return [(JsonString("Principal", key.place), everything)]
        case "Condition":
            return [(key, _conditions(value))]
        case _:
            return []


def _patterns(value: Value, element: str) -> JsonNode:
    match value:
        case Listed(items):
            return JsonArray(tuple(_patterns(item, element) for item in items), value.place)
        case PartlyKnown(pieces):
            return JsonString(_pattern(pieces, element), value.place)
        case NotKnown():
            return JsonString("*", value.place)
        case _:
            return _known(value)


def _pattern(pieces: tuple[str | None, ...], element: str) -> str:
    """A pattern of every text that partly known one may be.

    A Resource is matched field by field, and a piece that is not known may hold colons: only in
    the last field, which takes all that is left, does ``*`` stand for it.
    """
    first = pieces.index(None)
    before = "".join(piece or "" for piece in pieces[:first])
    colons = _COLONS_BEFORE_RESOURCE if element == "Resource" else 1
    if before.count(":") < colons:
        return "*"
    return "".join("*" if piece is None else piece for piece in pieces)


def _known_items(value: Value) -> JsonArray:
    """What of a negated element is known: it matches more without the rest."""
    items = value.items if isinstance(value, Listed) else ()
    known = tuple(_known(item) for item in items if next(unclear_parts(item), None) is None)
    return JsonArray(known, value.place)


def _conditions(value: Value) -> JsonObject:
    """The conditions of which everything is known: a statement matches more without the rest."""
    blocks: list[tuple[JsonString, JsonNode]] = []
    for operator, block in value.members if isinstance(value, Table) else ():
        if isinstance(block, Table):
            known = tuple(
                (key, _known(values))
                for key, values in block.members
                if next(unclear_parts(values), None) is None
            )
            blocks.append((operator, JsonObject(known, block.place)))
        elif not isinstance(block, NotKnown | PartlyKnown):
            blocks.append((operator, _known(block)))
    return JsonObject(tuple(blocks), value.place)


def _known(value: Value) -> JsonNode:
    """A value of which everything is known as JSON."""
    match value:
        case Listed(items):
            return JsonArray(tuple(_known(item) for item in items), value.place)
        case Table(members):
            return JsonObject(tuple((key, _known(item)) for key, item in members), value.place)
        case NotKnown() | PartlyKnown():
            return JsonNull(value.place)
        case _:
            return value
