"""Every operation of AWS's API that collecting calls, each of which is a permission."""

from __future__ import annotations

from enum import Enum


class Operation(Enum):
    """An operation; the value is the permission that it needs, ``service:Name``."""

    ACCOUNT = "iam:GetAccountAuthorizationDetails"
    LIST_ENDPOINTS = "sagemaker:ListEndpoints"
    LIST_MODELS = "sagemaker:ListModels"
    LIST_COMPONENTS = "sagemaker:ListInferenceComponents"
    LIST_TAGS = "sagemaker:ListTags"
    DESCRIBE_ENDPOINT = "sagemaker:DescribeEndpoint"
    DESCRIBE_CONFIG = "sagemaker:DescribeEndpointConfig"
    DESCRIBE_MODEL = "sagemaker:DescribeModel"
    DESCRIBE_COMPONENT = "sagemaker:DescribeInferenceComponent"
    BUCKET_POLICY = "s3:GetBucketPolicy"
    BUCKET_LOCATION = "s3:GetBucketLocation"
    DESCRIBE_ORGANIZATION = "organizations:DescribeOrganization"
    LIST_PARENTS = "organizations:ListParents"
    LIST_POLICIES = "organizations:ListPoliciesForTarget"
    DESCRIBE_POLICY = "organizations:DescribePolicy"

    @property
    def service(self) -> str:
        """The service, as boto3 names it."""
        return self.value.partition(":")[0]

    @property
    def call(self) -> str:
        """The operation's name in the service's API."""
        return self.value.partition(":")[2]
