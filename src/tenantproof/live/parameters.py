"""A request as the IAM policy simulator is asked about it: the parameters of its two operations.

Follows "SimulateCustomPolicy" and "SimulatePrincipalPolicy" of the IAM API Reference. What the two
cannot say, or are documented not to decide, is :class:`NotSimulatable`, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tenantproof.errors import TenantproofError
from tenantproof.evaluate import decide
from tenantproof.evaluate.access import layers_that_apply, required
from tenantproof.evaluate.principals import Grant
from tenantproof.isolation import Probe
from tenantproof.live.context import Mentions, UnsayableError, context_entries
from tenantproof.live.simulation import NotSimulatable, Operation, Simulation
from tenantproof.live.simulator import Simulator
from tenantproof.policy import Access, LayerKind, PolicyDocument, statements
from tenantproof.policy.stack import RESOURCE_CONTROL_SERVICES, Levels
from tenantproof.policy.syntax import AnyChars, Clause, Effect, Statement
from tenantproof.policy.writer import UnwritableError, policy_to_json, statement_lines
from tenantproof.reading import DOCUMENTED
from tenantproof.request import PrincipalKind, Request

ACTION_LENGTHS = range(3, 128 + 1)
RESOURCE_LENGTHS = range(1, 2048 + 1)
POLICY_LENGTHS = range(1, 131_072 + 1)
MOST_LEVELS = 7
"""What the API takes, by its model; of lengths botocore checks the least alone."""

ALLOWS_NOTHING = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action":'
    ' "sts:GetCallerIdentity", "Resource": "*"}]}'
)
"""A policy that stands where the API wants one and the request has none.

