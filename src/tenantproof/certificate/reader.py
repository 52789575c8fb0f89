"""Certificates from JSON, strictly: an unknown, missing or ill-typed field is an error.

What a file says is not believed here, only read; nothing in it makes reading take more than
time and memory in proportion to its size, which is bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tenantproof.certificate.document import (
    FORMAT,
    VERSION,
    Certificate,
    Embedded,
    Proved,
)
from tenantproof.certificate.keys import fixed_by
from tenantproof.certificate.model import Source
from tenantproof.certificate.proof import (
    ByLemma,
    Closed,
    Compared,
    Lemma,
    Node,
    Proof,
    Split,
    Written,
)
from tenantproof.certificate.propositions import (
    Choice,
    Filled,
    Present,
    TheAction,
    Undetermined,
)
from tenantproof.certificate.reasons import Denied, Harmless, Silent
from tenantproof.certificate.theorem import Beyond, Claim, Patterns, Stack, Theorem, Within
from tenantproof.certificate.writer import assumptions
from tenantproof.errors import InputError, Place, Problem
from tenantproof.reading import Ambiguity
from tenantproof.request import ContextValue, Principal

MOST_BYTES = 64 * 1024 * 1024
"""A certificate larger than this is refused."""

MOST_VALUES = 4_000_000
"""A certificate with more JSON values than this is refused."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def read_certificate(path: Path) -> Certificate:
    """Read a certificate file.

    Args:
        path: the file.

    Returns:
        What it says, none of it checked.

    Raises:
        InputError: the file cannot be read, is no JSON, or has another form than the one that
            ``docs/certificates.md`` describes.
    """
    file = str(path)
    try:
        if path.exists() and not path.is_file():
            _refuse(file, "$", "found no regular file, expected a certificate")
        if path.stat().st_size > MOST_BYTES:
            _refuse(file, "$", f"found more than {MOST_BYTES >> 20} MiB, expected a certificate")
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse(file, "$", f"found the byte 0x{error.object[error.start]:02x}, expected UTF-8")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        _refuse(file, "$", f"found no readable file ({reason})")
    return parse_certificate(text, file)


def parse_certificate(text: str, file: str = "<certificate>") -> Certificate:
    """Read a certificate from its JSON text; result and errors as :func:`read_certificate`."""
    if sum(map(text.count, ",[{:")) > MOST_VALUES:
        _refuse(file, "$", f"found more than {MOST_VALUES} values, expected a certificate")
    try:
        data = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_no_float
        )
    except RecursionError:
        _refuse(file, "$", "found deeply nested JSON, expected a certificate")
    except ValueError as error:
        _refuse(file, "$", f"found no valid JSON: {str(error)[:200]}")
    return _certificate(_Value(data, "$", file))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice in an object")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no whole number")


def _refuse(file: str, path: str, message: str) -> NoReturn:
    raise InputError([Problem(message, Place(file, path))])


@dataclass(frozen=True)
class _Value:
    """A JSON value with its path; each method reads it as one type or refuses it."""

    data: Any
    path: str
    file: str

    def refuse(self, expected: str) -> NoReturn:
        kinds = {dict: "an object", list: "a list", str: "a text", bool: "a Boolean"}
        found = kinds.get(type(self.data)) or str(self.data)[:40]
        if isinstance(self.data, str):
            found = json.dumps(self.data[:40])
        _refuse(self.file, self.path, f"found {found}, expected {expected}")

    def fields(self, *names: str) -> list[_Value]:
        """The values of an object with exactly these fields."""
        if not isinstance(self.data, dict):
            self.refuse("an object")
        if self.data.keys() != set(names):
            listed = ", ".join(names)
            unknown = sorted(self.data.keys() - set(names))
            missing = sorted(set(names) - self.data.keys())
            what = f"the unknown field {unknown[0]!r:.60}" if unknown else f"no {missing[0]}"
            _refuse(self.file, self.path, f"found {what}, expected the fields {listed}")
        return [_Value(self.data[name], f"{self.path}.{name}", self.file) for name in names]

    def members(self) -> dict[str, _Value]:
        if not isinstance(self.data, dict):
            self.refuse("an object")
        return {
            name: _Value(data, f"{self.path}[{json.dumps(name)}]", self.file)
            for name, data in self.data.items()
        }

    def items(self) -> list[_Value]:
        if not isinstance(self.data, list):
            self.refuse("a list")
        return [_Value(x, f"{self.path}[{i}]", self.file) for i, x in enumerate(self.data)]

    def text(self) -> str:
        if not isinstance(self.data, str) or any("\ud800" <= c <= "\udfff" for c in self.data):
            self.refuse("a text")
        return self.data

    def texts(self) -> tuple[str, ...]:
        return tuple(item.text() for item in self.items())

    def one_of(self, *known: str) -> str:
        if self.data not in known:
            self.refuse(f"one of {', '.join(known)}")
        return str(self.data)

    def number(self, below: int | None = None) -> int:
        if type(self.data) is not int or self.data < 0:
            self.refuse("a whole number")
        if below is not None and self.data >= below:
            self.refuse(f"a position below {below}")
        return int(self.data)

    def flag(self) -> bool:
        if not isinstance(self.data, bool):
            self.refuse("true or false")
        return self.data

    def maybe(self, read: Callable[[_Value], Any]) -> Any:
        return None if self.data is None else read(self)

    def exactly(self, expected: Any) -> None:
        if json.dumps(self.data, sort_keys=True) != json.dumps(expected, sort_keys=True):
            self.refuse(f"what this version of tenantproof assumes: {json.dumps(expected):.200}")


