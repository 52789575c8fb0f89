"""``pytest --tenantproof-mutate``: which mutants do neither manifests nor tests notice?

After the tests have run, each mutant of the manifests' policies is put to the manifests' questions,
and what they do not notice to the tests that passed and read the policy. A test is run again in
this process with the mutant read in the policy's place; no file is touched.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# pytest has no public name for running a test again; pytest-rerunfailures uses this one, too.
from _pytest.runner import runtestprotocol

from tenantproof.errors import TenantproofError
from tenantproof.mutate import Mutant, MutationReport, joined, survey
from tenantproof.policy import files_read, reading_instead
from tenantproof.report.mutate_text import mutation_to_text
from tenantproof.testing.items import ManifestFile
from tenantproof.testing.state import State

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

ALSO = "the tests that read the policy"

_OUTPUT = "tenantproof_mutants"
"""Under what a worker tells what it found."""


@dataclass(eq=False)  # pytest keeps plugins in sets
class Mutation:
    """The survey of one run, or of one worker's share of it: a plugin that such runs register.

    Attributes:
        state: what the run keeps.
        fail_under: the score in percent below which the run fails; None where any will do.
        share: which of how many shares of the mutants this process looks at.
        reports: of each manifest the shares of its report that are known, by number.
        failed: of each manifest that could not be surveyed, why.
        set_aside: tests that cannot be asked whether they notice something.
    """

    state: State
    fail_under: Fraction | None = None
    share: tuple[int, int] = (0, 1)
    reports: dict[str, dict[int, MutationReport]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    set_aside: set[str] = field(default_factory=set)
    _read: dict[str, set[Path]] = field(default_factory=dict)
    _read_by_fixture: dict[str, set[Path]] = field(default_factory=dict)
    _passed: set[str] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, state: State) -> Mutation:
        """The survey of a run, or under pytest-xdist of a worker's share.

        Raises:
            pytest.UsageError: the bound is no percentage.
        """
        worker = getattr(state.config, "workerinput", None)
        share = (0, 1)
        if worker is not None:
            share = (int(worker["workerid"].removeprefix("gw")), worker["workercount"])
        return cls(state, _fail_under(state.config), share)

    # -- while the tests run -------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note which policy files a test reads."""
        with self._watching(item):
            return (yield)

    @contextmanager
    def _watching(self, item: pytest.Item) -> Iterator[None]:
        with files_read() as read:
            yield
        self._read.setdefault(item.nodeid, set()).update(read)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        """Note which policy files a fixture reads: every test that uses it depends on them."""
        with files_read() as read:
            result = yield
        self._read_by_fixture.setdefault(fixturedef.argname, set()).update(read)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note whether a test passed: one that does not cannot notice anything."""
        if type(report) is not pytest.TestReport:
            # A subtest: it is reported whenever the test runs, with a mutant, too.
            self.set_aside.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self._passed.add(report.nodeid)
        elif report.failed:
            self._failed.add(report.nodeid)

    # -- afterwards ----------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Iterator[None]:
        """Look at mutants when all tests have run; under pytest-xdist the workers do."""
        done = yield
        is_controller = session.config.pluginmanager.has_plugin("dsession")
        if not is_controller and not session.config.option.collectonly:
            self._survey(session)
        return done

    def _survey(self, session: pytest.Session) -> None:
        tests = [item for item in session.items if not isinstance(item.parent, ManifestFile)]
        if self.share[1] > 1:
            for item in tests:
                if item.nodeid not in self._passed | self._failed:
                    # It ran in another process: what it reads is not known here.
                    self._passes(item)
        for manifest in self.state.asked_about:
            self._survey_one(manifest, tests)

    def _survey_one(self, manifest: Path, tests: list[pytest.Item]) -> None:
        options = self.state.options
        name = str(manifest)
        try:
            report = survey(
                Path(self.state.checks(manifest).manifest.file),
                lenient=options.lenient,
                timeout=options.timeout,
                also_notices=lambda mutant: self._noticed_by(mutant, tests),
                also=ALSO,
                share=self.share,
            )
        except TenantproofError as error:
            self.failed[name] = str(error)
        else:
            self.reports.setdefault(name, {})[self.share[0]] = report

    def _noticed_by(self, mutant: Mutant, tests: list[pytest.Item]) -> str | None:
        """The first test that fails because of a mutant: without it, it passes again."""
        while (item := self._first_that_fails(mutant, tests)) is not None:
            with self.state.reading_again():
                if self._passes(item):
                    return item.nodeid
            self.set_aside.add(item.nodeid)
        return None

    def _first_that_fails(self, mutant: Mutant, tests: list[pytest.Item]) -> pytest.Item | None:
        """The first test that passed, reads the policy, and fails with the mutant in its place."""
        path = Path(mutant.file).resolve()
        asked = self._passed - self._failed - self.set_aside
        with reading_instead({path: mutant.text.encode()}), self.state.reading_again():
            for item in tests:
                if item.nodeid in asked and path in self._files_of(item) and not self._passes(item):
                    return item
        return None

    def _files_of(self, item: pytest.Item) -> set[Path]:
        found = set(self._read.get(item.nodeid, ()))
        for name in getattr(item, "fixturenames", ()):
            found |= self._read_by_fixture.get(name, set())
        return found

    def _passes(self, item: pytest.Item) -> bool:
        """Run a test again, and its fixtures of every scope."""
        known = item.nodeid in self._passed
        self.state.runs(item)
        with self._watching(item):
            reports = runtestprotocol(item, log=False, nextitem=None)
        for report in [] if known else reports:
            self.pytest_runtest_logreport(report)
        return not any(report.failed for report in reports)

    # -- what came of it -----------------------------------------------------------------------

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker tells what it found; the run fails where the score is below the bound."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_OUTPUT] = pickle.dumps((self.share, self.reports, self.failed, self.set_aside))
        elif not session.config.option.collectonly and self._falls_short:
            session.exitstatus = max(session.exitstatus, pytest.ExitCode.TESTS_FAILED)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker found."""
        packed = getattr(node, "workeroutput", {}).get(_OUTPUT)
        if packed is not None:
            # It comes from a process that this one started.
            share, reports, failed, set_aside = pickle.loads(packed)  # noqa: S301
            self.share = share
            self.failed.update(failed)
            self.set_aside |= set_aside
            for name, parts in reports.items():
                self.reports.setdefault(name, {}).update(parts)

    @pytest.hookimpl(trylast=True)
    def pytest_terminal_summary(self, terminalreporter: TerminalReporter) -> None:
        """Write the section on mutants."""
        if terminalreporter.config.option.collectonly:
            return
        terminalreporter.write_sep("=", "tenantproof mutants")
        for each in self._whole():
            if isinstance(each, str):
                terminalreporter.write_line(f"not measured: {each}", red=True)
            else:
                terminalreporter.write(mutation_to_text(each))
        for nodeid in sorted(self.set_aside):
            terminalreporter.write_line(
                f"not asked: {nodeid}, which has subtests or does not pass when it is run again"
            )
        if self.fail_under is not None:
            word = "below" if self._falls_short else "not below"
            terminalreporter.write_line(
                f"{word} the {float(self.fail_under):g} percent of --tenantproof-mutate-fail-under"
            )

    def _whole(self) -> Iterator[MutationReport | str]:
        """The report of each manifest, or why there is none."""
        shares = self.share[1]
        for name, parts in sorted(self.reports.items()):
            if name in self.failed:
                continue
            if len(parts) == shares:
                yield joined([parts[number] for number in range(shares)])
            else:
                yield f"{name}: only {len(parts)} of {shares} workers told what they found"
        for name, reason in sorted(self.failed.items()):
            yield f"{name}: {reason}"
        if not self.reports and not self.failed:
            yield "no manifest was asked about, so that there are no policies to change"

    @property
    def _falls_short(self) -> bool:
        """Whether a score is below the bound, or there is none."""
        return self.fail_under is not None and any(
            isinstance(each, str) or not each.is_measured or not each.reaches(self.fail_under)
            for each in self._whole()
        )


def _fail_under(config: pytest.Config) -> Fraction | None:
    text = config.option.tenantproof_mutate_fail_under
    text = text or config.getini("tenantproof_mutate_fail_under")
    if not text:
        return None
    try:
        percent = Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        percent = Fraction(-1)
    if not 0 <= percent <= 100:
        raise pytest.UsageError(
            f"tenantproof_mutate_fail_under: found {text!r}, expected a percentage from 0 to 100"
        )
    return percent
