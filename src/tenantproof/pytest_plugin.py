"""The pytest plugin: manifests collected as tests, fixtures, a header line and a summary.

pytest loads this module at its start: nothing heavy is imported here, so that a run that does not
use tenantproof does not notice it. What a run uses is imported when it is used, from
:mod:`tenantproof.testing`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from tenantproof.compare import Comparison
    from tenantproof.policy import PolicySet
    from tenantproof.testing.isolation import Isolation, Proof, Subject
    from tenantproof.testing.state import State

MANIFEST_NAME = "tenantproof.toml"
"""The end of the names of the files that are collected when they are named on the command line."""

QUESTION = "tenantproof-question"
"""The keyword of tests that are questions: of manifests, and policy vendors."""

ENGINES = ("automata", "z3", "cvc5", "all")

_WITH_ANSWERS = ("passed", "failed", "xfailed", "xpassed")
"""What pytest calls tests that ran: a leak that was expected is one."""

_STATE: pytest.StashKey[State] = pytest.StashKey()
_ITEM: pytest.StashKey[pytest.Item] = pytest.StashKey()

_LIVE = (
    "live_principals",
    "live_max_calls",
    "live_samples",
    "live_timeout",
    "live_cases",
    "profile",
    "region",
    "endpoint_url",
    "role",
)
"""How AWS is asked; whether it is, ``--tenantproof-live`` says alone."""

_OPTIONS = (
    "manifest",
    "timeout",
    "engine",
    "lenient",
    "attack",
    "mutate",
    "mutate_fail_under",
    "live",
    *_LIVE,
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options in one group, each with a twin in the configuration file."""
    group = parser.getgroup("tenantproof", "tenantproof: proofs that tenants are kept apart")
    group.addoption(
        "--tenantproof-manifest",
        metavar="PATH",
        action="append",
        default=[],
        help="Collect this manifest, or the tenantproof.toml in this folder; may be repeated.",
    )
    group.addoption(
        "--tenantproof-timeout",
        metavar="SECONDS",
        help="For one question about one principal (30); what takes longer is UNKNOWN.",
    )
    group.addoption(
        "--tenantproof-engine",
        choices=ENGINES,
        help="What decides (automata); with all, every engine that is installed must agree.",
    )
    group.addoption(
        "--tenantproof-lenient",
        action="store_true",
        default=None,
        help="Read policies with comments and trailing commas.",
    )
    group.addoption(
        "--tenantproof-no-attack",
        dest="tenantproof_attack",
        action="store_false",
        default=None,
        help="Do not attack what is proved with random requests.",
    )
    group.addoption(
        "--tenantproof-mutate",
        action="store_true",
        default=None,
        help="Then make slips in the policies; show those that no question and no test notices.",
    )
    group.addoption(
        "--tenantproof-mutate-fail-under",
        metavar="PERCENT",
        help="Fail if a smaller part of the mutants is noticed; implies --tenantproof-mutate.",
    )
    _add_live_options(parser, group)
    parser.addini("tenantproof", "Manifests to collect: paths or globs.", "linelist", [])
    parser.addini("tenantproof_timeout", "As --tenantproof-timeout.", "string", "")
    parser.addini("tenantproof_engine", "As --tenantproof-engine.", "string", "")
    parser.addini("tenantproof_lenient", "As --tenantproof-lenient.", "bool", False)
    parser.addini("tenantproof_attack", "Whether what is proved is attacked.", "bool", True)
    parser.addini("tenantproof_mutate", "As --tenantproof-mutate.", "bool", False)
    parser.addini(
        "tenantproof_mutate_fail_under", "As the option, but for runs that mutate.", "string", ""
    )


def _add_live_options(parser: pytest.Parser, group: pytest.OptionGroup) -> None:
    """Options that have AWS asked, and say how."""
    group.addoption(
        "--tenantproof-live",
        action="store_true",
        default=None,
        help="Ask AWS, the IAM policy simulator, about each question of a manifest.",
    )
    group.addoption(
        "--tenantproof-live-principals",
        action="store_true",
        default=None,
        help="Ask about the policies that principals have in the account.",
    )
    parser.addini("tenantproof_live_principals", "As the option.", "bool", False)
    for name, metavar, meaning in (
        ("live-max-calls", "N", "How many calls are made, by all workers together (100)."),
        ("live-samples", "N", "About how many requests near the boundary of each PROVED (4)."),
        ("live-timeout", "SECONDS", "For all that is asked of AWS (300)."),
        ("live-cases", "DIR", "Where disagreements are written (tenantproof-cases)."),
        ("profile", "NAME", "The profile of the AWS configuration files."),
        ("region", "NAME", "The region that AWS is asked in."),
        ("endpoint-url", "URL", "Where to send it all, instead of to AWS."),
        ("role", "ARN", "A role to assume first."),
    ):
        group.addoption(f"--tenantproof-{name}", metavar=metavar, help=meaning)
        ini = f"tenantproof_{name.replace('-', '_')}"
        parser.addini(ini, f"As --tenantproof-{name}.", "string", "")


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and add the manifests of the configuration to what is collected."""
    config.addinivalue_line(
        "markers",
        "tenantproof(manifest): the manifest that the fixtures of the test are about; a path"
        " relative to the test's file",
    )
    if _is_used(config):
        from tenantproof.testing.collection import Collection
        from tenantproof.testing.state import State

        state = State.of(config, _ITEM)
        config.stash[_STATE] = state
        if config.option.tenantproof_live:
            state.connect()
        else:
            state.must_not_be_given(_LIVE)
        config.args[:] = [*config.args, *state.more_arguments()]
        config.pluginmanager.register(Collection(state), "tenantproof-collection")
        if state.mutates:
            from tenantproof.testing.mutation import Mutation

            config.pluginmanager.register(Mutation.of(state), "tenantproof-mutation")


def _is_used(config: pytest.Config) -> bool:
    """Whether options, the configuration file or the arguments name something of tenantproof's."""
    options = any(
        getattr(config.option, f"tenantproof_{name}", None) not in (None, []) for name in _OPTIONS
    )
    in_file = config.getini("tenantproof") or config.getini("tenantproof_mutate")
    return options or bool(in_file) or any(map(_is_manifest, config.args))