def _certificate(root: _Value) -> Certificate:
    if not isinstance(root.data, dict) or root.data.get("format") != FORMAT:
        root.refuse(f'an object whose "format" is "{FORMAT}"')
    version = root.data.get("version")
    if type(version) is not int or version != VERSION:
        _refuse(root.file, "$.version", f"found {version!r:.40}, expected {VERSION}")
    (_, _, manifest, lenient, assumed, policies, patterns, theorems, without) = root.fields(
        "format",
        "version",
        "manifest",
        "lenient",
        "assumptions",
        "policies",
        "patterns",
        "theorems",
        "without_proof",
    )
    assumed.exactly(assumptions())
    file, sha256 = manifest.fields("file", "sha256")
    embedded = tuple(_embedded(item) for item in policies.items())
    lists = _Lists.of(patterns, len(embedded))
    proved = tuple(_proved(item, lists) for item in theorems.items())
    lists.check_all_used(patterns, policies)
    return Certificate(
        file.text(),
        _digest(sha256),
        lenient.flag(),
        embedded,
        proved,
        tuple(_claim(item) for item in without.items()),
    )


def _digest(value: _Value) -> str:
    if not _SHA256.fullmatch(value.text()):
        value.refuse("64 hexadecimal digits")
    return value.text()


def _embedded(value: _Value) -> Embedded:
    file, sha256, text = value.fields("file", "sha256", "text")
    return Embedded(file.text(), _digest(sha256), text.text())


def _claim(value: _Value) -> Claim:
    question, tenant, principal, endpoint, assertion = value.fields(
        "question", "tenant", "principal", "endpoint", "assertion"
    )
    return Claim(
        question.one_of("isolated", "cannot"),
        tenant.text(),
        principal.text(),
        endpoint.text(),
        assertion.maybe(_Value.text),
    )


@dataclass
class _Lists:
    """The file's lists of patterns and its policies, and which of them a theorem has named."""

    patterns: list[Patterns]
    policies: int
    used_patterns: set[int]
    used_policies: set[int]

    @classmethod
    def of(cls, value: _Value, policies: int) -> _Lists:
        lists = [item.texts() for item in value.items()]
        if len(set(lists)) != len(lists):
            value.refuse("each list of patterns once")
        return cls(lists, policies, set(), set())

    def named(self, value: _Value) -> Patterns:
        number = value.number(len(self.patterns))
        self._in_order(value, number, self.used_patterns)
        return self.patterns[number]

    def policy(self, value: _Value) -> int:
        number = value.number(self.policies)
        self._in_order(value, number, self.used_policies)
        return number

    def _in_order(self, value: _Value, number: int, used: set[int]) -> None:
        """Lists and policies stand in the order in which the theorems name them."""
        if number > len(used):
            value.refuse(f"at most {len(used)}, as {len(used)} is not named before")
        used.add(number)

    def check_all_used(self, patterns: _Value, policies: _Value) -> None:
        if len(self.used_patterns) != len(self.patterns):
            item = patterns.items()[len(self.used_patterns)]
            item.refuse("only lists of patterns that a theorem names")
        if len(self.used_policies) != self.policies:
            policies.items()[len(self.used_policies)].refuse("only policies that a theorem names")


def _proved(value: _Value, lists: _Lists) -> Proved:
    (
        question,
        tenant,
        assertion,
        principal,
        policies,
        endpoint,
        fixed,
        actions,
        forbidden,
        propositions,
        lemmas,
        nodes,
    ) = value.fields(
        "question",
        "tenant",
        "assertion",
        "principal",
        "policies",
        "endpoint",
        "fixed",
        "actions",
        "forbidden",
        "propositions",
        "lemmas",
        "nodes",
    )
    who = _principal(principal)
    if endpoint.text().count(":") < 5:
        endpoint.refuse("the ARN of an endpoint")
    fixed.exactly(fixed_by(endpoint.text()))
    asked = question.one_of("isolated", "cannot")
    claim = Claim(asked, tenant.text(), who.arn, endpoint.text(), assertion.maybe(_Value.text))
    stack = _stack(policies, lists)
    theorem = Theorem(claim, who, stack, actions.texts(), _forbidden(asked, forbidden, lists))
    proof = Proof(
        tuple(_proposition(item) for item in propositions.items()),
        tuple(_lemma(item) for item in lemmas.items()),
        tuple(_node(item) for item in nodes.items()),
    )
    return Proved(theorem, proof)


