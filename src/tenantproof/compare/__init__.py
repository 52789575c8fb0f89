"""Questions on two sets of policies: no new access, equivalent, disjoint, at most."""

from tenantproof.compare.answers import Answer, Change, Compared, Comparison, Question, Way
from tenantproof.compare.inquiry import Side
from tenantproof.compare.questions import Terms, at_most, disjoint, equivalent, no_new_access
from tenantproof.compare.run import compare

__all__ = [
    "Answer",
    "Change",
    "Compared",
    "Comparison",
    "Question",
    "Side",
    "Terms",
    "Way",
    "at_most",
    "compare",
    "disjoint",
    "equivalent",
    "no_new_access",
]
