"""Values made of other values (``Matches``) in SMT-LIB.

A text is cut from the front while the lengths of the pieces are known, and from the back likewise;
what is left in the middle, at most one stretch of unknown length, is a regular expression's. This
is exact whether the atom holds or not. With more such stretches the cuts would have to be guessed:
that is exact for an atom that is only asked to hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tenantproof.errors import NotSupportedError
from tenantproof.prove.engines import regex
from tenantproof.prove.engines.script import Script, both, every, text_literal
from tenantproof.prove.formula import Loop, Matches, Piece, Put, Step
from tenantproof.prove.search import CharRange, Domain

Part = str | Put | tuple[Piece, ...]
"""Literal text, another value, or a stretch of wildcards and texts."""


@dataclass(frozen=True)
class Naming:
    """What stands for the subjects' values.

    Attributes:
        text: the string constant of a subject.
        choices: the texts that a subject can hold.
    """

    text: Callable[[str], str]
    choices: Callable[[str], Domain]


def exactly(atom: Matches, naming: Naming) -> str | None:
    """The atom as an expression, true exactly where it holds; None where there is none.

    Raises:
        NotSupportedError: case is ignored between characters beyond ASCII.
    """
    whole, parts = _whole(atom, naming), _parts(atom.pieces)
    loose = [at for at, part in enumerate(parts) if _length(part, naming) is None]
    if len(loose) > 1:
        return _contained(whole, parts, naming)
    if not loose:
        total = _sum(_length(part, naming) for part in parts)
        return both(f"(= (str.len {whole}) {total})", *_cut_from(whole, "0", parts, naming))
    front, middle, back = parts[: loose[0]], parts[loose[0]], parts[loose[0] + 1 :]
    assert isinstance(middle, tuple)
    before = _sum(_length(part, naming) for part in front)
    after = _sum(_length(part, naming) for part in back)
    end = f"(- (str.len {whole}) {after})"
    conditions = [
        f"(<= (+ {before} {after}) (str.len {whole}))",
        *_cut_from(whole, "0", front, naming),
        *_cut_from(whole, end, back, naming),
    ]
    inside = _regex(middle)
    if inside != regex.ALL:
        rest = f"(str.substr {whole} {before} (- {end} {before}))"
        conditions.append(f"(str.in_re {rest} {inside})")
    return every(conditions)


def cut_somewhere(atom: Matches, naming: Naming, script: Script, name: str) -> str:
    """The atom with its cuts as new constants: what must hold for it to hold."""
    whole = _whole(atom, naming)
    pieces: list[str] = []
    conditions: list[str] = []
    for at, part in enumerate(_parts(atom.pieces)):
        match part:
            case str():
                pieces.append(text_literal(part))
            case Put():
                pieces.append(_put(part, naming))
            case _:
                cut = script.declare(f"{name}c{at}", "String")
                pieces.append(cut)
                conditions.append(f"(str.in_re {cut} {_regex(part)})")
    return both(f"(= {whole} (str.++ {' '.join(pieces)}))", *conditions)


def _contained(whole: str, parts: Sequence[Part], naming: Naming) -> str | None:
    """The atom where it says that one value is anywhere in the other."""
    match parts:
        case [(Loop(before),), Put() as put, (Loop(after),)] if not (
            before.excluded or after.excluded
        ):
            return f"(str.contains {whole} {_put(put, naming)})"
        case _:
            return None


def _parts(pieces: Iterable[Piece]) -> list[Part]:
    """The pieces, with neighbours between values joined into one stretch."""
    parts: list[Part] = []
    stretch: list[Piece] = []
    for piece in (*pieces, None):
        if piece is None or isinstance(piece, Put):
            if stretch:
                texts = [each for each in stretch if isinstance(each, str)]
                parts.append("".join(texts) if len(texts) == len(stretch) else tuple(stretch))
                stretch = []
            if piece is not None:
                parts.append(piece)
        else:
            stretch.append(piece)
    return [part for part in parts if part != ""]


def _length(part: Part, naming: Naming) -> str | None:
    """The length of a part, where it is known."""
    match part:
        case str():
            return str(len(part))
        case Put():
            return f"(str.len {naming.text(part.subject)})"
        case _:
            if any(isinstance(piece, Loop) for piece in part):
                return None
            return str(sum(len(piece) if isinstance(piece, str) else 1 for piece in part))


def _sum(lengths: Iterable[str | None]) -> str:
    known = [length for length in lengths if length is not None]
    if not known:
        return "0"
    return known[0] if len(known) == 1 else f"(+ {' '.join(known)})"


def _cut_from(whole: str, start: str, parts: Iterable[Part], naming: Naming) -> list[str]:
    """That parts of known lengths follow each other from an index on."""
    conditions: list[str] = []
    at = start
    for part in parts:
        length = _length(part, naming)
        assert length is not None
        cut = f"(str.substr {whole} {at} {length})"
        match part:
            case str():
                conditions.append(f"(= {cut} {text_literal(part)})")
            case Put():
                conditions.append(f"(= {cut} {_put(part, naming)})")
            case _:
                conditions.append(f"(str.in_re {cut} {_regex(part)})")
        at = length if at == "0" else f"(+ {at} {length})"
    return conditions


def _regex(stretch: Iterable[Piece]) -> str:
    items: list[str] = []
    for piece in stretch:
        match piece:
            case str():
                items.append(regex.of_text(piece))
            case Step(chars):
                items.append(regex.of_symbol(chars))
            case Loop(wild):
                items.append(regex.star(wild))
            case Put():
                raise AssertionError("a stretch holds no other value")
    return regex.concat(items)


_ASCII_LAST = CharRange(last="\x7f").last


def _whole(atom: Matches, naming: Naming) -> str:
    text = naming.text(atom.subject)
    return f"(str.to_lower {text})" if _ignores_case(atom) else text


def _ignores_case(atom: Matches) -> bool:
    return any(isinstance(piece, Put) and piece.ignore_case for piece in atom.pieces)


def _put(put: Put, naming: Naming) -> str:
    text = naming.text(put.subject)
    return f"(str.to_lower {text})" if put.ignore_case else text


def check_case(atom: Matches, naming: Naming) -> None:
    """Refuse what ``str.to_lower`` does not say: it knows the letters of ASCII alone.

    Raises:
        NotSupportedError: a value can hold other characters.
    """
    if not _ignores_case(atom):
        return
    for subject in sorted(atom.subjects):
        choices = naming.choices(subject)
        ascii_only = (
            all(value.isascii() for value in choices.values)
            if choices.values is not None
            else max(choices.initial.last, choices.rest.last) <= _ASCII_LAST
        )
        if not ascii_only:
            raise NotSupportedError(f"case is ignored in {subject}, which may hold more than ASCII")
