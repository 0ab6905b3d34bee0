"""The author's `prepare`: a dataset in, the dataset that the steps are given out.

It is executed before there are actors, since they reserve every processor and its tasks would wait for ever.
What comes of it passes the driver, which sees the objects that it made up, and those that it left out.
"""

import contextlib
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from extractor_runtime import errors, places, redaction
from extractor_runtime.batch import results
from extractor_runtime.batch.notes import Failure
from extractor_runtime.deadline import AuthorThread
from extractor_runtime.loader import Tree

Prepare = Callable[[Any], Any]

_KEEP = "keep every object, and let the condition of a step say which it takes"


def run(
    dataset: Any,
    object_ids: Sequence[str],
    prepare: Prepare,
    tree: Tree,
    tick: Callable[[], None],
    *,
    seconds: float,
    silence: float,
) -> tuple[Any, list[Failure]]:
    """Return what the author makes of a dataset of these objects, and a failure for each that it left out.

    The call may take ``seconds``, and what it maps over the dataset may come to nothing for ``silence``
    seconds. Raises AuthorError when it takes longer, raises, or returns what is no such dataset.
    """
    import ray.cloudpickle
    import ray.data
    import ray.exceptions

    # Workers do not know the tree: functions of it travel by value.
    ray.cloudpickle.register_pickle_by_value(sys.modules[tree.package])
    place = places.of_definition(prepare, tree.root)
    try:
        with contextlib.closing(AuthorThread(tree.root)) as thread:
            prepared = thread.call(prepare, dataset, seconds=seconds, what="prepare")
        if prepared is dataset:
            return dataset, []
        if not isinstance(prepared, ray.data.Dataset):
            raise errors.AuthorError(
                f"prepare returned {type(prepared).__name__}, not the dataset: return ds", place
            )
        tables = [table for table in results.stream(prepared, tick, silence) if table.num_rows]
    except errors.RunError:
        raise
    except ray.exceptions.RayTaskError as error:
        raise _task_error(str(error), tree) from None
    except Exception as error:
        raise errors.AuthorError(
            f"prepare failed: {errors.describe(error)}", places.of_error(error, tree.root) or place
        ) from error
    if not tables:
        raise errors.AuthorError(f"prepare returned no rows: {_KEEP}", place)
    return ray.data.from_blocks(tables), left_out(tables, object_ids, place)


def left_out(tables: Sequence[pa.Table], object_ids: Sequence[str], place: str | None) -> list[Failure]:
    """Name the objects that have no row.

    Raises AuthorError for one that there never was, and for one whose rows are in two blocks: its documents
    are numbered, and stored, in one.
    """
    given, returned = frozenset(object_ids), set[Any]()
    for table in tables:
        if "object_id" not in table.column_names:
            raise errors.AuthorError("prepare returned rows without the column object_id: keep it", place)
        ids = set(table.column("object_id").to_pylist())
        if torn := sorted(map(repr, ids & returned)):
            raise errors.AuthorError(
                f"prepare returned the rows of the object {torn[0]:.100} in two blocks: "
                "keep them together, without a shuffle or repartition after the object became several rows",
                place,
            )
        returned |= ids
    if made_up := sorted(map(repr, returned - given)):
        raise errors.AuthorError(
            f"prepare returned the object_id {made_up[0]:.100}, which it was not given: "
            "several rows of an object have its object_id, all of them",
            place,
        )
    return [
        Failure(object_id, "prepare", f"prepare returned no row of it: {_KEEP}", place)
        for object_id in object_ids
        if object_id not in returned
    ]


def _task_error(trace: str, tree: Tree) -> errors.AuthorError:
    """Say what the author's code raised in a task of Ray's, which keeps nothing of it but the text."""
    raised = re.search(r"^(?!ray::)[A-Za-z_][\w.]*(?::.*)?$", trace, re.MULTILINE)
    return errors.AuthorError(
        f"prepare failed: {redaction.redact(raised[0] if raised else trace)[:500]}",
        places.of_trace(trace, tree.root),
    )
