"""The requests that two sets of policies are compared on.

Free is what a request chooses: action, resource, every condition key, and for policy files the
caller. What follows from another part of the request is no choice of its own: see
:mod:`tenantproof.prove.lifting`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from tenantproof.isolation.sagemaker import (
    TARGET_MODEL,
    target_model_actions,
    target_model_domain,
)
from tenantproof.policy import LayerKind, Stack, statements
from tenantproof.prove import (
    ACTION,
    RESOURCE,
    Domain,
    Language,
    Present,
    RequestSpace,
    Some,
    Term,
    conj,
    disj,
    neg,
)
from tenantproof.prove.callers import PRINCIPAL_ARN, ROOT
from tenantproof.prove.formula import (
    CANONICAL_USER,
    FEDERATED,
    SERVICE,
    SESSION,
    Loop,
    Matches,
    Piece,
    Put,
    Step,
    implies,
    pattern_of,
)
from tenantproof.prove.languages import ANY, NO_COLON
from tenantproof.prove.lifting import Case, Constant, Instant, Lift, Own, Part, Parts
from tenantproof.prove.principals import SESSION_NAME, UNIQUE_ID, keys_of
from tenantproof.prove.regular import (
    CharSet,
    Choice,
    Concat,
    Expression,
    One,
    Regular,
    Repeat,
    text,
)
from tenantproof.prove.space import ALWAYS_PRESENT, GLOBAL_DOMAINS
from tenantproof.request import PRINCIPAL_TAG_PREFIX, Principal

TYPICAL_ACCOUNT: Final = "111122223333"
TYPICAL_PRINCIPAL: Final = f"arn:aws:iam::{TYPICAL_ACCOUNT}:role/example"
"""Who calls where it does not matter."""

TYPICAL_TAG: Final = "x"
"""The value of a tag that is there, where it does not matter."""

TARGET: Final = TARGET_MODEL.lower()

USER_ID: Final = "aws:userid"
ISSUE_TIME: Final = "aws:tokenissuetime"
CURRENT_TIME: Final = "aws:currenttime"
EPOCH_TIME: Final = "aws:epochtime"
RESOURCE_ACCOUNT: Final = "aws:resourceaccount"
REQUESTED_REGION: Final = "aws:requestedregion"

ASSUMED = (
    "where the resource's ARN has an account or a region, aws:ResourceAccount and"
    " aws:RequestedRegion are those",
    "a resource is an ARN, or * for actions that have none; an account is 12 digits, or as the"
    " policies write it",
    "aws:PrincipalArn is the ARN of a user, a role (of a session: the role's), a federated user, or"
    " (for resource policies) a root user",
)
"""What every PROVED of a comparison rests on."""

BY_ITSELF = (
    "each policy is compared by itself: other policies of the same principal or resource, and what"
    " its Deny takes from them, are not asked about"
)
"""What a PROVED of policy files rests on, too."""


def request_space(stacks: Sequence[Stack], principal: Principal | None) -> RequestSpace:
    """All requests that some stacks are compared on.

    Args:
        stacks: the policies; what they mention decides which relations are of interest.
        principal: who makes the requests; None where that is free.
    """
    accounts = _accounts(stacks)
    of_resources = any(is_of_resource(stack) for stack in stacks)
    lifts: dict[str, Lift] = {**_resource_lifts()}
    always = {**ALWAYS_PRESENT, REQUESTED_REGION: "us-east-1"}
    if principal is None:
        lifts.update(_principal_lifts(of_resources=of_resources))
        if of_resources:
            del always[USER_ID]
        else:
            always[PRINCIPAL_ARN] = TYPICAL_PRINCIPAL
        always["aws:principalaccount"] = TYPICAL_ACCOUNT
        always["aws:principaltype"] = "AssumedRole"
    if principal is not None:
        always.update(keys_of(principal.arn).always)
    names = mentioned(stacks)
    if {CURRENT_TIME, EPOCH_TIME} <= names.keys():
        lifts[EPOCH_TIME] = (Case(True, Instant(CURRENT_TIME)),)
    is_fixed = principal is not None or not of_resources
    return RequestSpace(
        principal=principal,
        fixed={"aws:principalisawsservice": "false"} if is_fixed else {},
        lifts=lifts,
        domains={
            **GLOBAL_DOMAINS,
            **_domains(accounts, of_resources=of_resources),
            **({TARGET: target_model_domain()} if TARGET in names else {}),
            **(keys_of(principal.arn).domains if principal else {}),
        },
        only_with={TARGET: target_model_actions()} if TARGET in names else {},
        single_valued=frozenset({TARGET}),
        multivalued=_qualified(stacks),
        always=always,
    )


def is_of_resource(stack: Stack) -> bool:
    """Whether the policies say themselves who may call."""
    return any(layer.kind is LayerKind.RESOURCE for layer in stack.layers())


def mentioned(stacks: Iterable[Stack]) -> Mapping[str, str]:
    """The condition keys that policies mention, lower case to as first written."""
    names: dict[str, str] = {}
    for stack in stacks:
        for statement in statements(stack):
            keys = [c.key for c in statement.conditions]
            keys += [v.key for t in statement.templates for v in t.variables]
            for key in keys:
                names.setdefault(key.lower(), key)
    return names


def _qualified(stacks: Iterable[Stack]) -> frozenset[str]:
    conditions = (c for stack in stacks for s in statements(stack) for c in s.conditions)
    return frozenset(c.key.lower() for c in conditions if c.operator.qualifier)


# -- what follows from what --------------------------------------------------------------------

_NC = Loop(NO_COLON)
_ONE = Step(NO_COLON)
_REST = (":", Loop(ANY))


def _arns(*pieces: Piece) -> Language:
    return Language([pattern_of(("arn:", _NC, *pieces), {})])


_USER = _arns(":iam::", _NC, ":user/", Loop(ANY))
_ROLE = _arns(":iam::", _NC, ":role/", Loop(ANY))
_FEDERATED_USER = _arns(":sts::", _NC, ":federated-user/", Loop(ANY))

_TYPES = ((_USER, "User"), (_ROLE, "AssumedRole"), (_FEDERATED_USER, "FederatedUser"))

_ACCOUNT_OF_PRINCIPAL = Part(PRINCIPAL_ARN, (("arn:", _NC, ":", _NC, "::"),), _REST, ":")
_NAME_OF_USER = Part(
    PRINCIPAL_ARN,
    (
        ("arn:", _NC, ":iam::", _NC, ":user/"),
        ("arn:", _NC, ":iam::", _NC, ":user/", Loop(ANY), "/"),
    ),
    excluded="/",
)


def _principal_lifts(*, of_resources: bool) -> dict[str, Lift]:
    """The keys that follow from who calls."""
    is_aws: Term = Present(PRINCIPAL_ARN) if of_resources else True

    def aws(shape: Language) -> Term:
        return conj((is_aws, Some(PRINCIPAL_ARN, shape)))

    def own(key: str) -> Case:
        return Case(disj((Present(SERVICE), Present(FEDERATED))), Own(key))

    user_id = (
        Case(aws(ROOT), _ACCOUNT_OF_PRINCIPAL),
        Case(disj((aws(_USER), aws(_ROLE))), Own(USER_ID)),
        # "account:caller-specified-name", by "Principal key values" of the reference.
        Case(aws(_FEDERATED_USER), Parts(PRINCIPAL_ARN, ":")),
    )
    account, kind = "aws:principalaccount", "aws:principaltype"
    types = tuple(Case(aws(shape), Constant(name)) for shape, name in _TYPES)
    lifts: dict[str, Lift] = {
        account: (Case(is_aws, _ACCOUNT_OF_PRINCIPAL),),
        kind: types,
        USER_ID: user_id,
        "aws:username": (Case(aws(_USER), _NAME_OF_USER),),
    }
    if of_resources:
        root = Case(aws(ROOT), Constant("Account"))
        anonymous = neg(disj((is_aws, Present(SERVICE), Present(FEDERATED))))
        service = Case(conj((Present(SERVICE), Present(USER_ID))), Own(USER_ID))
        lifts[account] += (Case(anonymous, Constant("anonymous")), own(account))
        lifts[kind] += (root, Case(anonymous, Constant("Anonymous")), own(kind))
        lifts[USER_ID] += (service,)
        lifts["aws:principalservicename"] = (Case(Present(SERVICE), Part(SERVICE)),)
        lifts["aws:principalisawsservice"] = (
            Case(is_aws, Constant("false")),
            Case(Present(SERVICE), Constant("true")),
        )
    return lifts


def _resource_lifts() -> dict[str, Lift]:
    """The keys that follow from the resource's ARN, where it has the field."""
    before: tuple[Piece, ...] = ("arn:", _NC, ":", _NC, ":")
    region = Part(RESOURCE, (before,), (":", _NC, *_REST), ":")
    account = Part(RESOURCE, ((*before, _NC, ":"),), _REST, ":")
    has_region = Some(RESOURCE, Language([pattern_of((*before, _ONE, _NC, ":", _NC, *_REST), {})]))
    has_account = conj(
        (
            Some(RESOURCE, Language([pattern_of((*before, _NC, ":", _ONE, _NC, *_REST), {})])),
            # Such as the ARNs of AWS managed policies: whose account that is, nothing says.
            neg(Some(RESOURCE, Language([pattern_of((*before, _NC, ":aws", *_REST), {})]))),
        )
    )
    present = Present(RESOURCE_ACCOUNT)
    return {
        REQUESTED_REGION: (
            Case(has_region, region),
            Case(neg(has_region), Own(REQUESTED_REGION)),
        ),
        RESOURCE_ACCOUNT: (
            Case(conj((present, has_account)), account),
            Case(conj((present, neg(has_account))), Own(RESOURCE_ACCOUNT)),
        ),
    }


