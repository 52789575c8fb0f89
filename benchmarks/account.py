"""A whole account: every route of every principal of an export, as a process of its own.

The export has ten roles a tenant's share, two managed policies a role and an endpoint for five
roles: of a tenant's ten roles seven act for it, one reads for its endpoints, two are the
platform's. Policies tell tenants apart by tag on shared endpoints, by name elsewhere. In the
planted variant one tenant can become a reader of everything by two roles in a row.

Where ``TENANTPROOF_PMAPPER`` names a Python that has ``principalmapper``, the part of the work that
it can do is measured beside the same part of ours: who can become whom, or more than it is, in the
same export.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.exports import (
    Account,
    Json,
    allow,
    deny,
    grant,
    multi_model,
    single_model,
    trust,
)

from benchmarks.measure import Times, in_turn

SIZES = (100, 250, 500, 1000)
"""How many roles there are."""

RUNS = 3
PEER_SIZE = 100
MOST_SECONDS = 60.0
MOST_MIB = 1024

POOLS = 10
"""How many prefixes the shared endpoints have."""

SHARED, DEDICATED = "models-shared", "models-dedicated"
ACTING = ("app", "batch", "reader", "writer", "developer", "delivery", "support")
"""The roles that act for a tenant."""


@dataclass(frozen=True)
class Measured:
    """One run of ``check``."""

    seconds: float
    mib: float
    verdicts: Counter[str]


def main() -> None:
    for planted in (False, True):
        for roles in SIZES:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                write(folder, roles, planted=planted)
                report(folder, roles, planted=planted)
    peer()


def report(folder: Path, roles: int, *, planted: bool) -> None:
    """Measure one size and print it."""
    runs = [check(folder) for _ in range(RUNS)]
    times = Times(tuple(run.seconds for run in runs))
    memory = max(run.mib for run in runs)
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in sorted(runs[0].verdicts.items()))
    read = sum(path.stat().st_size for path in folder.rglob("*.json")) / 2**20
    print(
        f"{roles:>5} roles {2 * roles:>5} policies {roles // 5:>4} endpoints"
        f" {'planted' if planted else 'clean':<8} {read:>4.1f} MiB read"
        f"  {times!s:<28} {memory:>5.0f} MiB  {verdicts}"
    )
    if roles == SIZES[-1] and (times.median > MOST_SECONDS or memory > MOST_MIB):
        print(f"over the limit of {MOST_SECONDS:.0f} s and {MOST_MIB} MiB")


def check(folder: Path) -> Measured:
    """Run ``tenantproof check`` on a folder."""
    code = "from tenantproof.cli import main; main()"
    command = [sys.executable, "-c", code, "check", "--format", "json", str(folder)]
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        answer = json.load(output)
    if answer.get("errors"):
        sys.exit(f"found {answer['errors'][0]}, expected an answer")
    verdicts = Counter(f["verdict"] for f in answer["findings"] if f["question"] == "artifacts")
    return Measured(took, usage.ru_maxrss / 1024, verdicts)


# The export.


def write(
    folder: Path, roles: int, *, planted: bool = False, routes_off: Json | None = None
) -> None:
    """Write an export and its manifest."""
    account, tenants = build(roles, planted=planted)
    account.write(folder / "export")
    lines = ['sources = ["export"]']
    if routes_off:
        lines.append("[routes.off]")
        lines += [f'"{route}" = "{reason}"' for route, reason in routes_off.items()]
    for tenant in tenants:
        artifacts = [f"s3://{SHARED}/pool-??/{tenant}/*", f"s3://{DEDICATED}/{tenant}/*"]
        lines += ["[[tenants]]", f'name = "{tenant}"', f"artifacts = {json.dumps(artifacts)}"]
        for role in ACTING:
            arn = account.iam("role", f"{tenant}-{role}")
            lines += ["[[tenants.principals]]", f'arn = "{arn}"']
    (folder / "tenantproof.toml").write_text("\n".join(lines) + "\n", "utf-8")


def build(roles: int, *, planted: bool) -> tuple[Account, list[str]]:
    """The account, and the names of its tenants."""
    account = Account()
    tenants = [f"t{number:04d}" for number in range(roles // 10)]
    _add_shared(account, len(tenants))
    for number, tenant in enumerate(tenants):
        _add_tenant(account, tenant, number)
        _add_platform_roles(account, number, tenants)
    if planted:
        _plant(account, tenants[len(tenants) // 2])
    return account, tenants


def _add_shared(account: Account, tenants: int) -> None:
    """Buckets, and the endpoints that tenants share."""
    execution = account.iam("role", "platform-0000-execution")
    secure = {"Bool": {"aws:SecureTransport": "false"}}
    for bucket in (SHARED, DEDICATED):
        everything = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        account.bucket(
            bucket,
            {**deny("s3:*", everything, Condition=secure), "Principal": "*"},
            grant([execution], "s3:GetObject", f"arn:aws:s3:::{bucket}/*"),
        )
    for number in range(max(1, tenants // 10)):
        pool = f"pool-{number % POOLS:02d}"
        account.model(
            f"shared-{number:04d}",
            multi_model(f"s3://{SHARED}/{pool}/"),
            execution_role=execution,
        )
        account.endpoint(f"shared-{number:04d}", f"shared-{number:04d}")


def _add_role(account: Account, name: str, *statements: Json, trusted: Json, **tags: str) -> None:
    """A role with two managed policies: what it is for, and what all of them may do."""
    own = f"arn:aws:logs:{account.region}:{account.number}:log-group:/roles/{name}:*"
    account.managed_policy(name, *statements)
    account.managed_policy(f"{name}-common", allow(["logs:Put*", "logs:Create*"], own))
    account.role(name, trust=trusted, tags=tags, attached=[name, f"{name}-common"])


def _add_tenant(account: Account, tenant: str, number: int) -> None:
    keys = [f"arn:aws:s3:::{DEDICATED}/{tenant}/*", f"arn:aws:s3:::{SHARED}/pool-??/{tenant}/*"]
    buckets = [f"arn:aws:s3:::{DEDICATED}", f"arn:aws:s3:::{SHARED}"]
    mine = {kind: account.sagemaker(kind, f"{tenant}-*") for kind in ("endpoint", "model")}
    config = account.sagemaker("endpoint-config", f"{tenant}-*")
    role = {name: account.iam("role", f"{tenant}-{name}") for name in (*ACTING, "execution")}
    by_tag = {"StringLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/tenant}/*"}}
    prefixes = {"StringLike": {"s3:prefix": [f"{tenant}/*", f"pool-??/{tenant}/*"]}}
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    tag = {"StringEquals": {"aws:RequestTag/tenant": tenant}}
    invoke = "sagemaker:InvokeEndpoint"
    does: dict[str, list[Json]] = {
        "app": [allow(invoke, account.sagemaker("endpoint", "shared-*"), Condition=by_tag)],
        "batch": [allow([invoke, "sagemaker:InvokeEndpointAsync"], mine["endpoint"])],
        "reader": [
            allow(["s3:GetObject", "s3:GetObjectVersion"], keys),
            allow("s3:ListBucket", buckets, Condition=prefixes),
        ],
        "writer": [allow(["s3:PutObject", "s3:AbortMultipartUpload"], keys)],
        "developer": [
            allow(["sagemaker:Describe*", "sagemaker:List*"]),
            allow("sts:AssumeRole", role["reader"]),
        ],
        "delivery": [
            allow("iam:PassRole", role["execution"], Condition=passed),
            allow("sagemaker:CreateModel", mine["model"]),
            allow("sagemaker:CreateEndpointConfig", config),
            allow(["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], mine["endpoint"]),
            allow(["sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint"], config),
        ],
        "support": [
            allow("sts:AssumeRole", [role["app"], account.iam("role", "platform-????-status")]),
            allow(["iam:TagRole"], role["support"], Condition=tag),
        ],
    }
    callers = [role["developer"], role["support"]]
    for name, statements in does.items():
        trusted = trust("ecs-tasks.amazonaws.com")
        if name in {"app", "reader"}:
            trusted = trust(*callers)
        _add_role(account, f"{tenant}-{name}", *statements, trusted=trusted, tenant=tenant)
    _add_role(
        account,
        f"{tenant}-execution",
        allow("s3:GetObject", keys),
        trusted=trust("sagemaker.amazonaws.com"),
        tenant=tenant,
    )
    _add_endpoints(account, tenant, number)


def _add_endpoints(account: Account, tenant: str, number: int) -> None:
    """A multi-model endpoint of its own; of nine in ten tenants another one."""
    execution = f"{tenant}-execution"
    url = f"s3://{DEDICATED}/{tenant}/"
    account.model(f"{tenant}-many", multi_model(url), execution_role=execution)
    account.endpoint(f"{tenant}-many", f"{tenant}-many")
    if number % 10:
        name = f"{tenant}-{'one' if number % 3 else 'queue'}"
        account.model(name, single_model(f"{url}live/model.tar.gz"), execution_role=execution)
        account.endpoint(name, name, asynchronous=number % 3 == 0)


def _add_platform_roles(account: Account, number: int, tenants: list[str]) -> None:
    """Two roles of the platform: one that everybody may ask for its status, and one with power."""
    root = f"arn:aws:iam::{account.number}:root"
    following = account.iam("role", f"platform-{(number + 1) % len(tenants):04d}-status")
    reads = allow(["sagemaker:DescribeEndpoint", "cloudwatch:GetMetricData"])
    onward = [allow("sts:AssumeRole", following)] if number % 4 == 0 else []
    _add_role(account, f"platform-{number:04d}-status", reads, *onward, trusted=trust(root))
    everything = [f"arn:aws:s3:::{bucket}/*" for bucket in (SHARED, DEDICATED)]
    powers: list[tuple[str, list[Json], str]] = [
        ("execution", [allow("s3:GetObject", everything)], "sagemaker"),
        ("deployer", [allow(["sagemaker:*", "iam:PassRole"])], "codebuild"),
        ("administrator", [allow("*")], "ec2"),
        ("tagger", [allow(["iam:TagRole", "iam:UntagRole"])], "config"),
        ("backup", [allow(["s3:GetObject", "s3:ListBucket"])], "backup"),
    ]
    name, statements, service = powers[number % len(powers)]
    _add_role(
        account,
        f"platform-{number:04d}-{name}",
        *statements,
        trusted=trust(f"{service}.amazonaws.com"),
    )


def _plant(account: Account, tenant: str) -> None:
    """Let a tenant's support role become a reader of everything, by a status role."""
    first, reader = "platform-0000-status", "platform-reader"
    account.managed_policy(
        first,
        allow("sagemaker:DescribeEndpoint"),
        allow("sts:AssumeRole", account.iam("role", reader)),
    )
    callers = {"ArnEquals": {"aws:PrincipalArn": account.iam("role", f"{tenant}-support")}}
    root = f"arn:aws:iam::{account.number}:root"
    account.role(first, attached=[first], trust=trust(root, Condition=callers))
    account.role(
        reader,
        allow("s3:GetObject", [f"arn:aws:s3:::{bucket}/*" for bucket in (SHARED, DEDICATED)]),
        trust=trust(account.iam("role", first)),
    )


