"""Descriptions of SageMaker: what ``aws sagemaker describe-...`` prints, linked by their names.

Follows "DescribeEndpoint", "DescribeEndpointConfig", "DescribeModel" and
"DescribeInferenceComponent" of the SageMaker API Reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from enum import Enum

from tenantproof.account import (
    Container,
    Estate,
    Gap,
    HostedEndpoint,
    InferenceComponent,
    Model,
    Variant,
    parse_s3,
)
from tenantproof.errors import Place, Problem
from tenantproof.policy import Unknown
from tenantproof.policy.json_reader import JsonNode, JsonObject
from tenantproof.sources.record import Record

_ARN = re.compile(r"arn:[a-z-]+:sagemaker:[a-z0-9-]+:[0-9]{12}:[a-z-]+/[\x21-\x7e]+")
_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")
_CONTAINERS = ("PrimaryContainer", "Containers")
OF_CONTAINER = frozenset(
    {
        "AdditionalModelDataSources", "ContainerHostname", "ContainerMetricsConfig",
        "Environment", "Image", "ImageConfig", "InferenceSpecificationName", "Mode",
        "ModelDataSource", "ModelDataUrl", "ModelPackageName", "MultiModelConfig",
    }
)  # fmt: skip
OF_COMPONENT = frozenset(
    {
        "BaseInferenceComponentName", "ComputeResourceRequirements", "Container",
        "DataCacheConfig", "InstanceType", "ModelName", "SchedulingConfig", "StartupParameters",
    }
)  # fmt: skip


class _Kind(Enum):
    """What can be described; the value is how its fields' names begin."""

    ENDPOINT = "Endpoint"
    CONFIG = "EndpointConfig"
    MODEL = "Model"
    COMPONENT = "InferenceComponent"


_DETAIL = {
    _Kind.ENDPOINT: ("EndpointConfigName",),
    _Kind.CONFIG: _VARIANTS,
    _Kind.MODEL: _CONTAINERS,
    _Kind.COMPONENT: ("Specification", "Specifications"),
}
"""What a description has, and what lists (``aws sagemaker list-...``) leave out of it."""


DESCRIBED = {
    _Kind.ENDPOINT: {
        "AsyncInferenceConfig", "CrossRegionTrafficConfig", "DataCaptureConfig",
        "EndpointConfigName", "EndpointStatus", "ExplainerConfig", "PendingDeploymentSummary",
        *_VARIANTS,
    },
    _Kind.CONFIG: {
        "AsyncInferenceConfig", "CrossRegionTrafficConfig", "DataCaptureConfig",
        "EnableNetworkIsolation", "ExecutionRoleArn", "ExplainerConfig", "KmsKeyId", "VpcConfig",
        *_VARIANTS,
    },
    _Kind.MODEL: {
        "DeploymentRecommendation", "EnableNetworkIsolation", "ExecutionRoleArn",
        "InferenceExecutionConfig", "VpcConfig", *_CONTAINERS,
    },
    _Kind.COMPONENT: {
        "EndpointArn", "EndpointName", "InferenceComponentStatus", "RuntimeConfig",
        "Specification", "Specifications", "VariantName",
    },
}  # fmt: skip
OF_ALL = {
    "CreationTime", "FailureReason", "LastDeploymentConfig", "LastModifiedTime", "MetricsConfig",
    "NotDescribed", "ResponseMetadata", "Tags", "TagsNotKnown",
}  # fmt: skip


