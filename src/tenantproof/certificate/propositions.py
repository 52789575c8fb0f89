"""What a proof distinguishes: statements about one request and one way to read the reference.

Of a concrete request under a concrete reading each has one truth value. A statement about the
values of a key is false where the key is absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tenantproof.certificate.truth import Truth
from tenantproof.reading import Ambiguity


@dataclass(frozen=True)
class TheAction:
    """Which action the request has: the one proposition with more than two outcomes."""


@dataclass(frozen=True)
class Choice:
    """The reference is read the other way on a point on which it can be read in two."""

    ambiguity: Ambiguity


@dataclass(frozen=True)
class Present:
    """The request holds the key."""

    key: str


@dataclass(frozen=True)
class Filled:
    """Some value of the key is not the empty text."""

    key: str


@dataclass(frozen=True)
class Some:
    """Some value of the key matches (``matching``), or some value does not.

    ``matcher`` numbers what is compared with, see :mod:`tenantproof.certificate.matchers`. A key
    that holds one value is only asked whether it matches.
    """

    key: str
    matcher: int
    matching: bool = True


@dataclass(frozen=True)
class Undetermined:
    """An element of a statement of which the checker cannot tell when it matches.

    ``document`` and ``statement`` are positions, ``element`` names the element.
    """

    document: int
    statement: int
    element: str


Proposition = TheAction | Choice | Present | Filled | Some | Undetermined


@dataclass(frozen=True)
class Branch:
    """What has been assumed: the action, once it is known, and the truth of propositions.

    ``asked`` collects the propositions that were needed and are not known, if it is given.
    """

    truths: Mapping[Proposition, bool] = field(default_factory=dict)
    action: str | None = None
    asked: dict[Proposition, None] | None = field(default=None, compare=False)

    def truth(self, proposition: Proposition) -> Truth:
        """Whether a proposition holds; None, and noted in ``asked``, where it is not known."""
        known = self.truths.get(proposition)
        if known is None:
            self.ask(proposition)
        return known

    def ask(self, proposition: Proposition) -> None:
        """Note that a proposition was needed and is not known."""
        if self.asked is not None:
            self.asked[proposition] = None

    def assuming(self, proposition: Proposition, outcome: bool | str) -> Branch:
        """The branch with one assumption more; ``outcome`` names an action or is a truth."""
        asked = None if self.asked is None else dict[Proposition, None]()
        if isinstance(outcome, str):
            return replace(self, action=outcome, asked=asked)
        return Branch({**self.truths, proposition: outcome}, self.action, asked)
