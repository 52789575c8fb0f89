"""Every plausible slip in a policy, as an edit of its text.

Whether a text matches more or less decides who gets access: more in an Allow, less in a Deny, and
the other way round under ``NotAction``, ``NotResource`` and a negated operator. A slip is made in
the direction that can give access.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, IPv6Network

from tenantproof.errors import Place
from tenantproof.isolation.sagemaker import invoke_actions
from tenantproof.mutate import texts
from tenantproof.mutate.kinds import Kind
from tenantproof.mutate.source import Edit, Source, items, member
from tenantproof.mutate.texts import Changed, Pieces
from tenantproof.policy import Condition, Effect, Operator, PolicyDocument, Statement, Version
from tenantproof.policy.json_reader import JsonArray, JsonBool, JsonNode, JsonObject, JsonString
from tenantproof.policy.operators import COMPARISONS
from tenantproof.policy.syntax import (
    Clause,
    Comparison,
    Family,
    Relation,
    SetQualifier,
)

_ANY_ARN = "arn:*:*:*:*:*"


@dataclass(frozen=True)
class Slip:
    """One slip, not yet known to leave a policy.

    ``index`` is the statement's, None of the document's own; ``sentence`` says what was done.
    """

    kind: Kind
    index: int | None
    place: Place
    sentence: str
    edit: Edit


def slips(source: Source, document: PolicyDocument) -> Iterator[Slip]:
    """Every slip in a policy, in order of its statements.

    Args:
        source: the text.
        document: the policy that the text is.
    """
    yield from _version(source, document)
    nodes = items(member(source.root, "Statement"))
    is_list = isinstance(member(source.root, "Statement"), JsonArray)
    used = (v.key for s in document.statements for t in s.templates for v in t.variables)
    known = _Known(tuple(dict.fromkeys(used)), _first_resources(document))
    for statement, node in zip(document.statements, nodes, strict=True):
        assert isinstance(node, JsonObject)
        one = _Statement(source, statement, node, known)
        if is_list and len(nodes) > 1:
            yield from one.removed()
        yield from one.slips()


def _version(source: Source, document: PolicyDocument) -> Iterator[Slip]:
    node = member(source.root, "Version")
    if node is not None and document.version is Version.V2012:
        assert isinstance(source.root, JsonObject)
        edit = source.without_member(source.root, "Version")
        yield Slip(Kind.VERSION_DROPPED, None, node.place, "Version left out", edit)


def _first_resources(document: PolicyDocument) -> tuple[tuple[int, str], ...]:
    """Of each statement with a Resource other than ``*`` its index and the first such."""
    return tuple(
        (statement.index, narrow[0])
        for statement in document.statements
        if statement.resource is not None and not statement.resource.negated
        if (narrow := [p.text for p in statement.resource.patterns if p.text != "*"])
    )


@dataclass(frozen=True)
class _Known:
    """What the document's other statements say: keys of variables, Resources by statement."""

    variables: tuple[str, ...]
    resources: tuple[tuple[int, str], ...]


@dataclass(frozen=True)
class _Text:
    """A text that requests are matched with, and its node.

    ``wider_grants``: matching more gives access. ``wild``: ``*`` and ``?`` are wildcards.
    """

    node: JsonString
    pieces: Pieces
    wider_grants: bool
    wild: bool = True


