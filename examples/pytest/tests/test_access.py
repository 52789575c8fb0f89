"""What the reviewers of the policies want to be sure of, in sentences that are proved."""

import pytest

APP = "arn:aws:iam::111122223333:role/acme-app"
PARTNER = "arn:aws:iam::111122223333:role/acme-partner"


def test_tenants_are_kept_apart(assert_isolated):
    assert_isolated()


@pytest.mark.parametrize("tenant", ["acme", "acme-corp"])
def test_all_share_the_common_models(principal, tenant):
    principal(tenant).at("models").can_invoke("common/*")


def test_fraud_models_are_for_the_app_alone(principal):
    principal(APP).at("models").can_invoke("acme/fraud/*")
    principal(PARTNER).cannot_invoke("acme/fraud/*", by="sagemaker:Invoke*")


@pytest.mark.parametrize("tenant", ["acme", "acme-corp"])
def test_nobody_invokes_what_takes_no_target_model(principal, tenant):
    assert principal(tenant).cannot_invoke(by="sagemaker:InvokeEndpointAsync")


def test_a_partner_has_nothing_that_the_app_has_not(assert_no_new_access, isolation):
    assert_no_new_access(isolation.policies(APP), isolation.policies(PARTNER))


def test_all_may_describe_and_invoke_the_endpoint_and_no_other(assert_no_new_access, policy_set):
    """What models they may invoke the manifest's questions are about."""
    most = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
            "Resource": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
        },
    }
    assert_no_new_access(most, policy_set("../policies/invoke.json"))