def rules(space: RequestSpace, stacks: Sequence[Stack]) -> Term:
    """What holds for every request of a space, of the keys that the stacks mention."""
    names = mentioned(stacks)
    found: list[Term] = [space.rules()]
    if space.principal is not None:
        return conj(found)
    is_aws = space.present(PRINCIPAL_ARN)

    def aws(shape: Language) -> Term:
        return conj((is_aws, Some(PRINCIPAL_ARN, shape)))

    if any(is_of_resource(stack) for stack in stacks):
        callers = (is_aws, Present(SERVICE), Present(FEDERATED))
        pairs = ((a, b) for i, a in enumerate(callers) for b in callers[i + 1 :])
        found += (neg(conj(pair)) for pair in pairs)
        found.append(implies(Present(SESSION), aws(_ROLE)))
        if _speaks_of_sessions(stacks):
            found.append(implies(aws(_ROLE), Present(SESSION)))
        found.append(implies(Present(CANONICAL_USER), neg(disj(callers[1:]))))
    for key in names:
        if key.startswith(PRINCIPAL_TAG_PREFIX):
            found.append(implies(Present(key), conj((is_aws, neg(aws(ROOT))))))
    if ISSUE_TIME in names:
        # Who acts by temporary credentials has it; a user may.
        temporary = disj((aws(_ROLE), aws(_FEDERATED_USER)))
        found.append(implies(temporary, Present(ISSUE_TIME)))
    if USER_ID in names:
        if USER_ID not in space.always:
            # Only of a key that is said to be there is a value looked for.
            found.append(implies(disj((aws(_USER), aws(_ROLE))), Present(USER_ID)))
        found.append(implies(aws(_USER), Some(USER_ID, _ID_OF_USER)))
        found.append(implies(aws(_ROLE), Some(USER_ID, _ID_OF_SESSION)))
        if _speaks_of_sessions(stacks):
            ends = Matches(USER_ID, (Loop(ANY), ":", Put(SESSION)))
            found.append(implies(aws(_ROLE), ends))
    return conj(found)


