"""The Ray Data pipeline of a run: blocks in, stages of actors, tables out.

The settings that matter are here, each with its reason; everything that decides is in `plan`.
"""

import logging
import math
import queue
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pyarrow as pa

from extractor_apis.run import RunConfig
from extractor_runtime import errors, redaction
from extractor_runtime.batch import plan
from extractor_runtime.batch.careful import CarefulActor
from extractor_runtime.batch.plan import Stage
from extractor_runtime.batch.stage import StageActor, StageConfig
from extractor_runtime.loader import Tree

_TICK_SECONDS = 1.0
_STOP_SECONDS = 10.0
_BUFFERED_TABLES = 4


def gpus() -> float:
    """Count the GPUs that Ray sees."""
    import ray

    return float(ray.cluster_resources().get("GPU", 0))


def run(
    tree: Tree,
    config: RunConfig,
    stages: Sequence[Stage],
    objects: pa.Table,
    prepare: Callable[[Any], Any] | None,
    tick: Callable[[], None],
) -> Generator[pa.Table, None, None]:
    """Run every stage over the objects, and yield tables as they come.

    Calls ``tick`` about once a second, also while none comes. Raises WorkerDied when a worker process dies,
    and RunError when Ray stops working.
    """
    size = plan.block_rows(stages, objects.num_rows)
    blocks = math.ceil(objects.num_rows / size)
    dataset = _dataset(objects, size, prepare, tree)
    for index, stage in enumerate(stages):
        actor = StageConfig(
            tree, config, stage.steps, is_last=index == len(stages) - 1, threads=stage.threads
        )
        actors = min(stage.actors, blocks)
        dataset = _map(dataset, stage, actors, _batch_format(stages, index), StageActor, actor)
    silence = plan.silence_seconds(stages, size, config.batch_timeout)
    return results(dataset, tick, silence)


def run_carefully(
    tree: Tree,
    config: RunConfig,
    stages: Sequence[Stage],
    objects: pa.Table,
    prepare: Callable[[Any], Any] | None,
    tick: Callable[[], None],
) -> Generator[pa.Table, None, None]:
    """Do the same in processes that may die: what kills them fails alone."""
    stage = plan.plan_carefully(stages)
    size = plan.careful_rows(stage)
    actors = min(stage.actors, math.ceil(objects.num_rows / size))
    dataset = _dataset(objects, size, prepare, tree)
    actor = StageConfig(tree, config, stage.steps, is_last=True, threads=stage.threads)
    dataset = _map(dataset, stage, actors, "pyarrow", CarefulActor, actor, actors)
    # Every row may be tried alone, after the halves that it was in.
    silence = 3 * size * plan.silence_seconds([stage], size, config.batch_timeout)
    return results(dataset, tick, silence)


def results(
    dataset: Any, tick: Callable[[], None], silence: float, *, every: float = _TICK_SECONDS
) -> Generator[pa.Table, None, None]:
    """Execute a dataset and yield its tables; what `run` does after it has made one.

    Raises RunError when nothing has come for ``silence`` seconds.
    """
    import ray

    deaths = (
        ray.exceptions.RayActorError,
        ray.exceptions.WorkerCrashedError,
        ray.exceptions.OutOfMemoryError,
    )
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
    heard = time.monotonic()
    try:
        while True:
            try:
                item = tables.get(timeout=every)
            except queue.Empty:
                tick()
                if time.monotonic() - heard > silence:
                    raise errors.RunError(
                        f"nothing came back from Ray for {silence:g} s: it may lack the processors or GPUs "
                        "that the steps ask for; its log is in the run's logs folder"
                    ) from None
                continue
            if item is None:
                return
            if isinstance(item, deaths):
                raise errors.WorkerDied(
                    "a process that ran the extractor's steps died (out of memory, or a crash in native "
                    "code); its last words are in the run's logs folder"
                ) from item
            if isinstance(item, BaseException):
                raise item
            yield item
            tick()
            heard = time.monotonic()
    finally:
        stopped.set()
        if producer.is_alive() and (executor := dataset._current_executor) is not None:
            # The producer may wait for a block that takes its time; Ray Data has no public way to cancel.
            executor.shutdown(force=True)
        producer.join(_STOP_SECONDS)


