"""Policies in, a formula out. Reading 2 of the policy language.

Function for function the twin of :mod:`tenantproof.evaluate.authorizer` and
:mod:`tenantproof.evaluate.conditions`: the same names and the same shape, returning terms where
the evaluator returns Booleans. Nothing of the evaluator's matching is used here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from ipaddress import IPv4Network, IPv6Network
from itertools import product

from tenantproof.policy.stack import (
    Access,
    Layer,
    LayerKind,
    PolicySet,
    Stack,
    statements,
)
from tenantproof.policy.syntax import (
    AnyChar,
    AnyChars,
    Chars,
    Clause,
    Condition,
    ConditionValue,
    Effect,
    Escape,
    Family,
    Operator,
    Part,
    PrincipalClause,
    Relation,
    SetQualifier,
    Statement,
    Template,
    Unknown,
    Variable,
)
from tenantproof.prove.access import (
    fixed_caller,
    has_identity,
    is_across_accounts,
    layer_applies,
    may_be_unlisted,
    resource_must_allow,
)
from tenantproof.prove.automata import AUTOMATA, Within
from tenantproof.prove.callers import Callers, names_everyone
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    Loop,
    Matches,
    Opaque,
    Piece,
    Put,
    Some,
    SomeMatches,
    Step,
    Term,
    TextSet,
    conj,
    disj,
    fillings,
    implies,
    joined,
    neg,
    pattern_of,
)
from tenantproof.prove.languages import (
    ANY,
    NO_COLON,
    Language,
    Pattern,
    Wild,
    case_variants,
    language,
    literal,
)
from tenantproof.prove.lifting import tied
from tenantproof.prove.search import Domain, shortest_member
from tenantproof.prove.space import Derived, Known, RequestSpace
from tenantproof.prove.typed import Addresses, Quantities, TypedSet, base64_texts
from tenantproof.reading import DOCUMENTED, Ambiguity, Reading

ARN_SEGMENTS = 6


@dataclass(frozen=True)
class Compiled:
    """A formula with what was met on the way.

    Attributes:
        allowed: holds for exactly the requests of the space that the policies allow.
        space: the space.
        multivalued: the keys that can hold any number of values.
        mentioned: the condition keys that the policies mention, lower case to as written.
        ambiguities: the points of the reference that the policies' text depends on.
        unmodelled: the conditions that became opaque.
        ties: what relates the values of keys that are put in for variables and follow from others.
    """

    allowed: Term
    space: RequestSpace
    multivalued: frozenset[str]
    mentioned: Mapping[str, str]
    ambiguities: frozenset[Ambiguity]
    unmodelled: tuple[Opaque, ...]
    ties: Term = True


def compile_policies(
    policies: Stack, space: RequestSpace, reading: Reading = DOCUMENTED
) -> Compiled:
    """The formula of all requests in ``space`` that ``policies`` allow.

    Args:
        policies: the policies that apply to the space's requests.
        space: the requests to choose from.
        reading: the choices where the reference hedges.

    Returns:
        The formula, with the ambiguities and the unmodelled conditions it met.

    Raises:
        TenantproofError: both sides of a request are asked about, and the caller is free.
    """
    return _Compiler(policies, space, reading).compile()


@dataclass
class _Met:
    """What is met where a statement is compiled.

    ``tied`` are the keys whose values are to be related to what they follow from.
    """

    ambiguities: set[Ambiguity] = field(default_factory=set)
    unmodelled: dict[Opaque, None] = field(default_factory=dict)
    tied: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class _Kept:
    """What a statement compiled to, and what was met."""

    statement: Statement
    applies: Term
    met: _Met


_MOST_SPACES = 1024
_MOST_STATEMENTS = 4096
"""So many statements over each of the last spaces are kept compiled: most of them are the same in
two policies that are compared, and in a policy and its mutants."""


@lru_cache(maxsize=_MOST_SPACES)
def _kept_of(
    space: RequestSpace,  # noqa: ARG001
    reading: Reading,  # noqa: ARG001
    qualified: frozenset[str],  # noqa: ARG001
) -> dict[int, _Kept]:
    """The statements compiled so far over a space, by identity: equal ones differ in place."""
    return {}


@lru_cache(maxsize=4096)
def _written_clause(
    clause: Clause, subject: str, choices: Domain, reading: Reading
) -> tuple[Term, frozenset[Ambiguity]]:
    """A clause without variables: nothing of a space but the choices for its subject matters."""
    alone = _Compiler(PolicySet(()), RequestSpace(None, domains={subject: choices}), reading)
    return alone.clause_holds(clause, subject), frozenset(alone.met.ambiguities)


@dataclass
class _Compiler:
    policies: Stack
    space: RequestSpace
    reading: Reading
    met: _Met = field(default_factory=_Met)

    def __post_init__(self) -> None:
        conditions = [c for s in statements(self.policies) for c in s.conditions]
        templates = [t for s in statements(self.policies) for t in s.templates]
        variables = (v.key for t in templates for v in t.variables)
        self.mentioned: dict[str, str] = {}
        for key in (*(c.key for c in conditions), *variables):
            self.mentioned.setdefault(key.lower(), key)
        self.qualified = frozenset(c.key.lower() for c in conditions if c.operator.qualifier)
        self._all: list[_Kept] = []
        self._of_both_sides: set[Ambiguity] = set()

    @cached_property
    def _kept(self) -> dict[int, _Kept]:
        return _kept_of(self.space, self.reading, self.qualified)

    def compile(self) -> Compiled:
        allowed = self.decide()
        ties = self._ties()
        unmodelled = dict.fromkeys(atom for kept in self._all for atom in kept.met.unmodelled)
        return Compiled(
            allowed,
            self.space,
            frozenset(filter(self._is_multivalued, self.mentioned)),
            self.mentioned,
            frozenset(self._of_both_sides.union(*(k.met.ambiguities for k in self._all))),
            tuple(unmodelled),
            ties,
        )

    def _ties(self) -> Term:
        """What relates the keys whose own values are compared to what they follow from."""
        ties: dict[str, Term] = {}
        for kept in self._all:
            for key in kept.met.tied:
                if key not in ties:
                    self._statement, self.met = kept.statement, kept.met
                    unknown = self._opaque_key(key, "a variable whose value follows from others")
                    ties[key] = tied(key, self.space.lifts[key], unknown)
        return conj(list(ties.values()))

    # -- the authorizer ----------------------------------------------------------------------

    def decide(self) -> Term:
        """No statement denies, and every layer allows."""
        if isinstance(self.policies, Access):
            return self._decide_access(self.policies)
        layers = tuple(self.policies.layers())
        denied = disj(self._applies(layers, Effect.DENY))
        allowed = conj([self._allows(layer) for layer in layers])
        return conj((neg(denied), allowed))

    def _decide_access(self, access: Access) -> Term:
        """No layer that applies denies, and those that have to allow do."""
        fixed_caller(self.space)
        if access.resource_control_policies and may_be_unlisted(self.space):
            self._of_both_sides.add(Ambiguity.RCP_SERVICE)
        layers = [(each, self._layer_applies(each)) for each in access.layers()]
        denied = disj(
            [conj((guard, disj(self._applies((layer,), Effect.DENY)))) for layer, guard in layers]
        )
        allow = {
            kind: conj(
                [
                    implies(guard, self._allows(layer))
                    for layer, guard in layers
                    if layer.kind is kind
                ]
            )
            for kind in LayerKind
        }
        if access.resource_policy is None:
            allow[LayerKind.RESOURCE] = False
        return conj((neg(denied), self._required(access, allow)))

    def _layer_applies(self, layer: Layer) -> Term:
        return layer_applies(layer, self.space, self._some, self.reading)

    def _required(self, access: Access, allow: Mapping[LayerKind, Term]) -> Term:
        """That each layer allows that has to.

        Args:
            access: both sides of the requests.
            allow: whether the layers of each kind do.
        """
        if not has_identity(self.space):
            return conj((allow[LayerKind.RESOURCE_CONTROL], allow[LayerKind.RESOURCE]))
        to_itself, by_role = self._grants(access)
        limits = conj((allow[LayerKind.BOUNDARY], allow[LayerKind.SESSION]))
        must = resource_must_allow(access, self._some)
        in_one_account = conj(
            (
                allow[LayerKind.RESOURCE_CONTROL],
                allow[LayerKind.SERVICE_CONTROL],
                implies(must, allow[LayerKind.RESOURCE]),
                disj((to_itself, conj((limits, disj((by_role, allow[LayerKind.IDENTITY])))))),
            )
        )
        across = is_across_accounts(self.space, self._some)
        in_two_accounts = conj(allow.values())
        return disj((conj((across, in_two_accounts)), conj((neg(across), in_one_account))))

    def _grants(self, access: Access) -> tuple[Term, Term]:
        """Whether the resource's policy allows to the caller itself, and to it by its role."""
        callers = Callers(self._present, self._some)
        everyone: list[Term] = []
        itself: list[Term] = []
        role: list[Term] = []
        for statement in (s for policy in access.resource_policies for s in policy.statements):
            if statement.effect is Effect.ALLOW and statement.principal is not None:
                applies = self.statement_result(statement)
                itself.append(conj((applies, callers.named_itself(statement.principal))))
                role.append(conj((applies, callers.named_by_role(statement.principal))))
                if names_everyone(statement.principal):
                    everyone.append(applies)
        if everyone and (access.caller.permissions_boundary or access.caller.session_policies):
            self._of_both_sides.add(Ambiguity.EVERYONE_GRANT)
        (itself if self.reading.everyone_as_itself else role).extend(everyone)
        return disj(itself), disj(role)

    def _applies(self, layers: Iterable[Layer], effect: Effect) -> list[Term]:
        """The statements of one effect; all of them are read, to meet all that is ambiguous."""
        return [
            self.statement_result(statement)
            for layer in layers
            for policy in layer.policies
            for statement in policy.statements
            if statement.effect is effect
        ]

    def _allows(self, layer: Layer) -> Term:
        """A layer allows if one of its statements does."""
        return disj(self._applies((layer,), Effect.ALLOW))

    def statement_result(self, statement: Statement) -> Term:
        """A statement applies if every element of it matches the request."""
        kept = self._kept.get(id(statement)) or self._compiled(statement)
        self._all.append(kept)
        return kept.applies

    def _compiled(self, statement: Statement) -> _Kept:
        self._statement, self.met = statement, _Met()
        # What one element excludes, no other one has to be read for: under no reading does it hold.
        kept = _Kept(statement, conj(self._checks(statement)), self.met)
        if len(self._kept) >= _MOST_STATEMENTS:
            del self._kept[next(iter(self._kept))]
        self._kept[id(statement)] = kept
        return kept

    def _checks(self, statement: Statement) -> Iterator[Term]:
        yield self._clause_check(statement.action, ACTION)
        if statement.principal is not None:
            yield self._principal_check(statement.principal)
        yield self._variables_check(statement)
        if statement.resource is not None:
            yield self._clause_check(statement.resource, RESOURCE)
        for condition in statement.conditions:
            yield self.condition_holds(condition)
        if statement.unknown is not None:
            yield self._unknown_check(statement, statement.unknown)

    def _unknown_check(self, statement: Statement, unknown: Unknown) -> Opaque:
        """What is not known of a statement may hold or not, of each by itself."""
        place = unknown.place
        which = (place.file, str(statement.place), str(statement.index), statement.effect.value)
        atom = Opaque(ACTION, "Action", unknown.reason, which, place, unknown=True)
        self.met.unmodelled[atom] = None
        return atom

    def _variables_check(self, statement: Statement) -> Term:
        """A variable without a value makes the entire statement invalid."""
        needed = [v for t in statement.templates for v in t.variables if v.default is None]
        has_values = conj([self._has_value(variable) for variable in needed])
        if has_values is True:
            return True
        self.met.ambiguities.add(Ambiguity.UNRESOLVED_VARIABLE)
        return True if self.reading.unresolved_spoils_value else has_values

    def _has_value(self, variable: Variable) -> Term:
        key = variable.key.lower()
        known = self._known(key)
        if isinstance(known, tuple):
            return len(known) == 1
        if isinstance(known, Derived):
            return True
        present = self._present(key)
        if known is True and self._is_multivalued(key):
            return conj((present, self._one_value(variable)))
        return present

    def _one_value(self, variable: Variable) -> Opaque:
        return self._opaque_key(variable.key, "exactly one value")

    # -- the keys ----------------------------------------------------------------------------

    def _known(self, key: str) -> Known:
        """As :meth:`RequestSpace.known`; with ``empty_is_null`` an empty value is no value."""
        known = self.space.known(key)
        if isinstance(known, bool | Derived) or any(known):
            return known
        self.met.ambiguities.add(Ambiguity.EMPTY_IS_NULL)
        return False if self.reading.empty_is_null else known

    def _present(self, key: str) -> Term:
        """Whether the request holds the key; with ``empty_is_null``, with a value not empty."""
        known = self._known(key)
        present = self.space.present(key) if isinstance(known, bool) else True
        if known is not True or not self._can_be_empty(key):
            return conj((present, known is not False))
        self.met.ambiguities.add(Ambiguity.EMPTY_IS_NULL)
        return conj((present, _not_empty(key))) if self.reading.empty_is_null else present

    def _can_be_empty(self, key: str) -> bool:
        """Whether a free key can be present with an empty value or with no values."""
        return self._is_multivalued(key) or "" in self.space.choices(key)

    def _is_multivalued(self, key: str) -> bool:
        return self.space.is_multivalued(key, qualified=key in self.qualified)

    def _principal_check(self, clause: PrincipalClause) -> Term:
        """Principal matches if one entry names the caller; NotPrincipal if none does."""
        callers = Callers(self._present, self._some)
        if not clause.negated:
            return callers.named(clause)
        self.met.ambiguities.add(Ambiguity.NOT_PRINCIPAL)
        if self.reading.not_principal_by_level:
            return neg(callers.left_out_by_level(clause))
        return neg(callers.named(clause))

    def _clause_check(self, clause: Clause, subject: str) -> Term:
        """Action and Resource, of which those without variables are the same for everybody."""
        if any(pattern.variables for pattern in clause.patterns):
            return self.clause_holds(clause, subject)
        choices = self.space.choices(subject)
        holds, ambiguities = _written_clause(clause, subject, choices, self.reading)
        self.met.ambiguities |= ambiguities
        return holds

    def clause_holds(self, clause: Clause, subject: str) -> Term:
        """Action and Resource match if one pattern does; NotAction and NotResource if none does."""
        make = self._action_patterns if subject == ACTION else self._resource_patterns
        language, related = self._matching(make, subject, clause.patterns, clause)
        found = disj((self._some(Some(subject, language)), *related))
        return neg(found) if clause.negated else found

    # -- the conditions ----------------------------------------------------------------------

    def condition_holds(self, condition: Condition) -> Term:
        """Whether one condition holds."""
        operator = condition.operator
        key = condition.key.lower()
        if operator.comparison.family is Family.NULL:
            wanted = {value.literal for value in condition.values}
            null = self._is_null(key)
            return disj((conj((True in wanted, null)), conj((False in wanted, neg(null)))))
        present = self._present(key)
        when_present = self._holds_when_present(condition, key)
        absent = conj((neg(present), self._holds_when_absent(operator)))
        return disj((conj((present, when_present)), absent))

    def _holds_when_absent(self, operator: Operator) -> bool:
        if operator.if_exists and operator.qualifier is SetQualifier.FOR_ANY_VALUE:
            self.met.ambiguities.add(Ambiguity.FOR_ANY_IF_EXISTS)
            return not self.reading.for_any_if_exists_fails
        return holds_when_absent(operator)

    def _holds_when_present(self, condition: Condition, key: str) -> Term:
        operator = condition.operator
        negated = operator.comparison.negated
        typed = self._typed_set(condition)
        related: list[Term] = []
        if self._known(key) is True and self._is_multivalued(key) and self._is_open(condition):
            return self._set_with_variables(condition, key)
        if typed is not None:
            values: TextSet = typed
        else:
            make = self._value_patterns(operator)
            values, related = self._matching(make, key, condition.values, condition)
        if related and operator.qualifier is not None:
            return self._set_of_one(condition, key, disj((self._some(Some(key, values)), *related)))
        match operator.qualifier:
            case None:
                some = disj((self._some(Some(key, values)), *related))
                return neg(some) if negated else some
            case SetQualifier.FOR_ANY_VALUE:
                return self._some(Some(key, values, complemented=negated))
            case SetQualifier.FOR_ALL_VALUES:
                # Every value matches, or there are none but empty ones.
                other = Some(key, values, complemented=not negated)
                return disj((neg(self._some(other)), neg(self._some(_not_empty(key)))))

    def _set_of_one(self, condition: Condition, key: str, some: Term) -> Term:
        """A set operator on a key of one value that is compared with values that requests choose.

        Args:
            condition: the condition.
            key: its key.
            some: whether the value matches one of the condition's.
        """
        operator = condition.operator
        if isinstance(self._known(key), tuple):
            return self._opaque(key, f"{operator.name} with a variable that is free in", condition)
        matches = neg(some) if operator.comparison.negated else some
        if operator.qualifier is SetQualifier.FOR_ANY_VALUE:
            return matches
        return disj((matches, neg(self._some(_not_empty(key)))))

    def _is_open(self, condition: Condition) -> bool:
        """Whether values that requests choose are put into the texts of a condition."""
        return any(
            isinstance(part, Put)
            for value in condition.values
            for _, parts in self._resolved(value.template.parts)
            for part in parts
        )

    def _set_with_variables(self, condition: Condition, key: str) -> Term:
        """A condition on a set of values that is compared with values that requests choose.

        Which variables have a value decides what the condition's texts say: each case by itself.
        """
        variables = [v for value in condition.values for v in value.template.variables]
        free = {v.key.lower(): self._has_value(v) for v in variables if self._is_free(v)}
        named = f"{condition.operator.name} with variables that are free in"
        is_of_itself = any(variable.key.lower() == key for variable in variables)
        is_lifted = any(variable.key.lower() in self.space.lifts for variable in variables)
        if len(free) > _MOST_FREE or is_lifted or is_of_itself:
            return self._opaque(key, named, condition)
        make = self._value_patterns(condition.operator)
        cases: list[Term] = []
        for held in product((True, False), repeat=len(free)):
            each = zip(free.items(), held, strict=True)
            guards = {k: has if is_held else neg(has) for (k, has), is_held in each}
            language, patterns = self._texts_where(make, condition, guards)
            if any(self._colons(parts) is not False for parts in patterns.values()):
                return self._opaque(key, named, condition)
            some = _SomeOf(key, language, tuple(patterns))
            cases.append(conj((*guards.values(), self._of_set(condition.operator, some))))
        return disj(cases)

    def _is_free(self, variable: Variable) -> bool:
        return self._known(variable.key.lower()) is True

    def _texts_where(
        self, make: PatternMaker, condition: Condition, guards: Mapping[str, Term]
    ) -> tuple[Language, dict[Pieces, Sequence[Resolved]]]:
        """What a condition's texts match where it is known which variables have values."""
        plain: list[Pattern] = []
        patterns: dict[Pieces, Sequence[Resolved]] = {}
        for value in condition.values:
            keys = dict.fromkeys(v.key.lower() for v in value.template.variables)
            expected = conj(guards[each] for each in keys if each in guards)
            for guard, parts in self._resolved(value.template.parts):
                for pieces in make(parts) if guard == expected else ():
                    if any(isinstance(piece, Put) for piece in pieces):
                        by_segment = make in self._by_segment
                        patterns[joined(pieces)] = parts if by_segment else ()
                    else:
                        plain.append(pattern_of(pieces, {}))
        return Language(plain), patterns

    def _of_set(self, operator: Operator, some: _SomeOf) -> Term:
        """What an operator says of a set, given what some value of it may be."""
        negated = operator.comparison.negated
        match operator.qualifier:
            case None:
                return neg(some.atom()) if negated else some.atom()
            case SetQualifier.FOR_ANY_VALUE:
                return some.atom(complemented=negated)
            case SetQualifier.FOR_ALL_VALUES:
                other = some.atom(complemented=not negated)
                return disj((neg(other), neg(self._some(_not_empty(some.key)))))

    def _typed_set(self, condition: Condition) -> TypedSet | None:
        """What a condition on numbers, dates or addresses compares with."""
        comparison = condition.operator.comparison
        literals = [value.literal for value in condition.values]
        match comparison.family:
            case Family.NUMERIC | Family.DATE as kind:
                numbers = [Fraction(n) for n in literals if isinstance(n, Decimal | Fraction)]
                return Quantities(kind, tuple((comparison.relation, n) for n in numbers))
            case Family.IP_ADDRESS:
                return Addresses(
                    tuple(n for n in literals if isinstance(n, IPv4Network | IPv6Network))
                )
            case _:
                return None

    def _is_null(self, key: str) -> Term:
        return neg(self._present(key))

    def _some(self, atom: Some) -> Term:
        """The atom, or its truth where the subject has one known value."""
        values = self._known_values(atom.subject)
        if isinstance(values, Derived):
            return self._some_derived(atom, values)
        if values is None:
            never_empty = atom == _not_empty(atom.subject) and not self._can_be_empty(atom.subject)
            return never_empty or self._lifted(atom)
        return atom.holds_for(values)

    def _lifted(self, atom: Some) -> Term:
        """An atom of a key whose value follows from other subjects', as said of those."""
        if atom.subject not in self.space.lifts:
            return atom
        ways: list[Term] = []
        for case in self.space.lifts[atom.subject]:
            inside: Term | None = case.value.lifted(atom.language)
            if inside is None:
                inside = self._opaque_key(atom.subject, "a value that follows from others")
            ways.append(conj((case.condition, neg(inside) if atom.complemented else inside)))
        return disj(ways)

    def _tie(self, pieces: Iterable[Piece], subject: str) -> None:
        """Note the keys whose own values are compared and follow from others."""
        for key in (subject, *(piece.subject for piece in pieces if isinstance(piece, Put))):
            if key in self.space.lifts:
                self.met.tied[key] = None

    def _some_derived(self, atom: Some, value: Derived) -> Term:
        """An atom of a key whose value follows from another subject's, as one of that subject."""
        if not isinstance(atom.language, AUTOMATA):
            if value.prefix or value.suffix:
                return self._opaque_key(atom.subject, "a number, date or address made of a name")
            return replace(atom, subject=value.subject)
        language = Within(atom.language, value.prefix, value.suffix)
        nonempty = atom.nonempty and not (value.prefix or value.suffix)
        return Some(value.subject, language, atom.complemented, nonempty)

    def _known_values(self, subject: str) -> Sequence[str] | Derived | None:
        if subject in (ACTION, RESOURCE):
            choices = self.space.choices(subject).values
            return choices if choices is not None and len(choices) == 1 else None
        known = self._known(subject)
        match known:
            case Derived() | tuple():
                return known
            case str():
                return (known,)
            case True:
                return None
            case False:
                return ()

    def _opaque(self, subject: str, what: str, written: Clause | Condition) -> Opaque:
        texts = written.patterns if isinstance(written, Clause) else written.values
        key = written.element if isinstance(written, Clause) else written.key
        atom = Opaque(subject, key, what, tuple(t.text for t in texts), written.place)
        self.met.unmodelled[atom] = None
        return atom

    def _opaque_key(self, key: str, what: str) -> Opaque:
        subject = key.lower()
        atom = Opaque(subject, self.mentioned.get(subject, key), what, (), self._statement.place)
        self.met.unmodelled[atom] = None
        return atom

    # -- patterns ----------------------------------------------------------------------------

    def _matching(
        self,
        make: PatternMaker,
        subject: str,
        texts: Iterable[Template | ConditionValue],
        written: Clause | Condition,
    ) -> tuple[Language, list[Term]]:
        """What texts match: the union of their patterns, and terms where variables are free.

        A text with a valueless variable matches nothing.
        """
        patterns: list[Pattern] = []
        related: list[Term] = []
        for text in texts:
            template = text.template if isinstance(text, ConditionValue) else text
            for guard, parts in self._resolved(template.parts):
                for pieces in make(parts):
                    if any(isinstance(piece, Put) for piece in pieces):
                        matches = self._related(subject, pieces, written)
                        colons = self._colons(parts) if make in self._by_segment else False
                        if colons is not False:
                            opaque = self._opaque(subject, _WITH_COLON, written)
                            matches = disj((conj((neg(colons), matches)), conj((colons, opaque))))
                        related.append(conj((guard, matches)))
                    elif guard is True:
                        patterns.append(pattern_of(pieces, {}))
                    else:
                        alone = Language([pattern_of(pieces, {})])
                        related.append(conj((guard, self._some(Some(subject, alone)))))
        return Language(patterns), related

    @property
    def _by_segment(self) -> tuple[PatternMaker, ...]:
        return self._resource_patterns, self._arn_patterns

    def _colons(self, parts: Sequence[Resolved]) -> Term:
        """Whether a value put into one of the first five segments of an ARN holds a colon.

        There it would begin a segment of its own, which the pieces do not say.
        """
        early = _segments(parts)[: ARN_SEGMENTS - 1]
        subjects = {p.subject: None for segment in early for p in segment if isinstance(p, Put)}
        return disj(
            Some(subject, _COLON)
            for subject in subjects
            if shortest_member([_COLON], [], self.space.choices(subject)) is not None
        )

    def _resolved(self, parts: Sequence[Part]) -> Iterator[tuple[Term, list[Resolved]]]:
        """The ways to put values in for variables, each with the condition that it is the one."""
        ways: list[tuple[Term, list[Resolved]]] = [(True, [])]
        for part in parts:
            values = self._variable_values(part) if isinstance(part, Variable) else [(True, [part])]
            ways = [
                (conj((guard, other)), [*before, *after])
                for guard, before in ways
                for other, after in values
            ]
        return iter(ways)

    def _variable_values(self, variable: Variable) -> list[tuple[Term, list[Resolved]]]:
        """A variable's values: the key's, or the default where there is none."""
        key = variable.key.lower()
        known = self._known(key)
        if isinstance(known, tuple) and len(known) == 1:
            return [(True, [Chars(known[0])])]
        if isinstance(known, str):
            return [(True, [Chars(known)])]
        if isinstance(known, Derived):
            around = (Chars(known.prefix), Put(known.subject), Chars(known.suffix))
            return [(True, list(around))]
        ways: list[tuple[Term, list[Resolved]]] = []
        has_value: Term = False
        if known is True:
            has_value = self._present(key)
            if self._is_multivalued(key):
                has_value = conj((has_value, self._one_value(variable)))
            ways.append((has_value, [Put(key)]))
        if variable.default is not None:
            ways.append((neg(has_value), [Chars(variable.default)]))
        else:
            self.met.ambiguities.add(Ambiguity.UNRESOLVED_VARIABLE)
        return ways

    def _related(
        self, subject: str, pieces: tuple[Piece, ...], written: Clause | Condition
    ) -> Term:
        """Whether a subject is as pieces say that hold values which requests choose."""
        self._tie(pieces, subject)
        known = self._known_values(subject)
        if isinstance(known, Derived):
            if known.prefix or known.suffix:
                return self._opaque(subject, "values that follow from each other in", written)
            return Matches(known.subject, joined(pieces))
        if known is None and subject in (ACTION, RESOURCE):
            known = self.space.choices(subject).values
        if known is None:
            if self._is_multivalued(subject):
                return self._opaque(subject, "a set of values with a free variable in", written)
            return Matches(subject, joined(pieces))
        puts = [piece for piece in pieces if isinstance(piece, Put)]
        if len(puts) > 1:
            return self._opaque(subject, "several free variables in", written)
        return disj(
            conj((self._is(subject, value), Some(puts[0].subject, fillings(pieces, value))))
            for value in known
        )

    def _is(self, subject: str, value: str) -> Term:
        return self._some(Some(subject, Language([literal(value)])))

    def _value_patterns(self, operator: Operator) -> PatternMaker:
        comparison = operator.comparison
        match comparison.family, comparison.relation:
            case Family.ARN, _:
                return self._arn_patterns
            case Family.BOOL, _:
                return lambda parts: [_ascii_text(_literal_text(parts).lower())]
            case Family.BINARY, _:
                return lambda parts: [(text,) for text in base64_texts(_literal_text(parts))]
            case _, Relation.LIKE:
                return lambda parts: [_wildcard_pieces(parts)]
            case _, relation:
                ignore = relation is Relation.EQUALS_IGNORE_CASE
                return lambda parts: [_literal_pieces(parts, ignore_case=ignore)]

    def _action_patterns(self, parts: Sequence[Resolved]) -> list[Pieces]:
        """Action: ASCII letters without case, ``*`` and ``?`` anywhere."""
        return [
            tuple(
                each
                for piece in _wildcard_pieces(parts)
                for each in (_ascii_text(piece) if isinstance(piece, str) else (piece,))
            )
        ]

    def _resource_patterns(self, parts: Sequence[Resolved]) -> list[Pieces]:
        """Resource: ``*`` alone is everything, else segment by segment, missing ones are ``*``."""
        if all(isinstance(part, AnyChars) for part in parts):
            return [(Loop(ANY),)]
        segments = _segments(parts)
        completed = segments + [_star()] * (ARN_SEGMENTS - len(segments))
        narrow = [_joined(completed, crossing=False)]
        wide = [_joined(each, crossing=True) for each in (completed, segments)]
        if self._differ(RESOURCE, narrow, wide):
            self.met.ambiguities.add(Ambiguity.SEGMENT_WILDCARD)
        return wide if self.reading.segment_star_crosses else narrow

    def _differ(self, subject: str, one: list[Pieces], other: list[Pieces]) -> bool:
        """Whether the choice between patterns can matter to the subject's values."""
        values = self.space.choices(subject).values
        if values is None or any(isinstance(p, Put) for each in (*one, *other) for p in each):
            return one != other
        left, right = (Language([pattern_of(p, {}) for p in each]) for each in (one, other))
        return any(left.accepts(value) != right.accepts(value) for value in values)

    def _arn_patterns(self, parts: Sequence[Resolved]) -> list[Pieces]:
        """ArnLike and ArnEquals: segment by segment, all six of them."""
        segments = _segments(parts)
        if len(segments) < ARN_SEGMENTS:
            self.met.ambiguities.add(Ambiguity.SHORT_ARN_PATTERN)
            if not self.reading.short_arn_completed:
                return []
            segments += [_star()] * (ARN_SEGMENTS - len(segments))
        return [_joined(segments, crossing=False)]


