"""`python -m benchmarks.environments.side SIDE WHEELS WARM`: one side, timed in a process of its own."""

import ensurepip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uv

from extractor_apis.packages import PackageIndex
from extractor_artifacts import environments, unpack
from extractor_artifacts.environments import Cache, Environment


def main() -> None:
    """Measure, and print JSON."""
    side, wheels, warm = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    print(json.dumps({"seconds": SIDES[side](wheels, warm)}))


def cold(wheels: Path, warm: Path) -> float:
    """Ours, into an empty cache."""
    with tempfile.TemporaryDirectory(dir=warm.parent) as folder:
        # Imports and the list of what the runtime has are of the process, whatever it prepares.
        environments.installed()
        started = time.perf_counter()
        _prepare(wheels, Path(folder, "cache"))
        seconds = time.perf_counter() - started
        unpack.remove(Path(folder, "cache"))
    return seconds


def plain(wheels: Path, warm: Path) -> float:
    """`uv pip install`, into an empty cache."""
    return _install(wheels, warm.parent)


def compiled(wheels: Path, warm: Path) -> float:
    """`uv pip install --compile-bytecode`, into an empty cache."""
    return _install(wheels, warm.parent, "--compile-bytecode")


def ready(wheels: Path, warm: Path) -> float:
    """Ours, which is there already: the list of what the runtime has counts."""
    started = time.perf_counter()
    _prepare(wheels, warm)
    return time.perf_counter() - started


def without(wheels: Path, warm: Path) -> float:
    """Ray's start and a first task, without dependencies."""
    started = time.perf_counter()
    _first_task(None, None)
    return time.perf_counter() - started


def warm_start(wheels: Path, warm: Path) -> float:
    """Ray's start and a first task that imports from a warm environment of ours."""
    started = time.perf_counter()
    _first_task(str(_prepare(wheels, warm).path), None)
    return time.perf_counter() - started


def ray_pip(wheels: Path, warm: Path) -> float:
    """Ray's pip environment: what a first task takes longer with it."""
    options = ["--no-index", f"--find-links={wheels}"]
    runtime = {"pip": {"packages": [_last(wheels)], "pip_install_options": options}}
    # Ray asks for pip in the virtual environment that it clones; uv's have none.
    bundled = Path(ensurepip.__file__).with_name("_bundled").glob("pip-*.whl")
    os.environ["PYTHONPATH"] = os.pathsep.join(map(str, bundled))
    return _first_task("", runtime) - _first_task(None, None)


SIDES: dict[str, Callable[[Path, Path], float]] = {
    "cold": cold,
    "plain": plain,
    "compiled": compiled,
    "ready": ready,
    "without": without,
    "warm": warm_start,
    "ray": ray_pip,
}


def _prepare(wheels: Path, root: Path) -> Environment:
    constraints = environments.installed()
    cache = Cache(root, PackageIndex(wheels=wheels, offline=True))
    locked = environments.resolve(
        [_last(wheels)],
        image_digest=environments.image_digest(constraints),
        python=environments.Python.running(),
        constraints=constraints,
        cache=cache,
    )
    return environments.build(locked, cache)


def _install(wheels: Path, parent: Path, *more: str) -> float:
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        command = [uv.find_uv_bin(), "pip", "install", "--quiet", "--no-config", "--python", sys.executable]
        command += ["--cache-dir", f"{folder}/cache", "--target", f"{folder}/target", *more]
        command += ["--no-index", "--find-links", str(wheels), _last(wheels)]
        started = time.perf_counter()
        subprocess.run(command, check=True, timeout=120)
        return time.perf_counter() - started


def _first_task(environment: str | None, runtime: dict[str, object] | None) -> float:
    """Start Ray, run a task that imports a distribution if there is one, and say how long the task took."""
    from extractor_runtime import session

    with session.local(cpus=1):
        import ray

        def task() -> None:
            if environment is not None:
                if environment:
                    sys.path.append(environment)
                __import__("bench0.module0")

        remote = ray.remote(task).options(runtime_env=runtime) if runtime else ray.remote(task)
        started = time.perf_counter()
        ray.get(remote.remote(), timeout=200)
        return time.perf_counter() - started


def _last(wheels: Path) -> str:
    return f"bench{len(list(wheels.iterdir())) - 1}"


if __name__ == "__main__":
    main()
