"""Proves that the IAM policies of a SageMaker multi-model endpoint keep tenants apart.

Or shows the request that gets across. See the README for the command line, and
:mod:`tenantproof.policy`, :mod:`tenantproof.evaluate`, :mod:`tenantproof.prove` and
:mod:`tenantproof.isolation` for the library.
"""

__version__ = "0.1.0"
