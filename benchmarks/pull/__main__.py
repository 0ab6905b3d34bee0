"""`python -m benchmarks.pull`: a cold pull of a large artifact from a registry here, against crane, skopeo.

Every measurement is a fresh process; of ours, which runs already where an operator pulls, the pull itself is
measured, and the process whole. Sides take turns, and ratios are of one round. Every side's bytes are
compared with the digest, ours by the fetch itself.
"""

import argparse
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from benchmarks import measure

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from support.oci_registry import Registry, oci_registry

CRANE = Path(".cache/parts/crane/crane")
RUN_SECONDS = 600
REPOSITORY = "bench/archive"


@dataclass(frozen=True)
class Run:
    """What one side took in one round."""

    side: str
    seconds: float
    cpu: float
    """Seconds of processor."""


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/pull.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        with oci_registry(folder / "registry") as registry:
            runs = compare(registry, folder, options.rounds, options.megabytes)
    options.results.parent.mkdir(parents=True, exist_ok=True)
    results = {
        "machine": measure.machine(),
        "megabytes": options.megabytes,
        "runs": [asdict(run) for run in runs],
    }
    options.results.write_text(json.dumps(results, indent=1))
    report(runs)


def compare(registry: Registry, folder: Path, rounds: int, megabytes: int) -> list[Run]:
    """Measure all sides, turn by turn."""
    content = bytes(range(256)) * 4096 * megabytes
    digest = hashlib.sha256(content).hexdigest()
    registry.push(REPOSITORY, "v1", content)
    del content
    sides = {"ours": ours}
    if CRANE.exists():
        sides["crane"] = crane
    else:
        print("no crane: run `make crane`")
    if shutil.which("skopeo"):
        sides["skopeo"] = skopeo
    runs = []
    for number in range(rounds):
        for side in sides if number % 2 else reversed(sides):
            into = folder / "pulled"
            into.mkdir()
            command = sides[side](registry.host, into, digest)
            runs += measured(side, command)
            if not any(_has(path, digest) for path in into.rglob("*")):
                sys.exit(f"{side} did not bring the archive")
            if side == "ours":
                # The second finds what the first one left.
                runs += measured("warm", command)
            shutil.rmtree(into)
    return runs


def measured(side: str, command: list[str]) -> list[Run]:
    """Run a command; ours tells what the pull took, and then both that and the whole are given."""
    # What was written before, by the registry or another side, is not waited for in the middle.
    os.sync()
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    said = subprocess.run(command, check=True, timeout=RUN_SECONDS, stdout=subprocess.PIPE, text=True).stdout
    seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    whole = Run(side, seconds, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    runs = [Run(side, **json.loads(said)), replace(whole, side=f"{side}, whole")] if said else [whole]
    for run in runs:
        print(f"{run.side:12} {run.seconds:7.3f} s {run.cpu:7.3f} s of processor", flush=True)
    return runs


def ours(host: str, into: Path, digest: str) -> list[str]:
    """Fetch as the operator does; cold or warm is what is there."""
    return [sys.executable, "-m", "benchmarks.pull.ours", f"{host}/{REPOSITORY}:v1", str(into)]


def crane(host: str, into: Path, digest: str) -> list[str]:
    """Write the layer to a file; crane compares its digest."""
    layer = f"{host}/{REPOSITORY}@sha256:{digest}"
    return ["sh", "-c", '"$0" blob "$1" > "$2"', str(CRANE), layer, str(into / "blob")]


def skopeo(host: str, into: Path, digest: str) -> list[str]:
    """Copy the artifact into a folder."""
    source = f"docker://{host}/{REPOSITORY}:v1"
    return ["skopeo", "copy", "-q", "--src-tls-verify=false", source, f"dir:{into}"]


def report(runs: list[Run]) -> None:
    """Print medians, and the ratios round by round: median, and least to most."""
    sides: dict[str, list[Run]] = {}
    for run in runs:
        sides.setdefault(run.side, []).append(run)
    for side, theirs in sides.items():
        print(f"{side:12} {statistics.median(run.seconds for run in theirs):7.3f} s", end="")
        for measure_of in ("seconds", "cpu"):
            pairs = zip(sides["ours"], theirs, strict=True)
            ratios = sorted(getattr(one, measure_of) / getattr(other, measure_of) for one, other in pairs)
            spread = f"{statistics.median(ratios):.2f} [{ratios[0]:.2f} to {ratios[-1]:.2f}]"
            print(f"   {measure_of} ours / {side}: {spread}", end="")
        print()


def _has(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


if __name__ == "__main__":
    main()
