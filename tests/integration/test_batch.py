"""Whole batch runs on real Ray and real LanceDB."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from extractor_apis.naming import FeatureURI
from extractor_apis.run import ErrorBudget, RunConfig, RunPhase, RunState
from extractor_runtime import errors
from extractor_runtime.batch import ingest
from extractor_stores import Store, StoreBusy, search
from support import runs

pytestmark = pytest.mark.integration

TESTS = Path(__file__).parents[1]
URI = FeatureURI("probe", "1.0.0", "vector")

# Words become passages; 'poison' raises; the vector says which word it was.
PIPELINE = """
import tempfile
import zlib


def passages(batch):
    batch["text"] = [value.split() for value in batch["data"]]
    return batch.explode("text", ignore_index=True)


class Embed:
    def __call__(self, batch):
        tempfile.mkdtemp(prefix="test-batch-left-over-")
        if "poison" in set(batch["text"]):
            raise ValueError("poisoned")
        batch["vector"] = [vector(text) for text in batch["text"]]
        return batch


def vector(text):
    digest = zlib.crc32(text.encode())
    return [float(1 + (digest >> shift) % 256) for shift in (0, 8, 16, 24)]


def build_steps(extractor_request, **kwargs):
    return {"steps": [passages, Embed()], "prepare": lambda ds: ds}
"""


class Scene:
    """A source, an archive and a store in a folder."""

    def __init__(self, folder: Path, pipeline: str = PIPELINE) -> None:
        self.folder = folder
        self.source = folder / "objects.jsonl"
        self.store = folder / "store"
        self.tree = runs.make_tree(folder / "tree", {"pipeline.py": pipeline})

    def write(self, texts: dict[str, str]) -> None:
        self.source.write_text(
            "".join(json.dumps({"id": key, "text": text}) + "\n" for key, text in texts.items())
        )

    def config(self, **changes: Any) -> RunConfig:
        changes = {"run_id": f"run-{time.time_ns()}", "source": str(self.source), "cpus": 2, **changes}
        return runs.make_config(self.tree, changes.pop("store", self.store), **changes)

    def run(self, **changes: Any) -> RunState:
        return ingest.run(self.config(**changes))

    def start(self, *arguments: str, **changes: Any) -> subprocess.Popen[str]:
        """Start a run in a process of its own."""
        file = self.folder / "config.json"
        file.write_text(self.config(**changes).model_dump_json())
        command = [sys.executable, "-m", "support.batch_child", str(file), *arguments]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=TESTS,
            start_new_session=True,
        )

    def kill_at(self, step: str, nth: int = 1, **changes: Any) -> list[str]:
        """Let a run kill itself right before a step; return the steps it came to."""
        with self.start(step, str(nth), **changes) as child:
            steps, problems = child.communicate(timeout=120)
        assert child.returncode == -signal.SIGKILL, problems
        return steps.split()


def documents(store: Path) -> list[tuple[str, str, list[float]]]:
    """Every published document: id, text and vector; none twice."""
    from extractor_stores.rows import DOCUMENTS

    with Store.open(store, create=False) as opened:
        [record] = opened.records()
        rows = [
            row
            for batch in opened.published(record).scan(["document_id", "document", "vector"], DOCUMENTS)
            for row in batch.to_pylist()
        ]
    assert len({row["document_id"] for row in rows}) == len(rows) == record.documents
    return sorted(
        (row["document_id"], json.loads(row["document"]).get("text"), row["vector"]) for row in rows
    )


TEXTS = {f"o{number}": f"word{number} shared other{number % 5}" for number in range(30)}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One clean run, to compare with."""
    scene = Scene(tmp_path_factory.mktemp("clean"))
    scene.write(TEXTS)
    scene.run()
    return scene


def test_what_the_author_leaves_in_temporary_files_goes_with_the_run(clean: Scene) -> None:
    assert [path.name for path in Path(tempfile.gettempdir()).glob("test-batch-left-over-*")] == []


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.write(TEXTS)
    return scene