@dataclass(frozen=True)
class _SomeOf:
    """Some value of a set is in a language or as one of some patterns says."""

    key: str
    language: Language
    patterns: tuple[Pieces, ...]

    def atom(self, *, complemented: bool = False) -> Term:
        """The atom that says so, or that some value is neither."""
        if self.patterns:
            return SomeMatches(self.key, self.language, self.patterns, complemented)
        return Some(self.key, self.language, complemented)


_MOST_FREE = 3
"""The most variables of a condition on a set of which every case is looked at."""

_COLON = language("*:*")
_WITH_COLON = "a variable whose value holds a colon in"

Resolved = Chars | Escape | AnyChars | AnyChar | Put
"""A part of a template once its variables have values: texts, or another subject's value."""

Pieces = tuple[Piece, ...]

PatternMaker = Callable[[Sequence[Resolved]], list[Pieces]]
"""Makes the patterns of a text, of which a value has to match one."""


def _literal_text(parts: Iterable[Resolved]) -> str:
    return "".join(piece for piece in _literal_pieces(parts) if isinstance(piece, str))


def _literal_pieces(parts: Iterable[Resolved], *, ignore_case: bool = False) -> Pieces:
    """StringEquals: ``*`` and ``?`` are plain characters."""
    pieces: list[Piece] = []
    for part in parts:
        match part:
            case Put(subject):
                pieces.append(Put(subject, ignore_case))
            case Chars(text) | Escape(text) if ignore_case:
                pieces += [Step(case_variants(char)) for char in text]
            case Chars(text) | Escape(text):
                pieces.append(text)
            case AnyChars():
                pieces.append("*")
            case AnyChar():
                pieces.append("?")
    return tuple(pieces)


