"""`python -m benchmarks.models`: a model loaded once for a node's actors, against each actor loading it.

Both sides are fresh processes, turn by turn, with the same actors and the same file in the page cache. Every
figure is from the moment when the actors are there until each has read every weight.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import safetensors.numpy

from benchmarks import measure

SIDES = ("once", "each")
LAYERS = 20
RUN_SECONDS = 300


@dataclass(frozen=True)
class Run:
    """What one process took."""

    side: str
    loads: int
    """Processes that read the file."""
    seconds: float
    """Until all actors have read every weight."""
    memory: int
    """Bytes of the process tree then, pages that are shared counted once, above what it took before."""
    peak: int
    """Bytes of the process tree at its highest."""


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=200, help="size of the model")
    parser.add_argument("--actors", type=int, default=4)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/models.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        model = Path(folder, "model.safetensors")
        write_model(model, options.mib << 20)
        runs = [
            one(side, model, options.actors)
            for number in range(options.rounds)
            for side in (SIDES if number % 2 else SIDES[::-1])
        ]
    results = {
        "machine": measure.machine(),
        "mib": options.mib,
        "actors": options.actors,
        "runs": [asdict(run) for run in runs],
    }
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1))
    report(runs)


def write_model(path: Path, size: int) -> None:
    """Write weights that no page can share by chance."""
    random = np.random.default_rng(7)
    layer = size // LAYERS // 4
    safetensors.numpy.save_file(
        {f"layer{number}.weight": random.random(layer, np.float32) for number in range(LAYERS)}, path
    )


def one(side: str, model: Path, actors: int) -> Run:
    """Run one side in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.models.side", side, str(model), str(actors)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        usage = measure.watch(process, RUN_SECONDS)
        assert process.stdout is not None
        answer = json.loads(process.stdout.read())
    run = Run(side, **answer, peak=usage.peak)
    print(f"{side:5} {run.loads} loads {run.seconds:6.2f} s {run.memory >> 20:6} MiB", flush=True)
    return run


def report(runs: list[Run]) -> None:
    """Print medians, and the ratios round by round: median, and least to most."""
    once, each = ([run for run in runs if run.side == side] for side in SIDES)
    print(f"\n{'':22}{'once':>10}{'each':>10}   once / each")
    for what, attribute, unit in (
        ("loads", "loads", 1),
        ("seconds", "seconds", 1),
        ("MiB more (PSS)", "memory", 1 << 20),
        ("MiB at the peak (PSS)", "peak", 1 << 20),
    ):
        values = [[getattr(run, attribute) / unit for run in side] for side in (once, each)]
        ratios = sorted(ours / theirs for ours, theirs in zip(*values, strict=True))
        medians = "".join(f"{statistics.median(side):10.1f}" for side in values)
        print(
            f"{what:22}{medians}   {statistics.median(ratios):4.2f} [{ratios[0]:4.2f} to {ratios[-1]:4.2f}]"
        )


if __name__ == "__main__":
    main()
