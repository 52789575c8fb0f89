"""The endpoints of a region, and everything that they serve."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tenantproof.account import parse_s3
from tenantproof.aws import CallFailedError, Failure
from tenantproof.pull.asking import NO_ANSWER, Asker
from tenantproof.pull.folder import Folder, Listing
from tenantproof.pull.operations import Operation
from tenantproof.pull.plain import by_name, plain, texts
from tenantproof.sources.snapshots import Missing

_PAGE = 100
_VARIANTS = ("ProductionVariants", "ShadowProductionVariants")

Json = dict[str, Any]


@dataclass(frozen=True)
class _Kind:
    """A kind of things: how the API names it, lists it and describes it."""

    name: str
    what: str
    describe: Operation
    one: Missing
    arn: str
    list: Operation | None = None
    all: Missing | None = None

    @property
    def member(self) -> str:
        """The list in the replies of the operation that lists it."""
        return f"{self.name}s"


_ENDPOINT = _Kind(
    "Endpoint",
    "endpoint",
    Operation.DESCRIBE_ENDPOINT,
    Missing.ENDPOINT,
    "endpoint",
    Operation.LIST_ENDPOINTS,
    Missing.ENDPOINTS,
)
_CONFIG = _Kind(
    "EndpointConfig",
    "endpoint configuration",
    Operation.DESCRIBE_CONFIG,
    Missing.ENDPOINT_CONFIG,
    "endpoint-config",
)
_MODEL = _Kind(
    "Model",
    "model",
    Operation.DESCRIBE_MODEL,
    Missing.MODEL,
    "model",
    Operation.LIST_MODELS,
    Missing.MODELS,
)
_COMPONENT = _Kind(
    "InferenceComponent",
    "inference component",
    Operation.DESCRIBE_COMPONENT,
    Missing.COMPONENT,
    "inference-component",
    Operation.LIST_COMPONENTS,
    Missing.COMPONENTS,
)


@dataclass
class Region:
    """Collects what a region holds.

    Attributes:
        asker: asks.
        folder: where it is written.
        name: the region.
        scope: what the ARNs of its resources begin with.
        counts: how many there are of each kind.
        buckets: the buckets that artifacts lie in.
    """

    asker: Asker
    folder: Folder
    name: str
    scope: str
    counts: Counter[str] = field(default_factory=Counter)
    buckets: set[str] = field(default_factory=set)
    _unreachable: CallFailedError | None = None

    def collect(self) -> None:
        """Write endpoints, their configurations, models and inference components."""
        self.asker.expect(3)
        endpoints = self._listed(_ENDPOINT)
        models = self._listed(_MODEL)
        # Part of them would hide that an endpoint serves more: then it is to serve unknown ones.
        components = self._listed(_COMPONENT, whole=True)
        self.asker.expect(2 * len(endpoints) + len(models) + len(components))
        configs: set[str] = set()
        with self._listing(_ENDPOINT) as listing:
            for name, listed in endpoints.items():
                endpoint = self._described(_ENDPOINT, name, listed)
                if endpoint is not None and self._tagged(endpoint, name):
                    listing.add(endpoint)
                    configs |= set(_configs_of(endpoint))
        served: set[str] = set()
        self.asker.expect(len(configs))
        with self._listing(_CONFIG) as listing:
            for name in sorted(configs):
                config = self._described(_CONFIG, name)
                listing.add(config)
                served |= set(_models_of(config or {}))
        with self._listing(_COMPONENT) as listing:
            for name, listed in components.items():
                component = self._described(_COMPONENT, name, listed)
                if component is not None:
                    listing.add(component)
                    served |= set(_models_of_component(component))
                    self._note_buckets(component)
        self._models(models, served)

    def _models(self, models: dict[str, Json], served: set[str]) -> None:
        self.asker.expect(len(served - models.keys()))
        with self._listing(_MODEL) as listing:
            for name in sorted(served | models.keys()):
                listed = None if name in served else models[name]
                model = self._described(_MODEL, name, listed)
                if model is not None:
                    listing.add(model)
                    self._note_buckets(model)

    # -- asking ------------------------------------------------------------------------------

    def _listed(self, kind: _Kind, *, whole: bool = False) -> dict[str, Json]:
        """What is there of a kind, by name.

        Args:
            kind: the kind.
            whole: whether part of it counts as nothing.
        """
        assert kind.list is not None
        assert kind.all is not None
        found: list[Json] = []
        parameters = {"MaxResults": _PAGE, "SortBy": "Name", "SortOrder": "Ascending"}
        try:
            if self._unreachable is not None:
                raise self._unreachable
            for page in self.asker.pages(kind.list, parameters, self.name):
                found += page.get(kind.member, [])
        except CallFailedError as error:
            if error.failure in NO_ANSWER:
                self._unreachable = error
            what = f"the {kind.what}s in {self.name}"
            self.asker.lacks(kind.all, what, kind.list, error, self.name)
            found = [] if whole else found
        return by_name(found, f"{kind.name}Name")

    def _described(self, kind: _Kind, name: str, listed: Json | None = None) -> Json | None:
        """A description of something, or what stands in for it.

        Args:
            kind: what it is.
            name: its name.
            listed: how it was listed; without it something else rests on it.

        Returns:
            The description; None of what was listed and is there no more.
        """
        try:
            reply = self.asker.ask(kind.describe, {f"{kind.name}Name": name}, self.name)
            return {**plain(reply)}
        except CallFailedError as error:
            if listed is not None and _is_gone(error):
                self.asker.notes.append(f"the {kind.what} {name} was listed, and is there no more")
                return None
            what = f"the {kind.what} {name} in {self.name}"
            why = self.asker.lacks(kind.one, what, kind.describe, error, self.name)
        made = {f"{kind.name}Name": name, f"{kind.name}Arn": f"{self.scope}:{kind.arn}/{name}"}
        return {**made, **plain(listed or {}), "NotDescribed": why}

    def _tagged(self, endpoint: Json, name: str) -> bool:
        """Put its tags to an endpoint.

        Returns:
            Whether it is still there.
        """
        tags: list[Json] = []
        try:
            parameters = {"ResourceArn": endpoint.get("EndpointArn", "")}
            for page in self.asker.pages(Operation.LIST_TAGS, parameters, self.name):
                tags += page.get("Tags", [])
        except CallFailedError as error:
            if _is_gone(error) and "NotDescribed" not in endpoint:
                self.asker.notes.append(f"the endpoint {name} was listed, and is there no more")
                return False
            what = f"the tags of the endpoint {name} in {self.name}"
            operation, part = Operation.LIST_TAGS, Missing.ENDPOINT_TAGS
            why = self.asker.lacks(part, what, operation, error, self.name)
            endpoint["TagsNotKnown"] = why
            return True
        endpoint.update(plain({"Tags": tags}))
        return True

    # -- writing -----------------------------------------------------------------------------

    @contextmanager
    def _listing(self, kind: _Kind) -> Iterator[Listing]:
        name = kind.what.replace(" ", "-")
        with self.folder.listing(f"sagemaker/{self.name}/{name}s", f"{name}s") as listing:
            yield listing
        self.counts[kind.what] += listing.count

    def _note_buckets(self, described: Json) -> None:
        """The buckets of all S3 URLs in a description."""
        for text in texts(described):
            location = parse_s3(text)
            if location is not None:
                self.buckets.add(location.bucket)


def _is_gone(error: CallFailedError) -> bool:
    """Whether something is not there; SageMaker has no code of its own for that."""
    could_not = "could not find" in error.message.lower()
    return error.failure is Failure.NOT_FOUND or (error.failure is Failure.INVALID and could_not)


def _configs_of(endpoint: Json) -> Iterator[str]:
    for holder in (endpoint, endpoint.get("PendingDeploymentSummary") or {}):
        if name := holder.get("EndpointConfigName"):
            yield str(name)


def _models_of(config: Json) -> Iterator[str]:
    for kind in _VARIANTS:
        for variant in config.get(kind) or ():
            pools = variant.get("InstancePools") or ()
            names = (variant.get("ModelName"), *(pool.get("ModelNameOverride") for pool in pools))
            yield from (str(name) for name in names if name)


def _models_of_component(component: Json) -> Iterator[str]:
    specifications = (component.get("Specification"), *(component.get("Specifications") or ()))
    for each in specifications:
        if each and each.get("ModelName"):
            yield str(each["ModelName"])
