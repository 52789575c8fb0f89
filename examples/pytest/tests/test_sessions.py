"""What the service renders keeps customers apart, whatever they are named."""

import sessions

from tenantproof import policy_vendor


@policy_vendor(
    endpoint="arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
    owns="{tenant}/*",
    names="[a-z][a-z0-9-]{0,29}",
    excluded=["common"],
)
def session_policy(tenant: str) -> str:
    """A test of its own: pytest collects it."""
    return sessions.session_policy(tenant)
