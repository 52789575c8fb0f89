"""A manifest collected as tests: one for each question about each principal, and each assertion."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# What a report of a failed test is made of: pytest has no public names for these, and a report made
# of a plain text would have no line in the short summary, and none under pytest-xdist.
from _pytest._code.code import (
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
    TerminalRepr,
)

from tenantproof.errors import DisagreementError, InputError, TenantproofError
from tenantproof.isolation import Question, Verdict
from tenantproof.isolation.asking import Asked
from tenantproof.pytest_plugin import QUESTION
from tenantproof.testing.checks import Checks, Outcome
from tenantproof.testing.properties import (
    ANSWER,
    DISAGREEMENT,
    VERDICT,
    properties_of,
    properties_of_vendor,
    vendor_headline,
)
from tenantproof.testing.state import MARKER, State
from tenantproof.testing.statistics import noted_for
from tenantproof.testing.words import failure, headline
from tenantproof.vendors import Vendor, VendorReport, check_vendor
from tenantproof.vendors import to_text as vendor_to_text


class ManifestFile(pytest.File):
    """A manifest; its questions are the tests."""

    def __init__(self, state: State, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.state = state

    def collect(self) -> Iterator[pytest.Item]:
        """The questions, in the order of ``tenantproof check``.

        Raises:
            CollectError: the manifest or a policy cannot be used; with every problem and its place.
        """
        try:
            checks = self.state.checks(self.path)
        except InputError as error:
            raise self.CollectError("\n".join(map(str, error.problems))) from None
        self.state.assumed(checks)
        names: Counter[str] = Counter()
        for asked in checks.asked():
            about = f"{asked.question.value}[{_about(asked)}"
            names[about] += 1
            name = f"{about}]" if names[about] == 1 else f"{about}-{names[about]}]"
            # Made of a text, it is the same as the one read from a cache or the command line.
            nodeid = f"{self.nodeid}::{name}"
            yield QuestionItem.from_parent(
                self, name=name, nodeid=nodeid, asked=asked, checks=checks, state=self.state
            )


def _about(asked: Asked) -> str:
    """``acme-role/acme-models``: the tenant or assertion, the principal and the endpoint."""
    about = _in_one_line(asked.assertion or asked.tenant)
    if asked.question is Question.REACHES:
        return f"{about}-{_where(asked)}"
    return f"{about}-{asked.principal.split(':', 5)[-1]}-{_where(asked)}"


def _where(asked: Asked) -> str:
    """The endpoint, or the route."""
    return asked.endpoint.name if asked.endpoint else asked.route.value if asked.route else ""


def _in_one_line(name: str) -> str:
    """The name with what a terminal would not show, or obey, as Python escapes it."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in name
    )


class NotProved(Exception):  # noqa: N818 (it is no error of the program)
    """An answer that is not PROVED."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(headline(outcome))
        self.outcome = outcome


class QuestionItem(pytest.Item):
    """One question about one principal at one endpoint."""

    def __init__(self, asked: Asked, checks: Checks, state: State, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.asked = asked
        self.checks = checks
        self.state = state
        self.add_marker(MARKER)
        self.keywords[QUESTION] = True
        self.extra_keyword_matches.update((asked.question.value, asked.tenant))

    def runtest(self) -> None:
        """Ask the question, attack the answer, and hear what somebody else says of it."""
        try:
            with noted_for(self):
                outcome = self.checks.outcome(self.asked, self.nodeid)
        except DisagreementError:
            self.user_properties += [(ANSWER, DISAGREEMENT), (VERDICT, DISAGREEMENT)]
            raise
        outcome = self._confirmed(outcome)
        self.user_properties += properties_of(outcome)
        if outcome.verdict is not Verdict.PROVED:
            raise NotProved(outcome)

    def _confirmed(self, outcome: Outcome) -> Outcome:
        live = self.state.live
        if live is None:
            return outcome
        confirmed = live.on(outcome, self.checks)
        if live.interrupted:
            self.session.shouldstop = "interrupted while AWS was asked"
        return confirmed

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | TerminalRepr:
        """The answer in full; a traceback only where something of ours broke."""
        error = excinfo.value
        again = shlex.join(["pytest", self.nodeid])
        if isinstance(error, NotProved):
            text = failure(error.outcome, self.checks.manifest, again)
            finding = error.outcome.worst
            blamed = finding.statements or [b for step in finding.steps for b in step.statements]
            place = blamed[0].place if blamed else None
            where = (place.file, place.line) if place else (self.checks.manifest.file, 0)
            return _report(text, str(error), *where)
        if isinstance(error, DisagreementError):
            text = (
                f"internal error: the two readings disagree: {error}\n"
                "This is a bug in tenantproof; please report it with the policies."
            )
            return _report(text, DISAGREEMENT, self.checks.manifest.file, 0)
        if isinstance(error, TenantproofError):
            return _report(str(error), str(error), self.checks.manifest.file, 0)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The manifest, and the name of the test."""
        # Without a line pytest cannot report that a question is skipped.
        return self.path, 0, self.name


class VendorNotProved(Exception):  # noqa: N818 (it is no error of the program)
    """A policy vendor about which not everything is proved."""

    def __init__(self, report: VendorReport) -> None:
        super().__init__(vendor_headline(report))
        self.report = report


class VendorItem(pytest.Item):
    """A function marked with ``policy_vendor``."""

    def __init__(self, vendor: Vendor, state: State, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.vendor = vendor
        self.state = state
        self.add_marker(MARKER)
        self.keywords[QUESTION] = True

    def runtest(self) -> None:
        """Try names on the vendor, and ask about all of them where that can be asked."""
        try:
            with noted_for(self):
                timeout = self.state.options.timeout
                key = self.nodeid.encode()
                report = check_vendor(self.vendor, timeout=timeout, database_key=key)
        except DisagreementError:
            self.user_properties += [(ANSWER, DISAGREEMENT), (VERDICT, DISAGREEMENT)]
            raise
        self.user_properties += properties_of_vendor(report)
        if report.verdict is not Verdict.PROVED:
            raise VendorNotProved(report)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None
    ) -> str | TerminalRepr:
        """The report of the vendor; a traceback only where something of ours broke."""
        error = excinfo.value
        if isinstance(error, VendorNotProved):
            return _report(vendor_to_text(error.report), str(error), str(self.path), self._line)
        if isinstance(error, TenantproofError):
            return _report(str(error), str(error), str(self.path), self._line)
        return super().repr_failure(excinfo, style)

    @property
    def _line(self) -> int:
        code = getattr(self.vendor.render, "__code__", None)
        return 0 if code is None else int(code.co_firstlineno)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The module, the function's line and its name."""
        return self.path, max(self._line - 1, 0), self.name


def _report(text: str, message: str, file: str, line: int) -> ReprExceptionInfo:
    entry = ReprEntryNative([f"{each}\n" for each in text.split("\n")])
    return ReprExceptionInfo(
        ReprTraceback([entry], None, style="native"), ReprFileLocation(file, line, message)
    )
