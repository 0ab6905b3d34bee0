"""Rows in the form that an author asks for: a pandas DataFrame, an Arrow table, or a dict of NumPy arrays.

A processor says so by an attribute, ``batch_format``; pandas is what the contract has. Rows are kept as a
`Frame` or a `Table` and change from one to the other only between steps that ask for different ones, so that
a pipeline of Arrow steps never pays for pandas.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol, Self, cast, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from extractor_apis.manifest import VectorFeature
from extractor_runtime import errors
from extractor_runtime.batch import vectors

BatchFormat = Literal["pandas", "pyarrow", "numpy"]


class Rows(Protocol):
    """Rows of a block; immutable."""

    @property
    def names(self) -> list[str]:
        """The columns."""

    def __len__(self) -> int: ...

    def column(self, name: str) -> list[Any]:
        """The values of a column."""

    def vectors(self, feature: VectorFeature) -> vectors.Matrix:
        """The vectors of a feature."""

    def is_empty(self, name: str) -> bool:
        """Whether a column holds nothing at all."""

    def slice(self, start: int, stop: int) -> Self:
        """The rows from ``start`` to before ``stop``."""

    def split(self, wanted: Sequence[bool]) -> tuple[Self, Self]:
        """The rows that are wanted, and the others."""

    def without(self, *names: str) -> Self:
        """All columns but these, which may be absent."""

    def with_column(self, name: str, values: Sequence[Any]) -> Self:
        """The same with one more column, of text or of values as the author made them."""

    def of(self, name: str, values: Sequence[Any]) -> Self:
        """Other rows of the same form, with only this column."""

    def joined(self, others: Sequence[Self]) -> Self:
        """These rows and others below them; a column that some lack is None there."""

    def frame(self) -> pd.DataFrame:
        """As pandas."""

    def table(self) -> pa.Table:
        """As Arrow."""


def format_of(target: Any) -> BatchFormat:
    """Tell which form a processor, or its class, wants its batches in.

    Raises AuthorError for one that there is not.
    """
    wanted = getattr(target, "batch_format", "pandas")
    if wanted not in get_args(BatchFormat):
        raise errors.AuthorError(
            f"batch_format = {wanted!r} of {getattr(target, '__name__', None) or type(target).__name__}: "
            f"write one of {', '.join(get_args(BatchFormat))}"
        )
    return cast(BatchFormat, wanted)


def rows_of(block: pa.Table | pd.DataFrame) -> Rows:
    """Take a block of Ray Data's."""
    return Frame(block) if isinstance(block, pd.DataFrame) else Table(block)


def converted(rows: Rows, batch_format: BatchFormat) -> Rows:
    """Keep rows in the form that suits a step."""
    if batch_format == "pandas":
        return rows if isinstance(rows, Frame) else Frame(rows.frame())
    return rows if isinstance(rows, Table) else Table(rows.table())


def given(rows: Rows, batch_format: BatchFormat) -> Any:
    """Make what the author's code is called with: its own, whatever it does to it."""
    return _GIVE[batch_format](rows)


def taken(result: Any, batch_format: BatchFormat) -> Rows:
    """Take what the author's code returned. Raises TypeError, which says what was wanted instead."""
    return _TAKE[batch_format](result)


class Frame:
    """Rows as pandas."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    @property
    def names(self) -> list[str]:
        return list(self._frame.columns)

    def __len__(self) -> int:
        return len(self._frame)

    def column(self, name: str) -> list[Any]:
        values: list[Any] = self._frame[name].tolist()
        return values

    def vectors(self, feature: VectorFeature) -> vectors.Matrix:
        return vectors.matrix(self.column(feature.name), feature)

    def is_empty(self, name: str) -> bool:
        return bool(self._frame[name].isna().all())

    def slice(self, start: int, stop: int) -> Self:
        return type(self)(self._frame.iloc[start:stop])

    def split(self, wanted: Sequence[bool]) -> tuple[Self, Self]:
        mask = np.asarray(wanted, dtype=bool)
        return type(self)(self._frame[mask]), type(self)(self._frame[~mask])

    def without(self, *names: str) -> Self:
        return type(self)(self._frame.drop(columns=list(names), errors="ignore"))

    def with_column(self, name: str, values: Sequence[Any]) -> Self:
        column = pd.Series(list(values), index=self._frame.index, dtype=object)
        return type(self)(self._frame.assign(**{name: column}))

    def of(self, name: str, values: Sequence[Any]) -> Self:
        return type(self)(pd.DataFrame({name: pd.Series(list(values), dtype=object)}))

    def joined(self, others: Sequence[Self]) -> Self:
        frames = [rows._frame for rows in (self, *others) if len(rows)]
        if len(frames) < 2:
            return type(self)(frames[0]) if frames else self
        if any(not frames[0].columns.equals(frame.columns) for frame in frames):
            frames = _with_all_columns(frames)
        return type(self)(pd.concat(frames, ignore_index=True))

    def frame(self) -> pd.DataFrame:
        return self._frame

    def table(self) -> pa.Table:
        arrays = {name: _arrow(self._frame[name], name) for name in self.names}
        return pa.table(arrays)


class Table:
    """Rows as Arrow."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @property
    def names(self) -> list[str]:
        names: list[str] = self._table.column_names
        return names

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def column(self, name: str) -> list[Any]:
        values: list[Any] = self._table.column(name).to_pylist()
        return values

    def vectors(self, feature: VectorFeature) -> vectors.Matrix:
        return vectors.arrow_matrix(self._table.column(feature.name), feature)

    def is_empty(self, name: str) -> bool:
        return bool(self._table.column(name).null_count == len(self))

    def slice(self, start: int, stop: int) -> Self:
        return type(self)(self._table.slice(start, stop - start))

    def split(self, wanted: Sequence[bool]) -> tuple[Self, Self]:
        mask = pa.array(wanted, pa.bool_())
        return type(self)(self._table.filter(mask)), type(self)(self._table.filter(pc.invert(mask)))

    def without(self, *names: str) -> Self:
        return type(self)(self._table.drop_columns([name for name in names if name in self.names]))

    def with_column(self, name: str, values: Sequence[Any]) -> Self:
        return type(self)(self.without(name)._table.append_column(name, _arrow(values, name)))

    def of(self, name: str, values: Sequence[Any]) -> Self:
        return type(self)(pa.table({name: _arrow(values, name)}))

    def joined(self, others: Sequence[Self]) -> Self:
        tables = [rows._table for rows in (self, *others) if len(rows)]
        if len(tables) < 2:
            return type(self)(tables[0]) if tables else self
        try:
            return type(self)(pa.concat_tables(tables, promote_options="permissive"))
        except pa.ArrowException as error:
            reason = " ".join(str(error).split())[:200]
            raise TypeError(f"batches whose columns do not fit together ({reason})") from None

    def frame(self) -> pd.DataFrame:
        # The pandas that the contract promises: object columns, in which a missing value is None.
        return self._table.to_pandas(integer_object_nulls=True).astype(object)

    def table(self) -> pa.Table:
        return self._table


