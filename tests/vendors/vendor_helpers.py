"""Policies and settings that the tests of vendors share."""

from __future__ import annotations

from typing import Any

from hypothesis import Phase, settings

from tenantproof.vendors import Vendor, VendorReport, check_vendor

ENDPOINT = "arn:aws:sagemaker:us-east-1:111122223333:endpoint/models"
OWNS = "{tenant}/*"
RULE = "[a-z][a-z-]{0,8}"

few = settings(max_examples=5, phases=[Phase.generate], database=None)
"""For what is found among the names always tried, and for proofs."""

shrinking = settings(max_examples=10, database=None)


def invoke(*models: str, **changes: Any) -> dict[str, Any]:
    """A policy that allows to invoke some models."""
    statement = {
        "Effect": "Allow",
        "Action": "sagemaker:InvokeEndpoint",
        "Resource": ENDPOINT,
        "Condition": {"StringLike": {"sagemaker:TargetModel": list(models)}},
    }
    return {"Version": "2012-10-17", "Statement": [{**statement, **changes}]}


def check(
    render: Any,
    names: Any = RULE,
    *,
    timeout: float | None = 30.0,
    drawing: settings = few,
    **changes: Any,
) -> VendorReport:
    """The report on a vendor whose tenants own what stands under their name."""
    fields = {"endpoints": (ENDPOINT,), "owns": (OWNS,), "names": names, **changes}
    return check_vendor(Vendor(render, **fields), timeout=timeout, settings=drawing)
