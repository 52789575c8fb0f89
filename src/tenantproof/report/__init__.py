"""Reports as text and as JSON: of a run, and of a comparison."""

from tenantproof.report.diff_json import diff_schema, diff_to_json
from tenantproof.report.diff_text import diff_to_text
from tenantproof.report.json_report import report_schema, request_to_json, to_json
from tenantproof.report.text import to_text

__all__ = [
    "diff_schema",
    "diff_to_json",
    "diff_to_text",
    "report_schema",
    "request_to_json",
    "to_json",
    "to_text",
]
