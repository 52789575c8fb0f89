"""Where policies really live: sources, each read into the same model of the accounts."""

from tenantproof.sources.loading import load_sources

__all__ = ["load_sources"]
