"""Both sides of a request: which layers apply to it, and which of them have to allow.

Follows "Policy evaluation logic" of the IAM User Guide, its pages "... for requests within a single
account" and "Cross-account policy evaluation logic", and "RCP evaluation" of the AWS Organizations
User Guide; each function is one sentence of them.
"""

from __future__ import annotations

from collections.abc import Iterator

from tenantproof.evaluate.principals import Grant
from tenantproof.policy.stack import (
    BY_LEVEL,
    RESOURCE_CONTROL_SERVICES,
    RESOURCE_MUST_ALLOW,
    Access,
    Layer,
    LayerKind,
)
from tenantproof.reading import Reading
from tenantproof.request import PrincipalKind, Request

_LIMITS = frozenset({LayerKind.BOUNDARY, LayerKind.SESSION})


def layers_that_apply(access: Access, request: Request, reading: Reading) -> Iterator[Layer]:
    """The layers of an access that a request has to do with, outermost first."""
    for layer in access.layers():
        if _applies(layer, request, reading):
            yield layer
    if access.resource_policy is None and LayerKind.RESOURCE in required(
        access, request, Grant.NONE
    ):
        yield Layer(LayerKind.RESOURCE, ())


def _applies(layer: Layer, request: Request, reading: Reading) -> bool:
    """Service-linked roles are not limited by an organization's policies."""
    if layer.kind in BY_LEVEL and _is_service_linked(request):
        return False
    if layer.kind is LayerKind.RESOURCE_CONTROL and reading.rcp_listed_services:
        return request.action.partition(":")[0].lower() in RESOURCE_CONTROL_SERVICES
    return True


def required(access: Access, request: Request, grant: Grant) -> frozenset[LayerKind]:
    """The kinds of layers of which each has to allow.

    Args:
        access: both sides of the request.
        request: the request.
        grant: how directly the resource's policy allows it to the caller.
    """
    if request.principal.kind is not PrincipalKind.AWS:
        return frozenset({LayerKind.RESOURCE_CONTROL, LayerKind.RESOURCE})
    if _is_across_accounts(request):
        return frozenset(LayerKind)
    explicit = _resource_must_allow(access, request)
    must = frozenset({LayerKind.RESOURCE} if explicit else ())
    match grant:
        case Grant.TO_ITSELF:
            return BY_LEVEL | must
        case Grant.BY_ROLE:
            return BY_LEVEL | must | _LIMITS
        case Grant.NONE:
            return BY_LEVEL | must | _LIMITS | {LayerKind.IDENTITY}


def _is_across_accounts(request: Request) -> bool:
    """Whether caller and resource are of two accounts; one that is not known is the other's."""
    caller = request.keys.get("aws:principalaccount")
    resource = request.keys.get("aws:resourceaccount", _account_of(request.resource))
    return _is_account_id(caller) and _is_account_id(resource) and caller != resource


def _account_of(arn: str) -> str:
    fields = arn.split(":", 5)
    return fields[4] if len(fields) == 6 else ""


def _is_account_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == 12 and value.isascii() and value.isdigit()


def _resource_must_allow(access: Access, request: Request) -> bool:
    """Whether a trust policy or a key policy has to allow, in one account, too."""
    action = request.action.lower()
    return access.resource_policy is not None and any(
        action.startswith(name[:-1]) if name.endswith("*") else action == name
        for name in map(str.lower, RESOURCE_MUST_ALLOW)
    )


def _is_service_linked(request: Request) -> bool:
    """Whether the caller is a service-linked role or a session of one."""
    role, session = (
        str(arn).split(":", 5)[-1]
        for arn in (request.keys.get("aws:principalarn"), request.principal.arn)
    )
    return request.principal.kind is PrincipalKind.AWS and (
        role.startswith("role/aws-service-role/")
        or session.startswith("assumed-role/AWSServiceRoleFor")
    )
