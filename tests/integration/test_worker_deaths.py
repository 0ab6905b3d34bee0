"""However a worker ends, at whichever stage: the archive is rejected, the file named, and nothing is left."""

import itertools
import os
import time
from pathlib import Path

import pytest

from extractor_apis.scan import Verdict
from extractor_sandbox import scan
from support import dying_worker, model_files
from support.archives import extractor

pytestmark = pytest.mark.integration

CODE = {"processors/core.py": "import numpy as np\n\nnp.load('a.npy')\n"}
MODEL = {"weights/model.pt": model_files.torch_zip()}
IS_CODE = {"manifest.py", "pipeline.py", "processors/core.py"}
STAGES: dict[str, set[str | None]] = {
    "reading the archive": {None},
    "unpacking it": {None},
    "looking at its files": {None},
    "reading a checkpoint": {"weights/model.pt"},
    "asking for a second opinion": {"weights/model.pt"},
    "reading the manifest": {"manifest.py"},
    "parsing code": {*IS_CODE},
    "judging code": {*IS_CODE},
    "linking files": {*IS_CODE},
    "saying what came out": {*IS_CODE},
}
"""Which file a report names: the one that was read last."""
EVERYWHERE = {
    "takes all memory": "failed with status 1: MemoryError",
    "crashes": "killed by signal 11",
    "hangs": "took too long",
}
SOMEWHERE = {
    "is killed": "killed by signal 9",
    "aborts": "killed by signal 6",
    "raises": "failed with status 1: ValueError: boom",
    "recurses": "failed with status 1: RecursionError",
    "leaves": "ended without an outcome",
    "leaves at once": "ended without an outcome",
    "closes its output": "failed with status 1",
    "writes rubbish": "said what cannot be understood",
}
DEATHS = [
    *itertools.product(STAGES, EVERYWHERE.items()),
    *itertools.product(["judging code"], SOMEWHERE.items()),
]


@pytest.mark.parametrize(
    ("stage", "end", "want"),
    [pytest.param(stage, end, want, id=f"{end} {stage}") for stage, (end, want) in DEATHS],
)
def test_an_archive_is_rejected_whose_worker(tmp_path: Path, stage: str, end: str, want: str) -> None:
    is_about_model = "weights/model.pt" in STAGES[stage]
    (tmp_path / "uploaded.zip").write_bytes(extractor(CODE | MODEL if is_about_model else CODE))

    report = scan(
        tmp_path / "uploaded.zip",
        into=tmp_path / "accepted.zip",
        worker=dying_worker.command(stage, end, mark=str(tmp_path)),
        timeout=2 if end == "hangs" else 60,
    )

    [finding] = report.findings
    assert (report.verdict, finding.rule) == (Verdict.REJECT, "X01")
    assert want in finding.message and finding.path in STAGES[stage]
    assert os.listdir(tmp_path) == ["uploaded.zip"]
    assert eventually_nobody_mentions(str(tmp_path))


def eventually_nobody_mentions(mark: str) -> bool:
    """Wait until no process has a mark in its command line."""
    deadline = time.monotonic() + 5
    while any(mark.encode() in line for line in _command_lines()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _command_lines() -> list[bytes]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:
            continue  # It ended meanwhile.
    return lines
