"""What there is in the accounts: identities, endpoints and what they serve, buckets.

The one model that every source is read into, and that the routes to an artifact are asked of.
"""

from tenantproof.account.model import (
    Bucket,
    Container,
    Estate,
    Gap,
    Group,
    HostedEndpoint,
    Identity,
    IdentityKind,
    InferenceComponent,
    ManagedPolicy,
    Model,
    Organization,
    Part,
    Unread,
    Variant,
)
from tenantproof.account.s3 import S3Location, parse_s3
from tenantproof.account.unread import unread_endpoint, unread_identity

__all__ = [
    "Bucket",
    "Container",
    "Estate",
    "Gap",
    "Group",
    "HostedEndpoint",
    "Identity",
    "IdentityKind",
    "InferenceComponent",
    "ManagedPolicy",
    "Model",
    "Organization",
    "Part",
    "S3Location",
    "Unread",
    "Variant",
    "parse_s3",
    "unread_endpoint",
    "unread_identity",
]
