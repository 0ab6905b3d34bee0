"""Authors' code that ends its process, in a process of its own: which rows did it, and how they died."""

import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import psutil
import pyarrow as pa
import pytest

from extractor_runtime import errors
from extractor_runtime.batch import plan, rows
from extractor_runtime.batch.careful import CarefulActor
from extractor_runtime.batch.child import Child
from extractor_runtime.batch.notes import Failure
from extractor_runtime.batch.stage import StageConfig
from extractor_runtime.sdk.pipeline import ResourceType
from support import runs
from support.stages import GOOD, measures, split

pytestmark = pytest.mark.integration

# What a row's text says is what it does; everything else is kept from batch to batch.
PIPELINE = f"""
import ctypes, os, signal, sys

kept = []


def act(text):
    if text == "exit":
        os._exit(3)
    if text == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if text == "crash":
        ctypes.string_at(0)
    if text == "keep":
        kept.append(bytes(1 << 20))
        if len(kept) > 3:
            os._exit(9)


class Step:
    def __init__(self, config):
        pass

    def __call__(self, batch):
        for text in batch["data"]:
            act(text)
        {GOOD}
        return batch


def build_steps(**kwargs):
    from engine.plugins.extractors.pipeline import StepDefinition
    return {{"steps": [StepDefinition(Step)]}}
"""


Block = Callable[..., pa.Table]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Block]]:
    """Start an actor with an archive; it makes a block of texts, and of that what comes back."""
    with contextlib.ExitStack() as actors:

        def start(pipeline: str = PIPELINE, limit: int | None = None) -> Block:
            tree = runs.make_tree(tmp_path / "tree", {"pipeline.py": pipeline})
            config = runs.make_config(tree, tmp_path)
            step = plan.Step(0, "Step", ResourceType.CPU, 4, None)
            actor = CarefulActor(StageConfig(tree, config, (step,), is_last=True), memory_limit=limit)
            actors.callback(actor.close)

            def run(*texts: str) -> pa.Table:
                objects = runs.make_objects({f"o{number}": text for number, text in enumerate(texts)})
                return actor(rows.contract_table(objects, config))

            return run

        yield start


def test_the_rows_that_kill_their_process_fail_alone_and_say_how(start: Callable[..., Block]) -> None:
    run = start()

    table = run("fine", "crash", "fine", "exit", "fine", "kill", "fine", "fine")

    done, failures = split(table)
    assert sorted(row["object_id"] for row in done) == ["o0", "o2", "o4", "o6", "o7"]
    assert {failure.object_id: (failure.error, failure.location) for failure in failures} == {
        "o1": ("the process died in step Step: SIGSEGV", "pipeline.py:13"),
        "o3": ("the process died in step Step: exit code 3", "pipeline.py:24"),
        "o5": ("the process died in step Step: SIGKILL (out of memory?)", "pipeline.py:24"),
    }
    assert sum(measure.rows for measure in measures(table)) == 5


def test_a_batch_that_dies_of_those_before_it_is_done_in_a_fresh_process(start: Callable[..., Block]) -> None:
    run = start()

    tables = [run("keep", "keep") for _ in range(3)]

    assert [len(split(table)[0]) for table in tables] == [2, 2, 2]


def test_a_row_that_takes_more_memory_than_there_is_fails_alone(start: Callable[..., Block]) -> None:
    eats = PIPELINE.replace("bytes(1 << 20)", "b'x' * (1 << 30)").replace(
        "if len(kept) > 3", "import time; time.sleep(60)\n        if len(kept) > 3"
    )
    run = start(eats, limit=700 << 20)

    done, [failure] = split(run("fine", "keep"))

    assert [row["object_id"] for row in done] == ["o0"]
    assert (failure.object_id, failure.fatal) == ("o1", False)
    assert failure.error.startswith("the process died in step Step: it held ")


@pytest.mark.parametrize(
    ("old", "new", "want"),
    [
        pytest.param("kept = []", "os._exit(5)", "pipeline.py:1: exit code 5", id="imported"),
        pytest.param(
            "        pass\n", "        ctypes.string_at(0)\n", "pipeline.py:22: SIGSEGV", id="created"
        ),
    ],
)
def test_a_process_that_dies_while_steps_are_made_ends_the_run(
    start: Callable[..., Block], old: str, new: str, want: str
) -> None:
    run = start(PIPELINE.replace(old, new))

    _, [failure] = split(run("fine"))

    location, reason = want.split(": ")
    assert failure == Failure(
        "",
        "pipeline",
        f"the process died 2 times while the pipeline's steps were created: {reason}",
        location,
        fatal=True,
    )


# Native code that never lets go of the interpreter: no deadline inside the process can pass.
HANGS = PIPELINE.replace(
    'if text == "exit":', 'if text == "hang":\n        ctypes.PyDLL(None).sleep(60)\n    if text == "exit":'
)


def make(folder: Path, pipeline: str, **changes: Any) -> tuple[StageConfig, pa.Table]:
    tree = runs.make_tree(folder / "tree", {"pipeline.py": pipeline})
    config = runs.make_config(tree, folder, **changes)
    block = rows.contract_table(runs.make_objects({"o": "hang"}), config)
    return StageConfig(tree, config, (plan.Step(0, "Step", ResourceType.CPU, 4, None),), is_last=True), block


def test_a_process_that_hangs_in_native_code_is_given_up(tmp_path: Path) -> None:
    config, block = make(tmp_path, HANGS, batch_timeout=30.0)
    child = Child(config, grace=-25.0)

    with pytest.raises(errors.Overdue, match="a batch of 1 rows did not come back within 5 s") as caught:
        child.run(block)

    assert caught.value.location == "pipeline.py:26"


def test_a_process_ends_with_its_parent_even_while_native_code_hangs(tmp_path: Path) -> None:
    config, block = make(tmp_path, HANGS)
    file = tmp_path / "child.pickle"
    file.write_bytes(pickle.dumps((config, block)))
    code = "import pickle, sys; from extractor_runtime.batch.child import Child\n"
    code += "config, block = pickle.load(open(sys.argv[1], 'rb')); child = Child(config)\n"
    code += "print(child._process.pid, flush=True); child.run(block)"
    with subprocess.Popen([sys.executable, "-c", code, file], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()

    _, alive = psutil.wait_procs([child], timeout=10)
    assert alive == []


def test_what_the_author_started_ends_with_the_process(start: Callable[..., Block]) -> None:
    spawns = PIPELINE.replace(
        'if text == "exit":', 'if text == "exit":\n        if os.fork() == 0:\n            signal.pause()'
    )

    start(spawns)("exit")

    mine = ["extractor_runtime.batch.child_main", str(os.getpid())]
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert [line for line in lines if set(mine) <= set(line)] == []


def test_a_model_is_loaded_in_the_process_itself_without_ray(
    start: Callable[..., Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"weights")
    monkeypatch.setenv("EXTRACTOR_MODELS", str(tmp_path))
    run = start(f"""
import sys
from engine.models import load_namespace_model

class Step:
    def __init__(self, config):
        self.model = load_namespace_model("net")

    def __call__(self, batch):
        batch["seen"] = [[self.model.decode(), "ray" in sys.modules]] * len(batch)
        {GOOD}
        return batch

def build_steps(**kwargs):
    from engine.plugins.extractors.pipeline import StepDefinition
    return {{"steps": [StepDefinition(Step)]}}
""")

    done, failures = split(run("a"))

    assert failures == []
    assert [orjson.loads(row["document"])["seen"] for row in done] == [["weights", False]]
