"""What one solver learned serves another, where the subjects are of the same kinds."""

from __future__ import annotations

from tenantproof.prove import (
    ACTION,
    Budget,
    CharRange,
    Domain,
    Present,
    RequestSpace,
    Some,
    Term,
    conj,
    disj,
    language,
    neg,
)
from tenantproof.prove.learned import Learned
from tenantproof.prove.solver import Solver, Witness
from tenantproof.request import Principal

ME = Principal("arn:aws:iam::111122223333:role/me")
LETTERS = Domain(CharRange("a", "z"), CharRange("a", "z"), min_length=1)


def solver(learned: Learned, domain: Domain, *, multivalued: bool = False) -> Solver:
    space = RequestSpace(ME, ("s:A", "s:B"), ("r",), domains={"k": domain})
    sets = frozenset({"k"}) if multivalued else frozenset[str]()
    return Solver(space, sets, Budget(max_states=200), learned=learned)


def formula() -> Term:
    """Two ways, of which the first holds a contradiction about the key."""
    inside, outside = Some("k", language("a*")), Some("k", language("a*", "b"))
    first = conj((Some(ACTION, language("s:A")), inside, neg(outside)))
    second = conj((Some(ACTION, language("s:B")), Some("k", language("c?"))))
    return conj((Present("k"), disj((first, second))))


def test_what_was_found_is_not_looked_for_again() -> None:
    learned = Learned()
    first = solver(learned, LETTERS)
    found = first.smallest(formula())
    assert isinstance(found, Witness)
    assert (found.action, found.keys) == ("s:B", {"k": "ca"})
    again = solver(learned, LETTERS)
    assert again.smallest(formula()) == found
    # Each proposal counts as a state; the search for values counted many more.
    assert again.budget.spent < first.budget.spent


def test_another_domain_is_another_question() -> None:
    learned = Learned()
    assert isinstance(solver(learned, LETTERS).smallest(formula()), Witness)
    only_a = Domain(CharRange("a", "a"), CharRange("a", "z"), min_length=1)
    assert solver(learned, only_a).smallest(formula()) is None
    short = Domain(CharRange("a", "z"), CharRange("a", "z"), 1, max_length=1)
    assert solver(learned, short).smallest(formula()) is None


def test_a_set_is_not_a_single_value() -> None:
    """Some value like this and some like that: two values of a set, none of a single key."""
    both = conj((Present("k"), Some("k", language("a")), Some("k", language("b"))))
    learned = Learned()
    assert solver(learned, LETTERS).smallest(both) is None
    found = solver(learned, LETTERS, multivalued=True).smallest(both)
    assert isinstance(found, Witness)
    assert sorted(found.keys["k"]) == ["a", "b"]
