"""The texts that policies and requests are made of: few, and near each other."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

NAMES = ("acme", "acme-corp", "Acme", "common", "team-acme", "a", "ab")
SEGMENTS = (*NAMES, "v1", "model.tar.gz", "")
REGIONS = ("us-east-1", "us-west-2", "eu-west-1")
ACCOUNTS = ("111122223333", "444455556666")
TAG_KEYS = ("tenant", "team")
ENDPOINTS = ("models", "models-eu", "acme")
ACTIONS = (
    "sagemaker:InvokeEndpoint",
    "sagemaker:InvokeEndpointAsync",
    "sagemaker:InvokeEndpointWithResponseStream",
    "sagemaker:DescribeEndpoint",
    "s3:GetObject",
)
TARGET_MODEL = "sagemaker:TargetModel"

STRING_KEYS = (
    TARGET_MODEL,
    "aws:PrincipalTag/tenant",
    "aws:RequestedRegion",
    "aws:username",
    "aws:SourceIdentity",
    "s3:prefix",
)
SET_KEYS = ("aws:TagKeys", "aws:CalledVia")
ARN_KEYS = ("aws:PrincipalArn", "aws:SourceArn")
BOOL_KEYS = ("aws:SecureTransport", "aws:MultiFactorAuthPresent")
NUMERIC_KEYS = ("aws:MultiFactorAuthAge", "s3:max-keys")
DATE_KEYS = ("aws:CurrentTime", "aws:TokenIssueTime")
IP_KEYS = ("aws:SourceIp", "aws:VpcSourceIp")
BINARY_KEYS = ("example:Digest",)

NUMBERS = ("0", "1", "1.0", "-2.5", "3600", "10")
DATES = ("2026", "2026-01-31", "2026-01-31T12:00:00Z", "2026-01-31T14:00:00+02:00", "1769860800")
ADDRESSES = ("203.0.113.7", "203.0.113.200", "10.0.0.1", "2001:db8::1", "2001:db8:1::")
NETWORKS = ("203.0.113.0/24", "203.0.113.7", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32")
BINARIES = ("", "QUJD", "QUJE")


@cache
def paths(segments: tuple[str, ...] = SEGMENTS) -> st.SearchStrategy[str]:
    """Slash-separated paths of one to three segments of the vocabulary."""
    return st.lists(st.sampled_from(segments), min_size=1, max_size=3).map("/".join)


@cache
def arns() -> st.SearchStrategy[str]:
    """ARNs of endpoints, buckets, users and roles."""
    return st.one_of(
        st.builds(
            "arn:aws:sagemaker:{}:{}:endpoint/{}".format,
            st.sampled_from(REGIONS),
            st.sampled_from(ACCOUNTS),
            st.sampled_from(ENDPOINTS),
        ),
        st.builds("arn:aws:s3:::{}/{}".format, st.sampled_from(NAMES), paths()),
        st.builds(
            "arn:aws:iam::{}:{}/{}".format,
            st.sampled_from(ACCOUNTS),
            st.sampled_from(("user", "role", "role:x")),
            st.sampled_from(NAMES),
        ),
    )