@dataclass(frozen=True)
class _Statement:
    source: Source
    statement: Statement
    node: JsonObject
    known: _Known

    @property
    def _allows(self) -> bool:
        return self.statement.effect is Effect.ALLOW

    def slips(self) -> Iterator[Slip]:
        """All slips that leave the statement where it is."""
        yield from self._effect()
        yield from self._actions(self.statement.action)
        if self.statement.resource is not None:
            yield from self._resources(self.statement.resource)
        conditions = member(self.node, "Condition")
        if isinstance(conditions, JsonObject):
            yield from self._conditions(conditions)

    def _slip(self, kind: Kind, node: JsonNode, sentence: str, edit: Edit) -> Slip:
        return Slip(kind, self.statement.index, node.place, sentence, edit)

    def _strings(self, kind: Kind, node: JsonString, changes: Iterable[Changed]) -> Iterator[Slip]:
        for what, new in changes:
            sentence = f"{what}: {_shown(node.value)} -> {_shown(new)}"
            yield self._slip(kind, node, sentence, self.source.with_string(node, new))

    # -- the statement -----------------------------------------------------------------------

    def removed(self) -> Iterator[Slip]:
        """A Deny that is lost."""
        if not self._allows:
            among = member(self.source.root, "Statement")
            assert isinstance(among, JsonArray)
            edit = self.source.without_item(among, self.statement.index)
            sentence = f"the Deny {self.statement.name} removed"
            yield self._slip(Kind.DENY_REMOVED, self.node, sentence, edit)

    def _effect(self) -> Iterator[Slip]:
        node = member(self.node, "Effect")
        if not self._allows and isinstance(node, JsonString):
            yield from self._strings(Kind.EFFECT_FLIPPED, node, [("Effect", "Allow")])

    # -- Action and Resource -----------------------------------------------------------------

    def _clause(self, clause: Clause) -> Iterator[_Text]:
        """The texts of a clause, with whether matching more of it gives access."""
        wider_grants = self._allows != clause.negated
        nodes = items(member(self.node, clause.element))
        for node, template in zip(nodes, clause.patterns, strict=True):
            assert isinstance(node, JsonString)
            yield _Text(node, Pieces(template), wider_grants)

    def _actions(self, clause: Clause) -> Iterator[Slip]:
        for text in self._clause(clause):
            if text.wider_grants:
                changes = texts.actions_widened(text.pieces)
                yield from self._strings(Kind.ACTION_WIDENED, text.node, changes)
            else:
                yield from self._strings(Kind.DENY_NARROWED, text.node, _to_one(text.pieces))
        yield from self._values_removed(clause)

    def _resources(self, clause: Clause) -> Iterator[Slip]:
        for text in self._clause(clause):
            if text.wider_grants:
                changes = texts.slashes_dropped(text.pieces)
                yield from self._strings(Kind.SLASH_DROPPED, text.node, changes)
                changes = _resource_widened(text.pieces)
                yield from self._strings(Kind.RESOURCE_WIDENED, text.node, changes)
            else:
                yield from self._strings(Kind.CASE_CHANGED, text.node, _arn_case(text.pieces))
                changes = self._to_another_resource(text.pieces)
                yield from self._strings(Kind.DENY_NARROWED, text.node, changes)
            yield from self._variables(text)
        yield from self._values_removed(clause)

    def _to_another_resource(self, pieces: Pieces) -> Iterator[Changed]:
        others = (text for index, text in self.known.resources if index != self.statement.index)
        other = next(others, None)
        if pieces.text == "*" and other is not None:
            yield "all resources narrowed to one", other

    def _values_removed(self, clause: Clause) -> Iterator[Slip]:
        if self._allows == clause.negated:
            yield from self._items_removed(member(self.node, clause.element))

    def _items_removed(self, node: JsonNode | None) -> Iterator[Slip]:
        """A list without one of its items."""
        if isinstance(node, JsonArray) and len(node.items) > 1:
            for at, item in enumerate(node.items):
                start, end = self.source.span(item)
                sentence = f"a value of the list removed: {_cut(self.source.text[start:end])}"
                edit = self.source.without_item(node, at)
                yield self._slip(Kind.VALUE_REMOVED, item, sentence, edit)

    def _variables(self, text: _Text) -> Iterator[Slip]:
        wild = text.wild and text.wider_grants
        changes = texts.variables_replaced(text.pieces, self.known.variables, wild=wild)
        yield from self._strings(Kind.VARIABLE_REPLACED, text.node, changes)
        changes = texts.defaults_changed(text.pieces)
        yield from self._strings(Kind.VARIABLE_DEFAULT, text.node, changes)

    # -- conditions --------------------------------------------------------------------------

    def _conditions(self, node: JsonObject) -> Iterator[Slip]:
        if self._allows:
            yield from self._conditions_removed(node)
        conditions = iter(self.statement.conditions)
        for name, block in node.members:
            assert isinstance(block, JsonObject)
            listed = [next(conditions) for _ in block.members]
            if listed:
                yield from self._operators(name, listed)
            for condition, (_, values) in zip(listed, block.members, strict=True):
                yield from self._values(condition, values)

    def _conditions_removed(self, node: JsonObject) -> Iterator[Slip]:
        kind, source = Kind.CONDITION_REMOVED, self.source
        edit = source.without_member(self.node, "Condition")
        yield self._slip(kind, node, "all conditions removed", edit)
        for name, block in node.members:
            assert isinstance(block, JsonObject)
            for key, _ in block.members:
                sentence = f"the condition {name.value} on {_cut(key.value)} removed"
                if len(block.members) > 1:
                    edit = source.without_member(block, key.value)
                    yield self._slip(kind, key, sentence, edit)
                elif len(node.members) > 1:
                    edit = source.without_member(node, name.value)
                    yield self._slip(kind, key, sentence, edit)

    def _operators(self, name: JsonString, conditions: list[Condition]) -> Iterator[Slip]:
        """Another operator for a block of conditions."""
        operator = conditions[0].operator
        wild = any(Pieces(v.template).has_wildcard for c in conditions for v in c.values)
        for kind, other in _other_operators(operator, allows=self._allows, wild=wild):
            sentence = f"the operator: {operator.name} -> {other.name}"
            edit = self.source.with_string(name, other.name)
            yield self._slip(kind, name, sentence, edit)

    def _values(self, condition: Condition, node: JsonNode) -> Iterator[Slip]:
        comparison = condition.operator.comparison
        wider_grants = self._allows != comparison.negated
        for value, item in zip(condition.values, items(node), strict=True):
            match comparison.family:
                case Family.STRING | Family.ARN if isinstance(item, JsonString):
                    pieces = Pieces(value.template)
                    wild = comparison.relation is Relation.LIKE
                    yield from self._pattern(comparison, _Text(item, pieces, wider_grants, wild))
                case Family.BOOL | Family.NULL:
                    yield from self._flipped(item)
                case Family.IP_ADDRESS if wider_grants and isinstance(item, JsonString):
                    changes = _any_address(value.literal)
                    yield from self._strings(Kind.WILDCARD_WIDENED, item, changes)
                case _:
                    pass
        if not wider_grants:
            yield from self._items_removed(node)

    def _pattern(self, comparison: Comparison, text: _Text) -> Iterator[Slip]:
        is_arn = comparison.family is Family.ARN
        if text.wider_grants and text.wild:
            changes = texts.slashes_dropped(text.pieces)
            yield from self._strings(Kind.SLASH_DROPPED, text.node, changes)
            changes = (_arn_widened if is_arn else _text_widened)(text.pieces)
            yield from self._strings(Kind.WILDCARD_WIDENED, text.node, changes)
        if not text.wider_grants and comparison.relation is not Relation.EQUALS_IGNORE_CASE:
            changes = (_arn_case if is_arn else texts.case_changed)(text.pieces)
            yield from self._strings(Kind.CASE_CHANGED, text.node, changes)
        yield from self._variables(text)

    def _flipped(self, node: JsonNode) -> Iterator[Slip]:
        match node:
            case JsonBool(value):
                written = "false" if value else "true"
            case JsonString(value):
                written = '"false"' if value.lower() == "true" else '"true"'
            case _:
                return
        edit = self.source.with_node(node, written)
        yield self._slip(Kind.BOOLEAN_FLIPPED, node, f"the value flipped to {written}", edit)


