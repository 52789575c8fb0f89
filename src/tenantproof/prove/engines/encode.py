"""A formula over a space of requests as one SMT-LIB script, and a model of it as a witness.

Each subject with one value is one constant. A key that holds any number of values has one value
for each atom that asks for some: that value is as the atom says, and as no atom says that does not
hold. Each atom asks for one value or says something of all, so that this is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tenantproof.errors import NotSupportedError
from tenantproof.prove.engines.related import Naming, check_case, cut_somewhere, exactly
from tenantproof.prove.engines.script import (
    Model,
    Script,
    both,
    every,
    implied,
    negated,
    some,
)
from tenantproof.prove.engines.values import Value, Values, distinct, fulfils
from tenantproof.prove.formula import (
    ACTION,
    RESOURCE,
    And,
    Atom,
    Matches,
    Not,
    Opaque,
    Or,
    Present,
    Some,
    SomeMatches,
    Term,
    atoms,
)
from tenantproof.prove.space import RequestSpace
from tenantproof.request import ContextValue


@dataclass(frozen=True)
class Question:
    """A script, and what its constants stand for.

    Attributes:
        script: satisfiable iff a request of the space fulfils the formula, whatever opaque atoms
            are taken for.
        single: the value of each subject that has one.
        sets: for each multivalued key, its possible values, each with the constant that says
            whether it is one.
        present: the constants that say whether a key is present; keys without one always are.
    """

    script: Script
    single: Mapping[str, Value]
    sets: Mapping[str, Sequence[tuple[str, Value]]]
    present: Mapping[str, str]

    def read(self, model: Model) -> dict[str, ContextValue]:
        """The values that a model gives to the action, the resource and the keys present."""
        found: dict[str, ContextValue] = {}
        for subject, value in self.single.items():
            if self._is_present(subject, model):
                found[subject] = value.read(model)
        for subject, values in self.sets.items():
            if self._is_present(subject, model):
                found[subject] = distinct(v.read(model) for holds, v in values if model[holds])
        return found

    def _is_present(self, subject: str, model: Model) -> bool:
        return subject not in self.present or bool(model[self.present[subject]])


def encode(formula: Term, space: RequestSpace, multivalued: frozenset[str]) -> Question:
    """The script of a formula.

    Args:
        formula: what the request fulfils.
        space: the requests to choose from.
        multivalued: the keys that can hold any number of values.

    Raises:
        NotSupportedError: the formula has no exact encoding.
    """
    return _Encoder(formula, space, multivalued).question()


@dataclass
class _Encoder:
    formula: Term
    space: RequestSpace
    multivalued: frozenset[str]
    script: Script = field(default_factory=Script)
    single: dict[str, Value] = field(default_factory=dict)
    sets: dict[str, list[tuple[str, Value]]] = field(default_factory=dict)
    present: dict[str, str] = field(default_factory=dict)
    names: dict[Atom, str] = field(default_factory=dict)

    def question(self) -> Question:
        """The whole script: subjects, atoms, then the formula."""
        listed = list(dict.fromkeys(atoms(self.formula)))
        for atom in listed:
            if isinstance(atom, Present):
                name = self.script.declare(f"p{len(self.present)}", "Bool")
                self.names[atom] = self.present[atom.subject] = name
        asked: dict[str, list[Some]] = {ACTION: [], RESOURCE: []}
        for atom in listed:
            if not isinstance(atom, Opaque | SomeMatches):
                for subject in _subjects(atom):
                    asked.setdefault(subject, [])
            if isinstance(atom, Some):
                asked[atom.subject].append(atom)
        for number, (subject, of_subject) in enumerate(asked.items()):
            self._subject(subject, of_subject, f"x{number}")
        self._others(listed)
        self.script.add(self._term(self.formula))
        # What is neither said to be present nor in every request has no value to show.
        shown = {ACTION, RESOURCE, *self.present, *self.space.always}
        single = {subject: value for subject, value in self.single.items() if subject in shown}
        return Question(self.script, single, self.sets, self.present)

    def _subject(self, subject: str, of_subject: Sequence[Some], name: str) -> None:
        sets = tuple(atom.language for atom in of_subject)
        values = Values(subject, self.space.choices(subject), sets)
        if subject in self.multivalued:
            self._set(values, of_subject, name)
            return
        value = self.single[subject] = values.one(self.script, name)
        self.script.add(implied(self.present.get(subject, "true"), value.domain))
        for number, atom in enumerate(of_subject):
            self.names[atom] = self.script.define(f"{name}a{number}", fulfils(value, atom))

    def _set(self, values: Values, of_subject: Sequence[Some], name: str) -> None:
        chosen = self.sets[values.subject] = []
        for number, atom in enumerate(of_subject):
            holds = self.script.declare(f"{name}a{number}", "Bool")
            self.names[atom] = holds
            chosen.append((holds, values.one(self.script, f"{name}v{number}")))
        for atom, (holds, value) in zip(of_subject, chosen, strict=True):
            others = (
                some([self.names[other], negated(fulfils(value, other))])
                for other in of_subject
                if other is not atom
            )
            self.script.add(implied(holds, both(value.domain, fulfils(value, atom), *others)))

    def _others(self, listed: Iterable[Atom]) -> None:
        naming = Naming(self._text, self.space.choices)
        only_positive = _never_negated(self.formula)
        for number, atom in enumerate(listed):
            match atom:
                case Opaque():
                    self.names[atom] = self.script.declare(f"o{number}", "Bool")
                case Matches():
                    check_case(atom, naming)
                    exact = exactly(atom, naming)
                    if exact is not None:
                        self.names[atom] = self.script.define(f"m{number}", exact)
                    elif atom in only_positive:
                        name = self.script.declare(f"m{number}", "Bool")
                        cut = cut_somewhere(atom, naming, self.script, name)
                        self.script.add(implied(name, cut))
                        self.names[atom] = name
                    else:
                        raise NotSupportedError(
                            f"a value put into {atom.subject} between several wildcards must not"
                            " match"
                        )
                case SomeMatches():
                    raise NotSupportedError(f"a set, {atom.subject}, with other values put in")
                case Some() | Present():
                    pass

    def _text(self, subject: str) -> str:
        value = self.single.get(subject)
        name = getattr(value, "name", None)
        if not isinstance(name, str):
            raise NotSupportedError(f"{subject} holds no one text, and is put into another value")
        return name

    def _term(self, term: Term) -> str:
        match term:
            case bool():
                return "true" if term else "false"
            case Not(inner):
                return negated(self._term(inner))
            case And(terms):
                return every(map(self._term, terms))
            case Or(terms):
                return some(map(self._term, terms))
            case atom:
                return self.names[atom]


def _subjects(atom: Present | Some | Matches) -> tuple[str, ...]:
    return tuple(sorted(atom.subjects)) if isinstance(atom, Matches) else (atom.subject,)


def _never_negated(formula: Term) -> frozenset[Atom]:
    """The atoms that a formula only asks to hold."""
    found: dict[bool, set[Atom]] = {True: set(), False: set()}

    def visit(term: Term, sign: bool) -> None:
        match term:
            case bool():
                pass
            case Not(inner):
                visit(inner, not sign)
            case And(terms) | Or(terms):
                for inner in terms:
                    visit(inner, sign)
            case atom:
                found[sign].add(atom)

    visit(formula, True)
    return frozenset(found[True] - found[False])
