"""A batch run: a source's new and changed objects through the author's steps into a store.

`run` is the whole of it, and reads as its steps: learn the author's steps, see what is to do, do it on Ray,
publish. Until it publishes, readers see what they saw before; whatever stops it, the next run goes on from
the last checkpoint. `python -m extractor_runtime.batch --config FILE` is the same with a mounted file.
"""

import argparse
import concurrent.futures
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from extractor_apis import naming
from extractor_apis.errors import ExtractorError
from extractor_apis.run import RunConfig, RunPhase, RunState
from extractor_runtime import author, errors, plan, ray_data, rows, session, sources
from extractor_runtime.author import Pipeline
from extractor_runtime.deadline import AuthorThread
from extractor_runtime.loader import Tree
from extractor_runtime.progress import Progress
from extractor_runtime.rows import FAILURE, Failure
from extractor_stores import Store, Writer

# A source that is read this fast may turn out to have nothing new: then Ray need not start at all.
_HEAD_START_SECONDS = 0.5


@dataclass(frozen=True)
class Todo:
    """What a source holds now, and which of it this run takes."""

    revisions: dict[str, str]
    """Revision of every object of the source, by object id."""
    objects: pa.Table
    """The new and changed ones, with the contract's columns."""


def run(
    config: RunConfig,
    *,
    mongodb_uri: str | None = None,
    on_state: Callable[[RunState], None] = lambda state: None,
) -> RunState:
    """Run one extractor version over one source, and publish what it made.

    Takes only objects that no earlier run has done with the same artifact and parameters. Raises
    ExtractorError when the run as a whole fails; rows that fail alone become dead letters, until the error
    budget is spent.
    """
    store = Store.open(Path(config.store), create=True, mongodb_uri=mongodb_uri)
    with store.lock(config.run_id):
        progress = Progress(config.run_id, store.run_folder(config.run_id), on_state)
        try:
            _run(config, store, progress)
        except KeyboardInterrupt:
            progress.enter(RunPhase.INTERRUPTED, "interrupted; run again to go on from the last checkpoint")
            raise
        except Exception as error:
            progress.enter(
                RunPhase.FAILED, str(error) if isinstance(error, ExtractorError) else errors.describe(error)
            )
            raise
        return progress.state


def _run(config: RunConfig, store: Store, progress: Progress) -> None:
    source = sources.open_source(config.source, mappings=config.manifest.input_mappings)
    tree = Tree(Path(config.tree), config.artifact_digest, config.top_folder)
    pipeline = AuthorThread(tree.root).call(
        author.build_pipeline, tree, config, seconds=config.batch_timeout, what="the pipeline"
    )
    writer = store.writer(config.collection, config.manifest, config.artifact_digest)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_read, source, writer, config)
        concurrent.futures.wait([reading], timeout=_HEAD_START_SECONDS)
        if not reading.done() or reading.result().objects.num_rows:
            with session.local(cpus=config.cpus, logs=store.run_folder(config.run_id) / "logs") as cpus:
                todo = reading.result()
                progress.begin(len(todo.revisions), todo.objects.num_rows)
                _ingest(config, tree, pipeline, todo, writer, source.uri, cpus, progress)
        todo = reading.result()
    progress.begin(len(todo.revisions), todo.objects.num_rows)
    progress.enter(RunPhase.PUBLISHING)
    record = writer.publish(
        source=source.uri, current=todo.revisions, failed=progress.failed_objects, run_id=config.run_id
    )
    progress.complete(record)


def _read(source: sources.Source, writer: Writer, config: RunConfig) -> Todo:
    """Read the whole source, so that a broken line in the middle fails before anything is computed."""
    known = writer.known(source.uri)
    parameters = json.dumps(config.parameters, sort_keys=True)
    revisions: dict[str, str] = {}
    todo = []
    for objects in source.read():
        ids = objects.column("object_id").to_pylist()
        hashes = objects.column("content_hash").to_pylist()
        wanted = []
        for object_id, content_hash in zip(ids, hashes, strict=True):
            revision = naming.stable_hash(content_hash, config.artifact_digest, parameters)
            revisions[object_id] = revision
            wanted.append(known.get(object_id) != revision)
        todo.append(rows.contract_table(objects.filter(pa.array(wanted, pa.bool_())), config))
    if not revisions:
        raise errors.RunError(f"{source.uri} holds no objects: nothing to do, and nothing was changed")
    return Todo(revisions, pa.concat_tables(todo, promote_options="default"))


def _ingest(
    config: RunConfig,
    tree: Tree,
    pipeline: Pipeline,
    todo: Todo,
    writer: Writer,
    source: str,
    cpus: int,
    progress: Progress,
) -> None:
    total = todo.objects.num_rows
    if not total:
        return
    steps = plan.resolve_steps(pipeline.steps, config.manifest.compute_profile)
    stages = plan.plan_stages(steps, rows=total, cpus=cpus, gpus=ray_data.gpus())
    dataset = ray_data.build(tree, config, stages, todo.objects, pipeline.prepare)
    progress.enter(RunPhase.RUNNING)
    try:
        for table in ray_data.results(dataset, progress.tick):
            done, failures = _split(table)
            progress.record_failures(failures)
            fatal = next((failure for failure in failures if failure.fatal), None)
            if fatal is not None:
                raise errors.AuthorError(fatal.error, fatal.location)
            if config.error_budget.is_spent(len(progress.failed_objects), total):
                raise errors.RunError(_budget_message(progress, config, total))
            writer.add(_store_rows(done, source, todo.revisions))
            progress.advance(done.column("object_id").to_pylist())
    finally:
        # Also on the way out of a failure or Ctrl-C: what was computed is kept for the next run.
        writer.flush()
    if progress.state.documents == 0:
        raise errors.RunError(
            f"no document was written: {progress.first_failure or 'the pipeline returned no rows'}"
        )
    missing = total - progress.state.objects_done
    if missing:
        raise errors.RunError(f"{missing} of {total} objects never came back from the pipeline; run again")


def _split(table: pa.Table) -> tuple[pa.Table, list[Failure]]:
    failed = pc.is_valid(table.column(FAILURE))
    failures = [Failure.load(text) for text in table.filter(failed).column(FAILURE).to_pylist()]
    return table.filter(pc.invert(failed)).drop_columns([FAILURE]), failures


def _store_rows(table: pa.Table, source: str, revisions: dict[str, str]) -> pa.Table:
    object_ids = table.column("object_id").to_pylist()
    return table.append_column("source", pa.array([source] * len(object_ids), pa.string())).append_column(
        "revision", pa.array([revisions[object_id] for object_id in object_ids], pa.string())
    )


def _budget_message(progress: Progress, config: RunConfig, total: int) -> str:
    budget = config.error_budget
    return (
        f"{len(progress.failed_objects)} of {total} objects failed, more than the error budget of "
        f"{max(budget.count, int(budget.share * total))}; the first: {progress.first_failure}; "
        f"all are in {progress.dead_letters}"
    )


def main() -> None:
    """Run the config file that is given; exit 1 with one line on stderr when the run fails."""
    parser = argparse.ArgumentParser(prog="python -m extractor_runtime.batch", description=run.__doc__)
    parser.add_argument("--config", type=Path, required=True, help="a RunConfig as JSON")
    config = RunConfig.model_validate_json(parser.parse_args().config.read_bytes())
    try:
        state = run(config, mongodb_uri=os.environ.get("MONGODB_URI"))
    except ExtractorError as error:
        sys.exit(f"extractor: {error}")
    print(state.model_dump_json())


if __name__ == "__main__":
    main()
