"""`python -m benchmarks.batch`: our batch path against hand-written Ray Data, fixed cost and slope.

Both sides run as fresh processes, turn by turn, over the same texts with the same model object; every figure
is a ratio of the two in one round. The slope is the cost of a further row, the fixed cost what a run costs
before any.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import measure
from extractor_apis.run import RunConfig

HERE = Path(__file__).parent
SIZES = (2_000, 4_000, 8_000, 16_000)
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


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/batch.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        runs = [
            run
            for number in range(options.rounds)
            for rows in options.sizes
            # Turn by turn, and the other one first the next time: the machine's speed drifts.
            for side in (("ours", "by_hand") if number % 2 else ("by_hand", "ours"))
            for run in [one(side, rows, Path(folder, f"{side}-{rows}-{number}"))]
        ]
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(
        json.dumps({"machine": measure.machine(), "runs": [asdict(run) for run in runs]}, indent=1)
    )
    report(runs, options.rounds)


def one(side: str, rows: int, folder: Path) -> Run:
    """Run one side once over so many rows."""
    folder.mkdir()
    source = folder / "texts.jsonl"
    with source.open("w") as file:
        for row in range(rows):
            file.write(
                json.dumps({"id": str(row), "text": f"text {row} of a stream of rather ordinary sentences"})
                + "\n"
            )
    if side == "ours":
        command = [sys.executable, HERE / "ours.py", write_config(source, folder)]
    else:
        command = [sys.executable, HERE / "by_hand.py", source, folder / "store"]
    with subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True) as process:
        usage = measure.watch(process, RUN_SECONDS)
        assert process.stdout is not None
        result = json.loads(process.stdout.read().splitlines()[-1])
    if result["rows"] != rows:
        sys.exit(f"{side} wrote {result['rows']} of {rows} rows")
    run = Run(side, rows, result["first"], result["total"], usage.cpu, usage.peak)
    print(
        f"{side:8} {rows:6} rows  first {run.first:6.2f} s  total {run.total:6.2f} s  cpu {run.cpu:6.1f} s",
        flush=True,
    )
    return run


def write_config(source: Path, folder: Path) -> Path:
    """Have the benchmark's extractor accepted, and describe the run."""
    import extractor_sandbox
    from extractor_artifacts import ArtifactStore

    uploaded, canonical = folder / "uploaded.zip", folder / "canonical.zip"
    extractor_sandbox.pack(HERE / "extractor", uploaded)
    report = extractor_sandbox.scan(uploaded, into=canonical)
    artifact = ArtifactStore(folder / "artifacts").put(canonical, report)
    config = RunConfig(
        run_id=f"bench-{time.time_ns()}",
        collection="default",
        source=str(source),
        store=str(folder / "store"),
        tree=str(artifact.tree),
        artifact_digest=artifact.digest,
        top_folder=report.top_folder,
        manifest=report.manifest,
        cpus=2,
    )
    file = folder / "config.json"
    file.write_text(config.model_dump_json())
    return file


def report(runs: list[Run], rounds: int) -> None:
    """Print medians, and ratios round by round."""
    sizes = sorted({run.rows for run in runs})
    print(f"\n{'':8} {'fixed s':>10} {'ms/row':>8} {'first s':>8} {'cpu ms/row':>11} {'peak MiB':>9}")
    slopes: dict[str, list[float]] = {}
    firsts: dict[str, list[float]] = {}
    for side in ("by_hand", "ours"):
        ordered = [[run for run in runs if run.side == side and run.rows == rows] for rows in sizes]
        slopes[side], fixed = [], []
        for number in range(rounds):
            slope, start = np.polyfit(sizes, [of_size[number].total for of_size in ordered], 1)
            slopes[side].append(float(slope) * 1000)
            fixed.append(float(start))
        cpu = (
            np.polyfit(sizes, [statistics.median(run.cpu for run in of_size) for of_size in ordered], 1)[0]
            * 1000
        )
        firsts[side] = [
            statistics.median(of_size[number].first for of_size in ordered) for number in range(rounds)
        ]
        peak = max(run.peak for of_size in ordered for run in of_size) / 2**20
        print(
            f"{side:8} {statistics.median(fixed):10.2f} {statistics.median(slopes[side]):8.3f} "
            f"{statistics.median(firsts[side]):8.2f} {cpu:11.3f} {peak:9.0f}"
        )
    for what, values in (("slope", slopes), ("first row", firsts)):
        ratios = sorted(ours / hand for ours, hand in zip(values["ours"], values["by_hand"], strict=True))
        print(
            f"{what}: ours / by hand = {statistics.median(ratios):.2f} [{ratios[0]:.2f} to {ratios[-1]:.2f}]"
        )


if __name__ == "__main__":
    main()
