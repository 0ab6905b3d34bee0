"""Two ways to do one batch job, as fresh processes turn by turn: what a further row costs, and what any run.

A side is a command whose last line of output is JSON: seconds from its start to the ``first`` row and in
``total``, and ``rows`` written.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from benchmarks import measure
from extractor_apis.run import RunConfig

PYTHON = sys.executable
RUN_SECONDS = 300


@dataclass(frozen=True)
class Run:
    """What one process took."""

    side: str
    rows: int
    first: float
    """Seconds from the process's start to the first row."""
    total: float
    """Seconds from the process's start to the end."""
    cpu: float
    """Seconds of processor of the whole process tree."""
    peak: int
    """Bytes, proportional set size of the whole process tree at its highest."""


def interleave(
    one: Callable[[str, int, int], Run], sides: Sequence[str], sizes: Sequence[int], rounds: int
) -> list[Run]:
    """Call ``one(side, rows, round)`` for everything, turn by turn: the machine's speed drifts."""
    return [
        one(side, rows, number)
        for number in range(rounds)
        for rows in sizes
        # The other one first the next time.
        for side in (reversed(sides) if number % 2 else sides)
    ]


def run(command: Sequence[object], side: str, rows: int) -> Run:
    """Run one side once, and print what it took."""
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as process:
        usage = measure.watch(process, RUN_SECONDS)
        assert process.stdout is not None
        lines = process.stdout.read().splitlines()
    if process.returncode or not lines:
        sys.exit(f"{side} failed with code {process.returncode}")
    result = json.loads(lines[-1])
    if result["rows"] != rows:
        sys.exit(f"{side} wrote {result['rows']} of {rows} rows")
    done = Run(side, rows, result["first"], result["total"], usage.cpu, usage.peak)
    print(
        f"{side:8} {rows:6} rows  first {done.first:6.2f} s  "
        f"total {done.total:6.2f} s  cpu {done.cpu:6.1f} s",
        flush=True,
    )
    return done


def write_config(
    extractor: Path, source: Path, folder: Path, parameters: Mapping[str, JsonValue] | None = None
) -> Path:
    """Have an extractor accepted, and describe its run over a source."""
    import extractor_sandbox
    from extractor_artifacts import ArtifactStore

    uploaded, canonical = folder / "uploaded.zip", folder / "canonical.zip"
    extractor_sandbox.pack(extractor, uploaded)
    scan = extractor_sandbox.scan(uploaded, into=canonical)
    if scan.manifest is None or not scan.accepted:
        sys.exit(f"{extractor} was rejected: {scan.findings}")
    artifact = ArtifactStore(folder / "artifacts").put(canonical, scan)
    config = RunConfig(
        run_id=f"bench-{time.time_ns()}",
        collection="default",
        source=str(source),
        store=str(folder / "store"),
        tree=str(artifact.tree),
        artifact_digest=artifact.digest,
        top_folder=scan.top_folder,
        manifest=scan.manifest,
        parameters=dict(parameters or {}),
        cpus=2,
    )
    file = folder / "config.json"
    file.write_text(config.model_dump_json())
    return file


def write(runs: list[Run], results: Path) -> None:
    """Write every run, with the machine that it was on."""
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text(json.dumps({"machine": measure.machine(), "runs": list(map(asdict, runs))}, indent=1))


def report(runs: list[Run], *, ours: str, peer: str) -> None:
    """Print medians of both sides, and the ratio of their slopes and first rows, round by round."""
    sizes = sorted({run.rows for run in runs})
    print(f"\n{'':8} {'fixed s':>10} {'ms/row':>8} {'first s':>8} {'cpu ms/row':>11} {'peak MiB':>9}")
    slopes: dict[str, list[float]] = {}
    firsts: dict[str, list[float]] = {}
    for side in (peer, ours):
        by_size = [[run for run in runs if run.side == side and run.rows == rows] for rows in sizes]
        rounds = list(zip(*by_size, strict=True))
        lines = [np.polyfit(sizes, [run.total for run in one_round], 1) for one_round in rounds]
        slopes[side] = [float(slope) * 1000 for slope, _ in lines]
        firsts[side] = [statistics.median(run.first for run in one_round) for one_round in rounds]
        cpu = np.polyfit(sizes, [statistics.median(run.cpu for run in of_size) for of_size in by_size], 1)
        print(
            f"{side:8} {statistics.median(float(start) for _, start in lines):10.2f} "
            f"{statistics.median(slopes[side]):8.3f} {statistics.median(firsts[side]):8.2f} "
            f"{float(cpu[0]) * 1000:11.3f} {max(run.peak for run in runs if run.side == side) / 2**20:9.0f}"
        )
    for what, values in (("slope", slopes), ("first row", firsts)):
        ratios = sorted(mine / theirs for mine, theirs in zip(values[ours], values[peer], strict=True))
        middle = statistics.median(ratios)
        print(f"{what}: {ours} / {peer} = {middle:.2f} [{ratios[0]:.2f} to {ratios[-1]:.2f}]")
