"""What a reader of one kind of document is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tenantproof.account import Estate
from tenantproof.errors import Problem
from tenantproof.policy.json_reader import JsonNode


class Reader(Protocol):
    """Reads documents of one kind, all of them of one call of ``load_sources``.

    What documents say is put together at the end: an endpoint may be described in one file and
    its model in another, and an export may come in pages.
    """

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document is of this kind; its content decides, never its name."""
        ...

    def read(self, root: JsonNode, file: str, name: str) -> None:
        """Take in a document.

        Args:
            root: the document, or the part of a file that :meth:`recognises` knew.
            file: the file, as places name it.
            name: what the document is called: the file's name without its suffix, or the name of
                the member that holds it.
        """
        ...

    def estate(self) -> Estate:
        """What all documents say together; problems are reported, not raised."""
        ...


ReaderFactory = Callable[[list[Problem]], Reader]
"""Makes a reader that reports into a list of problems."""
