"""Rows on their way in and out: the contract's batch columns, and the rows that a store takes.

In: a source's table becomes the ten columns (and aliases) that an author's processor reads. Out: the frame
that the last step returned becomes vectors and documents; a row that breaks the manifest's promises becomes a
failure.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

from extractor_apis import naming
from extractor_apis.manifest import Manifest, VectorFeature
from extractor_apis.run import DeadLetter, RunConfig
from extractor_runtime import errors

CONTRACT_COLUMNS = (
    "data",
    "document_id",
    "object_id",
    "blob_id",
    "blob_property",
    "blob_type",
    "collection_id",
    "feature_extractor_id",
    "mime_type",
    "size_bytes",
)
FIELDS = "_extractor_fields"
"""The source record's remaining fields (JSON); travels beside the author's columns, never among them."""
FAILURE = "_extractor_failure"
"""A `Failure` as JSON in a row that has nothing else: failures travel with the rows that did not fail."""

_SOURCE_COLUMNS = ("object_id", "blob_property", "blob_type", "mime_type", "size_bytes", "data", "fields")


@dataclass(frozen=True)
class Failure:
    """A row that could not be done, or, when ``fatal``, the reason why the run cannot go on."""

    object_id: str
    step: str
    error: str
    location: str | None = None
    document_id: str | None = None
    fatal: bool = False

    def dump(self) -> str:
        """Write as JSON."""
        return orjson.dumps(self).decode()

    @classmethod
    def load(cls, text: str) -> "Failure":
        """Read what `dump` wrote."""
        return cls(**orjson.loads(text))

    def dead_letter(self) -> DeadLetter:
        """The same as a wire model."""
        return DeadLetter(
            object_id=self.object_id,
            document_id=self.document_id,
            step=self.step,
            error=self.error,
            location=self.location,
        )


def contract_table(objects: pa.Table, config: RunConfig) -> pa.Table:
    """Give a source's objects the ten columns of the contract, and the aliases that authors read them by.

    ``objects`` has the columns of `sources.Source.read`. Aliases (the manifest's mapped input names,
    ``source_url`` for binaries) never replace a column.
    """
    manifest, rows = config.manifest, objects.num_rows
    ids = objects.column("object_id").to_pylist()
    documents = [
        naming.document_id(config.collection, id_, manifest.name, manifest.version, 0) for id_ in ids
    ]
    columns: dict[str, Any] = {name: objects.column(name) for name in _SOURCE_COLUMNS if name != "fields"}
    columns["document_id"] = pa.array(documents, pa.string())
    columns["blob_id"] = columns["object_id"]
    columns["collection_id"] = _repeat(config.collection, rows)
    columns["feature_extractor_id"] = _repeat(naming.extractor_id(manifest.name, manifest.version), rows)
    table = pa.table({name: columns[name] for name in CONTRACT_COLUMNS})
    for name in manifest.input_mappings:
        if name not in table.column_names:
            table = table.append_column(
                name, objects.column(name if name in objects.column_names else "data")
            )
    if "source_url" not in table.column_names:
        inline = pa.compute.equal(objects.column("blob_type"), "text")
        urls = pa.compute.if_else(inline, pa.scalar(None, pa.string()), objects.column("data"))
        if urls.null_count < rows:
            table = table.append_column("source_url", urls)
    return table.append_column(FIELDS, objects.column("fields"))


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Convert to the pandas that the contract promises: object columns, in which a missing value is None."""
    return table.to_pandas(integer_object_nulls=True).astype(object)


