"""Extractor: what is deployed under a name, and how much of the cluster it may take."""

from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from extractor_apis.meta import CamelStruct
from extractor_apis.resource import (
    AGE,
    DNS_LABEL,
    URL,
    Column,
    LocalReference,
    OpenObject,
    Quantity,
    Resource,
    Sentence,
    Status,
    Timestamp,
    Version,
    condition_column,
    validated,
)

_LabelValue = Annotated[str, Field(max_length=63)]


class Resources(CamelStruct):
    """What one replica or one batch actor gets; the manifest's profile where nothing is said."""

    cpu: Quantity | None = None
    """Processors, such as `"2"` or `500m`."""
    memory: Quantity | None = None
    """Memory, such as `4Gi`."""
    gpu: int | None = Field(default=None, ge=0, le=64)
    """Whole GPUs."""
    gpu_resource: str = Field(
        default="nvidia.com/gpu", max_length=253, pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$"
    )
    """What the cluster calls a GPU, or a part of one: `nvidia.com/mig-1g.10gb`."""


class Strategy(StrEnum):
    """How a new version takes over."""

    BLUE_GREEN = "BlueGreen"
    """It starts beside the one that answers, which goes on until the new one does: no request is lost."""
    RECREATE = "Recreate"
    """The one that answers ends first: for clusters that have no GPUs for two. Nobody answers meanwhile."""


class Realtime(CamelStruct):
    """How the extractor answers queries."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            (
                "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
                "minReplicas is above maxReplicas",
            ),
        )
    )

    min_replicas: int | None = Field(default=None, ge=1, le=1000)
    """Replicas of a served version at least; the manifest's `serve_config` where nothing is said, or 1."""
    max_replicas: int | None = Field(default=None, ge=1, le=1000)
    """Replicas at most, each a pod that is there from the start; Ray Serve uses more or fewer of them with
    the load. The manifest's `serve_config` where nothing is said, or as many as at least."""
    target_ongoing_requests: int | None = Field(default=None, ge=1, le=10_000)
    """Requests that a replica is to have at a time, before there are more replicas."""
    resources: Resources = Resources()
    """What one replica gets."""
    strategy: Strategy = Strategy.BLUE_GREEN
    """How a new version takes over: `BlueGreen` needs room for two of them, `Recreate` stops the old one
    first."""
    keep_warm_seconds: int = Field(default=600, ge=0, le=604_800)
    """How long the version before keeps its pods, so that rolling back is immediate."""


class Batch(CamelStruct):
    """How collections are run through the extractor."""

    workers: int | None = Field(default=None, ge=1, le=1000)
    """Worker pods of a run; without it, one with what the manifest's profile asks for."""
    resources: Resources = Resources()
    """What one worker pod gets."""


class KeyReference(CamelStruct):
    """One key of a Secret or ConfigMap of the namespace."""

    name: str = Field(max_length=253)
    """Its name."""
    key: str = Field(max_length=253)
    """The key in it."""


class EnvVar(CamelStruct):
    """An environment variable by reference: values never stand in a spec."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            ("has(self.secret) != has(self.configMap)", "name exactly one of secret and configMap")
        )
    )

    name: str = Field(max_length=253, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The variable."""
    secret: KeyReference | None = None
    """The Secret's key that holds its value."""
    config_map: KeyReference | None = None
    """The ConfigMap's key that holds its value."""


