"""The accounts as data: what each source is read into.

Everything has the place where it was read, so that a finding can point into the original file.
What a source did not hold, or could not know, is no silent hole but a :class:`Gap`; where it
could change an answer, a policy with an ``unknown`` statement stands in for it
(:func:`tenantproof.policy.unknown.unknown_policy`).

Follows the outputs of ``iam get-account-authorization-details`` and of SageMaker's
``DescribeEndpoint``, ``DescribeEndpointConfig``, ``DescribeModel`` and
``DescribeInferenceComponent``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum

from tenantproof.errors import Place
from tenantproof.policy import Levels, PolicyDocument, Unknown


class IdentityKind(Enum):
    """The kinds of IAM identities that make requests."""

    USER = "user"
    ROLE = "role"


@dataclass(frozen=True)
class Identity:
    """An IAM user or role.

    Attributes:
        arn: its ARN, with its path.
        policies: its identity policies: managed, inline, those of its groups.
        tags: its tags, names as written.
        permissions_boundary: its boundary.
        trust_policy: of a role, who may assume it; None of a user, and of a role of which the
            source says nothing.
        managed_policies: the ARNs of the managed policies attached to it or to its groups, the
            boundary's too: who makes a new version of one of them changes what it may do.
        groups: the ARNs of a user's groups.
        place: where it was read.
        unknown_tags: why nobody knows which tags it has.
    """

    arn: str
    policies: tuple[PolicyDocument, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    permissions_boundary: PolicyDocument | None = None
    trust_policy: PolicyDocument | None = None
    managed_policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    place: Place | None = field(default=None, compare=False)
    unknown_tags: Unknown | None = None

    @property
    def kind(self) -> IdentityKind:
        """What it is, as its ARN says."""
        return IdentityKind.USER if ":user/" in self.arn else IdentityKind.ROLE

    @property
    def name(self) -> str:
        """Its name, without its path."""
        return self.arn.rpartition("/")[2]

    @property
    def account(self) -> str:
        """The account of its ARN."""
        return self.arn.split(":")[4]

    @property
    def is_service_linked(self) -> bool:
        """Whether it is a service-linked role, which organization policies do not touch."""
        return ":role/aws-service-role/" in self.arn


@dataclass(frozen=True)
class ManagedPolicy:
    """A managed policy: its default version, and by their IDs the others that it has.

    Who may set the default version makes one of the others what is in force.
    """

    arn: str
    document: PolicyDocument | None
    place: Place | None = field(default=None, compare=False)
    other_versions: Mapping[str, PolicyDocument] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """An IAM group: its policies, and the ARNs of those that are managed.

    Its users have them already; who may add itself to it gets them.
    """

    arn: str
    place: Place | None = field(default=None, compare=False)
    policies: tuple[PolicyDocument, ...] = ()
    managed_policies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """A container of a model.

    Attributes:
        model_data: the S3 URL of its artifact, or with ``multi_model`` of what the artifacts'
            URLs begin with; None where it has none.
        multi_model: whether TargetModel chooses the artifact.
        hostname: its ContainerHostname, by which a request chooses it.
        place: where it was read.
        is_prefix: of one that is not ``multi_model``, whether every object whose URL begins with
            ``model_data`` is a part of its artifact (the S3DataType S3Prefix).
        unknown: why its artifact is not known; then nothing else of it is, either.
    """

    model_data: str | None
    multi_model: bool = False
    hostname: str | None = None
    place: Place | None = field(default=None, compare=False)
    is_prefix: bool = False
    unknown: Unknown | None = None


@dataclass(frozen=True)
class Model:
    """A SageMaker model: containers, and the role that reads their artifacts.

    ``direct`` says that requests choose one of the containers (``InferenceExecutionConfig`` has
    the mode Direct), by ``TargetContainerHostname``; else they go through all of them in turn.
    ``execution_role`` is None where the source does not say which it is.
    """

    name: str
    containers: tuple[Container, ...]
    execution_role: str | None = None
    direct: bool = False
    arn: str | None = None
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Variant:
    """A production or shadow variant of an endpoint, and the model behind it.

    ``model`` is None where the variant serves inference components alone.
    """

    name: str
    model: Model | None


@dataclass(frozen=True)
class InferenceComponent:
    """An inference component on an endpoint: a model that requests choose by its name."""

    arn: str
    model: Model


@dataclass(frozen=True)
class HostedEndpoint:
    """An endpoint, and everything that it serves.

    ``asynchronous`` says that it has an AsyncInferenceConfig, so that it is invoked by
    ``InvokeEndpointAsync`` alone. ``unknown_tags`` is why nobody knows which tags it has.
    """

    arn: str
    variants: tuple[Variant, ...]
    components: tuple[InferenceComponent, ...] = ()
    asynchronous: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    config_arn: str | None = None
    place: Place | None = field(default=None, compare=False)
    unknown_tags: Unknown | None = None

    @property
    def name(self) -> str:
        """The endpoint's name."""
        return self.arn.rpartition("/")[2]

    @property
    def models(self) -> Iterator[Model]:
        """The models of its variants and components."""
        yield from (variant.model for variant in self.variants if variant.model is not None)
        yield from (component.model for component in self.components)


