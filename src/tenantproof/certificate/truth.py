"""Three-valued logic: true, false, and None for what is not known yet.

The strong logic of Kleene, "Introduction to Metamathematics", 1952, section 64: a compound has a
value wherever its known parts force one.
"""

from __future__ import annotations

from collections.abc import Iterable

Truth = bool | None
"""True, False, or None: not known."""


def negation(one: Truth) -> Truth:
    """The opposite, where it is known."""
    return None if one is None else not one


def every(terms: Iterable[Truth]) -> Truth:
    """False if one term is; True if all are; terms behind a false one are not looked at."""
    answer: Truth = True
    for term in terms:
        if term is False:
            return False
        answer = answer if term else None
    return answer


def some(terms: Iterable[Truth]) -> Truth:
    """True if one term is; False if all are; terms behind a true one are not looked at."""
    answer: Truth = False
    for term in terms:
        if term is True:
            return True
        answer = None if term is None else answer
    return answer
