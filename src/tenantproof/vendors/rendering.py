"""Asking a vendor for the policies of a name, and reading strictly what it returns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy import PolicyDocument, PolicyKind, PolicySet, parse_policy
from tenantproof.vendors.vendor import Vendor


@dataclass(frozen=True)
class Rendered:
    """The policies of a name; ``texts`` has those given as JSON, by the file of their places."""

    policies: PolicySet
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Refused:
    """The vendor takes the name for none."""

    error: Exception


@dataclass(frozen=True)
class Invalid:
    """What was returned is no policy, and why."""

    error: InputError
    texts: Mapping[str, str]


@dataclass(frozen=True)
class Failed:
    """The vendor raised what it does not refuse names by."""

    error: Exception


Rendering = Rendered | Refused | Invalid | Failed


def render(vendor: Vendor, name: str) -> Rendering:
    """Call a vendor's function with a name and read what it returns."""
    try:
        returned = vendor.render(name)
    except vendor.refuses as error:
        return Refused(error)
    except InputError as error:
        return Invalid(error, {})
    except Exception as error:  # whatever it is, the report says of which name
        return Failed(error)
    return _read(returned, f"{vendor.name}({_short(name)})")


def same(one: Rendering, other: Rendering) -> bool:
    """Whether two renderings say the same to IAM; a Sid or an Id says nothing to it."""
    match one, other:
        case Rendered(policies), Rendered(others):
            return meaning(policies) == meaning(others)
        case Invalid(_, texts), Invalid(_, others_texts):
            return texts == others_texts
        case _:
            return type(one) is type(other)


def meaning(policies: PolicySet) -> PolicySet:
    """Policies without what IAM does not look at: Sids and Ids."""
    return policies.changed(_unlabelled)


def _unlabelled(document: PolicyDocument) -> PolicyDocument:
    statements = tuple(replace(statement, sid=None) for statement in document.statements)
    return replace(document, id=None, statements=statements)


def _short(name: str) -> str:
    shown = repr(name)
    return shown if len(shown) <= 40 else f"{shown[:24]}...{shown[-8:]}"


def _read(returned: object, file: str) -> Rendering:
    if isinstance(returned, PolicySet):
        return Rendered(returned, {})
    is_list = isinstance(returned, Sequence) and not isinstance(returned, str | bytes)
    items = list(returned) if isinstance(returned, Sequence) and is_list else [returned]
    documents: list[PolicyDocument] = []
    shown: dict[str, str] = {}
    problems: list[Problem] = []
    for i, item in enumerate(items):
        where = f"{file}[{i}]" if is_list else file
        try:
            document, text = _document(item, where)
            shown |= {where: text} if text else {}
            documents.append(document)
        except InputError as error:
            shown |= {where: _text(item)} if isinstance(item, str | bytes | Mapping) else {}
            problems += error.problems
    if not problems:
        try:
            return Rendered(PolicySet(tuple(documents)), shown)
        except InputError as error:
            problems += error.problems
    return Invalid(InputError(problems), shown)


def _document(item: object, file: str) -> tuple[PolicyDocument, str]:
    """The document, and the JSON that its places count the lines of."""
    match item:
        case PolicyDocument():
            return item, ""
        case str() | bytes():
            return _of_text(item, file)
        case Mapping():
            try:
                text = json.dumps(item, indent=2, allow_nan=False)
            except (TypeError, ValueError, RecursionError) as error:
                problem = Problem(f"found what JSON has no text for: {error}", Place(file, "$"))
                raise InputError([problem]) from None
            return parse_policy(text, file=file, kind=PolicyKind.IDENTITY), text
        case _:
            message = (
                f"found {item!r:.80}, expected a policy as a dict, JSON text or PolicyDocument,"
                " a list of those, or a PolicySet"
            )
            raise InputError([Problem(message, Place(file, "$"))])


def _of_text(text: str | bytes, file: str) -> tuple[PolicyDocument, str]:
    """A text is read as it is, and laid out where that leaves the policy the same."""
    document = parse_policy(text, file=file, kind=PolicyKind.IDENTITY)
    shown = _text(text)
    if "\n" not in shown.strip():
        pretty = json.dumps(json.loads(shown), indent=2)
        laid_out = parse_policy(pretty, file=file, kind=PolicyKind.IDENTITY)
        if laid_out == document:
            return laid_out, pretty
    return document, shown


def _text(item: object) -> str:
    if isinstance(item, bytes):
        return item.decode("utf-8", "backslashreplace")
    return item if isinstance(item, str) else repr(item)
