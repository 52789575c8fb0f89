"""How long mutation testing takes: on the examples, and how its cost grows.

Three ways to grow: a policy a tenant, one policy for all tenants, and the statements of one policy.
"""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks.measure import shown
from benchmarks.scale import ENDPOINT
from benchmarks.scale import write as write_tenants
from tenantproof.mutate import survey

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("company-a-b", "documented-policy", "tags", "mutate", "mutate/better", "all-tenants")
SIZES = (10, 100)
MOST = 200
"""Of more mutants so many are made."""


def main() -> None:
    for name in NAMES:
        measure(name, EXAMPLES / name)
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_tenants(Path(folder), size, leaky=False)
            measure(f"{size} tenants, a policy each", Path(folder))
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_shared(Path(folder), size)
            measure(f"{size} tenants, one policy", Path(folder))
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            write_statements(Path(folder), size)
            measure(f"{size} statements", Path(folder))


def measure(name: str, folder: Path) -> None:
    """Survey one manifest and print what it took."""
    start = time.perf_counter()
    report = survey(folder, lenient=True, most=MOST)
    took = time.perf_counter() - start
    total = report.total
    print(
        f"{name:<28} {total.made:>5} mutants of {report.slips:>6} slips in {shown(took):<8}"
        f" {total.made / took:>5.0f} a second: {total.equivalent} equivalent, {total.noticed}"
        f" noticed, {total.survived} survived, {total.undecided} undecided"
    )


def write_shared(folder: Path, tenants: int) -> None:
    """One policy for all, told apart by a tag."""
    _write_policy(folder, [_statement("${aws:PrincipalTag/tenant}/*")])
    lines = ["[[endpoints]]", f'arn = "{ENDPOINT}"']
    for i in range(tenants):
        lines += _tenant(f"tenant-{i:05d}")
    (folder / "tenantproof.toml").write_text("\n".join(lines))


def write_statements(folder: Path, statements: int) -> None:
    """One tenant, whose policy has a statement for each of its folders."""
    folders = [f"acme/{i:05d}/*" for i in range(statements)]
    _write_policy(folder, list(map(_statement, folders)))
    lines = ["[[endpoints]]", f'arn = "{ENDPOINT}"', *_tenant("acme", *folders)]
    (folder / "tenantproof.toml").write_text("\n".join(lines))


def _statement(models: str) -> dict[str, object]:
    return {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": ENDPOINT,
        "Condition": {"StringLike": {"sagemaker:TargetModel": models}},
    }


def _write_policy(folder: Path, statements: list[dict[str, object]]) -> None:
    document = {"Version": "2012-10-17", "Statement": statements}
    (folder / "policy.json").write_text(json.dumps(document, indent=2))


def _tenant(name: str, *owns: str) -> list[str]:
    return [
        "[[tenants]]",
        f'name = "{name}"',
        f"owns = {json.dumps(owns or (f'{name}/*',))}",
        "[[tenants.principals]]",
        f'arn = "arn:aws:iam::111122223333:role/{name}"',
        f'tags = {{ tenant = "{name}" }}',
        'policies = ["policy.json"]',
    ]
