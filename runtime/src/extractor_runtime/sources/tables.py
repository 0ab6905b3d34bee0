"""Rows on their way to Arrow: the columns that every source gives, whatever it reads."""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from extractor_runtime.sources.media import BlobType

SCHEMA = pa.schema(
    [
        ("object_id", pa.string()),
        ("blob_property", pa.string()),
        ("blob_type", pa.string()),
        ("mime_type", pa.string()),
        ("size_bytes", pa.int64()),
        ("data", pa.string()),
        ("content_hash", pa.string()),
        ("fields", pa.string()),
    ]
)
"""What every table has; a column for each mapped input name may follow."""

MAX_CHARACTERS = 64 * 1024 * 1024
"""A table ends early with this much in ``data``, so that long texts do not fill the memory."""


class Row(NamedTuple):
    """One object, in the order of `SCHEMA`."""

    object_id: str
    blob_property: str
    blob_type: BlobType
    mime_type: str
    size_bytes: int
    data: str | None
    content_hash: str
    fields: bytes | None
    """UTF-8, as the JSON encoder gives it."""


class TableBuilder:
    """Gathers rows for one table at a time."""

    def __init__(self, aliases: Iterable[str]) -> None:
        """Prepare columns for ``aliases``; a table has those that one of its rows gave.

        A row that gave none of them, such as a file, is its ``data`` under each.
        """
        self._aliases = [alias for alias in aliases if alias not in SCHEMA.names]
        self._clear()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_heavy(self) -> bool:
        """Tell whether the table should end now, however few rows it has."""
        return self._characters >= MAX_CHARACTERS

    def add(self, row: Row, aliased: dict[str, str | None]) -> None:
        """Add a row and the values of the input names that it has."""
        self._rows.append(row)
        self._aliased.append(aliased)
        self._characters += len(row.data or "")

    def build(self) -> pa.Table:
        """Make a table of what has gathered, and begin a new one."""
        columns = zip(*self._rows, strict=True)
        arrays = [pa.array(values, field.type) for values, field in zip(columns, SCHEMA, strict=True)]
        table = pa.table(arrays, schema=SCHEMA)
        for alias in self._aliases:
            if any(alias in aliased for aliased in self._aliased):
                values = [
                    aliased.get(alias) if aliased else row.data
                    for row, aliased in zip(self._rows, self._aliased, strict=True)
                ]
                table = table.append_column(alias, pa.array(values, pa.string()))
        self._clear()
        return table

    def _clear(self) -> None:
        self._rows: list[Row] = []
        self._aliased: list[dict[str, str | None]] = []
        self._characters = 0
