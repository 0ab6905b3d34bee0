"""`python -m benchmarks.realtime`: our endpoint against bare uvicorn with the same 10 ms model object.

Every figure is a ratio to the bare server in the same round. A second bare server shows how far equals differ
here. The processes of the sides that are not measured are stopped, so that Ray's do not slow the bare server.
"""

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from benchmarks import measure
from benchmarks.realtime.archive.realtime import Model

SIDES = {"bare": "bare", "bare again": "bare", "ours": "ours"}
CONNECTIONS = (1, 8, 32)
CLOSED_SECONDS = 1.0
OPEN_SECONDS = 4.0
MODEL_SECONDS = 0.010
LOAD = 0.7
# Ray's processes catch up after they were stopped.
SETTLE_SECONDS = 0.5


@dataclass(frozen=True)
class Side:
    """A server that runs."""

    name: str
    url: str
    root: psutil.Process

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run for the length of a block."""
        for process in measure.tree(self.root):
            process.resume()
        time.sleep(SETTLE_SECONDS)
        yield
        for process in measure.tree(self.root):
            if not _is_on_the_path(process):
                process.suspend()

    def cpu(self) -> float:
        """Sum the seconds of processor of all its processes."""
        times = [process.cpu_times() for process in measure.tree(self.root)]
        return float(sum(one.user + one.system for one in times))

    def memory(self) -> int:
        """Sum the bytes of all its processes, pages that are shared counted once."""
        return sum(process.memory_full_info().pss for process in measure.tree(self.root))


def _is_on_the_path(process: psutil.Process) -> bool:
    """Tell whether requests pass this process; with these stopped too, some rounds never ended."""
    command = " ".join(process.cmdline())
    return "haproxy" in command or "ServeReplica" in command


@dataclass(frozen=True)
class Round:
    """What one side did in one round."""

    side: str
    rps: dict[int, float]
    """Answers a second by number of connections, closed loop."""
    cpu_ms: float
    """Milliseconds of processor an answer, at eight connections."""
    p50_ms: float
    p99_ms: float
    """Latency at a fixed rate, 70 % of what the bare server can do."""
    memory: int


def main() -> None:
    """Print the table, and write every round to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/realtime.json"))
    options = parser.parse_args()
    os.environ["BENCH_LOOPS"] = loops = str(calibrate())
    with contextlib.ExitStack() as running:
        sides = [running.enter_context(serving(name, module)) for name, module in SIDES.items()]
        with sides[0].awake():
            rate = LOAD * len(load(sides[0], "closed", 8, 2.0)) / 2.0
        print(f"{rate:.0f} requests a second are 70 % of the bare server's peak", flush=True)
        rounds = [
            measured(side, rate)
            for number in range(options.rounds)
            for side in sides[number % len(sides) :] + sides[: number % len(sides)]
        ]
    results = {
        "machine": measure.machine(),
        "loops": loops,
        "rate": rate,
        "rounds": [asdict(one) for one in rounds],
    }
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1))
    report(rounds)


def calibrate() -> int:
    """Find how many loops of the model take ten milliseconds here, at best."""
    os.environ["BENCH_LOOPS"] = "20000"
    model = Model()
    times = []
    for _ in range(50):
        began = time.perf_counter()
        model.embed("text")
        times.append(time.perf_counter() - began)
    return round(model.loops * MODEL_SECONDS / min(times))


@contextlib.contextmanager
def serving(name: str, module: str) -> Iterator[Side]:
    """Run a server, stopped until it is measured, as long as a block."""
    command = [sys.executable, "-m", f"benchmarks.realtime.{module}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        side = Side(name, process.stdout.readline().strip(), psutil.Process(process.pid))
        with side.awake():
            load(side, "closed", 8, 1.0)
        try:
            yield side
        finally:
            for member in measure.tree(side.root):
                member.resume()


def measured(side: Side, rate: float) -> Round:
    """Measure one side once."""
    rps: dict[int, float] = {}
    cpu_ms = 0.0
    with side.awake():
        for connections in CONNECTIONS:
            before = side.cpu()
            answers = len(load(side, "closed", connections, CLOSED_SECONDS))
            rps[connections] = answers / CLOSED_SECONDS
            if connections == 8:
                cpu_ms = 1000 * (side.cpu() - before) / answers
        latencies = sorted(load(side, "open", rate, OPEN_SECONDS))
        memory = side.memory()
    p50, p99 = (1000 * latencies[int(len(latencies) * share)] for share in (0.5, 0.99))
    print(f"{side.name:10} {rps[1]:5.0f} {rps[8]:5.0f} {rps[32]:5.0f} rps  p99 {p99:5.1f} ms", flush=True)
    return Round(side.name, rps, cpu_ms, p50, p99, memory)


def load(side: Side, mode: str, amount: float, seconds: float) -> list[float]:
    """Run the load generator; latencies in seconds."""
    command = [sys.executable, "-m", "benchmarks.realtime.load", side.url, mode, str(amount), str(seconds)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60 + seconds)
    latencies: list[float] = json.loads(ran.stdout)
    return latencies


def report(rounds: list[Round]) -> None:
    """Print the ratios to the bare server, round by round: median, and least to most."""
    by_side = {name: [one for one in rounds if one.side == name] for name in SIDES}
    figures = {
        f"rps, {count} connections": lambda one, count=count: one.rps[count] for count in CONNECTIONS
    } | {
        "CPU a request": lambda one: one.cpu_ms,
        "p50 at 70 % load": lambda one: one.p50_ms,
        "p99 at 70 % load": lambda one: one.p99_ms,
        "memory (PSS)": lambda one: one.memory / 2**20,
    }
    print(f"\n{'':22}{'bare':>8}{'ours':>8}   ours / bare           bare again / bare")
    for what, figure in figures.items():
        values = {name: [figure(one) for one in of_side] for name, of_side in by_side.items()}
        columns = "".join(f"{statistics.median(values[name]):8.1f}" for name in ("bare", "ours"))
        spreads = [spread(values[name], values["bare"]) for name in ("ours", "bare again")]
        print(f"{what:22}{columns}   {spreads[0]}   {spreads[1]}")


def spread(values: list[float], bare: list[float]) -> str:
    """Write the ratios of two rows of figures."""
    ratios = sorted(value / base for value, base in zip(values, bare, strict=True))
    return f"{statistics.median(ratios):4.2f} [{ratios[0]:4.2f} to {ratios[-1]:4.2f}]"


if __name__ == "__main__":
    main()
