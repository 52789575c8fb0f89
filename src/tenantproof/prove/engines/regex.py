"""Sets of texts as regular expressions of SMT-LIB's theory of strings.

Nothing of the automata is used: a pattern is written down as what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tenantproof.errors import NotSupportedError
from tenantproof.prove.engines.script import LAST_CHARACTER, text_literal
from tenantproof.prove.languages import Language, Pattern, Symbol, Wild
from tenantproof.prove.regular import CharSet, Choice, Concat, Expression, One, Regular, Repeat
from tenantproof.prove.search import CharRange

ALL = "re.all"
NONE = "re.none"
_LAST_CODE = 0x10FFFF


def of_language(language: Language | Regular) -> str:
    """The regular expression of a language."""
    match language:
        case Language(patterns=patterns):
            return union(map(of_pattern, patterns))
        case Regular(expression=expression):
            return of_expression(expression)


def of_pattern(pattern: Pattern) -> str:
    """The regular expression of a wildcard pattern."""
    loops = dict(pattern.loops)
    items: list[str] = []
    literal = ""
    for position in range(len(pattern.steps) + 1):
        step = pattern.steps[position] if position < len(pattern.steps) else None
        if literal and (position in loops or not isinstance(step, str)):
            items.append(of_text(literal))
            literal = ""
        if position in loops:
            items.append(star(loops[position]))
        if isinstance(step, str):
            literal += step
        elif step is not None:
            items.append(of_symbol(step))
    return concat(items)


def of_text(text: str) -> str:
    """The regular expression of one text."""
    return f"(str.to_re {text_literal(text)})"


def of_symbol(symbol: Symbol) -> str:
    """The regular expression of one character of a set."""
    match symbol:
        case Wild(excluded=""):
            return "re.allchar"
        case Wild(excluded=excluded):
            return _one_of(CharSet.union((ord(c), ord(c)) for c in excluded).complement())
        case str(char):
            return of_text(char)
        case chars:
            return _one_of(CharSet.union((ord(c), ord(c)) for c in chars))


def star(wild: Wild) -> str:
    """Any number of characters of a wild set."""
    return ALL if not wild.excluded else f"(re.* {of_symbol(wild)})"


def of_range(chars: CharRange) -> str:
    """One character of a range."""
    return _one_of(CharSet(((ord(chars.first), ord(chars.last)),)))


def of_expression(expression: Expression) -> str:
    """The regular expression of an expression."""
    match expression:
        case One(chars):
            return _one_of(chars)
        case Concat(items):
            return concat(list(_merged(items)))
        case Choice(items):
            return union(map(of_expression, items))
        case Repeat(item, least, most):
            inner = of_expression(item)
            if most is not None:
                return f"((_ re.loop {least} {most}) {inner})" if most else of_text("")
            tail = f"(re.* {inner})"
            return concat([f"((_ re.^ {least}) {inner})", tail]) if least else tail


def concat(items: Sequence[str]) -> str:
    """Expressions one after the other; none is the empty text."""
    if not items:
        return of_text("")
    return items[0] if len(items) == 1 else f"(re.++ {' '.join(items)})"


def union(items: Iterable[str]) -> str:
    """Any of some expressions; of none, nothing."""
    listed = list(dict.fromkeys(items))
    if ALL in listed:
        return ALL
    if not listed:
        return NONE
    return listed[0] if len(listed) == 1 else f"(re.union {' '.join(listed)})"


def _merged(items: Iterable[Expression]) -> Iterator[str]:
    """The items of a sequence, neighbouring characters as one text."""
    literal = ""
    for item in items:
        match item:
            case One(CharSet(ranges=((first, last),))) if first == last:
                literal += chr(first)
            case _:
                if literal:
                    yield of_text(literal)
                literal = ""
                yield of_expression(item)
    if literal:
        yield of_text(literal)


def _one_of(chars: CharSet) -> str:
    """One character of a set.

    Characters that the theory lacks behave as its last one does, where no set tells them apart.
    """
    known: list[tuple[int, int]] = []
    for first, last in chars.ranges:
        if first > LAST_CHARACTER or LAST_CHARACTER <= last < _LAST_CODE:
            raise NotSupportedError("a set of characters ends beyond those of the string theory")
        known.append((first, min(last, LAST_CHARACTER)))
    if known == [(0, LAST_CHARACTER)]:
        return "re.allchar"
    return union(
        of_text(chr(first))
        if first == last
        else f"(re.range {text_literal(chr(first))} {text_literal(chr(last))})"
        for first, last in known
    )
