"""Tenants are kept apart by what is rendered for them, whatever they are named."""

from session import session_policy

from tenantproof import assert_vendor_isolated, policy_vendor

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
SESSION = "arn:aws:sts::111122223333:assumed-role/app/{tenant}"


@policy_vendor(endpoint=ENDPOINT, owns="{tenant}/*", shared="common/*", principal=SESSION)
def rendered(tenant: str) -> str:
    """Marked, it is a test: hostile names are refused, and those that are not are kept apart."""
    return session_policy(tenant)


def test_every_name_that_there_can_be():
    """Of names that match the rule it is proved for all of them, not for those tried alone."""
    assert assert_vendor_isolated(rendered, names="[a-z][a-z0-9-]{0,29}").for_every_name
