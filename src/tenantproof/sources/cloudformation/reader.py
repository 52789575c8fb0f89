"""From the resources of templates to the estate.

Follows "AWS resource and property types reference" of the CloudFormation User Guide, and for what
the CDK synthesises its "cloud assembly".
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tenantproof.account import Estate
from tenantproof.errors import InputError, Place, Problem
from tenantproof.policy.json_reader import JsonNode, JsonObject, JsonString
from tenantproof.sources.cloudformation.sam import TRANSFORM, translated
from tenantproof.sources.cloudformation.stack import KINDS, Resource, Stack
from tenantproof.sources.homes import Deployment, find_home, named_in
from tenantproof.sources.resources import Assembly
from tenantproof.sources.values import (
    Listed,
    NotKnown,
    Table,
    Value,
    from_json,
    listed,
    text,
)

HARMLESS = re.compile(
    r"AWS::IAM::(AccessKey|InstanceProfile|OIDCProvider|SAMLProvider|ServerCertificate"
    r"|ServiceLinkedRole|VirtualMFADevice)|Custom::(S3AutoDeleteObjects|CDKBucketDeployment"
    r"|LogRetention|VpcRestrictDefaultSG|S3BucketNotifications)|AWS::CDK::Metadata"
)
"""Types that say nothing of what anybody may do; those of the CDK's own custom resources too."""

MATTERING = re.compile(
    r"AWS::IAM::.*|AWS::Organizations::.*Policy|AWS::SSO::.*|Custom::.*"
    r"|AWS::CloudFormation::(CustomResource|Macro|ModuleDefault.*|Stack|StackSet)|.*::MODULE"
    r"|AWS::S3::Access.*|AWS::S3Express::.*|AWS::Serverless::.*"
)
"""Types that could change an answer, and are not modelled."""

_NOT_THE_STACK = frozenset({"AssumeRolePolicyDocument", "Principal", "NotPrincipal"})
_ENVIRONMENT = re.compile(r"aws://([0-9]{12}|unknown-account)/([a-z0-9-]+)")
_STACK = "AWS::CloudFormation::Stack"
_LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_DEEPEST = 16


@dataclass(frozen=True)
class _Document:
    template: Table
    file: str
    name: str


@dataclass(frozen=True)
class _Synthesised:
    """What a cloud assembly says of a stack."""

    name: str
    account: str | None
    region: str | None


