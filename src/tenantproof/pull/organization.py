"""What the organization says of the account: its policies level by level, from the root down."""

from __future__ import annotations

from typing import Any

from tenantproof.aws import CallFailedError, Failure
from tenantproof.pull.asking import Asker, text_of
from tenantproof.pull.folder import Folder
from tenantproof.pull.operations import Operation
from tenantproof.pull.plain import document
from tenantproof.sources.policies import NOT_READ
from tenantproof.sources.snapshots import Missing

FILE = "organization.json"
KINDS = {
    "service_control_policies": "SERVICE_CONTROL_POLICY",
    "resource_control_policies": "RESOURCE_CONTROL_POLICY",
}
"""The kinds of policies: as a snapshot names them, and as the API does."""

_NOT_IN_USE = "AWSOrganizationsNotInUseException"
_MOST_LEVELS = 16

Level = list[Any]


def collect_organization(asker: Asker, folder: Folder, account: str, *, ask: bool) -> bool:
    """Write what the organization says of an account.

    Args:
        asker: asks.
        folder: where it is written.
        account: the account.
        ask: whether the organization is to be asked; if not its policies are unknown.

    Returns:
        Whether the account is in an organization whose policies were asked for.
    """
    collecting = _Collecting(asker, account)
    said = collecting.account() if ask else collecting.not_asked()
    folder.write(FILE, {"organization": {account: said}})
    return ask and any(said[kind] for kind in KINDS)


def _nothing(*, management: bool = False) -> dict[str, Any]:
    return {"management_account": management, **{kind: [] for kind in KINDS}}


class _Collecting:
    def __init__(self, asker: Asker, account: str) -> None:
        self._asker = asker
        self._account = account
        self._documents: dict[str, Any] = {}

    def account(self) -> dict[str, Any]:
        self._asker.expect(1)
        try:
            reply = self._asker.ask(Operation.DESCRIBE_ORGANIZATION, {})
        except CallFailedError as error:
            if error.code == _NOT_IN_USE:
                return _nothing()
            return self._unknown(Operation.DESCRIBE_ORGANIZATION, error)
        organization = reply.get("Organization", {})
        if organization.get("MasterAccountId") == self._account:
            return _nothing(management=True)
        if organization.get("FeatureSet") == "CONSOLIDATED_BILLING":
            return _nothing()
        try:
            targets = self._targets()
        except CallFailedError as error:
            return self._unknown(Operation.LIST_PARENTS, error)
        self._asker.expect(len(targets) * len(KINDS))
        return {**_nothing(), **{kind: self._levels(kind, targets) for kind in KINDS}}

    def not_asked(self) -> dict[str, Any]:
        error = CallFailedError(Failure.INTERRUPTED, "the organization was not to be asked")
        return self._unknown(Operation.DESCRIBE_ORGANIZATION, error)

    def _unknown(self, operation: Operation, error: CallFailedError) -> dict[str, Any]:
        what = f"what the organization says of {self._account}"
        why = self._asker.lacks(Missing.ORGANIZATION, what, operation, error)
        return {**_nothing(), **{kind: [[{NOT_READ: why}]] for kind in KINDS}}

    def _targets(self) -> list[str]:
        """The root, the organizational units down to the account, and the account."""
        targets = [self._account]
        for _ in range(_MOST_LEVELS):
            self._asker.expect(1)
            parents: list[dict[str, Any]] = []
            for page in self._asker.pages(Operation.LIST_PARENTS, {"ChildId": targets[0]}):
                parents += page.get("Parents", [])
            if not parents:
                break
            targets.insert(0, str(parents[0].get("Id")))
            if parents[0].get("Type") == "ROOT":
                return targets
        message = f"found no root above {targets[0]}, expected one above every account"
        raise CallFailedError(Failure.BAD_REPLY, message)

    def _levels(self, kind: str, targets: list[str]) -> list[Level]:
        levels = [self._level(kind, target) for target in targets]
        if not any(levels):
            # The kind is not enabled: each target has a policy where it is.
            return []
        for at, target in enumerate(targets):
            if not levels[at]:
                levels[at] = self._empty(kind, target)
        return levels

    def _level(self, kind: str, target: str) -> Level:
        listed: list[dict[str, Any]] = []
        parameters = {"TargetId": target, "Filter": KINDS[kind]}
        try:
            for page in self._asker.pages(Operation.LIST_POLICIES, parameters):
                listed += page.get("Policies", [])
        except CallFailedError as error:
            what = f"the {kind.replace('_', ' ')} of {target}"
            return [self._not_read(what, Operation.LIST_POLICIES, error)]
        return [self._policy(policy_id) for policy_id in sorted(str(p.get("Id")) for p in listed)]

    def _empty(self, kind: str, target: str) -> Level:
        """AWS has a policy on each level; a level without is one that is not understood."""
        what = f"the {kind.replace('_', ' ')} of {target}"
        error = CallFailedError(Failure.BAD_REPLY, "none is listed, though other levels have some")
        return [self._not_read(what, Operation.LIST_POLICIES, error)]

    def _policy(self, policy_id: str) -> Any:
        if policy_id not in self._documents:
            self._asker.expect(1)
            self._documents[policy_id] = self._described(policy_id)
        return self._documents[policy_id]

    def _described(self, policy_id: str) -> Any:
        what = f"the organization's policy {policy_id}"
        try:
            reply = self._asker.ask(Operation.DESCRIBE_POLICY, {"PolicyId": policy_id})
            content = text_of(reply.get("Policy", {}), "Content")
        except CallFailedError as error:
            return self._not_read(what, Operation.DESCRIBE_POLICY, error)
        return document(content)

    def _not_read(self, what: str, operation: Operation, error: CallFailedError) -> Any:
        return {NOT_READ: self._asker.lacks(Missing.ORGANIZATION, what, operation, error)}
