"""`python -m benchmarks.environments`: dependencies made ready, against uv alone and Ray's own way.

Every side is a fresh process, turn by turn. Distributions are made here and lie in a folder, so that no
network is measured: what is left is what we do beside what uv does.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import measure
from benchmarks.environments.side import SIDES

RUN_SECONDS = 300
TARGETS = (
    ("cold", "compiled", "cold / uv pip install --compile-bytecode", 1.2),
    ("cold", "plain", "cold / uv pip install, which leaves compiling to every start", None),
    ("warm", "without", "start with a warm environment / without one", 1.1),
    ("ray", "ready", "Ray's pip environment / a warm one", None),
)


@dataclass(frozen=True)
class Run:
    """What one process took."""

    side: str
    seconds: float


def main() -> None:
    """Print the table, and write every run to a JSON file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--distributions", type=int, default=12)
    parser.add_argument("--modules", type=int, default=150, help="modules in each distribution")
    parser.add_argument("--sides", nargs="+", choices=sorted(SIDES), default=sorted(SIDES))
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results/environments.json"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        wheels, warm = Path(folder, "wheels"), Path(folder, "warm")
        write_wheels(wheels, options.distributions, options.modules)
        # The environment that the warm sides find.
        one("ready", wheels, warm)
        runs = [
            one(side, wheels, warm)
            for number in range(options.rounds)
            for side in (options.sides if number % 2 else options.sides[::-1])
        ]
    results = {
        "machine": measure.machine(),
        "distributions": options.distributions,
        "modules": options.modules,
        "runs": [asdict(run) for run in runs],
    }
    options.results.parent.mkdir(parents=True, exist_ok=True)
    options.results.write_text(json.dumps(results, indent=1))
    report(runs)


def write_wheels(folder: Path, distributions: int, modules: int) -> None:
    """Make distributions of modules of 40 functions, each depending on the one before."""
    folder.mkdir()
    for number in range(distributions):
        name, about = f"bench{number}", f"bench{number}-1.0.dist-info"
        requires = f"Requires-Dist: bench{number - 1}\n" if number else ""
        files = {
            f"{name}/module{each}.py": "".join(
                f"def f{line}(x):\n    return [x + {each}, {line}]\n\n\n" for line in range(40)
            )
            for each in range(modules)
        }
        files[f"{name}/__init__.py"] = ""
        files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requires}"
        files[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files[f"{about}/RECORD"] = "".join(f"{member},,\n" for member in files)
        with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as wheel:
            for member, content in files.items():
                wheel.writestr(member, content)


def one(side: str, wheels: Path, warm: Path) -> Run:
    """Run one side in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.environments.side", side, str(wheels), str(warm)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=RUN_SECONDS, check=True)
    return Run(side, json.loads(done.stdout.splitlines()[-1])["seconds"])


def report(runs: list[Run]) -> None:
    """Print medians, and the ratios that count."""
    seconds = {
        side: statistics.median(run.seconds for run in runs if run.side == side)
        for side in {run.side for run in runs}
    }
    for side, median in sorted(seconds.items()):
        print(f"{side:10} {median:8.3f} s   {SIDES[side].__doc__}")
    for above, below, what, limit in TARGETS:
        if above in seconds and below in seconds:
            at_most = f" (at most {limit})" if limit else ""
            print(f"{seconds[above] / seconds[below]:8.2f}   {what}{at_most}")


if __name__ == "__main__":
    main()
