"""Publish what a run has done: a visible list of steps, of which any may be the last.

Until the record is written, readers see the state before, whatever became of the table; the next run puts the
table back to that state and starts over from the checkpoint. From the record on they see the new state, and
the next run does what is left. So every step may be repeated, and a kill between or within steps costs only
time.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from extractor_apis import naming
from extractor_apis.manifest import Manifest
from extractor_apis.results import CompletionRecord, SourceRecord
from extractor_stores import records
from extractor_stores.checkpoints import Checkpoint, Outcome
from extractor_stores.errors import StoreError
from extractor_stores.rows import DOCUMENTS, EMPTY, marks, row_schema, rows_of
from extractor_stores.store import Store
from extractor_stores.tables import ROW_ID, Table


@dataclass(frozen=True)
class Target:
    """What a run writes: the table, and the source that fills it."""

    store: Store
    collection: str
    manifest: Manifest
    artifact_digest: str
    source: str
    current: Mapping[str, str]
    """Every object of the source, with the revision that is wanted."""
    revision: str
    """Hash of ``current``."""
    run_id: str
    before: CompletionRecord | None
    """What was published when this run began."""

    @property
    def source_before(self) -> SourceRecord | None:
        """What was published of the source when this run began."""
        return self.before.sources.get(self.source) if self.before else None

    @property
    def checkpoints(self) -> Path:
        """The folder of what is not published yet."""
        manifest = self.manifest
        return self.store.layout.checkpoints(self.collection, manifest.name, manifest.version, self.source)


@dataclass(frozen=True)
class Plan:
    """What changes in the table."""

    removed: list[int]
    """Row ids, in the version that is published."""
    stale: list[str]
    """Keys of those rows' documents in MongoDB."""
    robbed: set[str]
    """Other sources that have some of the objects too, and lose them: the last one published wins."""
    empty: dict[str, str]
    """Objects that were taken, did not fail, and have no documents, with their revisions."""
    added: Outcome
    failed: set[str]
    """Objects of the source that the next run takes again."""


class Publication:
    """One publication under way."""

    def __init__(self, target: Target, todo: Mapping[str, str], checkpoint: Checkpoint) -> None:
        self.target = target
        self.checkpoint = checkpoint
        self.plan = _plan(target, todo, checkpoint)
        self.compacted = False
        self.record = target.before
        self._table: Table | None = None

    def run(self, on_step: Callable[[str], None]) -> CompletionRecord:
        """Do the steps, telling the name of each before it. If nothing changed, nothing is written."""
        for step in (*(REPLACE if self._has_changes() else ()), *SETTLE):
            on_step(step.__name__)
            step(self)
        assert self.record is not None
        return self.record

    @property
    def table(self) -> Table:
        """The table, at its latest version; made if nothing is published."""
        if self._table is None:
            target = self.target
            database = target.store.layout.vectors(target.collection)
            name = naming.table_name(target.collection, target.manifest.name, target.manifest.version)
            found = Table.open(database, name) if target.before else None
            self._table = found or Table.create(database, name, row_schema(target.manifest.vectors))
        return self._table

    def _has_changes(self) -> bool:
        before = self.target.before
        source = self.target.source_before
        return (
            before is None
            or source is None
            or before.artifact_digest != self.target.artifact_digest
            or source.revision != self.target.revision
            or set(source.failed) != self.plan.failed
            or bool(self.plan.removed or self.plan.added.written or self.plan.empty)
        )


def note_stale_documents(publication: Publication) -> None:
    """Note which documents to remove once readers have moved on."""
    if publication.plan.stale:
        publication.checkpoint.note_stale(publication.plan.stale)


def roll_back_table(publication: Publication) -> None:
    """Undo what a publication that was killed left in the table."""
    if publication.target.before is not None:
        publication.table.roll_back(publication.target.before.table_version)


def delete_rows(publication: Publication) -> None:
    """Delete the rows of objects that changed, went, or were taken over from another source."""
    publication.table.delete(publication.plan.removed)


def append_rows(publication: Publication) -> None:
    """Add the rows of the checkpoint, and one for each object that has no documents."""
    plan, target = publication.plan, publication.target
    if plan.added.written:
        publication.table.append(publication.checkpoint.rows())
    if plan.empty:
        publication.table.append(
            iter(marks(publication.table.schema, EMPTY, target.source, plan.empty).to_batches())
        )


def compact_table(publication: Publication) -> None:
    """Keep the table in few pieces."""
    publication.compacted = publication.table.compact()


