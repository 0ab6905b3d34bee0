"""Extractor: what is deployed under a name, and how much of the cluster it may take."""

from typing import ClassVar

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
    Version,
    condition_column,
    validated,
)


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


class Realtime(CamelStruct):
    """How the extractor answers queries."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            ("self.minReplicas <= self.maxReplicas", "minReplicas is above maxReplicas"),
        )
    )

    min_replicas: int = Field(default=1, ge=1, le=1000)
    """Replicas of a served version at least."""
    max_replicas: int = Field(default=1, ge=1, le=1000)
    """Replicas at most; Ray Serve adds and removes them with the load."""
    resources: Resources = Resources()
    """What one replica gets."""


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


class Deadlines(CamelStruct):
    """How long things may take before they have failed."""

    start_seconds: int = Field(default=1800, ge=30, le=86_400)
    """From a workload's creation until its pods run and the extractor's code is loaded."""
    run_seconds: int = Field(default=86_400, ge=60, le=2_592_000)
    """A batch run, once it has started."""


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


class ExtractorStatus(Status):
    """What became of an extractor."""

    active_version: Version | None = None
    """The version that answers."""
    url: URL | None = None
    """Where it answers."""
    served: tuple[ServedVersion, ...] = Field(default=(), max_length=64)
    """All versions that answer."""
    replicas: int | None = Field(default=None, ge=0)
    """Replicas of the active version that answer."""
    plan: Sentence | None = None
    """What a change under way needs, before it takes it."""


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
