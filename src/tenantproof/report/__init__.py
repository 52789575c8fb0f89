"""Reports as text and as JSON: of a run, and of a comparison.

Those of a survey of mutants are in :mod:`tenantproof.report.mutate_text` and ``mutate_json``: who
asks for no mutants does not pay for importing what makes them.
"""

from tenantproof.report.diff_json import diff_schema, diff_to_json
from tenantproof.report.diff_text import diff_to_text
from tenantproof.report.json_report import report_schema, to_json
from tenantproof.report.text import to_text

__all__ = [
    "diff_schema",
    "diff_to_json",
    "diff_to_text",
    "report_schema",
    "to_json",
    "to_text",
]
