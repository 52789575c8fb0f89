"""Mutation testing of policies: which slips would the questions and tests not notice?"""

from tenantproof.mutate.kinds import Kind
from tenantproof.mutate.mutants import Mutant, mutants
from tenantproof.mutate.outcomes import (
    Checked,
    Equivalent,
    MutationReport,
    Noticed,
    Outcome,
    Survived,
    Tally,
    Undecided,
)
from tenantproof.mutate.survey import DEFAULT_MOST, joined, survey

__all__ = [
    "DEFAULT_MOST",
    "Checked",
    "Equivalent",
    "Kind",
    "Mutant",
    "MutationReport",
    "Noticed",
    "Outcome",
    "Survived",
    "Tally",
    "Undecided",
    "joined",
    "mutants",
    "survey",
]
