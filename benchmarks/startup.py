"""A whole process: ``tenantproof check examples/company-a-b`` against ``python -c "import z3"``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.measure import in_turn

EXAMPLE = Path(__file__).parents[1] / "examples" / "company-a-b"
RUNS = 21


def main() -> None:
    def check() -> None:
        code = "from tenantproof.cli import main; main()"
        run("-c", code, "check", str(EXAMPLE))

    def import_z3() -> None:
        run("-c", "import z3")

    check()
    import_z3()
    checked, imported, ratio = in_turn(check, import_z3, RUNS)
    print(f"tenantproof check   {checked}")
    print(f"import z3           {imported}")
    print(f"ratio check / import, median of {RUNS} pairs: {1 / ratio:.2f}")


def run(*args: str) -> None:
    subprocess.run([sys.executable, *args], check=True, capture_output=True)
