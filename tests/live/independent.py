"""The IAM policy simulator once more, from the references alone.

It takes the parameters of SimulateCustomPolicy and SimulatePrincipalPolicy as boto3 does, and
imports nothing of tenantproof. How layers combine is ``layers_reference``; what a statement says is
here, by the IAM JSON policy reference. What the API documents that it refuses is refused.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_network
from typing import Any

from tests.layers.layers_reference import Case, listed

Json = dict[str, Any]
Parameters = Mapping[str, Any]

DECISIONS = {"Allowed": "allowed", "ExplicitDeny": "explicitDeny", "ImplicitDeny": "implicitDeny"}
TYPES = ("string", "numeric", "boolean", "ip", "binary", "date")


class InvalidInputError(Exception):
    """What the API refuses."""


class NoSuchEntityError(Exception):
    """The principal does not exist."""


def demand(holds: object, what: str) -> None:
    if not holds:
        raise InvalidInputError(what)


# -- the simulator -------------------------------------------------------------------------------


class IndependentSimulator:
    """Decides; ``deployed`` holds principals by ARN, their policies as the API's parameters."""

    def __init__(self, deployed: Mapping[str, Parameters] | None = None) -> None:
        self.deployed = dict(deployed or {})

    def custom(self, parameters: Parameters) -> list[Json]:
        """The results of SimulateCustomPolicy, one of each action and resource."""
        demand(parameters["PolicyInputList"], "PolicyInputList is required")
        return self._results(parameters)

    def principal(self, parameters: Parameters) -> list[Json]:
        """The results of SimulatePrincipalPolicy."""
        source = parameters["PolicySourceArn"]
        if source not in self.deployed:
            raise NoSuchEntityError(source)
        own = self.deployed[source]
        policies = [*own.get("PolicyInputList", ()), *parameters.get("PolicyInputList", ())]
        merged = {"CallerArn": source, **own, **parameters, "PolicyInputList": policies}
        return self._results(merged)

    def _results(self, parameters: Parameters) -> list[Json]:
        return [
            self._result(parameters, action, resource)
            for action in parameters["ActionNames"]
            for resource in parameters.get("ResourceArns", ["*"])
        ]

    def _result(self, parameters: Parameters, action: str, resource: str) -> Json:
        demand("*" not in action and ":" in action, "an action without wildcards")
        case = Simulated(parameters, action, resource)
        return {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": DECISIONS[case.decide()],
            "MissingContextValues": sorted(case.missing()),
            "MatchedStatements": case.matched(),
        }


class Simulated(Case):
    """The API's parameters as a case of ``layers_reference``, in which statements are whole."""

    def __init__(self, parameters: Parameters, action: str, resource: str) -> None:
        caller = parameters.get("CallerArn", "arn:aws:iam:::nobody")
        kind = caller.split(":", 5)[2::3]
        demand(kind[0] == "iam" and not caller.endswith(":root"), f"no caller: {caller}")
        boundaries = parameters.get("PermissionsBoundaryPolicyInputList", [])
        demand(len(boundaries) <= 1, "one boundary at most")
        levels = parameters.get("OrderedOrganizationPolicyInputList", [])
        demand(len(levels) <= 7, "seven levels at most")
        demand(all(each["ServiceControlPolicyInputList"] for each in levels), "an empty level")
        case: Json = {
            "request": {
                "principal": {"arn": caller},
                "action": action,
                "resource": resource,
                "context": context_of(parameters.get("ContextEntries", [])),
            },
            "identity_policies": list(map(json.loads, parameters["PolicyInputList"])),
            "service_control_policies": [
                list(map(json.loads, each["ServiceControlPolicyInputList"])) for each in levels
            ],
        }
        if boundaries:
            case["permissions_boundary"] = json.loads(boundaries[0])
        if "ResourcePolicy" in parameters:
            demand("CallerArn" in parameters, "CallerArn is required with ResourcePolicy")
            demand(":user/" in caller, "a resource's policy is simulated for users alone")
            case["resource_policy"] = json.loads(parameters["ResourcePolicy"])
        super().__init__(case)
        self.owner = parameters.get("ResourceOwner", "::::")
        self.keys = {name.lower(): value for name, value in self.context.items()}
        self.sent = [
            *((f"PolicyInputList.{n}", p) for n, p in enumerate(case["identity_policies"], 1)),
            *(
                (f"PermissionsBoundaryPolicyInputList.{n}", json.loads(p))
                for n, p in enumerate(boundaries, 1)
            ),
            *((("ResourcePolicy", case["resource_policy"]),) if "resource_policy" in case else ()),
        ]

    def _two_accounts(self) -> bool:
        """The resource is of the account in its ARN, else of ResourceOwner, else the caller's."""
        fields = self.request["resource"].split(":", 5)
        of_arn = fields[4] if len(fields) == 6 else ""
        owner = of_arn if re.fullmatch("[0-9]{12}", of_arn) else self.owner.split(":")[4]
        caller = self.caller.account
        return all(re.fullmatch("[0-9]{12}", each) for each in (owner, caller)) and owner != caller

    def statements(self, policies: list[Json]) -> list[Json]:
        return [
            statement
            for policy in policies
            for statement in listed(policy["Statement"])
            if self.fits(statement, policy.get("Version") == "2012-10-17")
        ]

    def fits(self, statement: Json, variables: bool) -> bool:
        return Meaning(statement, self.request, self.keys, variables).applies()

    def missing(self) -> set[str]:
        """The keys that the policies mention and nobody gave."""
        named = {
            name
            for policy in self.everything()
            for statement in listed(policy["Statement"])
            for name in mentioned(statement, policy.get("Version") == "2012-10-17")
        }
        return {name for name in named if name.lower() not in self.keys}

    def everything(self) -> list[Json]:
        levels = self.case["service_control_policies"]
        return [*(policy for _, policy in self.sent), *(p for level in levels for p in level)]

    def matched(self) -> list[Json]:
        """The statements that apply, by policy and line: each is written on a line of its own."""
        return [
            {"SourcePolicyId": name, "StartPosition": {"Line": line, "Column": 1}}
            for name, policy in self.sent
            for line, statement in enumerate(listed(policy["Statement"]), 2)
            if self.fits(statement, policy.get("Version") == "2012-10-17")
        ]


