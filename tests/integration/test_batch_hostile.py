"""Batch runs over objects that do all they can to end them."""

import json
from pathlib import Path

import pytest

from extractor_apis.naming import FeatureURI
from extractor_apis.run import RunPhase, RunState
from extractor_runtime import errors
from extractor_stores import Store, search
from support import runs
from support.batch_scenes import Scene, documents

pytestmark = pytest.mark.integration

URI = FeatureURI("probe", "1.0.0", "vector")


HOSTILE = """
import ctypes, os, signal, sys
from engine.plugins.extractors.pipeline import ResourceType, StepDefinition
from extractor_runtime import usage


class Mute(Exception):
    def __str__(self):
        return str(1 / 0)


def act(text):
    if text == "exits":
        print("last words", flush=True)
        os._exit(3)
    if text == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "crashes":
        ctypes.string_at(0)
    if text == "quits":
        sys.exit(4)
    if text == "mute":
        raise Mute
    if text == "forks":
        os.fork()
    if text == "prints":
        print("noise " * 4_000_000)


def read(batch):
    for text in batch["data"]:
        act(text)
    batch = batch[batch["data"] != "drops"]
    return batch.iloc[::-1]


class Ask:
    def __init__(self, config, progress_actor=None):
        pass

    async def __call__(self, batch):
        usage.record(requests=len(batch), input_tokens=10 * len(batch))
        batch["text"] = batch["data"]
        batch["vector"] = [[float(len(text)), 1.0, 1.0, 1.0] for text in batch["data"]]
        return batch


def build_steps(extractor_request, container):
    return {"steps": [read, [StepDefinition(Ask, ResourceType.API, condition="is_text", concurrency=2)]]}
"""


PASSED = {"passed": "https://example.invalid/paper.pdf"}
"""An object that the step with the vectors does not want."""


@pytest.fixture(scope="module")
def survived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Scene, RunState]:
    """A run over objects that do everything they can to end it."""
    scene = Scene(tmp_path_factory.mktemp("hostile"), HOSTILE)
    bad = ["exits", "killed", "crashes", "quits", "mute", "forks", "prints", "drops"]
    scene.write({**{f"o{number}": "fine" for number in range(30)}, **{text: text for text in bad}, **PASSED})
    manifest = runs.make_manifest(
        compute_profile={"batch_size": 4}, cost_rates=[{"unit": "extraction", "credits_per_unit": 2}]
    )
    return scene, scene.run(manifest=manifest)


def test_objects_that_end_their_process_fail_alone_and_say_how(survived: tuple[Scene, RunState]) -> None:
    scene, state = survived

    [file] = scene.store.glob("runs/*/dead-letters/*.jsonl")
    letters = [json.loads(line) for line in file.read_text().splitlines()]
    assert {letter["object_id"]: (letter["error"], letter["location"]) for letter in letters} == {
        "exits": ("the process died in step read: exit code 3", "pipeline.py:30"),
        "killed": ("the process died in step read: SIGKILL (out of memory?)", "pipeline.py:30"),
        "crashes": ("the process died in step read: SIGSEGV", "pipeline.py:19"),
        "quits": ("RuntimeError: the code raised SystemExit: 4", "pipeline.py:21"),
        "mute": ("Mute: (its message cannot be read: __str__ raised ZeroDivisionError)", "pipeline.py:23"),
        "drops": ("step read returned 0 of its 1 rows", "pipeline.py:30"),
    }
    assert (state.phase, state.objects_done, state.documents) == (RunPhase.COMPLETED, 39, 33)


def test_an_object_that_no_step_wants_is_a_document_that_no_search_finds(
    survived: tuple[Scene, RunState],
) -> None:
    scene, _ = survived

    with Store.open(scene.store, create=False) as store:
        hits = search(store, URI, [4.0, 1.0, 1.0, 1.0], limit=100)

    assert len(hits) == 32
    assert "passed" not in {hit.object_id for hit in hits}
    assert [vector for _, _, vector in documents(scene.store)].count(None) == 1


def test_logs_have_the_last_words_and_are_bounded(survived: tuple[Scene, RunState]) -> None:
    logs = list(survived[0].store.glob("runs/*/logs/worker-*"))

    assert any(b"last words" in file.read_bytes() for file in logs)
    assert any(b"bytes are left out here" in file.read_bytes() for file in logs)
    assert max(file.stat().st_size for file in logs) < 3 << 20


def test_the_state_says_what_each_step_took_and_what_was_consumed(survived: tuple[Scene, RunState]) -> None:
    _, state = survived

    read, ask = state.steps
    assert (read.name, read.resource, ask.name, ask.resource) == ("read", "cpu", "Ask", "api")
    assert ask.rows == 32
    assert min(read.seconds, ask.seconds, read.peak_memory_bytes, ask.create_seconds) > 0
    assert (state.usage.requests, state.usage.input_tokens) == (32, 320)
    assert (state.usage.units["extraction"], state.usage.credits) == (33, 66)


def test_a_pipeline_that_kills_every_worker_ends_the_run(tmp_path: Path) -> None:
    scene = Scene(
        tmp_path,
        "import os\nclass Step:\n    def __init__(self, config):\n        os._exit(3)\n"
        "def build_steps():\n"
        "    from engine.plugins.extractors.pipeline import StepDefinition\n"
        "    return {'steps': [StepDefinition(Step)]}",
    )
    scene.write({"a": "x"})

    with pytest.raises(
        errors.AuthorError,
        match="the process died 2 times while the pipeline's steps were created: exit code 3",
    ):
        scene.run()