class Egress(CamelStruct):
    """A destination that the extractor's pods may reach, within what the operator's settings allow."""

    cidr: str = Field(max_length=49, pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")
    """Addresses, such as `203.0.113.0/24`."""
    ports: tuple[int, ...] = Field(default=(443,), max_length=16, min_length=1)
    """TCP ports."""


class Toleration(CamelStruct):
    """A taint of nodes that its pods may run on all the same."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            (
                "self.operator == 'Equal' ? has(self.key) : !has(self.value)",
                "operator Equal wants a key, and Exists no value",
            )
        )
    )

    key: str | None = Field(default=None, max_length=317)
    """The taint; without it, all of them."""
    operator: Literal["Exists", "Equal"] = "Equal"
    """Whether its value counts."""
    value: _LabelValue | None = None
    """Its value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """What it would do; without it, whatever it is."""
    toleration_seconds: int | None = Field(default=None, ge=0)
    """For how long, with the effect NoExecute; without it, for ever."""


class Deadlines(CamelStruct):
    """How long things may take before they have failed."""

    start_seconds: int = Field(default=1800, ge=30, le=86_400)
    """From a workload's creation until its pods run and the extractor's code is loaded."""
    run_seconds: int = Field(default=86_400, ge=60, le=2_592_000)
    """A batch run, once it has started."""
    no_progress_seconds: int = Field(default=3600, ge=60, le=604_800)
    """A batch run, without one more object done."""


class ExtractorSpec(CamelStruct):
    """What is deployed."""

    version: Version
    """The active version: new queries go to it, and new runs use it. Rolling back is setting it back."""
    realtime: Realtime | None = None
    """How it answers queries; without it, it only runs over collections."""
    batch: Batch = Batch()
    """How it is run over collections."""
    parameters: OpenObject = Field(default_factory=dict)
    """Parameters for the extractor's code, as its `parameter_schema` declares them."""
    service_account_name: str | None = Field(default=None, max_length=253)
    """Service account of its pods; by default one without any rights, and no token is mounted."""
    image_pull_secrets: tuple[LocalReference, ...] = Field(default=(), max_length=8)
    """Secrets that log in to the registries of its images, for every pod."""
    env: tuple[EnvVar, ...] = Field(
        default=(),
        max_length=64,
        json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
    )
    """Environment variables of its pods, by reference."""
    egress: tuple[Egress, ...] = Field(default=(), max_length=32)
    """What its pods may reach beside what the platform itself needs."""
    queue_name: str | None = Field(default=None, max_length=63, pattern=DNS_LABEL)
    """Kueue's LocalQueue that its workloads wait in."""
    runtime_class_name: str | None = Field(default=None, max_length=253)
    """Runtime class of its pods, such as `gvisor`."""
    node_selector: dict[str, _LabelValue] = Field(default_factory=dict, max_length=32)
    """Labels of the nodes that its pods run on."""
    tolerations: tuple[Toleration, ...] = Field(default=(), max_length=32)
    """Taints of those nodes."""
    run_as_user: int = Field(default=65_532, ge=1, le=2_147_483_647)
    """User that its pods run as, if an image of one's own needs another; never root, and never with more
    rights than Pod Security's `restricted` allows."""
    deadlines: Deadlines = Deadlines()
    """How long things may take."""
    suspend: bool = False
    """Stop serving and start no runs; everything is kept."""


class ServedVersion(CamelStruct):
    """A version that answers queries."""

    model_config = ConfigDict(extra="ignore")

    version: Version
    """Which."""
    service: str = Field(max_length=63)
    """Its stable Service."""
    active: bool = False
    """Whether it is the active one; the others serve vectors that are still published."""
    workload: str = Field(max_length=63)
    """Its RayService."""
    cluster: str = Field(max_length=63)
    """The RayCluster that its Service leads to."""


class WarmVersion(CamelStruct):
    """A version that answered until lately, and still has its pods."""

    model_config = ConfigDict(extra="ignore")

    version: Version
    """Which."""
    workload: str = Field(max_length=63)
    """Its RayService."""
    until: Timestamp
    """When it goes; it goes at once if its GPUs are needed."""


class Rollout(CamelStruct):
    """A RayService that is to answer, and does not yet."""

    model_config = ConfigDict(extra="ignore")

    workload: str = Field(max_length=63)
    """Which."""
    attempts: int = Field(default=1, ge=0)
    """How often it was made."""
    reason: str | None = Field(default=None, max_length=64)
    """Why it failed, if it did; kept when the pods that told it are gone."""
    message: Sentence | None = None
    """The same in a sentence."""


class ExtractorStatus(Status):
    """What became of an extractor."""

    active_version: Version | None = None
    """The version that answers, or would if the extractor were not suspended; runs use it."""
    previous_version: Version | None = None
    """The version that answered before it."""
    url: URL | None = None
    """Where it answers."""
    served: tuple[ServedVersion, ...] = Field(default=(), max_length=64)
    """All versions that answer."""
    replicas: int | None = Field(default=None, ge=0)
    """Replicas of the active version that answer."""
    plan: Sentence | None = None
    """What a change under way needs, before it takes it."""
    warm: tuple[WarmVersion, ...] = Field(default=(), max_length=64)
    """Versions that are kept for a while, so that rolling back is immediate."""
    rollouts: tuple[Rollout, ...] = Field(default=(), max_length=64)
    """What is on its way, or has failed."""
    applied: str | None = Field(default=None, max_length=64)
    """A hash of the Services and the NetworkPolicy as they were last applied."""


class Extractor(Resource):
    """What is deployed under a name: the version that answers and runs, and what it may use."""

    PLURAL: ClassVar[str] = "extractors"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("ex",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("Active", ".status.activeVersion", description="The version that answers."),
        Column("Desired", ".spec.version"),
        condition_column("Available"),
        condition_column("Ready"),
        Column("Replicas", ".status.replicas", "integer"),
        AGE,
        condition_column("Ready", field="reason", name="Reason"),
        Column("URL", ".status.url", wide=True),
        condition_column("Ready", field="message", name="Message", wide=True),
    )
    VALIDATIONS: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            f"self.metadata.name.matches('{DNS_LABEL}')",
            "metadata.name must be the manifest's name with '-' for '_': a DNS label, 63 characters at most",
        ),
    )

    spec: ExtractorSpec
    """What is deployed."""
    status: ExtractorStatus = ExtractorStatus()
    """What became of it; the operator writes this."""