def context_of(entries: list[Json]) -> Json:
    """The context of ContextEntries, whose values are of their types."""
    context: Json = {}
    for entry in entries:
        name, values, type_ = (entry[f"ContextKey{each}"] for each in ("Name", "Values", "Type"))
        base = type_.removesuffix("List")
        demand(base in TYPES, f"no type: {type_}")
        demand(values, f"{name} has no values")
        demand(type_.endswith("List") or len(values) == 1, f"{name} has several values")
        demand(all(READ[base](value) is not None for value in values), f"{name} is no {base}")
        demand(name.lower() not in map(str.lower, context), f"{name} twice")
        context[name] = values if type_.endswith("List") else values[0]
    return context


# -- what a statement says -------------------------------------------------------------------------

Token = tuple[bool, str]
"""A character, and whether it is a wildcard."""

VARIABLE = re.compile(r"\$\{([^}]*)\}")


class VoidError(Exception):
    """A policy variable has no value."""


def tokens(text: str, keys: Json, variables: bool) -> list[Token]:
    found: list[Token] = []
    at = 0
    while at < len(text):
        variable = VARIABLE.match(text, at) if variables else None
        if variable:
            found += [(False, char) for char in value_of(variable.group(1), keys)]
            at = variable.end()
        else:
            found.append((text[at] in "*?", text[at]))
            at += 1
    return found


def value_of(variable: str, keys: Json) -> str:
    if variable in ("*", "?", "$"):
        return variable
    key, comma, rest = variable.partition(",")
    values = listed(keys[key.lower()]) if key.lower() in keys else []
    if len(values) == 1:
        return str(values[0])
    if not comma:
        raise VoidError(variable)
    return rest.strip()[1:-1]


def regex(pattern: list[Token]) -> re.Pattern[str]:
    shown = {"*": ".*", "?": "."}
    text = "".join(shown[char] if wild else re.escape(char) for wild, char in pattern)
    return re.compile(text, re.DOTALL)