class Descriptions:
    """Reads descriptions of endpoints, their configurations, models and inference components."""

    def __init__(self, problems: list[Problem]) -> None:
        """Report into a list of problems."""
        self._problems = problems
        self._gaps: list[Gap] = []
        self._records: dict[_Kind, list[Record]] = {kind: [] for kind in _Kind}
        self._by_name: dict[tuple[_Kind, str], list[Record]] = {}
        self._components_on: dict[str, list[Record]] = {}
        self._models: dict[int, Model] = {}

    def recognises(self, root: JsonNode) -> bool:
        """Whether a document describes one of the four kinds, or is an item of a list of them."""
        return _kind_of(root) is not None

    def read(self, root: JsonNode, file: str, name: str) -> None:  # noqa: ARG002
        """Take in a description."""
        assert isinstance(root, JsonObject)
        kind = _kind_of(root)
        assert kind is not None
        record = Record(root, file, self._problems)
        arn = record.text(f"{kind.value}Arn")
        if arn is not None and not _ARN.fullmatch(arn):
            message = f'found "{arn}" as {kind.value}Arn, expected the ARN of one'
            record.report(record.place, message)
            return
        known = {f"{kind.value}Name", f"{kind.value}Arn", *DESCRIBED[kind], *OF_ALL}
        for field, node in record.others(known):
            self._gap(f"the field {field} of a description is not known", node.place)
        called = _name(record, kind) if arn else record.required(f"{kind.value}Name")
        if called:
            if kind is _Kind.COMPONENT:
                self._components_on.setdefault(_endpoint_of(record), []).append(record)
            self._records[kind].append(record)
            self._by_name.setdefault((kind, called), []).append(record)

    def estate(self) -> Estate:
        """The endpoints with everything that they serve, and the models."""
        self._check_configs()
        endpoints = [
            self._endpoint(record)
            for record in self._records[_Kind.ENDPOINT]
            if self._is_best(record, _Kind.ENDPOINT)
        ]
        endpoints += self._endpoints_of_components()
        models = [
            self._model(record)
            for record in self._records[_Kind.MODEL]
            if self._is_best(record, _Kind.MODEL)
        ]
        return Estate(endpoints=tuple(endpoints), models=tuple(models), gaps=tuple(self._gaps))

    # -- finding descriptions ----------------------------------------------------------------

    def _is_best(self, record: Record, kind: _Kind) -> bool:
        """Whether a record has details, or none of the same thing has."""
        if _has_details(record, kind):
            return True
        same = self._by_name[kind, _name(record, kind)]
        within = _scope(record, kind)
        best = [r for r in same if _scope(r, kind) == within and _has_details(r, kind)]
        return not best and record is next(r for r in same if _scope(r, kind) == within)

    def _find(self, kind: _Kind, name: str, scope: str) -> Record | None:
        """What describes something by its name in an account and region; the best of it.

        A description without an ARN may be of any account.
        """
        found = [
            record
            for record in self._by_name.get((kind, name), ())
            if scope in {"", of := _scope(record, kind)} or not of
        ]
        detailed = [record for record in found if _has_details(record, kind)]
        return next(iter(detailed or found), None)

    def _check_configs(self) -> None:
        """Two descriptions of one configuration are the same."""
        first: dict[tuple[str, str], Record] = {}
        for record in self._records[_Kind.CONFIG]:
            if _has_details(record, _Kind.CONFIG):
                key = _scope(record, _Kind.CONFIG), _name(record, _Kind.CONFIG)
                known = first.setdefault(key, record)
                if not known.same_as(record):
                    message = (
                        f"found the endpoint configuration {key[1]} a second time, and it differs"
                        f" (the first is at {known.place}), expected each once"
                    )
                    record.report(record.place, message)

    # -- endpoints ---------------------------------------------------------------------------

    def _endpoint(self, record: Record) -> HostedEndpoint:
        scope = _scope(record, _Kind.ENDPOINT)
        name = _name(record, _Kind.ENDPOINT)
        names = [record.text("EndpointConfigName")]
        pending = record.record("PendingDeploymentSummary")
        names += [] if pending is None else [pending.text("EndpointConfigName")]
        configs = {each: self._find(_Kind.CONFIG, each, scope) for each in names if each}
        role = next((c.text("ExecutionRoleArn") for c in configs.values() if c is not None), None)
        components = self._components(name, scope, role)
        variants: list[Variant] = []
        if not configs:
            reason = f"the endpoint {name} is listed without its configuration{_why(record)}"
            variants.append(Variant("", self._unknown_model("", reason, record.place)))
        for each, config in configs.items():
            if config is None or not _has_details(config, _Kind.CONFIG):
                reason = f"the configuration {each} of the endpoint {name} is not in the sources"
                reason += _why(config)
                variants.append(Variant("", self._unknown_model("", reason, record.place)))
            else:
                variants += self._variants(config, scope, name, bool(components))
        arn = record.text("EndpointArn") or f"{scope}:endpoint/{name}"
        return HostedEndpoint(
            arn,
            tuple(dict.fromkeys(variants)),
            tuple(components),
            any("AsyncInferenceConfig" in each for each in (record, *configs.values()) if each),
            record.tags(),
            _config_arn(configs, scope),
            record.place,
            self._unknown_tags(record, name),
        )

    def _unknown_tags(self, record: Record, name: str) -> Unknown | None:
        """Why nobody knows which tags an endpoint has, where its description says so."""
        why = record.text("TagsNotKnown")
        if why is None:
            return None
        reason = f"the tags of the endpoint {name} are not known ({why})"
        self._gaps.append(Gap(reason, record.place, has_stand_in=True))
        return Unknown(reason, record.place)

    def _variants(
        self, config: Record, scope: str, endpoint: str, has_components: bool
    ) -> Iterator[Variant]:
        for each in _VARIANTS:
            for variant in config.records(each):
                name = variant.text("VariantName") or ""
                pools = [
                    pool.text("ModelNameOverride") for pool in variant.records("InstancePools")
                ]
                models = [m for m in (variant.text("ModelName"), *pools) if m is not None]
                for model in models:
                    yield Variant(name, self._model_named(model, scope, variant.place))
                if models:
                    continue
                if has_components:
                    yield Variant(name, None)
                else:
                    reason = (
                        f"the endpoint {endpoint} serves inference components, which are not in"
                        " the sources"
                    )
                    yield Variant(name, self._unknown_model("", reason, variant.place))

    def _endpoints_of_components(self) -> Iterator[HostedEndpoint]:
        """The endpoints that inference components name and that nothing describes."""
        told: set[str] = set()
        for record in self._records[_Kind.COMPONENT]:
            arn = record.text("EndpointArn")
            name = _endpoint_of(record)
            scope = _scope(record, _Kind.COMPONENT)
            if not name:
                self._gap(
                    f"an inference component is on no endpoint ({record.place})", record.place
                )
                continue
            if self._find(_Kind.ENDPOINT, name, scope) is not None or f"{scope}{name}" in told:
                continue
            told.add(f"{scope}{name}")
            reason = f"the endpoint {name} of inference components is not in the sources"
            unknown = Variant("", self._unknown_model("", reason, record.place))
            components = tuple(self._components(name, scope, None))
            arn = arn or f"{scope}:endpoint/{name}"
            yield HostedEndpoint(arn, (unknown,), components, place=record.place)

    # -- inference components ----------------------------------------------------------------

    def _components(self, endpoint: str, scope: str, role: str | None) -> list[InferenceComponent]:
        """The inference components of an endpoint, whose configuration has a role for some."""
        found: list[InferenceComponent] = []
        for record in self._components_on.get(endpoint, ()):
            within = _scope(record, _Kind.COMPONENT)
            if scope in {"", within} and self._is_best(record, _Kind.COMPONENT):
                found += self._component(record, scope, role)
        return list(dict.fromkeys(found))

    def _component(
        self, record: Record, scope: str, role: str | None
    ) -> Iterator[InferenceComponent]:
        name = _name(record, _Kind.COMPONENT)
        arn = record.text("InferenceComponentArn") or f"{scope}:inference-component/{name}"
        one = record.record("Specification")
        specifications = [*([] if one is None else [one]), *record.records("Specifications")]
        if not specifications:
            reason = f"the inference component {name} is listed without its specification"
            reason += _why(record)
            yield InferenceComponent(arn, self._unknown_model(name, reason, record.place))
        for each in specifications:
            model = each.text("ModelName")
            if model is not None:
                named = self._model_named(model, scope, each.place)
                yield InferenceComponent(
                    arn, replace(named, execution_role=named.execution_role or role)
                )
                continue
            containers = self._component_containers(each, name)
            yield InferenceComponent(arn, Model(name, containers, role, place=each.place))

    def _component_containers(self, specification: Record, name: str) -> tuple[Container, ...]:
        container = specification.record("Container")
        unknown = [field for field, _ in specification.others(OF_COMPONENT)]
        base = specification.text("BaseInferenceComponentName")
        if unknown or (container is None and base is None):
            found = f"the field {unknown[0]}" if unknown else "neither ModelName nor Container"
            reason = f"the inference component {name} has {found}, which is not known"
            return (self._unknown(reason, specification.place),)
        if container is None:
            return ()
        url = container.text("ArtifactUrl")
        return (self._located(url, None, container, f"the inference component {name}"),)

    # -- models ------------------------------------------------------------------------------

    def _model_named(self, name: str, scope: str, place: Place) -> Model:
        record = self._find(_Kind.MODEL, name, scope)
        if record is None:
            return self._unknown_model(name, f"the model {name} is not in the sources", place)
        return self._model(record)

    def _model(self, record: Record) -> Model:
        """The model that a record describes; made once, so that its gaps are told once."""
        if id(record) not in self._models:
            self._models[id(record)] = self._make_model(record)
        return self._models[id(record)]

    def _make_model(self, record: Record) -> Model:
        name = _name(record, _Kind.MODEL)
        primary = record.record("PrimaryContainer")
        containers = [*([] if primary is None else [primary]), *record.records("Containers")]
        read = tuple(each for c in containers for each in self._containers(c, name))
        if not containers:
            reason = f"the model {name} is listed without its containers{_why(record)}"
            read = (self._unknown(reason, record.place),)
        execution = record.record("InferenceExecutionConfig")
        return Model(
            name,
            read,
            record.text("ExecutionRoleArn"),
            execution is not None and execution.text("Mode") == "Direct",
            record.text("ModelArn"),
            record.place,
        )

    def _containers(self, record: Record, model: str) -> Iterator[Container]:
        """A container, and one more for each further artifact that it loads."""
        whose = f"a container of the model {model}"
        hostname = record.text("ContainerHostname")
        mode = record.text("Mode")
        unknown = sorted(name for name, _ in record.others(OF_CONTAINER))
        for name in unknown:
            yield self._unknown(f"{whose} has the field {name}, which is not known", record.place)
        if mode not in {None, "SingleModel", "MultiModel"}:
            yield self._unknown(f"{whose} has the Mode {mode}, which is not known", record.place)
        sources = list(_sources(record))
        if (listed := _manifest_of(record)) is not None:
            reason = f"{whose} has its artifacts listed in {listed}, which is not read"
            yield self._unknown(reason, record.place)
        package = record.text("ModelPackageName")
        if package is not None and not sources:
            reason = f"{whose} is of the model package {package}, whose artifact is not known"
            yield self._unknown(reason, record.place)
        elif not sources:
            yield Container(None, mode == "MultiModel", hostname, record.place)
        for url, data_type in sources:
            container = self._located(url, data_type, record, whose)
            multi_model = mode == "MultiModel" and container.unknown is None
            yield replace(container, multi_model=multi_model, hostname=hostname)
        for channel in record.records("AdditionalModelDataSources"):
            source = channel.record("S3DataSource")
            channel_url, data_type = _s3_source(source)
            yield replace(self._located(channel_url, data_type, channel, whose), hostname=hostname)

    def _located(
        self, url: str | None, data_type: str | None, record: Record, whose: str
    ) -> Container:
        """A container whose artifact is at an URL."""
        if url is None:
            return Container(None, place=record.place)
        if parse_s3(url) is None:
            return self._unknown(f'{whose} has its artifact at "{url}", no S3 URL', record.place)
        if data_type not in {None, "S3Object", "S3Prefix"}:
            reason = f"{whose} has the S3DataType {data_type}, which is not known"
            return self._unknown(reason, record.place)
        return Container(url, place=record.place, is_prefix=data_type == "S3Prefix")

    # -- what is not known -------------------------------------------------------------------

    def _unknown_model(self, name: str, reason: str, place: Place) -> Model:
        return Model(name, (self._unknown(reason, place),), place=place)

    def _unknown(self, reason: str, place: Place) -> Container:
        """A container of which nothing is known, and the gap that it leaves."""
        self._gaps.append(Gap(reason, place, has_stand_in=True))
        return Container(None, place=place, unknown=Unknown(reason, place))

    def _gap(self, message: str, place: Place) -> None:
        self._gaps.append(Gap(message, place))


