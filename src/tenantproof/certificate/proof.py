"""A proof as it is written down: a tree of case distinctions, and the lemmas that close branches.

The nodes stand in depth-first order, so that a tree is a list without cycles.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenantproof.certificate.model import Source
from tenantproof.certificate.propositions import (
    Choice,
    Filled,
    Present,
    TheAction,
    Undetermined,
)
from tenantproof.certificate.reasons import Reason


@dataclass(frozen=True)
class Compared:
    """As :class:`Some`, the matcher named by the place where it is written."""

    key: str
    source: Source
    matching: bool = True


Written = TheAction | Choice | Present | Filled | Compared | Undetermined
"""A proposition as a proof writes it."""


@dataclass(frozen=True)
class Lemma:
    """Nothing that a key can hold makes these propositions (by number) true or false at once."""

    key: str
    literals: tuple[tuple[int, bool], ...]


@dataclass(frozen=True)
class Split:
    """A proposition (by number), and for each of its outcomes the node to go on with."""

    proposition: int
    outcomes: tuple[tuple[bool | str, int], ...]


@dataclass(frozen=True)
class Closed:
    """A branch that the policies or the theorem close."""

    reason: Reason


@dataclass(frozen=True)
class ByLemma:
    """A branch that holds no request, by a lemma (its number)."""

    lemma: int


Node = Split | Closed | ByLemma


@dataclass(frozen=True)
class Proof:
    """Propositions, lemmas and nodes, each in the order in which the tree first uses them."""

    propositions: tuple[Written, ...]
    lemmas: tuple[Lemma, ...]
    nodes: tuple[Node, ...]