def _dataset(objects: pa.Table, size: int, prepare: Callable[[Any], Any] | None, tree: Tree) -> Any:
    import ray.data

    _quieten()
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    # Results are stored by id: waiting for them in order would only hold finished blocks back.
    context.execution_options.preserve_order = False
    # A split block would tear an object's passages apart, and their ordinals are counted within a block.
    context.target_max_block_size = None
    # An actor that dies while it is made is a death like any other.
    context.max_consecutive_actor_init_deaths = 0
    objects = objects.combine_chunks()
    # from_blocks and not from_arrow: the latter starts remote tasks to learn what we know already (1 to 4 s).
    dataset = ray.data.from_blocks([objects.slice(start, size) for start in range(0, objects.num_rows, size)])
    return dataset if prepare is None else _prepare(dataset, prepare, tree)


def _map(dataset: Any, stage: Stage, actors: int, batch_format: str, actor: type, *arguments: Any) -> Any:
    import ray.data

    with warnings.catch_warnings():
        # Ray 2.60 warns of max_restarts as a keyword of map_batches and has no other place for it yet.
        warnings.simplefilter("ignore", DeprecationWarning)
        return dataset.map_batches(
            actor,
            fn_constructor_args=arguments,
            batch_size=None,
            batch_format=batch_format,
            zero_copy_batch=True,
            compute=ray.data.ActorPoolStrategy(size=actors),
            num_cpus=stage.cpus,
            num_gpus=stage.gpus or None,
            udf_modifying_row_count=True,
            # By default an actor that dies is restarted for ever, and its block with it: `run_carefully` does
            # better, at once.
            max_restarts=0,
            max_task_retries=0,
        )


def _batch_format(stages: Sequence[Stage], index: int) -> str:
    """Take blocks as the stage before has made them."""
    before = stages[index - 1].steps[-1].batch_format if index else "pyarrow"
    return "pandas" if before == "pandas" else "pyarrow"


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
    import ray.data
    import ray.exceptions

    ray.cloudpickle.register_pickle_by_value(sys.modules[tree.package])
    try:
        prepared = prepare(dataset)
        if prepared is not dataset and isinstance(prepared, ray.data.Dataset):
            # Before there are actors: they reserve every processor, and tasks would wait for ever.
            prepared = prepared.materialize()
    except ray.exceptions.RayTaskError as error:
        raise _task_error(str(error), tree) from None
    except Exception as error:
        raise errors.AuthorError(
            f"prepare failed: {errors.describe(error)}", errors.locate(error, tree.root)
        ) from error
    if not isinstance(prepared, ray.data.Dataset):
        raise errors.AuthorError(f"prepare returned {type(prepared).__name__}, not the dataset: return ds")
    return prepared


def _task_error(trace: str, tree: Tree) -> errors.AuthorError:
    """Say what the author's code raised in a task of Ray's, which keeps nothing of it but the text."""
    frames: list[tuple[str, int | None]] = [
        (file, int(line)) for file, line in re.findall(r'File "([^"]+)", line (\d+)', trace)
    ]
    raised = re.search(r"^(?!ray::)[A-Za-z_][\w.]*(?::.*)?$", trace, re.MULTILINE)
    message = redaction.redact(raised[0] if raised else trace)[:500]
    return errors.AuthorError(f"prepare failed: {message}", errors.innermost(frames, tree.root))


def _quieten() -> None:
    """Keep Ray Data's own chatter out of the terminal; its log file keeps what went wrong."""
    for name in ("ray.data", "ray.serve"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.ERROR)
        logger.propagate = False
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler):
                # What ends the run is told once, by us.
                handler.setLevel(logging.CRITICAL + 1)
