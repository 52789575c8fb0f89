"""The layers import downward only, and the two readings do not know each other."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
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
    "account": {"errors", "policy"},
    "sources": {"account", "errors", "policy"},
    "isolation": {
        "account",
        "errors",
        "evaluate",
        "policy",
        "prove",
        "reading",
        "request",
        "sources",
    },
    "compare": {"errors", "evaluate", "isolation", "policy", "prove", "reading", "request"},
    "mutate": {"compare", "errors", "isolation", "policy", "prove", "reading", "request"},
    "certificate": {"errors", "evaluate", "policy", "reading", "request"},
    "certify": {"certificate", "errors", "isolation", "policy"},
    "report": {"compare", "errors", "isolation", "mutate", "policy", "prove", "request"},
    "aws": {"errors"},
    "live": {"aws", "errors", "evaluate", "isolation", "policy", "reading", "request"},
    "pull": {"account", "aws", "errors", "policy", "sources"},
    "init": {"account", "errors", "policy", "sources"},
    "simulate": {"errors", "evaluate", "policy", "request"},
    "explain": {
        "errors",
        "evaluate",
        "isolation",
        "prove",
        "reading",
        "report",
        "request",
    },
    "testing": {
        "compare",
        "errors",
        "explain",
        "aws",
        "isolation",
        "live",
        "mutate",
        "policy",
        "prove",
        "pytest_plugin",
        "reading",
        "report",
        "request",
        "vendors",
    },
    "pytest_plugin": {"compare", "policy", "testing", "vendors"},
    "vendors": {"errors", "isolation", "policy", "prove", "report", "request"},
    "cli": {
        "aws",
        "certificate",
        "certify",
        "compare",
        "errors",
        "explain",
        "init",
        "isolation",
        "live",
        "mutate",
        "prove",
        "pull",
        "report",
        "simulate",
        "sources",
    },
}
FORBIDDEN = {"boto3", "botocore", "hypothesis", "pytest", "tenantproof_strategies"}
FACES_OF_TESTS = {"testing", "pytest_plugin"}
"""Layers that pytest and Hypothesis belong to."""
# When names are drawn Hypothesis draws them; importing the package does not load it.
# AWS's library is loaded by who was asked to speak with AWS.
WHEN_CALLED = {
    "aws": {"boto3", "botocore"},
    "live": {"boto3", "botocore"},
    "pull": {"boto3", "botocore"},
    "vendors": {"hypothesis", "tenantproof_strategies"},
}


def root() -> Path:
    spec = importlib.util.find_spec("tenantproof")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


MODULES = sorted(
    path for path in root().rglob("*.py") if path.parent != root() or path.stem in BELOW
)


def imported(path: Path) -> Iterator[str]:
    yield from imported_by(ast.parse(path.read_text("utf-8")))


def imported_by(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def imported_at_once(path: Path) -> set[str]:
    """What importing a module imports: not what its functions do, nor what only types need."""

    def imports(nodes: list[ast.stmt]) -> Iterator[ast.stmt]:
        for node in nodes:
            match node:
                case ast.Import() | ast.ImportFrom():
                    yield node
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    continue
                case ast.If(test=ast.Name("TYPE_CHECKING")):
                    continue
                case _:
                    for name in ("body", "handlers", "orelse", "finalbody"):
                        yield from imports(getattr(node, name, []))

    tree = ast.parse(path.read_text("utf-8"))
    return set(imported_by(ast.Module(list(imports(tree.body)), [])))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(root())))
def test_a_module_imports_from_below(path: Path) -> None:
    layer = path.relative_to(root()).parts[0].removesuffix(".py")
    for name in imported(path):
        package, _, rest = name.partition(".")
        allowed = FORBIDDEN if layer in FACES_OF_TESTS else WHEN_CALLED.get(layer, set())
        assert package not in FORBIDDEN - allowed
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


@pytest.mark.parametrize("layer", WHEN_CALLED)
def test_what_is_allowed_when_called_is_not_imported_at_once(layer: str) -> None:
    paths = [path for path in MODULES if path.relative_to(root()).parts[0] == layer]
    assert paths
    for path in paths:
        at_once = {name.partition(".")[0] for name in imported_at_once(path)}
        assert not at_once & FORBIDDEN


def test_importing_the_package_is_cheap() -> None:
    code = "import sys, tenantproof; print([m for m in sys.modules if 'tenantproof.' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
