"""What runs of one source did for one table and did not publish yet.

Rows are committed here while a run goes, in a table that no reader opens; publishing moves them over, and a
run that was killed is taken up from here. The folder's name is the number of the publication that the rows
are for, so the rest of one that is published already is recognised, whenever its process ended.
"""

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from extractor_stores import files
from extractor_stores.documents import MongoDocuments
from extractor_stores.rows import DOCUMENTS, FAILED, rows_of
from extractor_stores.tables import ROW_ID, Table

_TABLE = "rows"
# A hundred bytes for each document that a publication removes.
_STALE_LIMIT = 4 * 1024**3


@dataclass(frozen=True)
class Outcome:
    """What a checkpoint holds, by object."""

    written: set[str]
    """Objects with documents."""
    failed: set[str]
    """Objects with dead letters; they may have documents too."""


@dataclass
class Useless:
    """Rows of a checkpoint that a run cannot take over."""

    row_ids: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    """Their documents' keys in MongoDB."""


class Checkpoint:
    """The rows that one publication will add."""

    def __init__(self, folder: Path, schema: pa.Schema, documents: MongoDocuments | None) -> None:
        self.folder = folder
        self._schema = schema
        self._documents = documents
        self._table: Table | None = None
        self._fits = True

    def append(self, rows: pa.Table) -> None:
        """Make rows durable, in one commit."""
        if self._table is None:
            self._table = Table.create(self.folder, _TABLE, self._schema)
        self._table.append(iter(rows.to_batches()))

    def resume(self, current: Mapping[str, str]) -> tuple[set[str], Useless]:
        """Open what there is; say which objects are done as they are wanted now, and which rows are no use.

        An object is done if it did not fail and the document of each of its rows is where it belongs. Rows of
        the others must go before those are taken again.
        """
        done: set[str] = set()
        useless = Useless()
        self._table = Table.open(self.folder, _TABLE)
        if self._table is None:
            return done, useless
        # It does not fit if the run that was killed had another manifest, of which nothing was published.
        self._fits = self._table.schema.equals(self._schema)
        undone = self._failed() | self._without_documents()
        columns = ["object_id", "revision", "document_id"]
        for object_id, revision, document_id, row_id in rows_of(
            self._table.scan(columns, ids=True), *columns, ROW_ID
        ):
            if self._fits and current.get(object_id) == revision and object_id not in undone:
                done.add(object_id)
                continue
            useless.row_ids.append(row_id)
            if self._documents is not None and document_id:
                useless.keys.append(self._documents.key(document_id, revision))
        return done, useless

    def delete(self, row_ids: list[int]) -> None:
        """Delete the rows that `resume` found to be of no use."""
        if not self._fits:
            self.drop()
            self._table, self._fits = None, True
        elif self._table is not None:
            self._table.delete(row_ids)

    def outcome(self) -> Outcome:
        """Say which objects have documents and which failed."""
        if self._table is None:
            return Outcome(set(), set())
        found = rows_of(self._table.scan(["object_id"], DOCUMENTS), "object_id")
        return Outcome({object_id for (object_id,) in found}, self._failed())

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Read all rows that are documents."""
        if self._table is not None:
            yield from self._table.scan(self._schema.names, DOCUMENTS)

    def note_stale(self, keys: Iterable[str]) -> None:
        """Note which documents nobody needs once these rows are published: a kill must not leave them."""
        files.write(self.folder / "stale.json", json.dumps(list(keys)).encode())

    def stale(self) -> list[str]:
        """Read what `note_stale` wrote."""
        keys: list[str] = json.loads(files.read(self.folder / "stale.json", _STALE_LIMIT) or b"[]")
        return keys

    def drop(self) -> None:
        """Remove everything."""
        if self.folder.exists():
            # Renamed first: what a kill leaves of it must not be taken for a checkpoint.
            doomed = self.folder.with_name(f"{self.folder.name}.dropped")
            shutil.rmtree(self.folder.rename(doomed))

    def _failed(self) -> set[str]:
        assert self._table is not None
        return {
            object_id
            for (object_id,) in rows_of(self._table.scan(["object_id"], f"ordinal = {FAILED}"), "object_id")
        }

    def _without_documents(self) -> set[str]:
        """Find objects of which MongoDB lacks a document, or the table if documents are kept there."""
        assert self._table is not None
        if self._documents is None:
            absent = self._table.scan(["object_id"], f"{DOCUMENTS} AND document IS NULL")
            return {object_id for (object_id,) in rows_of(absent, "object_id")}
        columns = ["object_id", "document_id", "revision"]
        objects = {
            self._documents.key(document_id, revision): object_id
            for object_id, document_id, revision in rows_of(self._table.scan(columns, DOCUMENTS), *columns)
        }
        return {objects[key] for key in self._documents.missing(list(objects))}
