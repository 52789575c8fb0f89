"""What the service does with a customer's name: a path, and a session policy for AssumeRole."""

import json
import re

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
RESERVED = ("common",)


def model_path(tenant: str, model: str) -> str:
    """Where a customer's model is: the TargetModel that the service sends."""
    return f"{tenant}/{model}/model.tar.gz"


def session_policy(tenant: str) -> str:
    """The session policy of a customer; raises ValueError for a name that nobody can have."""
    if not NAME.fullmatch(tenant) or tenant in RESERVED:
        raise ValueError(f"found {tenant!r}, expected a customer's name")
    statement = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
        "Condition": {"StringLike": {"sagemaker:TargetModel": f"{tenant}/*"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
