"""Hypothesis strategies for IAM policies and requests on multi-model endpoints.

Everything drawn is valid: a policy is one that the strict reader accepts, a TargetModel one that
the API accepts. Texts come from a small vocabulary, so that policies and requests meet.
"""

from tenantproof_strategies.names import tenant_names
from tenantproof_strategies.policies import FAMILIES, documents, policies, policy_sets
from tenantproof_strategies.requests import principals, requests, target_models

__all__ = [
    "FAMILIES",
    "documents",
    "policies",
    "policy_sets",
    "principals",
    "requests",
    "target_models",
    "tenant_names",
]