def write_record(publication: Publication) -> None:
    """Let readers see it: this is the moment."""
    target = publication.target
    source = SourceRecord(
        revision=target.revision,
        publications=(target.source_before.publications if target.source_before else 0) + 1,
        objects=len(target.current),
        failed=tuple(sorted(publication.plan.failed)),
        run_id=target.run_id,
        completed=datetime.now(UTC),
    )
    others = dict(target.before.sources) if target.before else {}
    for name in publication.plan.robbed:
        # Its next run must see that objects are missing, though the source is as it was.
        others[name] = others[name].model_copy(update={"revision": ""})
    publication.record = CompletionRecord(
        collection=target.collection,
        extractor=target.manifest.name,
        version=target.manifest.version,
        artifact_digest=target.artifact_digest,
        features=target.manifest.vectors,
        documents_in=target.store.documents_in,
        table_version=publication.table.version,
        documents=publication.table.count(DOCUMENTS),
        sources={**others, target.source: source},
    )
    records.write_record(target.store.layout, publication.record)


def move_pointer(publication: Publication) -> None:
    """Let this version answer when none is named."""
    target = publication.target
    records.write_pointer(
        target.store.layout, target.collection, target.manifest.name, target.manifest.version
    )


def remove_stale_documents(publication: Publication) -> None:
    """Remove documents that only the state before had."""
    assert publication.record is not None
    prune(publication.target.store, publication.record, publication.checkpoint.stale())


def drop_checkpoint(publication: Publication) -> None:
    """Remove what is now in the table."""
    publication.checkpoint.drop()


def sweep_table(publication: Publication) -> None:
    """Give back the space of what was compacted."""
    if publication.compacted:
        publication.table.sweep()


Step = Callable[[Publication], None]
REPLACE: tuple[Step, ...] = (
    note_stale_documents,
    roll_back_table,
    delete_rows,
    append_rows,
    compact_table,
    write_record,
)
SETTLE: tuple[Step, ...] = (move_pointer, remove_stale_documents, drop_checkpoint, sweep_table)


def prune(store: Store, record: CompletionRecord | None, keys: Iterable[str]) -> None:
    """Remove documents from MongoDB, except those that a published row names."""
    candidates = set(keys)
    if store.documents is None or not candidates:
        return
    if record is not None:
        columns = ["document_id", "revision"]
        for document_id, revision in rows_of(store.published(record).scan(columns, DOCUMENTS), *columns):
            candidates.discard(store.documents.key(document_id, revision))
    store.documents.remove(candidates)


def narrowed(target: Target, taken: Collection[str]) -> Target:
    """Want only the objects that are ``taken`` as they are now, and all others as they are published.

    Raises StoreError where nothing is published: those few would become all that readers see.
    """
    if target.before is None or target.source_before is None:
        raise StoreError(
            f"{target.source} was never published for {target.manifest.uri} in collection "
            f"{target.collection}: a run over all of it takes the objects that failed again, too"
        )
    # One without rows has no revision: the next run over everything sees that it is missing.
    current = dict.fromkeys(target.source_before.failed, "")
    columns = ["object_id", "source", "revision"]
    published = target.store.published(target.before).scan(columns)
    current |= {
        object_id: revision
        for object_id, source, revision in rows_of(published, *columns)
        if source == target.source
    }
    current |= {object_id: revision for object_id, revision in target.current.items() if object_id in taken}
    return replace(target, current=current, revision=records.source_revision(current))


def _plan(target: Target, todo: Mapping[str, str], checkpoint: Checkpoint) -> Plan:
    added = checkpoint.outcome()
    accounted = added.written | added.failed
    empty = {object_id: revision for object_id, revision in todo.items() if object_id not in accounted}
    failed = added.failed | _still_failed(target, accounted.union(todo))
    plan = Plan([], [], set(), empty, added, failed)
    source = target.source_before
    untouched = source is not None and source.revision == target.revision
    if target.before is None or (untouched and not (added.written or added.failed or empty)):
        return plan
    taken = added.written.union(empty)
    documents = target.store.documents
    columns = ["object_id", "source", "revision", "document_id"]
    published = target.store.published(target.before).scan(columns, ids=True)
    for object_id, row_source, revision, document_id, row_id in rows_of(published, *columns, ROW_ID):
        own = row_source == target.source
        outdated = own and (target.current.get(object_id) != revision or object_id in added.failed)
        if not outdated and object_id not in taken:
            continue
        plan.removed.append(row_id)
        if not own:
            plan.robbed.add(row_source)
        if documents is not None and document_id:
            plan.stale.append(documents.key(document_id, revision))
    return plan


def _still_failed(target: Target, taken: Collection[str]) -> set[str]:
    """Name the objects that had failed and were not taken; a run over everything leaves none of them."""
    before = target.source_before.failed if target.source_before else ()
    return {object_id for object_id in before if object_id in target.current and object_id not in taken}
