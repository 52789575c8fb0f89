"""Reading 1: the evaluator. A request's decision, with the statements that made it."""

from tenantproof.evaluate.authorizer import decide, statement_result
from tenantproof.evaluate.decision import Check, Decision, Outcome, StatementResult

__all__ = ["Check", "Decision", "Outcome", "StatementResult", "decide", "statement_result"]
