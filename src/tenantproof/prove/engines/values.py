"""One value of a subject in SMT-LIB: a text, a number or date, or an address.

A key whose conditions compare numbers, dates or addresses holds a number, not a text: which text
writes it is chosen once the engine has answered. A key that is compared in two ways is not
supported.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from tenantproof.errors import NotSupportedError
from tenantproof.policy.syntax import Family, Relation
from tenantproof.prove.automata import AUTOMATA, Automaton, Beginnings, Joined, Placed, Within
from tenantproof.prove.engines import regex
from tenantproof.prove.engines.script import (
    Model,
    Script,
    both,
    every,
    implied,
    integer,
    negated,
    real,
    some,
    text_literal,
)
from tenantproof.prove.formula import Some, TextSet
from tenantproof.prove.languages import Language
from tenantproof.prove.regular import Regular
from tenantproof.prove.search import ANY_TEXT, CharRange, Domain
from tenantproof.prove.typed import (
    Addresses,
    Quantities,
    TypedSet,
    epoch_shape,
    representatives,
    shape,
)


class Value(Protocol):
    """One value of a subject: some constants of a script and what can be said of them."""

    @property
    def domain(self) -> str:
        """That it is a value that the subject can have."""

    @property
    def is_empty(self) -> str:
        """That it is the empty text."""

    def member(self, texts: TextSet) -> str:
        """That it is in a set of texts."""

    def read(self, model: Model) -> str:
        """The text that a model gives it."""


def fulfils(value: Value, atom: Some) -> str:
    """That one value is as an atom says."""
    member = value.member(atom.language)
    inside = negated(member) if atom.complemented else member
    return both(inside, negated(value.is_empty)) if atom.nonempty else inside


@dataclass(frozen=True)
class Values:
    """Makes the values of one subject.

    Attributes:
        subject: the subject.
        choices: the texts that it can hold.
        sets: the sets of texts that its atoms compare it with.
    """

    subject: str
    choices: Domain
    sets: tuple[TextSet, ...]

    @property
    def are_texts(self) -> bool:
        """Whether they are strings of the theory: not what is compared as a value alone."""
        if self.choices.values is not None:
            return True
        valued = bool(self._typed) or self.choices.kind is not None
        return not valued or (not self._typed and self._has_texts)

    @property
    def _has_texts(self) -> bool:
        texts = (each for each in self.sets if isinstance(each, AUTOMATA))
        return any(trivial(each) is None for each in texts)

    @property
    def _typed(self) -> tuple[TypedSet, ...]:
        return tuple(each for each in self.sets if not isinstance(each, AUTOMATA))

    def one(self, script: Script, name: str) -> Value:
        """A new value, its constants named after ``name``.

        Raises:
            NotSupportedError: the subject is compared in a way that has no exact encoding.
        """
        if self.are_texts:
            return _Text(script.declare(name, "String"), self.subject, self.choices)
        kind = self._kind()
        declared = _Typed(
            self.subject,
            self.choices,
            kind,
            self._typed,
            script.declare(f"{name}w", "Bool"),
            script.declare(f"{name}e", "Bool"),
            name,
        )
        if kind is Family.IP_ADDRESS:
            script.declare(name, "Int")
            return _Address(declared, script.declare(f"{name}v6", "Bool"))
        whole = self.choices.shape is not None
        script.declare(name, "Int" if whole else "Real")
        return _Quantity(declared, whole)

    def _kind(self) -> Family:
        kinds = {each.kind for each in self._typed}
        if self.choices.kind is not None:
            kinds.add(self.choices.kind)
        if len(kinds) > 1 or self._has_texts:
            raise NotSupportedError(f"{self.subject} is compared as a text and as a value at once")
        (kind,) = kinds
        whole_seconds = kind is Family.DATE and self.choices.shape is not None
        plain = Domain(
            min_length=min(self.choices.min_length, 1),
            kind=self.choices.kind,
            shape=epoch_shape() if whole_seconds else None,
        )
        if self.choices != plain:
            raise NotSupportedError(
                f"{self.subject} holds numbers, dates or addresses of some form"
            )
        return kind


def trivial(language: Automaton) -> bool | None:
    """True where every text is in a language, False where none is, None where it depends."""
    if not isinstance(language, Language):
        return None
    if not language.patterns:
        return False
    whole = any(
        p.steps in ("", ()) and p.loops and not p.loops[0][1].excluded for p in language.patterns
    )
    return True if whole else None


def _restricts(chars: CharRange) -> bool:
    return chars != ANY_TEXT.initial


@dataclass(frozen=True)
class _Text:
    """A text."""

    name: str
    subject: str
    choices: Domain

    @property
    def domain(self) -> str:
        choices = self.choices
        if choices.values is not None:
            return some(map(self._equals, choices.values))
        limits = [
            f"(>= (str.len {self.name}) {choices.min_length})" if choices.min_length else "true",
            f"(<= (str.len {self.name}) {choices.max_length})" if choices.max_length else "true",
            self._characters(),
        ]
        if choices.shape is not None:
            limits.append(self.member(choices.shape))
        if choices.kind is not None:
            limits.append(self.member(shape(choices.kind)))
        return every(limits)

    def _characters(self) -> str:
        initial, rest = self.choices.initial, self.choices.rest
        if not _restricts(initial) and not _restricts(rest):
            return "true"
        following = f"(re.* {regex.of_range(rest)})"
        if initial == rest:
            return f"(str.in_re {self.name} {following})"
        text = regex.concat([regex.of_range(initial), following])
        return some([self.is_empty, f"(str.in_re {self.name} {text})"])

    @property
    def is_empty(self) -> str:
        return self._equals("")

    def _equals(self, text: str) -> str:
        return f"(= {self.name} {text_literal(text)})"

    def member(self, texts: TextSet) -> str:
        match texts:
            case Language(texts=tuple() as listed):
                return some(map(self._equals, listed))
            case Language() | Regular():
                inside = regex.of_language(texts)
                return "true" if inside == regex.ALL else f"(str.in_re {self.name} {inside})"
            case Within(language=language, prefix=prefix, suffix=suffix):
                return _within(self.name, language, prefix, suffix)
            case Placed() | Joined() | Beginnings():
                raise NotSupportedError(f"{self.subject}: a part of a value")
            case _:
                # Typed conditions on a key that holds one of a few texts: each by itself.
                listed = tuple(v for v in self.choices.values or () if texts.accepts(v))
                return some(map(self._equals, listed))

    def read(self, model: Model) -> str:
        text = model[self.name]
        assert isinstance(text, str)
        if text not in self.choices and self.choices.kind is Family.DATE:
            raise NotSupportedError(f"the engine chose {text!r} for {self.subject}, no date")
        return text


def _within(name: str, language: Automaton, prefix: str, suffix: str) -> str:
    match language:
        case Within(language=inner, prefix=before, suffix=after):
            return _within(name, inner, before + prefix, suffix + after)
        case Language() | Regular():
            whole = f"(str.++ {text_literal(prefix)} {name} {text_literal(suffix)})"
            return f"(str.in_re {whole} {regex.of_language(language)})"
        case Placed() | Joined() | Beginnings():
            raise NotSupportedError(f"{name}: a part of a value")


@dataclass(frozen=True)
class _Typed:
    """What numbers, dates and addresses share: the text may write no value, or be empty."""

    subject: str
    choices: Domain
    kind: Family
    sets: tuple[TypedSet, ...]
    writes: str
    is_empty: str
    name: str

    @property
    def domain(self) -> str:
        if self.choices.kind is not None:
            return both(self.writes, negated(self.is_empty))
        if "" not in self.choices:
            return negated(self.is_empty)
        return implied(self.is_empty, negated(self.writes))

    def text(self, model: Model, inside: Sequence[bool]) -> str:
        """A text that writes a value of the region that a model chose.

        Args:
            model: the model.
            inside: for each of the sets, whether the model's value is in it.
        """
        if model[self.is_empty]:
            return ""
        if not model[self.writes]:
            return _NO_VALUE
        for text in representatives(self.kind, self.sets):
            accepted = [each.accepts(text) for each in self.sets]
            if accepted == list(inside) and text in self.choices:
                return text
        raise NotSupportedError(f"no text writes the value {model[self.name]} of {self.subject}")


_NO_VALUE = "x"
"""A text that writes no number, date or address."""


@dataclass(frozen=True)
class _Quantity:
    """A number, or a date in seconds since the epoch."""

    typed: _Typed
    whole: bool

    @property
    def domain(self) -> str:
        if self.whole:
            # Whole seconds in five to eighteen digits.
            limits = f"(<= {10**4} {self.typed.name} {10**18 - 1})"
        elif self.typed.kind is Family.DATE:
            limit = real(Fraction(10**18))
            limits = f"(< (- {limit}) {self.typed.name} {limit})"
        else:
            limits = "true"
        return both(self.typed.domain, limits)

    @property
    def is_empty(self) -> str:
        return self.typed.is_empty

    def member(self, texts: TextSet) -> str:
        if isinstance(texts, AUTOMATA):
            return _constant(texts)
        assert isinstance(texts, Quantities)
        number = f"(to_real {self.typed.name})" if self.whole else self.typed.name
        related = some(_compared(number, *bound) for bound in texts.bounds)
        return both(self.typed.writes, related)

    def read(self, model: Model) -> str:
        value = model[self.typed.name]
        assert not isinstance(value, str)
        number = Fraction(value)
        inside = [
            isinstance(each, Quantities) and any(_holds(number, *bound) for bound in each.bounds)
            for each in self.typed.sets
        ]
        return self.typed.text(model, inside)


def _compared(number: str, relation: Relation, bound: Fraction) -> str:
    return f"({_SIGNS.get(relation, '=')} {number} {real(bound)})"


_SIGNS = {
    Relation.LESS_THAN: "<",
    Relation.LESS_THAN_EQUALS: "<=",
    Relation.GREATER_THAN: ">",
    Relation.GREATER_THAN_EQUALS: ">=",
}


def _holds(number: Fraction, relation: Relation, bound: Fraction) -> bool:
    match _SIGNS.get(relation, "="):
        case "<":
            return number < bound
        case "<=":
            return number <= bound
        case ">":
            return number > bound
        case ">=":
            return number >= bound
        case _:
            return number == bound


@dataclass(frozen=True)
class _Address:
    """An address: its version and its number."""

    typed: _Typed
    is_v6: str

    @property
    def domain(self) -> str:
        limit = f"(ite {self.is_v6} {2**128 - 1} {2**32 - 1})"
        return both(self.typed.domain, f"(<= 0 {self.typed.name} {limit})")

    @property
    def is_empty(self) -> str:
        return self.typed.is_empty

    def member(self, texts: TextSet) -> str:
        if isinstance(texts, AUTOMATA):
            return _constant(texts)
        assert isinstance(texts, Addresses)
        inside = some(
            both(
                self.is_v6 if network.version == 6 else negated(self.is_v6),
                f"(<= {integer(int(network.network_address))} {self.typed.name}"
                f" {integer(int(network.broadcast_address))})",
            )
            for network in texts.networks
        )
        return both(self.typed.writes, inside)

    def read(self, model: Model) -> str:
        version = 6 if model[self.is_v6] else 4
        value = model[self.typed.name]
        assert isinstance(value, int)
        inside = [
            isinstance(each, Addresses)
            and any(
                n.version == version and int(n.network_address) <= value <= int(n.broadcast_address)
                for n in each.networks
            )
            for each in self.typed.sets
        ]
        return self.typed.text(model, inside)


def _constant(texts: Automaton) -> str:
    return "true" if trivial(texts) else "false"


def distinct(values: Iterable[str]) -> tuple[str, ...]:
    """Texts in order, each once."""
    return tuple(dict.fromkeys(values))
