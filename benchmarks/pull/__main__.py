"""`python -m benchmarks.pull`: a cold pull of a large artifact from a registry here, against crane, skopeo.

Every measurement is a fresh process; sides take turns, and ratios are of one round. Every side's bytes are
compared with the digest, ours by the fetch itself.
"""

import argparse
import hashlib
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
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
    sides = {"ours": ours, "warm": ours}
    if CRANE.exists():
        sides["crane"] = crane
    else:
        print("no crane: run `make crane`")
    if shutil.which("skopeo"):
        sides["skopeo"] = skopeo
    runs = []
    for number in range(rounds):
        work = folder / str(number)
        # The second of ours finds what the first one left.
        for side in sides if number % 2 else [*list(sides)[2:], "ours", "warm"]:
            into = work / ("ours" if side == "warm" else side)
            into.mkdir(parents=True, exist_ok=True)
            started = time.monotonic()
            subprocess.run(sides[side](registry.host, into, digest), check=True, timeout=RUN_SECONDS)
            runs.append(Run(side, time.monotonic() - started))
            print(f"{side:8} {runs[-1].seconds:7.3f} s", flush=True)
            if not any(_has(path, digest) for path in into.rglob("*")):
                sys.exit(f"{side} did not bring the archive")
        shutil.rmtree(work)
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
    times: dict[str, list[float]] = {}
    for run in runs:
        times.setdefault(run.side, []).append(run.seconds)
    for side, values in times.items():
        ratios = sorted(one / other for one, other in zip(times["ours"], values, strict=True))
        print(
            f"{side:8} {statistics.median(values):7.3f} s   ours / {side}: "
            f"{statistics.median(ratios):.2f} [{ratios[0]:.2f} to {ratios[-1]:.2f}]"
        )


def _has(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == digest


if __name__ == "__main__":
    main()
