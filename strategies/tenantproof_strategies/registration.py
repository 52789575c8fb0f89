"""What Hypothesis calls when it is imported: which strategy makes which of our types."""

from __future__ import annotations


def register() -> None:
    """Register strategies for tenantproof's types, so that ``st.from_type(Request)`` works."""
