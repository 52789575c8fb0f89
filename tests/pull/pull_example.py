"""The account of ``examples/snapshot``, made in moto's server and really pulled.

``python tests/pull/pull_example.py`` writes the example's snapshots anew.
"""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from pull_world import MANAGEMENT, REGION, Account, Front, Keys, Rules, allow, deny, policy, tags

from tenantproof.aws import Aws, Connection, Deadline, connect
from tenantproof.pull import Pulled, PullSettings, pull

EXAMPLES = Path(__file__).parents[2] / "examples"
ID = "111122223333"
_MANAGEMENT = "444455556666"
BUCKET = "ml-models"
TENANTS = ("acme", "beta", "gamma")
DENIED = {"s3:GetBucketPolicy", "organizations:DescribeOrganization"}
"""What the narrowed snapshot was pulled without."""

ARN = f"arn:aws:iam::{ID}"
SUPPORT, ADMIN, EXECUTION = (f"{ARN}:role/{name}" for name in ("support", "admin", "execution"))
ENDPOINT = f"arn:aws:sagemaker:{REGION}:{ID}:endpoint/models"


def make_example(url: str) -> tuple[Account, Keys]:
    """The account, and the keys of the account that manages its organization.

    One policy tells the tenants apart by their tag. acme may read the whole bucket, whose own
    policy forbids it; beta may tag itself, which the organization forbids; gamma may become
    support, who may invoke any model: the slip.
    """
    management = _keys(url, f"arn:aws:iam::{_MANAGEMENT}:role/management")
    organizations = management.client("organizations", url)
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    with patch("moto.organizations.utils.make_random_account_id", lambda: ID):
        organizations.create_account(AccountName="models", Email="models@example.com")
    unit = organizations.create_organizational_unit(ParentId=root, Name="Production")
    place = unit["OrganizationalUnit"]["Id"]
    organizations.move_account(AccountId=ID, SourceParentId=root, DestinationParentId=place)
    tagged_by_admins = policy(
        {
            **deny(["iam:TagRole", "iam:UntagRole"], ArnNotEquals={"aws:PrincipalArn": ADMIN}),
            "Sid": "TagsAreGivenByAdmins",
        }
    )
    made = organizations.create_policy(
        Content=tagged_by_admins,
        Description="",
        Name="tags-are-given-by-admins",
        Type="SERVICE_CONTROL_POLICY",
    )
    organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=place)
    account = Account(ID, _keys(url, f"{ARN}:role/admin"))
    _make_roles(account, url)
    _make_models(account, url)
    return account, management


def _keys(url: str, role: str) -> Keys:
    sts = MANAGEMENT.client("sts", url)
    given = sts.assume_role(RoleArn=role, RoleSessionName="example")["Credentials"]
    return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])


def _trusts(**principal: str) -> str:
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


def _make_roles(account: Account, url: str) -> None:
    iam = account.keys.client("iam", url)
    own = "${aws:PrincipalTag/tenant}/*"
    invoke_own = policy(
        allow("sagemaker:InvokeEndpoint", ENDPOINT, StringLike={"sagemaker:TargetModel": own})
    )
    made = iam.create_policy(PolicyName="invoke-own-models", PolicyDocument=invoke_own)
    for tenant in TENANTS:
        iam.create_role(
            RoleName=tenant,
            AssumeRolePolicyDocument=_trusts(Service="ecs-tasks.amazonaws.com"),
            Tags=tags(tenant=tenant),
        )
        iam.attach_role_policy(RoleName=tenant, PolicyArn=made["Policy"]["Arn"])
    inline = {
        "acme": ("read-models", allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*")),
        "beta": ("tag-itself", allow("iam:TagRole", f"{ARN}:role/beta")),
        "gamma": ("ask-support", allow("sts:AssumeRole", SUPPORT)),
    }
    for tenant, (name, statement) in inline.items():
        iam.put_role_policy(RoleName=tenant, PolicyName=name, PolicyDocument=policy(statement))
    iam.create_role(RoleName="support", AssumeRolePolicyDocument=_trusts(AWS=f"{ARN}:role/gamma"))
    debug = policy(allow("sagemaker:InvokeEndpoint", ENDPOINT))
    iam.put_role_policy(RoleName="support", PolicyName="debug", PolicyDocument=debug)
    iam.create_role(
        RoleName="execution", AssumeRolePolicyDocument=_trusts(Service="sagemaker.amazonaws.com")
    )
    read = policy(allow("s3:GetObject", f"arn:aws:s3:::{BUCKET}/*"))
    iam.put_role_policy(RoleName="execution", PolicyName="read-models", PolicyDocument=read)


def _make_models(account: Account, url: str) -> None:
    s3 = account.keys.client("s3", url)
    s3.create_bucket(Bucket=BUCKET)
    only_execution = {
        **deny("s3:*", [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"]),
        "Sid": "ModelsAreReadByTheEndpoint",
        "Principal": "*",
        "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [EXECUTION, ADMIN]}},
    }
    s3.put_bucket_policy(Bucket=BUCKET, Policy=policy(only_execution))
    sagemaker = account.keys.client("sagemaker", url)
    sagemaker.create_model(
        ModelName="models",
        ExecutionRoleArn=EXECUTION,
        PrimaryContainer={
            "Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/serve:1",
            "Mode": "MultiModel",
            "ModelDataUrl": f"s3://{BUCKET}/models/",
            "Environment": {"API_KEY": "a-secret-of-the-container"},
        },
    )
    variant = {"VariantName": "all", "ModelName": "models", "InitialInstanceCount": 1}
    variant |= {"InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}
    sagemaker.create_endpoint_config(EndpointConfigName="models-1", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="models", EndpointConfigName="models-1")


def environment(account: Account, front: Front) -> dict[str, str]:
    """The variables of somebody of the account."""
    return {
        "AWS_ACCESS_KEY_ID": account.keys.access,
        "AWS_SECRET_ACCESS_KEY": account.keys.secret,
        "AWS_SESSION_TOKEN": account.keys.token,
        "AWS_ENDPOINT_URL": front.url,
    }


def session(account: Account, front: Front) -> Aws:
    """A session with the account."""
    with patch.dict("os.environ", environment(account, front)):
        return connect(Connection(region=REGION, endpoint_url=front.url), Deadline.after(3600))


def pull_whole(aws: Aws, front: Front, output: Path) -> Pulled:
    """A pull by whoever may see everything."""
    front.rules = Rules(components={REGION: []})
    return pull(aws, output, PullSettings((REGION,), force=True), Deadline.after(60))


def pull_narrowed(aws: Aws, front: Front, output: Path) -> Pulled:
    """A pull without some permissions."""
    front.rules = Rules(components={REGION: []}, denied=DENIED)
    return pull(aws, output, PullSettings((REGION,), force=True), Deadline.after(60))


def main() -> None:
    """Write the snapshots of the examples."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    account, management = make_example(f"http://{host}:{port}")
    front = Front(f"http://{host}:{port}", management)
    aws = session(account, front)
    pull_whole(aws, front, EXAMPLES / "snapshot" / "snapshot")
    pull_narrowed(aws, front, EXAMPLES / "snapshot-narrowed" / "snapshot")
    server.stop()


if __name__ == "__main__":
    sys.exit(main())
