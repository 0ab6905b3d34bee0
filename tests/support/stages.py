"""One actor's work without Ray: archives of small steps, run over a block."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from extractor_apis.run import RunConfig
from extractor_runtime.batch import author, notes, plan, rows
from extractor_runtime.batch.notes import NOTE, Failure, Measure
from extractor_runtime.batch.stage import StageActor, StageConfig
from extractor_runtime.loader import Tree
from support import runs

GOOD = "batch['vector'] = [[1.0, 2.0, 3.0, 4.0]] * len(batch)"


def pipeline(*bodies: str, head: str = "") -> dict[str, str]:
    """An archive whose steps are functions of a batch with the given bodies."""
    functions = "".join(
        f"def step_{index}(batch):\n    {body.replace(chr(10), chr(10) + '    ')}\n    return batch\n"
        for index, body in enumerate(bodies)
    )
    names = ", ".join(f"step_{index}" for index in range(len(bodies)))
    return {
        "pipeline.py": f"{head}\n{functions}\ndef build_steps(**kwargs):\n    return {{'steps': [{names}]}}\n"
    }


def actor(
    tree: Tree, config: RunConfig, steps: slice = slice(None), is_last: bool = True, threads: int = 1
) -> StageActor:
    built = author.build_pipeline(tree, config)
    resolved = plan.resolve_steps(built.steps, config.manifest.compute_profile)
    return StageActor(StageConfig(tree, config, tuple(resolved[steps]), is_last, threads))


def measures(table: pa.Table) -> list[Measure]:
    told = [notes.load(text) for text in table.column(NOTE).to_pylist() if text]
    return [note for note in told if isinstance(note, Measure)]


def run(
    tmp_path: Path, files: dict[str, str], texts: dict[str, str | None], threads: int = 1, **changes: Any
) -> tuple[list[dict[str, Any]], list[Failure]]:
    tree = runs.make_tree(tmp_path / "tree", files)
    config = runs.make_config(tree, tmp_path, **changes)
    block = rows.contract_table(runs.make_objects(texts), config)
    return split(actor(tree, config, threads=threads)(block))


def split(table: pa.Table) -> tuple[list[dict[str, Any]], list[Failure]]:
    records = table.to_pylist()
    told = [notes.load(record[NOTE]) for record in records if record[NOTE]]
    failures = [note for note in told if isinstance(note, Failure)]
    return [record for record in records if not record[NOTE]], failures
