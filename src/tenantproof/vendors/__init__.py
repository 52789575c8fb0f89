"""Policy vendors: functions that render the policies of a tenant from its name."""

from tenantproof.vendors.checking import (
    assert_vendor_isolated,
    check_vendor,
)
from tenantproof.vendors.findings import (
    AllNames,
    Crossing,
    NoPolicy,
    Nothing,
    Raised,
    Unsteady,
    VendorFinding,
    VendorReport,
)
from tenantproof.vendors.names import hostile_names
from tenantproof.vendors.text import to_text
from tenantproof.vendors.vendor import Vendor, policy_vendor, vendor_of

__all__ = [
    "AllNames",
    "Crossing",
    "NoPolicy",
    "Nothing",
    "Raised",
    "Unsteady",
    "Vendor",
    "VendorFinding",
    "VendorReport",
    "assert_vendor_isolated",
    "check_vendor",
    "hostile_names",
    "policy_vendor",
    "to_text",
    "vendor_of",
]
