"""A request as the IAM policy simulator is asked about it: the parameters of its two operations.

Follows "SimulateCustomPolicy" and "SimulatePrincipalPolicy" of the IAM API Reference.
"""

from __future__ import annotations

from tenantproof.isolation import Probe
from tenantproof.live.simulation import NotSimulatable, Simulation


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
    raise NotImplementedError(probe, principals)