def _wildcard_pieces(parts: Iterable[Resolved], within: Wild = ANY) -> Pieces:
    """StringLike: ``*`` is any characters, ``?`` any one."""
    pieces: list[Piece] = []
    for part in parts:
        match part:
            case AnyChars():
                pieces.append(Loop(within))
            case AnyChar():
                pieces.append(Step(within))
            case Put():
                pieces.append(part)
            case Chars(text) | Escape(text):
                pieces.append(text)
    return tuple(pieces)


def _ascii_text(text: str) -> Pieces:
    """Literal characters, ASCII letters among them in either case."""
    return tuple(
        Step(frozenset((char.lower(), char.upper()) if char.isascii() else (char,)))
        for char in text
    )


def _segments(parts: Iterable[Resolved]) -> list[list[Resolved]]:
    """A pattern by segment, the sixth holding the rest."""
    segments: list[list[Resolved]] = [[]]
    for part in parts:
        if not isinstance(part, Chars | Escape):
            segments[-1].append(part)
            continue
        rest = part.text if isinstance(part, Chars) else part.char
        while ":" in rest and len(segments) < ARN_SEGMENTS:
            head, _, rest = rest.partition(":")
            segments[-1].append(Chars(head))
            segments.append([])
        segments[-1].append(Chars(rest))
    return [[part for part in segment if part != Chars("")] for segment in segments]


def _star() -> list[Resolved]:
    return [AnyChars()]


def _joined(segments: Sequence[Sequence[Resolved]], *, crossing: bool) -> Pieces:
    """The pattern of segments between colons; with ``crossing`` a ``*`` at an end crosses them."""
    pieces: list[Piece] = []
    for index, segment in enumerate(segments):
        last = index == len(segments) - 1
        if index:
            pieces.append(":")
        pieces += _wildcard_pieces(segment, ANY if last else NO_COLON)
        if crossing and segment and isinstance(segment[-1], AnyChars):
            pieces[-1] = Loop(ANY)
    return tuple(pieces)


def _not_empty(key: str) -> Some:
    """Some value of the key is not the empty text."""
    return Some(key, _NOTHING, complemented=True, nonempty=True)


_NOTHING = Language([])


def holds_when_absent(operator: Operator) -> bool:
    """What an operator other than Null says where the request lacks the key."""
    by_qualifier = {
        SetQualifier.FOR_ALL_VALUES: True,
        SetQualifier.FOR_ANY_VALUE: False,
        None: operator.comparison.negated,
    }
    return operator.if_exists or by_qualifier[operator.qualifier]
