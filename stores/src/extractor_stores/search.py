"""Find the documents nearest to a vector.

The search is exact: every row is compared. A faster index over a published table can come in front of it,
behind `search`.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from extractor_apis.manifest import Distance
from extractor_apis.naming import FeatureURI
from extractor_apis.results import CompletionRecord
from extractor_stores.errors import StoreError
from extractor_stores.resolve import Resolved, resolve
from extractor_stores.rows import rows_of
from extractor_stores.store import Store
from extractor_stores.tables import DISTANCE, ROW_ID, Table

_LIMIT = 10_000
_ATTEMPTS = 5


@dataclass(frozen=True)
class Hit:
    """One document that was found."""

    collection: str
    document_id: str
    object_id: str
    score: float
    """Higher is nearer: cosine similarity, dot product, or the negative Euclidean distance."""
    document: dict[str, Any]


def search(
    store: Store,
    uri: FeatureURI,
    vector: Sequence[float] | npt.NDArray[Any],
    *,
    limit: int = 10,
    collection: str | None = None,
) -> list[Hit]:
    """Return the nearest documents, best first and equal ones by id, of one collection or of all.

    The vector must come from the version that `resolve` names.
    """
    if not 1 <= limit <= _LIMIT:
        raise StoreError(f"a search for {limit} documents: ask for 1 to {_LIMIT:,}")
    for _ in range(_ATTEMPTS):
        resolved = resolve(store, uri, collection)
        try:
            return _search(store, resolved, vector, limit)
        except Exception:
            # A run that was published meanwhile may have removed what was being read.
            if resolve(store, uri, collection) == resolved:
                raise
    raise StoreError(f"{uri} was published {_ATTEMPTS} times while it was searched: search again")


@dataclass(frozen=True)
class _Found:
    score: float
    document_id: str
    object_id: str
    revision: str
    row_id: int
    table: int
    """Position of its table among those that are searched."""

    @property
    def rank(self) -> tuple[float, str, int]:
        return (-self.score, self.document_id, self.table)


def _search(
    store: Store, resolved: Resolved, vector: Sequence[float] | npt.NDArray[Any], limit: int
) -> list[Hit]:
    query = _query(resolved, vector)
    tables = [store.published(record) for record in resolved.records]
    found = [
        it for index, table in enumerate(tables) for it in _nearest(table, index, resolved, query, limit)
    ]
    best = sorted(found, key=lambda it: it.rank)[:limit]
    documents: dict[tuple[int, int], Any] = {}
    for index, table in enumerate(tables):
        chosen = [it for it in best if it.table == index]
        if chosen:
            documents |= _documents(store, resolved.records[index], table, chosen)
    return [
        Hit(
            resolved.records[it.table].collection,
            it.document_id,
            it.object_id,
            it.score,
            documents[it.table, it.row_id],
        )
        for it in best
    ]


def _query(resolved: Resolved, vector: Sequence[float] | npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    query = np.asarray(vector, dtype=np.float32)
    dimensions = resolved.feature.dimensions
    if query.shape != (dimensions,):
        shape = " x ".join(map(str, query.shape)) or "no"
        raise StoreError(f"the query vector has {shape} dimensions, but {resolved.uri} has {dimensions}")
    if not np.isfinite(query).all():
        raise StoreError(f"the query vector for {resolved.uri} has values that are no finite numbers")
    if resolved.feature.distance is Distance.COSINE and not query.any():
        raise StoreError(f"the query vector for {resolved.uri} is zero, which has no cosine with anything")
    return query


def _nearest(
    table: Table, index: int, resolved: Resolved, query: npt.NDArray[np.float32], limit: int
) -> list[_Found]:
    """Find the nearest rows, with every row that is as near as the last of them: ids decide between those."""
    wanted = limit + 1
    while True:
        rows = table.nearest(resolved.feature, query, wanted, ["document_id", "object_id", "revision"])
        distances = rows[DISTANCE].to_pylist()
        if len(distances) < wanted or distances[limit - 1] < distances[-1]:
            break
        wanted *= 4
    columns = (DISTANCE, "document_id", "object_id", "revision", ROW_ID)
    return [
        _Found(_score(distance, resolved.feature.distance), document_id, object_id, revision, row_id, index)
        for distance, document_id, object_id, revision, row_id in rows_of(rows.to_batches(), *columns)
    ]


def _score(distance: float, kind: Distance) -> float:
    # LanceDB's Euclidean distance is squared, and its other two are one minus the similarity.
    return -math.sqrt(max(distance, 0.0)) if kind is Distance.EUCLID else 1.0 - distance


def _documents(
    store: Store, record: CompletionRecord, table: Table, chosen: list[_Found]
) -> dict[tuple[int, int], Any]:
    """Read the documents of rows of one table, by table and row id."""
    if store.documents is None:
        texts = table.take([it.row_id for it in chosen], "document")
        return {(it.table, it.row_id): json.loads(texts[it.row_id]) for it in chosen}
    keys = [store.documents.key(it.document_id, it.revision) for it in chosen]
    fetched = store.documents.fetch(keys)
    for it, key in zip(chosen, keys, strict=True):
        if key not in fetched:
            raise StoreError(
                f"document {it.document_id} of collection {record.collection} is published, but missing in "
                "MongoDB: restore the database from a copy, or run again into a new store"
            )
    return {(it.table, it.row_id): fetched[key] for it, key in zip(chosen, keys, strict=True)}