def segments(pattern: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for token in pattern:
        if token == (False, ":") and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def arn_like(pattern: list[list[Token]], arn: str) -> bool:
    fields = arn.split(":", 5)
    return len(fields) == len(pattern) == 6 and all(
        regex(part).fullmatch(each) for part, each in zip(pattern, fields, strict=True)
    )


def is_resource(pattern: list[Token], resource: str) -> bool:
    if all(token == (True, "*") for token in pattern):
        return True
    parts = segments(pattern)
    return arn_like(parts + [[(True, "*")]] * (6 - len(parts)), resource)


class Meaning:
    """A statement and a request."""

    def __init__(self, statement: Json, request: Json, keys: Json, variables: bool) -> None:
        self.statement, self.request = statement, request
        self.keys, self.variables = keys, variables

    def applies(self) -> bool:
        try:
            self.resolve_all()
        except VoidError:
            return False
        return self.action() and self.resource() and all(self.conditions())

    def resolve_all(self) -> None:
        for text in texts_with_variables(self.statement):
            tokens(text, self.keys, self.variables)

    def clause(self, name: str, fits: Callable[[str], bool]) -> bool:
        if name in self.statement:
            return any(map(fits, listed(self.statement[name])))
        if f"Not{name}" in self.statement:
            return not any(map(fits, listed(self.statement[f"Not{name}"])))
        return True

    def action(self) -> bool:
        action = self.request["action"].lower()
        return self.clause(
            "Action", lambda text: bool(regex(tokens(text.lower(), {}, False)).fullmatch(action))
        )

    def resource(self) -> bool:
        resource = self.request["resource"]
        return self.clause(
            "Resource",
            lambda text: is_resource(tokens(text, self.keys, self.variables), resource),
        )

    def conditions(self) -> list[bool]:
        block = self.statement.get("Condition", {})
        return [
            self.holds(operator, key, [text_of(value) for value in listed(wanted)])
            for operator, keys in block.items()
            for key, wanted in keys.items()
        ]

    def holds(self, operator: str, key: str, wanted: list[str]) -> bool:
        given = self.keys.get(key.lower())
        if operator == "Null":
            return any((given is None) == (text.lower() == "true") for text in wanted)
        qualifier, _, name = operator.rpartition(":")
        base = name.removesuffix("IfExists")
        negated = "Not" in base
        plain = base.replace("Not", "")
        if given is None:
            if name.endswith("IfExists") or qualifier == "ForAllValues":
                return True
            return negated and qualifier != "ForAnyValue"

        def one(value: str) -> bool:
            return any(self.compares(plain, text, value) for text in wanted)

        values = listed(given)
        if qualifier == "ForAllValues":
            return not any(values) or all(one(value) != negated for value in values)
        if qualifier == "ForAnyValue":
            return any(one(value) != negated for value in values)
        return any(map(one, values)) != negated

    def compares(self, operator: str, wanted: str, value: str) -> bool:
        if operator.startswith("String"):
            pattern = tokens(wanted, self.keys, self.variables)
            plain = "".join(char for _, char in pattern)
            if operator == "StringLike":
                return bool(regex(pattern).fullmatch(value))
            if operator == "StringEqualsIgnoreCase":
                return list(map(fold, plain)) == list(map(fold, value))
            return plain == value
        if operator in ("ArnLike", "ArnEquals"):
            return arn_like(segments(tokens(wanted, self.keys, self.variables)), value)
        if operator == "IpAddress":
            address = read_ip(value)
            network = ip_network(wanted, strict=False)
            return address is not None and address in network
        family = next(each for each in ("Numeric", "Date", "Bool", "Binary") if each in operator)
        read = READ[{"Bool": "boolean"}.get(family, family.lower())]
        left, right = read(value), read(wanted)
        if left is None:
            return False
        return ORDER[operator.removeprefix(family)](left, right)


ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda left, right: left == right,
    "Equals": lambda left, right: left == right,
    "LessThan": lambda left, right: left < right,
    "LessThanEquals": lambda left, right: left <= right,
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanEquals": lambda left, right: left >= right,
}


def fold(char: str) -> str:
    upper = char.upper() if len(char.upper()) == 1 else char
    return upper.lower() if len(upper.lower()) == 1 else char


def text_of(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def texts_with_variables(statement: Json) -> list[str]:
    texts = [*listed(statement.get("Resource", [])), *listed(statement.get("NotResource", []))]
    for operator, keys in statement.get("Condition", {}).items():
        if re.search("String|Arn", operator):
            texts += [text_of(value) for wanted in keys.values() for value in listed(wanted)]
    return texts


def mentioned(statement: Json, variables: bool) -> set[str]:
    """The condition keys of a statement."""
    names = {key for keys in statement.get("Condition", {}).values() for key in keys}
    for text in texts_with_variables(statement) if variables else ():
        names |= {each.partition(",")[0] for each in VARIABLE.findall(text)} - {"*", "?", "$"}
    return names


# -- values of the types of ContextKeyType ---------------------------------------------------


def read_ip(text: str) -> Any:
    try:
        return ip_address(text)
    except ValueError:
        return None


def read_number(text: str) -> Decimal | None:
    return (
        Decimal(text) if re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", text, re.IGNORECASE) else None
    )


def read_date(text: str) -> Fraction | None:
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) and not re.fullmatch("[0-9]{4}", text):
        return Fraction(text)
    whole = text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text
    try:
        read = datetime.fromisoformat(whole.upper())
    except ValueError:
        return None
    aware = read if read.tzinfo else read.replace(tzinfo=UTC)
    return Fraction(aware.timestamp())


def read_binary(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


READ: dict[str, Callable[[str], Any]] = {
    "string": lambda text: text,
    "numeric": read_number,
    "boolean": lambda text: {"true": True, "false": False}.get(text.lower()),
    "ip": read_ip,
    "date": read_date,
    "binary": read_binary,
}