def _is_manifest(argument: str) -> bool:
    return argument.partition("::")[0].endswith(MANIFEST_NAME)


def _state(config: pytest.Config) -> State:
    """What the run keeps; made at the first use where nothing told of it before."""
    if _STATE not in config.stash:
        from tenantproof.testing.state import State

        config.stash[_STATE] = State.of(config, _ITEM)
    return config.stash[_STATE]


def pytest_report_header(config: pytest.Config) -> str | None:
    """One line, where the run is known to use tenantproof."""
    return config.stash[_STATE].header() if _STATE in config.stash else None


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(
    collector: pytest.Module | pytest.Class, name: str, obj: object
) -> pytest.Item | None:
    """Functions of test modules that are marked as policy vendors."""
    if "tenantproof.vendors.vendor" not in sys.modules:
        return None
    from tenantproof.vendors import vendor_of

    vendor = vendor_of(obj)
    if vendor is None:
        return None
    from tenantproof.testing.items import VendorItem

    state = _state(collector.config)
    collected: pytest.Item = VendorItem.from_parent(
        collector, name=name, vendor=vendor, state=state
    )
    return collected


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """The fixtures' objects live for the whole run; they need to know which test uses them."""
    item.config.stash[_ITEM] = item
    return (yield)


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """A question that failed says LEAK, REFUSED or UNKNOWN instead of FAILED."""
    if report.when == "call" and report.failed and QUESTION in report.keywords:
        answer = str(dict(report.user_properties).get("tenantproof", ""))
        label = answer.partition(" ")[0]
        if label in {"LEAK", "REFUSED", "UNKNOWN"}:
            return "failed", label[0], (label, {"red": True})
    return None


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """What was proved and what was not, and what the proofs rest on."""
    stats = terminalreporter.stats
    reports = [each for name in _WITH_ANSWERS for each in stats.get(name, ())]
    if any(name == "tenantproof" for each in reports for name, _ in each.user_properties):
        from tenantproof.testing.summary import write_summary

        write_summary(terminalreporter, reports, _state(terminalreporter.config))


# -- under pytest-xdist ------------------------------------------------------------------------


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker's proofs rest on, for the summary."""
    told = getattr(node, "workeroutput", {}).get("tenantproof_assumptions", {})
    if told:
        state = _state(node.config)
        state.assumptions.update({file: tuple(each) for file, each in told.items()})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells what its proofs rest on."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None and _STATE in session.config.stash:
        assumptions = session.config.stash[_STATE].assumptions
        output["tenantproof_assumptions"] = {file: list(each) for file, each in assumptions.items()}


# -- fixtures ----------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def isolation(pytestconfig: pytest.Config) -> Isolation:
    """The access tests of a manifest: that of the marker, of the configuration, or the nearest.

    It lives as long as the run, so that property tests may use it; which manifest it is about
    depends on the test that uses it.
    """
    return _state(pytestconfig).isolation


@pytest.fixture(scope="session")
def principal(isolation: Isolation) -> Callable[[str], Subject]:
    """``principal("acme").cannot_invoke("acme-corp/*")``: a sentence that is proved or fails."""
    return isolation.principal


@pytest.fixture(scope="session")
def assert_isolated(isolation: Isolation) -> Callable[..., Proof]:
    """``assert_isolated()``: tenants are kept apart, or the principal that has some policies."""
    return isolation.assert_isolated


@pytest.fixture(scope="session")
def assert_can(isolation: Isolation) -> Callable[..., Proof]:
    """``assert_can("acme", "acme/*")``: each of these models can be invoked."""
    return isolation.assert_can


@pytest.fixture(scope="session")
def assert_cannot(isolation: Isolation) -> Callable[..., Proof]:
    """``assert_cannot("acme", "acme-corp/*")``: none of these models can be invoked."""
    return isolation.assert_cannot


@pytest.fixture(scope="session")
def assert_no_new_access(isolation: Isolation) -> Callable[..., Comparison]:
    """``assert_no_new_access("old.json", "new.json")``: the second allows nothing more."""
    return isolation.assert_no_new_access


@pytest.fixture(scope="session")
def policy_set(isolation: Isolation) -> Callable[..., PolicySet]:
    """``policy_set("acme.json", permissions_boundary={...})``: what applies to one principal."""
    return isolation.policy_set