def _speaks_of_sessions(stacks: Iterable[Stack]) -> bool:
    clauses = [s.principal for stack in stacks for s in statements(stack) if s.principal]
    return any(
        clause.negated or ":assumed-role/" in entry.value
        for clause in clauses
        for entry in clause.entries
    )


# -- the values there are ----------------------------------------------------------------------

_ID_OF_USER = Regular(UNIQUE_ID, "ids of users")
_ID_OF_SESSION = Regular(Concat((UNIQUE_ID, text(":"), SESSION_NAME)), "ids of sessions")

_DIGIT = One(CharSet.of("09"))
_LOWER = One(CharSet.of("az", "09", "-"))
_NAME = One(CharSet.of("az", "AZ", "09", "_", "+", "=", ",", ".", "@", "-"))
_VISIBLE = One(CharSet.of("!~"))
_PRINTABLE = One(CharSet(((0x20, 0x7E), (0xA0, 0xD7FF), (0xE000, 0x10FFFF))))
_WORD = One(CharSet.of("az", "AZ", "09", "_", ".", "-"))
_PARTITION = Concat((text("aws"), Repeat(Concat((text("-"), Repeat(_LOWER, 1))), 0, 1)))
_PATH = Repeat(Concat((Repeat(_VISIBLE), text("/"))), 0, 1)


