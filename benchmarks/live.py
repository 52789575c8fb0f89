"""Confirming findings: calls of the policy simulator and time, against one call for each request.

The server is one of the tests', a process of its own on this machine: it decides by the tests' own
reading of the IAM reference, and answers as fast as it can. The peer is what one would write first:
for each request a call of boto3's ``simulate_custom_policy``. Across a network each call takes a
tenth of a second or more, and AWS throttles callers that make many: the calls are what counts.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from benchmarks import scale
from benchmarks.measure import in_turn
from tenantproof.aws import Connection, Deadline, connect
from tenantproof.isolation import Report, Run, load_manifest
from tenantproof.live.confirm import Settings, confirm
from tenantproof.live.parameters import simulations
from tenantproof.live.simulation import NotSimulatable, Simulation
from tenantproof.live.simulator import Simulator

SIZES = (5, 20, 80)
SAMPLES = 4
RUNS = 3
LONG = 3600.0
TESTS = Path(__file__).resolve().parent.parent / "tests" / "live"
ENDPOINTS = ("models-blue", "models-green")
"""What each tenant is served from, beside the first endpoint."""


def main() -> None:
    for tenants in SIZES:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), tenants)
            code = f"from benchmarks.live import child; child({name!r}, {tenants})"
            subprocess.run([sys.executable, "-c", code], check=True)


def write(folder: Path, tenants: int) -> None:
    """Tenants on three endpoints, one of whom may invoke everything."""
    scale.write(folder, tenants, leaky=True)
    manifest = folder / "tenantproof.toml"
    first = f'[[endpoints]]\narn = "{scale.ENDPOINT}"'
    others = [f'[[endpoints]]\narn = "{scale.ENDPOINT[:-6]}{name}"' for name in ENDPOINTS]
    manifest.write_text(manifest.read_text().replace(first, "\n".join([first, *others])))
    for policy in folder.glob("*.json"):
        policy.write_text(policy.read_text().replace("endpoint/models", "endpoint/models*"))


def child(folder: str, tenants: int) -> None:
    """Measure one size and print it."""
    report = Run(load_manifest(Path(folder)), samples=SAMPLES).report()
    asked = [each for finding in report.findings for p in finding.probes for each in _asked(p)]
    with serving() as url, credentials():
        last: list[tuple[Report, Simulator]] = []

        def ours() -> None:
            simulator = made(url)
            last[:] = [(confirm(report, simulator, Settings()), simulator)]

        def theirs() -> None:
            client: Any = connect(Connection(endpoint_url=url), Deadline.after(LONG)).client("iam")
            for each in asked:
                client.simulate_custom_policy(
                    ActionNames=[each.action], ResourceArns=[each.resource], **each.parameters
                )

        mine, peers, ratio = in_turn(ours, theirs, RUNS)
    confirmed, simulator = last[0]
    standings = Counter(f.evidence.standing.value for f in confirmed.findings if f.evidence)
    said = ", ".join(f"{count} {standing}" for standing, count in sorted(standings.items()))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{tenants:>3} tenants {len(report.findings):>4} findings ({said})"
        f"  calls {simulator.calls:>4} against {len(asked):>4}, ratio"
        f" {len(asked) / simulator.calls:.2f}  {mine!s:<28} against {peers!s:<28}"
        f" ratio {ratio:.2f}  {memory:.0f} MiB"
    )


def _asked(probe: Any) -> tuple[Simulation, ...]:
    found = simulations(probe)
    return () if isinstance(found, NotSimulatable) else found


def made(url: str) -> Simulator:
    """A simulator without bounds that matter."""
    deadline = Deadline.after(LONG)
    aws = connect(Connection(endpoint_url=url), deadline)
    return Simulator(aws, max_calls=1_000_000, deadline=deadline)


@contextmanager
def credentials() -> Iterator[None]:
    """Credentials of nobody, whatever this machine is configured with."""
    with tempfile.TemporaryDirectory() as empty:
        with_them = {
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_CONFIG_FILE": f"{empty}/config",
            "AWS_SHARED_CREDENTIALS_FILE": f"{empty}/credentials",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        before = dict(os.environ)
        os.environ.update(with_them)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextmanager
def serving() -> Iterator[str]:
    """The server's URL."""
    context = multiprocessing.get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=serve, args=(its,), daemon=True)
    process.start()
    try:
        yield mine.recv()
    finally:
        process.kill()


def serve(pipe: Pipe) -> None:
    """Answer until killed."""
    sys.path.insert(0, str(TESTS))
    from iam_server import Decided, IamServer  # noqa: PLC0415 (found by the line above)
    from independent import IndependentSimulator  # noqa: PLC0415

    def decide(parameters: dict[str, Any]) -> dict[tuple[str, str], Any]:
        return {
            (each["EvalActionName"], each["EvalResourceName"]): Decided(
                each["EvalDecision"], tuple(each["MissingContextValues"])
            )
            for each in IndependentSimulator().custom(parameters)
        }

    with IamServer(decide) as server:
        pipe.send(server.url)
        server.stopping.wait()
