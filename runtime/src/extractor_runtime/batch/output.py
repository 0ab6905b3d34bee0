"""Rows on their way out: what the last step returned becomes vectors and documents.

A row that breaks one of the manifest's promises becomes a failure.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa
import pydantic

from extractor_apis import naming
from extractor_apis.manifest import Manifest, VectorFeature, schema_fields
from extractor_apis.run import RunConfig
from extractor_runtime import errors, usage
from extractor_runtime.batch import notes, vectors
from extractor_runtime.batch.batches import Rows
from extractor_runtime.batch.marks import MARK, Mark
from extractor_runtime.batch.notes import NOTE, Failure, Note
from extractor_runtime.batch.rows import CONTRACT_COLUMNS, FIELDS, GIVEN


class Given(NamedTuple):
    """An object as it came from the source."""

    data: Any
    fields: str | None
    """Its remaining fields, JSON."""
    mime_type: str | None
    document_id: str | None = None
    """The name of its first document; None where the author's code may have changed it."""


class Output:
    """Turns the rows of one run's last step into rows of the store."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._manifest = config.manifest
        self._declared = declared_attributes(config.manifest)
        # A mapped name is an alias of what came in, unless the manifest says that the author writes it.
        aliases = {"source_url", *config.manifest.input_names} - (self._declared or frozenset())
        features = {feature.name for feature in config.manifest.vectors}
        self._reserved = frozenset({*CONTRACT_COLUMNS, FIELDS, GIVEN, MARK, NOTE} | aliases | features)
        self.schema = output_schema(config.manifest)

    def rows(
        self, rows: Rows, marks: Sequence[Mark], given: Mapping[str, Given]
    ) -> tuple[pa.Table, list[Failure]]:
        """Make store rows of rows whose every object is whole; ``given`` has the objects by id.

        Returns the rows that kept every promise, and a failure for each that did not. A row that no step with
        a feature wanted becomes a document without that vector. Raises AuthorError when a declared feature
        has no column.
        """
        if not len(rows):
            return self.schema.empty_table(), []
        object_ids: list[str] = rows.column("object_id")
        ordinals = count_within(object_ids)
        ids = [
            (given[object_id].document_id if ordinal == 0 else None) or self._document_id(object_id, ordinal)
            for object_id, ordinal in zip(object_ids, ordinals, strict=True)
        ]
        columns: dict[str, pa.Array] = {}
        reasons: dict[int, str] = {}
        for feature in self._manifest.vectors:
            columns[feature.name], bad = self._vectors(rows, marks, feature)
            reasons = {**bad, **reasons}
        documents, bad = self._documents(rows, marks, given, ids, object_ids, ordinals)
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
                **columns,
                "document": pa.array(documents, pa.string()),
                NOTE: pa.nulls(len(ids), pa.string()),
            }
        )
        if reasons:
            table = table.filter(pa.array([row not in reasons for row in range(len(ids))]))
        return table, failures

    def notes(self, told: Sequence[Note]) -> pa.Table:
        """Put notes into rows of the same schema."""
        columns = [
            pa.array([notes.dump(note) for note in told], pa.string())
            if field.name == NOTE
            else pa.nulls(len(told), field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)

    def _document_id(self, object_id: str, ordinal: int) -> str:
        return naming.document_id(
            self._config.collection, object_id, self._manifest.name, self._manifest.version, ordinal
        )

    def _vectors(
        self, rows: Rows, marks: Sequence[Mark], feature: VectorFeature
    ) -> tuple[pa.Array, dict[int, str]]:
        if feature.name in rows.names:
            found = rows.vectors(feature)
        elif all(mark.excuses(feature.name) for mark in marks):
            zeros = np.zeros((len(rows), feature.dimensions), np.float32)
            found = vectors.Matrix(zeros, range(len(rows)), {})
        else:
            written = [str(name) for name in rows.names if name not in self._reserved]
            raise errors.AuthorError(
                f"the manifest declares the feature {feature.name!r}, but no step wrote a column of that "
                f"name; columns written: {', '.join(written) or 'none'}"
            )
        bad = {
            row: _missing(feature, marks[row])
            for row in found.missing
            if not marks[row].excuses(feature.name)
        }
        return vectors.column(found.values, found.missing), {**found.bad, **bad}

    def _documents(
        self,
        rows: Rows,
        marks: Sequence[Mark],
        given: Mapping[str, Given],
        ids: list[str],
        object_ids: list[str],
        ordinals: list[int],
    ) -> tuple[list[str | None], dict[int, str]]:
        names = [
            name
            for name in rows.names
            if name not in self._reserved and (self._declared is None or name in self._declared)
        ]
        attributes = zip(*(rows.column(name) for name in names), strict=True) if names else None
        data = rows.column("data")
        repeated = {object_id for object_id, ordinal in zip(object_ids, ordinals, strict=True) if ordinal > 0}
        documents: list[str | None] = []
        bad: dict[int, str] = {}
        for row, (document_id, object_id) in enumerate(zip(ids, object_ids, strict=True)):
            origin = given[object_id]
            document: dict[str, Any] = {
                "document_id": document_id,
                "object_id": object_id,
                "collection_id": self._config.collection,
                "mime_type": origin.mime_type,
            }
            # A long text that became many passages is not repeated in every one of them.
            if object_id not in repeated or not _is_same(data[row], origin.data):
                document["data"] = data[row]
            if origin.fields is not None:
                document["metadata"] = orjson.Fragment(origin.fields)
            if (consumed := marks[row].usage) is not None:
                document["usage"] = usage.priced(consumed, self._manifest).model_dump(exclude_defaults=True)
            if attributes is not None:
                document.update(zip(names, next(attributes), strict=True))
            try:
                documents.append(_json(document).decode())
            except orjson.JSONEncodeError as error:
                culprits = (repr(name) for name, value in document.items() if not _has_json(value))
                what = next(culprits, "the document")
                bad[row] = f"{what} cannot be written as JSON: {error.__cause__ or error}"
                documents.append(None)
        return documents, bad


def _missing(feature: VectorFeature, mark: Mark) -> str:
    return f"{feature.name} is missing" + (f" ({mark.reason})" if mark.reason else "")


def output_schema(manifest: Manifest) -> pa.Schema:
    """Describe what the last stage returns: documents with their vectors, and notes."""
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
            pa.field(NOTE, pa.string()),
        ]
    )


def declared_attributes(manifest: Manifest) -> frozenset[str] | None:
    """Name the columns that become attributes of a document; None, for all, if the manifest is silent."""
    fields = schema_fields(manifest.output_schema or {})
    if not fields:
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


def _is_same(one: Any, other: Any) -> bool:
    return one is other or (isinstance(one, str) and one == other)


def _json(value: Any) -> bytes:
    return orjson.dumps(value, _jsonable, orjson.OPT_SERIALIZE_NUMPY)


def _has_json(value: Any) -> bool:
    try:
        _json(value)
    except orjson.JSONEncodeError:
        return False
    return True


def _jsonable(value: Any) -> Any:
    if value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, Iterable) and not isinstance(value, str | bytes | bytearray | memoryview):
        return list(value)
    raise TypeError(f"{type(value).__name__} is no JSON value: write text, a number, a list or a URL")