class Output:
    """Turns the frames of one run's last step into rows of the store."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._manifest = config.manifest
        self._declared = declared_attributes(config.manifest)
        # A mapped name is an alias of what came in, unless the manifest says that the author writes it.
        aliases = {"source_url", *config.manifest.input_mappings} - (self._declared or frozenset())
        vectors = {feature.name for feature in config.manifest.vectors}
        self._reserved = frozenset({*CONTRACT_COLUMNS, FIELDS, FAILURE} | aliases | vectors)
        self.schema = output_schema(config.manifest)

    def rows(self, frame: pd.DataFrame, given: pd.DataFrame) -> tuple[pa.Table, list[Failure]]:
        """Make store rows of a frame whose every object is whole; ``given`` holds the objects as they came
        in.

        Returns the rows that kept every promise, and a failure for each that did not. Raises AuthorError when
        a declared feature has no column.
        """
        if frame.empty:
            return self.schema.empty_table(), []
        object_ids: list[str] = frame["object_id"].tolist()
        ordinals = count_within(object_ids)
        ids = [
            self._document_id(object_id, ordinal)
            for object_id, ordinal in zip(object_ids, ordinals, strict=True)
        ]
        reasons: dict[int, str] = {}
        vectors = {}
        for feature in self._manifest.vectors:
            vectors[feature.name], bad = vector_matrix(self._column(frame, feature), feature)
            reasons = {**bad, **reasons}
        documents, bad = self._documents(frame, given, ids, object_ids, ordinals)
        reasons = {**bad, **reasons}
        failures = [
            Failure(object_ids[row], step="output", error=reason, document_id=ids[row])
            for row, reason in sorted(reasons.items())
        ]
        table = pa.table(
            {
                "document_id": pa.array(ids, pa.string()),
                "object_id": pa.array(object_ids, pa.string()),
                "ordinal": pa.array(ordinals, pa.int32()),
                **{name: _fixed_size_list(matrix) for name, matrix in vectors.items()},
                "document": pa.array(documents, pa.string()),
                FAILURE: pa.nulls(len(ids), pa.string()),
            }
        )
        if reasons:
            table = table.filter(pa.array([row not in reasons for row in range(len(ids))]))
        return table, failures

    def failures(self, failures: Sequence[Failure]) -> pa.Table:
        """Put failures into rows of the same schema."""
        columns = [
            pa.array([failure.dump() for failure in failures], pa.string())
            if field.name == FAILURE
            else pa.nulls(len(failures), field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _document_id(self, object_id: str, ordinal: int) -> str:
        return naming.document_id(
            self._config.collection, object_id, self._manifest.name, self._manifest.version, ordinal
        )

    def _column(self, frame: pd.DataFrame, feature: VectorFeature) -> list[Any]:
        if feature.name not in frame.columns:
            written = [str(name) for name in frame.columns if name not in self._reserved]
            raise errors.AuthorError(
                f"the manifest declares the feature {feature.name!r}, but no step wrote a column of that "
                f"name; columns written: {', '.join(written) or 'none'}"
            )
        values: list[Any] = frame[feature.name].tolist()
        return values

    def _documents(
        self,
        frame: pd.DataFrame,
        given: pd.DataFrame,
        ids: list[str],
        object_ids: list[str],
        ordinals: list[int],
    ) -> tuple[list[str | None], dict[int, str]]:
        names = [
            name
            for name in frame.columns
            if name not in self._reserved and (self._declared is None or name in self._declared)
        ]
        attributes = zip(*(frame[name].tolist() for name in names), strict=True) if names else None
        source = dict(zip(given["object_id"], zip(given["data"], given[FIELDS], strict=True), strict=True))
        mime_types = dict(zip(given["object_id"], given["mime_type"], strict=True))
        data = frame["data"].tolist()
        repeated = {object_id for object_id, ordinal in zip(object_ids, ordinals, strict=True) if ordinal > 0}
        documents: list[str | None] = []
        bad: dict[int, str] = {}
        for row, (document_id, object_id) in enumerate(zip(ids, object_ids, strict=True)):
            original, fields = source[object_id]
            document: dict[str, Any] = {
                "document_id": document_id,
                "object_id": object_id,
                "collection_id": self._config.collection,
                "mime_type": mime_types[object_id],
            }
            # A long text that became many passages is not repeated in every one of them.
            if data[row] is not original or object_id not in repeated:
                document["data"] = data[row]
            if fields is not None:
                document["metadata"] = orjson.Fragment(fields)
            if attributes is not None:
                document.update(zip(names, next(attributes), strict=True))
            try:
                documents.append(orjson.dumps(document, _jsonable, orjson.OPT_SERIALIZE_NUMPY).decode())
            except orjson.JSONEncodeError as error:
                bad[row] = f"the document cannot be written as JSON: {error.__cause__ or error}"
                documents.append(None)
        return documents, bad


def output_schema(manifest: Manifest) -> pa.Schema:
    """Describe what the last stage returns: documents with their vectors, and failures."""
    return pa.schema(
        [
            pa.field("document_id", pa.string()),
            pa.field("object_id", pa.string()),
            pa.field("ordinal", pa.int32()),
            *(
                pa.field(feature.name, pa.list_(pa.float32(), feature.dimensions))
                for feature in manifest.vectors
            ),
            pa.field("document", pa.string()),
            pa.field(FAILURE, pa.string()),
        ]
    )


def declared_attributes(manifest: Manifest) -> frozenset[str] | None:
    """Name the columns that become attributes of a document; None, for all, if the manifest is silent."""
    schema = manifest.output_schema or {}
    is_json_schema = schema.get("type") == "object" or isinstance(schema.get("properties"), dict)
    fields = schema.get("properties") if is_json_schema else schema
    if not isinstance(fields, dict) or not fields:
        return None
    return frozenset(
        {str(entry.get("feature_name") or entry.get("name")) for entry in manifest.attributes} | fields.keys()
    )


def count_within(object_ids: Sequence[str]) -> list[int]:
    """Number the rows of each object from 0, in their order."""
    seen: dict[str, int] = {}
    ordinals = []
    for object_id in object_ids:
        ordinal = seen.get(object_id, 0)
        seen[object_id] = ordinal + 1
        ordinals.append(ordinal)
    return ordinals


def vector_matrix(values: Sequence[Any], feature: VectorFeature) -> tuple[np.ndarray, dict[int, str]]:
    """Make one float32 matrix of a column of vectors, shape (rows, dimensions).

    Returns also, by row, what is wrong with those that are missing, not numeric, of another size, NaN or
    infinite; their rows of the matrix are zero.
    """
    shape = (len(values), feature.dimensions)
    try:
        matrix = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError):
        matrix = np.empty(0, np.float32)
    if matrix.shape == shape:
        finite = np.isfinite(matrix).all(axis=1)
        return matrix, {int(row): _not_finite(feature) for row in np.flatnonzero(~finite)}
    matrix, bad = np.zeros(shape, np.float32), {}
    for row, value in enumerate(values):
        vector, reason = _vector(value, feature)
        if vector is None:
            bad[row] = reason
        else:
            matrix[row] = vector
    return matrix, bad


def _vector(value: Any, feature: VectorFeature) -> tuple[np.ndarray | None, str]:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None, f"{feature.name} is missing"
    try:
        vector = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError):
        return None, f"{feature.name} is no vector of numbers but {type(value).__name__}"
    if vector.shape != (feature.dimensions,):
        return None, f"{feature.name} has shape {vector.shape}, the manifest declares ({feature.dimensions},)"
    if not np.isfinite(vector).all():
        return None, _not_finite(feature)
    return vector, ""


def _not_finite(feature: VectorFeature) -> str:
    return f"{feature.name} contains NaN or infinity"


def _fixed_size_list(matrix: np.ndarray) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])


def _jsonable(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON value: write text, a number, a list or a URL")


def _repeat(value: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), rows)
