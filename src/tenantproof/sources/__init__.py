"""Where policies really live: folders, account exports, templates, all read into one estate."""

from tenantproof.sources.loading import load_sources

__all__ = ["load_sources"]