def _domains(accounts: Sequence[str], *, of_resources: bool) -> dict[str, Domain]:
    account = Choice((Repeat(_DIGIT, 12, 12), *map(text, accounts)))
    service = Repeat(_LOWER, 1)
    resource = _concat(
        "arn:",
        _PARTITION,
        ":",
        service,
        ":",
        Repeat(_LOWER),
        ":",
        Choice((account, text(""), text("aws"))),
        ":",
        Repeat(_PRINTABLE, 1),
    )
    named = _concat(Choice((text("user/"), text("role/"))), _PATH, Repeat(_NAME, 1, 64))
    in_iam = Choice((named, text("root"))) if of_resources else named
    principal = _concat(
        "arn:",
        _PARTITION,
        Choice(
            (
                _concat(":iam::", account, ":", in_iam),
                _concat(":sts::", account, ":federated-user/", Repeat(_NAME, 1, 64)),
            )
        ),
    )
    not_empty = Domain(min_length=1)
    an_account = Domain(shape=Regular(account, "accounts"), min_length=1)
    return {
        ACTION: Domain(shape=Regular(_concat(service, ":", Repeat(_WORD, 1)), "actions")),
        RESOURCE: Domain(shape=Regular(Choice((text("*"), resource)), "resources")),
        PRINCIPAL_ARN: Domain(shape=Regular(principal, "principals"), min_length=1),
        SESSION: Domain(shape=Regular(SESSION_NAME, "sessions"), min_length=2),
        "aws:username": Domain(shape=Regular(Repeat(_NAME, 1, 64), "user names"), min_length=1),
        "aws:principaltype": not_empty,
        "aws:principalservicename": not_empty,
        "aws:principalaccount": not_empty if of_resources else an_account,
        RESOURCE_ACCOUNT: an_account,
        REQUESTED_REGION: Domain(shape=Regular(Repeat(_LOWER, 1), "regions"), min_length=1),
    }


def _concat(*items: Expression | str) -> Expression:
    return Concat(tuple(text(item) if isinstance(item, str) else item for item in items))


_ACCOUNT_IN_ARN = re.compile(r"[^:]*:[^:]*:[^:]*:[^:]*:([^:*?$]+)(?::|$)")
_KEYS_OF_ACCOUNTS = ("aws:principalaccount", RESOURCE_ACCOUNT)
_DIGITS_12 = re.compile(r"[0-9]{12}")


def _accounts(stacks: Iterable[Stack]) -> tuple[str, ...]:
    """The accounts that policies write in another way than as 12 digits: placeholders, mostly."""
    found = {account: None for stack in stacks for account in _written_accounts(stack)}
    return tuple(a for a in found if a != "aws" and not _DIGITS_12.fullmatch(a))


def _written_accounts(stack: Stack) -> Iterator[str]:
    for statement in statements(stack):
        for template in statement.templates:
            yield from _account_of(template.text)
        for entry in statement.principal.entries if statement.principal else ():
            yield from _account_of(entry.value)
            if entry.type == "AWS" and entry.value.isdigit():
                yield entry.value
        for condition in statement.conditions:
            if condition.key.lower() in _KEYS_OF_ACCOUNTS:
                texts = (value.text for value in condition.values)
                yield from (t for t in texts if t and not set(t) & set(":*?$"))


def _account_of(arn: str) -> Iterator[str]:
    found = _ACCOUNT_IN_ARN.match(arn)
    if found is not None:
        yield found.group(1)