def _why(record: Record | None) -> str:
    """Why something is only listed, where its description says so."""
    why = None if record is None else record.text("NotDescribed")
    return "" if why is None else f" ({why})"


def _kind_of(root: JsonNode) -> _Kind | None:
    """What a document describes, told by its fields."""
    if not isinstance(root, JsonObject):
        return None
    names = {key.value for key, _ in root.members}
    if "InferenceComponentArn" in names or {"InferenceComponentName", "Specification"} <= names:
        return _Kind.COMPONENT
    if "EndpointArn" in names:
        return _Kind.ENDPOINT
    if "EndpointConfigArn" in names or {"EndpointConfigName", "ProductionVariants"} <= names:
        return _Kind.CONFIG
    if "ModelArn" in names or ("ModelName" in names and names & set(_CONTAINERS)):
        return _Kind.MODEL
    return None


def _has_details(record: Record, kind: _Kind) -> bool:
    return any(name in record for name in _DETAIL[kind])


def _name(record: Record, kind: _Kind) -> str:
    """The name of what is described; its ARN may have it in lower case."""
    name = record.text(f"{kind.value}Name")
    return name or (record.text(f"{kind.value}Arn") or "").rpartition("/")[2]


def _scope(record: Record, kind: _Kind) -> str:
    """The partition, region and account of what is described; empty where there is no ARN."""
    arn = record.text(f"{kind.value}Arn") or record.text("EndpointArn") or ""
    return ":".join(arn.split(":")[:5])


