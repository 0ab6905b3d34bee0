"""A batch run: a source's new and changed objects through the author's steps into a store.

`run` is the whole of it, and reads as its steps: learn the author's steps, see what is to do, do it on Ray,
publish. Until it publishes, readers see what they saw before; whatever stops it, the next run goes on from
the last checkpoint. `python -m extractor_runtime.batch --config FILE` is the same with a mounted file.
"""

import concurrent.futures
import contextlib
import functools
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from extractor_apis import naming
from extractor_apis.errors import ExtractorError
from extractor_apis.run import RunConfig, RunPhase, RunState
from extractor_runtime import errors, session, sources
from extractor_runtime.batch import author, dead_letters, notes, plan, ray_data, rows
from extractor_runtime.batch.author import Pipeline
from extractor_runtime.batch.notes import NOTE, Failure, Note
from extractor_runtime.batch.progress import Progress
from extractor_runtime.deadline import AuthorThread
from extractor_runtime.loader import Tree
from extractor_runtime.sources import credentials
from extractor_stores import Store, Thresholds, Writer

# A source that is read this fast may turn out to have nothing new: then Ray need not start at all.
_HEAD_START_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """What a source holds now, and which of it this run takes."""

    writer: Writer
    total: int
    """Objects of the source."""
    objects: pa.Table
    """The new and changed ones, with the contract's columns."""

    @functools.cached_property
    def images(self) -> frozenset[str]:
        """The ids of those that are images."""
        is_image = pc.starts_with(self.objects.column("mime_type"), "image/")
        return frozenset(self.objects.filter(is_image).column("object_id").to_pylist())


def run(
    config: RunConfig,
    *,
    mongodb_uri: str | None = None,
    in_cluster: bool = False,
    on_state: Callable[[RunState], None] = lambda state: None,
    on_step: Callable[[str], None] = lambda step: None,
) -> RunState:
    """Run one extractor version over one source, and publish what it made.

    Takes only objects that no earlier run has done with the same artifact and parameters. Raises
    ExtractorError when the run as a whole fails; objects that fail alone become dead letters, until the error
    budget is spent. Ray is started on this machine, unless this process is ``in_cluster`` as its driver.
    ``on_state`` is told how far the run is, ``on_step`` the name of each step before it.
    """
    with (
        Store.open(Path(config.store), create=True, mongodb_uri=mongodb_uri) as store,
        store.lock(config.collection, config.run_id),
    ):
        progress = Progress(config, store.layout.run(config.run_id), on_state)
        try:
            _run(config, store, progress, in_cluster, on_step)
        except KeyboardInterrupt:
            progress.enter(RunPhase.INTERRUPTED, "interrupted; run again to go on from the last checkpoint")
            raise
        except Exception as error:
            message = str(error) if isinstance(error, ExtractorError) else errors.describe(error)
            progress.enter(RunPhase.FAILED, message)
            raise
        return progress.state


def _run(
    config: RunConfig,
    store: Store,
    progress: Progress,
    in_cluster: bool,
    on_step: Callable[[str], None],
) -> None:
    on_step("read_source")
    if config.source_credentials is not None:
        credentials.use(config.source_credentials)
    manifest = config.manifest
    source = sources.open_source(config.source, mappings=manifest.input_mappings, names=manifest.input_names)
    environment = Path(config.environment) if config.environment else None
    tree = Tree(Path(config.tree), config.artifact_digest, config.top_folder, environment)
    with contextlib.closing(AuthorThread(tree.root)) as thread:
        pipeline = thread.call(
            author.build_pipeline, tree, config, seconds=config.batch_timeout, what="the pipeline"
        )
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_read, source, store, config, on_step)
        concurrent.futures.wait([reading], timeout=_HEAD_START_SECONDS)
        if not reading.done() or reading.result().objects.num_rows:
            on_step("start_ray")
            logs = store.layout.run(config.run_id) / "logs"
            ray = session.joined(logs=logs) if in_cluster else session.local(cpus=config.cpus, logs=logs)
            with ray as cpus:
                _ingest(config, tree, pipeline, reading.result(), cpus, progress, on_step)
        job = reading.result()
    progress.begin(job.total, job.objects.num_rows)
    progress.enter(RunPhase.PUBLISHING)
    progress.complete(job.writer.publish())


