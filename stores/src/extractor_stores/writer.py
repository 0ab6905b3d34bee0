"""Write what one run makes of one source.

A `Writer` says what is to do, takes rows as they come, commits them now and then as a checkpoint, and
publishes at the end. It may be killed at any point: the next one goes on where the last commit was.
"""

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from extractor_apis.manifest import Manifest, VectorFeature
from extractor_apis.results import CompletionRecord
from extractor_stores import records
from extractor_stores.checkpoints import Checkpoint
from extractor_stores.documents import MongoDocuments
from extractor_stores.errors import StoreError, disk_errors_reported
from extractor_stores.publication import Publication, Target, narrowed, prune
from extractor_stores.rows import FAILED, marks, row_schema, rows_of
from extractor_stores.store import Store


@dataclass(frozen=True)
class Thresholds:
    """When rows are committed: as soon as one of these is reached."""

    rows: int = 100_000
    bytes: int = 64 * 1024 * 1024
    seconds: float = 60.0
    """Since the last commit; looked at when rows come."""


class Writer:
    """The one writer of a source into the table of a collection and an extractor version."""

    todo: dict[str, str]
    """The objects to take, with the revisions that their rows will have, in the order of the source."""

    def __init__(
        self,
        store: Store,
        *,
        collection: str,
        manifest: Manifest,
        artifact_digest: str,
        source: str,
        current: Mapping[str, str],
        only: Collection[str] | None = None,
        thresholds: Thresholds | None = None,
        on_step: Callable[[str], None] = lambda step: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find out what is to do; the collection's lock must be held.

        ``current`` has every object of the source with the revision that is wanted: a hash of all that its
        documents depend on. With ``only``, no others are taken, and what is published of the rest stays as it
        is, whatever became of the source. ``on_step`` is told the name of each step before it; what it raises
        ends the writer there.
        """
        self._target = Target(
            store=store,
            collection=collection,
            manifest=manifest,
            artifact_digest=artifact_digest,
            source=source,
            current=current,
            revision=records.source_revision(current),
            run_id=store.run_id(collection),
            before=store.record(collection, manifest.name, manifest.version),
        )
        if self._target.before is not None:
            store.check_documents(self._target.before)
            _check_features(manifest, self._target.before)
        self._thresholds = thresholds or Thresholds()
        self._on_step = on_step
        self._clock = clock
        self._schema = row_schema(manifest.vectors)
        self._rows: list[pa.Table] = []
        self._failed: set[str] = set()
        self._seen: set[str] = set()
        self._committed = clock()
        with disk_errors_reported(store.layout.root):
            self._checkpoint = self._settle_checkpoints()
            self.todo = self._resume(only)

    def add(self, rows: pa.Table) -> None:
        """Take documents over; all those of an object in one call, so that no commit parts them.

        Columns are document_id, object_id, ordinal, document (JSON) and the features.
        """
        objects = rows["object_id"].to_pylist()
        self._check_asked(objects)
        self._check_whole(set(objects))
        columns = {name: rows[name] for name in self._schema.names if name in rows.column_names}
        columns["source"] = pa.repeat(self._target.source, len(rows))
        columns["revision"] = pa.array([self.todo[object_id] for object_id in objects], pa.string())
        self._rows.append(pa.table(columns).select(self._schema.names).cast(self._schema))
        if self._is_due():
            self.flush()

    def fail(self, object_ids: Iterable[str]) -> None:
        """Note objects that have dead letters, so that the next run takes them again.

        Call it before `add` gets the rows that such an object has all the same: were they committed without
        this, a kill would make them all there is of it.
        """
        failed = list(object_ids)
        self._check_asked(failed)
        self._failed.update(failed)

    def flush(self) -> None:
        """Commit what came since the last commit."""
        with disk_errors_reported(self._target.store.layout.root):
            failed = {object_id: self.todo[object_id] for object_id in sorted(self._failed)}
            rows = pa.concat_tables([*self._rows, marks(self._schema, FAILED, self._target.source, failed)])
            if len(rows):
                self._commit(rows)
        self._rows, self._failed, self._committed = [], set(), self._clock()

    def publish(self) -> CompletionRecord:
        """Let readers see the source as it is now: once, when all of ``todo`` was taken.

        An object of which nothing came, and that did not fail, counts as done and having no documents.
        """
        self.flush()
        with disk_errors_reported(self._target.store.layout.root):
            return Publication(self._target, self.todo, self._checkpoint).run(self._on_step)

    def _settle_checkpoints(self) -> Checkpoint:
        """Open the checkpoint; do what a run that was killed after it wrote its record had still to do."""
        target = self._target
        number = target.source_before.publications if target.source_before else 0
        folder = target.checkpoints / str(number)
        for other in target.checkpoints.glob("*"):
            if other != folder:
                settled = Checkpoint(other, self._schema, target.store.documents)
                prune(target.store, target.before, settled.stale())
                settled.drop()
        return Checkpoint(folder, self._schema, target.store.documents)

    def _resume(self, only: Collection[str] | None) -> dict[str, str]:
        """Take up the checkpoint, and return what is to do."""
        done, useless = self._checkpoint.resume(self._target.current)
        # Documents first: nothing but the rows names them.
        prune(self._target.store, self._target.before, useless.keys)
        self._checkpoint.delete(useless.row_ids)
        if only is not None:
            self._target = narrowed(self._target, done.union(only))
            return {
                object_id: revision
                for object_id, revision in self._target.current.items()
                if object_id in only and object_id not in done
            }
        done |= _published(self._target)
        return {
            object_id: revision
            for object_id, revision in self._target.current.items()
            if object_id not in done
        }

    def _check_asked(self, objects: list[str]) -> None:
        for object_id in objects:
            if object_id not in self.todo:
                raise ValueError(f"object {object_id!r} is not one that this run was to take")

    def _check_whole(self, objects: set[str]) -> None:
        if not objects.isdisjoint(self._seen):
            raise ValueError(
                f"the rows of object {min(objects & self._seen)!r} came in two calls: a commit may part them"
            )
        self._seen |= objects

    def _is_due(self) -> bool:
        return (
            sum(len(rows) for rows in self._rows) >= self._thresholds.rows
            or sum(rows.nbytes for rows in self._rows) >= self._thresholds.bytes
            or self._clock() - self._committed >= self._thresholds.seconds
        )

    def _commit(self, rows: pa.Table) -> None:
        documents = self._target.store.documents
        self._on_step("commit_rows")
        if documents is None:
            self._checkpoint.append(rows)
            return
        column = self._schema.get_field_index("document")
        self._checkpoint.append(rows.set_column(column, "document", pa.nulls(len(rows), pa.string())))
        self._on_step("commit_documents")
        documents.put(_mongodb_documents(self._target, documents, rows))


def _check_features(manifest: Manifest, record: CompletionRecord) -> None:
    if record.features != manifest.vectors:
        raise StoreError(
            f"{manifest.uri} declares {_spell(manifest.vectors)}, but collection {record.collection} holds "
            f"{_spell(record.features)} under that version: bump the version"
        )


def _spell(features: Iterable[VectorFeature]) -> str:
    return ", ".join(f"{it.name} ({it.dimensions}, {it.distance})" for it in features) or "no vector feature"


def _published(target: Target) -> set[str]:
    """Find the objects whose published rows are as they are wanted, failed ones aside."""
    if target.before is None or target.source_before is None:
        return set()
    failed = set(target.source_before.failed)
    if target.source_before.revision == target.revision:
        # Nothing changed: that is known without a look at a million rows.
        return target.current.keys() - failed
    columns = ["object_id", "source", "revision"]
    return {
        object_id
        for object_id, source, revision in rows_of(
            target.store.published(target.before).scan(columns), *columns
        )
        if source == target.source and target.current.get(object_id) == revision
    } - failed


def _mongodb_documents(target: Target, documents: MongoDocuments, rows: pa.Table) -> Iterator[dict[str, Any]]:
    columns = ("document_id", "object_id", "ordinal", "source", "revision", "document")
    for document_id, object_id, ordinal, source, revision, document in rows_of(rows.to_batches(), *columns):
        if ordinal >= 0:
            yield {
                "_id": documents.key(document_id, revision),
                "document_id": document_id,
                "collection": target.collection,
                "extractor": target.manifest.name,
                "version": target.manifest.version,
                "source": source,
                "object_id": object_id,
                "ordinal": ordinal,
                "revision": revision,
                "document": json.loads(document),
            }
