"""From the resources of a plan to the estate.

Types and attributes are those of the AWS provider.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cached_property

from tenantproof.account import Estate
from tenantproof.errors import Problem
from tenantproof.policy.json_reader import JsonNode, JsonObject, JsonString
from tenantproof.sources.homes import MADE_UP, Deployment, Home, Named, find_home, named_in
from tenantproof.sources.resources import Assembly
from tenantproof.sources.terraform.documents import policy_document
from tenantproof.sources.terraform.plan import Instance, Plan, read_plan, table
from tenantproof.sources.terraform.references import References
from tenantproof.sources.values import (
    Listed,
    NotKnown,
    PartlyKnown,
    Table,
    Value,
    block,
    from_json,
    listed,
    text,
    texts,
    unclear_parts,
)

HARMLESS = re.compile(
    r"aws_iam_(access_key|account_alias|account_password_policy|instance_profile"
    r"|openid_connect_provider|saml_provider|security_token_service_preferences"
    r"|server_certificate|service_specific_credential|signing_certificate|user_login_profile"
    r"|user_ssh_key|virtual_mfa_device)"
)
"""Types of IAM that say nothing of what anybody may do."""

MATTERING = re.compile(
    r"aws_iam_\w+|aws_organizations_(?:\w+_)?policy\w*|aws_ssoadmin_\w+|aws_cloudformation_stack\w*"
    r"|aws_s3_access_point\w*|aws_s3control_access_\w+|aws_s3control_\w*policy|aws_s3_bucket_acl"
    r"|aws_s3_directory_bucket|aws_sagemaker_model_package_group_policy"
    r"|aws_sagemaker_inference_component|awscc_(?:iam|sagemaker|s3|sso|organizations)_\w+"
    r"|aws_cloudcontrolapi_resource"
)
"""Types that could change an answer, and are not modelled."""


class TerraformReader:
    """Reads plans and states, as ``terraform show -json`` prints them."""

    def __init__(self, problems: list[Problem], deployment: Deployment | None = None) -> None:
        """A reader that has read nothing.

        Args:
            problems: where to report problems.
            deployment: the account and the region, where a plan does not know them.
        """
        self._problems = problems
        self._deployment = deployment or Deployment()
        self._plans: list[Plan] = []

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document is a plan or a state."""
        if not isinstance(root, JsonObject):
            return False
        names = {key.value for key, _ in root.members}
        versions = {"terraform_version", "format_version"} & names
        return bool(versions) and bool({"planned_values", "values", "resource_changes"} & names)

    def read(self, root: JsonNode, file: str, name: str) -> None:  # noqa: ARG002
        """Take in a plan or a state."""
        self._plans.append(read_plan(table(from_json(root))))

    def estate(self) -> Estate:
        """What all plans together make."""
        assembly = Assembly()
        for plan in self._plans:
            _Applied(plan, assembly, self._deployment).read()
        return assembly.estate()


