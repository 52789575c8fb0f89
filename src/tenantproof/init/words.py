"""Names, taken apart: what may be a tenant's name in them, and what is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

SHARED = frozenset(
    {"all", "any", "base", "common", "default", "everyone", "global", "public", "shared"}
)
"""Names of what belongs to all tenants, or to none."""

_PLAIN = SHARED | frozenset(
    {
        "access", "admin", "administrator", "admins", "api", "app", "application", "artifact",
        "artifacts", "audit", "auditor", "aws", "backend", "batch", "bucket", "build", "caller",
        "ci", "cicd", "client", "clients", "cloud", "companies", "company", "cross", "customer",
        "customers", "data", "deploy", "deployer", "deployment", "dev", "develop", "developer",
        "ec2", "ecs", "eks", "endpoint", "endpoints", "engineer", "env", "etl", "example", "exec",
        "execution", "external", "gateway", "github", "group", "iam", "infer", "inference",
        "input", "internal", "invoke", "invoker", "jenkins", "job", "jobs", "key", "lambda",
        "latest", "live", "ml", "mlops", "mme", "model", "models", "monitor", "monitoring",
        "multi", "none", "notebook", "null", "ops", "org", "output", "pipeline", "pipelines",
        "platform", "policy", "prod", "production", "qa", "read", "reader", "readonly", "registry",
        "release", "releases", "role", "roles", "root", "runtime", "s3", "sagemaker", "sandbox",
        "service", "services", "session", "stage", "staging", "support", "svc", "system", "team",
        "tenant", "tenants", "terraform", "test", "testing", "tmp", "train", "training", "uat",
        "user", "users", "worker", "write", "writer",
    }
)  # fmt: skip
"""Words of the trade, which are no tenant's name."""

OF_PLATFORMS = frozenset(
    {
        "audit", "auditor", "breakglass", "ci", "cicd", "cloudformation", "deploy", "deployer",
        "deployment", "github", "jenkins", "monitor", "monitoring", "pipeline", "pipelines",
        "platform", "support", "terraform",
    }
)  # fmt: skip
"""Words of names that are a platform's, even beside a tenant's name."""

KINDS_OF_TENANT = frozenset({"tenant", "customer", "client", "company", "account", "org", "team"})
"""Words that a tenant's name stands beside: ``tenant-acme``, ``customer_a``."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_VERSION = re.compile(r"v?[0-9]+|[0-9a-f]{8,}|(?:us|eu|ap|ca|sa|af|me)-[a-z]+-[0-9]")


def tokens(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: of ``AcmeInvoke_role-2`` acme, invoke, role and 2."""
    parts = re.split(r"[^\w]|_", name)
    return tuple(word.lower() for part in parts for word in (_WORD.findall(part) if part else ()))


@lru_cache(maxsize=100_000)
def folded(name: str) -> str:
    """A name as others are compared with it, whatever their case and what stands between words."""
    return "-".join(tokens(name))


def holds(name: str, inner: str) -> bool:
    """Whether the words of a name stand in another in a row."""
    return bool(folded(inner)) and f"-{folded(inner)}-" in f"-{folded(name)}-"


def may_be_tenant(name: str) -> bool:
    """Whether a name is not made of words of the trade and of versions alone."""
    words = tokens(name)
    if not words or not name.isprintable() or any(char in name for char in "*?${}"):
        return False
    if _VERSION.fullmatch(name.lower()):
        return False
    if words[0] in KINDS_OF_TENANT and len(words) > 1:
        return words[1] not in _PLAIN
    return not all(word in _PLAIN or word.isdigit() for word in words)


def longest_held(name: str, candidates: Mapping[str, str]) -> str | None:
    """The one candidate that a name holds, of those within each other the longest.

    Args:
        name: the name.
        candidates: names by their folded names.

    Returns:
        None where it holds none, or several that are not within each other.
    """
    words = tokens(name)
    runs = ("-".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1))
    held = sorted({candidates[run] for run in runs if run in candidates}, key=_by_length)
    if held and all(holds(held[0], other) for other in held):
        return held[0]
    return None


def _by_length(name: str) -> tuple[int, str]:
    return -len(folded(name)), name
