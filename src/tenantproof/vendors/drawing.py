"""Drawing pairs of names with Hypothesis: its profile says how many, its database replays."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING
from unittest import SkipTest

from tenantproof.vendors.vendor import Vendor

if TYPE_CHECKING:
    import hypothesis
    from hypothesis.strategies import SearchStrategy

Pair = tuple[str, str]


def smallest_pair(
    vendor: Vendor,
    near: Iterable[str],
    fails: Callable[[Pair], bool],
    settings: hypothesis.settings | None,
    database_key: bytes,
) -> Pair | None:
    """The smallest pair of names for which something fails, among those that Hypothesis draws.

    Args:
        vendor: whose tenants' names are drawn.
        near: names to draw neighbours of.
        fails: whether a pair fails.
        settings: Hypothesis's settings; the profile's without them.
        database_key: under what Hypothesis keeps the pairs that failed.
    """
    # Who proves policies outside of tests need not have Hypothesis loaded.
    from hypothesis import find  # noqa: PLC0415
    from hypothesis import settings as profile  # noqa: PLC0415
    from hypothesis.errors import NoSuchExample, Unsatisfiable  # noqa: PLC0415

    chosen = profile(settings or profile(), deadline=None)
    try:
        return find(_pairs(vendor, near), fails, settings=chosen, database_key=database_key)
    except (NoSuchExample, Unsatisfiable, SkipTest):
        # Unsatisfiable is what Hypothesis calls names of which too many are excluded, skipped a
        # profile that draws nothing.
        return None


def _pairs(vendor: Vendor, near: Iterable[str]) -> SearchStrategy[Pair]:
    from hypothesis import strategies as st  # noqa: PLC0415

    from tenantproof_strategies import tenant_names  # noqa: PLC0415

    match vendor.names:
        case None | str():
            names = tenant_names(near, names=vendor.names)
        case tuple(listed):
            names = st.sampled_from(listed)
        case strategy:
            names = strategy
    admitted = names.filter(lambda name: not vendor.excludes(name)) if vendor.excluded else names
    return st.tuples(admitted, admitted)
