"""What a principal's ARN says of the condition keys that its requests carry.

Follows "Principal key values" in "IAM policy elements: Variables and tags", "IAM identifiers", and
"AWS global condition context keys" of the IAM User Guide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tenantproof.policy.syntax import Family
from tenantproof.prove.regular import CharSet, Concat, Expression, One, Regular, Repeat, text
from tenantproof.prove.search import Domain

UNIQUE_ID = Repeat(One(CharSet.of("AZ", "09")), 4, 128)
SESSION_NAME = Repeat(One(CharSet.of("az", "AZ", "09", *"_+=,.@-")), 2, 64)
_SESSION = "session"


@dataclass(frozen=True)
class PrincipalKeys:
    """The values that keys can hold for a principal, and the keys that its requests all carry.

    ``always`` gives each of those a typical value.
    """

    domains: Mapping[str, Domain] = field(default_factory=dict)
    always: Mapping[str, str] = field(default_factory=dict)


def keys_of(arn: str) -> PrincipalKeys:
    """What follows from a principal's ARN.

    ``aws:userid`` is the unique id of a user, of a role with the name of the session, the account
    of its root user. Who acts by temporary credentials, as sessions of roles do, has an
    ``aws:TokenIssueTime``.
    """
    fields = arn.split(":", 5)
    if len(fields) < 6:
        return PrincipalKeys()
    account, (kind, _, name) = fields[4], fields[5].partition("/")
    match kind:
        case "user":
            return _user_id(UNIQUE_ID, "AIDACKCEVSQ6C2EXAMPLE")
        case "role":
            return _of_session(SESSION_NAME, _SESSION)
        case "assumed-role":
            session = name.rpartition("/")[2]
            return _of_session(text(session), session)
        case "federated-user":
            return _user_id(text(f"{account}:{name}"), f"{account}:{name}")
        case "root":
            return _user_id(text(account), account)
        case _:
            return PrincipalKeys()


def _user_id(texts: Expression, typical: str) -> PrincipalKeys:
    domain = Domain(min_length=1, shape=Regular(texts, "user ids"))
    return PrincipalKeys({"aws:userid": domain}, {"aws:userid": typical})


def _of_session(session: Expression, typical: str) -> PrincipalKeys:
    of_role = _user_id(Concat((UNIQUE_ID, text(":"), session)), f"AROACKCEVSQ6C2EXAMPLE:{typical}")
    issued = {"aws:tokenissuetime": "2026-01-01T00:00:00Z"}
    return PrincipalKeys(
        {**of_role.domains, "aws:tokenissuetime": Domain(kind=Family.DATE)},
        {**of_role.always, **issued},
    )
