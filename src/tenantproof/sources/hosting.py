"""From SageMaker's resources in a template to the endpoints and what they serve.

Resources are given as the service's API has them, whose member names CloudFormation uses too:
``CreateModel``, ``CreateEndpointConfig``, ``CreateEndpoint`` and ``CreateInferenceComponent``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from tenantproof.account import (
    Container,
    HostedEndpoint,
    InferenceComponent,
    Model,
    Variant,
    parse_s3,
)
from tenantproof.errors import Place
from tenantproof.policy import Unknown
from tenantproof.sources.homes import Home
from tenantproof.sources.listing import Listing
from tenantproof.sources.values import Table, Value, block, listed, text, unclear_parts

_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")


@dataclass(frozen=True)
class _Described:
    """A resource as it is written."""

    home: Home
    name: str
    properties: Table
    place: Place
    tags: Mapping[str, str]


class Hosting:
    """SageMaker's resources, taken one by one; names are followed when all are there."""

    def __init__(self, listing: Listing) -> None:
        """Nothing yet.

        Args:
            listing: where what is left out is listed.
        """
        self._listing = listing
        self._described: dict[tuple[str, str, str], _Described] = {}
        self._made: dict[tuple[str, str], Model] = {}

    def add(
        self,
        kind: str,
        home: Home,
        name: str,
        properties: Table,
        *,
        place: Place,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """A resource.

        Args:
            kind: as its ARN says: ``model``, ``endpoint-config``, ``endpoint`` or
                ``inference-component``.
            home: where it is.
            name: its name.
            properties: the members of the request that creates it.
            place: where it is written.
            tags: its tags.
        """
        key = kind, home.region, name
        if key in self._described:
            self._listing.gap(f"the {kind} {name} is described a second time, not read", place)
            return
        self._described[key] = _Described(home, name, properties, place, tags or {})

    def models(self) -> Iterator[Model]:
        """The models, on an endpoint or not."""
        return (self._model(each) for each in self._of("model"))

    def endpoints(self) -> Iterator[HostedEndpoint]:
        """The endpoints, with what they serve."""
        for each in self._of("endpoint"):
            yield self._endpoint(each)
        for each in self._of("inference-component"):
            name = _endpoint_of(each)
            if ("endpoint", each.home.region, name or "") not in self._described:
                known = f"the endpoint {name}" if name else "an endpoint that is not known"
                self._listing.gap(
                    f"the inference component {each.name} is on {known}, which is not described",
                    each.place,
                )

    def _of(self, kind: str) -> list[_Described]:
        return [each for (of, _, _), each in self._described.items() if of == kind]

    # -- endpoints ---------------------------------------------------------------------------

    def _endpoint(self, endpoint: _Described) -> HostedEndpoint:
        home, what = endpoint.home, f"the endpoint {endpoint.name}"
        named = endpoint.properties.get("EndpointConfigName")
        name = _last(text(named))
        config = self._described.get(("endpoint-config", home.region, name or ""))
        role = None if config is None else text(config.properties.get("ExecutionRoleArn"))
        components = tuple(self._components(endpoint, role))
        if config is None:
            reason = f"the configuration {name} of {what} is not described"
            if name is None:
                reason = f"the configuration of {what} is not known{_because(named)}"
            variants = [Variant("", self._unknown_model("", reason, endpoint.place))]
        else:
            variants = list(self._variants(config, what, bool(components)))
        return HostedEndpoint(
            home.sagemaker("endpoint", endpoint.name),
            tuple(dict.fromkeys(variants)),
            components,
            # Of the block, that it is there says it all.
            config is not None and bool(listed(config.properties.get("AsyncInferenceConfig"))),
            endpoint.tags,
            home.sagemaker("endpoint-config", name) if name else None,
            endpoint.place,
        )

    def _variants(
        self, config: _Described, endpoint: str, has_components: bool
    ) -> Iterator[Variant]:
        for element in _VARIANTS:
            for value in listed(config.properties.get(element)):
                variant = block(value)
                name, named = text(variant.get("VariantName")) or "", variant.get("ModelName")
                if not isinstance(value, Table):
                    reason = f"a variant of {endpoint} is not known{_because(value)}"
                    yield Variant("", self._unknown_model("", reason, value.place))
                elif named is not None:
                    yield Variant(name, self._model_named(named, config.home, endpoint))
                elif has_components:
                    yield Variant(name, None)
                else:
                    reason = f"{endpoint} serves inference components, which are not described"
                    yield Variant(name, self._unknown_model("", reason, value.place))

    # -- inference components ----------------------------------------------------------------

    def _components(self, endpoint: _Described, role: str | None) -> Iterator[InferenceComponent]:
        """The inference components of an endpoint, whose configuration has a role for some."""
        for each in self._of("inference-component"):
            on = each.home.region, _endpoint_of(each)
            if on != (endpoint.home.region, endpoint.name):
                continue
            arn = each.home.sagemaker("inference-component", each.name)
            what = f"the inference component {each.name}"
            properties = each.properties
            specifications = [properties.get("Specification")]
            specifications += listed(properties.get("Specifications"))
            written = [value for value in specifications if value is not None]
            if not written:
                reason = f"{what} has no specification"
                yield InferenceComponent(arn, self._unknown_model(each.name, reason, each.place))
            for value in written:
                model = self._component_model(each, value, role, what)
                yield InferenceComponent(arn, model)

    def _component_model(
        self, component: _Described, value: Value, role: str | None, what: str
    ) -> Model:
        specification = block(value)
        named = specification.get("ModelName")
        if named is not None:
            model = self._model_named(named, component.home, what)
            return replace(model, execution_role=model.execution_role or role)
        container = specification.get("Container")
        if container is not None:
            containers = self._containers(container, what)
            return Model(component.name, tuple(containers), role, place=value.place)
        if specification.get("BaseInferenceComponentName") is not None:
            return Model(component.name, (), role, place=value.place)
        reason = f"{what} has neither ModelName nor Container{_because(value)}"
        return self._unknown_model(component.name, reason, value.place)

    # -- models ------------------------------------------------------------------------------

    def _model_named(self, named: Value, home: Home, of: str) -> Model:
        name = _last(text(named))
        if name is None:
            reason = f"the model of {of} is not known{_because(named)}"
            return self._unknown_model("", reason, named.place)
        described = self._described.get(("model", home.region, name))
        if described is None:
            reason = f"the model {name} of {of} is not described"
            return self._unknown_model(name, reason, named.place)
        return self._model(described)

    def _model(self, model: _Described) -> Model:
        """A model; made once, so that what it leaves out is listed once."""
        key = model.home.region, model.name
        if key not in self._made:
            self._made[key] = self._make(model)
        return self._made[key]

    def _make(self, model: _Described) -> Model:
        properties, what = model.properties, f"the model {model.name}"
        written = [*_blocks(properties.get("PrimaryContainer"))]
        written += _blocks(properties.get("Containers"))
        containers = [each for value in written for each in self._containers(value, what)]
        if not written:
            containers = [self._unknown(f"{what} has no container", model.place)]
        mode = block(properties.get("InferenceExecutionConfig")).get("Mode")
        if mode is not None and text(mode) is None:
            self._listing.gap(f"how {what} executes is not known{_because(mode)}", mode.place)
        return Model(
            model.name,
            tuple(containers),
            text(properties.get("ExecutionRoleArn")),
            text(mode) == "Direct",
            model.home.sagemaker("model", model.name),
            model.place,
        )

    def _containers(self, value: Value, of: str) -> Iterator[Container]:
        """A container, and one more for each further artifact that it loads."""
        what = f"a container of {of}"
        if not isinstance(value, Table):
            yield self._unknown(f"{what} is not known{_because(value)}", value.place)
            return
        mode, hostname = value.get("Mode"), value.get("ContainerHostname")
        if text(mode) not in {None, "SingleModel", "MultiModel"} or (mode and text(mode) is None):
            reason = f"{what} has a Mode that is not known{_because(mode)}"
            yield self._unknown(reason, value.place)
        if hostname is not None and text(hostname) is None:
            reason = f"{what} has a ContainerHostname that is not known{_because(hostname)}"
            yield self._unknown(reason, value.place)
        package = value.get("ModelPackageName")
        sources = list(_sources(value))
        if package is not None and not sources:
            reason = f"{what} is of the model package {text(package)}, whose artifact is not known"
            yield self._unknown(reason, value.place)
        elif not sources:
            yield Container(None, text(mode) == "MultiModel", text(hostname), value.place)
        for url, data_type in sources:
            located = self._located(url, data_type, what, value.place)
            is_multi = text(mode) == "MultiModel" and located.unknown is None
            yield replace(located, multi_model=is_multi, hostname=text(hostname))
        for channel in listed(value.get("AdditionalModelDataSources")):
            source = block(block(channel).get("S3DataSource"))
            url = source.get("S3Uri") or channel
            located = self._located(url, source.get("S3DataType"), what, channel.place)
            yield replace(located, hostname=text(hostname))

    def _located(self, url: Value, data_type: Value | None, what: str, place: Place) -> Container:
        """A container whose artifact is at an URL."""
        known = text(url)
        if known is None:
            reason = f"{what} has its artifact at an URL that is not known{_because(url)}"
            return self._unknown(reason, place)
        if parse_s3(known) is None:
            return self._unknown(f'{what} has its artifact at "{known}", no S3 URL', place)
        if data_type is not None and text(data_type) not in {"S3Object", "S3Prefix"}:
            reason = f"{what} has an S3DataType that is not known{_because(data_type)}"
            return self._unknown(reason, place)
        return Container(known, place=place, is_prefix=text(data_type) == "S3Prefix")

    # -- what is not known -------------------------------------------------------------------

    def _unknown_model(self, name: str, reason: str, place: Place) -> Model:
        return Model(name, (self._unknown(reason, place),), place=place)

    def _unknown(self, reason: str, place: Place) -> Container:
        """A container of which nothing is known, and the gap that it leaves."""
        self._listing.gap(reason, place, has_stand_in=True)
        return Container(None, place=place, unknown=Unknown(reason, place))


def _endpoint_of(component: _Described) -> str | None:
    """The endpoint that an inference component is on."""
    named = component.properties.get("EndpointName") or component.properties.get("EndpointArn")
    return _last(text(named))


def _sources(container: Table) -> Iterator[tuple[Value, Value | None]]:
    """The URLs of a container's artifact, each with its S3DataType where it has one."""
    for name in ("ModelDataUrl", "ArtifactUrl"):
        url = container.get(name)
        if url is not None and text(url) != "":
            yield url, None
    source = container.get("ModelDataSource")
    if source is not None and listed(source):
        located = block(block(source).get("S3DataSource"))
        yield located.get("S3Uri") or source, located.get("S3DataType")


def _blocks(value: Value | None) -> Iterable[Value]:
    return listed(value)


def _because(value: Value | None) -> str:
    """Why a value is not known, for the end of a sentence; empty where it is."""
    part = None if value is None else next(unclear_parts(value), None)
    return "" if part is None else f": {part.reason}"


def _last(name: str | None) -> str | None:
    """A name; where names are wanted, ARNs are taken too."""
    return None if name is None else name.rpartition("/")[2]
