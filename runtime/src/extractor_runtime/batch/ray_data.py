"""The Ray Data pipeline of a run: blocks in, stages of actors, tables out.

The settings that matter are here, each with its reason; everything that decides is in `plan`.
"""

import logging
import math
import warnings
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pyarrow as pa

from extractor_apis.run import RunConfig
from extractor_runtime.batch import output, plan, prepare, results
from extractor_runtime.batch.careful import CarefulActor
from extractor_runtime.batch.notes import Failure
from extractor_runtime.batch.plan import Stage
from extractor_runtime.batch.prepare import Prepare
from extractor_runtime.batch.stage import StageActor, StageConfig
from extractor_runtime.loader import Tree


def gpus() -> float:
    """Count the GPUs that Ray sees."""
    import ray

    return float(ray.cluster_resources().get("GPU", 0))


def nodes() -> int:
    """Count the machines that have processors for steps."""
    import ray

    return sum(1 for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU"))


def run(
    tree: Tree,
    config: RunConfig,
    stages: Sequence[Stage],
    objects: pa.Table,
    preparing: Prepare | None,
    tick: Callable[[], None],
) -> Generator[pa.Table, None, None]:
    """Run every stage over the objects, and yield tables as they come (`results.stream`)."""
    size = plan.block_rows(stages, objects.num_rows)
    blocks = math.ceil(objects.num_rows / size)
    dataset, left_out = dataset_of(tree, config, objects, size, preparing, tick)
    for index, stage in enumerate(stages):
        actor = StageConfig(
            tree, config, stage.steps, is_last=index == len(stages) - 1, threads=stage.threads
        )
        actors = min(stage.actors, blocks)
        dataset = _map(dataset, stage, actors, _batch_format(stages, index), StageActor, actor)
    silence = plan.silence_seconds(stages, size, config.batch_timeout)
    return _told(left_out, config, results.stream(dataset, tick, silence))


def run_carefully(
    tree: Tree,
    config: RunConfig,
    stages: Sequence[Stage],
    objects: pa.Table,
    preparing: Prepare | None,
    tick: Callable[[], None],
) -> Generator[pa.Table, None, None]:
    """Do the same in processes that may die: what kills them fails alone."""
    if not objects.num_rows:
        return  # The worker died when everything had come back.
    stage = plan.plan_carefully(stages)
    size = plan.careful_rows(stage)
    actors = min(stage.actors, math.ceil(objects.num_rows / size))
    dataset, left_out = dataset_of(tree, config, objects, size, preparing, tick)
    actor = StageConfig(tree, config, stage.steps, is_last=True, threads=stage.threads)
    dataset = _map(dataset, stage, actors, "pyarrow", CarefulActor, actor, actors)
    # Every row may be tried alone, after the halves that it was in.
    silence = 3 * size * plan.silence_seconds([stage], size, config.batch_timeout)
    yield from _told(left_out, config, results.stream(dataset, tick, silence))


def dataset_of(
    tree: Tree,
    config: RunConfig,
    objects: pa.Table,
    size: int,
    preparing: Prepare | None,
    tick: Callable[[], None],
) -> tuple[Any, list[Failure]]:
    """Make the dataset that the steps get, and name the objects that the author's `prepare` left out."""
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
    if preparing is None:
        return dataset, []
    return prepare.run(
        dataset,
        objects.column("object_id").to_pylist(),
        preparing,
        tree,
        tick,
        seconds=config.batch_timeout,
        silence=plan.prepare_seconds(math.ceil(objects.num_rows / size), config.batch_timeout),
    )


def _told(
    failures: Sequence[Failure], config: RunConfig, tables: Generator[pa.Table, None, None]
) -> Generator[pa.Table, None, None]:
    """Tell of failures before the tables that come."""
    if failures:
        yield output.Output(config).notes(failures)
    yield from tables


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