def _endpoint_of(component: Record) -> str:
    """The name of the endpoint that an inference component is on."""
    name = component.text("EndpointName")
    return name or (component.text("EndpointArn") or "").rpartition("/")[2]


def _config_arn(configs: dict[str, Record | None], scope: str) -> str | None:
    for name, config in configs.items():
        arn = None if config is None else config.text("EndpointConfigArn")
        return arn or f"{scope}:endpoint-config/{name.lower()}"
    return None


def _sources(record: Record) -> Iterator[tuple[str, str | None]]:
    """Where a container has its artifact: a description may say it in two ways at once."""
    plain = record.text("ModelDataUrl")
    source = record.record("ModelDataSource")
    url, data_type = _s3_source(None if source is None else source.record("S3DataSource"))
    if url is not None:
        yield url, data_type
    if plain is not None and plain != url:
        yield plain, None


def _manifest_of(container: Record) -> str | None:
    """The list of a container's artifacts, which lies in S3."""
    source = container.record("ModelDataSource")
    inner = None if source is None else source.record("S3DataSource")
    return None if inner is None else inner.text("ManifestS3Uri")


def _s3_source(source: Record | None) -> tuple[str | None, str | None]:
    return (None, None) if source is None else (source.text("S3Uri"), source.text("S3DataType"))
