"""Collection: objects that flow through an extractor."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from extractor_apis.meta import CamelStruct
from extractor_apis.resource import (
    AGE,
    DNS_LABEL,
    URL,
    Column,
    LocalReference,
    Name,
    OpenObject,
    Resource,
    Status,
    Timestamp,
    Version,
    condition_column,
    validated,
)

FieldPath = Annotated[str, Field(max_length=256)]

_CRON = r"^(@(hourly|daily|weekly|monthly|yearly)|(\S+\s+){4}\S+)$"


class Ingest(StrEnum):
    """When a collection is run through its extractor."""

    ON_ACTIVATE = "onActivate"
    """When it is created, when its spec changes, and when the version that it follows becomes active."""
    ON_SCHEDULE = "onSchedule"
    """When the schedule says so."""
    MANUAL = "manual"
    """When an ExtractorRun is created by hand."""


class ObjectSource(CamelStruct):
    """Where the objects are."""

    url: URL = Field(pattern=r"^(s3|gs|az|https|file)://[^\s]+$")
    """A folder or glob of files, or records (JSON lines, CSV, Parquet): `s3://bucket/folder/`, `gs://...`,
    `az://...`, `https://...`; `file://` where a volume is shared."""
    secret_ref: LocalReference | None = None
    """Secret with the credentials that the object store asks for."""


class Budget(CamelStruct):
    """How many objects may fail before a run does: it fails when more than both have."""

    count: int = Field(default=10, ge=0)
    """Objects."""
    percent: int = Field(default=10, ge=0, le=100)
    """Part of the objects to do, in percent."""


class History(CamelStruct):
    """How many runs that have ended are kept; the oldest go first."""

    succeeded: int = Field(default=3, ge=0, le=100)
    """Those that ended well."""
    failed: int = Field(default=3, ge=0, le=100)
    """Those that failed or were cancelled."""


class CollectionSpec(CamelStruct):
    """Which objects, through what, and when."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            (
                "(self.ingest == 'onSchedule') == has(self.schedule)",
                "a schedule goes with ingest: onSchedule, and with nothing else",
            )
        )
    )

    source: ObjectSource
    """Where the objects are."""
    extractor: str = Field(max_length=63, pattern=DNS_LABEL)
    """The Extractor of this namespace that they flow through."""
    version: Version | None = None
    """Version to stay with; without it, the extractor's active one is followed."""
    parameters: OpenObject = Field(default_factory=dict)
    """Parameters for the extractor's code, over those of the Extractor."""
    input_mappings: dict[str, FieldPath] = Field(default_factory=dict, max_length=64)
    """The extractor's input fields by name, and where the objects have them; over those of the manifest."""
    ingest: Ingest = Ingest.ON_ACTIVATE
    """When runs start."""
    schedule: str | None = Field(default=None, max_length=64, pattern=_CRON)
    """When, in cron's five fields: `0 3 * * *`."""
    time_zone: str | None = Field(default=None, max_length=64)
    """Time zone of the schedule, such as `Europe/Berlin`; UTC without it."""
    error_budget: Budget = Budget()
    """How many objects may fail."""
    retries: int = Field(default=2, ge=0, le=10)
    """How often a run that fails as a whole is done again; what it had finished is kept."""
    history: History = History()
    """How many runs that have ended are kept."""
    ttl_seconds_after_finished: int | None = Field(default=None, ge=0, le=31_536_000)
    """How long a run is kept that has ended; without it, only their number counts."""
    suspend: bool = False
    """Start no runs."""


class RunSummary(CamelStruct):
    """The last run."""

    model_config = ConfigDict(extra="ignore")

    name: str = Field(max_length=253)
    """Its ExtractorRun."""
    version: Version
    """The version that it ran."""
    written: int = Field(default=0, ge=0)
    """Documents that it wrote."""
    failed: int = Field(default=0, ge=0)
    """Objects that failed."""
    finished: Timestamp | None = None
    """When it ended."""


class CollectionStatus(Status):
    """What became of a collection."""

    published_version: Version | None = None
    """The version whose vectors answer."""
    documents: int | None = Field(default=None, ge=0)
    """Documents that answer."""
    current_run: str | None = Field(default=None, max_length=253)
    """The ExtractorRun that is under way."""
    progress: str | None = Field(default=None, max_length=16)
    """How far it is: `62 %`."""
    last_run: RunSummary | None = None
    """The last run that ended."""
    next_run: Timestamp | None = None
    """When the schedule starts the next one."""
    requested: tuple[Name, ...] = Field(default=(), max_length=2)
    """The runs that its spec or its annotation asked for last; each is made once, even if it is deleted."""
    scheduled: Timestamp | None = None
    """The schedule's time that was last seen to."""


class Collection(Resource):
    """Objects that flow through an extractor, again whenever they or it have changed."""

    PLURAL: ClassVar[str] = "collections"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("excol",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("Extractor", ".spec.extractor"),
        Column("Published", ".status.publishedVersion", description="The version whose vectors answer."),
        condition_column("Ready"),
        Column("Documents", ".status.documents", "integer"),
        Column("Progress", ".status.progress"),
        AGE,
        condition_column("Ready", field="reason", name="Reason"),
        Column("Run", ".status.currentRun", wide=True),
        condition_column("Ready", field="message", name="Message", wide=True),
    )
    VALIDATIONS: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            f"self.metadata.name.matches('{DNS_LABEL}')",
            "metadata.name must be a DNS label of at most 63 characters: tables are named after it",
        ),
    )

    spec: CollectionSpec
    """Which objects, through what, and when."""
    status: CollectionStatus = CollectionStatus()
    """What became of it; the operator writes this."""
