"""How a service renders the session policy of a tenant: what it passes to AssumeRole."""

import json
import re

NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
RESERVED = ("common", "internal")


def session_policy(tenant: str) -> str:
    """The session policy of a tenant; raises ValueError for a name that nobody can have."""
    if not NAME.fullmatch(tenant) or tenant in RESERVED:
        raise ValueError(f"found {tenant!r}, expected a tenant's name")
    statement = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models",
        "Condition": {"StringLike": {"sagemaker:TargetModel": [f"{tenant}/*", "common/*"]}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
