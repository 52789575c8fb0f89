"""What certificates cost: finding and writing the proofs, their size, and verifying them.

The tenants of ``scale``, each with one proof of isolation; each size in a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import shown
from benchmarks.scale import SIZES, write
from tenantproof.certificate import read_certificate, to_text, verify
from tenantproof.certify import certify
from tenantproof.isolation import Run, load_manifest


def main() -> None:
    for tenants in SIZES:
        with tempfile.TemporaryDirectory() as name:
            write(Path(name), tenants, leaky=False)
            for step in ("make", "check"):
                code = f"from benchmarks.certificates import {step}; {step}({name!r})"
                subprocess.run([sys.executable, "-c", code], check=True)


def make(folder: str) -> None:
    """Write a certificate; print the time beside that of the run, and the size."""
    manifest = load_manifest(Path(folder))
    start = time.perf_counter()
    report = Run(manifest).report()
    asked = time.perf_counter()
    certificate, _ = certify(manifest, report)
    text = to_text(certificate)
    done = time.perf_counter()
    Path(folder, "proof.json").write_text(text)
    print(
        f"{len(manifest.tenants):>5} tenants  run {shown(asked - start):<8}"
        f" proofs {shown(done - asked):<8} {len(text) // 1024:>5} KiB",
        end="",
    )


def check(folder: str) -> None:
    """Verify the certificate; print the time and the peak memory."""
    start = time.perf_counter()
    certificate = read_certificate(Path(folder, "proof.json"))
    found = verify(certificate, root=Path(folder), detached=False, seconds=300)
    took = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  verified {len(found.theorems)} in {shown(took):<8} {memory:.0f} MiB")
