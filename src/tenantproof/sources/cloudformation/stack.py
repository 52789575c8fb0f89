"""One stack: a template, where it is deployed, and what its functions refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tenantproof.errors import Place, Problem
from tenantproof.policy.json_reader import JsonString
from tenantproof.sources.cloudformation.functions import Functions
from tenantproof.sources.homes import MADE_UP, Home
from tenantproof.sources.listing import Listing
from tenantproof.sources.values import Listed, NotKnown, PartlyKnown, Table, Value, text

_LONGEST_NAME = 63


@dataclass(frozen=True)
class Kind:
    """What is made of resources of a type.

    Attributes:
        resource: what their ARN says they are.
        name: the property that holds their name.
        ref_is_arn: whether ``Ref`` gives the ARN and not the name.
        names: the attributes that are the name.
        arns: the attributes that are the ARN.
    """

    resource: str
    name: str
    ref_is_arn: bool = False
    names: frozenset[str] = frozenset()
    arns: frozenset[str] = frozenset({"Arn"})


def _hosted(resource: str, name: str) -> Kind:
    arn = f"{name.removesuffix('Name')}Arn"
    return Kind(resource, name, True, frozenset({name}), frozenset({arn, "Arn"}))


KINDS = {
    "AWS::IAM::Group": Kind("group", "GroupName"),
    "AWS::IAM::ManagedPolicy": Kind(
        "policy", "ManagedPolicyName", True, arns=frozenset({"PolicyArn"})
    ),
    "AWS::IAM::Role": Kind("role", "RoleName"),
    "AWS::IAM::User": Kind("user", "UserName"),
    "AWS::S3::Bucket": Kind("bucket", "BucketName"),
    "AWS::SageMaker::Endpoint": _hosted("endpoint", "EndpointName"),
    "AWS::SageMaker::EndpointConfig": _hosted("endpoint-config", "EndpointConfigName"),
    "AWS::SageMaker::InferenceComponent": _hosted("inference-component", "InferenceComponentName"),
    "AWS::SageMaker::Model": _hosted("model", "ModelName"),
}


@dataclass(frozen=True)
class Resource:
    """A resource as it is deployed.

    Attributes:
        name: its logical ID.
        type: its type.
        properties: its properties, functions resolved.
        place: where it is written.
        doubt: why nobody knows whether it is deployed; None where it is.
    """

    name: str
    type: str
    properties: Table
    place: Place
    doubt: str | None = None


class Stack:
    """A stack.

    What its functions refer to is found when they are resolved, so that stacks may refer to each
    other.
    """

    def __init__(
        self,
        template: Table,
        name: str,
        home: Home,
        *,
        given: Mapping[str, Value],
        listing: Listing,
        problems: list[Problem],
        exported: Callable[[str], Value | None],
        nested: Callable[[Stack, str], Stack | None],
    ) -> None:
        """A stack of a template.

        Args:
            template: the template.
            name: the stack's name.
            home: where it is.
            given: values of its parameters.
            listing: where what is left out is listed.
            problems: where what CloudFormation would refuse is reported.
            exported: gives what a stack exports.
            nested: gives the stack that a resource of this one is, by its logical ID.
        """
        self.template = template
        self.name = name
        self.home = home
        self._given = given
        self._listing = listing
        self._exported = exported
        self._nested = nested
        self._sections = {section: self._section(section) for section in _SECTIONS}
        self._parameters: dict[str, Value] = {}
        self._names: dict[str, str] = {}
        self.functions = Functions(self, home, name, problems)

    def _section(self, name: str) -> Table:
        section = self.template.get(name)
        if section is not None and not isinstance(section, Table):
            self.leave_out(f"{name} is no object, and not read", section.place)
        return section if isinstance(section, Table) else Table((), self.template.place)

    # -- what functions refer to -------------------------------------------------------------

    def parameter(self, name: str) -> Value | None:
        """A parameter: as given, else its default, else not known."""
        written = self._sections["Parameters"].get(name)
        if not isinstance(written, Table):
            return None
        if name not in self._parameters:
            self._parameters[name] = self._parameter(name, written)
        return self._parameters[name]

    def _parameter(self, name: str, written: Table) -> Value:
        type_ = text(written.get("Type")) or "String"
        value = self._given.get(name)
        if value is None and type_.startswith("AWS::SSM::Parameter::Value"):
            return NotKnown(f"the parameter {name} is looked up by a deployment", written.place)
        if value is None:
            value = written.get("Default")
            if value is None:
                reason = f"the parameter {name} has no default, and no value is given"
                return NotKnown(reason, written.place)
            message = f"the parameter {name} is not given, taken as its default"
            self._listing.gap(message, written.place, matters=False)
        known = text(value)
        if known is not None and (type_ == "CommaDelimitedList" or type_.startswith("List<")):
            items = (JsonString(item.strip(), value.place) for item in known.split(","))
            return Listed(tuple(items), value.place)
        return value

    def resource(self, name: str, attribute: str | None, place: Place) -> Value | None:
        """What ``Ref`` gives of a resource, or an attribute of it."""
        written = self._sections["Resources"].get(name)
        if not isinstance(written, Table):
            return None
        type_ = text(written.get("Type")) or ""
        kind = KINDS.get(type_)
        if attribute is not None and attribute.startswith("Outputs."):
            nested = self._nested(self, name)
            return self._output(nested, attribute.removeprefix("Outputs."), place)
        if kind is not None:
            if attribute in kind.arns or (attribute is None and kind.ref_is_arn):
                return JsonString(self.arn(name), place)
            if attribute is None or attribute in kind.names:
                return JsonString(self.physical_name(name), place)
        what = f"{attribute} of {name}" if attribute else f"what Ref gives of {name}"
        return NotKnown(f"{what} ({type_}) is known only to a deployment", place)

    def _output(self, nested: Stack | None, name: str, place: Place) -> Value:
        value = None if nested is None else nested.output(name)
        if value is None:
            return NotKnown(f"the output {name} of a nested stack is not known", place)
        return value

    def mapping(self, name: str) -> Value | None:
        """A mapping."""
        return self._sections["Mappings"].get(name)

    def condition(self, name: str) -> Value | None:
        """What is written for a condition."""
        return self._sections["Conditions"].get(name)

    def exported(self, name: str) -> Value | None:
        """What a stack exports."""
        return self._exported(name)

    def leave_out(self, message: str, place: Place) -> None:
        """List something that is not read."""
        self._listing.gap(message, place)

    # -- names -------------------------------------------------------------------------------

    def physical_name(self, name: str) -> str:
        """The name of a resource, or what stands in for one that CloudFormation makes up."""
        if name not in self._names:
            # A name that hangs on itself is made up.
            self._names[name] = self._made_up(name)
            self._names[name] = self._physical_name(name)
        return self._names[name]

    def _made_up(self, name: str) -> str:
        made = f"{self.name}-{name}"[: _LONGEST_NAME - len(MADE_UP) - 1] + f"-{MADE_UP}"
        return made.lower() if self._type(name) == "AWS::S3::Bucket" else made

    def _physical_name(self, name: str) -> str:
        written = self._written(name)
        value = _properties(written).get(KINDS[self._type(name)].name)
        resolved = None if value is None else self.functions.resolved(value)
        known = text(resolved)
        if known:
            return known
        made = self._made_up(name)
        match resolved:
            case PartlyKnown(pieces):
                made = "".join(MADE_UP if piece is None else piece for piece in pieces)
                message = f"the name of {name} is not known, taken as {made}: {resolved.reason}"
                self._listing.gap(message, written.place)
            case NotKnown(reason):
                message = f"the name of {name} is not known, taken as {made}: {reason}"
                self._listing.gap(message, written.place)
            case _:
                message = f"the name of {name} is made up by CloudFormation, taken as {made}"
                self._listing.gap(message, written.place, matters=False)
        return made

    def arn(self, name: str) -> str:
        """The ARN of a resource of a kind that is read."""
        kind, physical = KINDS[self._type(name)].resource, self.physical_name(name)
        match kind:
            case "bucket":
                return f"arn:{self.home.partition}:s3:::{physical}"
            case "role" | "user" | "group" | "policy":
                return self.home.iam(kind, self.path(name), physical)
            case _:
                return self.home.sagemaker(kind, physical)

    def path(self, name: str) -> str:
        """The path of a resource of IAM."""
        written = _properties(self._written(name)).get("Path")
        value = None if written is None else self.functions.resolved(written)
        if isinstance(value, NotKnown | PartlyKnown):
            message = f"the path of {name} is not known, taken as /: {value.reason}"
            self._listing.gap(message, value.place)
        return text(value) or "/"

    def _written(self, name: str) -> Table:
        written = self._sections["Resources"].get(name)
        return written if isinstance(written, Table) else Table((), self.template.place)

    def _type(self, name: str) -> str:
        return text(self._written(name).get("Type")) or ""

    # -- what it makes -----------------------------------------------------------------------

    def named(self, type_: str) -> Iterator[str]:
        """The logical IDs of the resources of a type that are deployed, or may be."""
        for key, written in self._sections["Resources"].members:
            if self._type(key.value) == type_ and self._holds(written) is not False:
                yield key.value

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """The resources that are deployed, or may be."""
        return tuple(self._resources())

    def _resources(self) -> Iterator[Resource]:
        for key, written in self._sections["Resources"].members:
            if key.value.startswith("Fn::"):
                self.leave_out(f"{key.value} makes resources, which are not read", written.place)
                continue
            if not isinstance(written, Table):
                self.leave_out(f"{key.value} is no resource, and not read", written.place)
                continue
            holds = self._holds(written)
            if holds is False:
                continue
            given = written.get("Properties") or Table((), written.place)
            properties = self.functions.resolved(given)
            if not isinstance(properties, Table):
                self.leave_out(f"the properties of {key.value} are not known", given.place)
                properties = Table((), written.place)
            doubt = holds if isinstance(holds, str) else None
            yield Resource(key.value, self._type(key.value), properties, written.place, doubt)

    def _holds(self, written: Value) -> bool | str:
        """Whether a resource is deployed; where nobody knows, why not."""
        name = text(written.get("Condition")) if isinstance(written, Table) else None
        return True if name is None else self.functions.holds(name, written.place)

    def output(self, name: str) -> Value | None:
        """An output; None where there is none, or it is not there."""
        written = self._sections["Outputs"].get(name)
        value = written.get("Value") if isinstance(written, Table) else None
        return None if value is None else self.functions.resolved(value)

    def exports(self) -> Iterator[tuple[str, str]]:
        """The names under which outputs are exported, each with the output."""
        for key, written in self._sections["Outputs"].members:
            export = written.get("Export") if isinstance(written, Table) else None
            named = export.get("Name") if isinstance(export, Table) else None
            name = None if named is None else text(self.functions.resolved(named))
            if name is not None:
                yield name, key.value


_SECTIONS = ("Conditions", "Mappings", "Outputs", "Parameters", "Resources")


def _properties(written: Table) -> Table:
    properties = written.get("Properties")
    return properties if isinstance(properties, Table) else Table((), written.place)
