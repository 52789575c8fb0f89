"""Proves that the IAM policies of a SageMaker multi-model endpoint keep tenants apart.

Or shows the request that gets across. See the README for the command line, and
:mod:`tenantproof.policy`, :mod:`tenantproof.evaluate`, :mod:`tenantproof.prove` and
:mod:`tenantproof.isolation` for the library, :mod:`tenantproof.vendors` for functions that render
policies.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tenantproof.vendors import assert_vendor_isolated, policy_vendor

__version__ = "0.1.0"

__all__ = ["__version__", "assert_vendor_isolated", "policy_vendor"]


def __getattr__(name: str) -> object:
    """What tests use, imported when it is used: ``import tenantproof`` loads nothing heavy."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tenantproof import vendors  # noqa: PLC0415

    return getattr(vendors, name)
