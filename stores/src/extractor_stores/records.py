"""Completion records and pointers: all that a reader trusts.

A record names the version of the table that is published; whatever the table holds beyond it is nobody's to
read. A run becomes visible when its record replaces the one before, in one rename.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import pydantic
from pydantic import Field

from extractor_apis import naming
from extractor_apis.manifest import VectorFeature
from extractor_apis.meta import Struct
from extractor_stores import files
from extractor_stores.errors import StoreError
from extractor_stores.layout import Layout

_Model = TypeVar("_Model", bound=Struct)


class DocumentsIn(StrEnum):
    """Where the documents of a table are."""

    TABLE = "table"
    MONGODB = "mongodb"


class SourceRecord(Struct):
    """What one source has in a table."""

    revision: str
    """Hash of all objects and their revisions, see `source_revision`."""
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
    version: str
    artifact_digest: str
    """The artifact of the run that was published last."""
    features: tuple[VectorFeature, ...]
    documents_in: DocumentsIn
    table_version: int
    """Version of the LanceDB table that readers see."""
    documents: int
    """Documents in that version."""
    sources: dict[str, SourceRecord] = Field(default_factory=dict)


class Pointer(Struct):
    """Which version of an extractor answers for a collection."""

    version: str


def source_revision(current: Mapping[str, str]) -> str:
    """Hash the objects of a source with their revisions, in whatever order they come."""
    return naming.stable_hash(json.dumps(sorted(current.items())))


def read_record(layout: Layout, collection: str, extractor: str, version: str) -> CompletionRecord | None:
    """Read the completion record of one table; None if nothing is published."""
    return _read(CompletionRecord, layout.record(collection, extractor, version))


def read_records(layout: Layout) -> Iterator[CompletionRecord]:
    """Read every completion record, sorted by collection, extractor and version."""
    for path in sorted(layout.records.glob("*/*/*.json")):
        record = None if path.name == "pointer.json" else _read(CompletionRecord, path)
        if record is not None:
            yield record


def read_pointer(layout: Layout, collection: str, extractor: str) -> str | None:
    """Read which version answers; None if none was ever published."""
    pointer = _read(Pointer, layout.pointer(collection, extractor))
    return pointer.version if pointer else None


def write_record(layout: Layout, record: CompletionRecord) -> None:
    """Publish a record in place of the one before."""
    path = layout.record(record.collection, record.extractor, record.version)
    files.write(path, record.model_dump_json(indent=1).encode())


def write_pointer(layout: Layout, collection: str, extractor: str, version: str) -> None:
    """Let a version answer; writes nothing if it does."""
    if read_pointer(layout, collection, extractor) != version:
        pointer = Pointer(version=version)
        files.write(layout.pointer(collection, extractor), pointer.model_dump_json().encode())


def _read(model: type[_Model], path: Path) -> _Model | None:
    content = files.read(path)
    if content is None:
        return None
    try:
        return model.model_validate_json(content)
    except pydantic.ValidationError as err:
        raise StoreError(f"{path} is damaged: restore it from a copy of the store") from err
