"""The IAM policy simulator and the live account as a third opinion on findings."""
