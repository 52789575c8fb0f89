"""Collecting what decides access in an account into a snapshot that is read offline."""

from tenantproof.pull.engine import pull
from tenantproof.pull.operations import Operation
from tenantproof.pull.outcome import MissingPart, Pulled, PullSettings, summary

__all__ = ["MissingPart", "Operation", "PullSettings", "Pulled", "pull", "summary"]
