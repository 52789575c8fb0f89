"""The whole decision once more, from the reference alone, for a small language.

Literal actions and resources (or ``*``), ``StringEquals`` on keys of one value. It reads cases as
``simulate`` does and imports nothing of tenantproof. Follows "Policy evaluation logic", "Policy
evaluation for requests within a single account" and "Cross-account policy evaluation logic" of the
IAM User Guide.
"""

from __future__ import annotations

from typing import Any

ALLOWED, EXPLICIT, IMPLICIT = "Allowed", "ExplicitDeny", "ImplicitDeny"
LISTED = {
    *("s3", "sts", "kms", "sqs", "secretsmanager"),
    *("ecr", "aoss", "logs", "cognito-idp", "cognito-identity"),
}

Json = dict[str, Any]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Caller:
    """Who calls: what the ARN says."""

    def __init__(self, principal: Json, context: Json) -> None:
        self.arn: str = principal["arn"]
        _, _, _, _, self.account, rest = self.arn.split(":", 5)
        kind, _, name = rest.partition("/")
        self.role_arn = None
        if kind == "role":
            self.role_arn = self.arn
        if kind == "assumed-role":
            role = name.split("/")[0]
            path_arn = context.get("aws:PrincipalArn")
            self.role_arn = path_arn or f"arn:aws:iam::{self.account}:role/{role}"
        self.service_linked = "role/aws-service-role/" in (self.role_arn or "") or (
            kind == "assumed-role" and name.startswith("AWSServiceRoleFor")
        )
        self.own_arn = None if kind in ("role", "root") else self.arn

    @property
    def account_names(self) -> set[str]:
        return {self.account, f"arn:aws:iam::{self.account}:root"}


class Case:
    """One case, decided."""

    def __init__(self, case: Json, *, everyone_direct: bool = False, rcp_listed: bool = False):
        self.case = case
        self.request = case["request"]
        self.context = self.request.get("context", {})
        self.caller = Caller(self.request["principal"], self.context)
        self.everyone_direct = everyone_direct
        self.rcp_listed = rcp_listed

    # -- one statement

    def matches(self, statement: Json) -> bool:
        def fits(name: str, value: str, *, fold: bool) -> bool:
            texts = listed(statement[name])
            if fold:
                value, texts = value.lower(), [t.lower() for t in texts]
            return "*" in texts or value in texts

        if not fits("Action", self.request["action"], fold=True):
            return False
        if "Resource" in statement and not fits("Resource", self.request["resource"], fold=False):
            return False
        tags = self.request["principal"].get("tags", {})
        values = {f"aws:PrincipalTag/{k}": v for k, v in tags.items()} | self.context
        for key, wanted in statement.get("Condition", {}).get("StringEquals", {}).items():
            if values.get(key) not in listed(wanted):
                return False
        return True

    def how_named(self, statement: Json) -> set[str]:
        """How a statement of the resource's policy names the caller."""
        if "NotPrincipal" in statement:
            return set() if self._named(statement["NotPrincipal"]) else {"everyone"}
        return self._named(statement["Principal"])

    def _named(self, principal: Any) -> set[str]:
        if principal == "*":
            return {"everyone"}
        ways = set()
        for value in listed(principal.get("AWS", [])):
            if value == "*":
                ways.add("everyone")
            elif value in self.caller.account_names:
                ways.add("account")
            elif value == self.caller.own_arn:
                ways.add("itself")
            elif value == self.caller.role_arn:
                ways.add("role")
        return ways

    # -- the layers

    def statements(self, policies: list[Json]) -> list[Json]:
        return [s for p in policies for s in listed(p["Statement"]) if self.matches(s)]

    def allows(self, policies: list[Json]) -> bool:
        return any(s["Effect"] == "Allow" for s in self.statements(policies))

    def denies(self, policies: list[Json]) -> bool:
        return any(s["Effect"] == "Deny" for s in self.statements(policies))

    def decide(self) -> str:
        case = self.case
        scps = case.get("service_control_policies", [])
        rcps = case.get("resource_control_policies", [])
        service = self.request["action"].split(":")[0].lower()
        if self.caller.service_linked:
            scps = rcps = []
        if self.rcp_listed and service not in LISTED:
            rcps = []
        of_resource = case.get("resource_policy")
        boundary = case.get("permissions_boundary")
        session = case.get("session_policy")
        levels = [*scps, *rcps]
        limits = [[p] for p in (boundary, session) if p is not None]
        identity = case["identity_policies"]
        named = [
            s for s in self.statements([of_resource] if of_resource else []) if self.how_named(s)
        ]
        if any(self.denies(each) for each in [*levels, *limits, identity]) or any(
            s["Effect"] == "Deny" for s in named
        ):
            return EXPLICIT
        ways = {w for s in named if s["Effect"] == "Allow" for w in self.how_named(s)}
        allowed = all(map(self.allows, levels)) and self._granted(
            ways, self.allows(identity), all(map(self.allows, limits)), of_resource is not None
        )
        return ALLOWED if allowed else IMPLICIT

    def _granted(self, ways: set[str], identity: bool, limits: bool, has_policy: bool) -> bool:
        if self._two_accounts():
            return bool(ways) and identity and limits
        action = self.request["action"].lower()
        explicit = action.startswith(("kms:", "sts:assumerole")) or action in (
            "sts:tagsession",
            "sts:setsourceidentity",
        )
        if explicit and has_policy and not ways:
            return False
        direct = {"itself", "everyone"} if self.everyone_direct else {"itself"}
        if ways & direct:
            return True
        return limits and (identity or bool(ways & {"role", "everyone"}))

    def _two_accounts(self) -> bool:
        theirs = self.context.get("aws:ResourceAccount")
        if theirs is None:
            fields = self.request["resource"].split(":")
            theirs = fields[4] if len(fields) > 4 else ""
        ids = (self.caller.account, theirs)
        return all(len(i) == 12 and i.isdigit() for i in ids) and ids[0] != ids[1]
