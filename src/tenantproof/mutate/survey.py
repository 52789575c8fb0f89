"""All mutants of a manifest's policies, each put to the questions: the survey and its score."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, islice, zip_longest
from pathlib import Path

from tenantproof.compare import Terms
from tenantproof.compare.space import ASSUMED
from tenantproof.errors import DisagreementError, InputError, Place, Problem
from tenantproof.isolation import (
    DEFAULT_TIMEOUT,
    Finding,
    Manifest,
    Run,
    Verdict,
    load_manifest,
)
from tenantproof.mutate.asking import Asked, names_by_path
from tenantproof.mutate.comparing import ASSUMED_BY_RULE, ASSUMED_OF_PRINCIPALS, compare_all
from tenantproof.mutate.kinds import Kind
from tenantproof.mutate.mutants import ALL_KINDS, Mutant, Original
from tenantproof.mutate.outcomes import Checked, Equivalent, MutationReport, Noticed, Outcome
from tenantproof.mutate.slips import Slip
from tenantproof.policy import PolicyDocument, read_file
from tenantproof.policy.loader import MOST_BYTES, is_yaml

DEFAULT_MOST = 1000
"""So many slips are made mutants of at most; of more, so many are chosen evenly."""

_MOST_NAMED = 5

Notices = Callable[[Mutant], str | None]
"""What else notices a mutant: its name, or None."""

Watch = Callable[[int, int], None]
"""Is told how many mutants were looked at so far, and of how many."""


def survey(
    manifest: Path,
    *,
    lenient: bool = False,
    timeout: float | None = DEFAULT_TIMEOUT,
    kinds: Collection[Kind] = ALL_KINDS,
    files: Collection[Path] = (),
    most: int = DEFAULT_MOST,
    also_notices: Notices | None = None,
    also: str | None = None,
    watch: Watch | None = None,
    share: tuple[int, int] = (0, 1),
) -> MutationReport:
    """Make the mutants of a manifest's policies, and see which are noticed.

    Args:
        manifest: the manifest, or the folder that holds it.
        lenient: read policies with comments and trailing commas.
        timeout: seconds for one question about one principal; None for no limit.
        kinds: the kinds of slips to make.
        files: the policy files to make them in; all that the manifest names without any.
        most: of more slips than this so many are made, chosen evenly.
        also_notices: asked of each mutant that the manifest's questions do not notice and that is
            not proven equivalent.
        also: what that is, in words, for reports.
        watch: told how far the survey is.
        share: which of how many shares of the mutants to look at, counted from 0, where several
            processes part the work; :func:`joined` puts their reports together.

    Returns:
        The report. Unless the manifest's own questions are all PROVED it holds their answers and
        no mutant.

    Raises:
        InputError: something cannot be read, or ``files`` names one that is no policy of it.
        DisagreementError: the two readings differ; a bug in tenantproof.
    """
    loaded = load_manifest(manifest, lenient=lenient)
    chosen = _chosen(_policy_files(loaded, lenient), files)
    baseline = Run(loaded, timeout).report()
    if baseline.verdict is not Verdict.PROVED:
        return MutationReport(loaded.file, baseline, also=also)
    total = sum(1 for _ in _slips(chosen, kinds))
    tried = min(total, most)
    which, of = share
    evenly = islice(_evenly(_slips(chosen, kinds), total, tried, watch), which, None, of)
    asked = Asked(Run(loaded, timeout, first_only=True, attacks=False))
    judge = _Judge(asked, Terms(timeout, attacks=False), also_notices)
    checked = tuple(
        Checked(mutant, judge.outcome(file, mutant, document))
        for file, listed in groupby(evenly, key=lambda each: each[0])
        for mutant, document in file.original.mutants(slip for _, slip in listed)
    )
    assumptions = _assumptions(loaded)
    return MutationReport(loaded.file, baseline, checked, total, tried, also, assumptions)


def joined(reports: Sequence[MutationReport]) -> MutationReport:
    """The report of all mutants, of reports of all shares in order."""
    turns = zip_longest(*(report.checked for report in reports))
    checked = tuple(each for turn in turns for each in turn if each is not None)
    return replace(reports[0], checked=checked)


def _assumptions(manifest: Manifest) -> tuple[str, ...]:
    left_out = tuple(
        f"no slip is made in {file}: it is a template, and what is rendered from it is no file"
        for file in sorted(manifest.templates)
    )
    beside = _files_beside(manifest)
    if beside:
        left_out = (*left_out, f"no slip is made in what sources, roles and buckets say: {beside}")
    by_rule = (ASSUMED_BY_RULE,) if manifest.rules else ()
    return (ASSUMED_OF_PRINCIPALS, *ASSUMED, *by_rule, *left_out)


def _files_beside(manifest: Manifest) -> str:
    """The files of sources and of policies that are no principal's, of many how many."""
    estate = manifest.estate
    of_roles = (
        document.file
        for role in estate.identities
        for document in (*role.policies, role.permissions_boundary, role.trust_policy)
        if document is not None
    )
    of_buckets = (bucket.policy.file for bucket in estate.buckets if bucket.policy is not None)
    files = list(dict.fromkeys((*estate.files, *of_roles, *of_buckets)))
    return ", ".join(files) if len(files) <= _MOST_NAMED else f"{len(files)} files"


