"""Access tests: what the pytest plugin offers, usable without it, too.

See ``docs/pytest.md``. Everything here raises ``AssertionError`` where an answer is not PROVED.
"""

from tenantproof.testing.checks import Checks, Options, Outcome
from tenantproof.testing.isolation import Isolation, Subject
from tenantproof.testing.policies import policy_set

__all__ = ["Checks", "Isolation", "Options", "Outcome", "Subject", "policy_set"]
