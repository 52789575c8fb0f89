"""Where policies really live: folders, account exports, templates, all read into one estate."""

from tenantproof.sources.homes import Deployment
from tenantproof.sources.loading import load_sources

__all__ = ["Deployment", "load_sources"]
