"""`python -m benchmarks.scan`: scans of large and of many files against floors, and against unzip and bandit.

Every measurement is a fresh process; sides take turns, and ratios are of one round.
"""

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import measure
from benchmarks.scan import corpora

ARCHIVES = {
    "small": (corpora.small, True),
    "weights": (corpora.with_weights, False),
    "text": (corpora.with_text, True),
}
FLOORS = {"small": ("parse",), "weights": ("unpack", "parse"), "text": ("unpack",)}
"""What every scan has to do, one after the other."""
RUN_SECONDS = 900


@dataclass(frozen=True)
class Run:
    """What one side took with one archive in one round."""

    archive: str
    side: str
    seconds: float


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--archives", nargs="+", choices=ARCHIVES, default=list(ARCHIVES))
    parser.add_argument(
        "--without-bandit", action="store_true", help="it takes ten seconds a round and archive"
    )
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/scan.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        runs = [run for archive in options.archives for run in compare(archive, folder, options)]
        peaks = {archive: memory(folder / f"{archive}.zip") for archive in options.archives}
        refusals = list(refuse(folder))
    results = {
        "machine": measure.machine(),
        "runs": [asdict(run) for run in runs],
        "peaks": peaks,
        "refusals": refusals,
    }
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1))
    report(runs, peaks, refusals)


def compare(archive: str, folder: Path, options: argparse.Namespace) -> Iterator[Run]:
    """Measure all sides with an archive, turn by turn."""
    make, deflated = ARCHIVES[archive]
    files = make()
    first = corpora.write(files, folder / f"{archive}.zip", deflated=deflated)
    edited = corpora.write(corpora.edited(files), folder / f"{archive}-edited.zip", deflated=deflated)
    del files
    cache = folder / "cache"
    for number in range(options.rounds):
        sides = ["ours", "edited", "same", *FLOORS[archive], *([] if options.without_bandit else ["bandit"])]
        for side in sides if number % 2 else sides[::-1]:
            if side in ("edited", "same"):
                shutil.rmtree(cache, ignore_errors=True)
                one("ours", first, cache)
                seconds = one("ours", edited if side == "edited" else first, cache)
            else:
                seconds = one(side, first)
            print(f"{archive:8} {side:8} {seconds:7.3f} s", flush=True)
            yield Run(archive, side, seconds)


def one(side: str, archive: Path, *more: Path) -> float:
    """Run one side in a fresh process."""
    answer = _run(side, archive, *more)
    if side == "ours" and answer["verdict"] != "accept":
        sys.exit(f"{archive.name} was rejected")
    # A side that has to prepare something says itself what counts.
    return float(answer["verdict"] if side == "parse" else answer["seconds"])


def memory(archive: Path) -> int:
    """Scan once more, slowly, for the sake of its memory."""
    return int(_run("memory", archive)["peak"])


def refuse(folder: Path) -> Iterator[dict[str, object]]:
    """Scan what must be refused early."""
    for what, write in corpora.hostile():
        archive = write(folder / "hostile.zip")
        answer = _run("ours", archive)
        if answer["verdict"] != "reject":
            sys.exit(f"{what} was accepted")
        yield {"what": what, "seconds": answer["seconds"], "peak": memory(archive)}


def _run(*arguments: object) -> dict[str, float | str]:
    command = [sys.executable, "-m", "benchmarks.scan.side", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=RUN_SECONDS)
    answer: dict[str, float | str] = json.loads(done.stdout)
    return answer


def report(runs: list[Run], peaks: dict[str, int], refusals: list[dict[str, object]]) -> None:
    """Print medians, and the ratios round by round: median, and least to most."""
    for archive, peak in peaks.items():
        times: dict[str, list[float]] = {}
        for run in runs:
            if run.archive == archive:
                times.setdefault(run.side, []).append(run.seconds)
        floor = [sum(parts) for parts in zip(*(times[side] for side in FLOORS[archive]), strict=True)]
        print(f"\n{archive}: {peak / 1e6:.0f} MB resident")
        for side, values in times.items():
            print(f"  {side:18} {statistics.median(values):7.3f} s")
        _print_ratio("ours / floor", times["ours"], floor)
        for side in ("edited", "same"):
            _print_ratio(f"ours / {side}", times["ours"], times[side])
        if "bandit" in times:
            _print_ratio("bandit / ours", times["bandit"], times["ours"])
    print()
    for refusal in refusals:
        print(f"{refusal['what']}: {refusal['seconds']:.3f} s, {int(str(refusal['peak'])) / 1e6:.0f} MB")


def _print_ratio(what: str, ours: list[float], theirs: list[float]) -> None:
    ratios = sorted(one / other for one, other in zip(ours, theirs, strict=True))
    print(f"  {what:18} {statistics.median(ratios):7.2f} [{ratios[0]:.2f} to {ratios[-1]:.2f}]")


if __name__ == "__main__":
    main()
