"""Reads policies that others wrote: how many are read, and why the others are refused.

The folder is named by ``TENANTPROOF_CORPUS``; without it the benchmark says so and does nothing.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from benchmarks.measure import seconds, shown
from tenantproof.errors import InputError
from tenantproof.policy import load_policy


def main() -> None:
    named = os.environ.get("TENANTPROOF_CORPUS")
    root = Path(named) if named else None
    if root is None or not root.is_dir():
        print("skipped: TENANTPROOF_CORPUS names no folder of policies")
        return
    refused: Counter[str] = Counter()
    files = sorted(root.rglob("*.json"))

    def read_all() -> None:
        refused.clear()
        for file in files:
            try:
                load_policy(file, name=str(file.relative_to(root)))
            except InputError as error:
                refused[str(error.problems[0])] += 1

    took = seconds(read_all)
    read = len(files) - refused.total()
    print(f"{read} of {len(files)} documents read in {shown(took)}; refused:")
    for reason in sorted(refused):
        print(f"  {reason}")