# -- the policy files ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _PolicyFile:
    """A policy file: where it is, what the manifest calls it, and what mutants are made of."""

    path: Path
    names: frozenset[str]
    original: Original


def _policy_files(manifest: Manifest, lenient: bool) -> list[_PolicyFile]:
    read = {
        document.file: document
        for group in manifest.groups
        for member in group.members
        for layer in member.policies.layers()
        for document in layer.policies
    }
    return [
        _PolicyFile(path, names, _original(read[min(names)], lenient))
        for path, names in names_by_path(manifest).items()
    ]


def _original(document: PolicyDocument, lenient: bool) -> Original:
    """The text of a policy that was read; once more, as the reader keeps none.

    Raises:
        InputError: it is another policy by now, or no JSON, which edits are made of.
    """
    if is_yaml(document.file):
        message = "found a policy in YAML, expected JSON, which mutants are made of"
        raise InputError([Problem(message, Place(document.file, "$"))])
    problem = Problem("found that the file changed while it was read", Place(document.file, "$"))
    try:
        text = read_file(Path(document.file), MOST_BYTES).decode("utf-8")
        original = Original(text, document.file, lenient=lenient)
    except (OSError, ValueError, InputError):
        raise InputError([problem]) from None
    if original.document != document:
        raise InputError([problem])
    return original


def _chosen(listed: list[_PolicyFile], paths: Collection[Path]) -> list[_PolicyFile]:
    by_path = {file.path: file for file in listed}
    problems = [
        Problem(
            f"found a file that the manifest does not name, expected one of"
            f" {', '.join(min(file.names) for file in listed[:10])}",
            Place(str(path), "$"),
        )
        for path in paths
        if path.resolve() not in by_path
    ]
    if problems:
        raise InputError(problems)
    wanted = {path.resolve() for path in paths}
    return [file for file in listed if not wanted or file.path in wanted]


# -- which slips ---------------------------------------------------------------------------------

_Listed = Iterator[tuple[_PolicyFile, Slip]]


def _slips(files: Sequence[_PolicyFile], kinds: Collection[Kind]) -> _Listed:
    """Every slip in some files; made anew at each call, as there can be many."""
    for file in files:
        for slip in file.original.slips():
            if slip.kind in kinds:
                yield file, slip


def _evenly(listed: _Listed, total: int, wanted: int, watch: Watch | None) -> _Listed:
    """One of each of so many runs of the same length, or of one more.

    Which one changes from run to run: where every statement is like the next, the same one of
    each would be the same kind of slip throughout.
    """
    at = 0
    for run in range(wanted):
        if watch is not None:
            watch(run, wanted)
        start, end = run * total // wanted, (run + 1) * total // wanted
        chosen = start + (run * _STRIDE >> 16) % (end - start)
        yield next(islice(listed, chosen - at, None))
        at = chosen + 1
    if watch is not None:
        watch(wanted, wanted)


_STRIDE = 2_654_435_769
"""By 2 to the 32nd the golden ratio's inverse: multiples of it scatter (Knuth, TAOCP 6.4)."""


# -- what becomes of them ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Judge:
    asked: Asked
    terms: Terms
    also_notices: Notices | None

    def outcome(self, file: _PolicyFile, mutant: Mutant, document: PolicyDocument) -> Outcome:
        """What becomes of a mutant.

        The manifest's questions are the cheapest: what they find is no equivalent mutant. Only of
        the others is that asked, and only of what is left whether something else notices it.
        """
        affected = self.asked.affected(file.names, document)
        try:
            finding = self.asked.noticed(affected)
            if finding is not None and finding.verdict is Verdict.LEAK:
                return Noticed(_named(finding), finding)
            outcome = compare_all(self.asked, affected, self.terms)
        except DisagreementError as error:
            slip = f"{mutant.place} ({mutant.kind.value}: {mutant.sentence})"
            raise DisagreementError(f"of the mutant at {slip}: {error}") from error
        if isinstance(outcome, Equivalent):
            return outcome
        if finding is not None:
            return Noticed(_named(finding), finding)
        also = self.also_notices(mutant) if self.also_notices else None
        return outcome if also is None else Noticed(also)


def _named(finding: Finding) -> str:
    return f"{finding.question.value}: {finding.assertion or finding.tenant}"
