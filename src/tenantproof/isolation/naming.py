"""Naming rules: a restricted regular expression that says which names tenants can have.

What a regular language needs and no more: characters, classes, groups, ``|`` and the quantifiers.
Look-around, back references, lazy and possessive quantifiers and flags are refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator

from tenantproof.prove.regular import (
    CharSet,
    Choice,
    Concat,
    Expression,
    One,
    Regular,
    Repeat,
    positions,
)

PRINTABLE = CharSet.of(" ~")
"""What ``.`` and a negated class choose from: printable ASCII, as TargetModel has it."""

MOST_POSITIONS = 4096
"""A rule that needs more positions (``{1,1000}`` of a long group) is refused."""

_CLASSES = {
    "d": CharSet.of("09"),
    "w": CharSet.of("az", "AZ", "09", "_"),
    "s": CharSet.of(" "),
}
_SPECIAL = frozenset("\\.[](){}|*+?^$")
_MOST_REPEATS = 1024


class NamingError(ValueError):
    """A rule that cannot be read; the message says what was found, where, and what was expected."""


def parse_rule(text: str) -> Regular:
    """Read a naming rule.

    Args:
        text: the rule; it describes whole names, so that ``^`` and ``$`` around it add nothing.

    Returns:
        The language of the names.

    Raises:
        NamingError: the rule uses something else than regular languages need, or is too large.
    """
    body = text.removeprefix("^")
    if body.endswith("$") and not body.endswith("\\$"):
        body = body[:-1]
    try:
        expression = _Parser(body).whole()
    except RecursionError:
        raise NamingError("found groups nested too deeply, expected a simpler rule") from None
    if positions(expression) > MOST_POSITIONS:
        raise NamingError(f"found a rule of more than {MOST_POSITIONS} positions")
    return Regular(expression, text)


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def whole(self) -> Expression:
        expression = self._choice()
        if self._at < len(self._text):
            self._refuse("an end or a | here")
        return expression

    def _refuse(self, expected: str) -> None:
        found = repr(self._text[self._at]) if self._at < len(self._text) else "the end"
        raise NamingError(f"found {found} at character {self._at + 1}, expected {expected}")

    def _next_is(self, text: str) -> bool:
        return self._text.startswith(text, self._at)

    def _take(self, text: str) -> bool:
        if not self._next_is(text):
            return False
        self._at += len(text)
        return True

    def _char(self, expected: str) -> str:
        if self._at == len(self._text):
            self._refuse(expected)
        self._at += 1
        return self._text[self._at - 1]

    def _choice(self) -> Expression:
        ways = [self._sequence()]
        while self._take("|"):
            ways.append(self._sequence())
        return ways[0] if len(ways) == 1 else Choice(tuple(ways))

    def _sequence(self) -> Expression:
        items: list[Expression] = []
        while self._at < len(self._text) and self._text[self._at] not in "|)":
            items.append(self._repeated())
        return items[0] if len(items) == 1 else Concat(tuple(items))

    def _repeated(self) -> Expression:
        item = self._item()
        bounds = self._bounds()
        if bounds is None:
            return item
        if self._at < len(self._text) and self._text[self._at] in "*+?{":
            self._refuse("one quantifier (no lazy or possessive ones)")
        return Repeat(item, *bounds)

    def _bounds(self) -> tuple[int, int | None] | None:
        if self._take("*"):
            return 0, None
        if self._take("+"):
            return 1, None
        if self._take("?"):
            return 0, 1
        if not self._take("{"):
            return None
        least = self._number()
        most: int | None = least
        if self._take(","):
            most = None if self._next_is("}") else self._number()
        if not self._take("}"):
            self._refuse("} after a quantifier")
        if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
            raise NamingError(
                f"found {{{least},{most}}}, expected at most {_MOST_REPEATS}, the larger last"
            )
        return least, most

    def _number(self) -> int:
        start = self._at
        while self._at < len(self._text) and self._text[self._at] in "0123456789":
            self._at += 1
        if start == self._at or self._at - start > 6:
            self._refuse("a number, as in {2,30}")
        return int(self._text[start : self._at])

    def _item(self) -> Expression:
        if self._take("("):
            if self._next_is("?") and not self._take("?:"):
                self._refuse("a plain group (no look-around, names or flags)")
            inner = self._choice()
            if not self._take(")"):
                self._refuse(")")
            return inner
        if self._take("["):
            return One(self._class())
        if self._take("."):
            return One(PRINTABLE)
        if self._take("\\"):
            return One(self._escaped())
        if self._text[self._at] in _SPECIAL:
            self._refuse("a character, a class or a group (\\ makes a special one plain)")
        return One(_single(self._char("a character")))

    def _escaped(self) -> CharSet:
        char = self._char("a character after \\")
        if char in _CLASSES:
            return _CLASSES[char]
        if char.isalnum():
            self._at -= 1
            self._refuse("\\d, \\w, \\s or a special character after \\")
        return _single(char)

    def _class(self) -> CharSet:
        negated = self._take("^")
        sets = list(self._members())
        chosen = CharSet.union(each for one in sets for each in one.ranges)
        return _without(chosen) if negated else chosen

    def _members(self) -> Iterator[CharSet]:
        first = True
        while first or not self._take("]"):
            first = False
            low = self._member()
            if len(low.ranges) > 1 or low.ranges[0][0] != low.ranges[0][1]:
                yield low
                continue
            if self._next_is("-") and not self._next_is("-]"):
                self._take("-")
                high = self._member()
                start, end = low.ranges[0][0], high.ranges[0][0]
                if len(high.ranges) > 1 or high.ranges[0][1] != end or end < start:
                    raise NamingError(
                        f"found a range in [...] before character {self._at + 1},"
                        " expected one from a lower to a higher character"
                    )
                yield CharSet(((start, end),))
            else:
                yield low

    def _member(self) -> CharSet:
        if self._take("\\"):
            return self._escaped()
        return _single(self._char("] to end the class"))


def _single(char: str) -> CharSet:
    return CharSet(((ord(char), ord(char)),))


def _without(chosen: CharSet) -> CharSet:
    """The printable characters that are not among some."""
    return CharSet.union((code, code) for code in range(0x20, 0x7F) if chr(code) not in chosen)
