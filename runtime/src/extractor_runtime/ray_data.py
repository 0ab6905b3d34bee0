"""The Ray Data pipeline of a run: blocks in, stages of actors, tables out.

The settings that matter are here, each with its reason; everything that decides is in `plan`.
"""

import logging
import queue
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from extractor_apis.run import RunConfig
from extractor_runtime import errors, plan
from extractor_runtime.loader import Tree
from extractor_runtime.plan import Stage
from extractor_runtime.stage import StageActor, StageConfig

_TICK_SECONDS = 1.0
_STOP_SECONDS = 10.0
_BUFFERED_TABLES = 4


def gpus() -> float:
    """Count the GPUs that Ray sees."""
    import ray

    return float(ray.cluster_resources().get("GPU", 0))


def build(
    tree: Tree,
    config: RunConfig,
    stages: Sequence[Stage],
    objects: pa.Table,
    prepare: Callable[[Any], Any] | None,
) -> Any:
    """Make the lazy dataset that runs every stage over the objects."""
    import ray.data

    _quieten()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # Results are stored by id: waiting for them in order would only hold finished blocks back.
    context.execution_options.preserve_order = False
    # A split block would tear an object's passages apart, and their ordinals are counted within a block.
    context.target_max_block_size = None
    size = plan.block_rows(stages, objects.num_rows)
    objects = objects.combine_chunks()
    # from_blocks and not from_arrow: the latter starts remote tasks to learn what we know already (1 to 4 s).
    dataset = ray.data.from_blocks([objects.slice(start, size) for start in range(0, objects.num_rows, size)])
    if prepare is not None:
        dataset = _prepare(dataset, prepare, tree)
    with warnings.catch_warnings():
        # Ray 2.60 warns of max_restarts as a keyword of map_batches and has no other place for it yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        for index, stage in enumerate(stages):
            dataset = dataset.map_batches(
                StageActor,
                fn_constructor_args=(
                    StageConfig(tree, config, stage.steps, is_last=index == len(stages) - 1),
                ),
                batch_size=None,
                batch_format="pyarrow" if index == 0 else "pandas",
                zero_copy_batch=True,
                compute=ray.data.ActorPoolStrategy(size=stage.actors),
                num_cpus=stage.cpus,
                num_gpus=stage.gpus or None,
                udf_modifying_row_count=True,
                # By default an actor that dies is restarted for ever, and its block with it.
                max_restarts=1,
                max_task_retries=1,
            )
    return dataset


def results(dataset: Any, tick: Callable[[], None]) -> Iterator[pa.Table]:
    """Run the dataset and yield its tables as they come; call ``tick`` about once a second, also while none
    does.

    Raises RunError when a worker process dies or Ray fails.
    """
    import ray

    tables: queue.Queue[Any] = queue.Queue(_BUFFERED_TABLES)
    stopped = threading.Event()

    def produce() -> None:
        try:
            for table in dataset.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=1):
                _put(tables, table, stopped)
            _put(tables, None, stopped)
        except BaseException as error:
            _put(tables, error, stopped)

    # In a thread of its own: the main thread stays free for Ctrl-C, progress and the store.
    producer = threading.Thread(target=produce, daemon=True, name="ray-data")
    producer.start()
    try:
        while True:
            try:
                item = tables.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                tick()
                continue
            if item is None:
                return
            if isinstance(item, ray.exceptions.ActorDiedError | ray.exceptions.WorkerCrashedError):
                raise errors.RunError(
                    "the process that ran the extractor's steps died twice on the same rows (out of memory, "
                    "or a crash in native code); its last words are in the run's logs folder"
                ) from item
            if isinstance(item, BaseException):
                raise item
            yield item
            tick()
    finally:
        stopped.set()
        if producer.is_alive() and (executor := dataset._current_executor) is not None:
            # The producer may wait for a block that takes its time; Ray Data has no public way to cancel.
            executor.shutdown(force=True)
        producer.join(_STOP_SECONDS)


def _put(tables: queue.Queue[Any], item: Any, stopped: threading.Event) -> None:
    while not stopped.is_set():
        try:
            return tables.put(item, timeout=_TICK_SECONDS)
        except queue.Full:
            continue


def _prepare(dataset: Any, prepare: Callable[[Any], Any], tree: Tree) -> Any:
    """Let the author prepare the dataset.

    What is mapped over it in there travels by value, since workers do not know the tree.
    """
    import ray.cloudpickle

    ray.cloudpickle.register_pickle_by_value(sys.modules[tree.package])
    try:
        prepared = prepare(dataset)
    except Exception as error:
        raise errors.AuthorError(
            f"prepare failed: {errors.describe(error)}", errors.locate(error, tree.root)
        ) from error
    if not hasattr(prepared, "map_batches"):
        raise errors.AuthorError(f"prepare returned {type(prepared).__name__}, not the dataset: return ds")
    return prepared


def _quieten() -> None:
    """Keep Ray Data's own chatter out of the terminal; its log files keep it."""
    for name in ("ray.data", "ray.serve"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
