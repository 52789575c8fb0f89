"""A survey of mutants as text for people: a table of kinds, the score, what survived in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from tenantproof.compare import Change, Way
from tenantproof.isolation import Verdict
from tenantproof.mutate import (
    Checked,
    MutationReport,
    Noticed,
    Survived,
    Tally,
    Undecided,
)
from tenantproof.report.diff_text import request_lines, side_lines
from tenantproof.report.text import to_text

MOST_SHOWN = 20
"""So many mutants that survived, or are undecided, are shown unless all are asked for."""

_INDENT = " " * 9
_COLUMNS = ("made", "equivalent", "noticed", "survived", "undecided")
_OPENED = {
    Way.GAINED: "a request that the mutant allows and the policy does not",
    Way.LOST: "nothing is newly allowed; a request that the mutant no longer allows",
}


def mutation_to_text(report: MutationReport, *, show_all: bool = False) -> str:
    """The survey as lines of text, the score last.

    Args:
        report: the survey.
        show_all: whether to show every mutant that survived or is undecided, however many.
    """
    if not report.is_measured:
        return _not_measured(report)
    left = [each for each in report.checked if isinstance(each.outcome, Survived | Undecided)]
    shown = left if show_all else left[:MOST_SHOWN]
    lines = [f"tenantproof mutate {report.manifest}", ""]
    for each in shown:
        lines += [*_mutant_lines(each), ""]
    if len(left) > len(shown):
        lines += [f"{len(left) - len(shown)} more are not shown here: --all shows them", ""]
    lines += _table(report)
    lines += ["", *_noticed_lines(report), *_elsewhere(report), *_left_out(report)]
    if report.total.equivalent:
        lines += ["", "Assumed by each equivalent, which is proven for each principal concerned:"]
        lines += [f"  - {each}" for each in report.assumptions]
    return "\n".join([*lines, "", _score(report), ""])


def _not_measured(report: MutationReport) -> str:
    """The answers that are no PROVED; there is nothing to measure."""
    failed = tuple(f for f in report.baseline.findings if f.verdict is not Verdict.PROVED)
    answers = to_text(replace(report.baseline, findings=failed))
    return f"{answers}\nno mutants were made: first all that the manifest asks must be PROVED\n"


# -- one mutant ----------------------------------------------------------------------------------


def _mutant_lines(checked: Checked) -> Iterator[str]:
    mutant, outcome = checked.mutant, checked.outcome
    label = "SURVIVED" if isinstance(outcome, Survived) else "UNDECIDED"
    at = f"{mutant.file}:{mutant.place.line}:{mutant.place.column}"
    statement = f" in {mutant.statement}" if mutant.statement else ""
    yield f"{label:<9}{mutant.kind.value} at {at}{statement}"
    yield f"{_INDENT}{mutant.sentence}"
    yield from (f"{_INDENT}  {line}" for line in mutant.diff().splitlines())
    match outcome:
        case Survived(change):
            yield from _change_lines(change)
        case Undecided(reason):
            yield f"{_INDENT}because {reason}"
        case _:
            pass


def _change_lines(change: Change) -> Iterator[str]:
    yield f"{_INDENT}{_OPENED[change.way]}:"
    yield from request_lines(change.by_new, shortest=change.shortest)
    if change.reason:
        yield f"{_INDENT}because  {change.reason}"
    yield from side_lines("MUTANT", change.way.by_new, change.new_statements)


# -- all of them ---------------------------------------------------------------------------------


def _table(report: MutationReport) -> Iterator[str]:
    rows: Mapping[str, Tally] = {
        **{kind.value: tally for kind, tally in report.by_kind().items()},
        "all": report.total,
    }
    width = max(map(len, rows))
    yield f"{'':<{width}}  {'  '.join(f'{name:>10}' for name in _COLUMNS)}"
    for name, tally in rows.items():
        numbers = "  ".join(f"{getattr(tally, column):>10}" for column in _COLUMNS)
        yield f"{name:<{width}}  {numbers}"


def _noticed_lines(report: MutationReport) -> Iterator[str]:
    by = Counter(
        outcome.finding.question.value if outcome.finding else report.also or "something else"
        for each in report.checked
        if isinstance(outcome := each.outcome, Noticed)
    )
    if by:
        yield f"noticed by {', '.join(f'{name} ({count})' for name, count in by.items())}"
    if report.total.unknown:
        yield f"{report.total.unknown} of the noticed by an UNKNOWN, which fails a check, too"


def _elsewhere(report: MutationReport) -> Iterator[str]:
    """What opens at an endpoint that the manifest does not name, it can be made to ask about."""
    named = {finding.endpoint for finding in report.baseline.findings}
    opened = [
        outcome.change.by_new.resource
        for each in report.checked
        if isinstance(outcome := each.outcome, Survived)
    ]
    beyond = [arn for arn in opened if ":endpoint/" in arn and arn not in named]
    if beyond:
        yield (
            f"{len(beyond)} of the survivors open an endpoint that the manifest does not name, and"
            f" does not ask about until it does: {', '.join(dict.fromkeys(beyond[:MOST_SHOWN]))}"
        )


def _left_out(report: MutationReport) -> Iterator[str]:
    if report.tried < report.slips:
        yield (
            f"{report.tried} of {report.slips} slips were tried, evenly chosen: --max-mutants"
            " tries more"
        )


def _score(report: MutationReport) -> str:
    total = report.total
    if not report.slips:
        return (
            "no score: there is nothing to make a slip in, which is made in the policy files that a"
            " manifest names for principals, not in sources and templates"
        )
    if total.score is None:
        return "no score: there is no mutant that is not proven equivalent"
    counted = total.made - total.equivalent
    return (
        f"score {percent(total.score)}: {total.noticed} of {counted} mutants that are not proven"
        f" equivalent are noticed by {_noticing(report)}"
    )


def _noticing(report: MutationReport) -> str:
    questions = "the questions of the manifest"
    return f"{questions} or by {report.also}" if report.also else f"{questions} alone"


def percent(part: Fraction) -> str:
    """A part of a whole in percent, rounded down: less than all never shows as all."""
    tenths = part * 1000 // 1
    return f"{tenths // 10}.{tenths % 10} %"
