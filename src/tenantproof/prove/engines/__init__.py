"""Independent engines for the same questions, and what they answered."""

from tenantproof.prove.engines.engine import (
    ALL,
    AUTOMATA,
    CVC5,
    ENGINES,
    Z3,
    Engine,
    Prover,
    engines_named,
)
from tenantproof.prove.engines.ledger import (
    Answer,
    Answered,
    EngineAnswers,
    EnginesDisagreeError,
    Ledger,
)

__all__ = [
    "ALL",
    "AUTOMATA",
    "CVC5",
    "ENGINES",
    "Z3",
    "Answer",
    "Answered",
    "Engine",
    "EngineAnswers",
    "EnginesDisagreeError",
    "Ledger",
    "Prover",
    "engines_named",
]
