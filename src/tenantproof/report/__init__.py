"""A run's report as text and as JSON."""

from tenantproof.report.json_report import report_schema, to_json
from tenantproof.report.text import to_text

__all__ = ["report_schema", "to_json", "to_text"]
