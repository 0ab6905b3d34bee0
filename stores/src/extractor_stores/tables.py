"""LanceDB, and the only place that knows it.

Every write makes a new version of a table; a handle sees the version that it was opened at, so what a writer
does is invisible to readers. `Table` holds the few operations that the room needs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from extractor_apis.manifest import Distance, VectorFeature

_SEARCH_DEADLINE = timedelta(seconds=60)
_BATCH_ROWS = 8192
_DELETE_ROWS = 50_000
_COMPACT_FRAGMENTS = 32
_NEVER = timedelta(days=36_500)
_GRACE = timedelta(hours=1)
_METRICS = {Distance.COSINE: "cosine", Distance.EUCLID: "l2", Distance.DOT: "dot"}

ROW_ID = "_rowid"
DISTANCE = "_distance"


@dataclass(frozen=True)
class Table:
    """One LanceDB table, at the version at which it was opened."""

    handle: Any

    @classmethod
    def open(cls, database: Path, name: str, version: int | None = None) -> "Table | None":
        """Open a table, at its latest version or a given one; None if that does not exist."""
        if not database.is_dir():
            return None
        try:
            handle = _connect(database).open_table(name)
            if version is not None and handle.version != version:
                handle.checkout(version)
        except ValueError:
            # LanceDB's only sign for both, and for a table whose first commit was killed.
            return None
        return cls(handle)

    @classmethod
    def create(cls, database: Path, name: str, schema: pa.Schema) -> "Table":
        """Make an empty table in place of what is there."""
        database.mkdir(parents=True, exist_ok=True)
        exists = cls.open(database, name) is not None
        return cls(
            _connect(database).create_table(name, schema=schema, mode="overwrite" if exists else "create")
        )

    @property
    def version(self) -> int:
        """The version that this handle sees."""
        return int(self.handle.version)

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        return self.handle.schema

    def roll_back(self, version: int) -> None:
        """Make the content of an older version the latest; does nothing if it is."""
        if self.version != version:
            self.handle.checkout(version)
            self.handle.restore()

    def append(self, batches: Iterator[pa.RecordBatch]) -> None:
        """Add rows in one commit, without holding them all in memory."""
        self.handle.add(pa.RecordBatchReader.from_batches(self.schema, batches))

    def delete(self, row_ids: Sequence[int]) -> None:
        """Delete rows by the ids that a scan of this version gave."""
        for start in range(0, len(row_ids), _DELETE_ROWS):
            # By row id, not by object: a list of integers needs no quoting, and is the fastest condition.
            some = ",".join(map(str, row_ids[start : start + _DELETE_ROWS]))
            self.handle.delete(f"{ROW_ID} IN ({some})")

    def scan(
        self, columns: list[str], where: str | None = None, *, ids: bool = False
    ) -> Iterator[pa.RecordBatch]:
        """Read columns of all rows that meet an SQL condition, with their row ids if wanted."""
        query = self.handle.search().select(columns).with_row_id(ids)
        if where is not None:
            query = query.where(where)
        return iter(query.to_batches(_BATCH_ROWS))

    def take(self, row_ids: list[int], column: str) -> dict[int, Any]:
        """Read one column of some rows, by row id."""
        found = self.handle.take_row_ids(row_ids).select([column]).with_row_id().to_arrow()
        return dict(zip(found[ROW_ID].to_pylist(), found[column].to_pylist(), strict=True))

    def count(self, where: str) -> int:
        """Count the rows that meet an SQL condition."""
        return int(self.handle.count_rows(where))

    def nearest(
        self, feature: VectorFeature, vector: np.ndarray[Any, Any], limit: int, columns: list[str]
    ) -> pa.Table:
        """Compare a vector with every row; nearest first, rows without a vector left out."""
        query = self.handle.search(vector, vector_column_name=feature.name).distance_type(
            _METRICS[feature.distance]
        )
        return (
            query.bypass_vector_index()
            .limit(limit)
            .select([*columns, DISTANCE])
            .with_row_id(True)
            .to_arrow(timeout=_SEARCH_DEADLINE)
        )

    def compact(self) -> bool:
        """Rewrite the table if it is in many pieces or half deleted, and say so; keep every version."""
        counts = self._counts()
        half_deleted = counts["total_deletion_file_rows"] * 2 > counts["total_data_file_rows"]
        worn = half_deleted or counts["total_fragments"] > _COMPACT_FRAGMENTS
        if worn:
            self.handle.optimize(cleanup_older_than=_NEVER)
        return worn

    def sweep(self) -> None:
        """Remove older versions of a table that was compacted, and the files that only they need.

        Only once the latest version is the published one: LanceDB goes by age alone. A reader that had opened
        a version which is removed finds a newer record when it looks again.
        """
        self.handle.optimize(cleanup_older_than=_GRACE)

    def _counts(self) -> dict[str, int]:
        newest = max(self.handle.list_versions(), key=lambda version: int(version["version"]))
        return {name: int(count) for name, count in newest["metadata"].items()}


def _connect(database: Path) -> Any:
    # Importing LanceDB takes seconds; whoever only reads a record should not wait for it.
    import lancedb

    return lancedb.connect(database)
