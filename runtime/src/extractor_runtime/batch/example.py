"""A few objects through the author's steps, in this process: `python -m extractor_runtime.batch.example`.

For who wants to know what the batch half makes of an example, where a whole run would be too much: there is
neither Ray nor a store. Who starts it has the author's memory back when it ends.
"""

import argparse
import contextlib
import os
from pathlib import Path
from typing import Any

import pyarrow as pa

from extractor_apis.errors import ExtractorError
from extractor_apis.run import RunConfig
from extractor_runtime import errors, parent, session, sources
from extractor_runtime.batch import author, output, plan, prepare, ray_data, rows
from extractor_runtime.batch.author import Pipeline
from extractor_runtime.batch.notes import Failure
from extractor_runtime.batch.stage import StageActor, StageConfig
from extractor_runtime.deadline import AuthorThread
from extractor_runtime.loader import Tree


def main() -> None:
    """Run the config file's source, and write what came of it to a file as an Arrow stream."""
    parser = argparse.ArgumentParser(
        prog="python -m extractor_runtime.batch.example", description=main.__doc__
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="a RunConfig as JSON; its store is not used"
    )
    parser.add_argument("--out", type=Path, required=True, help="the file to write")
    parser.add_argument("--parent", type=int, required=True, help="the process that this one ends with")
    given = parser.parse_args()
    parent.die_with(given.parent)
    config = RunConfig.model_validate_json(given.config.read_bytes())
    try:
        table = run(config)
    except ExtractorError as error:
        location = error.location if isinstance(error, errors.AuthorError) else None
        message = error.message if isinstance(error, errors.AuthorError) else str(error)
        failure = Failure("", "pipeline", message, location, fatal=True)
        table = output.Output(config).notes([failure])
    with pa.OSFile(str(given.out), "wb") as file, pa.ipc.new_stream(file, table.schema) as writer:
        writer.write_table(table)
    # The author's code may have left threads that nobody waits for.
    os._exit(0)


def run(config: RunConfig) -> pa.Table:
    """Give what a run over the whole source would write, and what it would tell (`notes`), in one table.

    Raises ExtractorError when nothing can come of it.
    """
    tree = Tree(
        Path(config.tree),
        config.artifact_digest,
        config.top_folder,
        Path(config.environment) if config.environment else None,
    )
    manifest = config.manifest
    source = sources.open_source(config.source, mappings=manifest.input_mappings, names=manifest.input_names)
    with contextlib.closing(AuthorThread(tree.root)) as thread:
        pipeline = thread.call(
            author.build_pipeline, tree, config, seconds=config.batch_timeout, what="the pipeline"
        )
    objects = rows.contract_table(pa.concat_tables(source.read(), promote_options="default"), config)
    blocks, left_out = _prepared(objects, pipeline, tree, config)
    steps = plan.resolve_steps(pipeline.steps, manifest.compute_profile)
    stages = plan.plan_stages(steps, rows=objects.num_rows, cpus=1, gpus=0)
    stage = plan.plan_carefully(stages)
    actor = StageActor(StageConfig(tree, config, stage.steps, is_last=True, threads=stage.threads))
    made = [actor(block) for block in blocks]
    return pa.concat_tables([output.Output(config).notes(left_out), *made])


class _Untouched:
    """Stands for a dataset that can be handed back, and nothing else."""


def _prepared(
    objects: pa.Table, pipeline: Pipeline, tree: Tree, config: RunConfig
) -> tuple[list[pa.Table], list[Failure]]:
    if pipeline.prepare is None or _hands_back(pipeline.prepare, tree, config):
        return [objects], []
    # Only a real dataset will do: then Ray has to be started after all.
    with session.local(cpus=1):
        dataset, left_out = ray_data.dataset_of(
            tree, config, objects, objects.num_rows, pipeline.prepare, lambda: None
        )
        tables = list(dataset.iter_batches(batch_size=None, batch_format="pyarrow"))
    return [table for table in tables if table.num_rows], left_out


def _hands_back(function: prepare.Prepare, tree: Tree, config: RunConfig) -> bool:
    """Tell whether a ``prepare`` returns what it is given, as that of most archives does."""
    given: Any = _Untouched()
    with contextlib.closing(AuthorThread(tree.root)) as thread:
        try:
            return thread.call(function, given, seconds=config.batch_timeout, what="prepare") is given
        except errors.Overdue:
            raise
        except Exception:
            return False


if __name__ == "__main__":
    main()
