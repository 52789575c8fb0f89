"""Reports as text and as JSON: of a run, of a comparison, and of a survey of mutants."""

from tenantproof.report.diff_json import diff_schema, diff_to_json
from tenantproof.report.diff_text import diff_to_text
from tenantproof.report.json_report import report_schema, request_to_json, to_json
from tenantproof.report.mutate_json import mutation_schema, mutation_to_json
from tenantproof.report.mutate_text import mutation_to_text
from tenantproof.report.text import to_text

__all__ = [
    "diff_schema",
    "diff_to_json",
    "diff_to_text",
    "mutation_schema",
    "mutation_to_json",
    "mutation_to_text",
    "report_schema",
    "request_to_json",
    "to_json",
    "to_text",
]
