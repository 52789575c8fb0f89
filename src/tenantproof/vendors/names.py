"""Names that break what renders policies, and neighbours of names: always the same ones.

What a name can do to a template: be a wildcard or a policy variable, end a text that it stands in,
be a path, be cut, folded or stripped into another tenant's name, or be a prefix of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from tenantproof.prove import Budget, Domain, Language, shortest_member
from tenantproof.prove.languages import literal
from tenantproof.prove.regular import ANY_CHARACTER, CharSet, Concat, One, Regular, Repeat

_PLAIN = ("a", "b", "aa", "acme", "acm", "acme2", "globex", "0", "-", "_", ".", "common")
_NEIGHBOURS = ("acme-corp", "acme.corp", "acme_corp", "acme@corp", "acme:corp", "acme,globex")
_CASE_TWINS = ("A", "Acme", "ACME", "\u212a", "k", "\u017f", "s", "\u0130", "ss", "\u00df")
_PATHS = (
    *("/", "a/", "/a", "a/b", "acme/v1", "..", "../a", "acme/..", "acme/../globex", "a//b"),
    *("/acme", "acme/", "%2F", "acme%2F"),
)
_ARNS = (":", "a:b", "arn:aws:iam::111122223333:root")
_WILDCARDS = ("*", "?", "**", "a*", "?cme", "acme*", "acme?", "a*e", "acm?", "[a-z]*")
_VARIABLES = (
    *("$", "${", "${*}", "${?}", "${$}", "${aws:username}", "${aws:PrincipalTag/tenant}", "$a"),
    "${aws:PrincipalTag/tenant, 'acme'}",
)
_HOLES = (
    *("{", "}", "{}", "{0}", "{tenant}", "{name}", "{{", "{{name}}", "{% a %}", "%s", "%(name)s"),
    *("%{", "$(a)", "`a`", "' OR '1'='1"),
)
"""What template engines, format strings, Terraform, shells and SQL fill in."""

_BREAKS = (
    '"',
    "'",
    "\\",
    "\\u002a",
    '","*',
    '/*","*","',
    '*"],"x":["',
    '"],"Resource":"*',
    'a"}}},{"Effect":"Allow","Action":"*","Resource":"*",'
    '"Condition":{"StringLikeIfExists":{"aws:username":"',
    'a"]}}},{"Effect":"Allow","Action":"*","Resource":"*",'
    '"Condition":{"StringLikeIfExists":{"aws:username":["',
    "<a>",
    "&amp;",
)
_BLANKS = (
    *("", " ", " a", "a ", "a b", "\t", "\n", "a\n", "a\r\n", "a\r\nb"),
    *("\x00", "a\x00", "\x7f", "\u200b", "a\u200b"),
)
_BEYOND_ASCII = ("\u00e9", "\uff41", "\uff0a", "e\u0301", "\u202ea", "\U0001f600")
_WORDS = ("null", "None", "true", "NaN", "1", "1.0", "1e3", "--", "-acme")
_LENGTHS = (9, 17, 21, 33, 64, 65, 129, 256, 257)
_LONG = tuple("a" * length for length in _LENGTHS)

_TELLING = "*?$\"\\'{}/.:,@%&<> -_=+~0A"
"""Characters of which each is looked for in the names of a rule, alone, first, last and between."""

_FEW = 6


def hostile_names(shared: Iterable[str] = ()) -> tuple[str, ...]:
    """Names that no template should meet unprepared, and neighbours of them.

    Args:
        shared: TargetModel patterns that all tenants share; a tenant can be named like one.

    Returns:
        The names, always the same and in the same order, the empty one among them.
    """
    groups = (
        *(_PLAIN, _NEIGHBOURS, _CASE_TWINS, _WILDCARDS, _PATHS, _ARNS, _VARIABLES, _HOLES),
        *(_BREAKS, _BLANKS, _BEYOND_ASCII, _WORDS, _LONG, names_like(shared)),
    )
    return tuple(dict.fromkeys(name for group in groups for name in group))


def names_like(patterns: Iterable[str]) -> tuple[str, ...]:
    """Names that a shared prefix has: each way to end it at a slash or before a wildcard."""
    found: list[str] = []
    for pattern in patterns:
        before = pattern.partition("*")[0].partition("?")[0]
        parts = before.split("/")
        found += ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        found.append(before)
    return tuple(dict.fromkeys(name for name in found if name))


def names_of(
    rule: Regular, excluded: Language, shared: Iterable[str] = (), timeout: float | None = None
) -> tuple[str, ...]:
    """Names that a naming rule admits, near each other and at its edges.

    Those of :func:`hostile_names` that it admits; its shortest; for each telling character the
    shortest name that holds it, begins and ends with it; names of many lengths; and of all of them
    their case twins and what one more character makes of them.

    Args:
        rule: the naming rule.
        excluded: names that none has.
        shared: as for :func:`hostile_names`.
        timeout: seconds that the search may take; None for no limit.

    Raises:
        BudgetExceededError: the search took longer.
    """
    budget = Budget.of(timeout)

    def shortest(*inside: Regular, but: Iterable[str] = (), least: int = 1) -> str | None:
        domain = Domain(min_length=least)
        return shortest_member(
            [rule, *inside], [excluded, Language(map(literal, but))], domain, budget
        )

    found = [*_first(lambda taken: shortest(but=taken))]
    for char in _TELLING:
        found += [name for shape in _holding(char) if (name := shortest(shape)) is not None]
    found += [name for least in _LENGTHS if (name := shortest(least=least)) is not None]
    twins = [twin for name in found for twin in (name.swapcase(), name.lower(), name.upper())]
    longer = [name + char for name in found[:_FEW] for char in _TELLING]
    every = dict.fromkeys((*found, *hostile_names(shared), *twins, *longer))
    return tuple(n for n in every if n and rule.accepts(n) and not excluded.accepts(n))


def _first(another: Callable[[list[str]], str | None]) -> Iterator[str]:
    found: list[str] = []
    while len(found) < _FEW and (name := another(found)) is not None:
        found.append(name)
        yield name


def _holding(char: str) -> Iterator[Regular]:
    """The texts that hold a character, that begin with it, and that end with it."""
    one, rest = One(CharSet.of(char)), Repeat(One(ANY_CHARACTER))
    for items in ((rest, one, rest), (one, rest), (rest, one)):
        yield Regular(Concat(items))
