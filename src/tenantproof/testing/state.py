"""What one run of pytest keeps: its options, the manifests that it read, what was answered."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tenantproof import __version__
from tenantproof.compare import Comparison
from tenantproof.errors import InputError, Place, Problem
from tenantproof.isolation.manifest import MANIFEST_NAME
from tenantproof.policy import note_read
from tenantproof.prove.engines import ENGINES
from tenantproof.testing.checks import Checks, Options, Outcome
from tenantproof.testing.isolation import Isolation
from tenantproof.testing.properties import properties_of, properties_of_comparison

if TYPE_CHECKING:
    from tenantproof.testing.live import Live

MARKER = "tenantproof"


@dataclass
class State:
    """What one run keeps.

    Attributes:
        config: pytest's configuration.
        item: where its stash holds the test that runs.
        options: how questions are asked.
        manifests: the manifests that options and the configuration name.
        assumptions: of each manifest asked about, what every PROVED rests on.
        live: who else is asked about the answers; None where nobody is.
    """

    config: pytest.Config
    item: pytest.StashKey[pytest.Item]
    options: Options
    manifests: tuple[Path, ...] = ()
    assumptions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    live: Live | None = None
    _checks: dict[Path, Checks] = field(default_factory=dict)

    @classmethod
    def of(cls, config: pytest.Config, item: pytest.StashKey[pytest.Item]) -> State:
        """The state at the beginning of a run.

        Raises:
            pytest.UsageError: an option has a value that it cannot have.
        """
        return cls(config, item, _options(config), tuple(dict.fromkeys(_manifests(config))))

    def connect(self) -> None:
        """Ask AWS about the answers, too; that there are no credentials is said at once.

        Raises:
            pytest.UsageError: there are none, or an option has a value that it cannot have.
        """
        from tenantproof.testing.live import LiveSettings  # noqa: PLC0415 (who asks pays for it)

        settings = LiveSettings.of(self.config)
        self.options = replace(self.options, samples=settings.samples)
        if not self.config.option.collectonly:
            self.live = settings.connected()

    def must_not_be_given(self, options: tuple[str, ...]) -> None:
        """Where AWS is not asked, nothing says how.

        Raises:
            pytest.UsageError: one of the options is given on the command line.
        """
        given = [
            f"--tenantproof-{name.replace('_', '-')}"
            for name in options
            if getattr(self.config.option, f"tenantproof_{name}") is not None
        ]
        if given:
            raise pytest.UsageError(
                f"{', '.join(given)}: AWS is asked with --tenantproof-live alone"
            )

    def more_arguments(self) -> list[str]:
        """The manifests to collect beside what the command line names.

        Those of the configuration file are collected where pytest itself decides what to collect:
        ``pytest tests/test_one.py`` is about that file.
        """
        chosen = _paths(self.config.option.tenantproof_manifest, _invoked_in(self.config))
        if self.config.args_source is not pytest.Config.ArgsSource.ARGS:
            chosen = list(self.manifests)
        return [str(path) for path in chosen]

    @property
    def mutates(self) -> bool:
        """Whether mutants are made when the tests have run."""
        option = self.config.option
        chosen = option.tenantproof_mutate or option.tenantproof_mutate_fail_under
        return bool(chosen or self.config.getini("tenantproof_mutate"))

    @property
    def named(self) -> tuple[Path, ...]:
        """The manifests that arguments name, those of options and the configuration among them."""
        paths = map(self.path_of, self.config.args)
        return tuple(path for path in paths if path.suffix == ".toml" and path.is_file())

    def path_of(self, argument: str) -> Path:
        """The path that an argument begins with, before the names of tests."""
        return _absolute(_invoked_in(self.config) / argument.partition("::")[0])

    def header(self) -> str:
        """The line at the top of the run."""
        options = self.options
        named = [shown(path) for path in self.manifests]
        about = f", manifests: {', '.join(named)}" if named else ""
        return (
            f"tenantproof: {__version__}, engine {options.engine},"
            f" {options.timeout:g} s a question{', asks AWS' if self.live else ''}{about}"
        )

    # -- what tests use ------------------------------------------------------------------------

    def checks(self, path: Path) -> Checks:
        """The questions of a manifest, read once a run.

        Raises:
            InputError: with every problem of the manifest and its policies.
        """
        key = path.resolve()
        if key not in self._checks:
            self._checks[key] = Checks.of(Path(shown(path)), self.options)
        note_read(self._checks[key].manifest.files)
        return self._checks[key]

    @property
    def asked_about(self) -> tuple[Path, ...]:
        """The manifests that were asked about so far."""
        return tuple(sorted(self._checks))

    @contextmanager
    def reading_again(self) -> Iterator[None]:
        """Read manifests again within the context, whose policies are others; attack nothing."""
        checks, options = self._checks, self.options
        self._checks, self.options = {}, replace(options, attack=False)
        try:
            yield
        finally:
            self._checks, self.options = checks, options

    @property
    def isolation(self) -> Isolation:
        """The access tests of whichever test runs."""
        return Isolation(
            self._current_checks, self.answered, self.compared, self._folder, self.options
        )

    def answered(self, outcome: Outcome, manifest: Checks) -> None:
        """Note an answer on the test that asked for it, for reports."""
        self.assumed(manifest)
        item = self._item()
        if item is not None:
            item.user_properties += properties_of(outcome)

    def compared(self, comparison: Comparison) -> None:
        """Note a comparison on the test that asked for it, for reports."""
        item = self._item()
        if item is not None:
            item.user_properties += properties_of_comparison(comparison)

    def assumed(self, checks: Checks) -> None:
        """Note what the proofs about a manifest rest on."""
        if checks.manifest.file not in self.assumptions:
            self.assumptions[checks.manifest.file] = checks.run.assumptions()

    def runs(self, item: pytest.Item) -> None:
        """Note which test runs, where it is not pytest that runs it."""
        self.config.stash[self.item] = item

    def _item(self) -> pytest.Item | None:
        return self.config.stash.get(self.item, None)

    def _folder(self) -> Path:
        item = self._item()
        return self.config.rootpath if item is None else item.path.parent

    def _current_checks(self) -> Checks:
        return self.checks(self._manifest_of_test())

    def _manifest_of_test(self) -> Path:
        """The manifest that the running test is about: by its marker, else the one there is."""
        item = self._item()
        marker = None if item is None else item.get_closest_marker(MARKER)
        if item is not None and marker is not None:
            return item.path.parent / marked(marker, item)
        if len(self.manifests) == 1:
            return self.manifests[0]
        found = next(self._above(self._folder()), None)
        if found is not None:
            return found
        several = ", ".join(map(shown, self.manifests)) or "no manifest"
        message = (
            f"found {several}, expected a marker that says which one the test is about:"
            f' @pytest.mark.{MARKER}(manifest="...")'
        )
        raise InputError([Problem(message, Place(item.nodeid if item else "pytest", "isolation"))])

    def _above(self, folder: Path) -> Iterator[Path]:
        """The manifests in a folder and those around it, up to the root of the tests."""
        for each in (folder, *folder.parents):
            if (each / MANIFEST_NAME).is_file():
                yield each / MANIFEST_NAME
            if each == self.config.rootpath:
                return


def marked(marker: pytest.Mark, item: pytest.Item) -> str:
    """The path that a marker gives.

    Raises:
        InputError: the marker gives something else.
    """
    path = marker.kwargs.get("manifest", marker.args[0] if len(marker.args) == 1 else None)
    if not isinstance(path, str | os.PathLike) or len(marker.args) + len(marker.kwargs) != 1:
        given = ", ".join(
            [*map(repr, marker.args), *(f"{k}={v!r}" for k, v in marker.kwargs.items())]
        )
        message = f'found the marker {MARKER}({given}), expected {MARKER}(manifest="...")'
        raise InputError([Problem(message, Place(item.nodeid, "marker"))])
    return os.fspath(path)


def _options(config: pytest.Config) -> Options:
    options = Options(
        engine=config.option.tenantproof_engine
        or config.getini("tenantproof_engine")
        or "automata",
        lenient=_first(config.option.tenantproof_lenient, config.getini("tenantproof_lenient")),
        attack=_first(config.option.tenantproof_attack, config.getini("tenantproof_attack")),
    )
    if options.engine not in (*ENGINES, "all"):
        known = ", ".join((*ENGINES, "all"))
        raise pytest.UsageError(
            f"tenantproof_engine: found {options.engine!r}, expected one of {known}"
        )
    text = config.option.tenantproof_timeout or config.getini("tenantproof_timeout")
    return replace(options, timeout=_seconds(str(text))) if text else options


def _first(option: bool | None, ini: bool) -> bool:
    return ini if option is None else option


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 1e9:
        raise pytest.UsageError(f"tenantproof_timeout: found {text!r}, expected seconds above 0")
    return seconds


def _invoked_in(config: pytest.Config) -> Path:
    return config.invocation_params.dir


def _manifests(config: pytest.Config) -> Iterator[Path]:
    yield from _paths(config.option.tenantproof_manifest, _invoked_in(config))
    folder = config.inipath.parent if config.inipath is not None else config.rootpath
    yield from _paths(config.getini("tenantproof"), folder)


def _paths(given: list[str], folder: Path) -> list[Path]:
    """The manifests that paths and globs name.

    Raises:
        pytest.UsageError: one names nothing: a gate that asks nothing must not pass.
    """
    found: list[Path] = []
    for text in given:
        paths = sorted(_matching(folder, text))
        if not paths:
            raise pytest.UsageError(
                f"tenantproof: found no manifest at {text!r} in {folder}, expected a file or a"
                f" folder that holds {MANIFEST_NAME}"
            )
        found += paths
    return found


def _matching(folder: Path, text: str) -> Iterator[Path]:
    path = folder / text
    if any(char in text for char in "*?[") and not path.exists():
        found = sorted(folder.glob(text)) if not Path(text).is_absolute() else []
        candidates = [each for each in found if each.is_dir() or each.suffix == ".toml"]
    else:
        candidates = [path]
    for each in candidates:
        manifest = each / MANIFEST_NAME if each.is_dir() else each
        if manifest.is_file():
            yield _absolute(manifest)


def _absolute(path: Path) -> Path:
    """The path as pytest writes those that it walks: links are left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 (resolve would follow links)


def shown(path: Path) -> str:
    """A path as one would write it here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
