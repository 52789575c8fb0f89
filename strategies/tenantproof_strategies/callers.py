"""Principals: users, roles and assumed-role sessions, their tags near each other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from hypothesis import strategies as st
from hypothesis.errors import InvalidArgument

from tenantproof.policy import PolicyDocument, PolicySet, statements
from tenantproof.policy.syntax import Statement
from tenantproof.request import PRINCIPAL_TAG_PREFIX, Principal
from tenantproof_strategies import arguments
from tenantproof_strategies.aims import checked_policies, patterns_of
from tenantproof_strategies.boundary import probe
from tenantproof_strategies.names import neighbours_of
from tenantproof_strategies.vocabulary import ACCOUNTS, NAMES, TAG_KEYS

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:[^:]*:(iam|sts)::[^:]*:.+", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9+=,.@_-]+")
_TAG_VALUES = ("", "*", "a?", "a:b", "a/b", "${*}", "acme-corp/v1")
_MOST_TAG = 256


def principals(
    arns: Iterable[str] | None = None,
    accounts: Iterable[str] | None = None,
    tags: Iterable[str] | Mapping[str, Iterable[str]] | None = None,
    near: PolicySet | PolicyDocument | Iterable[str] = (),
) -> st.SearchStrategy[Principal]:
    """IAM users, roles and assumed-role sessions, their tags near each other.

    Args:
        arns: the ARNs to choose from, instead of ones made up.
        accounts: the accounts of ARNs that are made up.
        tags: the keys of tags; a mapping gives the values of each, too. A principal has some of
            them, or none. Without it those that ``near`` mentions, or a few.
        near: policies, or names: names and tag values are these, and their neighbours.

    Raises:
        TypeError: an argument is of another type.
        InvalidArgument: an ARN, an account or a list of values cannot be one.
    """
    known = None if arns is None else _checked_arns(arguments.some(arns, "arns", "ARNs"))
    owners = ACCOUNTS if accounts is None else _checked_accounts(accounts)
    mentioned = _Mentioned(near)
    names = tuple(dict.fromkeys((*mentioned.names, *NAMES))) if mentioned.names else NAMES
    written = st.sampled_from(known) if known else _arns(owners, names)
    return st.builds(Principal, written, _tags(tags, mentioned, names))


def _checked_arns(arns: tuple[str, ...]) -> tuple[str, ...]:
    for arn in arns:
        if not _ARN.fullmatch(arn):
            raise InvalidArgument(
                f"found {arguments.shown(arn)} in arns, expected the ARN of a user, role or session"
            )
    return arns


def _checked_accounts(accounts: Iterable[str]) -> tuple[str, ...]:
    found = arguments.some(accounts, "accounts", "account IDs")
    for account in found:
        if not _ACCOUNT.fullmatch(account):
            raise InvalidArgument(
                f"found {arguments.shown(account)} in accounts, expected an ID of twelve digits"
            )
    return found


class _Mentioned:
    """The names and tags that an argument speaks of."""

    def __init__(self, near: PolicySet | PolicyDocument | Iterable[str]) -> None:
        self.names: dict[str, None] = {}
        self.tags: dict[str, dict[str, None]] = {}
        if isinstance(near, PolicySet | PolicyDocument):
            for statement in statements(checked_policies(near)):
                self._read(statement)
        else:
            self.names.update(dict.fromkeys(arguments.texts(near, "near", "policies or names")))

    def _read(self, statement: Statement) -> None:
        for condition in statement.conditions:
            key = condition.key
            if key.lower().startswith(PRINCIPAL_TAG_PREFIX):
                values = self._tag(key)
                values.update(dict.fromkeys(map(probe, patterns_of(condition))))
            elif key.lower() in ("aws:principalarn", "aws:username"):
                texts = (probe(pieces).rpartition("/")[2] for pieces in patterns_of(condition))
                self.names.update(dict.fromkeys(filter(_NAME.fullmatch, texts)))
        for template in statement.templates:
            for variable in template.variables:
                if variable.key.lower().startswith(PRINCIPAL_TAG_PREFIX):
                    values = self._tag(variable.key)
                    values.update({} if variable.default is None else {variable.default: None})

    def _tag(self, key: str) -> dict[str, None]:
        return self.tags.setdefault(key[len(PRINCIPAL_TAG_PREFIX) :].lower(), {})


def _arns(accounts: tuple[str, ...], names: tuple[str, ...]) -> st.SearchStrategy[str]:
    kinds = (
        "arn:aws:iam::{}:user/{}",
        "arn:aws:iam::{}:role/{}",
        "arn:aws:sts::{}:assumed-role/{}/session",
    )
    return st.builds(
        lambda kind, account, name: kind.format(account, name),
        st.sampled_from(kinds),
        st.sampled_from(accounts),
        st.sampled_from(names),
    )


def _tags(
    given: Iterable[str] | Mapping[str, Iterable[str]] | None,
    mentioned: _Mentioned,
    names: tuple[str, ...],
) -> st.SearchStrategy[dict[str, str]]:
    if isinstance(given, Mapping):
        fixed = {
            key: st.sampled_from(arguments.some(values, f"tags[{key!r}]", "values"))
            for key, values in given.items()
        }
        return st.fixed_dictionaries({}, optional=fixed)
    keys = tuple(mentioned.tags) or TAG_KEYS
    if given is not None:
        keys = arguments.texts(given, "tags", "keys of tags")
    return st.fixed_dictionaries(
        {}, optional={key: _values((*mentioned.tags.get(key.lower(), ()), *names)) for key in keys}
    )


def _values(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Values of a tag: names, what is near the first of them, and what is no name."""
    close = [text for name in names[:3] for text in neighbours_of(name) if len(text) <= _MOST_TAG]
    return st.one_of(st.sampled_from(names), st.sampled_from(_TAG_VALUES), st.sampled_from(close))
