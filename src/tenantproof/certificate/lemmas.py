"""Whether what is assumed of one key's values contradicts itself."""

from __future__ import annotations

from collections.abc import Mapping

from tenantproof.certificate.keys import domain_of
from tenantproof.certificate.model import Model
from tenantproof.certificate.propositions import Filled, Some
from tenantproof.certificate.texts import Effort
from tenantproof.certificate.values import Demand, has_value

Literals = Mapping[Some | Filled, bool]
"""Propositions on one key's values, each with whether it holds."""


def contradict(model: Model, key: str, literals: Literals, effort: Effort) -> bool:
    """Whether a key that has a value cannot fulfil all literals.

    Of a key that holds one value, each literal is a demand on it. Of a set, a literal that holds
    asks for one value and one that does not asks the opposite of all; the sets that fulfil some
    literals are closed under union, so that they contradict each other if and only if one literal
    that holds does so together with all that do not.

    Args:
        model: the model that the propositions' matchers belong to.
        key: the key, which the literals speak of.
        literals: what is assumed.
        effort: what the search may cost.

    Raises:
        TooLargeError: it cannot be told with that effort.
        UnsupportedError: there is no procedure for such literals.
    """
    every = [_demand(model, p, holds=False) for p, holds in literals.items() if not holds]
    ones = [_demand(model, p, holds=True) for p, holds in literals.items() if holds]
    if not model.is_set(key):
        return not _has_value([*every, *ones], key, effort)
    return any(not _has_value([*every, one], key, effort) for one in ones)


def _demand(model: Model, proposition: Some | Filled, *, holds: bool) -> Demand | bool:
    """What a literal asks of a value: to match, not to match, or (a Boolean) to be not empty."""
    if isinstance(proposition, Filled):
        return holds
    return model.matchers[proposition.matcher], proposition.matching is holds


def _has_value(demands: list[Demand | bool], key: str, effort: Effort) -> bool:
    fullness = {demand for demand in demands if isinstance(demand, bool)}
    if len(fullness) == 2:
        return False
    filled = next(iter(fullness), None)
    compared = [demand for demand in demands if not isinstance(demand, bool)]
    return has_value(compared, filled, domain_of(key), effort)