# -- texts ---------------------------------------------------------------------------------------


def _resource_widened(pieces: Pieces) -> Iterator[Changed]:
    if pieces.text == "*":
        return
    yield from texts.any_one_widened(pieces)
    yield from texts.cut(pieces, texts.last_field(pieces))
    yield from texts.fields_widened(pieces, (3, 4))
    yield "all resources", "*"


def _arn_widened(pieces: Pieces) -> Iterator[Changed]:
    """Of a condition value, where ``*`` alone is no ARN."""
    if texts.last_field(pieces) < len(pieces.text):
        yield from texts.any_one_widened(pieces)
        yield from texts.cut(pieces, texts.last_field(pieces))
        yield from texts.fields_widened(pieces, (3, 4))
        # Of a value that is no ARN from its beginning this would be another text, no wider one.
        if pieces.text.startswith("arn:"):
            yield "all ARNs", _ANY_ARN


def _text_widened(pieces: Pieces) -> Iterator[Changed]:
    if pieces.text == "*":
        return
    yield from texts.any_one_widened(pieces)
    yield from texts.cut(pieces)
    yield "widened to all", "*"


def _arn_case(pieces: Pieces) -> Iterator[Changed]:
    """A letter of the last field, where names are."""
    return texts.case_changed(pieces, texts.last_field(pieces))


