"""Columns of vectors, whatever an author writes into them."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from extractor_apis.manifest import VectorFeature
from extractor_runtime.batch import vectors

FEATURE = VectorFeature(name="vector", dimensions=2)
TOO_LONG = "vector has shape (3,), the manifest declares (2,)"
INFINITE = "vector contains NaN or infinity"


@pytest.mark.parametrize(
    ("values", "want_missing", "want_bad"),
    [
        pytest.param([[1, 2], (3, 4), np.ones(2)], [], {}, id="lists, tuples and arrays"),
        pytest.param(np.ones((3, 2)).tolist(), [], {}, id="a whole matrix"),
        pytest.param([[1, 2], None, float("nan")], [1, 2], {}, id="missing"),
        pytest.param([[1, 2], [1, 2, 3]], [], {1: TOO_LONG}, id="too long"),
        pytest.param([[1, float("inf")], [1, 2]], [], {0: INFINITE}, id="infinite"),
        pytest.param(
            [[1, "x"], [1, 2]], [], {0: "vector is no vector of numbers but list"}, id="text within"
        ),
        pytest.param(
            [0.5, [1, 2]], [], {0: "vector has shape (), the manifest declares (2,)"}, id="a number"
        ),
    ],
)
def test_python_values_become_one_matrix(
    values: list[Any], want_missing: list[int], want_bad: dict[int, str]
) -> None:
    made = vectors.matrix(values, FEATURE)

    assert (list(made.missing), made.bad) == (want_missing, want_bad)
    assert_good_rows(made, values)


@pytest.mark.parametrize(
    ("array", "want_missing", "want_bad"),
    [
        pytest.param(pa.array([[1, 2], [3, 4]], pa.list_(pa.float32(), 2)), [], {}, id="of one size"),
        pytest.param(pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2)), [1], {}, id="with a null"),
        pytest.param(pa.array([[1, 2], [3, 4, 5]], pa.list_(pa.float64())), [], {1: TOO_LONG}, id="lists"),
        pytest.param(pa.array([[1, 2], [3, 4]], pa.large_list(pa.int8())), [], {}, id="whole numbers"),
        pytest.param(pa.array([[1.0, None], [3, 4]]), [], {0: INFINITE}, id="a null within"),
        pytest.param(pa.array([[1.0, 2], [3, 4], [5, 6]])[1:], [], {}, id="a slice"),
        pytest.param(pa.nulls(2), [0, 1], {}, id="nothing"),
        pytest.param(pa.array(["x", None]), [1], {0: "vector is no vector of numbers but str"}, id="no list"),
        pytest.param(
            pa.FixedShapeTensorArray.from_numpy_ndarray(np.ones((2, 2), np.float32)), [], {}, id="tensors"
        ),
    ],
)
def test_an_arrow_column_becomes_the_same_matrix(
    array: pa.Array, want_missing: list[int], want_bad: dict[int, str]
) -> None:
    made = vectors.arrow_matrix(pa.chunked_array([array]), FEATURE)

    assert (list(made.missing), made.bad) == (want_missing, want_bad)
    assert_good_rows(made, array.to_pylist())


def test_missing_rows_are_null_in_the_column_of_a_store() -> None:
    column = vectors.column(np.ones((2, 2), np.float32), [1])

    assert column.to_pylist() == [[1, 1], None]


def assert_good_rows(made: vectors.Matrix, values: list[Any]) -> None:
    good = [row for row in range(len(values)) if row not in {*made.missing, *made.bad}]
    assert (made.values.shape, made.values.dtype) == ((len(values), 2), np.float32)
    assert made.values[good].tolist() == [list(map(float, values[row])) for row in good]
