"""The vectors of a feature: from whatever an author writes into a column to one matrix."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from extractor_apis.manifest import VectorFeature


class Matrix(NamedTuple):
    """A column of vectors; the rows that have none, or none that is any good, are zero."""

    values: np.ndarray
    """float32, shape (rows, dimensions)."""
    missing: Sequence[int]
    """Rows that have no vector."""
    bad: dict[int, str]
    """What is wrong with those that are not numeric, of another size, NaN or infinite."""


def matrix(values: Sequence[Any], feature: VectorFeature) -> Matrix:
    """Make a matrix of Python values."""
    shape = (len(values), feature.dimensions)
    try:
        made = np.asarray(values, dtype=np.float32)
    except (TypeError, ValueError):
        made = np.empty(0, np.float32)
    if made.shape == shape:
        return Matrix(made, (), _infinite_rows(made, feature))
    made, missing, bad = np.zeros(shape, np.float32), [], {}
    for row, value in enumerate(values):
        if value is None or (isinstance(value, float) and math.isnan(value)):
            missing.append(row)
            continue
        vector, reason = _vector(value, feature)
        if vector is None:
            bad[row] = reason
        else:
            made[row] = vector
    return Matrix(made, missing, bad)


def arrow_matrix(column: pa.ChunkedArray, feature: VectorFeature) -> Matrix:
    """Make a matrix of an Arrow column, without a Python object for a number."""
    array = column.combine_chunks() if column.num_chunks else pa.array([], column.type)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if not _holds_numbers(array.type):
        return matrix(array.to_pylist(), feature)
    fits = pc.fill_null(pc.equal(pc.list_value_length(array), feature.dimensions), False)
    fitting = fits.to_numpy(zero_copy_only=False)
    if fitting.all():
        made = _dense(array, feature)
        return Matrix(made, (), _infinite_rows(made, feature))
    made = np.zeros((len(array), feature.dimensions), np.float32)
    made[fitting] = _dense(array.filter(fits), feature)
    missing, bad = [], _infinite_rows(made, feature)
    for row in map(int, np.flatnonzero(~fitting)):
        if array[row].is_valid:
            bad[row] = _vector(array[row].as_py(), feature)[1]
        else:
            missing.append(row)
    return Matrix(made, missing, bad)


def column(made: np.ndarray, missing: Sequence[int] = ()) -> pa.Array:
    """Make the column that a store takes; null in the rows that are missing."""
    mask = None
    if missing:
        mask = np.zeros(len(made), bool)
        mask[list(missing)] = True
    return pa.FixedSizeListArray.from_arrays(
        pa.array(made.reshape(-1)), made.shape[1], mask=None if mask is None else pa.array(mask)
    )


def _holds_numbers(type_: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_list(type_) for is_list in lists) and (
        pa.types.is_floating(type_.value_type) or pa.types.is_integer(type_.value_type)
    )


def _dense(array: pa.Array, feature: VectorFeature) -> np.ndarray:
    # A null inside a vector becomes NaN, and is told as such.
    numbers: np.ndarray = array.flatten().to_numpy(zero_copy_only=False)
    return numbers.astype(np.float32, copy=False).reshape(-1, feature.dimensions)


def _infinite_rows(made: np.ndarray, feature: VectorFeature) -> dict[int, str]:
    finite = np.isfinite(made).all(axis=1)
    return {int(row): _not_finite(feature) for row in np.flatnonzero(~finite)}


def _vector(value: Any, feature: VectorFeature) -> tuple[np.ndarray | None, str]:
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