class TemplateReader:
    """Reads templates, and the manifests of cloud assemblies beside them."""

    def __init__(self, problems: list[Problem], deployment: Deployment | None = None) -> None:
        """A reader that has read nothing.

        Args:
            problems: where to report problems.
            deployment: the account, the region and the parameters of templates.
        """
        self._problems = problems
        self._deployment = deployment or Deployment()
        self._documents: dict[str, _Document] = {}
        self._synthesised: dict[str, _Synthesised] = {}
        self._assembly = Assembly()
        self._deployed: set[str] = set()
        self._nested_stacks: dict[tuple[int, str], Stack | None] = {}
        self._exports: dict[str, tuple[Stack, str]] = {}
        self._importing: set[str] = set()

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document is a template, or the manifest of a cloud assembly."""
        return _is_template(root) or _is_assembly(root)

    def read(self, root: JsonNode, file: str, name: str) -> None:
        """Take in a template or a manifest."""
        document = from_json(root)
        assert isinstance(document, Table)
        if _is_template(root):
            # A file may hold several, as members of an object.
            key = file if file not in self._documents else f"{file}#{root.place.path}"
            self._documents[key] = _Document(document, file, name)
            return
        artifacts = document.get("artifacts")
        for named, artifact in _table(artifacts).members:
            self._artifact(named.value, _table(artifact), file)

    def _artifact(self, name: str, artifact: Table, file: str) -> None:
        properties = _table(artifact.get("properties"))
        path = text(properties.get("templateFile"))
        if path is None:
            return
        found = _ENVIRONMENT.fullmatch(text(artifact.get("environment")) or "")
        account, region = found.groups() if found else (None, None)
        self._synthesised[_beside(file, path)] = _Synthesised(
            text(properties.get("stackName")) or name,
            None if account == "unknown-account" else account,
            None if region == "unknown-region" else region,
        )

    def estate(self) -> Estate:
        """What all templates together make."""
        self._check_parameters()
        inner = {key for document in self._documents.values() for key in self._inner(document)}
        roots = [key for key in self._documents if key not in inner]
        stacks = [self._deploy(key, None, {}) for key in roots]
        for stack in stacks:
            self._export(stack)
        stacks = [each for stack in stacks for each in self._with_nested(stack, 0)]
        for stack in stacks:
            self._take(stack)
        for key, document in self._documents.items():
            if key in self._deployed:
                continue
            place = document.template.place
            self._assembly.listing.gap(f"{key} is nested in no stack that is deployed", place)
        return self._assembly.estate()

    # -- stacks ------------------------------------------------------------------------------

    def _check_parameters(self) -> None:
        """A value for a parameter that no template has is a slip."""
        if not self._documents:
            return
        known = {
            key.value
            for document in self._documents.values()
            for key, _ in _table(document.template.get("Parameters")).members
        }
        for name in sorted(self._deployment.parameters.keys() - known):
            message = f"found a value for the parameter {name}, which no template has"
            self._problems.append(Problem(message, Place("", name)))

    def _deploy(self, key: str, parent: Stack | None, given: Mapping[str, Value]) -> Stack:
        """The stack of a template."""
        document = self._documents[key]
        self._deployed.add(key)
        template, place = document.template, document.template.place
        known = self._synthesised.get(posixpath.normpath(document.file))
        if parent is None:
            given = {
                name: JsonString(value, place)
                for name, value in self._deployment.parameters.items()
            }
            home = find_home(
                self._assembly.listing,
                place,
                self._deployment,
                named_in(_of_the_stack(template)),
                account=None if known is None else known.account,
                region=None if known is None else known.region,
            )
            name = document.name if known is None else known.name
        else:
            home, name = parent.home, f"{parent.name}-{document.name}"
        return Stack(
            self._transformed(template, given, home.region),
            name,
            home,
            given=given,
            listing=self._assembly.listing,
            problems=self._problems,
            exported=self._exported,
            nested=self._nested,
        )

    def _transformed(self, template: Table, given: Mapping[str, Value], region: str) -> Table:
        """A template as CloudFormation's transforms rewrite it."""
        for transform in listed(template.get("Transform")):
            name = text(transform)
            if name == TRANSFORM:
                known = {key: value for key, each in given.items() if (value := text(each))}
                try:
                    template = translated(template, known, region)
                except InputError as error:
                    self._problems.extend(error.problems)
            elif name != _LANGUAGE_EXTENSIONS:
                message = f"the macro {name} rewrites the template, which is not read"
                self._assembly.listing.gap(message, transform.place)
        return template

    def _with_nested(self, stack: Stack, depth: int) -> Iterator[Stack]:
        yield stack
        for name in stack.named(_STACK):
            nested = self._nested(stack, name)
            if nested is not None and depth < _DEEPEST:
                self._export(nested)
                yield from self._with_nested(nested, depth + 1)

    def _export(self, stack: Stack) -> None:
        for name, output in stack.exports():
            self._exports.setdefault(name, (stack, output))

    def _nested(self, parent: Stack, name: str) -> Stack | None:
        """The stack that a resource of another is; None where its template is not there."""
        key = id(parent), name
        if key not in self._nested_stacks:
            self._nested_stacks[key] = None
            written = _table(_table(parent.template.get("Resources")).get(name))
            file = self._inner_file(parent.template.place.file, written)
            if file is not None:
                properties = parent.functions.resolved(_table(written.get("Properties")))
                parameters = _table(_table(properties).get("Parameters"))
                given = {key.value: value for key, value in parameters.members}
                self._nested_stacks[key] = self._deploy(file, parent, given)
        return self._nested_stacks[key]

    def _inner(self, document: _Document) -> Iterator[str]:
        """The templates that are nested in one."""
        for _, written in _table(document.template.get("Resources")).members:
            file = self._inner_file(document.file, _table(written))
            if file is not None:
                yield file

    def _inner_file(self, file: str, written: Table) -> str | None:
        """The template of a nested stack: a file beside, as the CDK and ``package`` name it."""
        if text(written.get("Type")) != _STACK:
            return None
        asset = _table(written.get("Metadata")).get("aws:asset:path")
        path = text(asset) or text(_table(written.get("Properties")).get("TemplateURL"))
        if path is None or ":" in path:
            return None
        beside = _beside(file, path)
        return next((k for k in self._documents if posixpath.normpath(k) == beside), None)

    def _exported(self, name: str) -> Value | None:
        """What a stack exports; exports that import each other without end are not known."""
        if name not in self._exports or name in self._importing:
            return None
        stack, output = self._exports[name]
        self._importing.add(name)
        try:
            return stack.output(output)
        finally:
            self._importing.discard(name)

    # -- resources ---------------------------------------------------------------------------

    def _take(self, stack: Stack) -> None:
        others: Counter[str] = Counter()
        for resource in stack.resources:
            read = _READ.get(resource.type)
            if read is not None:
                read(_Taken(stack, resource, self._assembly))
            elif resource.type == _STACK and self._nested(stack, resource.name) is not None:
                continue
            elif MATTERING.fullmatch(resource.type) and not HARMLESS.fullmatch(resource.type):
                message = f"{resource.name} is of the type {resource.type}, which is not read"
                self._assembly.listing.gap(message, resource.place)
            else:
                others[resource.type] += 1
        for type_, count in sorted(others.items()):
            message = f"{count} of the type {type_ or 'that is not known'}, not read"
            self._assembly.listing.gap(message, stack.template.place, matters=not type_)


