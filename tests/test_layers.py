"""The layers import downward only, and the two readings do not know each other."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

BELOW: dict[str, set[str]] = {
    "errors": set(),
    "reading": set(),
    "request": set(),
    "policy": {"errors"},
    "evaluate": {"errors", "policy", "reading", "request"},
    "prove": {"errors", "policy", "reading", "request"},
    "isolation": {"errors", "evaluate", "policy", "prove", "reading", "request"},
    "compare": {"errors", "evaluate", "isolation", "policy", "prove", "reading", "request"},
    "mutate": {"compare", "errors", "isolation", "policy", "prove", "request"},
    "certificate": {"errors", "evaluate", "policy", "reading", "request"},
    "certify": {"certificate", "errors", "isolation", "policy"},
    "report": {"compare", "errors", "isolation", "mutate", "policy", "prove", "request"},
    "simulate": {"errors", "evaluate", "policy", "request"},
    "cli": {
        "certificate",
        "certify",
        "compare",
        "errors",
        "isolation",
        "mutate",
        "prove",
        "report",
        "simulate",
    },
}
FORBIDDEN = {"boto3", "botocore", "hypothesis", "pytest"}


def root() -> Path:
    spec = importlib.util.find_spec("tenantproof")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


MODULES = sorted(
    path for path in root().rglob("*.py") if path.parent != root() or path.stem in BELOW
)


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(root())))
def test_a_module_imports_from_below(path: Path) -> None:
    layer = path.relative_to(root()).parts[0].removesuffix(".py")
    for name in imported(path):
        package, _, rest = name.partition(".")
        assert package not in FORBIDDEN
        if package == "tenantproof" and rest:
            assert rest.partition(".")[0] in BELOW[layer] | {layer}
        if package == "z3":
            assert path.stem in {"logic", "z3_strings"}
        if package == "cvc5":
            assert path.stem == "cvc5_strings"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(root())))
def test_the_checker_does_not_know_the_generator(path: Path) -> None:
    if path.parent.name == "certificate":
        assert "tenantproof.certificate.tableau" not in set(imported(path))
