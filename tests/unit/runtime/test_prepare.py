"""What an author's `prepare` may make of the objects: rows of all of them, and of no others."""

import pyarrow as pa
import pytest

from extractor_runtime import errors
from extractor_runtime.batch import prepare


def test_objects_without_a_row_are_failures_where_prepare_is_written() -> None:
    tables = [pa.table({"object_id": ["c", "c"]}), pa.table({"object_id": ["a"]})]

    [failure] = prepare.left_out(tables, ["a", "b", "c"], "pipeline.py:3")

    assert (failure.object_id, failure.step, failure.location) == ("b", "prepare", "pipeline.py:3")
    assert failure.error.startswith("prepare returned no row of it")


@pytest.mark.parametrize(
    ("tables", "want"),
    [
        pytest.param(
            [pa.table({"object_id": ["a", "a-1"]})],
            "prepare returned the object_id 'a-1', which it was not given",
            id="a made up id",
        ),
        pytest.param(
            [pa.table({"object_id": ["a", None]})],
            "prepare returned the object_id None, which it was not given",
            id="no id",
        ),
        pytest.param(
            [pa.table({"data": ["a"]})],
            "prepare returned rows without the column object_id: keep it",
            id="no column of ids",
        ),
        pytest.param(
            [pa.table({"object_id": ["a"]}), pa.table({"object_id": ["b", "a"]})],
            "prepare returned the rows of the object 'a' in two blocks: keep them together",
            id="a torn object",
        ),
    ],
)
def test_rows_that_are_no_objects_end_the_run_where_prepare_is_written(
    tables: list[pa.Table], want: str
) -> None:
    with pytest.raises(errors.AuthorError) as caught:
        prepare.left_out(tables, ["a", "b"], "pipeline.py:3")

    assert caught.value.message.startswith(want)
    assert caught.value.location == "pipeline.py:3"