def _principal(value: _Value) -> Principal:
    arn, tags, context = value.fields("arn", "tags", "context")
    return Principal(
        arn.text(),
        {name: tag.text() for name, tag in tags.members().items()},
        {name: _context_value(each) for name, each in context.members().items()},
    )


def _context_value(value: _Value) -> ContextValue:
    return value.texts() if isinstance(value.data, list) else value.text()


def _stack(value: _Value, lists: _Lists) -> Stack:
    levels, boundary, session, identity = value.fields(
        "service_control_policies",
        "permissions_boundary",
        "session_policies",
        "identity_policies",
    )
    return Stack(
        tuple(tuple(lists.policy(p) for p in level.items()) for level in levels.items()),
        boundary.maybe(lists.policy),
        tuple(lists.policy(p) for p in session.items()),
        tuple(lists.policy(p) for p in identity.items()),
    )


def _forbidden(question: str, value: _Value, lists: _Lists) -> Beyond | Within:
    if question == "isolated":
        own, owned, shared = value.fields("own", "owned", "shared")
        return Beyond(lists.named(own), lists.named(owned), lists.named(shared))
    (models,) = value.fields("models")
    return Within(models.maybe(lists.named))


def _says(
    value: _Value, name: str, known: Mapping[str, tuple[str, ...]]
) -> tuple[str, list[_Value]]:
    """The kind of an object, which the field ``name`` tells, and the values of its other fields."""
    if not isinstance(value.data, dict) or name not in value.data:
        value.refuse(f'an object with "{name}"')
    kind = _Value(value.data[name], f"{value.path}.{name}", value.file).one_of(*known)
    return kind, value.fields(name, *known[kind])[1:]


_PROPOSITIONS: Mapping[str, tuple[str, ...]] = {
    "action": (),
    "reading": ("ambiguity",),
    "present": ("key",),
    "not empty": ("key",),
    "match": ("key", "with", "reading"),
    "no match": ("key", "with", "reading"),
    "undetermined": ("policy", "statement", "element"),
}


def _proposition(value: _Value) -> Written:
    match _says(value, "says", _PROPOSITIONS):
        case "action", _:
            return TheAction()
        case "reading", [ambiguity]:
            return Choice(_ambiguity(ambiguity))
        case "present", [key]:
            return Present(key.text())
        case "not empty", [key]:
            return Filled(key.text())
        case "undetermined", [policy, statement, element]:
            return Undetermined(policy.number(), statement.number(), element.text())
        case says, [key, at, reading]:
            return Compared(key.text(), _source(at, reading), says == "match")
        case _:
            raise AssertionError("a proposition has the fields listed for it")


def _ambiguity(value: _Value) -> Ambiguity:
    return Ambiguity(value.one_of(*(ambiguity.value for ambiguity in Ambiguity)))


def _source(at: _Value, reading: _Value) -> Source:
    flags = {name: flag.flag() for name, flag in reading.members().items()}
    unknown = flags.keys() - {ambiguity.value for ambiguity in Ambiguity}
    if unknown:
        reading.refuse("only ambiguities")
    choices = tuple((a, flags[a.value]) for a in Ambiguity if a.value in flags)
    if isinstance(at.data, str):
        return Source(at.text(), choices)
    policy, statement, condition = at.fields("policy", "statement", "condition")
    return Source((policy.number(), statement.number(), condition.number()), choices)


def _lemma(value: _Value) -> Lemma:
    key, literals = value.fields("key", "literals")
    return Lemma(key.text(), tuple(_literal(item) for item in literals.items()))


def _literal(value: _Value) -> tuple[int, bool]:
    proposition, holds = value.fields("proposition", "holds")
    return proposition.number(), holds.flag()


_CLOSED: Mapping[str, tuple[str, ...]] = {
    "not forbidden": (),
    "denied": ("layer", "policy", "statement"),
    "silent": ("layer", "because"),
    "lemma": ("lemma",),
}


def _node(value: _Value) -> Node:
    if isinstance(value.data, dict) and "if" in value.data:
        return _split(value)
    match _says(value, "closed", _CLOSED):
        case "not forbidden", _:
            return Closed(Harmless())
        case "denied", [layer, policy, statement]:
            return Closed(Denied(layer.text(), policy.number(), statement.number()))
        case "silent", [layer, because]:
            return Closed(Silent(layer.text(), tuple(map(_failing, because.items()))))
        case "lemma", [lemma]:
            return ByLemma(lemma.number())
        case _:
            raise AssertionError("a node has the fields listed for it")


def _failing(value: _Value) -> tuple[int, int, str]:
    policy, statement, element = value.fields("policy", "statement", "element")
    return policy.number(), statement.number(), element.text()


def _split(value: _Value) -> Split:
    outcomes: tuple[tuple[bool | str, int], ...]
    if "actions" in value.data:
        proposition, actions = value.fields("if", "actions")
        outcomes = tuple((name, node.number()) for name, node in actions.members().items())
    else:
        proposition, yes, no = value.fields("if", "yes", "no")
        outcomes = ((True, yes.number()), (False, no.number()))
    return Split(proposition.number(), outcomes)
