"""The layers of policies that decide a principal's requests."""

from __future__ import annotations

import pytest
from policy_texts import document, read, statement, without

from tenantproof.errors import InputError
from tenantproof.policy import LayerKind, PolicySet

POLICY = read(document(statement()))


def test_layers_from_the_outermost_in() -> None:
    layers = list(PolicySet((POLICY, POLICY), POLICY, ((POLICY,), ())).layers())
    assert [(layer.kind, layer.name, len(layer.policies)) for layer in layers] == [
        (LayerKind.SERVICE_CONTROL, "service_control_policies[0]", 1),
        (LayerKind.SERVICE_CONTROL, "service_control_policies[1]", 0),
        (LayerKind.BOUNDARY, "permissions_boundary", 1),
        (LayerKind.IDENTITY, "identity_policies", 2),
    ]


def test_identity_policies_are_always_a_layer() -> None:
    assert [layer.name for layer in PolicySet().layers()] == ["identity_policies"]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (statement(Principal="*"), "found Principal, expected none"),
        (statement(NotPrincipal={"AWS": "*"}), "found NotPrincipal, expected none"),
        (without("Resource"), "found neither Resource nor NotResource"),
    ],
)
def test_resource_policies_have_no_place_here(changed: dict[str, object], message: str) -> None:
    policy = read(document(statement(), changed))
    for arguments in [((policy,),), ((), policy), ((), None, ((policy,),))]:
        with pytest.raises(InputError) as refused:
            PolicySet(*arguments)
        (problem,) = refused.value.problems
        assert problem.message.startswith(message)
        assert problem.statement == "Statement[1]"
        assert problem.place.path.startswith("$.Statement[1]")