def _read(source: sources.Source, store: Store, config: RunConfig, on_step: Callable[[str], None]) -> Job:
    """Read the whole source, so that a broken line in the middle fails before anything is computed."""
    parameters = json.dumps(config.parameters, sort_keys=True)
    tables = list(source.read())
    revisions = {
        object_id: naming.stable_hash(content_hash, config.artifact_digest, parameters)
        for table in tables
        for object_id, content_hash in zip(
            table.column("object_id").to_pylist(), table.column("content_hash").to_pylist(), strict=True
        )
    }
    if not revisions:
        raise errors.RunError(f"{source.uri} holds no objects: nothing to do, and nothing was changed")
    retried = None if config.retry_failed_of is None else dead_letters.read(store, config.retry_failed_of)
    writer = Writer(
        store,
        collection=config.collection,
        manifest=config.manifest,
        artifact_digest=config.artifact_digest,
        source=source.uri,
        current=revisions,
        only=retried,
        thresholds=Thresholds(seconds=config.checkpoint_seconds),
        on_step=on_step,
    )
    objects = pa.concat_tables(tables, promote_options="default")
    wanted = [object_id in writer.todo for object_id in objects.column("object_id").to_pylist()]
    todo = objects.filter(pa.array(wanted, pa.bool_()))
    return Job(writer, len(revisions), rows.contract_table(todo, config))


def _ingest(
    config: RunConfig,
    tree: Tree,
    pipeline: Pipeline,
    job: Job,
    cpus: int,
    progress: Progress,
    on_step: Callable[[str], None],
) -> None:
    total = job.objects.num_rows
    progress.begin(job.total, total)
    if not total:
        return
    if not (nodes := ray_data.nodes()):
        raise errors.RunError("the cluster has no processors to run the steps on: give it a worker")
    steps = plan.resolve_steps(pipeline.steps, config.manifest.compute_profile)
    stages = plan.plan_stages(steps, rows=total, cpus=cpus, gpus=ray_data.gpus(), nodes=nodes)
    progress.plan(steps)
    progress.enter(RunPhase.RUNNING)
    try:
        try:
            tables = ray_data.run(tree, config, stages, job.objects, pipeline.prepare, progress.tick)
            _take(tables, config, job, progress, on_step)
        except errors.WorkerDied:
            rest = _rest(job, progress)
            progress.tell(
                f"a worker process died: the {rest.num_rows} objects that had not come back are done again, "
                "in processes that may die"
            )
            tables = ray_data.run_carefully(tree, config, stages, rest, pipeline.prepare, progress.tick)
            _take(tables, config, job, progress, on_step)
    finally:
        # Also on the way out of a failure or Ctrl-C: what was computed is kept for the next run.
        job.writer.flush()
    if progress.state.documents == 0:
        reason = progress.first_failure or "the pipeline returned no rows"
        raise errors.RunError(f"no document was written: {reason}")
    if missing := total - progress.state.objects_done:
        raise errors.RunError(f"{missing} of {total} objects never came back from the pipeline; run again")


def _take(
    tables: Generator[pa.Table, None, None],
    config: RunConfig,
    job: Job,
    progress: Progress,
    on_step: Callable[[str], None],
) -> None:
    """Write what comes back, until the error budget is spent."""
    total = job.objects.num_rows
    # Closed here, and not when somebody lets go of it: Ray may be gone by then.
    with contextlib.closing(tables):
        for table in tables:
            on_step("take_block")
            done, told = _split(table)
            progress.record(told)
            failures = [note for note in told if isinstance(note, Failure)]
            fatal = next((failure for failure in failures if failure.fatal), None)
            if fatal is not None:
                raise errors.AuthorError(fatal.error, fatal.location)
            # Before their rows: a kill in between must not make a failed object a done one.
            job.writer.fail({failure.object_id for failure in failures})
            job.writer.add(done)
            object_ids = done.column("object_id").to_pylist()
            progress.advance(object_ids, images=len(job.images.intersection(object_ids)))
            if config.error_budget.is_spent(len(progress.failed_objects), total):
                raise errors.RunError(_budget_message(progress, config, total))


def _split(table: pa.Table) -> tuple[pa.Table, list[Note]]:
    carries = pc.is_valid(table.column(NOTE))
    told = [notes.load(text) for text in table.filter(carries).column(NOTE).to_pylist()]
    return table.filter(pc.invert(carries)).drop_columns([NOTE]), told


def _rest(job: Job, progress: Progress) -> pa.Table:
    """The objects that have not come back."""
    object_ids = job.objects.column("object_id").to_pylist()
    return job.objects.filter(pa.array([not progress.is_done(object_id) for object_id in object_ids]))


def _budget_message(progress: Progress, config: RunConfig, total: int) -> str:
    budget = config.error_budget
    return (
        f"{len(progress.failed_objects)} of {total} objects failed, more than the error budget of "
        f"{max(budget.count, int(budget.share * total))}; the first: {progress.first_failure}; "
        f"all are in {progress.dead_letters}"
    )
