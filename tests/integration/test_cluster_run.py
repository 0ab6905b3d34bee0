"""A run as it is in a cluster: the program that a RayJob starts, driver of a Ray that is there already."""

import json
import os
import re
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from extractor_apis.run import RunPhase, RunState
from extractor_stores import Store
from extractor_stores.rows import DOCUMENTS
from support import ray_cluster, runs

pytestmark = pytest.mark.integration

PIPELINE = """
import time
import zlib


class Embed:
    def __call__(self, batch):
        print("said by a worker:", *batch["data"])
        if "poison" in set(batch["data"]):
            raise ValueError("poisoned")
        if "slow" in set(batch["data"]):
            time.sleep(1)
        batch["vector"] = [vector(text) for text in batch["data"]]
        return batch


def vector(text):
    digest = zlib.crc32(text.encode())
    return [float(1 + (digest >> shift) % 256) for shift in (0, 8, 16, 24)]


def build_steps(extractor_request, **kwargs):
    return {"steps": [Embed()], "prepare": None}
"""
TEXTS = {f"o{number}": f"word {number}" for number in range(20)}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with ray_cluster.running(cpus=2) as address:
        yield address


class Collection:
    """A source, an archive and a store in a folder."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.tree = runs.make_tree(folder / "tree", {"pipeline.py": PIPELINE})
        self.store = folder / "store"

    def write(self, texts: dict[str, str]) -> None:
        lines = [json.dumps({"id": key, "text": text}) for key, text in texts.items()]
        (self.folder / "objects.jsonl").write_text("\n".join(lines))

    def start(self, run_id: str, **changes: Any) -> "subprocess.Popen[str]":
        """Start a run, as Ray's job supervisor does."""
        source = f"file://{self.folder}/objects.jsonl"
        config = runs.make_config(
            self.tree, self.store, run_id=run_id, source=source, **{"checkpoint_seconds": 0, **changes}
        )
        file = self.folder / f"{run_id}.json"
        file.write_text(config.model_dump_json())
        return subprocess.Popen(
            [sys.executable, "-m", "extractor_runtime.batch", "--config", str(file)],
            env={**os.environ, "RAY_ADDRESS": self.address},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, run_id: str, **changes: Any) -> tuple[int, RunState, str]:
        """Run, and give the exit code, the last state, and the last line that was said."""
        with self.start(run_id, **changes) as process:
            said, _ = process.communicate(timeout=120)
        return process.returncode, self.state(run_id), said.splitlines()[-1]

    def state(self, run_id: str) -> RunState:
        return RunState.model_validate_json((self.store / "runs" / run_id / "state.json").read_bytes())

    def rows(self) -> list[tuple[str, list[float]]]:
        with Store.open(self.store, create=False) as opened:
            [record] = opened.records()
            scanned = opened.published(record).scan(["object_id", "vector"], DOCUMENTS)
            return sorted((row["object_id"], row["vector"]) for batch in scanned for row in batch.to_pylist())

    def logs(self, run_id: str) -> str:
        return "".join(path.read_text() for path in (self.store / "runs" / run_id / "logs").iterdir())


@pytest.fixture
def collection(tmp_path: Path, address: str) -> Collection:
    made = Collection(tmp_path, address)
    made.write(TEXTS)
    return made


def test_run_succeeds_once_it_is_published_and_its_logs_are_kept(collection: Collection) -> None:
    code, state, said = collection.run("first")

    assert (code, state.phase, state.objects_done, state.documents) == (0, RunPhase.COMPLETED, 20, 20)
    assert RunState.model_validate_json(said) == state
    assert collection.rows() == sorted((name, vector(text)) for name, text in TEXTS.items())
    assert "said by a worker: word 0" in collection.logs("first")


def test_run_that_is_killed_half_way_has_the_same_rows_when_it_is_started_again(
    collection: Collection,
) -> None:
    slow = {**TEXTS, **{f"slow{number}": "slow" for number in range(4)}}
    collection.write(slow)

    with collection.start("again") as process:
        wait_for(lambda: any_done(collection))
        process.kill()
        process.communicate(timeout=60)
    code, state, _ = collection.run("again")

    assert (code, state.phase) == (0, RunPhase.COMPLETED)
    assert 0 < state.objects_todo < len(slow)
    assert collection.rows() == sorted((name, vector(text)) for name, text in slow.items())


def test_run_that_is_told_to_stop_says_so_and_keeps_what_it_had(collection: Collection) -> None:
    collection.write({**TEXTS, **{f"slow{number}": "slow" for number in range(20)}})

    with collection.start("stopped") as process:
        wait_for(lambda: any_done(collection))
        os.killpg(process.pid, signal.SIGTERM)
        began = time.monotonic()
        said, _ = process.communicate(timeout=60)
        took = time.monotonic() - began

    assert (process.returncode, collection.state("stopped").phase) == (143, RunPhase.INTERRUPTED)
    assert said.splitlines()[-1] == "extractor: interrupted; run again to go on from the last checkpoint"
    assert took < 20


def test_objects_that_failed_are_replayed_and_nothing_else(collection: Collection) -> None:
    collection.write({**TEXTS, "bad": "poison", "worse": "poison"})
    code, state, _ = collection.run("first")
    assert (code, state.objects_failed) == (0, 2)
    collection.write({**TEXTS, "bad": "mended", "worse": "poison", "new": "not asked for"})

    code, state, _ = collection.run("replay", retry_failed_of="first")

    assert (code, state.objects_todo, state.objects_failed) == (0, 2, 1)
    assert {object_id for object_id, _ in collection.rows()} == {*TEXTS, "bad"}


@pytest.mark.parametrize(
    ("changes", "want"),
    [
        pytest.param(
            {"retry_failed_of": "never"},
            "extractor: run never left no dead letters in .*",
            id="nothing to replay",
        ),
        pytest.param(
            {"platform": {"ray": "1.0.0", "python": "3.11"}},
            r"extractor: this image has Ray .* but the platform runs Ray 1\.0\.0.*",
            id="an image with another Ray",
        ),
    ],
)
def test_run_that_fails_says_why_in_its_last_line(
    collection: Collection, changes: dict[str, Any], want: str
) -> None:
    with collection.start("fails", **changes) as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert re.fullmatch(want, said.splitlines()[-1])


def vector(text: str) -> list[float]:
    """Embed as the pipeline does."""
    digest = zlib.crc32(text.encode())
    return [float(1 + (digest >> shift) % 256) for shift in (0, 8, 16, 24)]


def any_done(collection: Collection) -> bool:
    return any(collection.store.glob("checkpoints/**/rows.lance/_versions/*"))


def wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)