def _to_one(pieces: Pieces) -> Iterator[Changed]:
    """A wildcard that covers the actions of an endpoint -> the action that everybody knows."""
    known = invoke_actions()[0]
    if pieces.has_wildcard and fnmatchcase(known.lower(), pieces.text.lower()):
        yield "narrowed to one action", known


def _any_address(literal: object) -> Iterator[Changed]:
    match literal:
        case IPv4Network(prefixlen=length) if length:
            yield "the network widened to all", "0.0.0.0/0"
        case IPv6Network(prefixlen=length) if length:
            yield "the network widened to all", "::/0"
        case _:
            pass


# -- operators -----------------------------------------------------------------------------------


def _other_operators(
    operator: Operator, *, allows: bool, wild: bool
) -> Iterator[tuple[Kind, Operator]]:
    """The operators that one might write instead, where that can give access.

    ``wild``: a value holds a wildcard, or what would be one.
    """
    comparison, qualifier = operator.comparison, operator.qualifier
    if comparison.family is Family.NULL:
        return
    for other in _near(comparison, wider=allows != comparison.negated, wild=wild):
        yield Kind.OPERATOR_LOOSENED, _changed(operator, comparison=other)
    of_absent = comparison.negated and qualifier is not SetQualifier.FOR_ANY_VALUE
    holds_for_absent = of_absent or qualifier is SetQualifier.FOR_ALL_VALUES
    if not holds_for_absent and operator.if_exists is not allows:
        yield Kind.IF_EXISTS, _changed(operator, if_exists=allows)
    if (allows and not holds_for_absent) or qualifier is SetQualifier.FOR_ANY_VALUE:
        yield Kind.FOR_ALL_VALUES, _changed(operator, qualifier=SetQualifier.FOR_ALL_VALUES)
    if comparison.negated:
        yield Kind.NEGATION_DROPPED, _changed(operator, comparison=_positive(comparison))


def _changed(
    operator: Operator,
    *,
    comparison: Comparison | None = None,
    qualifier: SetQualifier | None = None,
    if_exists: bool | None = None,
) -> Operator:
    return Operator(
        comparison or operator.comparison,
        qualifier or operator.qualifier,
        operator.if_exists if if_exists is None else if_exists,
    )


def _near(comparison: Comparison, *, wider: bool, wild: bool) -> Iterator[Comparison]:
    """Comparisons of the same kind that hold for more (``wider``) or for less."""
    family, relation = comparison.family, comparison.relation
    for narrow, wide in _PAIRS:
        here, there = (narrow, wide) if wider else (wide, narrow)
        if relation is here and (wild or Relation.LIKE not in (narrow, wide)):
            for other in COMPARISONS.values():
                same = (other.family, other.negated) == (family, comparison.negated)
                if same and other.relation is there:
                    yield other


_PAIRS = (
    (Relation.EQUALS, Relation.LIKE),
    (Relation.EQUALS, Relation.EQUALS_IGNORE_CASE),
    (Relation.LESS_THAN, Relation.LESS_THAN_EQUALS),
    (Relation.GREATER_THAN, Relation.GREATER_THAN_EQUALS),
)
"""Relations of which the second holds for more."""


def _positive(comparison: Comparison) -> Comparison:
    """``StringNotLike`` -> ``StringLike``."""
    return COMPARISONS[comparison.name.replace("Not", "", 1)]


# -- words ---------------------------------------------------------------------------------------


def _shown(text: str) -> str:
    return f"`{_cut(text)}`"


def _cut(text: str, limit: int = 120) -> str:
    return text if len(text) <= limit else text[: limit - 3] + "..."
