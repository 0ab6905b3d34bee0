"""What the rows of a table look like.

A row is a document with the vector of every feature. Two ordinals that no document has mark rows which say
something of an object instead; they have neither vectors nor a document, so no search finds them.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from extractor_apis.manifest import VectorFeature

EMPTY = -1
"""The object is done and has no documents."""
FAILED = -2
"""The object has dead letters; only in checkpoints."""
DOCUMENTS = "ordinal >= 0"
"""The SQL condition that leaves the marks out."""


def row_schema(features: Sequence[VectorFeature]) -> pa.Schema:
    """Name the columns of a table with these features, and their types."""
    return pa.schema(
        [
            pa.field("document_id", pa.string()),
            pa.field("object_id", pa.string()),
            pa.field("ordinal", pa.int32()),
            pa.field("source", pa.string()),
            pa.field("revision", pa.string()),
            *(pa.field(feature.name, pa.list_(pa.float32(), feature.dimensions)) for feature in features),
            pa.field("document", pa.string()),
        ]
    )


def marks(schema: pa.Schema, ordinal: int, source: str, revisions: dict[str, str]) -> pa.Table:
    """Make a row for each object (with its revision) that marks it."""
    values = {
        "document_id": [""] * len(revisions),
        "object_id": list(revisions),
        "ordinal": [ordinal] * len(revisions),
        "source": [source] * len(revisions),
        "revision": list(revisions.values()),
    }
    nothing = [None] * len(revisions)
    return pa.table(
        [pa.array(values.get(field.name, nothing), field.type) for field in schema], schema=schema
    )


def rows_of(batches: Iterable[pa.RecordBatch], *columns: str) -> Iterator[tuple[Any, ...]]:
    """Go through the rows of batches, as tuples of the named columns."""
    for batch in batches:
        yield from zip(*(batch[column].to_pylist() for column in columns), strict=True)
