"""SAM templates, as the transform ``AWS::Serverless-2016-10-31`` rewrites them.

The rewriting is done by the library that the service itself uses. What it leaves alone keeps its
place; what it makes has the place of the resource that it is made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy.json_reader import (
    JsonBool,
    JsonNull,
    JsonNumber,
    JsonString,
    child_path,
)
from tenantproof.sources.values import Listed, NotKnown, PartlyKnown, Table, Value

TRANSFORM = "AWS::Serverless-2016-10-31"


class _NoPolicies:
    """The managed policies of an account: none, but for those that the library knows itself."""

    def load(self) -> dict[str, str]:
        return {}


def translated(template: Table, parameters: Mapping[str, str], region: str) -> Table:
    """A SAM template as a CloudFormation template.

    Args:
        template: the template.
        parameters: the values of parameters that are given.
        region: the region; its partition is in the ARNs of AWS's managed policies.

    Raises:
        InputError: it is no SAM template, or ``aws-sam-translator`` is not installed.
    """
    try:
        from samtranslator.model.exceptions import InvalidDocumentException  # noqa: PLC0415
        from samtranslator.parser.parser import Parser  # noqa: PLC0415
        from samtranslator.translator.translator import Translator  # noqa: PLC0415
    except ImportError:
        message = (
            f"found a template with the transform {TRANSFORM}, expected aws-sam-translator to be"
            ' installed: pip install "tenantproof[cloudformation]"'
        )
        raise InputError([Problem(message, template.place)]) from None
    # Its region is all that the library asks of a session.
    session = SimpleNamespace(region_name=region)
    translator = Translator({}, Parser(), boto_session=session)
    try:
        made = translator.translate(
            _plain(template), dict(parameters), get_managed_policy_map=_NoPolicies().load
        )
    except InvalidDocumentException as error:
        causes = [cause.message for cause in error.causes] or [error.message]
        raise InputError([_refused(cause, template.place) for cause in causes]) from None
    except Exception as error:
        # Whatever a bad template makes of the library.
        raise InputError([_refused(repr(error), template.place)]) from None
    result = _grafted(made, template, template.place)
    assert isinstance(result, Table)
    return result


def _refused(cause: str, place: Place) -> Problem:
    return Problem(f"found a template that SAM cannot translate: {cause}", place)


def _plain(value: Value) -> Any:
    match value:
        case JsonString(written):
            return written
        case JsonNumber(number):
            return int(number) if number.lstrip("-").isdecimal() else float(number)
        case JsonBool(truth):
            return truth
        case JsonNull() | NotKnown() | PartlyKnown():
            return None
        case Listed(items):
            return [_plain(item) for item in items]
        case Table(members):
            return {key.value: _plain(item) for key, item in members}


def _grafted(made: Any, before: Value | None, place: Place) -> Value:
    """What the library made, where it is what was written in the place of that."""
    if before is not None and _plain(before) == made:
        return before
    match made:
        case dict():
            known = dict(_named(before)) if isinstance(before, Table) else {}
            members: list[tuple[JsonString, Value]] = []
            for name, value in made.items():
                origin = known.get(name) or _origin(name, known)
                key, old = origin if origin is not None else (None, None)
                at = Place(place.file, child_path(place.path, name), place.line, place.column)
                if old is not None:
                    at = old.place
                written = key if key is not None and key.value == name else None
                members.append(
                    (
                        written or JsonString(name, at),
                        _grafted(value, old if written is not None else None, at),
                    )
                )
            return Table(tuple(members), before.place if before is not None else place)
        case list():
            olds = before.items if isinstance(before, Listed) else ()
            return Listed(
                tuple(
                    _grafted(value, olds[i] if i < len(olds) else None, place)
                    for i, value in enumerate(made)
                ),
                place,
            )
        case bool():
            return JsonBool(made, place)
        case int() | float():
            return JsonNumber(str(made), place)
        case None:
            return JsonNull(place)
        case _:
            return JsonString(str(made), place)


def _named(table: Table) -> list[tuple[str, tuple[JsonString, Value]]]:
    return [(key.value, (key, value)) for key, value in table.members]


def _origin(
    name: str, known: Mapping[str, tuple[JsonString, Value]]
) -> tuple[JsonString, Value] | None:
    """The resource that one is made of: its name begins with that one's name."""
    prefixes = [each for each in known if name.startswith(each)]
    return known[max(prefixes, key=len)] if prefixes else None
