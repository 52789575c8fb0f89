"""Tenants, endpoints and the questions: isolated, reaches, can, cannot."""

from tenantproof.isolation.asking import DEFAULT_TIMEOUT
from tenantproof.isolation.findings import (
    Blame,
    CertificateNote,
    Escape,
    Evidence,
    Finding,
    Opinion,
    Probe,
    Question,
    Report,
    Standing,
    Step,
    Verdict,
)
from tenantproof.isolation.manifest import Manifest, find_manifest, load_manifest
from tenantproof.isolation.questions import Run

__all__ = [
    "DEFAULT_TIMEOUT",
    "Blame",
    "CertificateNote",
    "Escape",
    "Evidence",
    "Finding",
    "Manifest",
    "Opinion",
    "Probe",
    "Question",
    "Report",
    "Run",
    "Standing",
    "Step",
    "Verdict",
    "find_manifest",
    "load_manifest",
]