@dataclass(frozen=True)
class _Taken:
    """A resource, as it is taken into an assembly."""

    stack: Stack
    resource: Resource
    assembly: Assembly

    def get(self, name: str) -> Value | None:
        return self.resource.properties.get(name)

    def wanted(self, name: str) -> Value:
        """A property without which a resource says nothing."""
        value = self.get(name)
        if value is None:
            return NotKnown(f"{self.resource.name} has no {name}", self.resource.place)
        return value

    def document(self) -> Value:
        """The policy of a resource; not known where nobody knows whether the resource is there."""
        doubt = self.resource.doubt
        return self.wanted("PolicyDocument") if doubt is None else NotKnown(doubt, self.place)

    @property
    def place(self) -> Place:
        return self.resource.place

    @property
    def name(self) -> str:
        return self.stack.physical_name(self.resource.name)

    def taken_as_there(self) -> None:
        """Say so, where nobody knows whether the resource is there."""
        doubt = self.resource.doubt
        if doubt is not None:
            message = f"whether {self.resource.name} is there is not known, taken as there: {doubt}"
            self.assembly.listing.gap(message, self.place)

    def tags(self) -> dict[str, str]:
        known: dict[str, str] = {}
        for tag in listed(self.get("Tags")):
            key, value = text(_table(tag).get("Key")), text(_table(tag).get("Value"))
            if key is None or value is None:
                message = (
                    f"the tag {key or 'that is not known'} of {self.resource.name} is not known"
                )
                self.assembly.listing.gap(message, tag.place)
            else:
                known[key] = value
        return known

    # -- IAM ---------------------------------------------------------------------------------

    def owner(self, kind: str) -> None:
        self.taken_as_there()
        home, name = self.stack.home, self.name
        self.assembly.owner(
            kind,
            home,
            self.stack.path(self.resource.name),
            name,
            self.place,
            trust=self.wanted("AssumeRolePolicyDocument") if kind == "role" else None,
            boundary=self.get("PermissionsBoundary"),
            tags=self.tags(),
        )
        owner = JsonString(name, self.place)
        for policy in listed(self.get("Policies")):
            inline = _table(policy)
            called = text(inline.get("PolicyName")) or f"of {policy.place.path}"
            document = inline.get("PolicyDocument") or policy
            self.assembly.inline(kind, home, owner, called, document)
        for arn in listed(self.get("ManagedPolicyArns")):
            self.assembly.attach(kind, home, owner, arn)
        for group in listed(self.get("Groups")) if kind == "user" else ():
            self.assembly.member(home, owner, group)

    def policy(self) -> None:
        """An inline policy of roles, users and groups."""
        called = text(self.get("PolicyName")) or self.resource.name
        for kind, owner in self._owners():
            self.assembly.inline(kind, self.stack.home, owner, called, self.document())

    def policy_of(self, kind: str) -> None:
        """An inline policy of one."""
        called = text(self.get("PolicyName")) or self.resource.name
        owner = self.wanted(f"{kind.capitalize()}Name")
        self.assembly.inline(kind, self.stack.home, owner, called, self.document())

    def managed(self) -> None:
        arn = self.stack.arn(self.resource.name)
        self.assembly.managed_policy(arn, self.document(), self.place)
        for kind, owner in self._owners():
            self.assembly.attach(kind, self.stack.home, owner, JsonString(arn, self.place))

    def _owners(self) -> Iterator[tuple[str, Value]]:
        for kind in ("role", "user", "group"):
            for owner in listed(self.get(f"{kind.capitalize()}s")):
                yield kind, owner

    def members(self) -> None:
        self.taken_as_there()
        for user in listed(self.wanted("Users")):
            self.assembly.member(self.stack.home, user, self.wanted("GroupName"))

    # -- SageMaker and S3 --------------------------------------------------------------------

    def hosted(self) -> None:
        self.taken_as_there()
        self.assembly.hosting.add(
            KINDS[self.resource.type].resource,
            self.stack.home,
            self.name,
            self.resource.properties,
            place=self.place,
            tags=self.tags(),
        )

    def bucket(self) -> None:
        self.taken_as_there()
        self.assembly.bucket(self.stack.home, self.name, self.place)

    def bucket_policy(self) -> None:
        self.assembly.bucket_policy(self.wanted("Bucket"), self.document())


