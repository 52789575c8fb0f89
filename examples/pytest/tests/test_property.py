"""What the service sends and what IAM allows fit together, whatever customers are named."""

from hypothesis import assume, event, given
from hypothesis import strategies as st
from sessions import NAME, model_path

from tenantproof.evaluate import decide
from tenantproof.request import Principal, Request
from tenantproof_strategies import invocations, path_class, tenant_names

APP = "arn:aws:iam::111122223333:role/acme-app"
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
TENANTS = tenant_names(near=["acme", "acme-corp"], names=NAME.pattern)


def invocation(tenant: str, target_model: str) -> Request:
    """What the service sends for a customer."""
    role = Principal(f"arn:aws:iam::111122223333:role/{tenant}-app", {"tenant": tenant})
    context = {"sagemaker:TargetModel": target_model}
    return Request(role, "sagemaker:InvokeEndpoint", ENDPOINT, context)


@given(tenant=TENANTS, model=st.from_regex("[a-z0-9-]{1,20}", fullmatch=True))
def test_customers_reach_their_models(isolation, tenant, model):
    request = invocation(tenant, model_path(tenant, model))
    assert decide(isolation.policies(APP), request).allowed


@given(tenant=TENANTS, other=TENANTS)
def test_customers_do_not_reach_those_of_others(isolation, tenant, other):
    assume(other not in (tenant, "common"))
    event(f"begins alike: {other.startswith(tenant)}")
    request = invocation(tenant, model_path(other, "fraud"))
    assert not decide(isolation.policies(APP), request).allowed


@given(data=st.data())
def test_what_is_allowed_is_their_own_or_common(isolation, data):
    policies = isolation.policies(APP)
    acme = Principal(APP, {"tenant": "acme"})
    request = data.draw(invocations(policies, acme, ENDPOINT, near=["acme-corp/*"]))
    target = request.keys.get("sagemaker:targetmodel")
    event(path_class(target))
    if decide(policies, request).allowed:
        assert target is not None
        assert target.startswith(("acme/", "common/"))
