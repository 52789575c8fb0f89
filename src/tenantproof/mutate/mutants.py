"""Mutants: policies with one slip each, all different, all of them policies."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from tenantproof.errors import InputError, Place
from tenantproof.mutate.kinds import Kind
from tenantproof.mutate.slips import Slip, slips
from tenantproof.mutate.source import Edit, Source, items, member, unified_diff
from tenantproof.policy import Effect, PolicyDocument, PolicyKind, Statement, parse_policy
from tenantproof.policy.loader import statement_from_json

ALL_KINDS = frozenset(Kind)


@dataclass(frozen=True)
class Mutant:
    """A policy file with one slip in it.

    Attributes:
        file: the file's name in reports.
        place: where the slip is, in the original.
        statement: the statement's index and Sid; None where the slip is in no statement.
        kind: what kind of slip it is.
        sentence: what was done, in words.
        widens: whether it is certain that the mutant allows all that the policy allows.
        original: the text of the file.
        edit: what is changed of it.
        lenient: whether the text is read with comments and trailing commas.
    """

    file: str
    place: Place
    statement: str | None
    kind: Kind
    sentence: str
    widens: bool
    original: str = field(repr=False)
    edit: Edit
    lenient: bool = False

    @property
    def text(self) -> str:
        """The text of the mutated file."""
        return self.edit.applied(self.original)

    def document(self) -> PolicyDocument:
        """The mutated policy, read anew at each call: it may be large."""
        kind = PolicyKind.IDENTITY
        return parse_policy(self.text, file=self.file, lenient=self.lenient, kind=kind)

    def diff(self) -> str:
        """The slip as a unified diff of the file."""
        return unified_diff(self.file, self.original, self.edit)


def mutants(
    text: str,
    file: str = "<policy>",
    *,
    lenient: bool = False,
    kinds: Collection[Kind] = ALL_KINDS,
) -> Iterator[Mutant]:
    """Every mutant of an identity policy: one plausible slip each.

    Args:
        text: the policy.
        file: its name in places and diffs.
        lenient: read comments, trailing commas and a byte order mark.
        kinds: the kinds of slips to make.

    Returns:
        The mutants, in order of the policy's statements. Each is a policy that can be read in the
        same way, none is the policy itself, and no two are the same.

    Raises:
        InputError: the text is no identity policy.

    Mutation testing follows DeMillo, Lipton and Sayward, "Hints on test data selection" (1978);
    of policies Martin and Xie, "A fault model and mutation testing of access control policies"
    (2007), whose operators for XACML some of the kinds mirror.
    """
    original = Original(text, file, lenient=lenient)
    listed = (slip for slip in original.slips() if slip.kind in kinds)
    return (mutant for mutant, _ in original.mutants(listed))


class Original:
    """A policy that mutants are made of; arguments and errors as :func:`mutants`."""

    def __init__(self, text: str, file: str, *, lenient: bool = False) -> None:
        self.document = parse_policy(text, file=file, lenient=lenient, kind=PolicyKind.IDENTITY)
        self.source = Source(text, file, lenient=lenient)
        self._nodes = items(member(self.source.root, "Statement"))

    def slips(self) -> Iterator[Slip]:
        """Every slip, those too that leave no policy, or the same as another."""
        return slips(self.source, self.document)

    def mutants(self, listed: Iterable[Slip]) -> Iterator[tuple[Mutant, PolicyDocument]]:
        """The mutants that some slips make, each with its document.

        What is not changed of a document is the original's, with the places that it has there.
        """
        seen: set[_Change] = set()
        for slip in listed:
            mutant = self._mutant(slip)
            try:
                mutated = self._mutated(slip, mutant)
            except InputError:
                continue  # A slip that leaves no policy is told by whoever reads it.
            change = self._change(slip, mutated)
            if mutated != self.document and change not in seen:
                seen.add(change)
                yield replace(mutant, widens=self._widens(slip, mutated)), mutated

    def _mutant(self, slip: Slip) -> Mutant:
        return Mutant(
            file=self.source.file,
            place=slip.place,
            statement=None if slip.index is None else self.document.statements[slip.index].name,
            kind=slip.kind,
            sentence=slip.sentence,
            widens=False,
            original=self.source.text,
            edit=slip.edit,
            lenient=self.source.lenient,
        )

    def _mutated(self, slip: Slip, mutant: Mutant) -> PolicyDocument:
        """As :meth:`Mutant.document`, but that only the statement that is changed is read."""
        if slip.index is None:
            return mutant.document()
        before, after = self._around(slip.index)
        if slip.kind is Kind.DENY_REMOVED:
            moved = (replace(each, index=each.index - 1) for each in after)
            return replace(self.document, statements=(*before, *moved))
        node = self.source.read_edited(self._nodes[slip.index], slip.edit)
        version, kind = self.document.version, PolicyKind.IDENTITY
        changed = statement_from_json(node, slip.index, version, kind)
        return replace(self.document, statements=(*before, changed, *after))

    def _around(self, index: int) -> tuple[tuple[Statement, ...], tuple[Statement, ...]]:
        return self.document.statements[:index], self.document.statements[index + 1 :]

    def _change(self, slip: Slip, mutated: PolicyDocument) -> _Change:
        """What is different from the original: two mutants are the same if this is."""
        if slip.index is None:
            return _Change(None, None)
        if len(mutated.statements) == len(self.document.statements):
            return _Change(slip.index, mutated.statements[slip.index])
        return _Change(self._first_like(slip.index), None)

    def _first_like(self, index: int) -> int:
        """Of a run of equal statements the first: which of them is removed is the same."""
        here = self.document.statements[index]
        while index and replace(self.document.statements[index - 1], index=here.index) == here:
            index -= 1
        return index

    def _widens(self, slip: Slip, mutated: PolicyDocument) -> bool:
        if slip.index is None or not slip.kind.widens:
            return False
        before = self.document.statements[slip.index]
        if before.effect is Effect.ALLOW or len(mutated.statements) < len(self.document.statements):
            return True
        after = mutated.statements[slip.index]
        return after.effect is Effect.ALLOW or _variables(before) <= _variables(after)


@dataclass(frozen=True)
class _Change:
    """The statement that is changed, and what it is then; None where it, or no statement, is."""

    index: int | None
    statement: Statement | None


def _variables(statement: Statement) -> frozenset[tuple[str, bool]]:
    """The variables of a statement, and whether they have a default: without one they may void."""
    return frozenset(
        (variable.key.lower(), variable.default is None)
        for template in statement.templates
        for variable in template.variables
    )
