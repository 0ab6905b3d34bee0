"""Small stores: an extractor that embeds a text in two dimensions, and what a run of it writes.

An object ``{"a": "one two"}`` becomes a document for each word, whose vector points where its length says.
The word ``!`` fails, and its object with it.
"""

import hashlib
import json
import math
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pymongo

from extractor_apis import naming
from extractor_apis.manifest import Manifest, VectorFeature
from extractor_stores import CompletionRecord, DocumentsIn, Store, Thresholds, Writer

DIGEST = "sha256:" + "a" * 64
COLLECTION = "books"
COMMIT_OFTEN = Thresholds(rows=3)
Objects = Mapping[str, str]


def make_manifest(**changes: Any) -> Manifest:
    """Build the manifest of the test's extractor."""
    vectors = (VectorFeature(name="embedding", dimensions=2),)
    return Manifest(**{"name": "embedder", "version": "1.0.0", "vectors": vectors, **changes})


def make_record(**changes: Any) -> CompletionRecord:
    """Build what is said of a published table."""
    fields = {
        "collection": COLLECTION,
        "extractor": "embedder",
        "version": "1.0.0",
        "artifact_digest": DIGEST,
        "features": (VectorFeature(name="embedding", dimensions=2),),
        "documents_in": DocumentsIn.TABLE,
        "table_version": 2,
        "documents": 3,
    }
    return CompletionRecord.model_validate(fields | changes)


def make_rows(manifest: Manifest, objects: Objects, collection: str = COLLECTION) -> pa.Table:
    """Build what a run hands over for some objects."""
    rows = [
        {
            "document_id": naming.document_id(
                collection, object_id, manifest.name, manifest.version, ordinal
            ),
            "object_id": object_id,
            "ordinal": ordinal,
            "document": json.dumps({"word": word}),
            **{feature.name: vector_of(word, feature.dimensions) for feature in manifest.vectors},
        }
        for object_id, text in objects.items()
        for ordinal, word in enumerate(text.split())
        if word != "!"
    ]
    columns = ["document_id", "object_id", "ordinal", "document", *(it.name for it in manifest.vectors)]
    return pa.table({name: [row[name] for row in rows] for name in columns})


def vector_of(word: str, dimensions: int = 2) -> list[float]:
    """Embed a word."""
    return [math.cos(len(word) / 9), math.sin(len(word) / 9), *[0.0] * (dimensions - 2)]


def open_writer(
    store: Store,
    objects: Objects,
    *,
    collection: str = COLLECTION,
    source: str = "shelf",
    manifest: Manifest | None = None,
    only: Collection[str] | None = None,
    on_step: Callable[[str], None] = lambda step: None,
    thresholds: Thresholds = COMMIT_OFTEN,
    clock: Callable[[], float] = time.monotonic,
) -> Writer:
    """Open a writer that wants the objects as they are; the caller holds the lock."""
    return Writer(
        store,
        collection=collection,
        manifest=manifest or make_manifest(),
        artifact_digest=DIGEST,
        source=source,
        current={object_id: hashlib.sha256(text.encode()).hexdigest() for object_id, text in objects.items()},
        only=only,
        thresholds=thresholds,
        on_step=on_step,
        clock=clock,
    )


def run(store: Store, objects: Objects, **options: Any) -> CompletionRecord:
    """Do what a batch run does with the objects, from the lock to the publication."""
    manifest = options.get("manifest", make_manifest())
    collection = options.get("collection", COLLECTION)
    with store.lock(collection, "run-1"):
        writer = open_writer(store, objects, **options)
        for object_id in writer.todo:
            if "!" in objects[object_id]:
                writer.fail([object_id])
            writer.add(make_rows(manifest, {object_id: objects[object_id]}, collection))
        return writer.publish()


def run_in(root: Path, mongodb_uri: str | None, objects: Objects, **options: Any) -> CompletionRecord:
    """Do what a batch run does, from opening the store on."""
    with Store.open(root, create=True, mongodb_uri=mongodb_uri) as store:
        return run(store, objects, **options)


def contents(store: Store, mongodb_uri: str | None) -> dict[str, Any]:
    """Read all that is published, and all that the store has in MongoDB, for comparing stores.

    Without what differs between any two runs: table versions, times, how often was published, the store's id.
    """
    tables = {}
    for record in store.records():
        table = store.published(record)
        rows = [row for batch in table.scan(table.schema.names) for row in batch.to_pylist()]
        sources = {
            name: source.model_dump(exclude={"completed", "publications"})
            for name, source in record.sources.items()
        }
        tables[record.collection, record.version] = (
            sorted(rows, key=lambda row: (row["object_id"], row["ordinal"])),
            record.model_dump(exclude={"sources", "table_version"}) | {"sources": sources},
            store.pointer(record.collection, record.extractor),
        )
    return {"tables": tables, "documents": mongodb_documents(store, mongodb_uri)}


def mongodb_documents(store: Store, uri: str | None) -> list[dict[str, Any]]:
    """Read all documents that a store has in MongoDB, in order."""
    if uri is None:
        return []
    own = f"{store.layout.id}:"
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        found = list(client.get_default_database()["documents"].find().sort("_id"))
    return [{**it, "_id": it["_id"].removeprefix(own)} for it in found if it["_id"].startswith(own)]


def leftovers(root: Path) -> list[Path]:
    """List the files of what is not published yet."""
    return [path for path in (root / "checkpoints").rglob("*") if path.is_file()]
