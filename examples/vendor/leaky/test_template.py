"""Both tests fail: the second shows what goes wrong for names that look harmless, too."""

from template import session_policy

from tenantproof import assert_vendor_isolated

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"


def test_any_text_as_a_name():
    """A ``*``, a quote: the name is a part of the policy."""
    assert_vendor_isolated(session_policy, endpoint=ENDPOINT, owns="{tenant}/*")


def test_two_customers():
    """The pattern of acme matches the models of acme-corp."""
    names = ["acme", "acme-corp"]
    assert_vendor_isolated(session_policy, names, endpoint=ENDPOINT, owns="{tenant}/*")
