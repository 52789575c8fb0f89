"""Hypothesis strategies for IAM policies and requests on multi-model endpoints."""
