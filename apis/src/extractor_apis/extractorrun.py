"""ExtractorRun: one batch run of one version over one collection."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from extractor_apis.meta import CamelStruct
from extractor_apis.resource import (
    AGE,
    DNS_LABEL,
    URL,
    Column,
    Name,
    Resource,
    Status,
    Timestamp,
    Version,
    condition_column,
    validated,
)


class ExtractorRunSpec(CamelStruct):
    """What is run; only `cancel` may change."""

    model_config = ConfigDict(
        json_schema_extra=validated(
            (
                "self.collection == oldSelf.collection && self.extractor == oldSelf.extractor"
                " && self.version == oldSelf.version && has(self.retryFailed) == has(oldSelf.retryFailed)"
                " && (!has(self.retryFailed) || self.retryFailed == oldSelf.retryFailed)",
                "a run never changes but for cancel: create another one",
            ),
            ("!oldSelf.cancel || self.cancel", "a run that was cancelled stays so: create another one"),
        )
    )

    collection: str = Field(max_length=63, pattern=DNS_LABEL)
    """The Collection of this namespace whose objects are taken."""
    extractor: str = Field(max_length=63, pattern=DNS_LABEL)
    """The Extractor that they go through."""
    version: Version
    """Its version."""
    retry_failed: Name | None = None
    """An ExtractorRun of the same collection and version: only its dead letters are taken."""
    cancel: bool = False
    """Stop; what was finished is kept for the next run."""


class ExtractorRunStatus(Status):
    """How far a run is."""

    total: int | None = Field(default=None, ge=0)
    """Objects to do."""
    done: int | None = Field(default=None, ge=0)
    """Objects that are done."""
    written: int | None = Field(default=None, ge=0)
    """Documents written."""
    failed: int | None = Field(default=None, ge=0)
    """Objects that failed: they are dead letters, and taken again by the next run."""
    progress: str | None = Field(default=None, max_length=16)
    """How far it is: `62 %`."""
    eta: str | None = Field(default=None, max_length=32)
    """How long it will take: `4 min`."""
    attempts: int | None = Field(default=None, ge=0)
    """RayJobs so far."""
    job: str | None = Field(default=None, max_length=63)
    """The RayJob."""
    logs: URL | None = None
    """Folder of the logs, which are kept when the cluster is gone."""
    dead_letters: URL | None = None
    """Folder of the dead letters."""
    submitted: Timestamp | None = None
    """When the RayJob was made that is under way, or was the last."""
    started: Timestamp | None = None
    """When its first objects were taken."""
    progressed: Timestamp | None = None
    """When an object was last done."""
    retry_after: Timestamp | None = None
    """When the next RayJob is made, if the last one failed."""
    finished: Timestamp | None = None
    """When it ended."""


class ExtractorRun(Resource):
    """One batch run of one version over one collection; made by a Collection, or by hand."""

    PLURAL: ClassVar[str] = "extractorruns"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("exrun",)
    COLUMNS: ClassVar[tuple[Column, ...]] = (
        Column("Collection", ".spec.collection"),
        Column("Version", ".spec.version"),
        condition_column("Succeeded", field="reason", name="State"),
        Column("Progress", ".status.progress"),
        Column("ETA", ".status.eta"),
        Column("Written", ".status.written", "integer"),
        Column("Failed", ".status.failed", "integer"),
        AGE,
        Column("Job", ".status.job", wide=True),
        condition_column("Ready", field="message", name="Message", wide=True),
    )
    VALIDATIONS: ClassVar[tuple[tuple[str, str], ...]] = ()

    spec: ExtractorRunSpec
    """What is run; only `cancel` may change."""
    status: ExtractorRunStatus = ExtractorRunStatus()
    """How far it is; the operator writes this."""