What it allows nobody is asked about: everybody may do it ("No permissions are required to perform
this operation"). And it is no Deny, so that it cannot deny anything however it is read.
"""

ALLOWS_EVERYTHING = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
)
"""Beside it a session policy alone decides."""

_ACTION = re.compile("[A-Za-z0-9-]+:[A-Za-z0-9]+")
_COLONS = 5
"""Between the six fields of an ARN."""

_IDENTITY = "PolicyInputList"
_BOUNDARY = "PermissionsBoundaryPolicyInputList"
_ORGANIZATION = "OrderedOrganizationPolicyInputList"
_LEVEL = "ServiceControlPolicyInputList"
_RESOURCE = "ResourcePolicy"


def simulations(
    probe: Probe, *, principals: bool = False
) -> tuple[Simulation, ...] | NotSimulatable:
    """What to ask the simulator about a request.

    Args:
        probe: the request and the policies that decide it.
        principals: whether to ask about the policies of the principal as it is in the account,
            where the request is one of a user or a role whose policies are the deployed ones.

    Returns:
        The questions: the request is allowed if the answer to each is ``allowed``. Or why it
        cannot be put to the simulator.
    """
    try:
        caller = _caller(probe.request)
        _check_request(probe.request)
        asked = _Asked(probe.request, caller, _what_is_asked(probe, caller))
        if principals and probe.is_deployed and caller.entity is not None:
            return asked.of_principal(caller.entity)
        return asked.of_policies()
    except (_RefusedError, UnsayableError, UnwritableError) as error:
        return NotSimulatable(str(error))


def merged(policies: Sequence[PolicyDocument]) -> PolicyDocument:
    """Policies of which one must allow as one policy that says the same.

    Raises:
        UnwritableError: they are of two versions of the language.
    """
    first = policies[0]
    if any(policy.version is not first.version for policy in policies):
        raise UnwritableError(
            "the session policies are of two versions of the policy language, and one policy"
            " has to say what they say"
        )
    listed = tuple(statement for policy in policies for statement in policy.statements)
    return replace(first, id=None, statements=_with_plain_sids(listed))


class _RefusedError(TenantproofError):
    """The simulator does not take this; the message says what and why."""


# -- who asks for what -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Caller:
    """The caller of a request.

    Attributes:
        partition: the partition of its ARN.
        account: its account.
        entity: the ARN of the user or the role whose policies it has, which is what ``CallerArn``
            takes; None for root and federated users.
        is_user: whether it is a user.
    """

    partition: str
    account: str
    entity: str | None = None
    is_user: bool = False


def _caller(request: Request) -> _Caller:
    principal, arn = request.principal, request.keys.get("aws:principalarn")
    if principal.kind is not PrincipalKind.AWS:
        raise _RefusedError(
            f"the caller is of the kind {principal.kind.value}, expected an IAM user, a role or a"
            " session of one"
        )
    _, partition, _, _, account, resource, *_ = *principal.arn.split(":", 5), *[""] * 6
    given = request.keys.get("aws:principalaccount", account)
    if not account or given != account:
        raise _RefusedError(
            f"the caller {principal.arn} is of no account or not of aws:PrincipalAccount {given}"
        )
    kind = resource.partition("/")[0]
    if kind not in ("user", "role", "assumed-role"):
        return _Caller(partition, account)
    entity = f"arn:{partition}:iam::{account}:{'user' if kind == 'user' else 'role'}/"
    is_own = arn == principal.arn or kind == "assumed-role"
    if not isinstance(arn, str) or not arn.startswith(entity) or not is_own:
        raise _RefusedError(f"aws:PrincipalArn is {arn}, which is not the caller {principal.arn}")
    return _Caller(partition, account, arn, kind == "user")


def _check_request(request: Request) -> None:
    action, resource = request.action, request.resource
    if len(action) not in ACTION_LENGTHS or not _ACTION.fullmatch(action):
        raise _RefusedError(
            f"the action is {action!r}, the API takes service:Name of {_shown(ACTION_LENGTHS)}"
            " characters"
        )
    if len(resource) not in RESOURCE_LENGTHS:
        raise _RefusedError(
            f"the resource has {len(resource)} characters, the API takes {_shown(RESOURCE_LENGTHS)}"
        )
    if resource != "*" and not (resource.startswith("arn:") and resource.count(":") >= _COLONS):
        raise _RefusedError(f"the resource is {resource!r}, the API takes an ARN or *")
    if not resource.isprintable():
        raise _RefusedError("the resource has characters that no answer can name")
    of_arn, given = _accounts_of_resource(request)
    if of_arn and given and of_arn != given:
        raise _RefusedError(f"aws:ResourceAccount is {given}, and the resource is of {of_arn}")


def _accounts_of_resource(request: Request) -> tuple[str | None, str | None]:
    """The account that the resource's ARN names, and the one that the request's key says."""
    fields = request.resource.split(":", 5)
    of_arn, given = "".join(fields[4:5]), request.keys.get("aws:resourceaccount")
    return (
        of_arn if _is_account_id(of_arn) else None,
        given if isinstance(given, str) and _is_account_id(given) else None,
    )


def _shown(lengths: range) -> str:
    return f"{lengths[0]} to {lengths[-1]}"


# -- what the simulator can be told of the policies --------------------------------------------


def _what_is_asked(probe: Probe, caller: _Caller) -> Access:
    """The policies to send: all that apply, but for what cannot change the answer.

    Where the resource's side cannot be sent and can but deny, a deny of the caller's side is a
    deny whatever it says.
    """
    _check_known(probe.access)
    access, request = _that_apply(probe.access, probe.request), probe.request
    try:
        return _both_sides(access, probe, caller)
    except _RefusedError:
        if _only_limits(access, request) and not decide(access.caller, request).allowed:
            return Access(access.caller)
        raise


def _both_sides(access: Access, probe: Probe, caller: _Caller) -> Access:
    access = _without_resource_control(access, probe)
    if access.resource_policy is not None:
        _check_resource_policy(probe.request, caller)
    elif _is_across(access, probe.request):
        raise _RefusedError(
            "caller and resource are of two accounts, and the resource has no policy to send"
        )
    return access


def _only_limits(access: Access, request: Request) -> bool:
    """Whether the caller's policies must allow, whatever the resource's side says."""
    policy = access.resource_policy
    grants = policy is not None and any(s.effect is Effect.ALLOW for s in policy.statements)
    return not grants or _is_across(access, request)


def _is_across(access: Access, request: Request) -> bool:
    """Whether each of two accounts must allow: the caller's does however the other grants."""
    return LayerKind.IDENTITY in required(access, request, Grant.TO_ITSELF)


def _that_apply(access: Access, request: Request) -> Access:
    """Both sides without the layers that the request has nothing to do with."""
    kinds = {layer.kind for layer in layers_that_apply(access, request, DOCUMENTED)}
    policy, of_resources = access.resource_policy, access.resource_control_policies
    if policy is not None and not policy.statements:
        policy = None
    caller = access.caller
    if LayerKind.SERVICE_CONTROL not in kinds:
        caller = replace(caller, service_control_policies=())
    return Access(caller, policy, of_resources if LayerKind.RESOURCE_CONTROL in kinds else ())


def _check_known(access: Access) -> None:
    for statement in statements(access):
        if statement.unknown is not None:
            raise _RefusedError(
                f"{statement.name} of {statement.place.file} is not wholly known:"
                f" {statement.unknown.reason}"
            )


def _without_resource_control(access: Access, probe: Probe) -> Access:
    """Without resource control policies, where the answer is the same without them."""
    rest = replace(access, resource_control_policies=())
    again = decide(rest, probe.request, DOCUMENTED)
    service = probe.request.action.partition(":")[0].lower()
    alike = again.allowed == probe.decision.allowed
    if (
        all(map(_allows_all, access.resource_control_policies))
        or (alike and not again.allowed)
        or (alike and service not in RESOURCE_CONTROL_SERVICES)
    ):
        return rest
    raise _RefusedError("the simulator does not support resource control policies")


def _allows_all(level: Sequence[PolicyDocument]) -> bool:
    """Whether a level does nothing but allow everything."""
    listed = [statement for policy in level for statement in policy.statements]
    return bool(listed) and all(map(_is_allow_of_all, listed))


def _is_allow_of_all(statement: Statement) -> bool:
    resource = statement.resource
    return (
        statement.effect is Effect.ALLOW
        and _is_everything(statement.action)
        and (resource is None or _is_everything(resource))
        and not statement.conditions
    )


def _is_everything(clause: Clause) -> bool:
    return not clause.negated and any(p.parts == (AnyChars(),) for p in clause.patterns)


def _check_resource_policy(request: Request, caller: _Caller) -> None:
    """The API: "Simulation of resource-based policies isn't supported for IAM roles"."""
    if not caller.is_user:
        raise _RefusedError(
            "the resource has a policy, and the simulator supports those for IAM users alone"
        )
    if request.resource.split(":", 5)[2:3] == ["iam"]:
        raise _RefusedError("the simulator does not support trust policies")


# -- parameters --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Text:
    """A policy as it is sent: its text, and the names of its statements by their lines."""

    text: str
    names: Mapping[int, str] = field(default_factory=dict)


def _text(*policies: PolicyDocument) -> _Text:
    """Policies as one."""
    one = merged(policies)
    text = policy_to_json(one)
    if len(text) not in POLICY_LENGTHS:
        raise _RefusedError(
            f"a policy has {len(text)} characters ({one.file}), the API takes"
            f" {_shown(POLICY_LENGTHS)}"
        )
    named = (f"{policy.file}: {each.name}" for policy in policies for each in policy.statements)
    return _Text(text, dict(zip(statement_lines(one), named, strict=True)))


def _with_plain_sids(listed: Sequence[Statement]) -> tuple[Statement, ...]:
    """The statements without the Sids that IAM refuses: other characters, or there before."""
    kept: dict[str, Statement] = {}
    for each in listed:
        if each.sid and each.sid.isascii() and each.sid.isalnum():
            kept.setdefault(each.sid, each)
    return tuple(
        each if each.sid is None or kept.get(each.sid) is each else replace(each, sid=None)
        for each in listed
    )


@dataclass(frozen=True)
class _Asked:
    """A request with the policies to ask about.

    The API has no parameter for session policies. They limit as a boundary does, also beside what
    a resource's policy allows to a user, so that one stands in for the other; where there are
    both, two questions are asked.
    """

    request: Request
    caller: _Caller
    access: Access

    def of_policies(self) -> tuple[Simulation, ...]:
        """Questions about the policies as they were read."""
        policies = self.access.caller.identity_policies
        identity = tuple(map(_text, policies)) or (_Text(ALLOWS_NOTHING),)
        organization = self._organization
        limits = [limit for limit in (self._boundary, self._session) if limit is not None]
        parts: Sequence[_Text | None] = limits or [None]
        return tuple(self._custom(identity, limit, organization) for limit in parts)

    def of_principal(self, entity: str) -> tuple[Simulation, ...]:
        """Questions about the policies that a principal has in its account.

        Boundary and service control policies are those of the account. A session policy would
        take the boundary's place, and is asked about by itself.
        """
        sent = {"PolicySourceArn": entity}
        as_it_is = self._simulation(Operation.PRINCIPAL, sent, {})
        if self._session is None:
            return (as_it_is,)
        return as_it_is, self._custom((_Text(ALLOWS_EVERYTHING),), self._session, {})

    @cached_property
    def _boundary(self) -> _Text | None:
        policy = self.access.caller.permissions_boundary
        return None if policy is None else _text(policy)

    @cached_property
    def _session(self) -> _Text | None:
        policies = self.access.caller.session_policies
        return _text(*policies) if policies else None

    @cached_property
    def _organization(self) -> dict[str, Any]:
        levels: Levels = self.access.caller.service_control_policies
        if not levels:
            return {}
        if len(levels) > MOST_LEVELS:
            raise _RefusedError(
                f"there are {len(levels)} levels of service control policies, the API takes"
                f" {MOST_LEVELS}"
            )
        if not Simulator.knows(_ORGANIZATION):
            raise _RefusedError(
                f"the botocore installed does not know {_ORGANIZATION}, which service control"
                " policies go into: upgrade boto3 and botocore"
            )
        texts = ([_text(policy).text for policy in level] or [ALLOWS_NOTHING] for level in levels)
        return {_ORGANIZATION: [{_LEVEL: level} for level in texts]}

    def _custom(
        self, identity: Sequence[_Text], limit: _Text | None, organization: Mapping[str, Any]
    ) -> Simulation:
        sent: dict[str, Any] = {_IDENTITY: [each.text for each in identity]}
        named = {f"{_IDENTITY}.{at}": each for at, each in enumerate(identity, 1)}
        if limit is not None:
            sent[_BOUNDARY] = [limit.text]
            named[f"{_BOUNDARY}.1"] = limit
        return self._simulation(Operation.CUSTOM, {**sent, **organization}, named)

    def _simulation(
        self, operation: Operation, sent: Mapping[str, Any], named: Mapping[str, _Text]
    ) -> Simulation:
        """One question, with all that does not depend on who has the policies."""
        policy = self.access.resource_policy
        of_resource = {} if policy is None else {_RESOURCE: _text(policy)}
        owner = {} if policy is None else self._owner()
        caller = {} if self.caller.entity is None else {"CallerArn": self.caller.entity}
        mentions = self._mentions
        context = context_entries(self.request, mentions)
        return Simulation(
            operation,
            self.request.action,
            self.request.resource,
            {
                **sent,
                **{name: text.text for name, text in of_resource.items()},
                **owner,
                **caller,
                **({"ContextEntries": context} if context else {}),
            },
            mentions.missing_in(self.request),
            {
                (identifier, line): name
                for identifier, text in {**named, **of_resource}.items()
                for line, name in text.names.items()
            },
        )

    @cached_property
    def _mentions(self) -> Mentions:
        layers = self.access.layers()
        return Mentions.of(policy for layer in layers for policy in layer.policies)

    def _owner(self) -> dict[str, str]:
        """``ResourceOwner``, where the resource's ARN does not name the caller's account."""
        of_arn, given = _accounts_of_resource(self.request)
        owner = of_arn or given
        if owner is None or of_arn == self.caller.account:
            return {}
        return {"ResourceOwner": f"arn:{self.caller.partition}:iam::{owner}:root"}


def _is_account_id(text: str) -> bool:
    return len(text) == len("111122223333") and text.isascii() and text.isdigit()
