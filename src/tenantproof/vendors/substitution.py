"""Plain substitution: is what is rendered one policy with the name put in, and nothing else?

If so, it is the policy of all names at once, the name being a policy variable: a reserved tag of
the principal stands for it, and the questions of a manifest's ``[[rules]]`` can be asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tenantproof.isolation.substitution import (
    PLACEHOLDER,
    PLAIN,
    TAG,
    Substitution,
    elsewhere,
    example,
    texts_in,
    without_name,
)
from tenantproof.policy import PolicySet
from tenantproof.prove.regular import CharSet, Regular
from tenantproof.vendors.rendering import meaning
from tenantproof.vendors.vendor import Vendor

_MOST_PROBES = 16


def obstacle(vendor: Vendor, rule: Regular) -> str | None:
    """Why a policy variable cannot stand for the names of a rule; None where it can.

    Raises:
        BudgetExceededError: the rule is too large to say.
    """
    bad = example(rule, PLAIN.complement())
    if bad is not None:
        return f"a tenant can be named {bad!r}, and a policy variable is for plain characters"
    in_arn = PLACEHOLDER in vendor.actor.arn
    bad = example(rule, CharSet.of(":", "/")) if in_arn else None
    if bad is not None:
        return f"a tenant can be named {bad!r}, and the name stands in the principal's ARN"
    if any(tag.lower() == TAG for tag in vendor.tags):
        return f"the principal's tags hold {TAG}, which is to stand for the name"
    return None


def substitution(rendered: Mapping[str, PolicySet]) -> Substitution | str:
    """The policy that the policies of all names are, with the name put in.

    Args:
        rendered: the policies of each name, of two names or more.

    Returns:
        The substitution, or a sentence that says where the policies are none.
    """
    meanings = {name: meaning(policies) for name, policies in rendered.items()}
    if len(meanings) < 2:
        return "fewer than two names were rendered"
    texts = {name: "\n".join(texts_in(policies)) for name, policies in meanings.items()}
    if any(TAG in text.lower() for text in texts.values()):
        return f"the policies speak of {TAG}, which is to stand for the name"
    probe = _probe(texts)
    if probe is None:
        return "the name of no tenant tried can be told from what else its policies hold"
    found = Substitution(without_name(meanings[probe], probe))
    place = elsewhere(found.policies, probe)
    if place is not None:
        return f"the name stands in {place}, where no policy variable can"
    for name, policies in meanings.items():
        if found.of(name) != policies:
            return (
                f"the policies of {name!r} are not those of {probe!r} with the name replaced: the"
                " name is changed, or decides more than a text"
            )
    return found


def _probe(texts: Mapping[str, str]) -> str | None:
    """A name that can stand for nothing else in its own policies, the longest of few others.

    Some other name's policies do not hold it, so that it is no part of what all have in common;
    and it nowhere overlaps itself, so that there is one way only to take it out.
    """

    def is_telling(name: str) -> bool:
        if _overlaps(name, texts[name]):
            return False
        return any(name not in other and name not in text for other, text in texts.items())

    by_length = sorted((n for n in texts if 0 < len(n) <= 64), key=lambda n: (-len(n), n))
    return next(filter(is_telling, by_length[:_MOST_PROBES]), None)


def _overlaps(word: str, text: str) -> bool:
    """Whether a word stands in a text twice with some characters in both: ``aa`` in ``aaa``."""
    return len(re.findall(f"(?={re.escape(word)})", text)) > text.count(word)
