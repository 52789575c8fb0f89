"""The policy language as written: the syntax tree and the strict reader of policy documents."""

from tenantproof.policy.files import files_read, note_read, read_file, reading_instead
from tenantproof.policy.loader import PolicyKind, load_policy, parse_policy, policy_from_json
from tenantproof.policy.stack import (
    Access,
    Layer,
    LayerKind,
    Levels,
    PolicySet,
    ResourcePolicies,
    Stack,
    statements,
)
from tenantproof.policy.syntax import (
    Condition,
    Effect,
    Operator,
    PolicyDocument,
    Statement,
    Unknown,
    Version,
)

__all__ = [
    "Access",
    "Condition",
    "Effect",
    "Layer",
    "LayerKind",
    "Levels",
    "Operator",
    "PolicyDocument",
    "PolicyKind",
    "PolicySet",
    "ResourcePolicies",
    "Stack",
    "Statement",
    "Unknown",
    "Version",
    "files_read",
    "load_policy",
    "note_read",
    "parse_policy",
    "policy_from_json",
    "read_file",
    "reading_instead",
    "statements",
]
