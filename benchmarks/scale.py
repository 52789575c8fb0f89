"""How the cost of a whole run grows with the number of tenants; each size in its own process.

Every tenant has one principal with one policy. In the leaky variant one of them has ``*``.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import shown
from tenantproof.isolation import Run, load_manifest

SIZES = (10, 100, 1000)
ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"


def write(folder: Path, tenants: int, *, leaky: bool) -> None:
    lines = ['shared = ["common/*"]', "[[endpoints]]", f'arn = "{ENDPOINT}"']
    for i in range(tenants):
        name = f"tenant-{i:05d}"
        models = ["*"] if leaky and i == tenants // 2 else [f"{name}/*", "common/*"]
        statement = {
            "Effect": "Allow",
            "Action": "sagemaker:InvokeEndpoint",
            "Resource": ENDPOINT,
            "Condition": {"StringLike": {"sagemaker:TargetModel": models}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        (folder / f"{name}.json").write_text(json.dumps(policy))
        lines += [
            "[[tenants]]",
            f'name = "{name}"',
            f'owns = ["{name}/*"]',
            "[[tenants.principals]]",
            f'arn = "arn:aws:iam::111122223333:role/{name}"',
            f'policies = ["{name}.json"]',
        ]
    (folder / "tenantproof.toml").write_text("\n".join(lines))


def main() -> None:
    for leaky in (False, True):
        for tenants in SIZES:
            with tempfile.TemporaryDirectory() as name:
                write(Path(name), tenants, leaky=leaky)
                code = f"from benchmarks.scale import child; child({name!r})"
                subprocess.run([sys.executable, "-c", code], check=True)


def child(folder: str) -> None:
    """Run one size and print its time and peak memory."""
    start = time.perf_counter()
    manifest = load_manifest(Path(folder))
    loaded = time.perf_counter()
    report = Run(manifest).report()
    done = time.perf_counter()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    victims = max((len(finding.victims) for finding in report.findings), default=0)
    print(
        f"{len(manifest.tenants):>5} tenants  {report.verdict.value:<7} {victims:>4} victims"
        f"  read {shown(loaded - start):<8} proved {shown(done - loaded):<8}"
        f" {shown((done - loaded) / len(manifest.tenants))} a tenant  {memory:.0f} MiB"
    )