class _Applied:
    """A plan, as it is read into an assembly."""

    def __init__(self, plan: Plan, assembly: Assembly, deployment: Deployment) -> None:
        self._plan = plan
        self._assembly = assembly
        self._deployment = deployment
        self._references = References(plan, self.attribute, self._taken)
        self._homes: dict[str, Home] = {}
        self._named: Named | None = None
        self._known_homes = self._find_known()
        self._deleted = {
            (each.type, *(text(each.values.get(name)) for name in _DELETED[each.type]))
            for each in plan.deleted
            if each.type in _DELETED
        }
        self._policies_of_buckets = {
            text(self.attribute(each, "bucket"))
            for each in (*plan.instances, *plan.deleted)
            if each.type == "aws_s3_bucket_policy"
        }

    def read(self) -> None:
        others: Counter[str] = Counter()
        for message, place in self._plan.notes:
            self._assembly.listing.gap(message, place)
        for instance in self._plan.instances:
            if instance.data:
                if instance.type == "aws_iam_policy":
                    self._known_policy(instance)
                continue
            read = _READ.get(instance.type)
            if read is not None:
                read(self, instance)
            elif MATTERING.fullmatch(instance.type) and not HARMLESS.fullmatch(instance.type):
                self._gap(instance, f"a resource of the type {instance.type}, which is not read")
            else:
                others[instance.type] += 1
        for type_, count in sorted(others.items()):
            message = f"{count} of the type {type_ or 'that is not known'}, not read"
            self._assembly.listing.gap(message, self._plan.place, matters=not type_)

    # -- attributes --------------------------------------------------------------------------

    def attribute(self, instance: Instance, name: str) -> Value | None:
        """An attribute: as planned, or followed to what it refers to, or derived."""
        value = instance.values.get(name)
        if value is not None and next(unclear_parts(value), None) is not None:
            value = self._references.followed(instance, name, value)
        if value is None or isinstance(value, NotKnown):
            return self._derived(instance, name) or value
        return value

    def _derived(self, instance: Instance, name: str) -> Value | None:
        """An attribute that is known only after apply, as the provider will make it."""
        if instance.data:
            known = instance.type == "aws_iam_policy_document" and name.endswith("json")
            return policy_document(instance.values) if known else None
        kind = _KINDS.get(instance.type)
        if kind is None or (name not in ("arn", "id") and name != kind.name):
            return None
        made = self._name(instance)
        is_arn = name == "arn" or (name == "id" and kind.id_is_arn)
        return JsonString(self._arn(instance) if is_arn else made, instance.place)

    def _arn(self, instance: Instance) -> str:
        name, home = self._name(instance), self._home(instance)
        match _KINDS[instance.type].resource:
            case "bucket":
                return f"arn:{home.partition}:s3:::{name}"
            case "role" | "user" | "group" | "policy" as kind:
                return home.iam(kind, self._path(instance), name)
            case kind:
                return home.sagemaker(kind, name)

    def _name(self, instance: Instance) -> str:
        """A resource's name, or what stands in for one that the provider makes up."""
        attribute = _KINDS[instance.type].name
        known = text(instance.values.get(attribute))
        if known:
            return known
        prefix = text(instance.values.get(f"{attribute}_prefix"))
        address = re.sub(r"[^\w.-]+", "-", instance.address).strip("-")
        made = f"{prefix}{MADE_UP}" if prefix else f"{address}-{MADE_UP}"
        if instance.type == "aws_s3_bucket":
            made = re.sub(r"[^a-z0-9.-]", "-", made.lower())[-63:].lstrip("-.")
        message = f"the {attribute} of {instance.address} is made up on apply, taken as {made}"
        self._assembly.listing.gap(message, instance.place, matters=False)
        return made

    def _path(self, instance: Instance) -> str:
        path = instance.values.get("path")
        if isinstance(path, NotKnown):
            self._gap(instance, f"the path of {instance.address} is not known: {path.reason}")
        return text(path) or "/"

    def _gap(self, instance: Instance, message: str) -> None:
        self._assembly.listing.gap(message, instance.place)

    def _taken(self, message: str, of: Instance) -> None:
        self._assembly.listing.gap(f"{of.address} {message}", of.place, matters=False)

    def _is_written(self, instance: Instance, name: str) -> bool:
        """Whether an attribute is given, and not what the provider computes of its own."""
        expressions = self._references.expressions(instance)
        return expressions is not None and expressions.get(name) is not None

    def _wanted(self, instance: Instance, name: str) -> Value:
        """An attribute without which a resource says nothing."""
        value = self.attribute(instance, name)
        if value is None:
            return NotKnown(f"{instance.address} has no {name}", instance.place)
        return value

    def _tags(self, instance: Instance) -> Mapping[str, str]:
        tags = instance.values.get("tags_all")
        if not isinstance(tags, Table):
            tags = instance.values.get("tags")
        if tags is not None and not isinstance(tags, Table):
            reason = tags.reason if isinstance(tags, NotKnown) else "they are no object"
            self._gap(instance, f"the tags of {instance.address} are not known: {reason}")
        known: dict[str, str] = {}
        for key, value in tags.members if isinstance(tags, Table) else ():
            tag = text(value)
            if tag is not None:
                known[key.value] = tag
            elif isinstance(value, NotKnown):
                where = f"the tag {key.value} of {instance.address}"
                self._gap(instance, f"{where} is not known: {value.reason}")
        return known

    # -- where -------------------------------------------------------------------------------

    def _provider(self, instance: Instance) -> str:
        written = self._references.written(instance)
        key = None if written is None else text(written.get("provider_config_key"))
        return (key or "").rpartition(":")[2] or "aws"

    def _find_known(self) -> dict[tuple[str, str], set[str]]:
        """By provider, the accounts and the regions that the plan knows."""
        known: dict[tuple[str, str], set[str]] = {}
        for instance in self._plan.instances:
            provider = self._provider(instance)
            found: dict[str, str | None] = {}
            if instance.type == "aws_caller_identity":
                found["account"] = text(instance.values.get("account_id"))
            elif instance.type == "aws_region":
                region = instance.values.get("region") or instance.values.get("name")
                found["region"] = text(region)
            elif not instance.data:
                parts = (text(instance.values.get("arn")) or "").split(":", 5)
                if len(parts) == 6 and parts[0] == "arn" and parts[4].isdecimal():
                    found = {"account": parts[4], "region": parts[3] or None}
            for what, each in found.items():
                if each:
                    known.setdefault((provider, what), set()).add(each)
        for key, configured in self._plan.providers.members:
            given = self._configured_region(table(configured))
            if given is not None:
                known[key.value.rpartition(":")[2], "region"] = {given}
        return known

    def _configured_region(self, provider: Table) -> str | None:
        expression = table(table(provider.get("expressions")).get("region"))
        constant = text(expression.get("constant_value"))
        if constant is not None:
            return constant
        written = [text(item) or "" for item in listed(expression.get("references"))]
        if len(written) == 1 and written[0].startswith("var."):
            variable = table(self._plan.variables.get(written[0].removeprefix("var.")))
            return text(variable.get("value"))
        return None

    def _home(self, instance: Instance) -> Home:
        """Where a resource is: as its ARN says, else as its provider does."""
        provider = self._provider(instance)
        if provider not in self._homes:
            account, region = (self._known(provider, what) for what in ("account", "region"))
            self._homes[provider] = find_home(
                self._assembly.listing,
                self._plan.place,
                self._deployment,
                self._names(),
                account=account,
                region=region,
            )
        home = self._homes[provider]
        region = text(instance.values.get("region")) or home.region
        parts = (text(instance.values.get("arn")) or "").split(":", 5)
        if len(parts) == 6 and parts[4]:
            return Home(parts[4], parts[3] or region, parts[1])
        return Home(home.account, region, home.partition)

    def _known(self, provider: str, what: str) -> str | None:
        """What is known of a provider, else of all of them, where that is one."""
        own = self._known_homes.get((provider, what), set())
        everywhere = {
            value for (_, w), values in self._known_homes.items() if w == what for value in values
        }
        for values in (own, everywhere):
            if len(values) == 1:
                return next(iter(values))
        return None

    def _names(self) -> Named:
        if self._named is None:
            self._named = named_in(
                written.value
                for instance in self._plan.instances
                for key, value in instance.values.members
                if key.value != "assume_role_policy"
                for written in texts(value)
            )
        return self._named

    # -- IAM ---------------------------------------------------------------------------------

    def role(self, instance: Instance) -> None:
        home, name = self._home(instance), self._name(instance)
        self._assembly.owner(
            "role",
            home,
            self._path(instance),
            name,
            instance.place,
            trust=self._wanted(instance, "assume_role_policy"),
            boundary=self._boundary(instance),
            tags=self._tags(instance),
        )
        owner = JsonString(name, instance.place)
        self._blocks(instance, home, owner)
        attached = self.attribute(instance, "managed_policy_arns")
        if isinstance(attached, NotKnown) and not self._is_written(instance, "managed_policy_arns"):
            return
        for policy in listed(attached):
            if ("aws_iam_role_policy_attachment", name, text(policy)) not in self._deleted:
                self._assembly.attach("role", home, owner, policy)

    def _blocks(self, instance: Instance, home: Home, owner: JsonString) -> None:
        """The inline policies in a role; those that the provider computes may be outdated."""
        inline = self.attribute(instance, "inline_policy")
        written = self._is_written(instance, "inline_policy")
        if isinstance(inline, NotKnown) and not written:
            return
        separate = set() if written else self._separate.get(owner.value, set())
        for value in listed(inline):
            policy = block(value)
            name = text(policy.get("name"))
            document = policy.get("policy")
            if name is not None and name in separate:
                continue
            if name or document is not None or not isinstance(value, Table):
                named = name or f"of {value.place.path}"
                unread = value if isinstance(value, NotKnown) else None
                missing = unread or NotKnown("it has no document", value.place)
                self._assembly.inline("role", home, owner, named, document or missing)

    @cached_property
    def _separate(self) -> dict[str | None, set[str]]:
        """By role, its inline policies that are resources of their own, or were."""
        found: dict[str | None, set[str]] = {}
        for each in (*self._plan.instances, *self._plan.deleted):
            if each.type == "aws_iam_role_policy":
                role = text(self.attribute(each, "role"))
                found.setdefault(role, set()).add(self._policy_name(each))
        return found

    def _boundary(self, instance: Instance) -> Value | None:
        boundary = self.attribute(instance, "permissions_boundary")
        return None if text(boundary) == "" else boundary

    def user(self, instance: Instance) -> None:
        self._assembly.owner(
            "user",
            self._home(instance),
            self._path(instance),
            self._name(instance),
            instance.place,
            boundary=self._boundary(instance),
            tags=self._tags(instance),
        )

    def group(self, instance: Instance) -> None:
        home, path, name = self._home(instance), self._path(instance), self._name(instance)
        self._assembly.owner("group", home, path, name, instance.place)

    def managed(self, instance: Instance) -> None:
        document = self._wanted(instance, "policy")
        self._assembly.managed_policy(self._arn(instance), document, instance.place)

    def _known_policy(self, instance: Instance) -> None:
        """A data source that gives a policy which is there already."""
        arn, document = text(instance.values.get("arn")), instance.values.get("policy")
        if arn is not None and document is not None:
            self._assembly.managed_policy(arn, document, instance.place)

    def _policy_name(self, instance: Instance) -> str:
        return text(instance.values.get("name")) or instance.address

    def inline(self, kind: str, instance: Instance) -> None:
        owner, document = self._wanted(instance, kind), self._wanted(instance, "policy")
        name = self._policy_name(instance)
        self._assembly.inline(kind, self._home(instance), owner, name, document)

    def attachment(self, kind: str, instance: Instance) -> None:
        owner, policy = self._wanted(instance, kind), self._wanted(instance, "policy_arn")
        self._assembly.attach(kind, self._home(instance), owner, policy)

    def attachments(self, instance: Instance) -> None:
        policy = self._wanted(instance, "policy_arn")
        for kind in ("user", "role", "group"):
            for owner in listed(self.attribute(instance, f"{kind}s")):
                self._assembly.attach(kind, self._home(instance), owner, policy)

    def group_members(self, instance: Instance) -> None:
        group = self._wanted(instance, "group")
        for user in listed(self._wanted(instance, "users")):
            self._assembly.member(self._home(instance), user, group)

    def users_groups(self, instance: Instance) -> None:
        user = self._wanted(instance, "user")
        for group in listed(self._wanted(instance, "groups")):
            self._assembly.member(self._home(instance), user, group)

    # -- SageMaker and S3 --------------------------------------------------------------------

    def _properties(self, instance: Instance) -> Table:
        """The attributes, followed, under the names of SageMaker's API."""
        members = tuple(
            (JsonString(_in_api(key.value), key.place), _renamed(value))
            for key, _ in instance.values.members
            if (value := self.attribute(instance, key.value)) is not None
        )
        return Table(members, instance.place)

    def hosted(self, instance: Instance) -> None:
        self._assembly.hosting.add(
            _KINDS[instance.type].resource,
            self._home(instance),
            self._name(instance),
            self._properties(instance),
            place=instance.place,
            tags=self._tags(instance),
        )

    def bucket(self, instance: Instance) -> None:
        home, name = self._home(instance), self._name(instance)
        self._assembly.bucket(home, name, instance.place)
        policy = instance.values.get("policy")
        if policy is None or text(policy) == "" or name in self._policies_of_buckets:
            return
        if self._is_written(instance, "policy") or not isinstance(policy, NotKnown):
            document = self._wanted(instance, "policy")
            self._assembly.bucket_policy(JsonString(name, instance.place), document)

    def bucket_policy(self, instance: Instance) -> None:
        bucket, document = self._wanted(instance, "bucket"), self._wanted(instance, "policy")
        self._assembly.bucket_policy(bucket, document)