@dataclass(frozen=True)
class Bucket:
    """A bucket, its account and its policy; None where it is not known or has none.

    ``is_unread`` says that the policy stands in for one that a source could not read, and that
    another source may have.
    """

    name: str
    account: str | None = None
    policy: PolicyDocument | None = None
    place: Place | None = field(default=None, compare=False)
    is_unread: bool = False


@dataclass(frozen=True)
class Organization:
    """What an organization says of one account, level by level from the root down."""

    service_control_policies: Levels = ()
    resource_control_policies: Levels = ()


@dataclass(frozen=True)
class Gap:
    """Something that a source left out, could not know, or that has no meaning here.

    ``matters`` tells what could change an answer (and then makes it UNKNOWN) from what is listed
    for completeness alone, such as a resource of another service. ``has_stand_in`` says that
    something unknown stands in for it (an unknown statement, container or value), so that only
    answers which rest on that are UNKNOWN; without one, what it could change is anything.
    """

    message: str
    place: Place
    matters: bool = True
    has_stand_in: bool = False


class Part(Enum):
    """What of an account may not have been read whole."""

    IDENTITIES = "identities"
    ENDPOINTS = "endpoints"
    BUCKETS = "buckets"


@dataclass(frozen=True)
class Unread:
    """A part of an account of which a source says that it could not be read whole.

    What no source describes of it may be there all the same, and is unknown: an identity may have
    any policies, an endpoint may serve anything, a bucket may have any policy.
    """

    part: Part
    account: str
    unknown: Unknown
    region: str | None = None


@dataclass(frozen=True)
class Estate:
    """Everything that was read, of one account or of several.

    Attributes:
        identities: the users and roles.
        groups: the groups of users.
        managed_policies: the managed policies, attached or not.
        endpoints: the endpoints with what they serve.
        models: the models, on an endpoint or not.
        buckets: the buckets.
        organizations: by account ID, what its organization says of it.
        gaps: what was left out.
        files: the files that it was read from.
        loose_policies: policies by themselves, which no source attaches to anybody.
        unread: the parts of accounts that could not be read whole.
    """

    identities: tuple[Identity, ...] = ()
    groups: tuple[Group, ...] = ()
    managed_policies: tuple[ManagedPolicy, ...] = ()
    endpoints: tuple[HostedEndpoint, ...] = ()
    models: tuple[Model, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    organizations: Mapping[str, Organization] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    files: tuple[str, ...] = ()
    loose_policies: tuple[PolicyDocument, ...] = ()
    unread: tuple[Unread, ...] = ()

    def unread_of(
        self, part: Part, account: str | None = None, region: str | None = None
    ) -> Unknown | None:
        """Why something that nothing describes may be there, if it may.

        Args:
            part: what it is.
            account: its account; any without it.
            region: its region; any without it.
        """
        for each in self.unread:
            of_account = account is None or account == each.account
            of_region = None in {region, each.region} or region == each.region
            if each.part is part and of_account and of_region:
                return each.unknown
        return None

    def joined(self, other: Estate) -> Estate:
        """This and another together, as two sources of the same accounts are."""
        return Estate(
            (*self.identities, *other.identities),
            (*self.groups, *other.groups),
            (*self.managed_policies, *other.managed_policies),
            (*self.endpoints, *other.endpoints),
            (*self.models, *other.models),
            (*self.buckets, *other.buckets),
            {**self.organizations, **other.organizations},
            (*self.gaps, *other.gaps),
            (*self.files, *other.files),
            (*self.loose_policies, *other.loose_policies),
            (*self.unread, *other.unread),
        )
