"""Rows as pandas, Arrow and NumPy."""

from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from extractor_runtime import errors
from extractor_runtime.batch import batches
from extractor_runtime.batch.batches import BatchFormat, Frame, Rows, Table

FORMATS = get_args(BatchFormat)
FORMS = [
    pytest.param(Frame(pd.DataFrame({"a": ["x", None, "z"]}, dtype=object)), id="pandas"),
    pytest.param(Table(pa.table({"a": ["x", None, "z"]})), id="Arrow"),
]


class WantsNumpy:
    batch_format = "numpy"


def wants_nothing(batch: Any) -> Any:
    return batch


class WantsCsv:
    batch_format = "csv"


@pytest.mark.parametrize(
    ("target", "want"), [(wants_nothing, "pandas"), (WantsNumpy, "numpy"), (WantsNumpy(), "numpy")]
)
def test_a_processor_says_which_form_it_wants(target: Any, want: BatchFormat) -> None:
    assert batches.format_of(target) == want


def test_an_unknown_form_is_refused_by_name() -> None:
    with pytest.raises(
        errors.AuthorError, match="batch_format = 'csv' of WantsCsv: write one of pandas, pyarrow, numpy"
    ):
        batches.format_of(WantsCsv)


@pytest.mark.parametrize("rows", FORMS)
def test_both_forms_hold_the_same_rows(rows: Rows) -> None:
    wanted, others = rows.split([True, False, True])

    assert rows.column("a") == ["x", None, "z"]
    assert (wanted.column("a"), others.column("a")) == (["x", "z"], [None])
    assert (rows.slice(1, 3).column("a"), len(rows)) == ([None, "z"], 3)
    assert (rows.is_empty("a"), others.is_empty("a")) == (False, True)
    assert rows.with_column("b", [1, None, 2]).without("a", "absent").column("b") == [1, None, 2]
    assert rows.joined([others.without("a").with_column("b", ["new"])]).column("a") == ["x", None, "z", None]
    assert rows.joined([rows.of("b", ["new"])]).column("b") == [None, None, None, "new"]


@pytest.mark.parametrize("rows", FORMS)
@pytest.mark.parametrize("batch_format", FORMATS)
def test_what_an_author_does_to_a_batch_leaves_the_rows_alone(rows: Rows, batch_format: BatchFormat) -> None:
    batch = batches.given(rows, batch_format)
    if batch_format != "pyarrow":
        np.asarray(batch["a"])[:] = "overwritten"
        batch["b"] = batch["a"]

    taken = batches.taken(batch, batch_format)

    assert rows.names == ["a"]
    assert rows.column("a") == ["x", None, "z"]
    assert len(taken) == 3


def test_vectors_go_through_numpy_as_a_matrix() -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    taken = batches.taken({"vector": matrix}, "numpy")
    matrix[:] = 0

    again = batches.given(taken, "numpy")["vector"]

    assert taken.table().schema.field("vector").type == pa.list_(pa.float32(), 2)
    assert again.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert again.flags.writeable


@pytest.mark.parametrize(
    ("result", "batch_format", "want"),
    [
        pytest.param(None, "pandas", "NoneType, not a DataFrame", id="nothing"),
        pytest.param((row for row in ()), "pyarrow", "generator, not a pyarrow Table", id="a generator"),
        pytest.param([1], "numpy", "list, not a dict of arrays", id="a list"),
        pytest.param(
            {"a": [1], "b": [1, 2]}, "numpy", "arrays of different lengths: {'a': 1, 'b': 2}", id="ragged"
        ),
        pytest.param(
            {"a": [object()]},
            "numpy",
            "the column 'a', which Arrow cannot hold (Could not convert <object",
            id="objects",
        ),
    ],
)
def test_another_result_is_refused_by_name(result: Any, batch_format: BatchFormat, want: str) -> None:
    with pytest.raises(TypeError) as caught:
        batches.taken(result, batch_format)

    assert str(caught.value).startswith(want)


def test_a_frame_of_vectors_becomes_arrow_lists() -> None:
    frame = pd.DataFrame({"vector": [np.ones(2, np.float32), None], "n": [1, 2]})

    table = batches.converted(Frame(frame), "numpy").table()

    assert table.to_pydict() == {"vector": [[1, 1], None], "n": [1, 2]}


def test_frames_of_different_columns_are_joined_without_nan() -> None:
    full = Frame(pd.DataFrame({"a": [1.5], "b": ["x"]}))
    partial = Frame(pd.DataFrame({"b": ["y"]}))

    assert full.joined([partial]).column("a") == [1.5, None]
