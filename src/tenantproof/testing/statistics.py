"""What ``--hypothesis-show-statistics`` shows of the attacks on a question.

Hypothesis's own plugin collects statistics of functions only; this does the same for questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis.statistics import collector, describe_statistics


@contextmanager
def noted_for(item: pytest.Item) -> Iterator[None]:
    """Note the statistics of what Hypothesis does on an item, where its plugin looks for them."""
    described: list[str] = []

    def note(statistics: Any) -> None:
        statistics["nodeid"] = item.nodeid
        described.append(describe_statistics(statistics))
        # The name that Hypothesis's plugin reads when it makes the report.
        item.hypothesis_statistics = "\n".join(described)  # type: ignore[attr-defined]

    with collector.with_value(note):  # type: ignore[arg-type]
        yield
