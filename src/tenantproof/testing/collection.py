"""Which files a run collects as manifests: all that are named, and no others."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tenantproof.testing.items import ManifestFile
from tenantproof.testing.state import State, shown


@dataclass(eq=False)
class Collection:
    """A plugin that runs register which use tenantproof.

    What is named is asked: pytest by itself walks into no folder that is called ``build`` or
    begins with a dot, and a manifest in one must not be passed over in silence.
    """

    state: State
    _named: frozenset[Path] = frozenset()
    _around: frozenset[Path] = frozenset()
    _expected: frozenset[Path] = frozenset()
    _opened: set[Path] = field(default_factory=set)
    _collected: set[Path] = field(default_factory=set)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """Leave manifests to the folders that are arguments, too, and that they lie in.

        Of a file and a folder around it pytest forgets one: before version 9 the folder.
        """
        config = session.config
        if config.pluginmanager.has_plugin("dsession"):
            # The workers of pytest-xdist collect, and are told these arguments.
            return
        self._expected = frozenset(self.state.named)
        self._named = self._expected.union(self.state.manifests)
        self._around = frozenset(folder for path in self._named for folder in path.parents)
        config.args[:] = self._outermost(config.args)

    def _outermost(self, arguments: list[str]) -> Iterator[str]:
        paths = [self.state.path_of(each) for each in arguments]
        whole = {path for path, each in zip(paths, arguments, strict=True) if "::" not in each}
        seen: set[Path] = set()
        for argument, path in zip(arguments, paths, strict=True):
            is_twice = path in seen or ("::" in argument and path in whole)
            if path not in self._named:
                yield argument
            elif not is_twice and whole.isdisjoint(path.parents):
                seen.update({path} & whole)
                yield argument

    @pytest.hookimpl(wrapper=True)
    def pytest_ignore_collect(
        self, collection_path: Path
    ) -> Generator[None, bool | None, bool | None]:
        """Of a folder that is ignored, collect what is named and nothing else."""
        ignored = yield
        if collection_path in self._named:
            return False
        if collection_path in self._around:
            if ignored:
                self._opened.add(collection_path)
            return False
        return ignored or not self._opened.isdisjoint(collection_path.parents)

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> ManifestFile | None:
        """A manifest that is named."""
        if file_path not in self._named:
            return None
        self._collected.add(file_path)
        collected: ManifestFile = ManifestFile.from_parent(parent, path=file_path, state=self.state)
        return collected

    def pytest_collection_modifyitems(self) -> None:
        """A gate that asks nothing must not pass.

        Raises:
            pytest.UsageError: something kept pytest from a manifest that is named.
        """
        missed = ", ".join(map(shown, sorted(self._expected - self._collected)))
        if missed:
            raise pytest.UsageError(f"tenantproof: {missed} was named but not collected")
