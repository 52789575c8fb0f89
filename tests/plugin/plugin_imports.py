"""pytester forgets what a run inside of it imported: all of ours is imported before.

Otherwise classes would be there twice, and policies made with one would be none of the other.
"""

from __future__ import annotations

import importlib
import pkgutil

import tenantproof
import tenantproof_strategies

for package in (tenantproof, tenantproof_strategies):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if "cvc5" not in module.name:
            importlib.import_module(module.name)
