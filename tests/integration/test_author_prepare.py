"""An author's ``prepare`` that maps over the dataset, on real Ray."""

import time
from pathlib import Path

import pytest

from extractor_apis.run import DeadLetter, RunState
from extractor_runtime import errors
from extractor_runtime.batch import ingest
from support import archive_forms, author_archives, runs
from support.archives import make_zip

pytestmark = pytest.mark.integration


def run(tmp_path: Path, pipeline: str, core: str = archive_forms.CORE) -> RunState:
    files = {"manifest.py": archive_forms.FLAT, "pipeline.py": pipeline, "processors/core.py": core}
    admitted = author_archives.admit(make_zip(author_archives.wrap(files, "probe")), tmp_path)
    source = tmp_path / "objects.jsonl"
    source.write_text('{"id": "a", "text": "four"}\n{"id": "b", "text": "seven77"}\n')
    config = runs.make_config(
        admitted.tree,
        tmp_path / "store",
        manifest=admitted.manifest,
        top_folder=admitted.tree.top_folder,
        source=str(source),
        run_id=f"run-{time.time_ns()}",
        cpus=2,
    )
    return ingest.run(config)


def test_the_builders_prepare_gives_the_steps_the_column_that_they_read(tmp_path: Path) -> None:
    pipeline = archive_forms.STEPS["a builder"].replace("InputFieldType.TEXT", "InputFieldType.PDF")
    core = archive_forms.CORE.replace('batch["text"]', 'batch["pdf"]')

    state = run(tmp_path, pipeline, core)

    assert (state.documents, state.dead_letters) == (2, 0)


def test_a_prepare_that_raises_in_a_task_is_told_with_the_authors_line(tmp_path: Path) -> None:
    pipeline = """
from processors.core import Config, Processor

def fail(batch):
    raise LookupError("no such region")

def build_steps(extractor_request, **kwargs):
    return {
        "steps": [Processor(Config())],
        "prepare": lambda ds: ds.map_batches(fail, batch_format="pandas"),
    }
"""

    with pytest.raises(errors.AuthorError) as caught:
        run(tmp_path, pipeline)

    assert str(caught.value) == "pipeline.py:5: prepare failed: LookupError: no such region"


def test_an_object_that_prepare_leaves_out_is_a_dead_letter(tmp_path: Path) -> None:
    pipeline = """
from processors.core import Config, Processor

def only_a(ds):
    return ds.map_batches(lambda batch: batch[batch["object_id"] == "a"], batch_format="pandas")

def build_steps(extractor_request, **kwargs):
    return {"steps": [Processor(Config())], "prepare": only_a}
"""

    state = run(tmp_path, pipeline)

    [letter] = (tmp_path / "store").glob("runs/*/dead-letters/*.jsonl")
    failed = DeadLetter.model_validate_json(letter.read_text())
    assert (state.documents, state.dead_letters) == (1, 1)
    assert (failed.object_id, failed.step, failed.location) == ("b", "prepare", "pipeline.py:4")
    assert failed.error.startswith("prepare returned no row of it: keep every object")
