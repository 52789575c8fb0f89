"""The pytest plugin: what pytest loads at its start.

Nothing heavy is imported here: a run that does not use tenantproof must not notice it.
"""
