"""Batch runs that end before their time lose nothing, and leave nothing behind."""

import os
import shutil
import signal
import time
from pathlib import Path

import psutil
import pytest

from extractor_apis.run import RunPhase, RunState
from extractor_stores import Store
from support import runs
from support.batch_scenes import PIPELINE, TEXTS, Scene, documents

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """One clean run, to compare with."""
    scene = Scene(tmp_path_factory.mktemp("clean"))
    scene.write(TEXTS)
    scene.run()
    return scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    scene = Scene(tmp_path)
    scene.write(TEXTS)
    return scene


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
    with Store.open(scene.store, create=False) as store, store.lock("default", "next"):
        pass
