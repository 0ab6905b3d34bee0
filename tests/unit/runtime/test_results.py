"""What comes back from Ray Data, or does not."""

import threading
from typing import Any

import pyarrow as pa
import pytest

from extractor_runtime import errors
from extractor_runtime.batch import results


class Dataset:
    """Yields a table, and then nothing until it is shut down, as its executor."""

    def __init__(self) -> None:
        self._stopped = threading.Event()

    @property
    def _current_executor(self) -> "Dataset":
        return self

    def shutdown(self, *, force: bool) -> None:
        self._stopped.set()

    def iter_batches(self, **options: Any) -> Any:
        yield pa.table({"a": [1]})
        self._stopped.wait(10)


def test_a_ray_that_says_nothing_any_more_ends_the_run() -> None:
    ticks: list[None] = []

    tables = results.stream(Dataset(), lambda: ticks.append(None), silence=0.05, every=0.01)

    assert next(tables).num_rows == 1
    with pytest.raises(errors.RunError, match=r"nothing came back from Ray for 0\.05 s"):
        next(tables)
    assert len(ticks) > 2
