"""Random cases of the small language that ``layers_reference`` decides, as ``simulate`` reads them.

Names, accounts and actions are few, so that what one layer says meets what another does.
"""

from __future__ import annotations

import json
from random import Random
from typing import Any

from tenantproof.policy import (
    Access,
    PolicyDocument,
    PolicyKind,
    PolicySet,
    parse_policy,
)
from tenantproof.request import Principal, Request

ACCOUNTS = ("111122223333", "444455556666")
ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "sts:AssumeRole",
    "sts:TagSession",
    "kms:Decrypt",
    "sagemaker:InvokeEndpoint",
)
CALLERS = (
    "arn:aws:iam::{}:user/ann",
    "arn:aws:iam::{}:role/app",
    "arn:aws:sts::{}:assumed-role/app/one",
    "arn:aws:sts::{}:assumed-role/app/two",
    "arn:aws:sts::{}:federated-user/fed",
    "arn:aws:iam::{}:root",
    "arn:aws:sts::{}:assumed-role/AWSServiceRoleForX/x",
    "arn:aws:iam::{}:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX",
)
RESOURCES = (
    "arn:aws:s3:::models/acme/v1",
    "arn:aws:iam::{}:role/app",
    "arn:aws:kms:us-east-1:{}:key/k",
    "arn:aws:sagemaker:us-east-1:{}:endpoint/models",
    "*",
)
TEAM = "aws:PrincipalTag/team"

Json = dict[str, Any]


def case(random: Random) -> Json:
    """A case with any of the layers."""
    principal, context = _principal(random)
    account = _account(random)
    if random.random() < 0.3:
        context["aws:ResourceAccount"] = _account(random)
    request = {
        "principal": principal,
        "action": random.choice(ACTIONS),
        "resource": random.choice(RESOURCES).format(account),
        "context": context,
    }
    drawn: Json = {"request": request, "identity_policies": _policies(random, request)}
    if random.random() < 0.4:
        drawn["permissions_boundary"] = _policy(random, request)
    if random.random() < 0.4:
        drawn["session_policy"] = _policy(random, request)
    if random.random() < 0.4:
        drawn["service_control_policies"] = _levels(random, request)
    if random.random() < 0.4:
        drawn["resource_control_policies"] = _levels(random, request, everyone=True)
    if random.random() < 0.7:
        drawn["resource_policy"] = _resource_policy(random, request)
    return drawn


def _account(random: Random) -> str:
    return ACCOUNTS[0] if random.random() < 0.75 else ACCOUNTS[1]


def _principal(random: Random) -> tuple[Json, Json]:
    arn = random.choice(CALLERS[:6] if random.random() < 0.9 else CALLERS).format(_account(random))
    tags = {"team": random.choice("ab")} if random.random() < 0.5 else {}
    context = {}
    if ":assumed-role/app/" in arn and random.random() < 0.3:
        account = arn.split(":")[4]
        context["aws:PrincipalArn"] = f"arn:aws:iam::{account}:role/path/app"
    return {"arn": arn, "tags": tags}, context


def _levels(random: Random, request: Json, *, everyone: bool = False) -> list[list[Json]]:
    levels = [_policies(random, request) for _ in range(random.randint(1, 2))]
    for statement in (s for level in levels for p in level for s in p["Statement"]):
        if everyone:
            statement["Principal"] = "*"
    return levels


def _policies(random: Random, request: Json) -> list[Json]:
    return [_policy(random, request) for _ in range(random.choice((0, 1, 1, 1, 2)))]


def _policy(random: Random, request: Json) -> Json:
    statements = [_statement(random, request) for _ in range(random.choice((1, 1, 1, 2)))]
    return {"Version": "2012-10-17", "Statement": statements}


def _statement(random: Random, request: Json) -> Json:
    effect = "Deny" if random.random() < 0.07 else "Allow"
    written: Json = {"Effect": effect, "Action": "*", "Resource": "*"}
    if random.random() < 0.5:
        written["Action"] = random.sample(ACTIONS, random.randint(1, 3))
        if random.random() < 0.6:
            written["Action"].append(request["action"])
    if random.random() < 0.3:
        other = random.choice(RESOURCES).format(_account(random))
        written["Resource"] = [other, *([request["resource"]] if random.random() < 0.6 else [])]
    if random.random() < 0.25:
        written["Condition"] = {"StringEquals": {TEAM: random.sample("ab", random.randint(1, 2))}}
    return written


def _resource_policy(random: Random, request: Json) -> Json:
    policy = _policy(random, request)
    for statement in policy["Statement"]:
        if request["action"].startswith("sts:") and random.random() < 0.5:
            del statement["Resource"]
        element = "NotPrincipal" if random.random() < 0.15 else "Principal"
        statement[element] = _named(random, request)
    return policy


def _named(random: Random, request: Json) -> Any:
    if random.random() < 0.15:
        return "*"
    caller = request["principal"]["arn"]
    account = caller.split(":")[4]
    values = [_value(random, caller, account) for _ in range(random.choice((1, 1, 2)))]
    if random.random() < 0.1:
        return {"AWS": values, "Service": "sagemaker.amazonaws.com"}
    return {"AWS": values[0] if len(values) == 1 else values}


def _value(random: Random, caller: str, account: str) -> str:
    of = account if random.random() < 0.8 else _account(random)
    return random.choice(
        (
            caller,
            "*",
            of,
            f"arn:aws:iam::{of}:root",
            f"arn:aws:iam::{of}:role/app",
            f"arn:aws:iam::{of}:role/path/app",
            random.choice(CALLERS).format(of),
        )
    )


def access_of(drawn: Json) -> tuple[Access, Request]:
    """Both sides of a case's request, and the request."""
    identity = PolicyKind.IDENTITY

    def read(policy: Json, kind: PolicyKind = identity) -> PolicyDocument:
        return parse_policy(json.dumps(policy), kind=kind)

    def levels(name: str, kind: PolicyKind) -> tuple[tuple[PolicyDocument, ...], ...]:
        given = drawn.get(name, [])
        return tuple(tuple(read(policy, kind) for policy in level) for level in given)

    boundary, session, resource = (
        drawn.get(name) for name in ("permissions_boundary", "session_policy", "resource_policy")
    )
    caller = PolicySet(
        tuple(map(read, drawn["identity_policies"])),
        None if boundary is None else read(boundary),
        levels("service_control_policies", identity),
        () if session is None else (read(session),),
    )
    access = Access(
        caller,
        None if resource is None else read(resource, PolicyKind.ANY),
        levels("resource_control_policies", PolicyKind.ANY),
    )
    given = drawn["request"]
    principal = Principal(given["principal"]["arn"], given["principal"]["tags"])
    return access, Request(principal, given["action"], given["resource"], given["context"])