@pytest.fixture
def ran(clean: Scene, tmp_path: Path) -> Scene:
    """A store that a clean run has filled, from a source of its own."""
    scene = Scene(tmp_path)
    scene.tree, scene.source = clean.tree, clean.source
    shutil.copytree(clean.store, scene.store)
    return scene


def test_a_run_stores_every_passage_and_finds_it_again(clean: Scene) -> None:
    stored = documents(clean.store)

    with Store.open(clean.store, create=False) as store:
        [hit] = search(store, URI, next(vector for _, text, vector in stored if text == "word7"), limit=1)

    assert len(stored) == 90
    assert (hit.object_id, hit.document["text"], hit.score) == ("o7", "word7", pytest.approx(1.0))


def test_a_second_run_takes_nothing_and_starts_no_ray(ran: Scene) -> None:
    before = documents(ran.store)

    with ran.start() as child:
        out, problems = child.communicate(timeout=60)

    assert child.returncode == 0, problems
    state = RunState.model_validate_json(out.splitlines()[-1])
    assert (state.phase, state.objects_total, state.objects_todo) == (RunPhase.COMPLETED, 30, 0)
    assert "start_ray" not in out
    assert documents(ran.store) == before


def test_a_later_run_takes_what_is_new_or_changed_and_removes_what_is_gone(ran: Scene) -> None:
    texts = {**TEXTS, "o1": "changed", "new": "brand new"}
    del texts["o0"]
    ran.source = ran.folder / "objects.jsonl"
    shutil.rmtree(ran.store)
    ran.write(TEXTS)
    ran.run()
    ran.write(texts)

    state = ran.run()

    assert (state.objects_todo, state.objects_unchanged, state.documents) == (2, 28, 3)
    assert sorted(text for _, text, _ in documents(ran.store)) == sorted(
        word for text in texts.values() for word in text.split()
    )


@pytest.mark.parametrize(
    ("step", "nth", "want_todo"),
    [
        pytest.param("start_ray", 1, 30, id="before Ray"),
        pytest.param("commit_rows", 1, 30, id="before the first checkpoint"),
        pytest.param("take_block", 2, 26, id="after it"),
        pytest.param("commit_rows", 3, 22, id="before the third"),
    ],
)
def test_a_run_killed_while_it_computes_is_finished_by_the_next(
    scene: Scene, clean: Scene, step: str, nth: int, want_todo: int
) -> None:
    scene.kill_at(step, nth, checkpoint_seconds=0)

    state = scene.run()

    want = [(text, vector) for _, text, vector in documents(clean.store)]
    assert [(text, vector) for _, text, vector in documents(scene.store)] == want
    assert (state.phase, state.objects_todo) == (RunPhase.COMPLETED, want_todo)


def test_a_run_killed_at_any_step_of_publishing_is_finished_by_the_next(
    scene: Scene, clean: Scene, tmp_path: Path
) -> None:
    steps = scene.kill_at("note_stale_documents")
    computed = tmp_path / "computed"
    scene.store.rename(computed)
    shutil.copytree(computed, scene.store)
    with scene.start() as child:
        out, problems = child.communicate(timeout=60)
    assert child.returncode == 0, problems
    rest = [step for step in out.split("\n{")[0].splitlines() if step not in steps[:-1]]
    want = documents(clean.store)

    assert {"write_record", "move_pointer", "drop_checkpoint"} <= set(rest)
    for step in rest:
        shutil.rmtree(scene.store)
        shutil.copytree(computed, scene.store)
        scene.kill_at(step)
        state = scene.run()
        assert (state.phase, state.objects_todo) == (RunPhase.COMPLETED, 0), step
        assert documents(scene.store) == want, step