_READ: Mapping[str, Callable[[_Taken], None]] = {
    "AWS::IAM::Group": lambda taken: taken.owner("group"),
    "AWS::IAM::GroupPolicy": lambda taken: taken.policy_of("group"),
    "AWS::IAM::ManagedPolicy": _Taken.managed,
    "AWS::IAM::Policy": _Taken.policy,
    "AWS::IAM::Role": lambda taken: taken.owner("role"),
    "AWS::IAM::RolePolicy": lambda taken: taken.policy_of("role"),
    "AWS::IAM::User": lambda taken: taken.owner("user"),
    "AWS::IAM::UserPolicy": lambda taken: taken.policy_of("user"),
    "AWS::IAM::UserToGroupAddition": _Taken.members,
    "AWS::S3::Bucket": _Taken.bucket,
    "AWS::S3::BucketPolicy": _Taken.bucket_policy,
    "AWS::SageMaker::Endpoint": _Taken.hosted,
    "AWS::SageMaker::EndpointConfig": _Taken.hosted,
    "AWS::SageMaker::InferenceComponent": _Taken.hosted,
    "AWS::SageMaker::Model": _Taken.hosted,
}


def _is_template(root: JsonNode) -> bool:
    """An object with Resources, and a version, a transform or types of resources."""
    if not isinstance(root, JsonObject):
        return False
    members = {key.value: value for key, value in root.members}
    resources = members.get("Resources")
    if not isinstance(resources, JsonObject):
        return False
    if {"AWSTemplateFormatVersion", "Transform"} & members.keys():
        return True
    return any(
        key.value == "Type" and isinstance(value, JsonString) and "::" in value.value
        for _, resource in resources.members
        if isinstance(resource, JsonObject)
        for key, value in resource.members
    )


def _is_assembly(root: JsonNode) -> bool:
    """A manifest of the CDK: a version, and artifacts of its types."""
    if not isinstance(root, JsonObject):
        return False
    members = {key.value: value for key, value in root.members}
    artifacts = members.get("artifacts")
    if "version" not in members or not isinstance(artifacts, JsonObject):
        return False
    return any(
        key.value == "type"
        and isinstance(value, JsonString)
        and value.value.startswith(("aws:cloudformation:", "cdk:"))
        for _, artifact in artifacts.members
        if isinstance(artifact, JsonObject)
        for key, value in artifact.members
    )


def _beside(file: str, path: str) -> str:
    """A path in a file, which is relative to that file."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(file), path))


def _table(value: Value | None) -> Table:
    if isinstance(value, Table):
        return value
    return Table((), Place("", "$") if value is None else value.place)


def _of_the_stack(value: Value) -> Iterator[str]:
    """The texts of a template but those of principals, who are of other accounts more often."""
    match value:
        case JsonString(written):
            yield written
        case Listed(items):
            for item in items:
                yield from _of_the_stack(item)
        case Table(members):
            for key, item in members:
                if key.value not in _NOT_THE_STACK:
                    yield from _of_the_stack(item)
        case _:
            return
