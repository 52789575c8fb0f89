"""Terraform: what ``terraform show -json`` prints of a plan or of a state."""

from tenantproof.sources.terraform.reader import TerraformReader

__all__ = ["TerraformReader"]
