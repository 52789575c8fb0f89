"""CloudFormation templates, those of SAM, and what the CDK synthesises."""

from tenantproof.sources.cloudformation.reader import TemplateReader

__all__ = ["TemplateReader"]