# The peer.

_EDGES = """
import collections, collections.abc, json, sys
# It asks collections for what collections.abc has, which Python 3.10 took away.
for name in ("Mapping", "MutableMapping", "Sequence"):
    setattr(collections, name, getattr(collections.abc, name))
from principalmapper.graphing import gathering, iam_edges, lambda_edges, sts_edges
from principalmapper.graphing import sagemaker_edges
export = json.load(open(sys.argv[1]))
class Pages:
    def __init__(self, page): self.page = page
    def paginate(self, **_): return [self.page]
class Iam:
    def get_paginator(self, name):
        return Pages(export if "authorization" in name else {"VirtualMFADevices": []})
nodes = gathering.get_nodes_groups_and_policies(Iam())["nodes"]
gathering.update_admin_status(nodes)
edges = [
    *iam_edges.generate_edges_locally(nodes, None),
    *sts_edges.generate_edges_locally(nodes, None),
    *sagemaker_edges.generate_edges_locally(nodes, None),
    *lambda_edges.generate_edges_locally(nodes, [], None),
]
print(len(nodes), len(edges))
"""


def peer() -> None:
    """Who can become whom: PMapper's edges beside our routes assume and change."""
    python = os.environ.get("TENANTPROOF_PMAPPER")
    if not python:
        print("peer skipped: TENANTPROOF_PMAPPER names no Python that has principalmapper")
        return
    off = dict.fromkeys(("target-model", "invoke", "object"), "measured without")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(folder, PEER_SIZE, planted=True, routes_off=off)
        export = folder / "export" / "authorization-details.json"

        def theirs() -> None:
            subprocess.run([python, "-c", _EDGES, str(export)], check=True, capture_output=True)

        our_times, their_times, ratio = in_turn(lambda: check(folder), theirs, RUNS)
    print(f"{PEER_SIZE} roles: tenantproof, routes assume and change {our_times}")
    print(f"{PEER_SIZE} roles: PMapper, its edges of iam, sts, lambda, sagemaker {their_times}")
    print(f"ratio theirs / ours, median of {RUNS} pairs: {ratio:.2f}")