def _with_all_columns(frames: list[pd.DataFrame]) -> list[pd.DataFrame]:
    """Add to each frame the columns that only others have; pandas itself would fill them with NaN."""
    names = list(dict.fromkeys(name for frame in frames for name in frame.columns))
    partial = [name for name in names if any(name not in frame.columns for frame in frames)]
    # As objects everywhere: an empty column must not decide about the type of a full one.
    return [
        frame.assign(
            **{
                name: frame[name].astype(object)
                if name in frame.columns
                else pd.Series([None] * len(frame), index=frame.index, dtype=object)
                for name in partial
            }
        )[names]
        for frame in frames
    ]


def _give_pandas(rows: Rows) -> pd.DataFrame:
    # A copy: authors write into what they get, and a retry must start from what was given.
    return rows.frame().reset_index(drop=True)


def _give_arrow(rows: Rows) -> pa.Table:
    return rows.table()


def _give_numpy(rows: Rows) -> dict[str, np.ndarray]:
    table = rows.table()
    return {name: _writable(table.column(name)) for name in table.column_names}


def _take_pandas(result: Any) -> Rows:
    if not isinstance(result, pd.DataFrame):
        raise TypeError(f"{type(result).__name__}, not a DataFrame")
    return Frame(result.reset_index(drop=True))


def _take_arrow(result: Any) -> Rows:
    if isinstance(result, pa.RecordBatch):
        return Table(pa.Table.from_batches([result]))
    if not isinstance(result, pa.Table):
        raise TypeError(f"{type(result).__name__}, not a pyarrow Table")
    return Table(result)


def _take_numpy(result: Any) -> Rows:
    if not isinstance(result, Mapping):
        raise TypeError(f"{type(result).__name__}, not a dict of arrays")
    arrays = {str(name): _arrow(values, str(name)) for name, values in result.items()}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise TypeError(f"arrays of different lengths: {lengths}")
    return Table(pa.table(arrays))


_GIVE: dict[BatchFormat, Callable[[Rows], Any]] = {
    "pandas": _give_pandas,
    "pyarrow": _give_arrow,
    "numpy": _give_numpy,
}
_TAKE: dict[BatchFormat, Callable[[Any], Rows]] = {
    "pandas": _take_pandas,
    "pyarrow": _take_arrow,
    "numpy": _take_numpy,
}


def _writable(column: pa.ChunkedArray) -> np.ndarray:
    if pa.types.is_fixed_size_list(column.type) and column.null_count == 0:
        matrix: np.ndarray = column.combine_chunks().flatten().to_numpy(zero_copy_only=False)
        return np.array(matrix.reshape(-1, column.type.list_size))
    array: np.ndarray = column.to_numpy()
    return array if array.flags.writeable else array.copy()


def _arrow(values: Any, name: str) -> pa.Array:
    """Copy a column into Arrow: an author may fill the same arrays again with the next batch."""
    try:
        if isinstance(values, np.ndarray) and values.ndim > 1 and values.dtype != object:
            flat = pa.array(np.array(values).reshape(-1))
            return pa.FixedSizeListArray.from_arrays(flat, int(np.prod(values.shape[1:])))
        if isinstance(values, np.ndarray):
            return pa.array(values.copy(), from_pandas=values.dtype == object)
        if isinstance(values, pd.Series):
            return pa.array(values, from_pandas=True)
        return pa.array(values)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise TypeError(f"the column {name!r}, which Arrow cannot hold ({reason})") from None
