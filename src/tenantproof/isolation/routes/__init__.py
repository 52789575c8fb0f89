"""Routes to another tenant's artifacts: every modelled way, followed step by step."""

from tenantproof.isolation.routes.questions import RouteQuestions

__all__ = ["RouteQuestions"]
