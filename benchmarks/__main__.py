"""``python -m benchmarks [NAME ...]``: run the benchmarks named, or all of them."""

from __future__ import annotations

import sys

from benchmarks import (
    account,
    agreement,
    certificates,
    corpus,
    diff,
    engines,
    live,
    mutate,
    plugin,
    scale,
    startup,
    strategies,
    strings,
)

BENCHMARKS = {
    "strings": strings.main,
    "startup": startup.main,
    "scale": scale.main,
    "certificates": certificates.main,
    "corpus": corpus.main,
    "diff": diff.main,
    "strategies": strategies.main,
    "agreement": agreement.main,
    "mutate": mutate.main,
    "engines": engines.main,
    "plugin": plugin.main,
    "account": account.main,
    "live": live.main,
}


def main() -> None:
    """Run what the command line names."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"found {unknown[0]!r}, expected one of {', '.join(BENCHMARKS)}")
    for name in names:
        print(f"\n== {name}")
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
