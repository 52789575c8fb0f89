"""What a source leaves out, as it is listed while the source is read."""

from __future__ import annotations

from tenantproof.account import Gap
from tenantproof.errors import Place


class Listing:
    """Gaps, each once, in the order in which they were found."""

    def __init__(self) -> None:
        self._gaps: dict[Gap, None] = {}

    def gap(
        self, message: str, place: Place, *, matters: bool = True, has_stand_in: bool = False
    ) -> None:
        """List something, as :class:`~tenantproof.account.Gap` tells the kinds apart."""
        self._gaps.setdefault(Gap(message, place, matters, has_stand_in))

    def gaps(self) -> tuple[Gap, ...]:
        """Everything that was listed."""
        return tuple(self._gaps)
