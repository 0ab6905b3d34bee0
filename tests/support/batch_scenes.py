"""A batch run of an archive that makes passages of words, over a source that is written here."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from extractor_apis.run import RunConfig, RunState
from extractor_runtime.batch import ingest
from extractor_stores import Store
from support import runs

TESTS = Path(__file__).parents[1]

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
