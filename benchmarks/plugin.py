"""What the plugin costs: a run of pytest that does not use it, and one that does.

Without it is ``-p no:tenantproof`` in the same environment. Each run is a process of its own.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import in_turn

EXAMPLE = Path(__file__).parents[1] / "examples" / "company-a-b"
RUNS = 31


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_one.py").write_text("def test_one(): pass\n")

        def without() -> None:
            pytest(folder, "-p", "no:tenantproof", "test_one.py")

        def unused() -> None:
            pytest(folder, "test_one.py")

        def used() -> None:
            pytest(folder, str(EXAMPLE / "tenantproof.toml"))

        for run in (without, unused, used):
            run()
        one, other, ratio = in_turn(without, unused, RUNS)
        more = statistics.median(u - w for w, u in zip(one.runs, other.runs, strict=True))
        print(f"pytest, one empty test, without the plugin   {one}")
        print(f"pytest, one empty test, plugin not used      {other}")
        print(f"not used / without, median of {RUNS} pairs: {ratio:.3f}, {more * 1000:.1f} ms more")
        _, other, _ = in_turn(without, used, RUNS // 3)
        print(f"pytest {EXAMPLE.name}/tenantproof.toml         {other}")


def pytest(folder: str, *args: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *args]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
