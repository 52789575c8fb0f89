"""What Hypothesis calls when it is imported: which strategy makes which of our types.

Every import of Hypothesis pays for this module, whoever makes it. So it imports nothing of ours:
types are registered when somebody imports them, and strategies are imported when one is first
asked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hypothesis import strategies as st

    from tenantproof.policy import PolicyDocument, PolicySet
    from tenantproof.request import Principal, Request


def register() -> None:
    """Register strategies for tenantproof's types, so that ``st.from_type(Request)`` works."""
    waiting = set()
    for name, register_types in _TYPES.items():
        if name in sys.modules:
            register_types(sys.modules[name])
        else:
            waiting.add(name)
    if waiting:
        sys.meta_path.insert(0, _WhenImported(waiting))


def _register_requests(request: Any) -> None:
    # Not above: who imports this module first would import Hypothesis, and that this module.
    from hypothesis import strategies as st  # noqa: PLC0415

    st.register_type_strategy(request.Principal, _principals)
    st.register_type_strategy(request.Request, _requests)


def _register_policies(policy: Any) -> None:
    from hypothesis import strategies as st  # noqa: PLC0415

    st.register_type_strategy(policy.PolicyDocument, _documents)
    st.register_type_strategy(policy.PolicySet, _policy_sets)


_TYPES: dict[str, Callable[[Any], None]] = {
    "tenantproof.request": _register_requests,
    "tenantproof.policy": _register_policies,
}


class _WhenImported(MetaPathFinder):
    """Registers the types of modules once these have been imported."""

    def __init__(self, waiting: set[str]) -> None:
        self._waiting = waiting

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the other finders find it again
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """The spec that the other finders have, with a loader that registers the types, too."""
        if fullname not in self._waiting:
            return None
        self._waiting.remove(fullname)
        spec = find_spec(fullname)
        if spec is not None and spec.loader is not None:
            spec.loader = _Registering(spec.loader)
        return spec


class _Registering(Loader):
    """Loads a module as another loader does, then registers its types."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """What the other loader creates."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module by the other loader, which is the one that it keeps."""
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _TYPES[module.__name__](module)


def _documents(_: type[PolicyDocument]) -> st.SearchStrategy[PolicyDocument]:
    from tenantproof_strategies.grammar import policies  # noqa: PLC0415

    return policies()


def _policy_sets(_: type[PolicySet]) -> st.SearchStrategy[PolicySet]:
    from tenantproof_strategies.grammar import policy_sets  # noqa: PLC0415

    return policy_sets()


def _principals(_: type[Principal]) -> st.SearchStrategy[Principal]:
    from tenantproof_strategies.callers import principals  # noqa: PLC0415

    return principals()


def _requests(_: type[Request]) -> st.SearchStrategy[Request]:
    """Requests near policies that are drawn and thrown away."""
    from tenantproof_strategies.calls import requests  # noqa: PLC0415
    from tenantproof_strategies.grammar import policy_sets  # noqa: PLC0415

    return policy_sets().flatmap(requests)
