"""A session policy as one writes it first: a text with the name put in."""

TEMPLATE = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "sagemaker:InvokeEndpoint",
      "Resource": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
      "Condition": {"StringLike": {"sagemaker:TargetModel": "%s*"}}
    }
  ]
}"""


def session_policy(tenant: str) -> str:
    """The session policy of a tenant: without a slash behind the name, and for any name."""
    return TEMPLATE % tenant