class _Kind:
    """What is made of resources of a type: its name's attribute, and what its ARN says it is."""

    def __init__(self, resource: str, name: str = "name", *, id_is_arn: bool = False) -> None:
        self.resource = resource
        self.name = name
        self.id_is_arn = id_is_arn


_KINDS = {
    "aws_iam_group": _Kind("group"),
    "aws_iam_policy": _Kind("policy", id_is_arn=True),
    "aws_iam_role": _Kind("role"),
    "aws_iam_user": _Kind("user"),
    "aws_s3_bucket": _Kind("bucket", "bucket"),
    "aws_sagemaker_endpoint": _Kind("endpoint"),
    "aws_sagemaker_endpoint_configuration": _Kind("endpoint-config"),
    "aws_sagemaker_model": _Kind("model"),
}

_DELETED = {"aws_iam_role_policy_attachment": ("role", "policy_arn")}
"""Of what the plan deletes and other resources may still show, what tells it apart."""

_READ: Mapping[str, Callable[[_Applied, Instance], None]] = {
    "aws_iam_group": _Applied.group,
    "aws_iam_group_membership": _Applied.group_members,
    "aws_iam_group_policy": lambda plan, each: plan.inline("group", each),
    "aws_iam_group_policy_attachment": lambda plan, each: plan.attachment("group", each),
    "aws_iam_policy": _Applied.managed,
    "aws_iam_policy_attachment": _Applied.attachments,
    "aws_iam_role": _Applied.role,
    "aws_iam_role_policy": lambda plan, each: plan.inline("role", each),
    "aws_iam_role_policy_attachment": lambda plan, each: plan.attachment("role", each),
    "aws_iam_user": _Applied.user,
    "aws_iam_user_group_membership": _Applied.users_groups,
    "aws_iam_user_policy": lambda plan, each: plan.inline("user", each),
    "aws_iam_user_policy_attachment": lambda plan, each: plan.attachment("user", each),
    "aws_s3_bucket": _Applied.bucket,
    "aws_s3_bucket_policy": _Applied.bucket_policy,
    "aws_sagemaker_endpoint": _Applied.hosted,
    "aws_sagemaker_endpoint_configuration": _Applied.hosted,
    "aws_sagemaker_model": _Applied.hosted,
}

_IN_API = {"s3_data_source": "S3DataSource", "s3_uri": "S3Uri", "container": "Containers"}


def _in_api(name: str) -> str:
    """An attribute's name as the API has it: ``model_data_url`` is ``ModelDataUrl``."""
    return _IN_API.get(name) or "".join(part.capitalize() for part in name.split("_"))


def _renamed(value: Value) -> Value:
    match value:
        case Table(members):
            pairs = tuple(
                (JsonString(_in_api(key.value), key.place), _renamed(inner))
                for key, inner in members
            )
            return Table(pairs, value.place)
        case Listed(items):
            return Listed(tuple(_renamed(item) for item in items), value.place)
        case NotKnown() | PartlyKnown():
            return value
        case _:
            return value
