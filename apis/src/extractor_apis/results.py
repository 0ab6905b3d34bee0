"""What a store of results has for readers: completion records and pointers, and where they and the runs lie.

A record names the version of the table that is published; whatever the table holds beyond it is nobody's to
read. `stores` writes all of it; who only asks what answers, as the operator does, needs nothing else. It is
read from where tenants write, too: what leads to another file, or ends in a status, has its form and bounds.
"""

from datetime import datetime
from enum import StrEnum
from pathlib import PurePosixPath

from pydantic import Field

from extractor_apis.manifest import VectorFeature
from extractor_apis.meta import Count, Struct
from extractor_apis.resource import Version

RECORDS = PurePosixPath("records")
"""The folder of all completion records; paths are from the store's own folder on."""


class DocumentsIn(StrEnum):
    """Where the documents of a table are."""

    TABLE = "table"
    MONGODB = "mongodb"


class SourceRecord(Struct):
    """What one source has in a table."""

    revision: str
    """Hash of all objects and their revisions, see `extractor_stores.source_revision`."""
    publications: int
    """How often a run of this source was published."""
    objects: int
    """Objects that the source had."""
    failed: tuple[str, ...] = ()
    """Objects with dead letters: the next run takes them again."""
    run_id: str
    """The run that was published last."""
    completed: datetime


class CompletionRecord(Struct):
    """What is published of one extractor version over one collection."""

    collection: str
    extractor: str
    version: Version
    artifact_digest: str
    """The artifact of the run that was published last."""
    features: tuple[VectorFeature, ...]
    documents_in: DocumentsIn
    table_version: int
    """Version of the LanceDB table that readers see."""
    documents: Count
    """Documents in that version."""
    sources: dict[str, SourceRecord] = Field(default_factory=dict)


class Pointer(Struct):
    """Which version of an extractor answers for a collection."""

    version: Version


def run(run_id: str) -> PurePosixPath:
    """The folder of one run: state, dead letters, logs."""
    return PurePosixPath("runs", run_id)


def record(collection: str, extractor: str, version: str) -> PurePosixPath:
    """The completion record of one table."""
    return RECORDS / collection / extractor / f"{version}.json"


def pointer(collection: str, extractor: str) -> PurePosixPath:
    """The file that names the version which answers."""
    return RECORDS / collection / extractor / "pointer.json"
