"""Rows on their way in: a source's objects become the batch columns of the contract."""

from typing import Any

import pyarrow as pa

from extractor_apis import naming
from extractor_apis.run import RunConfig

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
GIVEN = "_extractor_given"
"""The object's ``data`` as it came from the source, on the way from stage to stage."""

_SOURCE_COLUMNS = ("object_id", "blob_property", "blob_type", "mime_type", "size_bytes", "data", "fields")


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
    for name in manifest.input_names:
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


def _repeat(value: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.string()), rows)
