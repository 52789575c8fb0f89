"""Small accounts put together by chance, of the parts that the routes are about."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from .account import Account, Json, allow, deny, grant, multi_model, single_model, trust
from .world import STRANGER, Names, World

T = TypeVar("T")

FAMILIES = (
    ("acme", "beta", "gamma"),
    ("acme", "acme-eu", "beta"),
    ("a", "ab", "b"),
)
"""Names of tenants, some of which begin with others."""

SERVICES = ("lambda.amazonaws.com", "sagemaker.amazonaws.com", "ec2.amazonaws.com")


def random_world(chance: random.Random) -> World:
    """Two or three tenants, two to six identities, one to three endpoints."""
    return _Draw(chance).world()


class _Draw:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        family = chance.choice(FAMILIES)
        self._tenants = list(family[: chance.choice((2, 2, 3))])
        self._world = World(Names(*family, bucket="models"))
        self._account: Account = self._world.account
        self._roles = [*self._tenants, *(f"platform-{n}" for n in range(chance.randint(0, 3)))]
        self._users = [t for t in self._tenants if chance.random() < 0.15]

    def world(self) -> World:
        self._add_bucket()
        self._add_execution()
        for number in range(self._chance.randint(1, 3)):
            self._add_endpoint(f"endpoint-{number}")
        self._account.managed_policy("everything", allow("*"))
        self._account.managed_policy("nothing", allow("sagemaker:ListEndpoints"))
        self._account.group("readers", allow("s3:GetObject", self._pick(self._objects())))
        for name in self._roles:
            self._add_identity(name)
        for tenant in self._tenants:
            kind = "user" if tenant in self._users else "role"
            arn = self._account.iam(kind, tenant)
            self._world.principals[tenant] = [{"arn": arn}]
            self._world.artifacts[tenant] = [f"s3://models/{tenant}/*"]
        if self._chance.random() < 0.1:
            self._world.shared = ["s3://models/common/*"]
        if self._chance.random() < 0.15:
            self._account.service_control_policies([allow("*"), self._denial()])
        return self._world

    # -- accounts ------------------------------------------------------------------------------

    def _add_bucket(self) -> None:
        granted = []
        if self._chance.random() < 0.4:
            callers = self._pick([self._arn(self._pick(self._roles)), self._account.number])
            granted.append(
                grant([callers], self._pick(_OBJECT_ACTIONS), self._pick(self._objects()))
            )
        if self._chance.random() < 0.2:
            stop = deny("s3:*", self._pick(self._objects()), Condition=self._condition())
            granted.append({**stop, "Principal": "*"})
        if self._chance.random() < 0.1:
            session = self._account.session(self._pick(self._roles), "session")
            granted.append(grant([session], "s3:GetObject", self._pick(self._objects())))
        if self._chance.random() < 0.1:
            stop = deny("s3:*Object", self._pick(self._objects()))
            spared = [
                self._arn(self._pick(self._roles)),
                f"arn:aws:iam::{self._account.number}:root",
            ]
            granted.append({**stop, "NotPrincipal": {"AWS": spared}})
        self._account.bucket("models", *granted)

    def _add_execution(self) -> None:
        for tenant in (None, *self._tenants):
            name = "execution" if tenant is None else f"execution-{tenant}"
            keys = "arn:aws:s3:::models/" + ("*" if tenant is None else f"{tenant}/*")
            reads = allow("s3:GetObject", keys)
            self._account.role(name, reads, trust=trust("sagemaker.amazonaws.com"))

    def _add_endpoint(self, name: str) -> None:
        tenant = self._pick(self._tenants)
        role = self._pick(["execution", f"execution-{tenant}"])
        prefix = self._pick(["", f"{tenant}/", tenant])
        artifact = f"s3://models/{tenant}/model.tar.gz"
        kind = self._pick(["many", "many", "one", "queue", "containers", "components"])
        if kind == "components":
            self._account.model(name, single_model(artifact), execution_role=role)
            self._account.component_endpoint(name, role, {f"{name}-component": name})
            return
        if kind == "containers":
            containers = [single_model(f"s3://models/{t}/model.tar.gz", t) for t in self._tenants]
            direct = self._chance.random() < 0.7
            self._account.model(name, *containers, execution_role=role, direct=direct)
        else:
            url = f"s3://models/{prefix}"
            served = multi_model(url) if kind == "many" else single_model(artifact)
            self._account.model(name, served, execution_role=role)
        self._account.endpoint(name, name, asynchronous=kind == "queue")

    def _add_identity(self, name: str) -> None:
        statements = [self._statement(name) for _ in range(self._chance.randint(1, 3))]
        attached = []
        if self._chance.random() < 0.4:
            self._account.managed_policy(f"{name}-managed", self._statement(name))
            attached = [f"{name}-managed"]
        boundary = None
        if self._chance.random() < 0.2:
            boundary = f"{name}-boundary"
            usual = [self._statement(name), self._statement(name)]
            self._account.managed_policy(boundary, *usual)
        tags = {"tenant": name} if self._chance.random() < 0.7 else {}
        if self._chance.random() < 0.2:
            tags["team"] = self._pick(["core", "guests"])
        if name in self._users:
            groups = ["readers"] if self._chance.random() < 0.1 else []
            self._account.user(
                name, *statements, tags=tags, attached=attached, boundary=boundary, groups=groups
            )
            return
        self._account.role(
            name,
            *statements,
            tags=tags,
            attached=attached,
            boundary=boundary,
            trust=[self._trust()],
        )

    def _trust(self) -> Json:
        caller = self._pick(
            [
                self._arn(self._pick(self._roles)),
                f"arn:aws:iam::{self._account.number}:root",
                f"arn:aws:iam::{STRANGER}:root",
                self._pick(SERVICES),
            ]
        )
        actions = self._pick(["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"]])
        more = {}
        if self._chance.random() < 0.3:
            tag = self._pick([*self._tenants, "${aws:PrincipalTag/tenant}"])
            more = self._pick(
                [
                    {"Condition": {"StringEquals": {"aws:RequestTag/tenant": tag}}},
                    {"Condition": {"StringNotEqualsIfExists": {"aws:RequestTag/tenant": tag}}},
                    {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}},
                    {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "core"}}},
                    {"Condition": {"ArnNotLike": {"aws:PrincipalArn": self._arn(tag)}}},
                ]
            )
        return trust(caller, actions=actions, **more)

    # -- statements ----------------------------------------------------------------------------

    def _statement(self, me: str) -> Json:
        kinds: list[Callable[[str], Json]] = [
            self._invocation,
            self._invocation,
            self._object,
            self._listing,
            self._assumption,
            self._assumption,
            self._change,
            self._passing,
            self._creation,
            lambda _: self._denial(),
        ]
        statement = self._pick(kinds)(me)
        if "Condition" not in statement and self._chance.random() < 0.2:
            statement["Condition"] = self._condition()
        return statement

    def _invocation(self, me: str) -> Json:
        account = self._account
        names = [*account.endpoints, *account.endpoints, "*", "endpoint-*"]
        resources = [account.sagemaker("endpoint", self._pick(names))]
        if self._chance.random() < 0.4:
            resources.append(account.sagemaker("inference-component", "*"))
        actions = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync", "sagemaker:Invoke*"]
        more = {}
        if self._chance.random() < 0.7:
            pattern = self._pick([f"{me}/*", f"{me}*", "${aws:PrincipalTag/tenant}/*", "*.tar.gz"])
            operator = self._pick(["StringLike", "ForAllValues:StringLike", "StringLikeIfExists"])
            more = {"Condition": {operator: {"sagemaker:TargetModel": pattern}}}
            if self._chance.random() < 0.2:
                more = {"Condition": {operator: {"sagemaker:TargetContainerHostname": me}}}
        return allow(self._pick(actions), resources, **more)

    def _objects(self) -> list[str]:
        names = [*self._tenants, "${aws:PrincipalTag/tenant}"]
        return [
            "arn:aws:s3:::models/*",
            *(f"arn:aws:s3:::models/{name}/*" for name in names),
            *(f"arn:aws:s3:::models/{name}*" for name in self._tenants),
        ]

    def _object(self, me: str) -> Json:
        mine = [f"arn:aws:s3:::models/{me}/*", "arn:aws:s3:::models/${aws:PrincipalTag/tenant}/*"]
        return allow(self._pick(_OBJECT_ACTIONS), self._pick([*mine, *mine, *self._objects()]))

    def _listing(self, me: str) -> Json:
        condition = self._pick(
            [
                {"StringLike": {"s3:prefix": [f"{me}/*"]}},
                {"StringLike": {"s3:prefix": ["${aws:PrincipalTag/tenant}/*", ""]}},
                {"StringLikeIfExists": {"s3:prefix": f"{me}*"}},
                {"StringEquals": {"s3:prefix": f"{me}/"}},
            ]
        )
        return allow("s3:ListBucket", "arn:aws:s3:::models", Condition=condition)

    def _assumption(self, me: str) -> Json:
        actions = self._pick(["sts:AssumeRole", ["sts:AssumeRole", "sts:TagSession"]])
        targets = [self._arn(name) for name in self._roles if name != me]
        return allow(actions, self._pick([*targets, self._account.iam("role", "platform-*")]))

    def _change(self, me: str) -> Json:
        kind = "User" if me in self._users else "Role"
        own = self._arn(me)
        more = self._pick([{}, {"Condition": {"StringEquals": {"aws:RequestTag/tenant": me}}}])
        return self._pick(
            [
                allow(f"iam:Tag{kind}", own, **more),
                allow(
                    f"iam:Put{kind}Policy", self._pick([own, self._arn(self._pick(self._roles))])
                ),
                allow(f"iam:Attach{kind}Policy", own),
                allow(
                    f"iam:Attach{kind}Policy",
                    own,
                    Condition={
                        "ArnLike": {
                            "iam:PolicyARN": self._account.iam(
                                "policy", self._pick(["nothing", "everything"])
                            )
                        }
                    },
                ),
                allow("iam:CreatePolicyVersion", self._account.iam("policy", f"{me}-*")),
                allow(f"iam:Delete{kind}Policy", own),
                allow(f"iam:Delete{kind}PermissionsBoundary", own),
                allow("iam:UpdateAssumeRolePolicy", self._arn(self._pick(self._roles))),
                allow("iam:AddUserToGroup", self._account.iam("group", "readers")),
                allow("s3:PutBucketPolicy", "arn:aws:s3:::models"),
                allow("s3:DeleteBucketPolicy", "arn:aws:s3:::models"),
                allow("iam:PutRolePolicy", self._account.iam("role", "execution*")),
                allow("iam:PutRolePolicy", self._account.iam("role", "platform-*")),
                allow("iam:TagRole", self._account.iam("role", "*")),
            ]
        )

    def _passing(self, me: str) -> Json:
        service = self._pick([*SERVICES, "*"])
        passed = {"StringLike": {"iam:PassedToService": service}}
        actions = ["iam:PassRole", self._pick(["lambda:*", "lambda:CreateFunction", "glue:*"])]
        more = {"Condition": passed} if actions[1] == "glue:*" else {}
        return allow(actions, **more) if me == "platform-0" else allow(actions[1])

    def _creation(self, me: str) -> Json:
        role = self._account.iam("role", self._pick(["execution", f"execution-{me}", "nobody"]))
        made = ["model", "endpoint-config", "endpoint"]
        resources = [self._account.sagemaker(kind, f"{me}-*") for kind in made]
        return allow(["sagemaker:Create*", "iam:PassRole"], [*resources, role])

    def _denial(self) -> Json:
        actions = [
            "iam:*",
            "sts:AssumeRole",
            "sts:TagSession",
            "s3:PutObject",
            "s3:GetObject*",
            "sagemaker:InvokeEndpoint",
            "iam:TagRole",
        ]
        stop = deny(self._pick(actions))
        if self._chance.random() < 0.6:
            stop["Condition"] = self._condition()
        return stop

    def _condition(self) -> Json:
        tenant = self._pick(self._tenants)
        return self._pick(
            [
                {"StringEquals": {"aws:PrincipalTag/tenant": tenant}},
                {"StringNotEquals": {"aws:PrincipalTag/tenant": tenant}},
                {"StringNotLike": {"sagemaker:TargetModel": "${aws:PrincipalTag/tenant}/*"}},
                {"StringNotEqualsIfExists": {"aws:SourceVpce": "vpce-1"}},
                {"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}},
                {"Null": {"aws:PrincipalTag/tenant": "true"}},
                {"ArnLike": {"aws:PrincipalArn": self._arn(tenant)}},
                {"StringEqualsIfExists": {"aws:PrincipalTag/team": "core"}},
                {"StringNotLikeIfExists": {"aws:PrincipalTag/tenant": f"{tenant}*"}},
                {"ForAnyValue:StringEquals": {"aws:TagKeys": ["tenant", "team"]}},
                {"Null": {"aws:RequestTag/team": "false"}},
            ]
        )

    def _arn(self, name: str) -> str:
        return self._account.iam("user" if name in self._users else "role", name)

    def _pick(self, choices: Sequence[T]) -> T:
        return self._chance.choice(choices)


_OBJECT_ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*Object")