def test_an_interrupted_run_keeps_what_it_did_and_leaves_no_process(scene: Scene) -> None:
    scene.tree = runs.make_tree(
        scene.folder / "slow", {"pipeline.py": PIPELINE.replace("def passages(batch):", SLOWLY)}
    )
    with scene.start() as child:
        assert child.stdout is not None
        # The second block is taken when the first is with the writer.
        for _ in range(2):
            next(line for line in child.stdout if line.strip() == "take_block")
        processes = psutil.Process(child.pid).children(recursive=True)
        os.kill(child.pid, signal.SIGINT)
        _, problems = child.communicate(timeout=60)

    assert "KeyboardInterrupt" in problems
    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
    [state] = [
        RunState.model_validate_json(file.read_bytes()) for file in scene.store.glob("runs/*/state.json")
    ]
    assert state.phase is RunPhase.INTERRUPTED
    assert 0 < scene.run().objects_todo < 30


SLOWLY = "def passages(batch):\n    import time; time.sleep(0.5)"


def test_a_killed_run_leaves_no_process_and_no_lock(scene: Scene) -> None:
    with scene.start("take_block") as child:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == "start_ray":
                break
        time.sleep(3)
        processes = psutil.Process(child.pid).children(recursive=True)
        child.communicate(timeout=120)

    _, alive = psutil.wait_procs(processes, timeout=20)
    assert alive == []
    with Store.open(scene.store, create=False) as store, store.lock("next"):
        pass


def test_objects_that_fail_become_dead_letters_and_are_taken_again(scene: Scene) -> None:
    scene.write({**TEXTS, "bad": "fine poison fine"})

    state = scene.run()

    [letters] = scene.store.glob("runs/*/dead-letters/*.jsonl")
    [letter] = [json.loads(line) for line in letters.read_text().splitlines()]
    assert (state.phase, state.dead_letters, state.objects_failed) == (RunPhase.COMPLETED, 1, 1)
    assert (letter["object_id"], letter["location"], letter["error"]) == (
        "bad",
        "pipeline.py:15",
        "ValueError: poisoned",
    )
    scene.write({**TEXTS, "bad": "mended"})
    assert scene.run().objects_todo == 1


def test_a_run_fails_when_the_error_budget_is_spent(scene: Scene) -> None:
    scene.write({f"o{number}": "poison" if number % 2 else "fine" for number in range(30)})

    with pytest.raises(
        errors.RunError, match=r"objects failed, more than the error budget of 2; the first: object o"
    ):
        scene.run(error_budget=ErrorBudget(count=2, share=0))

    with Store.open(scene.store, create=False) as store:
        assert store.records() == []


@pytest.mark.parametrize(
    ("pipeline", "want"),
    [
        pytest.param(
            "import os\nraise ValueError('x')", "pipeline.py:2: pipeline.py does not import", id="no import"
        ),
        pytest.param(
            "__import__('time').sleep(900)",
            "pipeline.py:1: the pipeline did not return within 2 s",
            id="never imports",
        ),
        pytest.param("x = 1", "pipeline.py:1: define build_steps", id="no build_steps"),
        pytest.param(
            "def build_steps():\n    return 1 / 0", "pipeline.py:2: build_steps failed: Zero", id="raises"
        ),
        pytest.param(
            "def build_steps():\n    return {}", "pipeline.py:1: build_steps returned no steps", id="no steps"
        ),
    ],
)
def test_a_pipeline_that_cannot_be_built_fails_before_ray_starts(
    tmp_path: Path, pipeline: str, want: str
) -> None:
    scene = Scene(tmp_path, pipeline)
    scene.write(TEXTS)

    with pytest.raises(errors.AuthorError) as caught:
        scene.run(batch_timeout=2.0)

    assert str(caught.value).startswith(want)


def test_an_empty_source_changes_nothing(ran: Scene) -> None:
    before = documents(ran.store)
    ran.source = ran.folder / "empty.jsonl"
    ran.write({})

    with pytest.raises(errors.RunError, match="holds no objects"):
        ran.run()

    assert documents(ran.store) == before


# What a row's text says is what it does to the run.
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


def test_a_second_run_at_once_is_refused(ran: Scene) -> None:
    with (
        Store.open(ran.store, create=False) as store,
        store.lock("run-first"),
        pytest.raises(StoreBusy, match="run-first"),
    ):
        ran.run()
